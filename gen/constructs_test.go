package gen_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/orgkeys/orgkeys-go/api"
)

// constructs is testdata/constructs.yaml.
type constructs struct {
	Schemas    object `yaml:"schemas"`
	Constructs map[string]struct {
		Schema   object           `yaml:"schema"`
		Valid    []any            `yaml:"valid"`
		Invalid  map[string][]any `yaml:"invalid"`
		Nullable bool             `yaml:"nullable"`
	} `yaml:"constructs"`
	Paths object `yaml:"paths"`
}

// response is a response that the generated client decodes, with the expected result.
type response struct {
	operation   string
	status      int
	contentType string
	body        any
	valid       bool
	pointer     string // to the invalid value, if there is one
}

// TestConstructs adds each construct of OpenAPI that the generator supports to the contract,
// generates a client, builds it with the packages that depend on it, and decodes responses.
func TestConstructs(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generator and builds a program")
	}
	text, err := os.ReadFile("testdata/constructs.yaml")
	require.NoError(t, err)
	var all constructs
	require.NoError(t, yaml.Unmarshal(text, &all))

	contract := contract(t)
	maps.Copy(contract.at("components", "schemas"), all.Schemas)
	maps.Copy(contract.at("paths"), all.Paths)
	var responses []response
	for _, name := range slices.Sorted(maps.Keys(all.Constructs)) {
		responses = append(responses, place(contract, all, name)...)
	}
	responses = append(responses, operations()...)
	responses = append(responses, manyRequired(contract)...)
	responses = append(responses, changes(t, contract)...)

	var input strings.Builder
	for _, r := range responses {
		body, ok := r.body.(string)
		if !ok {
			text, err := json.Marshal(r.body)
			require.NoError(t, err)
			body = string(text)
		}
		fmt.Fprintf(&input, "%s\t%d\t%s\t%s\n", r.operation, r.status, r.contentType, body)
	}
	tree := generate(t, contract)
	output := tree.run(t, input.String(), "run", "./gen/testdata/decode")
	tree.run(t, "", "build", "./gen/server", "./wrapper")

	results := json.NewDecoder(strings.NewReader(output))
	for _, r := range responses {
		var got struct {
			Pointer, Problem string
			Printed          []string
			JSON             string
		}
		require.NoError(t, results.Decode(&got))
		row := fmt.Sprintf("%s: %d %s %v", r.operation, r.status, r.contentType, r.body)
		if r.valid {
			assert.Empty(t, got.Problem, "%s: %s", row, got.Pointer)
		} else if assert.NotEmpty(t, got.Problem, row) {
			assert.Equal(t, r.pointer, got.Pointer, "%s: %s", row, got.Problem)
		}
		assert.NotContains(t, got.Problem, "undefined", row)
		for _, printed := range append(got.Printed, got.JSON, got.Problem) {
			assert.NotContains(t, printed, "leak", row)
			assert.NotContains(t, printed, "0x", row)
		}
	}
}

// place adds an operation to contract whose response contains a construct wherever a schema may
// be, and returns responses of the operation.
func place(contract object, all constructs, name string) []response {
	c := all.Constructs[name]
	component := "construct-" + name
	contract.at("components", "schemas")[component] = c.Schema
	ref := object{"$ref": "#/components/schemas/" + component}
	contract.at("paths")["/organization/constructs/"+name] = object{"get": object{
		"operationId": "get-" + name,
		"responses": object{"200": object{"description": "OK", "content": object{"application/json": object{"schema": object{
			"type":     "object",
			"required": []any{"inline", "referred", "items", "values"},
			"properties": object{
				"inline":   c.Schema,
				"optional": c.Schema,
				"referred": ref,
				"items":    object{"type": "array", "items": c.Schema},
				"values":   object{"type": "object", "additionalProperties": ref},
			},
		}}}}},
	}}
	respond := func(change func(object), valid bool, pointer string) response {
		body := object{"inline": c.Schema["const"], "items": []any{}, "values": object{}}
		var first any
		if len(c.Valid) > 0 {
			first = c.Valid[0]
		}
		body["inline"], body["referred"] = first, first
		change(body)
		return response{"get-" + name, 200, "application/json", body, valid, pointer}
	}
	everywhere := func(value any, valid bool, at string) []response {
		return []response{
			respond(func(o object) { o["inline"] = value }, valid, "/inline"+at),
			respond(func(o object) { o["optional"] = value }, valid, "/optional"+at),
			respond(func(o object) { o["referred"] = value }, valid, "/referred"+at),
			respond(func(o object) { o["items"] = []any{value} }, valid, "/items/0"+at),
			respond(func(o object) { o["values"] = object{"undefined": value} }, valid, "/values"),
		}
	}
	responses := []response{
		respond(func(o object) { delete(o, "inline") }, false, "/inline"),
		respond(func(object) {}, true, ""),
	}
	for _, value := range c.Valid {
		responses = append(responses, everywhere(value, true, "")...)
	}
	responses = append(responses, everywhere(nil, c.Nullable, "")...)
	for at, values := range c.Invalid {
		for _, value := range values {
			responses = append(responses, everywhere(value, false, at)...)
		}
	}
	return responses
}

// operations returns responses of the operations in testdata/constructs.yaml.
func operations() []response {
	id := object{"id": "a"}
	return []response{
		{"get-operation", 200, "application/json", id, true, ""},
		{"get-operation", 200, "Application/JSON; charset=utf-8", id, true, ""},
		{"get-operation", 200, "application/json", object{}, false, "/id"},
		{"get-operation", 200, "text/csv", "id", false, ""},
		{"get-operation", 200, "", id, false, ""},
		{"get-operation", 201, "application/json", id, false, ""},
		{"get-operation", 202, "application/json", []any{id}, true, ""},
		{"get-operation", 202, "application/json", []any{id, object{}}, false, "/1/id"},
		{"get-operation", 202, "application/json", []any{nil}, false, "/0"},
		{"get-operation", 202, "application/json", id, false, ""},
		{"get-operation", 404, "application/json", object{"error": "e"}, true, ""},
		{"get-operation", 404, "application/json", object{}, false, "/error"},
		{"get-operation", 404, "text/html", "leak", true, ""},
		{"get-operation", 502, "text/html", "leak", true, ""},
		{"post-operation", 204, "", "", true, ""},
		{"post-operation", 200, "application/json", object{}, false, ""},
		{"post-arguments", 204, "", "", true, ""},
		{"operationResponseObject", 200, "application/json", "\"a\"", true, ""},
		{"operationResponseObject", 200, "application/json", "1", false, ""},
		{"operationResponseObject", 200, "application/json", "null", false, ""},
		{"operationResponseObject", 200, "application/json", "\"a\" \"b\"", false, ""},
	}
}

// manyRequired adds an operation whose response has more than 64 required properties, which do not
// fit in the bits of a uint64.
func manyRequired(contract object) []response {
	const n = 130
	properties, full := object{}, object{}
	var required []any
	for i := range n {
		name := fmt.Sprintf("p%03d", i)
		properties[name] = object{"type": "integer"}
		full[name] = i
		required = append(required, name)
	}
	contract.at("paths")["/organization/many"] = object{"get": object{
		"operationId": "get-many",
		"responses": object{"200": object{"description": "OK", "content": object{"application/json": object{"schema": object{
			"type": "object", "required": required, "properties": properties,
		}}}}},
	}}
	responses := []response{{"get-many", 200, "application/json", full, true, ""}}
	for _, i := range []int{0, 63, 64, 127, 128, n - 1} {
		name := fmt.Sprintf("p%03d", i)
		without := maps.Clone(full)
		delete(without, name)
		responses = append(responses, response{"get-many", 200, "application/json", without, false, "/" + name})
	}
	return responses
}

// changes changes the operations of the contract as a new version of the API could. It returns
// responses that the generated client must accept or reject because of the changes.
func changes(t *testing.T, contract object) []response {
	examples := map[string]object{}
	var original object
	require.NoError(t, yaml.Unmarshal(api.Spec, &original))
	for _, path := range original.at("paths") {
		for _, operation := range path.(object) {
			operation := operation.(object)
			examples[operation["operationId"].(string)] = operation.at("responses", "200", "content", "application/json", "example")
		}
	}
	schema := func(name string) object { return contract.at("components", "schemas", name) }
	require := func(name, property string) {
		required, _ := schema(name)["required"].([]any)
		schema(name)["required"] = append(slices.Clone(required), property)
	}
	text := object{"type": "string"}
	schema("AdminApiKey").at("properties")["fingerprint"] = text
	require("AdminApiKey", "fingerprint")
	schema("AdminApiKeyOwner").at("properties")["verified"] = object{"type": "boolean"}
	require("AdminApiKeyOwner", "verified")
	require("ProjectApiKey", "owner_project_access")                                                      // it was optional
	schema("ProjectApiKey").at("properties", "last_used_at")["type"] = "integer"                          // it was nullable
	schema("ProjectServiceAccount").at("properties", "object")["const"] = "organization.project.workload" // it was another
	require("ProjectServiceAccountListResponse", "last_id")                                               // it was optional

	respond := func(operation string, valid bool, pointer string, change func(object)) response {
		body := clone(examples[operation]).(object)
		change(body)
		return response{operation, 200, "application/json", body, valid, pointer}
	}
	return []response{
		respond("admin-api-keys-list", false, "/data/0/owner/verified", func(object) {}),
		respond("admin-api-keys-list", false, "/data/0/fingerprint", func(o object) {
			for _, item := range o["data"].([]any) {
				item.(object).at("owner")["verified"] = true
			}
		}),
		respond("admin-api-keys-create", false, "/fingerprint", func(o object) { o.at("owner")["verified"] = true }),
		respond("admin-api-keys-create", false, "/owner/verified", func(o object) { o["fingerprint"] = "f" }),
		respond("admin-api-keys-create", true, "", func(o object) {
			o["fingerprint"] = "f"
			o.at("owner")["verified"] = false
		}),
		respond("retrieve-project-api-key", true, "", func(object) {}),
		respond("retrieve-project-api-key", false, "/owner_project_access", func(o object) { delete(o, "owner_project_access") }),
		respond("update-project-api-key", false, "/last_used_at", func(o object) { o["last_used_at"] = nil }),
		respond("list-project-service-accounts", false, "/data/0/object", func(object) {}),
		respond("list-project-service-accounts", false, "/last_id", func(o object) { o["data"] = []any{}; delete(o, "last_id") }),
		respond("list-project-service-accounts", true, "", func(o object) { o["data"] = []any{}; o["last_id"] = nil }),
	}
}

// clone returns a deep copy of a JSON value.
func clone(value any) any {
	switch value := value.(type) {
	case object:
		o := object{}
		for name, member := range value {
			o[name] = clone(member)
		}
		return o
	case []any:
		a := make([]any, len(value))
		for i, element := range value {
			a[i] = clone(element)
		}
		return a
	}
	return value
}
