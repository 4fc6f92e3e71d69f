package orgkeys

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/apitype"
)

// randomText returns n characters like those of a key, always the same for one n.
func randomText(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	random := rand.New(rand.NewPCG(uint64(n), 0))
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}

func TestRedact(t *testing.T) {
	long := strings.Repeat("k", 20)
	for _, row := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"no key", "The project is archived.", "The project is archived."},
		{"admin key", "got sk-admin-abc", "got [redacted]"},
		{"service account key", "got sk-svcacct-abc_DEF-123", "got [redacted]"},
		{"session", "got sess-abc", "got [redacted]"},
		{"upper case", "got SK-ADMIN-ABC, SESS-1", "got [redacted], [redacted]"},
		{"header", "Authorization: Bearer abc.D", "Authorization: [redacted]"},
		{"lower case header, several spaces", "authorization: bearer   abc1", "authorization: [redacted]"},
		{"header with a token of lower-case letters", "bearer " + long, "[redacted]"},
		{"one character", "sk-a", "[redacted]"},
		{"prefix alone", "it starts with sk- or sess-", "it starts with sk- or sess-"},
		{"redacted value", "sk-adm***wxyz is wrong", "[redacted] is wrong"},
		{"redacted with dots", "sk-admin...wxyz is wrong", "[redacted] is wrong"},
		{"redacted with an ellipsis", "sk-admin…wxyz is wrong", "[redacted] is wrong"},
		{"end of a sentence", "It is sk-abc. Try another.", "It is [redacted] Try another."},
		{"quotes", `"sk-abc"`, `"[redacted]"`},
		{"brackets", "[Bearer sk-abc]", "[[redacted]]"},
		{"HTML", "<b>sk-abc</b>", "<b>[redacted]</b>"},
		{"URL", "?key=sk-abc&limit=1", "?key=[redacted]&limit=1"},
		{"two keys", "sk-abc, sk-def", "[redacted], [redacted]"},
		{"two adjacent keys", "sk-abcsk-def", "[redacted]"},
		{"after a word", "keysk-" + long, "key[redacted]"},
		{"inside a word, 15 characters", "task-" + long[:15], "task-" + long[:15]},
		{"inside a word, 16 characters", "task-" + long[:16], "ta[redacted]"},
		{"inside a word, 16 characters in two parts", "task-" + long[:8] + "-" + long[:8], "task-" + long[:8] + "-" + long[:8]},
		{"after a line break, not inside the word", "key\nsk-abc", "key [redacted]"},

		{"percent-escaped", "sk%2Dadmin%2Dabc", "[redacted]"},
		{"percent-escaped twice", "got %2573k%252dadmin", "got [redacted]"},
		{"percent-escaped three times", "sk%25252Dadmin", "[redacted]"},
		{"escaped space", "bearer%20abc1", "[redacted]"},
		{"JSON", `sk\u002dadmin`, "[redacted]"},
		{"JSON twice", `sk\\u002dadmin`, "[redacted]"},
		{"JSON slash", `sk-ab\/cd`, "[redacted]"},
		{"Go", `\x73k-ab sk\U0000002dab \163k-ab`, "[redacted] [redacted] [redacted]"},
		{"HTML, decimal", "sk&#45;admin", "[redacted]"},
		{"HTML, hexadecimal", "sk&#x2d;ab sk&#X2D;ab", "[redacted] [redacted]"},
		{"HTML twice", "sk&amp;#45;admin", "[redacted]"},
		{"HTML by name", "sk&hyphen;admin", "[redacted]"},
		{"escaped zero-width space", `sk-abc\u200bdef s\u200bk-abc`, "[redacted] [redacted]"},
		{"percent-escaped zero-width space", "sk-abc%E2%80%8Bdef", "[redacted]"},
		{"escaped soft hyphen", "sk-abc&#173;def", "[redacted]"},
		{"escaped line break", `sk-abc\ndef`, "[redacted]"},
		{"no escapes", `100% of C:\dir & co &# &; %zz \q \u00 \`, `100% of C:\dir & co &# &; %zz \q \u00 \`},

		{"colors", "sk-\x1b[0madmin-\x1b[1;31mabc", "[redacted]"},
		{"escaped colors", `sk-\x1b[0madmin-\u001b[31mabc\033[0m`, `[redacted]\033[0m`},
		{"C1 colors", "sk-\u009b0madmin\x9b0mabc", "[redacted]"},
		{"C1 colors with parameters", "sk-\u009b1;31madmin sk-\x9b1;31madmin", "[redacted] [redacted]"},
		{"hyperlink in a prefix", "s\x1b]8;;https://x.example\x1b\\k-abc", "[redacted]"},
		{"ESC as an escape", `sk-\e[1;31madmin`, "[redacted]"},
		{"filler in a prefix", "s\u3164k-abc", "[redacted]"},
		{"short key after a dropped character", "x\u200bsk-abc", "x [redacted]"},
		{"after a word and an escaped line break", `key\nsk-abc`, `key\n[redacted]`},
		{"character set", "sk-\x1b(Badmin", "[redacted]"},
		{"hyperlink", "sk-\x1b]8;;https://x.example\x1b\\admin\x1b]8;;\x07-abc", "[redacted]"},
		{"unfinished sequences", "sk-abc \x1b[31\nsk-def\x1b", "[redacted]  [31 [redacted] "},
		{"the sequence takes a letter", "\x1b[31 sk-abc \x1b sk-def", " [31 [redacted]   [redacted]"},
		{"inside a sequence", "\x1b]0;sk-abc\x07 \x1b]0;sk-def", " ]0;[redacted]   ]0;[redacted]"},
		{"zero-width space", "s\u200bk-ad\u200bmin", "[redacted]"},
		{"line breaks", "sk-ad\r\nmin\tabc", "[redacted]"},
		{"NUL", "s\x00k-abc", "[redacted]"},
		{"combining and variation characters", "s\u034fk\ufe0f-\u3164abc", "[redacted]"},
		{"invalid UTF-8", "s\xffk-abc", "[redacted]"},

		{"unprintable characters", "a\r\nb\tc\x00d\x1b[31m\u2028e\u202ef", "a  b c d [31m e f"},
		{"invalid UTF-8 without a key", "a\xffb", "a\uFFFDb"},
		{"other scripts", "Schlüssel „名前“ 😀 e\u0301", "Schlüssel „名前“ 😀 e\u0301"},

		{"maximum length", strings.Repeat("a", maxText), strings.Repeat("a", maxText)},
		{"longer", strings.Repeat("a", maxText+1), strings.Repeat("a", maxText) + "…"},
		{"longer, cut inside a character", strings.Repeat("a", maxText-1) + "éé", strings.Repeat("a", maxText-1) + "…"},
		{"longer only before redaction", strings.Repeat("a", maxText-20) + " sk-" + strings.Repeat("b", 1000), strings.Repeat("a", maxText-20) + " [redacted]"},
		{"key at the end", strings.Repeat("a", maxText-3) + " sk-abc", strings.Repeat("a", maxText-3) + " [r…"},
		{"key across the part that is read", "sk-" + strings.Repeat("b", 5*maxText) + " end", "[redacted]…"},
		{"many keys", strings.Repeat("sk-"+strings.Repeat("b", 97)+" ", 30), strings.Repeat("[redacted] ", 20) + "[redacted]…"},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, redact(row.text)) })
	}
}

// What only resembles a key stays readable.
func TestRedact_keepsOrdinaryText(t *testing.T) {
	for _, text := range []string{
		"The task-force reviewed it.",
		"A risk-based rule applies, see your administrator.",
		"disk-encryption-service-production-2024 has no keys",
		"kiosk-mode, brisk-walk, whisk-away, desk-top, obsess-ive",
		"Ask-me-anything sessions are closed; ask again.",
		"Missing bearer or basic authentication in header",
		"invalid bearer token; the bearer authentication scheme is required",
		"The project proj_abc is archived (svc_acct_abc, key_abc).",
		"limit must be between 1 and 100: got 101 (50% more)",
		"sk is too short, and so is sk- and -sk",
		"Unbearable: 503 <a&b> \"quoted\" 'text' \\ / #1",
	} {
		assert.Equal(t, text, (&redactor{key: apitype.NewSecret("sk-admin-" + randomText(48))}).redact(text))
		assert.False(t, looksLikeKey(text), text)
	}
}

// The admin key of the call is known, so that its fragments can be found even without a prefix.
func TestRedactor(t *testing.T) {
	random := randomText(48)
	key := "sk-admin-" + random
	for _, row := range []struct{ name, text, want string }{
		{"whole key", "sent " + key + ".", "sent [redacted]"},
		{"without its prefix", "sent (" + random + ")", "sent ([redacted])"},
		{"12 characters", "got " + random[20:32] + " now", "got [redacted] now"},
		{"11 characters", "got " + random[20:31] + " now", "got " + random[20:31] + " now"},
		{"first 12 characters of the random part", random[:12], "[redacted]"},
		{"last 12 characters", random[36:], "[redacted]"},
		{"13 characters in a word", "(" + random[5:18] + "__", "([redacted]__"},
		{"two fragments", random[:12] + " and " + random[24:40], "[redacted] and [redacted]"},
		{"upper case", strings.ToUpper(random[:20]), "[redacted]"},
		{"lower case", strings.ToLower(random[:20]), "[redacted]"},
		{"in groups", random[:4] + " " + random[4:8] + " " + random[8:12], "[redacted]"},
		{"percent-escaped", percent(random[:12]), "[redacted]"},
		{"percent-escaped twice", percent(percent(random[:12])), "[redacted]"},
		{"percent-escaped invisible characters", random[:6] + "%E2%80%8B" + random[6:12], "[redacted]"},
		{"JSON", fmt.Sprintf(`\u%04x%s`, random[0], random[1:12]), "[redacted]"},
		{"HTML", fmt.Sprintf("&#%d;%s", random[0], random[1:12]), "[redacted]"},
		{"colors", random[:5] + "\x1b[1;31m" + random[5:12], "[redacted]"},
		{"escaped colors", random[:5] + `\x1b[1;31m` + random[5:12], "[redacted]"},
		{"zero-width spaces", strings.Join(strings.Split(random[:12], ""), "\u200b"), "[redacted]"},
		{"line break", random[:6] + "\n" + random[6:12], "[redacted]"},
		{"another key's fragment", randomText(47)[:20], randomText(47)[:20]},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, row.want, (&redactor{key: apitype.NewSecret(key)}).redact(row.text))
		})
	}
	for _, row := range []struct{ name, key, text, want string }{
		{"short key", "token-1", "sent token-1", "sent [redacted]"},
		{"short key, other case", "token-1", "sent TOKEN-1", "sent [redacted]"},
		{"part of a short key", "token-1", "sent token-", "sent token-"},
		{"no letters or digits", "{:;!}", "sent {:;!} {:;!", "sent [redacted] {:;!"},
		{"letters and others", "gateway!token:1", "xgateway!token:1y", "x[redacted]y"},
		{"start of another key", "sk-admin-abc", "got sk-admin-abcdef", "got [redacted]"},
		{"contains what looks like an escape", "gw%41" + random, "gw%41" + random, "[redacted]"},
		{"contains what looks like an escape of a backslash", `gw!\x41` + random[:9], `gw!\x41` + random[:9], "[redacted]"},
		{"no key", "", "a text", "a text"},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, row.want, (&redactor{key: apitype.NewSecret(row.key)}).redact(row.text))
		})
	}
}

func percent(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

func TestLooksLikeKey(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "key_abc": false, "proj_abc": false, "user-1": false, "sk-": false, "task-force": false, "100%": false, "é": false,
		"sk-a": true, "SK-a": true, "sess-a": true, "key=sk-a": true, "sk%2da": true, "s\u200bk-a": true, "x-" + "sk-a": true,
	} {
		assert.Equal(t, want, looksLikeKey(text), text)
	}
}
