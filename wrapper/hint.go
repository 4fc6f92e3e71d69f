package orgkeys

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const noHint time.Duration = -1

// first returns the first value of a field, like header.Get, which puts name into the canonical
// form first. The caller of first has done that.
func first(header http.Header, name string) string {
	if values := header[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// rateLimitHint returns how long a response asks the next requests of its operation to wait, or
// noHint. On a 429 that is Retry-After-Ms or Retry-After. Otherwise it is taken from the
// x-ratelimit-*-requests headers of the vendor's other APIs, on a successful response only if no
// request remains.
func rateLimitHint(status int, header http.Header, now time.Time) time.Duration {
	refused := status == http.StatusTooManyRequests
	if refused {
		if wait, ok := retryAfter(header, now); ok {
			return wait
		}
	}
	if remaining := first(header, "X-Ratelimit-Remaining-Requests"); remaining != "0" && !(refused && remaining == "") {
		return noHint
	}
	// The time until the whole limit is available again. One request is, after its share of that
	// time; if the server counts in fixed windows and refuses it, the gate backs off.
	reset, ok := parseReset(first(header, "X-Ratelimit-Reset-Requests"))
	if !ok {
		return noHint
	}
	if limit, err := strconv.ParseUint(first(header, "X-Ratelimit-Limit-Requests"), 10, 31); err == nil && limit > 0 {
		reset /= time.Duration(limit)
	}
	return min(reset, window)
}

// parseReset reads a duration such as "6m0s" or "20ms", or a number of seconds.
func parseReset(value string) (time.Duration, bool) {
	if wait, ok := parseWait(value, time.Second); ok {
		return wait, true
	}
	wait, err := time.ParseDuration(value)
	return wait, err == nil && wait >= 0
}

// retryAfter reads how long the server asks to wait. Milliseconds take precedence over seconds
// or a date. Malformed and negative values are ignored.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	if wait, ok := parseWait(first(header, "Retry-After-Ms"), time.Millisecond); ok {
		return wait, true
	}
	value := first(header, "Retry-After")
	if wait, ok := parseWait(value, time.Second); ok || value == "" {
		return wait, ok
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}

// parseWait reads a number of units. A number that is too large becomes the longest duration.
func parseWait(value string, unit time.Duration) (time.Duration, bool) {
	if value == "" || strings.Trim(value, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || !(n >= 0) {
		return 0, false
	}
	const longest = time.Duration(1<<63 - 1)
	if n >= float64(longest/unit) {
		return longest, true
	}
	return time.Duration(n * float64(unit)), true
}
