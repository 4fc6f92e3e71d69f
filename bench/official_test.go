package bench

import (
	"context"
	"errors"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/respjson"

	"github.com/orgkeys/orgkeys-go/bench/answers"
)

type officialClient struct{ openai.Client }

func newOfficial(baseURL string, transport http.RoundTripper) (contender, error) {
	return officialClient{openai.NewClient(
		option.WithBaseURL(baseURL),
		option.WithAdminAPIKey(answers.Signature),
		option.WithHTTPClient(&http.Client{Transport: transport}),
	)}, nil
}

func (c officialClient) get(ctx context.Context, keyID string) (any, error) {
	return c.Admin.Organization.Projects.APIKeys.Get(ctx, answers.ProjectID, keyID)
}

func (c officialClient) create(ctx context.Context) (any, error) {
	return c.Admin.Organization.AdminAPIKeys.New(ctx, openai.AdminOrganizationAdminAPIKeyNewParams{
		Name:             answers.NewKeyName,
		ExpiresInSeconds: openai.Int(answers.NewKeyLife),
	})
}

func (c officialClient) page(ctx context.Context, after string) (any, error) {
	page, err := c.Admin.Organization.AdminAPIKeys.List(ctx, openai.AdminOrganizationAdminAPIKeyListParams{
		After: openai.String(after),
		Limit: openai.Int(answers.PageSize),
	})
	if err != nil {
		return nil, err
	}
	return page.Data, nil
}

func (c officialClient) iterate(ctx context.Context, visit func(answers.AdminKey)) (s seen, err error) {
	keys := c.Admin.Organization.AdminAPIKeys.ListAutoPaging(ctx, openai.AdminOrganizationAdminAPIKeyListParams{
		Limit: openai.Int(answers.PageSize),
	})
	for keys.Next() {
		key := keys.Current()
		s.keys++
		s.created += key.CreatedAt
		if key.JSON.Name.Valid() {
			s.named++
		}
		if visit != nil {
			visit(officialKey(&key))
		}
	}
	return s, keys.Err()
}

func (officialClient) view(result any) any {
	switch r := result.(type) {
	case *openai.ProjectAPIKey:
		u := r.Owner.User
		return answers.ProjectKey{
			Object: string(r.Object), ID: r.ID, Name: r.Name, RedactedValue: r.RedactedValue,
			OwnerProjectAccess: string(r.OwnerProjectAccess), CreatedAt: r.CreatedAt,
			LastUsedAt: valid(r.LastUsedAt, r.JSON.LastUsedAt), OwnerType: r.Owner.Type,
			User: answers.User{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, CreatedAt: u.CreatedAt},
		}
	case *openai.AdminOrganizationAdminAPIKeyNewResponse:
		return answers.CreatedAdminKey{AdminKey: officialKey(&r.AdminAPIKey), Value: r.Value}
	case []openai.AdminAPIKey:
		var keys []answers.AdminKey
		for i := range r {
			keys = append(keys, officialKey(&r[i]))
		}
		return keys
	}
	return nil
}

func officialKey(k *openai.AdminAPIKey) answers.AdminKey {
	return answers.AdminKey{
		Object: string(k.Object), ID: k.ID, RedactedValue: k.RedactedValue, Name: valid(k.Name, k.JSON.Name),
		CreatedAt: k.CreatedAt, ExpiresAt: valid(k.ExpiresAt, k.JSON.ExpiresAt), LastUsedAt: valid(k.LastUsedAt, k.JSON.LastUsedAt),
		Owner: answers.Owner{
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

func (officialClient) refusal(err error) (answers.Refusal, bool) {
	e, ok := errors.AsType[*openai.Error](err)
	if !ok {
		return answers.Refusal{}, false
	}
	return answers.Refusal{Status: e.StatusCode, Type: e.Type, Code: e.Code, Param: e.Param, Message: e.Message}, true
}
