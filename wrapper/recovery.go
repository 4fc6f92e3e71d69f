package orgkeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
)

// clockTolerance is how far the creation time of an object may be before the start of the call,
// after the difference between the clocks that the server's Date shows.
const clockTolerance = 5 * time.Minute

// serverClock is how far the server's clock is ahead of this machine's.
type serverClock struct {
	known bool
	ahead time.Duration
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
		return argumentError("the error does not say when the call started")
	}
	return nil
}

// findCreated returns those of the listed items that the create behind unknown may have created,
// newest first. list is called with a context that observes the server's clock. It fails if it
// cannot exclude that an item with another name or an earlier time is the one.
func findCreated[T any](ctx context.Context, unknown *UnknownOutcomeError, list func(context.Context) iter.Seq2[T, error],
	describe func(*T) (id, name string, createdAt UnixTime),
) ([]T, error) {
	var clock serverClock
	var named, others []T
	for item, err := range list(withOptions(ctx, func(o *callOptions) { o.clock = &clock })) {
		if err != nil {
			return nil, err
		}
		switch _, name, _ := describe(&item); {
		case name == unknown.Name:
			named = append(named, item)
		case mayBeChangedName(unknown.Name, name):
			others = append(others, item)
		}
	}
	earliest := clock.earliest(unknown.StartedAt)
	isLater := func(item T) bool {
		_, _, createdAt := describe(&item)
		return !createdAt.Time().Before(earliest)
	}
	var found []T
	for _, item := range named {
		if isLater(item) {
			found = append(found, item)
		}
	}
	if len(found) == 0 {
		if i := slices.IndexFunc(others, isLater); i >= 0 {
			id, _, _ := describe(&others[i])
			return nil, fmt.Errorf("orgkeys: it cannot be known whether %s is the one: its name resembles the requested one, which the server may have changed", redact(id))
		}
		if len(named) > 0 && !clock.known {
			return nil, errors.New("orgkeys: it cannot be known whether one of that name is the one: the server does not tell its time")
		}
	}
	slices.SortStableFunc(found, func(a, b T) int {
		_, _, first := describe(&a)
		_, _, second := describe(&b)
		return cmp.Compare(second, first)
	})
	return found, nil
}

// mayBeChangedName reports whether a server could have made name out of requested: by cutting
// it, or by changing its case, its white space, its punctuation or its encoding.
func mayBeChangedName(requested, name string) bool {
	skeleton := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < 0x80 && isAlphanumeric(byte(r)) {
				return r | 0x20
			}
			return -1
		}, s)
	}
	const shortestCut = 20 // no server cuts a name to less
	a, b := skeleton(requested), skeleton(name)
	return a == b || len(b) >= shortestCut && strings.HasPrefix(a, b)
}
