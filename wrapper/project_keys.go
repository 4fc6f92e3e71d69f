package orgkeys

import (
	"context"
	"errors"

	"github.com/orgkeys/orgkeys-go/gen"
)

// ProjectKeyService reads and revokes the keys of projects.
type ProjectKeyService struct{ api *gen.ClientWithResponses }

// Get returns one key of a project, without its value. A key or project that is not there is
// an [*APIError] that is [ErrNotFound].
func (s *ProjectKeyService) Get(ctx context.Context, projectID, keyID string) (*ProjectKey, error) {
	if err := checkKeyID(projectID, keyID); err != nil {
		return nil, err
	}
	response, err := s.api.RetrieveProjectAPIKey(ctx, projectID, keyID)
	key, err := decode[ProjectKey](response, err)
	if err == nil && key.ID != keyID {
		return nil, wrong(response, "/id", "is another key's")
	}
	return key, err
}

// Update changes when a key of a project expires, the scopes that it is restricted to, or both.
// The key may belong to a user or to a service account. At least one field of params must be
// set. params.ExpiresInSeconds counts from the request and must be positive.
// params.Scopes replaces the scopes; a pointer to an empty slice removes all restrictions.
//
// Repeating an update sets the same state, so that Update is retried like [ProjectKeyService.Get].
// An expired key and a lifetime that a policy does not allow are [ErrBadRequest].
func (s *ProjectKeyService) Update(ctx context.Context, projectID, keyID string, params ProjectKeyUpdateParams) (*ProjectKey, error) {
	if err := checkKeyID(projectID, keyID); err != nil {
		return nil, err
	}
	response, err := s.api.UpdateProjectAPIKey(ctx, projectID, keyID, params)
	key, err := decode[ProjectKey](response, err)
	if err == nil && key.ID != keyID {
		return nil, wrong(response, "/id", "is another key's")
	}
	return key, err
}

// Delete revokes one key of a project. A nil error means that it is not there any more: the API
// confirmed it, or finds no such key after an earlier attempt of the same call whose answer was
// lost or a 5xx, and which so may have revoked it. Where no attempt was unclear, a key that is
// not there is [ErrNotFound]. A key of a service account is refused with [ErrBadRequest]: it is
// revoked with its account. Any other error leaves open whether the key is revoked; delete it
// again. A revoked key can keep working for a short while.
func (s *ProjectKeyService) Delete(ctx context.Context, projectID, keyID string) (*DeletedProjectKey, error) {
	if err := checkKeyID(projectID, keyID); err != nil {
		return nil, err
	}
	response, err := s.api.DeleteProjectAPIKey(ctx, projectID, keyID)
	gone, err := decode[DeletedProjectKey](response, err)
	if refusal, ok := errors.AsType[*APIError](err); ok && refusal.acted && errors.Is(err, ErrNotFound) {
		return &DeletedProjectKey{
			ID:      keyID,
			Deleted: true,
			Object:  gen.ProjectAPIKeyDeleteResponseObjectOrganizationProjectAPIKeyDeleted,
		}, nil
	}
	switch {
	case err != nil:
		return nil, err
	case gone.ID != keyID:
		return nil, wrong(response, "/id", "is another key's")
	case !gone.Deleted:
		return nil, wrong(response, "/deleted", "is false: the key was not revoked")
	}
	return gone, nil
}

func checkKeyID(projectID, keyID string) error {
	if err := checkID("project id", projectID); err != nil {
		return err
	}
	return checkID("key id", keyID)
}
