package orgkeys

import (
	"context"
	"iter"

	"github.com/orgkeys/orgkeys-go/gen"
)

// ServiceAccountService lists and creates the service accounts of projects.
type ServiceAccountService struct{ service }

// List returns one page of a project's service accounts, without their keys. The page begins after
// the account with the id params.After, or at the start of the list if that is nil. It has at most
// params.Limit accounts, from 1 to 100; the default is 20. If the project is archived, the error
// matches [ErrBadRequest]. Use [ServiceAccountService.All] to read all pages.
func (s *ServiceAccountService) List(ctx context.Context, projectID string, params ServiceAccountListParams) (*ServiceAccountPage, error) {
	if err := checked(ctx, gen.OperationListProjectServiceAccounts,
		checkID("project id", projectID), checkPage(params.After, params.Limit)); err != nil {
		return nil, err
	}
	request, err := gen.NewListProjectServiceAccountsRequest(ctx, s.server, projectID, &params)
	return send(s.pipeline, request, err, func(p *ServiceAccountPage, _ *redactor) (pointer, problem string) {
		return verifyItems(p.Data, func(a *ServiceAccount) (string, *string) { return a.ID, nil })
	})
}

// All returns an iterator over all service accounts of a project after params.After. It requests
// pages and yields errors like [AdminKeyService.All].
func (s *ServiceAccountService) All(ctx context.Context, projectID string, params ServiceAccountListParams) iter.Seq2[ServiceAccount, error] {
	if params.Limit == nil {
		params.Limit = new(maxPage)
	}
	return all(params.After, func(after *string) (page[ServiceAccount], error) {
		params := params
		params.After = after
		p, err := s.List(ctx, projectID, params)
		if err != nil {
			return page[ServiceAccount]{}, err
		}
		return page[ServiceAccount]{p.Data, p.HasMore, p.LastID}, nil
	}, func(a *ServiceAccount) string { return a.ID })
}

// Create creates one service account with one key. APIKey.Value of the result is the key itself; no
// later call returns it. Its method Reveal returns the string. If params.CreateServiceAccountOnly
// is true, the account has no key and APIKey is nil; otherwise APIKey is never nil.
//
// params.ExpiresInSeconds is from 1 to 31536000, a year, and must be nil if
// params.CreateServiceAccountOnly is true. If it is nil, the key never expires, unless a policy of
// the organization or project requires an expiration. params.Name must not be empty, contain
// control characters, or start or end with white space. If the project is archived, the error
// matches [ErrBadRequest].
//
// One call creates at most one account: it is retried only after a 429, or if nothing was sent. An
// [*UnknownOutcomeError] means that an account may have been created;
// [ServiceAccountService.FindCreated] finds it. Any other error means that no account was created.
func (s *ServiceAccountService) Create(ctx context.Context, projectID string, params ServiceAccountCreateParams) (*CreatedServiceAccount, error) {
	accountOnly := params.CreateServiceAccountOnly != nil && *params.CreateServiceAccountOnly
	var useless error
	if accountOnly && params.ExpiresInSeconds != nil {
		useless = argumentError("expires_in_seconds is set for an account without a key")
	}
	if err := checked(ctx, gen.OperationCreateProjectServiceAccount, checkID("project id", projectID),
		checkName(params.Name), checkLifetime(params.ExpiresInSeconds, maxLifetime), useless); err != nil {
		return nil, err
	}
	request, err := gen.NewCreateProjectServiceAccountRequest(ctx, s.server, projectID, params)
	return send(s.pipeline, request, err, func(a *CreatedServiceAccount, admin *redactor) (pointer, problem string) {
		pointer, problem = verifyItem(a.ID, nil)
		switch {
		case problem != "":
			return pointer, problem
		case a.Name != params.Name:
			return "/name", "is not the requested name"
		case a.APIKey != nil:
			return verifySecret(a.APIKey.Value, "/api_key/value", admin, a.ID, a.Name, string(a.Role), a.APIKey.ID, a.APIKey.Name)
		case !accountOnly:
			return "/api_key", "is null, though a key was requested"
		}
		return "", ""
	})
}

// FindCreated returns the accounts that a call of [ServiceAccountService.Create] may have created, if
// that call returned the error unknown. These are the service accounts of the same project with the
// requested name that were created since the call started. It searches, and returns errors, like
// [AdminKeyService.FindCreated].
func (s *ServiceAccountService) FindCreated(ctx context.Context, unknown *UnknownOutcomeError) ([]ServiceAccount, error) {
	if err := unknown.check(gen.OperationCreateProjectServiceAccount); err != nil {
		return nil, err
	}
	list := func(ctx context.Context) iter.Seq2[ServiceAccount, error] {
		return s.All(ctx, unknown.ProjectID, ServiceAccountListParams{})
	}
	return findCreated(ctx, unknown, list, func(a *ServiceAccount) (id, name string, createdAt UnixTime) {
		return a.ID, a.Name, a.CreatedAt
	})
}
