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
		AdminKey: responses.Signature,
		HTTP:     &http.Client{Transport: transport},
	}}, nil
}

func (c handClient) get(ctx context.Context, keyID string) (any, error) {
	return c.GetProjectKey(ctx, responses.ProjectID, keyID)
}

func (c handClient) create(ctx context.Context) (any, error) {
	return c.CreateAdminKey(ctx, responses.NewKeyName, new(responses.NewKeyLife))
}

func (c handClient) page(ctx context.Context, after string) (any, error) {
	return c.ListAdminKeys(ctx, after, responses.PageSize)
}

func (c handClient) iterate(ctx context.Context, visit func(responses.AdminKey)) (s seen, err error) {
	for key, err := range c.AllAdminKeys(ctx) {
		if err != nil {
			return s, err
		}
		s.keys++
		s.created += key.CreatedAt
		if key.Name != nil {
			s.named++
		}
		if visit != nil {
			visit(handKey(key))
		}
	}
	return s, nil
}

func (handClient) view(result any) any {
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

func (handClient) refusal(err error) (responses.Refusal, bool) {
	e, ok := errors.AsType[*hand.Error](err)
	if !ok {
		return responses.Refusal{}, false
	}
	return responses.Refusal{Status: e.Status, Type: e.Type, Code: text(e.Code), Param: text(e.Param), Message: e.Message}, true
}

// text is what p points to, "" where it points to nothing.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
