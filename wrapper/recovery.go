package orgkeys

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"time"
	"unicode"
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
			doubt = redact(id) + " is the one: its name resembles the requested one, which the server may have changed"
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

// mayBeChangedName reports whether a server could have made name out of requested: by cutting
// it, by changing its case, its punctuation or its normal form, or by losing what is not ASCII.
func mayBeChangedName(requested, name string) bool {
	a, b := letters(requested), letters(name)
	if resembles(a, b) {
		return true
	}
	a = slices.DeleteFunc(a, func(r rune) bool { return r >= utf8.RuneSelf })
	b = slices.DeleteFunc(b, func(r rune) bool { return r == anyLetter })
	return resembles(a, b)
}

// resembles reports whether name is requested, or the start of it.
func resembles(requested, name []rune) bool {
	const shortestCut = 20 // no server cuts a name to less
	if len(name) > len(requested) || len(name) < min(len(requested), shortestCut) {
		return false
	}
	for i, r := range name {
		if r != requested[i] && r != anyLetter && requested[i] != anyLetter {
			return false
		}
	}
	return true
}

// anyLetter stands for a letter that servers write in several ways.
const anyLetter = utf8.RuneError

// letters returns the letters, digits and symbols of a name in lower case. Those with accents and
// the like become anyLetter, since a server may decompose them or remove the accent.
func letters(name string) []rune {
	var found []rune
	for _, r := range name {
		isVowel := r >= 0x1160 && r <= 0x11ff // or final consonant of a Hangul syllable in several characters
		switch {
		case r == utf8.RuneError:
		case (unicode.IsMark(r) || isVowel) && len(found) > 0:
			found[len(found)-1] = anyLetter
		case r >= utf8.RuneSelf && unicode.Is(unicode.Latin, r):
			found = append(found, anyLetter)
		case unicode.In(r, unicode.Letter, unicode.Number) || r > unicode.MaxLatin1 && unicode.Is(unicode.So, r):
			found = append(found, unicode.ToLower(r))
		}
	}
	return found
}
