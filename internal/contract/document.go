package contract

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/go-openapi/jsonpointer"
	"go.yaml.in/yaml/v3"
)

// document is an OpenAPI document as YAML nodes. Only the nodes that the comparison reaches are
// validated.
type document struct {
	name string
	root *yaml.Node
	err  error // the first node that was reached and is invalid
}

// parse reads an OpenAPI 3 document, in YAML or JSON.
func parse(name string, src []byte) (*document, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	if plain := jsontext.Value(slices.Clone(src)); plain.Format() == nil {
		src = plain // JSON without surrogate pairs, which YAML does not allow
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, fmt.Errorf("%s is neither YAML nor JSON: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s is not an OpenAPI document: it is empty", name)
	}
	resolve(&doc)
	d := &document{name: name, root: doc.Content[0]}
	version := scalar(get(d.root, "openapi"))
	switch {
	case d.root.Kind != yaml.MappingNode:
		return nil, fmt.Errorf("%s is not an OpenAPI document: it is not an object", name)
	case get(d.root, "swagger") != nil:
		return nil, fmt.Errorf("%s is a Swagger %s document; OpenAPI 3 is required", name, scalar(get(d.root, "swagger")))
	case !strings.HasPrefix(version, "3."):
		return nil, fmt.Errorf("%s is not an OpenAPI 3 document: its openapi is %q", name, version)
	case kind(get(d.root, "paths")) != yaml.MappingNode:
		return nil, fmt.Errorf("%s is not an OpenAPI document: it has no paths", name)
	}
	return d, nil
}

// resolve replaces the YAML aliases below n with the nodes that they refer to.
func resolve(n *yaml.Node) {
	for i, item := range n.Content {
		if item.Kind == yaml.AliasNode {
			n.Content[i] = item.Alias
		} else {
			resolve(item)
		}
	}
}

// place is a node and its location in a document.
type place struct {
	node *yaml.Node // nil if the place does not exist
	ptr  string     // JSON pointer, from "#"
	in   *place     // the mapping or sequence that contains it
	key  string     // its key in a mapping
	uses []use      // the references that were followed to reach it
}

// use is one reference: the mapping that contains the $ref, and its target.
type use struct {
	at *yaml.Node
	to string
}

func (p place) exists() bool { return p.node != nil }

// child returns the value of key in a mapping.
func (p place) child(key string) place {
	ptr := p.ptr + "/" + jsonpointer.Escape(key)
	return place{node: get(p.node, key), ptr: ptr, in: &p, key: key, uses: p.uses}
}

// items returns the elements of a sequence.
func (p place) items() []place {
	var list []place
	if kind(p.node) == yaml.SequenceNode {
		for i, n := range p.node.Content {
			list = append(list, place{node: n, ptr: fmt.Sprintf("%s/%d", p.ptr, i), in: &p, uses: p.uses})
		}
	}
	return list
}

// members returns the values of a mapping, in order.
func (p place) members() []place {
	var list []place
	for _, key := range keys(p.node) {
		list = append(list, p.child(key))
	}
	return list
}

// cut removes the node at a place, and then its container if that is empty and not required.
func (p place) cut() {
	if p.in.node.Kind == yaml.MappingNode {
		remove(p.in.node, p.key)
	} else {
		p.in.node.Content = slices.DeleteFunc(p.in.node.Content, func(n *yaml.Node) bool { return n == p.node })
	}
	if len(p.in.node.Content) == 0 && p.in.key != "responses" {
		remove(p.in.in.node, p.in.key)
	}
}

func (d *document) top() place { return place{node: d.root, ptr: "#"} }

func (d *document) schemas() place { return d.top().child("components").child("schemas") }

func (d *document) fail(p place, format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%s at %s: %s", d.name, p.ptr, fmt.Sprintf(format, args...))
	}
}

// follow resolves references until the node at p is not one.
func (d *document) follow(p place) place {
	for range 32 {
		ref := get(p.node, "$ref")
		if ref == nil {
			return p
		}
		p = d.target(p, scalar(ref))
	}
	d.fail(p, "the reference leads back to itself")
	return place{ptr: p.ptr}
}

// target returns the place that ref refers to. The reference is at p.
func (d *document) target(p place, ref string) place {
	if !strings.HasPrefix(ref, "#/") {
		d.fail(p, "refers to %q, which is outside of the document", ref)
		return place{ptr: ref}
	}
	to := d.at(ref)
	if !to.exists() {
		d.fail(p, "refers to %s, which does not exist", ref)
	}
	to.uses = append(slices.Clip(p.uses), use{at: p.node, to: to.ptr})
	return to
}

// at returns the place at a JSON pointer that begins with "#/". An element of a sequence, such as a
// parameter, may be given by its name instead of its index.
func (d *document) at(pointer string) place {
	p := d.top()
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		if plain, err := url.PathUnescape(token); err == nil {
			token = plain
		}
		token = jsonpointer.Unescape(token)
		if kind(p.node) != yaml.SequenceNode {
			p = p.child(token)
			continue
		}
		items := p.items()
		i := slices.IndexFunc(items, func(item place) bool {
			return strings.HasSuffix(item.ptr, "/"+token) || scalar(get(item.node, "name")) == token
		})
		if i < 0 {
			return place{ptr: pointer}
		}
		p = items[i]
	}
	return p
}

func kind(n *yaml.Node) yaml.Kind {
	if n == nil {
		return 0
	}
	return n.Kind
}

// index returns the position of key in the content of a mapping, or -1.
func index(n *yaml.Node, key string) int {
	if i := slices.Index(keys(n), key); i >= 0 {
		return 2 * i
	}
	return -1
}

func get(n *yaml.Node, key string) *yaml.Node {
	if i := index(n, key); i >= 0 {
		return n.Content[i+1]
	}
	return nil
}

func keys(n *yaml.Node) []string {
	var list []string
	if kind(n) == yaml.MappingNode {
		for entry := range slices.Chunk(n.Content, 2) {
			list = append(list, entry[0].Value)
		}
	}
	return list
}

// some returns the items of a sequence, or a scalar as the only item.
func some(n *yaml.Node) []*yaml.Node {
	switch kind(n) {
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	case yaml.SequenceNode:
		return n.Content
	default:
		return nil
	}
}

func scalar(n *yaml.Node) string {
	if kind(n) != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

func isTrue(n *yaml.Node) bool { return scalar(n) == "true" }

// canonical returns a value as JSON, so that 1 and 1.0, or two notations of a string, are equal.
func canonical(n *yaml.Node) string {
	var v any
	if n != nil && n.Decode(&v) != nil {
		return "null"
	}
	out, _ := json.Marshal(v) // empty if a key is not a string
	return cmp.Or(string(out), "null")
}

func contains(values []*yaml.Node, n *yaml.Node) bool {
	return slices.ContainsFunc(values, func(other *yaml.Node) bool { return canonical(other) == canonical(n) })
}

// set sets the value of key in the mapping m. A new key is inserted behind those of the keys in
// after that m has, or else at the end.
func set(m *yaml.Node, key string, to *yaml.Node, after ...string) {
	if i := index(m, key); i >= 0 {
		to.LineComment = cmp.Or(to.LineComment, m.Content[i+1].LineComment)
		m.Content[i+1] = to
		return
	}
	if len(m.Content) == 0 {
		m.Style &^= yaml.FlowStyle
	}
	at := len(m.Content)
	if slices.ContainsFunc(after, func(k string) bool { return index(m, k) >= 0 }) {
		at = 0
		for _, k := range after {
			at = max(at, index(m, k)+2)
		}
	}
	m.Content = slices.Insert(m.Content, at, strNode(key), to)
}

// extract returns a mapping with the entries of m whose keys satisfy which.
func extract(m *yaml.Node, which func(key string) bool) *yaml.Node {
	part := mapNode()
	for _, key := range keys(m) {
		if which(key) {
			set(part, key, get(m, key))
		}
	}
	return part
}

// ensure returns the value of key in the mapping m, and first adds empty if m does not have key.
func ensure(m *yaml.Node, key string, empty *yaml.Node, after ...string) *yaml.Node {
	if value := get(m, key); value != nil {
		return value
	}
	set(m, key, empty, after...)
	return empty
}

func remove(m *yaml.Node, key string) {
	if i := index(m, key); i >= 0 {
		m.Content = slices.Delete(m.Content, i, i+2)
	}
}

// drop removes items from the sequence at key of m, and key itself if no item is left.
func drop(m *yaml.Node, key string, which func(*yaml.Node) bool) {
	list := get(m, key)
	if list == nil {
		return
	}
	list.Content = slices.DeleteFunc(list.Content, which)
	if len(list.Content) == 0 {
		remove(m, key)
	}
}

func scalarNode(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

func strNode(s string) *yaml.Node { return scalarNode("!!str", s) }

func boolNode(b bool) *yaml.Node { return scalarNode("!!bool", strconv.FormatBool(b)) }

func mapNode(entries ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: entries}
}

func entry(key string, value *yaml.Node) *yaml.Node { return mapNode(strNode(key), value) }

func seqNode(style yaml.Style, items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: style, Content: items}
}

// bare copies a value without the comments and the style of its document.
func bare(n *yaml.Node) *yaml.Node {
	c := &yaml.Node{Kind: n.Kind, Tag: n.ShortTag(), Value: n.Value}
	for _, item := range n.Content {
		c.Content = append(c.Content, bare(item))
	}
	if c.Kind == yaml.SequenceNode {
		c.Style = yaml.FlowStyle
	}
	return c
}

// clone copies a node with its comments and style.
func clone(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, item := range n.Content {
		c.Content = append(c.Content, clone(item))
	}
	return &c
}

// free returns a key that a mapping does not have: name, or name with a number.
func free(m *yaml.Node, name string) string {
	numbered := name
	for i := 2; index(m, numbered) >= 0; i++ {
		numbered = fmt.Sprint(name, i)
	}
	return numbered
}

// sorted adds an entry to a mapping whose keys are sorted.
func sorted(m *yaml.Node, key string, to *yaml.Node) {
	at := 0
	for at < len(m.Content) && m.Content[at].Value < key {
		at += 2
	}
	m.Style &^= yaml.FlowStyle
	m.Content = slices.Insert(m.Content, at, strNode(key), to)
}

// unused returns the schemas that nothing refers to, except those in except.
func (d *document) unused(except []string) []string {
	text := encode(d.root)
	return slices.DeleteFunc(keys(d.schemas().node), func(name string) bool {
		ref := regexp.QuoteMeta("#/components/schemas/" + jsonpointer.Escape(name))
		return slices.Contains(except, name) || regexp.MustCompile(ref+`[^\w.-]`).MatchString(text)
	})
}

// encode returns a node as YAML, indented by two.
func encode(n *yaml.Node) string {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		panic(err) // never, since the nodes were parsed or built by this package
	}
	return out.String()
}
