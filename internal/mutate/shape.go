package mutate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-openapi/jsonpointer"
)

// Shape describes the values that a schema allows, with allOf and alternatives merged.
type Shape struct {
	Types            []string // JSON types, "null" among them if the value is nullable; empty means any
	Properties       map[string]*openapi3.Schema
	Required         []string
	MinProperties    uint64
	Items            *openapi3.Schema
	MinItems         uint64
	Const            any
	Enum             []any
	Minimum, Maximum *float64
	MinLength        uint64
	Pattern          string
	Format           string
	Example          any
	alternatives     int // other than null
}

// ShapeOf returns the shape of a schema. It panics if the schema has several alternatives other than
// null: no single shape describes it.
func ShapeOf(s *openapi3.Schema) Shape {
	shape := Shape{
		Types: slices.Clone(s.Type.Slice()), Properties: map[string]*openapi3.Schema{}, Required: slices.Clone(s.Required),
		MinProperties: s.MinProps, MinItems: s.MinItems, Const: s.Const, Enum: s.Enum, Minimum: s.Min, Maximum: s.Max,
		MinLength: s.MinLength, Pattern: s.Pattern, Format: s.Format, Example: s.Example,
	}
	if s.Items != nil {
		shape.Items = s.Items.Value
	}
	for name, property := range s.Properties {
		shape.Properties[name] = property.Value
	}
	for _, part := range s.AllOf {
		shape.merge(ShapeOf(part.Value))
	}
	for _, alternative := range append(slices.Clone(s.AnyOf), s.OneOf...) {
		of := ShapeOf(alternative.Value)
		if slices.Equal(of.Types, []string{"null"}) {
			shape.Types = append(shape.Types, "null")
			continue
		}
		if shape.alternatives++; shape.alternatives > 1 {
			panic("a schema has several alternatives beside null")
		}
		shape.merge(of)
	}
	return shape
}

// merge adds the constraints of another schema for the same value.
func (s *Shape) merge(other Shape) {
	for _, name := range other.Types {
		if !slices.Contains(s.Types, name) {
			s.Types = append(s.Types, name)
		}
	}
	maps.Copy(s.Properties, other.Properties)
	s.Required = append(s.Required, other.Required...)
	s.MinProperties = max(s.MinProperties, other.MinProperties)
	s.MinItems = max(s.MinItems, other.MinItems)
	s.MinLength = max(s.MinLength, other.MinLength)
	if other.Items != nil {
		s.Items = other.Items
	}
	if other.Const != nil {
		s.Const = other.Const
	}
	if other.Enum != nil {
		s.Enum = other.Enum
	}
	if other.Minimum != nil {
		s.Minimum = other.Minimum
	}
	if other.Maximum != nil {
		s.Maximum = other.Maximum
	}
	if other.Pattern != "" {
		s.Pattern = other.Pattern
	}
	if other.Format != "" {
		s.Format = other.Format
	}
	if s.Example == nil {
		s.Example = other.Example
	}
}

// Allows reports whether the shape allows a value of a JSON type, or of "integer".
func (s Shape) Allows(jsonType string) bool {
	return slices.Contains(s.Types, jsonType) || jsonType == "integer" && slices.Contains(s.Types, "number")
}

// Complete returns value, a valid value of the schema, with every optional property and at least
// one item in every array. Added values are the examples of their schemas. A recursive schema is
// completed one level deep.
func Complete(s *openapi3.Schema, value any) any { return complete(s, value, nil) }

func complete(s *openapi3.Schema, value any, within []*openapi3.Schema) any {
	shape := ShapeOf(s)
	within = append(slices.Clone(within), s)
	switch {
	case value == nil && shape.Allows("null"):
		return nil
	case shape.Allows("object"):
		object, _ := value.(map[string]any)
		full := map[string]any{}
		for name, property := range shape.Properties {
			given, ok := object[name]
			if !ok {
				if slices.Contains(within, property) {
					continue // a recursive schema has no complete value
				}
				given = sample(property)
			}
			full[name] = complete(property, given, within)
		}
		return full
	case shape.Allows("array"):
		array, _ := value.([]any)
		if len(array) == 0 && !slices.Contains(within, shape.Items) {
			array = []any{sample(shape.Items)}
		}
		full := make([]any, len(array))
		for i := range array {
			full[i] = complete(shape.Items, array[i], within)
		}
		return full
	default:
		return value
	}
}

// sample returns a value of a schema that is valid after complete.
func sample(s *openapi3.Schema) any {
	shape := ShapeOf(s)
	switch {
	case shape.Example != nil:
		return Decode(Encode(shape.Example))
	case shape.Const != nil:
		return shape.Const
	case shape.Allows("object"):
		return map[string]any{}
	case shape.Allows("array"):
		return []any{}
	case len(shape.Enum) > 0:
		return shape.Enum[0]
	case shape.Allows("string"):
		return "text"
	}
	panic(fmt.Sprintf("a schema of type %v has no example", shape.Types))
}

// Value is a value in a body, or an absent property that its schema lists.
type Value struct {
	Pointer string // JSON Pointer
	Shape   Shape
	Value   any  // nil if absent or null
	Present bool // false for an absent property
	// Property is set for the property of an object, and Required if the property is required.
	// Removable is set if it is present and optional, and the object is valid without it.
	Property, Required, Removable bool
	parent                        Shape
}

// Values returns every value in root that the schema of root describes, and the absent properties.
// Objects and arrays precede their properties and items.
func Values(s *openapi3.Schema, root any) []Value {
	var list []Value
	var walk func(Value)
	walk = func(v Value) {
		list = append(list, v)
		switch value := v.Value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v.Shape.Properties)) {
				property, present := value[name]
				required := slices.Contains(v.Shape.Required, name)
				walk(Value{
					Pointer: v.Pointer + "/" + jsonpointer.Escape(name), Shape: ShapeOf(v.Shape.Properties[name]), Value: property, Present: present,
					Property: true, Required: required, Removable: present && !required && v.Shape.canLose(value), parent: v.Shape,
				})
			}
		case []any:
			for i, item := range value {
				walk(Value{Pointer: v.Pointer + "/" + strconv.Itoa(i), Shape: ShapeOf(v.Shape.Items), Value: item, Present: true})
			}
		}
	}
	walk(Value{Shape: ShapeOf(s), Value: root, Present: true})
	return list
}

// removed is a value that makes Change remove the property.
type removed struct{}

// Replace returns root with another value at pointer. It adds a property that is absent. root is not
// modified. A json.RawMessage is encoded as it is, duplicate properties included.
func Replace(root any, pointer string, value any) any {
	return Change(root, pointer, func(any) any { return value })
}

// Remove returns root without the property at pointer. root is not modified.
func Remove(root any, pointer string) any {
	return Replace(root, pointer, removed{})
}

// Get returns the value at pointer.
func Get(root any, pointer string) (value any) {
	Change(root, pointer, func(old any) any { value = old; return old })
	return value
}

// Change returns root with the value at pointer replaced by the result of to, which is called with
// the old value, or nil for an absent property. root is not modified. Change panics if the object or
// array that pointer refers into does not exist.
func Change(root any, pointer string, to func(old any) any) any {
	if pointer == "" {
		return to(root)
	}
	token, rest := pointer[1:], ""
	if i := strings.IndexByte(token, '/'); i >= 0 {
		token, rest = token[:i], token[i:]
	}
	switch root := root.(type) {
	case map[string]any:
		name := jsonpointer.Unescape(token)
		object := maps.Clone(root)
		child := Change(object[name], rest, to)
		if _, remove := child.(removed); remove {
			delete(object, name)
		} else {
			object[name] = child
		}
		return object
	case []any:
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(root) {
			panic(fmt.Sprintf("no item at %s", pointer))
		}
		array := slices.Clone(root)
		array[i] = Change(array[i], rest, to)
		return array
	}
	panic(fmt.Sprintf("no value at %s", pointer))
}
