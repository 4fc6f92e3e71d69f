package orgkeystest_test

import (
	"encoding/json"
	"net/http"
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

func TestSixOperationsOverEveryTransport(t *testing.T) {
	for name, opts := range transports {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opts...)
			owned := s.AddProjectKey(project, orgkeystest.ProjectKey{Name: "web"})

			made := call(t, s, "POST", adminKeys, `{"name":"ci"}`)
			require.Equal(t, 200, made.Status)
			listed := call(t, s, "GET", adminKeys, "")
			require.Equal(t, 200, listed.Status)
			assert.Contains(t, listed.Body, made.json(t)["id"])

			account := call(t, s, "POST", accounts, `{"name":"prod"}`)
			require.Equal(t, 200, account.Status)
			listed = call(t, s, "GET", accounts, "")
			require.Equal(t, 200, listed.Status)
			assert.Contains(t, listed.Body, account.json(t)["id"])

			assert.Equal(t, 200, call(t, s, "GET", keys+owned.ID, "").Status)
			gone := call(t, s, "DELETE", keys+owned.ID, "")
			assert.Equal(t, map[string]any{"object": "organization.project.api_key.deleted", "id": owned.ID, "deleted": true}, gone.json(t))
			assert.Equal(t, 404, call(t, s, "GET", keys+owned.ID, "").Status)
			assert.Equal(t, 2, s.KeysCreated())
		})
	}
}

func TestAdminKeyIsMintedWithTheValuesOfTheLiveAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		now := float64(time.Now().Unix())

		made := call(t, s, "POST", adminKeys, `{"name":"ci","expires_in_seconds":60}`).json(t)
		value := made["value"].(string)
		assert.True(t, strings.HasPrefix(value, "sk-admin-"))
		assert.Equal(t, value[:8]+"********************"+value[len(value)-4:], made["redacted_value"])
		assert.Equal(t, now, made["created_at"])
		assert.Equal(t, now+60, made["expires_at"])
		assert.Contains(t, made, "last_used_at")
		assert.Nil(t, made["last_used_at"])
		assert.Equal(t, "organization.admin_api_key", made["object"])
		assert.Equal(t, "user", made["owner"].(map[string]any)["type"])

		forever := call(t, s, "POST", adminKeys, `{"name":"ci"}`).json(t)
		assert.Contains(t, forever, "expires_at")
		assert.Nil(t, forever["expires_at"])
		assert.NotEqual(t, made["id"], forever["id"])
		assert.NotEqual(t, value, forever["value"])

		listed := call(t, s, "GET", adminKeys, "").json(t)["data"].([]any)
		delete(made, "value")
		assert.Equal(t, made, listed[0], "all but the value is in the list")
	})
}

func TestServiceAccountComesWithAKeyUnlessOnlyTheAccountIsAskedFor(t *testing.T) {
	cases := map[string]struct {
		body string
		role string
		key  bool
	}{
		"by default":      {`{"name":"prod"}`, "member", true},
		"null":            {`{"name":"prod","create_service_account_only":null}`, "member", true},
		"false":           {`{"name":"prod","create_service_account_only":false}`, "member", true},
		"only an account": {`{"name":"prod","create_service_account_only":true}`, "none", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.InMemory())
			s.AddProject(project)

			made := call(t, s, "POST", accounts, c.body).json(t)
			assert.Equal(t, c.role, made["role"])
			require.Contains(t, made, "api_key")
			listed := s.ServiceAccounts(project)
			require.Len(t, listed, 1)
			assert.Equal(t, made["id"], listed[0].ID)
			assert.Equal(t, c.role, string(listed[0].Role))

			if !c.key {
				assert.Nil(t, made["api_key"])
				assert.Empty(t, s.ProjectKeys(project))
				assert.Zero(t, s.KeysCreated())
				return
			}
			key := made["api_key"].(map[string]any)
			assert.True(t, strings.HasPrefix(key["value"].(string), "sk-svcacct-"))
			assert.Equal(t, 1, s.KeysCreated())

			got := call(t, s, "GET", keys+key["id"].(string), "").json(t)
			assert.Equal(t, key["name"], got["name"])
			assert.Equal(t, "service_account", got["owner"].(map[string]any)["type"])
			assert.Equal(t, made["id"], got["owner"].(map[string]any)["service_account"].(map[string]any)["id"])
			assert.Equal(t, "active", got["owner_project_access"])
			assert.Contains(t, got, "last_used_at")
			assert.Nil(t, got["last_used_at"])

			refused := call(t, s, "DELETE", keys+key["id"].(string), "")
			assert.Equal(t, 400, refused.Status)
			assert.Len(t, s.ProjectKeys(project), 1, "the key is still there")
		})
	}
}

func TestRefusalsComeInTheEnvelopeOfTheAPI(t *testing.T) {
	const archived = "/organization/projects/proj_old/service_accounts"
	cases := map[string]struct {
		method, path, body string
		status             int
		param              any
	}{
		"empty name of an admin key":              {"POST", adminKeys, `{"name":""}`, 400, "name"},
		"empty name of a service account":         {"POST", accounts, `{"name":""}`, 400, "name"},
		"no name":                                 {"POST", adminKeys, `{}`, 400, "name"},
		"name is a number":                        {"POST", adminKeys, `{"name":1}`, 400, "name"},
		"body is no JSON":                         {"POST", adminKeys, `name`, 400, nil},
		"a life of no seconds":                    {"POST", adminKeys, `{"name":"ci","expires_in_seconds":0}`, 400, "expires_in_seconds"},
		"a life of more than a year":              {"POST", adminKeys, `{"name":"ci","expires_in_seconds":31536001}`, 400, "expires_in_seconds"},
		"limit is 0":                              {"GET", adminKeys + "?limit=0", "", 400, "limit"},
		"limit is negative":                       {"GET", accounts + "?limit=-1", "", 400, "limit"},
		"limit is 101":                            {"GET", adminKeys + "?limit=101", "", 400, "limit"},
		"limit is no number":                      {"GET", adminKeys + "?limit=many", "", 400, "limit"},
		"an integer that Go does not read as one": {"POST", adminKeys, `{"name":"ci","expires_in_seconds":5.0}`, 400, nil},
		"unknown order":                           {"GET", adminKeys + "?order=up", "", 400, "order"},
		"unknown after":                           {"GET", adminKeys + "?after=key_nobody", "", 400, "after"},
		"unknown after of service accounts":       {"GET", accounts + "?after=svc_acct_nobody", "", 400, "after"},
		"archived project, list":                  {"GET", archived, "", 400, "project_id"},
		"archived project, create":                {"POST", archived, `{"name":"prod"}`, 400, "project_id"},
		"unknown project, get":                    {"GET", "/organization/projects/nowhere/api_keys/key", "", 404, "project_id"},
		"unknown project, delete":                 {"DELETE", "/organization/projects/nowhere/api_keys/key", "", 404, "project_id"},
		"unknown project, list":                   {"GET", "/organization/projects/nowhere/service_accounts", "", 404, "project_id"},
		"unknown project, create":                 {"POST", "/organization/projects/nowhere/service_accounts", `{"name":"prod"}`, 404, "project_id"},
		"unknown key, get":                        {"GET", keys + "key_nobody", "", 404, "api_key_id"},
		"unknown key, delete":                     {"DELETE", keys + "key_nobody", "", 404, "api_key_id"},
		"unknown path":                            {"GET", "/organization/users", "", 404, nil},
		"a path that leads elsewhere":             {"GET", "/organization/projects/%2E%2E/admin_api_keys", "", 404, nil},
		"a path that leads elsewhere, plainly":    {"GET", "/organization/projects/../admin_api_keys", "", 404, nil},
		"an empty id":                             {"GET", "/organization/projects//service_accounts", "", 404, nil},
		"method that the path does not have":      {"PUT", adminKeys, "", 405, nil},
		"a body beyond all bounds":                {"POST", adminKeys, `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, nil},
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

func TestOnlyAnAdminKeyThatWorksGetsIn(t *testing.T) {
	s := orgkeystest.New(t)
	s.AddProject(project)
	wrong := "sk-admin-" + strings.Repeat("x", 40) + "last"
	revoked := s.AddAdminKey(orgkeystest.AdminKey{})
	s.RevokeAdminKey(revoked.ID)
	expired := s.AddAdminKey(orgkeystest.AdminKey{ExpiresAt: apitype.TimeAt(time.Now().Add(-time.Second))})
	account := s.AddServiceAccount(project, "prod")
	added := s.AddAdminKey(orgkeystest.AdminKey{ExpiresAt: apitype.TimeAt(time.Now().Add(time.Hour))})
	minted := create(t, s).json(t)["value"].(string)

	cases := map[string]struct {
		authorization string
		status        int
		code          any
		quotes        string
	}{
		"the server's own":       {"Bearer " + s.AdminKey, 200, nil, ""},
		"an added one":           {"Bearer " + added.Value.Reveal(), 200, nil, ""},
		"a minted one":           {"Bearer " + minted, 200, nil, ""},
		"none":                   {"", 401, nil, ""},
		"another scheme":         {"Basic " + s.AdminKey, 401, nil, ""},
		"an unknown one":         {"Bearer " + wrong, 401, "invalid_api_key", "sk-admin********************last"},
		"a short one":            {"Bearer sk-short", 401, "invalid_api_key", "sk"},
		"a revoked one":          {"Bearer " + revoked.Value.Reveal(), 401, "invalid_api_key", "sk-admin"},
		"an expired one":         {"Bearer " + expired.Value.Reveal(), 401, "invalid_api_key", "sk-admin"},
		"a service account's is": {"Bearer " + account.APIKey.Value.Reveal(), 401, nil, "scope"},
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
			assert.Contains(t, got.errorField(t, "message"), c.quotes)
			assert.NotContains(t, got.Body, strings.TrimPrefix(c.authorization+"no key", "Bearer "))
		})
	}
}

func TestAnAdminKeyTellsWhenItWasLastUsed(t *testing.T) {
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

func TestAKeyExpiresOnTheClockOfTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		minted := call(t, s, "POST", adminKeys, `{"name":"ci","expires_in_seconds":60}`).json(t)["value"].(string)
		status := func() int {
			r := newRequest(t, s, "GET", adminKeys, "")
			r.Header.Set("Authorization", "Bearer "+minted)
			return do(s.Client(), r).Status
		}
		time.Sleep(59 * time.Second)
		assert.Equal(t, 200, status())
		time.Sleep(time.Second)
		assert.Equal(t, 401, status())
	})
}

func TestTheRateLimitIsTheLiveAPIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute = 8
		s := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithRateLimit(perMinute))
		s.AddProject(project)
		for range perMinute {
			require.Equal(t, 200, create(t, s).Status)
		}
		refused := create(t, s)
		require.Equal(t, 429, refused.Status)
		assert.Equal(t, "rate_limit_exceeded", refused.errorField(t, "code"))
		for name := range refused.Header {
			assert.NotContains(t, strings.ToLower(name), "retry")
			assert.NotContains(t, strings.ToLower(name), "ratelimit")
		}
		assert.Equal(t, perMinute, s.KeysCreated(), "a refusal mints nothing")
		assert.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status, "each operation has a limit of its own")

		time.Sleep(60 * time.Second / perMinute)
		assert.Equal(t, 200, create(t, s).Status, "one comes back after its share of the minute")
		assert.Equal(t, 429, create(t, s).Status)

		time.Sleep(time.Minute)
		for range perMinute {
			require.Equal(t, 200, create(t, s).Status)
		}
		assert.Equal(t, 429, create(t, s).Status, "no more comes back than the limit")

		s.Inject(orgkeystest.Fault{Status: 503, Times: 2 * perMinute})
		time.Sleep(time.Minute)
		for range 2 * perMinute {
			require.Equal(t, 503, create(t, s).Status)
		}
		assert.Equal(t, 200, create(t, s).Status, "what a fault keeps from the API does not count")
	})
}

func TestTheLogTellsEachRequestAndNoSecret(t *testing.T) {
	s := orgkeystest.New(t)
	s.AddProject(project)
	s.Inject(orgkeystest.Fault{Operation: "create-project-service-account", Drop: true, AfterWork: true})

	made := create(t, s)
	listed := call(t, s, "GET", adminKeys+"?order=desc&limit=5", "")
	require.Error(t, call(t, s, "POST", accounts, `{"name":"prod"}`).Sent)

	log := s.Requests()
	require.Len(t, log, 3)
	headers := []string{"Accept-Encoding", "Authorization", "Content-Length", "Content-Type", "User-Agent"}
	assert.Equal(t, orgkeystest.Request{
		Operation: "admin-api-keys-create", Method: http.MethodPost, Path: "/v1" + adminKeys, Query: map[string][]string{},
		Header: headers, Authorization: true, Status: 200, RequestID: made.Header.Get("X-Request-Id"), KeysCreated: 1,
	}, log[0])
	assert.Equal(t, map[string][]string{"order": {"desc"}, "limit": {"5"}}, map[string][]string(log[1].Query))
	assert.Equal(t, listed.Header.Get("X-Request-Id"), log[1].RequestID)
	assert.Zero(t, log[1].KeysCreated)
	assert.Equal(t, orgkeystest.Request{
		Operation: "create-project-service-account", Method: http.MethodPost, Path: "/v1" + accounts, Query: map[string][]string{},
		Header: headers, Authorization: true, Status: 0, RequestID: log[2].RequestID, Faulted: true, KeysCreated: 1,
	}, log[2])

	text, err := json.Marshal(log)
	require.NoError(t, err)
	assert.NotContains(t, string(text), s.AdminKey)
	assert.NotContains(t, string(text), made.json(t)["value"])
}
