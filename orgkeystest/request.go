package orgkeystest

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// Request is what the server keeps of a request: where it went and what came of it, but
// neither its body nor the value of any header.
type Request struct {
	Operation     string // the operationId; "" where the contract has no such operation
	Method        string
	Path          string // as sent, with the base URL's
	Query         url.Values
	Header        []string // the names of the headers that it came with, sorted
	Authorization bool     // whether it came with an Authorization header
	Status        int      // what it was answered with; 0 as long as it is not, or if it never was
	RequestID     string   // the x-request-id of the answer
	Faulted       bool     // whether a fault struck
	KeysCreated   int      // how many keys it minted
}

// Requests returns the requests so far, in the order of arrival. A request that a fault let
// wait or left without an answer is among them.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests))
	for i, entry := range s.requests {
		requests[i] = *entry
		requests[i].Query = url.Values(http.Header(entry.Query).Clone())
		requests[i].Header = slices.Clone(entry.Header)
	}
	return requests
}

// record enters a request. From here on its entry is only changed under the server's lock.
func (s *Server) record(r *http.Request, operation string) *Request {
	entry := &Request{
		Operation: operation, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(),
		Header:        slices.Sorted(maps.Keys(r.Header)),
		Authorization: len(r.Header["Authorization"]) > 0,
		RequestID:     "req_" + rand.Text(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, entry)
	return entry
}

type entryKey struct{}

// countMinted notes that the request of ctx minted a key. The server's lock is held.
func (s *Server) countMinted(ctx context.Context) {
	s.org.minted++
	ctx.Value(entryKey{}).(*Request).KeysCreated++
}

func (s *Server) answered(entry *Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.Status = status
}
