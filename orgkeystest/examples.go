package orgkeystest

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/orgkeys/orgkeys-go/api"
)

// examples contains the contract's schemas and examples. It completes the server's responses, so
// that they stay valid if the contract gains a required property that the server has no state for.
type examples struct {
	schemas   openapi3.Schemas
	responses map[string]*openapi3.Responses // by operationId
}

var contract = sync.OnceValue(func() *examples {
	e, err := newExamples(api.Spec)
	if err != nil {
		panic("orgkeystest: " + err.Error())
	}
	return e
})

func newExamples(spec []byte) (*examples, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, err
	}
	e := &examples{schemas: openapi3.Schemas{}, responses: map[string]*openapi3.Responses{}}
	if doc.Components != nil {
		e.schemas = doc.Components.Schemas
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			e.responses[op.OperationID] = op.Responses
		}
	}
	return e, nil
}

// complete returns the body of an operation's response with values for the required properties
// that it lacks.
func (e *examples) complete(operation string, status int, body []byte) []byte {
	responses := e.responses[operation]
	if responses == nil {
		return body
	}
	documented := responses.Value(strconv.Itoa(status))
	if documented == nil || documented.Value == nil {
		return body
	}
	media := documented.Value.Content.Get("application/json")
	if media == nil || media.Schema == nil {
		return body
	}
	return completeJSON(media.Schema.Value, media.Example, body)
}

// completed returns v with values for the properties that the named schema requires and v lacks.
func completed[T any](schema string, v T) T {
	ref := contract().schemas[schema]
	if ref == nil {
		return v
	}
	before, err := json.Marshal(v)
	if err != nil {
		return v
	}
	after := completeJSON(ref.Value, nil, before)
	if bytes.Equal(before, after) {
		return v
	}
	var w T
	if json.Unmarshal(after, &w) != nil {
		return v
	}
	return w
}

// completeJSON adds the required properties that a JSON text of the server's lacks. It returns a
// complete text unchanged.
//
// If the first item of an array is complete, so are the others: the items of a list have the same
// type, and were completed when they were added to the state.
func completeJSON(schema *openapi3.Schema, example any, text []byte) []byte {
	schema = theOnly(schema)
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		return completeObject(schema, example, text)
	case bytes.HasPrefix(text, []byte("[")) && schema.Items != nil:
		return completeArray(schema.Items.Value, example, text)
	}
	return text
}

func completeObject(schema *openapi3.Schema, example any, text []byte) []byte {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return text
	}
	changed := false
	set := func(name string, value []byte) {
		object[name], changed = value, true
	}
	properties, required := members(schema)
	examples, _ := example.(map[string]any)
	for _, name := range required {
		p := properties[name]
		if p == nil || !lacking(p.Value, object[name]) {
			continue
		}
		if value, err := json.Marshal(sample(p.Value, examples[name])); err == nil {
			set(name, value)
		}
	}
	for name, before := range object {
		p := properties[name]
		if p == nil {
			continue
		}
		if after := completeJSON(p.Value, examples[name], before); !bytes.Equal(before, after) {
			set(name, after)
		}
	}
	return marshalIf(changed, object, text)
}

func completeArray(schema *openapi3.Schema, example any, text []byte) []byte {
	var items []json.RawMessage
	if json.Unmarshal(text, &items) != nil {
		return text
	}
	var first any
	if all, _ := example.([]any); len(all) > 0 {
		first = all[0]
	}
	for i, before := range items {
		items[i] = completeJSON(schema, first, before)
		if i == 0 && bytes.Equal(before, items[i]) {
			return text
		}
	}
	return marshalIf(len(items) > 0, items, text)
}

func marshalIf(changed bool, v any, otherwise []byte) []byte {
	if changed {
		if text, err := json.Marshal(v); err == nil {
			return text
		}
	}
	return otherwise
}

// lacking reports whether the server has no value of its own for a required property: the
// property is absent, or is the zero value of a Go field.
func lacking(schema *openapi3.Schema, value json.RawMessage) bool {
	switch string(value) {
	case "", `""`, "0":
		return true
	case "null":
		return !nullable(schema)
	}
	return false
}

// sample returns a value of a schema, the example if there is one.
func sample(schema *openapi3.Schema, example any) any {
	for _, v := range append([]any{example, schema.Example, schema.Default, schema.Const}, schema.Enum...) {
		if v != nil {
			return v
		}
	}
	if nullable(schema) {
		return nil
	}
	if only := theOnly(schema); only != schema {
		return sample(only, nil)
	}
	switch {
	case schema.Type.Includes("string"):
		return "example"
	case schema.Type.Includes("integer"), schema.Type.Includes("number"):
		if schema.Min != nil {
			return *schema.Min
		}
		return 1
	case schema.Type.Includes("boolean"):
		return false
	case schema.Type.Includes("array"):
		return []any{}
	}
	object := map[string]any{}
	properties, required := members(schema)
	for _, name := range required {
		if p := properties[name]; p != nil {
			object[name] = sample(p.Value, nil)
		}
	}
	return object
}

// members returns the properties of an object's schema and the names of the required ones, with
// those of all schemas in allOf.
func members(schema *openapi3.Schema) (properties openapi3.Schemas, required []string) {
	properties = openapi3.Schemas{}
	for _, part := range schema.AllOf {
		p, r := members(part.Value)
		for name, property := range p {
			properties[name] = property
		}
		required = append(required, r...)
	}
	for name, property := range schema.Properties {
		properties[name] = property
	}
	return properties, append(required, schema.Required...)
}

// theOnly returns the alternative of an anyOf or oneOf that is not null, if there is exactly one,
// and otherwise the schema itself.
func theOnly(schema *openapi3.Schema) *openapi3.Schema {
	var only *openapi3.Schema
	for _, alternative := range append(append(openapi3.SchemaRefs{}, schema.AnyOf...), schema.OneOf...) {
		if alternative.Value.Type.Is("null") {
			continue
		}
		if only != nil {
			return schema
		}
		only = alternative.Value
	}
	if only == nil {
		return schema
	}
	return only
}

func nullable(schema *openapi3.Schema) bool {
	if schema.Type.Includes("null") {
		return true
	}
	for _, alternative := range append(append(openapi3.SchemaRefs{}, schema.AnyOf...), schema.OneOf...) {
		if nullable(alternative.Value) {
			return true
		}
	}
	return false
}

// plainIntegers rewrites integers such as 5.0 and 5e0 as 5, since encoding/json does not decode
// them into an int. It returns a text that is not JSON unchanged.
func plainIntegers(body []byte) []byte {
	v, err := decodeJSON(body)
	if err != nil {
		return body
	}
	out, err := json.Marshal(rewriteIntegers(v))
	if err != nil {
		return body
	}
	return out
}

func rewriteIntegers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = rewriteIntegers(member)
		}
	case []any:
		for i, item := range v {
			v[i] = rewriteIntegers(item)
		}
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err == nil && math.Abs(f) < 1<<53 && f == math.Trunc(f) {
			return int64(f)
		}
	}
	return v
}

func decodeJSON(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
