package orgkeys

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// attempt is one request and what came of it: an answer that has been read as far as it
// could be, or an error.
type attempt struct {
	response *http.Response
	body     *body
	err      error
	// unsent says that no byte of the request can have reached the server.
	unsent   bool
	duration time.Duration
}

// attemptTimeout is the error of an attempt that took too long, which unlike the end of the
// call's context is a reason to try again.
type attemptTimeout time.Duration

func (e attemptTimeout) Error() string   { return "no whole answer within " + time.Duration(e).String() }
func (e attemptTimeout) Timeout() bool   { return true }
func (e attemptTimeout) Temporary() bool { return true }

var acceptJSON = []string{"application/json"}

// attempt sends the request once and reads the answer.
func (t *transport) attempt(c *call) *attempt {
	header, content, err := t.prepare(c)
	if err != nil {
		return &attempt{err: err, unsent: true}
	}
	ctx, cancel := context.WithTimeoutCause(c.request.Context(), t.attemptTimeout, attemptTimeout(t.attemptTimeout))
	defer cancel()
	var sent *sentTrace
	if c.request.Method != http.MethodGet {
		sent = new(sentTrace)
		ctx = sent.watch(ctx)
	}
	request := c.request.WithContext(ctx)
	request.Header, request.Body = header, sent.body(content)
	// net/http can't repeat a body that it can't get again. HTTP/2 would otherwise, on errors
	// that do not rule out that the server has acted.
	request.GetBody = nil

	start := time.Now()
	response, err := t.roundTrip(request)
	a := &attempt{response: response, err: err}
	if err == nil {
		a.body = readBody(c, response, t.maxBody)
		if err = a.body.err; err != nil {
			a.body.err = hide(mask(err.Error(), c.key), err)
		}
		response.Body = a.body
		response.Request = c.request
	}
	a.duration = time.Since(start)
	a.unsent = response == nil && sent.nothing()
	if err != nil && ctx.Err() != nil {
		// Transports word it each in their own way.
		a.fail(cmp.Or(c.request.Context().Err(), context.Cause(ctx)))
	}
	return a
}

// prepare waits for its turn and returns the header, signed, and the body of one attempt. The
// request that the caller holds never shows the key.
func (t *transport) prepare(c *call) (http.Header, io.ReadCloser, error) {
	ctx := c.request.Context()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if err := t.pacer.wait(ctx, c.operation); err != nil {
		return nil, nil, final{err}
	}
	credential, err := t.credential(ctx)
	if err != nil {
		return nil, nil, final{err}
	}
	c.key = credential.key
	header := maps.Clone(c.request.Header)
	header["Authorization"] = credential.authorization
	header["User-Agent"] = t.userAgent
	header["Accept"] = acceptJSON
	// With one of these net/http sends a POST again by itself, and the API is not known to
	// honour them.
	delete(header, "Idempotency-Key")
	delete(header, "X-Idempotency-Key")

	content := c.request.Body
	if c.attempts > 1 && c.request.GetBody != nil {
		if content, err = c.request.GetBody(); err != nil {
			return nil, nil, final{err}
		}
	}
	return header, content, nil
}

// roundTrip goes to the transport itself and not through http.Client, which would follow
// redirects and send cookies.
func (t *transport) roundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.send(request)
	switch {
	case err != nil:
		if response != nil && response.Body != nil { // as middleware may have it
			_ = response.Body.Close()
		}
		return nil, err
	case response == nil:
		return nil, errNoResponse
	case response.Body == nil:
		response.Body = http.NoBody
	}
	return response, nil
}

var errNoResponse = errors.New("the transport returned neither an answer nor an error")

// sentTrace learns from the transport whether it had a connection to write on, and from the
// request's body whether anyone read it. A transport that says nothing is taken to have
// written.
type sentTrace struct{ asked, got, read atomic.Bool }

// body notes when content is read, as it is by a transport that sends and does not say so.
func (s *sentTrace) body(content io.ReadCloser) io.ReadCloser {
	if s == nil || content == nil {
		return content
	}
	return &watchedBody{content, &s.read}
}

type watchedBody struct {
	io.ReadCloser
	read *atomic.Bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.ReadCloser.Read(p)
}

func (s *sentTrace) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { s.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { s.got.Store(true) },
	})
}

// nothing reports whether nothing can have been written. Where nobody watched it is not known.
func (s *sentTrace) nothing() bool {
	return s != nil && s.asked.Load() && !s.got.Load() && !s.read.Load()
}

func (a *attempt) status() int {
	if a.response == nil {
		return 0
	}
	return a.response.StatusCode
}

func (a *attempt) requestID() string {
	if a.response == nil {
		return ""
	}
	return requestID(a.response)
}

// failure is what went wrong on the way: no answer, or a success that broke off. A refusal
// that breaks off is one all the same.
func (a *attempt) failure() error {
	switch {
	case a.response == nil:
		return a.err
	case a.status() < 200 || a.status() > 299:
		return nil
	}
	return a.body.err
}

func (a *attempt) fail(err error) {
	if a.body != nil {
		a.body.err = err
	} else {
		a.err = err
	}
}

// mayHaveActed reports whether the server may have done what the request asked for, without
// saying so.
func (a *attempt) mayHaveActed(method string) bool {
	switch {
	case method == http.MethodGet || a.unsent:
		return false
	case a.failure() != nil:
		return true
	}
	return unclear(a.status())
}

// unclear reports whether a status leaves it open if the request was acted on. A redirect
// does: 303 is how some servers answer work that is done.
func unclear(status int) bool {
	return status == http.StatusRequestTimeout || status >= 500 || status >= 300 && status < 400 || status < 200
}

// outcome is what Do returns for the last attempt.
func (a *attempt) outcome(c *call) (*http.Response, error) {
	if a.response != nil {
		return a.response, nil
	}
	err := c.error(a.err, a.unsent)
	if c.request.Method == http.MethodPost && a.mayHaveActed(http.MethodPost) {
		err = &UnknownOutcomeError{Operation: c.operation, Err: err}
	}
	return nil, err
}

func (a *attempt) close() {
	if a.body != nil {
		_ = a.body.Close()
	}
}

// final marks an error that trying again can't mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }
