package contract

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// view is a schema as a reader of values sees it, however it is written: inline or by
// reference, whole or as an allOf, null as a type, a keyword or a branch.
type view struct {
	layers   []place // the mappings that state it, outermost first
	types    []string
	null     bool
	values   []*yaml.Node // of an enum or a const, null left out
	format   string
	rules    map[string]rule // the other keywords that are structure
	props    []prop
	items    place
	rest     place   // what additionalProperties says of each further property
	branches []place // two or more, null left out
	branchBy string  // anyOf or oneOf
	ignored  []string
}

// rule is a keyword with a plain value.
type rule struct {
	value string // as JSON
	node  *yaml.Node
}

// prop is a property of an object. Several places hold it where an allOf refines it.
type prop struct {
	name     string
	places   []place
	required bool
}

func (v *view) prop(name string) *prop {
	for i := range v.props {
		if v.props[i].name == name {
			return &v.props[i]
		}
	}
	return nil
}

// rank is the order in which the keywords of a rule are written.
var rank = []string{
	"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "minLength",
	"maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
	"default", "deprecated",
}

// foreign are keywords that are neither compared nor carried, and that are told of.
var foreign = []string{
	"pattern", "patternProperties", "not", "if", "then", "else", "dependentSchemas",
	"dependentRequired", "prefixItems", "contains", "propertyNames", "readOnly", "writeOnly",
}

// view reads the schema that stands at all of places at once.
func (d *document) view(places []place) *view {
	v := &view{rules: map[string]rule{}}
	required := map[string]bool{}
	null := unsaid
	for _, p := range places {
		null = null.and(d.gather(v, required, p, nil))
	}
	v.null = null == yes
	for i := range v.props {
		v.props[i].required = required[v.props[i].name]
	}
	if len(v.types) == 0 {
		v.types = v.implied()
	}
	slices.Sort(v.types)
	return v
}

// answer is what a mapping says about null.
type answer int

const (
	unsaid answer = iota
	yes
	no
)

// and joins the answers of two mappings that both hold.
func (a answer) and(b answer) answer { return max(a, b) }

// gather adds what is said at p and at what it is put together from. Above are the mappings that
// p is a part of.
func (d *document) gather(v *view, required map[string]bool, p place, above []*yaml.Node) answer {
	switch {
	case slices.Contains(above, p.node) && p.exists():
		d.fail(p, "the schema holds itself")
		return unsaid
	case slices.ContainsFunc(v.layers, func(layer place) bool { return layer.node == p.node }): // said already
		return unsaid
	case !p.exists(), scalar(p.node) == "true": // anything
		return unsaid
	case p.node.Kind != yaml.MappingNode:
		d.fail(p, "is no schema")
		return unsaid
	}
	v.layers = append(v.layers, p)
	above = append(slices.Clip(above), p.node)
	own := d.own(v, required, p.node, p)
	inner := unsaid
	if ref := get(p.node, "$ref"); ref != nil {
		inner = inner.and(d.gather(v, required, d.target(p, scalar(ref)), above))
	}
	for _, part := range p.child("allOf").items() {
		inner = inner.and(d.gather(v, required, part, above))
	}
	for _, by := range []string{"anyOf", "oneOf"} {
		var branches []place
		for _, branch := range p.child(by).items() {
			if isNull(branch.node) {
				own = yes
				continue
			}
			branches = append(branches, branch)
		}
		if len(branches) == 1 {
			inner = inner.and(d.gather(v, required, branches[0], above))
			continue
		}
		for _, branch := range branches {
			v.branches, v.branchBy = append(v.branches, branch), by
			if d.view([]place{branch}).null {
				own = yes
			}
		}
	}
	// An outer word about null wins: that is what writing it beside a reference is for.
	if own == unsaid {
		return inner
	}
	return own
}

// own reads the keywords of one mapping.
func (d *document) own(v *view, required map[string]bool, n *yaml.Node, p place) answer {
	null := unsaid
	if types := get(n, "type"); types != nil {
		var plain []string
		null = no
		for _, t := range some(types) {
			if t.Value == "null" {
				null = yes
				continue
			}
			plain = append(plain, t.Value)
		}
		v.types = narrow(v.types, plain)
	}
	if isTrue(get(n, "nullable")) {
		null = yes
	}
	if values, ok := constants(n); ok {
		plain := slices.DeleteFunc(slices.Clone(values), func(c *yaml.Node) bool { return canonical(c) == "null" })
		if len(plain) < len(values) {
			null = yes
		}
		if v.values != nil {
			plain = slices.DeleteFunc(plain, func(c *yaml.Node) bool { return !holds(v.values, c) })
		}
		v.values = plain
	}
	if format := scalar(get(n, "format")); format != "" {
		v.format = format
	}
	v.rule(n)
	for _, member := range p.child("properties").members() {
		if at := v.prop(member.key); at != nil {
			at.places = append(at.places, member)
			continue
		}
		v.props = append(v.props, prop{name: member.key, places: []place{member}})
	}
	for _, name := range some(get(n, "required")) {
		required[name.Value] = true
	}
	if items := p.child("items"); items.exists() {
		v.items = items
	}
	if rest := p.child("additionalProperties"); kind(rest.node) == yaml.MappingNode && len(rest.node.Content) > 0 {
		v.rest = rest
	}
	for _, key := range foreign {
		if get(n, key) != nil && !slices.Contains(v.ignored, key) {
			v.ignored = append(v.ignored, key)
		}
	}
	return null
}

// rule reads the keywords of rank, in the terms of OpenAPI 3.1 and without those that say what
// holds anyway.
func (v *view) rule(n *yaml.Node) {
	for _, key := range rank {
		at := get(n, key)
		if at == nil {
			continue
		}
		r := rule{value: canonical(at), node: at}
		switch {
		case r.value == "null",
			r.value == "false" && (key == "uniqueItems" || key == "deprecated"),
			r.value == "0" && strings.HasPrefix(key, "min") && key != "minimum":
			continue
		case strings.HasPrefix(key, "exclusive") && at.ShortTag() == "!!bool":
			limit := strings.ToLower(strings.TrimPrefix(key, "exclusive"))
			if bound, ok := v.rules[limit]; ok && isTrue(at) {
				delete(v.rules, limit)
				v.rules[key] = bound
			}
			continue
		}
		v.rules[key] = r
	}
}

// implied is the type that the other keywords speak of.
func (v *view) implied() []string {
	switch {
	case len(v.branches) > 0:
		return nil
	case len(v.props) > 0 || v.rest.exists():
		return []string{"object"}
	case v.items.exists():
		return []string{"array"}
	}
	var types []string
	for _, n := range v.values {
		t := map[string]string{"!!str": "string", "!!int": "integer", "!!float": "number", "!!bool": "boolean"}[n.ShortTag()]
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// shape is what Go makes of a schema at the coarsest.
func (v *view) shape() string {
	switch {
	case len(v.branches) > 0:
		return "union"
	case slices.Equal(v.types, []string{"array"}):
		return "array"
	case slices.Equal(v.types, []string{"object"}) && len(v.props) == 0 && v.rest.exists():
		return "map"
	case slices.Equal(v.types, []string{"object"}):
		return "object"
	default:
		return "scalar"
	}
}

// anything reports whether a schema says nothing about its values.
func (v *view) anything() bool { return v.shape() == "scalar" && len(v.types) == 0 }

// same reports whether two schemas have the same structure all the way down.
func (d *document) same(v *view, other *document, w *view) bool {
	return d.print(v, nil) == other.print(w, nil)
}

// print writes a schema's structure down, with references resolved.
func (d *document) print(v *view, above []*yaml.Node) string {
	if len(v.layers) == 0 {
		return "any"
	}
	inner := v.layers[len(v.layers)-1].node
	if up := slices.Index(above, inner); up >= 0 {
		return "^" + strconv.Itoa(len(above)-up)
	}
	above = append(slices.Clip(above), inner)
	sub := func(places ...place) string { return d.print(d.view(places), above) }

	var parts []string
	parts = append(parts, v.shape(), strings.Join(v.types, "|"), strconv.FormatBool(v.null), constantSet(v.values))
	for _, key := range rank {
		if r, ok := v.rules[key]; ok {
			parts = append(parts, key+"="+r.value)
		}
	}
	var rest []string
	for _, p := range v.props {
		rest = append(rest, strconv.Quote(p.name)+strconv.FormatBool(p.required)+sub(p.places...))
	}
	for _, b := range v.branches {
		rest = append(rest, "or "+sub(b))
	}
	slices.Sort(rest)
	if v.items.exists() {
		rest = append(rest, "items "+sub(v.items))
	}
	if v.rest.exists() {
		rest = append(rest, "rest "+sub(v.rest))
	}
	return "{" + strings.Join(append(parts, rest...), " ") + "}"
}

// constants are the values that a mapping's const or enum allows.
func constants(n *yaml.Node) ([]*yaml.Node, bool) {
	if c := get(n, "const"); c != nil {
		return []*yaml.Node{c}, true
	}
	if e := get(n, "enum"); kind(e) == yaml.SequenceNode {
		return some(e), true
	}
	return nil, false
}

func constantSet(values []*yaml.Node) string {
	if values == nil {
		return "-"
	}
	var set []string
	for _, n := range values {
		set = append(set, canonical(n))
	}
	slices.Sort(set)
	return "[" + strings.Join(slices.Compact(set), ",") + "]"
}

func holds(values []*yaml.Node, n *yaml.Node) bool {
	return slices.ContainsFunc(values, func(other *yaml.Node) bool { return canonical(other) == canonical(n) })
}

// isNull reports whether a branch allows nothing but null.
func isNull(n *yaml.Node) bool {
	types := some(get(n, "type"))
	if len(types) == 1 && types[0].Value == "null" {
		return true
	}
	values, ok := constants(n)
	return ok && len(values) == 1 && canonical(values[0]) == "null"
}

// some are the items of a sequence, or a scalar alone.
func some(n *yaml.Node) []*yaml.Node {
	switch kind(n) {
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	case yaml.SequenceNode:
		var items []*yaml.Node
		for _, item := range n.Content {
			items = append(items, deref(item))
		}
		return items
	default:
		return nil
	}
}

// narrow joins the types of two mappings that both hold.
func narrow(have, more []string) []string {
	if len(have) == 0 {
		return more
	}
	var both []string
	for _, t := range more {
		if slices.Contains(have, t) || t == "integer" && slices.Contains(have, "number") {
			both = append(both, t)
		}
		if t == "number" && slices.Contains(have, "integer") {
			both = append(both, "integer")
		}
	}
	if len(both) == 0 {
		return have
	}
	return both
}
