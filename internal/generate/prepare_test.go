package generate

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPrepare_Rejects verifies that a schema that the decoders could not enforce is an error with
// a pointer to it. The generated client would otherwise accept any value there.
func TestPrepare_Rejects(t *testing.T) {
	const at = "/components/schemas/X/properties/p"
	for _, row := range []struct{ schema, want string }{
		{`{"not": {"type": "string"}}`, at + ": the keyword not is not supported"},
		{`{"type": "object", "patternProperties": {"^a": {}}}`, at + ": the keyword patternProperties is not supported"},
		{`{"type": "object", "propertyNames": {"pattern": "^a"}}`, at + ": the keyword propertyNames is not supported"},
		{`{"type": "object", "dependentRequired": {"a": ["b"]}}`, at + ": the keyword dependentRequired is not supported"},
		{`{"type": "array", "items": {"type": "string"}, "uniqueItems": true}`, at + ": the keyword uniqueItems is not supported"},
		{`{"type": "array", "prefixItems": [{"type": "string"}]}`, at + ": the keyword prefixItems is not supported"},
		{`{"type": "array", "items": {"type": "string", "not": {}}}`, at + "/items: the keyword not is not supported"},
		{`{"if": {"type": "string"}, "then": {"minLength": 1}}`, at + ": the keyword if is not supported"},
		{`{"type": "string", "contentEncoding": "base64url"}`, at + ": the keyword contentEncoding is not supported"},
		{`{"type": "string", "minimumLength": 1}`, at + ": the keyword minimumLength is not supported"},
		{`{"type": "string", "format": "hostname"}`, at + ": the format hostname is not supported"},
		{`{"type": "string", "pattern": "^(?!a)"}`, at + ": the pattern is not a regular expression of Go"},
		{`{"enum": ["a", 1]}`, at + ": an enum with values of several types is not supported"},
		{`{"type": "string", "enum": [1]}`, at + ": the values of the enum are not of the schema's type"},
		{`{"anyOf": [{"type": "string"}], "oneOf": [{"type": "string"}]}`, at + ": anyOf beside oneOf is not supported"},
		{`{"anyOf": [{"type": "string"}, {"minLength": 1}]}`, at + ": member 1 of the union has no type"},
		{`{"anyOf": [{"type": "integer"}, {"type": "boolean"}], "minimum": 1}`, at + ": the keyword minimum needs the type integer"},
		{`{"type": "string", "anyOf": [{"type": "string"}, {"type": "string", "enum": ["a"]}], "minLength": 1}`, at + ": a constraint beside a union is not supported"},
		{`{"minLength": 1}`, at + ": the keyword minLength needs the type string"},
		{`{"required": ["a"]}`, at + ": the keyword required needs the type object"},
		{`{"type": "string", "items": {}}`, at + ": the keyword items needs the type array"},
		{`{"type": []}`, at + ": the list of types is empty"},
		{`{"type": "string", "maxLength": 0}`, at + ": the keyword maxLength is not supported with the value 0"},
		{`{"type": "integer", "minimum": 1, "exclusiveMinimum": true}`, at + ": exclusiveMinimum and exclusiveMaximum are supported as numbers only"},
		{`{"type": "string", "x-go-type": "int"}`, at + ": the keyword x-go-type is not supported"},
		{`{"type": "integer", "format": "date"}`, at + ": the format date is supported for the type string only"},
		{`{"format": "password"}`, at + ": the format password is supported for the type string only"},
		{`{"type": "string", "format": "password", "minLength": 20}`, at + ": a constraint beside the format password"},
		{`{"type": "string", "format": "password", "enum": ["a", "b"]}`, at + ": a constraint beside the format password"},
		{`{"type": "string", "format": "date-time", "const": "2026-01-01T00:00:00Z"}`, at + ": a constraint beside the format date-time"},
		{`{"type": "string", "format": "byte", "maxLength": 4}`, at + ": a constraint beside the format byte"},
		{`{"type": "integer", "format": "unixtime", "minimum": 5}`, at + ": a constraint beside the format unixtime"},
		{`{"type": ["integer", "null"], "format": "unixtime", "exclusiveMaximum": 9}`, at + ": a constraint beside the format unixtime"},
		{`{"const": {"a": 1}}`, at + ": an enum or a constant of an object or an array is not supported"},
		{`{"type": "object", "required": ["a"]}`, at + ": it requires a, which is not among its properties"},
		{`{"allOf": [{"$ref": "#/components/schemas/Y"}, {"required": ["b"]}]}`, at + ": it requires b, which is not among its properties"},
		{`{"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}`, at + ": a limit on the number of properties"},
		{`{"allOf": [{"$ref": "#/components/schemas/Y"}, {"type": "object", "minProperties": 1}]}`, at + "/allOf/1: a limit on the number of properties"},
		{`{"allOf": [{"$ref": "#/components/schemas/Y"}, {"properties": {"a": {"type": "integer"}}}]}`, at + "/allOf/1: another part of the allOf defines the property a differently"},
		{`{"allOf": [{"$ref": "#/components/schemas/Y"}, {"type": ["object", "null"]}]}`, at + "/allOf/1: an allOf of anything but objects is not supported"},
		{`{"allOf": [{"type": "string"}, {"type": "string", "minLength": 1}]}`, at + "/allOf/0: an allOf of anything but objects is not supported"},
		{`{"$ref": "#/components/schemas/Y", "minProperties": 1}`, at + ": the keyword minProperties beside a reference is not supported"},
		{`{"$ref": "#/components/schemas/Y", "description": "A description."}`, ""},
		{`{"$ref": "#/components/schemas/Y/properties/a"}`, at + ": refers to #/components/schemas/Y/properties/a"},
		{`{"type": "string"}`, ""},
	} {
		err := prepare(document(t, `"/a": {"get": {"operationId": "get-a", "responses": {"200": {"description": "OK"}}}}`, row.schema))
		if row.want == "" {
			assert.NoError(t, err, row.schema)
		} else if assert.Error(t, err, row.schema) {
			assert.Contains(t, err.Error(), row.want)
		}
	}
}

func TestPrepare_RejectsOperations(t *testing.T) {
	const at = "/paths/~1a~1b/get/responses/200/content/application~1json/schema: "
	for _, row := range []struct{ responses, want string }{
		{`"200": {"description": "OK", "content": {"application/json": {}}}`, at + "a JSON response has no schema"},
		{`"200": {"description": "OK", "content": {"application/json": {"schema": {"type": ["object", "null"], "properties": {"a": {}}}}}}`, at + "a response body that may be null is not supported"},
		{`"200": {"description": "OK", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Null"}}}}`, at + "a response body that may be null is not supported"},
		{`"200": {"description": "OK", "content": {"application/json": {"schema": {"description": "Anything."}}}}`, at + "a response body of any type is not supported"},
		{`"200": {"description": "OK", "content": {"application/json": {"schema": {"not": {}}}}}`, at + "the keyword not is not supported"},
		{`"200": {"description": "OK", "content": {"text/plain": {}}}`, ""},
	} {
		err := prepare(document(t, `"/a/b": {"get": {"operationId": "get-a", "responses": {`+row.responses+`}}}`, `{"type": "string"}`))
		if row.want == "" {
			assert.NoError(t, err, row.responses)
		} else if assert.Error(t, err, row.responses) {
			assert.Contains(t, err.Error(), row.want)
		}
	}
	operation := func(id string) string {
		return `{"get": {"operationId": "` + id + `", "responses": {"200": {"description": "OK"}}}}`
	}
	err := prepare(document(t, `"/a": `+operation("get-a")+`, "/b": `+operation("getA"), `{"type": "string"}`))
	assert.ErrorContains(t, err, "has the same name in Go")
}

func TestPrepare_RejectsParameters(t *testing.T) {
	const at = "/paths/~1a/get/parameters/0"
	for _, row := range []struct{ parameter, want string }{
		{`{"name": "p", "in": "cookie", "schema": {"type": "string"}}`, at + ": a parameter in a cookie is not supported"},
		{`{"name": "p", "in": "query", "content": {"application/json": {"schema": {"type": "string"}}}}`, at + ": a parameter without a schema is not supported"},
		{`{"name": "p", "in": "query", "schema": {"type": "string", "format": "password"}}`, at + "/schema: the format password is not supported in a parameter"},
		{`{"name": "p", "in": "path", "required": true, "style": "matrix", "schema": {"type": "string"}}`, at + ": the style matrix is not supported in a path"},
		{`{"name": "p&q=", "in": "query", "schema": {"type": "string"}}`, at + ": the name of the parameter would need escapes"},
		{`{"name": "p", "in": "query", "schema": {"type": "string", "not": {}}}`, at + "/schema: the keyword not is not supported"},
		{`{"name": "p[]", "in": "query", "schema": {"type": "string"}}`, ""},
	} {
		err := prepare(document(t, `"/a": {"get": {"operationId": "get-a", "parameters": [`+row.parameter+`], "responses": {"200": {"description": "OK"}}}}`, `{"type": "string"}`))
		if row.want == "" {
			assert.NoError(t, err, row.parameter)
		} else if assert.Error(t, err, row.parameter) {
			assert.Contains(t, err.Error(), row.want)
		}
	}
}

func TestLoad_RejectsTheConstantNull(t *testing.T) {
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	const document = `{openapi: 3.1.0, info: {title: t, version: "1"}, paths: {}, components: {schemas: {X: {properties: {p: {const: %s}}, example: {const: null}}}}}`
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, document, "null"), 0o600))
	_, err := Load(file)
	assert.ErrorContains(t, err, "/components/schemas/X/properties/p: the constant null is not supported")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, document, "a"), 0o600))
	_, err = Load(file)
	assert.NoError(t, err)
}

// TestRedeclared verifies that a schema or an operation with the name of something that the
// templates declare is an error with a pointer to it.
func TestRedeclared(t *testing.T) {
	d := document(t, `"/a": {"get": {"operationId": "client", "responses": {"200": {"description": "OK"}}}}`, `{"type": "string"}`)
	for _, row := range []struct{ code, want string }{
		{"type X struct{}\nfunc X() {}", "/components/schemas/X: the Go name X"},
		{"type T struct{ Client int }\nfunc (T) Client() {}", "/paths/~1a/get: the Go name Client"},
		{"type T struct{ A int }\ntype U struct{ A int }\nfunc (U) B() {}\nfunc B() {}\nvar _, _ = 1, 2", ""},
	} {
		err := redeclared("package p\n"+row.code, d)
		if row.want == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, row.want)
		}
	}
}

// document returns a contract with paths and with a schema X that has the property p.
func document(t *testing.T, paths, schema string) *openapi3.T {
	t.Helper()
	d, err := openapi3.NewLoader().LoadFromData([]byte(`{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {` + paths + `},
		"components": {"schemas": {
			"X": {"type": "object", "properties": {"p": ` + schema + `}},
			"Y": {"type": "object", "properties": {"a": {"type": "string"}}},
			"Null": {"type": ["object", "null"], "properties": {"a": {"type": "string"}}}
		}}}`))
	require.NoError(t, err)
	return d
}
