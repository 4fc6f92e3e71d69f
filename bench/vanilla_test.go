package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/orgkeys/orgkeys-go/bench/responses"
	"github.com/orgkeys/orgkeys-go/bench/vanilla"
)

type vanillaClient struct{ *vanilla.ClientWithResponses }

// vanillaError is an error response. The generated client has no field for it, so that a program
// checks the status and decodes the body itself.
type vanillaError struct {
	status  int
	details vanilla.Error
}

func (e *vanillaError) Error() string {
	return fmt.Sprintf("status %d: %s", e.status, e.details.Message)
}

func newVanilla(baseURL string, transport http.RoundTripper) (contender, error) {
	client, err := vanilla.NewClientWithResponses(baseURL,
		vanilla.WithHTTPClient(&http.Client{Transport: transport}),
		vanilla.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+responses.AdminKeyValue)
			return nil
		}),
	)
	return vanillaClient{client}, err
}

// vanillaResult converts the result of a call to a value or an error.
func vanillaResult[T any](value *T, response *http.Response, body []byte) (*T, error) {
	if value != nil {
		return value, nil
	}
	var envelope vanilla.ErrorResponse
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	return nil, &vanillaError{response.StatusCode, envelope.Error}
}

func (c vanillaClient) get(ctx context.Context, keyID string) (any, error) {
	r, err := c.RetrieveProjectApiKeyWithResponse(ctx, responses.ProjectID, keyID)
	if err != nil {
		return nil, err
	}
	return vanillaResult(r.JSON200, r.HTTPResponse, r.Body)
}

func (c vanillaClient) create(ctx context.Context) (any, error) {
	r, err := c.AdminApiKeysCreateWithResponse(ctx, vanilla.AdminApiKeysCreateJSONRequestBody{
		Name:             responses.NewKeyName,
		ExpiresInSeconds: new(responses.NewKeyLifetime),
	})
	if err != nil {
		return nil, err
	}
	return vanillaResult(r.JSON200, r.HTTPResponse, r.Body)
}

func (c vanillaClient) page(ctx context.Context, after string) (any, error) {
	return c.list(ctx, &after)
}

func (c vanillaClient) list(ctx context.Context, after *string) (*vanilla.ApiKeyList, error) {
	r, err := c.AdminApiKeysListWithResponse(ctx, &vanilla.AdminApiKeysListParams{
		Limit: new(responses.PageSize),
		After: after,
	})
	if err != nil {
		return nil, err
	}
	return vanillaResult(r.JSON200, r.HTTPResponse, r.Body)
}

func (c vanillaClient) iterate(ctx context.Context, visit func(responses.AdminKey)) (t totals, err error) {
	for after := (*string)(nil); ; {
		page, err := c.list(ctx, after)
		if err != nil {
			return t, err
		}
		for i := range page.Data {
			key := &page.Data[i]
			t.keys++
			t.createdAt += int64(key.CreatedAt)
			if key.Name != nil {
				t.named++
			}
			if visit != nil {
				visit(vanillaKey(key))
			}
		}
		if !page.HasMore || page.LastId == nil {
			return t, nil
		}
		after = page.LastId
	}
}

func (vanillaClient) common(result any) any {
	switch r := result.(type) {
	case *vanilla.ProjectApiKey:
		u := r.Owner.User
		return responses.ProjectKey{
			Object: string(r.Object), ID: r.Id, Name: r.Name, RedactedValue: r.RedactedValue,
			OwnerProjectAccess: string(*r.OwnerProjectAccess), CreatedAt: int64(r.CreatedAt), LastUsedAt: seconds(r.LastUsedAt),
			OwnerType: string(*r.Owner.Type),
			User:      responses.User{ID: u.Id, Email: u.Email, Name: u.Name, Role: u.Role, CreatedAt: int64(u.CreatedAt)},
		}
	case *vanilla.AdminApiKeyCreateResponse:
		return responses.CreatedAdminKey{
			AdminKey: responses.AdminKey{
				Object: string(r.Object), ID: r.Id, RedactedValue: r.RedactedValue, Name: r.Name,
				CreatedAt: int64(r.CreatedAt), ExpiresAt: seconds(r.ExpiresAt), LastUsedAt: seconds(r.LastUsedAt),
				Owner: vanillaOwner(r.Owner),
			},
			Value: r.Value,
		}
	case *vanilla.ApiKeyList:
		var keys []responses.AdminKey
		for i := range r.Data {
			keys = append(keys, vanillaKey(&r.Data[i]))
		}
		return keys
	}
	return nil
}

func vanillaKey(k *vanilla.AdminApiKey) responses.AdminKey {
	return responses.AdminKey{
		Object: string(k.Object), ID: k.Id, RedactedValue: k.RedactedValue, Name: k.Name,
		CreatedAt: int64(k.CreatedAt), ExpiresAt: seconds(k.ExpiresAt), LastUsedAt: seconds(k.LastUsedAt),
		Owner: vanillaOwner(k.Owner),
	}
}

func vanillaOwner(o vanilla.AdminApiKeyOwner) responses.Owner {
	return responses.Owner{
		Type: text(o.Type), Object: text(o.Object), ID: text(o.Id), Name: text(o.Name), Role: text(o.Role),
		CreatedAt: int64(*o.CreatedAt),
	}
}

func seconds(p *int) *int64 {
	if p == nil {
		return nil
	}
	return new(int64(*p))
}

func (vanillaClient) apiError(err error) (responses.Error, bool) {
	e, ok := errors.AsType[*vanillaError](err)
	if !ok {
		return responses.Error{}, false
	}
	return responses.Error{Status: e.status, Type: e.details.Type, Code: text(e.details.Code), Param: text(e.details.Param), Message: e.details.Message}, true
}
