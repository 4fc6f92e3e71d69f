package bench

import (
	"context"
	"errors"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/respjson"

	"github.com/orgkeys/orgkeys-go/bench/responses"
)

type officialClient struct{ openai.Client }

func newOfficial(baseURL string, transport http.RoundTripper) (contender, error) {
	return officialClient{openai.NewClient(
		option.WithBaseURL(baseURL),
		option.WithAdminAPIKey(responses.AdminKeyValue),
		option.WithHTTPClient(&http.Client{Transport: transport}),
	)}, nil
}

func (c officialClient) get(ctx context.Context, keyID string) (any, error) {
	return c.Admin.Organization.Projects.APIKeys.Get(ctx, responses.ProjectID, keyID)
}

func (c officialClient) create(ctx context.Context) (any, error) {
	return c.Admin.Organization.AdminAPIKeys.New(ctx, openai.AdminOrganizationAdminAPIKeyNewParams{
		Name:             responses.NewKeyName,
		ExpiresInSeconds: openai.Int(responses.NewKeyLifetime),
	})
}

func (c officialClient) page(ctx context.Context, after string) (any, error) {
	page, err := c.Admin.Organization.AdminAPIKeys.List(ctx, openai.AdminOrganizationAdminAPIKeyListParams{
		After: openai.String(after),
		Limit: openai.Int(responses.PageSize),
	})
	if err != nil {
		return nil, err
	}
	return page.Data, nil
}

func (c officialClient) iterate(ctx context.Context, visit func(responses.AdminKey)) (t totals, err error) {
	keys := c.Admin.Organization.AdminAPIKeys.ListAutoPaging(ctx, openai.AdminOrganizationAdminAPIKeyListParams{
		Limit: openai.Int(responses.PageSize),
	})
	for keys.Next() {
		key := keys.Current()
		t.keys++
		t.createdAt += key.CreatedAt
		if key.JSON.Name.Valid() {
			t.named++
		}
		if visit != nil {
			visit(officialKey(&key))
		}
	}
	return t, keys.Err()
}

func (officialClient) common(result any) any {
	switch r := result.(type) {
	case *openai.ProjectAPIKey:
		u := r.Owner.User
		return responses.ProjectKey{
			Object: string(r.Object), ID: r.ID, Name: r.Name, RedactedValue: r.RedactedValue,
			OwnerProjectAccess: string(r.OwnerProjectAccess), CreatedAt: r.CreatedAt,
			LastUsedAt: valid(r.LastUsedAt, r.JSON.LastUsedAt), OwnerType: r.Owner.Type,
			User: responses.User{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, CreatedAt: u.CreatedAt},
		}
	case *openai.AdminOrganizationAdminAPIKeyNewResponse:
		return responses.CreatedAdminKey{AdminKey: officialKey(&r.AdminAPIKey), Value: r.Value}
	case []openai.AdminAPIKey:
		var keys []responses.AdminKey
		for i := range r {
			keys = append(keys, officialKey(&r[i]))
		}
		return keys
	}
	return nil
}

func officialKey(k *openai.AdminAPIKey) responses.AdminKey {
	return responses.AdminKey{
		Object: string(k.Object), ID: k.ID, RedactedValue: k.RedactedValue, Name: valid(k.Name, k.JSON.Name),
		CreatedAt: k.CreatedAt, ExpiresAt: valid(k.ExpiresAt, k.JSON.ExpiresAt), LastUsedAt: valid(k.LastUsedAt, k.JSON.LastUsedAt),
		Owner: responses.Owner{
			Type: k.Owner.Type, Object: k.Owner.Object, ID: k.Owner.ID, Name: k.Owner.Name,
			Role: k.Owner.Role, CreatedAt: k.Owner.CreatedAt,
		},
	}
}

func valid[T any](value T, field respjson.Field) *T {
	if !field.Valid() {
		return nil
	}
	return &value
}

func (officialClient) apiError(err error) (responses.Error, bool) {
	e, ok := errors.AsType[*openai.Error](err)
	if !ok {
		return responses.Error{}, false
	}
	return responses.Error{Status: e.StatusCode, Type: e.Type, Code: e.Code, Param: e.Param, Message: e.Message}, true
}
