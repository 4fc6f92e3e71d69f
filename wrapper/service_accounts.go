package orgkeys

import (
	"context"
	"iter"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// ServiceAccountService lists and creates the service accounts of projects.
type ServiceAccountService struct{ api *gen.ClientWithResponses }

// List returns one page: the first, or the one behind params.After. Use
// [ServiceAccountService.All] for all of them. params.Limit is from 1 to 100, absent 20. An
// archived project is [ErrBadRequest].
func (s *ServiceAccountService) List(ctx context.Context, projectID string, params ServiceAccountListParams) (*ServiceAccountPage, error) {
	if err := checkID("project id", projectID); err != nil {
		return nil, err
	}
	if err := checkPage(params.After, params.Limit); err != nil {
		return nil, err
	}
	return decode[ServiceAccountPage](s.api.ListProjectServiceAccounts(ctx, projectID, &params))
}

// All iterates over all service accounts of a project from params.After on. It fetches and
// fails as [AdminKeyService.All] does.
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

// Create makes one service account with one key. made.APIKey.Value.Reveal() is the key's
// value, which no later call shows. With params.CreateServiceAccountOnly the account has no
// key, and made.APIKey is nil as the API has it; otherwise it never is. An archived project is
// [ErrBadRequest].
//
// One call makes at most one account. An [*UnknownOutcomeError] means that one may have been
// made: see [ServiceAccountService.FindCreated]. Any other error means that none was.
func (s *ServiceAccountService) Create(ctx context.Context, projectID string, params ServiceAccountCreateParams) (*CreatedServiceAccount, error) {
	if err := checkID("project id", projectID); err != nil {
		return nil, err
	}
	if err := checkName(params.Name); err != nil {
		return nil, err
	}
	started := time.Now()
	response, err := s.api.CreateProjectServiceAccount(ctx, projectID, params)
	made, err := decode[CreatedServiceAccount](response, err)
	accountOnly := params.CreateServiceAccountOnly != nil && *params.CreateServiceAccountOnly
	if err == nil && made.APIKey == nil && !accountOnly {
		made, err = nil, created(response, wrong(response, "/api_key", "is null, though a key was asked for"), true)
	}
	return made, identify(err, started, projectID, params.Name)
}

// FindCreated looks for what the create behind unknown may have made: the service accounts of
// that name and project that were created since the call began. It finds, allows for and needs
// what [AdminKeyService.FindCreated] does.
func (s *ServiceAccountService) FindCreated(ctx context.Context, unknown *UnknownOutcomeError) ([]ServiceAccount, error) {
	if err := unknown.check("create-project-service-account"); err != nil {
		return nil, err
	}
	return findCreated(unknown, s.All(ctx, unknown.ProjectID, ServiceAccountListParams{}),
		func(a *ServiceAccount) (string, UnixTime) { return a.Name, a.CreatedAt })
}
