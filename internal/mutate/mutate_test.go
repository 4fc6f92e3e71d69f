package mutate_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/internal/mutate"
)

const petContract = `
openapi: 3.1.0
info: {title: Pets, version: "1"}
paths:
  /pet:
    get:
      operationId: get-pet
      responses:
        "200":
          description: A pet.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Pet"}
              example: {id: p1, tags: [a]}
components:
  schemas:
    Pet:
      type: object
      required: [id]
      properties:
        id: {type: string, minLength: 1, pattern: "^[!-~]+$"}
        tags: {type: array, items: {type: string, enum: [a, b]}}
        age: {type: [integer, "null"], minimum: 0, maximum: 30, example: 3}
        kind: {type: string, const: pet}
        parent: {anyOf: [{$ref: "#/components/schemas/Pet"}, {type: "null"}]}
`

func pet(t *testing.T) mutate.Body {
	bodies, err := mutate.Bodies([]byte(petContract))
	require.NoError(t, err)
	require.Len(t, bodies, 1)
	return bodies[0]
}

// rows returns mutations as lines.
func rows(list []mutate.Mutation) []string {
	var lines []string
	for _, m := range list {
		line := fmt.Sprintf("%s %q: %s", m.Pointer, m.Name, m.Body)
		for _, v := range m.Violations {
			line += fmt.Sprintf(" [%s %s, %s, %s]", v.Pointer, v.Rule, v.Expected, v.Found)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestInvalid(t *testing.T) {
	b := pet(t)
	got := rows(mutate.Invalid(b.Schema, b.Example))
	for _, want := range []string{
		` "of type array": [] [ type, object, array]`,
		`/id "of type null": {"id":null,"tags":["a"]} [/id nullable, string, null]`,
		`/id "of type integer": {"id":7,"tags":["a"]} [/id type, string, number]`,
		`/id "missing": {"tags":["a"]} [/id required, present, ]`,
		`/id "duplicate": {"id":"p1","tags":["a"],"id":"p1"} [/id duplicate-name, each name once, ]`,
		`/id "too short": {"id":"","tags":["a"]} [/id minLength, 1, ] [/id pattern, "^[!-~]+$", ]`,
		`/id "not of the pattern: \"p1 \"": {"id":"p1 ","tags":["a"]} [/id pattern, "^[!-~]+$", ]`,
		`/tags/0 "an unknown enum value": {"id":"p1","tags":["unknown_value"]} [/tags/0 enum, "a" or "b", ]`,
	} {
		assert.True(t, slices.Contains(got, want), want)
	}

	complete := mutate.Decode([]byte(`{"id":"p1","age":3,"kind":"pet","tags":["a"]}`))
	got = rows(mutate.Invalid(b.Schema, complete))
	for _, want := range []string{
		`/age "above the maximum": {"age":31,"id":"p1","kind":"pet","tags":["a"]} [/age maximum, 30, ]`,
		`/age "below the minimum": {"age":-1,"id":"p1","kind":"pet","tags":["a"]} [/age minimum, 0, ]`,
		`/age "of type string": {"age":"text","id":"p1","kind":"pet","tags":["a"]} [/age type, integer or null, string]`,
		`/kind "another constant": {"age":3,"id":"p1","kind":"another.constant","tags":["a"]} [/kind const, "pet", ]`,
	} {
		assert.True(t, slices.Contains(got, want), want)
	}
	for _, line := range got {
		assert.NotContains(t, line, `/age "of type null"`, "age is nullable")
	}
	for _, m := range mutate.Invalid(b.Schema, complete) {
		assert.NotEmpty(t, m.Violations, m.Name)
		assert.NotEqual(t, string(mutate.Encode(complete)), string(m.Body), m.Name)
	}
}

func TestValid(t *testing.T) {
	b := pet(t)
	complete := mutate.Decode([]byte(`{"id":"p1","age":3,"kind":"pet","tags":["a"]}`))
	got := rows(mutate.Valid(b.Schema, complete))
	for _, want := range []string{
		` "unchanged": {"age":3,"id":"p1","kind":"pet","tags":["a"]}`,
		`/age "absent": {"id":"p1","kind":"pet","tags":["a"]}`,
		`/age "null": {"age":null,"id":"p1","kind":"pet","tags":["a"]}`,
		`/age "at the maximum": {"age":30,"id":"p1","kind":"pet","tags":["a"]}`,
		`/age "an integer with a fraction of zero": {"age":3.0,"id":"p1","kind":"pet","tags":["a"]}`,
		`/age "an integer with an exponent": {"age":3e0,"id":"p1","kind":"pet","tags":["a"]}`,
		`/tags/0 "another enum value": {"age":3,"id":"p1","kind":"pet","tags":["b"]}`,
		` "an additional property": {"additional0":null,"age":3,"id":"p1","kind":"pet","tags":["a"]}`,
		` "all optional properties absent": {"id":"p1"}`,
		` "all nullable values null": {"age":null,"id":"p1","kind":"pet","tags":["a"]}`,
	} {
		assert.True(t, slices.Contains(got, want), want)
	}
	for _, m := range mutate.Valid(b.Schema, complete) {
		assert.Empty(t, m.Violations)
		assert.NotEqual(t, "absent /id", m.Name+" "+m.Pointer, "id is required")
	}
}

func TestComplete_addsOptionalProperties(t *testing.T) {
	b := pet(t)
	const parent = `{"age":3,"id":"text","kind":"pet","tags":["a"]}` // whose own parent is absent: the schema is recursive
	assert.JSONEq(t, `{"age":3,"id":"p1","kind":"pet","parent":`+parent+`,"tags":["b"]}`,
		string(mutate.Encode(mutate.Complete(b.Schema, mutate.Decode([]byte(`{"id":"p1","tags":["b"]}`))))))
}

func TestValues_listsAbsentProperties(t *testing.T) {
	b := pet(t)
	var got []string
	for _, v := range mutate.Values(b.Schema, b.Example) {
		got = append(got, fmt.Sprint(v.Pointer, " ", v.Present, " ", v.Required, " ", v.Removable))
	}
	assert.Equal(t, []string{
		" true false false", "/age false false false", "/id true true false", "/kind false false false",
		"/parent false false false", "/tags true false true", "/tags/0 true false false",
	}, got)
}

func TestValues_keepsTheFewestProperties(t *testing.T) {
	schema := &openapi3.Schema{
		Type: &openapi3.Types{"object"}, MinProps: 1,
		Properties: openapi3.Schemas{"a": openapi3.NewSchemaRef("", openapi3.NewStringSchema()), "b": openapi3.NewSchemaRef("", openapi3.NewStringSchema())},
	}
	both := map[string]any{"a": "", "b": ""}
	assert.True(t, mutate.Values(schema, both)[1].Removable)
	assert.False(t, mutate.Values(schema, map[string]any{"a": ""})[1].Removable)
	for _, m := range mutate.Valid(schema, both) {
		assert.NotEqual(t, "{}", string(m.Body), m.Name)
	}
	assert.Contains(t, rows(mutate.Invalid(schema, both)), ` "too few properties": {} [ minProperties, 1, ]`)
}

func TestChange_doesNotModifyTheOriginal(t *testing.T) {
	root := map[string]any{"a/b": []any{map[string]any{"c": 1}, 2}}
	before := string(mutate.Encode(root))
	assert.Equal(t, `{"a/b":[{"c":3},2]}`, string(mutate.Encode(mutate.Replace(root, "/a~1b/0/c", 3))))
	assert.Equal(t, `{"a/b":[{},2]}`, string(mutate.Encode(mutate.Remove(root, "/a~1b/0/c"))))
	assert.Equal(t, `{"a/b":[{"c":1,"d":null},2]}`, string(mutate.Encode(mutate.Replace(root, "/a~1b/0/d", nil))))
	assert.Equal(t, 1, mutate.Get(root, "/a~1b/0/c"))
	assert.Equal(t, before, string(mutate.Encode(root)))
	assert.Panics(t, func() { mutate.Replace(root, "/a~1b/2", 1) })
	assert.Panics(t, func() { mutate.Replace(root, "/x/y", 1) })
}

// Invalid violates each rule that the contract of this module uses.
func TestInvalid_coversTheContract(t *testing.T) {
	bodies, err := mutate.Bodies(api.Spec)
	require.NoError(t, err)
	rules := map[string]bool{}
	for _, b := range bodies {
		for _, m := range mutate.Invalid(b.Schema, mutate.Complete(b.Schema, b.Example)) {
			for _, v := range m.Violations {
				rules[v.Rule] = true
			}
		}
	}
	got := slices.Sorted(maps.Keys(rules))
	assert.Equal(t, []string{
		"const", "duplicate-name", "enum", "maximum", "minLength", "minProperties", "minimum", "nullable", "pattern",
		"required", "type", "utf-8",
	}, got)
}
