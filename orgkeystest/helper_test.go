package orgkeystest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/require"
)

const (
	adminKeys = "/organization/admin_api_keys"
	project   = "proj_test"
	accounts  = "/organization/projects/" + project + "/service_accounts"
	keys      = "/organization/projects/" + project + "/api_keys/"
)

// transports are the options of all ways to reach a server.
var transports = map[string][]orgkeystest.Option{
	"http":            {},
	"https":           {orgkeystest.WithTLS()},
	"http/2":          {orgkeystest.WithHTTP2()},
	"in memory":       {orgkeystest.InMemory()},
	"https in memory": {orgkeystest.InMemory(), orgkeystest.WithTLS()},
}

func newRequest(t *testing.T, s *orgkeystest.Server, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.AdminKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// result is a response as a client receives it.
type result struct {
	Status  int
	Header  http.Header
	Body    string
	Sent    error // the error instead of a response
	Reading error // the error at the end of the body
}

func (r result) json(t *testing.T) map[string]any {
	t.Helper()
	require.NoError(t, r.Sent)
	require.NoError(t, r.Reading)
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Body), &v), "status %d", r.Status)
	return v
}

func (r result) errorField(t *testing.T, name string) any {
	t.Helper()
	envelope, ok := r.json(t)["error"].(map[string]any)
	require.True(t, ok, "no error envelope")
	require.Len(t, envelope, 4)
	return envelope[name]
}

func do(c *http.Client, r *http.Request) result {
	resp, err := c.Do(r)
	if err != nil {
		return result{Sent: err}
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return result{Status: resp.StatusCode, Header: resp.Header, Body: string(body), Reading: err}
}

func call(t *testing.T, s *orgkeystest.Server, method, path, body string) result {
	t.Helper()
	return do(s.Client(), newRequest(t, s, method, path, body))
}

func create(t *testing.T, s *orgkeystest.Server) result {
	t.Helper()
	return call(t, s, http.MethodPost, adminKeys, `{"name":"ci"}`)
}

// recorder is a TB that records errors.
type recorder struct {
	cleanups []func()
	errors   []string
}

func (*recorder) Helper() {}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() []string {
	for _, f := range r.cleanups {
		f()
	}
	return r.errors
}
