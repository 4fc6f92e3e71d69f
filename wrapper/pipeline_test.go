package orgkeys

import (
	"context"
	"errors"
	"io"
	"net/http"
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

// TestIsTarget covers the changes that a request editor may and may not make to a request's target.
func TestIsTarget(t *testing.T) {
	const path = "/v1/organization/projects/proj_1/api_keys/key%2F1"
	for _, row := range []struct {
		name string
		edit func(*http.Request)
		want bool
	}{
		{"unchanged", func(*http.Request) {}, true},
		{"header", func(r *http.Request) { r.Header.Set("X-A", "1") }, true},
		{"query", func(r *http.Request) { r.URL.RawQuery = "after=key_2" }, true},
		{"fragment, which is not sent", func(r *http.Request) { r.URL.Fragment = "x" }, true},
		{"no Host, so that the URL's is sent", func(r *http.Request) { r.Host = "" }, true},

		{"method", func(r *http.Request) { r.Method = http.MethodPost }, false},
		{"case of the method", func(r *http.Request) { r.Method = "delete" }, false},
		{"no method, which means GET", func(r *http.Request) { r.Method = "" }, false},
		{"no URL", func(r *http.Request) { r.URL = nil }, false},
		{"scheme", func(r *http.Request) { r.URL.Scheme = "http" }, false},
		{"case of the scheme", func(r *http.Request) { r.URL.Scheme = "HTTPS" }, false},
		{"no scheme", func(r *http.Request) { r.URL.Scheme = "" }, false},
		{"host", func(r *http.Request) { r.URL.Host = "api.example.evil.example" }, false},
		{"dot at the end of the host", func(r *http.Request) { r.URL.Host = "api.example." }, false},
		{"case of the host", func(r *http.Request) { r.URL.Host = "API.EXAMPLE" }, false},
		{"port of the scheme", func(r *http.Request) { r.URL.Host = "api.example:443" }, false},
		{"another port", func(r *http.Request) { r.URL.Host = "api.example:8443" }, false},
		{"no host", func(r *http.Request) { r.URL.Host = "" }, false},
		{"user in the host", func(r *http.Request) { r.URL.Host = "evil@api.example" }, false},
		{"Host", func(r *http.Request) { r.Host = "evil.example" }, false},
		{"case of Host", func(r *http.Request) { r.Host = "Api.Example" }, false},
		{"port of Host", func(r *http.Request) { r.Host = "api.example:443" }, false},
		{"user", func(r *http.Request) { r.URL.User = url.User("") }, false},
		{"opaque host and path", func(r *http.Request) { r.URL.Opaque = "//evil.example" + path }, false},
		{"opaque path", func(r *http.Request) { r.URL.Opaque = path }, false},
		{"path", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/v1/organization/admin_api_keys", "" }, false},
		{"path of the base URL", func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "/v1/", "/v2/", 1) }, false},
		{"case of the path", func(r *http.Request) { r.URL.Path = strings.ToUpper(r.URL.Path) }, false},
		{"slash at the end", func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"/", r.URL.RawPath+"/" }, false},
		{"slash at the start", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/"+r.URL.Path, "/"+r.URL.RawPath }, false},
		{"dot segment", func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"/..", r.URL.RawPath+"/.." }, false},
		{"encoded dot segment", func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"/..", r.URL.RawPath+"/%2e%2E" }, false},
		{"decoded slash", func(r *http.Request) { r.URL.RawPath = "" }, false},
		{"another encoding", func(r *http.Request) { r.URL.RawPath = strings.Replace(path, "key", "ke%79", 1) }, false},
		{"query in the path", func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"?x", r.URL.RawPath+"%3Fx" }, false},
	} {
		base, err := parseBaseURL(stubURL, false)
		require.NoError(t, err)
		built, err := gen.NewDeleteProjectAPIKeyRequest(t.Context(), base.String(), "proj_1", "key/1")
		require.NoError(t, err)
		require.Equal(t, path, built.URL.EscapedPath())
		row.edit(built.Request)
		p := &pipeline{base: base}
		assert.Equal(t, row.want, p.isTarget(built.Request, built.Operation.Method, built.Target), row.name)
	}
}

// TestIsTarget_OfAnotherServer verifies that a target must be below the base URL and contain no
// segment that could lead out of it.
func TestIsTarget_OfAnotherServer(t *testing.T) {
	base, err := parseBaseURL(stubURL, false)
	require.NoError(t, err)
	p := &pipeline{base: base}
	for target, want := range map[string]bool{
		stubURL + "/organization":                      true,
		stubURL + "/...":                               true,
		stubURL + "/a/.b./c..":                         true,
		stubURL:                                        false,
		stubURL + "/":                                  false,
		stubURL + "/a/":                                false,
		stubURL + "//a":                                false,
		stubURL + "/a/./b":                             false,
		stubURL + "/../a":                              false,
		stubURL + "/a/..":                              false,
		stubURL + "2/organization":                     false,
		"https://api.example/organization":             false,
		"https://api.example:443/v1/organization":      false,
		"https://api.example.evil.example/v1/a":        false,
		"http://api.example/v1/organization":           false,
		"https://evil.example/v1/organization":         false,
		"https://user@api.example/v1/organization":     false,
		"https://api.example/v1?/organization":         false,
		"https://evil.example/https://api.example/v1/": false,
		"": false,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		require.NoError(t, err)
		assert.Equal(t, want, p.isTarget(request, http.MethodGet, *request.URL), target)
	}
}

func TestCheckHeader(t *testing.T) {
	for _, row := range []struct {
		name, value string
		want        bool
	}{
		{"X-A", "1", true},
		{"x-a", "", true},
		{"X.A!#$%&'*+-^_`|~9", "a\tb \u00e4\xff", true},
		{"", "1", false},
		{"X A", "1", false},
		{"X-A:", "1", false},
		{"X-A\r\nX-B", "1", false},
		{"X-\u00c4", "1", false},
		{"(X)", "1", false},
		{"X-A", "1\r\nX-B: 2", false},
		{"X-A", "\n", false},
		{"X-A", "\r", false},
		{"X-A", "\x00", false},
		{"X-A", "\x1b[0m", false},
		{"X-A", "\x7f", false},
	} {
		for _, request := range []*http.Request{
			{Header: http.Header{row.name: {"ok", row.value}}},
			{Trailer: http.Header{row.name: {row.value}}},
		} {
			err := checkHeader(request)
			assert.Equal(t, row.want, err == nil, "%q: %q", row.name, row.value)
			assert.NotNil(t, request.Header)
			if err != nil {
				assert.ErrorIs(t, err, ErrInvalidArgument)
				assert.NotContains(t, err.Error(), "X-A")
			}
		}
	}
}

// TestAddHeader verifies that the fields of the context replace those of the same name in the
// request, and that a field that is refused changes nothing.
func TestAddHeader(t *testing.T) {
	header := http.Header{"X-A": {"1"}, "X-B": {"2"}}
	require.NoError(t, addHeader(header, nil))
	require.NoError(t, addHeader(header, http.Header{"X-B": {"3"}, "X-C": {"4"}}))
	assert.Equal(t, http.Header{"X-A": {"1"}, "X-B": {"3"}, "X-C": {"4"}}, header)
	for name := range reservedHeaders {
		assert.ErrorIs(t, addHeader(header, http.Header{name: {"1"}}), ErrInvalidArgument, name)
		assert.Equal(t, http.CanonicalHeaderKey(name), name, "WithHeader looks it up in this form")
	}
	assert.Len(t, header, 3)
}

// TestAccept_Body verifies that the body of a request is read once and sent with each attempt, and
// that a request whose body cannot be read is not sent.
func TestAccept_Body(t *testing.T) {
	broken := errors.New("broken")
	edit := func(body io.Reader) gen.RequestEditorFn {
		return func(_ context.Context, r *http.Request) error {
			r.Body, r.ContentLength = io.NopCloser(body), 4711
			return nil
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		client := stubClient(t, stubTransport(func(r *http.Request) (*http.Response, error) {
			content, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			assert.Len(t, content, int(r.ContentLength))
			sent = append(sent, string(content))
			return jsonResponse(429, envelope), nil
		}), WithRetry(Retry{MaxAttempts: 2}))
		response, err := client.Generated().AdminAPIKeysCreate(t.Context(), createBody, edit(iotest.OneByteReader(strings.NewReader(`{"name":"ci"}`))))
		require.NoError(t, err)
		assert.Equal(t, 429, response.StatusCode)
		assert.GreaterOrEqual(t, len(sent), 2)
		for _, content := range sent {
			assert.Equal(t, `{"name":"ci"}`, content)
		}

		sent = nil
		_, err = client.Generated().AdminAPIKeysCreate(t.Context(), createBody, edit(iotest.ErrReader(broken)))
		assertNotSent(t, err)
		assert.ErrorIs(t, err, broken)
		assert.Empty(t, sent)
	})
}

// TestSleep verifies that a wait ends when its duration has passed or its context is done, and that
// a wait of zero also returns the error of a context that is done.
func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := record(t, readOp)
		started := time.Now()
		require.NoError(t, c.sleep(time.Hour))
		assert.Equal(t, time.Hour, time.Since(started))
		require.NoError(t, c.sleep(0))

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c.request = c.request.WithContext(ctx)
		assert.ErrorIs(t, c.sleep(time.Hour), context.DeadlineExceeded)
		assert.Equal(t, time.Hour+time.Minute, time.Since(started))
		assert.Equal(t, time.Hour+time.Minute, c.waited())
		for range 100 {
			require.Error(t, c.sleep(0))
		}
	})
}

// TestPanic verifies that a panic of a transport or a key source ends its own call and no other.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panics, limited := true, true
		fail := func() {
			if panics {
				panic("broken")
			}
		}
		transport := stubTransport(func(*http.Request) (*http.Response, error) {
			fail()
			if limited {
				limited = false
				return jsonResponse(429, envelope), nil
			}
			return jsonResponse(403, envelope), nil
		})
		for name, client := range map[string]*Client{
			"transport":  stubClient(t, transport),
			"key source": stubClient(t, transport, WithAdminKeySource(func(context.Context) (string, error) { fail(); return "sk-admin-test", nil })),
		} {
			panics, limited = true, true
			for range 100 {
				assert.Panics(t, func() { _, _ = client.ProjectKeys.Get(t.Context(), "proj_1", "key_1") }, name)
			}
			panics = false
			started := time.Now()
			for range 3 {
				_, err := client.ProjectKeys.Get(t.Context(), "proj_1", "key_1")
				assert.ErrorIs(t, err, ErrForbidden, name)
			}
			assert.Less(t, time.Since(started), 5*time.Minute, name)
		}
	})
}
