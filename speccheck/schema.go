package speccheck

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// judge holds a body against its schema.
func (c *contract) judge(schema *jsonschema.Schema, body []byte) []Violation {
	value, found, ok := c.readJSON(body)
	if ok && schema != nil {
		if wrong, is := errors.AsType[*jsonschema.ValidationError](schema.Validate(value)); is {
			for _, v := range c.explain(wrong) {
				v.Pointer = c.known(value, v.Pointer)
				found = append(found, v)
			}
		}
	}
	// The validator goes through objects in no order.
	slices.SortStableFunc(found, func(a, b Violation) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Rule, b.Rule))
	})
	return found
}

// explain turns the validator's error into violations, each at the innermost place that is
// wrong. The error's own text quotes the body and goes nowhere.
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
		return c.nearest(e, Violation{Pointer: at, Rule: "anyOf", Expected: "one of the alternatives"})
	case *kind.OneOf:
		return c.nearest(e, Violation{Pointer: at, Rule: "oneOf", Expected: "exactly one of the alternatives"})
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
		return []Violation{{Pointer: at, Rule: rule, Expected: says(c.lookup(e.SchemaURL), "type"), Found: k.Got}}
	case *kind.Not:
		return []Violation{{Pointer: at, Rule: "not"}}
	case *kind.FalseSchema:
		return []Violation{{Pointer: at, Rule: "false", Expected: "nothing"}}
	default:
		rule := e.ErrorKind.KeywordPath()[0] // what follows it may be a name from the body
		return []Violation{{Pointer: at, Rule: rule, Expected: says(c.lookup(e.SchemaURL), rule)}}
	}
}

// nearest explains a value that fits none of several alternatives by the one that it comes
// closest to: an object that lacks a property, where an object or null may be, lacks a
// property. Where no alternative allows its type at all, the types are what is expected; where
// several come equally close, the answer is other.
func (c *contract) nearest(e *jsonschema.ValidationError, other Violation) []Violation {
	var best []Violation
	var types []string
	var found string
	tie := len(e.Causes) == 0 // more than one of a oneOf fit
	for _, cause := range e.Causes {
		wrong := c.explain(cause)
		if first := wrong[0]; first.Pointer == other.Pointer && first.Found != "" {
			types, found = append(types, first.Expected), first.Found
			continue
		}
		tie = len(wrong) == len(best)
		if best == nil || len(wrong) < len(best) {
			best = wrong
		}
	}
	switch {
	case tie:
		return []Violation{other}
	case best != nil:
		return best
	}
	other.Rule, other.Expected, other.Found = "type", strings.Join(types, " or "), found
	if found == "null" {
		other.Rule = "nullable"
	}
	return []Violation{other}
}

// lookup returns the schema at the place in the contract that the validator names by a URL.
func (c *contract) lookup(location string) any {
	_, fragment, _ := strings.Cut(location, "#")
	fragment, _ = url.PathUnescape(fragment)
	node := c.root
	for _, token := range tokens(fragment) {
		switch parent := node.(type) {
		case map[string]any:
			node = parent[token]
		case []any:
			i, _ := strconv.Atoi(token)
			node = parent[i]
		}
	}
	return node
}

// says returns what schema says under keyword: types by their names, other values as the
// contract's own JSON, lists item by item.
func says(schema any, keyword string) string {
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

// known cuts a pointer into value before the first name that the contract does not know: such a
// name is the sender's, and may be anything.
func (c *contract) known(value any, at string) string {
	way := tokens(at)
	for i, token := range way {
		if array, ok := value.([]any); ok {
			index, _ := strconv.Atoi(token)
			value = array[index]
			continue
		}
		if !c.names[token] {
			return pointer(way[:i])
		}
		object, _ := value.(map[string]any)
		value = object[token]
	}
	return at
}

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

func pointer(tokens []string) string {
	var text strings.Builder
	for _, token := range tokens {
		text.WriteString("/" + escaper.Replace(token))
	}
	return text.String()
}

func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	list := strings.Split(pointer[1:], "/")
	for i := range list {
		list[i] = unescaper.Replace(list[i])
	}
	return list
}
