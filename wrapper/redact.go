package orgkeys

import (
	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/internal/mask"
)

// redactor redacts texts of a call that was made with an admin key. A nil one knows no key.
type redactor struct {
	key   Secret
	known *mask.Key
}

func newRedactor(key string) *redactor {
	return &redactor{apitype.NewSecret(key), mask.NewKey(key)}
}

// redact returns text without the admin key, without parts of it of twelve characters or more,
// without anything else that looks like a key, and without line breaks, cut to 512 bytes.
func (r *redactor) redact(text string) string {
	if r == nil {
		return redact(text)
	}
	return mask.Text(text, r.known)
}

// redact is for texts of no particular call.
func redact(text string) string { return mask.Text(text, nil) }

// looksLikeKey reports whether redact replaces a part of text.
func looksLikeKey(text string) bool { return mask.Contains(text, nil) }

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
