package apitype

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// UnixTime is a time as the API represents it: whole seconds since 1970-01-01 UTC. In JSON it
// is an integer. The zero value is 1970 itself, never "unknown": a time that can be null or
// absent is an [OptionalTime].
type UnixTime int64

// maxUnixTime is the last second that RFC 3339 can represent. Larger values are mistakes, such
// as milliseconds in place of seconds.
const maxUnixTime = 253402300799

// errNotUnixTime does not quote the value, since the error is logged.
var errNotUnixTime = errors.New("not a Unix time in whole seconds, from 1970 to the year 9999")

// Time returns t as a time.Time in UTC.
func (t UnixTime) Time() time.Time { return time.Unix(int64(t), 0).UTC() }

// String returns t in UTC as RFC 3339, such as "2024-03-26T16:45:33Z".
func (t UnixTime) String() string { return t.Time().Format(time.RFC3339) }

// MarshalJSON encodes t as an integer.
func (t UnixTime) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, int64(t), 10), nil }

// UnmarshalJSON decodes an integer from 0 to 253402300799, the last second of the year 9999. As
// in JSON Schema, 1711471533.0 and 1.711471533e9 are integers too. Strings, fractions and null
// are errors.
func (t *UnixTime) UnmarshalJSON(b []byte) error {
	seconds, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		seconds, err = parseIntegral(b)
	}
	if err != nil || seconds < 0 || seconds > maxUnixTime {
		return errNotUnixTime
	}
	*t = UnixTime(seconds)
	return nil
}

// parseIntegral parses a JSON number with a fraction or an exponent that is an integer
// nevertheless.
func parseIntegral(b []byte) (int64, error) {
	if strings.Trim(string(b), "0123456789.eE+-") != "" || len(b) == 0 || b[0] == '+' || b[0] == '.' {
		return 0, errNotUnixTime // strconv accepts more than JSON does, such as "Inf" and "0x1p4"
	}
	value, err := strconv.ParseFloat(string(b), 64)
	if err != nil || value < 0 || value > maxUnixTime || value != float64(int64(value)) {
		return 0, errNotUnixTime
	}
	return int64(value), nil
}
