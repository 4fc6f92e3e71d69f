package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/orgkeys/orgkeys-go/internal/command"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// checkProxied runs the proxy until the command exits, or until a signal arrives if there is no command.
// It returns the status of the command.
func (c *config) checkProxied(checker *speccheck.Checker, p *process, r *report) (status int, err error) {
	listener, err := listenOnLoopback(c.listen)
	if err != nil {
		return exitOK, err
	}
	if isOwnAddress(c.target, listener.Addr()) {
		_ = listener.Close()
		return exitOK, fmt.Errorf("-to %s is the address that the proxy itself listens on", c.target)
	}
	address := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	finish := newProxy(checker, c, p).serve(listener)
	fmt.Fprintf(p.stderr, "speccheck: listening on %s, forwarding to %s\n", address, c.target)
	signals, stop := p.signals()
	defer stop()

	if len(c.command) == 0 {
		<-signals
	} else {
		cmd := exec.Command(c.command[0], c.command[1:]...) //nolint:noctx // signals are forwarded to it instead
		cmd.Env = append(slices.Clone(p.environ), "SPECCHECK_URL="+address.String(), "OPENAI_BASE_URL="+proxiedBaseURL(p.environ, c.target, address))
		cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stdout, p.stderr
		if status, err = command.Run(cmd, signals); err != nil {
			err = fmt.Errorf("run the command: %w", err)
		}
	}
	finish(r)
	if err == nil && r.Checked == 0 {
		err = fmt.Errorf("no call of an operation in the contract passed through the proxy (%s)", r.notChecked())
	}
	return status, err
}

// listenOnLoopback listens on an address that other hosts cannot reach.
func listenOnLoopback(address string) (net.Listener, error) {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	if !at.IP.IsLoopback() {
		return nil, fmt.Errorf("-listen %s: want a loopback address such as 127.0.0.1:8080, since keys pass through the proxy unencrypted", address)
	}
	listener, err := net.ListenTCP("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	return listener, nil
}

// isLoopback reports whether requests to host stay on this machine and are not sent to an HTTP proxy.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isOwnAddress reports whether a request to u would reach the proxy itself, which would forward it in
// an endless loop.
func isOwnAddress(u *url.URL, own net.Addr) bool {
	if u.Scheme != "http" {
		return false
	}
	at, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")))
	return err == nil && at.String() == own.String()
}

// proxiedBaseURL returns OPENAI_BASE_URL for the command: its value in environ with the proxy's address
// instead of the target's or, if it does not begin with the target, the proxy's address with the
// API's usual path.
func proxiedBaseURL(environ []string, target, proxy *url.URL) string {
	current := ""
	for _, variable := range environ {
		if value, ok := strings.CutPrefix(variable, "OPENAI_BASE_URL="); ok {
			current = value // the last one counts
		}
	}
	path := strings.TrimSuffix(target.Path, "/")
	if u, err := url.Parse(current); err == nil && u.Host == proxy.Host {
		return current
	} else if err == nil && u.Scheme == target.Scheme && strings.EqualFold(u.Host, target.Host) {
		rest, below := strings.CutPrefix(strings.TrimSuffix(u.Path, "/"), path)
		if below && (rest == "" || rest[0] == '/') {
			return proxy.String() + rest
		}
	}
	if path == "" {
		return proxy.String() + "/v1"
	}
	return proxy.String()
}

// proxy is a reverse proxy that validates the traffic through it.
type proxy struct {
	checker   *speccheck.Checker
	target    *url.URL
	transport http.RoundTripper
	logger    *log.Logger

	mu      sync.Mutex // guards the fields below
	closed  bool
	active  sync.WaitGroup // requests; mu guards against Add after Wait
	calls   []*call
	skipped int
	failed  int // requests without a response
	number  int // of the last request
}

func newProxy(checker *speccheck.Checker, c *config, p *process) *proxy {
	transport := p.transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.DisableCompression = true // the client decides on compression
		transport = own
	}
	return &proxy{checker: checker, target: c.target, transport: transport, logger: log.New(p.stderr, "speccheck: ", 0)}
}

// serve starts the proxy. The function that it returns stops the proxy, cancels requests in flight, and
// adds all calls to a report.
func (p *proxy) serve(listener net.Listener) (finish func(*report)) {
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler: p, ErrorLog: p.logger, ReadHeaderTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // it returns when it is closed
	}()
	return func(r *report) {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		cancel() // also ends upgraded connections, which Server.Close does not close
		_ = server.Close()
		<-served
		p.active.Wait()
		if idle, ok := p.transport.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
		slices.SortFunc(p.calls, func(a, b *call) int { return cmp.Compare(a.Number, b.Number) })
		for _, c := range p.calls {
			r.add(c.exchange, c.found)
		}
		r.Skipped += p.skipped
		r.NoResponse += p.failed
	}
}

// begin registers a request, unless the proxy is being stopped.
func (p *proxy) begin() (number int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, false
	}
	p.active.Add(1)
	p.number++
	return p.number, true
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, ok := p.begin()
	if !ok {
		panic(http.ErrAbortHandler)
	}
	defer p.active.Done()
	c := &call{exchange: exchange{Number: number}, proxy: p}
	defer p.record(c)
	if r.Method == http.MethodConnect {
		http.Error(w, "speccheck is a reverse proxy: use its address as the base URL", http.StatusMethodNotAllowed)
		return
	}
	forward := &httputil.ReverseProxy{
		Rewrite:       p.rewrite,
		Transport:     c,
		FlushInterval: -1, // flushes after each write
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "speccheck: no response from the server", http.StatusBadGateway)
		},
	}
	_ = http.NewResponseController(w).EnableFullDuplex() // the target may respond before the request ends
	forward.ServeHTTP(w, r)
}

// rewrite directs a request to the target. It restores the query and headers that ReverseProxy removes.
func (p *proxy) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(p.target)
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
}

// record registers the outcome of a request.
func (p *proxy) record(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !c.matched:
		p.skipped++
	case c.err != nil:
		p.failed++
		p.logger.Printf("%s: no response: %s", c.place(), failure(c.err))
	default:
		p.calls = append(p.calls, c)
	}
}

// failure returns a description of a transport's error without the error's text, which may quote the
// request.
func failure(err error) string {
	network, ok := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return "the request was canceled"
	case ok && network.Op == "dial":
		return "the server cannot be reached"
	default:
		return "the connection failed"
	}
}

// call is a request with its response. It is the RoundTripper that sends the request.
type call struct {
	exchange
	proxy   *proxy
	matched bool  // whether it is a call of an operation in the contract
	err     error // why there is no response
	found   []speccheck.Violation
}

// RoundTrip sends a request. Violations may be added to c.found until the response's body is closed.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	transport := c.proxy.transport
	if c.matched = isCall(c.proxy.checker, req); c.matched {
		c.Operation, _ = c.proxy.checker.Operation(req)
		transport = c.proxy.checker.Transport(transport, func(v speccheck.Violation) { c.found = append(c.found, v) })
	}
	resp, err := transport.RoundTrip(req)
	c.err = err
	return resp, err
}
