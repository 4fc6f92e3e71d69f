package contract

import (
	"cmp"
	"fmt"
	"maps"
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
				c.edits = append(c.edits, &edit{Change: Change{
					Operation: cmp.Or(scalar(get(their.node, "operationId")), name), At: "operation", Pointer: our.ptr, Decide: true,
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
		c.note("%s: its operationId is %s upstream; ours stays.", s.op, orNone(id))
	}
	c.parameters(s, path, our, their)
	c.requestBody(s, our, their)
	c.responses(s, our, their)
	c.security(s, our, their)
	was, is := isTrue(get(our.node, "deprecated")), isTrue(get(their.node, "deprecated"))
	s.part = "operation"
	c.differ(s, our.ptr, "deprecated", fmt.Sprint(was), fmt.Sprint(is), deprecated(is), edit{make: func() {
		remove(our.node, "deprecated")
		if is {
			set(our.node, "deprecated", boolNode(true), beforeParameters...)
		}
	}})
}

// parameter is a parameter of an operation, wherever it is defined.
type parameter struct {
	id       string // where it is, and its name or its index in the path
	name, in string
	required bool
	at       place // as it is listed
	def      place // as it is defined
}

// parametersOf lists the parameters of the path and of the operation, which override them.
func (d *document) parametersOf(path string, item, operation *yaml.Node, ptr string) []parameter {
	names := variable.FindAllString(path, -1)
	var list []parameter
	for _, level := range []place{{node: item, ptr: ptr[:strings.LastIndex(ptr, "/")]}, {node: operation, ptr: ptr}} {
		for _, at := range level.child("parameters").items() {
			def := d.follow(at)
			p := parameter{name: scalar(get(def.node, "name")), in: scalar(get(def.node, "in")), at: at, def: def}
			p.id, p.required = p.in+" "+p.name, isTrue(get(def.node, "required"))
			if p.in == "path" {
				p.id, p.required = "path "+strconv.Itoa(slices.Index(names, "{"+p.name+"}")), true
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

func (c *comparison) parameters(s position, path, our, their place) {
	ours := c.ours.parametersOf(path.key, path.node, our.node, our.ptr)
	theirs := c.theirs.parametersOf(their.key, their.parent, their.node, their.ptr)
	base := s.name
	for i, t := range theirs {
		s.part, s.name = t.in+" parameter "+t.name, base+"Params"+camel(t.name)
		at := slices.IndexFunc(ours, func(o parameter) bool { return o.id == t.id })
		if at < 0 {
			c.present(s, our.ptr+"/parameters/"+jsonpointer.Escape(t.name), false, true, newly(t.required), edit{
				make:   func() { c.addParameter(s, our, ours, theirs[:i], t) },
				Change: Change{narrows: s.needs(t.required)},
			})
			continue
		}
		o := ours[at]
		if o.name != t.name {
			c.note("%s: the %s parameter %s is called %s upstream; our name stays.", s.op, o.in, o.name, t.name)
			s.part = o.in + " parameter " + o.name
		}
		c.present(s, o.def.ptr, true, true, "", edit{})
		c.differ(s, o.def.ptr, "required", fmt.Sprint(o.required), fmt.Sprint(t.required), requiredly(t.required), edit{
			make:   func() { set(o.def.node, "required", boolNode(t.required), "name", "in") },
			Change: Change{narrows: s.needs(t.required)},
		})
		c.visit(s, o.def)
		c.style(s, o, t)
		c.schema(s, parameterSchema(o.def), parameterSchema(t.def))
	}
	for _, o := range ours {
		if o.in != "path" && !slices.ContainsFunc(theirs, func(t parameter) bool { return o.id == t.id }) {
			s.part = o.in + " parameter " + o.name
			c.present(s, o.def.ptr, true, false, "is gone", edit{make: func() {
				for _, level := range []*yaml.Node{our.node, path.node} {
					drop(level, "parameters", func(n *yaml.Node) bool { return n == o.at.node })
				}
			}})
		}
	}
}

// parameterSchema is the schema of a parameter, which may be that of a content type.
func parameterSchema(p place) []place {
	for _, content := range p.child("content").members() {
		p = content
	}
	return orAny(p.child("schema"), p.child("schema"))
}

// style compares how lists and objects are encoded in a query or a path.
func (c *comparison) style(s position, o, t parameter) {
	style := func(p parameter, key string) string {
		otherwise := map[string]string{"query": "form", "cookie": "form"}[p.in]
		if key == "explode" {
			otherwise = fmt.Sprint(otherwise == "form")
		}
		return cmp.Or(scalar(get(p.def.node, key)), otherwise, "simple")
	}
	for _, key := range []string{"style", "explode"} {
		was, is := style(o, key), style(t, key)
		c.differ(s, o.def.ptr, key, strconv.Quote(was), strconv.Quote(is), fmt.Sprintf("%s is %s, was %s", key, is, was), edit{
			make: func() {
				node := strNode(is)
				if key == "explode" {
					node = boolNode(is == "true")
				}
				set(o.def.node, key, node, "name", "in", "required", "description")
			},
			Change: Change{narrows: "requests encode it in another way"},
		})
	}
}

func (c *comparison) addParameter(s position, operation place, ours, earlier []parameter, t parameter) {
	node := mapNode(
		strNode("name"), strNode(t.name), strNode("in"), strNode(t.in),
		strNode("required"), boolNode(t.required), strNode("description"), strNode(Placeholder))
	for _, key := range []string{"style", "explode"} {
		if said := get(t.def.node, key); said != nil {
			set(node, key, bare(said))
		}
	}
	schema := c.spell(parameterSchema(t.def)[0], s.name)
	set(node, "schema", schema)
	if example := get(schema, "example"); example != nil { // that of the parameter as a whole
		remove(schema, "example")
		set(node, "example", example)
	}
	list := get(operation.node, "parameters")
	if list == nil {
		set(operation.node, "parameters", seqNode(0, node), beforeParameters...)
		return
	}
	at := len(list.Content)
	for _, before := range slices.Backward(earlier) {
		if i := slices.IndexFunc(ours, func(o parameter) bool { return o.id == before.id && slices.Contains(list.Content, o.at.node) }); i >= 0 {
			at = slices.Index(list.Content, ours[i].at.node) + 1
			break
		}
	}
	list.Content = slices.Insert(list.Content, at, node)
}

// requestBody compares the request bodies.
func (c *comparison) requestBody(s position, our, their place) {
	s.part = "request body"
	o, t := c.ours.follow(our.child("requestBody")), c.theirs.follow(their.child("requestBody"))
	was, is := isTrue(get(o.node, "required")), isTrue(get(t.node, "required"))
	name := s.name + "Request"
	what := newly(is)
	if !t.exists() {
		what = "is gone"
	}
	c.present(s, our.ptr+"/requestBody", o.exists(), t.exists(), what, edit{
		make: func() {
			remove(our.node, "requestBody")
			if t.exists() {
				node := mapNode(strNode("description"), strNode(Placeholder), strNode("required"), boolNode(is))
				set(node, "content", c.content(name, t))
				set(our.node, "requestBody", node, append(beforeParameters, "parameters")...)
			}
		},
		Change: Change{narrows: s.needs(is)},
	})
	if !o.exists() || !t.exists() {
		return
	}
	c.differ(s, o.ptr, "required", fmt.Sprint(was), fmt.Sprint(is), requiredly(is), edit{
		make:   func() { set(o.node, "required", boolNode(is), "description") },
		Change: Change{narrows: s.needs(is)},
	})
	s.name = name
	c.contents(s, o, t)
}

func (c *comparison) responses(s position, our, their place) {
	s.response = true
	base := s.name
	o, t := our.child("responses"), their.child("responses")
	for _, theirs := range t.members() {
		if strings.HasPrefix(theirs.key, "x-") {
			continue
		}
		s.part, s.name = theirs.key+" response", base+"Response"+camel(theirs.key)
		ours := o.child(theirs.key)
		c.present(s, ours.ptr, ours.exists(), true, "is new", edit{make: func() { c.addResponse(s, our, o, theirs) }})
		if ours.exists() {
			c.visit(s, ours)
			c.contents(s, c.ours.follow(ours), c.theirs.follow(theirs))
		}
	}
	for _, ours := range o.members() {
		if !t.child(ours.key).exists() && !strings.HasPrefix(ours.key, "x-") {
			s.part = ours.key + " response"
			c.present(s, ours.ptr, true, false, "is gone", edit{make: func() { remove(o.node, ours.key) }})
		}
	}
}

func (c *comparison) addResponse(s position, operation, all, theirs place) {
	node := entry("description", strNode(Placeholder))
	if content := c.content(s.name, c.theirs.follow(theirs)); len(content.Content) > 0 {
		set(node, "content", content)
	}
	if !all.exists() || len(all.node.Content) == 0 {
		set(operation.node, "responses", entry(theirs.key, node))
		return
	}
	at := 0
	for at < len(all.node.Content) && all.node.Content[at].Value < theirs.key {
		at += 2
	}
	all.node.Content = slices.Insert(slices.Clone(all.node.Content), at, strNode(theirs.key), node)
}

// media is a content type without its parameters.
func media(contentType string) string {
	plain, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(plain))
}

// contents compares the content types of two bodies, and their schemas.
func (c *comparison) contents(s position, o, t place) {
	ours, theirs := o.child("content"), t.child("content")
	find := func(content place, key string) place {
		for _, p := range content.members() {
			if media(p.key) == media(key) {
				return p
			}
		}
		return content.child(key)
	}
	for _, their := range theirs.members() {
		our := find(ours, their.key)
		c.present(s, our.ptr, our.exists(), true, "may be "+their.key, edit{make: func() {
			if !ours.exists() {
				set(o.node, "content", mapNode(), "description", "required")
			}
			set(get(o.node, "content"), their.key, c.mediaType(s.name, their))
		}})
		if our.exists() {
			c.schema(s, orAny(our.child("schema"), our.child("schema")), orAny(their.child("schema"), their.child("schema")))
		}
	}
	for _, our := range ours.members() {
		if !find(theirs, our.key).exists() {
			c.present(s, our.ptr, true, false, "is never "+our.key+" any more", edit{make: func() {
				if remove(ours.node, our.key); len(ours.node.Content) == 0 {
					remove(o.node, "content")
				}
			}})
		}
	}
}

func (c *comparison) content(name string, t place) *yaml.Node {
	content := mapNode()
	for _, their := range t.child("content").members() {
		set(content, their.key, c.mediaType(name, their))
	}
	return content
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
	for _, alternative := range c.theirs.requirements(their).items() {
		for _, name := range keys(alternative.node) {
			if !c.theirs.securitySchemes().child(name).exists() {
				c.note("%s: its security scheme %s is not defined upstream; ours stays.", s.op, name)
				return
			}
		}
	}
	was, is := strings.Join(c.ours.schemes(our), " or "), strings.Join(c.theirs.schemes(their), " or ")
	c.differ(s, our.ptr+"/security", "security", strconv.Quote(was), strconv.Quote(is), fmt.Sprintf("is %s, was %s", orNone(is), orNone(was)), edit{
		make:   func() { c.setSecurity(our, their) },
		Change: Change{narrows: "calls have to authenticate in another way"},
	})
}

// requirements are the security requirements of an operation, or of the document.
func (d *document) requirements(operation place) place {
	if own := operation.child("security"); own.exists() {
		return own
	}
	return d.top().child("security")
}

// schemes are the alternatives of an operation's security, each in terms of its schemes.
func (d *document) schemes(operation place) []string {
	var list []string
	for _, alternative := range d.requirements(operation).items() {
		var all []string
		for _, name := range keys(alternative.node) {
			all = append(all, d.scheme(name))
		}
		slices.Sort(all)
		list = append(list, cmp.Or(strings.Join(all, " with "), "anonymous"))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (d *document) securitySchemes() place {
	return d.top().child("components").child("securitySchemes")
}

func (d *document) scheme(name string) string {
	p := d.follow(d.securitySchemes().child(name))
	var parts []string
	for _, key := range []string{"type", "scheme", "in", "name", "openIdConnectUrl"} {
		if said := scalar(get(p.node, key)); key == "scheme" {
			parts = append(parts, strings.ToLower(said))
		} else {
			parts = append(parts, said)
		}
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// setSecurity gives an operation upstream's requirements, with the contract's schemes where they
// are the same.
func (c *comparison) setSecurity(our, their place) {
	known := map[string]string{}
	schemes := c.ours.securitySchemes()
	for _, name := range slices.Backward(keys(schemes.node)) {
		known[c.ours.scheme(name)] = name
	}
	all := seqNode(0)
	for _, alternative := range c.theirs.requirements(their).items() {
		one := mapNode()
		for _, member := range alternative.members() {
			scheme := c.theirs.scheme(member.key)
			name, ok := known[scheme]
			if !ok {
				name = member.key
				for index(schemes.node, name) >= 0 || slices.Contains(slices.Collect(maps.Values(known)), name) {
					name += "2"
				}
				known[scheme] = name
				def := bare(c.theirs.securitySchemes().child(member.key).node)
				remove(def, "description")
				set(def, "description", strNode(Placeholder))
				c.ours.insert("securitySchemes", name, def)
			}
			set(one, name, bare(member.node))
		}
		all.Content = append(all.Content, one)
	}
	if len(all.Content) == 0 {
		all.Style = yaml.FlowStyle
	}
	set(our.node, "security", all, append(beforeParameters, "parameters")...)
}
