package speccheck

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Transport returns a RoundTripper that sends requests by base, or by http.DefaultTransport if
// base is nil, and reports each violation in the traffic.
//
// It neither changes nor delays requests and responses. The reader of a response's body receives
// it as it arrives, while a copy of up to the size limit is kept. The response is validated when
// its reader reaches the end of the body or closes it, within that call of Read or Close. A body
// that is closed before its end is validated if the part that was read is a complete JSON
// document, since a json.Decoder stops there, and is [Unchecked] otherwise. The RoundTripper
// itself never reads from a response's body.
//
// If a request has a GetBody function, its body is read from that; otherwise it is copied while it
// is sent. If base returns an error, only the request is validated.
//
// report is called once for each violation, by the goroutine that reads the body: concurrently, if
// bodies are read concurrently.
func (c *Checker) Transport(base http.RoundTripper, report func(Violation)) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{checker: c, base: base, report: report}
}

type transport struct {
	checker *Checker
	base    http.RoundTripper
	report  func(Violation)
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	outgoing, sent := t.captureRequest(req)
	check := func(resp *response) {
		for _, v := range t.checker.check(req, sent(), resp) {
			t.report(v)
		}
	}
	resp, err := t.base.RoundTrip(outgoing)
	if err != nil {
		check(nil)
		return resp, err
	}
	// The caller may modify the header while it reads the body.
	status, header := resp.StatusCode, resp.Header.Clone()
	switch {
	case resp.Body == nil || resp.Body == http.NoBody:
		check(&response{status: status, header: header})
	case status == http.StatusSwitchingProtocols:
		check(&response{status: status, header: header}) // the body is the connection, and must stay an io.Writer
	default:
		resp.Body = &capturingBody{
			ReadCloser: resp.Body, max: t.checker.maxBody, length: resp.ContentLength,
			done: func(body capture) { check(&response{status, header, body}) },
		}
	}
	return resp, nil
}

// CloseIdleConnections is called by http.Client.CloseIdleConnections.
func (t *transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// captureRequest returns the request to send, and a function that returns the body that was sent.
func (t *transport) captureRequest(req *http.Request) (*http.Request, func() capture) {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return req, func() capture { return capture{} }
	case req.GetBody != nil:
		return req, func() capture {
			body, err := req.GetBody()
			if err != nil {
				return capture{problem: "incomplete"}
			}
			defer func() { _ = body.Close() }()
			data, err := io.ReadAll(io.LimitReader(body, t.checker.maxBody+1))
			if err != nil {
				return capture{problem: "incomplete"}
			}
			return capture{data: data}
		}
	default:
		body := &capturingBody{ReadCloser: req.Body, max: t.checker.maxBody, length: req.ContentLength}
		if body.length == 0 {
			body.length = -1 // 0 means unknown in a request with a body
		}
		outgoing := *req // a RoundTripper must not modify its request
		outgoing.Body = body
		return &outgoing, body.captured
	}
}

// capturingBody is a body that keeps a copy of what is read from it.
type capturingBody struct {
	io.ReadCloser
	max    int64         // the size in bytes of the largest body that is validated
	length int64         // the length of the body, or -1 if unknown
	done   func(capture) // called once, at the end or on Close; may be nil
	once   sync.Once

	mu    sync.Mutex // a body may be closed, and captured called, while it is read
	kept  bytes.Buffer
	count int64
	err   error
}

func (b *capturingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	b.count += int64(n)
	if free := b.max + 1 - int64(b.kept.Len()); free > 0 { // the byte after max shows that the body is too large
		b.kept.Write(p[:min(int64(n), free)])
	}
	b.err = err
	b.mu.Unlock()
	if err != nil {
		b.finish()
	}
	return n, err
}

func (b *capturingBody) Close() error {
	err := b.ReadCloser.Close()
	b.finish()
	return err
}

func (b *capturingBody) finish() {
	b.once.Do(func() {
		if b.done != nil {
			b.done(b.captured())
		}
	})
}

// captured returns what has been read so far.
func (b *capturingBody) captured() capture {
	b.mu.Lock()
	defer b.mu.Unlock()
	body := capture{data: bytes.Clone(b.kept.Bytes())}
	switch {
	case errors.Is(b.err, io.EOF) || b.count == b.length:
	case b.err != nil && !errors.Is(b.err, context.Canceled): // who cancels has read enough
		body.problem = "incomplete"
	default:
		body.closedEarly = true
	}
	return body
}
