package speccheck_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

func TestWithSpec_otherContracts(t *testing.T) {
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
			name: "nullable in 3.0", version: "3.0.3", schema: `{"type":"string","nullable":true}`,
			exchange: exchange{body: `null`},
		},
		{
			name: "not nullable in 3.0", version: "3.0.3", schema: `{"type":"string"}`,
			exchange: exchange{body: `null`, want: []string{"get 200: response body: nullable: expected string, found null (body)"}},
		},
		{
			name: "an exclusive limit in 3.0", version: "3.0.3", schema: `{"type":"integer","minimum":3,"exclusiveMinimum":true}`,
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
			name: "the closest alternative", version: "3.1.0", components: `,"A":{"type":"object","required":["a","b"],"properties":{"a":{"type":"integer"}}}`,
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
			name: "null that no alternative allows", version: "3.1.0", schema: `{"anyOf":[{"type":"array"},{"type":"string"}]}`,
			exchange: exchange{body: `null`, want: []string{"get 200: response body: nullable: expected array or string, found null (body)"}},
		},
		{
			name: "two alternatives equally close", version: "3.1.0", schema: `{"anyOf":[{"const":"a"},{"const":"b"}]}`,
			exchange: exchange{body: `"c"`, want: []string{"get 200: response body: anyOf: expected one of the alternatives (body)"}},
		},
		{
			name: "three alternatives, the last is closest", version: "3.1.0",
			schema:   `{"anyOf":[{"required":["a","b"]},{"required":["c","d"]},{"required":["e"]}]}`,
			exchange: exchange{body: `{}`, want: []string{"get 200: response body /e: required: expected present (body)"}},
		},
		{
			name: "three alternatives, the first is closest", version: "3.1.0",
			schema:   `{"anyOf":[{"required":["e"]},{"required":["a","b"]},{"required":["c","d"]}]}`,
			exchange: exchange{body: `{}`, want: []string{"get 200: response body /e: required: expected present (body)"}},
		},
		{
			name: "more than one alternative of oneOf", version: "3.1.0", schema: `{"oneOf":[{"type":"string"},{"minLength":1}]}`,
			exchange: exchange{body: `"c"`, want: []string{"get 200: response body: oneOf: expected exactly one of the alternatives (body)"}},
		},
		{
			name: "not", version: "3.1.0", schema: `{"not":{"type":"string"}}`,
			exchange: exchange{body: `"c"`, want: []string{"get 200: response body: not (body)"}},
		},
		{
			name: "a property that is not in the contract", version: "3.1.0", schema: `{"type":"object","additionalProperties":{"type":"string"}}`,
			exchange: exchange{body: `{"sender's own":1}`, want: []string{"get 200: response body: type: expected string, found number (body)"}},
		},
		{
			name: "additionalProperties: false", version: "3.1.0", schema: `{"type":"object","additionalProperties":false}`,
			exchange: exchange{body: `{"sender's own":1}`, want: []string{"get 200: response body: additionalProperties: expected false (body)"}},
		},
		{
			name: "propertyNames", version: "3.1.0", schema: `{"type":"object","propertyNames":{"maxLength":3}}`,
			exchange: exchange{body: `{"sender's own":1}`, want: []string{"get 200: response body: propertyNames (body)"}},
		},
		{
			name: "dependentRequired", version: "3.1.0", schema: `{"type":"object","dependentRequired":{"id":["a"]}}`,
			exchange: exchange{body: `{"id":1}`, want: []string{`get 200: response body: dependentRequired: expected {"id":["a"]} (body)`}},
		},
		{
			name: "property names like indexes", version: "3.1.0", schema: `{"type":"object","additionalProperties":{"type":"array","items":{"type":"string"}}}`,
			exchange: exchange{body: `{"4155550100":[1]}`, want: []string{"get 200: response body: type: expected string, found number (body)"}},
		},
		{
			name: "duplicate property names like indexes", version: "3.1.0", schema: `true`,
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
			name: "a parameter of the path item", version: "3.1.0", schema: `true`,
			exchange: exchange{url: "http://h/things/x", body: `1`, want: []string{"get 200: path parameter id: type: expected integer (request)"}},
		},
		{
			name: "a missing parameter", version: "3.1.0", schema: `true`,
			exchange: exchange{method: "PUT", header: plain, want: []string{"put 200: query parameter size: required: expected present (request)"}},
		},
		{
			name: "parameters with references, and with JSON content", version: "3.1.0", schema: `true`,
			exchange: exchange{method: "PUT", url: "http://h/things/1?size=4&sizes=1&sizes=4&filter=1", header: plain, want: []string{
				"put 200: query parameter size: maximum: expected 3 (request)",
				"put 200: query parameter sizes: maximum (request)",
				"put 200: query parameter filter: type (request)",
			}},
		},
		{
			name: "a body that is not JSON by its content type", version: "3.1.0", schema: `true`,
			exchange: exchange{method: "PUT", url: "http://h/things/1?size=3&sizes=3&filter={}", header: plain, body: "any"},
		},
		{name: "a range of statuses", version: "3.1.0", schema: `true`, exchange: exchange{status: 404, body: "anything"}},
		{
			name: "the default response", version: "3.1.0", schema: `true`,
			exchange: exchange{status: 500, header: problem, body: `[]`, want: []string{"get 500: response body: type: expected object, found array (body)"}},
		},
		{
			name: "an invalid operation", version: "3.1.0", schema: `{"type":"text"}`,
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

func TestNew_rejectsInvalidDocuments(t *testing.T) {
	const version, noOperations = "not an OpenAPI document of version 3", "the OpenAPI document has no operations"
	for _, row := range []struct{ document, want string }{
		{"", version},
		{"null", version},
		{"a: b", version},
		{"swagger: '2.0'\npaths: {}", version},
		{"openapi: 4.0.0\npaths: {}", version},
		{"[]", "not an OpenAPI document: "},
		{"{", "not an OpenAPI document: "},
		{"<html>", "not an OpenAPI document: "},
		{"openapi: 3.1.0", noOperations},
		{"openapi: 3.1.0\npaths: {}", noOperations},
		{"openapi: 3.1.0\npaths: {/a: null}", noOperations},
		{"openapi: 3.1.0\npaths: {/a: {}}", noOperations},
		{"openapi: 3.1.0\npaths: {/a: {get: null}}", noOperations},
		{"openapi: 3.1.0\npaths: {/a: {get: {responses: {'200': {$ref: '#/components/responses/none'}}}}}", "#/components/responses/none"},
		{"openapi: 3.1.0\npaths: {/a: {get: {responses: {'200': {$ref: 'other.yaml'}}}}}", "external reference"},
		{"openapi: 3.1.0\npaths: {/a: {get: {responses: {'200': null}}}}", "invalid response"},
		{"openapi: 3.1.0\npaths: {/a: {get: {parameters: [null]}}}", "invalid parameter"},
		{"openapi: 3.1.0\npaths: {/a: {parameters: [null], get: {}}}", "invalid parameter"},
		{
			"openapi: 3.1.0\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: {type: text}}}}}}}",
			`the OpenAPI document has no valid operation: unsupported 'type' value "text"`,
		},
	} {
		_, err := speccheck.New(speccheck.WithSpec([]byte(row.document)))
		assert.ErrorContains(t, err, "speccheck: ", row.document)
		assert.ErrorContains(t, err, row.want, row.document)
	}
	_, err := speccheck.New(speccheck.WithSpec(nil))
	assert.ErrorContains(t, err, version)
}
