package orgkeys

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// AdminKeyService lists and mints the admin keys of the organization.
type AdminKeyService struct{ api *gen.ClientWithResponses }

// List returns one page: the first, or the one behind params.After. Use [AdminKeyService.All]
// for all of them. params.Limit is from 1 to 100, absent 20.
func (s *AdminKeyService) List(ctx context.Context, params AdminKeyListParams) (*AdminKeyPage, error) {
	if err := checkPage(params.After, params.Limit); err != nil {
		return nil, err
	}
	if params.Order != nil && !params.Order.Valid() {
		return nil, argumentError("order is neither asc nor desc")
	}
	return decode[AdminKeyPage](s.api.AdminAPIKeysList(ctx, &params))
}

// All iterates over all admin keys from params.After on, in the order of their creation,
// newest first with params.Order set to desc. A page, of 100 keys or params.Limit, is fetched
// when its first key is asked for, so that leaving the loop ends the requests.
//
// An error is yielded once, with a zero key, and ends the iteration: what came before it was
// delivered, what comes after is unknown. Without an error the list is whole. A server that
// goes round in circles is an error; an item that it sends twice is delivered twice.
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

// Create mints one admin key. made.Value.Reveal() is its value, which no later call shows.
// params.ExpiresInSeconds is from 1 to 31536000, a year; absent, the key never expires.
//
// One call mints at most one key. An [*UnknownOutcomeError] means that one may have been made:
// see [AdminKeyService.FindCreated]. Any other error means that none was.
func (s *AdminKeyService) Create(ctx context.Context, params AdminKeyCreateParams) (*CreatedAdminKey, error) {
	if err := checkName(params.Name); err != nil {
		return nil, err
	}
	if e := params.ExpiresInSeconds; e != nil && (*e < 1 || *e > 31536000) {
		return nil, argumentError(fmt.Sprintf("expires_in_seconds %d is not from 1 to 31536000, a year", *e))
	}
	started := time.Now()
	made, err := decode[CreatedAdminKey](s.api.AdminAPIKeysCreate(ctx, gen.AdminAPIKeysCreateJSONRequestBody(params)))
	return made, identify(err, started, "", params.Name)
}

// FindCreated looks for what the create behind unknown may have made: the admin keys of that
// name that were created since the call began, newest first, with five minutes allowed for
// clocks that differ. One is likely it, if no one else creates keys of that name. None means
// that nothing was made so far: a server that is still busy with the request may show it
// later. The whole list is read, so that no order has to be trusted. Give it a context that is
// alive: the create's own may be what ended the call.
func (s *AdminKeyService) FindCreated(ctx context.Context, unknown *UnknownOutcomeError) ([]AdminKey, error) {
	if err := unknown.check("admin-api-keys-create"); err != nil {
		return nil, err
	}
	return findCreated(unknown, s.All(ctx, AdminKeyListParams{Order: new(AdminKeysNewestFirst)}),
		func(k *AdminKey) (string, UnixTime) {
			if k.Name == nil {
				return "", k.CreatedAt
			}
			return *k.Name, k.CreatedAt
		})
}
