package speccheck

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Transport returns a RoundTripper that passes everything on to base, http.DefaultTransport if
// nil, and reports each violation in what passes through.
//
// It changes nothing, adds no wait and swallows nothing: the response's body goes to its reader
// as it arrives, while a copy is kept, up to the size limit. The copy is judged when the reader
// has got to the end of the body or closes it, in that call, so that the reports of an exchange
// are made when its body has been read. A body that was closed before its end is judged as far
// as it was read if that is a whole JSON document, which is where a json.Decoder stops, and is
// [Unchecked] otherwise. Nothing is read on behalf of the checker.
//
// The request's body is read a second time through GetBody where there is one, and copied as it
// is sent where there is none. Where base fails, the request is judged alone.
//
// report is called once for each violation, from the goroutine that reads the body, and from
// several at a time where several bodies are read at a time.
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
	outgoing, sent := t.sent(req)
	judge := func(got *answer) {
		for _, v := range t.checker.check(req, sent(), got) {
			t.report(v)
		}
	}
	resp, err := t.base.RoundTrip(outgoing)
	if err != nil {
		judge(nil)
		return resp, err
	}
	// The caller may change the header while it reads the body.
	status, header := resp.StatusCode, resp.Header.Clone()
	switch {
	case resp.Body == nil || resp.Body == http.NoBody:
		judge(&answer{status: status, header: header})
	case status == http.StatusSwitchingProtocols:
		judge(&answer{status: status, header: header}) // the body is a connection, and stays one
	default:
		resp.Body = &tap{
			ReadCloser: resp.Body, max: t.checker.maxBody, length: resp.ContentLength,
			done: func(body payload) { judge(&answer{status, header, body}) },
		}
	}
	return resp, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// sent returns the request to pass on, and what gives the body that was sent with it.
func (t *transport) sent(req *http.Request) (*http.Request, func() payload) {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return req, func() payload { return payload{} }
	case req.GetBody != nil:
		return req, func() payload {
			body, err := req.GetBody()
			if err != nil {
				return payload{problem: "incomplete"}
			}
			defer func() { _ = body.Close() }()
			data, err := io.ReadAll(io.LimitReader(body, t.checker.maxBody+1))
			if err != nil {
				return payload{problem: "incomplete"}
			}
			return payload{data: data}
		}
	default:
		body := &tap{ReadCloser: req.Body, max: t.checker.maxBody, length: req.ContentLength}
		if body.length == 0 {
			body.length = -1 // so net/http says that it does not know
		}
		outgoing := *req // a RoundTripper must not modify its request
		outgoing.Body = body
		return &outgoing, body.sofar
	}
}

// tap is a body that keeps a copy of what is read from it.
type tap struct {
	io.ReadCloser
	max    int64         // how much is kept
	length int64         // how much there is, or -1
	done   func(payload) // called once, at the end; may be nil
	once   sync.Once

	mu    sync.Mutex // a body may be closed, or asked for sofar, while it is read
	kept  bytes.Buffer
	count int64
	err   error
}

func (b *tap) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	b.count += int64(n)
	if room := b.max + 1 - int64(b.kept.Len()); room > 0 {
		b.kept.Write(p[:min(int64(n), room)])
	}
	b.err = err
	b.mu.Unlock()
	if err != nil {
		b.finish()
	}
	return n, err
}

func (b *tap) Close() error {
	err := b.ReadCloser.Close()
	b.finish()
	return err
}

func (b *tap) finish() {
	b.once.Do(func() {
		if b.done != nil {
			b.done(b.sofar())
		}
	})
}

// sofar returns what has been read.
func (b *tap) sofar() payload {
	b.mu.Lock()
	defer b.mu.Unlock()
	body := payload{data: bytes.Clone(b.kept.Bytes())} // what exceeds max tells by its length
	switch {
	case errors.Is(b.err, io.EOF) || b.count == b.length:
	case b.err != nil:
		body.problem = "incomplete"
	default:
		body.early = true
	}
	return body
}
