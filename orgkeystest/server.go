package orgkeystest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"time"

	"github.com/orgkeys/orgkeys-go/speccheck"
	"golang.org/x/time/rate"
)

// basePath is where the API's paths begin, as on the live API.
const basePath = "/v1"

// Server is a fake of the API that listens on the loopback interface. Make one with
// [NewServer] or, in a test, with [New]. All methods can be called at any time, by any number
// of goroutines.
type Server struct {
	// URL is the base URL for a client, such as http://127.0.0.1:41234/v1.
	URL string

	// AdminKey is the value of an admin key that the server accepts. The key is not in the
	// list of admin keys, so that a test finds there what it put there.
	AdminKey string

	http     *httptest.Server
	routes   *http.ServeMux
	closing  context.Context
	close    context.CancelFunc
	settings settings

	mu         sync.Mutex // guards all below
	org        *organization
	faults     []*injected
	requests   []*Request
	limiters   map[string]*rate.Limiter
	violations []speccheck.Violation
}

// settings is what the options say.
type settings struct {
	tls, http2, inMemory bool
	listener             net.Listener
	perMinute            int
	allowInvalid         bool
	answersUnchecked     bool
}

// Option changes how a [Server] is made.
type Option func(*settings)

// WithTLS makes the server speak https, over HTTP/1.1, with a certificate that only
// [Server.Client] trusts: any other client fails in the handshake.
func WithTLS() Option { return func(s *settings) { s.tls = true } }

// WithHTTP2 makes the server speak https over HTTP/2, as the live API does. The faults that
// write an HTTP/1.1 answer byte by byte are not to be had there; see [Server.Inject].
func WithHTTP2() Option { return func(s *settings) { s.tls, s.http2 = true, true } }

// InMemory makes the server listen on no socket. Only [Server.Client], or a transport that
// dials with [Server.Dial], reaches it; its URL names a port that nobody can listen on. Made
// inside a testing/synctest bubble, the server lives on the bubble's clock, and a client's
// waiting lets that clock go on.
func InMemory() Option { return func(s *settings) { s.inMemory = true } }

// WithListener makes the server accept its connections from l, which has to listen on a
// loopback address. The server closes it.
func WithListener(l net.Listener) Option { return func(s *settings) { s.listener = l } }

// WithRateLimit makes every operation answer 429 beyond perMinute requests, and as the live
// API does, with neither a Retry-After nor any other header that tells how long to wait. What
// was used up comes back evenly, all of it within 60 seconds. A request that a fault keeps
// from the API does not count.
func WithRateLimit(perMinute int) Option {
	if perMinute < 1 {
		panic("orgkeystest: WithRateLimit: less than one request a minute")
	}
	return func(s *settings) { s.perMinute = perMinute }
}

// AllowInvalidRequests keeps [New] from failing the test for a request that breaks the
// contract. Such a request is still answered with a 400, and still found in
// [Server.Violations].
func AllowInvalidRequests() Option { return func(s *settings) { s.allowInvalid = true } }

// SkipResponseChecks keeps the server from holding its own answers against the contract, which
// is half of what a page of a hundred keys costs it. Requests are checked all the same.
func SkipResponseChecks() Option { return func(s *settings) { s.answersUnchecked = true } }

// NewServer starts a server with no projects and no keys but its [Server.AdminKey]. The caller
// has to call [Server.Close]. Like httptest.NewServer, it panics where it cannot listen.
func NewServer(opts ...Option) *Server {
	s := &Server{org: newOrganization(), limiters: make(map[string]*rate.Limiter)}
	for _, opt := range opts {
		opt(&s.settings)
	}
	s.AdminKey = s.org.enrol()
	s.closing, s.close = context.WithCancel(context.Background())
	s.routes = newRoutes(s)
	s.start()
	return s
}

// TB is the part of testing.TB that [New] needs.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// New starts a server that lives as long as the test. At the test's end the server is closed,
// and the test fails
//
//   - for each injected fault that no request met, since the test then did not show what it
//     set out to show;
//   - for each request that breaks the contract, unless [AllowInvalidRequests] is given;
//   - for each answer of the server's own that breaks the contract, unless [SkipResponseChecks]
//     is given. What a fault makes of an answer is not looked at.
func New(t TB, opts ...Option) *Server {
	t.Helper()
	s := NewServer(opts...)
	t.Cleanup(func() {
		t.Helper()
		s.Close()
		for _, f := range s.UnusedFaults() {
			t.Errorf("orgkeystest: no request met the fault %s", f)
		}
		for _, v := range s.Violations() {
			if !s.settings.allowInvalid || !byRequest(v) {
				t.Errorf("orgkeystest: breach of the contract: %s", v)
			}
		}
	})
	return s
}

func (s *Server) start() {
	accept := s.settings.listen()
	s.http = &httptest.Server{
		Listener:    &listener{Listener: accept, server: s},
		EnableHTTP2: s.settings.http2,
		Config: &http.Server{
			Handler:     http.HandlerFunc(s.serve),
			ConnContext: withConn,
			ErrorLog:    log.New(io.Discard, "", 0), // handshakes that fail are part of the game
		},
	}
	if s.settings.tls {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	if memory, ok := accept.(*memoryListener); ok {
		s.transport().DialContext = memory.dial
	}
	s.URL = s.http.URL + basePath
}

func (set settings) listen() net.Listener {
	switch {
	case set.inMemory && set.listener != nil:
		panic("orgkeystest: WithListener and InMemory exclude each other")
	case set.inMemory:
		return newMemoryListener()
	case set.listener != nil:
		at, err := netip.ParseAddrPort(set.listener.Addr().String())
		if err != nil || !at.Addr().IsLoopback() {
			panic(fmt.Sprintf("orgkeystest: WithListener: %s is not a loopback address", set.listener.Addr()))
		}
		return set.listener
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("orgkeystest: cannot listen: %v", err))
	}
	return l
}

func (s *Server) transport() *http.Transport { return s.http.Client().Transport.(*http.Transport) }

// Client returns a client that reaches this server, trusting its certificate where it has one.
// It has a transport of its own, whose idle connections [Server.Close] closes.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Dial is for the DialContext of an http.Transport of the caller's own, which reaches an
// [InMemory] server in no other way. That server refuses all addresses but the one in its URL.
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return s.transport().DialContext(ctx, network, addr)
}

// lastWords is how long a closing server waits for clients to take their answers.
const lastWords = time.Second

// Close stops the server: it ends all delays and stalls, gives the requests at work a second to
// be answered, and closes the connections. It may be called more than once.
func (s *Server) Close() {
	s.close()
	defer time.AfterFunc(lastWords, s.http.CloseClientConnections).Stop()
	s.http.Close()
}
