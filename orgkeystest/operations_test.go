package orgkeystest_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOperations_OverEveryTransport(t *testing.T) {
	for name, opts := range transports {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opts...)
			key := s.AddProjectKey(project, orgkeystest.ProjectKey{Name: "web"})

			created := call(t, s, "POST", adminKeys, `{"name":"ci"}`)
			require.Equal(t, 200, created.Status)
			listed := call(t, s, "GET", adminKeys, "")
			require.Equal(t, 200, listed.Status)
			assert.Contains(t, listed.Body, created.json(t)["id"])

			account := call(t, s, "POST", accounts, `{"name":"prod"}`)
			require.Equal(t, 200, account.Status)
			listed = call(t, s, "GET", accounts, "")
			require.Equal(t, 200, listed.Status)
			assert.Contains(t, listed.Body, account.json(t)["id"])

			assert.Equal(t, 200, call(t, s, "GET", keys+key.ID, "").Status)
			updated := call(t, s, "POST", keys+key.ID, `{"expires_in_seconds":3600}`)
			require.Equal(t, 200, updated.Status)
			assert.NotNil(t, updated.json(t)["expires_at"])
			deleted := call(t, s, "DELETE", keys+key.ID, "").json(t)
			assert.Equal(t, "organization.project.api_key.deleted", deleted["object"])
			assert.Equal(t, key.ID, deleted["id"])
			assert.Equal(t, true, deleted["deleted"])
			assert.Equal(t, 404, call(t, s, "GET", keys+key.ID, "").Status)
			assert.Equal(t, 2, s.KeysCreated())
		})
	}
}

func TestAdminKeyCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		now := float64(time.Now().Unix())

		created := call(t, s, "POST", adminKeys, `{"name":"ci","expires_in_seconds":60}`).json(t)
		value := created["value"].(string)
		assert.True(t, strings.HasPrefix(value, "sk-admin-"))
		assert.Equal(t, value[:8]+"********************"+value[len(value)-4:], created["redacted_value"])
		assert.Equal(t, now, created["created_at"])
		assert.Equal(t, now+60, created["expires_at"])
		assert.Contains(t, created, "last_used_at")
		assert.Nil(t, created["last_used_at"])
		assert.Equal(t, "organization.admin_api_key", created["object"])
		assert.Equal(t, "user", created["owner"].(map[string]any)["type"])

		unlimited := call(t, s, "POST", adminKeys, `{"name":"ci"}`).json(t)
		assert.Contains(t, unlimited, "expires_at")
		assert.Nil(t, unlimited["expires_at"])
		assert.NotEqual(t, created["id"], unlimited["id"])
		assert.NotEqual(t, value, unlimited["value"])

		listed := call(t, s, "GET", adminKeys, "").json(t)["data"].([]any)
		delete(created, "value")
		assert.Equal(t, created, listed[0], "the list contains all but the value")
	})
}

func TestServiceAccountCreate(t *testing.T) {
	cases := map[string]struct {
		body    string
		role    string
		key     bool
		expires int // seconds from now; 0 is never
	}{
		"by default":            {`{"name":"prod"}`, "member", true, 0},
		"account only: null":    {`{"name":"prod","create_service_account_only":null}`, "member", true, 0},
		"account only: false":   {`{"name":"prod","create_service_account_only":false,"expires_in_seconds":60}`, "member", true, 60},
		"account only: true":    {`{"name":"prod","create_service_account_only":true,"expires_in_seconds":null}`, "none", false, 0},
		"expiration null":       {`{"name":"prod","expires_in_seconds":null}`, "member", true, 0},
		"shortest expiration":   {`{"name":"prod","expires_in_seconds":1}`, "member", true, 1},
		"longest expiration":    {`{"name":"prod","expires_in_seconds":31536000}`, "member", true, 31536000},
		"expiration as decimal": {`{"name":"prod","expires_in_seconds":6.0e1}`, "member", true, 60},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory())
				s.AddProject(project)

				created := call(t, s, "POST", accounts, c.body).json(t)
				assert.Equal(t, c.role, created["role"])
				require.Contains(t, created, "api_key")
				listed := s.ServiceAccounts(project)
				require.Len(t, listed, 1)
				assert.Equal(t, created["id"], listed[0].ID)
				assert.Equal(t, c.role, string(listed[0].Role))

				if !c.key {
					assert.Nil(t, created["api_key"])
					assert.Empty(t, s.ProjectKeys(project))
					assert.Zero(t, s.KeysCreated())
					return
				}
				key := created["api_key"].(map[string]any)
				assert.True(t, strings.HasPrefix(key["value"].(string), "sk-svcacct-"))
				assert.Equal(t, 1, s.KeysCreated())
				var expiresAt any
				if c.expires > 0 {
					expiresAt = float64(time.Now().Unix() + int64(c.expires))
				}
				require.Contains(t, key, "expires_at")
				assert.Equal(t, expiresAt, key["expires_at"])

				got := call(t, s, "GET", keys+key["id"].(string), "").json(t)
				assert.Equal(t, key["name"], got["name"])
				assert.Equal(t, "service_account", got["owner"].(map[string]any)["type"])
				assert.Equal(t, created["id"], got["owner"].(map[string]any)["service_account"].(map[string]any)["id"])
				assert.Equal(t, "active", got["owner_project_access"])
				require.Contains(t, got, "expires_at")
				assert.Equal(t, expiresAt, got["expires_at"])
				assert.Contains(t, got, "last_used_at")
				assert.Nil(t, got["last_used_at"])
			})
		})
	}
}

func TestProjectKeyUpdate(t *testing.T) {
	const hour = 3600
	cases := map[string]struct {
		body    string
		status  int
		param   any
		expires int // seconds from now; 0 is never
		scopes  []string
	}{
		"expiration":                     {`{"expires_in_seconds":60}`, 200, nil, 60, []string{"old"}},
		"expiration as decimal":          {`{"expires_in_seconds":60.0}`, 200, nil, 60, []string{"old"}},
		"expiration of many years":       {`{"expires_in_seconds":63072000}`, 200, nil, 63072000, []string{"old"}},
		"scopes":                         {`{"scopes":["a","b"]}`, 200, nil, hour, []string{"a", "b"}},
		"empty scopes":                   {`{"scopes":[]}`, 200, nil, hour, nil},
		"both":                           {`{"scopes":["a"],"expires_in_seconds":60}`, 200, nil, 60, []string{"a"}},
		"neither":                        {`{}`, 400, nil, hour, []string{"old"}},
		"null expiration":                {`{"expires_in_seconds":null}`, 400, "expires_in_seconds", hour, []string{"old"}},
		"null scopes":                    {`{"scopes":null,"expires_in_seconds":60}`, 400, "scopes", hour, []string{"old"}},
		"scopes that are no strings":     {`{"scopes":[1]}`, 400, "scopes/0", hour, []string{"old"}},
		"expiration now":                 {`{"expires_in_seconds":0}`, 400, "expires_in_seconds", hour, []string{"old"}},
		"expiration in the past":         {`{"scopes":["a"],"expires_in_seconds":-1}`, 400, "expires_in_seconds", hour, []string{"old"}},
		"expiration after the year 9999": {`{"scopes":["a"],"expires_in_seconds":253402300799}`, 400, "expires_in_seconds", hour, []string{"old"}},
		"expiration beyond any integer":  {`{"scopes":["a"],"expires_in_seconds":1e300}`, 400, nil, hour, []string{"old"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.AllowInvalidRequests())
				account := s.AddServiceAccount(project, "prod")
				owned := map[string]string{
					"user":            s.AddProjectKey(project, orgkeystest.ProjectKey{Name: "web"}).ID,
					"service_account": account.APIKey.ID,
				}
				for owner, id := range owned {
					require.Equal(t, 200, call(t, s, "POST", keys+id, `{"scopes":["old"],"expires_in_seconds":3600}`).Status)
					assert.Equal(t, []string{"old"}, s.ProjectKeyScopes(project, id))

					updated := call(t, s, "POST", keys+id, c.body)
					require.Equal(t, c.status, updated.Status, updated.Body)
					if c.status == 200 {
						assert.JSONEq(t, call(t, s, "GET", keys+id, "").Body, updated.Body)
						assert.Equal(t, owner, updated.json(t)["owner"].(map[string]any)["type"])
					} else if strconv.IntSize == 64 || name != "expiration after the year 9999" {
						assert.Equal(t, c.param, updated.errorField(t, "param")) // a small int cannot contain that year
					}
					expiresAt := apitype.TimeAt(time.Now().Add(time.Duration(c.expires) * time.Second))
					assert.Equal(t, expiresAt, find(t, s.ProjectKeys(project), id).ExpiresAt)
					assert.ElementsMatch(t, c.scopes, s.ProjectKeyScopes(project, id))
				}
				assert.Zero(t, s.KeysCreated())
			})
		})
	}
}

func find(t *testing.T, all []orgkeystest.ProjectKey, id string) orgkeystest.ProjectKey {
	t.Helper()
	for _, key := range all {
		if key.ID == id {
			return key
		}
	}
	t.Fatalf("there is no key %s", id)
	return orgkeystest.ProjectKey{}
}

func TestProjectKeyUpdate_RestartsTheExpirationUntilTheKeyHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		id := s.AddProjectKey(project, orgkeystest.ProjectKey{}).ID
		assert.Empty(t, s.ProjectKeyScopes(project, id))
		update := func() result { return call(t, s, "POST", keys+id, `{"expires_in_seconds":60}`) }
		for range 3 {
			got := update()
			require.Equal(t, 200, got.Status)
			assert.EqualValues(t, time.Now().Unix()+60, got.json(t)["expires_at"])
			time.Sleep(59 * time.Second)
		}
		time.Sleep(time.Second)
		got := update()
		require.Equal(t, 400, got.Status)
		assert.Contains(t, got.errorField(t, "message"), "expired")
		assert.Equal(t, 200, call(t, s, "GET", keys+id, "").Status, "an expired key can be read")
		assert.Equal(t, 200, call(t, s, "DELETE", keys+id, "").Status, "an expired key can be deleted")
	})
}

func TestProjectKeyDelete_LeavesTheServiceAccountAndItsOtherKeys(t *testing.T) {
	s := orgkeystest.New(t)
	account := s.AddServiceAccount(project, "prod")
	first := s.ProjectKeys(project)[0]
	second := s.AddProjectKey(project, orgkeystest.ProjectKey{Owner: first.Owner})
	require.Equal(t, 200, call(t, s, "POST", keys+first.ID, `{"scopes":["a"]}`).Status)
	authorize := func() any {
		r := newRequest(t, s, "GET", adminKeys, "")
		r.Header.Set("Authorization", "Bearer "+account.APIKey.Value.Reveal())
		got := do(s.Client(), r)
		require.Equal(t, 401, got.Status)
		return got.errorField(t, "code")
	}
	assert.Nil(t, authorize(), "the key is valid and lacks the scope")

	require.Equal(t, 200, call(t, s, "DELETE", keys+first.ID, "").Status)

	assert.Equal(t, "invalid_api_key", authorize())
	assert.Equal(t, []orgkeystest.ProjectKey{second}, s.ProjectKeys(project))
	assert.Empty(t, s.ProjectKeyScopes(project, first.ID))
	require.Len(t, s.ServiceAccounts(project), 1)
	assert.Equal(t, account.ID, s.ServiceAccounts(project)[0].ID)
	again := call(t, s, "DELETE", keys+first.ID, "")
	assert.Equal(t, 404, again.Status)
	assert.Equal(t, "api_key_id", again.errorField(t, "param"))
}

func TestWithMaxKeyLifetime(t *testing.T) {
	cases := map[string]struct {
		path, body string
		status     int
		text       string // in the error's message
	}{
		"create: no expiration":      {accounts, `{"name":"prod"}`, 400, "required: a policy limits the lifetime of keys to 3600 seconds"},
		"create: null":               {accounts, `{"name":"prod","expires_in_seconds":null}`, 400, "required"},
		"create: more than the cap":  {accounts, `{"name":"prod","expires_in_seconds":3601}`, 400, "is 3601: a policy limits the lifetime of keys to 3600 seconds"},
		"create: the cap":            {accounts, `{"name":"prod","expires_in_seconds":3600}`, 200, ""},
		"create: account only":       {accounts, `{"name":"prod","create_service_account_only":true}`, 200, ""},
		"update: more than the cap":  {keys + "key_1", `{"scopes":["a"],"expires_in_seconds":3601}`, 400, "is 3601: a policy limits the lifetime of keys to 3600 seconds"},
		"update: the cap":            {keys + "key_1", `{"expires_in_seconds":3600}`, 200, ""},
		"update: only scopes":        {keys + "key_1", `{"scopes":["a"]}`, 200, ""},
		"admin keys are not limited": {adminKeys, `{"name":"ci"}`, 200, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithMaxKeyLifetime(time.Hour))
			added := s.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
			assert.True(t, added.ExpiresAt.IsNull(), "keys that a test adds are not limited")

			got := call(t, s, "POST", c.path, c.body)
			require.Equal(t, c.status, got.Status, got.Body)
			if c.status == 200 {
				return
			}
			assert.Contains(t, got.errorField(t, "message"), c.text)
			assert.Equal(t, "expires_in_seconds", got.errorField(t, "param"))
			assert.Empty(t, s.ServiceAccounts(project))
			assert.Equal(t, []orgkeystest.ProjectKey{added}, s.ProjectKeys(project))
			assert.Empty(t, s.ProjectKeyScopes(project, "key_1"))
		})
	}
	assert.Panics(t, func() { orgkeystest.WithMaxKeyLifetime(time.Second - 1) })
}

func TestWithOlderServer(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.WithOlderServer(), orgkeystest.WithMaxKeyLifetime(time.Hour))
	past := apitype.TimeAt(time.Now().Add(-time.Hour))
	admin := s.AddAdminKey(orgkeystest.AdminKey{ExpiresAt: past})
	key := s.AddProjectKey(project, orgkeystest.ProjectKey{ExpiresAt: past, OwnerProjectAccess: new(gen.ProjectAPIKeyOwnerProjectAccessInactive)})
	assert.True(t, admin.ExpiresAt.IsAbsent())
	assert.True(t, key.ExpiresAt.IsAbsent())
	assert.Nil(t, key.OwnerProjectAccess)

	created := call(t, s, "POST", adminKeys, `{"name":"ci","expires_in_seconds":60}`)
	account := call(t, s, "POST", accounts, `{"name":"prod","create_service_account_only":true,"expires_in_seconds":60}`)
	require.Equal(t, 200, account.Status, account.Body)
	assert.Equal(t, "member", account.json(t)["role"])
	owned := account.json(t)["api_key"].(map[string]any)["id"].(string)
	for name, got := range map[string]result{
		"created admin key":       created,
		"admin keys":              call(t, s, "GET", adminKeys, ""),
		"created service account": account,
		"project key":             call(t, s, "GET", keys+key.ID, ""),
		"service account's key":   call(t, s, "GET", keys+owned, ""),
	} {
		require.Equal(t, 200, got.Status, name)
		assert.NotContains(t, got.Body, "expires_at", name)
		assert.NotContains(t, got.Body, "owner_project_access", name)
	}

	refused := call(t, s, "DELETE", keys+owned, "")
	assert.Equal(t, 400, refused.Status)
	assert.Contains(t, refused.errorField(t, "message"), "service account")
	assert.Len(t, s.ProjectKeys(project), 2)
	assert.Equal(t, 200, call(t, s, "DELETE", keys+key.ID, "").Status)

	unknown := call(t, s, "POST", keys+owned, `{"expires_in_seconds":60}`)
	assert.Equal(t, 405, unknown.Status)
	assert.Equal(t, "DELETE, GET, HEAD", unknown.Header.Get("Allow"))
	requests := s.Requests()
	assert.Equal(t, "update-project-api-key", requests[len(requests)-1].Operation)
}

func TestInvalidRequests_GetTheErrorEnvelope(t *testing.T) {
	const archived = "/organization/projects/proj_old/service_accounts"
	cases := map[string]struct {
		method, path, body string
		status             int
		param              any
	}{
		"empty name of an admin key":             {"POST", adminKeys, `{"name":""}`, 400, "name"},
		"empty name of a service account":        {"POST", accounts, `{"name":""}`, 400, "name"},
		"no name":                                {"POST", adminKeys, `{}`, 400, "name"},
		"name is a number":                       {"POST", adminKeys, `{"name":1}`, 400, "name"},
		"no body":                                {"POST", adminKeys, ``, 400, nil},
		"body is not JSON":                       {"POST", adminKeys, `name`, 400, nil},
		"expiration too early":                   {"POST", adminKeys, `{"name":"ci","expires_in_seconds":0}`, 400, "expires_in_seconds"},
		"expiration too late":                    {"POST", adminKeys, `{"name":"ci","expires_in_seconds":31536001}`, 400, "expires_in_seconds"},
		"service account: expiration too early":  {"POST", accounts, `{"name":"prod","expires_in_seconds":0}`, 400, "expires_in_seconds"},
		"service account: expiration too late":   {"POST", accounts, `{"name":"prod","expires_in_seconds":31536001}`, 400, "expires_in_seconds"},
		"service account: expiration is no int":  {"POST", accounts, `{"name":"prod","expires_in_seconds":1.5}`, 400, "expires_in_seconds"},
		"service account: expiration but no key": {"POST", accounts, `{"name":"prod","expires_in_seconds":60,"create_service_account_only":true}`, 400, "expires_in_seconds"},
		"limit is 0":                             {"GET", adminKeys + "?limit=0", "", 400, "limit"},
		"limit is negative":                      {"GET", accounts + "?limit=-1", "", 400, "limit"},
		"limit is 101":                           {"GET", adminKeys + "?limit=101", "", 400, "limit"},
		"limit is no number":                     {"GET", adminKeys + "?limit=many", "", 400, "limit"},
		"unknown order":                          {"GET", adminKeys + "?order=up", "", 400, "order"},
		"unknown after":                          {"GET", adminKeys + "?after=key_unknown", "", 400, "after"},
		"unknown after of service accounts":      {"GET", accounts + "?after=svc_acct_unknown", "", 400, "after"},
		"archived project, list":                 {"GET", archived, "", 400, "project_id"},
		"archived project, create":               {"POST", archived, `{"name":"prod"}`, 400, "project_id"},
		"unknown project, get":                   {"GET", "/organization/projects/unknown/api_keys/key", "", 404, "project_id"},
		"unknown project, update":                {"POST", "/organization/projects/unknown/api_keys/key", `{"scopes":[]}`, 404, "project_id"},
		"unknown project, delete":                {"DELETE", "/organization/projects/unknown/api_keys/key", "", 404, "project_id"},
		"unknown project, list":                  {"GET", "/organization/projects/unknown/service_accounts", "", 404, "project_id"},
		"unknown project, create":                {"POST", "/organization/projects/unknown/service_accounts", `{"name":"prod"}`, 404, "project_id"},
		"unknown key, get":                       {"GET", keys + "key_unknown", "", 404, "api_key_id"},
		"unknown key, update":                    {"POST", keys + "key_unknown", `{"scopes":[]}`, 404, "api_key_id"},
		"unknown key, delete":                    {"DELETE", keys + "key_unknown", "", 404, "api_key_id"},
		"too large a body":                       {"POST", adminKeys, `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.AllowInvalidRequests())
			s.AddProject(project)
			s.ArchiveProject("proj_old")

			got := call(t, s, c.method, c.path, c.body)
			assert.Equal(t, c.status, got.Status)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.True(t, strings.HasPrefix(got.Header.Get("X-Request-Id"), "req_"))
			assert.Equal(t, c.param, got.errorField(t, "param"))
			assert.Equal(t, "invalid_request_error", got.errorField(t, "type"))
			assert.NotEmpty(t, got.errorField(t, "message"))

			var envelope gen.ErrorResponse
			require.NoError(t, json.Unmarshal([]byte(got.Body), &envelope))
			assert.Zero(t, s.KeysCreated())
			assert.Empty(t, s.AdminKeys())
			assert.Empty(t, s.ServiceAccounts(project))
		})
	}
}

func TestAddProjectKeys(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	ids := s.AddProjectKeys(project, 3)
	more := s.AddProjectKeys(project, 1)
	assert.Empty(t, s.AddProjectKeys("proj_empty", 0))
	var want []string
	for i, key := range s.ProjectKeys(project) {
		want = append(want, key.ID)
		assert.Equal(t, fmt.Sprintf("key %d", i+1), key.Name)
		assert.Equal(t, 200, call(t, s, "DELETE", keys+key.ID, "").Status)
	}
	assert.Equal(t, want, append(ids, more...))
	assert.Empty(t, s.ProjectKeys(project))
	assert.Zero(t, s.KeysCreated(), "only requests create keys that count")
}

func TestAddServiceAccountOnly(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	given := orgkeystest.ServiceAccount{ID: "svc_acct_abc", Name: "prod", Role: gen.ProjectServiceAccountRoleOwner, CreatedAt: 1711471533}
	added := s.AddServiceAccountOnly(project, given)
	assert.Equal(t, []any{given.ID, given.Name, given.Role, given.CreatedAt}, []any{added.ID, added.Name, added.Role, added.CreatedAt})
	other := s.AddServiceAccountOnly(project, orgkeystest.ServiceAccount{})
	assert.Equal(t, gen.ProjectServiceAccountRoleMember, other.Role)
	assert.NotEmpty(t, other.Name)
	assert.Equal(t, []orgkeystest.ServiceAccount{added, other}, s.ServiceAccounts(project))
	assert.Empty(t, s.ProjectKeys(project))
	assert.Equal(t, 200, call(t, s, "GET", accounts+"?after=svc_acct_abc", "").Status)
	assert.Panics(t, func() { s.AddServiceAccountOnly(project, given) })
}
