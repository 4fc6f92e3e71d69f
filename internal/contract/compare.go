package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Change is one difference between the contract and upstream's document.
type Change struct {
	Operation string // operationId
	At        string // the position in the operation: "200 response, data[].name"
	Pointer   string // JSON pointer into the contract
	What      string
	Breaking  bool // for a program that uses the SDK
	Why       string
	Decide    bool // reported only: carrying it over is for a person to decide

	position position
	adds     bool // it adds the place
	narrows  bool // requests that were valid are refused
}

// edit is a change and the function that makes it.
type edit struct {
	Change
	on      []place                       // the nodes that it changes
	fits    func(ours, theirs *view) bool // whether another use of those nodes agrees
	make    func()
	order   int    // the lowest is made first
	removes string // the property that it removes
}

// pair is one use of a node of the contract, and its counterpart upstream.
type pair struct {
	uses         []use
	ours, theirs *view
}

// comparison compares the operations of the contract with those upstream.
type comparison struct {
	ours, theirs *document
	declared     declarations
	edits        []*edit
	notes        []string
	pairs        map[*yaml.Node][]pair
	named        map[*yaml.Node]string // the contract's pointer of each of upstream's named schemas
}

func newComparison(ours, theirs *document, declared declarations) *comparison {
	return &comparison{
		ours: ours, theirs: theirs, declared: declared,
		pairs: map[*yaml.Node][]pair{}, named: map[*yaml.Node]string{},
	}
}

func (c *comparison) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// position is a position in an operation.
type position struct {
	op       string
	part     string // "200 response", "request body", "query parameter limit"
	path     string // within it: data[].name
	response bool
	name     string // for a schema that has to be created here
	within   []*yaml.Node
}

func (s position) String() string {
	if s.path == "" {
		return s.part
	}
	return s.part + ", " + s.path
}

func (s position) field(name string) position {
	if s.path != "" {
		s.path += "."
	}
	s.path += name
	s.name += camel(name)
	return s
}

func (s position) each(mark string) position {
	s.path += mark
	s.name += "Item"
	return s
}

// in names the schemas that are created below p after the named schema that p is part of.
func (s position) in(p place) position {
	if tokens := strings.Split(p.ptr, "/"); len(tokens) > 3 && tokens[2] == "schemas" {
		s.name = tokens[3]
	}
	return s
}

// effect is what has changed, and whether requests that were valid are refused now.
type effect struct {
	what    string
	narrows bool
}

// differ records an edit if an aspect of a place, as JSON, is not the same upstream, and that is
// not declared.
func (c *comparison) differ(s position, pointer, aspect, ours, theirs string, is effect, e edit) {
	differs, earlier := c.declared.compare(pointer, aspect, ours, theirs)
	if !differs {
		return
	}
	e.Change = Change{Operation: s.op, At: s.String(), Pointer: pointer, What: is.what, position: s, narrows: is.narrows && !s.response}
	e.adds = aspect == "present" && ours == "false"
	if earlier != "" {
		e.Decide = true
		e.What = fmt.Sprintf("%s is %s upstream, and was %s when the difference was declared; ours stays %s",
			aspect, theirs, earlier, ours)
	}
	c.edits = append(c.edits, &e)
}

// present records whether a place is there on both sides.
func (c *comparison) present(s position, pointer string, ours, theirs bool, is effect, e edit) {
	c.differ(s, pointer, "present", strconv.FormatBool(ours), strconv.FormatBool(theirs), is, e)
}

// schemas are the two schemas at a position, to be compared.
type schemas struct {
	position
	at   place // of the contract's
	o, t *view // ours and theirs
}

// aspect compares an aspect, which of gives. By default, another use of the nodes that an edit
// changes agrees with it if that use has the same aspect upstream.
func (c *comparison) aspect(s schemas, name string, of func(*view) string, is effect, e edit) {
	if e.fits == nil {
		e.fits = func(_, other *view) bool { return of(other) == of(s.t) }
	}
	c.differ(s.position, s.at.ptr, name, of(s.o), of(s.t), is, e)
}

// schema compares the schema that stands at all of ours with the one at theirs.
func (c *comparison) schema(s position, ours, theirs []place) {
	p, their := ours[0], theirs[0]
	if slices.Contains(s.within, p.node) {
		return
	}
	s.within = append(slices.Clip(s.within), p.node)
	o, t := c.ours.view(ours...), c.theirs.view(theirs...)
	for _, layer := range o.layers {
		c.pairs[layer.node] = append(c.pairs[layer.node], pair{layer.uses, o, t})
	}
	ourName, named := c.ours.component(p)
	theirName, bothNamed := c.theirs.component(their)
	if bothNamed = bothNamed && named; named {
		s.name = ourName.key
	}
	if o.shape() != t.shape() { // no part of the one is a part of the other
		if bothNamed {
			p, their = ourName, theirName
		}
		shape := func(v *view) string { return strconv.Quote(v.shape()) }
		c.aspect(schemas{s, p, o, t}, "type", shape, effect{what: "was " + o.kind() + " and is " + t.kind()}, edit{
			on:    []place{p},
			make:  func() { c.rewrite(p, their, s.name, bothNamed) },
			order: -1, // before the edits of what it may leave without another use
		})
		return
	}
	if bothNamed {
		c.named[theirName.node] = ourName.ptr
	}
	for _, key := range t.ignored {
		if !slices.Contains(o.ignored, key) {
			c.note("Upstream has `%s` at %s, which is neither compared nor carried over.", key, t.layers[0].ptr)
		}
	}
	c.format(s, p, o, t)
	both := schemas{s, p, o, t}
	if !o.anything() {
		is, on := effect{what: "may be null"}, ours[:1]
		if o.null {
			is, on = effect{"is never null", true}, o.nulls
		}
		null := func(v *view) string { return strconv.FormatBool(v.null) }
		c.aspect(both, "nullable", null, is, edit{on: on, make: func() { o.setNull(t.null) }})
	}
	switch o.shape() {
	case "scalar":
		c.scalars(both)
	case "object":
		c.properties(both)
	case "array":
		c.schema(s.each("[]"), orAny(o.items), orAny(t.items))
	case "map":
		c.schema(s.each("{}"), []place{o.rest}, []place{t.rest})
	case "union":
		c.branches(both)
	}
	for _, key := range rank {
		was, now := o.rules[key].value, t.rules[key].value
		is := changed(key, was, now)
		if key != "deprecated" && key != "default" && now != "" && !looser(key, was, now) {
			is.narrows = true
		}
		c.keyword(both, key, func(v *view) string { return cmp.Or(v.rules[key].value, "null") }, is,
			func(merged *view) { merged.rules = t.rules }, key)
	}
}

// orAny is p or, if it does not exist, a schema that allows anything.
func orAny(p place) []place {
	if !p.exists() {
		p.node = mapNode()
	}
	return []place{p}
}

// format reports a format that differs. The contract's stays, since it selects a Go type.
func (c *comparison) format(s position, p place, o, t *view) {
	quote := func(format string) string {
		if format == "" {
			return "null"
		}
		return strconv.Quote(format)
	}
	switch differs, earlier := c.declared.compare(p.ptr, "format", quote(o.format), quote(t.format)); {
	case !differs:
	case earlier != "":
		c.differ(s, p.ptr, "format", quote(o.format), quote(t.format), effect{}, edit{})
	default:
		c.note("The format at %s is %s here and %s upstream. Ours stays: declare it, or change it by hand.",
			p.ptr, cmp.Or(o.format, "none"), cmp.Or(t.format, "none"))
	}
}

// keyword compares an aspect that keywords with plain values state. The edit writes them as in our
// schema with upstream's aspect.
func (c *comparison) keyword(
	s schemas, name string, of func(*view) string, is effect, adopt func(*view), keywords ...string,
) {
	at := stating(s.o, append(keywords, "type")...)
	c.aspect(s, name, of, is, edit{on: []place{at}, make: func() {
		merged := *s.o
		adopt(&merged)
		restate(at.node, &merged, keywords...)
		c.mend(at.node, s.t)
	}})
}

func (c *comparison) scalars(s schemas) {
	o, t := s.o, s.t
	types := func(v *view) string { return strconv.Quote(strings.Join(v.types, "|")) }
	c.keyword(s, "type", types, effect{what: "was " + o.kind() + " and is " + t.kind()},
		func(merged *view) { merged.types = t.types }, "type")
	minus := func(values, without []*yaml.Node) string {
		var list []string
		for _, n := range values {
			if !contains(without, n) {
				list = append(list, "`"+canonical(n)+"`")
			}
		}
		return strings.Join(list, ", ")
	}
	gained, lost := minus(t.values, o.values), minus(o.values, t.values)
	var is effect
	switch {
	case t.values == nil:
		is.what = "is not limited to " + lost + " any more"
	case o.values == nil:
		is = effect{"is limited to " + gained, true}
	case lost == "":
		is.what = "may also be " + gained
	default:
		is = effect{"is never " + lost + " any more", true}
		if gained != "" {
			is.what = "may also be " + gained + " and " + is.what
		}
	}
	c.keyword(s, "enum", func(v *view) string { return constantSet(v.values) }, is,
		func(merged *view) { merged.values = t.values }, "enum", "const")
}

// changed is the effect of another value of a keyword.
func changed(key, was, now string) effect {
	switch {
	case key != "deprecated":
		return effect{what: fmt.Sprintf("%s is %s, was %s", key, cmp.Or(now, "none"), cmp.Or(was, "none"))}
	case now != "":
		return effect{what: "is deprecated"}
	default:
		return effect{what: "is no longer deprecated"}
	}
}

// looser reports whether a limit allows at least what it did.
func looser(key, was, now string) bool {
	from, err1 := strconv.ParseFloat(was, 64)
	to, err2 := strconv.ParseFloat(now, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	key = strings.ToLower(strings.TrimPrefix(key, "exclusive"))
	return strings.HasPrefix(key, "min") && to <= from || strings.HasPrefix(key, "max") && to >= from
}

func (c *comparison) properties(s schemas) {
	o, t := s.o, s.t
	home, order := host(o)
	for i, their := range t.props {
		present := func(v *view) string { return strconv.FormatBool(v.prop(their.name) != nil) }
		our := o.prop(their.name)
		if our == nil {
			f := schemas{s.in(home).field(their.name), home.child("properties").child(their.name), o, t}
			for _, layer := range o.layers {
				at := layer.child("properties").child(their.name)
				if c.declared.find(at.ptr, "present") != nil {
					f.at = at
				}
			}
			c.aspect(f, "present", present, newly(their.required), edit{
				on: []place{home}, order: order, make: func() { c.addProperty(home.node, t, i, f.name) },
			})
			continue
		}
		f := schemas{s.in(our.places[0]).field(their.name), our.places[0], o, t}
		c.aspect(f, "present", present, effect{}, edit{})
		required := func(v *view) string {
			p := v.prop(their.name)
			return strconv.FormatBool(p != nil && p.required)
		}
		e := edit{order: order, on: []place{home}, make: func() { makeRequired(home.node, their.name) }}
		if !their.required {
			e.on = o.where(func(n *yaml.Node) bool { return lists(n, "required", their.name) })
			e.make = func() { makeOptional(o, their.name) }
		}
		c.aspect(f, "required", required, requiredly(their.required), e)
		c.schema(f.position, our.places, their.places)
	}
	for _, our := range o.props {
		if t.prop(our.name) != nil {
			continue
		}
		on := o.where(func(n *yaml.Node) bool { return get(get(n, "properties"), our.name) != nil })
		c.present(s.field(our.name), our.places[0].ptr, true, false, effect{what: "is removed"}, edit{
			on: on,
			fits: func(o, t *view) bool { // or keeps it in a layer of its own
				return t.prop(our.name) == nil || slices.ContainsFunc(o.prop(our.name).places, func(p place) bool {
					return !slices.ContainsFunc(our.places, func(cut place) bool { return cut.in.node == p.in.node })
				})
			},
			order:   order,
			removes: our.name,
			make: func() {
				makeOptional(o, our.name)
				for _, p := range our.places {
					p.cut()
				}
			},
		})
	}
}

func newly(required bool) effect {
	if required {
		return effect{"is new and required", true}
	}
	return effect{what: "is new"}
}

func requiredly(required bool) effect {
	if required {
		return effect{"is required", true}
	}
	return effect{what: "is optional"}
}

// same reports whether two schemas have the same structure all the way down.
func (c *comparison) same(s position, our, their place) bool {
	inner := newComparison(c.ours, c.theirs, nil)
	inner.named = maps.Clone(c.named)
	inner.schema(position{within: s.within}, []place{our}, []place{their})
	return len(inner.edits) == 0
}

func (c *comparison) branches(s schemas) {
	o, t := s.o, s.t
	left := slices.Clone(t.branches)
	pairs := map[int]place{}
	match := func(same func(a, b place) bool) {
		for i, our := range o.branches {
			if _, done := pairs[i]; done {
				continue
			}
			if j := slices.IndexFunc(left, func(their place) bool { return same(our, their) }); j >= 0 {
				pairs[i] = left[j]
				left = slices.Delete(left, j, j+1)
			}
		}
	}
	match(func(a, b place) bool { return c.same(s.position, a, b) })
	match(func(a, b place) bool {
		ref, their := scalar(get(a.node, "$ref")), get(b.node, "$ref")
		return ref != "" && their != nil && (ref == their.Value || ref == c.named[c.theirs.target(b, their.Value).node])
	})
	if len(left) == len(o.branches)-len(pairs) {
		match(func(a, b place) bool {
			named := get(a.node, "$ref") != nil && get(b.node, "$ref") != nil // and not the same
			return !named && c.ours.view(a).shape() == c.theirs.view(b).shape()
		})
	}
	e := edit{on: []place{s.at}, fits: func(_, other *view) bool { return len(other.branches) == len(t.branches) }}
	for _, their := range left { // first, so that the union remains one
		e.make = func() {
			last := o.branches[len(o.branches)-1]
			all := last.in.node
			all.Content = slices.Insert(all.Content, slices.Index(all.Content, last.node)+1, c.spell(their, s.name+"Option"))
		}
		c.present(s.position, s.at.ptr, false, true, effect{what: "may be one more kind of value"}, e)
	}
	for i, our := range o.branches {
		if their, ok := pairs[i]; ok {
			c.schema(s.position, []place{our}, []place{their})
			continue
		}
		e.make = our.cut
		c.present(s.position, our.ptr, true, false, effect{what: "is one kind of value less"}, e)
	}
}

// stating is the layer that has the first of keys that any has, or the innermost.
func stating(v *view, keys ...string) place {
	for _, key := range keys {
		for _, layer := range slices.Backward(v.layers) {
			if get(layer.node, key) != nil {
				return layer
			}
		}
	}
	return v.layers[len(v.layers)-1]
}

// where are the layers whose mapping has a property of its own.
func (v *view) where(has func(*yaml.Node) bool) []place {
	return slices.DeleteFunc(slices.Clone(v.layers), func(layer place) bool { return !has(layer.node) })
}

// lists reports whether a keyword's value is or contains a string.
func lists(n *yaml.Node, key, value string) bool {
	return slices.ContainsFunc(some(get(n, key)), func(item *yaml.Node) bool { return item.Value == value })
}

// host is the layer that gets new properties of an object, and the order of the edits of it: later
// if there are others, since an edit of another use may make the same change in a better one.
func host(v *view) (home place, order int) {
	all := v.where(func(n *yaml.Node) bool { return get(n, "properties") != nil || lists(n, "type", "object") })
	if len(all) == 0 {
		return v.layers[len(v.layers)-1], 0
	}
	for _, layer := range slices.Backward(all) {
		if len(layer.uses) == len(v.layers[0].uses) { // inline
			return layer, min(1, len(all)-1)
		}
	}
	return all[len(all)-1], min(1, len(all)-1)
}

func camel(name string) string {
	var out strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		out.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return out.String()
}
