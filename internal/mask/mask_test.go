package mask_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"mime/quotedprintable"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/mask"
)

// randomText returns n characters like those of a key, always the same for one seed.
func randomText(n int, seed uint64) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	random := rand.New(rand.NewPCG(seed, seed))
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}

func TestText(t *testing.T) {
	long := strings.Repeat("k", 20)
	for _, row := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"no key", "The project is archived.", "The project is archived."},
		{"admin key", "got sk-admin-abc", "got [redacted]"},
		{"service account key", "got sk-svcacct-abc_DEF-123", "got [redacted]"},
		{"session", "got sess-abc", "got [redacted]"},
		{"other spellings", "got SK-ADMIN-ABC, SESS-1 sk_live_1 Sess_2", "got [redacted], [redacted] [redacted] [redacted]"},
		{"header", "Authorization: Bearer abc.D", "Authorization: [redacted]"},
		{"lower case header, several spaces", "authorization: bearer   abc1", "authorization: [redacted]"},
		{"header with a token of lower-case letters", "bearer " + long, "[redacted]"},
		{"one character", "sk-a", "[redacted]"},
		{"prefix alone", "it starts with sk- or sess-", "it starts with sk- or sess-"},
		{"nothing but asterisks", "sk-*** sk-...", "sk-*** sk-..."},
		{"redacted value", "sk-adm***wxyz is wrong", "[redacted] is wrong"},
		{"redacted with dots", "sk-admin...wxyz is wrong", "[redacted] is wrong"},
		{"redacted with an ellipsis", "sk-admin…wxyz is wrong", "[redacted] is wrong"},
		{"end of a sentence", "It is sk-abc. Try another.", "It is [redacted]. Try another."},
		{"quotes", `"sk-abc" 'sk-abc' ` + "`sk-abc`", `"[redacted]" '[redacted]' ` + "`[redacted]`"},
		{"brackets", "[Bearer sk-abc] (sk-abc) {sk-abc}", "[[redacted]] ([redacted]) {[redacted]}"},
		{"HTML", "<b>sk-abc</b>", "<b>[redacted]</b>"},
		{"URL", "?key=sk-abc&limit=1 x", "?key=[redacted] x"},
		{"two keys", "sk-abc, sk-def", "[redacted], [redacted]"},
		{"two adjacent keys", "sk-abcsk-def", "[redacted]"},
		{"after a word", "keysk-" + long, "key[redacted]"},
		{"inside a word, 15 characters", "task-" + long[:15], "task-" + long[:15]},
		{"inside a word, 16 characters", "task-" + long[:16], "ta[redacted]"},
		{"inside a word, 16 characters in two parts", "task-" + long[:8] + "-" + long[:8], "task-" + long[:8] + "-" + long[:8]},
		{"after a line break", "key\nsk-abc", "key [redacted]"},
		{"line breaks inside", "a sk-ad\r\nmin\tabc d", "a [redacted] d"},
		{"escapes inside", `a sk-abc%E2%80%8Bdef sk-abc\ndef sk-abc&#173;def sk-abc=\r\ndef`, "a [redacted] [redacted] [redacted] [redacted]"},

		{"escaped, words of a text", "got sk%2Dadmin%2Dabc now", "got [redacted] now"},
		{"escaped, several words", "a bearer%20abc1 c", "a [redacted] c"},
		{"no escapes", `100% of C:\dir & co &# &; %zz \q \u00 \ a=b`, `100% of C:\dir & co &# &; %zz \q \u00 \ a=b`},
		{"colors without a key", "\x1b[31mred\x1b[0m", " [31mred [0m"},
		{"a terminal sequence in a key", "a sk-\x1b]0;b c\x07admin-" + long, "[redacted]"},

		{"unprintable characters", "a\r\nb\tc\x00d\x1b[31m\u2028e\u202ef", "a  b c d [31m e f"},
		{"invalid UTF-8 without a key", "a\xffb", "a\uFFFDb"},
		{"other scripts", "Schlüssel „名前“ 😀 e\u0301", "Schlüssel „名前“ 😀 e\u0301"},

		{"maximum length", strings.Repeat("a", mask.MaxText), strings.Repeat("a", mask.MaxText)},
		{"longer", strings.Repeat("a", mask.MaxText+1), strings.Repeat("a", mask.MaxText) + "…"},
		{"longer, cut inside a character", strings.Repeat("a", mask.MaxText-1) + "éé", strings.Repeat("a", mask.MaxText-1) + "…"},
		{"longer only before redaction", strings.Repeat("a", mask.MaxText-20) + " sk-" + strings.Repeat("b", 1000), strings.Repeat("a", mask.MaxText-20) + " [redacted]"},
		{"key at the end", strings.Repeat("a", mask.MaxText-3) + " sk-abc", strings.Repeat("a", mask.MaxText-3) + " [r…"},
		{"key across the part that is read", "sk-" + strings.Repeat("b", 5*mask.MaxText) + " end", "[redacted]…"},
		{"many keys", strings.Repeat("sk-"+strings.Repeat("b", 97)+" ", 30), strings.Repeat("[redacted] ", 20) + "[redacted]…"},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, row.want, mask.Text(row.text, nil))
			assert.Equal(t, row.want, mask.Text(row.want, nil)[:len(row.want)], "once is enough")
		})
	}
}

// What only resembles a key stays readable.
func TestText_keepsOrdinaryText(t *testing.T) {
	for _, text := range []string{
		"The task-force reviewed it.",
		"A risk-based rule applies, see your administrator.",
		"disk-encryption-service-production-2024 has no keys",
		"kiosk-mode, brisk-walk, whisk-away, desk-top, obsess-ive, my_sk-file",
		"Ask-me-anything sessions are closed; ask again. task_id",
		"Missing bearer or basic authentication in header",
		"invalid bearer token; the bearer authentication scheme is required",
		"The project proj_abc is archived (svc_acct_abc, key_abc).",
		"limit must be between 1 and 100: got 101 (50% more)",
		"sk is too short, and so is sk- and -sk",
		"Unbearable: 503 <a&b> \"quoted\" 'text' \\ / #1",
		"req_3f2b9c1d8e7a4f6b9c1d8e7a4f6b9c1d 0f8fad5b-d9cb-469f-a165-70867728950e",
		"proj_" + randomText(24, 7) + " key_" + randomText(16, 8) + " " + randomText(64, 9),
		base64.StdEncoding.EncodeToString([]byte(`{"after":"key_abc","order":"desc","page":17}`)),
		"https://api.example/v1/organization/projects/proj_abc/api_keys/key_abc?limit=20&after=key_abc",
	} {
		assert.Equal(t, text, mask.Text(text, mask.NewKey("sk-admin-"+randomText(48, 1))))
		assert.False(t, mask.Contains(text, nil), text)
	}
}

// The known key is found without a prefix, and in fragments.
func TestText_ofAKnownKey(t *testing.T) {
	random := randomText(48, 1)
	key := "sk-admin-" + random
	for _, row := range []struct{ name, text, want string }{
		{"whole key", "sent " + key + ".", "sent [redacted]."},
		{"without its prefix", "sent (" + random + ")", "sent [redacted]"},
		{"12 characters", "got " + random[20:32] + " now", "got [redacted] now"},
		{"9 characters", "got " + random[20:29] + " now", "got " + random[20:29] + " now"},
		{"end of the prefix", "n-" + random[:10], "[redacted]"},
		{"13 characters in a word", "(" + random[5:18] + "__", "[redacted]"},
		{"two fragments", random[:12] + " and " + random[24:40], "[redacted] and [redacted]"},
		{"in groups", "a " + random[:4] + " " + random[4:8] + "-" + random[8:12] + " b", "[redacted]"},
		{"in a group", "a " + random[:4] + ":" + random[4:8] + "-" + random[8:12] + " b", "a [redacted] b"},
		{"9 characters in groups", random[:4] + " " + random[4:8] + "-" + random[8:9], random[:4] + " " + random[4:8] + "-" + random[8:9]},
		{"escaped word", "a " + random[:5] + "%" + hex.EncodeToString([]byte(random[5:6])) + random[6:12] + " b", "a [redacted] b"},
		{"another key's fragment", randomText(20, 2), randomText(20, 2)},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, mask.Text(row.text, mask.NewKey(key))) })
	}
	for _, row := range []struct{ name, key, text, want string }{
		{"short key", "token-1", "sent token-1", "sent [redacted]"},
		{"short key, other case", "token-1", "sent TOKEN-1", "sent [redacted]"},
		{"short key, escaped", "token-1", "sent token%2D1", "sent [redacted]"},
		{"part of a short key", "token-1", "sent token-", "sent token-"},
		{"few letters and digits", "a:!b:!c", "abc a:!b:! %", "abc a:!b:! %"},
		{"no letters or digits", "{:;!}", "sent {:;!} {:;!", "sent [redacted] {:;!"},
		{"letters and others", "gateway!token:1", "xgateway!token:1y", "[redacted]"},
		{"contains what looks like an escape", "gw%41" + random, "gw%41" + random, "[redacted]"},
		{"contains what looks like an escape of a backslash", `gw!\x41` + random[:9], `gw!\x41` + random[:9], "[redacted]"},
		{"starts like a quoted-printable escape", "ab" + random[:10], "k=ab" + random[:9] + "%" + hex.EncodeToString([]byte(random[9:10])), "[redacted]"},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, mask.Text(row.text, mask.NewKey(row.key))) })
	}
}

// forms are what a text may be turned into on its way into another.
var forms = map[string]func(string) string{
	"itself":                func(s string) string { return s },
	"upper case":            strings.ToUpper,
	"lower case":            strings.ToLower,
	"percent":               func(s string) string { return each(s, "%%%02X") },
	"lower-case percent":    func(s string) string { return each(s, "%%%02x") },
	"percent, partly":       func(s string) string { return s[:5] + each(s[5:8], "%%%02x") + s[8:] },
	"query":                 func(s string) string { return "?a=b&key=" + url.QueryEscape(s) + "&c=d" },
	"quoted-printable":      quotedPrintable,
	"quoted-printable, all": func(s string) string { return each(s, "=%02X") },
	"soft line break":       func(s string) string { return s[:1] + "=\r\n" + s[1:7] + "=\n" + s[7:] },
	"JSON":                  func(s string) string { b, _ := json.Marshal(s); return string(b) },
	"JSON, all":             func(s string) string { return each(s, `\u%04x`) },
	"Go":                    func(s string) string { return each(s, `\x%02x`) },
	"Go, long":              func(s string) string { return each(s, `\U%08X`) },
	"octal":                 func(s string) string { return each(s, `\%03o`) },
	"HTML":                  html.EscapeString,
	"HTML, decimal":         func(s string) string { return each(s, "&#%d;") },
	"HTML, hexadecimal":     func(s string) string { return each(s, "&#X%x;") },
	"HTML by name":          func(s string) string { return strings.ReplaceAll(s, "-", "&hyphen;") },
	"colors":                func(s string) string { return s[:1] + "\x1b[1;31m" + s[1:7] + "\x1b[0m" + s[7:] },
	"colors in C1":          func(s string) string { return s[:1] + "\u009b1m" + s[1:7] + "\u009b0m" + s[7:] },
	"quoted colors":         func(s string) string { return strconv.Quote(s[:1] + "\x1b[1;31m" + s[1:]) },
	"colors as in a shell":  func(s string) string { return s[:1] + `\e[1;31m` + s[1:6] + `\033[0m` + s[6:] },
	"hyperlink": func(s string) string {
		return s[:1] + "\x1b]8;;https://x.example\x1b\\" + s[1:7] + "\x1b]8;;\x07" + s[7:]
	},
	"character set":     func(s string) string { return s[:4] + "\x1b(B" + s[4:] },
	"zero-width spaces": func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") },
	"invisible letters": func(s string) string { return s[:1] + "\u034f\u3164" + s[1:2] + "\u20e3" + s[2:5] + "\ufe0f" + s[5:] },
	"escaped invisible": func(s string) string { return s[:1] + `\u200b` + s[1:5] + "%E2%80%8B" + s[5:9] + "&#173;" + s[9:] },
	"line breaks":       func(s string) string { return s[:1] + "\r\n" + s[1:7] + "\t" + s[7:] },
	"NUL":               func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") },
	"invalid UTF-8":     func(s string) string { return s[:1] + "\xff" + s[1:] },
}

// each formats each character, or each byte if format is for one.
func each(text, format string) string {
	if !strings.ContainsAny(format, "uU&") {
		var b strings.Builder
		for i := range len(text) {
			fmt.Fprintf(&b, format, text[i])
		}
		return b.String()
	}
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func quotedPrintable(text string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return strings.ReplaceAll(b.String(), "-", "=2D")
}

// Each form of a key and of each fragment of the known key is found, also in two forms at once.
func TestText_redactsEachForm(t *testing.T) {
	random := randomText(44, 1)
	known := "sk-admin-" + random[:20] + "_" + random[20:31] + "-" + random[31:]
	unknown := "sk-proj-" + randomText(30, 3)
	gateway := "gw<&>\"'%" + randomText(30, 4)
	knownKey, gatewayKey := mask.NewKey(known), mask.NewKey(gateway)
	outer := []string{"itself", "percent", "lower-case percent", "quoted-printable, all", "JSON", "JSON, all", "Go", "octal", "HTML", "HTML, decimal"}
	for _, outer := range outer {
		for inner, form := range forms {
			if inner == "colors in C1" && outer == "HTML, decimal" {
				continue // &#155; is another character in HTML
			}
			wrap, step := forms[outer], 11
			if outer == "itself" {
				step = 1
			}
			for start := 0; start+12 <= len(known); start += step {
				form := wrap(form(known[start : start+12]))
				assert.True(t, mask.Contains("got "+form+" now", knownKey), "%s in %s: %q", inner, outer, form)
				assert.NotContains(t, mask.Text("got "+form+" now", knownKey), form, "%s in %s", inner, outer)
			}
			for _, key := range []string{unknown, gateway} {
				form := wrap(form(key))
				assert.True(t, mask.Contains("got "+form+" now", gatewayKey), "%s in %s: %q", inner, outer, form)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	random := randomText(48, 1)
	for _, row := range []struct{ text, want string }{
		{"", ""}, {"Nightly audit", "Nightly audit"}, {"sk-rotation", "sk-rotation"}, {"sk-admin...def", "sk-admin...def"},
		{"sk-admin-" + random[:3] + "********" + random[44:], "sk-admin-" + random[:3] + "********" + random[44:]},
		{"sk-admin-" + random, "[redacted]"}, {"ci (sk-admin-" + random + ")", "ci ([redacted])"}, {"SESS-" + random, "[redacted]"},
		{"my_sk-" + random[:15] + "-" + random[15:30] + "-" + random[30:45], "my_sk-" + random[:15] + "-" + random[15:30] + "-" + random[30:45]},
		{"sk-" + random[:15], "sk-" + random[:15]}, {"sk-" + random[:16], "[redacted]"},
		{"sk-" + random[:15] + "-" + random[15:30] + "_" + random[30:32], "[redacted]"}, {"sk-" + random[:15] + "-" + random[15:30] + "_" + random[30:31], "sk-" + random[:15] + "-" + random[15:30] + "_" + random[30:31]},
		{"Bearer " + random, "[redacted]"}, {"Bearer token", "Bearer token"},
	} {
		assert.Equal(t, row.want, mask.Keys(row.text))
	}
}

func TestContains(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "key_abc": false, "proj_abc": false, "user-1": false, "sk-": false, "task-force": false, "100%": false, "é": false, "sk": false, "bearer": false,
		"sk-a": true, "SK-a": true, "sess-a": true, "key=sk-a": true, "sk%2da": true, "s\u200bk-a": true, "x-" + "sk-a": true, "sk_a": true, "Bearer 1": true,
	} {
		assert.Equal(t, want, mask.Contains(text, nil), text)
	}
	for text, want := range map[string]bool{
		"x token-1": true, "TOKEN-1": true, "token-2": false, "sk-abc": false, "": false,
	} {
		assert.Equal(t, want, mask.NewKey("Token-1").IsIn(text), text)
	}
	assert.False(t, mask.NewKey("").IsIn("text"))
}

// FuzzText: whatever surrounds a key, it is redacted, and the text is short and printable.
func FuzzText(f *testing.F) {
	const letters = "Zq7Xw2Kp9Vb4Nm6R" // of a key
	for _, around := range []string{
		"", " ", "key ", "Bearer ", "bearer", "sk-", "sk-sk-", "task-", "x", "\"", "[", "<b>", "?key=", "\n", "\x00", "\xff", "é", "\u2028", "\x1b", "\x1b[", "&", "\\", "%", "=",
		"…", "***", strings.Repeat("a ", 250), strings.Repeat("a", 505), "sess-", "SK-", "k-", "s", "c2st",
	} {
		f.Add(around, "", "gateway!"+letters)
		f.Add("", around, "sk-admin-"+letters)
		f.Add(around, around, letters)
	}
	f.Fuzz(func(t *testing.T, before, after, known string) {
		redact := func(key string) string {
			text := mask.Text(before+key+after, mask.NewKey(known))
			require.LessOrEqual(t, len(text), mask.MaxText+len("…"))
			require.True(t, utf8.ValidString(text))
			require.False(t, strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", text)
			return text
		}
		for _, prefix := range []string{"sk-", "sess-", "SK-"} {
			if text := redact(prefix + letters); !strings.Contains(before+after+known, letters) {
				require.NotContains(t, text, letters)
			}
		}
		text := redact(known)
		isASCII := !strings.ContainsFunc(known, func(r rune) bool { return r <= ' ' || r > '~' })
		if known != "" && isASCII && !strings.Contains(strings.ToLower(mask.Mark), strings.ToLower(known)) && !strings.ContainsAny(known, "[]") {
			require.NotContains(t, text, known)
		}
	})
}

func BenchmarkText(b *testing.B) {
	known := mask.NewKey("sk-admin-" + randomText(48, 1))
	for name, text := range map[string]string{
		"message":    "Your project is archived and cannot get new service accounts. Restore it first, or use another.",
		"request id": "req_3f2b9c1d8e7a4f6b9c1d8e7a4f6b9c1d",
		"512 bytes":  strings.Repeat("The project is archived and has no key. ", 13)[:mask.MaxText],
		"a key":      "Incorrect API key provided: sk-adm***wxyz. You can find your key in the settings.",
		"an escape":  "invalid query: limit=20&after=key_abc%20",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mask.Text(text, known)
			}
		})
	}
}
