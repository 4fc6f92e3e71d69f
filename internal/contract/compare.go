package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Change is one thing that is not the same upstream.
type Change struct {
	Operation string // operationId
	At        string // where in the operation: "200 response, data[].name"
	Pointer   string // JSON pointer into the contract
	What      string
	Breaking  bool // for a program that uses the SDK
	Why       string

	fresh bool // it adds the place
}

// wish is a change together with what makes it.
type wish struct {
	Change
	// on is what the edit touches. Where that has other uses, agrees tells whether upstream
	// wants the same of them.
	on     []place
	agrees func(theirs *view) bool
	edit   func(*editor)
	late   bool // better left to the others: they may fulfil it in a better place
}

// pair is one use of a part of the contract, and what upstream has in its place.
type pair struct {
	uses   []use
	theirs *view
}

// comparison walks through the operations of the contract and upstream's at the same time.
type comparison struct {
	ours, theirs *document
	held         *held
	wishes       []*wish
	notes        []string
	pairs        map[*yaml.Node][]pair
	named        map[*yaml.Node]string // upstream's schema, and which of ours it is
	visited      map[string]string     // where each spot of an operation stands in the contract
}

// compare lists what would have to change in ours, but for what the differences excuse.
// Named is what an earlier comparison with theirs knew, and learns more.
func compare(ours, theirs *document, differences []Difference, named map[*yaml.Node]string) (*comparison, error) {
	c := &comparison{
		ours: ours, theirs: theirs, held: newHeld(ours, differences),
		pairs: map[*yaml.Node][]pair{}, named: named, visited: map[string]string{},
	}
	if err := c.paths(); err != nil {
		return nil, err
	}
	if theirs.err != nil {
		return nil, theirs.err
	}
	return c, ours.err
}

func (c *comparison) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// spot is where in an operation the walk is.
type spot struct {
	op     string
	where  string // "200 response", "request body", "query parameter limit"
	path   string // within it: data[].name
	answer bool   // whether the server says it
	name   string // for a schema that has to be made here
	within []*yaml.Node
}

func (s spot) String() string {
	if s.path == "" {
		return s.where
	}
	return s.where + ", " + s.path
}

func (s spot) field(name string) spot {
	if s.path != "" {
		s.path += "."
	}
	s.path += name
	s.name += camel(name)
	return s
}

// of names what is made below p after the schema that p is written in.
func (s spot) of(p place) spot {
	if tokens := strings.Split(p.ptr, "/"); len(tokens) > 3 && tokens[2] == "schemas" {
		s.name = tokens[3]
	}
	return s
}

func (s spot) each(mark string) spot {
	s.path += mark
	s.name += "Item"
	return s
}

// differ records a change, unless it is a difference that we want. have is what the contract
// holds, as JSON.
func (c *comparison) differ(s spot, pointer, aspect, have string, v verdict, what string, w wish) {
	if c.held.excuses(pointer, aspect, have) {
		return
	}
	w.Change = Change{Operation: s.op, At: s.String(), Pointer: pointer, What: what, Breaking: v.breaking, Why: v.why}
	w.fresh = aspect == "present" && have == "false"
	c.wishes = append(c.wishes, &w)
}

// schema compares what stands at ours with what stands at theirs. Required is whether a
// property is, and true for anything else.
func (c *comparison) schema(s spot, ours, theirs []place, required bool) {
	if slices.Contains(s.within, ours[0].node) {
		return
	}
	s.within = append(slices.Clip(s.within), ours[0].node)
	c.visit(s, ours[0])
	o, t := c.ours.view(ours), c.theirs.view(theirs)
	for _, layer := range o.layers {
		c.pairs[layer.node] = append(c.pairs[layer.node], pair{layer.uses, t})
	}
	if name, ok := c.ours.component(ours[0]); ok {
		if theirName, ok := c.theirs.component(theirs[0]); ok {
			c.named[theirName.node] = name.ptr
		}
		s.name = name.ptr[strings.LastIndex(name.ptr, "/")+1:]
	}
	p := ours[0]
	if from, to := o.shape(), t.shape(); from != to { // no part of the one is a part of the other
		c.differ(s, p.ptr, "type", strconv.Quote(from), breaks("the Go type changes"),
			fmt.Sprintf("was %s and is %s", typeName(o), typeName(t)), wish{
				on:     []place{p},
				agrees: func(t *view) bool { return t.shape() == to },
				edit:   func(e *editor) { c.rewrite(e, p, theirs[0], s.name) },
			})
		return
	}
	for _, key := range t.ignored {
		if !slices.Contains(o.ignored, key) {
			c.note("Upstream has `%s` at %s, which is neither compared nor carried over.", key, t.layers[0].ptr)
		}
	}
	if o.format != t.format && !c.held.excuses(p.ptr, "format", orNull(strconv.Quote(o.format), o.format != "")) {
		c.note("The format at %s is %s here and %s upstream. Ours stays: declare it, or change it by hand.",
			p.ptr, orNone(o.format), orNone(t.format))
	}
	if o.null != t.null && !o.anything() {
		what := "may be null"
		if o.null {
			what = "is never null"
		}
		c.differ(s, p.ptr, "nullable", fmt.Sprint(o.null), onNull(t.null, required, o.anything()), what, wish{
			on:     c.nullLayers(o, p),
			agrees: func(other *view) bool { return other.null == t.null },
			edit:   func(e *editor) { c.setNull(e, o, p, t.null) },
		})
	}
	switch o.shape() {
	case "scalar":
		c.scalars(s, p, o, t)
	case "object":
		c.properties(s, p, o, t)
	case "array":
		c.schema(s.each("[]"), orAny(o.items, p.child("items")), orAny(t.items, theirs[0].child("items")), true)
	case "map":
		c.schema(s.each("{}"), []place{o.rest}, []place{t.rest}, true)
	case "union":
		c.branches(s, p, o, t)
	}
	c.rules(s, p, o, t)
}

// visit remembers where in the contract a spot of an operation is described.
func (c *comparison) visit(s spot, p place) {
	if key := s.op + " " + s.String(); c.visited[key] == "" {
		c.visited[key] = p.ptr
	}
}

// orAny is a place, or another where there is nothing and anything goes.
func orAny(p, otherwise place) []place {
	if p.exists() {
		return []place{p}
	}
	otherwise.node = mapNode()
	return []place{otherwise}
}

func (c *comparison) scalars(s spot, p place, o, t *view) {
	if !slices.Equal(o.types, t.types) {
		at := stating(o, "type")
		c.differ(s, p.ptr, "type", strconv.Quote(strings.Join(o.types, "|")), breaks("the Go type changes"),
			fmt.Sprintf("was %s and is %s", typeName(o), typeName(t)), wish{
				on:     []place{at},
				agrees: func(other *view) bool { return slices.Equal(other.types, t.types) },
				edit: func(e *editor) {
					if len(t.types) == 0 {
						e.remove(at.node, "type")
					} else {
						e.set(at.node, "type", typeNode(t.types, o.null))
					}
					c.mend(e, at.node, t)
				},
			})
	}
	if constantSet(o.values) == constantSet(t.values) {
		return
	}
	var gained, lost []string
	for _, n := range t.values {
		if !holds(o.values, n) {
			gained = append(gained, canonical(n))
		}
	}
	for _, n := range o.values {
		if !holds(t.values, n) {
			lost = append(lost, canonical(n))
		}
	}
	var what []string
	switch {
	case t.values == nil:
		what = append(what, "is not limited to "+code(lost)+" any more")
	case o.values == nil:
		what = append(what, "is limited to "+code(gained))
	default:
		if gained != nil {
			what = append(what, "may also be "+code(gained))
		}
		if lost != nil {
			what = append(what, "is never "+code(lost)+" any more")
		}
	}
	at := stating(o, "enum", "const", "type")
	c.differ(s, p.ptr, "enum", constantSet(o.values),
		onValues(s.answer, o.values != nil, t.values != nil, gained != nil, lost != nil),
		strings.Join(what, " and "), wish{
			on:     []place{at},
			agrees: func(other *view) bool { return constantSet(other.values) == constantSet(t.values) },
			edit: func(e *editor) {
				setConstants(e, at.node, t.values)
				if example := get(at.node, "example"); example != nil && t.values != nil && !holds(t.values, example) {
					c.mend(e, at.node, t)
				}
			},
		})
}

func (c *comparison) rules(s spot, p place, o, t *view) {
	for _, key := range rank {
		was, had := o.rules[key]
		is, has := t.rules[key]
		if had == has && was.value == is.value {
			continue
		}
		what := fmt.Sprintf("%s is %s, was %s", key, orNone(is.value), orNone(was.value))
		if key == "deprecated" {
			what = map[bool]string{true: "is deprecated", false: "is no longer deprecated"}[has]
		}
		at := stating(o, key, "type")
		c.differ(s, p.ptr, key, orNull(was.value, had), onRule(s.answer, key, has && !looser(key, had, was.value, is.value)), what, wish{
			on:     []place{at},
			agrees: func(other *view) bool { return other.rules[key].value == is.value },
			edit: func(e *editor) {
				if !has {
					e.remove(at.node, key)
					return
				}
				before := append([]string{"type", "format", "enum", "const"}, rank[:slices.Index(rank, key)]...)
				e.set(at.node, key, bare(is.node), before...)
			},
		})
	}
}

// looser reports whether a limit lets through more than it did.
func looser(key string, had bool, was, is string) bool {
	from, err1 := strconv.ParseFloat(was, 64)
	to, err2 := strconv.ParseFloat(is, 64)
	if !had || err1 != nil || err2 != nil {
		return false
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimPrefix(key, "exclusive")), "min") {
		return to <= from
	}
	return strings.HasPrefix(strings.ToLower(strings.TrimPrefix(key, "exclusive")), "max") && to >= from
}

func (c *comparison) properties(s spot, p place, o, t *view) {
	home, alone := host(o)
	for i, theirs := range t.props {
		our := o.prop(theirs.name)
		if our == nil {
			f := s.of(home).field(theirs.name)
			here := "/properties/" + escape(theirs.name)
			pointer := home.ptr + here
			if slices.ContainsFunc(o.layers, func(layer place) bool { return c.held.excuses(layer.ptr+here, "present", "false") }) {
				continue
			}
			what := "is new"
			if theirs.required {
				what = "is new and required"
			}
			c.differ(f, pointer, "present", "false", onPresence(s.answer, true, theirs.required), what, wish{
				on:     []place{home},
				agrees: func(other *view) bool { return other.prop(theirs.name) != nil },
				late:   !alone,
				edit:   func(e *editor) { c.addProperty(e, home, t, i, f.name) },
			})
			continue
		}
		f, pointer := s.of(our.places[0]).field(theirs.name), our.places[0].ptr
		if our.required != theirs.required {
			now := c.ours.view(our.places)
			what := "is optional"
			if theirs.required {
				what = "is required"
			}
			w := wish{
				agrees: func(other *view) bool {
					q := other.prop(theirs.name)
					return q != nil && q.required == theirs.required
				},
				late: !alone,
			}
			if theirs.required {
				w.on = []place{home}
				w.edit = func(e *editor) { makeRequired(e, home.node, theirs.name) }
			} else {
				w.on = requiring(o, theirs.name)
				w.edit = func(e *editor) { makeOptional(e, o, theirs.name) }
			}
			c.differ(f, pointer, "required", fmt.Sprint(our.required), onRequired(s.answer, theirs.required, now.null, now.anything()), what, w)
		}
		c.schema(f, our.places, theirs.places, our.required)
	}
	for _, our := range o.props {
		if t.prop(our.name) != nil {
			continue
		}
		var on []place
		for _, layer := range o.layers {
			if get(get(layer.node, "properties"), our.name) != nil {
				on = append(on, layer)
			}
		}
		c.differ(s.field(our.name), our.places[0].ptr, "present", "true", onPresence(s.answer, false, false), "is gone", wish{
			on:     on,
			agrees: func(other *view) bool { return other.prop(our.name) == nil },
			late:   !alone,
			edit: func(e *editor) {
				for _, at := range our.places {
					e.remove(at.parent, at.key)
				}
				makeOptional(e, o, our.name)
			},
		})
	}
}

func (c *comparison) branches(s spot, p place, o, t *view) {
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
	match(func(a, b place) bool {
		return c.ours.same(c.ours.view([]place{a}), c.theirs, c.theirs.view([]place{b}))
	})
	match(func(a, b place) bool {
		ref, their := scalar(get(a.node, "$ref")), get(b.node, "$ref")
		return ref != "" && their != nil && (ref == their.Value || ref == c.named[c.theirs.target(b, their.Value).node])
	})
	if len(left) == len(o.branches)-len(pairs) {
		match(func(a, b place) bool {
			named := get(a.node, "$ref") != nil && get(b.node, "$ref") != nil // and not the same
			return !named && c.ours.view([]place{a}).shape() == c.theirs.view([]place{b}).shape()
		})
	}
	for _, their := range left { // first, so that the choice stays one
		c.differ(s, p.ptr, "present", "false", breaks("the Go type changes"), "may be one more kind of value", wish{
			on: []place{p}, agrees: func(other *view) bool { return len(other.branches) == len(t.branches) },
			edit: func(e *editor) {
				last := o.branches[len(o.branches)-1]
				e.add(last.parent, slices.Index(last.parent.Content, last.node), c.spell(e, their, s.name+"Option"))
			},
		})
	}
	for i, our := range o.branches {
		if their, ok := pairs[i]; ok {
			c.schema(s, []place{our}, []place{their}, true)
			continue
		}
		c.differ(s, our.ptr, "present", "true", breaks("the Go type changes"), "is one kind of value less", wish{
			on: []place{p}, agrees: func(other *view) bool { return len(other.branches) == len(t.branches) },
			edit: func(e *editor) { e.drop(our.node) },
		})
	}
}

// stating is the layer that holds the first of keys that any holds, or the innermost.
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

// host is the layer that takes what is new in an object, and whether it is the only one that
// could.
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
	var list []place
	for _, layer := range v.layers {
		if slices.ContainsFunc(some(get(layer.node, "required")), func(n *yaml.Node) bool { return n.Value == name }) {
			list = append(list, layer)
		}
	}
	return list
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

// typeName is what a value is, in words.
func typeName(v *view) string {
	name := strings.Join(v.types, " or ")
	switch {
	case v.shape() == "union":
		return "one of several kinds"
	case v.shape() == "map":
		return "a map"
	case name == "":
		return "anything"
	case strings.ContainsAny(name[:1], "aeiou"):
		return "an " + name
	default:
		return "a " + name
	}
}

func code(values []string) string { return "`" + strings.Join(values, "`, `") + "`" }

func orNull(json string, there bool) string {
	if !there {
		return "null"
	}
	return json
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
