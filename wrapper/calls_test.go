package orgkeys_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/internal/mutate"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// apiCall is a call of one operation. The contract's example of a response is a valid response to
// its arguments.
type apiCall struct {
	operation string
	create    bool
	// do calls the method of the service. A nil pointer is returned as a nil interface.
	do func(context.Context, *orgkeys.Client) (any, error)
	// raw calls the method of the generated client.
	raw func(context.Context, *orgkeys.Client, ...gen.RequestEditorFn) (*http.Response, error)
}

const (
	keyID       = "key_abc"
	keyName     = "Nightly audit"
	accountName = "Production"
)

var calls = []apiCall{
	{
		operation: "admin-api-keys-list",
		do: func(ctx context.Context, c *orgkeys.Client) (any, error) {
			return result(c.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{}))
		},
		raw: func(ctx context.Context, c *orgkeys.Client, edit ...gen.RequestEditorFn) (*http.Response, error) {
			return c.Generated().AdminAPIKeysList(ctx, nil, edit...)
		},
	},
	{
		operation: "admin-api-keys-create",
		create:    true,
		do: func(ctx context.Context, c *orgkeys.Client) (any, error) {
			return result(c.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: keyName}))
		},
		raw: func(ctx context.Context, c *orgkeys.Client, edit ...gen.RequestEditorFn) (*http.Response, error) {
			return c.Generated().AdminAPIKeysCreate(ctx, gen.AdminAPIKeysCreateJSONRequestBody{Name: keyName}, edit...)
		},
	},
	{
		operation: "retrieve-project-api-key",
		do: func(ctx context.Context, c *orgkeys.Client) (any, error) {
			return result(c.ProjectKeys.Get(ctx, project, keyID))
		},
		raw: func(ctx context.Context, c *orgkeys.Client, edit ...gen.RequestEditorFn) (*http.Response, error) {
			return c.Generated().RetrieveProjectAPIKey(ctx, project, keyID, edit...)
		},
	},
	{
		operation: "update-project-api-key",
		do: func(ctx context.Context, c *orgkeys.Client) (any, error) {
			return result(c.ProjectKeys.Update(ctx, project, keyID, orgkeys.ProjectKeyUpdateParams{ExpiresInSeconds: new(3600)}))
		},
		raw: func(ctx context.Context, c *orgkeys.Client, edit ...gen.RequestEditorFn) (*http.Response, error) {
			return c.Generated().UpdateProjectAPIKey(ctx, project, keyID, gen.ProjectAPIKeyUpdateRequest{ExpiresInSeconds: new(3600)}, edit...)
		},
	},
	{
		operation: "delete-project-api-key",
		do: func(ctx context.Context, c *orgkeys.Client) (any, error) {
			return result(c.ProjectKeys.Delete(ctx, project, keyID))
		},
		raw: func(ctx context.Context, c *orgkeys.Client, edit ...gen.RequestEditorFn) (*http.Response, error) {
			return c.Generated().DeleteProjectAPIKey(ctx, project, keyID, edit...)
		},
	},
	{
		operation: "list-project-service-accounts",
		do: func(ctx context.Context, c *orgkeys.Client) (any, error) {
			return result(c.ServiceAccounts.List(ctx, project, orgkeys.ServiceAccountListParams{}))
		},
		raw: func(ctx context.Context, c *orgkeys.Client, edit ...gen.RequestEditorFn) (*http.Response, error) {
			return c.Generated().ListProjectServiceAccounts(ctx, project, nil, edit...)
		},
	},
	{
		operation: "create-project-service-account",
		create:    true,
		do: func(ctx context.Context, c *orgkeys.Client) (any, error) {
			return result(c.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{Name: accountName}))
		},
		raw: func(ctx context.Context, c *orgkeys.Client, edit ...gen.RequestEditorFn) (*http.Response, error) {
			return c.Generated().CreateProjectServiceAccount(ctx, project, gen.ProjectServiceAccountCreateRequest{Name: accountName}, edit...)
		},
	},
}

func result[T any](value *T, err error) (any, error) {
	if value == nil {
		return nil, err
	}
	return value, err
}

func TestCalls_coverTheContract(t *testing.T) {
	var operations, called []string
	for _, o := range gen.Operations() {
		operations = append(operations, o.ID)
	}
	for _, c := range calls {
		called = append(called, c.operation)
	}
	require.ElementsMatch(t, operations, called)
}

// responsesOf returns two responses to a call: the contract's example, and the example with every
// optional property.
func responsesOf(t testing.TB, c apiCall) (example mutate.Body, bodies []any) {
	t.Helper()
	all, err := mutate.Bodies(api.Spec)
	require.NoError(t, err)
	for _, b := range all {
		if b.Operation == c.operation && b.Status == http.StatusOK {
			return b, []any{b.Example, mutate.Complete(b.Schema, b.Example)}
		}
	}
	require.Fail(t, "no response in the contract", c.operation)
	return
}

// createsKeys is a transport that responds to creates with the keys createdKey and accountKey.
func createsKeys(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return nil, errors.New("not a create")
	}
	var params struct{ Name string }
	if err := json.NewDecoder(r.Body).Decode(&params); err != nil {
		return nil, err
	}
	body := fmt.Sprintf(`{"object":"organization.admin_api_key","id":"key_1","name":%q,"redacted_value":"sk-admin...%s",
		"created_at":1711471533,"expires_at":1711471534,"last_used_at":null,"value":%q,
		"owner":{"type":"user","object":"organization.user","id":"user_1","name":"Robin Doe","created_at":1711471533,"role":"owner"}}`,
		params.Name, createdKey[len(createdKey)-3:], createdKey)
	if strings.HasSuffix(r.URL.Path, "service_accounts") {
		body = fmt.Sprintf(`{"object":"organization.project.service_account","id":"svc_acct_1","name":%q,"role":"member","created_at":1711471533,
			"api_key":{"object":"organization.project.service_account.api_key","value":%q,"name":"Secret Key","created_at":1711471533,"id":"key_2"}}`, params.Name, accountKey)
	}
	return jsonResponse(200, body), nil
}
