package speccheck

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-openapi/jsonpointer"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// MaxViolations is the largest number of violations that are reported for one body. If there are
// more, one violation of the kind [Unchecked] with the rule "max-violations" follows.
const MaxViolations = 100

// validate validates a body by its schema. The violations have neither Kind nor In, unless they
// are Unchecked.
func (c *contract) validate(schema *jsonschema.Schema, body []byte) []Violation {
	value, found, ok := c.readJSON(body)
	if ok && schema != nil {
		if invalid, is := errors.AsType[*jsonschema.ValidationError](schema.Validate(value)); is {
			for _, v := range c.explain(invalid) {
				v.Pointer = c.knownPrefix(value, v.Pointer)
				found = append(found, v)
			}
		}
	}
	// The validator visits the properties of an object in random order.
	slices.SortStableFunc(found, func(a, b Violation) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Expected, b.Expected))
	})
	found = slices.Compact(found)
	if len(found) > MaxViolations {
		more := Violation{Kind: Unchecked, Rule: "max-violations", Expected: fmt.Sprintf("at most %d violations", MaxViolations)}
		found = append(found[:MaxViolations:MaxViolations], more)
	}
	return found
}

// explain converts the validator's error into violations, each at the innermost value that is
// invalid. It does not use the error's text, which quotes the body.
func (c *contract) explain(e *jsonschema.ValidationError) []Violation {
	at := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		var found []Violation
		for _, cause := range e.Causes {
			found = append(found, c.explain(cause)...)
		}
		return found
	case *kind.AnyOf:
		return c.explainAlternatives(e, Violation{Pointer: at, Rule: "anyOf", Expected: "one of the alternatives"})
	case *kind.OneOf:
		return c.explainAlternatives(e, Violation{Pointer: at, Rule: "oneOf", Expected: "exactly one of the alternatives"})
	case *kind.Required:
		var found []Violation
		for _, name := range k.Missing {
			found = append(found, Violation{Pointer: at + pointer([]string{name}), Rule: "required", Expected: "present"})
		}
		return found
	case *kind.Type:
		rule := "type"
		if k.Got == "null" {
			rule = "nullable"
		}
		return []Violation{{Pointer: at, Rule: rule, Expected: keywordText(c.lookup(e.SchemaURL), "type"), Found: k.Got}}
	case *kind.Not:
		return []Violation{{Pointer: at, Rule: "not"}}
	case *kind.FalseSchema:
		return []Violation{{Pointer: at, Rule: "false", Expected: "no value"}}
	case *kind.RefCycle: // by a $dynamicRef; New finds all other cycles
		return []Violation{{Kind: Unchecked, Pointer: at, Rule: "contract", Expected: errSchemaCycle.Error()}}
	}
	keyword := e.ErrorKind.KeywordPath()
	if len(keyword) == 0 {
		return []Violation{{Kind: Unchecked, Pointer: at, Rule: "contract"}}
	}
	rule := keyword[0] // the rest may contain a name from the body
	return []Violation{{Pointer: at, Rule: rule, Expected: keywordText(c.lookup(e.SchemaURL), rule)}}
}

// explainAlternatives returns the violations of a value that matches no alternative of an anyOf or
// oneOf. They are those of the alternative with the fewest: if an object or null is expected, and an
// object lacks a property, the missing property is the violation. If no alternative has the value's
// type, the violation is the type. If there is a tie, or more than one alternative of a oneOf
// matches, it is undecided.
func (c *contract) explainAlternatives(e *jsonschema.ValidationError, undecided Violation) []Violation {
	var closest []Violation
	var types []string
	var found string
	tie := len(e.Causes) == 0 // more than one alternative of a oneOf matches
	for _, cause := range e.Causes {
		violations := c.explain(cause)
		if len(violations) == 0 {
			continue
		}
		if first := violations[0]; first.Pointer == undecided.Pointer && first.Found != "" {
			types, found = append(types, first.Expected), first.Found
			continue
		}
		switch {
		case closest == nil || len(violations) < len(closest):
			closest, tie = violations, false
		case len(violations) == len(closest):
			tie = true
		}
	}
	switch {
	case tie:
		return []Violation{undecided}
	case closest != nil:
		return closest
	}
	byType := undecided
	byType.Rule, byType.Expected, byType.Found = "type", strings.Join(types, " or "), found
	if found == "null" {
		byType.Rule = "nullable"
	}
	return []Violation{byType}
}

// lookup returns the schema in the document that a URL of the validator refers to.
func (c *contract) lookup(schemaURL string) any {
	_, fragment, _ := strings.Cut(schemaURL, "#")
	fragment, _ = url.PathUnescape(fragment)
	node := c.root
	for _, token := range tokens(fragment) {
		switch parent := node.(type) {
		case map[string]any:
			node = parent[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(parent) {
				return nil
			}
			node = parent[i]
		}
	}
	return node
}

// keywordText returns the value of a keyword in a schema as text: types by their names, other
// values as JSON, lists item by item.
func keywordText(schema any, keyword string) string {
	fields, _ := schema.(map[string]any)
	value, ok := fields[keyword]
	if !ok {
		return ""
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var words []string
	for _, item := range list {
		if name, ok := item.(string); ok && keyword == "type" {
			words = append(words, name)
		} else if text, err := json.Marshal(item); err == nil {
			words = append(words, string(text))
		}
	}
	return strings.Join(words, " or ")
}

// knownPrefix returns the part of a pointer into value before the first property name that is not
// in the contract. Such a name comes from the sender and may be a secret.
func (c *contract) knownPrefix(value any, at string) string {
	path := tokens(at)
	for i, token := range path {
		if array, ok := value.([]any); ok {
			index, _ := strconv.Atoi(token)
			value = array[index]
			continue
		}
		if !c.names[token] {
			return pointer(path[:i])
		}
		object, _ := value.(map[string]any)
		value = object[token]
	}
	return at
}

// pointer returns the JSON Pointer with the given reference tokens.
func pointer(tokens []string) string {
	var text strings.Builder
	for _, token := range tokens {
		text.WriteString("/" + jsonpointer.Escape(token))
	}
	return text.String()
}

// tokens returns the reference tokens of a JSON Pointer.
func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	list := strings.Split(pointer[1:], "/")
	for i := range list {
		list[i] = jsonpointer.Unescape(list[i])
	}
	return list
}
