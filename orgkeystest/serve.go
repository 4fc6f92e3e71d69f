package orgkeystest

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
	"golang.org/x/time/rate"
)

// Request is what the server keeps of a request: where it went and what came of it, but
// neither its body nor the value of any header.
type Request struct {
	Operation     string // the operationId; "" where the contract has no such operation
	Method        string
	Path          string
	Query         url.Values
	Header        []string // the names of the headers it came with, sorted
	Authorization bool     // whether it came with a bearer token
	Status        int      // what it was answered with; 0 while it is not, or if it never was
	RequestID     string   // the x-request-id of the answer
	Faulted       bool     // whether a fault struck
	Minted        int      // how many keys it minted
}

// Requests returns what came in so far, in the order of arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.log))
	for i, r := range s.log {
		out[i] = *r
		out[i].Query, out[i].Header = maps.Clone(r.Query), slices.Clone(r.Header)
	}
	return out
}

// maxRequestBody is far beyond what any operation takes.
const maxRequestBody = 1 << 20

// answer is what is to go over the wire, as long as nothing spoils it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// operationIDs maps the routes' patterns to what the contract calls them.
var operationIDs = func() map[string]string {
	ids := make(map[string]string)
	for _, op := range gen.Operations() {
		ids[op.Method+" "+basePath+op.Path] = op.ID
	}
	return ids
}()

// serve is the way of every request: it is logged, worked on, and answered, with a fault in
// between where one is due.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	// Nothing that is written holds up Close, not even to a client that does not read.
	release := context.AfterFunc(s.closing, func() {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now())
	})
	defer release()

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	r.Body = io.NopCloser(bytes.NewReader(body))

	_, pattern := s.mux.Handler(r)
	if path.Clean(r.URL.Path) != r.URL.Path {
		pattern = "" // the mux would redirect it to another operation
	}
	entry, f := s.admitRequest(r, operationIDs[pattern])
	if f == nil {
		f = &Fault{}
	}

	if !f.AfterWork && !s.wait(r, f.Delay) {
		s.drop(r, false)
	}
	a := answer{header: make(http.Header)}
	if !f.replaces() || f.AfterWork {
		if err != nil {
			a = own(refuse(http.StatusRequestEntityTooLarge, "", "The request's body is too large, or broken off."))
		} else {
			a = s.work(r, entry, pattern)
		}
	}
	if f.AfterWork && !s.wait(r, f.Delay) {
		s.drop(r, false)
	}
	s.send(w, r, entry, f, f.apply(a, entry.RequestID))
}

// admitRequest logs the request and looks for a fault that is due.
func (s *Server) admitRequest(r *http.Request, operation string) (*Request, *Fault) {
	entry := &Request{
		Operation: operation, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(),
		Header:        slices.Sorted(maps.Keys(r.Header)),
		Authorization: r.Header.Get("Authorization") != "",
		RequestID:     "req_" + rand.Text(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, entry)
	f := s.due(func(f Fault) bool { return !f.DropOnAccept && (f.Operation == "" || f.Operation == operation) })
	entry.Faulted = f != nil
	return entry, f
}

// work has the API do what the request asks for.
func (s *Server) work(r *http.Request, entry *Request, pattern string) answer {
	if entry.Operation == "" {
		status := http.StatusNotFound
		if probe := httptest.NewRecorder(); pattern == "" {
			s.mux.ServeHTTP(probe, r.Clone(r.Context()))
			if probe.Code == http.StatusMethodNotAllowed {
				status = probe.Code
			}
		}
		return own(refuse(status, "", "The API has no %s %s.", r.Method, r.URL.Path))
	}
	if refused, ok := s.admit(r, entry); !ok {
		return own(refused)
	}
	rec := httptest.NewRecorder()
	s.api.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), entryKey{}, entry)))
	return answer{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// admit refuses those who have no admin key or ask too often.
func (s *Server) admit(r *http.Request, entry *Request) (reply, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused, ok := s.org.admit(r.Header.Get("Authorization")); !ok {
		return refused, false
	}
	if n := s.settings.perMinute; n > 0 {
		limiter := s.limiters[entry.Operation]
		if limiter == nil {
			limiter = rate.NewLimiter(rate.Limit(n)/60, n)
			s.limiters[entry.Operation] = limiter
		}
		if !limiter.Allow() {
			return refuse(http.StatusTooManyRequests, "", "Too many requests, the limit is %d a minute.", n), false
		}
	}
	return reply{}, true
}

// own renders an answer that no operation gives.
func own(r reply) answer {
	rec := httptest.NewRecorder()
	_ = r.write(rec)
	return answer{rec.Code, rec.Header(), rec.Body.Bytes()}
}

type entryKey struct{}

// countMinted notes that the request that ctx belongs to minted a key. The server's lock is
// held.
func (s *Server) countMinted(ctx context.Context) {
	s.org.minted++
	ctx.Value(entryKey{}).(*Request).Minted++
}

// wait waits for d and reports whether it could, and neither the client nor the server ended
// it.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-s.closing.Done():
		return false
	}
}
