package orgkeystest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAuthentication_AcceptsOnlyValidAdminKeys(t *testing.T) {
	s := orgkeystest.New(t)
	s.AddProject(project)
	wrong := "sk-admin-" + strings.Repeat("x", 40) + "last"
	revoked := s.AddAdminKey(orgkeystest.AdminKey{})
	s.RevokeAdminKey(revoked.ID)
	s.RevokeAdminKey("")
	expired := s.AddAdminKey(orgkeystest.AdminKey{ExpiresAt: apitype.TimeAt(time.Now().Add(-time.Second))})
	account := s.AddServiceAccount(project, "prod")
	added := s.AddAdminKey(orgkeystest.AdminKey{ExpiresAt: apitype.TimeAt(time.Now().Add(time.Hour))})
	created := create(t, s).json(t)["value"].(string)

	cases := map[string]struct {
		authorization string
		status        int
		code          any
		message       string
	}{
		"the server's own":         {"Bearer " + s.AdminKey, 200, nil, ""},
		"an added key":             {"Bearer " + added.Value.Reveal(), 200, nil, ""},
		"a created key":            {"Bearer " + created, 200, nil, ""},
		"scheme in lower case":     {"bearer " + s.AdminKey, 200, nil, ""},
		"scheme in upper case":     {"BEARER " + s.AdminKey, 200, nil, ""},
		"several blanks":           {"Bearer   " + s.AdminKey, 200, nil, ""},
		"no header":                {"", 401, nil, "no API key"},
		"no token":                 {"Bearer ", 401, nil, "no API key"},
		"another scheme":           {"Basic " + s.AdminKey, 401, nil, "no API key"},
		"no scheme":                {s.AdminKey, 401, nil, "no API key"},
		"an unknown key":           {"Bearer " + wrong, 401, "invalid_api_key", "sk-admin********************last"},
		"a short key":              {"Bearer sk-short", 401, "invalid_api_key", "sk"},
		"a revoked key":            {"Bearer " + revoked.Value.Reveal(), 401, "invalid_api_key", "sk-admin"},
		"an expired key":           {"Bearer " + expired.Value.Reveal(), 401, "invalid_api_key", "expired"},
		"a service account's key ": {"Bearer " + account.APIKey.Value.Reveal(), 401, nil, "scope"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, s, "GET", adminKeys, "")
			r.Header.Set("Authorization", c.authorization)
			got := do(s.Client(), r)
			require.Equal(t, c.status, got.Status)
			if c.status == 200 {
				return
			}
			assert.Equal(t, c.code, got.errorField(t, "code"))
			assert.Equal(t, "invalid_request_error", got.errorField(t, "type"))
			assert.Contains(t, got.errorField(t, "message"), c.message)
			if _, token, ok := strings.Cut(c.authorization, " "); ok && token != "" {
				assert.NotContains(t, got.Body, token)
			}
		})
	}
}

func TestAdminKey_LastUsedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		key := s.AddAdminKey(orgkeystest.AdminKey{Name: new("ci")})
		assert.True(t, s.AdminKeys()[0].LastUsedAt.IsNull())

		time.Sleep(time.Hour)
		r := newRequest(t, s, "GET", adminKeys, "")
		r.Header.Set("Authorization", "Bearer "+key.Value.Reveal())
		require.Equal(t, 200, do(s.Client(), r).Status)

		used := s.AdminKeys()[0]
		assert.Equal(t, apitype.TimeAt(key.CreatedAt.Time().Add(time.Hour)), used.LastUsedAt)
	})
}

func TestAuthentication_RefusesExpiredKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		s.AddProject(project)
		admin := call(t, s, "POST", adminKeys, `{"name":"ci","expires_in_seconds":60}`).json(t)["value"].(string)
		account := call(t, s, "POST", accounts, `{"name":"prod","expires_in_seconds":60}`).json(t)
		owned := account["api_key"].(map[string]any)["value"].(string)
		get := func(value string) result {
			r := newRequest(t, s, "GET", adminKeys, "")
			r.Header.Set("Authorization", "Bearer "+value)
			return do(s.Client(), r)
		}
		time.Sleep(59 * time.Second)
		assert.Equal(t, 200, get(admin).Status)
		assert.Contains(t, get(owned).errorField(t, "message"), "scope")
		time.Sleep(time.Second)
		assert.Equal(t, 401, get(admin).Status)
		assert.Contains(t, get(owned).errorField(t, "message"), "expired")
	})
}
