package orgkeys

import (
	"strings"
	"unicode"
)

const masked = "[redacted]"

// keyPrefixes start what may be a key in a text that a server or a transport wrote.
var keyPrefixes = []string{"sk-", "sess-", "Bearer ", "bearer "}

// maxText is how much of a server's text an error carries, in bytes.
const maxText = 512

// mask takes out of text the key that the call was made with, everything that looks like a key
// or a part of one, and what could forge a line of a log.
func mask(text string, key Secret) string {
	if text == "" {
		return ""
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	if k := key.Reveal(); k != "" {
		text = strings.ReplaceAll(text, k, masked)
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if n := keyLength(text, i); n > 0 {
			b.WriteString(masked)
			i += n
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, b.String())
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// keyLength is the length of the key that starts at i, or 0 where none does. Inside a word,
// as in "task-force", it takes a long one.
func keyLength(text string, i int) int {
	shortest := 1
	if i > 0 && isWord(text[i-1]) {
		shortest = 16
	}
	for _, prefix := range keyPrefixes {
		if !strings.HasPrefix(text[i:], prefix) {
			continue
		}
		n := len(prefix)
		for i+n < len(text) && isKeyByte(text[i+n]) {
			n++
		}
		if n >= len(prefix)+shortest {
			return n
		}
	}
	return 0
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}

// isKeyByte also takes what stands for the hidden part of a key.
func isKeyByte(c byte) bool {
	return isWord(c) || c == '-' || c == '*' || c == '.' || c == '+' || c == '/' || c == '=' || c >= 0x80
}
