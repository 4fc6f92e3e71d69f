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

// redacted is printed, logged and encoded in place of a Secret.
const redacted = "[redacted]"

// Secret is the value of a key. Only [Secret.Reveal] returns it: printing, logging or encoding a
// Secret, or a struct that contains one, gives "[redacted]". The zero value is empty, and its
// Reveal returns "".
//
// To store a key, store the string that Reveal returns. Encoding a Secret discards the key on
// purpose, and decoding "[redacted]" is an error. A Secret is safe for concurrent use.
type Secret struct {
	// A closure, since printers that read unexported fields by reflection, without calling
	// methods, print only its address.
	reveal func() string
}

// NewSecret returns a Secret that reveals value.
func NewSecret(value string) Secret {
	return Secret{reveal: func() string { return value }}
}

// Reveal returns the value of the key. It must not be logged or put into an error's text.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether the value is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both have the same value, in constant time for values of the same length.
// reflect.DeepEqual, which most assertions use, returns false for any two Secrets that are not
// empty.
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

// MarshalText returns "[redacted]". YAML, XML and text encoders call it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" in quotes.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalYAML returns "[redacted]".
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }

// MarshalBinary returns "[redacted]". Package encoding/gob calls it.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// These errors do not quote the value, since errors are logged.
var (
	errNotString   = errors.New("not a string")
	errRedacted    = errors.New("a redacted secret, whose value is lost")
	errEmpty       = errors.New("an empty secret")
	errNotToken    = errors.New("a secret with characters that no key contains")
	errPlaceholder = errors.New("a placeholder and not a key")
)

// UnmarshalText sets s to a value that a client can use as a key. It returns an error if the value
// is empty, contains characters that a bearer token (RFC 6750) cannot contain, such as white space,
// asterisks and control characters, or is a placeholder, such as "sk-admin...abc", "REDACTED" or a
// prefix alone. The error does not quote the value, and s is unchanged.
func (s *Secret) UnmarshalText(text []byte) error {
	value := string(text)
	if err := checkUsable(value); err != nil {
		return err
	}
	*s = NewSecret(value)
	return nil
}

// checkUsable returns an error if no client could use value as a key.
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

// isPlaceholder reports whether value is certainly no key: a prefix alone, a word that stands for a
// missing or hidden value, such as "sk-admin-REDACTED" and "YOUR_API_KEY", or repeated characters.
// A test server's "sk-admin-secret-value" is a key.
func isPlaceholder(value string) bool {
	const masked = 6 // characters in a row
	prefixed, named, hidden, other := false, false, false, false
	for part := range strings.FieldsFuncSeq(value, isSeparator) {
		kind, repeats := otherWord, strings.Trim(part, part[:1]) == ""
		if len(part) <= longestWord {
			kind = words[strings.ToLower(part)]
		}
		switch {
		case repeats && len(part) >= masked, strings.Contains(part, "xxxxxx"), strings.Contains(part, "XXXXXX"):
			return true
		case kind == prefixWord:
			prefixed = true
		case kind == nounWord:
			named = true
		case kind == hidingWord, repeats && (len(part) > 1 || part == value):
			hidden = true
		default:
			other = true
		}
	}
	return !other && (hidden || !named || !prefixed)
}

func isSeparator(r rune) bool {
	switch r {
	case '-', '.', '_', '~', '+', '/', '=':
		return true
	}
	return false
}

type wordKind int

const (
	otherWord  wordKind = iota
	prefixWord          // is in the prefix of a key
	nounWord            // is a key only after a prefix, as in a test: "sk-secret"
	hidingWord          // stands for a value that is missing, hidden or to be inserted
)

// longestWord is the length of the longest of words.
const longestWord = 12

var words = func() map[string]wordKind {
	words := make(map[string]wordKind)
	for kind, list := range map[wordKind]string{
		prefixWord: "sk sess admin proj svcacct service account acct project organization org",
		nounWord: `secret password token key api apikey value string text bearer example dummy fake sample default
			true false not me my the with this n a`,
		hidingWord: `redacted hidden masked removed deleted omitted filtered scrubbed sanitized obfuscated censored withheld
			placeholder null nil none undefined unknown unset empty void nan na todo tbd missing available unavailable
			your insert enter replace change here changeme yourkey yourapikey`,
	} {
		for word := range strings.FieldsSeq(list) {
			words[word] = kind
		}
	}
	return words
}()

// tokenCharacters are those of a bearer token, apart from the padding.
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// UnmarshalBinary does what [Secret.UnmarshalText] does.
func (s *Secret) UnmarshalBinary(data []byte) error { return s.UnmarshalText(data) }

// UnmarshalJSON decodes a JSON string, with the rules of [Secret.UnmarshalText].
func (s *Secret) UnmarshalJSON(b []byte) error {
	text, err := jsontext.AppendUnquote(nil, b)
	if err != nil {
		return errNotString
	}
	return s.UnmarshalText(text)
}
