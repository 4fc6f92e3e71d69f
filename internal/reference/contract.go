package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The contract as far as a page shows it, in the order in which it is written.
type (
	contract struct {
		Paths      ordered[ordered[*operation]]
		Components struct{ Schemas ordered[*schema] }
	}
	operation struct {
		OperationID string `yaml:"operationId"`
		Summary     string
		Description string
		Deprecated  bool
		Parameters  []parameter
		RequestBody *body `yaml:"requestBody"`
		Responses   ordered[*body]
	}
	parameter struct {
		Name, In, Description string
		Required              bool
		Schema                *schema
		Example               yaml.Node
	}
	body struct {
		Description string
		Required    bool
		Content     ordered[*media]
	}
	media struct {
		Schema  *schema
		Example yaml.Node
	}
	schema struct {
		Ref         string `yaml:"$ref"`
		Type        words
		Format      string
		Description string
		Const       yaml.Node
		Enum        []yaml.Node
		Default     yaml.Node
		Minimum     *number
		Maximum     *number
		MinLength   *number `yaml:"minLength"`
		MaxLength   *number `yaml:"maxLength"`
		Deprecated  bool
		Items       *schema
		Rest        *schema `yaml:"additionalProperties"`
		Properties  ordered[*schema]
		Required    []string
		AllOf       []*schema `yaml:"allOf"`
		AnyOf       []*schema `yaml:"anyOf"`
		OneOf       []*schema `yaml:"oneOf"`
	}
)

// ordered is a mapping that remembers its order.
type ordered[T any] struct {
	keys []string
	at   map[string]T
}

func (o *ordered[T]) UnmarshalYAML(n *yaml.Node) error {
	o.at = map[string]T{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var v T
		if err := n.Content[i+1].Decode(&v); err != nil {
			return err
		}
		o.keys = append(o.keys, n.Content[i].Value)
		o.at[n.Content[i].Value] = v
	}
	return nil
}

// words is one word or a list of them.
type words []string

func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = words{n.Value}
		return nil
	}
	return n.Decode((*[]string)(w))
}

// number is a number as it is written.
type number string

func (v *number) UnmarshalYAML(n *yaml.Node) error {
	*v = number(n.Value)
	return nil
}

func read(src []byte) (*contract, error) {
	c := new(contract)
	if err := yaml.Unmarshal(src, c); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	return c, nil
}

// name is the name of the schema that a reference leads to.
func (s *schema) name() string { return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:] }

// property is a row of an object's table.
type property struct {
	name     string
	schema   *schema
	required bool
}

// properties are those of an object, with the parts of an allOf put together and the objects
// that have no name of their own spread out.
func (c *contract) properties(s *schema) []property {
	var list []property
	var gather func(s *schema, prefix string)
	gather = func(s *schema, prefix string) {
		if s.Ref != "" {
			s = c.Components.Schemas.at[s.name()]
		}
		for _, part := range s.AllOf {
			gather(part, prefix)
		}
		for _, name := range s.Properties.keys {
			p := s.Properties.at[name]
			list = append(list, property{prefix + name, p, slices.Contains(s.Required, name)})
			if p.Ref == "" {
				gather(p, prefix+name+".")
			}
		}
	}
	gather(s, "")
	return list
}

// reached are the named schemas that s leads to, in the order in which they come up.
func (c *contract) reached(s *schema, list []string) []string {
	if s == nil {
		return list
	}
	if s.Ref != "" {
		if name := s.name(); !slices.Contains(list, name) {
			list = c.reached(c.Components.Schemas.at[name], append(list, name))
		}
	}
	for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf, []*schema{s.Items, s.Rest}) {
		list = c.reached(part, list)
	}
	for _, name := range s.Properties.keys {
		list = c.reached(s.Properties.at[name], list)
	}
	return list
}

// kind is a schema's type in words, with a link where it has a page entry of its own.
func (s *schema) kind() string {
	var kinds []string
	null := slices.Contains(s.Type, "null")
	switch {
	case s.Ref != "":
		kinds = append(kinds, fmt.Sprintf("[%s](#%s)", s.name(), anchor(s.name())))
	case slices.Contains(s.Type, "array") && s.Items != nil:
		kinds = append(kinds, "array of "+s.Items.kind())
	case slices.Contains(s.Type, "object") && s.Rest != nil:
		kinds = append(kinds, "object of "+s.Rest.kind())
	}
	for _, branch := range slices.Concat(s.AnyOf, s.OneOf) {
		if slices.Equal(branch.Type, words{"null"}) {
			null = true
			continue
		}
		kinds = append(kinds, branch.kind())
	}
	for _, t := range s.Type {
		if t == "null" || len(kinds) > 0 {
			continue
		}
		if s.Format != "" {
			t += " (" + s.Format + ")"
		}
		kinds = append(kinds, t)
	}
	if len(kinds) == 0 && len(s.AllOf) > 0 {
		kinds = append(kinds, "object")
	}
	if null {
		kinds = append(kinds, "null")
	}
	if len(kinds) == 0 {
		return "anything"
	}
	return strings.Join(kinds, " or ")
}

// allowed are the values that a schema allows, where it limits them.
func (s *schema) allowed() string {
	var list []string
	for _, n := range s.Enum {
		list = append(list, code(jsonText(&n)))
	}
	if s.Const.Kind != 0 {
		list = append(list, code(jsonText(&s.Const)))
	}
	if len(list) > 0 {
		return strings.Join(list, ", ")
	}
	for _, limit := range []struct {
		low, high *number
		unit      string
	}{{s.Minimum, s.Maximum, ""}, {s.MinLength, s.MaxLength, " characters"}} {
		switch {
		case limit.low != nil && limit.high != nil:
			return fmt.Sprintf("%s to %s%s", *limit.low, *limit.high, limit.unit)
		case limit.low != nil:
			return fmt.Sprintf("at least %s%s", *limit.low, limit.unit)
		case limit.high != nil:
			return fmt.Sprintf("at most %s%s", *limit.high, limit.unit)
		}
	}
	return ""
}

// jsonText is a value as JSON on one line, with its members in order.
func jsonText(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		var members []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			members = append(members, strconv.Quote(n.Content[i].Value)+": "+jsonText(n.Content[i+1]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	case yaml.SequenceNode:
		var items []string
		for _, item := range n.Content {
			items = append(items, jsonText(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return "null"
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSpace(out.String())
}

// jsonBlock is a value as JSON on lines.
func jsonBlock(n *yaml.Node) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(jsonText(n)), "", "  "); err != nil {
		return ""
	}
	return out.String()
}
