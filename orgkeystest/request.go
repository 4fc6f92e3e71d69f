package orgkeystest

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// Request is the record of one request. It contains neither the body nor the value of any
// header, and so no key.
type Request struct {
	Operation     string // operationId; "" if no operation has the method and the path
	Method        string
	Path          string // as sent, the base URL's path included
	Query         url.Values
	Header        []string // names of the request's headers, sorted
	Authorization bool     // whether the request had an Authorization header
	Status        int      // status of the response; 0 until there is one
	RequestID     string   // x-request-id of the response
	Faulted       bool     // whether a fault applied to the request
	KeysCreated   int      // number of keys that the request created
}

// Requests returns the requests so far, in the order of their arrival. Requests that have no
// response yet, or never get one because of a fault, are among them.
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

// record records a request. The entry that it returns may be changed only under the server's lock.
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

// countCreatedKey records that the request of ctx created a key. The caller holds the server's lock.
func (s *Server) countCreatedKey(ctx context.Context) {
	s.org.keysCreated++
	ctx.Value(entryKey{}).(*Request).KeysCreated++
}

func (s *Server) setStatus(entry *Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.Status = status
}
