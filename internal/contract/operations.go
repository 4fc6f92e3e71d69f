package contract

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// variable is a path parameter in a path's template.
var variable = regexp.MustCompile(`\{[^{}]*\}`)

// form is a path without the names of its parameters.
func form(path string) string { return variable.ReplaceAllString(path, "{}") }

// paths compares each operation of the contract with the one of the same path and method.
func (c *comparison) paths() error {
	var missing []string
	for _, path := range c.ours.top().child("paths").members() {
		for _, our := range path.members() {
			if !slices.Contains(methods, our.key) {
				continue
			}
			their, found := c.find(path.key, our.key)
			if !found {
				missing = append(missing, strings.ToUpper(our.key)+" "+path.key)
				continue
			}
			c.operation(path, our, their)
		}
	}
	if missing != nil {
		return fmt.Errorf("%s no longer has %s; nothing is changed, since taking an operation away is for a person to decide",
			c.theirs.name, strings.Join(missing, ", "))
	}
	return nil
}

// find is upstream's operation, where a path of the same name goes before one of the same form.
func (c *comparison) find(path, method string) (place, bool) {
	all := c.theirs.top().child("paths")
	candidates := []place{all.child(path)}
	for _, other := range all.members() {
		if form(other.key) == form(path) {
			candidates = append(candidates, other)
		}
	}
	for _, p := range candidates {
		key := p.key
		if p = c.theirs.follow(p); p.child(method).exists() {
			operation := p.child(method)
			operation.parent, operation.key = p.node, key // the path item, and its path
			return operation, true
		}
	}
	return place{}, false
}

func (c *comparison) operation(path, our, their place) {
	s := spot{op: scalar(get(our.node, "operationId"))}
	s.name = camel(s.op)
	if id := scalar(get(their.node, "operationId")); id != s.op {
		c.note("%s: its operationId is %s upstream; ours stays.", s.op, orNone(id))
	}
	c.parameters(s, path, our, their)
	c.requestBody(s, our, their)
	c.responses(s, our, their)
	c.security(s, our, their)
	if was, is := isTrue(get(our.node, "deprecated")), isTrue(get(their.node, "deprecated")); was != is {
		what := "is deprecated"
		if was {
			what = "is no longer deprecated"
		}
		s.where = "operation"
		c.differ(s, our.ptr, "deprecated", fmt.Sprint(was), passes("a notice to the reader"), what, wish{edit: func(e *editor) {
			if was {
				e.remove(our.node, "deprecated")
			} else {
				e.set(our.node, "deprecated", boolNode(true), "operationId", "tags", "summary", "description")
			}
		}})
	}
}

// parameter is one of an operation, wherever it is written.
type parameter struct {
	id   string // what makes it the same one: where it is, and its name or its position in the path
	name string
	in   string
	at   place // as it is listed
	def  place // what it refers to
}

// parametersOf lists those of the path and of the operation, which win.
func (d *document) parametersOf(path string, item, operation *yaml.Node, ptr string) []parameter {
	names := variable.FindAllString(path, -1)
	var list []parameter
	for _, level := range []place{{node: item, ptr: ptr[:strings.LastIndex(ptr, "/")]}, {node: operation, ptr: ptr}} {
		for _, at := range level.child("parameters").items() {
			def := d.follow(at)
			p := parameter{name: scalar(get(def.node, "name")), in: scalar(get(def.node, "in")), at: at, def: def}
			p.id = p.in + " " + p.name
			if p.in == "path" {
				p.id = "path " + strconv.Itoa(slices.Index(names, "{"+p.name+"}"))
			}
			if i := slices.IndexFunc(list, func(q parameter) bool { return q.id == p.id }); i >= 0 {
				list[i] = p
				continue
			}
			list = append(list, p)
		}
	}
	return list
}

func (c *comparison) parameters(s spot, path, our, their place) {
	ours := c.ours.parametersOf(path.key, path.node, our.node, our.ptr)
	theirs := c.theirs.parametersOf(their.key, their.parent, their.node, their.ptr)
	base := s.name
	for i, t := range theirs {
		s.where, s.name = t.in+" parameter "+t.name, base+"Params"+camel(t.name)
		at := slices.IndexFunc(ours, func(o parameter) bool { return o.id == t.id })
		required := t.in == "path" || isTrue(get(t.def.node, "required"))
		if at < 0 {
			what := "is new"
			if required {
				what = "is new and required"
			}
			c.differ(s, our.ptr+"/parameters", "present", "false", onPresence(false, true, required), what, wish{
				edit: func(e *editor) { c.addParameter(e, s, our, ours, theirs[:i], t, required) },
			})
			continue
		}
		o := ours[at]
		if o.name != t.name {
			c.note("%s: the %s parameter %s is called %s upstream; our name stays.", s.op, o.in, o.name, t.name)
			s.where = o.in + " parameter " + o.name
		}
		if was := o.in == "path" || isTrue(get(o.def.node, "required")); was != required {
			what := "is optional"
			if required {
				what = "is required"
			}
			c.differ(s, o.def.ptr, "required", fmt.Sprint(was), onRequired(false, required, false, false), what, wish{
				edit: func(e *editor) { e.set(o.def.node, "required", boolNode(required), "name", "in") },
			})
		}
		c.visit(s, o.def)
		c.style(s, o, t)
		c.schema(s, parameterSchema(o.def), parameterSchema(t.def), required)
	}
	for _, o := range ours {
		if !slices.ContainsFunc(theirs, func(t parameter) bool { return o.id == t.id }) && o.in != "path" {
			s.where = o.in + " parameter " + o.name
			c.differ(s, o.def.ptr, "present", "true", onPresence(false, false, false), "is gone", wish{
				edit: func(e *editor) { e.drop(o.at.node) },
			})
		}
	}
}

// parameterSchema is the schema of a parameter, which may be that of a content type.
func parameterSchema(p place) []place {
	for _, content := range p.child("content").members() {
		return orAny(content.child("schema"), content.child("schema"))
	}
	return orAny(p.child("schema"), p.child("schema"))
}

// style compares how lists and objects are written into a query or a path.
func (c *comparison) style(s spot, o, t parameter) {
	for _, key := range []string{"style", "explode"} {
		was, is := styleOf(o, key), styleOf(t, key)
		if was == is {
			continue
		}
		c.differ(s, o.def.ptr, key, strconv.Quote(was), breaks("requests are written in another way"),
			fmt.Sprintf("%s is %s, was %s", key, is, was), wish{edit: func(e *editor) {
				node := strNode(is)
				if key == "explode" {
					node = boolNode(is == "true")
				}
				e.set(o.def.node, key, node, "name", "in", "required", "description")
			}})
	}
}

func styleOf(p parameter, key string) string {
	if said := scalar(get(p.def.node, key)); said != "" {
		return said
	}
	style := map[string]string{"query": "form", "cookie": "form"}[p.in]
	if key == "explode" {
		return fmt.Sprint(style == "form")
	}
	return cmp.Or(style, "simple")
}

func (c *comparison) addParameter(e *editor, s spot, operation place, ours, earlier []parameter, t parameter, required bool) {
	node := mapNode(
		strNode("name"), strNode(t.name), strNode("in"), strNode(t.in),
		strNode("required"), boolNode(required), strNode("description"), strNode(Placeholder))
	for _, key := range []string{"style", "explode"} {
		if said := get(t.def.node, key); said != nil {
			node.Content = append(node.Content, strNode(key), bare(said))
		}
	}
	schema := c.spell(e, parameterSchema(t.def)[0], s.name)
	node.Content = append(node.Content, strNode("schema"), schema)
	if i := index(schema, "example"); i >= 0 { // the parameter has it, as a whole
		node.Content = append(node.Content, schema.Content[i:i+2]...)
		schema.Content = slices.Delete(schema.Content, i, i+2)
	}
	list := get(operation.node, "parameters")
	if list == nil {
		e.set(operation.node, "parameters", seqNode(0, node), "operationId", "tags", "summary", "description", "deprecated")
		return
	}
	behind := len(list.Content) - 1
	for _, before := range slices.Backward(earlier) {
		if i := slices.IndexFunc(ours, func(o parameter) bool { return o.id == before.id && slices.Contains(list.Content, o.at.node) }); i >= 0 {
			behind = slices.Index(list.Content, ours[i].at.node)
			break
		}
	}
	e.add(list, behind, node)
}

// requestBody compares the request bodies.
func (c *comparison) requestBody(s spot, our, their place) {
	s.where = "request body"
	o, t := c.ours.follow(our.child("requestBody")), c.theirs.follow(their.child("requestBody"))
	required := isTrue(get(t.node, "required"))
	switch {
	case !o.exists() && !t.exists():
		return
	case !t.exists():
		c.differ(s, o.ptr, "present", "true", breaks("the Go method takes no body any more"), "is gone", wish{
			edit: func(e *editor) { e.remove(our.node, "requestBody") },
		})
		return
	case !o.exists():
		c.differ(s, our.ptr+"/requestBody", "present", "false", breaks("the Go method takes a body"), "is new", wish{
			edit: func(e *editor) {
				node := mapNode(strNode("description"), strNode(Placeholder), strNode("required"), boolNode(required))
				node.Content = append(node.Content, strNode("content"), c.content(e, s.name+"Request", t))
				e.set(our.node, "requestBody", node, "operationId", "tags", "summary", "description", "deprecated", "parameters")
			},
		})
		return
	}
	if was := isTrue(get(o.node, "required")); was != required {
		v, what := passes("the Go method takes it as before"), "is optional"
		if required {
			v, what = breaks("a request without it is refused from now on"), "is required"
		}
		c.differ(s, o.ptr, "required", fmt.Sprint(was), v, what, wish{
			edit: func(e *editor) { e.set(o.node, "required", boolNode(required), "description") },
		})
	}
	s.name += "Request"
	c.contents(s, o, t)
}

func (c *comparison) responses(s spot, our, their place) {
	s.answer = true
	base := s.name
	o, t := our.child("responses"), their.child("responses")
	for _, theirs := range t.members() {
		if strings.HasPrefix(theirs.key, "x-") {
			continue
		}
		s.where, s.name = theirs.key+" response", base+"Response"+camel(theirs.key)
		ours := o.child(theirs.key)
		if !ours.exists() {
			c.differ(s, o.ptr+"/"+theirs.key, "present", "false", passes("one more answer that is told apart"), "is new", wish{
				edit: func(e *editor) { c.addResponse(e, s, our, o, theirs) },
			})
			continue
		}
		c.visit(s, ours)
		c.contents(s, c.ours.follow(ours), c.theirs.follow(theirs))
	}
	for _, ours := range o.members() {
		if !t.child(ours.key).exists() && !strings.HasPrefix(ours.key, "x-") {
			s.where = ours.key + " response"
			c.differ(s, ours.ptr, "present", "true", breaks("its accessors on the Go response are gone"), "is gone", wish{
				edit: func(e *editor) { e.remove(o.node, ours.key) },
			})
		}
	}
}

func (c *comparison) addResponse(e *editor, s spot, operation, all, theirs place) {
	node := mapNode(strNode("description"), strNode(Placeholder))
	if content := c.content(e, s.name, c.theirs.follow(theirs)); len(content.Content) > 0 {
		node.Content = append(node.Content, strNode("content"), content)
	}
	if !all.exists() || len(all.node.Content) == 0 {
		e.set(operation.node, "responses", mapNode(strNode(theirs.key), node))
		return
	}
	before := slices.DeleteFunc(keys(all.node), func(status string) bool { return status > theirs.key })
	e.set(all.node, theirs.key, node, before...)
}

// media is a content type without its parameters.
func media(contentType string) string {
	plain, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(plain))
}

// contents compares the content types of two bodies, and their schemas.
func (c *comparison) contents(s spot, o, t place) {
	ours, theirs := o.child("content"), t.child("content")
	for _, their := range theirs.members() {
		at := slices.IndexFunc(ours.members(), func(our place) bool { return media(our.key) == media(their.key) })
		if at < 0 {
			c.differ(s, ours.ptr+"/"+escape(their.key), "present", "false", passes("one content type more"), "may be "+their.key, wish{
				edit: func(e *editor) {
					if ours.exists() {
						e.set(ours.node, their.key, c.mediaType(e, s.name, their))
					} else {
						e.set(o.node, "content", mapNode(strNode(their.key), c.mediaType(e, s.name, their)), "description", "required")
					}
				},
			})
			continue
		}
		our := ours.members()[at]
		c.schema(s, orAny(our.child("schema"), our.child("schema")), orAny(their.child("schema"), their.child("schema")), true)
	}
	for _, our := range ours.members() {
		if !slices.ContainsFunc(theirs.members(), func(their place) bool { return media(our.key) == media(their.key) }) {
			c.differ(s, our.ptr, "present", "true", breaks("the Go type for it is gone"), "is never "+our.key+" any more", wish{
				edit: func(e *editor) { e.remove(ours.node, our.key) },
			})
		}
	}
}

func (c *comparison) content(e *editor, name string, t place) *yaml.Node {
	content := mapNode()
	for _, their := range t.child("content").members() {
		content.Content = append(content.Content, strNode(their.key), c.mediaType(e, name, their))
	}
	return content
}

func (c *comparison) mediaType(e *editor, name string, their place) *yaml.Node {
	if !their.child("schema").exists() {
		return mapNode()
	}
	return mapNode(strNode("schema"), c.spell(e, their.child("schema"), name))
}

// security compares who may call an operation, by what the schemes are and not by their names.
func (c *comparison) security(s spot, our, their place) {
	s.where = "security"
	was, is := c.ours.schemes(our), c.theirs.schemes(their)
	if slices.Equal(was, is) {
		return
	}
	c.differ(s, our.ptr+"/security", "security", strconv.Quote(strings.Join(was, " or ")), breaks("a call has to prove itself in another way"),
		fmt.Sprintf("is %s, was %s", orNone(strings.Join(is, " or ")), orNone(strings.Join(was, " or "))), wish{
			edit: func(e *editor) { c.setSecurity(e, our, their) },
		})
}

// requirements is what an operation says about security, or the document for it.
func (d *document) requirements(operation place) place {
	if own := operation.child("security"); own.exists() {
		return own
	}
	return d.top().child("security")
}

// schemes are the alternatives of an operation's security, each as what its schemes are.
func (d *document) schemes(operation place) []string {
	var list []string
	for _, alternative := range d.requirements(operation).items() {
		var all []string
		for _, name := range keys(alternative.node) {
			all = append(all, d.scheme(name))
		}
		slices.Sort(all)
		list = append(list, cmp.Or(strings.Join(all, " with "), "nobody in particular"))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (d *document) scheme(name string) string {
	p := d.follow(d.top().child("components").child("securitySchemes").child(name))
	if !p.exists() {
		d.fail(d.top(), "the security scheme %s is not there", name)
	}
	var parts []string
	for _, key := range []string{"type", "scheme", "in", "name", "openIdConnectUrl"} {
		if said := scalar(get(p.node, key)); said != "" {
			if key == "scheme" {
				said = strings.ToLower(said)
			}
			parts = append(parts, said)
		}
	}
	return strings.Join(parts, " ")
}

// setSecurity writes upstream's requirements to an operation, with schemes of ours where ours
// are the same.
func (c *comparison) setSecurity(e *editor, our, their place) {
	known := map[string]string{}
	schemes := c.ours.top().child("components").child("securitySchemes")
	for _, name := range slices.Backward(keys(schemes.node)) {
		known[c.ours.scheme(name)] = name
	}
	all := seqNode(0)
	for _, alternative := range c.theirs.requirements(their).items() {
		one := mapNode()
		for _, member := range alternative.members() {
			name, ok := known[c.theirs.scheme(member.key)]
			if !ok {
				name = member.key
				for index(schemes.node, name) >= 0 || slices.Contains(slices.Collect(maps.Values(known)), name) {
					name += "2"
				}
				known[c.theirs.scheme(member.key)] = name
				def := bare(c.theirs.top().child("components").child("securitySchemes").child(member.key).node)
				if i := index(def, "description"); i >= 0 {
					def.Content = slices.Delete(def.Content, i, i+2)
				}
				def.Content = append(def.Content, strNode("description"), strNode(Placeholder))
				e.component("securitySchemes", name, encode(mapNode(strNode(name), def)))
			}
			one.Content = append(one.Content, strNode(name), bare(member.node))
		}
		all.Content = append(all.Content, one)
	}
	if len(all.Content) == 0 {
		all.Style = yaml.FlowStyle
	}
	e.set(our.node, "security", all, "operationId", "tags", "summary", "description", "deprecated", "parameters")
}
