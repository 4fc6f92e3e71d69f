package orgkeys

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Retry says how often a call is tried and how long it waits in between. The zero value of a
// field stands for its default.
//
// What is tried again depends on what the attempt may have done. Reads and revokes are tried
// again after a transport error, an attempt's timeout, an answer cut short, and the statuses
// 408, 429, 500, 502, 503 and 504. A create is tried again after a 429 and after a failure to
// connect, and after nothing else: whatever the server may have acted on ends it with an
// [*UnknownOutcomeError]. An untrusted certificate ends every call.
//
// A server's Retry-After or retry-after-ms header sets the wait; one that asks for more than
// MaxWait ends the call with its error. "x-should-retry: false" ends it too.
type Retry struct {
	// MaxAttempts is how many requests a call sends at most, the first included. Default 4;
	// 1 never tries again.
	MaxAttempts int
	// MinWait is the longest first wait. Each wait is picked at random between nothing and a
	// bound, and the bound doubles from MinWait. Default 500 ms, or MaxWait if that is
	// shorter.
	MinWait time.Duration
	// MaxWait bounds every wait. Default 90 s.
	MaxWait time.Duration
	// RateLimitWait is the first wait after a 429 that does not say how long; the second is
	// twice, the third three times as long, each shortened at random by up to a half. Default
	// 20 s: the API's window is about a minute, and three waits outlast it.
	RateLimitWait time.Duration
}

var defaultRetry = Retry{
	MaxAttempts:   4,
	MinWait:       500 * time.Millisecond,
	MaxWait:       90 * time.Second,
	RateLimitWait: 20 * time.Second,
}

func (r Retry) withDefaults() (Retry, error) {
	if r.MaxAttempts < 0 || r.MinWait < 0 || r.MaxWait < 0 || r.RateLimitWait < 0 {
		return r, errors.New("retry: a field is negative")
	}
	or := func(field *time.Duration, fallback time.Duration) {
		if *field == 0 {
			*field = fallback
		}
	}
	if r.MaxAttempts == 0 {
		r.MaxAttempts = defaultRetry.MaxAttempts
	}
	or(&r.MaxWait, defaultRetry.MaxWait)
	or(&r.MinWait, min(defaultRetry.MinWait, r.MaxWait))
	or(&r.RateLimitWait, defaultRetry.RateLimitWait)
	if r.MinWait > r.MaxWait {
		return r, fmt.Errorf("retry: MinWait %v is longer than MaxWait %v", r.MinWait, r.MaxWait)
	}
	return r, nil
}

// next reports whether the call goes on after attempt a, and after how long.
func (r Retry) next(c *call, a *attempt) (wait time.Duration, again bool) {
	if c.attempts >= r.MaxAttempts || c.request.Context().Err() != nil || !retryable(c.request.Method, a) {
		return 0, false
	}
	if a.response != nil {
		header := a.response.Header
		if header.Get("X-Should-Retry") == "false" {
			return 0, false
		}
		if wait, ok := retryAfter(header, time.Now()); ok {
			if wait > r.MaxWait {
				return 0, false
			}
			return wait, true
		}
		if a.status() == http.StatusTooManyRequests {
			bound := r.MaxWait
			if n := time.Duration(c.attempts); r.RateLimitWait < bound/n {
				bound = r.RateLimitWait * n
			}
			return bound/2 + jitter(bound/2), true
		}
	}
	bound := r.MinWait
	for i := 1; i < c.attempts && bound < r.MaxWait; i++ {
		bound += min(bound, r.MaxWait-bound)
	}
	return jitter(bound), true
}

func jitter(bound time.Duration) time.Duration { return rand.N(max(bound, 1)) }

// retryable holds the rule of which attempts may be followed by another.
func retryable(method string, a *attempt) bool {
	err := a.failure()
	switch {
	case isFinal(err):
		return false
	case method == http.MethodPost && err != nil:
		return a.unsent
	case method == http.MethodPost:
		return a.status() == http.StatusTooManyRequests
	case err != nil || a.body.err != nil && !isFinal(a.body.err):
		return true
	}
	switch a.status() {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func isFinal(err error) bool {
	if _, ok := errors.AsType[final](err); ok {
		return true
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return untrusted || errors.Is(err, errBodyTooLarge)
}

// retryAfter reads how long the server asks to wait: milliseconds win over seconds or a date.
// What is malformed or negative is no answer.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	if wait, ok := parseWait(header.Get("Retry-After-Ms"), time.Millisecond); ok {
		return wait, true
	}
	value := header.Get("Retry-After")
	if wait, ok := parseWait(value, time.Second); ok || value == "" {
		return wait, ok
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}

// parseWait reads a number of units, the longest wait there is where it is more than that.
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
