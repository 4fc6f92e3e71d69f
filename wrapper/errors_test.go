package orgkeys_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

var update = flag.Bool("update", false, "write testdata/errors.txt anew")

// TestErrorsSayWhatToDo compares the text of every kind of error with a file for people to
// read. Run with -update after a change, and read the difference.
func TestErrorsSayWhatToDo(t *testing.T) {
	var golden strings.Builder
	say := func(what string, err error) {
		require.Error(t, err, what)
		fmt.Fprintf(&golden, "%s\n    %v\n\n", what, err)
	}
	t.Setenv("OPENAI_ADMIN_KEY", "")
	_, err := orgkeys.NewClient()
	say("no admin key", err)
	_, err = orgkeys.NewClient(orgkeys.WithAdminKey("a b"))
	say("malformed admin key", err)
	t.Setenv("OPENAI_BASE_URL", "http://api.example")
	_, err = orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"))
	say("plain http in the environment", err)
	t.Setenv("OPENAI_BASE_URL", "")
	for _, option := range []struct {
		what   string
		option orgkeys.Option
	}{
		{"base URL with credentials", orgkeys.WithBaseURL("https://u:p@api.example")},
		{"base URL with a query", orgkeys.WithBaseURL("https://api.example?a=b")},
		{"base URL that is none", orgkeys.WithBaseURL("api.example")},
		{"no attempts", orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: -1})},
		{"waits that contradict", orgkeys.WithRetry(orgkeys.Retry{BaseDelay: time.Hour})},
		{"no time", orgkeys.WithAttemptTimeout(0)},
		{"no rate", orgkeys.WithRateLimit(0)},
		{"no bytes", orgkeys.WithMaxResponseBytes(0)},
		{"no user agent", orgkeys.WithUserAgent("")},
		{"no HTTP client", orgkeys.WithHTTPClient(nil)},
		{"no logger", orgkeys.WithLogger(nil)},
		{"no source", orgkeys.WithAdminKeySource(nil)},
	} {
		_, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), option.option)
		say(option.what, err)
	}

	unreached := stubbed(t, func(*http.Request) (*http.Response, error) { panic("sent") })
	say("empty id", second(unreached.ProjectKeys.Get(t.Context(), "", "key_1")))
	say("a path for an id", second(unreached.ProjectKeys.Get(t.Context(), project, "../x")))
	say("a key for an id", second(unreached.ProjectKeys.Delete(t.Context(), project, "sk-x")))
	say("no name", second(unreached.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{})))
	say("expiry out of range", second(unreached.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: new(0)})))
	say("limit out of range", second(unreached.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{Limit: new(1000)})))
	say("unknown order", second(unreached.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{Order: new(orgkeys.AdminKeyOrder("up"))})))
	say("FindCreated with another error", second(unreached.AdminKeys.FindCreated(t.Context(), nil)))

	envelope := func(kind, code, message string) string {
		quoted := "null"
		if code != "" {
			quoted = `"` + code + `"`
		}
		return fmt.Sprintf(`{"error":{"type":"%s","code":%s,"param":null,"message":"%s"}}`, kind, quoted, message)
	}
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			what   string
			status int
			body   string
			header http.Header
		}{
			{"bad key", 401, envelope("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-admi***************def."), nil},
			{"missing scope", 401, envelope("invalid_request_error", "", "You have insufficient permissions for this operation."), nil},
			{"forbidden", 403, envelope("invalid_request_error", "", "Not allowed."), nil},
			{"not found", 404, envelope("invalid_request_error", "not_found", "No such key."), nil},
			{"conflict", 409, envelope("invalid_request_error", "", "Busy."), nil},
			{"bad request", 400, envelope("invalid_request_error", "", "The project is archived."), nil},
			{"rate limited", 429, "", nil},
			{"rate limited for long", 429, "", http.Header{"Retry-After": {"3600"}}},
			{"redirected", 302, "", http.Header{"Location": {"https://elsewhere.example"}}},
			{"a proxy's page", 502, "<html><h1>Bad gateway</h1></html>", nil},
			{"a bare string", 500, `{"error":"no"}`, nil},
			{"no body", 503, "", nil},
			{"200 that is an error", 200, envelope("server_error", "", "no"), nil},
			{"200 that is no JSON", 200, "<html>", nil},
			{"200 that is a page", 200, "<html>", http.Header{"Content-Type": {"text/html"}}},
			{"another status", 204, "", nil},
		} {
			client := stubbed(t, func(*http.Request) (*http.Response, error) {
				response := answer(row.status, row.body)
				for name, values := range row.header {
					response.Header[name] = values
				}
				return response, nil
			})
			say(row.what, second(client.ProjectKeys.Get(t.Context(), project, "key_1")))
			if row.status == 400 {
				say(row.what+", of a revoke", second(client.ProjectKeys.Delete(t.Context(), project, "key_1")))
			}
			if row.status >= 500 || row.status == 200 {
				say(row.what+", of a create", second(client.ServiceAccounts.Create(t.Context(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"})))
			}
		}
		for what, failure := range map[string]error{
			"connection refused": &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
		} {
			client := stubbed(t, func(*http.Request) (*http.Response, error) { return nil, failure })
			say(what, second(client.ProjectKeys.Get(t.Context(), project, "key_1")))
			say(what+", of a create by a transport that does not say whether it sent", second(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})))
		}
		slow := stubbed(t, func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		say("too slow", second(slow.ProjectKeys.Get(t.Context(), project, "key_1")))
		busy := stubbed(t, func(*http.Request) (*http.Response, error) { return answer(429, ""), nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		say("cancelled while waiting", second(busy.ProjectKeys.Get(ctx, project, "key_1")))
		sealed := stubbed(t, nil, orgkeys.WithAdminKeySource(func(context.Context) (string, error) { return "", errors.New("vault is sealed") }))
		say("the source fails", second(sealed.ProjectKeys.Get(t.Context(), project, "key_1")))

		for _, page := range []hostile{{"a", true, `"x"`, false}, {"", true, ``, false}} {
			client := stubbed(t, func(*http.Request) (*http.Response, error) { return page.response(lists[0].item), nil })
			for _, err := range client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{}) {
				if err != nil {
					say("a list that breaks off", err)
				}
			}
		}
		wrong := stubbed(t, func(*http.Request) (*http.Response, error) {
			return answer(200, `{"object":"organization.project.api_key.deleted","id":"key_2","deleted":true}`), nil
		})
		say("another key's answer", second(wrong.ProjectKeys.Delete(t.Context(), project, "key_1")))
		refused := stubbed(t, func(*http.Request) (*http.Response, error) {
			return answer(200, `{"object":"organization.project.api_key.deleted","id":"key_1","deleted":false}`), nil
		})
		say("not deleted", second(refused.ProjectKeys.Delete(t.Context(), project, "key_1")))
	})

	const file = "testdata/errors.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(golden.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), golden.String())
}

// TestAnErrorIsWhatItsStatusSays holds the sentinels, each for its status and for no other.
func TestAnErrorIsWhatItsStatusSays(t *testing.T) {
	sentinels := map[int]error{
		400: orgkeys.ErrBadRequest, 401: orgkeys.ErrUnauthorized, 403: orgkeys.ErrForbidden,
		404: orgkeys.ErrNotFound, 409: orgkeys.ErrConflict, 429: orgkeys.ErrRateLimited,
	}
	for status := 300; status < 600; status++ {
		client := stubbed(t, func(*http.Request) (*http.Response, error) { return answer(status, ""), nil },
			orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
		_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
		for of, sentinel := range sentinels {
			assert.Equal(t, of == status, errors.Is(err, sentinel), "%d is %v", status, sentinel)
		}
		refusal, ok := errors.AsType[*orgkeys.APIError](err)
		require.True(t, ok)
		assert.Equal(t, status, refusal.Status)
		assert.Equal(t, "req_1", refusal.RequestID)
		assert.Equal(t, "retrieve-project-api-key", refusal.Operation)
	}
}

// TestARefusalIsReadAsFarAsItGoes holds that a body that is not quite the API's envelope loses
// neither status nor what can be read of it.
func TestARefusalIsReadAsFarAsItGoes(t *testing.T) {
	for body, want := range map[string]orgkeys.APIError{
		`{"error":{"type":"t","code":"c","param":"p","message":"m"}}`:          {Type: "t", Code: "c", Param: "p", Message: "m"},
		`{"error":{"type":"t","code":null,"param":null,"message":"m","x":{}}}`: {Type: "t", Message: "m"},
		`{"error":{"message":"m"}}`:                                            {Message: "m"},
		`{"error":{"message":"m","code":401}}`:                                 {Message: "m"},
		`{"error":"m"}`:                                                        {Message: "m"},
		`{"error":null}`:                                                       {},
		`{"error":[]}`:                                                         {},
		`{"message":"m"}`:                                                      {},
		`"m"`:                                                                  {},
		`[]`:                                                                   {},
		``:                                                                     {},
		`<html>`:                                                               {},
	} {
		t.Run(body, func(t *testing.T) {
			client := stubbed(t, func(*http.Request) (*http.Response, error) { return answer(404, body), nil })
			_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
			got, ok := errors.AsType[*orgkeys.APIError](err)
			require.True(t, ok)
			assert.Equal(t, want.Type, got.Type)
			assert.Equal(t, want.Code, got.Code)
			assert.Equal(t, want.Param, got.Param)
			assert.Equal(t, want.Message, got.Message)
			assert.Equal(t, 404, got.Status)
			assert.Equal(t, "req_1", got.RequestID)
		})
	}
}

// TestARefusalLogsAsItsFields holds the group that slog makes of an APIError.
func TestARefusalLogsAsItsFields(t *testing.T) {
	var out strings.Builder
	logger := slog.New(slog.NewTextHandler(&out, nil))
	logger.Info("x", "err", &orgkeys.APIError{Operation: "op", Status: 429, Message: "m", RequestID: "req_1", RetryAfter: time.Second})
	assert.Contains(t, out.String(), "err.operation=op err.status=429 err.message=m err.request_id=req_1 err.retry_after=1s")
}

// TestTheUserAgentNamesProgramModuleAndGo holds what the vendor sees.
func TestTheUserAgentNamesProgramModuleAndGo(t *testing.T) {
	for _, row := range []struct {
		options []orgkeys.Option
		want    string
	}{
		{nil, `^orgkeys-go/\S+ \(go1\.\S+; \w+/\w+\)$`},
		{[]orgkeys.Option{orgkeys.WithUserAgent("keyrotator/1.4")}, `^keyrotator/1\.4 orgkeys-go/\S+ \(go1\.\S+; \w+/\w+\)$`},
	} {
		client := stubbed(t, func(r *http.Request) (*http.Response, error) {
			assert.Regexp(t, row.want, r.Header.Get("User-Agent"))
			assert.Equal(t, "application/json", r.Header.Get("Accept"))
			return nil, io.EOF
		}, append(row.options, orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))...)
		_, err := client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
		assert.Error(t, err)
	}
	for _, product := range []string{"", "a\n", "é"} {
		_, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithUserAgent(product))
		assert.Error(t, err)
	}
}
