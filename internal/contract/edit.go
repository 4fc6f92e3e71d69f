package contract

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// editor changes a document as text, so that whatever is not changed stays as it is, byte for
// byte. The changes of one editor are made together, by Bytes.
type editor struct {
	doc     *document
	lines   []int // the offset of each line, and of the end
	parents map[*yaml.Node]*yaml.Node
	cuts    []cut
	taken   []string // names of components that the changes add
	err     error
}

// cut is a stretch of text and what takes its place.
type cut struct {
	from, to int
	text     string
	name     string // of a component, which goes before a later one at the same place
}

func newEditor(d *document) *editor {
	e := &editor{doc: d, lines: []int{0}, parents: map[*yaml.Node]*yaml.Node{}}
	for i, b := range d.src {
		if b == '\n' {
			e.lines = append(e.lines, i+1)
		}
	}
	if e.lines[len(e.lines)-1] != len(d.src) {
		e.lines = append(e.lines, len(d.src))
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for _, child := range n.Content {
			e.parents[child] = n
			walk(child)
		}
	}
	walk(d.root)
	return e
}

// bytes is the text with all changes made.
func (e *editor) bytes() ([]byte, error) {
	slices.SortStableFunc(e.cuts, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.name, b.name))
	})
	var out bytes.Buffer
	at := 0
	for _, c := range e.cuts {
		if c.from < at && e.err == nil {
			e.err = fmt.Errorf("two changes meet at line %d", e.line(c.from))
		}
		if e.err != nil {
			return nil, e.err
		}
		out.Write(e.doc.src[at:c.from])
		out.WriteString(c.text)
		at = c.to
	}
	out.Write(e.doc.src[at:])
	return out.Bytes(), e.err
}

// set gives key of the mapping m a value. A new key stands behind the last of those in after
// that m has, or at the end.
func (e *editor) set(m *yaml.Node, key string, to *yaml.Node, after ...string) {
	i := index(m, key)
	switch {
	case e.flows(m):
		if i < 0 {
			m.Content = append(m.Content, strNode(key), to)
		} else {
			m.Content[i+1] = to
		}
		e.respell(m)
	case i < 0:
		last := len(m.Content) - 2
		if p := e.last(m, after); p >= 0 {
			last = p
		}
		e.insert(m, last, key, to)
	default:
		e.replace(m, i, to)
	}
}

// last is the position of the last of keys in m, or -1.
func (e *editor) last(m *yaml.Node, keys []string) int {
	at := -1
	for _, key := range keys {
		at = max(at, index(m, key))
	}
	return at
}

// insert writes a new entry behind the one at position i.
func (e *editor) insert(m *yaml.Node, i int, key string, to *yaml.Node) {
	column := m.Content[0].Column
	_, end := e.span(m, i)
	e.cut(end, end, e.newline(end)+indent(encode(mapNode(strNode(key), to)), column, column))
}

// replace gives the entry at position i another value, and keeps the comment at the end of its
// line where both values fit on one.
func (e *editor) replace(m *yaml.Node, i int, to *yaml.Node) {
	key, from := m.Content[i], m.Content[i+1]
	if start, end, ok := e.inline(from); ok && short(to) {
		e.cut(start, end, flow(to))
		return
	}
	start, end := e.offset(key), 0
	_, end = e.span(m, i)
	e.cut(start, end, indent(encode(mapNode(strNode(key.Value), to)), 1, key.Column))
}

// swap puts an entry in the place of another one.
func (e *editor) swap(m *yaml.Node, key, newKey string, to *yaml.Node) {
	i := index(m, key)
	switch {
	case key == newKey:
		e.set(m, key, to)
	case e.flows(m):
		m.Content[i], m.Content[i+1] = strNode(newKey), to
		e.respell(m)
	default:
		at := m.Content[i]
		_, end := e.span(m, i)
		e.cut(e.offset(at), end, indent(encode(mapNode(strNode(newKey), to)), 1, at.Column))
	}
}

// component adds a named part, where its name sorts in. Text is its entry at the left margin.
func (e *editor) component(section, name, text string) {
	m := get(get(e.doc.root, "components"), section)
	if e.flows(m) {
		e.fail(m)
		return
	}
	column := m.Content[0].Column
	at, _ := e.span(m, 0)
	for i := 0; i < len(m.Content) && m.Content[i].Value < name; i += 2 {
		_, at = e.span(m, i)
	}
	e.cuts = append(e.cuts, cut{at, at, e.newline(at) + indent(text, column, column), name})
}

// free takes a name for a schema: name, or name with a number where a schema has it already.
func (e *editor) free(name string) string {
	schemas := get(get(e.doc.root, "components"), "schemas")
	for i := 1; ; i++ {
		numbered := name
		if i > 1 {
			numbered = fmt.Sprint(name, i)
		}
		if index(schemas, numbered) < 0 && !slices.Contains(e.taken, numbered) {
			e.taken = append(e.taken, numbered)
			return numbered
		}
	}
}

// has reports whether a schema is there, or will be.
func (e *editor) has(pointer string) bool {
	name, ok := strings.CutPrefix(pointer, "#/components/schemas/")
	return ok && (slices.Contains(e.taken, unescaped.Replace(name)) || e.doc.at(pointer).exists())
}

// remove takes key out of m, and m out of what holds it where nothing else is in it.
func (e *editor) remove(m *yaml.Node, key string) {
	i := index(m, key)
	switch {
	case i < 0:
	case len(m.Content) == 2 && e.parents[m] != nil:
		e.drop(m)
	case e.flows(m):
		m.Content = slices.Delete(m.Content, i, i+2)
		e.respell(m)
	default:
		start, end := e.span(m, i)
		if !e.opens(m.Content[i]) && i+2 < len(m.Content) { // behind the dash of an item
			end = e.offset(m.Content[i+2])
		}
		e.cut(start, end, "")
	}
}

// drop takes n out of the mapping or the sequence that holds it.
func (e *editor) drop(n *yaml.Node) {
	parent := e.parents[n]
	at := slices.Index(parent.Content, n)
	switch {
	case parent.Kind == yaml.MappingNode:
		e.remove(parent, parent.Content[at-1].Value)
	case len(parent.Content) == 1:
		e.drop(parent)
	case e.flows(parent):
		parent.Content = slices.Delete(parent.Content, at, at+1)
		e.respell(parent)
	default:
		start, end := e.itemSpan(parent, at)
		e.cut(start, end, "")
	}
}

// add writes a new item into the sequence s behind the one at position i, or first if i is -1.
func (e *editor) add(s *yaml.Node, i int, to *yaml.Node) {
	if e.flows(s) {
		s.Content = slices.Insert(s.Content, i+1, to)
		e.respell(s)
		return
	}
	end := e.lines[s.Line-1]
	if i >= 0 {
		_, end = e.itemSpan(s, i)
	}
	item := strings.TrimPrefix(encode(seqNode(0, to)), "")
	e.cut(end, end, e.newline(end)+indent(item, s.Column, s.Column))
}

// put gives a place another node altogether.
func (e *editor) put(p place, to *yaml.Node) {
	if p.parent.Kind == yaml.MappingNode {
		e.set(p.parent, p.key, to)
		return
	}
	at := slices.IndexFunc(p.parent.Content, func(n *yaml.Node) bool { return deref(n) == p.node })
	if e.flows(p.parent) {
		p.parent.Content[at] = to
		e.respell(p.parent)
		return
	}
	start, end := e.itemSpan(p.parent, at)
	e.cut(start, end, indent(encode(seqNode(0, to)), p.parent.Column, p.parent.Column))
}

// flows reports whether n is written in brackets, where there are no lines to work on.
func (e *editor) flows(n *yaml.Node) bool {
	return n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0
}

// respell writes the value that holds n anew, up to the nearest entry that has its own line.
func (e *editor) respell(n *yaml.Node) {
	for parent := e.parents[n]; parent != nil; n, parent = parent, e.parents[parent] {
		if e.flows(parent) {
			continue
		}
		start, end, ok := e.inline(n)
		if !ok {
			break
		}
		e.cuts = slices.DeleteFunc(e.cuts, func(c cut) bool { return c.from == start && c.to == end })
		if line := flow(n); string(e.doc.src[start:end]) != "{}" && !strings.Contains(line, "\n") {
			e.cut(start, end, line)
			return
		}
		block(n) // there was nothing in the brackets yet, or there are comments
		at := slices.Index(parent.Content, n)
		if parent.Kind == yaml.SequenceNode {
			start, end = e.itemSpan(parent, at)
			e.cut(start, end, indent(encode(seqNode(0, n)), parent.Column, parent.Column))
			return
		}
		key := parent.Content[at-1]
		_, end = e.span(parent, at-1)
		e.cut(e.offset(key), end, indent(encode(mapNode(strNode(key.Value), n)), 1, key.Column))
		return
	}
	e.fail(n)
}

// block turns mappings in brackets into lines.
func block(n *yaml.Node) {
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		n.Style &^= yaml.FlowStyle
	}
	for _, child := range n.Content {
		block(child)
	}
}

func (e *editor) cut(from, to int, text string) {
	e.cuts = append(e.cuts, cut{from: from, to: to, text: text})
}

func (e *editor) fail(n *yaml.Node) {
	if e.err == nil {
		e.err = fmt.Errorf("%s:%d: cannot change what is written like this", e.doc.name, n.Line)
	}
}

// newline is what has to come before text at offset so that it begins a line.
func (e *editor) newline(offset int) string {
	if offset > 0 && e.doc.src[offset-1] != '\n' {
		return "\n"
	}
	return ""
}

// span is the text of the entry at position i of a mapping: its lines, with the comment right
// above it and without the blank lines and comments behind it.
func (e *editor) span(m *yaml.Node, i int) (int, int) {
	key, val := m.Content[i], m.Content[i+1]
	end := e.below(key.Line, key.Column, val.Kind == yaml.SequenceNode)
	if !e.opens(key) {
		return e.offset(key), end
	}
	line := key.Line
	for key.HeadComment != "" && line > 1 && strings.HasPrefix(strings.TrimSpace(e.text(line-1)), "#") {
		line--
	}
	return e.lines[line-1], end
}

// itemSpan is the same for the item at position i of a sequence.
func (e *editor) itemSpan(s *yaml.Node, i int) (int, int) {
	line := s.Content[i].Line
	for line > s.Line && !strings.HasPrefix(strings.TrimLeft(e.text(line), " "), "-") {
		line--
	}
	return e.lines[line-1], e.below(line, s.Column, false)
}

// below is the end of the lines that belong to what begins on line at column: those that are
// further in, up to the last one that is no comment or, where dashes, a sequence not further in.
func (e *editor) below(line, column int, dashes bool) int {
	last := line
	for next := line + 1; next < len(e.lines); next++ {
		text := e.text(next)
		trimmed := strings.TrimSpace(text)
		in := len(text) - len(strings.TrimLeft(text, " ")) + 1
		switch {
		case trimmed == "":
		case in > column, dashes && in == column && strings.HasPrefix(trimmed, "-"):
			last = next
		case !strings.HasPrefix(trimmed, "#"):
			return e.lines[last]
		}
	}
	return e.lines[last]
}

// inline is where a value stands that is all on one line, or in brackets.
func (e *editor) inline(n *yaml.Node) (int, int, bool) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return 0, 0, false
	}
	start := e.offset(n)
	rest := string(e.doc.src[start:])
	end := -1
	switch {
	case n.Kind != yaml.ScalarNode:
		if n.Style&yaml.FlowStyle == 0 && len(n.Content) > 0 {
			return 0, 0, false
		}
		end = closing(rest)
	case n.Style == yaml.DoubleQuotedStyle:
		end = quoted(rest)
	case n.Style == yaml.SingleQuotedStyle:
		end = quoted(rest)
	default:
		line, _, _ := strings.Cut(rest, "\n")
		line, _, _ = strings.Cut(line, " #")
		end = len(strings.TrimRight(line, " \t\r"))
	}
	if end < 0 {
		return 0, 0, false
	}
	var again yaml.Node
	if err := yaml.Unmarshal([]byte(rest[:end]), &again); err != nil || n.Kind == yaml.ScalarNode && (len(again.Content) == 0 || again.Content[0].Value != n.Value) {
		return 0, 0, false // it goes on on another line
	}
	return start, start + end, true
}

// closing is the length of a collection in brackets.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"', '\'':
			if strings.ContainsRune(" [{,:", rune(s[max(i-1, 0)])) {
				i += max(quoted(s[i:])-1, 0)
			}
		case '#':
			if s[max(i-1, 0)] == ' ' {
				i += strings.IndexByte(s[i:]+"\n", '\n')
			}
		}
	}
	return -1
}

// quoted is the length of a string in quotes.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[0] == '"' && s[i] == '\\', s[0] == '\'' && strings.HasPrefix(s[i:], "''"):
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return -1
}

// opens reports whether a key is the first thing on its line.
func (e *editor) opens(key *yaml.Node) bool {
	return strings.TrimSpace(string(e.doc.src[e.lines[key.Line-1]:e.offset(key)])) == ""
}

func (e *editor) text(line int) string {
	return strings.TrimRight(string(e.doc.src[e.lines[line-1]:e.lines[line]]), "\r\n")
}

func (e *editor) line(offset int) int {
	i, found := slices.BinarySearch(e.lines, offset)
	if found {
		return i + 1
	}
	return i
}

// offset is where a node begins. YAML counts columns in characters.
func (e *editor) offset(n *yaml.Node) int {
	at := e.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(e.doc.src[at:])
		at += size
	}
	return at
}

// short reports whether a node is written on one line.
func short(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.ScalarNode:
		return !strings.Contains(n.Value, "\n")
	case n.Kind == yaml.SequenceNode && n.Style&yaml.FlowStyle != 0:
		return !slices.ContainsFunc(n.Content, func(item *yaml.Node) bool { return !short(item) })
	default:
		return len(n.Content) == 0
	}
}

// flow is a short node as text.
func flow(n *yaml.Node) string { return strings.TrimSuffix(encode(n), "\n") }

// encode is a node as text at the left margin, indented by two.
func encode(n *yaml.Node) string {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		panic(err) // the nodes are our own
	}
	return out.String()
}

// indent moves text to a column, its first line to another.
func indent(text string, first, rest int) string {
	var out strings.Builder
	margin := first
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			out.WriteString(strings.Repeat(" ", margin-1))
		}
		out.WriteString(line)
		margin = rest
	}
	return out.String()
}

// dedent moves text whose lines but the first stand at a column to the left margin.
func dedent(text string, column int) string {
	return strings.ReplaceAll(text, "\n"+strings.Repeat(" ", column-1), "\n")
}
