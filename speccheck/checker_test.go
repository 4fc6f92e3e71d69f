package speccheck_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

func TestCheck_kinds(t *testing.T) {
	const (
		v1      = "https://api.openai.com/v1"
		refused = `{"error":{"type":"t","message":"no","param":null,"code":null}}`
	)
	rows := []exchange{
		{name: "valid", method: "DELETE", url: v1 + deletePath, status: 200, body: deleted},
		{
			name: "valid, at another host with a path prefix", method: "DELETE",
			url: "http://127.0.0.1:8080/openai/v1" + deletePath + "?trace=1", status: 200, body: deleted,
		},
		{name: "valid, without a path prefix", method: "DELETE", url: "http://localhost" + deletePath, status: 200, body: deleted},
		{
			name: "valid, with a charset", method: "DELETE", url: v1 + deletePath, status: 200,
			header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body: deleted,
		},
		{
			name: "another path", method: "GET", url: v1 + "/organization/users", status: 200, body: deleted,
			want: []string{"GET 200: path (operation)"},
		},
		{
			name: "an empty id", method: "DELETE", url: v1 + "/organization/projects/proj_abc/api_keys/", status: 404,
			want: []string{"DELETE 404: path (operation)"},
		},
		{
			name: "another method", method: "PATCH", url: v1 + deletePath, status: 405,
			want: []string{
				"PATCH /organization/projects/{project_id}/api_keys/{api_key_id} 405: " +
					"method: expected DELETE or GET or POST (operation)",
			},
		},
		{
			name: "a method that HTTP does not define", method: "PURGE", url: v1 + deletePath, status: 405,
			want: []string{
				"/organization/projects/{project_id}/api_keys/{api_key_id} 405: method: expected DELETE or GET or POST (operation)",
			},
		},
		{
			name: "an undocumented success", method: "DELETE", url: v1 + deletePath, status: 204,
			want: []string{"delete-project-api-key 204: status: expected 200 or 400 (status)"},
		},
		{
			name: "a redirect", method: "DELETE", url: v1 + deletePath, status: 302, body: "<html>",
			want: []string{"delete-project-api-key 302: status: expected 200 or 400 (status)"},
		},
		{
			name: "an undocumented error", method: "DELETE", url: v1 + deletePath, status: 401, body: `{"error":"no"}`,
			want: []string{"delete-project-api-key 401: status: expected 200 or 400 (undocumented-status)"},
		},
		{
			name: "a proxy's error page", method: "DELETE", url: v1 + deletePath, status: 502,
			header: http.Header{"Content-Type": {"text/html"}}, body: "<html>",
			want: []string{"delete-project-api-key 502: status: expected 200 or 400 (undocumented-status)"},
		},
		{
			name: "a documented error with an invalid body", method: "DELETE", url: v1 + deletePath, status: 400, body: `{"error":"no"}`,
			want: []string{"delete-project-api-key 400: response body /error: type: expected object, found string (body)"},
		},
		{
			name: "another content type", method: "DELETE", url: v1 + deletePath, status: 200,
			header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: deleted,
			want: []string{"delete-project-api-key 200: response body: content-type: expected application/json (content-type)"},
		},
		{
			name: "no content type", method: "DELETE", url: v1 + deletePath, status: 200, header: http.Header{}, body: deleted,
			want: []string{"delete-project-api-key 200: response body: content-type: expected application/json (content-type)"},
		},
		{
			name: "no body", method: "DELETE", url: v1 + deletePath, status: 200,
			want: []string{"delete-project-api-key 200: response body: json: expected a JSON document (body)"},
		},
		{
			name: "not JSON", method: "DELETE", url: v1 + deletePath, status: 200, body: `{"object":organization}`,
			want: []string{"delete-project-api-key 200: response body /object: json: expected a JSON document (body)"},
		},
		{
			name: "a byte order mark", method: "DELETE", url: v1 + deletePath, status: 200, body: "\ufeff" + deleted,
			want: []string{"delete-project-api-key 200: response body: json: expected a JSON document (body)"},
		},
		{
			name: "two documents", method: "DELETE", url: v1 + deletePath, status: 200, body: deleted + "\n" + deleted,
			want: []string{"delete-project-api-key 200: response body: trailing-data: expected one JSON document (body)"},
		},
		{
			name: "data after the document", method: "DELETE", url: v1 + deletePath, status: 200, body: deleted + "}",
			want: []string{"delete-project-api-key 200: response body: trailing-data: expected one JSON document (body)"},
		},
		{
			name: "a duplicate property", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "{", `{"id":"key_xyz",`, 1),
			want: []string{"delete-project-api-key 200: response body /id: duplicate-name: expected each name once (body)"},
		},
		{
			name: "a duplicate property, once escaped", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "{", `{"\u0069d":"key_xyz",`, 1),
			want: []string{"delete-project-api-key 200: response body /id: duplicate-name: expected each name once (body)"},
		},
		{
			name: "invalid UTF-8", method: "DELETE", url: v1 + deletePath, status: 400,
			body: strings.Replace(refused, "no", "\xff", 1),
			want: []string{"delete-project-api-key 400: response body /error/message: utf-8: expected valid UTF-8 (body)"},
		},
		{
			name: "an unpaired surrogate", method: "DELETE", url: v1 + deletePath, status: 400,
			body: strings.Replace(refused, "no", `\ud800`, 1),
			want: []string{"delete-project-api-key 400: response body /error/message: utf-8: expected valid UTF-8 (body)"},
		},
		{
			name: "a number beyond the range of a double", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "{", `{"created_at":1e999999999,`, 1),
			want: []string{"delete-project-api-key 200: response body /created_at: json: expected a number within the range of a double (body)"},
		},
		{
			name: "several violations", method: "DELETE", url: v1 + deletePath, status: 200, body: `{"object":"x","object":"y","deleted":1} {}`,
			want: []string{
				"delete-project-api-key 200: response body: trailing-data: expected one JSON document (body)",
				"delete-project-api-key 200: response body /deleted: type: expected boolean, found number (body)",
				"delete-project-api-key 200: response body /id: required: expected present (body)",
				`delete-project-api-key 200: response body /object: const: expected "organization.project.api_key.deleted" (body)`,
				"delete-project-api-key 200: response body /object: duplicate-name: expected each name once (body)",
			},
		},
		{
			name: "a parameter of another type", method: "GET", url: v1 + keysPath + "?limit=all", status: 500,
			want: []string{
				"admin-api-keys-list 500: query parameter limit: type: expected integer (request)",
				"admin-api-keys-list 500: status: expected 200 or 400 (undocumented-status)",
			},
		},
		{
			name: "parameters out of bounds", method: "GET", url: v1 + keysPath + "?limit=101&order=up", status: 500,
			want: []string{
				`admin-api-keys-list 500: query parameter order: enum: expected "asc" or "desc" (request)`,
				"admin-api-keys-list 500: query parameter limit: maximum: expected 100 (request)",
				"admin-api-keys-list 500: status: expected 200 or 400 (undocumented-status)",
			},
		},
		{
			name: "a limit of 0", method: "GET", url: v1 + keysPath + "?limit=0", status: 500,
			want: []string{
				"admin-api-keys-list 500: query parameter limit: minimum: expected 1 (request)",
				"admin-api-keys-list 500: status: expected 200 or 400 (undocumented-status)",
			},
		},
		{
			name: "a request without its body", method: "POST", url: v1 + keysPath, status: 500,
			want: []string{
				"admin-api-keys-create 500: request body: required: expected a body (request)",
				"admin-api-keys-create 500: status: expected 200 or 400 (undocumented-status)",
			},
		},
		{
			name: "a request of another content type", method: "POST", url: v1 + keysPath, status: 500,
			reqBody: "name=ci", reqType: "application/x-www-form-urlencoded",
			want: []string{
				"admin-api-keys-create 500: request body: content-type: expected application/json (request)",
				"admin-api-keys-create 500: status: expected 200 or 400 (undocumented-status)",
			},
		},
		{
			name: "a request out of bounds", method: "POST", url: v1 + keysPath, status: 500,
			reqBody: `{"name":"ci","expires_in_seconds":31536001}`,
			want: []string{
				"admin-api-keys-create 500: request body /expires_in_seconds: maximum: expected 31536000 (request)",
				"admin-api-keys-create 500: status: expected 200 or 400 (undocumented-status)",
			},
		},
		{
			name: "a request that is not JSON", method: "POST", url: v1 + keysPath, status: 500, reqBody: `{"name":}`,
			want: []string{
				"admin-api-keys-create 500: request body /name: json: expected a JSON document (request)",
				"admin-api-keys-create 500: status: expected 200 or 400 (undocumented-status)",
			},
		},
		{
			name: "truncated gzip", method: "DELETE", url: v1 + deletePath, status: 200,
			header: http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"gzip"}}, body: string(zipped(t, deleted)[:40]),
			want: []string{"delete-project-api-key 200: response body: incomplete: expected the whole body (unchecked)"},
		},
		{
			name: "no response", method: "GET", url: v1 + keysPath + "?limit=0", status: 0,
			want: []string{"admin-api-keys-list: query parameter limit: minimum: expected 1 (request)"},
		},
		{name: "a HEAD request", method: "HEAD", url: v1 + keysPath, status: 200},
		{
			name: "a HEAD request with an invalid parameter", method: "HEAD", url: v1 + keysPath + "?limit=0", status: 302,
			want: []string{
				"admin-api-keys-list 302: query parameter limit: minimum: expected 1 (request)",
				"admin-api-keys-list 302: status: expected 200 or 400 (status)",
			},
		},
		{
			name: "an integer with a fraction of zero in a body", method: "POST", url: v1 + keysPath, status: 500,
			reqBody: `{"name":"ci","expires_in_seconds":3.6e3}`,
			want:    []string{"admin-api-keys-create 500: status: expected 200 or 400 (undocumented-status)"},
		},
		{
			name: "another content encoding", method: "DELETE", url: v1 + deletePath, status: 200,
			header: http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"br"}}, body: deleted,
			want: []string{"delete-project-api-key 200: response body: content-encoding: expected gzip or none (unchecked)"},
		},
		{
			name: "not gzip, although the header says so", method: "DELETE", url: v1 + deletePath, status: 200,
			header: http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"gzip"}}, body: deleted,
			want: []string{"delete-project-api-key 200: response body: incomplete: expected the whole body (unchecked)"},
		},
	}
	c := newChecker(t)
	kinds := map[speccheck.Kind]bool{}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			found := row.check(t, c)
			want := row.want
			if want == nil {
				want = []string{}
			}
			assert.Equal(t, want, lines(found))
			for _, v := range found {
				kinds[v.Kind] = true
			}
		})
	}
	for _, kind := range speccheck.Kinds() {
		assert.True(t, kinds[kind], "no row has a violation of kind %q", kind)
	}
	assert.NotContains(t, speccheck.FailingKinds(), speccheck.UndocumentedStatus)
}

func TestCheck_decompressesBodies(t *testing.T) {
	c := newChecker(t)
	req := newRequest(t, "DELETE", deletePath)
	header := http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"GZIP"}}
	assert.Empty(t, c.Check(req, nil, 200, header, zipped(t, deleted)))

	found := c.Check(req, nil, 200, header, zipped(t, `{}`))
	require.Len(t, found, 3)
	assert.Equal(t, "/deleted", found[0].Pointer)
}

func TestCheck_leavesItsArguments(t *testing.T) {
	c := newChecker(t)
	req := newRequest(t, "GET", keysPath)
	want := req.Clone(req.Context())
	header, wantHeader := http.Header{"Content-Type": {jsonContent}}, http.Header{"Content-Type": {jsonContent}}
	text := []byte(deleted)
	require.NotEmpty(t, c.Check(req, text, 200, header, text))
	assert.Equal(t, want, req)
	assert.Equal(t, wantHeader, header)
	assert.Equal(t, deleted, string(text))
}

func TestCheckResponse(t *testing.T) {
	c := newChecker(t)
	var documented []string
	for _, item := range document(t).Paths.Map() {
		for _, op := range item.Operations() {
			documented = append(documented, op.OperationID)
		}
	}
	assert.ElementsMatch(t, documented, c.Operations())
	assert.IsIncreasing(t, c.Operations())
	assert.Empty(t, c.CheckResponse("delete-project-api-key", 200, jsonContent, []byte(deleted)))
	assert.Equal(t,
		[]string{"delete-project-api-key 404: status: expected 200 or 400 (undocumented-status)"},
		lines(c.CheckResponse("delete-project-api-key", 404, jsonContent, nil)))
	found := c.CheckResponse("no-such-operation", 200, jsonContent, []byte(deleted))
	assert.Equal(t, []string{"200: operation (operation)"}, lines(found))
}
