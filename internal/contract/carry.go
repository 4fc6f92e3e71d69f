package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Placeholder is the description of what a sync added, until a person writes one. It reads as a
// sentence in generated comments too.
const Placeholder = "Not described yet (TODO)."

// prose are the keywords that are ours, whatever upstream says.
var prose = []string{"summary", "description", "title", "externalDocs", "example", "examples"}

func isProse(key string) bool { return slices.Contains(prose, key) || strings.HasPrefix(key, "x-") }

// nullLayers are the layers that setNull changes.
func (c *comparison) nullLayers(v *view, p place) []place {
	if !v.null {
		return []place{p}
	}
	var list []place
	for _, layer := range v.layers {
		if saysNull(layer.node) {
			list = append(list, layer)
		}
	}
	return list
}

func saysNull(n *yaml.Node) bool {
	null := func(n *yaml.Node) bool { return n.Value == "null" }
	return isTrue(get(n, "nullable")) || slices.ContainsFunc(some(get(n, "type")), null) ||
		slices.ContainsFunc(some(get(n, "enum")), null) ||
		slices.ContainsFunc(some(get(n, "anyOf")), isNull) || slices.ContainsFunc(some(get(n, "oneOf")), isNull)
}

// setNull makes what stands at p nullable, or not.
func (c *comparison) setNull(e *editor, v *view, p place, null bool) {
	if null {
		c.addNull(e, v, p)
		return
	}
	for _, layer := range v.layers {
		n := layer.node
		if types := some(get(n, "type")); len(types) > 1 && slices.ContainsFunc(types, func(n *yaml.Node) bool { return n.Value == "null" }) {
			e.set(n, "type", typeNode(v.types, false))
		}
		if isTrue(get(n, "nullable")) {
			e.remove(n, "nullable")
		}
		for _, value := range some(get(n, "enum")) {
			if canonical(value) == "null" {
				e.drop(value)
			}
		}
		for _, by := range []string{"anyOf", "oneOf"} {
			branches := get(n, by)
			at := slices.IndexFunc(some(branches), isNull)
			switch {
			case at < 0:
			case len(branches.Content) > 2:
				e.drop(branches.Content[at])
			default: // one branch stays, and takes the place of the choice
				stays := deref(branches.Content[1-at])
				if len(stays.Content) == 2 {
					e.swap(n, by, stays.Content[0].Value, stays.Content[1])
					continue
				}
				whole := mapNode()
				for _, key := range keys(n) {
					if key != by {
						whole.Content = append(whole.Content, strNode(key), get(n, key))
					}
				}
				for _, key := range keys(stays) {
					if index(whole, key) < 0 {
						whole.Content = append(whole.Content, strNode(key), get(stays, key))
					}
				}
				e.put(layer, whole)
			}
		}
	}
}

func (c *comparison) addNull(e *editor, v *view, p place) {
	n := p.node
	if len(v.branches) > 0 && get(n, v.branchBy) != nil {
		branches := get(n, v.branchBy)
		e.add(branches, len(branches.Content)-1, mapNode(strNode("type"), strNode("null")))
		return
	}
	if get(n, "type") != nil {
		e.set(n, "type", typeNode(v.types, true))
		if list := get(n, "enum"); list != nil {
			e.add(list, len(list.Content)-1, nullNode())
		} else if only := get(n, "const"); only != nil {
			e.swap(n, "const", "enum", seqNode(yaml.FlowStyle, only, nullNode()))
		}
		return
	}
	var structure []string
	for _, key := range keys(n) {
		if !isProse(key) {
			structure = append(structure, key)
		}
	}
	choice := func(inner *yaml.Node) *yaml.Node {
		return seqNode(0, inner, mapNode(strNode("type"), strNode("null")))
	}
	if len(structure) == 1 {
		key := structure[0]
		e.swap(n, key, "anyOf", choice(mapNode(strNode(key), get(n, key))))
		return
	}
	whole, inner := mapNode(), mapNode()
	for _, key := range keys(n) {
		if isProse(key) {
			whole.Content = append(whole.Content, strNode(key), get(n, key))
		} else {
			inner.Content = append(inner.Content, strNode(key), get(n, key))
		}
	}
	whole.Content = append(whole.Content, strNode("anyOf"), choice(inner))
	e.put(p, whole)
}

func nullNode() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"} }

func typeNode(types []string, null bool) *yaml.Node {
	if len(types) == 1 && !null {
		return strNode(types[0])
	}
	n := seqNode(yaml.FlowStyle)
	for _, t := range types {
		n.Content = append(n.Content, strNode(t))
	}
	if null {
		n.Content = append(n.Content, strNode("null"))
	}
	return n
}

func constantKey(n *yaml.Node) string {
	if get(n, "const") != nil {
		return "const"
	}
	return "enum"
}

// setConstants limits a mapping to values, or lifts the limit. What it has of them stays where it
// is.
func setConstants(e *editor, n *yaml.Node, values []*yaml.Node) {
	old, had := constants(n)
	var gone, more []*yaml.Node
	for _, value := range old {
		if !holds(values, value) && canonical(value) != "null" {
			gone = append(gone, value)
		}
	}
	for _, value := range values {
		if !holds(old, value) {
			more = append(more, bare(value))
		}
	}
	only, list := get(n, "const"), get(n, "enum")
	switch {
	case values == nil:
		e.remove(n, constantKey(n))
	case only != nil && len(values) > 1:
		e.swap(n, "const", "enum", seqNode(yaml.FlowStyle, append(slices.DeleteFunc(old, func(n *yaml.Node) bool { return holds(gone, n) }), more...)...))
	case len(values) == 1 && (!had || only != nil):
		e.set(n, "const", bare(values[0]), "type", "format")
	case !had || len(gone) == len(old):
		e.set(n, "enum", seqNode(yaml.FlowStyle, more...), "type", "format")
	default:
		for _, value := range more {
			e.add(list, len(list.Content)-1, value)
		}
		for _, value := range gone {
			e.drop(value)
		}
	}
}

func makeRequired(e *editor, n *yaml.Node, name string) {
	if names := get(n, "required"); names != nil {
		e.add(names, len(names.Content)-1, strNode(name))
		return
	}
	e.set(n, "required", seqNode(0, strNode(name)))
}

func makeOptional(e *editor, v *view, name string) {
	for _, layer := range requiring(v, name) {
		for _, item := range some(get(layer.node, "required")) {
			if item.Value == name {
				e.drop(item)
			}
		}
	}
}

// addProperty writes the property at position i of t into the object at home, behind the one
// that it follows upstream.
func (c *comparison) addProperty(e *editor, home place, t *view, i int, name string) {
	p := t.props[i]
	node := c.spell(e, p.places[0], name)
	describe(node)
	if properties := get(home.node, "properties"); properties != nil {
		var before []string
		for _, earlier := range t.props[:i] {
			before = append(before, earlier.name)
		}
		// Only the nearest of those that precede it counts.
		for len(before) > 0 && index(properties, before[len(before)-1]) < 0 {
			before = before[:len(before)-1]
		}
		e.set(properties, p.name, node, before[max(len(before)-1, 0):]...)
	} else {
		e.set(home.node, "properties", mapNode(strNode(p.name), node), "type", "description")
	}
	if p.required {
		makeRequired(e, home.node, p.name)
	}
}

// describe gives a new place the description to replace. A reference has that of its target.
func describe(n *yaml.Node) {
	if get(n, "$ref") != nil || get(n, "description") != nil {
		return
	}
	n.Content = slices.Insert(n.Content, behindType(n), strNode("description"), strNode(Placeholder))
}

// behindType is where in a schema the description goes: behind what is short.
func behindType(n *yaml.Node) int {
	at := len(n.Content)
	for _, key := range []string{"example", "$ref", "anyOf", "oneOf", "allOf", "items", "additionalProperties", "properties", "required"} {
		if i := index(n, key); i >= 0 {
			at = min(at, i)
		}
	}
	return at
}

// rewrite replaces a schema by one of another shape and keeps what we say about it.
func (c *comparison) rewrite(e *editor, p, theirs place, name string) {
	n := c.spell(e, theirs, name)
	var kept []*yaml.Node
	for _, key := range keys(p.node) {
		if isProse(key) && key != "example" && key != "examples" {
			kept = append(kept, strNode(key), get(p.node, key))
		}
	}
	n.Content = slices.Insert(n.Content, behindType(n), kept...)
	describe(n)
	e.put(p, n)
}

// spell writes down upstream's schema in our notation, without its prose. Objects become named
// schemas, so that Go has a name for each.
func (c *comparison) spell(e *editor, p place, name string) *yaml.Node {
	p, null := c.theirs.unwrap(p)
	if ref := get(p.node, "$ref"); ref != nil {
		target := c.theirs.target(p, scalar(ref))
		inner := c.theirs.view([]place{target})
		null = null && (!inner.null || inner.shape() == "object") || inner.null && inner.shape() == "object"
		return refer(c.reference(e, target), null)
	}
	v := c.theirs.view([]place{p})
	v.null = v.null || null
	if v.shape() == "object" && len(v.props) > 0 {
		if !e.has(c.named[p.node]) {
			name = e.free(name)
			c.named[p.node] = "#/components/schemas/" + escape(name) // before its body, which may hold itself
			c.add(e, name, c.body(e, p, v, name))
		}
		return refer(c.named[p.node], v.null)
	}
	return c.body(e, p, v, name)
}

// unwrap goes to the one schema that p is another notation of, but for null.
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

// refer is a reference, or a choice between it and null.
func refer(pointer string, null bool) *yaml.Node {
	ref := mapNode(strNode("$ref"), strNode(pointer))
	ref.Content[1].Style = yaml.DoubleQuotedStyle
	if null {
		return mapNode(strNode("anyOf"), seqNode(0, ref, mapNode(strNode("type"), strNode("null"))))
	}
	return ref
}

// body writes down a schema in full.
func (c *comparison) body(e *editor, p place, v *view, name string) *yaml.Node {
	n := mapNode()
	put := func(key string, to *yaml.Node) { n.Content = append(n.Content, strNode(key), to) }
	if parts := p.child("allOf").items(); len(parts) > 1 && slices.ContainsFunc(parts, func(q place) bool { return get(q.node, "$ref") != nil }) {
		all := seqNode(0)
		for _, part := range parts {
			if get(part.node, "$ref") != nil {
				all.Content = append(all.Content, c.spell(e, part, name))
			} else {
				all.Content = append(all.Content, c.body(e, part, c.theirs.view([]place{part}), name))
			}
		}
		put("allOf", all)
		return n
	}
	named := v.shape() == "object" && len(v.props) > 0
	switch {
	case len(v.types) > 0:
		put("type", typeNode(v.types, v.null && !named))
	case len(v.branches) == 0 && v.null:
		put("type", strNode("null"))
	}
	if c.usesFormat(v.format) {
		put("format", strNode(v.format))
	}
	if v.values != nil {
		values := seqNode(yaml.FlowStyle)
		for _, value := range v.values {
			values.Content = append(values.Content, bare(value))
		}
		switch {
		case v.null:
			values.Content = append(values.Content, nullNode())
			put("enum", values)
		case len(values.Content) == 1:
			put("const", values.Content[0])
		default:
			put("enum", values)
		}
	}
	for _, key := range rank {
		if r, ok := v.rules[key]; ok {
			put(key, bare(r.node))
		}
	}
	if example := sample(c.theirs, v); example != nil && (len(v.values) != 1 || v.null) {
		put("example", example)
	}
	if v.items.exists() {
		put("items", c.spell(e, v.items, name+"Item"))
	}
	if v.rest.exists() && len(v.props) == 0 {
		put("additionalProperties", c.spell(e, v.rest, name+"Value"))
	}
	if len(v.props) > 0 {
		properties, required := mapNode(), seqNode(0)
		for _, q := range v.props {
			property := c.spell(e, q.places[0], name+camel(q.name))
			describe(property)
			properties.Content = append(properties.Content, strNode(q.name), property)
			if q.required {
				required.Content = append(required.Content, strNode(q.name))
			}
		}
		put("properties", properties)
		if len(required.Content) > 0 {
			put("required", required)
		}
	}
	if len(v.branches) > 0 {
		choice := seqNode(0)
		for i, branch := range v.branches {
			choice.Content = append(choice.Content, c.spell(e, branch, fmt.Sprintf("%sOption%d", name, i+1)))
		}
		if v.null {
			choice.Content = append(choice.Content, mapNode(strNode("type"), strNode("null")))
		}
		put(v.branchBy, choice)
	}
	return n
}

// mend replaces an example that is not one any more.
func (c *comparison) mend(e *editor, n *yaml.Node, t *view) {
	example := sample(c.theirs, t)
	switch {
	case get(n, "example") == nil:
	case example == nil:
		e.remove(n, "example")
	default:
		e.set(n, "example", example)
	}
}

// sample makes up a value of a schema, so that what is new has an example too. It is nil where
// the example is that of the parts.
func sample(d *document, v *view) *yaml.Node {
	number := func(key string, otherwise float64) float64 {
		if n, err := strconv.ParseFloat(v.rules[key].value, 64); err == nil {
			return n
		}
		return otherwise
	}
	switch {
	case len(v.values) > 0:
		return bare(v.values[0])
	case v.shape() == "union":
		if first := d.view(v.branches[:1]); first.shape() == "scalar" {
			return sample(d, first)
		}
		return nil
	case v.shape() == "map":
		if value := d.view([]place{v.rest}); value.shape() == "scalar" && len(value.types) > 0 {
			example := mapNode(strNode("name"), sample(d, value))
			example.Style = yaml.FlowStyle
			return example
		}
		return nil
	case v.shape() != "scalar" || len(v.types) == 0:
		return nil
	}
	switch v.types[0] {
	case "string":
		text := "example"
		text += strings.Repeat("x", max(0, int(number("minLength", 0))-len(text)))
		return strNode(text[:min(len(text), int(number("maxLength", 1000)))])
	case "boolean":
		return boolNode(true)
	}
	n := number("minimum", number("exclusiveMinimum", 0)+1)
	if v.format == "unixtime" {
		n = 1711471533
	}
	n = min(n, number("maximum", n), number("exclusiveMaximum", n+1)-1)
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatFloat(n, 'f', -1, 64)}
}

// usesFormat reports whether the contract has a format already. Any other might change the Go
// type to one that the rest of the code does not know.
func (c *comparison) usesFormat(format string) bool {
	if format == "" {
		return false
	}
	var uses func(n *yaml.Node) bool
	uses = func(n *yaml.Node) bool {
		return scalar(get(n, "format")) == format || slices.ContainsFunc(n.Content, uses)
	}
	return uses(c.ours.root)
}

// component is the named schema that p refers to, but for null.
func (d *document) component(p place) (place, bool) {
	p, _ = d.unwrap(p)
	if ref := get(p.node, "$ref"); ref != nil {
		return d.target(p, scalar(ref)), true
	}
	return place{}, false
}

// reference is our reference to upstream's named schema: to the schema of ours that is the same
// or stands in its place, or else to a new one.
func (c *comparison) reference(e *editor, theirs place) string {
	if pointer, ok := c.named[theirs.node]; ok && e.has(pointer) {
		return pointer
	}
	v := c.theirs.view([]place{theirs})
	name := theirs.key
	if our := c.ours.at("#/components/schemas/" + escape(name)); our.exists() && c.ours.same(c.ours.view([]place{our}), c.theirs, v) {
		c.named[theirs.node] = our.ptr
		return our.ptr
	}
	name = e.free(name)
	c.named[theirs.node] = "#/components/schemas/" + escape(name) // before its body, which may refer to it
	c.add(e, name, c.body(e, theirs, v, name))
	return c.named[theirs.node]
}

// add adds a named schema.
func (c *comparison) add(e *editor, name string, n *yaml.Node) {
	describe(n)
	e.component("schemas", name, encode(mapNode(strNode(name), n)))
}

// fork gives one use of a named part of the contract a copy of its own, to be changed apart from
// the original.
func (c *comparison) fork(e *editor, u use) {
	target := c.ours.at(u.to)
	section := strings.Split(u.to, "/")[2]
	i := index(target.parent, target.key)
	_, end := e.span(target.parent, i)
	name := e.free(target.key)
	entry := target.parent.Content[i]
	e.component(section, name, dedent(strings.Replace(string(e.doc.src[e.offset(entry):end]), target.key, name, 1), entry.Column))
	ref := strNode("#/components/" + section + "/" + escape(name))
	ref.Style = yaml.DoubleQuotedStyle
	e.set(u.at, "$ref", ref)
	c.note("%s was split: one of its uses has changed and others have not. That one refers to %s now, whose Go type is a new one.", u.to, ref.Value)
}
