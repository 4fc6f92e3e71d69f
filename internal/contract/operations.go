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

	gengo "github.com/orgkeys/orgkeys-go/internal/generate"
)

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// beforeParameters are the keys of an operation that are written before its parameters, in order.
var beforeParameters = []string{"operationId", "tags", "summary", "description", "deprecated"}

// variable matches a path parameter in a path.
var variable = regexp.MustCompile(`\{[^{}]*\}`)

// form returns a path without the names of its parameters.
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
			theirPath, their, found := c.theirs.operation(path.key, method)
			our := path.child(method)
			name := strings.ToUpper(method) + " " + path.key
			differs, _ := c.declared.compare(our.ptr, "present", strconv.FormatBool(our.exists()), strconv.FormatBool(found))
			switch {
			case our.exists() && found:
				c.operation(path, our, theirPath, their)
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

// operation returns an operation and its path item. The names of the path's parameters may differ.
func (d *document) operation(path, method string) (item, operation place, found bool) {
	for _, p := range d.top().child("paths").members() {
		item = d.follow(p)
		if item.key = p.key; form(p.key) == form(path) && item.child(method).exists() {
			return item, item.child(method), true
		}
	}
	return place{}, place{}, false
}

// operation compares an operation with upstream's, and its parts with those of the same ids.
func (c *comparison) operation(path, our, theirPath, their place) {
	s := position{op: scalar(get(our.node, "operationId"))}
	s.name = gengo.CamelCase(s.op)
	if id := scalar(get(their.node, "operationId")); id != s.op {
		c.note("%s: its operationId is %s upstream; ours stays.", s.op, cmp.Or(id, "none"))
	}
	ours, theirs := c.ours.parts(s, path, our), c.theirs.parts(s, theirPath, their)
	for i, t := range theirs {
		o := find(ours, t.id)
		if o == nil {
			if to := find(ours, t.within); t.within == "" || to != nil {
				c.addition(path, our, to, t, theirs[:i])
			}
			continue
		}
		if o.in == "path" && o.key != t.key {
			c.note("%s: the path parameter %s is called %s upstream; our name stays.", s.op, o.key, t.key)
		}
		c.present(o.position, o.def.ptr, true, true, edit{})
		c.differ(o.position, o.def.ptr, "required", fmt.Sprint(o.required), fmt.Sprint(t.required),
			because(requiredly[t.required], t.required, nil, func() { set(o.def.node, "required", boolNode(t.required), "name", "in") }))
		if o.in != "body" && o.in != "response" {
			c.keywords(o.position, o.def, t.def, true, "style", "explode")
			c.schema(o.position, o.schema(), t.schema())
		}
	}
	for _, o := range ours {
		if o.in == "path" || find(theirs, o.id) != nil || o.within != "" && find(theirs, o.within) == nil {
			continue
		}
		what := "is removed"
		if o.in == "content" {
			what = "is never " + o.key + " any more"
		}
		c.present(o.position, o.at.ptr, true, false, because(what, false, nil, o.at.cut))
	}
	c.security(s, our, their)
	s.part = "operation"
	c.keywords(s, our, their, false, "deprecated")
}

// part is a parameter, a body, a response or a content type of one of these.
type part struct {
	position
	id       string // parts with the same id are compared
	within   string // the id of the body or the response of a content type
	in       string // query, path, header, cookie, body, response or content
	key      string // its name, status or content type
	required bool
	at, def  place // where the operation lists it, and where it is defined: the same unless at is a reference
}

func find(list []part, id string) *part {
	if i := slices.IndexFunc(list, func(p part) bool { return p.id == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

// parts returns the parameters of an operation, including those of its path item, its request body
// and its responses, the latter two followed by their content types.
func (d *document) parts(s position, path, operation place) []part {
	var list []part
	names := variable.FindAllString(path.key, -1)
	for _, at := range append(path.child("parameters").items(), operation.child("parameters").items()...) {
		def := d.follow(at)
		p := part{position: s, in: scalar(get(def.node, "in")), key: scalar(get(def.node, "name")), at: at, def: def}
		p.part, p.name = p.in+" parameter "+p.key, s.name+"Params"+gengo.CamelCase(p.key)
		p.id, p.required = p.in+" "+p.key, isTrue(get(def.node, "required"))
		if p.in == "path" {
			i := slices.Index(names, "{"+p.key+"}")
			if p.id, p.required = "path "+strconv.Itoa(i), true; i < 0 {
				d.fail(at, "the path has no {%s}", p.key)
			}
		}
		if general := find(list, p.id); general != nil {
			*general = p // the operation's overrides the path's
		} else {
			list = append(list, p)
		}
	}
	content := func(p part) {
		list = append(list, p)
		for _, at := range p.def.child("content").members() {
			plain, _, _ := strings.Cut(at.key, ";") // of its parameters
			id := p.id + " " + strings.ToLower(strings.TrimSpace(plain))
			list = append(list, part{position: p.position, id: id, within: p.id, in: "content", key: at.key, at: at, def: at})
		}
	}
	if at := operation.child("requestBody"); at.exists() {
		p := part{position: s, id: "body", in: "body", at: at, def: d.follow(at)}
		p.part, p.name, p.required = "request body", s.name+"Request", isTrue(get(p.def.node, "required"))
		content(p)
	}
	for _, at := range operation.child("responses").members() {
		if !strings.HasPrefix(at.key, "x-") {
			p := part{position: s, id: strings.ToLower(at.key), in: "response", key: at.key, at: at, def: d.follow(at)}
			p.part, p.name, p.response = at.key+" response", s.name+"Response"+gengo.CamelCase(at.key), true
			content(p)
		}
	}
	return list
}

// schema returns the schema of a parameter or a content type. That of a parameter may be in a
// content type.
func (p part) schema() []place {
	at := p.def
	for _, content := range at.child("content").members() {
		at = content
	}
	return orAny(at.child("schema"))
}

// addition records a part that the contract does not have. The content types of a new body or
// response are recorded by the next comparison. before are the parts that precede it upstream.
func (c *comparison) addition(path, our place, to *part, t part, before []part) {
	e := because(newly[t.required], t.required, nil, nil)
	pointer := our.ptr + "/parameters/" + jsonpointer.Escape(t.key)
	description := []*yaml.Node{strNode("description"), strNode(Placeholder)}
	switch t.in {
	case "body":
		pointer = our.ptr + "/requestBody"
		e.make = func() {
			node := mapNode(append(description, strNode("required"), boolNode(t.required))...)
			set(our.node, "requestBody", node, append(beforeParameters, "parameters")...)
		}
	case "response":
		pointer = our.child("responses").child(t.key).ptr
		e.make = func() { sorted(ensure(our.node, "responses", mapNode()), t.key, mapNode(description...)) }
	case "content":
		pointer, e.What = to.def.child("content").child(t.key).ptr, "may be "+t.key
		e.make = func() {
			node := mapNode()
			if t.def.child("schema").exists() {
				node = entry("schema", c.spell(t.def.child("schema"), t.name))
			}
			set(ensure(to.def.node, "content", mapNode(), "description", "required"), t.key, node)
		}
	default:
		e.make = func() {
			list := ensure(our.node, "parameters", seqNode(0), beforeParameters...)
			at, ours := len(list.Content), c.ours.parts(t.position, path, our) // with those added before
			for _, b := range slices.Backward(before) {
				if o := find(ours, b.id); o != nil && slices.Contains(list.Content, o.at.node) {
					at = slices.Index(list.Content, o.at.node) + 1
					break
				}
			}
			node := parameterNode(t.key, t.in, t.required, c.spell(t.schema()[0], t.name))
			list.Content = slices.Insert(list.Content, at, node)
		}
	}
	c.present(t.position, pointer, false, true, e)
}

// parameterNode returns a new parameter, which gets the example of its schema.
func parameterNode(name, in string, required bool, schema *yaml.Node) *yaml.Node {
	node := mapNode(strNode("name"), strNode(name), strNode("in"), strNode(in), strNode("required"), boolNode(required),
		strNode("description"), strNode(Placeholder), strNode("schema"), schema)
	if example := get(schema, "example"); example != nil {
		remove(schema, "example")
		set(node, "example", example)
	}
	return node
}

// keywords compares keywords with plain values of an operation or a parameter.
func (c *comparison) keywords(s position, o, t place, narrows bool, names ...string) {
	for _, key := range names {
		was, is := stated(o.node, key), stated(t.node, key)
		c.differ(s, o.ptr, key, strconv.Quote(was), strconv.Quote(is), because(changed(key, was, is), narrows, nil, func() {
			if remove(o.node, key); is != "" {
				set(o.node, key, bare(get(t.node, key)), append(beforeParameters, "name", "in", "required")...)
			}
		}))
	}
}

// stated returns the value of a keyword, or "" if that is the default.
func stated(n *yaml.Node, key string) string {
	value := scalar(get(n, key))
	defaults := map[string]string{
		"query style": "form", "query explode": "true", "path style": "simple", "path explode": "false", " deprecated": "false",
	}
	if value == defaults[scalar(get(n, "in"))+" "+key] {
		return ""
	}
	return value
}

// security compares the security requirements of an operation, or else of the document. Security
// schemes with the same definition are equal, whatever their names.
func (c *comparison) security(s position, our, their place) {
	s.part = "security"
	was, _, _ := c.ours.requirements(our)
	is, alternatives, undefined := c.theirs.requirements(their)
	if undefined != "" {
		c.note("%s: its security scheme %s is not defined upstream; ours stays.", s.op, undefined)
		return
	}
	what := fmt.Sprintf("is %s, was %s", cmp.Or(is, "none"), cmp.Or(was, "none"))
	c.differ(s, our.ptr+"/security", "security", strconv.Quote(was), strconv.Quote(is), because(what, true, nil, func() {
		all, schemes := seqNode(0), c.ours.securitySchemes()
		for _, alternative := range alternatives {
			one := mapNode()
			for _, name := range keys(alternative.node) {
				have := keys(schemes.node)
				i := slices.IndexFunc(have, func(have string) bool { return c.ours.scheme(have) == c.theirs.scheme(name) })
				if i < 0 {
					def := bare(c.theirs.securitySchemes().child(name).node)
					set(def, "description", strNode(Placeholder))
					have, i = []string{free(schemes.node, name)}, 0
					sorted(schemes.node, have[0], def)
				}
				set(one, have[i], bare(get(alternative.node, name)))
			}
			all.Content = append(all.Content, one)
		}
		set(our.node, "security", all, append(beforeParameters, "parameters")...)
	}))
}

// requirements returns the alternative security requirements of an operation, also as text with the
// definitions of the schemes, and the name of a scheme that is not defined, if any.
func (d *document) requirements(operation place) (text string, alternatives []place, undefined string) {
	if !operation.child("security").exists() {
		operation = d.top()
	}
	var any []string
	alternatives = operation.child("security").items()
	for _, alternative := range alternatives {
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
	return strings.Join(slices.Compact(any), " or "), alternatives, undefined
}

func (d *document) securitySchemes() place {
	return d.top().child("components").child("securitySchemes")
}

// scheme returns the definition of a security scheme as text, or "" if it is not defined.
func (d *document) scheme(name string) string {
	p := d.follow(d.securitySchemes().child(name))
	var parts []string
	for _, key := range []string{"type", "scheme", "in", "name", "openIdConnectUrl"} {
		part := scalar(get(p.node, key))
		if key == "scheme" {
			part = strings.ToLower(part)
		}
		parts = append(parts, part)
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
