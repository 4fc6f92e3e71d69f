package orgkeys

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/apitype"
)

func TestVerifyID(t *testing.T) {
	for _, row := range []struct {
		id, requested string
		valid         bool
	}{
		{"key_1", "key_1", true}, {"key_2", "key_1", false}, {"KEY_1", "key_1", false}, {"key_1 ", "key_1", false}, {"", "key_1", false},
	} {
		pointer, problem := verifyID(row.id, row.requested)
		assert.Equal(t, row.valid, problem == "", row.id)
		assert.Equal(t, row.valid, pointer == "", row.id)
	}
}

func TestVerifySecret(t *testing.T) {
	const key = "sk-admin-" + "Zq7Xw2Kp9Vb4Nm6RtY3sLd8Hf5Gj1Ca0EuBxPiQ" // 48 characters, 46 letters and digits
	for _, row := range []struct {
		name, key, printed string
		valid              bool
	}{
		{"empty", key, "", true},
		{"a name", key, "Nightly audit", true},
		{"redacted", key, key[:8] + strings.Repeat("*", 36) + key[44:], true},
		{"redacted with dots", key, key[:8] + "..." + key[45:], true},
		{"the value", key, key, false},
		{"the value in a text", key, "key " + key + ".", false},
		{"the value in upper case", key, strings.ToUpper(key), false},
		{"all but the last character", key, key[:47], false},
		{"the first half", key, key[:25], false},
		{"less than the first half", key, key[:24] + "***********", true},
		{"the second half", key, "***" + key[24:], false},
		{"a half in three parts", key, key[:8] + "*" + key[20:28] + "*" + key[40:], false},
		{"all but one character in the middle", key, key[:24] + "*" + key[25:], false},
		{"every fifth character hidden", key, key[9:13] + "*" + key[14:18] + "*" + key[19:23] + "*" + key[24:28] + "*" + key[29:33] + "*" + key[34:38], false},
		{"every fourth character hidden", key, key[9:12] + "*" + key[13:16] + "*" + key[17:20] + "*" + key[21:24] + "*" + key[25:28] + "*" + key[29:32] + "*" + key[33:36], true},
		{"with dashes between", key, strings.Join(strings.Split(key[9:], ""), "-"), false},
		{"a short key, redacted", "sk-admin-1234abcd", "sk-admin...bcd", true},
		{"a short key", "sk-admin-1234abcd", "sk-admin-1234abcd", false},
		{"a short key in a text", "sk-admin-1234abcd", "key sk-admin-1234abcd.", false},
		{"two letters", "a1", "key_a1", false},
		{"the admin key", "Sk-admin-TEST", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			pointer, problem := verifySecret(apitype.NewSecret(row.key), "/value", newRedactor("sk-admin-test"), "key_1", "ci", row.printed)
			assert.Equal(t, row.valid, problem == "", problem)
			if !row.valid {
				assert.Equal(t, "/value", pointer)
				assert.NotContains(t, problem, row.key)
			}
		})
	}
	_, problem := verifySecret(apitype.NewSecret(key), "/value", nil, key, "ci")
	assert.NotEmpty(t, problem, "the first property")
}

func TestVerifyItems(t *testing.T) {
	random := strings.Repeat("Zq7X", 12)
	for _, row := range []struct{ id, redactedValue, want, pointer string }{
		{"key_1", "sk-admin...def", "sk-admin...def", ""},
		{"key_1", "sk-admin" + strings.Repeat("*", 40) + "wxyz", "sk-admin" + strings.Repeat("*", 40) + "wxyz", ""},
		{"key_1", "sk-admin-" + random, "[redacted]", ""},
		{"key_1", "SESS-" + random, "[redacted]", ""},
		{"user-1", "", "", ""}, {"svc_acct_1", "", "", ""}, {"sk", "", "", ""}, {"sess", "", "", ""}, {"session-1", "", "", ""}, {"skill-1", "", "", ""},
		{"sk-abc", "", "", "/data/1/id"}, {"SK-admin-abc", "", "", "/data/1/id"}, {"sk_abc", "", "", "/data/1/id"}, {"sess-abc", "", "", "/data/1/id"},
	} {
		items := [][2]string{{"key_0", "sk-admin...abc"}, {row.id, row.redactedValue}}
		pointer, problem := verifyItems(items, func(item *[2]string) (string, *string) { return item[0], &item[1] })
		assert.Equal(t, row.pointer, pointer, row.id)
		assert.Equal(t, row.pointer == "", problem == "", row.id)
		assert.Equal(t, row.want, items[1][1])
	}
	pointer, _ := verifyItem("key_1", nil)
	assert.Empty(t, pointer)
}
