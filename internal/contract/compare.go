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
	adds     bool   // it adds the place
	narrows  string // how requests that were valid are not any more
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
	declared     *declarations
	edits        []*edit
	notes        []string
	pairs        map[*yaml.Node][]pair
	at           map[string]string     // the pointer of each position
	named        map[*yaml.Node]string // the contract's pointer of each of upstream's named schemas
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

// differ records an edit if an aspect of a place, as JSON, is not the same upstream, and that is
// not declared.
func (c *comparison) differ(s position, pointer, aspect, ours, theirs, what string, e edit) {
	if key := s.op + " " + s.String(); aspect == "present" && c.at[key] == "" {
		c.at[key] = pointer
	}
	differs, earlier := c.declared.compare(pointer, aspect, ours, theirs)
	if !differs {
		return
	}
	e.Change = Change{Operation: s.op, At: s.String(), Pointer: pointer, What: what, position: s, adds: aspect == "present" && ours == "false", narrows: e.narrows}
	if earlier != "" {
		e.Decide = true
		e.What = fmt.Sprintf("%s is %s upstream, and was %s when the difference was declared; ours stays %s", aspect, theirs, earlier, ours)
	}
	c.edits = append(c.edits, &e)
}

// present records whether a place is there on both sides.
func (c *comparison) present(s position, pointer string, ours, theirs bool, what string, e edit) {
	c.differ(s, pointer, "present", strconv.FormatBool(ours), strconv.FormatBool(theirs), what, e)
}

// schema compares the schema that stands at all of ours with the one at theirs.
func (c *comparison) schema(s position, ours, theirs []place) {
	if slices.Contains(s.within, ours[0].node) {
		return
	}
	s.within = append(slices.Clip(s.within), ours[0].node)
	o, t := c.ours.view(ours...), c.theirs.view(theirs...)
	for _, layer := range o.layers {
		c.pairs[layer.node] = append(c.pairs[layer.node], pair{layer.uses, o, t})
	}
	p := ours[0]
	our, named := c.ours.component(p)
	their, alsoNamed := c.theirs.component(theirs[0])
	if named {
		s.name = our.key
	}
	if o.shape() != t.shape() { // no part of the one is a part of the other
		at, from := p, theirs[0]
		if named && alsoNamed {
			at, from = our, their
		}
		c.differ(s, at.ptr, "type", strconv.Quote(o.shape()), strconv.Quote(t.shape()), fmt.Sprintf("was %s and is %s", o.kind(), t.kind()), edit{
			on:    []place{at},
			fits:  func(_, other *view) bool { return other.shape() == t.shape() },
			make:  func() { c.rewrite(at, from, s.name, named && alsoNamed) },
			order: -1, // before the edits of what it may leave without another use
		})
		return
	}
	if named && alsoNamed {
		c.named[their.node] = our.ptr
	}
	for _, key := range t.ignored {
		if !slices.Contains(o.ignored, key) {
			c.note("Upstream has `%s` at %s, which is neither compared nor carried over.", key, t.layers[0].ptr)
		}
	}
	c.format(s, p, o, t)
	if !o.anything() {
		what, narrows, on := "may be null", "", ours[:1]
		if o.null {
			what, narrows = "is never null", s.refused("null")
			on = slices.DeleteFunc(slices.Clone(o.layers), func(layer place) bool { return !statesNull(layer.node) })
		}
		c.aspect(s, p, o, t, "nullable", func(v *view) string { return strconv.FormatBool(v.null) }, what, narrows, on, func() { setNull(o, p, t.null) })
	}
	switch o.shape() {
	case "scalar":
		c.scalars(s, p, o, t)
	case "object":
		c.properties(s, o, t)
	case "array":
		c.schema(s.each("[]"), orAny(o.items), orAny(t.items))
	case "map":
		c.schema(s.each("{}"), []place{o.rest}, []place{t.rest})
	case "union":
		c.branches(s, p, o, t)
	}
	c.rules(s, p, o, t)
}

// refused is the effect on requests with what, and none on responses.
func (s position) refused(what string) string {
	if s.response {
		return ""
	}
	return "requests with " + what + " are refused"
}

// orAny is p or, if nothing is there, a schema that allows anything.
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
		c.differ(s, p.ptr, "format", quote(o.format), quote(t.format), "", edit{})
	default:
		c.note("The format at %s is %s here and %s upstream. Ours stays: declare it, or change it by hand.", p.ptr, cmp.Or(o.format, "none"), cmp.Or(t.format, "none"))
	}
}

// aspect compares an aspect of a schema, which of gives. The edit changes the nodes on.
func (c *comparison) aspect(s position, p place, o, t *view, name string, of func(*view) string, what, narrows string, on []place, make func()) {
	c.differ(s, p.ptr, name, of(o), of(t), what, edit{
		on: on, fits: func(_, other *view) bool { return of(other) == of(t) }, make: make, Change: Change{narrows: narrows},
	})
}

func (c *comparison) scalars(s position, p place, o, t *view) {
	at := stating(o, "type")
	c.aspect(s, p, o, t, "type", func(v *view) string { return strconv.Quote(strings.Join(v.types, "|")) },
		fmt.Sprintf("was %s and is %s", o.kind(), t.kind()), "", []place{at}, func() {
			merged := *o
			merged.types = t.types
			restate(at.node, &merged, "type")
			c.mend(at.node, t)
		})
	minus := func(values, without []*yaml.Node) (list []string) {
		for _, n := range values {
			if !contains(without, n) {
				list = append(list, "`"+canonical(n)+"`")
			}
		}
		return list
	}
	gained, lost := strings.Join(minus(t.values, o.values), ", "), strings.Join(minus(o.values, t.values), ", ")
	var what, narrows string
	switch {
	case t.values == nil:
		what = "is not limited to " + lost + " any more"
	case o.values == nil:
		what, narrows = "is limited to "+gained, s.refused("other values")
	case lost == "":
		what = "may also be " + gained
	case gained == "":
		what, narrows = "is never "+lost+" any more", s.refused(lost)
	default:
		what, narrows = "may also be "+gained+" and is never "+lost+" any more", s.refused(lost)
	}
	limit := stating(o, "enum", "const", "type")
	c.aspect(s, p, o, t, "enum", func(v *view) string { return constantSet(v.values) }, what, narrows, []place{limit}, func() {
		merged := *o
		merged.values = t.values
		restate(limit.node, &merged, "enum", "const")
		if example := get(limit.node, "example"); example != nil && t.values != nil && !contains(t.values, example) {
			c.mend(limit.node, t)
		}
	})
}

func (c *comparison) rules(s position, p place, o, t *view) {
	for _, key := range rank {
		was, is := o.rules[key].value, t.rules[key].value
		what, narrows := fmt.Sprintf("%s is %s, was %s", key, cmp.Or(is, "none"), cmp.Or(was, "none")), ""
		switch {
		case key == "deprecated":
			what = deprecated(is != "")
		case key != "default" && is != "" && !looser(key, was, is):
			narrows = s.refused("values that were allowed")
		}
		at := stating(o, key, "type")
		c.aspect(s, p, o, t, key, func(v *view) string { return cmp.Or(v.rules[key].value, "null") }, what, narrows, []place{at}, func() { restate(at.node, t, key) })
	}
}

func deprecated(is bool) string {
	if is {
		return "is deprecated"
	}
	return "is no longer deprecated"
}

// looser reports whether a limit allows at least what it did.
func looser(key, was, is string) bool {
	from, err1 := strconv.ParseFloat(was, 64)
	to, err2 := strconv.ParseFloat(is, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	key = strings.ToLower(strings.TrimPrefix(key, "exclusive"))
	return strings.HasPrefix(key, "min") && to <= from || strings.HasPrefix(key, "max") && to >= from
}

func (c *comparison) properties(s position, o, t *view) {
	home, alone := host(o)
	order := 1 // another edit may make it in a better place
	if alone {
		order = 0
	}
	for i, theirs := range t.props {
		our := o.prop(theirs.name)
		if our == nil {
			f := s.in(home).field(theirs.name)
			here := "/properties/" + theirs.places[0].ptr[strings.LastIndex(theirs.places[0].ptr, "/")+1:]
			pointer := home.ptr + here
			for _, layer := range o.layers {
				if c.declared.find(layer.ptr+here, "present") != nil {
					pointer = layer.ptr + here
				}
			}
			c.present(f, pointer, false, true, newly(theirs.required), edit{
				on:     []place{home},
				fits:   func(_, other *view) bool { return other.prop(theirs.name) != nil },
				order:  order,
				make:   func() { c.addProperty(home, t, i, f.name) },
				Change: Change{narrows: f.needs(theirs.required)},
			})
			continue
		}
		f, pointer := s.in(our.places[0]).field(theirs.name), our.places[0].ptr
		c.present(f, pointer, true, true, "", edit{})
		e := edit{
			fits: func(_, other *view) bool {
				q := other.prop(theirs.name)
				return q != nil && q.required == theirs.required
			},
			order:  order,
			on:     requiring(o, theirs.name),
			make:   func() { makeOptional(o, theirs.name) },
			Change: Change{narrows: f.needs(theirs.required)},
		}
		if theirs.required {
			e.on, e.make = []place{home}, func() { makeRequired(home.node, theirs.name) }
		}
		c.differ(f, pointer, "required", fmt.Sprint(our.required), fmt.Sprint(theirs.required), requiredly(theirs.required), e)
		c.schema(f, our.places, theirs.places)
	}
	for _, our := range o.props {
		if t.prop(our.name) != nil {
			continue
		}
		on := slices.DeleteFunc(slices.Clone(o.layers), func(layer place) bool { return get(get(layer.node, "properties"), our.name) == nil })
		c.present(s.field(our.name), our.places[0].ptr, true, false, "is removed", edit{
			on: on,
			fits: func(o, t *view) bool { // or keeps it in a layer of its own
				return t.prop(our.name) == nil || slices.ContainsFunc(o.prop(our.name).places, func(p place) bool {
					return !slices.ContainsFunc(on, func(layer place) bool { return get(layer.node, "properties") == p.in.node })
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

// needs is the effect on requests of something that is required, and none on responses.
func (s position) needs(required bool) string {
	if s.response || !required {
		return ""
	}
	return "requests without it are refused"
}

func newly(required bool) string {
	if required {
		return "is new and required"
	}
	return "is new"
}

func requiredly(required bool) string {
	if required {
		return "is required"
	}
	return "is optional"
}

// same reports whether two schemas have the same structure all the way down.
func (c *comparison) same(s position, our, their place) bool {
	inner := &comparison{ours: c.ours, theirs: c.theirs, declared: &declarations{}, pairs: map[*yaml.Node][]pair{}, at: map[string]string{}, named: maps.Clone(c.named)}
	inner.schema(position{within: s.within}, []place{our}, []place{their})
	return len(inner.edits) == 0
}

func (c *comparison) branches(s position, p place, o, t *view) {
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
	match(func(a, b place) bool { return c.same(s, a, b) })
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
	fits := func(_, other *view) bool { return len(other.branches) == len(t.branches) }
	for _, their := range left { // first, so that the union remains one
		c.present(s, p.ptr, false, true, "may be one more kind of value", edit{on: []place{p}, fits: fits, make: func() {
			last := o.branches[len(o.branches)-1]
			all := last.in.node
			all.Content = slices.Insert(all.Content, last.position()+1, c.spell(their, s.name+"Option"))
		}})
	}
	for i, our := range o.branches {
		if their, ok := pairs[i]; ok {
			c.schema(s, []place{our}, []place{their})
			continue
		}
		c.present(s, our.ptr, true, false, "is one kind of value less", edit{on: []place{p}, fits: fits, make: our.cut})
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

// host is the layer that gets new properties of an object, and whether it is the only possible one.
func host(v *view) (place, bool) {
	var all, inline []place
	for _, layer := range v.layers {
		if get(layer.node, "properties") == nil && !slices.ContainsFunc(some(get(layer.node, "type")), func(n *yaml.Node) bool { return n.Value == "object" }) {
			continue
		}
		all = append(all, layer)
		if len(layer.uses) == len(v.layers[0].uses) {
			inline = append(inline, layer)
		}
	}
	switch {
	case len(inline) > 0:
		return inline[len(inline)-1], len(all) == 1
	case len(all) > 0:
		return all[len(all)-1], len(all) == 1
	default:
		return v.layers[len(v.layers)-1], true
	}
}

func requiring(v *view, name string) []place {
	return slices.DeleteFunc(slices.Clone(v.layers), func(layer place) bool {
		return !slices.ContainsFunc(some(get(layer.node, "required")), func(n *yaml.Node) bool { return n.Value == name })
	})
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
