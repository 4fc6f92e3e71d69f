package orgkeystest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// maxRequestBody is far beyond what any operation takes.
const maxRequestBody = 1 << 20

// operationIDs maps the patterns of the routes to what the contract calls them.
var operationIDs = func() map[string]string {
	ids := make(map[string]string)
	for _, op := range gen.Operations() {
		ids[op.Method+" "+basePath+op.Path] = op.ID
	}
	return ids
}()

// serve is the way of every request: log it, check it, do what it asks for, and answer, with a
// fault in between where one is due.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, tooLarge := readBody(w, r)
	entry := s.record(r, s.operationID(r))
	violations := s.checkRequest(r, entry.Operation, body)
	f := s.fault(entry)

	work := func() answer {
		if tooLarge {
			return own(refuse(http.StatusRequestEntityTooLarge, "", "The request's body is too large."))
		}
		return s.work(r, entry, violations)
	}
	var a answer
	if f.AfterWork {
		a = work()
		s.wait(r, f.Delay)
	} else {
		s.wait(r, f.Delay)
		if !f.replaces() {
			a = work()
		}
	}
	s.send(w, r, entry, f, f.apply(a, entry.RequestID))
}

// readBody reads the whole body, so that a client that hangs up is noticed from here on.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, tooLarge bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if _, tooLarge = errors.AsType[*http.MaxBytesError](err); err != nil && !tooLarge {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, tooLarge
}

// operationID returns what the contract calls the operation of the request, or "".
func (s *Server) operationID(r *http.Request) string {
	if path.Clean(r.URL.Path) != r.URL.Path {
		return "" // the routes would send it on to another operation
	}
	_, pattern := s.routes.Handler(r)
	return operationIDs[pattern]
}

// work has the API do what the request asks for.
func (s *Server) work(r *http.Request, entry *Request, violations []speccheck.Violation) answer {
	if entry.Operation == "" {
		return own(refuse(s.unroutable(r), "", "The API has no %s %s.", r.Method, r.URL.Path))
	}
	if refused, ok := s.admit(r, entry.Operation); !ok {
		return own(refused)
	}
	if len(violations) > 0 {
		return own(invalid(violations[0]))
	}
	rec := httptest.NewRecorder()
	s.routes.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), entryKey{}, entry)))
	a := recorded(rec)
	s.checkAnswer(entry.Operation, a)
	return a
}

// unroutable tells a path that is unknown from a method that the path does not have.
func (s *Server) unroutable(r *http.Request) int {
	rec := httptest.NewRecorder()
	s.routes.ServeHTTP(rec, r)
	if rec.Code == http.StatusMethodNotAllowed {
		return rec.Code
	}
	return http.StatusNotFound
}

// answer is what is to go over the wire.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// own renders an answer that no operation gives.
func own(r reply) answer {
	rec := httptest.NewRecorder()
	_ = r.write(rec)
	return recorded(rec)
}

func recorded(rec *httptest.ResponseRecorder) answer {
	return answer{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// wait waits for d. It ends the request where the client or the server gives up meanwhile.
func (s *Server) wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		hangUp(r, false)
	case <-s.closing.Done():
		hangUp(r, false)
	}
}

type connKey struct{}

// withConn has the requests of a connection know it.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// hangUp ends the connection of a request, or over HTTP/2 the stream unless there is to be a
// reset, with no more said on it. It does not return.
func hangUp(r *http.Request, reset bool) {
	if reset {
		closeConn(r.Context().Value(connKey{}).(net.Conn), true)
	}
	panic(http.ErrAbortHandler)
}
