package orgkeys

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// assertNotSent verifies that err is ErrNotSent and that its text contains "nothing was sent".
func assertNotSent(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	assert.ErrorIs(t, err, ErrNotSent)
	assert.Equal(t, 1, strings.Count(err.Error(), "nothing was sent"), "%v", err)
	_, isUnknown := errors.AsType[*UnknownOutcomeError](err)
	assert.False(t, isUnknown, "%v", err)
}

// TestErrNotSent covers, for every method, each cause of an error before anything is sent.
func TestErrNotSent(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	hang := func(context.Context, string, string) (net.Conn, error) {
		time.Sleep(time.Hour) // the transport continues to dial after the end of the attempt
		return nil, refused
	}
	canceled := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx
	}
	shortly := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
	same := func(ctx context.Context) context.Context { return ctx }
	source := func(f func(context.Context) (string, error)) []Option { return []Option{WithAdminKeySource(f)} }
	broken := errors.New("broken")
	for _, row := range []struct {
		name    string
		context func(context.Context) context.Context
		dial    func(context.Context, string, string) (net.Conn, error)
		proxy   func(*http.Request) (*url.URL, error)
		options []Option
		cause   error
	}{
		{name: "context canceled", context: canceled, cause: context.Canceled},
		{name: "canceled while dialing", context: shortly, dial: hang, cause: context.DeadlineExceeded},
		{
			name: "canceled while waiting to retry", context: shortly, cause: context.DeadlineExceeded,
			dial:    func(context.Context, string, string) (net.Conn, error) { return nil, refused },
			options: []Option{WithRetry(Retry{MaxAttempts: 1000, BaseDelay: time.Hour, MaxWait: time.Hour})},
		},
		{
			name: "connection refused", context: same, cause: refused,
			dial: func(context.Context, string, string) (net.Conn, error) { return nil, refused },
		},
		{name: "attempt timeout while dialing", context: same, dial: hang, cause: attemptTimeout(30 * time.Second)},
		{name: "attempt timeout at once", context: same, dial: hang, options: []Option{WithAttemptTimeout(1)}, cause: attemptTimeout(1)},
		{
			name: "TLS handshake that hangs", context: shortly, cause: context.DeadlineExceeded,
			dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				near, far := net.Pipe()
				time.AfterFunc(time.Hour, func() { _ = far.Close() })
				go func() { _, _ = io.Copy(io.Discard, far) }()
				return near, nil
			},
		},
		{
			name: "key source fails", context: same, cause: broken,
			options: source(func(context.Context) (string, error) { return "", broken }),
		},
		{
			name: "key source returns no key", context: same, cause: errNoAdminKey,
			options: source(func(context.Context) (string, error) { return "", nil }),
		},
		{
			name: "context ended during the key source", context: shortly, cause: context.DeadlineExceeded,
			options: source(func(context.Context) (string, error) {
				time.Sleep(time.Minute)
				return "sk-admin-test", nil
			}),
		},
		{
			name: "proxy function fails", context: same, cause: broken,
			proxy: func(*http.Request) (*url.URL, error) { return nil, broken },
		},
		{name: "reserved header", context: func(ctx context.Context) context.Context { return WithHeader(ctx, "Host", "x") }, cause: ErrInvalidArgument},
	} {
		for method, call := range everyMethod {
			t.Run(row.name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					dial := row.dial
					if dial == nil {
						dial = func(context.Context, string, string) (net.Conn, error) { panic("a connection was dialed") }
					}
					transport := &http.Transport{DialContext: dial, Proxy: row.proxy}
					err := call(row.context(t.Context()), stubClient(t, transport, row.options...))
					assertNotSent(t, err)
					assert.ErrorIs(t, err, row.cause)
					time.Sleep(3 * time.Hour) // of fake time, until the dials in the background end
				})
			})
		}
	}
}

// TestErrNotSent_InvalidArguments covers one invalid argument of each method.
func TestErrNotSent_InvalidArguments(t *testing.T) {
	ctx := t.Context()
	c := stubClient(t, stubTransport(mustNotSend))
	edit := func(change func(*http.Request)) error {
		return errorOf(c.Generated().AdminAPIKeysCreateWithResponse(ctx, createBody, func(_ context.Context, r *http.Request) error {
			change(r)
			return nil
		}))
	}
	for name, err := range map[string]error{
		"AdminKeys.List":         errorOf(c.AdminKeys.List(ctx, AdminKeyListParams{Limit: new(0)})),
		"AdminKeys.Create":       errorOf(c.AdminKeys.Create(ctx, AdminKeyCreateParams{})),
		"AdminKeys.FindCreated":  errorOf(c.AdminKeys.FindCreated(ctx, nil)),
		"ProjectKeys.Get":        errorOf(c.ProjectKeys.Get(ctx, "..", "key_1")),
		"ProjectKeys.Update":     errorOf(c.ProjectKeys.Update(ctx, "proj_abc", "key_1", ProjectKeyUpdateParams{})),
		"ProjectKeys.Delete":     errorOf(c.ProjectKeys.Delete(ctx, "proj_abc", "")),
		"ServiceAccounts.List":   errorOf(c.ServiceAccounts.List(ctx, "", ServiceAccountListParams{})),
		"ServiceAccounts.Create": errorOf(c.ServiceAccounts.Create(ctx, "proj_abc", ServiceAccountCreateParams{Name: " "})),
		"malformed header":       edit(func(r *http.Request) { r.Header.Set("X-A", "1\n2") }),
		"malformed header name":  edit(func(r *http.Request) { r.Header["X A"] = []string{"1"} }),
		"empty header name":      edit(func(r *http.Request) { r.Header[""] = []string{"1"} }),
		"malformed trailer":      edit(func(r *http.Request) { r.Trailer = http.Header{"X-A": {"\x00"}} }),
		"another request":        edit(func(r *http.Request) { *r = *r.WithContext(ctx); r.Method = http.MethodPut }),
	} {
		t.Run(name, func(t *testing.T) {
			assertNotSent(t, err)
			assert.ErrorIs(t, err, ErrInvalidArgument)
		})
	}
}

// TestErrNotSent_AfterAnAttempt verifies that the error of a call is not ErrNotSent if any attempt
// sent something, even if the last attempt sent nothing.
func TestErrNotSent_AfterAnAttempt(t *testing.T) {
	inner := argumentError("of another client")
	for name, second := range map[string]func() (string, error){
		"key source fails":            func() (string, error) { return "", inner },
		"the new key is in the path":  func() (string, error) { return "key_1", nil },
		"no connection at the second": func() (string, error) { return "sk-admin-test", nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				keys := 0
				transport := stubTransport(func(*http.Request) (*http.Response, error) {
					if keys == 1 {
						return jsonResponse(500, envelope), nil
					}
					return nil, inner
				})
				c := stubClient(t, transport, WithRetry(Retry{MaxAttempts: 2}), WithAdminKeySource(func(context.Context) (string, error) {
					if keys++; keys == 1 {
						return "sk-admin-test", nil
					}
					return second()
				}))
				_, err := c.ProjectKeys.Delete(t.Context(), "proj_abc", "key_1")
				require.Error(t, err)
				assert.NotErrorIs(t, err, ErrNotSent)
				assert.NotErrorIs(t, err, ErrInvalidArgument)
				assert.NotContains(t, err.Error(), "nothing was sent")
			})
		})
	}
}

// tlsServer returns a server that must not be sent a request.
func tlsServer() *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a request was sent") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

// TestProxyRefusal verifies that the error names a proxy that refuses CONNECT, after one attempt,
// and does not name it if the TLS handshake with the server behind it fails.
func TestProxyRefusal(t *testing.T) {
	api := tlsServer()
	defer api.Close()
	for _, row := range []struct {
		name, status string
		named        bool
	}{{"refuses", "403 Forbidden", true}, {"asks for credentials", "407 Proxy Authentication Required", true}, {"no reason", "502", true}, {"connects", "200 OK", false}} {
		t.Run(row.name, func(t *testing.T) {
			var connects atomic.Int32
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer func() { _ = l.Close() }()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					connects.Add(1)
					go func() {
						defer func() { _ = c.Close() }()
						if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
							return
						}
						_, _ = io.WriteString(c, "HTTP/1.1 "+row.status+"\r\n\r\n")
						if row.named {
							return
						}
						upstream, err := net.Dial("tcp", api.Listener.Addr().String())
						if err != nil {
							return
						}
						defer func() { _ = upstream.Close() }()
						go func() { _, _ = io.Copy(upstream, c) }()
						_, _ = io.Copy(c, upstream)
					}()
				}
			}()
			roots := x509.NewCertPool()
			roots.AddCert(api.Certificate())
			transport := &http.Transport{
				Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String(), User: url.UserPassword("user", "secret")}),
				TLSClientConfig: &tls.Config{RootCAs: roots, VerifyConnection: func(tls.ConnectionState) error { return errors.New("the certificate is not pinned") }},
			}
			defer transport.CloseIdleConnections()
			c := stubClient(t, transport, WithBaseURL(api.URL+"/v1"), WithRetry(Retry{BaseDelay: 1, MaxWait: 1}))
			for method, call := range everyMethod {
				connects.Store(0)
				err := call(t.Context(), c)
				assertNotSent(t, err)
				assert.Equal(t, row.named, strings.Contains(err.Error(), "the proxy "+l.Addr().String()+" refused to connect"), "%s: %v", method, err)
				assert.NotContains(t, err.Error(), "secret")
				if row.named {
					assert.EqualValues(t, 1, connects.Load(), method)
				}
			}
		})
	}
}

// TestProxyRefusal_TLS verifies the same for a proxy that is reached over TLS: the error names it
// if it refuses CONNECT, but not if its certificate is not trusted.
func TestProxyRefusal_TLS(t *testing.T) {
	for _, status := range []int{301, 400, 403, 407, 429, 502, 503} {
		var connects atomic.Int32
		proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, http.MethodConnect, r.Method)
			assert.NotContains(t, r.Header, "Authorization")
			connects.Add(1)
			w.WriteHeader(status)
		}))
		proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
		address, err := url.Parse(proxy.URL)
		require.NoError(t, err)
		for _, trusted := range []bool{true, false} {
			transport := &http.Transport{Proxy: http.ProxyURL(address)}
			if trusted {
				transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
				transport.TLSClientConfig.RootCAs.AddCert(proxy.Certificate())
			}
			c := stubClient(t, transport, WithRetry(Retry{BaseDelay: 1, MaxWait: 1}))
			for method, call := range everyMethod {
				connects.Store(0)
				err := call(t.Context(), c)
				assertNotSent(t, err)
				assert.NotErrorIs(t, err, ErrRateLimited)
				assert.Equal(t, trusted, strings.Contains(err.Error(), "the proxy "+address.Host+" refused to connect"), "%s: %v", method, err)
				if trusted {
					assert.EqualValues(t, 1, connects.Load(), method)
				}
			}
			transport.CloseIdleConnections()
		}
		proxy.Close()
	}
}

// TestUntrustedCertificate verifies that an untrusted certificate ends the call after one attempt.
func TestUntrustedCertificate(t *testing.T) {
	api := tlsServer()
	defer api.Close()
	var dials atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	defer transport.CloseIdleConnections()
	c := stubClient(t, transport, WithBaseURL(api.URL+"/v1"))
	for method, call := range everyMethod {
		dials.Store(0)
		err := call(t.Context(), c)
		assertNotSent(t, err)
		_, ok := errors.AsType[x509.UnknownAuthorityError](err)
		assert.True(t, ok, "%v", err)
		assert.EqualValues(t, 1, dials.Load(), method)
	}
}

// TestNilTransport verifies that NewClient returns an error for a Transport that is a typed nil.
func TestNilTransport(t *testing.T) {
	for _, transport := range []http.RoundTripper{(*http.Transport)(nil), stubTransport(nil)} {
		_, err := NewClient(WithAdminKey("sk-admin-test"), WithBaseURL(stubURL), WithHTTPClient(&http.Client{Transport: transport}))
		assert.ErrorContains(t, err, "the client's Transport is a nil ")
	}
}
