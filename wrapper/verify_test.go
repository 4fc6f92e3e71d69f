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
	key := "sk-admin-" + randomText(39) // 48 characters
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
		{"the first half", key, key[:24], false},
		{"less than the first half", key, key[:23] + "***********", true},
		{"the second half", key, "***" + key[24:], false},
		{"a half in three parts", key, key[:8] + "*" + key[20:28] + "*" + key[40:], false},
		{"all but one character in the middle", key, key[:24] + "*" + key[25:], false},
		{"every fifth character hidden", key, key[:4] + "*" + key[5:9] + "*" + key[10:14] + "*" + key[15:19] + "*" + key[20:24] + "*" + key[25:29] + "*" + key[30:34], false},
		{"a short key, redacted", "sk-admin-1234abcd", "sk-admin...bcd", true},
		{"a short key", "sk-admin-1234abcd", "sk-admin-1234abcd", false},
		{"a short key in a text", "sk-admin-1234abcd", "key sk-admin-1234abcd.", false},
		{"a key of 23 characters, redacted", key[:23], key[:12] + "***", true},
		{"a key of 24 characters, half of it", key[:24], key[:12] + "***", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			pointer, problem := verifySecret(apitype.NewSecret(row.key), "/value", "ci", row.printed)
			assert.Equal(t, row.valid, problem == "", problem)
			if !row.valid {
				assert.Equal(t, "/value", pointer)
				assert.NotContains(t, problem, row.key)
			}
		})
	}
	_, problem := verifySecret(apitype.NewSecret(key), "/value", key, "ci")
	assert.NotEmpty(t, problem, "the first property")
}
