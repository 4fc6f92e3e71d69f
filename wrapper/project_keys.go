package orgkeys

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
)

// ProjectKeyService retrieves, updates and deletes the keys of projects.
type ProjectKeyService struct{ service }

// Get returns one key of a project, without its value. If the key or the project does not exist,
// the error is an [*APIError] that matches [ErrNotFound].
func (s *ProjectKeyService) Get(ctx context.Context, projectID, keyID string) (*ProjectKey, error) {
	if err := checked(ctx, gen.OperationRetrieveProjectAPIKey, checkKeyID(projectID, keyID)); err != nil {
		return nil, err
	}
	request, err := gen.NewRetrieveProjectAPIKeyRequest(ctx, s.server, projectID, keyID)
	return send(s.pipeline, request, err, func(k *ProjectKey, _ *redactor) (pointer, problem string) { return verifyKey(k, keyID) })
}

// Update changes the expiration of a project key, its scopes, or both, and returns the key after
// the change. The key may belong to a user or to a service account. At least one field of params
// must be set. params.ExpiresInSeconds is the time from the request until the key expires, from 1
// to 2147483647. params.Scopes replaces the scopes that restrict the key; a pointer to an empty,
// non-nil slice removes all restrictions.
//
// Update is retried like a read, since repeating it sets the same state; each attempt restarts
// the time until the expiration. The API refuses to update an expired key, or to set a lifetime
// that a policy does not allow, with an error that matches [ErrBadRequest]. A response whose
// expiration is null, although one was requested, is a [*ResponseError]. The time of the expiration
// is not verified, since clocks differ, and neither are the scopes, which no response contains.
func (s *ProjectKeyService) Update(ctx context.Context, projectID, keyID string, params ProjectKeyUpdateParams) (*ProjectKey, error) {
	if err := checked(ctx, gen.OperationUpdateProjectAPIKey,
		checkKeyID(projectID, keyID), checkUpdate(params), checkLifetime(params.ExpiresInSeconds, math.MaxInt32)); err != nil {
		return nil, err
	}
	request, err := gen.NewUpdateProjectAPIKeyRequest(ctx, s.server, projectID, keyID, params)
	return send(s.pipeline, request, err, func(k *ProjectKey, _ *redactor) (pointer, problem string) {
		if params.ExpiresInSeconds != nil && k.ExpiresAt.IsNull() {
			return "/expires_at", "is null, though an expiration was requested"
		}
		return verifyKey(k, keyID)
	})
}

// Delete deletes one key of a project. If the error is nil, the key does not exist any more: the API
// confirmed the deletion, or responded with a 404 after an earlier attempt of the same call that
// may have deleted the key. Any other 404 is an error that matches [ErrNotFound].
//
// Delete is retried like a read. If its error matches [ErrNotSent], this call did not delete the
// key. After any other error the key may be deleted, and it is safe to call Delete again. A deleted
// key can keep working for a short while.
//
// If the key belongs to a service account, newer servers delete it and keep the account. Older
// servers refuse, with an error that matches [ErrBadRequest], and delete the key only together with
// the account.
func (s *ProjectKeyService) Delete(ctx context.Context, projectID, keyID string) (*DeletedProjectKey, error) {
	if err := checked(ctx, gen.OperationDeleteProjectAPIKey, checkKeyID(projectID, keyID)); err != nil {
		return nil, err
	}
	request, err := gen.NewDeleteProjectAPIKeyRequest(ctx, s.server, projectID, keyID)
	deleted, err := send(s.pipeline, request, err, func(k *DeletedProjectKey, _ *redactor) (pointer, problem string) {
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

func verifyKey(k *ProjectKey, keyID string) (pointer, problem string) {
	if pointer, problem := verifyItem(k.ID, &k.RedactedValue); problem != "" {
		return pointer, problem
	}
	return verifyID(k.ID, keyID)
}

func checkKeyID(projectID, keyID string) error {
	if err := checkID("project id", projectID); err != nil {
		return err
	}
	return checkID("key id", keyID)
}

func checkUpdate(params ProjectKeyUpdateParams) error {
	switch {
	case params.ExpiresInSeconds == nil && params.Scopes == nil:
		return argumentError("neither expires_in_seconds nor scopes is set")
	case params.Scopes != nil && *params.Scopes == nil:
		return argumentError("scopes is a pointer to a nil slice; an empty slice removes all restrictions")
	case params.Scopes != nil && slices.ContainsFunc(*params.Scopes, func(scope string) bool { return strings.TrimSpace(scope) == "" || !printable(scope) }):
		return argumentError("a scope is empty or contains characters that are not printable ASCII")
	}
	return nil
}
