package show_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

const secret = "sk-leak-1234abcd"

func key() gen.AdminAPIKeyCreateResponse {
	return gen.AdminAPIKeyCreateResponse{
		ID:        "key_abc",
		Name:      new("ci"),
		Object:    "organization.admin_api_key",
		CreatedAt: 1711471533,
		ExpiresAt: apitype.NullTime(),
		Owner:     gen.AdminAPIKeyOwner{Name: new("Robin"), CreatedAt: apitype.TimeAt(time.Unix(0, 0))},
		Value:     apitype.NewSecret(secret),
	}
}

const shownKey = "{CreatedAt:2024-03-26T16:45:33Z ExpiresAt:null ID:key_abc Name:ci Object:organization.admin_api_key " +
	"Owner:{CreatedAt:1970-01-01T00:00:00Z Name:Robin} RedactedValue: Value:[redacted]}"

func TestFormat(t *testing.T) {
	created := key()
	for _, row := range []struct{ name, got, want string }{
		{"%v", fmt.Sprintf("%v", created), shownKey},
		{"%+v", fmt.Sprintf("%+v", created), shownKey},
		{"%s", fmt.Sprintf("%s", created), shownKey},
		{"%q", fmt.Sprintf("%q", created), fmt.Sprintf("%q", shownKey)},
		{"%x", fmt.Sprintf("%x", created), fmt.Sprintf("%x", shownKey)},
		{"%d", fmt.Sprintf("%d", created), "%!d(string=" + shownKey + ")"},
		{"%#v", fmt.Sprintf("%#v", created), "gen.AdminAPIKeyCreateResponse" + shownKey},
		{"String", created.String(), shownKey},
		{"a pointer", fmt.Sprintf("%v", &created), shownKey},
		{"%#v of a pointer", fmt.Sprintf("%#v", &created), "gen.AdminAPIKeyCreateResponse" + shownKey},
		{"a nil pointer", fmt.Sprintf("%v", (*gen.AdminAPIKeyCreateResponse)(nil)), "<nil>"},
		{"a slice", fmt.Sprintf("%v", []gen.AdminAPIKeyCreateResponse{created}), "[" + shownKey + "]"},
		{"a map", fmt.Sprintf("%v", map[string]gen.AdminAPIKeyCreateResponse{"a": created}), "map[a:" + shownKey + "]"},
		{"a page", fmt.Sprint(gen.APIKeyList{Data: []gen.AdminAPIKey{{ID: "a"}}, FirstID: new("a")}),
			"{Data:[{CreatedAt:1970-01-01T00:00:00Z ID:a Object: Owner:{} RedactedValue:}] FirstID:a HasMore:false Object:}"},
		{"an empty page", fmt.Sprint(gen.APIKeyList{Data: []gen.AdminAPIKey{}}), "{Data:[] HasMore:false Object:}"},
		{"parameters", fmt.Sprint(gen.AdminAPIKeysListParams{Order: new(gen.AdminAPIKeysListParamsOrderDesc)}), "{Order:desc}"},
		{"a key in a name", fmt.Sprint(gen.APIKeyList{Data: []gen.AdminAPIKey{{Name: new("ci sk-admin-" + strings.Repeat("a1b2", 8)), RedactedValue: "sk-admin...def"}}}),
			"{Data:[{CreatedAt:1970-01-01T00:00:00Z ID: Name:ci [redacted] Object: Owner:{} RedactedValue:sk-admin...def}] HasMore:false Object:}"},
		{"a request body", fmt.Sprint(gen.ProjectAPIKeyUpdateRequest{Scopes: &[]string{}}), "{Scopes:[]}"},
		{"a union", fmt.Sprint(strictjson.UnionOf(created)), shownKey},
		{"a union of a secret", fmt.Sprintf("%#v", strictjson.UnionOf(apitype.NewSecret(secret))), "strictjson.Union[redacted]"},
		{"an empty union", fmt.Sprint(strictjson.Union{}), "null"},
	} {
		assert.Equal(t, row.want, row.got, row.name)
	}
}

// TestFormat_Response verifies that no formatting of a response contains its body, in which the
// value of a new key is plain text.
func TestFormat_Response(t *testing.T) {
	created := key()
	response := gen.AdminAPIKeysCreateResponse{Body: func() []byte { return []byte(secret) }, JSON200: &created}
	for _, value := range []any{response, &response, []gen.AdminAPIKeysCreateResponse{response}, struct {
		R *gen.AdminAPIKeysCreateResponse
	}{&response}} {
		encoded, err := json.Marshal(value)
		require.NoError(t, err)
		var text, structured bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "response", value)
		slog.New(slog.NewJSONHandler(&structured, nil)).Info("m", "response", value)
		for _, printed := range []string{
			fmt.Sprintf("%v", value), fmt.Sprintf("%+v", value), fmt.Sprintf("%s", value), fmt.Sprintf("%x", value),
			string(encoded), text.String(), structured.String(),
		} {
			assert.NotContains(t, printed, "leak")
			assert.NotContains(t, printed, fmt.Sprintf("%x", secret))
			assert.NotContains(t, printed, fmt.Sprint([]byte("leak"))[1:12], "the bytes as numbers")
		}
	}
	assert.Equal(t, "{Status:0 JSON200:"+shownKey+"}", fmt.Sprint(response))
	assert.Contains(t, fmt.Sprintf("%#v", response), "[redacted]")
}

// TestSlog verifies that both handlers print the fields of a value, of a pointer and of a list.
func TestSlog(t *testing.T) {
	created := key()
	address := regexp.MustCompile(`0x[0-9a-f]{6,}`)
	for _, value := range []any{created, &created, []gen.AdminAPIKeyCreateResponse{created}, []*gen.AdminAPIKeyCreateResponse{&created}} {
		var text, structured bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "key", value)
		slog.New(slog.NewJSONHandler(&structured, nil)).Info("m", "key", value)
		for _, printed := range []string{text.String(), structured.String()} {
			assert.Contains(t, printed, "key_abc")
			assert.Contains(t, printed, "Robin")
			assert.NotContains(t, printed, "leak")
			assert.NotRegexp(t, address, printed)
		}
	}
	var text bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "key", (*gen.AdminAPIKey)(nil))
	assert.Contains(t, text.String(), "key=<nil>")
}
