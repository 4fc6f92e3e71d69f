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

// TestEveryEncodingOfASecretIsRedacted holds the exact text that takes a secret's place. What
// no sink may hold is a test of the package that mints.
func TestEveryEncodingOfASecretIsRedacted(t *testing.T) {
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

// TestASecretIsReadOrAnError holds that what was encoded can't be taken for a key, that an
// error leaves the variable alone, and that it quotes nothing.
func TestASecretIsReadOrAnError(t *testing.T) {
	fromJSON := func(s *apitype.Secret, in string) error { return s.UnmarshalJSON([]byte(in)) }
	fromText := func(s *apitype.Secret, in string) error {
		return encoding.TextUnmarshaler(s).UnmarshalText([]byte(in))
	}
	fromBinary := func(s *apitype.Secret, in string) error {
		return encoding.BinaryUnmarshaler(s).UnmarshalBinary([]byte(in))
	}
	for _, row := range []struct {
		name string
		read func(*apitype.Secret, string) error
		in   string
		want string // "" is an error
	}{
		{"JSON string", fromJSON, `"` + value + `"`, value},
		{"JSON string with escapes", fromJSON, `"sk\u002dadmin-1234abcd"`, value},
		{"JSON null", fromJSON, `null`, ""},
		{"JSON number", fromJSON, `12345678`, ""},
		{"JSON boolean", fromJSON, `true`, ""},
		{"JSON object", fromJSON, `{"value":"` + value + `"}`, ""},
		{"JSON array", fromJSON, `["` + value + `"]`, ""},
		{"JSON without quotes", fromJSON, value, ""},
		{"empty JSON string", fromJSON, `""`, ""},
		{"redacted JSON string", fromJSON, `"` + redacted + `"`, ""},
		{"text", fromText, value, value},
		{"empty text", fromText, "", ""},
		{"redacted text", fromText, redacted, ""},
		{"binary", fromBinary, value, value},
		{"empty binary", fromBinary, "", ""},
		{"redacted binary", fromBinary, redacted, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := apitype.NewSecret("before")
			err := row.read(&s, row.in)
			if row.want == "" {
				require.Error(t, err)
				assert.Equal(t, "before", s.Reveal())
				assert.NotContains(t, err.Error(), "1234")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.want, s.Reveal())
		})
	}
}

// TestASecretDoesNotShareWhatItWasReadFrom holds that a caller may wipe the buffer.
func TestASecretDoesNotShareWhatItWasReadFrom(t *testing.T) {
	buffer := []byte(value)
	var s apitype.Secret
	require.NoError(t, s.UnmarshalText(buffer))
	clear(buffer)
	assert.Equal(t, value, s.Reveal())
}

func TestSecretsAreEqualWhereTheyRevealTheSame(t *testing.T) {
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
