package orgkeys_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
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

var update = flag.Bool("update", false, "write testdata/errors.txt")

// texts collects the texts of errors for testdata/errors.txt, a golden file for review.
type texts struct {
	t   *testing.T
	out strings.Builder
}

// add adds the text of err, and asserts that it contains facts.
func (x *texts) add(what string, err error, facts ...string) {
	x.t.Helper()
	require.Error(x.t, err, what)
	text := err.Error()
	fmt.Fprintf(&x.out, "%s\n    %s\n\n", what, text)
	assert.True(x.t, strings.HasPrefix(text, "orgkeys: "), "%s: %s", what, text)
	assert.False(x.t, strings.HasSuffix(text, "."), "%s: %s", what, text)
	assert.NotContains(x.t, text, "\n", what)
	assert.Equal(x.t, errors.Is(err, orgkeys.ErrNotSent), strings.Contains(text, "nothing was sent"), "%s: %s", what, text)
	for _, fact := range facts {
		assert.Contains(x.t, text, fact, what)
	}
}

func TestErrors_texts(t *testing.T) {
	x := &texts{t: t}
	t.Setenv("OPENAI_BASE_URL", "")
	t.Setenv("OPENAI_ADMIN_KEY", "")
	option := func(what string, option orgkeys.Option, facts ...string) {
		err := errorOf(orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), option))
		require.Error(t, err, what)
		fmt.Fprintf(&x.out, "%s\n    %v\n\n", what, err)
		for _, fact := range append(facts, "orgkeys: ") {
			assert.ErrorContains(t, err, fact, what)
		}
	}
	option("no admin key", orgkeys.WithAdminKey(""), "OPENAI_ADMIN_KEY", "WithAdminKey", "https://platform.openai.com/settings/organization/admin-keys")
	option("malformed admin key", orgkeys.WithAdminKey("a b"), "white space")
	option("plain http", orgkeys.WithBaseURL("http://api.example"), "use https")
	option("base URL with credentials", orgkeys.WithBaseURL("https://u:p@api.example"), "credentials")
	option("base URL with a query", orgkeys.WithBaseURL("https://api.example?a=b"), "query")
	option("base URL without a scheme", orgkeys.WithBaseURL("api.example"), "https://host/path")
	option("negative attempts", orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: -1}), "retry", "negative")
	option("contradictory waits", orgkeys.WithRetry(orgkeys.Retry{BaseDelay: time.Hour}), "BaseDelay 1h0m0s", "MaxWait 1m30s")
	option("no attempt timeout", orgkeys.WithAttemptTimeout(0), "WithAttemptTimeout")
	option("no rate", orgkeys.WithRateLimit(0), "WithRateLimit")
	option("no response bytes", orgkeys.WithMaxResponseBytes(0), "WithMaxResponseBytes")
	option("no user agent", orgkeys.WithUserAgent(""), "WithUserAgent")
	option("no HTTP client", orgkeys.WithHTTPClient(nil), "WithHTTPClient")
	option("no logger", orgkeys.WithLogger(nil), "WithLogger")
	option("no source", orgkeys.WithAdminKeySource(nil), "WithAdminKeySource")

	get := func(client *orgkeys.Client) error {
		return errorOf(client.ProjectKeys.Get(context.Background(), project, "key_1"))
	}
	create := func(client *orgkeys.Client) error {
		return errorOf(client.ServiceAccounts.Create(context.Background(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"}))
	}
	unnamed := stubbed(t, func(*http.Request) (*http.Response, error) { return jsonResponse(420, ""), nil })
	x.add("status without a name", get(unnamed), "retrieve-project-api-key: 420 (request id req_1)")
	unused := stubbed(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") })
	x.add("empty id", errorOf(unused.ProjectKeys.Get(t.Context(), "", "key_1")), "project id is empty")
	x.add("path as an id", errorOf(unused.ProjectKeys.Get(t.Context(), project, "../x")), "key id")
	x.add("key as an id", errorOf(unused.ProjectKeys.Delete(t.Context(), project, "sk-x")), "key id is the value of a key")
	x.add("empty name", errorOf(unused.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{})), "name is empty")
	x.add("lifetime out of range", errorOf(unused.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: new(0)})), "expires_in_seconds 0", "1 to 31536000")
	x.add("limit out of range", errorOf(unused.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{Limit: new(1000)})), "limit 1000", "1 to 100")
	x.add("unknown order", errorOf(unused.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{Order: new(orgkeys.AdminKeyOrder("up"))})), "asc", "desc")
	x.add("update without a change", errorOf(unused.ProjectKeys.Update(t.Context(), project, "key_1", orgkeys.ProjectKeyUpdateParams{})), "expires_in_seconds", "scopes")
	x.add("FindCreated with another error", errorOf(unused.AdminKeys.FindCreated(t.Context(), nil)), "Create")

	envelope := func(code, message string) string {
		return fmt.Sprintf(`{"error":{"type":"invalid_request_error","code":%s,"param":null,"message":%q}}`, code, message)
	}
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			what   string
			status int
			body   string
			header http.Header
			facts  []string
		}{
			{"invalid key", 401, envelope(`"invalid_api_key"`, "Incorrect API key provided: sk-admi***************def."), nil, []string{"401", "[redacted]", "must be an admin key"}},
			{"missing scope", 401, envelope("null", "You have insufficient permissions for this operation."), nil, []string{"api.management.read", "api.management.write"}},
			{"forbidden", 403, envelope("null", "Not allowed."), nil, []string{"403 Forbidden: Not allowed."}},
			{"not found", 404, envelope(`"not_found"`, "No such key."), nil, []string{"404 Not Found: No such key.", "its own project"}},
			{"conflict", 409, envelope("null", "Busy."), nil, []string{"409"}},
			{"bad request", 400, envelope("null", "The project is archived."), nil, []string{"400 Bad Request: The project is archived."}},
			{"rate limited", 429, "", nil, []string{"429", "4 attempts"}},
			{"rate limited for an hour", 429, "", http.Header{"Retry-After": {"3600"}}, []string{"429", "wait 1h0m0s"}},
			{"quota exhausted", 429, envelope(`"insufficient_quota"`, "You exceeded your current quota."), nil, []string{"quota"}},
			{"redirect", 302, "", http.Header{"Location": {"https://elsewhere.example"}}, []string{"302", "not followed"}},
			{"page of a proxy", 502, "<html><h1>Bad gateway</h1></html>", nil, []string{"502", "try again later"}},
			{"bare string", 500, `{"error":"no"}`, nil, []string{"500 Internal Server Error: no"}},
			{"no body", 503, "", nil, []string{"503"}},
			{"error envelope with status 200", 200, envelope("null", "no"), nil, []string{"status 200", "error envelope: no"}},
			{"not JSON", 200, "<html>", nil, []string{"status 200", "not valid JSON"}},
			{"HTML", 200, "<html>", http.Header{"Content-Type": {"text/html"}}, []string{"content type application/json"}},
			{"another status", 204, "", nil, []string{"status 204", "other than 200"}},
		} {
			client := stubbed(t, func(*http.Request) (*http.Response, error) {
				response := jsonResponse(row.status, row.body)
				for name, values := range row.header {
					response.Header[name] = values
				}
				return response, nil
			})
			x.add(row.what, get(client), append(row.facts, "retrieve-project-api-key: ", "request id req_1")...)
			if row.status == 400 {
				x.add(row.what+", delete", errorOf(client.ProjectKeys.Delete(t.Context(), project, "key_1")), "service account")
			}
			if row.status >= 500 || row.status == 200 {
				x.add(row.what+", create", create(client), `create-project-service-account of "ci" in proj_abc: it is unknown whether`, "FindCreated", "request id req_1")
			}
		}
		failing := stubbed(t, func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		})
		x.add("transport error", get(failing), "connection refused", "4 attempts")
		x.add("transport error, create", create(failing), "it is unknown whether", "connection refused")
		slow := stubbed(t, func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		x.add("attempt timeout", get(slow), "within 30s", "4 attempts")
		limited := stubbed(t, func(*http.Request) (*http.Response, error) { return jsonResponse(429, ""), nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		x.add("context ends while waiting", errorOf(limited.ProjectKeys.Get(ctx, project, "key_1")), "context deadline exceeded: the rate limit lets this call pass in", "429")
		x.add("context had ended", errorOf(limited.ProjectKeys.Get(ctx, project, "key_1")), "context deadline exceeded")
		sealed := stubbed(t, createsKeys, orgkeys.WithAdminKeySource(func(context.Context) (string, error) { return "", errors.New("the vault is sealed") }))
		x.add("source fails", get(sealed), "the vault is sealed")

		for _, lastID := range []string{`"a"`, `"a\u0000"`, ""} {
			client := stubbed(t, func(*http.Request) (*http.Response, error) { return listPage("", nil, true, lastID), nil })
			for _, err := range client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{After: new("a")}) {
				x.add("incomplete list", err, "the list is incomplete", "the items so far are valid")
			}
		}
		deleting := func(id string, deleted bool) error {
			client := stubbed(t, func(*http.Request) (*http.Response, error) {
				return jsonResponse(200, fmt.Sprintf(`{"object":"organization.project.api_key.deleted","id":%q,"deleted":%v}`, id, deleted)), nil
			})
			return errorOf(client.ProjectKeys.Delete(t.Context(), project, "key_1"))
		}
		x.add("another id", deleting("key_2", true), "/id is not the requested id")
		x.add("not deleted", deleting("key_1", false), "/deleted is false")
	})
	x.add("unknown outcome without a cause", &orgkeys.UnknownOutcomeError{Operation: "admin-api-keys-create", Name: "ci sk-abc"}, `"ci [redacted]"`, "no cause is known")

	const file = "testdata/errors.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(x.out.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), x.out.String())
}

// TestAPIError_Is verifies that each sentinel matches its own status and no other.
func TestAPIError_Is(t *testing.T) {
	sentinels := map[int]error{
		400: orgkeys.ErrBadRequest, 401: orgkeys.ErrUnauthorized, 403: orgkeys.ErrForbidden,
		404: orgkeys.ErrNotFound, 409: orgkeys.ErrConflict, 429: orgkeys.ErrRateLimited,
	}
	for status := 300; status < 600; status++ {
		client := stubbed(t, func(*http.Request) (*http.Response, error) { return jsonResponse(status, ""), nil }, orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
		err := errorOf(calls[2].do(t.Context(), client))
		for of, sentinel := range sentinels {
			assert.Equal(t, of == status, errors.Is(err, sentinel), "%d is %v", status, sentinel)
		}
		assert.NotErrorIs(t, err, orgkeys.ErrNotSent)
		assert.NotErrorIs(t, err, orgkeys.ErrInvalidArgument)
		refusal, ok := errors.AsType[*orgkeys.APIError](err)
		require.True(t, ok)
		assert.Equal(t, status, refusal.Status)
		assert.Equal(t, "req_1", refusal.RequestID)
		assert.Equal(t, "retrieve-project-api-key", refusal.Operation)
	}
}

// TestAPIError_ofLooseEnvelopes verifies that an error body with only part of the API's envelope
// gives an *APIError with the status and the fields that could be decoded.
func TestAPIError_ofLooseEnvelopes(t *testing.T) {
	for body, want := range map[string]orgkeys.APIError{
		`{"error":{"type":"t","code":"c","param":"p","message":"m"}}`:          {Type: "t", Code: "c", Param: "p", Message: "m"},
		`{"error":{"type":"t","code":null,"param":null,"message":"m","x":{}}}`: {Type: "t", Message: "m"},
		`{"error":{"message":"m"}}`:                                            {Message: "m"},
		`{"error":{"message":"m","code":401}}`:                                 {Message: "m"},
		`{"error":"m"}`:                                                        {Message: "m"},
		`{"error":null}`:                                                       {}, `{"error":[]}`: {}, `{"message":"m"}`: {}, `"m"`: {}, `[]`: {}, ``: {}, `<html>`: {},
	} {
		client := stubbed(t, func(*http.Request) (*http.Response, error) { return jsonResponse(404, body), nil })
		got, ok := errors.AsType[*orgkeys.APIError](errorOf(calls[2].do(t.Context(), client)))
		require.True(t, ok, body)
		assert.Equal(t, []string{want.Type, want.Code, want.Param, want.Message}, []string{got.Type, got.Code, got.Param, got.Message}, body)
		assert.Equal(t, 404, got.Status)
		assert.Equal(t, "req_1", got.RequestID)
	}
}

func TestAPIError_LogValue(t *testing.T) {
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "err", &orgkeys.APIError{Operation: "op", Status: 429, Message: "m", RequestID: "req_1", RetryAfter: time.Second, Attempts: 2})
	assert.Contains(t, out.String(), "err.operation=op err.status=429 err.message=m err.request_id=req_1 err.retry_after=1s err.attempts=2")
	assert.NotContains(t, out.String(), "err.code", "empty fields are left out")
}
