package contract

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// view is a schema without its notation: views are equal whether the schema is inline or a
// reference, in one piece or an allOf, and whether null is a type, a keyword or a branch.
type view struct {
	layers   []place // the mappings that it is composed of, outermost first
	types    []string
	null     bool
	values   []*yaml.Node // the values of an enum or a const, without null
	format   string
	rules    map[string]rule // the keywords in rank
	props    []prop
	required map[string]bool
	items    place
	rest     place    // the schema of additionalProperties
	branches []place  // two or more, without null
	branchBy string   // anyOf or oneOf
	nulls    []place  // the layers that allow null
	ignored  []string // the keywords in foreign
}

// rule is a keyword with a plain value.
type rule struct {
	value string // as JSON
	node  *yaml.Node
}

// prop is a property of an object. It has several places if an allOf refines it.
type prop struct {
	name     string
	places   []place
	required bool
}

func (v *view) prop(name string) *prop {
	if i := slices.IndexFunc(v.props, func(p prop) bool { return p.name == name }); i >= 0 {
		return &v.props[i]
	}
	return nil
}

// aspect returns an aspect of a schema as JSON or, if property is not "", of that property.
func (v *view) aspect(property, name string) string {
	p := v.prop(property)
	switch name {
	case "present":
		return strconv.FormatBool(p != nil)
	case "required":
		return strconv.FormatBool(p != nil && p.required)
	case "nullable":
		return strconv.FormatBool(v.null)
	case "type":
		return strconv.Quote(strings.Join(v.types, "|"))
	case "enum":
		return constantSet(v.values)
	case "format":
		return strings.Replace(strconv.Quote(v.format), `""`, "null", 1)
	default:
		return cmp.Or(v.rules[name].value, "null")
	}
}

// rank contains the keywords of rules, in the order in which they are written.
var rank = []string{
	"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "minLength",
	"maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
	"default", "deprecated",
}

// foreign contains the keywords that are only reported, not compared or carried over.
var foreign = []string{
	"pattern", "patternProperties", "not", "if", "then", "else", "dependentSchemas",
	"dependentRequired", "prefixItems", "contains", "propertyNames", "readOnly", "writeOnly",
}

// view returns the view of the schema that is composed of places, such as the parts of an allOf.
func (d *document) view(places ...place) *view {
	v := &view{rules: map[string]rule{}, required: map[string]bool{}}
	for _, p := range places {
		d.gather(v, p, nil)
	}
	v.null = len(v.nulls) > 0
	for i := range v.props {
		v.props[i].required = v.required[v.props[i].name]
	}
	if len(v.types) == 0 {
		v.types = v.implied()
	}
	slices.Sort(v.types)
	return v
}

// gather adds the schema at p and those that it is composed of to v. above are the schemas that
// contain p.
func (d *document) gather(v *view, p place, above []*yaml.Node) {
	switch {
	case slices.Contains(above, p.node) && p.exists():
		d.fail(p, "the schema contains itself")
		return
	case !p.exists(), scalar(p.node) == "true", len(v.where(func(n *yaml.Node) bool { return n == p.node })) > 0:
		return
	case p.node.Kind != yaml.MappingNode:
		d.fail(p, "is not a schema")
		return
	}
	v.layers = append(v.layers, p)
	above = append(slices.Clip(above), p.node)
	null := v.own(p)
	if ref := get(p.node, "$ref"); ref != nil {
		d.gather(v, d.target(p, scalar(ref)), above)
	}
	for _, part := range p.child("allOf").items() {
		d.gather(v, part, above)
	}
	for _, by := range []string{"anyOf", "oneOf"} {
		all := p.child(by).items()
		if len(all) > 0 {
			v.branchBy = by
		}
		branches := slices.DeleteFunc(slices.Clone(all), func(b place) bool { return isNull(b.node) })
		null = null || len(branches) < len(all)
		if len(branches) == 1 {
			d.gather(v, branches[0], above)
			continue
		}
		for _, branch := range branches {
			v.branches = append(v.branches, branch)
			null = null || d.view(branch).null
		}
	}
	if null {
		v.nulls = append(v.nulls, p)
	}
}

// own adds the keywords of the mapping at p to v, and reports whether they allow null.
func (v *view) own(p place) bool {
	n := p.node
	null := isTrue(get(n, "nullable"))
	if types := some(get(n, "type")); types != nil {
		var plain []string
		for _, t := range types {
			if t.Value == "null" {
				null = true
			} else {
				plain = append(plain, t.Value)
			}
		}
		if len(v.types) == 0 || slices.Equal(v.types, []string{"number"}) { // an integer refines a number
			v.types = plain
		}
	}
	if values, ok := constants(n); ok {
		plain := slices.DeleteFunc(slices.Clone(values), func(c *yaml.Node) bool { return canonical(c) == "null" })
		null = null || len(plain) < len(values)
		if v.values != nil {
			plain = slices.DeleteFunc(plain, func(c *yaml.Node) bool { return !contains(v.values, c) })
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
		v.required[name.Value] = true
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

// rule adds the keywords of n in rank to v, in the notation of OpenAPI 3.1. It omits those that have
// no effect, such as a minLength of 0.
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

// implied returns the types that the keywords of a schema without a type imply.
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
		types = append(types, typeOf(n))
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// typeOf returns the JSON type of a scalar.
func typeOf(n *yaml.Node) string {
	return map[string]string{"!!str": "string", "!!int": "integer", "!!float": "number", "!!bool": "boolean"}[n.ShortTag()]
}

// number returns the value of a limit, or otherwise if there is none.
func (v *view) number(keyword string, otherwise float64) float64 {
	if n, err := strconv.ParseFloat(v.rules[keyword].value, 64); err == nil {
		return n
	}
	return otherwise
}

// allows reports whether a schema allows a scalar.
func (v *view) allows(n *yaml.Node) bool {
	t := typeOf(n)
	typed := len(v.types) == 0 || slices.Contains(v.types, t) || t == "integer" && slices.Contains(v.types, "number")
	if !typed || v.values != nil && !contains(v.values, n) {
		return false
	}
	if t == "string" {
		length := float64(len([]rune(n.Value)))
		return length >= v.number("minLength", 0) && length <= v.number("maxLength", length)
	}
	x, _ := strconv.ParseFloat(n.Value, 64) // 0 of a boolean, which has no limits
	return x >= v.number("minimum", x) && x > v.number("exclusiveMinimum", x-1) &&
		x <= v.number("maximum", x) && x < v.number("exclusiveMaximum", x+1)
}

// like reports whether a schema allows values of the kind of n: an object, an array or a scalar.
func (v *view) like(n *yaml.Node) bool {
	switch v.shape() {
	case "object", "map":
		return n.Kind == yaml.MappingNode
	case "array":
		return n.Kind == yaml.SequenceNode
	case "union":
		return true
	default:
		return n.Kind == yaml.ScalarNode && v.allows(n)
	}
}

// shape returns the kind of Go type that is generated for a schema.
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

// anything reports whether a schema allows any value.
func (v *view) anything() bool { return v.shape() == "scalar" && len(v.types) == 0 }

// kind describes the values of a schema in words.
func (v *view) kind() string {
	name := strings.Join(v.types, " or ")
	switch {
	case v.shape() == "union":
		return "a union"
	case v.shape() == "map":
		return "a map"
	case name == "":
		return "any value"
	case strings.ContainsAny(name[:1], "aeiou"):
		return "an " + name
	default:
		return "a " + name
	}
}

// constants returns the values of a schema's const or enum, and whether it has one.
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
		return "null"
	}
	var set []string
	for _, n := range values {
		set = append(set, canonical(n))
	}
	slices.Sort(set)
	return "[" + strings.Join(slices.Compact(set), ",") + "]"
}

// isNull reports whether a branch allows null only.
func isNull(n *yaml.Node) bool {
	types := some(get(n, "type"))
	if len(types) == 1 && types[0].Value == "null" {
		return true
	}
	values, ok := constants(n)
	return ok && len(values) == 1 && canonical(values[0]) == "null"
}
