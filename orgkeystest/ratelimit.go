package orgkeystest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// RateLimit limits the requests to each operation. The zero RateLimit is no limit.
//
// A request beyond the limit gets a 429 and is not counted. Requests whose operation a fault
// prevents, and requests without a valid admin key, are not counted either.
type RateLimit struct {
	// PerMinute is the number of requests a minute that are accepted; 0 means any number.
	PerMinute int
	// Algorithm is how requests are counted; the zero value is [TokenBucket].
	Algorithm RateLimitAlgorithm

	// RetryAfter adds a Retry-After header to each 429: whole seconds, rounded up, until the
	// next request is accepted.
	RetryAfter bool
	// RetryAfterMS adds a retry-after-ms header to each 429: the same in milliseconds.
	RetryAfterMS bool
	// Headers adds x-ratelimit-limit-requests, x-ratelimit-remaining-requests and
	// x-ratelimit-reset-requests to each response to a request with a valid admin key. The
	// last one is the time until the whole limit is available again, such as "7.5s".
	Headers bool
}

// RateLimitAlgorithm is a way to count requests.
type RateLimitAlgorithm int

const (
	// TokenBucket is a bucket of PerMinute tokens, which is refilled evenly within a minute. Each
	// accepted request takes a token.
	TokenBucket RateLimitAlgorithm = iota
	// SlidingWindow accepts a request if fewer than PerMinute were accepted in the 60 seconds
	// before it.
	SlidingWindow
	// FixedWindow accepts PerMinute requests in each minute of the clock.
	FixedWindow
)

// rateWindow is the period to which RateLimit.PerMinute applies.
const rateWindow = time.Minute

// SetRateLimit sets the limit of every operation, from the next request on. Requests that were
// accepted before count against the new limit unless its algorithm is another one. It panics if
// limit has a negative number of requests or an unknown algorithm.
func (s *Server) SetRateLimit(limit RateLimit) {
	if limit.PerMinute < 0 || limit.Algorithm < TokenBucket || limit.Algorithm > FixedWindow {
		panic(fmt.Sprintf("orgkeystest: SetRateLimit: invalid limit %+v", limit))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit.Algorithm != s.rateLimit.Algorithm {
		clear(s.usage)
	}
	for _, u := range s.usage {
		u.adapt(limit, time.Now())
	}
	s.rateLimit = limit
}

// limit counts the request against the rate limit of its operation. It returns the 429 for a
// request beyond the limit, and the headers for any response to the request. The caller holds the
// server's lock.
func (s *Server) limit(operation string) (refused *jsonResponse, header http.Header) {
	limit := s.rateLimit
	if limit.PerMinute == 0 {
		return nil, nil
	}
	u := cmp.Or(s.usage[operation], new(usage))
	s.usage[operation] = u
	d := u.take(limit, time.Now())
	if !d.accepted {
		r := apiError(http.StatusTooManyRequests, "", "Rate limit reached: %d requests per minute.", limit.PerMinute)
		refused = &r
	}
	return refused, limit.header(d)
}

// usage is what one operation has used of a limit.
type usage struct {
	bucket   *rate.Limiter // TokenBucket
	accepted []time.Time   // SlidingWindow: when, in order
	window   time.Time     // FixedWindow: when the current one began
	count    int           // FixedWindow: the requests accepted in it
}

// adapt applies a changed limit to a bucket. The windows do not depend on the limit.
func (u *usage) adapt(limit RateLimit, now time.Time) {
	if u.bucket != nil && limit.PerMinute > 0 {
		u.bucket.SetLimitAt(now, limit.perSecond())
		u.bucket.SetBurstAt(now, limit.PerMinute)
	}
}

func (l RateLimit) perSecond() rate.Limit {
	return rate.Limit(float64(l.PerMinute) / rateWindow.Seconds())
}

// decision is the result of counting a request against a limit.
type decision struct {
	accepted  bool
	remaining int           // requests that would be accepted now
	wait      time.Duration // until the next request is accepted; 0 if requests remain
	reset     time.Duration // until the whole limit is available
}

// take counts a request that arrives now. The limit is not zero.
func (u *usage) take(limit RateLimit, now time.Time) (d decision) {
	n := limit.PerMinute
	switch limit.Algorithm {
	case SlidingWindow:
		u.accepted = slices.DeleteFunc(u.accepted, func(at time.Time) bool { return !at.After(now.Add(-rateWindow)) })
		if d.accepted = len(u.accepted) < n; d.accepted {
			u.accepted = append(u.accepted, now)
		}
		d.reset = u.accepted[len(u.accepted)-1].Add(rateWindow).Sub(now)
		if d.remaining = max(0, n-len(u.accepted)); d.remaining == 0 {
			d.wait = u.accepted[len(u.accepted)-n].Add(rateWindow).Sub(now)
		}
	case FixedWindow:
		if begin := now.Truncate(rateWindow); !begin.Equal(u.window) {
			u.window, u.count = begin, 0
		}
		if d.accepted = u.count < n; d.accepted {
			u.count++
		}
		d.reset = u.window.Add(rateWindow).Sub(now)
		if d.remaining = max(0, n-u.count); d.remaining == 0 {
			d.wait = d.reset
		}
	default:
		if u.bucket == nil {
			u.bucket = rate.NewLimiter(limit.perSecond(), n)
		}
		d.accepted = u.bucket.AllowN(now, 1)
		tokens := u.bucket.TokensAt(now)
		after := func(wanted float64) time.Duration {
			return time.Duration((wanted - tokens) / float64(limit.perSecond()) * float64(time.Second))
		}
		d.reset = after(float64(n))
		if d.remaining = max(0, int(tokens)); d.remaining == 0 {
			d.wait = after(1)
		}
	}
	return d
}

// header returns the rate-limit headers of the response.
func (l RateLimit) header(d decision) http.Header {
	h := make(http.Header)
	if l.Headers {
		h.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(l.PerMinute))
		h.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(d.remaining))
		h.Set("X-Ratelimit-Reset-Requests", roundUp(d.reset, time.Millisecond).String())
	}
	if !d.accepted && l.RetryAfter {
		h.Set("Retry-After", strconv.FormatInt(int64(roundUp(d.wait, time.Second)/time.Second), 10))
	}
	if !d.accepted && l.RetryAfterMS {
		h.Set("Retry-After-Ms", strconv.FormatInt(int64(roundUp(d.wait, time.Millisecond)/time.Millisecond), 10))
	}
	return h
}

func roundUp(d, unit time.Duration) time.Duration {
	return (d + unit - 1).Truncate(unit)
}
