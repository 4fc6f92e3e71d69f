package orgkeys

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// Retry configures how often a call is attempted and how long it waits in between. The zero
// value of a field stands for its default.
//
// Reads, deletes and updates are retried after a transport error, an attempt's timeout, an
// incomplete body, and the statuses 408, 429, 500, 502, 503 and 504. A create is retried after a
// 429, and if nothing was sent, for example because the connection was refused. Whatever else
// the server may have acted on ends it with an [*UnknownOutcomeError]. An untrusted certificate
// and a proxy that refuses to connect end every call.
//
// Waits are exponential backoff with full jitter. A Retry-After or retry-after-ms header takes
// precedence; one that is longer than MaxWait ends the call. "x-should-retry: false" ends it too.
// After a 429 the call waits for its turn instead, and the 429 may not count as an attempt: see
// Rate limits in the package comment.
type Retry struct {
	// MaxAttempts is the maximum number of requests of a call, apart from those refused with a 429
	// that does not count. Default 4; 1 never retries.
	MaxAttempts int
	// BaseDelay is the upper bound of the first backoff. The bound doubles with each retry.
	// Default 500 ms, or MaxWait if that is shorter.
	BaseDelay time.Duration
	// MaxWait is the upper bound of the wait between two attempts, and of the wait that a server may
	// ask for. A call may wait longer for its turn at a rate limit. Default 90 s.
	MaxWait time.Duration
}

var defaultRetry = Retry{
	MaxAttempts: 4,
	BaseDelay:   500 * time.Millisecond,
	MaxWait:     90 * time.Second,
}

func (r Retry) withDefaults() (Retry, error) {
	if r.MaxAttempts < 0 || r.BaseDelay < 0 || r.MaxWait < 0 {
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
	or(&r.BaseDelay, min(defaultRetry.BaseDelay, r.MaxWait))
	if r.BaseDelay > r.MaxWait {
		return r, fmt.Errorf("retry: BaseDelay %v is longer than MaxWait %v", r.BaseDelay, r.MaxWait)
	}
	return r, nil
}

// next returns whether the call is retried after its last attempt, and after how long.
func (r Retry) next(c *call) (wait time.Duration, again bool) {
	a := c.last()
	if r.MaxAttempts == 1 || len(c.attempts)-c.uncounted >= r.MaxAttempts || c.request.Context().Err() != nil || !retryable(c.operation, c.attempts, c.err) {
		return 0, false
	}
	if first(a.header, "X-Should-Retry") == "false" {
		return 0, false
	}
	asked, ok := retryAfter(a.header, a.ended)
	switch {
	case ok && asked > r.MaxWait:
		return 0, false
	case a.status == http.StatusTooManyRequests:
		return 0, true // the gate knows how long to wait
	case ok:
		return asked, true
	}
	return rand.N(max(r.bound(len(c.attempts)), 1)), true
}

// bound returns the upper bound of the backoff after so many attempts: BaseDelay, doubled with
// each further attempt, MaxWait at most.
func (r Retry) bound(attempts int) time.Duration {
	bound := r.BaseDelay
	for i := 1; i < attempts && bound < r.MaxWait; i++ {
		bound += min(bound, r.MaxWait-bound)
	}
	return bound
}

// retryable reports whether another attempt may follow the last one. err is why the last one has
// no complete response, or nil.
func retryable(operation *gen.Operation, attempts []attempt, err error) bool {
	a := &attempts[len(attempts)-1]
	switch {
	case nonRetryable(err), !operation.Idempotent && judge(operation, attempts) == unknown:
		return false
	case a.outcome() == notSent || a.status == http.StatusTooManyRequests:
		return true
	case !operation.Idempotent:
		return false
	}
	switch a.status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return err != nil && !errors.Is(err, errBodyTooLarge)
}

// nonRetryable reports whether err will be the same at the next attempt.
func nonRetryable(err error) bool {
	if err == nil {
		return false
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, proxy := errors.AsType[*proxyError](err)
	return untrusted || proxy
}
