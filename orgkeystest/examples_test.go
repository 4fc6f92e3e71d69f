package orgkeystest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

type object = map[string]any

// TestExamples_CompleteNewRequiredProperties adds required properties of many types to each schema
// of a response. The server has no state for them: its response lacks them or, after the types are
// regenerated, has the zero value of the Go field. complete has to make both responses valid.
func TestExamples_CompleteNewRequiredProperties(t *testing.T) {
	properties := map[string]struct {
		property object
		zero     any // of the Go field
		want     any
	}{
		"a_string_with_an_example": {object{"type": "string", "example": "sha256:abc"}, "", "sha256:abc"},
		"a_string":                 {object{"type": "string", "minLength": 1}, "", "example"},
		"a_id":                     {object{"type": "string", "minLength": 1, "pattern": "^fp_", "example": "fp_1"}, "", "fp_1"},
		"a_enum":                   {object{"type": "string", "enum": []any{"gold", "silver"}}, "", "gold"},
		"a_constant":               {object{"type": "string", "const": "organization.thing"}, "", "organization.thing"},
		"a_integer_with_a_minimum": {object{"type": "integer", "minimum": 5}, 0, 5.0},
		"a_integer":                {object{"type": "integer", "exclusiveMinimum": 0}, 0, 1.0},
		"a_time":                   {object{"type": "integer", "format": "unixtime", "example": 1711471533}, 0, 1711471533.0},
		"a_boolean":                {object{"type": "boolean"}, false, false},
		"a_boolean_with_default":   {object{"type": "boolean", "default": true}, nil, true},
		"a_nullable":               {object{"type": []any{"string", "null"}, "example": "x"}, nil, "x"},
		"a_array":                  {object{"type": "array", "items": object{"type": "string"}}, nil, []any{}},
		"a_array_with_an_example":  {object{"type": "array", "items": object{"type": "string"}, "example": []any{"a"}}, nil, []any{"a"}},
		"a_object": {
			object{"type": "object", "required": []any{"id", "tags"}, "properties": object{
				"id": object{"type": "string", "example": "in_1"}, "tags": object{"type": "array", "items": object{"type": "string"}},
			}},
			object{"id": "", "tags": nil},
			object{"id": "in_1", "tags": []any{}},
		},
		"a_reference": {object{"$ref": "#/components/schemas/Error"}, nil, nil},
		"a_reference_or_null": {
			object{"anyOf": []any{object{"$ref": "#/components/schemas/ProjectServiceAccount"}, object{"type": "null"}}}, nil, nil,
		},
	}
	schemas := []string{
		"AdminApiKey", "ApiKeyList", "AdminApiKeyOwner", "ProjectApiKey", "ProjectApiKeyOwnerUser", "ProjectApiKeyDeleteResponse",
		"ProjectServiceAccountListResponse", "ProjectServiceAccount", "ProjectServiceAccountCreateResponse", "ProjectServiceAccountApiKey",
	}
	gained := object{}
	for name, c := range properties {
		gained[name] = c.property
	}
	spec := withRequired(t, gained, schemas...)
	e, err := newExamples(spec)
	require.NoError(t, err)
	checker, err := speccheck.New(speccheck.WithSpec(spec))
	require.NoError(t, err)

	objects := 0
	for operation, body := range ownResponses(t) {
		assert.Equal(t, string(body), string(contract().complete(operation, 200, body)), "a valid body stays as it is")

		missing := checker.CheckResponse(operation, 200, "application/json", body)
		require.NotEmpty(t, missing)
		for _, sent := range [][]byte{body, insert(t, body, missing, func(name string) any { return properties[name].zero })} {
			done := e.complete(operation, 200, sent)
			assert.Empty(t, checker.CheckResponse(operation, 200, "application/json", done), "%s", done)
			for _, v := range missing {
				at, name := parent(t, done, v.Pointer)
				want := properties[name].want
				if got := at[name]; want != nil && got != nil {
					assert.Equal(t, want, got, v.Pointer)
				}
			}
		}
		objects += len(missing) / len(properties)
	}
	assert.Greater(t, objects, len(schemas), "each schema must be in a response")
}

// ownResponses returns a response of each operation.
func ownResponses(t *testing.T) map[string][]byte {
	t.Helper()
	s := New(t, InMemory())
	ids := s.AddProjectKeys("proj_1", 2)
	s.AddAdminKeys(2)
	const admin, project = "/organization/admin_api_keys", "/organization/projects/proj_1"
	bodies := map[string][]byte{}
	for _, call := range []struct{ method, path, body string }{
		{"POST", admin, `{"name":"ci"}`},
		{"GET", admin, ""},
		{"POST", project + "/service_accounts", `{"name":"prod"}`},
		{"GET", project + "/service_accounts", ""},
		{"GET", project + "/api_keys/" + ids[0], ""},
		{"POST", project + "/api_keys/" + ids[0], `{"scopes":[]}`},
		{"DELETE", project + "/api_keys/" + ids[1], ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), call.method, s.URL+call.path, strings.NewReader(call.body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+s.AdminKey)
		r.Header.Set("Content-Type", "application/json")
		resp, err := s.Client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 200, resp.StatusCode)
		requests := s.Requests()
		bodies[requests[len(requests)-1].Operation] = body
	}
	require.Len(t, bodies, len(operationIDs))
	return bodies
}

// withRequired returns the contract with more required properties in some schemas. Its examples
// of responses do not have them.
func withRequired(t *testing.T, properties object, schemas ...string) []byte {
	t.Helper()
	var contract object
	require.NoError(t, yaml.Unmarshal(api.Spec, &contract))
	for _, schema := range schemas {
		s := contract["components"].(object)["schemas"].(object)[schema].(object)
		required, _ := s["required"].([]any)
		for name, property := range properties {
			s["properties"].(object)[name] = property
			required = append(required, name)
		}
		s["required"] = required
	}
	spec, err := yaml.Marshal(contract)
	require.NoError(t, err)
	return spec
}

// insert returns the body with a value for each missing property.
func insert(t *testing.T, body []byte, missing []speccheck.Violation, value func(name string) any) []byte {
	t.Helper()
	var root any
	require.NoError(t, json.Unmarshal(body, &root))
	for _, v := range missing {
		at, name := parentIn(root, v.Pointer)
		at[name] = value(name)
	}
	out, err := json.Marshal(root)
	require.NoError(t, err)
	return out
}

func parent(t *testing.T, body []byte, pointer string) (at object, name string) {
	t.Helper()
	var root any
	require.NoError(t, json.Unmarshal(body, &root))
	return parentIn(root, pointer)
}

// parentIn returns the object and the property's name for a JSON Pointer to a property.
func parentIn(root any, pointer string) (at object, name string) {
	names := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for _, name := range names[:len(names)-1] {
		switch container := root.(type) {
		case object:
			root = container[name]
		case []any:
			root = container[int(name[0]-'0')]
		}
	}
	return root.(object), names[len(names)-1]
}

func TestExamples_PreferTheExampleOfTheResponse(t *testing.T) {
	var contract object
	require.NoError(t, yaml.Unmarshal(withRequired(t, object{"gained": object{"type": "string", "example": "of the property"}}, "AdminApiKey"), &contract))
	example := contract["paths"].(object)["/organization/admin_api_keys"].(object)["get"].(object)["responses"].(object)["200"].(object)["content"].(object)["application/json"].(object)["example"].(object)
	example["data"].([]any)[0].(object)["gained"] = "of the response"
	spec, err := yaml.Marshal(contract)
	require.NoError(t, err)
	e, err := newExamples(spec)
	require.NoError(t, err)
	body := `{"data":[{"id":"key_1"},{"gained":"of its own","id":"key_2","object":"organization.admin_api_key","redacted_value":"sk","created_at":1,"owner":{}},{"id":"key_3"}],"has_more":false}`
	done := string(e.complete("admin-api-keys-list", 200, []byte(body)))
	assert.Equal(t, 2, strings.Count(done, `"gained":"of the response"`))
	assert.Equal(t, 1, strings.Count(done, `"gained":"of its own"`))
	assert.Contains(t, done, `"object":"list"`, "a constant")
}

func TestExamples_DoNotChangeOtherBodies(t *testing.T) {
	for _, c := range []struct {
		operation string
		status    int
		body      string
	}{
		{"admin-api-keys-list", 200, "no JSON"},
		{"admin-api-keys-list", 200, `[1,2]`},
		{"admin-api-keys-list", 429, `{}`},
		{"unknown", 200, `{}`},
	} {
		assert.Equal(t, c.body, string(contract().complete(c.operation, c.status, []byte(c.body))))
	}
}

func TestCompleted(t *testing.T) {
	k := completed("ProjectApiKey", ProjectKey{ID: "key_1", LastUsedAt: orNull(ProjectKey{}.LastUsedAt)})
	assert.Equal(t, "key_1", k.ID)
	assert.NotEmpty(t, k.Name)
	assert.NotZero(t, k.CreatedAt)
	assert.True(t, k.LastUsedAt.IsNull())
	assert.True(t, k.ExpiresAt.IsAbsent(), "what is not required stays absent")
	assert.Equal(t, ProjectKey{ID: "key_1"}, completed("no such schema", ProjectKey{ID: "key_1"}))
}

func TestPlainIntegers(t *testing.T) {
	for before, after := range map[string]string{
		`{"a":5.0}`:                    `{"a":5}`,
		`{"a":[6e1,0.5,-1.0e0]}`:       `{"a":[60,0.5,-1]}`,
		`{"a":9007199254740993}`:       `{"a":9007199254740993}`,
		`{"a":1e300,"b":"5.0"}`:        `{"a":1e300,"b":"5.0"}`,
		`{"a":123456789012345678901}`:  `{"a":123456789012345678901}`,
		`{"a":true,"b":null,"c":"\n"}`: `{"a":true,"b":null,"c":"\n"}`,
		`no JSON`:                      `no JSON`,
		``:                             ``,
	} {
		assert.Equal(t, after, string(plainIntegers([]byte(before))), before)
	}
}
