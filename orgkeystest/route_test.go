package orgkeystest_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A client that deletes a key takes a 404 as proof that the key was deleted before. So only paths
// that no operation of the API can have get a 404.
func TestRoutes(t *testing.T) {
	const projects = "/organization/projects"
	cases := map[string]struct {
		method, path string // the path below the host
		status       int
		allow        string
	}{
		"delete an admin key":                 {"DELETE", "/v1" + adminKeys + "/key_abc", 501, ""},
		"retrieve an admin key":               {"GET", "/v1" + adminKeys + "/key_abc", 501, ""},
		"list project keys":                   {"GET", "/v1" + projects + "/proj_test/api_keys", 501, ""},
		"delete a service account":            {"DELETE", "/v1" + accounts + "/svc_acct_abc", 501, ""},
		"retrieve a service account":          {"GET", "/v1" + accounts + "/svc_acct_abc", 501, ""},
		"second key of a service account":     {"POST", "/v1" + accounts + "/svc_acct_abc/api_keys", 501, ""},
		"list projects":                       {"GET", "/v1" + projects, 501, ""},
		"delete a user":                       {"DELETE", "/v1/organization/users/user_abc", 501, ""},
		"audit logs":                          {"GET", "/v1/organization/audit_logs?limit=1", 501, ""},
		"the models API":                      {"GET", "/v1/models", 501, ""},
		"an unknown method elsewhere":         {"PURGE", "/v1/organization/users", 501, ""},
		"delete without an id":                {"DELETE", "/v1" + keys, 400, ""},
		"delete in a project without an id":   {"DELETE", "/v1" + projects + "//api_keys/key_abc", 400, ""},
		"list with a slash at the end":        {"GET", "/v1" + adminKeys + "/", 400, ""},
		"create with a slash at the end":      {"POST", "/v1" + accounts + "/", 400, ""},
		"dot segments":                        {"GET", "/v1" + projects + "/../admin_api_keys", 400, ""},
		"escaped dot segments":                {"GET", "/v1" + projects + "/%2E%2E/admin_api_keys", 400, ""},
		"the base path":                       {"GET", "/v1/", 400, ""},
		"the base path without a slash":       {"GET", "/v1", 404, ""},
		"no base path":                        {"GET", adminKeys, 404, ""},
		"another version":                     {"DELETE", "/v2" + keys + "key_abc", 404, ""},
		"the root path":                       {"GET", "/", 404, ""},
		"PUT on admin keys":                   {"PUT", "/v1" + adminKeys, 405, "GET, HEAD, POST"},
		"DELETE on admin keys":                {"DELETE", "/v1" + adminKeys, 405, "GET, HEAD, POST"},
		"OPTIONS on admin keys":               {"OPTIONS", "/v1" + adminKeys, 405, "GET, HEAD, POST"},
		"PATCH on a project key":              {"PATCH", "/v1" + keys + "key_abc", 405, "DELETE, GET, HEAD, POST"},
		"DELETE on service accounts":          {"DELETE", "/v1" + accounts, 405, "GET, HEAD, POST"},
		"an unknown method on a project key":  {"PURGE", "/v1" + keys + "key_abc", 405, "DELETE, GET, HEAD, POST"},
		"a key whose id is an escaped slash":  {"DELETE", "/v1" + keys + "%2F", 400, ""},
		"a key whose id has an escaped slash": {"DELETE", "/v1" + keys + "a%2Fb", 404, ""}, // an id, and unknown
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.AllowInvalidRequests())
			s.AddProject(project)
			base, err := url.Parse(s.URL)
			require.NoError(t, err)
			r := newRequest(t, s, c.method, "", "")
			r.URL, err = url.Parse("http://" + base.Host + c.path)
			require.NoError(t, err)

			got := do(s.Client(), r)
			assert.Equal(t, c.status, got.Status)
			assert.Equal(t, c.allow, got.Header.Get("Allow"))
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.NotEmpty(t, got.Header.Get("X-Request-Id"))
			message := got.errorField(t, "message")
			if c.status == 501 {
				assert.Equal(t, "not_implemented", got.errorField(t, "code"))
				assert.Contains(t, message, c.method+" "+r.URL.Path)
				assert.Contains(t, message, "GET /v1/organization/admin_api_keys, ", "the implemented operations")
				assert.Equal(t, "false", got.Header.Get("X-Should-Retry"))
			} else {
				assert.Equal(t, "invalid_request_error", got.errorField(t, "type"))
				assert.Empty(t, got.Header.Get("X-Should-Retry"))
			}
		})
	}
}

func TestHead_IsAGetWithoutABody(t *testing.T) {
	for name, opts := range transports {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opts...)
			id := s.AddProjectKey(project, orgkeystest.ProjectKey{}).ID
			for path, operation := range map[string]string{
				adminKeys: "admin-api-keys-list", accounts: "list-project-service-accounts", keys + id: "retrieve-project-api-key",
			} {
				get := call(t, s, "GET", path, "")
				head := call(t, s, "HEAD", path, "")
				require.NoError(t, head.Sent)
				assert.Equal(t, 200, head.Status)
				assert.Empty(t, head.Body)
				assert.Equal(t, get.Header.Get("Content-Length"), head.Header.Get("Content-Length"))
				assert.Equal(t, "application/json", head.Header.Get("Content-Type"))
				requests := s.Requests()
				last := requests[len(requests)-1]
				assert.Equal(t, http.MethodHead, last.Method)
				assert.Equal(t, operation, last.Operation)
			}
			assert.Equal(t, 404, call(t, s, "HEAD", keys+"key_unknown", "").Status)
			s.Inject(orgkeystest.Fault{PadTo: 1 << 20}, orgkeystest.Fault{Gzip: true}, orgkeystest.Fault{TruncateAt: new(5)})
			assert.Equal(t, 200, call(t, s, "HEAD", adminKeys, "").Status)
			assert.Equal(t, 200, call(t, s, "HEAD", adminKeys, "").Status)
			assert.Equal(t, 200, call(t, s, "HEAD", adminKeys, "").Status, "there is no body to truncate")
		})
	}
}

// A test can use the fake as a proxy that refuses CONNECT requests.
func TestFault_AppliesToAProxyRequest(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.AllowInvalidRequests())
	s.Inject(orgkeystest.Fault{Status: http.StatusProxyAuthRequired})
	proxy, err := url.Parse(s.URL)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/v1"+adminKeys, nil)
	require.NoError(t, err)
	assert.ErrorContains(t, do(client, r).Sent, "Proxy Authentication Required")
	assert.ErrorContains(t, do(client, r).Sent, "Not Found", "without a fault it is no proxy")
	for _, request := range s.Requests() {
		assert.Equal(t, http.MethodConnect, request.Method)
		assert.False(t, request.Authorization)
	}
}
