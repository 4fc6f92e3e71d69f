package orgkeys

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// clockTolerance is how far the creation time of an object may be before the start of the call,
// after the difference between the clocks that the server's Date shows.
const clockTolerance = 5 * time.Minute

// serverClock is the difference between the server's clock and this machine's.
type serverClock struct {
	known bool
	ahead time.Duration // negative if the server's is behind
}

// observe reads the clock from the header of a response that has just arrived.
func (s *serverClock) observe(header http.Header) {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		s.known, s.ahead = true, time.Until(date)
	}
}

// earliest returns the earliest creation time, by the server's clock, of an object that a call
// created which started at started.
func (s *serverClock) earliest(started time.Time) time.Time {
	return started.Add(s.ahead - clockTolerance).Truncate(time.Second)
}

// check refuses to look for what operation cannot have created.
func (e *UnknownOutcomeError) check(operation string) error {
	switch {
	case e == nil || e.Operation != operation || e.Name == "":
		return argumentError("the error is not from this service's Create")
	case e.StartedAt.IsZero():
		return argumentError("the error has no StartedAt")
	}
	return nil
}

// findCreated returns those of the listed items that the create behind unknown may have created,
// newest first. list is called with a context that observes the server's clock. findCreated returns
// an error if it cannot exclude that an item with another name or an earlier time is the one.
func findCreated[T any](ctx context.Context, unknown *UnknownOutcomeError, list func(context.Context) iter.Seq2[T, error],
	describe func(*T) (id, name string, createdAt UnixTime),
) ([]T, error) {
	var clock serverClock
	var candidates []T
	for item, err := range list(withOptions(ctx, func(o *callOptions) { o.clock = &clock })) {
		if err != nil {
			return nil, err
		}
		if _, name, _ := describe(&item); name == unknown.Name || mayBeChangedName(unknown.Name, name) {
			candidates = append(candidates, item)
		}
	}
	earliest := clock.earliest(unknown.StartedAt)
	var found []T
	var doubt string
	for _, item := range candidates {
		id, name, createdAt := describe(&item)
		switch later := !createdAt.Time().Before(earliest); {
		case later && name == unknown.Name:
			found = append(found, item)
		case later:
			doubt = redact(id) + " is the one: the server may have changed its name"
		case !clock.known && doubt == "":
			doubt = "one of that name is the one: the responses have no Date"
		}
	}
	if len(found) == 0 && doubt != "" {
		return nil, errors.New("orgkeys: it cannot be known whether " + doubt)
	}
	slices.SortStableFunc(found, func(a, b T) int {
		_, _, first := describe(&a)
		_, _, second := describe(&b)
		return cmp.Compare(second, first)
	})
	return found, nil
}

// mayBeChangedName reports whether a server could have made name out of requested. Names with other
// than ASCII letters, digits and simple punctuation may become any other, since there are many ways
// to normalize and to escape them. Any name may be dropped, get a number in parentheses, change its
// case or its punctuation, or be cut.
func mayBeChangedName(requested, name string) bool {
	const shortestCut = 20 // no server cuts a name to less
	isSpecial := func(r rune) bool { return r >= utf8.RuneSelf || strings.ContainsRune(`<>&"'%\`, r) }
	a, b := lettersOf(requested), lettersOf(name)
	return name == "" || strings.ContainsFunc(requested, isSpecial) || strings.HasPrefix(name, requested+" (") ||
		a == b || len(b) >= shortestCut && strings.HasPrefix(a, b)
}
