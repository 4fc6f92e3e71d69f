package apitype_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/orgkeys/orgkeys-go/apitype"
)

const (
	value    = "sk-admin-1234abcd"
	redacted = "[redacted]"
)

func TestSecret_isRedacted(t *testing.T) {
	s := apitype.NewSecret(value)
	text := func(b []byte, err error) string {
		require.NoError(t, err)
		return string(b)
	}
	inYAML, err := s.MarshalYAML()
	require.NoError(t, err)
	for _, row := range []struct{ name, got, want string }{
		{"String", s.String(), redacted},
		{"GoString", s.GoString(), redacted},
		{"%v", fmt.Sprintf("%v", s), redacted},
		{"%+v", fmt.Sprintf("%+v", s), redacted},
		{"%#v", fmt.Sprintf("%#v", s), redacted},
		{"%q", fmt.Sprintf("%q", s), redacted},
		{"%x", fmt.Sprintf("%x", s), redacted},
		{"%d", fmt.Sprintf("%d", s), redacted},
		{"%40s", fmt.Sprintf("%40s", s), redacted},
		{"pointer", fmt.Sprintf("%v", &s), redacted},
		{"zero", fmt.Sprint(apitype.Secret{}), redacted},
		{"LogValue", s.LogValue().String(), redacted},
		{"resolved", slog.AnyValue(s).Resolve().String(), redacted},
		{"MarshalText", text(s.MarshalText()), redacted},
		{"MarshalBinary", text(s.MarshalBinary()), redacted},
		{"MarshalYAML", inYAML.(string), redacted},
		{"JSON", text(json.Marshal(s)), `"` + redacted + `"`},
		{"JSON of a pointer", text(json.Marshal(&s)), `"` + redacted + `"`},
		{"YAML", text(yaml.Marshal(s)), "'" + redacted + "'\n"},
	} {
		assert.Equal(t, row.want, row.got, row.name)
	}
	assert.Equal(t, value, s.Reveal())
}

// TestSecret_Unmarshal verifies that the secret keeps its value if unmarshaling returns an error,
// and that no error quotes the input.
func TestSecret_Unmarshal(t *testing.T) {
	fromJSON := func(s *apitype.Secret, in string) error { return s.UnmarshalJSON([]byte(in)) }
	fromText := func(s *apitype.Secret, in string) error {
		return encoding.TextUnmarshaler(s).UnmarshalText([]byte(in))
	}
	fromBinary := func(s *apitype.Secret, in string) error {
		return encoding.BinaryUnmarshaler(s).UnmarshalBinary([]byte(in))
	}
	const notString, isEmpty, isRedacted = "not a string", "an empty secret", "a redacted secret, whose value is lost"
	for _, row := range []struct {
		name string
		read func(*apitype.Secret, string) error
		in   string
		want string
		err  string
	}{
		{"JSON string", fromJSON, `"` + value + `"`, value, ""},
		{"JSON string with escapes", fromJSON, `"sk\u002dadmin-1234abcd"`, value, ""},
		{"JSON null", fromJSON, `null`, "", notString},
		{"JSON number", fromJSON, `12345678`, "", notString},
		{"JSON boolean", fromJSON, `true`, "", notString},
		{"JSON object", fromJSON, `{"value":"` + value + `"}`, "", notString},
		{"JSON array", fromJSON, `["` + value + `"]`, "", notString},
		{"JSON without quotes", fromJSON, value, "", notString},
		{"empty JSON string", fromJSON, `""`, "", isEmpty},
		{"redacted JSON string", fromJSON, `"` + redacted + `"`, "", isRedacted},
		{"text", fromText, value, value, ""},
		{"empty text", fromText, "", "", isEmpty},
		{"redacted text", fromText, redacted, "", isRedacted},
		{"binary", fromBinary, value, value, ""},
		{"empty binary", fromBinary, "", "", isEmpty},
		{"redacted binary", fromBinary, redacted, "", isRedacted},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := apitype.NewSecret("before")
			err := row.read(&s, row.in)
			if row.err != "" {
				assert.EqualError(t, err, row.err)
				assert.Equal(t, "before", s.Reveal())
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.want, s.Reveal())
		})
	}
}

// TestSecret_UnmarshalText_copies verifies that a caller may clear the buffer that it passed.
func TestSecret_UnmarshalText_copies(t *testing.T) {
	buffer := []byte(value)
	var s apitype.Secret
	require.NoError(t, s.UnmarshalText(buffer))
	clear(buffer)
	assert.Equal(t, value, s.Reveal())
}

func TestSecret_Equal(t *testing.T) {
	for _, row := range []struct {
		a, b  apitype.Secret
		equal bool
	}{
		{apitype.NewSecret("a"), apitype.NewSecret("a"), true},
		{apitype.NewSecret("a"), apitype.NewSecret("b"), false},
		{apitype.NewSecret("a"), apitype.NewSecret("aa"), false},
		{apitype.NewSecret("a"), apitype.Secret{}, false},
		{apitype.NewSecret(""), apitype.Secret{}, true},
		{apitype.Secret{}, apitype.Secret{}, true},
	} {
		assert.Equal(t, row.equal, row.a.Equal(row.b), "%q, %q", row.a.Reveal(), row.b.Reveal())
		assert.Equal(t, row.equal, row.b.Equal(row.a), "%q, %q", row.b.Reveal(), row.a.Reveal())
		assert.Equal(t, row.a.Reveal() == "", row.a.IsZero())
	}
}

func TestSecret_UnmarshalText(t *testing.T) {
	for _, usable := range []string{
		"sk-admin-1234abcd", "sk-proj-" + "Ab_-9" + "xYz", "sk-svcacct-" + "a1-b2_c3-", "sess-" + "q7w8", "eyJh.eyJz.c2ln", "abc~+/", "abc12==", "A1", "SK-ADMIN-9F",
		"sk-admin-1234..abcd", "sk-admin-" + "redacted7", "sk-xx-yz", "test-1", "-a1", "_a1", "0a",
		"sk-test", "sk-1", "sk-a", "sk-admin-key", "sk-admin-secret-value", "sk-admin-production-key", "sk-svcacct-fake", "sk-proj-my-secret-example", "sk-xxxxx-1", "sk-00000a",
	} {
		var s apitype.Secret
		if assert.NoError(t, s.UnmarshalText([]byte(usable)), usable) {
			assert.Equal(t, usable, s.Reveal())
		}
	}
	const (
		otherCharacters = "a secret with characters that no key contains"
		placeholder     = "a placeholder and not a key"
	)
	for problem, values := range map[string][]string{
		"an empty secret":                        {""},
		"a redacted secret, whose value is lost": {"[redacted]"},
		otherCharacters: {
			" ", "\n", "\x00", "\r\n", "\t", "sk-a1 b2", " sk-a1b2", "sk-a1b2\n", "sk-a1\x00b2", "sk-a1b2\x7f", "sk-a1\u200bb2", "sk-ä1", "sk-a1\xff", "\ufeffsk-a1",
			"********", "sk-admin-********", "sk-ad****wxyz", "sk-admin-•••", "sk-admin…abc",
			"[REDACTED]", "<redacted>", "<hidden>", "{{key}}", "${KEY}", "$KEY", "(none)", `"sk-a1b2"`, "'sk-a1b2'",
			"sk-a1,sk-b2", "a1:b2", "a1;", "a=1", "=a1", "=", "==",
		},
		placeholder: {
			"-", "--", "____", "~", "/", ".", "..", "...", "-.-",
			"sk-admin...abc", "...abc", "sk-admin...", "sk-a1.", ".sk-a1",
			"sk", "sk-", "SK-", "sk-admin", "sk-admin-", "SK-ADMIN-", "sk-proj-", "sk-svcacct-", "sess-", "sk-service-account-",
			"redacted", "REDACTED", "Redacted", "sk-REDACTED", "sk-admin-redacted", "REDACTED_KEY", "hidden", "masked", "removed", "placeholder", "secret", "deleted", "omitted",
			"null", "nil", "None", "undefined", "true", "false", "n/a", "N/A", "not-available", "NaN", "empty", "unknown", "string", "value", "todo", "TBD",
			"your-api-key", "YOUR_API_KEY_HERE", "my-secret-key", "change-me", "changeme", "insert-key-here", "API_KEY", "example", "dummy", "fake", "bearer",
			"x", "xxxxxxxx", "XXXX-XXXX", "sk-xxxxxxxxxxxxxxxxxxxx", "sk-admin-XXXX", "sk-admin-0000000000", "00000000", "aaaa",
			"sk-hidden", "SK_ADMIN_MASKED", "sk-null", "sk-undefined", "sk-admin-none", "sk-admin-your-key-here", "sk-REDACTED-KEY", "sk-placeholder-value",
			"sk-admin-xxxxxxxxa1b2", "sk-admin-a1b2XXXXXXa1b2", "sk-admin-a1b2-000000-a1b2", "sk-xxxx-xxxx",
		},
	} {
		for _, unusable := range values {
			s := apitype.NewSecret("before")
			assert.EqualError(t, s.UnmarshalText([]byte(unusable)), problem, "%q", unusable)
			quoted, err := json.Marshal(unusable)
			require.NoError(t, err)
			assert.Error(t, s.UnmarshalJSON(quoted), "%q", unusable) // json.Marshal replaces invalid UTF-8
			assert.Equal(t, "before", s.Reveal(), "%q", unusable)
		}
	}
}
