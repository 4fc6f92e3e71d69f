package orgkeys

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
)

// TestNeverWritten verifies that only a transport that requested a connection, got none and did not
// read the body is certain to have written nothing.
func TestNeverWritten(t *testing.T) {
	for _, row := range []struct {
		getConn, gotConn, read bool
		want                   bool
	}{
		{false, false, false, false},
		{false, false, true, false},
		{false, true, false, false},
		{false, true, true, false},
		{true, false, false, true},
		{true, false, true, false},
		{true, true, false, false},
		{true, true, true, false},
	} {
		w := &wire{content: []byte("x")}
		trace := httptrace.ContextClientTrace(w.trace(t.Context()))
		if row.getConn {
			trace.GetConn("api.example:443")
		}
		if row.gotConn {
			trace.GotConn(httptrace.GotConnInfo{})
		}
		if row.read {
			_, _ = w.Read(nil)
		}
		assert.Equal(t, row.want, w.neverWritten(), "%+v", row)
	}
}

// TestReplays verifies that each connection that is used after the request's header was written
// counts as a repetition of the request.
func TestReplays(t *testing.T) {
	w := &wire{}
	trace := httptrace.ContextClientTrace(w.trace(t.Context()))
	trace.GotConn(httptrace.GotConnInfo{})
	trace.GotConn(httptrace.GotConnInfo{})
	assert.False(t, w.replays.Load() > 0, "the first connection was not used")
	trace.WroteHeaders()
	assert.Zero(t, w.replays.Load())
	trace.GotConn(httptrace.GotConnInfo{})
	assert.EqualValues(t, 1, w.replays.Load())
	trace.GotConn(httptrace.GotConnInfo{})
	assert.EqualValues(t, 2, w.replays.Load())
}

func TestWireRead(t *testing.T) {
	require.NoError(t, iotest.TestReader(&wire{content: []byte("content")}, []byte("content")))
	require.NoError(t, iotest.TestReader(&wire{}, nil))
}

func TestReadAll(t *testing.T) {
	for _, row := range []struct {
		size, length, limit int64
		want                error
	}{
		{0, -1, 1, nil},
		{10, 10, 10, nil},
		{10, -1, 10, nil},
		{11, -1, 10, errBodyTooLarge},
		{11, 10, 10, errBodyTooLarge},
		{1, -1, 1, nil},
		{2, -1, 1, errBodyTooLarge},
		{5000, -1, 5000, nil},
		{5001, -1, 5000, errBodyTooLarge},
		{5000, 5000, math.MaxInt64, nil},
		{5000, math.MaxInt64, math.MaxInt64, nil}, // a Content-Length does not cause an allocation of that size
		{3 << 20, -1, 3 << 20, nil},
		{3<<20 + 1, 3 << 20, 3 << 20, errBodyTooLarge},
	} {
		content := bytes.Repeat([]byte("x"), int(row.size))
		for _, reader := range []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r }, iotest.DataErrReader, iotest.HalfReader,
		} {
			got, err := readAll(t.Context(), nil, reader(bytes.NewReader(content)), row.length, row.limit)
			require.ErrorIs(t, err, row.want, "%+v", row)
			if err == nil {
				assert.True(t, bytes.Equal(content, got), "%+v", row)
			}
			assert.LessOrEqual(t, int64(cap(got)), max(2*row.size, 2<<20), "%+v", row)
		}
	}
	partial, err := readAll(t.Context(), []byte("kept "), iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("abc"))), -1, 10)
	assert.ErrorIs(t, err, iotest.ErrTimeout)
	assert.Equal(t, "kept a", string(partial))
}

// TestAsProxyRefusal covers which errors of a transport mean that its proxy refused CONNECT.
func TestAsProxyRefusal(t *testing.T) {
	plain, secure := &url.URL{Scheme: "http", Host: "proxy.example:3128", User: url.UserPassword("u", "secret")}, &url.URL{Scheme: "https", Host: "proxy.example"}
	through := func(proxy *url.URL, err error) *http.Transport {
		return &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return proxy, err }}
	}
	refusal := errors.New("Forbidden")
	for _, row := range []struct {
		name       string
		transport  *http.Transport
		url        string
		handshakes int32
		err        error
		want       bool
	}{
		{"refused", through(plain, nil), stubURL, 0, refusal, true},
		{"refused by a TLS proxy", through(secure, nil), stubURL, 1, refusal, true},
		{"a handshake with the API failed", through(plain, nil), stubURL, 1, refusal, false},
		{"a handshake with the API failed behind a TLS proxy", through(secure, nil), stubURL, 2, refusal, false},
		{"plain HTTP is not tunneled", through(plain, nil), "http://127.0.0.1/v1", 0, refusal, false},
		{"no proxy function", &http.Transport{}, stubURL, 0, refusal, false},
		{"no proxy for this request", through(nil, nil), stubURL, 0, refusal, false},
		{"the proxy function fails", through(nil, io.EOF), stubURL, 0, refusal, false},
		{"the connection was lost", through(plain, nil), stubURL, 0, io.EOF, false},
		{"the connection was cut", through(plain, nil), stubURL, 0, io.ErrUnexpectedEOF, false},
		{"another type", through(plain, nil), stubURL, 0, attemptTimeout(1), false},
		{"another transport", nil, stubURL, 0, refusal, false},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, row.url, nil)
		require.NoError(t, err)
		w := &wire{}
		w.handshakes.Store(row.handshakes)
		got := w.asProxyRefusal(row.transport, request, row.err)
		assert.ErrorIs(t, got, row.err, row.name)
		_, isProxyError := errors.AsType[*proxyError](got)
		assert.Equal(t, row.want, isProxyError, row.name)
		if isProxyError {
			assert.NotContains(t, got.Error(), "secret")
			assert.ErrorContains(t, got, "the proxy proxy.example")
		}
	}
}

// TestAttempt_TransportsThatViolateRoundTripper verifies that a call ends with an error that is not
// ErrNotSent if its transport violates the documentation of http.RoundTripper, or returns a body
// whose Read blocks.
func TestAttempt_TransportsThatViolateRoundTripper(t *testing.T) {
	hung := func(status int) stubTransport {
		return func(*http.Request) (*http.Response, error) {
			body, _ := io.Pipe() // ignores the context
			r := jsonResponse(status, "")
			r.Body, r.ContentLength = body, -1
			return r, nil
		}
	}
	for name, transport := range map[string]stubTransport{
		"nil and nil":        func(*http.Request) (*http.Response, error) { return nil, nil },
		"response and error": func(*http.Request) (*http.Response, error) { return jsonResponse(200, "{}"), io.EOF },
		"no status":          func(*http.Request) (*http.Response, error) { return &http.Response{}, nil },
		"negative status":    func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: -1}, nil },
		"no header, no body": func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 500}, nil },
		"EOF":                func(*http.Request) (*http.Response, error) { return nil, io.EOF },
		"101":                hung(101),
		"a reader of nothing": func(*http.Request) (*http.Response, error) {
			r := jsonResponse(200, "")
			r.Body, r.ContentLength = &idleBody{}, -1
			return r, nil
		},
		"a body that hangs":     hung(200),
		"an error that hangs":   hung(500),
		"a redirect that hangs": hung(302),
	} {
		for method, call := range everyMethod {
			t.Run(name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client := stubClient(t, transport, WithAttemptTimeout(time.Second), WithRetry(Retry{MaxAttempts: 2, BaseDelay: 1}))
					started := time.Now()
					err := call(t.Context(), client)
					require.Error(t, err)
					assert.NotErrorIs(t, err, ErrNotSent)
					assert.NotContains(t, err.Error(), "nothing was sent")
					assert.LessOrEqual(t, time.Since(started), 2*time.Second+10*time.Millisecond)

					client = stubClient(t, transport, WithAttemptTimeout(time.Hour), WithRetry(Retry{MaxAttempts: 1}))
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					started = time.Now()
					require.Error(t, call(ctx, client))
					assert.LessOrEqual(t, time.Since(started), time.Second+5*time.Millisecond)
				})
			})
		}
	}
}

// idleBody is a body whose Read returns 0 and nil after a millisecond, even after Close.
type idleBody struct{}

func (*idleBody) Read([]byte) (int, error) {
	time.Sleep(time.Millisecond)
	return 0, nil
}

func (*idleBody) Close() error { return nil }

// pipeTransport returns net/http's transport with connections that serve serves.
func pipeTransport(t *testing.T, serve func(c net.Conn, closed <-chan struct{})) *http.Transport {
	transport := &http.Transport{MaxResponseHeaderBytes: 100_000, DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer func() { _ = far.Close() }()
			if _, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
				closed := make(chan struct{})
				go func() {
					_, _ = io.Copy(io.Discard, far)
					close(closed)
				}()
				serve(far, closed)
			}
		}()
		return near, nil
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// TestInterimResponses verifies that 1xx responses, however many, neither prolong a call beyond the
// timeout of its attempts or its context, nor are returned as its result.
func TestInterimResponses(t *testing.T) {
	repeat := func(text string, pause time.Duration) func(net.Conn, <-chan struct{}) {
		return func(c net.Conn, closed <-chan struct{}) {
			for {
				if _, err := io.WriteString(c, text); err != nil {
					return
				}
				select {
				case <-closed:
					return
				case <-time.After(pause):
				}
			}
		}
	}
	const never = 1000 * time.Hour
	const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	for name, serve := range map[string]func(net.Conn, <-chan struct{}){
		"101 and silence":      repeat("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", never),
		"101 without headers":  repeat("HTTP/1.1 101 Switching Protocols\r\n\r\n", never),
		"101 and a stream":     repeat("HTTP/1.1 101 Switching Protocols\r\n\r\n", time.Second),
		"103 and silence":      repeat(hints, never),
		"103 every second":     repeat(hints, time.Second),
		"103 without a pause":  repeat(strings.Repeat(hints, 1000), 0),
		"100 every second":     repeat("HTTP/1.1 100 Continue\r\n\r\n", time.Second),
		"102 every second":     repeat("HTTP/1.1 102 Processing\r\n\r\n", time.Second),
		"199 and silence":      repeat("HTTP/1.1 199 Odd\r\n\r\n", never),
		"099 and silence":      repeat("HTTP/1.1 099 Odd\r\n\r\n", never),
		"an endless header":    repeat("HTTP/1.1 200 OK\r\nX-A: ", never),
		"a byte every second":  repeat("H", time.Second),
		"an unfinished status": repeat("HTTP/1.1 1", never),
	} {
		for method, call := range everyMethod {
			t.Run(name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					check := func(ctx context.Context, timeout time.Duration) {
						client := stubClient(t, pipeTransport(t, serve), WithBaseURL("http://127.0.0.1/v1"),
							WithAttemptTimeout(timeout), WithRetry(Retry{MaxAttempts: 2, BaseDelay: 1}))
						started := time.Now()
						err := call(ctx, client)
						require.Error(t, err)
						assert.NotErrorIs(t, err, ErrNotSent)
						assert.LessOrEqual(t, time.Since(started), 2*time.Minute+2)
					}
					check(t.Context(), time.Minute)
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
					defer cancel()
					check(ctx, time.Hour)
				})
			})
		}
	}
}

// everyMethod contains one call of each method that sends a request.
var everyMethod = map[string]func(context.Context, *Client) error{
	"AdminKeys.List": func(ctx context.Context, c *Client) error {
		return errorOf(c.AdminKeys.List(ctx, AdminKeyListParams{}))
	},
	"AdminKeys.All": func(ctx context.Context, c *Client) (err error) {
		for _, err = range c.AdminKeys.All(ctx, AdminKeyListParams{}) {
		}
		return err
	},
	"AdminKeys.Create": func(ctx context.Context, c *Client) error {
		return errorOf(c.AdminKeys.Create(ctx, AdminKeyCreateParams{Name: "ci"}))
	},
	"AdminKeys.FindCreated": func(ctx context.Context, c *Client) error {
		return errorOf(c.AdminKeys.FindCreated(ctx, &UnknownOutcomeError{Operation: createOp.ID, Name: "ci", StartedAt: time.Now()}))
	},
	"ProjectKeys.Get": func(ctx context.Context, c *Client) error {
		return errorOf(c.ProjectKeys.Get(ctx, "proj_abc", "key_1"))
	},
	"ProjectKeys.Update": func(ctx context.Context, c *Client) error {
		return errorOf(c.ProjectKeys.Update(ctx, "proj_abc", "key_1", ProjectKeyUpdateParams{ExpiresInSeconds: new(60)}))
	},
	"ProjectKeys.Delete": func(ctx context.Context, c *Client) error {
		return errorOf(c.ProjectKeys.Delete(ctx, "proj_abc", "key_1"))
	},
	"ServiceAccounts.List": func(ctx context.Context, c *Client) error {
		return errorOf(c.ServiceAccounts.List(ctx, "proj_abc", ServiceAccountListParams{}))
	},
	"ServiceAccounts.Create": func(ctx context.Context, c *Client) error {
		return errorOf(c.ServiceAccounts.Create(ctx, "proj_abc", ServiceAccountCreateParams{Name: "ci"}))
	},
	"Generated": func(ctx context.Context, c *Client) error {
		return errorOf(c.Generated().AdminAPIKeysCreateWithResponse(ctx, createBody))
	},
}

func errorOf[T any](_ T, err error) error { return err }

var createBody = gen.AdminAPIKeysCreateJSONRequestBody{Name: "ci"}

// TestReleaseClearsTheBody: a buffer that held a key does not keep it.
func TestReleaseClearsTheBody(t *testing.T) {
	for _, size := range []int{10, maxPooled + 1} {
		content := make([]byte, size)
		copy(content, "a new key")
		c := record(t, createOp)
		buffer := content
		c.body = &buffer
		c.release()
		assert.Equal(t, make([]byte, size), content)
		assert.Nil(t, c.body)
		c.release()
	}
}
