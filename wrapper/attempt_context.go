package orgkeys

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// attemptContext is the context of one attempt. It ends with the context of the call or at a
// deadline, and closes the response body then: unlike the body of net/http's transport, that of
// another one may not notice that the context has ended. One timer does both, where
// context.WithTimeout and context.AfterFunc would need two contexts more for every call.
type attemptContext struct {
	context.Context
	cancel   context.CancelFunc
	deadline time.Time
	timer    *time.Timer
	unwatch  func() bool // stops watching the context of the call, if that is watched
	expired  atomic.Bool
	response atomic.Pointer[http.Response]
}

// begin starts the attempt, at start. native is whether the transport is net/http's.
func (a *attemptContext) begin(ctx context.Context, start time.Time, timeout time.Duration, native bool) {
	a.Context, a.cancel = context.WithCancel(ctx)
	a.deadline = start.Add(timeout)
	if at, ok := ctx.Deadline(); ok && at.Before(a.deadline) {
		a.deadline = at
	}
	expire := a.expire
	a.timer = time.AfterFunc(timeout, expire)
	if !native && ctx.Done() != nil {
		a.unwatch = context.AfterFunc(ctx, expire)
	}
}

// end releases the timer and the context.
func (a *attemptContext) end() {
	a.timer.Stop()
	if a.unwatch != nil {
		a.unwatch()
	}
	a.cancel()
}

// Deadline implements context.Context.
func (a *attemptContext) Deadline() (time.Time, bool) { return a.deadline, true }

func (a *attemptContext) expire() {
	a.cancel()
	a.expired.Store(true)
	if response := a.response.Load(); response != nil {
		_ = response.Body.Close()
	}
}

// closeAtEnd makes the end of the context close the body of response.
func (a *attemptContext) closeAtEnd(response *http.Response) {
	a.response.Store(response)
	if a.expired.Load() {
		_ = response.Body.Close()
	}
}
