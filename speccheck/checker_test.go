package speccheck_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

const (
	deleted     = `{"object":"organization.project.api_key.deleted","id":"key_abc","deleted":true}`
	deletePath  = "/organization/projects/proj_abc/api_keys/key_abc"
	keysPath    = "/organization/admin_api_keys"
	jsonContent = "application/json"
)

// lines prints violations as people see them.
func lines(found []speccheck.Violation) []string {
	list := []string{}
	for _, v := range found {
		list = append(list, v.String())
	}
	return list
}

// exchange is one row of a table.
type exchange struct {
	name                 string
	method, url, reqBody string
	reqType              string
	status               int
	header               http.Header
	body                 string
	want                 []string
}

func (e exchange) check(t testing.TB, c *speccheck.Checker) []speccheck.Violation {
	req, err := http.NewRequest(e.method, e.url, nil)
	require.NoError(t, err)
	if e.reqBody != "" {
		req.Header.Set("Content-Type", jsonContent)
	}
	if e.reqType != "" {
		req.Header.Set("Content-Type", e.reqType)
	}
	header := e.header
	if header == nil {
		header = http.Header{"Content-Type": {jsonContent}}
	}
	return c.Check(req, []byte(e.reqBody), e.status, header, []byte(e.body))
}

func TestEachKindOfViolationIsToldApart(t *testing.T) {
	const v1 = "https://api.openai.com/v1"
	rows := []exchange{
		{name: "nothing wrong", method: "DELETE", url: v1 + deletePath, status: 200, body: deleted},
		{
			name: "nothing wrong, at another host behind a prefix", method: "DELETE",
			url: "http://127.0.0.1:8080/openai/v1" + deletePath + "?trace=1", status: 200, body: deleted,
		},
		{name: "nothing wrong, at the root", method: "DELETE", url: "http://localhost" + deletePath, status: 200, body: deleted},
		{
			name: "nothing wrong, with a charset", method: "DELETE", url: v1 + deletePath, status: 200,
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
					"method: expected DELETE or GET (operation)",
			},
		},
		{
			name: "a method of nobody's", method: "MINT", url: v1 + deletePath, status: 405,
			want: []string{
				"/organization/projects/{project_id}/api_keys/{api_key_id} 405: method: expected DELETE or GET (operation)",
			},
		},
		{
			name: "a success of another kind", method: "DELETE", url: v1 + deletePath, status: 204,
			want: []string{"delete-project-api-key 204: status: expected 200 or 400 (status)"},
		},
		{
			name: "a redirect", method: "DELETE", url: v1 + deletePath, status: 302, body: "<html>",
			want: []string{"delete-project-api-key 302: status: expected 200 or 400 (status)"},
		},
		{
			name: "an error that is not documented", method: "DELETE", url: v1 + deletePath, status: 401, body: `{"error":"no"}`,
			want: []string{"delete-project-api-key 401: status: expected 200 or 400 (undocumented-status)"},
		},
		{
			name: "a proxy's error page", method: "DELETE", url: v1 + deletePath, status: 502,
			header: http.Header{"Content-Type": {"text/html"}}, body: "<html>",
			want: []string{"delete-project-api-key 502: status: expected 200 or 400 (undocumented-status)"},
		},
		{
			name: "a documented error with a broken body", method: "DELETE", url: v1 + deletePath, status: 400, body: `{"error":"no"}`,
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
			name: "no JSON", method: "DELETE", url: v1 + deletePath, status: 200, body: `{"object":organization}`,
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
			name: "garbage behind the document", method: "DELETE", url: v1 + deletePath, status: 200, body: deleted + "}",
			want: []string{"delete-project-api-key 200: response body: trailing-data: expected one JSON document (body)"},
		},
		{
			name: "a name twice", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "{", `{"id":"key_xyz",`, 1),
			want: []string{"delete-project-api-key 200: response body /id: duplicate-name: expected each name once (body)"},
		},
		{
			name: "a name twice, once escaped", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "{", `{"\u0069d":"key_xyz",`, 1),
			want: []string{"delete-project-api-key 200: response body /id: duplicate-name: expected each name once (body)"},
		},
		{
			name: "no UTF-8", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "key_abc", "\xff", 1),
			want: []string{"delete-project-api-key 200: response body /id: utf-8: expected valid UTF-8 (body)"},
		},
		{
			name: "half a character", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "key_abc", `\ud800`, 1),
			want: []string{"delete-project-api-key 200: response body /id: utf-8: expected valid UTF-8 (body)"},
		},
		{
			name: "a number that nothing can hold", method: "DELETE", url: v1 + deletePath, status: 200,
			body: strings.Replace(deleted, "{", `{"created_at":1e999999999,`, 1),
			want: []string{"delete-project-api-key 200: response body /created_at: json: expected a number within the range of a double (body)"},
		},
		{
			name: "several faults at once", method: "DELETE", url: v1 + deletePath, status: 200, body: `{"object":"x","object":"y","deleted":1} {}`,
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
				"admin-api-keys-list 500: status: expected 200 (undocumented-status)",
			},
		},
		{
			name: "parameters out of bounds", method: "GET", url: v1 + keysPath + "?limit=101&order=up", status: 500,
			want: []string{
				`admin-api-keys-list 500: query parameter order: enum: expected "asc" or "desc" (request)`,
				"admin-api-keys-list 500: query parameter limit: maximum: expected 100 (request)",
				"admin-api-keys-list 500: status: expected 200 (undocumented-status)",
			},
		},
		{
			name: "a limit of nothing", method: "GET", url: v1 + keysPath + "?limit=0", status: 500,
			want: []string{
				"admin-api-keys-list 500: query parameter limit: minimum: expected 1 (request)",
				"admin-api-keys-list 500: status: expected 200 (undocumented-status)",
			},
		},
		{
			name: "a request without its body", method: "POST", url: v1 + keysPath, status: 500,
			want: []string{
				"admin-api-keys-create 500: request body: required: expected a body (request)",
				"admin-api-keys-create 500: status: expected 200 (undocumented-status)",
			},
		},
		{
			name: "a request of another content type", method: "POST", url: v1 + keysPath, status: 500,
			reqBody: "name=ci", reqType: "application/x-www-form-urlencoded",
			want: []string{
				"admin-api-keys-create 500: request body: content-type: expected application/json (request)",
				"admin-api-keys-create 500: status: expected 200 (undocumented-status)",
			},
		},
		{
			name: "a request out of bounds", method: "POST", url: v1 + keysPath, status: 500,
			reqBody: `{"name":"ci","expires_in_seconds":31536001}`,
			want: []string{
				"admin-api-keys-create 500: request body /expires_in_seconds: maximum: expected 31536000 (request)",
				"admin-api-keys-create 500: status: expected 200 (undocumented-status)",
			},
		},
		{
			name: "a request that is no JSON", method: "POST", url: v1 + keysPath, status: 500, reqBody: `{"name":}`,
			want: []string{
				"admin-api-keys-create 500: request body /name: json: expected a JSON document (request)",
				"admin-api-keys-create 500: status: expected 200 (undocumented-status)",
			},
		},
		{
			name: "gzip that is cut", method: "DELETE", url: v1 + deletePath, status: 200,
			header: http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"gzip"}}, body: string(zipped(t, deleted)[:40]),
			want: []string{"delete-project-api-key 200: response body: incomplete: expected the whole body (unchecked)"},
		},
		{
			name: "no answer", method: "GET", url: v1 + keysPath + "?limit=0", status: 0,
			want: []string{"admin-api-keys-list: query parameter limit: minimum: expected 1 (request)"},
		},
		{
			name: "an encoding that is not read", method: "DELETE", url: v1 + deletePath, status: 200,
			header: http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"br"}}, body: deleted,
			want: []string{"delete-project-api-key 200: response body: content-encoding: expected gzip or none (unchecked)"},
		},
		{
			name: "gzip that is none", method: "DELETE", url: v1 + deletePath, status: 200,
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

func zipped(t testing.TB, text string) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.Bytes()
}

func TestACompressedBodyIsJudgedUnpacked(t *testing.T) {
	c := newChecker(t)
	req := request(t, body{method: "DELETE", path: deletePath})
	header := http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"GZIP"}}
	assert.Empty(t, c.Check(req, nil, 200, header, zipped(t, deleted)))

	found := c.Check(req, nil, 200, header, zipped(t, `{}`))
	require.Len(t, found, 3)
	assert.Equal(t, "/deleted", found[0].Pointer)
}

func TestABodyBeyondTheLimitIsNotJudged(t *testing.T) {
	const limit = 100
	within := `{"x":"` + strings.Repeat("x", limit-8) + `"}`
	beyond := within + " "
	c := newChecker(t, speccheck.WithMaxBody(limit))
	req := request(t, body{method: "DELETE", path: deletePath})
	plain := http.Header{"Content-Type": {jsonContent}}
	gzipped := http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"gzip"}}
	for _, row := range []struct {
		name   string
		header http.Header
		body   []byte
		want   speccheck.Kind
	}{
		{"within", plain, []byte(within), speccheck.BodyViolation},
		{"beyond", plain, []byte(beyond), speccheck.Unchecked},
		{"unpacks to within", gzipped, zipped(t, within), speccheck.BodyViolation},
		{"unpacks to beyond", gzipped, zipped(t, beyond), speccheck.Unchecked},
		{"unpacks to far beyond, and is not read that far", gzipped, append(zipped(t, strings.Repeat(" ", 1<<20)), "no gzip"...), speccheck.Unchecked},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := c.Check(req, nil, 200, row.header, row.body)
			require.NotEmpty(t, found)
			for _, v := range found {
				assert.Equal(t, row.want, v.Kind, v)
			}
			if row.want == speccheck.Unchecked {
				assert.Equal(t, []string{
					"delete-project-api-key 200: response body: max-body: expected at most 100 bytes (unchecked)",
				}, lines(found)[:1])
			}
		})
	}

	_, err := speccheck.New(speccheck.WithMaxBody(0))
	assert.Error(t, err)
}

func TestCheckChangesNothing(t *testing.T) {
	c := newChecker(t)
	req := request(t, body{method: "GET", path: keysPath})
	want := req.Clone(req.Context())
	header, wantHeader := http.Header{"Content-Type": {jsonContent}}, http.Header{"Content-Type": {jsonContent}}
	text := []byte(deleted)
	require.NotEmpty(t, c.Check(req, text, 200, header, text))
	assert.Equal(t, want, req)
	assert.Equal(t, wantHeader, header)
	assert.Equal(t, deleted, string(text))
}

func TestABodyAloneIsJudgedByItsOperation(t *testing.T) {
	c := newChecker(t)
	assert.Equal(t, []string{
		"admin-api-keys-create", "admin-api-keys-list", "create-project-service-account",
		"delete-project-api-key", "list-project-service-accounts", "retrieve-project-api-key",
	}, c.Operations())
	assert.Empty(t, c.CheckResponse("delete-project-api-key", 200, jsonContent, []byte(deleted)))
	assert.Equal(t,
		[]string{"delete-project-api-key 404: status: expected 200 or 400 (undocumented-status)"},
		lines(c.CheckResponse("delete-project-api-key", 404, jsonContent, nil)))
	found := c.CheckResponse("mint-everything", 200, jsonContent, []byte(deleted))
	assert.Equal(t, []string{"200: operation (operation)"}, lines(found))
}

func TestARequestIsMatchedToItsOperation(t *testing.T) {
	c := newChecker(t)
	for _, row := range []struct {
		method, url, id string
		matched         bool
	}{
		{"", "http://h/v1/organization/admin_api_keys?limit=1", "admin-api-keys-list", true},
		{"GET", "/organization/admin_api_keys", "admin-api-keys-list", true},
		{"PUT", "http://h/v1/organization/admin_api_keys", "", true},
		{"GET", "http://h/v1/organization/admin_api_keys/", "", false},
		{"GET", "http://h/v1/Organization/admin_api_keys", "", false},
		{"GET", "http://h/v1/organization%2Fadmin_api_keys", "", false},
		{"GET", "http://h/admin_api_keys", "", false},
		{"GET", "http://h", "", false},
		{"GET", "http://h/organization/projects/a%2Fb/api_keys/%2e%2e", "retrieve-project-api-key", true},
		{"GET", "http://h/organization/projects/a/api_keys/b/c", "", false},
		{"GET", "http://h/organization/projects//api_keys/b", "", false},
	} {
		u, err := url.Parse(row.url)
		require.NoError(t, err)
		id, matched := c.Operation(&http.Request{Method: row.method, URL: u})
		assert.Equal(t, row.id, id, row.url)
		assert.Equal(t, row.matched, matched, row.url)
	}
}

func TestOtherContractsAreReadAsTheyAreMeant(t *testing.T) {
	const head = `{"openapi":"%s","info":{"title":"t","version":"1"},"paths":{%s},"components":{"schemas":{%s}}}`
	get := func(schema string) string {
		return `"/things/{id}":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
			"get":{"operationId":"get","responses":{"200":{"description":"d","content":{"application/json":{"schema":` + schema + `}}},
			"4XX":{"description":"d"},"default":{"description":"d","content":{"application/problem+json":{"schema":{"type":"object"}}}}}},
			"put":{"operationId":"put","parameters":[
			{"name":"size","in":"query","required":true,"schema":{"$ref":"#/components/schemas/Size"}},
			{"name":"sizes","in":"query","schema":{"type":"array","items":{"$ref":"#/components/schemas/Size"}}},
			{"name":"filter","in":"query","content":{"application/json":{"schema":{"type":"object"}}}}],
			"responses":{"200":{"description":"d","content":{"text/plain":{"schema":{"type":"string"}}}}}}}`
	}
	problem := http.Header{"Content-Type": {"application/problem+json"}}
	plain := http.Header{"Content-Type": {"text/plain"}}
	for _, row := range []struct {
		name, version, schema, components string
		exchange
	}{
		{
			name: "nullable, as 3.0 writes it", version: "3.0.3", schema: `{"type":"string","nullable":true}`,
			exchange: exchange{body: `null`},
		},
		{
			name: "not nullable, as 3.0 writes it", version: "3.0.3", schema: `{"type":"string"}`,
			exchange: exchange{body: `null`, want: []string{"get 200: response body: nullable: expected string, found null (body)"}},
		},
		{
			name: "an exclusive limit, as 3.0 writes it", version: "3.0.3", schema: `{"type":"integer","minimum":3,"exclusiveMinimum":true}`,
			exchange: exchange{body: `3`, want: []string{"get 200: response body: exclusiveMinimum: expected 3 (body)"}},
		},
		{
			name: "a keyword of 2020-12", version: "3.1.0", schema: `{"type":"array","prefixItems":[{"type":"string"}],"items":false}`,
			exchange: exchange{body: `[1,2]`, want: []string{
				"get 200: response body /0: type: expected string, found number (body)",
				"get 200: response body /1: false: expected no value (body)",
			}},
		},
		{
			name: "the nearest alternative", version: "3.1.0", components: `,"A":{"type":"object","required":["a","b"],"properties":{"a":{"type":"integer"}}}`,
			schema: `{"oneOf":[{"$ref":"#/components/schemas/A"},{"type":"array"},{"type":"null"}]}`,
			exchange: exchange{body: `{"a":"1"}`, want: []string{
				"get 200: response body /a: type: expected integer, found string (body)",
				"get 200: response body /b: required: expected present (body)",
			}},
		},
		{
			name: "no alternative's type", version: "3.1.0", schema: `{"anyOf":[{"type":["array","string"]},{"type":"null"}]}`,
			exchange: exchange{body: `1`, want: []string{
				"get 200: response body: type: expected array or string or null, found number (body)",
			}},
		},
		{
			name: "null in no alternative", version: "3.1.0", schema: `{"anyOf":[{"type":"array"},{"type":"string"}]}`,
			exchange: exchange{body: `null`, want: []string{"get 200: response body: nullable: expected array or string, found null (body)"}},
		},
		{
			name: "two alternatives as near", version: "3.1.0", schema: `{"anyOf":[{"const":"a"},{"const":"b"}]}`,
			exchange: exchange{body: `"c"`, want: []string{"get 200: response body: anyOf: expected one of the alternatives (body)"}},
		},
		{
			name: "three alternatives, the last the nearest", version: "3.1.0",
			schema:   `{"anyOf":[{"required":["a","b"]},{"required":["c","d"]},{"required":["e"]}]}`,
			exchange: exchange{body: `{}`, want: []string{"get 200: response body /e: required: expected present (body)"}},
		},
		{
			name: "three alternatives, the first the nearest", version: "3.1.0",
			schema:   `{"anyOf":[{"required":["e"]},{"required":["a","b"]},{"required":["c","d"]}]}`,
			exchange: exchange{body: `{}`, want: []string{"get 200: response body /e: required: expected present (body)"}},
		},
		{
			name: "more alternatives than one", version: "3.1.0", schema: `{"oneOf":[{"type":"string"},{"minLength":1}]}`,
			exchange: exchange{body: `"c"`, want: []string{"get 200: response body: oneOf: expected exactly one of the alternatives (body)"}},
		},
		{
			name: "what must not be", version: "3.1.0", schema: `{"not":{"type":"string"}}`,
			exchange: exchange{body: `"c"`, want: []string{"get 200: response body: not (body)"}},
		},
		{
			name: "a name that the contract does not know", version: "3.1.0", schema: `{"type":"object","additionalProperties":{"type":"string"}}`,
			exchange: exchange{body: `{"sender's own":1}`, want: []string{"get 200: response body: type: expected string, found number (body)"}},
		},
		{
			name: "names that must not be", version: "3.1.0", schema: `{"type":"object","additionalProperties":false}`,
			exchange: exchange{body: `{"sender's own":1}`, want: []string{"get 200: response body: additionalProperties: expected false (body)"}},
		},
		{
			name: "names of another form", version: "3.1.0", schema: `{"type":"object","propertyNames":{"maxLength":3}}`,
			exchange: exchange{body: `{"sender's own":1}`, want: []string{"get 200: response body: propertyNames (body)"}},
		},
		{
			name: "what another name asks for", version: "3.1.0", schema: `{"type":"object","dependentRequired":{"id":["a"]}}`,
			exchange: exchange{body: `{"id":1}`, want: []string{`get 200: response body: dependentRequired: expected {"id":["a"]} (body)`}},
		},
		{
			name: "names like indexes", version: "3.1.0", schema: `{"type":"object","additionalProperties":{"type":"array","items":{"type":"string"}}}`,
			exchange: exchange{body: `{"4155550100":[1]}`, want: []string{"get 200: response body: type: expected string, found number (body)"}},
		},
		{
			name: "names like indexes, twice", version: "3.1.0", schema: `true`,
			exchange: exchange{body: `[0,{"7":[],"7":[`, want: []string{
				"get 200: response body /1: duplicate-name: expected each name once (body)",
				"get 200: response body /1: json: expected a JSON document (body)",
			}},
		},
		{
			name: "a name with a slash and a tilde", version: "3.1.0", schema: `{"type":"object","properties":{"a/b~c":{"type":"string"}}}`,
			exchange: exchange{body: `{"a/b~c":1}`, want: []string{"get 200: response body /a~1b~0c: type: expected string, found number (body)"}},
		},
		{
			name: "a parameter of all operations of a path", version: "3.1.0", schema: `true`,
			exchange: exchange{url: "http://h/things/x", body: `1`, want: []string{"get 200: path parameter id: type: expected integer (request)"}},
		},
		{
			name: "a parameter that is missing", version: "3.1.0", schema: `true`,
			exchange: exchange{method: "PUT", header: plain, want: []string{"put 200: query parameter size: required: expected present (request)"}},
		},
		{
			name: "parameters with references and of JSON", version: "3.1.0", schema: `true`,
			exchange: exchange{method: "PUT", url: "http://h/things/1?size=4&sizes=1&sizes=4&filter=1", header: plain, want: []string{
				"put 200: query parameter size: maximum: expected 3 (request)",
				"put 200: query parameter sizes: maximum (request)",
				"put 200: query parameter filter: type (request)",
			}},
		},
		{
			name: "a body of another kind than JSON", version: "3.1.0", schema: `true`,
			exchange: exchange{method: "PUT", url: "http://h/things/1?size=3&sizes=3&filter={}", header: plain, body: "any"},
		},
		{name: "a range of statuses", version: "3.1.0", schema: `true`, exchange: exchange{status: 404, body: "anything"}},
		{
			name: "all other statuses", version: "3.1.0", schema: `true`,
			exchange: exchange{status: 500, header: problem, body: `[]`, want: []string{"get 500: response body: type: expected object, found array (body)"}},
		},
		{
			name: "an operation that is invalid", version: "3.1.0", schema: `{"type":"text"}`,
			exchange: exchange{body: `[]`, want: []string{`get 200: contract: expected valid OpenAPI (unsupported 'type' value "text") (unchecked)`}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			// The other paths keep the document usable where the first one is invalid.
			paths := get(row.schema) + `,"/things/~all":{"post":{}},"/1":{"post":{}}`
			components := `"Size":{"type":"integer","maximum":3}` + row.components
			c := newChecker(t, speccheck.WithSpec(fmt.Appendf(nil, head, row.version, paths, components)))
			e := row.exchange
			if e.url == "" {
				e.url = "http://h/things/1"
			}
			if e.status == 0 {
				e.status = 200
			}
			if e.want == nil {
				e.want = []string{}
			}
			assert.Equal(t, e.want, lines(e.check(t, c)))
			if id, _ := c.Operation(&http.Request{URL: &url.URL{Path: "/things/1"}}); e.method == "" && e.url == "http://h/things/1" {
				header := e.header.Get("Content-Type")
				if e.header == nil {
					header = jsonContent
				}
				assert.Equal(t, e.want, lines(c.CheckResponse(id, e.status, header, []byte(e.body))))
			}

			// A literal path wins over one with a parameter, and above, the longer path over "/1".
			e = exchange{method: "GET", url: "http://h/things/~all", status: 200, body: "1"}
			assert.Equal(t, []string{"GET /things/~all 200: method: expected POST (operation)"}, lines(e.check(t, c)))
		})
	}
}

func TestADocumentThatIsNoContractIsRefused(t *testing.T) {
	_, err := speccheck.New(speccheck.WithSpec(nil))
	assert.Error(t, err)
	for _, document := range []string{
		"", "null", "[]", "{", "a: b", "<html>", "swagger: '2.0'\npaths: {}", "openapi: 4.0.0\npaths: {}",
		"openapi: 3.1.0", "openapi: 3.1.0\npaths: {}", "openapi: 3.1.0\npaths: {/a: null}", "openapi: 3.1.0\npaths: {/a: {}}",
		"openapi: 3.1.0\npaths: {/a: {get: null}}",
		"openapi: 3.1.0\npaths: {/a: {get: {responses: {'200': {$ref: '#/components/responses/none'}}}}}",
		"openapi: 3.1.0\npaths: {/a: {get: {responses: {'200': {$ref: 'other.yaml'}}}}}",
		"openapi: 3.1.0\npaths: {/a: {get: {responses: {'200': null}}}}",
		"openapi: 3.1.0\npaths: {/a: {get: {parameters: [null]}}}",
		"openapi: 3.1.0\npaths: {/a: {parameters: [null], get: {}}}",
		"openapi: 3.1.0\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: {type: text}}}}}}}",
	} {
		_, err := speccheck.New(speccheck.WithSpec([]byte(document)))
		assert.ErrorContains(t, err, "speccheck: ", document)
	}
}

// marker stands for a secret.
const marker = "m4rk3r"

// marked returns value with the marker in every string.
func marked(value any) any {
	switch value := value.(type) {
	case string:
		return value + marker
	case []any:
		list := slices.Clone(value)
		for i := range list {
			list[i] = marked(list[i])
		}
		return list
	case map[string]any:
		object := map[string]any{marker: marker, "/" + marker: map[string]any{marker: marker}}
		for name := range value {
			object[name] = marked(value[name])
		}
		return object
	default:
		return value
	}
}

func TestNothingThatWasSentIsInAViolation(t *testing.T) {
	c := newChecker(t)
	violations := 0
	hold := func(found []speccheck.Violation) {
		violations += len(found)
		for _, v := range found {
			text := fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v) + fmt.Sprintf("%v %+v %#v", &v, &v, &v) +
				string(encode(t, v)) + v.String() + v.Place() + v.Problem()
			assert.NotContains(t, strings.ToLower(text), marker)
		}
	}
	for _, b := range bodies(t) {
		base := bases(t, b)[1]
		hold(check(t, c, b, encode(t, marked(base))))
		for _, m := range faults(b.schema, base) {
			text := encode(t, marked(m.value))
			hold(check(t, c, b, append(text, marker...)))
			hold(check(t, c, b, text[:len(text)-1]))
		}
		// Names that occur twice, and syntax errors behind and within them.
		for _, text := range []string{
			`{"%[1]s":1,"%[1]s":2}`, `{"id":{"%[1]s":{"%[1]s":1,"%[1]s":2}}}`, `{"id":{"%[1]s":[1,`,
			`{"%[1]s"`, `%[1]s`, `"%[1]s`, `{"id":%[1]s}`, `[{"%[1]s":"` + "\xff" + `"}]`, `{"%[1]s` + "\xff" + `":1}`,
		} {
			hold(check(t, c, b, fmt.Appendf(nil, text, marker)))
		}
	}
	require.Greater(t, violations, 1000)

	// Everything else of an exchange.
	for _, path := range []string{
		keysPath, "/organization/projects/" + marker + "/service_accounts", "/" + marker, "/organization/projects/" + marker + "/api_keys/" + marker,
	} {
		for _, method := range []string{"GET", "POST", "DELETE", strings.ToUpper(marker)} {
			req, err := http.NewRequest(method, "https://"+marker+".example/"+marker+path+"?limit="+marker+"&order="+marker+"&"+marker+"=1", nil)
			require.NoError(t, err)
			for _, status := range []int{200, 204, 400, 500} {
				header := http.Header{"Content-Type": {"application/" + marker}, "Content-Encoding": {marker}, "Authorization": {marker}}
				req.Header = header.Clone()
				hold(c.Check(req, []byte(marker), status, header, []byte(marker)))
				header.Set("Content-Type", jsonContent)
				req.Header = header.Clone()
				hold(c.Check(req, []byte(marker), status, header, []byte(marker)))
			}
		}
	}
	hold(c.CheckResponse(marker, 200, marker, []byte(marker)))
}

func FuzzNoBodyBreaksTheChecker(f *testing.F) {
	c := newChecker(f)
	operations := c.Operations()
	for _, b := range bodies(f) {
		f.Add(encode(f, b.example))
	}
	f.Add([]byte(`{"object":"list","data":[{"owner":{"\u0000":1e999}}],"data":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, operation := range operations {
			for _, v := range c.CheckResponse(operation, 200, jsonContent, text) {
				require.NotEmpty(t, v.Rule)
				require.Equal(t, speccheck.BodyViolation, v.Kind)
			}
		}
	})
}
