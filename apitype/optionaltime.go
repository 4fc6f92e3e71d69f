package apitype

import (
	"bytes"
	"time"
)

// OptionalTime is a time that a response may contain, contain as null, or leave out. The three
// differ in meaning: if the expiration of a key is null, the key never expires; if it is absent,
// the server did not report it. The zero value is absent.
//
// OptionalTime is a value and not a *UnixTime, so that null and absent are distinct and reading it
// cannot dereference nil. Two values are equal by == if they contain the same second, are both
// null, or are both absent.
type OptionalTime struct {
	presence presence
	at       UnixTime
}

type presence uint8

const (
	absent presence = iota
	null
	present
)

// TimeAt returns an OptionalTime that contains t, cut to whole seconds.
func TimeAt(t time.Time) OptionalTime { return OptionalTime{present, UnixTime(t.Unix())} }

// NullTime returns an OptionalTime that is null.
func NullTime() OptionalTime { return OptionalTime{presence: null} }

// Time returns the time in UTC, and whether there is one. It returns the zero time and false if
// t is null or absent.
func (t OptionalTime) Time() (at time.Time, ok bool) {
	if t.presence != present {
		return time.Time{}, false
	}
	return t.at.Time(), true
}

// IsNull reports whether the response contained null.
func (t OptionalTime) IsNull() bool { return t.presence == null }

// IsAbsent reports whether the response did not contain the time at all.
func (t OptionalTime) IsAbsent() bool { return t.presence == absent }

// IsZero reports whether t is absent. It makes encoding/json leave out a field that is tagged
// omitzero.
func (t OptionalTime) IsZero() bool { return t.IsAbsent() }

// String returns the time in UTC as RFC 3339, "null" or "absent".
func (t OptionalTime) String() string {
	switch t.presence {
	case present:
		return t.at.String()
	case null:
		return "null"
	}
	return "absent"
}

// MarshalJSON encodes the time as an integer, and null and absent as null. A field that is
// tagged omitzero is left out if it is absent.
func (t OptionalTime) MarshalJSON() ([]byte, error) {
	if t.presence != present {
		return []byte("null"), nil
	}
	return t.at.MarshalJSON()
}

// UnmarshalJSON decodes null or what [UnixTime.UnmarshalJSON] decodes.
func (t *OptionalTime) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*t = NullTime()
		return nil
	}
	var at UnixTime
	if err := at.UnmarshalJSON(b); err != nil {
		return err
	}
	*t = OptionalTime{present, at}
	return nil
}
