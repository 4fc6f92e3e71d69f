package orgkeys

import (
	"context"
	"iter"

	"github.com/orgkeys/orgkeys-go/gen"
)

// ServiceAccountService lists and creates the service accounts of projects.
type ServiceAccountService struct{ service }

// List returns one page: the first, or the one after the account with the id params.After. Use
// [ServiceAccountService.All] for all pages. params.Limit is from 1 to 100; the default is 20. An
// archived project is [ErrBadRequest].
func (s *ServiceAccountService) List(ctx context.Context, projectID string, params ServiceAccountListParams) (*ServiceAccountPage, error) {
	if err := checkID("project id", projectID); err != nil {
		return nil, err
	}
	if err := checkPage(params.After, params.Limit); err != nil {
		return nil, err
	}
	request, err := gen.NewListProjectServiceAccountsRequest(ctx, s.server, projectID, &params)
	return send[ServiceAccountPage](s.pipeline, request, err, nil)
}

// All iterates over all service accounts of a project after params.After. It fetches pages and
// fails like [AdminKeyService.All].
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

// Create creates one service account with one key. APIKey.Value of the result is the key itself,
// which no later call returns; only its Reveal method shows it. With
// params.CreateServiceAccountOnly the account has no key and APIKey is nil; otherwise APIKey is
// never nil. params.ExpiresInSeconds is from 1 to 31536000, a year, and not allowed together with
// params.CreateServiceAccountOnly; if it is nil, the key never expires, unless a policy of the
// organization or project requires a lifetime. An archived project is [ErrBadRequest].
//
// One call creates at most one account. An [*UnknownOutcomeError] means that one may have been
// created: see [ServiceAccountService.FindCreated]. Any other error means that none was.
func (s *ServiceAccountService) Create(ctx context.Context, projectID string, params ServiceAccountCreateParams) (*CreatedServiceAccount, error) {
	if err := checkID("project id", projectID); err != nil {
		return nil, err
	}
	if err := checkName(params.Name); err != nil {
		return nil, err
	}
	if err := checkLifetime(params.ExpiresInSeconds, maxLifetime); err != nil {
		return nil, err
	}
	accountOnly := params.CreateServiceAccountOnly != nil && *params.CreateServiceAccountOnly
	if accountOnly && params.ExpiresInSeconds != nil {
		return nil, argumentError("expires_in_seconds is set for an account without a key")
	}
	request, err := gen.NewCreateProjectServiceAccountRequest(ctx, s.server, projectID, params)
	return send(s.pipeline, request, err, func(a *CreatedServiceAccount) (pointer, problem string) {
		switch {
		case a.Name != params.Name:
			return "/name", "is not the requested name"
		case a.APIKey != nil:
			return verifySecret(a.APIKey.Value, "/api_key/value", a.ID, a.Name, string(a.Role), a.APIKey.ID, a.APIKey.Name)
		case !accountOnly:
			return "/api_key", "is null, though a key was requested"
		}
		return "", ""
	})
}

// FindCreated looks for what the create behind unknown may have created: the service accounts of
// that name and project that were created since the call started. It behaves and fails like
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
