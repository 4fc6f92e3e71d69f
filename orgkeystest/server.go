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
)

// basePath is the path of the base URL, as on the live API.
const basePath = "/v1"

// Server is a fake of the API that listens on the loopback interface. [NewServer] and, in a
// test, [New] start one. All methods are safe for concurrent use.
type Server struct {
	// URL is the base URL for a client, such as http://127.0.0.1:41234/v1.
	URL string

	// AdminKey is the value of an admin key that the server accepts. The list of admin keys
	// does not contain it, so that the list has only the keys that the test adds or creates.
	AdminKey string

	http     *httptest.Server
	routes   *http.ServeMux
	closing  context.Context
	close    context.CancelFunc
	settings settings

	mu         sync.Mutex // guards the fields below
	org        *organization
	faults     []*injected
	requests   []*Request
	rateLimit  RateLimit
	usage      map[string]*usage // by operationId
	violations []speccheck.Violation
}

// settings are set by the options.
type settings struct {
	tls, http2, inMemory bool
	listener             net.Listener
	perMinute            int
	maxLifetime          time.Duration
	older                bool
	allowInvalid         bool
	skipResponseChecks   bool
}

// Option is an option of [New] and [NewServer].
type Option func(*settings)

// WithTLS makes the server speak https, over HTTP/1.1. Only [Server.Client] trusts its
// certificate; the TLS handshake of other clients fails.
func WithTLS() Option { return func(s *settings) { s.tls = true } }

// WithHTTP2 makes the server speak https over HTTP/2, as the live API does. Some faults exist
// only over HTTP/1.1; see [Server.Inject].
func WithHTTP2() Option { return func(s *settings) { s.tls, s.http2 = true, true } }

// InMemory makes the server accept connections in memory instead of on a socket. Only
// [Server.Client], or a transport that dials with [Server.Dial], can connect to it. The URL has
// port 0, on which no other program can listen. If the server is started in a testing/synctest
// bubble, it uses the bubble's clock.
func InMemory() Option { return func(s *settings) { s.inMemory = true } }

// WithListener makes the server accept its connections from l, which must listen on a loopback
// address. [Server.Close] closes l.
func WithListener(l net.Listener) Option { return func(s *settings) { s.listener = l } }

// WithRateLimit limits the requests to each operation to perMinute, counted by a [TokenBucket].
// Requests beyond the limit get a 429. As far as the live API's limits are known, they are of this
// kind: each operation has a limit of its own, and no header contains the time to wait.
// WithRateLimit panics if perMinute is less than 1.
//
// [Server.SetRateLimit] sets other limits, with other algorithms and with headers.
func WithRateLimit(perMinute int) Option {
	if perMinute < 1 {
		panic(fmt.Sprintf("orgkeystest: WithRateLimit: %d requests a minute is less than 1", perMinute))
	}
	return func(s *settings) { s.perMinute = perMinute }
}

// WithMaxKeyLifetime sets an organization's policy that limits the lifetime of project keys, in
// whole seconds. A request to create a service account must then have expires_in_seconds, unless
// it creates no key. The expires_in_seconds of a create or an update must not exceed the limit.
// Other requests get a 400. An update that only sets scopes is accepted. Admin keys and keys that
// a test adds are not limited.
//
// WithMaxKeyLifetime panics if limit is less than a second. It has no effect with
// [WithOlderServer].
func WithMaxKeyLifetime(limit time.Duration) Option {
	if limit < time.Second {
		panic(fmt.Sprintf("orgkeystest: WithMaxKeyLifetime: %v is less than a second", limit))
	}
	return func(s *settings) { s.maxLifetime = limit }
}

// WithOlderServer makes the server behave like the API of mid 2026, which some servers may still
// implement:
//
//   - update-project-api-key does not exist: a POST to its path gets a 405.
//   - delete-project-api-key gets a 400 for the key of a service account.
//   - create-project-service-account and admin-api-keys-create ignore expires_in_seconds, so
//     that every key is valid until it is deleted. The former also ignores
//     create_service_account_only, and always creates a key.
//   - No response contains expires_at or owner_project_access. Keys that a test adds have
//     neither, and never expire.
//
// Requests are validated against the contract as without this option.
func WithOlderServer() Option { return func(s *settings) { s.older = true } }

// AllowInvalidRequests prevents [New] from failing the test for a request that violates the
// contract. Such a request still gets a 400, and is still in [Server.Violations].
func AllowInvalidRequests() Option { return func(s *settings) { s.allowInvalid = true } }

// SkipResponseChecks disables the validation of the server's own responses against the contract,
// which takes most of the time of a response with a hundred keys. Requests are still validated.
func SkipResponseChecks() Option { return func(s *settings) { s.skipResponseChecks = true } }

// NewServer starts a server with no projects and with no keys other than [Server.AdminKey]. The
// caller must call [Server.Close]. Like httptest.NewServer, it panics if it cannot listen.
func NewServer(opts ...Option) *Server {
	s := &Server{usage: make(map[string]*usage)}
	for _, opt := range opts {
		opt(&s.settings)
	}
	if s.settings.older {
		s.settings.maxLifetime = 0
	}
	s.rateLimit.PerMinute = s.settings.perMinute
	s.org = newOrganization(s.settings.older)
	s.AdminKey = newValue("sk-admin-")
	s.org.accept(s.AdminKey, credential{admin: true})
	s.closing, s.close = context.WithCancel(context.Background())
	s.routes = newRoutes(s)
	s.start()
	return s
}

// TB is the part of testing.TB that [New] uses.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// New starts a server for a test and closes it when the test ends. The test then fails
//
//   - for each injected fault that applied to no request, since the test did not cover it;
//   - for each request that violates the contract, unless [AllowInvalidRequests] is given;
//   - for each response that violates the contract, unless a fault has changed it or
//     [SkipResponseChecks] is given.
func New(t TB, opts ...Option) *Server {
	t.Helper()
	s := NewServer(opts...)
	t.Cleanup(func() {
		t.Helper()
		s.Close()
		for _, f := range s.UnusedFaults() {
			t.Errorf("orgkeystest: fault applied to no request: %s", f)
		}
		for _, v := range s.Violations() {
			if !s.settings.allowInvalid || !isRequestViolation(v) {
				t.Errorf("orgkeystest: contract violation: %s", v)
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
			ConnContext: withConnection,
			ErrorLog:    log.New(io.Discard, "", 0), // some tests make TLS handshakes fail
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
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // listening on loopback does not block
	if err != nil {
		panic(fmt.Sprintf("orgkeystest: cannot listen: %v", err))
	}
	return l
}

func (s *Server) transport() *http.Transport { return s.http.Client().Transport.(*http.Transport) }

// Client returns a client that can connect to this server and trusts its certificate. The client
// has a transport of its own, whose idle connections [Server.Close] closes.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Dial connects to the server. Set as the DialContext of an http.Transport, it lets that
// transport connect to an [InMemory] server. If the server is in memory, Dial returns an error for
// any address other than the host and port in the server's URL.
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return s.transport().DialContext(ctx, network, addr)
}

// closeTimeout is how long Close waits for clients to read their responses.
const closeTimeout = time.Second

// Close stops the server. It ends delays and stalls at once, waits at most a second for clients
// to read their responses, and closes all connections. It may be called more than once.
func (s *Server) Close() {
	s.close()
	defer time.AfterFunc(closeTimeout, s.http.CloseClientConnections).Stop()
	s.http.Close()
}
