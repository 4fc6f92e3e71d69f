package orgkeys

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
)

// TestGenerated_Create verifies that a create with the generated client returns a complete 2xx and
// a refusal as a response, ErrNotSent if nothing was sent, and otherwise an *UnknownOutcomeError
// that FindCreated accepts.
func TestGenerated_Create(t *testing.T) {
	const project = "proj_1"
	creates := map[string]func(context.Context, *Client) (*http.Response, error){
		gen.OperationAdminAPIKeysCreate: func(ctx context.Context, c *Client) (*http.Response, error) {
			return c.Generated().AdminAPIKeysCreate(ctx, createBody)
		},
		gen.OperationCreateProjectServiceAccount: func(ctx context.Context, c *Client) (*http.Response, error) {
			return c.Generated().CreateProjectServiceAccount(ctx, project, gen.ProjectServiceAccountCreateRequest{Name: "ci"})
		},
	}
	cut := func(status int) *http.Response {
		r := jsonResponse(status, "")
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"id":`), errReader{})), -1
		return r
	}
	for _, row := range []struct {
		name      string
		respond   func() (*http.Response, error)
		isUnknown bool
	}{
		{"500", func() (*http.Response, error) { return jsonResponse(500, envelope), nil }, true},
		{"503 without a body", func() (*http.Response, error) { return jsonResponse(503, ""), nil }, true},
		{"408", func() (*http.Response, error) { return jsonResponse(408, envelope), nil }, true},
		{"499", func() (*http.Response, error) { return jsonResponse(499, ""), nil }, true},
		{"303", func() (*http.Response, error) { return jsonResponse(303, ""), nil }, true},
		{"101", func() (*http.Response, error) { return jsonResponse(101, ""), nil }, true},
		{"500, body cut", func() (*http.Response, error) { return cut(500), nil }, true},
		{"200, body cut", func() (*http.Response, error) { return cut(200), nil }, true},
		{"dropped", func() (*http.Response, error) { return nil, io.EOF }, true},
		{"200", func() (*http.Response, error) { return jsonResponse(200, "{}"), nil }, false},
		{"201", func() (*http.Response, error) { return jsonResponse(201, "{}"), nil }, false},
		{"400", func() (*http.Response, error) { return jsonResponse(400, envelope), nil }, false},
		{"404, body cut", func() (*http.Response, error) { return cut(404), nil }, false},
		{"429", func() (*http.Response, error) { return jsonResponse(429, envelope), nil }, false},
	} {
		for operation, create := range creates {
			t.Run(operation+"/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client := stubClient(t, stubTransport(func(r *http.Request) (*http.Response, error) {
						if r.Method == http.MethodGet {
							return jsonResponse(200, `{"object":"list","data":[],"has_more":false}`), nil
						}
						return row.respond()
					}))
					time.Sleep(time.Hour)
					started := time.Now()
					response, err := create(t.Context(), client)
					var uncertain *UnknownOutcomeError
					require.Equal(t, row.isUnknown, errors.As(err, &uncertain), "%v", err)
					if !row.isUnknown {
						require.NoError(t, err)
						want, _ := row.respond()
						assert.Equal(t, want.StatusCode, response.StatusCode)
						return
					}
					assert.Nil(t, response)
					assert.NotErrorIs(t, err, ErrNotSent)
					assert.Equal(t, operation, uncertain.Operation)
					assert.Equal(t, "ci", uncertain.Name)
					assert.Equal(t, started, uncertain.StartedAt)
					if operation == gen.OperationCreateProjectServiceAccount {
						assert.Equal(t, project, uncertain.ProjectID)
						_, err = client.ServiceAccounts.FindCreated(t.Context(), uncertain)
					} else {
						_, err = client.AdminKeys.FindCreated(t.Context(), uncertain)
					}
					assert.NoError(t, err)
				})
			})
		}
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestGenerated_Response covers the fields of a response of the generated client.
func TestGenerated_Response(t *testing.T) {
	for status, text := range map[int]string{200: "200 OK", 403: "403 Forbidden", 420: "420", 299: "299"} {
		client := stubClient(t, stubTransport(func(*http.Request) (*http.Response, error) {
			r := jsonResponse(status, envelope)
			r.Status, r.Proto, r.ContentLength = "999 sk-admin-reason", "HTTP/9", -1
			return r, nil
		}))
		var raw *http.Request
		response, err := client.Generated().AdminAPIKeysList(t.Context(), nil, func(_ context.Context, r *http.Request) error {
			raw = r
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, text, response.Status)
		assert.Equal(t, status, response.StatusCode)
		assert.Equal(t, int64(len(envelope)), response.ContentLength)
		assert.Equal(t, "req_1", response.Header.Get("X-Request-Id"))
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, envelope, string(content))
		require.NoError(t, response.Body.Close())
		assert.Same(t, raw, response.Request)
		assert.Empty(t, response.Request.Header.Get("Authorization"), "the response does not lead to the admin key")
	}
}

// TestGenerated_IdempotencyKey verifies that an Idempotency-Key is not sent, since net/http would
// repeat a POST that has one, and that the caller's request is not changed.
func TestGenerated_IdempotencyKey(t *testing.T) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		var sent, built *http.Request
		client := stubClient(t, stubTransport(func(r *http.Request) (*http.Response, error) {
			sent = r
			return jsonResponse(403, envelope), nil
		}))
		_, err := client.Generated().AdminAPIKeysCreate(t.Context(), createBody, func(_ context.Context, r *http.Request) error {
			built = r
			r.Header.Set(name, "1")
			return nil
		})
		require.NoError(t, err)
		assert.NotContains(t, sent.Header, name)
		assert.Equal(t, "1", built.Header.Get(name))
		assert.Nil(t, sent.GetBody)
		assert.True(t, sent.Close, "net/http prints what arrives on an idle connection")
	}
}

// TestGenerated_CutBody verifies that a truncated body is an error of a read if the status is 2xx,
// and not an error otherwise.
func TestGenerated_CutBody(t *testing.T) {
	for status, ok := range map[int]bool{200: false, 206: false, 299: false, 302: true, 403: true} {
		client := stubClient(t, stubTransport(func(*http.Request) (*http.Response, error) {
			r := jsonResponse(status, "")
			r.Body, r.ContentLength = io.NopCloser(errReader{}), -1
			return r, nil
		}), WithRetry(Retry{MaxAttempts: 1}))
		_, err := client.Generated().AdminAPIKeysList(t.Context(), nil)
		assert.Equal(t, ok, err == nil, "%d: %v", status, err)
		assert.NotErrorIs(t, err, ErrNotSent)
	}
}

// TestGenerated_EmptyCreate verifies that a create always has a body, since net/http may repeat a
// request without one.
func TestGenerated_EmptyCreate(t *testing.T) {
	var sent *http.Request
	client := stubClient(t, stubTransport(func(r *http.Request) (*http.Response, error) {
		sent = r
		return jsonResponse(403, envelope), nil
	}))
	for _, body := range []io.Reader{nil, http.NoBody, strings.NewReader("")} {
		_, err := client.Generated().AdminAPIKeysCreateWithBody(t.Context(), "application/json", body)
		require.NoError(t, err)
		require.NotNil(t, sent.Body)
		assert.NotEqual(t, http.NoBody, sent.Body)
	}
	_, err := client.Generated().AdminAPIKeysList(t.Context(), nil)
	require.NoError(t, err)
	assert.Nil(t, sent.Body)
}

// TestGenerated_NotSent verifies that the error is ErrNotSent if a request cannot be built, a
// request editor fails, or the request has no operation, and that nil editors are ignored.
func TestGenerated_NotSent(t *testing.T) {
	client := stubClient(t, stubTransport(mustNotSend))
	broken := errors.New("broken by sk-admin-test")
	edited := 0
	failing := func(context.Context, *http.Request) error { return broken }
	counting := func(context.Context, *http.Request) error { edited++; return nil }
	for _, editors := range [][]gen.RequestEditorFn{{failing}, {nil, counting, failing, counting}} {
		_, err := client.Generated().AdminAPIKeysCreate(t.Context(), createBody, editors...)
		assertNotSent(t, err)
		assert.ErrorIs(t, err, broken)
		assert.NotErrorIs(t, err, ErrInvalidArgument)
		assert.NotContains(t, err.Error(), "sk-admin-test")
		assert.ErrorContains(t, err, gen.OperationAdminAPIKeysCreate)
	}
	assert.Equal(t, 1, edited)

	for method, call := range everyMethod {
		if method == "AdminKeys.FindCreated" {
			continue // it derives another context, which panics
		}
		err := call(nil, client)
		assertNotSent(t, err)
		assert.ErrorContains(t, err, "nil Context", method)
	}
	_, err := client.Generated().AdminAPIKeysList(nil, nil, counting) //nolint:staticcheck // the context is nil
	assertNotSent(t, err)
	assert.Equal(t, 1, edited, "there is no request to edit")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, stubURL+"/organization/admin_api_keys", nil)
	require.NoError(t, err)
	_, err = doer{client.AdminKeys.pipeline}.Do(request)
	assertNotSent(t, err)
	assert.ErrorIs(t, err, ErrInvalidArgument)
}

// TestIsTarget covers what a request editor may have changed about the target of a request.
func TestIsTarget(t *testing.T) {
	const path = "/v1/organization/projects/proj_1/api_keys/key%3B1"
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
		{"decoded semicolon", func(r *http.Request) { r.URL.RawPath = "" }, false},
		{"another encoding", func(r *http.Request) { r.URL.RawPath = strings.Replace(path, "key", "ke%79", 1) }, false},
		{"query in the path", func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"?x", r.URL.RawPath+"%3Fx" }, false},
	} {
		base, err := parseBaseURL(stubURL, false)
		require.NoError(t, err)
		built, err := gen.NewDeleteProjectAPIKeyRequest(t.Context(), base.String(), "proj_1", "key;1")
		require.NoError(t, err)
		require.Equal(t, path, built.URL.EscapedPath())
		row.edit(built.Request)
		p := &pipeline{base: base}
		assert.Equal(t, row.want, p.isTarget(built.Request, built.Operation.Method, built.Target), row.name)
	}
}

// TestIsTarget_OfAnotherServer: the target itself must be below the base URL, with no segment by
// which it could leave it.
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
		stubURL + "/a%2Fb":                             false,
		stubURL + "/..%5Cb":                            false,
		stubURL + "/a%252fb":                           false,
		stubURL + "/a%3Fb":                             false,
		stubURL + "/a%23b":                             false,
		stubURL + "/a%20b%3B":                          true,
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
