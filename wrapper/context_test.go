package orgkeys

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/internal/mask"
)

// TestWithCallInfo covers the metadata of calls that succeed, fail and are not sent.
func TestWithCallInfo(t *testing.T) {
	const keyJSON = `{"object":"organization.project.api_key","redacted_value":"sk-abc...def","name":"n","created_at":1,"last_used_at":null,"id":"key_1","owner":{"type":"user"},"owner_project_access":"active"}`
	get := func(ctx context.Context, c *Client) error {
		_, err := c.ProjectKeys.Get(ctx, "proj_1", "key_1")
		return err
	}
	after := func(d time.Duration, r *http.Response, err error) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			time.Sleep(d)
			return r, err
		}
	}
	retried := jsonResponse(503, "")
	retried.Header.Set("Retry-After", "10")
	hidden := jsonResponse(404, envelope)
	hidden.Header.Set("X-Request-Id", "sk-admin-test")
	for _, row := range []struct {
		name      string
		responses []func() (*http.Response, error)
		call      func(context.Context, *Client) error
		want      CallInfo
		fails     bool
	}{
		{
			"success", []func() (*http.Response, error){after(time.Second, jsonResponse(200, keyJSON), nil)}, get,
			CallInfo{gen.OperationRetrieveProjectAPIKey, 200, "req_1", 1, 0, time.Second}, false,
		},
		{
			"success after a retry", []func() (*http.Response, error){after(time.Second, retried, nil), after(time.Second, jsonResponse(200, keyJSON), nil)}, get,
			CallInfo{gen.OperationRetrieveProjectAPIKey, 200, "req_1", 2, 10 * time.Second, 12 * time.Second}, false,
		},
		{
			"refusal", []func() (*http.Response, error){after(time.Second, jsonResponse(403, envelope), nil)}, get,
			CallInfo{gen.OperationRetrieveProjectAPIKey, 403, "req_1", 1, 0, time.Second}, true,
		},
		{
			"a key as request id", []func() (*http.Response, error){after(0, hidden, nil)}, get,
			CallInfo{gen.OperationRetrieveProjectAPIKey, 404, mask.Mark, 1, 0, 0}, true,
		},
		{
			"invalid response", []func() (*http.Response, error){after(0, jsonResponse(200, `{}`), nil)}, get,
			CallInfo{gen.OperationRetrieveProjectAPIKey, 200, "req_1", 1, 0, 0}, true,
		},
		{
			"no response", []func() (*http.Response, error){after(time.Second, nil, io.EOF)},
			func(ctx context.Context, c *Client) error {
				_, err := c.AdminKeys.Create(ctx, AdminKeyCreateParams{Name: "ci"})
				return err
			},
			CallInfo{gen.OperationAdminAPIKeysCreate, 0, "", 1, 0, time.Second}, true,
		},
		{
			"not sent", nil, func(ctx context.Context, c *Client) error {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return get(ctx, c)
			},
			CallInfo{gen.OperationRetrieveProjectAPIKey, 0, "", 0, 0, 0}, true,
		},
		{
			"invalid argument of a read", nil, func(ctx context.Context, c *Client) error {
				_, err := c.ProjectKeys.Get(ctx, "proj_1", "")
				return err
			},
			CallInfo{Operation: gen.OperationRetrieveProjectAPIKey}, true,
		},
		{
			"invalid argument of an update", nil, func(ctx context.Context, c *Client) error {
				_, err := c.ProjectKeys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{})
				return err
			},
			CallInfo{Operation: gen.OperationUpdateProjectAPIKey}, true,
		},
		{
			"invalid argument of a delete", nil, func(ctx context.Context, c *Client) error {
				_, err := c.ProjectKeys.Delete(ctx, "..", "key_1")
				return err
			},
			CallInfo{Operation: gen.OperationDeleteProjectAPIKey}, true,
		},
		{
			"invalid argument of a create", nil, func(ctx context.Context, c *Client) error {
				_, err := c.AdminKeys.Create(ctx, AdminKeyCreateParams{})
				return err
			},
			CallInfo{Operation: gen.OperationAdminAPIKeysCreate}, true,
		},
		{
			"invalid argument of the create of an account", nil, func(ctx context.Context, c *Client) error {
				_, err := c.ServiceAccounts.Create(ctx, "proj_1", ServiceAccountCreateParams{Name: "ci", CreateServiceAccountOnly: new(true), ExpiresInSeconds: new(1)})
				return err
			},
			CallInfo{Operation: gen.OperationCreateProjectServiceAccount}, true,
		},
		{
			"invalid argument of a list", nil, func(ctx context.Context, c *Client) error {
				_, err := c.AdminKeys.List(ctx, AdminKeyListParams{Order: new(AdminKeyOrder("newest"))})
				return err
			},
			CallInfo{Operation: gen.OperationAdminAPIKeysList}, true,
		},
		{
			"invalid argument of an iteration", nil, func(ctx context.Context, c *Client) (err error) {
				for _, err = range c.ServiceAccounts.All(ctx, "proj_1", ServiceAccountListParams{Limit: new(0)}) {
				}
				return err
			},
			CallInfo{Operation: gen.OperationListProjectServiceAccounts}, true,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next := row.responses
				client := stubClient(t, stubTransport(func(*http.Request) (*http.Response, error) {
					respond := next[0]
					next = next[1:]
					return respond()
				}))
				info := CallInfo{RequestID: "of an earlier call"}
				err := row.call(WithCallInfo(t.Context(), &info), client)
				assert.Equal(t, row.fails, err != nil, "%v", err)
				assert.Equal(t, row.want, info)
				assert.Empty(t, next)
				if refusal, ok := errors.AsType[*APIError](err); ok {
					assert.Equal(t, []any{info.Status, info.RequestID, info.Attempts, info.Waited},
						[]any{refusal.Status, refusal.RequestID, refusal.Attempts, refusal.Waited}, "the error has the same values")
				}
			})
		})
	}
}

// TestCallInfo_CountsReplays: each repetition of a request by the transport counts.
func TestCallInfo_CountsReplays(t *testing.T) {
	var info CallInfo
	c := record(t, deleteOp, attempt{sent: true, status: 503}, attempt{sent: true, status: 404, replays: 2})
	c.options = optionsOf(WithCallInfo(t.Context(), &info))
	c.finish()
	assert.Equal(t, 4, info.Attempts)
}

// TestContextOptionsNest: each option keeps those of the outer context and replaces its own, and
// an inner context does not change the outer one.
func TestContextOptionsNest(t *testing.T) {
	var outer, inner CallInfo
	a := WithHeader(WithCallInfo(t.Context(), &outer), "X-A", "1")
	b := WithHeader(WithHeader(WithCallInfo(a, &inner), "x-a", "2"), "X-B", "3")
	assert.Equal(t, &callOptions{info: &outer, header: http.Header{"X-A": {"1"}}}, optionsOf(a))
	assert.Equal(t, &callOptions{info: &inner, header: http.Header{"X-A": {"2"}, "X-B": {"3"}}}, optionsOf(b))
	assert.Nil(t, optionsOf(t.Context()))
}

func TestWithHeader(t *testing.T) {
	for _, row := range []struct {
		name, value string
		sent        bool
	}{
		{"OpenAI-Organization", "org_1", true},
		{"openai-project", "proj 1", true},
		{"X-Empty", "", true},
		{"X.Dotted", "1", true},
		{"Authorization", "Bearer x", false},
		{"authorization", "Bearer x", false},
		{"User-Agent", "x", false},
		{"Accept", "text/plain", false},
		{"Accept-Encoding", "gzip", false},
		{"Content-Type", "text/plain", false},
		{"Content-Length", "1", false},
		{"Content-Encoding", "gzip", false},
		{"Host", "evil.example", false},
		{"connection", "close", false},
		{"Proxy-Connection", "close", false},
		{"Proxy-Authorization", "x", false},
		{"Keep-Alive", "x", false},
		{"TE", "trailers", false},
		{"Trailer", "x", false},
		{"Transfer-Encoding", "chunked", false},
		{"Upgrade", "h2c", false},
		{"Expect", "100-continue", false},
		{"Cookie", "x", false},
		{"idempotency-key", "1", false},
		{"X-Idempotency-Key", "1", false},
		{"", "1", false},
		{"X A", "1", false},
		{"X:A", "1", false},
		{"X-\u00c4", "1", false},
		{"X-A", "1\r\nX-B: 2", false},
		{"X-A", "\x00", false},
		{"X-A", "\u00e4", false},
	} {
		var header http.Header
		client := stubClient(t, stubTransport(func(r *http.Request) (*http.Response, error) {
			header = r.Header
			return jsonResponse(403, envelope), nil
		}))
		_, err := client.AdminKeys.Create(WithHeader(t.Context(), row.name, row.value), AdminKeyCreateParams{Name: "ci"})
		if !row.sent {
			assert.ErrorIs(t, err, ErrInvalidArgument, row.name)
			assert.ErrorIs(t, err, ErrNotSent, row.name)
			assert.Nil(t, header, "%s was sent", row.name)
			continue
		}
		require.ErrorIs(t, err, ErrForbidden)
		assert.Equal(t, []string{row.value}, header[http.CanonicalHeaderKey(row.name)])
		assert.Equal(t, []string{"Bearer sk-admin-test"}, header["Authorization"])
	}
}

// TestAddHeader: the fields of the context replace those of the request and no others, and a
// field that is refused changes nothing.
func TestAddHeader(t *testing.T) {
	header := http.Header{"X-A": {"1"}, "X-B": {"2"}}
	require.NoError(t, addHeader(header, nil))
	require.NoError(t, addHeader(header, http.Header{"X-B": {"3"}, "X-C": {"4"}}))
	assert.Equal(t, http.Header{"X-A": {"1"}, "X-B": {"3"}, "X-C": {"4"}}, header)
	for name := range reservedHeaders {
		assert.ErrorIs(t, addHeader(header, http.Header{name: {"1"}}), ErrInvalidArgument, name)
		assert.Equal(t, http.CanonicalHeaderKey(name), name, "WithHeader looks it up in this form")
	}
	assert.Len(t, header, 3)
}
