package apitype

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// redacted is what a Secret is to everyone but the caller of Reveal.
const redacted = "[redacted]"

// Secret is the value of a key. [Secret.Reveal] is the only way to it: whatever prints,
// logs or encodes a Secret, or a struct that holds one, gets "[redacted]". The zero value
// holds nothing and reveals "".
//
// To keep a key, pass what Reveal returns to where it is kept. Encoding a Secret loses the
// key on purpose, and decoding what was encoded is an error.
type Secret struct {
	// A closure, because printers that walk a value by reflection, methods or not, find
	// only a code address in it.
	reveal func() string
}

// NewSecret returns a Secret that reveals value.
func NewSecret(value string) Secret {
	return Secret{reveal: func() string { return value }}
}

// Reveal returns the value itself. Keep it away from logs and error texts.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether there is no value to reveal.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both reveal the same value, in a time that does not tell where they
// differ. reflect.DeepEqual, and so most assertions, never finds two Secrets equal that hold a
// value.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]". YAML, XML and text encoders go by it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" in quotes.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalYAML returns "[redacted]".
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }

// MarshalBinary returns "[redacted]". Gob goes by it.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// These quote nothing, since they end up in logs.
var (
	errNotString   = errors.New("not a string")
	errRedacted    = errors.New("a redacted secret, whose value is lost")
	errEmpty       = errors.New("an empty secret")
	errNotToken    = errors.New("a secret with characters that no key contains")
	errPlaceholder = errors.New("a placeholder and not a key")
)

// UnmarshalText sets s to a value that a client can use as a key. It returns an error for any
// other: an empty one, one with characters that a bearer token (RFC 6750) cannot contain, such as
// white space, asterisks and control characters, and a placeholder such as "sk-admin...abc",
// "REDACTED" or a prefix alone. The error does not quote the value.
func (s *Secret) UnmarshalText(text []byte) error {
	value := string(text)
	if err := checkUsable(value); err != nil {
		return err
	}
	*s = NewSecret(value)
	return nil
}

// checkUsable returns why no client could use value as a key, or nil.
func checkUsable(value string) error {
	switch {
	case value == "":
		return errEmpty
	case value == redacted:
		return errRedacted
	case strings.Trim(strings.TrimRight(value, "="), tokenCharacters) != "" || strings.TrimRight(value, "=") == "":
		return errNotToken
	case strings.Contains(value, "...") || value[0] == '.' || value[len(value)-1] == '.', isPlaceholder(value):
		return errPlaceholder
	}
	return nil
}

// isPlaceholder reports whether value consists only of words that are no key, such as
// "sk-admin-REDACTED", and of repeated characters, such as "xxxx".
func isPlaceholder(value string) bool {
	for part := range strings.FieldsFuncSeq(value, isSeparator) {
		if strings.Trim(part, part[:1]) != "" && (len(part) > maxPlaceholder || !placeholders[strings.ToLower(part)]) {
			return false
		}
	}
	return true
}

func isSeparator(r rune) bool {
	switch r {
	case '-', '.', '_', '~', '+', '/', '=':
		return true
	}
	return false
}

// maxPlaceholder is the length of the longest of placeholders, or more.
const maxPlaceholder = 16

// tokenCharacters are those of a bearer token, apart from the padding.
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// placeholders are the words of what programs write in place of a key, and of prefixes of keys.
var placeholders = func() map[string]bool {
	words := make(map[string]bool)
	for word := range strings.FieldsSeq(`
		sk sess admin proj svcacct service account acct project organization org
		redacted hidden masked removed deleted omitted filtered scrubbed sanitized obfuscated censored
		secret password token key api apikey value string text bearer placeholder example dummy fake sample default
		null nil none undefined unknown empty void nan na true false todo tbd not available unavailable
		your my the here insert enter replace change changeme me with this`) {
		words[word] = true
	}
	return words
}()

// UnmarshalBinary does what [Secret.UnmarshalText] does.
func (s *Secret) UnmarshalBinary(data []byte) error { return s.UnmarshalText(data) }

// UnmarshalJSON decodes a JSON string like [Secret.UnmarshalText].
func (s *Secret) UnmarshalJSON(b []byte) error {
	text, err := jsontext.AppendUnquote(nil, b)
	if err != nil {
		return errNotString
	}
	return s.UnmarshalText(text)
}
