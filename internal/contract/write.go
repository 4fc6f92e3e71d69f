package contract

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// writer turns a changed tree back into text. The text of whatever did not change stays as it is,
// byte for byte; only the entries of mappings and items of sequences that did are encoded.
type writer struct {
	src   []byte
	lines []int                     // the offset of each line, and of the end
	was   map[*yaml.Node]*yaml.Node // the nodes as they were read
	cuts  []cut
}

// cut is a range of the text and its replacement.
type cut struct {
	from, to int
	text     string
}

// newWriter remembers the tree below root, which was read from src, before it is changed.
func newWriter(src []byte, root *yaml.Node) *writer {
	w := &writer{src: src, lines: []int{0}, was: map[*yaml.Node]*yaml.Node{}}
	for i, b := range src {
		if b == '\n' {
			w.lines = append(w.lines, i+1)
		}
	}
	if w.lines[len(w.lines)-1] != len(src) {
		w.lines = append(w.lines, len(src))
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		c := *n
		c.Content = slices.Clone(n.Content)
		w.was[n] = &c
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(root)
	return w
}

// text is the tree below root as text.
func (w *writer) text(root *yaml.Node) []byte {
	w.cuts = nil
	if w.changed(root) && !w.compare(root) {
		return []byte(encode(root))
	}
	slices.SortStableFunc(w.cuts, func(a, b cut) int { return cmp.Compare(a.from, b.from) })
	var out bytes.Buffer
	at := 0
	for _, c := range w.cuts {
		out.Write(w.src[at:c.from])
		out.WriteString(c.text)
		at = c.to
	}
	out.Write(w.src[at:])
	return out.Bytes()
}

func (w *writer) changed(n *yaml.Node) bool {
	was := w.was[n]
	return was == nil || was.Value != n.Value || was.Tag != n.Tag || was.Style != n.Style ||
		!slices.Equal(was.Content, n.Content) || slices.ContainsFunc(n.Content, w.changed)
}

// compare cuts what changed in a mapping or a sequence. It returns false, having cut nothing, if
// n has to be encoded as a whole.
func (w *writer) compare(n *yaml.Node) bool {
	was := w.was[n]
	if was == nil || was.Style != n.Style || n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode ||
		n.Style&yaml.FlowStyle != 0 || len(was.Content) == 0 || len(n.Content) == 0 {
		return false
	}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	before, after := slices.Collect(slices.Chunk(was.Content, step)), slices.Collect(slices.Chunk(n.Content, step))
	same := func(a, b []*yaml.Node) bool { // one entry, with another value perhaps
		return a[0] == b[0] && a[0].Value == w.was[a[0]].Value
	}
	if step == 2 && !w.opens(before[0][0]) && !same(before[0], after[0]) {
		return false // the entry that shares a line with the dash of its item
	}
	at, _ := w.span(n, before[0])
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) > 0 && (len(before) == 0 || !slices.ContainsFunc(before, func(b []*yaml.Node) bool { return same(b, after[0]) })):
			w.cut(at, at, w.newline(at)+indent(wrap(after[0]), n.Column, n.Column))
			after = after[1:]
		case len(after) == 0 || !same(before[0], after[0]):
			start, end := w.span(n, before[0])
			w.cut(start, end, "")
			before = before[1:]
			at = end
		default:
			value := after[0][step-1]
			start, end := w.span(n, before[0])
			if value != before[0][step-1] || w.changed(value) && !w.compare(value) {
				first := n.Column
				if step == 2 { // the comment above the key stays
					start, first = w.offset(before[0][0]), 1
				}
				w.cut(start, end, indent(wrap(after[0]), first, n.Column))
			}
			at, before, after = end, before[1:], after[1:]
		}
	}
	return true
}

// wrap is an entry or an item as text at the left margin.
func wrap(parts []*yaml.Node) string {
	if len(parts) == 1 {
		return encode(seqNode(0, parts[0]))
	}
	key := *parts[0]
	key.HeadComment, key.FootComment, key.LineComment = "", "", ""
	return encode(mapNode(&key, parts[1]))
}

func (w *writer) cut(from, to int, text string) { w.cuts = append(w.cuts, cut{from, to, text}) }

// newline is what has to precede text at offset so that the text begins a line.
func (w *writer) newline(offset int) string {
	if offset > 0 && w.src[offset-1] != '\n' {
		return "\n"
	}
	return ""
}

// span is the text of an entry or item of n: its lines, with the comment right above and without
// the blank lines and comments that follow.
func (w *writer) span(n *yaml.Node, part []*yaml.Node) (start, end int) {
	first, last := part[0], part[len(part)-1]
	line := first.Line
	if n.Kind == yaml.SequenceNode {
		for line > n.Line && !strings.HasPrefix(strings.TrimLeft(w.line(line), " "), "-") {
			line--
		}
		end = w.below(line, n.Column, false)
	} else {
		end = w.below(line, n.Column, last.Kind == yaml.SequenceNode)
		if !w.opens(first) {
			return w.offset(first), end
		}
	}
	for first.HeadComment != "" && line > 1 && strings.HasPrefix(strings.TrimSpace(w.line(line-1)), "#") {
		line--
	}
	return w.lines[line-1], end
}

// below is the end of the lines that belong to what begins on line at column: those that are
// indented more, up to the last one that is not a comment or, if dashes, a sequence that is not.
func (w *writer) below(line, column int, dashes bool) int {
	last := line
	for next := line + 1; next < len(w.lines); next++ {
		text := w.line(next)
		trimmed := strings.TrimSpace(text)
		in := len(text) - len(strings.TrimLeft(text, " ")) + 1
		switch {
		case trimmed == "":
		case in > column, dashes && in == column && strings.HasPrefix(trimmed, "-"):
			last = next
		case !strings.HasPrefix(trimmed, "#"):
			return w.lines[last]
		}
	}
	return w.lines[last]
}

// opens reports whether a key is the first thing on its line.
func (w *writer) opens(key *yaml.Node) bool {
	return strings.TrimSpace(string(w.src[w.lines[key.Line-1]:w.offset(key)])) == ""
}

func (w *writer) line(line int) string {
	return strings.TrimRight(string(w.src[w.lines[line-1]:w.lines[line]]), "\r\n")
}

// offset is where a node begins. YAML counts columns in characters.
func (w *writer) offset(n *yaml.Node) int {
	at := w.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(w.src[at:])
		at += size
	}
	return at
}

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

// indent moves text to a column, and its first line to another one.
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
