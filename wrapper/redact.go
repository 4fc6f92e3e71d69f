package orgkeys

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

// keyPrefixes start what may be a key in a text that a server or a transport wrote, in any case.
var keyPrefixes = []string{"sk-", "sess-", bearer}

// bearer precedes a token of any form. A word may follow it, too, as in "bearer authentication".
const bearer = "bearer "

const (
	// maxText is how much of a server's text an error contains, in bytes.
	maxText = 512
	// fragment is the length of the shortest part of the admin key that is redacted, in
	// characters that keys consist of.
	fragment = 12
)

// redactor redacts texts of a call that was made with an admin key. A nil one knows no key.
type redactor struct {
	key Secret

	once      sync.Once
	fragments map[uint64]bool // the hashes of all fragments of the key
	filter    filter          // of the hashes
	length    int             // the length of each fragment
}

// redact returns text without the admin key, without fragments of it, without anything else that
// looks like a key, and without characters that could forge a line of a log. It also finds keys
// that are escaped or interrupted, as in "sk%2Dadmin" or "sk-\x1b[0madmin". It returns maxText
// bytes at most, and an ellipsis in place of the rest.
func (r *redactor) redact(text string) string {
	if len(text) <= maxText && r.isClean(text) {
		return text
	}
	const maxRead = 4 * maxText
	if len(text) <= maxRead {
		return render(text, r.find(text), false)
	}
	text = strings.ToValidUTF8(text[:maxRead], "")
	return render(text, r.find(text), true)
}

// redact is for texts of no particular call.
func redact(text string) string { return (*redactor)(nil).redact(text) }

// looksLikeKey reports whether redact replaces a part of text.
func looksLikeKey(text string) bool {
	r := (*redactor)(nil)
	return !r.isClean(text) && slices.Contains(r.find(text), true)
}

// isClean reports whether text contains nothing to redact, no escape and only printable ASCII.
func (r *redactor) isClean(text string) bool {
	for i := range len(text) {
		if c := text[i]; !harmless[c] && (!startsPrefix(c) || keyLength(text[i:], i > 0 && isWord(text[i-1])) > 0) {
			return false
		}
	}
	clean := r == nil || r.key.IsZero() || !strings.Contains(text, r.key.Reveal())
	r.findFragments(text, func(int, int) { clean = false })
	return clean
}

// harmless has the printable ASCII characters that start neither an escape nor a key.
var harmless = func() (table [256]bool) {
	for c := byte(' '); c <= '~'; c++ {
		table[c] = c != '%' && c != '\\' && c != '&' && !startsPrefix(c)
	}
	return table
}()

// prepare computes the fragments of the key.
func (r *redactor) prepare() {
	key := r.key.Reveal()
	for i := range len(key) {
		if folded[key[i]] != 0 && r.length < fragment {
			r.length++
		}
	}
	r.fragments = make(map[uint64]bool, len(key))
	all := filter{}
	for i := range all {
		all[i] = ^uint64(0)
	}
	windows(key, r.length, &all, func(_, _ int, hash uint64) {
		r.fragments[hash] = true
		r.filter.add(hash)
	})
}

// findFragments calls found with the start and the end of each fragment of the key in text. Case
// does not matter, nor do characters in between that keys do not consist of.
func (r *redactor) findFragments(text string, found func(start, end int)) {
	if r == nil || r.key.IsZero() {
		return
	}
	r.once.Do(r.prepare)
	windows(text, r.length, &r.filter, func(start, end int, hash uint64) {
		if r.fragments[hash] {
			found(start, end)
		}
	})
}

// filter has a bit for the first bits of a hash. It excludes most hashes that are not in a set.
type filter [64]uint64

func (f *filter) add(hash uint64)           { f[hash>>58] |= 1 << (hash >> 52 & 63) }
func (f *filter) contains(hash uint64) bool { return f[hash>>58]>>(hash>>52&63)&1 != 0 }

// windows calls visit with the start and the end of each run of length key characters in text,
// and a hash of them, if the filter contains the hash. length is at most fragment.
func windows(text string, length int, in *filter, visit func(start, end int, hash uint64)) {
	if length == 0 || len(text) < length {
		return
	}
	const factor = 0x9E3779B97F4A7C15
	power := uint64(1) // factor to the power of length
	for range length {
		power *= factor
	}
	var positions [16]int // of the last key characters
	var hash uint64
	n := 0
	for i := range len(text) {
		c := folded[text[i]]
		if c == 0 {
			continue
		}
		hash = hash*factor + uint64(c)
		if n >= length {
			hash -= power * uint64(folded[text[positions[(n-length)&15]]])
		}
		positions[n&15] = i
		n++
		if n >= length && in.contains(hash) {
			visit(positions[(n-length)&15], i+1, hash)
		}
	}
}

// folded maps each character that a bearer token (RFC 6750) may contain to its lower case, and
// any other to 0.
var folded = func() (table [256]byte) {
	for c := range 256 {
		if isKeyCharacter(byte(c)) {
			table[c] = byte(c)
			if c >= 'A' && c <= 'Z' {
				table[c] |= 0x20
			}
		}
	}
	return table
}()

// find returns which bytes of text are to be redacted. Escapes may be escaped themselves, and what
// looks like an escape may be a part of a key: so it looks for keys before and after each round of
// decoding.
func (r *redactor) find(text string) []bool {
	const rounds = 3
	hidden := make([]bool, len(text))
	bytes := make([]decodedByte, len(text))
	for i := range len(text) {
		bytes[i] = decodedByte{text[i], i, i + 1}
	}
	r.hide(bytes, hidden)
	for range rounds {
		bytes = visible(bytes)
		r.hide(bytes, hidden)
		bytes = unescape(bytes)
	}
	r.hide(visible(bytes), hidden)
	return hidden
}

// decodedByte is one byte of a text without escapes and invisible characters, and where it comes
// from in the original text.
type decodedByte struct {
	value      byte
	start, end int
}

// hide marks in hidden what is to be redacted.
func (r *redactor) hide(bytes []decodedByte, hidden []bool) {
	text := textOf(bytes)
	hide := func(start, end int) {
		for i := bytes[start].start; i < bytes[end-1].end; i++ {
			hidden[i] = true
		}
	}
	for i := 0; i < len(text); i++ {
		inWord := i > 0 && isWord(text[i-1]) && bytes[i-1].end == bytes[i].start
		if n := keyLength(text[i:], inWord); n > 0 {
			hide(i, i+n)
			i += n - 1
		}
	}
	r.findFragments(text, hide)
	if r != nil && !r.key.IsZero() { // the key may consist of other characters
		known := r.key.Reveal()
		for i := 0; strings.Contains(text[i:], known); i += len(known) {
			i += strings.Index(text[i:], known)
			hide(i, i+len(known))
		}
	}
}

func textOf(bytes []decodedByte) string {
	var b strings.Builder
	b.Grow(len(bytes))
	for _, c := range bytes {
		b.WriteByte(c.value)
	}
	return b.String()
}

// render returns text with what is hidden replaced, and what is not printable as spaces. more
// tells that the text goes on.
func render(text string, hidden []bool, more bool) string {
	var b strings.Builder
	for i := 0; i < len(text) && b.Len() <= maxText; {
		start := i
		for i < len(text) && hidden[i] == hidden[start] {
			i++
		}
		if hidden[start] {
			b.WriteString(redacted)
		} else {
			writePrintable(&b, text[start:i])
		}
	}
	if more || b.Len() > maxText {
		return strings.ToValidUTF8(b.String()[:min(b.Len(), maxText)], "") + "…"
	}
	return b.String()
}

func writePrintable(b *strings.Builder, text string) {
	for _, r := range text {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
}

// visible returns bytes without terminal sequences and invisible characters. All bytes of a
// character come from where the whole character comes from.
func visible(bytes []decodedByte) []decodedByte {
	text := textOf(bytes)
	out := make([]decodedByte, 0, len(bytes))
	for i := 0; i < len(text); {
		if n := terminalSequence(text[i:]); n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if unicode.IsPrint(r) && r != utf8.RuneError && (r < 0x80 || !unicode.In(r, ignorable...)) {
			for j := range size {
				out = append(out, decodedByte{text[i+j], bytes[i].start, bytes[i+size-1].end})
			}
		}
		i += size
	}
	return out
}

// ignorable are the printable characters that may be invisible.
var ignorable = []*unicode.RangeTable{unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point}

// terminalSequence returns the length of the escape sequence (ECMA-48) at the start of text, or 0.
func terminalSequence(text string) int {
	for _, introducer := range []string{"\x1b[", "\u009b", "\x9b"} { // parameters and a final byte
		if rest, ok := strings.CutPrefix(text, introducer); ok {
			return len(text) - len(rest) + sequenceLength(rest, '@')
		}
	}
	if text[0] != 0x1b || len(text) == 1 {
		return 0
	}
	if strings.IndexByte("]PX^_", text[1]) < 0 {
		return 1 + sequenceLength(text[1:], '0')
	}
	for _, terminator := range []string{"\x07", "\x1b\\"} { // a text up to its end
		if i := strings.Index(text, terminator); i > 0 {
			return i + len(terminator)
		}
	}
	return 2
}

// sequenceLength returns the length of a sequence that ends with the first byte from final to ~,
// or 0 if a byte before cannot be part of one.
func sequenceLength(text string, final byte) int {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~':
			return 0
		case c >= final:
			return i + 1
		}
	}
	return 0
}

// unescape decodes percent escapes, backslash escapes as in Go and JSON, and character references
// as in HTML.
func unescape(bytes []decodedByte) []decodedByte {
	text := textOf(bytes)
	out := make([]decodedByte, 0, len(bytes))
	for i := 0; i < len(text); {
		value, n := escapeAt(text[i:])
		if n == 0 {
			out = append(out, bytes[i])
			i++
			continue
		}
		for j := range len(value) {
			out = append(out, decodedByte{value[j], bytes[i].start, bytes[i+n-1].end})
		}
		i += n
	}
	return out
}

// escapeAt returns what the escape at the start of text stands for, and its length, or 0.
func escapeAt(text string) (value string, length int) {
	switch text[0] {
	case '%':
		return escapedNumber(text, 1, 3, 16)
	case '\\':
		if len(text) == 1 {
			return "", 0
		}
		switch c := text[1]; {
		case c == 'x':
			return escapedNumber(text, 2, 4, 16)
		case c == 'u':
			return escapedNumber(text, 2, 6, 16)
		case c == 'U':
			return escapedNumber(text, 2, 10, 16)
		case c >= '0' && c <= '7':
			return escapedNumber(text, 1, 4, 8)
		case c == 'e':
			return "\x1b", 2
		case strings.IndexByte("abfnrtv", c) >= 0:
			return "\n", 2
		case strings.IndexByte(`\/"'`, c) >= 0:
			return text[1:2], 2
		}
	case '&':
		end := strings.IndexByte(text[:min(len(text), 12)], ';')
		switch {
		case end < 0:
		case strings.HasPrefix(text, "&#x") || strings.HasPrefix(text, "&#X"):
			value, length = escapedNumber(text, 3, end, 16)
		case strings.HasPrefix(text, "&#"):
			value, length = escapedNumber(text, 2, end, 10)
		default:
			value = references[text[1:end]]
			length = len(value) // 0 or 1
		}
		if length > 0 {
			return value, end + 1
		}
	}
	return "", 0
}

// references are the named characters that may be in a key or start an escape.
var references = map[string]string{"amp": "&", "bsol": `\`, "percnt": "%", "hyphen": "-", "dash": "-", "lowbar": "_", "period": "."}

// escapedNumber returns the character whose number is text[from:to], or the byte if that has two
// hexadecimal or three octal digits, and to, or 0.
func escapedNumber(text string, from, to, base int) (value string, length int) {
	if to > len(text) {
		return "", 0
	}
	n, err := strconv.ParseUint(text[from:to], base, 32)
	switch {
	case err != nil:
		return "", 0
	case base == 8 || base == 16 && to-from == 2 && text[0] != '&':
		return string([]byte{byte(n)}), to
	}
	return string(rune(n)), to
}

// startsPrefix reports whether one of keyPrefixes may start with c.
func startsPrefix(c byte) bool { return c|0x20 == 's' || c|0x20 == 'b' }

// keyLength returns the length of what looks like a key at the start of text, or 0. Inside a word,
// as in "task-force", a key has a long random part.
func keyLength(text string, inWord bool) int {
	if !startsPrefix(text[0]) {
		return 0
	}
	for _, prefix := range keyPrefixes {
		if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
			continue
		}
		start := len(prefix)
		for prefix == bearer && start < len(text) && text[start] == ' ' {
			start++
		}
		end := start
		run, longest := 0, 0 // of letters and digits
		for ; end < len(text) && isKeyByte(text[end]); end++ {
			if run++; !isAlphanumeric(text[end]) {
				run = 0
			}
			longest = max(longest, run)
		}
		isWord := prefix == bearer && end-start < randomPart && strings.Trim(text[start:end], lowerCase) == ""
		if end > start && !isWord && (!inWord || longest >= randomPart) {
			return end
		}
	}
	return 0
}

// randomPart is the length of the shortest random part of a key.
const randomPart = 16

const lowerCase = "abcdefghijklmnopqrstuvwxyz"

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func isWord(c byte) bool { return isAlphanumeric(c) || c == '_' }

func isKeyCharacter(c byte) bool {
	return isWord(c) || c == '-' || c == '.' || c == '~' || c == '+' || c == '/' || c == '='
}

// isKeyByte also accepts what stands for the hidden part of a key.
func isKeyByte(c byte) bool { return isKeyCharacter(c) || c == '*' || c >= 0x80 }
