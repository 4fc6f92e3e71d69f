package orgkeys

import (
	"context"
	"iter"

	"github.com/orgkeys/orgkeys-go/gen"
)

// AdminKeyService lists and creates the admin keys of the organization.
type AdminKeyService struct{ service }

// List returns one page: the first, or the one after the key with the id params.After. Use
// [AdminKeyService.All] for all pages. params.Limit is from 1 to 100; the default is 20.
func (s *AdminKeyService) List(ctx context.Context, params AdminKeyListParams) (*AdminKeyPage, error) {
	if err := checkPage(params.After, params.Limit); err != nil {
		return nil, err
	}
	if params.Order != nil && !params.Order.Valid() {
		return nil, argumentError("order is neither asc nor desc")
	}
	request, err := gen.NewAdminAPIKeysListRequest(ctx, s.server, &params)
	return send[AdminKeyPage](s.pipeline, request, err, nil)
}

// All iterates over all admin keys after params.After by creation time, oldest first unless
// params.Order is desc. It fetches a page of 100 keys, or params.Limit, when the first key of the
// page is needed, so that leaving the loop ends the requests.
//
// An error is yielded once, with a zero key, and ends the iteration: earlier keys are valid, and
// later keys are not delivered. Without an error the list is complete. A server that repeats a
// page is an error; a key that is on two pages is delivered twice.
func (s *AdminKeyService) All(ctx context.Context, params AdminKeyListParams) iter.Seq2[AdminKey, error] {
	if params.Limit == nil {
		params.Limit = new(maxPage)
	}
	return all(params.After, func(after *string) (page[AdminKey], error) {
		params := params
		params.After = after
		p, err := s.List(ctx, params)
		if err != nil {
			return page[AdminKey]{}, err
		}
		return page[AdminKey]{p.Data, p.HasMore, p.LastID}, nil
	}, func(k *AdminKey) string { return k.ID })
}

// Create creates one admin key. The Value of the result is the key itself, which no later call
// returns; only its Reveal method shows it. params.ExpiresInSeconds is from 1 to 31536000, a
// year; if it is nil, the key never expires. params.Name must not start or end with white space.
//
// One call creates at most one key. An [*UnknownOutcomeError] means that one may have been
// created: see [AdminKeyService.FindCreated]. Any other error means that none was.
func (s *AdminKeyService) Create(ctx context.Context, params AdminKeyCreateParams) (*CreatedAdminKey, error) {
	if err := checkName(params.Name); err != nil {
		return nil, err
	}
	if err := checkLifetime(params.ExpiresInSeconds, maxLifetime); err != nil {
		return nil, err
	}
	request, err := gen.NewAdminAPIKeysCreateRequest(ctx, s.server, gen.AdminAPIKeysCreateJSONRequestBody(params))
	return send(s.pipeline, request, err, func(k *CreatedAdminKey) (pointer, problem string) {
		if k.Name == nil || *k.Name != params.Name {
			return "/name", "is not the requested name"
		}
		printed := append(make([]string, 0, 8), k.RedactedValue, k.ID, *k.Name)
		for _, text := range []*string{k.Owner.ID, k.Owner.Name, k.Owner.Object, k.Owner.Role, k.Owner.Type} {
			if text != nil {
				printed = append(printed, *text)
			}
		}
		return verifySecret(k.Value, "/value", printed...)
	})
}

// FindCreated looks for what the create behind unknown may have created: the admin keys of that
// name that were created since the call started, newest first. If nobody else creates keys of
// that name, it is the one that is found. If none is found, none was created so far; a server
// that is still processing the request may create it later. FindCreated compares the clocks by
// the Date of the responses, and allows for another five minutes of difference. It returns an error if it
// cannot know: if the server may have changed the name, or does not tell its time.
//
// It reads the whole list, so that it does not depend on the order. Pass a context that has not
// ended: the create's own may be what ended the call.
func (s *AdminKeyService) FindCreated(ctx context.Context, unknown *UnknownOutcomeError) ([]AdminKey, error) {
	if err := unknown.check(gen.OperationAdminAPIKeysCreate); err != nil {
		return nil, err
	}
	list := func(ctx context.Context) iter.Seq2[AdminKey, error] {
		return s.All(ctx, AdminKeyListParams{Order: new(AdminKeysNewestFirst)})
	}
	return findCreated(ctx, unknown, list, func(k *AdminKey) (id, name string, createdAt UnixTime) {
		if k.Name != nil {
			name = *k.Name
		}
		return k.ID, name, k.CreatedAt
	})
}
