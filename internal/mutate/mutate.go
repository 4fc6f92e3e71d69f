// Package mutate derives test bodies from the examples of an OpenAPI contract: every body with a
// single fault, together with the violations that a validator has to report for it, and variants
// that are valid.
//
// It does not share code with the validators and decoders that it tests. It supports type,
// properties, required, items, const, enum, limits, pattern, allOf, and anyOf or oneOf with at most
// one schema other than null.
package mutate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-openapi/jsonpointer"
)

// Body is a JSON body that a contract documents with an example.
type Body struct {
	Operation    string // the operation's id
	Method, Path string // of the operation; Path is the template
	Status       int    // of the response; 0 for the body of a request
	Schema       *openapi3.Schema
	Example      any // as decoded by Decode
}

// String returns a name for a subtest: "admin-api-keys-list 200", "admin-api-keys-create request".
func (b Body) String() string {
	if b.Status == 0 {
		return b.Operation + " request"
	}
	return b.Operation + " " + strconv.Itoa(b.Status)
}

// Bodies returns every JSON body in an OpenAPI document, sorted by its name.
func Bodies(document []byte) ([]Body, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, err
	}
	var bodies []Body
	add := func(b Body, content openapi3.Content) error {
		media := content.Get("application/json")
		if media == nil {
			return nil
		}
		if media.Schema == nil || media.Example == nil {
			return fmt.Errorf("%v has no schema or no example", b)
		}
		text, err := json.Marshal(media.Example)
		if err != nil {
			return err
		}
		b.Schema, b.Example = media.Schema.Value, Decode(text)
		bodies = append(bodies, b)
		return nil
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			b := Body{Operation: op.OperationID, Method: method, Path: path}
			if op.RequestBody != nil {
				if err := add(b, op.RequestBody.Value.Content); err != nil {
					return nil, err
				}
			}
			for status, response := range op.Responses.Map() {
				if b.Status, err = strconv.Atoi(status); err != nil {
					return nil, fmt.Errorf("%s has a response %q: only single statuses are supported", b.Operation, status)
				}
				if err := add(b, response.Value.Content); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.SortFunc(bodies, func(a, b Body) int { return cmp.Compare(a.String(), b.String()) })
	return bodies, nil
}

// Decode decodes JSON, with numbers as json.Number. It panics if text is not JSON.
func Decode(text []byte) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	return value
}

// Encode encodes a value as JSON. It panics if that is impossible.
func Encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

// Violation is what a validator has to report about a mutation.
type Violation struct {
	Pointer  string // a JSON Pointer to the invalid value, or to the missing property
	Rule     string // the violated keyword, or "nullable", "duplicate-name", "utf-8"
	Expected string // what the contract requires there, in the words of package speccheck
	Found    string // the JSON type of the value if Rule is "type" or "nullable"
}

// Mutation is a body that differs from a valid one in one value.
type Mutation struct {
	Name    string // what was changed, for failure messages
	Pointer string // a JSON Pointer to the changed value, or to the removed or duplicated property
	Body    []byte
	// Violations is empty if the body is still valid. All are at Pointer.
	Violations []Violation
}

// Violates reports whether the mutation violates rule.
func (m Mutation) Violates(rule string) bool {
	return slices.ContainsFunc(m.Violations, func(v Violation) bool { return v.Rule == rule })
}

// byType has a value of each JSON type, and an integer, which JSON Schema counts as a type.
var byType = map[string]any{
	"string": "text", "boolean": true, "integer": 7, "number": 1.5,
	"array": []any{}, "object": map[string]any{}, "null": nil,
}

// Invalid returns every mutation of base, a valid value of the schema, with a single fault: a value
// of another type, null, a missing or duplicate property, another constant, an unknown enum value, a
// value outside of a limit or a pattern, invalid UTF-8.
func Invalid(schema *openapi3.Schema, base any) []Mutation {
	var list []Mutation
	for _, v := range Values(schema, base) {
		if !v.Present {
			continue
		}
		add := func(name, pointer string, body []byte, violations ...Violation) {
			for i := range violations {
				violations[i].Pointer = pointer
			}
			list = append(list, Mutation{Name: name, Pointer: pointer, Body: body, Violations: violations})
		}
		replace := func(name string, to any, violations ...Violation) {
			add(name, v.Pointer, Encode(Replace(base, v.Pointer, to)), violations...)
		}
		for _, name := range slices.Sorted(maps.Keys(byType)) {
			violation := Violation{Rule: "type", Expected: strings.Join(v.Shape.Types, " or "), Found: name}
			switch name {
			case "null":
				violation.Rule = "nullable"
			case "integer":
				violation.Found = "number"
			}
			if len(v.Shape.Types) > 0 && !v.Shape.Allows(name) {
				replace("of type "+name, byType[name], violation)
			}
		}
		for _, fault := range v.Shape.faults(v.Value) {
			replace(fault.name, fault.value, fault.violations...)
		}
		switch value := v.Value.(type) {
		case map[string]any:
			for _, name := range v.Shape.Required {
				at := v.Pointer + "/" + jsonpointer.Escape(name)
				add("missing", at, Encode(Remove(base, at)), Violation{Rule: "required", Expected: "present"})
			}
			for _, name := range slices.Sorted(maps.Keys(value)) {
				property := string(Encode(map[string]any{name: value[name]}))
				duplicated := strings.TrimSuffix(string(Encode(value)), "}") + "," + strings.TrimPrefix(property, "{")
				add("duplicate", v.Pointer+"/"+jsonpointer.Escape(name), Encode(Replace(base, v.Pointer, json.RawMessage(duplicated))),
					Violation{Rule: "duplicate-name", Expected: "each name once"})
			}
		case string:
			for _, invalid := range []string{"\xff", "\xc0\xaf", "\xed\xa0\x80", `\ud800`} {
				const placeholder = "@invalid@"
				text := Encode(Replace(base, v.Pointer, placeholder))
				// A decoder replaces the invalid bytes by U+FFFD, which other keywords may not allow.
				violations := append(v.Shape.violatedBy("\ufffd"), Violation{Rule: "utf-8", Expected: "valid UTF-8"})
				add(fmt.Sprintf("invalid UTF-8 %+q", invalid), v.Pointer, bytes.Replace(text, []byte(placeholder), []byte(invalid), 1), violations...)
			}
		}
	}
	return list
}

type fault struct {
	name       string
	value      any
	violations []Violation
}

// faults returns values that violate keywords other than type and required, derived from a valid
// one.
func (s Shape) faults(valid any) (list []fault) {
	add := func(name string, value any, violations ...Violation) {
		list = append(list, fault{name, value, violations})
	}
	if s.Const != nil {
		add("another constant", "another.constant", Violation{Rule: "const", Expected: expected(s.Const)})
	}
	if s.Enum != nil {
		add("an unknown enum value", "unknown_value", Violation{Rule: "enum", Expected: expected(s.Enum...)})
	}
	if s.Minimum != nil {
		add("below the minimum", *s.Minimum-1, Violation{Rule: "minimum", Expected: expected(*s.Minimum)})
	}
	if s.Maximum != nil {
		add("above the maximum", *s.Maximum+1, Violation{Rule: "maximum", Expected: expected(*s.Maximum)})
	}
	if text, ok := valid.(string); ok {
		if s.MinLength > 0 {
			short := text[:s.MinLength-1]
			violations := []Violation{{Rule: "minLength", Expected: expected(s.MinLength)}}
			if !s.matches(short) {
				violations = append(violations, Violation{Rule: "pattern", Expected: expected(s.Pattern)})
			}
			add("too short", short, violations...)
		}
		for _, odd := range []string{text + " ", text + "\n", "\u00e9" + text, "#" + text} {
			if !s.matches(odd) {
				add(fmt.Sprintf("not of the pattern: %+q", odd), odd, Violation{Rule: "pattern", Expected: expected(s.Pattern)})
			}
		}
	}
	if array, ok := valid.([]any); ok && s.MinItems > 0 && uint64(len(array)) >= s.MinItems {
		add("too few items", array[:s.MinItems-1], Violation{Rule: "minItems", Expected: expected(s.MinItems)})
	}
	if _, ok := valid.(map[string]any); ok && s.MinProperties > 0 && len(s.Required) == 0 {
		add("too few properties", map[string]any{}, Violation{Rule: "minProperties", Expected: expected(s.MinProperties)})
	}
	return list
}

// violatedBy returns the violations of a text that is neither the constant nor an enum value, and
// is long enough.
func (s Shape) violatedBy(text string) (list []Violation) {
	if s.Const != nil {
		list = append(list, Violation{Rule: "const", Expected: expected(s.Const)})
	}
	if s.Enum != nil {
		list = append(list, Violation{Rule: "enum", Expected: expected(s.Enum...)})
	}
	if !s.matches(text) {
		list = append(list, Violation{Rule: "pattern", Expected: expected(s.Pattern)})
	}
	return list
}

func (s Shape) matches(text string) bool {
	return s.Pattern == "" || regexp.MustCompile(s.Pattern).MatchString(text)
}

func expected(values ...any) string {
	var words []string
	for _, value := range values {
		words = append(words, string(Encode(value)))
	}
	return strings.Join(words, " or ")
}

// Valid returns valid variants of base, a valid value of the schema: base itself,
// null, absent optional properties, other enum values, additional properties, values at the limits,
// and integers written as 7.0 and 7e0.
func Valid(schema *openapi3.Schema, base any) []Mutation {
	list := []Mutation{{Name: "unchanged", Body: Encode(base)}}
	minimal, allNull := base, base
	values := Values(schema, base)
	for _, v := range slices.Backward(values) { // properties before their objects
		if !v.Present {
			continue
		}
		add := func(name string, changed any) {
			list = append(list, Mutation{Name: name, Pointer: v.Pointer, Body: Encode(changed)})
		}
		replace := func(name string, to any) { add(name, Replace(base, v.Pointer, to)) }
		if v.Removable {
			add("absent", Remove(base, v.Pointer))
			if parent := v.Pointer[:strings.LastIndex(v.Pointer, "/")]; v.parent.canLose(Get(minimal, parent)) {
				minimal = Remove(minimal, v.Pointer)
			}
		}
		if v.Shape.Allows("null") {
			replace("null", nil)
			allNull = Replace(allNull, v.Pointer, nil)
		}
		for _, other := range v.Shape.Enum {
			replace("another enum value", other)
		}
		if v.Shape.Minimum != nil {
			replace("at the minimum", *v.Shape.Minimum)
		}
		if v.Shape.Maximum != nil {
			replace("at the maximum", *v.Shape.Maximum)
		}
		if number, ok := v.Value.(json.Number); ok && v.Shape.Allows("integer") && !v.Shape.Allows("number") {
			replace("an integer with a fraction of zero", json.RawMessage(number+".0"))
			replace("an integer with an exponent", json.RawMessage(number+"e0"))
		}
		if object, ok := v.Value.(map[string]any); ok {
			for i, extra := range []any{nil, "text", 1.5, []any{map[string]any{"id": 1}}, map[string]any{"object": nil}} {
				changed := maps.Clone(object)
				changed["additional"+strconv.Itoa(i)] = extra
				replace("an additional property", changed)
			}
		}
	}
	return append(list,
		Mutation{Name: "all optional properties absent", Body: Encode(minimal)},
		Mutation{Name: "all nullable values null", Body: Encode(allNull)})
}

// canLose reports whether a valid object has more than MinProperties properties.
func (s Shape) canLose(object any) bool {
	properties, _ := object.(map[string]any)
	return uint64(len(properties)) > s.MinProperties
}
