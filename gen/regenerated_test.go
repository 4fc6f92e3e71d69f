package gen_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/orgkeys/orgkeys-go/api"
)

// TestAContractIsEnforcedOnceItIsRegenerated holds that what a contract newly requires, forbids
// or names is enforced by the client with no line written: it changes the contract, runs the
// generator as go generate does, and builds the same client with what comes out.
func TestAContractIsEnforcedOnceItIsRegenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generator and builds a program")
	}
	var contract object
	require.NoError(t, yaml.Unmarshal(api.Spec, &contract))
	examples := map[string]object{}
	for _, path := range contract.at("paths") {
		for _, operation := range path.(object) {
			operation := operation.(object)
			examples[operation["operationId"].(string)] = operation.at("responses", "200", "content", "application/json", "example")
		}
	}
	schema := func(name string) object { return contract.at("components", "schemas", name) }
	add := func(to object, name string, property object) {
		to.at("properties")[name] = property
		to.require(name)
	}

	// What is new. Nothing of it may be known to anything but the generator.
	add(schema("AdminApiKey"), "fingerprint", object{"type": "string"})
	add(schema("AdminApiKeyOwner"), "verified", object{"type": "boolean"})
	add(schema("ProjectApiKeyDeleteResponse"), "revoked_at", object{"type": "integer", "format": "unixtime"})
	add(schema("ProjectApiKey"), "limits", object{
		"type": "object", "required": []any{"scopes"},
		"properties": object{"scopes": object{"type": "array", "items": object{"type": "string"}}},
	})
	schema("ProjectApiKey").require("owner_project_access")                                               // it was optional
	schema("ProjectApiKey").at("properties", "last_used_at")["type"] = "integer"                          // it was nullable
	schema("ProjectServiceAccount").at("properties", "object")["const"] = "organization.project.workload" // it was another
	schema("ProjectServiceAccountListResponse").require("last_id")                                        // it was optional, and is nullable

	// One of every sort, with a value of it and one that is wrong, and where.
	text := object{"type": "string"}
	sorts := map[string]struct {
		property    object
		good, wrong any
		at          string
	}{
		"quota":     {object{"type": "integer"}, 1, 1.5, ""},
		"ratio":     {object{"type": "number"}, 1.5, "1.5", ""},
		"kind":      {object{"type": "string", "enum": []any{"a", "b"}}, "c", 1, ""},
		"spare":     {object{"type": []any{"string", "null"}, "format": "password"}, nil, "", ""},
		"times":     {object{"type": "array", "items": object{"type": "integer", "format": "unixtime"}}, []any{1}, []any{1, "2"}, "/1"},
		"nicknames": {object{"type": []any{"array", "null"}, "items": text}, nil, []any{nil}, "/0"},
		"parts":     {object{"type": "array", "items": object{"type": "object", "required": []any{"id"}, "properties": object{"id": text}}}, []any{}, []any{object{}}, "/0/id"},
		"inner":     {object{"type": []any{"object", "null"}, "required": []any{"id"}, "properties": object{"id": text}}, nil, object{}, "/id"},
		"previous":  {object{"anyOf": []any{object{"$ref": "#/components/schemas/AdminApiKeyOwner"}, object{"type": "null"}}}, nil, object{"verified": "no"}, "/verified"},
		"labels":    {object{"type": "object", "additionalProperties": text}, object{"a": "b"}, object{"a": 1}, ""},
		"levels":    {object{"type": "array", "items": object{"type": "array", "items": text}}, []any{[]any{"a"}}, []any{[]any{1}}, "/0"},
		"free":      {object{"type": "object"}, object{"a": 1}, []any{}, ""},
	}
	for name, sort := range sorts {
		add(schema("ProjectServiceAccountCreateResponse"), name, sort.property)
	}

	type row struct {
		name, operation string
		change          func(object)
		want            string
	}
	rows := []row{
		{"a property of an object in an item", "admin-api-keys-list", func(object) {}, "/data/0/owner/verified"},
		{"a property of an item", "admin-api-keys-list", func(o object) {
			for _, item := range o["data"].([]any) {
				item.(map[string]any)["owner"].(map[string]any)["verified"] = true
			}
		}, "/data/0/fingerprint"},
		{"a property that allOf brings", "admin-api-keys-create", func(o object) { o.at("owner")["verified"] = true }, "/fingerprint"},
		{"a property of an object in it", "admin-api-keys-create", func(o object) { o["fingerprint"] = "f" }, "/owner/verified"},
		{"its type", "admin-api-keys-create", func(o object) { o["fingerprint"] = 7 }, "/fingerprint"},
		{"its null", "admin-api-keys-create", func(o object) { o["fingerprint"] = nil }, "/fingerprint"},
		{"all is there", "admin-api-keys-create", func(o object) { o["fingerprint"] = "f"; o.at("owner")["verified"] = false }, "ok"},
		{"a time", "delete-project-api-key", func(object) {}, "/revoked_at"},
		{"a time in milliseconds", "delete-project-api-key", func(o object) { o["revoked_at"] = int64(1711471533000) }, "/revoked_at"},
		{"the time is there", "delete-project-api-key", func(o object) { o["revoked_at"] = 1711471533 }, "ok"},
		{"an object", "retrieve-project-api-key", func(object) {}, "/limits"},
		{"a property of that object", "retrieve-project-api-key", func(o object) { o["limits"] = object{} }, "/limits/scopes"},
		{"an item in that object", "retrieve-project-api-key", func(o object) { o["limits"] = object{"scopes": []any{"a", 1}} }, "/limits/scopes/1"},
		{"the object is there", "retrieve-project-api-key", func(o object) { o["limits"] = object{"scopes": []any{}} }, "ok"},
		{"no longer optional", "retrieve-project-api-key", func(o object) {
			o["limits"] = object{"scopes": []any{}}
			delete(o, "owner_project_access")
		}, "/owner_project_access"},
		{"no longer null", "retrieve-project-api-key", func(o object) { o["last_used_at"] = nil }, "/last_used_at"},
		{"another constant", "list-project-service-accounts", func(object) {}, "/data/0/object"},
		{"no longer absent", "list-project-service-accounts", func(o object) { o["data"] = []any{}; delete(o, "last_id") }, "/last_id"},
		{"still null", "list-project-service-accounts", func(o object) { o["data"] = []any{}; o["last_id"] = nil }, "ok"},
	}
	for name, sort := range sorts {
		with := func(change func(object)) func(object) {
			return func(o object) {
				for name, sort := range sorts {
					o[name] = sort.good
				}
				change(o)
			}
		}
		const operation = "create-project-service-account"
		rows = append(rows,
			row{name + " is there", operation, with(func(object) {}), "ok"},
			row{name + " is missing", operation, with(func(o object) { delete(o, name) }), "/" + name},
			row{name + " is wrong", operation, with(func(o object) { o[name] = sort.wrong }), "/" + name + sort.at})
	}
	var asked strings.Builder
	for _, row := range rows {
		var answer object
		text, err := json.Marshal(examples[row.operation])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &answer))
		answer.own()
		row.change(answer)
		text, err = json.Marshal(answer)
		require.NoError(t, err)
		asked.WriteString(row.operation + " " + string(text) + "\n")
	}

	said := strings.Split(strings.TrimSuffix(regenerated(t, contract, asked.String()), "\n"), "\n")
	require.Len(t, said, len(rows), "%s", said)
	for i, row := range rows {
		assert.Equal(t, row.want, said[i], "%s: %s", row.operation, row.name)
	}
}

// regenerated makes the client of contract and returns what testdata/regenerated, which is built
// with it, says to asked. Nothing in the tree is touched.
func regenerated(t *testing.T, contract object, asked string) string {
	here, err := os.Getwd()
	require.NoError(t, err)
	tmp := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(tmp, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	run := func(input string, arguments ...string) string {
		command := exec.CommandContext(t.Context(), "go", arguments...)
		command.Stdin = strings.NewReader(input)
		var problems bytes.Buffer
		command.Stderr = &problems
		out, err := command.Output()
		require.NoError(t, err, "%s", &problems)
		return string(out)
	}

	config, err := os.ReadFile("../oapi-codegen.yaml")
	require.NoError(t, err)
	require.Contains(t, string(config), "\noutput: client.gen.go\n")
	client := filepath.Join(tmp, "client.gen.go")
	spec, err := yaml.Marshal(contract)
	require.NoError(t, err)
	run("", "run", "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen",
		"-config", write("config.yaml", bytes.Replace(config, []byte("\noutput: client.gen.go\n"), []byte("\noutput: "+client+"\n"), 1)),
		write("openapi.yaml", spec))

	overlay, err := json.Marshal(object{"Replace": object{filepath.Join(here, "client.gen.go"): client}})
	require.NoError(t, err)
	return run(asked, "run", "-overlay", write("overlay.json", overlay), "./testdata/regenerated")
}

// object is a JSON or YAML object.
type object map[string]any

// at returns the object that names lead to.
func (o object) at(names ...string) object {
	for _, name := range names {
		o = o[name].(object)
	}
	return o
}

// require adds to what a schema requires.
func (o object) require(name string) {
	required, _ := o["required"].([]any)
	o["required"] = append(slices.Clone(required), name)
}

// own makes the objects in o such.
func (o object) own() {
	for name := range maps.Keys(o) {
		if inner, ok := o[name].(map[string]any); ok {
			o[name] = object(inner)
			o.at(name).own()
		}
	}
}
