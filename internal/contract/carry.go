package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-openapi/jsonpointer"
	"go.yaml.in/yaml/v3"

	gengo "github.com/orgkeys/orgkeys-go/internal/generate"
)

// Placeholder is the description that a sync gives to new parts of the contract, to be replaced by
// hand. It also occurs in generated comments.
const Placeholder = "Not described yet (TODO)."

// prose are the keywords that a sync never copies from upstream and never changes.
var prose = []string{"summary", "description", "title", "externalDocs", "example", "examples"}

func isProse(key string) bool { return slices.Contains(prose, key) || strings.HasPrefix(key, "x-") }

// setNull makes a schema nullable or not nullable. The contract writes null as a type, as a value
// of an enum, and as a branch of a union, also of one with a reference.
func (v *view) setNull(null bool) {
	merged := *v
	merged.null = null
	layers := v.layers[:1]
	if !null {
		layers = v.nulls
	}
	for _, layer := range layers {
		n, by := layer.node, v.branchBy
		branches := get(n, by)
		switch {
		case get(n, "type") != nil, !null && branches == nil:
			restate(n, &merged, "type")
			if _, ok := constants(n); ok {
				restate(n, &merged, "enum", "const")
			}
		case null && branches != nil:
			branches.Content = append(branches.Content, entry("type", strNode("null")))
		case null:
			inner := extract(n, func(key string) bool { return !isProse(key) })
			at := index(n, inner.Content[0].Value)
			for _, key := range keys(inner) {
				remove(n, key)
			}
			n.Content = slices.Insert(n.Content, at, strNode("anyOf"), seqNode(0, inner, entry("type", strNode("null"))))
		default:
			if branches.Content = slices.DeleteFunc(branches.Content, isNull); len(branches.Content) == 1 { // it replaces the union
				at := index(n, by)
				remove(n, by)
				inner := extract(branches.Content[0], func(key string) bool { return index(n, key) < 0 })
				n.Content = slices.Insert(n.Content, at, inner.Content...)
			}
		}
	}
}

// keywords returns the keywords of a schema that have a plain value, in the order in which they are
// written.
func keywords(v *view) *yaml.Node {
	n := mapNode()
	state := func(one, several string, values []*yaml.Node) {
		if len(values) == 1 {
			set(n, one, values[0])
		} else if values != nil {
			set(n, several, seqNode(yaml.FlowStyle, values...))
		}
	}
	var types, values []*yaml.Node
	for _, t := range v.types {
		types = append(types, strNode(t))
	}
	named := v.shape() == "object" && len(v.props) > 0
	if v.null && !named && (types != nil || len(v.branches) == 0) {
		types = append(types, strNode("null"))
	}
	for _, value := range v.values {
		values = append(values, bare(value))
	}
	if v.null && v.values != nil {
		values = append(values, scalarNode("!!null", "null"))
	}
	state("type", "type", types)
	state("const", "enum", values)
	for _, key := range rank {
		if r, ok := v.rules[key]; ok {
			set(n, key, bare(r.node))
		}
	}
	return n
}

// restate sets the named keywords of a schema to those of v. Values that an enum already has stay
// in their order.
func restate(n *yaml.Node, v *view, names ...string) {
	want := keywords(v)
	if only := get(want, "const"); only != nil && get(n, "enum") != nil {
		want = entry("enum", seqNode(yaml.FlowStyle, only))
	}
	order := append([]string{"type", "format", "enum", "const"}, rank...)
	for _, key := range names {
		to, is := get(want, key), get(n, key)
		switch {
		case to == nil:
			remove(n, key)
		case key == "enum" && is != nil:
			is.Content = slices.DeleteFunc(is.Content, func(v *yaml.Node) bool { return !contains(to.Content, v) })
			stay := is.Content
			is.Content = slices.Concat(stay, slices.DeleteFunc(to.Content, func(v *yaml.Node) bool { return contains(stay, v) }))
		default:
			set(n, key, to, order[:slices.Index(order, key)]...)
		}
	}
}

func makeRequired(n *yaml.Node, name string) {
	if names := get(n, "required"); names != nil {
		names.Content = append(names.Content, strNode(name))
		return
	}
	set(n, "required", seqNode(0, strNode(name)))
}

func makeOptional(v *view, name string) {
	for _, layer := range v.layers {
		drop(layer.node, "required", func(n *yaml.Node) bool { return n.Value == name })
	}
}

// addProperty adds the property at index i of t to the object n, behind the last of the properties
// that precede it upstream.
func (c *comparison) addProperty(n *yaml.Node, t *view, i int, name string) {
	p := t.props[i]
	node := c.spell(p.places[0], name)
	c.refine(node, p.name)
	describe(node)
	properties := ensure(n, "properties", mapNode(), "type", "description")
	var after []string
	for _, earlier := range t.props[:i] {
		if index(properties, earlier.name) >= 0 {
			after = []string{earlier.name}
		}
	}
	set(properties, p.name, node, after...)
	if p.required {
		makeRequired(n, p.name)
	}
}

// refine applies declared differences to a new property: formats that are declared for any property
// of its name, such as password, and limits that are declared for a pattern.
func (c *comparison) refine(n *yaml.Node, name string) {
	applies := map[string]string{"format": "string", "minLength": "string", "minimum": "integer", "maximum": "integer"}
	for _, d := range c.declared {
		if strings.HasSuffix(d.at, "/properties/"+jsonpointer.Escape(name)) && (d.aspect == "format" || d.at[0] == '/') &&
			get(n, d.aspect) == nil && lists(n, "type", applies[d.aspect]) {
			var value yaml.Node
			if yaml.Unmarshal([]byte(d.ours), &value) == nil && len(value.Content) == 1 {
				set(n, d.aspect, bare(value.Content[0]), "type", "format")
			}
		}
	}
}

// describe gives a new schema without a description the placeholder. A reference needs none.
func describe(n *yaml.Node) {
	if get(n, "$ref") == nil && get(n, "description") == nil {
		n.Content = slices.Insert(n.Content, behindType(n), strNode("description"), strNode(Placeholder))
	}
}

// behindType returns the index in a schema at which the description is written: behind the short
// keywords.
func behindType(n *yaml.Node) int {
	at := len(n.Content)
	long := []string{"example", "$ref", "anyOf", "oneOf", "allOf", "items", "additionalProperties", "properties", "required"}
	for _, key := range long {
		if i := index(n, key); i >= 0 {
			at = min(at, i)
		}
	}
	return at
}

// rewrite replaces a schema with one of another shape and keeps the contract's prose about it.
func (c *comparison) rewrite(p, theirs place, name string, named bool) {
	var n *yaml.Node
	if named {
		c.named[theirs.node] = p.ptr
		n = c.body(theirs, c.theirs.view(theirs), name)
	} else {
		n = c.spell(theirs, name)
	}
	kept := extract(p.node, func(key string) bool { return isProse(key) && key != "example" && key != "examples" })
	n.Content = slices.Insert(n.Content, behindType(n), kept.Content...)
	describe(n)
	*p.node = *n
}

// spell returns upstream's schema in the contract's notation, without prose. Objects become named
// schemas, so that their Go types have a name.
func (c *comparison) spell(p place, name string) *yaml.Node {
	p, null := c.theirs.unwrap(p)
	ref := get(p.node, "$ref")
	if ref != nil {
		p = c.theirs.target(p, scalar(ref))
		name = p.key
	}
	v := c.theirs.view(p)
	switch named := v.shape() == "object" && len(v.props) > 0; {
	case named || ref != nil && v.shape() == "object":
		return refer(c.component(p, v, name), null || v.null)
	case ref != nil:
		return refer(c.component(p, v, name), null && !v.null)
	}
	v.null = v.null || null
	return c.body(p, v, name)
}

// component returns the pointer of the contract's schema for a named schema upstream: the one that
// was compared with it, an equal one of the same name, or else a new one.
func (c *comparison) component(p place, v *view, name string) string {
	all := c.ours.schemas()
	if pointer := c.named[p.node]; pointer != "" && c.ours.at(pointer).exists() {
		return pointer
	}
	if our := all.child(name); our.exists() && c.same(position{}, our, p) {
		c.named[p.node] = our.ptr
		return our.ptr
	}
	name = free(all.node, name)
	n := mapNode()
	sorted(all.node, name, n) // before its body, which may refer to it
	c.named[p.node] = all.child(name).ptr
	*n = *c.body(p, v, name)
	describe(n)
	return c.named[p.node]
}

// unwrap returns the schema that p is equivalent to, apart from null, if p only wraps it in a union
// or an allOf, and whether p allows null.
func (d *document) unwrap(p place) (place, bool) {
	null := isTrue(get(p.node, "nullable"))
	var inner []place
	for _, key := range keys(p.node) {
		switch {
		case isProse(key) || key == "nullable":
		case key == "anyOf" || key == "oneOf" || key == "allOf":
			for _, branch := range p.child(key).items() {
				if key != "allOf" && isNull(branch.node) {
					null = true
					continue
				}
				inner = append(inner, branch)
			}
		default:
			return p, null
		}
	}
	if len(inner) != 1 {
		return p, null
	}
	p, more := d.unwrap(inner[0])
	return p, null || more
}

// component returns the named schema that p refers to, possibly in a union with null.
func (d *document) component(p place) (place, bool) {
	p, _ = d.unwrap(p)
	if ref := get(p.node, "$ref"); ref != nil {
		return d.target(p, scalar(ref)), true
	}
	return place{}, false
}

// refer returns a reference, or a union of a reference and null.
func refer(pointer string, null bool) *yaml.Node {
	ref := entry("$ref", strNode(pointer))
	ref.Content[1].Style = yaml.DoubleQuotedStyle
	if null {
		return entry("anyOf", seqNode(0, ref, entry("type", strNode("null"))))
	}
	return ref
}

// body returns upstream's schema written in full.
func (c *comparison) body(p place, v *view, name string) *yaml.Node {
	n := mapNode()
	refers := func(q place) bool { return get(q.node, "$ref") != nil }
	if parts := p.child("allOf").items(); len(parts) > 1 && slices.ContainsFunc(parts, refers) {
		all := seqNode(0)
		for _, part := range parts {
			if refers(part) {
				all.Content = append(all.Content, c.spell(part, name))
			} else {
				all.Content = append(all.Content, c.body(part, c.theirs.view(part), name))
			}
		}
		set(n, "allOf", all)
		return n
	}
	n = keywords(v)
	if c.usesFormat(v.format) {
		set(n, "format", strNode(v.format), "type")
	}
	if example := c.theirs.example(v, nil); example != nil && get(n, "const") == nil {
		set(n, "example", example)
	}
	if v.items.exists() {
		set(n, "items", c.spell(v.items, name+"Item"))
	}
	if v.rest.exists() && len(v.props) == 0 {
		set(n, "additionalProperties", c.spell(v.rest, name+"Value"))
	}
	for i, q := range v.props {
		c.addProperty(n, v, i, name+gengo.CamelCase(q.name))
	}
	if len(v.branches) > 0 {
		choice := seqNode(0)
		for i, branch := range v.branches {
			choice.Content = append(choice.Content, c.spell(branch, fmt.Sprintf("%sOption%d", name, i+1)))
		}
		if v.null {
			choice.Content = append(choice.Content, entry("type", strNode("null")))
		}
		set(n, v.branchBy, choice)
	}
	return n
}

// formatted contains examples of strings, by format.
var formatted = map[string]string{
	"date-time": "2024-03-26T17:25:33Z", "date": "2024-03-26", "uuid": "2f1e0d5c-7f0a-4d1b-9c55-0a1b2c3d4e5f",
	"email": "robin@example.com", "uri": "https://example.com",
}

// mend makes the examples of schemas and parameters valid again after a change.
func (c *comparison) mend() {
	at := func(n *yaml.Node, v *view) {
		if example := get(n, "example"); example != nil {
			set(n, "example", c.ours.example(v, example))
		}
	}
	for n, uses := range c.pairs {
		at(n, uses[0].ours)
	}
	for _, path := range c.ours.top().child("paths").members() {
		for _, operation := range path.members() {
			for _, p := range c.ours.parts(position{}, path, operation) {
				at(p.def.node, c.ours.view(p.schema()...))
			}
		}
	}
}

// example returns a valid example of a schema with as much as possible of have, the example that it
// has. Missing and invalid parts are made up. Without have, the example of an object is nil, since
// its properties have examples.
func (d *document) example(v *view, have *yaml.Node) *yaml.Node {
	if have != nil && (v.null && canonical(have) == "null" || v.anything()) {
		return have
	}
	switch v.shape() {
	case "union":
		for _, branch := range v.branches {
			if have != nil && d.view(branch).like(have) {
				return have
			}
		}
		return d.example(d.view(v.branches[0]), nil)
	case "object":
		return d.object(v, have)
	case "map":
		if kind(have) != yaml.MappingNode {
			have = mapNode(strNode("name"), nil)
			have.Style = yaml.FlowStyle
		}
		for i := 1; i < len(have.Content); i += 2 {
			if have.Content[i] = d.example(d.view(v.rest), have.Content[i]); have.Content[i] == nil {
				return nil
			}
		}
		return have
	case "array":
		if kind(have) != yaml.SequenceNode {
			have = seqNode(yaml.FlowStyle, slices.Repeat([]*yaml.Node{nil}, max(1, int(v.number("minItems", 1))))...)
		}
		for i, item := range have.Content {
			if have.Content[i] = d.example(d.view(orAny(v.items)...), item); have.Content[i] == nil {
				return nil
			}
		}
		return have
	}
	switch {
	case have != nil && v.allows(have):
		return have
	case len(v.values) > 0:
		return bare(v.values[0])
	case len(v.types) == 0:
		return nil
	case v.types[0] == "boolean":
		return boolNode(true)
	case v.types[0] == "string":
		text, ok := formatted[v.format]
		if !ok {
			text = "example"
			text += strings.Repeat("x", max(0, int(v.number("minLength", 0))-len(text)))
			text = text[:min(len(text), int(v.number("maxLength", 1000)))]
		}
		return strNode(text)
	}
	n := v.number("minimum", v.number("exclusiveMinimum", 0)+1)
	if v.format == "unixtime" {
		n = 1711471533
	}
	n = min(n, v.number("maximum", n), v.number("exclusiveMaximum", n+1)-1)
	return scalarNode("!!int", strconv.FormatFloat(n, 'f', -1, 64))
}

// object returns the example of an object, with the examples of its properties.
func (d *document) object(v *view, have *yaml.Node) *yaml.Node {
	if have == nil || len(v.props) == 0 {
		return have
	}
	if have.Kind != yaml.MappingNode {
		have = mapNode()
	}
	for _, key := range keys(have) {
		if v.prop(key) == nil {
			remove(have, key)
		}
	}
	for _, p := range v.props {
		inner, value := d.view(p.places...), get(have, p.name)
		if value == nil && !p.required {
			continue
		}
		for _, layer := range inner.layers {
			if example := get(layer.node, "example"); value == nil && example != nil {
				value = bare(example)
			}
		}
		if value == nil && inner.shape() == "object" {
			value = mapNode()
		}
		if value = d.example(inner, value); value == nil {
			value = seqNode(yaml.FlowStyle) // an array of objects
		}
		set(have, p.name, value)
	}
	return have
}

// usesFormat reports whether the contract uses a format. A new format could select a Go type that
// the rest of the code does not support.
func (c *comparison) usesFormat(format string) bool {
	var uses func(n *yaml.Node) bool
	uses = func(n *yaml.Node) bool {
		return scalar(get(n, "format")) == format || slices.ContainsFunc(n.Content, uses)
	}
	return format != "" && uses(c.ours.root)
}

// fork makes one reference to a named part of the contract refer to a copy of the part, which can
// then be changed independently.
func (c *comparison) fork(u use) {
	original := c.ours.at(u.to)
	section := strings.Split(u.to, "/")[2]
	name := free(original.in.node, original.key)
	sorted(original.in.node, name, clone(original.node))
	copied := "#/components/" + section + "/" + jsonpointer.Escape(name)
	set(u.at, "$ref", refer(copied, false).Content[1])
	c.declared.copy(u.to, copied)
	c.note("%s was split: one of its uses has changed and others have not. That one refers to %s now. "+
		"Declare the differences of the original for the copy too.", u.to, copied)
}
