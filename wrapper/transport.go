package orgkeys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// transport is the way of every call, from a request that gen has built to an answer that has
// been read: pace, authenticate, attempt, decide whether to try again. It is the Doer of the
// generated client.
type transport struct {
	base           *url.URL
	operations     []gen.Operation
	send           func(*http.Request) (*http.Response, error)
	credential     func(context.Context) (credential, error)
	userAgent      []string
	attemptTimeout time.Duration
	retry          Retry
	pacer          pacer
	logger         *slog.Logger
	maxBody        int64
}

func newTransport(c config, base *url.URL) *transport {
	operations := gen.Operations()
	if c.http.Timeout > 0 {
		c.attemptTimeout = min(c.attemptTimeout, c.http.Timeout)
	}
	return &transport{
		base:           base,
		operations:     operations,
		send:           sender(c.http.Transport),
		credential:     c.credential,
		userAgent:      []string{c.userAgent},
		attemptTimeout: c.attemptTimeout,
		retry:          c.retry,
		pacer:          newPacer(operations, c.perMinute),
		logger:         c.logger,
		maxBody:        c.maxBody,
	}
}

// sender keeps a round tripper in a closure, so that what prints a client by reflection does
// not walk into it: net/http's own has the last request, header and all, in its buffers.
func sender(rt http.RoundTripper) func(*http.Request) (*http.Response, error) {
	return func(request *http.Request) (*http.Response, error) {
		if rt == nil {
			return http.DefaultTransport.RoundTrip(request)
		}
		return rt.RoundTrip(request)
	}
}

// call is what the attempts of one call share.
type call struct {
	operation string
	request   *http.Request
	attempts  int
	acted     bool   // an earlier attempt may have done the work
	key       Secret // what the last attempt was signed with
}

// Do sends request until the retry policy says that it is enough. The answer's body has been
// read whole, or says why it could not be.
func (t *transport) Do(request *http.Request) (*http.Response, error) {
	operation, err := t.operation(request)
	if err != nil {
		return nil, err
	}
	if err := bufferBody(request); err != nil {
		return nil, err
	}
	c := &call{operation: operation, request: request}
	for {
		c.attempts++
		a := t.attempt(c)
		wait, again := t.retry.next(c, a)
		t.log(c, a, wait, again)
		if !again {
			return a.outcome(c)
		}
		c.acted = c.acted || a.mayHaveActed(request.Method)
		if err := sleep(request.Context(), wait); err != nil {
			return nil, interrupted(c, a, err)
		}
		a.close()
	}
}

// operation finds the operation that request is for, and refuses what is none of the
// contract's, as when an id such as ".." makes it another path, or goes to another origin.
func (t *transport) operation(request *http.Request) (string, error) {
	if request.URL.Scheme != t.base.Scheme || request.URL.Host != t.base.Host {
		return "", errors.New("orgkeys: the request was sent to another origin than the base URL's: refused, since it carries the admin key")
	}
	if path, ok := strings.CutPrefix(request.URL.EscapedPath(), t.base.Path); ok {
		for i := range t.operations {
			if o := &t.operations[i]; o.Method == request.Method && matches(o.Path, path) {
				return o.ID, nil
			}
		}
	}
	return "", errors.New("orgkeys: the request is for no operation of the contract: refused")
}

// matches compares a path with a template segment by segment. A segment in braces stands for
// any text but none.
func matches(template, path string) bool {
	for {
		want, templateRest, more := strings.Cut(template, "/")
		got, pathRest, moreToo := strings.Cut(path, "/")
		if more != moreToo || want != got && (got == "" || got == "." || got == ".." || !strings.HasPrefix(want, "{")) {
			return false
		}
		if !more {
			return true
		}
		template, path = templateRest, pathRest
	}
}

// bufferBody makes the body of request repeatable.
func bufferBody(request *http.Request) error {
	if request.Body == nil || request.GetBody != nil {
		return nil
	}
	content, err := io.ReadAll(request.Body)
	if err != nil {
		return fmt.Errorf("orgkeys: the request's body: %w", err)
	}
	_ = request.Body.Close()
	request.Body = io.NopCloser(bytes.NewReader(content))
	request.ContentLength = int64(len(content))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return nil
}

// sleep waits, and not at all once ctx is done.
func sleep(ctx context.Context, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
