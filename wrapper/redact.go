package orgkeys

import (
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

// keyPrefixes start what may be a key in a text that a server or a transport wrote, in any case.
var keyPrefixes = []string{"sk-", "sess-", "bearer "}

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
// that are escaped or interrupted, as in "sk%2Dadmin" or "sk-\x1b[0madmin".
func (r *redactor) redact(text string) string {
	if len(text) <= maxText && r.isClean(text) {
		return text
	}
	return r.decode(text[:min(len(text), 4*maxText)]).render()
}

// redact is for texts of no particular call.
func redact(text string) string { return (*redactor)(nil).redact(text) }

// looksLikeKey reports whether redact replaces a part of text.
func looksLikeKey(text string) bool {
	r := (*redactor)(nil)
	if r.isClean(text) {
		return false
	}
	for _, b := range r.decode(text).bytes {
		if b.hidden {
			return true
		}
	}
	return false
}

// isClean reports whether text contains nothing to redact, no escape and only printable ASCII.
func (r *redactor) isClean(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~' || c == '%' || c == '\\' || c == '&':
			return false
		case startsPrefix(c) && keyLength(text, i) > 0:
			return false
		}
	}
	clean := true
	r.findFragments(text, func(int, int) { clean = false })
	return clean
}

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

// decodedText is a text as bytes without escapes and invisible characters.
type decodedText struct {
	original string
	bytes    []decodedByte
}

// decodedByte is one byte, and where it comes from in the original text.
type decodedByte struct {
	value      byte
	start, end int
	hidden     bool
}

// decode returns text decoded, with what is to be redacted marked as hidden.
func (r *redactor) decode(text string) decodedText {
	d := decodedText{text, visible(text)}
	for range 3 { // escapes may be escaped themselves
		d.bytes = unescape(d.bytes)
	}
	plain := d.text()
	hide := func(start, end int) {
		for i := start; i < end; i++ {
			d.bytes[i].hidden = true
		}
	}
	for i := 0; i < len(plain); i++ {
		if n := keyLength(plain, i); n > 0 {
			hide(i, i+n)
			i += n - 1
		}
	}
	r.findFragments(plain, hide)
	if r != nil && !r.key.IsZero() { // the key may consist of other characters
		known := r.key.Reveal()
		for i := 0; strings.Contains(plain[i:], known); i += len(known) {
			i += strings.Index(plain[i:], known)
			hide(i, i+len(known))
		}
	}
	return d
}

func (d decodedText) text() string {
	var b strings.Builder
	for _, c := range d.bytes {
		b.WriteByte(c.value)
	}
	return b.String()
}

// render returns the original text with what is hidden replaced, and what is not printable as
// spaces.
func (d decodedText) render() string {
	var b strings.Builder
	at := 0
	for i := 0; i < len(d.bytes) && b.Len() <= maxText; {
		c := d.bytes[i]
		if !c.hidden {
			writePrintable(&b, d.original[at:max(at, c.end)])
			at = max(at, c.end)
			i++
			continue
		}
		writePrintable(&b, d.original[at:max(at, c.start)])
		b.WriteString(redacted)
		for ; i < len(d.bytes) && d.bytes[i].hidden; i++ {
			at = max(at, d.bytes[i].end)
		}
	}
	writePrintable(&b, d.original[at:])
	if b.Len() > maxText {
		return strings.ToValidUTF8(b.String()[:maxText], "") + "…"
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

// visible returns the bytes of text without terminal sequences and unprintable characters.
func visible(text string) []decodedByte {
	out := make([]decodedByte, 0, len(text))
	for i := 0; i < len(text); {
		if n := terminalSequence(text[i:]); n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if unicode.IsPrint(r) && r != utf8.RuneError {
			for j := range size {
				out = append(out, decodedByte{value: text[i+j], start: i, end: i + size})
			}
		}
		i += size
	}
	return out
}

// terminalSequence returns the length of the control sequence (ECMA-48) at the start of text, or
// 0.
func terminalSequence(text string) int {
	rest, ok := strings.CutPrefix(text, "\x1b[")
	if !ok {
		if rest, ok = strings.CutPrefix(text, "\u009b"); !ok {
			return 0
		}
	}
	for i := range len(rest) {
		if c := rest[i]; c >= 0x40 && c <= 0x7e {
			return len(text) - len(rest) + i + 1
		} else if c < 0x20 || c > 0x7e {
			break
		}
	}
	return len(text) - len(rest)
}

// unescape decodes percent escapes, backslash escapes as in JSON, and numeric character
// references as in HTML.
func unescape(in []decodedByte) []decodedByte {
	out := in[:0:0]
	for i := 0; i < len(in); {
		value, n := escapeAt(in[i:])
		out = append(out, decodedByte{value: value, start: in[i].start, end: in[i+n-1].end})
		i += n
	}
	return out
}

// escapeAt returns the byte that in starts with, and the number of bytes that represent it.
func escapeAt(in []decodedByte) (value byte, length int) {
	hex := func(from, to, base int) (byte, bool) {
		if to > len(in) || to <= from {
			return 0, false
		}
		var digits [8]byte
		if to-from > len(digits) {
			return 0, false
		}
		for i := range to - from {
			digits[i] = in[from+i].value
		}
		n, err := strconv.ParseUint(string(digits[:to-from]), base, 32)
		return byte(n), err == nil && n > ' ' && n < 0x7f
	}
	next := func(i int) byte {
		if i < len(in) {
			return in[i].value
		}
		return 0
	}
	switch in[0].value {
	case '%':
		if b, ok := hex(1, 3, 16); ok {
			return b, 3
		}
	case '\\':
		switch c := next(1); c {
		case 'u':
			if b, ok := hex(2, 6, 16); ok {
				return b, 6
			}
		case 'x':
			if b, ok := hex(2, 4, 16); ok {
				return b, 4
			}
		case '\\', '/', '"':
			return c, 2
		case 'n', 'r', 't':
			return ' ', 2
		}
	case '&':
		if next(1) != '#' {
			break
		}
		from, base := 2, 10
		if c := next(2); c == 'x' || c == 'X' {
			from, base = 3, 16
		}
		for to := from; to < len(in) && to < from+8; to++ {
			if in[to].value == ';' {
				if b, ok := hex(from, to, base); ok {
					return b, to + 1
				}
				break
			}
		}
	}
	return in[0].value, 1
}

// startsPrefix reports whether one of keyPrefixes may start with c.
func startsPrefix(c byte) bool { return c|0x20 == 's' || c|0x20 == 'b' }

// keyLength returns the length of what looks like a key at i, or 0. Inside a word, as in
// "task-force", it takes a long one.
func keyLength(text string, i int) int {
	rest := text[i:]
	if !startsPrefix(rest[0]) {
		return 0
	}
	shortest := 1
	if i > 0 && isWord(text[i-1]) {
		shortest = 16
	}
	for _, prefix := range keyPrefixes {
		if len(rest) < len(prefix) || !strings.EqualFold(rest[:len(prefix)], prefix) {
			continue
		}
		n := len(prefix)
		for n < len(rest) && isKeyByte(rest[n]) {
			n++
		}
		if n >= len(prefix)+shortest {
			return n
		}
	}
	return 0
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func isWord(c byte) bool { return isAlphanumeric(c) || c == '_' }

func isKeyCharacter(c byte) bool {
	return isWord(c) || c == '-' || c == '.' || c == '~' || c == '+' || c == '/' || c == '='
}

// isKeyByte also accepts what stands for the hidden part of a key.
func isKeyByte(c byte) bool { return isKeyCharacter(c) || c == '*' || c >= 0x80 }
