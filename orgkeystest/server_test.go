package orgkeystest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/orgkeys/orgkeys-go/speccheck"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNew_FailsTheTest(t *testing.T) {
	badLimit := func(t *testing.T, s *orgkeystest.Server) {
		require.Equal(t, 400, call(t, s, "GET", adminKeys+"?limit=1000", "").Status)
	}
	badResponse := func(t *testing.T, s *orgkeystest.Server) {
		s.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key", Owner: gen.ProjectAPIKeyOwner{Type: new(gen.ProjectAPIKeyOwnerType(""))}})
		require.Equal(t, 200, call(t, s, "GET", keys+"key", "").Status)
	}
	cases := map[string]struct {
		opts []orgkeystest.Option
		test func(t *testing.T, s *orgkeystest.Server)
		want []string // a part of each error, in order
	}{
		"no failure": {test: func(t *testing.T, s *orgkeystest.Server) {
			s.Inject(orgkeystest.Fault{Status: 500, Body: "garbage"}, orgkeystest.Fault{Times: 9})
			create(t, s)
			create(t, s)
		}},
		"an unused fault": {
			test: func(_ *testing.T, s *orgkeystest.Server) {
				s.Inject(orgkeystest.Fault{Status: 503}, orgkeystest.Fault{DropOnAccept: true})
			},
			want: []string{"fault applied to no request: {Status: 503}", "{DropOnAccept: true}"},
		},
		"an invalid request":          {test: badLimit, want: []string{"admin-api-keys-list: query parameter limit: maximum: expected 100"}},
		"an invalid request, allowed": {opts: []orgkeystest.Option{orgkeystest.AllowInvalidRequests()}, test: badLimit},
		"an invalid request that a fault applies to": {
			test: func(t *testing.T, s *orgkeystest.Server) {
				s.Inject(orgkeystest.Fault{Drop: true})
				require.Error(t, call(t, s, "POST", adminKeys, `{"nome":"sk-admin-secret"}`).Sent)
			},
			want: []string{"admin-api-keys-create: request body /name: required"},
		},
		"an unknown operation": {
			test: func(t *testing.T, s *orgkeystest.Server) { call(t, s, "GET", "/models", "") },
			want: []string{"GET: path"},
		},
		"an invalid response": {
			test: badResponse,
			want: []string{"retrieve-project-api-key 200: response body /owner/type: enum"},
		},
		"an invalid response, with invalid requests allowed": {
			opts: []orgkeystest.Option{orgkeystest.AllowInvalidRequests()},
			test: badResponse,
			want: []string{"retrieve-project-api-key 200: response body /owner/type: enum"},
		},
		"an invalid response, unchecked": {
			opts: []orgkeystest.Option{orgkeystest.SkipResponseChecks()},
			test: badResponse,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			recorded := new(recorder)
			s := orgkeystest.New(recorded, append(c.opts, orgkeystest.InMemory())...)
			c.test(t, s)
			failures := recorded.end()

			require.Len(t, failures, len(c.want), "%v", failures)
			for i, part := range c.want {
				assert.Contains(t, failures[i], part)
				assert.NotContains(t, failures[i], "secret")
			}
			_, err := s.Client().Get(s.URL)
			assert.ErrorIs(t, err, net.ErrClosed, "the server is closed")
		})
	}
}

func TestViolations(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.AllowInvalidRequests())
	call(t, s, "GET", adminKeys+"?order=up&limit=0", "")
	var rules []string
	for _, v := range s.Violations() {
		assert.Equal(t, speccheck.RequestViolation, v.Kind)
		rules = append(rules, v.Parameter+" "+v.Rule)
	}
	assert.ElementsMatch(t, []string{"order enum", "limit minimum"}, rules)
}

func TestWithTLS_OnlyItsOwnClientTrustsTheServer(t *testing.T) {
	for name, opt := range map[string]orgkeystest.Option{"https": orgkeystest.WithTLS(), "http/2": orgkeystest.WithHTTP2()} {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opt)
			r := newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`)
			stranger := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			_, err := stranger.Do(r)
			_, is := errors.AsType[*tls.CertificateVerificationError](err)
			assert.True(t, is, "%v", err)
			_, is = errors.AsType[x509.UnknownAuthorityError](err)
			assert.True(t, is, "%v", err)
			assert.Empty(t, s.Requests())
		})
	}
}

func TestProtocol(t *testing.T) {
	for name, opts := range transports {
		s := orgkeystest.New(t, opts...)
		resp, err := s.Client().Do(newRequest(t, s, "GET", adminKeys, ""))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, name == "http/2", resp.ProtoMajor == 2, name)
		assert.Equal(t, strings.HasPrefix(name, "https") || name == "http/2", strings.HasPrefix(s.URL, "https://"), name)
	}
}

func TestHTTP2_DropEndsTheStreamAndResetTheConnection(t *testing.T) {
	for name, reset := range map[string]bool{"drop": false, "reset": true} {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.WithHTTP2())
			require.Equal(t, 200, create(t, s).Status)
			s.Inject(orgkeystest.Fault{Drop: true, Reset: reset})
			require.Error(t, create(t, s).Sent)
			var reused bool
			require.NoError(t, do(s.Client(), traced(newRequest(t, s, "GET", adminKeys, ""), &reused)).Sent)
			assert.Equal(t, !reset, reused)
		})
	}
}

func TestInMemory_OnlyItsOwnDialerReachesTheServer(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	base, err := url.Parse(s.URL)
	require.NoError(t, err)
	assert.True(t, net.ParseIP(base.Hostname()).IsLoopback(), "clients send keys to loopback without TLS")

	own := &http.Client{Transport: &http.Transport{DialContext: s.Dial, DisableKeepAlives: true}}
	assert.Equal(t, 200, do(own, newRequest(t, s, "GET", adminKeys, "")).Status)

	stranger := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	assert.Error(t, do(stranger, newRequest(t, s, "GET", adminKeys, "")).Sent)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.2/v1"+adminKeys, nil)
	require.NoError(t, err)
	assert.ErrorContains(t, do(s.Client(), r).Sent, "not at 127.0.0.2:80", "another host is not reached")
	assert.Len(t, s.Requests(), 1)
}

func TestClose_RefusesConnections(t *testing.T) {
	s := orgkeystest.NewServer(orgkeystest.InMemory())
	require.NoError(t, create(t, s).Sent)
	s.Close()
	assert.ErrorIs(t, create(t, s).Sent, net.ErrClosed)
	assert.Equal(t, 1, s.KeysCreated(), "its state can still be read")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	orgkeystest.NewServer(orgkeystest.WithListener(l)).Close()
	_, err = l.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestServer_ListensOnLoopbackOnly(t *testing.T) {
	s := orgkeystest.New(t)
	assert.True(t, strings.HasPrefix(s.URL, "http://127.0.0.1:"), s.URL)
	assert.True(t, strings.HasSuffix(s.URL, "/v1"), s.URL)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	given := orgkeystest.New(t, orgkeystest.WithListener(l))
	assert.Equal(t, "http://"+l.Addr().String()+"/v1", given.URL)
	assert.Equal(t, 200, create(t, given).Status)

	for _, addr := range []string{"192.0.2.1:80", "0.0.0.0:80", "[::]:80"} {
		assert.Panics(t, func() { orgkeystest.NewServer(orgkeystest.WithListener(elsewhere(addr))) }, addr)
	}
	assert.Panics(t, func() {
		orgkeystest.NewServer(orgkeystest.WithListener(elsewhere("127.0.0.1:1")), orgkeystest.InMemory())
	})
}

// elsewhere is a listener that reports the given address.
type elsewhere string

func (elsewhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (elsewhere) Close() error              { return nil }
func (e elsewhere) Addr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", string(e))
	if err != nil {
		panic(err)
	}
	return addr
}

func TestState_IsReturnedAsCopies(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	name := "ci"
	created := s.AddAdminKey(orgkeystest.AdminKey{Name: &name, ExpiresAt: apitype.TimeAt(time.Unix(1, 0))})
	web := s.AddProjectKey(project, orgkeystest.ProjectKey{Name: "web"})
	s.AddServiceAccount(project, "prod")
	call(t, s, "GET", adminKeys+"?limit=1", "")
	snapshot := func() string {
		text, err := json.Marshal([]any{s.AdminKeys(), s.ProjectKeys(project), s.ServiceAccounts(project), s.Requests()})
		require.NoError(t, err)
		return string(text)
	}
	before := snapshot()

	name = "changed"
	*created.Name, *created.Owner.ID = name, name
	web.Owner.User.Name = name
	key := s.AdminKeys()[0]
	*key.Name, *key.Owner.Name = name, name
	s.ProjectKeys(project)[0].Owner.User.Name = name
	s.ServiceAccounts(project)[0].Name = name
	s.Requests()[0].Query["limit"][0] = name
	s.Requests()[0].Header[0] = name

	assert.Equal(t, before, snapshot())
	assert.Equal(t, "Robin Doe", *s.AddAdminKey(orgkeystest.AdminKey{}).Owner.Name, "other keys keep the owner")
}

func TestState_EqualsWhatClientsReceive(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	client, err := gen.NewClientWithResponses(s.URL, gen.WithHTTPClient(s.Client()), gen.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+s.AdminKey)
		return nil
	}))
	require.NoError(t, err)

	at := apitype.UnixTime(1711471533)
	s.AddAdminKey(orgkeystest.AdminKey{
		ID: "key_abc", Name: new("Nightly audit"), RedactedValue: "sk-admin...def", CreatedAt: at, LastUsedAt: apitype.TimeAt(at.Time().Add(time.Second)), ExpiresAt: apitype.TimeAt(at.Time().Add(2 * time.Second)),
		Owner: gen.AdminAPIKeyOwner{Type: new("service_account"), ID: new("sa_456")},
	})
	s.AddAdminKeys(1)
	owned := s.AddProjectKey(project, orgkeystest.ProjectKey{Name: "web", LastUsedAt: apitype.TimeAt(at.Time()), OwnerProjectAccess: new(gen.ProjectAPIKeyOwnerProjectAccessInactive)})
	s.AddServiceAccount(project, "prod")

	page, err := client.AdminAPIKeysListWithResponse(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, s.AdminKeys(), page.JSON200.Data)
	key, err := client.RetrieveProjectAPIKeyWithResponse(t.Context(), project, owned.ID)
	require.NoError(t, err)
	assert.Equal(t, owned, *key.JSON200)
	services, err := client.ListProjectServiceAccountsWithResponse(t.Context(), project, nil)
	require.NoError(t, err)
	assert.Equal(t, s.ServiceAccounts(project), services.JSON200.Data)
	forAccount := s.ProjectKeys(project)[1]
	key, err = client.RetrieveProjectAPIKeyWithResponse(t.Context(), project, forAccount.ID)
	require.NoError(t, err)
	assert.Equal(t, forAccount, *key.JSON200)
}

func TestAdd_RejectsUsedIDs(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	s.AddAdminKey(orgkeystest.AdminKey{ID: "key_1"})
	s.RevokeAdminKey("key_1")
	s.RevokeAdminKey("key_unknown")
	s.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
	assert.Panics(t, func() { s.AddAdminKey(orgkeystest.AdminKey{ID: "key_1"}) })
	assert.Panics(t, func() { s.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"}) })
	assert.Empty(t, s.AdminKeys())
	assert.Len(t, s.ProjectKeys(project), 1)
}

func TestUnknownProject(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	assert.Empty(t, s.ProjectKeys("nowhere"))
	assert.Empty(t, s.ServiceAccounts("nowhere"))
	s.AddServiceAccount(project, "prod")
	s.AddProject(project)
	assert.Len(t, s.ServiceAccounts(project), 1, "adding a project again changes nothing")
}

func TestServer_SharesNoStateWithOthers(t *testing.T) {
	a, b := orgkeystest.New(t), orgkeystest.New(t)
	r := newRequest(t, b, "GET", adminKeys, "")
	r.Header.Set("Authorization", "Bearer "+a.AdminKey)
	assert.Equal(t, 401, do(b.Client(), r).Status)
	assert.NotEqual(t, a.URL, b.URL)
}

func TestServer_EachResponseHasItsOwnRequestID(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.AllowInvalidRequests())
	s.Inject(orgkeystest.Fault{Operation: "admin-api-keys-create", Status: 500})
	ids := map[string]bool{}
	responses := []result{create(t, s), create(t, s), call(t, s, "GET", adminKeys+"?limit=0", ""), call(t, s, "GET", "/models", "")}
	for _, got := range responses {
		ids[got.Header.Get("X-Request-Id")] = true
	}
	assert.NotContains(t, ids, "")
	assert.Len(t, ids, len(responses))
}

func TestInMemory_UsesTheClockOfTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithTLS())
		s.Inject(orgkeystest.Fault{Operation: "admin-api-keys-list", Delay: 24 * time.Hour})
		before := create(t, s).json(t)["created_at"].(float64)
		require.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status)
		assert.EqualValues(t, 86400, create(t, s).json(t)["created_at"].(float64)-before)
	})
}
