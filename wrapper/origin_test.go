package orgkeys_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// TestRequest_header verifies that each request has the admin key and the client's header fields,
// and no cookies.
func TestRequest_header(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	jar.SetCookies(&url.URL{Scheme: "https", Host: "api.example"}, []*http.Cookie{{Name: "session", Value: "1"}})
	for _, c := range calls {
		var sent *http.Request
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			sent = r
			return jsonResponse(400, ""), nil
		})
		client := stubbed(t, transport, orgkeys.WithHTTPClient(&http.Client{Transport: transport, Jar: jar}), orgkeys.WithUserAgent("keyrotator/1.4"))
		require.Error(t, errorOf(c.do(t.Context(), client)), c.operation)
		require.NotNil(t, sent)
		assert.Equal(t, "https://api.example/v1/organization/", sent.URL.Scheme+"://"+sent.URL.Host+sent.URL.Path[:len("/v1/organization/")])
		want := http.Header{"Authorization": {"Bearer sk-admin-test"}, "Accept": {"application/json"}, "User-Agent": sent.Header["User-Agent"]}
		if sent.ContentLength > 0 {
			want["Content-Type"] = []string{"application/json"}
		}
		assert.Equal(t, want, sent.Header, c.operation)
		assert.Regexp(t, `^keyrotator/1\.4 orgkeys-go/\S+ \(go1\.`, sent.UserAgent())
	}
}

// TestRedirects_areNotFollowed verifies that no redirect is followed, with any redirect policy and
// cookie jar of the caller's http.Client.
func TestRedirects_areNotFollowed(t *testing.T) {
	var followed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer elsewhere.Close()
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		for _, c := range calls {
			server := orgkeystest.New(t)
			for _, location := range []string{
				server.URL + "/organization/admin_api_keys", elsewhere.URL + "/v1/organization/admin_api_keys", strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), "admin_api_keys", "",
			} {
				before := len(server.Requests())
				server.Inject(orgkeystest.Fault{Status: status, Header: http.Header{"Location": {location}}})
				client := *server.Client()
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
				err := errorOf(c.do(t.Context(), newClient(t, server, orgkeys.WithHTTPClient(&client))))
				refusal, ok := errors.AsType[*orgkeys.APIError](err)
				require.True(t, ok, "%v", err)
				assert.Equal(t, status, refusal.Status)
				assert.NotEmpty(t, refusal.RequestID)
				assert.Len(t, server.Requests(), before+1, "%d %s %s", status, c.operation, location)
			}
		}
	}
	assert.Zero(t, followed.Load())
}

// TestGenerated_requestEditors verifies that a request is not sent if a request editor changes its
// method or its target, or adds a key to its query.
func TestGenerated_requestEditors(t *testing.T) {
	client := stubbed(t, func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("sent %s", r.URL)
	}, orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
	for name, edit := range map[string]func(*http.Request){
		"host of the URL":  func(r *http.Request) { r.URL.Host = "evil.example" },
		"port of the URL":  func(r *http.Request) { r.URL.Host += ":8443" },
		"case of the host": func(r *http.Request) { r.URL.Host = "API.example" },
		"scheme":           func(r *http.Request) { r.URL.Scheme = "http" },
		"Host":             func(r *http.Request) { r.Host = "evil.example" },
		"opaque":           func(r *http.Request) { r.URL.Opaque = "//evil.example/v1" },
		"user":             func(r *http.Request) { r.URL.User = url.User("evil") },
		"path":             func(r *http.Request) { r.URL.Path = "/v1/models" },
		"path below":       func(r *http.Request) { r.URL.Path += "/more" },
		"raw path": func(r *http.Request) {
			r.URL.RawPath = strings.Replace(r.URL.Path, "organization", "organizatio%6e", 1)
		},
		"path by a dot segment":     func(r *http.Request) { r.URL.Path += "/.." },
		"another URL":               func(r *http.Request) { r.URL = &url.URL{Scheme: "https", Host: "evil.example", Path: r.URL.Path} },
		"no URL":                    func(r *http.Request) { r.URL = nil },
		"method":                    func(r *http.Request) { r.Method = http.MethodPut },
		"a line break in the query": func(r *http.Request) { r.URL.RawQuery = "a=b\r\nX: y" },
		"a space in the query":      func(r *http.Request) { r.URL.RawQuery = "a=b HTTP/1.0" },
		"a key in the query":        func(r *http.Request) { r.URL.RawQuery = "key=sk-abc" },
		"the admin key":             func(r *http.Request) { r.URL.RawQuery = "key=SK-ADMIN-TEST" },
	} {
		for _, c := range calls {
			err := errorOf(c.raw(t.Context(), client, func(_ context.Context, r *http.Request) error { edit(r); return nil }))
			assert.ErrorIs(t, err, orgkeys.ErrInvalidArgument, "%s of %s", name, c.operation)
			assert.ErrorIs(t, err, orgkeys.ErrNotSent, "%s of %s", name, c.operation)
		}
	}
	for _, ids := range [][2]string{{project, ".."}, {"..", keyID}, {"..", ".."}, {project, ""}, {"", keyID}, {project, "."}, {project, "sk-abc"}, {"sess-abc", keyID}, {project, "sk-admin-test"}, {project, "../../key_1"}, {"a/b", keyID}, {project, `..\key_1`}, {project, "a%2fb"}, {project, "a?b"}, {project, "a#b"}} {
		err := errorOf(client.Generated().DeleteProjectAPIKey(t.Context(), ids[0], ids[1]))
		assert.ErrorIs(t, err, orgkeys.ErrInvalidArgument, ids)
	}
	err := errorOf(client.Generated().DeleteProjectAPIKey(t.Context(), project, keyID, func(context.Context, *http.Request) error { return nil }))
	assert.ErrorContains(t, err, "sent https://api.example/v1/organization/projects/proj_abc/api_keys/key_abc")
}

// TestGenerated_keepsTheHeader verifies that a request editor can add header fields, but not
// replace those of the client.
func TestGenerated_keepsTheHeader(t *testing.T) {
	client := stubbed(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, []string{"Bearer sk-admin-test"}, r.Header["Authorization"])
		assert.Equal(t, "1", r.Header.Get("X-Trace"))
		return jsonResponse(200, ""), nil
	})
	_, err := client.Generated().AdminAPIKeysList(t.Context(), &gen.AdminAPIKeysListParams{}, func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer another")
		r.Header.Set("X-Trace", "1")
		return nil
	})
	require.NoError(t, err)
}

// TestGenerated_headerInLowerCase verifies that a header field that a request editor sets in
// another spelling is not sent beside the client's
// own, or beside those that net/http writes.
func TestGenerated_headerInLowerCase(t *testing.T) {
	requests := make(chan string, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		defer close(requests)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		var request strings.Builder
		_, _ = http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &request)))
		requests <- request.String()
	}()
	client, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithBaseURL("http://"+listener.Addr().String()),
		orgkeys.WithHTTPClient(&http.Client{Transport: &http.Transport{}}))
	require.NoError(t, err)
	names := []string{"authorization", "host", "content-length", "transfer-encoding", "trailer", "user-agent", "accept", "idempotency-key"}
	err = errorOf(client.Generated().AdminAPIKeysCreate(t.Context(), orgkeysBody("ci"), func(_ context.Context, r *http.Request) error {
		for _, name := range names {
			r.Header[name] = []string{"from-the-editor"}
		}
		r.Header["x-trace"] = []string{"1"}
		return nil
	}))
	require.Error(t, err)
	request := <-requests
	assert.Contains(t, request, "X-Trace: 1\r\n")
	assert.NotContains(t, request, "from-the-editor")
}

// TestAdminKey_isNoArgument verifies that an id that contains the admin key or a part of it, or a name
// that contains all of it, in upper or lower case, is an error, even if the key has no known prefix.
func TestAdminKey_isNoArgument(t *testing.T) {
	const key = "Gateway-Token-1"
	client := stubbed(t, func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("sent %s", r.URL) },
		orgkeys.WithAdminKey(key), orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
	for _, id := range []string{key, strings.ToUpper(key), strings.ToLower(key), "key=" + key, key[:12], key[3:], "x" + key[1:13]} {
		for _, err := range []error{
			errorOf(client.ProjectKeys.Get(t.Context(), project, id)),
			errorOf(client.ProjectKeys.Delete(t.Context(), id, keyID)),
			errorOf(client.ServiceAccounts.Create(t.Context(), id, orgkeys.ServiceAccountCreateParams{Name: "ci"})),
			errorOf(client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{After: &id})),
			errorOf(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "for " + strings.ToUpper(key)})),
		} {
			assert.ErrorIs(t, err, orgkeys.ErrInvalidArgument)
			assert.ErrorIs(t, err, orgkeys.ErrNotSent)
			assert.NotContains(t, strings.ToLower(err.Error()), "token-1")
		}
	}
	assert.ErrorContains(t, errorOf(client.ProjectKeys.Get(t.Context(), project, key[:10])), "sent ")
}

// TestIDs_areEscaped verifies that the server receives each valid id unchanged, in its own path
// segment.
func TestIDs_areEscaped(t *testing.T) {
	for _, id := range []string{"key_abc", "user-123", "a.b", "...", "a:b@c", "a;b,c=d&e+f$g!h", "ключ", "鍵", "a~b(c)*'d", strings.Repeat("a", 256)} {
		server := orgkeystest.New(t)
		server.AddProject(project)
		server.AddProjectKey(project, orgkeystest.ProjectKey{ID: id})
		key, err := newClient(t, server).ProjectKeys.Get(t.Context(), project, id)
		require.NoError(t, err, id)
		assert.Equal(t, id, key.ID)
	}
}

// TestBaseURL_isJoined verifies that a base URL with or without slashes at its end is joined with
// the path of an operation.
func TestBaseURL_isJoined(t *testing.T) {
	for base, want := range map[string]string{
		"https://h.example": "https://h.example/organization/", "https://h.example/": "https://h.example/organization/",
		"https://h.example/v1": "https://h.example/v1/organization/", "https://h.example/v1//": "https://h.example/v1/organization/",
		"http://127.0.0.1:1/a/b/": "http://127.0.0.1:1/a/b/organization/", "https://[::1]:1": "https://[::1]:1/organization/",
	} {
		var sent string
		client := stubbed(t, func(r *http.Request) (*http.Response, error) {
			sent = r.URL.String()
			return jsonResponse(400, ""), nil
		}, orgkeys.WithBaseURL(base))
		for _, c := range calls {
			require.ErrorIs(t, errorOf(c.do(t.Context(), client)), orgkeys.ErrBadRequest, base)
			assert.True(t, strings.HasPrefix(sent, want), sent)
		}
	}
}

// TestWithAdminKeySource verifies that the source is called before each request, with the context
// of the call.
func TestWithAdminKeySource(t *testing.T) {
	type contextKey struct{}
	ctx := context.WithValue(t.Context(), contextKey{}, "the call's")
	var sent []string
	asked := 0
	failure := errors.New("the vault is sealed")
	client := stubbed(t, func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.Header.Get("Authorization"))
		return listPage("", nil, false, ""), nil
	}, orgkeys.WithAdminKeySource(func(ctx context.Context) (string, error) {
		assert.Equal(t, "the call's", ctx.Value(contextKey{}))
		if asked++; asked == 3 {
			return "", failure
		}
		return fmt.Sprintf("key-%d", asked), nil
	}))
	for range 2 {
		require.NoError(t, errorOf(calls[0].do(ctx, client)))
	}
	err := errorOf(calls[0].do(ctx, client))
	assert.ErrorIs(t, err, failure)
	assert.ErrorIs(t, err, orgkeys.ErrNotSent)
	assert.Equal(t, []string{"Bearer key-1", "Bearer key-2"}, sent)
}

// TestProxy_doesNotSeeTheKey verifies that https goes through a proxy from the environment in a
// tunnel, without showing the key. net/http reads the environment only once in a process, so that
// the call is in a child process.
func TestProxy_doesNotSeeTheKey(t *testing.T) {
	const child = "ORGKEYS_TEST_PROXY"
	if os.Getenv(child) != "" {
		client, err := orgkeys.NewClient(orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
		require.NoError(t, err)
		err = errorOf(calls[1].do(t.Context(), client))
		require.ErrorIs(t, err, orgkeys.ErrNotSent)
		require.ErrorContains(t, err, "the proxy 127.0.0.1:")
		return
	}
	var connects atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodConnect, r.Method)
		assert.Equal(t, "api.example:443", r.Host)
		assert.NotContains(t, r.Header, "Authorization")
		connects.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), child+"=1", "HTTPS_PROXY="+proxy.URL, "https_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=",
		"OPENAI_BASE_URL=https://api.example/v1", "OPENAI_ADMIN_KEY=sk-admin-test")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, int32(1), connects.Load())
}
