package main

import (
	"errors"
	"io"
	"net/http"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// recordedBody is a body that was recorded, completely or in part.
type recordedBody struct {
	data []byte
	// end is what reading returns after data: io.EOF, or why the rest is missing. It is nil if
	// the body was closed before its end.
	end error
}

// open returns a reader of the body that is at its end when all of data has been read.
func (b recordedBody) open() io.ReadCloser {
	if len(b.data) == 0 && errors.Is(b.end, io.EOF) {
		return http.NoBody
	}
	return &bodyReader{recordedBody: b}
}

type bodyReader struct {
	recordedBody
	offset int
}

func (r *bodyReader) Read(p []byte) (int, error) {
	n := copy(p, r.data[r.offset:])
	r.offset += n
	if n == 0 && len(p) > 0 {
		return 0, r.end
	}
	return n, nil
}

func (*bodyReader) Close() error { return nil }

// drain reads from body what was read of b when it was recorded, and closes it.
func (b recordedBody) drain(body io.ReadCloser) {
	source := io.Reader(body)
	if b.end == nil {
		source = io.LimitReader(body, int64(len(b.data)))
	}
	_, _ = io.Copy(io.Discard, source) // an error is that of a missing part
	_ = body.Close()
}

// recordedExchange is a request and its response. The bodies are in sent and received.
type recordedExchange struct {
	request        *http.Request
	response       *http.Response
	sent, received recordedBody
}

// replay validates a recorded exchange. It sends the exchange through the checker's RoundTripper,
// which validates incomplete bodies as far as that is possible.
func replay(checker *speccheck.Checker, e recordedExchange) []speccheck.Violation {
	var found []speccheck.Violation
	transport := checker.Transport(e, func(v speccheck.Violation) { found = append(found, v) })
	request := *e.request
	request.Body, request.GetBody, request.ContentLength = e.sent.open(), nil, -1
	response, err := transport.RoundTrip(&request) //nolint:bodyclose // the caller closes it
	if err == nil {
		e.received.drain(response.Body)
	}
	return found
}

// RoundTrip returns the recorded response.
func (e recordedExchange) RoundTrip(req *http.Request) (*http.Response, error) {
	e.sent.drain(req.Body)
	response := *e.response
	response.Body, response.ContentLength = e.received.open(), -1
	return &response, nil
}
