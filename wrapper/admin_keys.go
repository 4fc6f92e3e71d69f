package orgkeys

import (
	"context"
	"iter"

	"github.com/orgkeys/orgkeys-go/gen"
)

// AdminKeyService lists and creates the admin keys of the organization.
type AdminKeyService struct{ service }

// List returns one page of admin keys, without their values. The page begins after the key with the
// id params.After, or at the start of the list if that is nil. It has at most params.Limit keys,
// from 1 to 100; the default is 20. The keys are ordered by creation time, oldest first unless
// params.Order is [AdminKeysNewestFirst]. A RedactedValue that is a whole key is "[redacted]". Use
// [AdminKeyService.All] to read all pages.
func (s *AdminKeyService) List(ctx context.Context, params AdminKeyListParams) (*AdminKeyPage, error) {
	if err := checked(ctx, gen.OperationAdminAPIKeysList, checkPage(params.After, params.Limit), checkOrder(params.Order)); err != nil {
		return nil, err
	}
	request, err := gen.NewAdminAPIKeysListRequest(ctx, s.server, &params)
	return send(s.pipeline, request, err, func(p *AdminKeyPage, _ *redactor) (pointer, problem string) {
		return verifyItems(p.Data, func(k *AdminKey) (string, *string) { return k.ID, &k.RedactedValue })
	})
}

// All returns an iterator over all admin keys after params.After, ordered like those of
// [AdminKeyService.List]. The iterator requests each page when its first key is needed, so that no
// request is sent after the loop has ended. A page has params.Limit keys; the default is 100. Each
// request is retried like any read.
//
// If the list cannot be read to its end, the iterator yields one error, with a zero key, and ends.
// The keys before the error are valid. If it yields no error, the list is complete. A server that
// repeats a page causes an error. A key that is on two pages is yielded twice.
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

// Create creates one admin key. The Value of the result is the key itself; no later call returns
// it. Its method Reveal returns the string. params.ExpiresInSeconds is from 1 to 31536000, a year;
// if it is nil, the key never expires. params.Name must not be empty, contain control characters
// or a key, or start or end with white space.
//
// One call creates at most one key: it is retried only after a 429, or if nothing was sent. An
// [*UnknownOutcomeError] means that a key may have been created; [AdminKeyService.FindCreated]
// finds it. Any other error means that no key was created.
func (s *AdminKeyService) Create(ctx context.Context, params AdminKeyCreateParams) (*CreatedAdminKey, error) {
	if err := checked(ctx, gen.OperationAdminAPIKeysCreate,
		checkName(params.Name), checkLifetime(params.ExpiresInSeconds, maxLifetime)); err != nil {
		return nil, err
	}
	request, err := gen.NewAdminAPIKeysCreateRequest(ctx, s.server, gen.AdminAPIKeysCreateJSONRequestBody(params))
	return send(s.pipeline, request, err, func(k *CreatedAdminKey, admin *redactor) (pointer, problem string) {
		if k.Name == nil || *k.Name != params.Name {
			return "/name", "is not the requested name"
		}
		if pointer, problem := verifyItem(k.ID, nil); problem != "" {
			return pointer, problem
		}
		printed := append(make([]string, 0, 8), k.RedactedValue, k.ID, *k.Name)
		for _, text := range []*string{k.Owner.ID, k.Owner.Name, k.Owner.Object, k.Owner.Role, k.Owner.Type} {
			if text != nil {
				printed = append(printed, *text)
			}
		}
		return verifySecret(k.Value, "/value", admin, printed...)
	})
}

// FindCreated returns the keys that a call of [AdminKeyService.Create] may have created, if that
// call returned the error unknown. These are the admin keys with the requested name that were
// created since the call started, newest first. Keys that other programs created with the same
// name in that time are among them. If the result is empty, no key has been created yet; a server
// that is still processing the request may create it later.
//
// FindCreated reads the whole list. It determines the difference between the clocks from the Date
// header of the responses, and allows for five more minutes. It returns an error if it cannot
// decide, because the server may have changed the name or sends no Date. Pass a context that has
// not ended; that of the create may have.
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

func checkOrder(order *AdminKeyOrder) error {
	if order != nil && !order.Valid() {
		return argumentError("order is neither asc nor desc")
	}
	return nil
}
