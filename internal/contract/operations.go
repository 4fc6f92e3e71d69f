package contract

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-openapi/jsonpointer"
	"go.yaml.in/yaml/v3"
)

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// beforeParameters, with those that follow, are the keys of an operation in the order in which
// they are written.
var beforeParameters = []string{"operationId", "tags", "summary", "description", "deprecated"}

// variable is a path parameter in a path's template.
var variable = regexp.MustCompile(`\{[^{}]*\}`)

// form is a path without the names of its parameters.
func form(path string) string { return variable.ReplaceAllString(path, "{}") }

// paths compares each operation of the contract with the one of the same path and method.
func (c *comparison) paths() error {
	var missing []string
	visited := map[string]bool{}
	for _, path := range c.ours.top().child("paths").members() {
		for _, method := range append(keys(path.node), methods...) { // in the contract's order
			if !slices.Contains(methods, method) || visited[method+path.key] {
				continue
			}
			visited[method+path.key] = true
			their, found := c.theirs.operation(path.key, method)
			our := path.child(method)
			name := strings.ToUpper(method) + " " + path.key
			differs, _ := c.declared.compare(our.ptr, "present", strconv.FormatBool(our.exists()), strconv.FormatBool(found))
			switch {
			case our.exists() && found:
				c.operation(path, our, their)
			case differs && our.exists():
				missing = append(missing, name)
			case differs:
				id := scalar(get(their.node, "operationId"))
				c.edits = append(c.edits, &edit{Change: Change{
					Operation: cmp.Or(id, name), At: "operation", Pointer: our.ptr, Decide: true,
					What: fmt.Sprintf("is new upstream; -add %q adds it", name),
				}})
			}
		}
	}
	if missing != nil {
		return fmt.Errorf("%s no longer has %s; nothing was changed, since removing an operation is for a person to decide",
			c.theirs.name, strings.Join(missing, ", "))
	}
	return nil
}

// operation finds an operation, where a path of the same name precedes one of the same form.
func (d *document) operation(path, method string) (place, bool) {
	all := d.top().child("paths")
	candidates := []place{all.child(path)}
	for _, other := range all.members() {
		if form(other.key) == form(path) {
			candidates = append(candidates, other)
		}
	}
	for _, p := range candidates {
		key := p.key
		if p = d.follow(p); p.child(method).exists() {
			operation := p.child(method)
			operation.parent, operation.key = p.node, key // the path item, and its path
			return operation, true
		}
	}
	return place{}, false
}

func (c *comparison) operation(path, our, their place) {
	s := position{op: scalar(get(our.node, "operationId"))}
	s.name = camel(s.op)
	if id := scalar(get(their.node, "operationId")); id != s.op {
		c.note("%s: its operationId is %s upstream; ours stays.", s.op, cmp.Or(id, "none"))
	}
	c.parameters(s, path, our, their)
	c.requestBody(s, our, their)
	c.responses(s, our, their)
	c.security(s, our, their)
	s.part = "operation"
	c.keywords(s, our, their, "", "deprecated")
}

// part is a parameter, a body, a response or a content type, wherever it is defined.
type part struct {
	id       string // what makes two the same
	name, in string
	required bool
	at, def  place // as it is listed, and as it is defined
}

// match compares the parts of the contract with those upstream. The functions give the position of
// one, compare two, and edit.
func (c *comparison) match(ptr string, ours, theirs []part, at func(part) position, compare func(position, part, part), add func(position, int), drop func(part)) {
	find := func(list []part, id string) int {
		return slices.IndexFunc(list, func(p part) bool { return p.id == id })
	}
	for i, t := range theirs {
		s, what := at(t), newly(t.required)
		if t.in == "content" {
			what = "may be " + t.name
		}
		narrows := Change{narrows: s.needs(t.required)}
		j := find(ours, t.id)
		if j < 0 {
			c.present(s, ptr+"/"+jsonpointer.Escape(t.name), false, true, what, edit{make: func() { add(s, i) }, Change: narrows})
			continue
		}
		o := ours[j]
		if s = at(o); o.in == "path" && o.name != t.name {
			c.note("%s: the path parameter %s is called %s upstream; our name stays.", s.op, o.name, t.name)
		}
		c.present(s, o.def.ptr, true, true, "", edit{})
		c.differ(s, o.def.ptr, "required", fmt.Sprint(o.required), fmt.Sprint(t.required), requiredly(t.required), edit{
			make: func() { set(o.def.node, "required", boolNode(t.required), "name", "in") }, Change: narrows,
		})
		compare(s, o, t)
	}
	for _, o := range ours {
		what := "is removed"
		if o.in == "content" {
			what = "is never " + o.name + " any more"
		}
		if o.in != "path" && find(theirs, o.id) < 0 {
			c.present(at(o), o.at.ptr, true, false, what, edit{make: func() { drop(o) }})
		}
	}
}

// parametersOf lists the parameters of the path and of the operation, which override them.
func (d *document) parametersOf(path string, item, operation place) []part {
	names := variable.FindAllString(path, -1)
	var list []part
	for _, level := range []place{item, operation} {
		for _, at := range level.child("parameters").items() {
			def := d.follow(at)
			p := part{name: scalar(get(def.node, "name")), in: scalar(get(def.node, "in")), at: at, def: def}
			p.id, p.required = p.in+" "+p.name, isTrue(get(def.node, "required"))
			if p.in == "path" {
				p.id, p.required = "path "+strconv.Itoa(slices.Index(names, "{"+p.name+"}")), true
			}
			if i := slices.IndexFunc(list, func(q part) bool { return q.id == p.id }); i >= 0 {
				list[i] = p
				continue
			}
			list = append(list, p)
		}
	}
	return list
}

func (c *comparison) parameters(s position, path, our, their place) {
	ours := c.ours.parametersOf(path.key, path, our)
	theirs := c.theirs.parametersOf(their.key, place{node: their.parent}, their)
	at := func(p part) position {
		s := s
		s.part, s.name = p.in+" parameter "+p.name, s.name+"Params"+camel(p.name)
		return s
	}
	compare := func(s position, o, t part) {
		c.keywords(s, o.def, t.def, "requests encode it in another way", "style", "explode")
		c.schema(s, parameterSchema(o.def), parameterSchema(t.def))
	}
	add := func(s position, i int) {
		t := theirs[i]
		node := parameterNode(t.name, t.in, t.required, c.spell(parameterSchema(t.def)[0], s.name))
		for _, key := range []string{"explode", "style"} {
			if said := get(t.def.node, key); said != nil {
				set(node, key, bare(said), "description")
			}
		}
		list := get(our.node, "parameters")
		if list == nil {
			list = seqNode(0)
			set(our.node, "parameters", list, beforeParameters...)
		}
		to, ours := len(list.Content), c.ours.parametersOf(path.key, path, our) // with those added before
		for _, before := range slices.Backward(theirs[:i]) {
			if i := slices.IndexFunc(ours, func(o part) bool { return o.id == before.id && slices.Contains(list.Content, o.at.node) }); i >= 0 {
				to = slices.Index(list.Content, ours[i].at.node) + 1
				break
			}
		}
		list.Content = slices.Insert(list.Content, to, node)
	}
	c.match(our.ptr+"/parameters", ours, theirs, at, compare, add, func(o part) {
		for _, level := range []*yaml.Node{our.node, path.node} {
			drop(level, "parameters", func(n *yaml.Node) bool { return n == o.at.node })
		}
	})
}

// parameterNode is a new parameter. The example of its schema becomes that of the parameter.
func parameterNode(name, in string, required bool, schema *yaml.Node) *yaml.Node {
	node := mapNode(strNode("name"), strNode(name), strNode("in"), strNode(in), strNode("required"), boolNode(required),
		strNode("description"), strNode(Placeholder), strNode("schema"), schema)
	if example := get(schema, "example"); example != nil {
		remove(schema, "example")
		set(node, "example", example)
	}
	return node
}

// parameterSchema is the schema of a parameter, which may be that of a content type.
func parameterSchema(p place) []place {
	for _, content := range p.child("content").members() {
		p = content
	}
	return orAny(p.child("schema"))
}

// keywords compares keywords of an operation or a parameter that have a plain value.
func (c *comparison) keywords(s position, o, t place, narrows string, names ...string) {
	for _, key := range names {
		was, is := stated(o.node, key), stated(t.node, key)
		what := fmt.Sprintf("%s is %s, was %s", key, cmp.Or(is, "none"), cmp.Or(was, "none"))
		if key == "deprecated" {
			was, is = strconv.FormatBool(was == "true"), strconv.FormatBool(is == "true")
			what = deprecated(is == "true")
		}
		c.differ(s, o.ptr, key, strconv.Quote(was), strconv.Quote(is), what, edit{Change: Change{narrows: narrows}, make: func() {
			if remove(o.node, key); is != "" && is != "false" {
				set(o.node, key, bare(get(t.node, key)), append(beforeParameters, "name", "in", "required")...)
			}
		}})
	}
}

// stated is the value of a keyword, unless it is the default.
func stated(n *yaml.Node, key string) string {
	value := scalar(get(n, key))
	if value == map[string]string{"query style": "form", "query explode": "true", "path style": "simple", "path explode": "false"}[scalar(get(n, "in"))+" "+key] {
		return ""
	}
	return value
}

func (c *comparison) requestBody(s position, our, their place) {
	s.part = "request body"
	body := func(d *document, p place) (list []part) {
		if p = p.child("requestBody"); p.exists() {
			def := d.follow(p)
			list = append(list, part{name: "requestBody", required: isTrue(get(def.node, "required")), at: p, def: def})
		}
		return list
	}
	theirs := body(c.theirs, their)
	inner := s
	inner.name += "Request"
	c.match(our.ptr, body(c.ours, our), theirs, func(part) position { return s },
		func(_ position, o, t part) { c.contents(inner, o.def, t.def) },
		func(_ position, i int) {
			node := mapNode(strNode("description"), strNode(Placeholder), strNode("required"), boolNode(theirs[i].required))
			c.content(node, inner.name, theirs[i].def)
			set(our.node, "requestBody", node, append(beforeParameters, "parameters")...)
		},
		func(part) { remove(our.node, "requestBody") })
}

// partsOf are the entries of a mapping, which id identifies.
func partsOf(p place, in string, id func(string) string) (list []part) {
	for _, at := range p.members() {
		if !strings.HasPrefix(at.key, "x-") {
			list = append(list, part{id: id(at.key), name: at.key, in: in, at: at, def: at})
		}
	}
	return list
}

func (c *comparison) responses(s position, our, their place) {
	s.response = true
	all := our.child("responses")
	theirs := partsOf(their.child("responses"), "response", strings.ToLower)
	at := func(p part) position {
		s := s
		s.part, s.name = p.name+" response", s.name+"Response"+camel(p.name)
		return s
	}
	compare := func(s position, o, t part) {
		c.contents(s, c.ours.follow(o.def), c.theirs.follow(t.def))
	}
	add := func(s position, i int) {
		node := entry("description", strNode(Placeholder))
		c.content(node, s.name, c.theirs.follow(theirs[i].def))
		sorted(all.node, theirs[i].name, node)
	}
	c.match(all.ptr, partsOf(all, "response", strings.ToLower), theirs, at, compare, add, func(o part) { remove(all.node, o.name) })
}

// media is a content type without its parameters.
func media(contentType string) string {
	plain, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(plain))
}

// contents compares the content types of two bodies, and their schemas.
func (c *comparison) contents(s position, o, t place) {
	ours := o.child("content")
	theirs := partsOf(t.child("content"), "content", media)
	c.match(ours.ptr, partsOf(ours, "content", media), theirs, func(part) position { return s },
		func(s position, o, t part) { c.schema(s, orAny(o.def.child("schema")), orAny(t.def.child("schema"))) },
		func(s position, i int) {
			if !ours.exists() {
				set(o.node, "content", mapNode(), "description", "required")
			}
			set(get(o.node, "content"), theirs[i].name, c.mediaType(s.name, theirs[i].def))
		},
		func(p part) {
			if remove(ours.node, p.name); len(ours.node.Content) == 0 {
				remove(o.node, "content")
			}
		})
}

// content gives a new body or response upstream's content.
func (c *comparison) content(n *yaml.Node, name string, t place) {
	content := mapNode()
	for _, their := range t.child("content").members() {
		set(content, their.key, c.mediaType(name, their))
	}
	if len(content.Content) > 0 {
		set(n, "content", content)
	}
}

func (c *comparison) mediaType(name string, their place) *yaml.Node {
	if !their.child("schema").exists() {
		return mapNode()
	}
	return entry("schema", c.spell(their.child("schema"), name))
}

// security compares who may call an operation, by what the schemes are and not by their names.
func (c *comparison) security(s position, our, their place) {
	s.part = "security"
	was, _ := c.ours.requirements(our)
	is, undefined := c.theirs.requirements(their)
	if undefined != "" {
		c.note("%s: its security scheme %s is not defined upstream; ours stays.", s.op, undefined)
		return
	}
	c.differ(s, our.ptr+"/security", "security", strconv.Quote(was), strconv.Quote(is), fmt.Sprintf("is %s, was %s", cmp.Or(is, "none"), cmp.Or(was, "none")), edit{
		make:   func() { c.setSecurity(our, their) },
		Change: Change{narrows: "calls have to authenticate in another way"},
	})
}

// alternatives are the security requirements of an operation, or of the document.
func (d *document) alternatives(operation place) []place {
	if own := operation.child("security"); own.exists() {
		return own.items()
	}
	return d.top().child("security").items()
}

// requirements are the alternatives in terms of their schemes, and the name of one that is not
// defined.
func (d *document) requirements(operation place) (list, undefined string) {
	var any []string
	for _, alternative := range d.alternatives(operation) {
		var all []string
		for _, name := range keys(alternative.node) {
			scheme := d.scheme(name)
			if scheme == "" {
				undefined = name
			}
			all = append(all, scheme)
		}
		slices.Sort(all)
		any = append(any, cmp.Or(strings.Join(all, " with "), "anonymous"))
	}
	slices.Sort(any)
	return strings.Join(slices.Compact(any), " or "), undefined
}

func (d *document) securitySchemes() place {
	return d.top().child("components").child("securitySchemes")
}

// scheme describes the security scheme of a name.
func (d *document) scheme(name string) string {
	p := d.follow(d.securitySchemes().child(name))
	parts := []string{scalar(get(p.node, "type")), strings.ToLower(scalar(get(p.node, "scheme")))}
	for _, key := range []string{"in", "name", "openIdConnectUrl"} {
		parts = append(parts, scalar(get(p.node, key)))
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// setSecurity gives an operation upstream's requirements, with the contract's schemes where they
// are the same.
func (c *comparison) setSecurity(our, their place) {
	schemes := c.ours.securitySchemes()
	all := seqNode(0)
	for _, alternative := range c.theirs.alternatives(their) {
		one := mapNode()
		for _, member := range alternative.members() {
			have := keys(schemes.node)
			i := slices.IndexFunc(have, func(name string) bool { return c.ours.scheme(name) == c.theirs.scheme(member.key) })
			if i < 0 {
				def := bare(c.theirs.securitySchemes().child(member.key).node)
				remove(def, "description")
				set(def, "description", strNode(Placeholder))
				have, i = []string{free(schemes.node, member.key)}, 0
				sorted(schemes.node, have[0], def)
			}
			set(one, have[i], bare(member.node))
		}
		all.Content = append(all.Content, one)
	}
	if len(all.Content) == 0 {
		all.Style = yaml.FlowStyle
	}
	set(our.node, "security", all, append(beforeParameters, "parameters")...)
}
