package orgkeys

import (
	"context"
	"errors"
	"math"

	"github.com/orgkeys/orgkeys-go/gen"
)

// ProjectKeyService retrieves, updates and deletes the keys of projects.
type ProjectKeyService struct{ service }

// Get returns one key of a project, without its value. A key or project that does not exist is
// an [*APIError] that matches [ErrNotFound].
func (s *ProjectKeyService) Get(ctx context.Context, projectID, keyID string) (*ProjectKey, error) {
	if err := checkKeyID(projectID, keyID); err != nil {
		return nil, err
	}
	request, err := gen.NewRetrieveProjectAPIKeyRequest(ctx, s.server, projectID, keyID)
	return send(s.pipeline, request, err, func(k *ProjectKey) (pointer, problem string) { return verifyID(k.ID, keyID) })
}

// Update changes when a key of a project expires, the scopes that restrict it, or both, and
// returns the key. The key may belong to a user or to a service account. At least one field of
// params must be set. params.ExpiresInSeconds counts from the request and is from 1 to 2147483647.
// params.Scopes replaces the scopes; a pointer to an empty, non-nil slice removes all
// restrictions.
//
// Update is retried like a read, since repeating it sets the same state; each attempt restarts
// the time until expiration. An expired key, and a lifetime that a policy does not allow, are
// [ErrBadRequest]. A response without the requested expiration, by null, is a [*ResponseError]; the
// time itself is not compared, since clocks differ, and no response contains scopes.
func (s *ProjectKeyService) Update(ctx context.Context, projectID, keyID string, params ProjectKeyUpdateParams) (*ProjectKey, error) {
	if err := checkKeyID(projectID, keyID); err != nil {
		return nil, err
	}
	switch {
	case params.ExpiresInSeconds == nil && params.Scopes == nil:
		return nil, argumentError("neither expires_in_seconds nor scopes is set")
	case params.Scopes != nil && *params.Scopes == nil:
		return nil, argumentError("scopes is a pointer to a nil slice; an empty slice removes all restrictions")
	}
	if err := checkLifetime(params.ExpiresInSeconds, math.MaxInt32); err != nil {
		return nil, err
	}
	request, err := gen.NewUpdateProjectAPIKeyRequest(ctx, s.server, projectID, keyID, params)
	return send(s.pipeline, request, err, func(k *ProjectKey) (pointer, problem string) {
		if params.ExpiresInSeconds != nil && k.ExpiresAt.IsNull() {
			return "/expires_at", "is null, though an expiration was requested"
		}
		return verifyID(k.ID, keyID)
	})
}

// Delete deletes one key of a project. A nil error means that the key does not exist any more:
// the API confirmed it, or responded that there is no such key after an earlier attempt of the
// same call that may have deleted it. If no attempt was ambiguous, a key that does not exist is
// [ErrNotFound]. Newer servers also delete a key of a service account, and keep the account;
// older ones refuse it with [ErrBadRequest] and delete it only together with its account.
//
// An error that matches [ErrNotSent] means that the key was not deleted by this call. Any other
// error leaves open whether it was; it is safe to delete it again. A deleted key can keep working
// for a short while.
func (s *ProjectKeyService) Delete(ctx context.Context, projectID, keyID string) (*DeletedProjectKey, error) {
	if err := checkKeyID(projectID, keyID); err != nil {
		return nil, err
	}
	request, err := gen.NewDeleteProjectAPIKeyRequest(ctx, s.server, projectID, keyID)
	deleted, err := send(s.pipeline, request, err, func(k *DeletedProjectKey) (pointer, problem string) {
		if !k.Deleted {
			return "/deleted", "is false: the key was not deleted"
		}
		return verifyID(k.ID, keyID)
	})
	if refusal, ok := errors.AsType[*APIError](err); ok && refusal.outcome == done {
		return &DeletedProjectKey{
			ID:      keyID,
			Deleted: true,
			Object:  gen.ProjectAPIKeyDeleteResponseObjectOrganizationProjectAPIKeyDeleted,
		}, nil
	}
	return deleted, err
}

func checkKeyID(projectID, keyID string) error {
	if err := checkID("project id", projectID); err != nil {
		return err
	}
	return checkID("key id", keyID)
}
