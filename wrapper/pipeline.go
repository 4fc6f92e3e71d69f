package orgkeys

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// pipeline sends requests. Every call of the client passes through its do method, which is the
// whole of it: accept the request, wait for its turn, authenticate, attempt, decide whether to
// retry.
type pipeline struct {
	base *url.URL
	// transport is kept in a closure, so that printers that use reflection do not reach the
	// requests in the buffers of net/http's own.
	transport      func() http.RoundTripper
	credential     func(context.Context) (credential, error)
	userAgent      []string
	attemptTimeout time.Duration
	retry          Retry
	gates          map[string]*gate // by operationId
	logger         *slog.Logger
	maxBody        int64
}

func newPipeline(c config, base *url.URL) *pipeline {
	if c.http.Timeout > 0 {
		c.attemptTimeout = min(c.attemptTimeout, c.http.Timeout)
	}
	return &pipeline{
		base:           base,
		transport:      func() http.RoundTripper { return c.http.Transport },
		credential:     c.credential,
		userAgent:      []string{c.userAgent},
		attemptTimeout: c.attemptTimeout,
		retry:          c.retry,
		gates:          newGates(gen.Operations(), c),
		logger:         c.logger,
		maxBody:        c.maxBody,
	}
}

// do sends request until the retry policy ends the call, and returns the record of it. The
// caller releases the record. err is why the request cannot be sent, or nil.
func (p *pipeline) do(request gen.Request, err error) *call {
	if request.Request == nil { // it was not built
		request = gen.Request{Request: new(http.Request), Operation: new(gen.Operation)}
	}
	c := &call{
		operation: request.Operation,
		request:   request.Request,
		options:   optionsOf(request.Context()),
		started:   time.Now(),
	}
	c.attempts = c.first[:0]
	if err == nil {
		err = c.accept()
	}
	if err != nil {
		c.stop(err)
	} else {
		p.run(c)
	}
	c.finish()
	return c
}

// run makes attempts until the call ends.
func (p *pipeline) run(c *call) {
	for {
		if err := p.attempt(c); err != nil {
			c.stop(err)
			return
		}
		wait, again := p.retry.next(c)
		p.log(c, wait, again)
		if !again {
			return
		}
		failure := c.failure()
		c.release()
		c.err = failure
		if err := c.sleep(wait); err != nil {
			c.stop(fmt.Errorf("%w while waiting to retry", err))
			return
		}
	}
}

// attempt waits for the call's turn and makes an attempt. It returns an error if it makes none.
func (p *pipeline) attempt(c *call) error {
	ctx := c.request.Context()
	gate := p.gates[c.operation.ID]
	if err := gate.enter(ctx, &c.turn); err != nil {
		return err
	}
	verdict, hint := unsent, noHint
	defer func() { // also if the key source or the transport panics
		if counts := gate.leave(&c.turn, verdict, hint); verdict == limited && !counts {
			c.uncounted++
		}
	}()
	credential, err := p.credential(ctx)
	if err != nil {
		return err
	}
	c.redactor = credential.redactor
	if err := ctx.Err(); err != nil {
		return err
	}
	if credential.isIn(c.operation, c.request.URL, c.content) {
		return argumentError("the request contains the admin key in its path, query or body")
	}
	verdict = silent
	p.roundTrip(c, credential)
	a := c.last()
	verdict, hint = a.verdict(), rateLimitHint(a.status, a.header, a.ended)
	return nil
}

// stop ends the call before its next attempt. The failure of the last attempt stays part of the
// error.
func (c *call) stop(err error) {
	if c.err != nil {
		err = fmt.Errorf("%w; the last attempt: %w", err, c.err)
	}
	c.err, c.stopped = err, true
}

// accept adds the header fields of the context, and reads the body, so that it can be sent again.
func (c *call) accept() error {
	if c.options != nil {
		if err := addHeader(c.request.Header, c.options.header); err != nil {
			return err
		}
	}
	if c.request.Body == nil || c.request.Body == http.NoBody {
		return nil
	}
	defer func() { _ = c.request.Body.Close() }()
	var content bytes.Buffer
	_, err := io.Copy(&content, c.request.Body) // in one step, where the body is a bytes.Reader
	c.content = content.Bytes()
	return err
}

// sleep waits, and returns at once if the context of the call is done.
func (c *call) sleep(wait time.Duration) error {
	started := time.Now()
	defer func() { c.slept += time.Since(started) }()
	ctx := c.request.Context()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}
