// Package mask redacts keys in texts that a server, a transport or a caller wrote.
//
// A key is what follows "sk-", "sess-" or "Bearer ", and what has ten letters and digits in a row of
// a key that is known, whatever separates them: twelve characters of a key have as many. Both are
// found in any case, in plain text, and behind escapes (percent, quoted-printable, backslash, HTML),
// terminal sequences and invisible characters, also where one is inside another.
//
// What follows a prefix in plain text is redacted alone. Of any other key, the whole word is redacted,
// or the whole text if it is not in one word.
package mask

import (
	"bytes"
	"encoding/binary"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark stands in place of what was redacted.
const Mark = "[redacted]"

// MaxText is the length of the longest text that Text returns, in bytes, without an ellipsis.
const MaxText = 512

// Text returns text without keys, and without characters that could forge a line of a log. known may
// be nil. Text returns MaxText bytes at most, and an ellipsis in place of the rest.
func Text(text string, known *Key) string {
	if len(text) <= MaxText && isClean(text, known) {
		return text
	}
	const maxRead = 4 * MaxText // what follows hardly gets into the result
	more := len(text) > maxRead
	if more {
		text = text[:maxRead]
	}
	shown := replace(text, false)
	switch {
	case shown != text && strings.ContainsAny(text, "\x1b\u009b"):
		shown = Mark // a terminal sequence may have cut the key in two
	case contains(shown, known):
		words := strings.Split(shown, " ")
		for i, word := range words {
			if contains(word, known) {
				words[i] = Mark
			}
		}
		if shown = strings.Join(words, " "); contains(shown, known) {
			shown = Mark
		}
	}
	shown = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, shown)
	if more || len(shown) > MaxText {
		shown = strings.ToValidUTF8(shown[:min(len(shown), MaxText)], "") + "…"
	}
	return shown
}

// Contains reports whether Text redacts a part of text.
func Contains(text string, known *Key) bool { return !isClean(text, known) && contains(text, known) }

// Keys returns text without keys of full length in plain text. It keeps a shorter one, such as a key
// that was redacted before.
func Keys(text string) string { return replace(text, true) }

// isClean reports whether text is printable ASCII without an escape and without a key: the case of
// most texts, in one pass.
func isClean(text string, known *Key) bool {
	var memory [MaxText]byte
	letters, isPlain := appendLetters(memory[:0], text)
	return isPlain && !known.isIn(text, letters) && replace(text, false) == text
}

// contains looks for a key after each round of decoding. Each round makes the text shorter, so that
// they end.
func contains(text string, known *Key) bool {
	for _, readable := range []func(string) string{visible, func(s string) string { return visible(withoutSequences(s)) }} {
		decoded := ""
		for next := readable(text); next != decoded; next = readable(unescape(decoded)) {
			if decoded = next; replace(decoded, false) != decoded || known.IsIn(decoded) {
				return true
			}
		}
	}
	return false
}

// replace returns text with Mark in place of what looks like a key by its prefix.
func replace(text string, full bool) string {
	var b strings.Builder
	end := 0 // of the last key
	for i := 0; i < len(text); i++ {
		if c := text[i] | 0x20; c != 's' && c != 'b' {
			continue
		}
		if n := keyAt(text, i, full); n > 0 {
			b.WriteString(text[end:i] + Mark)
			end = i + n
			i = end - 1
		}
	}
	if end == 0 {
		return text
	}
	return b.String() + text[end:]
}

var prefixes = [...]string{"sk-", "sk_", "sess-", "sess_", "bearer "}

// keyAt returns the length of what looks like a key at i, or 0. Inside a word, as in "task-force",
// a key has a random part, and so has one of full length. A key ends before a space, a quote or an
// angle bracket: any other character may be a part of an escape.
func keyAt(text string, i int, full bool) int {
	const randomRun, randomTotal = 16, 32 // letters and digits that only a key has, in a row and in all
	if i+1 == len(text) || text[i+1]|0x20 != 'k' && text[i+1]|0x20 != 'e' {
		return 0
	}
	start := 0
	for _, prefix := range prefixes {
		if n := len(prefix); len(text)-i >= n && text[i+n-1] == prefix[n-1] && strings.EqualFold(text[i:i+n], prefix) {
			start = i + n
		}
	}
	if start == 0 {
		return 0
	}
	isBearer := text[start-1] == ' '
	for isBearer && start < len(text) && text[start] == ' ' {
		start++
	}
	token, _, _ := strings.Cut(text[start:], " ")
	if n := strings.IndexAny(token, "\"'`<>"); n >= 0 {
		token = token[:n]
	}
	token = strings.TrimRight(token, ".,;:!?)]}")
	longest, total := 0, 0 // of letters and digits
	for run := range strings.FieldsFuncSeq(token, func(r rune) bool { return r > 'z' || !isAlphanumeric(byte(r)) }) {
		longest, total = max(longest, len(run)), total+len(run)
	}
	inWord := i > 0 && (isAlphanumeric(text[i-1]) || text[i-1] == '_')
	isRandom := longest >= randomRun || total >= randomTotal && !inWord
	isWord := isBearer && strings.Trim(token, "abcdefghijklmnopqrstuvwxyz") == "" // "bearer authentication"
	if total == 0 || (inWord || full || isWord) && !isRandom {
		return 0
	}
	return start + len(token) - i
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// A Key is a known key, prepared for searches. A nil one is in no text.
type Key struct {
	reveal func() (value string, letters []byte) // a closure, which no printer looks into
	blocks [256]uint64                           // a filter of the runs of block letters and digits
}

const (
	part  = 10             // the letters and digits of a key that are redacted, or more
	block = (part + 1) / 2 // what is looked up at once: a part has one at a multiple of its length
)

// NewKey returns a Key of value, or nil if value is empty.
func NewKey(value string) *Key {
	if value == "" {
		return nil
	}
	letters, _ := appendLetters(nil, value)
	k := &Key{reveal: func() (string, []byte) { return value, letters }}
	for i := 0; i+block <= len(letters); i++ {
		word, bit := place(letters[i:])
		k.blocks[word] |= bit
	}
	return k
}

// place returns where the first block of letters is in the filter.
func place(letters []byte) (word, bit uint64) {
	hash := (uint64(binary.LittleEndian.Uint32(letters)) | uint64(letters[block-1])<<32) * 0x9E3779B97F4A7C15
	return hash >> 56, 1 << (hash >> 50 & 63)
}

// IsIn reports whether plain text contains a part of the key, or the whole key if it is shorter.
func (k *Key) IsIn(text string) bool {
	var memory [MaxText / 4]byte
	letters, _ := appendLetters(memory[:0], text)
	return k.isIn(text, letters)
}

// isIn is IsIn of a text with these letters and digits.
func (k *Key) isIn(text string, letters []byte) bool {
	if k == nil {
		return false
	}
	value, key := k.reveal()
	if len(key) < part {
		return strings.Contains(strings.ToLower(text), strings.ToLower(value))
	}
	for i := 0; i+block <= len(letters); i += block {
		if word, bit := place(letters[i:]); k.blocks[word]&bit == 0 {
			continue
		}
		for start := max(0, i-part+block); start <= i && start+part <= len(letters); start++ {
			if bytes.Contains(key, letters[start:start+part]) {
				return true
			}
		}
	}
	return false
}

// characters has the lower case of each letter and digit, with isLetter, and notPlain for what is
// not printable ASCII or may start an escape.
var characters = func() (table [256]uint16) {
	for c := range table {
		switch {
		case isAlphanumeric(byte(c)):
			table[c] = isLetter | uint16(unicode.ToLower(rune(c)))
		case c < ' ' || c > '~' || strings.ContainsRune(`%=\&`, rune(c)):
			table[c] = notPlain
		}
	}
	return table
}()

const isLetter, notPlain = 1 << 8, 1 << 9

// appendLetters appends the letters and digits of text in lower case to nothing, and reports whether
// text is printable ASCII without escapes.
func appendLetters(to []byte, text string) (letters []byte, isPlain bool) {
	if cap(to) < len(text) {
		to = make([]byte, len(text))
	}
	letters, all, n := to[:len(text)], uint16(0), 0
	for i := range len(text) {
		c := characters[text[i]]
		letters[n] = byte(c)
		n += int(c >> 8 & 1)
		all |= c
	}
	return letters[:n], all&notPlain == 0
}

var (
	// sequences are the terminal sequences of ECMA-48, c1 their forms in one character.
	sequences  = regexp.MustCompile(`(?s)\x1b\[[\x20-\x3f]*[\x40-\x7e]?|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[\x20-\x2f]*[\x30-\x7e]?`)
	c1         = strings.NewReplacer("\u009b", "\x1b[", "\x9b", "\x1b[")
	softBreaks = strings.NewReplacer("=\r\n", "", "=\n", "")
)

func withoutSequences(text string) string { return sequences.ReplaceAllString(c1.Replace(text), "") }

// visible returns text without invisible characters and soft line breaks, and with ASCII dashes.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case !unicode.IsPrint(r) || r == utf8.RuneError || r > '~' && unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		case unicode.Is(unicode.Pd, r):
			return '-'
		}
		return r
	}, softBreaks.Replace(text))
}

// escapes are looked for in this order, since = is no escape in "key=abc".
var escapes = []*regexp.Regexp{
	regexp.MustCompile(`%[[:xdigit:]]{2}`),
	regexp.MustCompile(`(?s)\\(?:x[[:xdigit:]]{2}|u[[:xdigit:]]{4}|U[[:xdigit:]]{8}|[0-7]{3}|.)`),
	regexp.MustCompile(`=[[:xdigit:]]{2}`),
}

// unescape decodes each escape of one kind once.
func unescape(text string) string {
	decoded := html.UnescapeString(text)
	for i := 0; i < len(escapes) && decoded == text; i++ {
		decoded = escapes[i].ReplaceAllStringFunc(text, character)
	}
	return decoded
}

// character returns what an escape stands for.
func character(escape string) string {
	if escape[0] != '\\' {
		escape = `\x` + escape[1:]
	}
	switch r, isRune, _, err := strconv.UnquoteChar(escape, 0); {
	case escape == `\e`:
		return "\x1b"
	case err != nil:
		return escape[1:] // a character by itself
	case isRune:
		return string(r)
	default:
		return string([]byte{byte(r)})
	}
}
