package speccheck_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// The checker is tested with every body that differs from a valid one in a single fault. What
// is expected is worked out here from the contract, by other code than the checker's.

// shape is what a schema says about a value, whatever way it says it.
type shape struct {
	types      []string
	properties map[string]*openapi3.Schema
	required   []string
	items      *openapi3.Schema
	constant   any
	enum       []any
	example    any
}

// shapeOf reads a schema: allOf is all of its parts together, and anyOf with null is the other
// part, or null.
func shapeOf(s *openapi3.Schema) shape {
	sh := shape{properties: map[string]*openapi3.Schema{}, constant: s.Const, enum: s.Enum, example: s.Example}
	sh.types = slices.Clone(s.Type.Slice())
	sh.required = slices.Clone(s.Required)
	if s.Items != nil {
		sh.items = s.Items.Value
	}
	for name, property := range s.Properties {
		sh.properties[name] = property.Value
	}
	for _, part := range s.AllOf {
		p := shapeOf(part.Value)
		sh.types = p.types
		sh.required = append(sh.required, p.required...)
		maps.Copy(sh.properties, p.properties)
	}
	for _, part := range s.AnyOf {
		p := shapeOf(part.Value)
		types := append(slices.Clone(sh.types), p.types...)
		if !slices.Equal(p.types, []string{"null"}) {
			sh = p
		}
		sh.types = types
	}
	return sh
}

func (sh shape) takes(jsonType string) bool {
	return slices.Contains(sh.types, jsonType) || jsonType == "integer" && slices.Contains(sh.types, "number")
}

// complete returns value with every optional property added, all the way down.
func complete(s *openapi3.Schema, value any) any {
	sh := shapeOf(s)
	switch {
	case value == nil && sh.takes("null"):
		return nil
	case sh.takes("object"):
		object, _ := value.(map[string]any)
		full := map[string]any{}
		for name, property := range sh.properties {
			if given, ok := object[name]; ok {
				full[name] = complete(property, given)
			} else {
				full[name] = complete(property, sample(property))
			}
		}
		return full
	case sh.takes("array"):
		array, _ := value.([]any)
		if len(array) == 0 {
			array = []any{sample(sh.items)}
		}
		full := make([]any, len(array))
		for i := range array {
			full[i] = complete(sh.items, array[i])
		}
		return full
	default:
		return value
	}
}

// sample returns a valid value of a schema.
func sample(s *openapi3.Schema) any {
	sh := shapeOf(s)
	switch {
	case sh.example != nil:
		return sh.example
	case sh.constant != nil:
		return sh.constant
	case sh.takes("object"):
		return map[string]any{}
	case sh.takes("array"):
		return []any{}
	}
	panic(fmt.Sprintf("no sample of %v", sh.types))
}

// variant is a body that differs from a valid one in one place.
type variant struct {
	what    string
	pointer string // of what is changed
	value   any
	// The rule that it breaks, and what the violation says beside it.
	rule, expected, found string
}

// change returns root with the value at the place changed. Absent is no value at all.
type absent struct{}

func change(root any, place []any, to any) any {
	if len(place) == 0 {
		return to
	}
	switch key := place[0].(type) {
	case string:
		object := maps.Clone(root.(map[string]any))
		if _, drop := to.(absent); drop && len(place) == 1 {
			delete(object, key)
		} else {
			object[key] = change(object[key], place[1:], to)
		}
		return object
	default:
		array := slices.Clone(root.([]any))
		array[key.(int)] = change(array[key.(int)], place[1:], to)
		return array
	}
}

func pointerTo(place []any) (pointer string) {
	for _, token := range place {
		pointer += fmt.Sprintf("/%v", token)
	}
	return pointer
}

// one value of each JSON type, and a number that is no integer.
var ofType = map[string]any{
	"string": "text", "boolean": true, "integer": 7, "number": 1.5,
	"array": []any{}, "object": map[string]any{}, "null": nil,
}

// visit calls f for each place in value that the schema describes.
func visit(s *openapi3.Schema, value any, place []any, f func(sh shape, value any, place []any)) {
	sh := shapeOf(s)
	f(sh, value, place)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(sh.properties)) {
			if child, ok := value[name]; ok {
				visit(sh.properties[name], child, append(slices.Clone(place), name), f)
			}
		}
	case []any:
		for i, child := range value {
			visit(sh.items, child, append(slices.Clone(place), i), f)
		}
	}
}

// faults returns every variant of base with a single fault.
func faults(s *openapi3.Schema, base any) (list []variant) {
	visit(s, base, nil, func(sh shape, value any, place []any) {
		add := func(place []any, to any, v variant) {
			v.pointer, v.value = pointerTo(place), change(base, place, to)
			list = append(list, v)
		}
		for _, name := range slices.Sorted(maps.Keys(ofType)) {
			v := variant{what: name, rule: "type", expected: strings.Join(sh.types, " or "), found: name}
			switch name {
			case "null":
				v.rule = "nullable"
			case "integer":
				v.found = "number"
			}
			if !sh.takes(name) {
				add(place, ofType[name], v)
			}
		}
		if sh.constant != nil {
			add(place, "organization.other", variant{what: "another constant", rule: "const", expected: quote(sh.constant)})
		}
		if sh.enum != nil {
			add(place, "unheard-of", variant{what: "an unknown value", rule: "enum", expected: quote(sh.enum...)})
		}
		if _, ok := value.(map[string]any); ok {
			for _, name := range sh.required {
				add(append(slices.Clone(place), name), absent{}, variant{what: "missing", rule: "required", expected: "present"})
			}
		}
	})
	return list
}

func quote(values ...any) string {
	var words []string
	for _, value := range values {
		words = append(words, fmt.Sprintf("%q", value))
	}
	return strings.Join(words, " or ")
}

// harmless returns variants of base that are valid too.
func harmless(s *openapi3.Schema, base any) (list []variant) {
	list = append(list, variant{what: "as it is", value: base})
	bare := base
	nulls := base
	visit(s, base, nil, func(sh shape, value any, place []any) {
		add := func(what string, place []any, to any) {
			list = append(list, variant{what: what, pointer: pointerTo(place), value: change(base, place, to)})
		}
		if sh.takes("null") {
			add("null", place, nil)
		}
		for _, other := range sh.enum {
			add("another value", place, other)
		}
		object, ok := value.(map[string]any)
		if !ok {
			return
		}
		for i, extra := range []any{nil, "text", 1.5, []any{map[string]any{"id": 1}}, map[string]any{"object": nil}} {
			add("an extra field", append(slices.Clone(place), "extra"+strconv.Itoa(i)), extra)
		}
		for name := range object {
			if !slices.Contains(sh.required, name) {
				add("absent", append(slices.Clone(place), name), absent{})
			}
		}
	})
	// Inner places first, so that outer changes find them.
	var optional, nullable [][]any
	visit(s, base, nil, func(sh shape, value any, place []any) {
		if object, ok := value.(map[string]any); ok {
			for name := range object {
				if !slices.Contains(sh.required, name) {
					optional = append(optional, append(slices.Clone(place), name))
				}
			}
		}
		if sh.takes("null") {
			nullable = append(nullable, place)
		}
	})
	for _, place := range slices.Backward(optional) {
		bare = change(bare, place, absent{})
	}
	for _, place := range slices.Backward(nullable) {
		nulls = change(nulls, place, nil)
	}
	return append(list, variant{what: "all optional absent", value: bare}, variant{what: "all nullable null", value: nulls})
}

// bases returns the valid bodies that variants are made of: the example, and the example with
// all that is optional.
func bases(t testing.TB, b body) []any {
	// Through JSON, so that numbers are what a body's numbers are.
	var example any
	require.NoError(t, json.Unmarshal(encode(t, b.example), &example))
	return []any{example, complete(b.schema, example)}
}

func TestEverySingleFaultIsReportedWhereItIs(t *testing.T) {
	c := newChecker(t)
	mutations, reported := 0, 0
	rules := map[string]int{}
	for _, b := range bodies(t) {
		for _, base := range bases(t, b) {
			for _, m := range faults(b.schema, base) {
				mutations++
				found := check(t, c, b, encode(t, m.value))
				wantKind, wantIn := speccheck.BodyViolation, speccheck.InResponse
				if b.status == 0 {
					wantKind, wantIn = speccheck.RequestViolation, speccheck.InRequest
				}
				want := speccheck.Violation{
					Kind: wantKind, OperationID: b.operation, Method: b.method, Path: b.path, Status: max(b.status, 200),
					In: wantIn, Pointer: m.pointer, Rule: m.rule, Expected: m.expected, Found: m.found,
				}
				if assert.Equal(t, []speccheck.Violation{want}, found, "%v: %s at %q", b, m.what, m.pointer) {
					reported++
					rules[m.rule]++
				}
			}
		}
	}
	require.NotZero(t, mutations)
	t.Logf("speccheck: %d mutations, %d reported: %v", mutations, reported, rules)
}

func TestNoValidBodyIsReported(t *testing.T) {
	c := newChecker(t)
	valid := 0
	for _, b := range bodies(t) {
		for _, base := range bases(t, b) {
			for _, v := range harmless(b.schema, base) {
				valid++
				assert.Empty(t, check(t, c, b, encode(t, v.value)), "%v: %s at %q", b, v.what, v.pointer)
			}
		}
	}
	t.Logf("speccheck: %d valid bodies, none reported", valid)
}

func TestSeveralFaultsAreAllReported(t *testing.T) {
	c := newChecker(t)
	for _, b := range bodies(t) {
		if b.status != 200 {
			continue
		}
		// Every required property of the whole body is null, where that is wrong.
		base := bases(t, b)[1]
		broken, want := base, map[string]bool{}
		visit(b.schema, base, nil, func(sh shape, value any, place []any) {
			_, isObject := value.(map[string]any)
			_, isArray := value.([]any)
			if !isObject && !isArray && !sh.takes("null") {
				broken = change(broken, place, nil)
				want[pointerTo(place)] = true
			}
		})
		got := map[string]bool{}
		for _, v := range check(t, c, b, encode(t, broken)) {
			assert.Equal(t, "nullable", v.Rule)
			got[v.Pointer] = true
		}
		assert.Equal(t, want, got, b)
	}
}

func TestABodyCutAnywhereIsReported(t *testing.T) {
	c := newChecker(t)
	for _, b := range bodies(t) {
		if b.status != 200 {
			continue
		}
		whole := encode(t, b.example)
		for n := range whole {
			found := check(t, c, b, whole[:n])
			if assert.Len(t, found, 1, "%v cut at %d", b, n) {
				assert.Equal(t, "json", found[0].Rule, "%v cut at %d", b, n)
				assert.Equal(t, speccheck.BodyViolation, found[0].Kind)
			}
		}
	}
}
