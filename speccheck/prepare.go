package speccheck

import (
	"errors"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// errSchemaCycle is the error of a schema that refers to itself for the same value, directly or
// through allOf, anyOf, oneOf, not, if, then, else or dependentSchemas. Its validation would not
// end. A schema that refers to itself for a property or an item is recursive, and valid.
var errSchemaCycle = errors.New("a schema refers to itself without a property or an item in between")

// prepare makes a compiled schema, and all schemas that it refers to, safe to validate with: it
// rejects reference cycles, and limits the errors that the items of an array produce.
func prepare(schema *jsonschema.Schema) error {
	w := walk{state: map[*jsonschema.Schema]visitState{}, pending: []*jsonschema.Schema{schema}}
	for len(w.pending) > 0 {
		last := len(w.pending) - 1
		next := w.pending[last]
		w.pending = w.pending[:last]
		if err := w.visit(next); err != nil {
			return err
		}
	}
	return nil
}

// walk visits every schema that a schema refers to.
type walk struct {
	state   map[*jsonschema.Schema]visitState
	pending []*jsonschema.Schema // schemas of properties and items
}

type visitState int

const (
	visiting visitState = iota + 1 // on the current chain of schemas for one value
	visited
)

// visit visits schema and the schemas that apply to the same value.
func (w *walk) visit(schema *jsonschema.Schema) error {
	switch w.state[schema] {
	case visiting:
		return errSchemaCycle
	case visited:
		return nil
	}
	w.state[schema] = visiting
	for _, same := range sameValueSchemas(schema) {
		if err := w.visit(same); err != nil {
			return err
		}
	}
	w.state[schema] = visited
	boundItems(schema)
	w.pending = append(w.pending, partSchemas(schema)...)
	return nil
}

// sameValueSchemas returns the schemas that a schema applies to its own value.
func sameValueSchemas(s *jsonschema.Schema) (list []*jsonschema.Schema) {
	list = append(list, s.AllOf...)
	list = append(list, s.AnyOf...)
	list = append(list, s.OneOf...)
	list = append(list, s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else)
	if s.DynamicRef != nil {
		list = append(list, s.DynamicRef.Ref)
	}
	for _, dependent := range s.DependentSchemas {
		list = append(list, dependent)
	}
	for _, dependent := range s.Dependencies {
		if dependent, ok := dependent.(*jsonschema.Schema); ok {
			list = append(list, dependent)
		}
	}
	return notNil(list)
}

// partSchemas returns the schemas that a schema applies to parts of its value: properties, their
// names, items. It expects that boundItems has been called.
func partSchemas(s *jsonschema.Schema) (list []*jsonschema.Schema) {
	list = append(list, s.PrefixItems...)
	list = append(list, s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.UnevaluatedItems, s.ContentSchema)
	for _, property := range s.Properties {
		list = append(list, property)
	}
	for _, property := range s.PatternProperties {
		list = append(list, property)
	}
	for _, schema := range []any{s.AdditionalProperties, s.AdditionalItems, s.Items} {
		switch schema := schema.(type) {
		case *jsonschema.Schema:
			list = append(list, schema)
		case []*jsonschema.Schema:
			list = append(list, schema...)
		}
	}
	for _, extension := range s.Extensions {
		if items, ok := extension.(boundedItems); ok {
			list = append(list, items.schema)
		}
	}
	return notNil(list)
}

func notNil(list []*jsonschema.Schema) (kept []*jsonschema.Schema) {
	for _, schema := range list {
		if schema != nil {
			kept = append(kept, schema)
		}
	}
	return kept
}

// boundItems replaces the keyword "items" of a compiled schema by boundedItems. A body of a few
// megabytes can contain millions of invalid items, and the validator allocates an error of
// several hundred bytes for each.
func boundItems(schema *jsonschema.Schema) {
	if schema.Items2020 != nil {
		schema.Extensions = append(schema.Extensions, boundedItems{schema.Items2020, len(schema.PrefixItems)})
		schema.Items2020 = nil
	}
}

// boundedItems validates the items of an array from index from on, and stops when more than
// MaxViolations of them are invalid.
type boundedItems struct {
	schema *jsonschema.Schema
	from   int
}

func (b boundedItems) Validate(ctx *jsonschema.ValidatorContext, value any) {
	array, _ := value.([]any)
	for i, invalid := b.from, 0; i < len(array) && invalid <= MaxViolations; i++ {
		if err := ctx.Validate(b.schema, array[i], []string{strconv.Itoa(i)}); err != nil {
			ctx.AddErr(err)
			invalid++
		}
	}
}
