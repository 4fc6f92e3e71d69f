package orgkeys_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// TestNoRedirectIsFollowed holds that whatever the redirect, and whatever redirect policy and
// cookie jar the user's own client has, the key is sent to one place and the answer is an error
// that keeps the status.
func TestNoRedirectIsFollowed(t *testing.T) {
	var strayed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strayed.Add(1)
	}))
	defer elsewhere.Close()
	calls := map[string]func(*orgkeys.Client) error{
		"GET": func(c *orgkeys.Client) error {
			_, err := c.ProjectKeys.Get(t.Context(), project, "key_1")
			return err
		},
		"POST": func(c *orgkeys.Client) error {
			_, err := c.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
			return err
		},
		"DELETE": func(c *orgkeys.Client) error {
			_, err := c.ProjectKeys.Delete(t.Context(), project, "key_1")
			return err
		},
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for method, call := range calls {
			for _, target := range []string{"same origin", "other port", "other host", "https to http", "relative", "none"} {
				t.Run(fmt.Sprintf("%d/%s/%s", status, method, target), func(t *testing.T) {
					options := []orgkeystest.Option{}
					if target == "https to http" {
						options = append(options, orgkeystest.WithTLS())
					}
					server := orgkeystest.New(t, options...)
					location := map[string][]string{
						"same origin":   {server.URL + "/organization/admin_api_keys"},
						"other port":    {elsewhere.URL + "/v1/organization/admin_api_keys"},
						"other host":    {strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)},
						"https to http": {"http" + strings.TrimPrefix(server.URL, "https")},
						"relative":      {"admin_api_keys"},
						"none":          nil,
					}[target]
					server.Inject(orgkeystest.Fault{Status: status, Header: http.Header{"Location": location}, Times: -1})
					hc := *server.Client()
					hc.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
					hc.Jar, _ = cookiejar.New(nil)
					before := strayed.Load()
					err := call(newClient(t, server, orgkeys.WithHTTPClient(&hc)))
					refusal, ok := errors.AsType[*orgkeys.APIError](err)
					require.True(t, ok, "%v", err)
					assert.Equal(t, status, refusal.Status)
					assert.NotEmpty(t, refusal.RequestID)
					assert.Len(t, server.Requests(), 1)
					assert.Equal(t, before, strayed.Load())
				})
			}
		}
	}
}

// TestCookiesAreNotSent holds that a user's cookie jar plays no part.
func TestCookiesAreNotSent(t *testing.T) {
	server := orgkeystest.New(t)
	jar, _ := cookiejar.New(nil)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	jar.SetCookies(at, []*http.Cookie{{Name: "session", Value: "1"}})
	hc := *server.Client()
	hc.Jar = jar
	base := hc.Transport
	hc.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		assert.NotContains(t, r.Header, "Cookie")
		return base.RoundTrip(r)
	})
	_, err = newClient(t, server, orgkeys.WithHTTPClient(&hc)).AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
	require.NoError(t, err)
}

// TestABaseURLIsSafeOrRefused holds where an admin key may travel. What is refused is not
// quoted: it may hold credentials.
func TestABaseURLIsSafeOrRefused(t *testing.T) {
	for _, row := range []struct {
		url     string
		wantErr string // "" where it is accepted
	}{
		{"https://api.openai.com/v1", ""},
		{"https://api.openai.com/v1/", ""},
		{"https://proxy.example/openai/v1", ""},
		{"https://proxy.example:8443", ""},
		{"https://[2001:db8::1]/v1", ""},
		{"http://localhost:8080/v1", ""},
		{"http://LOCALHOST/v1", ""},
		{"http://127.0.0.1/v1", ""},
		{"http://127.8.8.8/v1", ""},
		{"http://[::1]:8080/v1", ""},
		{"http://proxy.example/v1", "show the admin key to the network"},
		{"http://10.0.0.1/v1", "show the admin key to the network"},
		{"http://localhost.evil.example/v1", "show the admin key to the network"},
		{"http://127.0.0.1.evil.example/v1", "show the admin key to the network"},
		{"http://0.0.0.0/v1", "show the admin key to the network"},
		{"", "is empty"},
		{"api.openai.com/v1", "not of the form"},
		{"/v1", "not of the form"},
		{"https:///v1", "not of the form"},
		{"https://:443/v1", "not of the form"},
		{"ftp://api.openai.com/v1", "not of the form"},
		{"file:///etc/passwd", "not of the form"},
		{"https:api.openai.com", "not of the form"},
		{"https://hunter2@api.openai.com/v1", "credentials"},
		{"https://user:hunter2@api.openai.com/v1", "credentials"},
		{"https://api.openai.com/v1?key=hunter2", "query"},
		{"https://api.openai.com/v1?", "query"},
		{"https://api.openai.com/v1#hunter2", "fragment"},
		{"https://api.openai.com/v1#", "fragment"},
		{"https://api.openai.com/v1/../v2", "dot segments"},
		{"https://api.openai.com/v1/%2e%2e", "escapes"},
		{"https://api.openai.com/%zz", "not a URL"},
		{"https://api openai.com/v1", "not a URL"},
		{"https://api.openai.com\n/v1", "not a URL"},
		{"://hunter2", "not a URL"},
	} {
		for _, by := range []string{"option", "environment"} {
			t.Run(by+"/"+row.url, func(t *testing.T) {
				options := []orgkeys.Option{orgkeys.WithAdminKey("sk-admin-test")}
				if by == "option" {
					options = append(options, orgkeys.WithBaseURL(row.url))
				} else if t.Setenv("OPENAI_BASE_URL", row.url); row.url == "" {
					row.wantErr = "" // an empty variable is none
				}
				client, err := orgkeys.NewClient(options...)
				if row.wantErr == "" {
					require.NoError(t, err)
					return
				}
				assert.Nil(t, client)
				assert.ErrorContains(t, err, "base URL")
				assert.ErrorContains(t, err, row.wantErr)
				assert.NotContains(t, err.Error(), "hunter2")
				assert.Equal(t, by == "environment", strings.Contains(err.Error(), "OPENAI_BASE_URL"))
			})
		}
	}
	_, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithBaseURL("http://proxy.example/v1"), orgkeys.WithPlainHTTP())
	assert.NoError(t, err, "asked for by name")
}

// badIDs are ids that never reach a URL.
var badIDs = func() map[string]string {
	bad := map[string]string{
		"empty": "", "dot": ".", "dots": "..", "slash": "a/b", "leading slash": "/a", "backslash": `a\b`,
		"query": "a?b", "fragment": "a#b", "escape": "a%2fb", "escaped dots": "%2e%2e", "traversal": "../admin_api_keys",
		"blank": " ", "inner blank": "a b", "newline": "a\n", "carriage return": "a\r", "tab": "\ta", "NUL": "a\x00", "DEL": "a\x7f",
		"no-break space": "a\u00a0b", "line separator": "a\u2028b", "zero width": "a\u200bb", "right-to-left": "a\u202eb",
		"invalid UTF-8": "a\xff", "very long": strings.Repeat("a", 257), "a key's value": "sk-" + "proj-abc",
	}
	for c := rune(0); c < ' '; c++ {
		bad[fmt.Sprintf("control %#x", c)] = "a" + string(c)
	}
	return bad
}()

// TestBadArgumentsAreRefusedAndNothingIsSent holds that the error names the argument, quotes
// nothing of it, and that no request went out.
func TestBadArgumentsAreRefusedAndNothingIsSent(t *testing.T) {
	client := stubbed(t, func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent %s", r.URL)
		return nil, io.EOF
	})
	type row struct {
		argument string
		call     func() error
	}
	rows := map[string]row{
		"no name": {"name", func() error { return second(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{})) }},
		"blank name": {"name", func() error {
			return second(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: " \t"}))
		}},
		"name with a NUL": {"name", func() error {
			return second(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "a\x00"}))
		}},
		"name that is bytes": {"name", func() error {
			return second(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "\xff"}))
		}},
		"account's no name": {"name", func() error {
			return second(client.ServiceAccounts.Create(t.Context(), project, orgkeys.ServiceAccountCreateParams{}))
		}},
		"unknown order": {"order", func() error {
			return second(client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{Order: new(orgkeys.AdminKeyOrder("newest"))}))
		}},
	}
	for _, limit := range []int{-1, 0, 101, 1 << 40} {
		rows[fmt.Sprintf("limit %d", limit)] = row{"limit", func() error {
			return second(client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{Limit: &limit}))
		}}
		rows[fmt.Sprintf("accounts' limit %d", limit)] = row{"limit", func() error {
			return second(client.ServiceAccounts.List(t.Context(), project, orgkeys.ServiceAccountListParams{Limit: &limit}))
		}}
		rows[fmt.Sprintf("limit %d of all", limit)] = row{"limit", func() error {
			for _, err := range client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{Limit: &limit}) {
				return err
			}
			return nil
		}}
	}
	for _, seconds := range []int{-1, 0, 31536001} {
		rows[fmt.Sprintf("expires in %d", seconds)] = row{"expires_in_seconds", func() error {
			return second(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: &seconds}))
		}}
	}
	for name, id := range badIDs {
		rows["get: project "+name] = row{"project id", func() error { return second(client.ProjectKeys.Get(t.Context(), id, "key_1")) }}
		rows["get: key "+name] = row{"key id", func() error { return second(client.ProjectKeys.Get(t.Context(), project, id)) }}
		rows["delete: project "+name] = row{"project id", func() error { return second(client.ProjectKeys.Delete(t.Context(), id, "key_1")) }}
		rows["delete: key "+name] = row{"key id", func() error { return second(client.ProjectKeys.Delete(t.Context(), project, id)) }}
		rows["list: project "+name] = row{"project id", func() error {
			return second(client.ServiceAccounts.List(t.Context(), id, orgkeys.ServiceAccountListParams{}))
		}}
		rows["create: project "+name] = row{"project id", func() error {
			return second(client.ServiceAccounts.Create(t.Context(), id, orgkeys.ServiceAccountCreateParams{Name: "ci"}))
		}}
		if strings.ContainsAny(id, `/\?#%`) || id == "." || id == ".." {
			continue // a cursor is escaped, and is not part of a path
		}
		rows["list: after "+name] = row{"after", func() error {
			return second(client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{After: &id}))
		}}
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			err := row.call()
			require.Error(t, err)
			assert.ErrorIs(t, err, orgkeys.ErrInvalidArgument)
			assert.ErrorContains(t, err, "orgkeys: "+row.argument+" ")
			assert.NotContains(t, err.Error(), "sk-")
		})
	}
	t.Logf("%d bad arguments refused", len(rows))
}

// second returns the error of a call.
func second[T any](_ T, err error) error { return err }

// TestIDsOfEveryOtherKindArrive holds that what is not refused reaches the server as it is.
func TestIDsOfEveryOtherKindArrive(t *testing.T) {
	for _, id := range []string{"key_abc", "user-123", "a.b", "...", "a:b@c", "a;b,c=d&e+f$g!h", "ключ", "鍵", "a~b(c)*'d", strings.Repeat("a", 256)} {
		t.Run(id[:min(len(id), 20)], func(t *testing.T) {
			server := orgkeystest.New(t)
			server.AddProject(project)
			server.AddProjectKey(project, orgkeystest.ProjectKey{ID: id})
			key, err := newClient(t, server).ProjectKeys.Get(t.Context(), project, id)
			require.NoError(t, err)
			assert.Equal(t, id, key.ID)
		})
	}
}

// TestTheGeneratedClientStaysHomeToo holds that what the generated client does not check, an
// id that becomes another path, and what its request editors can do, another origin, is
// refused on the way.
func TestTheGeneratedClientStaysHomeToo(t *testing.T) {
	client := stubbed(t, func(r *http.Request) (*http.Response, error) {
		t.Errorf("sent %s", r.URL)
		return nil, io.EOF
	})
	g := client.Generated()
	to := func(edit func(*url.URL)) gen.RequestEditorFn {
		return func(_ context.Context, r *http.Request) error { edit(r.URL); return nil }
	}
	for name, call := range map[string]func() error{
		"dots as the key":     func() error { return second(g.RetrieveProjectAPIKey(t.Context(), project, "..")) },
		"dots as the project": func() error { return second(g.DeleteProjectAPIKey(t.Context(), "..", "key_1")) },
		"both":                func() error { return second(g.DeleteProjectAPIKey(t.Context(), "..", "..")) },
		"empty":               func() error { return second(g.RetrieveProjectAPIKey(t.Context(), project, "")) },
		"another host": func() error {
			return second(g.AdminAPIKeysList(t.Context(), nil, to(func(u *url.URL) { u.Host = "evil.example" })))
		},
		"another scheme": func() error {
			return second(g.AdminAPIKeysList(t.Context(), nil, to(func(u *url.URL) { u.Scheme = "http" })))
		},
		"another path": func() error {
			return second(g.AdminAPIKeysList(t.Context(), nil, to(func(u *url.URL) { u.Path = "/v1/models" })))
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, call(), "refused")
		})
	}
}

// TestAnAdminKeyIsUsableOrRefused holds that a key that can't be sent is an error at once, that
// names the option and never the key.
func TestAnAdminKeyIsUsableOrRefused(t *testing.T) {
	secret := "hunter2hunter2"
	for name, key := range map[string]string{
		"empty": "", "blank": " ", "newline": secret + "\n", "leading blank": " " + secret, "inner blank": secret + " x",
		"quotes": `"` + secret + `"`, "NUL": secret + "\x00", "unicode": secret + "é", "header injection": secret + "\r\nX: y",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := orgkeys.NewClient(orgkeys.WithAdminKey(key))
			assert.ErrorContains(t, err, "orgkeys: admin key")
			assert.NotContains(t, err.Error(), secret)

			t.Setenv("OPENAI_ADMIN_KEY", strings.ReplaceAll(key, "\x00", "\x01"))
			_, err = orgkeys.NewClient()
			assert.ErrorContains(t, err, "orgkeys: admin key")
			assert.NotContains(t, err.Error(), secret)

			client := stubbed(t, func(*http.Request) (*http.Response, error) {
				t.Error("sent without a key")
				return nil, io.EOF
			}, orgkeys.WithAdminKeySource(func(context.Context) (string, error) { return key, nil }))
			_, err = client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
			requireTold(t, notMade, "", err)
			assert.ErrorContains(t, err, "admin key")
			assert.NotContains(t, err.Error(), secret)
		})
	}
}

// TestTheAdminKeySourceIsAskedEachTime holds rotation: the key of each request is the source's
// at that moment, its context is the call's, and its failure sends nothing.
func TestTheAdminKeySourceIsAskedEachTime(t *testing.T) {
	type contextKey struct{}
	ctx := context.WithValue(t.Context(), contextKey{}, "the call's")
	var sent []string
	asked := 0
	failure := errors.New("vault is sealed")
	client := stubbed(t, func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.Header.Get("Authorization"))
		return hostile{}.response(""), nil
	}, orgkeys.WithAdminKeySource(func(ctx context.Context) (string, error) {
		assert.Equal(t, "the call's", ctx.Value(contextKey{}))
		if asked++; asked == 3 {
			return "", failure
		}
		return fmt.Sprintf("key-%d", asked), nil
	}))
	for range 2 {
		_, err := client.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{})
		require.NoError(t, err)
	}
	_, err := client.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{})
	assert.ErrorIs(t, err, failure)
	assert.Equal(t, []string{"Bearer key-1", "Bearer key-2"}, sent)
}

// TestAProxyFromTheEnvironmentIsUsedForHTTPS holds that a client with no options tunnels
// through it, and that the proxy sees no key. net/http reads the environment once a process,
// so the client lives in one of its own.
func TestAProxyFromTheEnvironmentIsUsedForHTTPS(t *testing.T) {
	const child = "ORGKEYS_TEST_PROXY_CHILD"
	if os.Getenv(child) != "" {
		client, err := orgkeys.NewClient(orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
		require.NoError(t, err)
		_, err = client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
		requireTold(t, notMade, "", err)
		return
	}
	var connects atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodConnect, r.Method)
		assert.Equal(t, "api.example:443", r.Host)
		assert.NotContains(t, r.Header, "Authorization")
		connects.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), child+"=1", "HTTPS_PROXY="+proxy.URL, "NO_PROXY=",
		"OPENAI_BASE_URL=https://api.example/v1", "OPENAI_ADMIN_KEY=sk-admin-test")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, int32(1), connects.Load())
}

// TestNothingOfTheCallersIsChanged holds that the http.Client that was passed in stays as it
// was, and that changing it later changes nothing.
func TestNothingOfTheCallersIsChanged(t *testing.T) {
	server := orgkeystest.New(t)
	hc := *server.Client()
	before := hc
	client := newClient(t, server, orgkeys.WithHTTPClient(&hc))
	assert.Equal(t, fmt.Sprintf("%+v", before), fmt.Sprintf("%+v", hc))
	hc.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, net.ErrClosed })
	_, err := client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
	assert.NoError(t, err)
}
