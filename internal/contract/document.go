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
	var doc yaml.Node
	if err := yaml.Unmarshal(joinSurrogates(src), &doc); err != nil {
		return nil, fmt.Errorf("%s is neither YAML nor JSON: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s is not an OpenAPI document: it is empty", name)
	}
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

var surrogates = regexp.MustCompile(`\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)

// joinSurrogates replaces the surrogate pairs of JSON strings, which YAML does not allow, by the
// characters that they encode.
func joinSurrogates(src []byte) []byte {
	return surrogates.ReplaceAllFunc(src, func(match []byte) []byte {
		var text string
		if len(match) == 2 || json.Unmarshal([]byte(`"`+string(match)+`"`), &text) != nil {
			return match
		}
		return []byte(text)
	})
}

// place is a node and its location in a document.
type place struct {
	node *yaml.Node // nil if nothing is there
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

// child is the value of key in a mapping.
func (p place) child(key string) place {
	return place{node: get(p.node, key), ptr: p.ptr + "/" + jsonpointer.Escape(key), in: &p, key: key, uses: p.uses}
}

// items are the elements of a sequence.
func (p place) items() []place {
	var list []place
	if kind(p.node) == yaml.SequenceNode {
		for i, n := range p.node.Content {
			list = append(list, place{node: deref(n), ptr: fmt.Sprintf("%s/%d", p.ptr, i), in: &p, uses: p.uses})
		}
	}
	return list
}

// members are the entries of a mapping, in order.
func (p place) members() []place {
	var list []place
	for _, key := range keys(p.node) {
		list = append(list, p.child(key))
	}
	return list
}

// position is the index of an element in its sequence.
func (p place) position() int {
	return slices.IndexFunc(p.in.node.Content, func(n *yaml.Node) bool { return deref(n) == p.node })
}

// put replaces the node at a place.
func (p place) put(to *yaml.Node) {
	if p.in.node.Kind == yaml.MappingNode {
		set(p.in.node, p.key, to)
	} else {
		p.in.node.Content[p.position()] = to
	}
}

// cut removes the node at a place, and what contains it if that is empty then and not required.
func (p place) cut() {
	if p.in.node.Kind == yaml.MappingNode {
		remove(p.in.node, p.key)
	} else if i := p.position(); i >= 0 {
		p.in.node.Content = slices.Delete(p.in.node.Content, i, i+1)
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

// target is the place that ref, found at p, refers to.
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

// at is the place at a JSON pointer that begins with "#/". An element of a sequence may be given
// by its name instead of its index.
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

// deref resolves an alias.
func deref(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func kind(n *yaml.Node) yaml.Kind {
	if n = deref(n); n == nil {
		return 0
	}
	return n.Kind
}

// index is the position of key in the content of a mapping, or -1.
func index(n *yaml.Node, key string) int {
	if kind(n) == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return i
			}
		}
	}
	return -1
}

func get(n *yaml.Node, key string) *yaml.Node {
	n = deref(n)
	if i := index(n, key); i >= 0 {
		return deref(n.Content[i+1])
	}
	return nil
}

func keys(n *yaml.Node) []string {
	var list []string
	if n = deref(n); kind(n) == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			list = append(list, n.Content[i].Value)
		}
	}
	return list
}

// some are the items of a sequence, or a scalar alone.
func some(n *yaml.Node) []*yaml.Node {
	switch n = deref(n); kind(n) {
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	case yaml.SequenceNode:
		var items []*yaml.Node
		for _, item := range n.Content {
			items = append(items, deref(item))
		}
		return items
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

// canonical is a value as JSON, so that 1 and 1.0, or two notations of a string, are the same.
func canonical(n *yaml.Node) string {
	var v any
	if n == nil || n.Decode(&v) != nil {
		return "null"
	}
	out, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(out)
}

func contains(values []*yaml.Node, n *yaml.Node) bool {
	return slices.ContainsFunc(values, func(other *yaml.Node) bool { return canonical(other) == canonical(n) })
}

// The functions below change nodes.

// set gives key of the mapping m a value. A new key follows the last of those in after that m
// has, or is the last one.
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

// swap replaces an entry by another one.
func swap(m *yaml.Node, key, newKey string, to *yaml.Node) {
	i := index(m, key)
	m.Content = slices.Replace(m.Content, i, i+2, strNode(newKey), to)
}

// ensure is the value of key in the mapping m, to which empty is added if there is none.
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

// drop removes items from the sequence at key of m, and key itself if none is left.
func drop(m *yaml.Node, key string, which func(*yaml.Node) bool) {
	list := get(m, key)
	if list == nil {
		return
	}
	list.Content = slices.DeleteFunc(list.Content, func(n *yaml.Node) bool { return which(deref(n)) })
	if len(list.Content) == 0 {
		remove(m, key)
	}
}

func strNode(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func nullNode() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"} }

func boolNode(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

func mapNode(entries ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: entries}
}

func entry(key string, value *yaml.Node) *yaml.Node { return mapNode(strNode(key), value) }

func seqNode(style yaml.Style, items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: style, Content: items}
}

// bare copies a value without the comments and the style of its document.
func bare(n *yaml.Node) *yaml.Node {
	n = deref(n)
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

// free is a key that a mapping does not have: name, or name with a number.
func free(m *yaml.Node, name string) string {
	numbered := name
	for i := 2; index(m, numbered) >= 0; i++ {
		numbered = fmt.Sprint(name, i)
	}
	return numbered
}

// sorted adds an entry where its key sorts in.
func sorted(m *yaml.Node, key string, to *yaml.Node) {
	if len(m.Content) == 0 {
		m.Style &^= yaml.FlowStyle
	}
	at := 0
	for at < len(m.Content) && m.Content[at].Value < key {
		at += 2
	}
	m.Content = slices.Insert(m.Content, at, strNode(key), to)
}

// unused are the schemas that nothing refers to.
func (d *document) unused() []string {
	text := encode(d.root)
	return slices.DeleteFunc(keys(d.schemas().node), func(name string) bool {
		return regexp.MustCompile(regexp.QuoteMeta("#/components/schemas/"+jsonpointer.Escape(name)) + `[^\w.-]`).MatchString(text)
	})
}

// prune removes the schemas that are not used any more.
func (d *document) prune(before []string) {
	for {
		gone := slices.DeleteFunc(d.unused(), func(name string) bool { return slices.Contains(before, name) })
		if len(gone) == 0 {
			return
		}
		for _, name := range gone {
			remove(d.schemas().node, name)
		}
	}
}

// encode is a node as text, indented by two.
func encode(n *yaml.Node) string {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		panic(err) // the nodes are our own
	}
	return out.String()
}
