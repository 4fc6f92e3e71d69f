package speccheck_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// contractWith returns a contract whose operation "get" has the schema A as its response and, if
// parameter is set, as a query parameter. The operation "other" is valid whatever the schemas are.
func contractWith(version, schemas string, parameter bool) []byte {
	const ref = `{"$ref": "#/components/schemas/A"}`
	parameters := ""
	if parameter {
		parameters = `{"name": "q", "in": "query", "schema": ` + ref + `}`
	}
	return fmt.Appendf(nil, `{
		"openapi": %q, "info": {"title": "t", "version": "1"},
		"paths": {
			"/get": {"get": {"operationId": "get", "parameters": [%s], "responses": {"200": {"description": "d", "content": {"application/json": {"schema": %s}}}}}},
			"/other": {"get": {"operationId": "other", "responses": {"200": {"description": "d"}}}}
		},
		"components": {"schemas": {%s}}
	}`, version, parameters, ref, schemas)
}

func TestWithSpec_referenceCycles(t *testing.T) {
	const a, b = `{"$ref": "#/components/schemas/A"}`, `{"$ref": "#/components/schemas/B"}`
	for _, row := range []struct{ name, schemas string }{
		{"direct", `"A": ` + a},
		{"by two schemas", `"A": ` + b + `, "B": ` + a},
		{"allOf", `"A": {"allOf": [` + a + `]}`},
		{"allOf after a valid part", `"A": {"allOf": [{"type": "object"}, ` + a + `]}`},
		{"allOf by two schemas", `"A": {"allOf": [` + b + `]}, "B": {"allOf": [` + a + `]}`},
		{"anyOf", `"A": {"anyOf": [{"type": "string"}, ` + a + `]}`},
		{"anyOf, first", `"A": {"anyOf": [` + a + `, {"type": "string"}]}`},
		{"oneOf", `"A": {"oneOf": [` + a + `, {"type": "null"}]}`},
		{"not", `"A": {"not": ` + a + `}`},
		{"if", `"A": {"if": ` + a + `, "then": {"type": "object"}}`},
		{"then", `"A": {"if": {"type": "object"}, "then": ` + a + `}`},
		{"else", `"A": {"if": {"type": "string"}, "else": ` + a + `}`},
		{"dependentSchemas", `"A": {"dependentSchemas": {"a": ` + a + `}}`},
		{"a mix", `"A": {"anyOf": [` + b + `, {"type": "null"}]}, "B": {"allOf": [{"oneOf": [` + a + `]}]}`},
		{"in a property", `"A": {"type": "object", "properties": {"b": ` + b + `}}, "B": {"allOf": [` + b + `]}`},
		{"in an item", `"A": {"type": "array", "items": ` + b + `}, "B": {"allOf": [` + b + `]}`},
		{"in an item of an item", `"A": {"type": "array", "items": {"type": "array", "items": ` + b + `}}, "B": {"allOf": [` + b + `]}`},
		{"in additionalProperties", `"A": {"type": "object", "additionalProperties": ` + b + `}, "B": {"anyOf": [` + b + `, {"type": "null"}]}`},
		{"properties that refer to each other", `"A": {"properties": {"a": {"$ref": "#/components/schemas/A/properties/b"}, "b": {"$ref": "#/components/schemas/A/properties/a"}}}`},
	} {
		for _, version := range []string{"3.0.3", "3.1.0"} {
			for _, parameter := range []bool{false, true} {
				t.Run(fmt.Sprint(row.name, " ", version, " ", parameter), func(t *testing.T) {
					c := newChecker(t, speccheck.WithSpec(contractWith(version, row.schemas, parameter)))
					for _, body := range []string{`{}`, `{"a": {"a": 1}, "b": [1]}`, `[[1]]`, `"text"`, `null`, `1`} {
						req, err := http.NewRequest("GET", "http://h/get?q=1", nil)
						require.NoError(t, err)
						found := c.Check(req, nil, 200, http.Header{"Content-Type": {jsonContent}}, []byte(body))
						require.Len(t, found, 1, body)
						assert.Equal(t, speccheck.Unchecked, found[0].Kind)
						assert.Equal(t, "contract", found[0].Rule)
						assert.Contains(t, found[0].Expected, "valid OpenAPI (")
					}
					assert.Empty(t, c.CheckResponse("other", 200, jsonContent, []byte(`{}`)), "other operations are not affected")
				})
			}
		}
	}
}

// A cycle in a schema that two operations share is found in both.
func TestWithSpec_referenceCycleInASharedSchema(t *testing.T) {
	const operation = `{"get": {"operationId": %q, "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}}`
	document := fmt.Sprintf(`{
		"openapi": "3.1.0", "info": {"title": "t", "version": "1"},
		"paths": {"/a": `+operation+`, "/b": `+operation+`, "/c": {"get": {"operationId": "c", "responses": {"200": {"description": "d"}}}}},
		"components": {"schemas": {"A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}}, "B": {"allOf": [{"$ref": "#/components/schemas/B"}]}}}
	}`, "a", "b")
	c := newChecker(t, speccheck.WithSpec([]byte(document)))
	const want = "200: contract: expected valid OpenAPI (a schema refers to itself without a property or an item in between) (unchecked)"
	for _, id := range []string{"a", "b"} {
		assert.Equal(t, []string{id + " " + want}, lines(c.CheckResponse(id, 200, jsonContent, []byte(`{}`))))
	}
}

func TestNew_rejectsADocumentWhoseOnlyOperationIsACycle(t *testing.T) {
	_, err := speccheck.New(speccheck.WithSpec([]byte(`{
		"openapi": "3.1.0", "info": {"title": "t", "version": "1"},
		"paths": {"/a": {"get": {"responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}}},
		"components": {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}}}
	}`)))
	assert.ErrorContains(t, err, "refers to itself")
}

func TestWithSpec_recursiveSchemas(t *testing.T) {
	const a, b = `{"$ref": "#/components/schemas/A"}`, `{"$ref": "#/components/schemas/B"}`
	for _, row := range []struct{ name, schemas, valid, invalid, pointer string }{
		{
			"a property", `"A": {"type": "object", "properties": {"a": ` + a + `}}`,
			`{"a": {"a": {}}}`, `{"a": {"a": 1}}`, "/a/a",
		},
		{
			"a property that allows null", `"A": {"type": "object", "properties": {"a": {"anyOf": [` + a + `, {"type": "null"}]}}}`,
			`{"a": {"a": null}}`, `{"a": {"a": {"a": []}}}`, "/a/a/a",
		},
		{
			"items", `"A": {"type": "array", "items": ` + a + `}`,
			`[[], [[], []]]`, `[[], [[], [1]]]`, "/1/1/0",
		},
		{
			"additionalProperties", `"A": {"type": "object", "additionalProperties": ` + a + `, "properties": {"a": {"type": "string"}}}`,
			`{"x": {"a": "1"}}`, `{"a": 1}`, "/a",
		},
		{
			"two schemas", `"A": {"type": "object", "properties": {"b": ` + b + `}}, "B": {"type": "array", "items": ` + a + `}`,
			`{"b": [{"b": []}]}`, `{"b": [{"b": [{"b": 1}]}]}`, "/b/0/b/0/b",
		},
		{
			"allOf in a property", `"A": {"allOf": [` + b + `], "type": "object"}, "B": {"properties": {"a": {"allOf": [` + a + `]}}}`,
			`{"a": {"a": {}}}`, `{"a": {"a": 1}}`, "/a/a",
		},
		{
			"the same schema twice, not recursive", `"A": {"allOf": [` + b + `, {"anyOf": [` + b + `, {"type": "null"}]}]}, "B": {"type": "object"}`,
			`{}`, `1`, "",
		},
	} {
		for _, version := range []string{"3.0.3", "3.1.0"} {
			if version == "3.0.3" && row.name == "a property that allows null" {
				continue // 3.0 has no type null
			}
			t.Run(row.name+" "+version, func(t *testing.T) {
				c := newChecker(t, speccheck.WithSpec(contractWith(version, row.schemas, false)))
				assert.Empty(t, c.CheckResponse("get", 200, jsonContent, []byte(row.valid)))
				found := c.CheckResponse("get", 200, jsonContent, []byte(row.invalid))
				require.NotEmpty(t, found)
				assert.Equal(t, row.pointer, found[0].Pointer)
				assert.Equal(t, "type", found[0].Rule)
			})
		}
	}
}

// A $dynamicRef is resolved while a value is validated.
func TestWithSpec_dynamicReferences(t *testing.T) {
	c := newChecker(t, speccheck.WithSpec(contractWith("3.1.0",
		`"A": {"type": "object", "$dynamicAnchor": "node", "properties": {"a": {"$dynamicRef": "#node"}}}`, false)))
	assert.Empty(t, c.CheckResponse("get", 200, jsonContent, []byte(`{"a": {"a": {}}}`)))
	found := c.CheckResponse("get", 200, jsonContent, []byte(`{"a": {"a": 1}}`))
	assert.Equal(t, []string{"get 200: response body /a/a: type: expected object, found number (body)"}, lines(found))

	c = newChecker(t, speccheck.WithSpec(contractWith("3.1.0", `"A": {"$dynamicAnchor": "node", "allOf": [{"$dynamicRef": "#node"}]}`, false)))
	for _, v := range c.CheckResponse("get", 200, jsonContent, []byte(`{}`)) {
		assert.Equal(t, speccheck.Unchecked, v.Kind)
		assert.Equal(t, "contract", v.Rule)
	}
	assert.NotEmpty(t, c.CheckResponse("get", 200, jsonContent, []byte(`{}`)))
}

// Recursive schemas without other keywords are valid. kin-openapi overflows the stack on some of them
// unless they are changed.
func TestWithSpec_recursiveSchemasWithoutOtherKeywords(t *testing.T) {
	const a, b = `{"$ref": "#/components/schemas/A"}`, `{"$ref": "#/components/schemas/B"}`
	for _, schemas := range []string{
		`"A": {"properties": {"a": ` + a + `}}`,
		`"A": {"items": ` + a + `}`,
		`"A": {"additionalProperties": ` + a + `}`,
		`"A": {"properties": {"a": ` + b + `}}, "B": {"items": ` + a + `}`,
		`"A": {"properties": {"a": {"allOf": [` + a + `]}}}`,
		`"A": {"properties": {"a": ` + a + `}, "default": {"a": 1}}`,
		`"A": {"properties": {"a": ` + a + `}, "example": {"a": 1}}`,
	} {
		for _, version := range []string{"3.0.3", "3.1.0"} {
			for _, parameter := range []bool{false, true} {
				c := newChecker(t, speccheck.WithSpec(contractWith(version, schemas, parameter)))
				req, err := http.NewRequest("GET", "http://h/get?q=1", nil)
				require.NoError(t, err)
				want := []string{}
				if parameter {
					want = append(want, "get 200: query parameter q: contract: expected a parameter with a type (unchecked)")
				}
				for _, body := range []string{`{"a": {"a": [1]}}`, `[[1]]`, `null`} {
					assert.Equal(t, want, lines(c.Check(req, nil, 200, http.Header{"Content-Type": {jsonContent}}, []byte(body))), "%s %s", schemas, body)
				}
			}
		}
	}

	// References with schemas beside them, which 3.1 allows.
	for _, schemas := range []string{
		`"A": {"$ref": "#/components/schemas/B", "properties": {"a": ` + a + `}}, "B": {"items": ` + b + `}`,
		`"A": {"properties": {"a": {"$ref": "#/components/schemas/B", "items": ` + b + `}}}, "B": {"properties": {"a": ` + b + `}}`,
	} {
		c := newChecker(t, speccheck.WithSpec(contractWith("3.1.0", schemas, true)))
		assert.Empty(t, c.CheckResponse("get", 200, jsonContent, []byte(`{"a": [{"a": {}}]}`)), schemas)
	}
}

// New accepts or rejects random documents full of references, and Check then validates with them,
// without a panic or an endless recursion.
func TestWithSpec_randomReferences(t *testing.T) {
	keywords := []string{
		`"$ref": R`, `"allOf": [S]`, `"anyOf": [S, S]`, `"oneOf": [S, {"type": "null"}]`, `"not": S`, `"if": S`, `"then": S`, `"else": S`,
		`"properties": {"a": S}`, `"items": S`, `"additionalProperties": S`, `"prefixItems": [S]`, `"patternProperties": {"^a": S}`,
		`"propertyNames": S`, `"contains": S`, `"dependentSchemas": {"a": S}`, `"unevaluatedProperties": S`, `"contentSchema": S`,
		`"$dynamicRef": "#x"`, `"$dynamicAnchor": "x"`, `"$defs": {"d": S}`, `"type": "object"`, `"required": ["a"]`, `"default": {"a": 1}`,
	}
	random := rand.New(rand.NewPCG(1, 2))
	var schema func(depth int) string
	reference := func() string { return `"#/components/schemas/` + string("AB"[random.IntN(2)]) + `"` }
	schema = func(depth int) string {
		if depth == 0 {
			return `{"$ref": ` + reference() + `}`
		}
		first, second := random.IntN(len(keywords)), random.IntN(len(keywords))
		parts := []string{keywords[first]}
		if second != first {
			parts = append(parts, keywords[second])
		}
		text := strings.ReplaceAll("{"+strings.Join(parts, ", ")+"}", ": R", ": "+reference())
		for strings.Contains(text, "S") {
			text = strings.Replace(text, "S", strings.ReplaceAll(schema(depth-1), "S", "s"), 1)
		}
		return text
	}
	valid := 0
	for range 3000 {
		version := []string{"3.0.3", "3.1.0"}[random.IntN(2)]
		document := contractWith(version, fmt.Sprintf(`"A": %s, "B": %s`, schema(1+random.IntN(2)), schema(1)), random.IntN(2) == 0)
		c, err := speccheck.New(speccheck.WithSpec(document))
		if err != nil {
			continue
		}
		valid++
		req, err := http.NewRequest("GET", `http://h/get?q=1`, nil)
		require.NoError(t, err)
		for _, body := range []string{`{"a": {"a": {}}}`, `[[1], {"a": "b"}]`, `null`} {
			c.Check(req, nil, 200, http.Header{"Content-Type": {jsonContent}}, []byte(body))
		}
	}
	assert.Greater(t, valid, 1000)
}

// The decoder of openapi3filter panics on contradictory parameters.
func TestCheck_contradictoryParameters(t *testing.T) {
	c := newChecker(t, speccheck.WithSpec([]byte(`
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /x: {get: {operationId: x, parameters: [{name: f, in: query, style: deepObject, explode: true, schema: {
    type: object, properties: {a: {type: object, properties: {b: {type: string}}}}}}], responses: {"200": {description: d}}}}
`)))
	for range 20 { // the decoder goes through the parameters in random order
		req, err := http.NewRequest("GET", "http://h/x?f[a]=1&f[a][b]=2", nil)
		require.NoError(t, err)
		assert.Equal(t, []string{"x 200: query parameter f: type: expected object (request)"}, lines(c.Check(req, nil, 200, nil, nil)))
	}
}
