package orgkeystest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
)

// maxRequestBody is the largest body that the server reads, far more than any operation needs.
const maxRequestBody = 1 << 20

// serve handles every request: it records and validates the request, performs the operation
// and sends the response. A fault may prevent the operation, and change the response.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, tooLarge := readBody(w, r)
	to := s.route(r)
	entry := s.record(r, to.operation)
	violation := s.checkRequest(r, to.operation, body)
	f := s.fault(entry)

	work := func() response { //nolint:contextcheck // the request has its context
		var refused *jsonResponse
		var header http.Header
		switch {
		case to.refused != nil:
			refused = to.refused
		case tooLarge:
			refused = new(apiError(http.StatusRequestEntityTooLarge, "", "The request's body is too large."))
		default:
			refused, header = s.admit(r, to.operation)
		}
		if refused == nil && violation != nil {
			refused = new(invalidRequest(*violation))
		}
		var resp response
		if refused != nil {
			resp = render(*refused)
		} else {
			r.Body = io.NopCloser(bytes.NewReader(plainIntegers(body)))
			resp = s.perform(r.WithContext(context.WithValue(r.Context(), entryKey{}, entry)))
			resp.body = contract().complete(to.operation, resp.status, resp.body)
			s.checkResponse(to.operation, resp)
		}
		maps.Copy(resp.header, header)
		if to.allow != "" {
			resp.header.Set("Allow", to.allow)
		}
		if resp.status == http.StatusNotImplemented {
			resp.header.Set("X-Should-Retry", "false") // the vendor's own clients retry a 501 otherwise
		}
		return resp
	}
	var resp response
	if f.AfterWork {
		resp = work()
		s.wait(r, f.Delay)
	} else {
		s.wait(r, f.Delay)
		if !f.replaces() {
			resp = work()
		}
	}
	s.send(w, r, entry, f, f.apply(resp, entry.RequestID))
}

// admit returns the 401 or 429 for a request that has no valid admin key or exceeds the rate limit,
// and nil for others. The headers belong to the response in either case.
func (s *Server) admit(r *http.Request, operation string) (refused *jsonResponse, header http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := s.org.authenticate(r.Header.Get("Authorization")); refused != nil {
		return refused, nil
	}
	return s.limit(operation)
}

// readBody reads the whole body. After that, net/http cancels the request's context when the client
// disconnects.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, tooLarge bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if _, tooLarge = errors.AsType[*http.MaxBytesError](err); err != nil && !tooLarge {
		panic(http.ErrAbortHandler)
	}
	return body, tooLarge
}

// response is a response as it is sent.
type response struct {
	status int
	header http.Header
	body   []byte
}

func render(r jsonResponse) response {
	rec := httptest.NewRecorder()
	_ = r.write(rec)
	return recorded(rec)
}

func recorded(rec *httptest.ResponseRecorder) response {
	return response{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// wait waits for d. It aborts the request if the client disconnects or the server closes.
func (s *Server) wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		abort(r, false)
	case <-s.closing.Done():
		abort(r, false)
	}
}

// connection is the connection of a request.
type connection struct {
	net.Conn
	late []byte // what to send before the next response; HTTP/1.1 only, so no lock is needed
}

type connectionKey struct{}

// withConnection makes the connection available to its requests.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{Conn: c})
}

func connectionOf(r *http.Request) *connection {
	return r.Context().Value(connectionKey{}).(*connection)
}

func (c *connection) flushLate() {
	if len(c.late) > 0 {
		_, _ = c.Write(c.late)
		c.late = nil
	}
}

// abort closes the connection of a request or, over HTTP/2 and without reset, ends its stream.
// It does not return.
func abort(r *http.Request, reset bool) {
	if reset {
		closeConn(connectionOf(r).Conn, true)
	}
	panic(http.ErrAbortHandler)
}
