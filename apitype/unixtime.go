package apitype

import (
	"errors"
	"strconv"
	"time"
)

// UnixTime is a moment as the API writes it: whole seconds since 1970-01-01 UTC. In JSON it
// is that plain integer. The zero value is 1970 itself, never "unknown": where a time can be
// absent, the field is a *UnixTime.
type UnixTime int64

// maxUnixTime is the last second that RFC 3339 can write. Beyond it lie mistakes, such as
// milliseconds taken for seconds.
const maxUnixTime = 253402300799

// errNotUnixTime quotes nothing, since it ends up in logs.
var errNotUnixTime = errors.New("not a Unix time in whole seconds, from 1970 to the year 9999")

// Time returns the moment in UTC.
func (t UnixTime) Time() time.Time { return time.Unix(int64(t), 0).UTC() }

// String returns the moment in UTC as RFC 3339, such as "2024-03-26T16:45:33Z".
func (t UnixTime) String() string { return t.Time().Format(time.RFC3339) }

// UnmarshalJSON accepts an integer from 1970 to the year 9999 and nothing else: no string, no
// fraction, no exponent, no null.
func (t *UnixTime) UnmarshalJSON(b []byte) error {
	seconds, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || seconds < 0 || seconds > maxUnixTime {
		return errNotUnixTime
	}
	*t = UnixTime(seconds)
	return nil
}
