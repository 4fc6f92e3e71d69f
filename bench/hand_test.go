package bench

import (
	"context"
	"errors"
	"net/http"

	"github.com/orgkeys/orgkeys-go/bench/hand"
	"github.com/orgkeys/orgkeys-go/bench/responses"
)

type handClient struct{ *hand.Client }

func newHand(baseURL string, transport http.RoundTripper) (contender, error) {
	return handClient{&hand.Client{
		BaseURL:  baseURL,
		AdminKey: responses.AdminKeyValue,
		Timeout:  timeout,
		HTTP:     &http.Client{Transport: transport},
	}}, nil
}

func (c handClient) get(ctx context.Context, keyID string) (any, error) {
	return c.GetProjectKey(ctx, responses.ProjectID, keyID)
}

func (c handClient) create(ctx context.Context) (any, error) {
	return c.CreateAdminKey(ctx, responses.NewKeyName, new(responses.NewKeyLifetime))
}

func (c handClient) page(ctx context.Context, after string) (any, error) {
	return c.ListAdminKeys(ctx, after, responses.PageSize)
}

func (c handClient) iterate(ctx context.Context, visit func(responses.AdminKey)) (t totals, err error) {
	for key, err := range c.AllAdminKeys(ctx) {
		if err != nil {
			return t, err
		}
		t.keys++
		t.createdAt += key.CreatedAt
		if key.Name != nil {
			t.named++
		}
		if visit != nil {
			visit(handKey(key))
		}
	}
	return t, nil
}

func (handClient) common(result any) any {
	switch r := result.(type) {
	case *hand.ProjectKey:
		return responses.ProjectKey{
			Object: r.Object, ID: r.ID, Name: r.Name, RedactedValue: r.RedactedValue,
			OwnerProjectAccess: r.OwnerProjectAccess, CreatedAt: r.CreatedAt, LastUsedAt: r.LastUsedAt,
			OwnerType: r.Owner.Type, User: handUser(r.Owner.User),
		}
	case *hand.CreatedAdminKey:
		return responses.CreatedAdminKey{AdminKey: handKey(&r.AdminKey), Value: r.Value}
	case *hand.Page[hand.AdminKey]:
		var keys []responses.AdminKey
		for i := range r.Data {
			keys = append(keys, handKey(&r.Data[i]))
		}
		return keys
	}
	return nil
}

func handUser(u *hand.ProjectOwner) responses.User {
	return responses.User{ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, CreatedAt: u.CreatedAt}
}

func handKey(k *hand.AdminKey) responses.AdminKey {
	return responses.AdminKey{
		Object: k.Object, ID: k.ID, RedactedValue: k.RedactedValue, Name: k.Name,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt,
		Owner: responses.Owner{
			Type: k.Owner.Type, Object: k.Owner.Object, ID: k.Owner.ID, Name: k.Owner.Name,
			Role: k.Owner.Role, CreatedAt: k.Owner.CreatedAt,
		},
	}
}

func (handClient) apiError(err error) (responses.Error, bool) {
	e, ok := errors.AsType[*hand.Error](err)
	if !ok {
		return responses.Error{}, false
	}
	return responses.Error{Status: e.Status, Type: e.Type, Code: text(e.Code), Param: text(e.Param), Message: e.Message}, true
}

// text returns the string that p points to, or "" if p is nil.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
