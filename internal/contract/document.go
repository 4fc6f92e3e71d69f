package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is an OpenAPI document as the nodes of its YAML. Only what the walk reaches is ever
// looked at, so the rest of it may be as wrong as it likes.
type document struct {
	name string
	src  []byte
	root *yaml.Node
	err  error // the first thing that the walk reached and could not use
}

// parse reads an OpenAPI 3 document, in YAML or JSON.
func parse(name string, src []byte) (*document, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	root, err := nodes(src)
	if err != nil {
		return nil, fmt.Errorf("%s is neither YAML nor JSON: %w", name, err)
	}
	d := &document{name: name, src: src, root: root}
	version := scalar(get(root, "openapi"))
	switch {
	case root.Kind != yaml.MappingNode:
		return nil, fmt.Errorf("%s is no OpenAPI document: it is not an object", name)
	case get(root, "swagger") != nil:
		return nil, fmt.Errorf("%s is a Swagger %s document; OpenAPI 3 is wanted", name, scalar(get(root, "swagger")))
	case !strings.HasPrefix(version, "3."):
		return nil, fmt.Errorf("%s is no OpenAPI 3 document: its openapi is %q", name, version)
	case kind(get(root, "paths")) != yaml.MappingNode:
		return nil, fmt.Errorf("%s is no OpenAPI document: it has no paths", name)
	}
	return d, nil
}

func nodes(src []byte) (*yaml.Node, error) {
	if trimmed := bytes.TrimSpace(src); len(trimmed) > 0 && trimmed[0] == '{' {
		// YAML takes most JSON, but not a surrogate pair in an escape.
		dec := json.NewDecoder(bytes.NewReader(src))
		dec.UseNumber()
		n, err := jsonNode(dec)
		if err == nil {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				return n, nil
			}
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("it is empty")
	}
	return doc.Content[0], nil
}

// jsonNode reads the next JSON value in the order in which it is written.
func jsonNode(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if token == '{' {
			n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		for dec.More() {
			item, err := jsonNode(dec) // a name is read as any string is
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		_, err := dec.Token()
		return n, err
	case string:
		return strNode(token), nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(token.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: token.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(token)}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
}

// place is a node and the way to it.
type place struct {
	node   *yaml.Node // nil where there is nothing
	ptr    string     // JSON pointer, from "#"
	parent *yaml.Node // the mapping or sequence that holds it
	key    string     // its key in a mapping
	uses   []use      // the references that led here
}

// use is one reference: the mapping that holds the $ref, and where it leads.
type use struct {
	at *yaml.Node
	to string
}

func (p place) exists() bool { return p.node != nil }

// child is what a mapping holds under key.
func (p place) child(key string) place {
	return place{node: get(p.node, key), ptr: p.ptr + "/" + escape(key), parent: p.node, key: key, uses: p.uses}
}

// items are the elements of a sequence.
func (p place) items() []place {
	if kind(p.node) != yaml.SequenceNode {
		return nil
	}
	var list []place
	for i, n := range p.node.Content {
		list = append(list, place{node: deref(n), ptr: fmt.Sprintf("%s/%d", p.ptr, i), parent: p.node, uses: p.uses})
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

func (d *document) top() place { return place{node: d.root, ptr: "#"} }

func (d *document) fail(p place, format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%s at %s: %s", d.name, p.ptr, fmt.Sprintf(format, args...))
	}
}

// follow goes where p refers to, and stays where it does not.
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

// target is what ref, found at p, leads to.
func (d *document) target(p place, ref string) place {
	if !strings.HasPrefix(ref, "#/") {
		d.fail(p, "refers to %q, which is outside of the document", ref)
		return place{ptr: ref}
	}
	to := d.at(ref)
	if !to.exists() {
		d.fail(p, "refers to %s, which is not there", ref)
	}
	to.uses = append(slices.Clip(p.uses), use{at: p.node, to: to.ptr})
	return to
}

// at is what stands at a JSON pointer that begins with "#/".
func (d *document) at(pointer string) place {
	p := d.top()
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "#/"), "/") {
		if plain, err := url.PathUnescape(token); err == nil {
			token = plain
		}
		token = unescaped.Replace(token)
		if kind(p.node) == yaml.SequenceNode {
			p = item(p.items(), token)
			continue
		}
		p = p.child(token)
	}
	return p
}

// item is the one whose index is token or, in a list of parameters, whose name it is.
func item(items []place, token string) place {
	for i, p := range items {
		if fmt.Sprint(i) == token || scalar(get(p.node, "name")) == token {
			return p
		}
	}
	return place{}
}

// How JSON pointers write what has a meaning in them.
var (
	escaped   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaped = strings.NewReplacer("~1", "/", "~0", "~")
)

func escape(token string) string { return escaped.Replace(token) }

// deref is the node itself, or what it is an alias of.
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
	if kind(n) == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			list = append(list, n.Content[i].Value)
		}
	}
	return list
}

func scalar(n *yaml.Node) string {
	if kind(n) != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

func isTrue(n *yaml.Node) bool { return kind(n) == yaml.ScalarNode && n.Value == "true" }

// canonical is a value as JSON, so that 1 and 1.0, or two spellings of a string, are the same.
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

// The nodes that a change writes.

func strNode(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

func boolNode(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(b)}
}

func mapNode(entries ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: entries}
}

func seqNode(style yaml.Style, items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: style, Content: items}
}

// bare is a value without the comments and the style of the document that it comes from.
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
