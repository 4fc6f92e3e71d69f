package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// testCommand is an environment variable. The proxy runs the test binary as its command, and the variable
// selects what it does.
const testCommand = "SPECCHECK_TEST_COMMAND"

func TestMain(m *testing.M) {
	if name := os.Getenv(testCommand); name != "" {
		os.Exit(commands[name]())
	}
	os.Exit(m.Run())
}

var commands = map[string]func() int{
	// get gets a page of admin keys, and exits with the status in EXIT.
	"get": func() int {
		response, err := http.Get(os.Getenv("OPENAI_BASE_URL") + "/organization/admin_api_keys")
		if err != nil {
			fmt.Println(err)
			return 9
		}
		_, _ = io.Copy(io.Discard, response.Body)
		fmt.Println("status", response.StatusCode)
		status, _ := strconv.Atoi(os.Getenv("EXIT"))
		return status
	},
	// environment prints the variables of the proxy.
	"environment": func() int {
		fmt.Println(os.Getenv("OPENAI_BASE_URL"), os.Getenv("SPECCHECK_URL"))
		return 0
	},
	// copy copies standard input to standard output.
	"copy": func() int {
		_, err := io.Copy(os.Stdout, os.Stdin)
		if err != nil {
			return 9
		}
		return 0
	},
	// wait runs until it is killed or interrupted.
	"wait": func() int {
		fmt.Println("waiting")
		select {}
	},
}

const (
	keysPath   = "/v1/organization/admin_api_keys"
	emptyPage  = `{"object":"list","data":[],"has_more":false}`
	brokenPage = `{"object":"list","data":[],"has_more":"m4rk3r"}`
	violation  = "exchange 1: admin-api-keys-list 200: response body /has_more: type: expected boolean, found string (body)"
)

// newServer returns a server that responds with a JSON body.
func newServer(t testing.TB, body string) *httptest.Server {
	return handle(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
}

func handle(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// unusedAddress returns a loopback address that nothing listens on.
func unusedAddress(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// runProxy runs the command line with a proxy. The command is a name in commands; "" is none.
func runProxy(t testing.TB, p *process, command string, environ []string, args ...string) result {
	var stdout, stderr output
	p.stdout, p.stderr = &stdout, &stderr
	p.environ = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "OPENAI_") || strings.HasPrefix(strings.ToLower(variable), "http_proxy=")
	}), append(environ, testCommand+"="+command, "GORACE=atexit_sleep_ms=0")...)
	if p.signals == nil {
		p.signals = func() (<-chan os.Signal, func()) { return nil, func() {} }
	}
	if p.stdin == nil {
		p.stdin = strings.NewReader("")
	}
	if !slices.Contains(args, "-listen") {
		args = append([]string{"-listen", "127.0.0.1:0"}, args...)
	}
	if command != "" {
		args = append(args, "--", os.Args[0])
	}
	status := run(args, p)
	assert.NotContains(t, stdout.String()+stderr.String(), marker)
	_, rest, found := strings.Cut(stderr.String(), "\n")
	if found && strings.HasPrefix(stderr.String(), "speccheck: listening on ") {
		return result{status, stdout.String(), rest}
	}
	return result{status, stdout.String(), stderr.String()}
}

func TestProxy_exitStatus(t *testing.T) {
	const clean, broken = "checked 1, skipped 0: 0 violations, 0 notes\n", "FAIL " + violation + "\nchecked 1, skipped 0: 1 violation, 0 notes\n"
	for _, row := range []struct {
		name, body, exit string
		args             []string
		want             result
	}{
		{"valid", emptyPage, "0", nil, result{exitOK, "status 200\n" + clean, ""}},
		{"a violation", brokenPage, "0", nil, result{exitViolations, "status 200\n" + broken, ""}},
		{"a violation that does not fail", brokenPage, "0", []string{"-fail", "none"}, result{
			exitOK, "status 200\nnote " + violation + "\nchecked 1, skipped 0: 0 violations, 1 note\n", "",
		}},
		{"a failing command", emptyPage, "1", nil, result{1, "status 200\n" + clean, ""}},
		{"a failing command with another status", emptyPage, "77", nil, result{77, "status 200\n" + clean, ""}},
		{"a failing command and a violation", brokenPage, "77", nil, result{77, "status 200\n" + broken, ""}},
		{"github", brokenPage, "0", []string{"-format", "github"}, result{
			exitViolations, "status 200\n::error title=speccheck%3A body::" + violation + "\nchecked 1, skipped 0: 1 violation, 0 notes\n", "",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := newServer(t, row.body)
			got := runProxy(t, &process{}, "get", []string{"EXIT=" + row.exit}, append(row.args, "-to", server.URL)...)
			assert.Equal(t, row.want, got)
		})
	}
}

func TestProxy_reportFile(t *testing.T) {
	server := newServer(t, brokenPage)
	file := filepath.Join(t.TempDir(), "report")
	for format, want := range map[string]string{
		"json":  `"entry": 1,`,
		"junit": `name="exchange 1"`,
	} {
		got := runProxy(t, &process{}, "get", nil, "-to", server.URL, "-format", format, "-output", file)
		assert.Equal(t, result{exitViolations, "status 200\n", ""}, got, "the output of the command alone")
		report, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(report), want)
		assert.NotContains(t, string(report), `"file"`)
	}
}

func TestProxy_commandInput(t *testing.T) {
	got := runProxy(t, &process{stdin: strings.NewReader("a line")}, "copy", nil, "-to", "https://api.example")
	assert.Equal(t, result{
		exitError, "a line", "speccheck: no call of an operation in the contract passed through the proxy (skipped 0)\n",
	}, got)
}

func TestProxy_baseURLOfTheCommand(t *testing.T) {
	for _, row := range []struct{ environ, to, want string }{
		{"", "http://127.0.0.1:1", "ADDR/v1 ADDR"},
		{"", "https://api.example/v1", "ADDR ADDR"},
		{"OPENAI_BASE_URL=", "http://127.0.0.1:1", "ADDR/v1 ADDR"},
		{"OPENAI_BASE_URL=http://127.0.0.1:1/prefix/v1", "http://127.0.0.1:1", "ADDR/prefix/v1 ADDR"},
		{"OPENAI_BASE_URL=https://other.example/v1", "https://api.example/v1", "ADDR ADDR"},
	} {
		got := runProxy(t, &process{}, "environment", []string{row.environ}, "-to", row.to)
		baseURL, address, _ := strings.Cut(strings.TrimSpace(got.stdout), " ")
		assert.Regexp(t, `^http://127\.0\.0\.1:\d+$`, address)
		assert.Equal(t, row.want, strings.ReplaceAll(baseURL+" "+address, address, "ADDR"))
		assert.Equal(t, exitError, got.status)
	}
}

func TestProxiedBaseURL(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}
	for _, row := range []struct{ current, target, want string }{
		{"", "http://127.0.0.1:9090", "http://127.0.0.1:8080/v1"},
		{"", "http://127.0.0.1:9090/", "http://127.0.0.1:8080/v1"},
		{"", "https://api.example/v1", "http://127.0.0.1:8080"},
		{"", "https://api.example/v1/", "http://127.0.0.1:8080"},
		{"http://127.0.0.1:9090/v1", "http://127.0.0.1:9090", "http://127.0.0.1:8080/v1"},
		{"http://127.0.0.1:9090/v1/", "http://127.0.0.1:9090", "http://127.0.0.1:8080/v1"},
		{"http://127.0.0.1:9090", "http://127.0.0.1:9090", "http://127.0.0.1:8080"},
		{"https://API.example/openai/v1", "https://api.example/openai", "http://127.0.0.1:8080/v1"},
		{"https://api.example/openai", "https://api.example/openai/", "http://127.0.0.1:8080"},
		{"http://127.0.0.1:8080/other", "http://127.0.0.1:9090", "http://127.0.0.1:8080/other"},
		{"https://api.example/openai2/v1", "https://api.example/openai", "http://127.0.0.1:8080"},
		{"https://api.example/v2", "https://api.example/openai", "http://127.0.0.1:8080"},
		{"https://api.example/v2", "http://api.example", "http://127.0.0.1:8080/v1"},
		{"https://api.example:8443/v2", "https://api.example", "http://127.0.0.1:8080/v1"},
		{"::", "https://api.example", "http://127.0.0.1:8080/v1"},
	} {
		target, err := url.Parse(row.target)
		require.NoError(t, err)
		environ := []string{"OPENAI_BASE_URL=overridden", "OPENAI_BASE_URL=" + row.current, "OTHER="}
		assert.Equal(t, row.want, proxiedBaseURL(environ, target, proxy), "%q to %q", row.current, row.target)
	}
}

func TestProxy_commandThatCannotStart(t *testing.T) {
	var stdout, stderr output
	p := &process{stdout: &stdout, stderr: &stderr, signals: func() (<-chan os.Signal, func()) { return nil, func() {} }}
	status := run([]string{"-listen", "127.0.0.1:0", "-to", "http://127.0.0.1:1", "--", filepath.Join(t.TempDir(), "none")}, p)
	assert.Equal(t, exitError, status)
	assert.Empty(t, stdout.String())
	assert.Contains(t, stderr.String(), "\nspeccheck: run the command: ")
}

func TestProxy_portInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	got := runProxy(t, &process{}, "copy", nil, "-listen", listener.Addr().String(), "-to", "http://127.0.0.1:1")
	assert.Equal(t, exitError, got.status)
	assert.Contains(t, got.stderr, "speccheck: -listen: ")
	assert.Contains(t, got.stderr, listener.Addr().String())
	assert.Empty(t, got.stdout, "the command runs")
}

func TestProxy_forwardingToItself(t *testing.T) {
	address := unusedAddress(t)
	got := runProxy(t, &process{}, "copy", nil, "-listen", address, "-to", "http://"+address+"/v1")
	assert.Equal(t, result{exitError, "", "speccheck: -to http://" + address + "/v1 is the address that the proxy itself listens on\n"}, got)
}

func TestProxy_unreachableServer(t *testing.T) {
	unreachable := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused by m4rk3r")}
	}}
	got := runProxy(t, &process{transport: unreachable}, "get", nil, "-to", "http://127.0.0.1:1")
	assert.Equal(t, result{
		exitError, "status 502\n",
		"speccheck: exchange 1: no response: the server cannot be reached\n" +
			"speccheck: no call of an operation in the contract passed through the proxy (skipped 0, no response 1)\n",
	}, got)
}

func TestProxy_interruptedWithoutACommand(t *testing.T) {
	server := newServer(t, brokenPage)
	signals := make(chan os.Signal, 1)
	p := &process{}
	p.signals = func() (<-chan os.Signal, func()) {
		line, _, _ := strings.Cut(p.stderr.(*output).String(), ",")
		go func() {
			response, err := http.Get(strings.TrimPrefix(line, "speccheck: listening on ") + keysPath)
			if assert.NoError(t, err) {
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
			signals <- os.Interrupt
		}()
		return signals, func() {}
	}
	got := runProxy(t, p, "", nil, "-to", server.URL)
	assert.Equal(t, result{exitViolations, "FAIL " + violation + "\nchecked 1, skipped 0: 1 violation, 0 notes\n", ""}, got)
}

// writerFunc is an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestProxy_forwardsSignals tests that signals reach the command, and the exit status after that.
func TestProxy_forwardsSignals(t *testing.T) {
	for _, row := range []struct {
		signal syscall.Signal
		status int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		signals := make(chan os.Signal, 1)
		p := &process{
			stderr: io.Discard, environ: append(os.Environ(), testCommand+"=wait"),
			signals: func() (<-chan os.Signal, func()) { return signals, func() {} },
			stdout: writerFunc(func(text []byte) (int, error) {
				signals <- row.signal // when the command is running
				return len(text), nil
			}),
		}
		assert.Equal(t, row.status, run([]string{"-listen", "127.0.0.1:0", "-to", "http://127.0.0.1:1", "--", os.Args[0]}, p))
	}
}

// testProxy is a proxy in this process.
type testProxy struct {
	*proxy
	url    string
	finish func() *report
	stderr *output
}

// startProxy starts a proxy for a server. It is stopped by finish, at the latest when the test ends.
func startProxy(t testing.TB, target string, change ...func(*config, *process)) *testProxy {
	u, err := url.Parse(target)
	require.NoError(t, err)
	stderr := &output{}
	c, p := &config{target: u, maxBody: speccheck.DefaultMaxBody}, &process{stderr: stderr}
	for _, change := range change {
		change(c, p)
	}
	checker, err := speccheck.New(speccheck.WithMaxBody(c.maxBody))
	require.NoError(t, err)
	listener, err := listenOnLoopback("127.0.0.1:0")
	require.NoError(t, err)
	started := newProxy(checker, c, p)
	stop := started.serve(listener)
	finish := sync.OnceValue(func() *report {
		r := &report{failing: speccheck.FailingKinds()}
		stop(r)
		return r
	})
	t.Cleanup(func() { finish() })
	return &testProxy{started, "http://" + listener.Addr().String(), finish, stderr}
}

// findings returns the violations of a report, one in a line, and its summary.
func findings(r *report) []string {
	var text strings.Builder
	_ = writeText(&text, r)
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// do sends a request, and returns the response with its body.
func do(t testing.TB, method, url string, body io.Reader, header ...string) (*http.Response, string) {
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}).Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response, string(text)
}

func TestProxy_forwardsUnchanged(t *testing.T) {
	var got []string
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %s %s %s %s", r.Method, r.Host, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("X-Forwarded-For"), body))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req_1")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, `{"error": "m4rk3r"}`)
	})
	proxy := startProxy(t, server.URL+"/base")
	response, body := do(t, "POST", proxy.url+keysPath+"?limit=1&x=%2F;y", strings.NewReader(`{"name":7}`), "Authorization", "Bearer m4rk3r", "X-Forwarded-For", "192.0.2.1")
	assert.Equal(t, http.StatusTeapot, response.StatusCode)
	assert.Equal(t, "req_1", response.Header.Get("X-Request-Id"))
	assert.Equal(t, `{"error": "m4rk3r"}`, body)
	do(t, "DELETE", proxy.url+"/v1/organization/projects/a%2Fb/api_keys/%2e", nil)
	do(t, "GET", proxy.url+"/v1/models", nil)
	do(t, "OPTIONS", proxy.url+keysPath, nil)
	host := strings.TrimPrefix(server.URL, "http://")
	assert.Equal(t, []string{
		"POST " + host + " /base" + keysPath + `?limit=1&x=%2F;y Bearer m4rk3r 192.0.2.1 {"name":7}`,
		"DELETE " + host + " /base/v1/organization/projects/a%2Fb/api_keys/%2e   ",
		"GET " + host + " /base/v1/models   ",
		"OPTIONS " + host + " /base" + keysPath + "   ",
	}, got)
	assert.Equal(t, []string{
		"FAIL exchange 1: admin-api-keys-create 418: request body /name: type: expected string, found number (request)",
		"note exchange 1: admin-api-keys-create 418: status: expected 200 or 400 (undocumented-status)",
		"note exchange 2: delete-project-api-key 418: status: expected 200 or 400 (undocumented-status)",
		"checked 2, skipped 2: 1 violation, 2 notes",
	}, findings(proxy.finish()))
	assert.Empty(t, proxy.stderr.String())
}

func TestProxy_redirectsAreNotFollowed(t *testing.T) {
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://m4rk3r.example/", http.StatusFound)
	})
	proxy := startProxy(t, server.URL)
	response, _ := do(t, "GET", proxy.url+keysPath, nil)
	assert.Equal(t, "https://m4rk3r.example/", response.Header.Get("Location"))
	assert.Equal(t, "FAIL exchange 1: admin-api-keys-list 302: status: expected 200 or 400 (status)", findings(proxy.finish())[0])
}

func TestProxy_https(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, brokenPage)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	proxy := startProxy(t, server.URL, func(_ *config, p *process) { p.transport = server.Client().Transport })
	_, body := do(t, "GET", proxy.url+keysPath, nil)
	assert.Equal(t, brokenPage, body)
	assert.Equal(t, "FAIL "+violation, findings(proxy.finish())[0])

	// A certificate that is not trusted is no response.
	proxy = startProxy(t, server.URL)
	response, _ := do(t, "GET", proxy.url+keysPath, nil)
	assert.Equal(t, http.StatusBadGateway, response.StatusCode)
	assert.Equal(t, []string{"checked 0, skipped 0, no response 1: 0 violations, 0 notes"}, findings(proxy.finish()))
	assert.Equal(t, "speccheck: exchange 1: no response: the connection failed\n", proxy.stderr.String())
}

// The client receives each part of a response before the server sends the next one.
func TestProxy_streamsResponses(t *testing.T) {
	for _, length := range []int{-1, len(brokenPage)} {
		t.Run(fmt.Sprint("Content-Length ", length), func(t *testing.T) { testStreamedResponse(t, length) })
	}
}

func testStreamedResponse(t *testing.T, length int) {
	parts := []string{brokenPage[:9], brokenPage[9:20], brokenPage[20:]}
	next := make(chan struct{})
	server := handle(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if length >= 0 {
			w.Header().Set("Content-Length", strconv.Itoa(length))
		}
		for _, part := range parts {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	})
	proxy := startProxy(t, server.URL)
	response, err := http.Get(proxy.url + keysPath)
	require.NoError(t, err)
	for _, part := range parts {
		read := make([]byte, len(part))
		_, err := io.ReadFull(response.Body, read)
		require.NoError(t, err)
		assert.Equal(t, part, string(read))
		next <- struct{}{}
	}
	rest, err := io.ReadAll(response.Body)
	require.NoError(t, err, "the end")
	assert.Empty(t, rest)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, "FAIL "+violation, findings(proxy.finish())[0])
}

func TestProxy_streamsRequests(t *testing.T) {
	received := make(chan string)
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		for _, part := range []string{`{"name":`, `7}`} {
			read := make([]byte, len(part))
			_, err := io.ReadFull(r.Body, read)
			assert.NoError(t, err)
			received <- string(read)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusInternalServerError)
	})
	proxy := startProxy(t, server.URL)
	body, sent := io.Pipe()
	go func() {
		for _, part := range []string{`{"name":`, `7}`} {
			_, _ = io.WriteString(sent, part)
			assert.Equal(t, part, <-received)
		}
		_ = sent.Close()
	}()
	response, _ := do(t, "POST", proxy.url+keysPath, body)
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
	assert.Equal(t, "FAIL exchange 1: admin-api-keys-create 500: request body /name: type: expected string, found number (request)", findings(proxy.finish())[0])
}

func TestProxy_HEAD(t *testing.T) {
	server := handle(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "4242")
	})
	proxy := startProxy(t, server.URL)
	response, _ := do(t, "HEAD", proxy.url+keysPath, nil)
	assert.Equal(t, int64(4242), response.ContentLength)
	assert.Equal(t, []string{"checked 1, skipped 0: 0 violations, 0 notes"}, findings(proxy.finish()))
}

func TestProxy_gzip(t *testing.T) {
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		compressed := gzip.NewWriter(w)
		_, _ = io.WriteString(compressed, brokenPage)
		_ = compressed.Close()
	})
	proxy := startProxy(t, server.URL)
	response, body := do(t, "GET", proxy.url+keysPath, nil, "Accept-Encoding", "gzip")
	assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
	reader, err := gzip.NewReader(strings.NewReader(body))
	require.NoError(t, err)
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	assert.Equal(t, brokenPage, string(text))
	assert.Equal(t, "FAIL "+violation, findings(proxy.finish())[0])
}

func TestProxy_noCompressionUnlessTheClientAcceptsIt(t *testing.T) {
	server := handle(t, func(_ http.ResponseWriter, r *http.Request) { assert.Empty(t, r.Header.Get("Accept-Encoding")) })
	do(t, "GET", startProxy(t, server.URL).url+"/", nil)
}

func TestProxy_bodiesBeyondTheLimit(t *testing.T) {
	large := strings.Repeat(" ", 1<<20) + emptyPage
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, r.Body)
	})
	proxy := startProxy(t, server.URL, func(c *config, _ *process) { c.maxBody = 1000 })
	_, body := do(t, "POST", proxy.url+keysPath, strings.NewReader(large))
	assert.True(t, large == body, "the body is changed")
	assert.Equal(t, []string{
		"FAIL exchange 1: admin-api-keys-create 200: request body: max-body: expected at most 1000 bytes (unchecked)",
		"FAIL exchange 1: admin-api-keys-create 200: response body: max-body: expected at most 1000 bytes (unchecked)",
		"checked 1, skipped 0: 2 violations, 0 notes",
	}, findings(proxy.finish()))
}

func TestProxy_upgrade(t *testing.T) {
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "echo", r.Header.Get("Upgrade"))
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = connection.Close() }()
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(connection, line)
	})
	for _, path := range []string{keysPath, "/v1/realtime"} {
		proxy := startProxy(t, server.URL)
		connection, err := net.Dial("tcp", strings.TrimPrefix(proxy.url, "http://"))
		require.NoError(t, err)
		_, err = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", path)
		require.NoError(t, err)
		reader := bufio.NewReader(connection)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		_, err = io.WriteString(connection, "to and fro\n")
		require.NoError(t, err)
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "to and fro\n", line)
		require.NoError(t, connection.Close())
		want := "checked 0, skipped 1: 0 violations, 0 notes"
		if path == keysPath {
			want = "FAIL exchange 1: admin-api-keys-list 101: status: expected 200 or 400 (status)"
		}
		assert.Equal(t, want, findings(proxy.finish())[0])
	}
}

// An upgraded connection that neither side closes ends with the proxy.
func TestProxy_finishEndsUpgradedConnections(t *testing.T) {
	released := make(chan struct{})
	server := handle(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		connection, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			_, _ = connection.Read(make([]byte, 1)) // until the proxy closes it
			_ = connection.Close()
		}
		close(released)
	})
	proxy := startProxy(t, server.URL)
	connection, err := net.Dial("tcp", strings.TrimPrefix(proxy.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	_, err = fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	require.NoError(t, err)
	_, err = http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	proxy.finish()
	<-released
}

func TestProxy_finishCancelsRequests(t *testing.T) {
	started := make(chan struct{}, 2)
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "DELETE" {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
		} else {
			started <- struct{}{}
		}
		<-r.Context().Done()
	})
	proxy := startProxy(t, server.URL)
	var clients sync.WaitGroup
	for _, call := range []string{"GET " + keysPath, "DELETE /v1/organization/projects/p/api_keys/k"} {
		method, path, _ := strings.Cut(call, " ")
		request, err := http.NewRequestWithContext(t.Context(), method, proxy.url+path, nil)
		require.NoError(t, err)
		clients.Go(func() {
			response, err := http.DefaultClient.Do(request)
			if err == nil {
				if method == "DELETE" {
					started <- struct{}{}
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		})
	}
	<-started
	<-started
	r := proxy.finish()
	clients.Wait()
	assert.Equal(t, 1, r.NoResponse)
	assert.Equal(t, 1, r.Checked)
	assert.Contains(t, proxy.stderr.String(), "no response: the request was canceled\n")
}

func TestProxy_serverThatTruncates(t *testing.T) {
	server := handle(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, emptyPage)
	})
	proxy := startProxy(t, server.URL)
	response, err := http.Get(proxy.url + keysPath)
	require.NoError(t, err)
	_, err = io.ReadAll(response.Body)
	assert.Error(t, err, "the client does not notice")
	_ = response.Body.Close()
	assert.Equal(t, "FAIL exchange 1: admin-api-keys-list 200: response body: incomplete: expected the whole body (unchecked)", findings(proxy.finish())[0])
}

func TestProxy_serverThatDropsTheConnection(t *testing.T) {
	server := handle(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	proxy := startProxy(t, server.URL)
	response, body := do(t, "POST", proxy.url+keysPath, strings.NewReader(`{"name":"ci"}`))
	assert.Equal(t, http.StatusBadGateway, response.StatusCode)
	assert.Equal(t, "speccheck: no response from the server\n", body)
	assert.Equal(t, []string{"checked 0, skipped 0, no response 1: 0 violations, 0 notes"}, findings(proxy.finish()))
	assert.Equal(t, "speccheck: exchange 1: no response: the connection failed\n", proxy.stderr.String())
}

func TestProxy_clientThatDisconnects(t *testing.T) {
	for _, row := range []struct {
		name string
		body string // that the server sends before the client disconnects
		want string
	}{
		{"before the response", "", "checked 0, skipped 0, no response 1: 0 violations, 0 notes"},
		{"within the document", `{"object":`, "FAIL exchange 1: admin-api-keys-list 200: response body: incomplete: expected the whole body (unchecked)"},
		{"after the document", brokenPage, "FAIL " + violation},
	} {
		t.Run(row.name, func(t *testing.T) {
			started, ended := make(chan struct{}), make(chan struct{})
			server := handle(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				w.Header().Set("Content-Type", "application/json")
				if row.body != "" {
					_, _ = io.WriteString(w, row.body)
					_ = http.NewResponseController(w).Flush()
				}
				close(started)
				<-r.Context().Done()
			})
			proxy := startProxy(t, server.URL)
			ctx, cancel := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, "GET", proxy.url+keysPath, nil)
			require.NoError(t, err)
			if row.body == "" {
				go func() { <-started; cancel() }()
			}
			response, err := http.DefaultClient.Do(request)
			if row.body == "" {
				require.ErrorIs(t, err, context.Canceled)
			} else {
				require.NoError(t, err)
				_, err = io.ReadFull(response.Body, make([]byte, len(row.body)))
				require.NoError(t, err)
				_ = response.Body.Close()
			}
			cancel()
			<-ended // the disconnection has reached the server
			assert.Equal(t, row.want, findings(proxy.finish())[0])
		})
	}
}

func TestProxy_CONNECT(t *testing.T) {
	proxy := startProxy(t, newServer(t, emptyPage).URL)
	connection, err := net.Dial("tcp", strings.TrimPrefix(proxy.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	_, err = io.WriteString(connection, "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example\r\n\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	assert.Equal(t, []string{"checked 0, skipped 1: 0 violations, 0 notes"}, findings(proxy.finish()))
}

func TestProxy_concurrentRequests(t *testing.T) {
	server := handle(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("after") == "1" {
			_, _ = io.WriteString(w, brokenPage)
			return
		}
		_, _ = io.WriteString(w, emptyPage)
	})
	proxy := startProxy(t, server.URL)
	const clients, calls = 8, 20
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := range calls {
				response, err := http.Get(fmt.Sprintf("%s%s?after=%d", proxy.url, keysPath, i%2))
				if !assert.NoError(t, err) {
					return
				}
				_, err = io.Copy(io.Discard, response.Body)
				assert.NoError(t, err)
				_ = response.Body.Close()
			}
		})
	}
	wg.Wait()
	r := proxy.finish()
	assert.Equal(t, clients*calls, r.Checked)
	assert.Len(t, r.Findings, clients*calls/2)
	assert.True(t, slices.IsSortedFunc(r.Exchanges, func(a, b exchange) int { return a.Number - b.Number }))
}

func TestFailure(t *testing.T) {
	quoting := errors.New(`malformed HTTP response "m4rk3r"`)
	assert.Equal(t, "the connection failed", failure(quoting))
	assert.Equal(t, "the connection failed", failure(&net.OpError{Op: "read", Err: quoting}))
	assert.Equal(t, "the server cannot be reached", failure(fmt.Errorf("m4rk3r: %w", &net.OpError{Op: "dial", Err: quoting})))
	assert.Equal(t, "the request was canceled", failure(&url.Error{Op: "Get", URL: "m4rk3r", Err: context.Canceled}))
}
