package orgkeys

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/apitype"
)

// TestAKeyInATextIsMasked holds what is left of a text, to the character.
func TestAKeyInATextIsMasked(t *testing.T) {
	const known = "gateway!token:1" // which looks like no key
	long := strings.Repeat("k", 20)
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"no key", "The project is archived.", "The project is archived."},
		{"an admin key", "got sk-admin-abc", "got [redacted]"},
		{"a service account's", "got sk-svcacct-abc_DEF-123", "got [redacted]"},
		{"a session", "got sess-abc", "got [redacted]"},
		{"in capitals", "got SK-ADMIN-ABC", "got [redacted]"},
		{"with a header's word", "Bearer abc.def", "[redacted]"},
		{"with that word in small letters", "authorization: bearer abc", "authorization: [redacted]"},
		{"its first letter", "sk-a", "[redacted]"},
		{"its prefix alone", "it starts with sk- or sess-", "it starts with sk- or sess-"},
		{"a redacted one", "sk-adm***wxyz is wrong", "[redacted] is wrong"},
		{"one with dots", "sk-admin...wxyz is wrong", "[redacted] is wrong"},
		{"one with an ellipsis", "sk-admin…wxyz is wrong", "[redacted] is wrong"},
		{"at the end of a sentence", "It is sk-abc. Try another.", "It is [redacted] Try another."},
		{"in quotes", `"sk-abc"`, `"[redacted]"`},
		{"in brackets", "[Bearer sk-abc]", "[[redacted]]"},
		{"in HTML", "<b>sk-abc</b>", "<b>[redacted]</b>"},
		{"in a URL", "?key=sk-abc&limit=1", "?key=[redacted]&limit=1"},
		{"two", "sk-abc, sk-def", "[redacted], [redacted]"},
		{"one behind the other", "sk-abcsk-def", "[redacted]"},
		{"behind a word, long", "keysk-" + long, "key[redacted]"},
		{"behind a word, short", "task-force", "task-force"},
		{"behind a word, a byte too short", "task-" + long[:15], "task-" + long[:15]},
		{"behind a word, just long enough", "task-" + long[:16], "ta[redacted]"},
		{"other words", "risk-based disk-full desk-top asks- obsess-ive", "risk-based disk-full desk-top asks- obsess-ive"},
		{"the known one", "sent " + known, "sent [redacted]"},
		{"the known one, in a word", "x" + known + "y", "x[redacted]y"},
		{"the known one, twice", known + known, "[redacted][redacted]"},
		{"the known one as a header", "Bearer " + known, "[redacted]"},
		{"the known one behind another", "sk-abc" + known, "[redacted]"},
		{"the known one inside another", "sk-abc" + known + "def", "[redacted]"},
		{"most of the known one", known[:10], known[:10]},
		{"lines", "a\r\nb\tc\x00d\x1b[31m\u2028e\u202ef", "a  b c d [31m e f"},
		{"no UTF-8", "a\xffb", "a\uFFFDb"},
		{"other letters", "Schlüssel „名前“ 😀", "Schlüssel „名前“ 😀"},
		{"as long as can be", strings.Repeat("a", maxText), strings.Repeat("a", maxText)},
		{"longer", strings.Repeat("a", maxText+1), strings.Repeat("a", maxText) + "…"},
		{"longer, and cut in a letter", strings.Repeat("a", maxText-1) + "éé", strings.Repeat("a", maxText-1) + "…"},
		{"longer but for a key", strings.Repeat("a", maxText-20) + " sk-" + strings.Repeat("b", 1000), strings.Repeat("a", maxText-20) + " [redacted]"},
		{"a key across the cut", strings.Repeat("a", maxText-3) + " sk-abc", strings.Repeat("a", maxText-3) + " [r…"},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, row.want, (&redactor{key: apitype.NewSecret(known)}).redact(row.text))
		})
	}
	assert.Equal(t, "got [redacted]", (&redactor{key: apitype.NewSecret("sk-admin-abc")}).redact("got sk-admin-abcdef"), "the known one is the start of another")
	assert.Equal(t, "no key is known", redact("no key is known"))
}
