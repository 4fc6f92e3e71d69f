package main

import (
	"bytes"
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
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// checkProxied runs the proxy until the command exits, or until a signal if there is no command. The
// status is that of the command if it failed.
func (c *config) checkProxied(checker *speccheck.Checker, p *process, r *report) (status int, err error) {
	listener, err := listenOnLoopback(c.listen)
	if err != nil {
		return exitOK, err
	}
	if isOwnAddress(c.target, listener.Addr()) {
		_ = listener.Close()
		return exitOK, fmt.Errorf("-to %s: this is the address that the proxy listens on", c.target)
	}
	address := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	finish := newProxy(checker, c, p).serve(listener)
	fmt.Fprintf(p.stderr, "speccheck: listening on %s, forwarding to %s\n", address, c.target)
	signals, stop := p.signals()
	defer stop()

	bypassed := false
	if len(c.command) == 0 {
		<-signals
	} else {
		var environ []string
		environ, bypassed = commandEnvironment(p.environ, c.target, address)
		status, err = runCommand(c.command, environ, p, signals)
	}
	finish(r)
	switch {
	case err != nil:
		return exitOK, err
	case r.Checked > 0:
		return status, nil
	case bypassed:
		return status, fmt.Errorf("no call of an operation in the contract passed through the proxy (%s): "+
			"OPENAI_BASE_URL of the command is not below %s and was not changed", r.notChecked(), c.target)
	default:
		return status, fmt.Errorf("no call of an operation in the contract passed through the proxy (%s)", r.notChecked())
	}
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

// isLoopback reports whether requests to host stay on this machine, and out of an HTTP proxy.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isOwnAddress reports whether a request to u would reach the proxy itself, which would forward it
// for ever.
func isOwnAddress(u *url.URL, own net.Addr) bool {
	if u.Scheme != "http" {
		return false
	}
	at, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")))
	return err == nil && at.String() == own.String()
}

// commandEnvironment returns the environment of the command. bypassed is true if OPENAI_BASE_URL is set
// and does not lead to the proxy.
func commandEnvironment(environ []string, target, proxy *url.URL) (_ []string, bypassed bool) {
	current := ""
	for _, variable := range environ {
		if value, ok := strings.CutPrefix(variable, "OPENAI_BASE_URL="); ok {
			current = value
		}
	}
	environ = append(slices.Clone(environ), "SPECCHECK_URL="+proxy.String())
	if baseURL, ok := proxiedBaseURL(current, target, proxy); ok {
		return append(environ, "OPENAI_BASE_URL="+baseURL), false
	}
	own, err := url.Parse(current)
	return environ, err != nil || own.Host != proxy.Host
}

// proxiedBaseURL returns the base URL by which requests to a base URL pass through the proxy. If there
// is none, it is the API's path at the proxy. It returns ok = false if requests to the base URL would
// not reach the target of the proxy.
func proxiedBaseURL(current string, target, proxy *url.URL) (baseURL string, ok bool) {
	path := strings.TrimSuffix(target.Path, "/")
	if current == "" {
		if path == "" {
			return proxy.String() + "/v1", true
		}
		return proxy.String(), true
	}
	u, err := url.Parse(current)
	if err != nil || u.Scheme != target.Scheme || !strings.EqualFold(u.Host, target.Host) {
		return "", false
	}
	rest, below := strings.CutPrefix(u.Path, path)
	if !below || rest != "" && rest[0] != '/' {
		return "", false
	}
	return proxy.String() + strings.TrimSuffix(rest, "/"), true
}

// outputDelay is how long output of a command is awaited after it has exited.
const outputDelay = 5 * time.Second

// runCommand runs the command, forwards signals to it, and returns its exit status.
func runCommand(command, environ []string, p *process, signals <-chan os.Signal) (status int, err error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // signals are forwarded to it instead
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environ, p.stdin, p.stdout, p.stderr
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return exitOK, fmt.Errorf("start the command: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	for {
		select {
		case received := <-signals:
			if cmd.Process.Signal(received) != nil { // Windows has no signals, and the command may have exited
				_ = cmd.Process.Kill()
			}
		case err := <-exited:
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				return exitStatus(exit), nil
			}
			if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
				return exitOK, fmt.Errorf("run the command: %w", err)
			}
			return exitOK, nil
		}
	}
}

// exitStatus returns the status that a shell reports for a command that failed.
func exitStatus(exit *exec.ExitError) int {
	if wait, ok := exit.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		return 128 + int(wait.Signal())
	}
	return max(exit.ExitCode(), 1)
}

// proxy is a reverse proxy that validates what passes through it. Validation starts when a response has
// been forwarded, and delays nothing.
type proxy struct {
	checker   *speccheck.Checker
	target    *url.URL
	maxBody   int64
	transport http.RoundTripper
	stderr    io.Writer
	logger    *log.Logger

	validators chan struct{} // limits how many exchanges are validated at a time
	validating sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	active  sync.WaitGroup // requests; mu guards against Add after Wait
	calls   []call
	skipped int
	failed  int // requests without a response
	number  int // of the last request
}

// call is a validated exchange.
type call struct {
	exchange
	found []speccheck.Violation
}

func newProxy(checker *speccheck.Checker, c *config, p *process) *proxy {
	transport := p.transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.DisableCompression = true // the client decides on compression
		transport = own
	}
	return &proxy{
		checker: checker, target: c.target, maxBody: c.maxBody, transport: transport, stderr: p.stderr,
		logger:     log.New(p.stderr, "speccheck: ", 0),
		validators: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// serve starts to serve. The function that it returns stops that, cancels requests that are in flight,
// waits until everything is validated, and adds it to a report.
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
		cancel() // connections that have been upgraded are not the server's any more
		_ = server.Close()
		<-served
		p.active.Wait()
		p.validating.Wait()
		if idle, ok := p.transport.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
		slices.SortFunc(p.calls, func(a, b call) int { return cmp.Compare(a.Number, b.Number) })
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
	if r.Method == http.MethodConnect {
		p.skip()
		http.Error(w, "speccheck is a reverse proxy: use its address as the base URL", http.StatusMethodNotAllowed)
		return
	}
	recorder := &recorder{base: p.transport, max: p.maxBody}
	defer func() { p.record(number, recorder) }()
	forward := &httputil.ReverseProxy{
		Rewrite:       p.rewrite,
		Transport:     recorder,
		FlushInterval: -1, // each write
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "speccheck: no response from the server", http.StatusBadGateway)
		},
	}
	forward.ServeHTTP(w, r)
}

// rewrite directs a request to the target. It restores what ReverseProxy removes before.
func (p *proxy) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(p.target)
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
}

func (p *proxy) skip() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skipped++
}

// record registers the outcome of a request, and starts to validate it.
func (p *proxy) record(number int, r *recorder) {
	if r.request == nil || !isCall(p.checker, r.request) {
		p.skip()
		return
	}
	operation, _ := p.checker.Operation(r.request)
	e := exchange{Number: number, Operation: operation}
	if r.response == nil {
		p.mu.Lock()
		p.failed++
		p.mu.Unlock()
		p.logger.Printf("%s: no response: %s", e.place(), failure(r.err))
		return
	}
	recorded := r.recorded()
	p.validating.Go(func() {
		p.validators <- struct{}{}
		found := replay(p.checker, recorded)
		<-p.validators
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls = append(p.calls, call{e, found})
	})
}

// failure returns the class of a transport's error. Its text may quote what was sent.
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

// recorder is the RoundTripper of one request. It records the exchange.
type recorder struct {
	base http.RoundTripper
	max  int64 // the size of the largest body that is validated

	request        *http.Request // as it was forwarded; nil if it was not
	response       *http.Response
	err            error
	sent, received *recordingBody // nil if there is no body
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	outgoing := *req
	if req.Body != nil && req.Body != http.NoBody {
		r.sent = &recordingBody{ReadCloser: req.Body, max: r.max, length: req.ContentLength}
		outgoing.Body = r.sent
	}
	r.request = req.Clone(context.WithoutCancel(req.Context()))
	resp, err := r.base.RoundTrip(&outgoing)
	if err != nil {
		r.err = err
		return nil, err
	}
	r.response = &http.Response{StatusCode: resp.StatusCode, Header: resp.Header.Clone()}
	// The body of 101 is the connection, and must stay an io.Writer.
	if resp.StatusCode != http.StatusSwitchingProtocols && resp.Body != nil && resp.Body != http.NoBody {
		r.received = &recordingBody{ReadCloser: resp.Body, max: r.max, length: resp.ContentLength}
		resp.Body = r.received
	}
	return resp, nil
}

func (r *recorder) recorded() recordedExchange {
	return recordedExchange{request: r.request, response: r.response, sent: r.sent.recorded(), received: r.received.recorded()}
}

// recordingBody is a body that keeps a copy of what is read from it, up to one byte more than max.
type recordingBody struct {
	io.ReadCloser
	max    int64
	length int64 // the length of the body, or -1 if unknown

	mu    sync.Mutex // the transport may read a request's body after the response
	kept  bytes.Buffer
	count int64
	err   error
}

func (b *recordingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count += int64(n)
	if room := b.max + 1 - int64(b.kept.Len()); room > 0 {
		b.kept.Write(p[:min(int64(n), room)])
	}
	b.err = err
	return n, err
}

// recorded returns what has been read so far.
func (b *recordingBody) recorded() recordedBody {
	if b == nil {
		return recordedBody{end: io.EOF}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	end := b.err
	switch {
	case b.count == b.length:
		end = io.EOF
	case errors.Is(end, context.Canceled):
		end = nil // the client has closed the body
	}
	return recordedBody{data: bytes.Clone(b.kept.Bytes()), end: end}
}
