package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	gengo "github.com/orgkeys/orgkeys-go/internal/generate"
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
	adds     bool // the place is new
	narrows  bool // requests that were valid become invalid
}

// edit is a change with the function that carries it over to the contract.
type edit struct {
	Change
	on      []place                       // the nodes that it changes
	fits    func(ours, theirs *view) bool // whether the edit is right for another use of those nodes
	make    func()
	order   int    // edits are made in this order, the lowest first
	removes string // the property that it removes, or ""
}

// because returns an edit for a change. It narrows if requests that were valid become invalid.
func because(what string, narrows bool, on []place, make func()) edit {
	return edit{Change: Change{What: what, narrows: narrows}, on: on, make: make}
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
		ours: ours, theirs: theirs, declared: declared, pairs: map[*yaml.Node][]pair{}, named: map[*yaml.Node]string{},
	}
}

func (c *comparison) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// position is where a schema or a part occurs in an operation.
type position struct {
	op       string
	part     string // "200 response", "request body", "query parameter limit"
	path     string // within it: data[].name
	response bool
	name     string // for a schema that has to be created here
	within   []*yaml.Node
}

func (s position) String() string { return strings.TrimSuffix(s.part+", "+s.path, ", ") }

func (s position) field(name string) position {
	s.path = strings.TrimPrefix(s.path+"."+name, ".")
	s.name += gengo.CamelCase(name)
	return s
}

func (s position) each(mark string) position {
	s.path += mark
	s.name += "Item"
	return s
}

// in returns s for the parts of p: schemas that are created there are named after the named schema
// that contains p.
func (s position) in(p place) position {
	if tokens := strings.Split(p.ptr, "/"); len(tokens) > 3 && tokens[2] == "schemas" {
		s.name = tokens[3]
	}
	return s
}

// differ records an edit if the values of an aspect, as JSON, differ and the difference is not
// declared. A difference whose edit has no function is only noted.
func (c *comparison) differ(s position, pointer, aspect, ours, theirs string, e edit) {
	differs, earlier := c.declared.compare(pointer, aspect, ours, theirs)
	switch {
	case !differs:
		return
	case earlier != "":
		e.Decide = true
		e.What = fmt.Sprintf("%s is %s upstream, and was %s when the difference was declared; ours stays %s",
			aspect, theirs, earlier, ours)
	case e.make == nil:
		c.note("The %s at %s is %s here and %s upstream. Ours stays: declare it, or change it by hand.", aspect, pointer, ours, theirs)
		return
	}
	e.Operation, e.At, e.Pointer, e.position = s.op, s.String(), pointer, s
	e.adds, e.narrows = aspect == "present" && ours == "false", e.narrows && !s.response
	c.edits = append(c.edits, &e)
}

// present compares whether a place exists.
func (c *comparison) present(s position, pointer string, ours, theirs bool, e edit) {
	c.differ(s, pointer, "present", strconv.FormatBool(ours), strconv.FormatBool(theirs), e)
}

// schemas are the two schemas at a position, to be compared.
type schemas struct {
	position
	at   place // of the contract's
	o, t *view // ours and theirs
}

// aspect compares an aspect of two schemas or, if property is not "", of that property. By default,
// an edit fits another use of its nodes if that use has the same value of the aspect upstream.
func (c *comparison) aspect(s schemas, property, name string, e edit) {
	if e.fits == nil {
		e.fits = func(_, other *view) bool { return other.aspect(property, name) == s.t.aspect(property, name) }
	}
	c.differ(s.position, s.at.ptr, name, s.o.aspect(property, name), s.t.aspect(property, name), e)
}

// schema compares the schema that is composed of ours with the one that is composed of theirs.
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
	if o.shape() != t.shape() { // they have no parts to compare
		if bothNamed {
			p, their = ourName, theirName
		}
		e := because("was "+o.kind()+" and is "+t.kind(), false, []place{p}, func() { c.rewrite(p, their, s.name, bothNamed) })
		e.order = -1 // first, since it may remove uses of nodes that other edits change
		e.fits = func(_, other *view) bool { return other.shape() == t.shape() }
		c.differ(s, p.ptr, "type", strconv.Quote(o.shape()), strconv.Quote(t.shape()), e)
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
	both := schemas{s, p, o, t}
	c.aspect(both, "", "format", edit{}) // ours stays, since it selects a Go type
	if !o.anything() {
		e := because("may be null", false, ours[:1], func() { o.setNull(t.null) })
		if o.null {
			e.What, e.narrows, e.on = "is never null", true, o.nulls
		}
		c.aspect(both, "", "nullable", e)
	}
	switch o.shape() {
	case "scalar":
		c.keyword(both, "type", "was "+o.kind()+" and is "+t.kind(), false)
		c.enum(both)
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
		annotates := key == "deprecated" || key == "default"
		c.keyword(both, key, changed(key, was, now), !annotates && now != "" && !looser(key, was, now))
	}
}

// orAny returns p or, if that does not exist, a schema that allows any value.
func orAny(p place) []place {
	if !p.exists() {
		p.node = mapNode()
	}
	return []place{p}
}

// keyword compares an aspect that consists of keywords with plain values. The edit copies these
// from upstream's schema.
func (c *comparison) keyword(s schemas, name, what string, narrows bool) {
	keywords := []string{name}
	if name == "enum" {
		keywords = append(keywords, "const")
	}
	at := stating(s.o, append(keywords, "type")...)
	c.aspect(s, "", name, because(what, narrows, []place{at}, func() {
		merged := *s.t
		merged.null = s.o.null
		restate(at.node, &merged, keywords...)
	}))
}

func (c *comparison) enum(s schemas) {
	minus := func(values, without []*yaml.Node) string {
		var list []string
		for _, n := range values {
			if !contains(without, n) {
				list = append(list, "`"+canonical(n)+"`")
			}
		}
		return strings.Join(list, ", ")
	}
	gained, lost := minus(s.t.values, s.o.values), minus(s.o.values, s.t.values)
	what := "may also be " + gained
	switch {
	case s.t.values == nil:
		what = "is not limited to " + lost + " any more"
	case s.o.values == nil:
		what = "is limited to " + gained
	case gained == "":
		what = "is never " + lost + " any more"
	case lost != "":
		what += " and is never " + lost + " any more"
	}
	c.keyword(s, "enum", what, s.t.values != nil && (s.o.values == nil || lost != ""))
}

// changed describes a change of a keyword's value.
func changed(key, was, now string) string {
	switch {
	case key != "deprecated":
		return fmt.Sprintf("%s is %s, was %s", key, cmp.Or(now, "none"), cmp.Or(was, "none"))
	case now != "":
		return "is deprecated"
	default:
		return "is no longer deprecated"
	}
}

// looser reports whether a limit allows all values that it allowed before.
func looser(key, was, now string) bool {
	from, err1 := strconv.ParseFloat(was, 64)
	to, err2 := strconv.ParseFloat(now, 64)
	key = strings.ToLower(strings.TrimPrefix(key, "exclusive"))
	return err1 == nil && err2 == nil && (strings.HasPrefix(key, "min") && to <= from || strings.HasPrefix(key, "max") && to >= from)
}

func (c *comparison) properties(s schemas) {
	o, t := s.o, s.t
	home, order := host(o)
	for i, their := range t.props {
		our := o.prop(their.name)
		if our == nil {
			f := schemas{s.in(home).field(their.name), home.child("properties").child(their.name), o, t}
			for _, layer := range o.layers {
				if at := layer.child("properties").child(their.name); c.declared.find(at.ptr, "present") != nil {
					f.at = at
				}
			}
			e := because(newly[their.required], their.required, []place{home}, func() { c.addProperty(home.node, t, i, f.name) })
			e.order = order
			c.aspect(f, their.name, "present", e)
			continue
		}
		f := schemas{s.in(our.places[0]).field(their.name), our.places[0], o, t}
		c.aspect(f, their.name, "present", edit{})
		e := because(requiredly[their.required], their.required, []place{home}, func() { makeRequired(home.node, their.name) })
		if e.order = order; !their.required {
			e.on = o.where(func(n *yaml.Node) bool { return lists(n, "required", their.name) })
			e.make = func() { makeOptional(o, their.name) }
		}
		c.aspect(f, their.name, "required", e)
		c.schema(f.position, our.places, their.places)
	}
	for _, our := range o.props {
		on := o.where(func(n *yaml.Node) bool { return get(get(n, "properties"), our.name) != nil })
		e := because("is removed", false, on, func() {
			makeOptional(o, our.name)
			for _, p := range our.places {
				p.cut()
			}
		})
		e.order, e.removes = order, our.name
		e.fits = func(o, t *view) bool { // also if the other use has the property in another layer
			return t.prop(our.name) == nil || slices.ContainsFunc(o.prop(our.name).places, func(p place) bool {
				return !slices.ContainsFunc(our.places, func(cut place) bool { return cut.in.node == p.in.node })
			})
		}
		if t.prop(our.name) == nil {
			c.present(s.field(our.name), our.places[0].ptr, true, false, e)
		}
	}
}

// newly and requiredly describe a property or a part that is new, or has become required or not.
var (
	newly      = map[bool]string{true: "is new and required", false: "is new"}
	requiredly = map[bool]string{true: "is required", false: "is optional"}
)

// same reports whether two schemas have the same structure, including that of their parts.
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
			j := slices.IndexFunc(left, func(their place) bool { return same(our, their) })
			if _, done := pairs[i]; j >= 0 && !done {
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
	change := func(p place, adds bool, what string, make func()) {
		e := because(what, false, []place{s.at}, make)
		e.fits = func(_, other *view) bool { return len(other.branches) == len(t.branches) }
		c.present(s.position, p.ptr, !adds, adds, e)
	}
	for _, their := range left { // before any removal, so that the union keeps at least two branches
		change(s.at, true, "may be one more kind of value", func() {
			last := o.branches[len(o.branches)-1]
			all := last.in.node
			all.Content = slices.Insert(all.Content, slices.Index(all.Content, last.node)+1, c.spell(their, s.name+"Option"))
		})
	}
	for i, our := range o.branches {
		if their, ok := pairs[i]; ok {
			c.schema(s.position, []place{our}, []place{their})
		} else {
			change(our, false, "is one kind of value less", our.cut)
		}
	}
}

// stating returns the innermost layer that has the first of keys that any layer has, or else the
// innermost layer.
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

// where returns the layers whose mapping satisfies has.
func (v *view) where(has func(*yaml.Node) bool) []place {
	return slices.DeleteFunc(slices.Clone(v.layers), func(layer place) bool { return !has(layer.node) })
}

// lists reports whether a keyword's value is or contains a string.
func lists(n *yaml.Node, key, value string) bool {
	return slices.ContainsFunc(some(get(n, key)), func(item *yaml.Node) bool { return item.Value == value })
}

// host returns the layer to which new properties of an object are added, and the order of edits of
// that layer. If there are several layers, these edits are made late, since an edit of another use
// may make the same change in a layer that fits better.
func host(v *view) (home place, order int) {
	all := v.where(func(n *yaml.Node) bool { return get(n, "properties") != nil || lists(n, "type", "object") })
	if len(all) == 0 {
		all = v.layers[len(v.layers)-1:]
	}
	home = all[len(all)-1]
	for _, layer := range all {
		if len(layer.uses) == len(v.layers[0].uses) { // an inline layer, if possible
			home = layer
		}
	}
	return home, min(1, len(all)-1)
}
