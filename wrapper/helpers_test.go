package orgkeys_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const project = "proj_abc"

// newClient returns a client of the fake, whose options come before more.
func newClient(t testing.TB, server *orgkeystest.Server, more ...orgkeys.Option) *orgkeys.Client {
	t.Helper()
	options := []orgkeys.Option{
		orgkeys.WithAdminKey(server.AdminKey),
		orgkeys.WithBaseURL(server.URL),
		orgkeys.WithHTTPClient(server.Client()),
	}
	client, err := orgkeys.NewClient(append(options, more...)...)
	require.NoError(t, err)
	return client
}

// roundTripper makes a function an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stubbed returns a client whose requests are answered by answer.
func stubbed(t testing.TB, answer roundTripper, more ...orgkeys.Option) *orgkeys.Client {
	t.Helper()
	options := []orgkeys.Option{
		orgkeys.WithAdminKey("sk-admin-test"),
		orgkeys.WithBaseURL("https://api.example/v1"),
		orgkeys.WithHTTPClient(&http.Client{Transport: answer}),
	}
	client, err := orgkeys.NewClient(append(options, more...)...)
	require.NoError(t, err)
	return client
}

// jsonResponse returns a response with a JSON body, as a transport returns it.
func jsonResponse(status int, body string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}

// errorOf returns the error of a call.
func errorOf[T any](_ T, err error) error { return err }

// creates are the two operations that mint, each as one call and its recovery.
var creates = []struct {
	operation string
	// create returns the value of the key that was made.
	create func(context.Context, *orgkeys.Client) (value string, err error)
	// find returns the ids of what the call may have made.
	find func(context.Context, *orgkeys.Client, *orgkeys.UnknownOutcomeError) ([]string, error)
}{
	{
		"admin-api-keys-create",
		func(ctx context.Context, c *orgkeys.Client) (string, error) {
			made, err := c.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
			if err != nil {
				return "", err
			}
			return made.Value.Reveal(), nil
		},
		func(ctx context.Context, c *orgkeys.Client, unknown *orgkeys.UnknownOutcomeError) (ids []string, err error) {
			found, err := c.AdminKeys.FindCreated(ctx, unknown)
			for _, key := range found {
				ids = append(ids, key.ID)
			}
			return ids, err
		},
	},
	{
		"create-project-service-account",
		func(ctx context.Context, c *orgkeys.Client) (string, error) {
			made, err := c.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{Name: "ci"})
			if err != nil {
				return "", err
			}
			return made.APIKey.Value.Reveal(), nil
		},
		func(ctx context.Context, c *orgkeys.Client, unknown *orgkeys.UnknownOutcomeError) (ids []string, err error) {
			found, err := c.ServiceAccounts.FindCreated(ctx, unknown)
			for _, account := range found {
				ids = append(ids, account.ID)
			}
			return ids, err
		},
	},
}

// orgkeysBody is a create's body for the generated client.
func orgkeysBody(name string) gen.AdminAPIKeysCreateJSONRequestBody {
	return gen.AdminAPIKeysCreateJSONRequestBody{Name: name}
}
