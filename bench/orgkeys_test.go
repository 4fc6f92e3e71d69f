package bench

import (
	"context"
	"errors"
	"net/http"

	"github.com/orgkeys/orgkeys-go/bench/responses"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

type orgkeysClient struct{ *orgkeys.Client }

// newOrgkeys returns a client with the default options: strict decoding, limits, redaction and
// retries.
func newOrgkeys(baseURL string, transport http.RoundTripper) (contender, error) {
	client, err := orgkeys.NewClient(
		orgkeys.WithBaseURL(baseURL),
		orgkeys.WithAdminKey(responses.AdminKeyValue),
		orgkeys.WithHTTPClient(&http.Client{Transport: transport}),
	)
	return orgkeysClient{client}, err
}

func (c orgkeysClient) get(ctx context.Context, keyID string) (any, error) {
	return c.ProjectKeys.Get(ctx, responses.ProjectID, keyID)
}

func (c orgkeysClient) create(ctx context.Context) (any, error) {
	return c.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{
		Name:             responses.NewKeyName,
		ExpiresInSeconds: new(responses.NewKeyLifetime),
	})
}

func (c orgkeysClient) page(ctx context.Context, after string) (any, error) {
	return c.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{After: &after, Limit: new(responses.PageSize)})
}

func (c orgkeysClient) iterate(ctx context.Context, visit func(responses.AdminKey)) (t totals, err error) {
	for key, err := range c.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return t, err
		}
		t.keys++
		t.createdAt += int64(key.CreatedAt)
		if key.Name != nil {
			t.named++
		}
		if visit != nil {
			visit(orgkeysKey(key))
		}
	}
	return t, nil
}

func (orgkeysClient) common(result any) any {
	switch r := result.(type) {
	case *orgkeys.ProjectKey:
		return responses.ProjectKey{
			Object: string(r.Object), ID: r.ID, Name: r.Name, RedactedValue: r.RedactedValue,
			OwnerProjectAccess: string(*r.OwnerProjectAccess), CreatedAt: int64(r.CreatedAt), LastUsedAt: unixOrNil(r.LastUsedAt),
			OwnerType: string(*r.Owner.Type),
			User: responses.User{
				ID: r.Owner.User.ID, Email: r.Owner.User.Email, Name: r.Owner.User.Name,
				Role: r.Owner.User.Role, CreatedAt: int64(r.Owner.User.CreatedAt),
			},
		}
	case *orgkeys.CreatedAdminKey:
		return responses.CreatedAdminKey{
			AdminKey: responses.AdminKey{
				Object: string(r.Object), ID: r.ID, RedactedValue: r.RedactedValue, Name: r.Name,
				CreatedAt: int64(r.CreatedAt), ExpiresAt: unixOrNil(r.ExpiresAt), LastUsedAt: unixOrNil(r.LastUsedAt),
				Owner: orgkeysOwner(r.Owner),
			},
			Value: r.Value.Reveal(),
		}
	case *orgkeys.AdminKeyPage:
		var keys []responses.AdminKey
		for _, k := range r.Data {
			keys = append(keys, orgkeysKey(k))
		}
		return keys
	}
	return nil
}

func orgkeysKey(k orgkeys.AdminKey) responses.AdminKey {
	return responses.AdminKey{
		Object: string(k.Object), ID: k.ID, RedactedValue: k.RedactedValue, Name: k.Name,
		CreatedAt: int64(k.CreatedAt), ExpiresAt: unixOrNil(k.ExpiresAt), LastUsedAt: unixOrNil(k.LastUsedAt),
		Owner: orgkeysOwner(k.Owner),
	}
}

func orgkeysOwner(o orgkeys.AdminKeyOwner) responses.Owner {
	owner := responses.Owner{
		Type: text(o.Type), Object: text(o.Object), ID: text(o.ID), Name: text(o.Name), Role: text(o.Role),
	}
	if at, ok := o.CreatedAt.Time(); ok {
		owner.CreatedAt = at.Unix()
	}
	return owner
}

func (orgkeysClient) apiError(err error) (responses.Error, bool) {
	e, ok := errors.AsType[*orgkeys.APIError](err)
	if !ok {
		return responses.Error{}, false
	}
	return responses.Error{Status: e.Status, Type: e.Type, Code: e.Code, Param: e.Param, Message: e.Message}, true
}

// unixOrNil returns nil for a time that is null or absent, as the other clients do.
func unixOrNil(t orgkeys.OptionalTime) *int64 {
	if at, ok := t.Time(); ok {
		return new(at.Unix())
	}
	return nil
}
