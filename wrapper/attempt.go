package orgkeys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"
)

// attemptTimeout is the error of an attempt that took too long. Unlike the end of the call's own
// context, it is a reason to retry.
type attemptTimeout time.Duration

func (e attemptTimeout) Error() string {
	return "no complete response within " + time.Duration(e).String()
}
func (e attemptTimeout) Timeout() bool   { return true }
func (e attemptTimeout) Temporary() bool { return true }

var acceptJSON = []string{"application/json"}

// roundTrip sends the request once, reads the response, and records both in c.
func (p *pipeline) roundTrip(c *call, credential credential) {
	transport := p.transport()
	native, _ := transport.(*http.Transport)
	start := time.Now()
	w := &wire{content: c.content}
	w.begin(c.request.Context(), start, p.attemptTimeout, native != nil)
	defer w.end()
	ctx := context.Context(w)
	if native != nil || len(w.content) > 0 {
		ctx = w.trace(ctx)
	}
	request := c.request.WithContext(ctx)
	p.prepare(request, c, credential, w)

	var a attempt
	response, err := responseOf(transport, request) //nolint:bodyclose // readBody closes it
	if err != nil {
		a.sent = !w.neverWritten() && !isProxyLookup(native, request, err)
	} else {
		a.sent, a.status, a.header = true, response.StatusCode, response.Header
		if err = c.readBody(w, response, p.maxBody); err != nil {
			a.body = bodyBroken
		}
		if a.status < 200 || a.status > 299 {
			a.reason, a.envelope = readEnvelope(c.received())
			a.envelope = a.envelope && err == nil
		}
	}
	a.replays = int(w.replays.Load())
	a.ended = time.Now()
	a.duration = a.ended.Sub(start)
	switch {
	case err != nil && c.request.Context().Err() != nil: // each transport has its own error for it
		err = c.request.Context().Err()
	case err != nil && ctx.Err() != nil:
		err = attemptTimeout(p.attemptTimeout)
	case !a.sent:
		err = w.asProxyRefusal(native, request, err)
	}
	c.attempts = append(c.attempts, a)
	c.err = err
}

// prepare completes the header and the body of one attempt.
func (p *pipeline) prepare(request *http.Request, c *call, credential credential, w *wire) {
	header := make(http.Header, len(c.request.Header)+3)
	for name, values := range c.request.Header { // in other spellings, these fields would be sent beside the client's
		header[http.CanonicalHeaderKey(name)] = values
	}
	header["Authorization"] = credential.authorization
	header["User-Agent"] = p.userAgent
	header["Accept"] = acceptJSON
	// With one of these fields net/http repeats a POST by itself, and the API is not known to
	// support them.
	delete(header, "Idempotency-Key")
	delete(header, "X-Idempotency-Key")
	request.Header = header

	// Without GetBody net/http cannot repeat the request once it has read the body. With it,
	// HTTP/2 repeats a request after errors that do not exclude that the server acted on it.
	request.Body, request.GetBody = nil, nil
	request.ContentLength = int64(len(c.content))
	if len(c.content) > 0 || !c.operation.Idempotent {
		request.Body = w
	}
	// A connection that carried a new key is not used again: net/http prints what else arrives
	// on an idle connection, a second copy of the response for example, to the standard logger.
	request.Close = !c.operation.Idempotent
}

// responseOf calls the transport itself and not http.Client, which would follow redirects and
// send cookies.
func responseOf(transport http.RoundTripper, request *http.Request) (*http.Response, error) {
	response, err := transport.RoundTrip(request)
	switch {
	case err != nil:
		if response != nil && response.Body != nil { // some middleware returns both
			_ = response.Body.Close()
		}
		return nil, err
	case response == nil:
		return nil, errors.New("the transport returned neither a response nor an error")
	case response.Body == nil:
		response.Body = http.NoBody
	}
	if response.StatusCode < 100 {
		_ = response.Body.Close()
		return nil, errors.New("the transport returned a response without a status")
	}
	return response, nil
}

// wire is the context and the body of one attempt's request, and records what may have been
// written to a connection. The transport calls it from goroutines of its own, also after it has
// returned.
type wire struct {
	attemptContext

	content []byte
	offset  int
	read    atomic.Bool // the body was read

	// What net/http's transport reports: that it looked for a connection, got one, and wrote the
	// header to it.
	getConn, gotConn, wroteHeaders atomic.Bool
	replays                        atomic.Int32 // connections that it got after it wrote the header
	handshakes                     atomic.Int32 // TLS handshakes that it started
	hooks                          httptrace.ClientTrace
}

// Read implements io.Reader for the transport.
func (w *wire) Read(p []byte) (int, error) {
	w.read.Store(true)
	n := copy(p, w.content[w.offset:])
	w.offset += n
	if w.offset == len(w.content) {
		return n, io.EOF
	}
	return n, nil
}

// Close implements io.Closer for the transport.
func (w *wire) Close() error { return nil }

func (w *wire) trace(ctx context.Context) context.Context {
	w.hooks = httptrace.ClientTrace{
		GetConn: func(string) { w.getConn.Store(true) },
		GotConn: func(httptrace.GotConnInfo) {
			w.gotConn.Store(true)
			if w.wroteHeaders.Load() {
				w.replays.Add(1)
			}
		},
		WroteHeaders:      func() { w.wroteHeaders.Store(true) },
		TLSHandshakeStart: func() { w.handshakes.Add(1) },
	}
	return httptrace.WithClientTrace(ctx, &w.hooks)
}

// neverWritten reports whether it is certain that nothing was written: net/http's transport
// looked for a connection and got none, and nothing read the body. A request without a body is
// not traced through another transport, which may send it a second time without a trace.
func (w *wire) neverWritten() bool {
	return w.getConn.Load() && !w.gotConn.Load() && !w.read.Load()
}

// proxyError is the refusal of a proxy to connect to the API.
type proxyError struct {
	proxy string
	err   error
}

func (e *proxyError) Error() string {
	return "the proxy " + e.proxy + " refused to connect to the API: " + e.err.Error()
}

func (e *proxyError) Unwrap() error { return e.err }

// asProxyRefusal returns err as a proxyError if it is the status with which a proxy refused to
// connect. net/http returns the text of that status and nothing else.
func (w *wire) asProxyRefusal(transport *http.Transport, request *http.Request, err error) error {
	if transport == nil || transport.Proxy == nil || request.URL.Scheme != "https" ||
		fmt.Sprintf("%T", err) != "*errors.errorString" || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	proxy, proxyErr := transport.Proxy(request)
	if proxyErr != nil || proxy == nil {
		return err
	}
	handshakes := w.handshakes.Load()
	if proxy.Scheme == "https" {
		handshakes-- // with the proxy itself
	}
	if handshakes > 0 {
		return err // it has connected: the handshake with the API failed
	}
	return &proxyError{proxy.Host, err}
}

// isProxyLookup reports whether err is that of the transport's function that chooses the proxy,
// which it calls before it sends anything.
func isProxyLookup(transport *http.Transport, request *http.Request, err error) bool {
	if transport == nil || transport.Proxy == nil {
		return false
	}
	_, proxyErr := transport.Proxy(request)
	return proxyErr != nil && proxyErr.Error() == err.Error()
}

var errBodyTooLarge = errors.New("is longer than the limit")

// readBody reads the body of response, limit bytes at most, and closes it.
func (c *call) readBody(w *wire, response *http.Response, limit int64) error {
	defer func() { _ = response.Body.Close() }()
	w.closeAtEnd(response)
	c.body = bodies.Get().(*[]byte)
	switch {
	case response.StatusCode < 200:
		return nil // 101: what follows is a stream that only the server can end
	case response.ContentLength > limit:
		return errBodyTooLarge
	}
	var err error
	*c.body, err = readAll(w, *c.body, response.Body, response.ContentLength, limit)
	return err
}

// readAll is io.ReadAll into a buffer, up to a limit and until ctx is done. length is the expected
// length or -1.
func readAll(ctx context.Context, buf []byte, r io.Reader, length, limit int64) ([]byte, error) {
	buf = slices.Grow(buf, int(min(max(length, 0), 1<<20))+512)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == nil {
			err = ctx.Err() // some readers return no bytes for ever
		}
		switch {
		case int64(len(buf)) > limit:
			return buf, errBodyTooLarge
		case err == io.EOF: //nolint:errorlint // a wrapped EOF is not the end of the body
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) == cap(buf):
			size := 2 * int64(cap(buf))
			if size >= limit {
				size = limit + 1 // no larger one is needed
			}
			larger := make([]byte, len(buf), size)
			copy(larger, buf)
			clear(buf)
			buf = larger
		}
	}
}
