package orgkeys

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const masked = "[redacted]"

// keyPrefixes start what may be a key in a text that a server or a transport wrote, in capitals
// or not.
var keyPrefixes = []string{"sk-", "sess-", "bearer "}

// maxText is how much of a server's text an error carries, in bytes.
const maxText = 512

// mask takes out of text the key that the call was made with, everything that looks like a key
// or a part of one, and what could forge a line of a log.
func mask(text string, key Secret) string {
	known := key.Reveal()
	if isClean(text, known) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text) && b.Len() <= maxText; {
		if n := keyLength(text, i, known); n > 0 {
			b.WriteString(masked)
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
		i += size
	}
	if b.Len() > maxText {
		return strings.ToValidUTF8(b.String()[:maxText], "") + "…"
	}
	return b.String()
}

// isClean reports whether mask would leave text as it is, for the plain texts that most are.
func isClean(text, known string) bool {
	if len(text) > maxText || known != "" && strings.Contains(text, known) {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' || startsPrefix(c) && keyLength(text, i, "") > 0 {
			return false
		}
	}
	return true
}

// startsPrefix reports whether one of keyPrefixes may start with c.
func startsPrefix(c byte) bool { return c|0x20 == 's' || c|0x20 == 'b' }

// keyLength is the length of the key that starts at i, or 0 where none does. Inside a word, as
// in "task-force", that takes a long one, or the one that is known.
func keyLength(text string, i int, known string) int {
	rest := text[i:]
	knownAt := func(n int) bool { return known != "" && strings.HasPrefix(rest[n:], known) }
	length := 0
	if knownAt(0) {
		length = len(known)
	}
	if !startsPrefix(rest[0]) {
		return length
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
		for n < len(rest) {
			if knownAt(n) {
				n += len(known) // whatever it is made of
			} else if isKeyByte(rest[n]) {
				n++
			} else {
				break
			}
		}
		if n >= len(prefix)+shortest {
			length = max(length, n)
		}
	}
	return length
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}

// isKeyByte also takes what stands for the hidden part of a key.
func isKeyByte(c byte) bool {
	return isWord(c) || c == '-' || c == '*' || c == '.' || c == '+' || c == '/' || c == '=' || c >= 0x80
}
