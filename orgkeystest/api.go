package orgkeystest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/gen/server"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// operations is the API itself: what each operation does to the organization.
type operations struct{ s *Server }

var _ server.StrictServerInterface = operations{}

// newRoutes returns the API with the routes of the contract.
func newRoutes(s *Server) *http.ServeMux {
	// What the contract rules out does not get here. The generated code is stricter in places:
	// it does not read 5.0 as an integer.
	unreadable := func(w http.ResponseWriter, _ *http.Request, _ error) {
		_ = refuse(http.StatusBadRequest, "", "The request cannot be read.").write(w)
	}
	mux := http.NewServeMux()
	server.HandlerWithOptions(
		server.NewStrictHandlerWithOptions(operations{s}, nil, server.StrictHTTPServerOptions{RequestErrorHandlerFunc: unreadable}),
		server.StdHTTPServerOptions{BaseURL: basePath, BaseRouter: mux, ErrorHandlerFunc: unreadable},
	)
	return mux
}

// reply answers any operation. The generated answers leave out what is null, where the live
// API says null.
type reply struct {
	status int
	body   any
}

func (r reply) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	return json.NewEncoder(w).Encode(r.body)
}

func (r reply) VisitAdminAPIKeysListResponse(w http.ResponseWriter) error   { return r.write(w) }
func (r reply) VisitAdminAPIKeysCreateResponse(w http.ResponseWriter) error { return r.write(w) }
func (r reply) VisitRetrieveProjectAPIKeyResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r reply) VisitUpdateProjectAPIKeyResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r reply) VisitDeleteProjectAPIKeyResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r reply) VisitListProjectServiceAccountsResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r reply) VisitCreateProjectServiceAccountResponse(w http.ResponseWriter) error {
	return r.write(w)
}

// refuse is the API's error envelope. The parameter at fault may be "".
func refuse(status int, param, format string, args ...any) reply {
	e := server.Error{Type: "invalid_request_error", Message: fmt.Sprintf(format, args...)}
	if param != "" {
		e.Param = &param
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Type, e.Code = "requests", new("rate_limit_exceeded")
	case status >= http.StatusInternalServerError:
		e.Type = "server_error"
	}
	return reply{status, server.ErrorResponse{Error: e}}
}

func noProject(id string) reply {
	return refuse(http.StatusNotFound, "project_id", "There is no project %q.", id)
}

func noProjectKey(id string) reply {
	return refuse(http.StatusNotFound, "api_key_id", "The project has no key %q.", id)
}

func archived() reply {
	return refuse(http.StatusBadRequest, "project_id", "The project is archived.")
}

func invalid(v speccheck.Violation) reply {
	param := cmp.Or(v.Parameter, strings.TrimPrefix(v.Pointer, "/"))
	return refuse(http.StatusBadRequest, param, "The %s is not what the operation takes: %s.", v.Place(), v.Problem())
}

func nameless() reply {
	return refuse(http.StatusBadRequest, "name", "The name is empty.")
}

// adminKey shows null where the live API does and the generated type shows nothing.
type adminKey struct {
	AdminKey
	Name *string `json:"name"`
}

func newAdminKey(k AdminKey) adminKey { return adminKey{k, k.Name} }

type page[T any] struct {
	Object  string  `json:"object"`
	Data    []T     `json:"data"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`
}

// defaultLimit is the contract's default for the limit of a page.
const defaultLimit = 20

// newPage answers with the page of l behind after.
func newPage[T, U any](l *list[T], after *string, limit *int, newestFirst bool, id func(T) string, show func(T) U) reply {
	behind, atMost := "", defaultLimit
	if after != nil {
		behind = *after
		if !l.known(behind) {
			return refuse(http.StatusBadRequest, "after", "There is nothing with the id %q to go on after.", behind)
		}
	}
	if limit != nil {
		atMost = *limit
	}
	items, more := l.page(behind, atMost, newestFirst)
	p := page[U]{Object: "list", Data: make([]U, len(items)), HasMore: more}
	for i, it := range items {
		p.Data[i] = show(it)
	}
	if n := len(items); n > 0 {
		p.FirstID, p.LastID = new(id(items[0])), new(id(items[n-1]))
	}
	return reply{http.StatusOK, p}
}

func (o operations) AdminAPIKeysList(_ context.Context, r server.AdminAPIKeysListRequestObject) (server.AdminAPIKeysListResponseObject, error) {
	order := r.Params.Order
	newestFirst := order != nil && *order == server.AdminAPIKeysListParamsOrderDesc
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	return newPage(&o.s.org.adminKeys, r.Params.After, r.Params.Limit, newestFirst,
		func(k AdminKey) string { return k.ID }, newAdminKey), nil
}

func (o operations) AdminAPIKeysCreate(ctx context.Context, r server.AdminAPIKeysCreateRequestObject) (server.AdminAPIKeysCreateResponseObject, error) {
	if r.Body.Name == "" {
		return nameless(), nil
	}
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	key := AdminKey{Name: &r.Body.Name}
	if life := r.Body.ExpiresInSeconds; life != nil {
		key.ExpiresAt = expiry(*life)
	}
	made := o.s.org.addAdminKey(key)
	o.s.countMinted(ctx)
	return reply{http.StatusOK, struct {
		adminKey
		Value string `json:"value"`
	}{newAdminKey(*o.s.org.adminKeys.get(made.ID)), made.Value.Reveal()}}, nil
}

func (o operations) RetrieveProjectAPIKey(_ context.Context, r server.RetrieveProjectAPIKeyRequestObject) (server.RetrieveProjectAPIKeyResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p := o.s.org.projects[r.ProjectID]
	if p == nil {
		return noProject(r.ProjectID), nil
	}
	key := p.keys.get(r.APIKeyID)
	if key == nil {
		return noProjectKey(r.APIKeyID), nil
	}
	return reply{http.StatusOK, *key}, nil
}

func (o operations) UpdateProjectAPIKey(_ context.Context, r server.UpdateProjectAPIKeyRequestObject) (server.UpdateProjectAPIKeyResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p := o.s.org.projects[r.ProjectID]
	if p == nil {
		return noProject(r.ProjectID), nil
	}
	key := p.keys.get(r.APIKeyID)
	if key == nil {
		return noProjectKey(r.APIKeyID), nil
	}
	if at, ok := key.ExpiresAt.Time(); ok && !at.After(time.Now()) {
		return refuse(http.StatusBadRequest, "", "The key has expired."), nil
	}
	if life := r.Body.ExpiresInSeconds; life != nil {
		key.ExpiresAt = expiry(*life)
	}
	return reply{http.StatusOK, *key}, nil
}

func (o operations) DeleteProjectAPIKey(_ context.Context, r server.DeleteProjectAPIKeyRequestObject) (server.DeleteProjectAPIKeyResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p := o.s.org.projects[r.ProjectID]
	if p == nil {
		return noProject(r.ProjectID), nil
	}
	key := p.keys.get(r.APIKeyID)
	if key == nil {
		return noProjectKey(r.APIKeyID), nil
	}
	if key.Owner.ServiceAccount != nil {
		return refuse(http.StatusBadRequest, "", "The key belongs to a service account and is deleted together with it."), nil
	}
	p.keys.remove(r.APIKeyID)
	return reply{http.StatusOK, server.ProjectAPIKeyDeleteResponse{
		Object: server.ProjectAPIKeyDeleteResponseObjectOrganizationProjectAPIKeyDeleted, ID: r.APIKeyID, Deleted: true,
	}}, nil
}

func (o operations) ListProjectServiceAccounts(_ context.Context, r server.ListProjectServiceAccountsRequestObject) (server.ListProjectServiceAccountsResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p := o.s.org.projects[r.ProjectID]
	if p == nil {
		return noProject(r.ProjectID), nil
	}
	if p.archived {
		return archived(), nil
	}
	return newPage(&p.accounts, r.Params.After, r.Params.Limit, false,
		func(a ServiceAccount) string { return a.ID }, func(a ServiceAccount) ServiceAccount { return a }), nil
}

func (o operations) CreateProjectServiceAccount(ctx context.Context, r server.CreateProjectServiceAccountRequestObject) (server.CreateProjectServiceAccountResponseObject, error) {
	if r.Body.Name == "" {
		return nameless(), nil
	}
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p := o.s.org.projects[r.ProjectID]
	if p == nil {
		return noProject(r.ProjectID), nil
	}
	if p.archived {
		return archived(), nil
	}
	only := r.Body.CreateServiceAccountOnly
	made := o.s.org.addServiceAccount(r.ProjectID, r.Body.Name, only != nil && *only)
	answer := server.ProjectServiceAccountCreateResponse{
		Object: server.ProjectServiceAccountCreateResponseObject(made.Object), ID: made.ID, Name: made.Name,
		Role: server.ProjectServiceAccountCreateResponseRole(made.Role), CreatedAt: made.CreatedAt,
	}
	if key := made.APIKey; key != nil {
		o.s.countMinted(ctx)
		answer.APIKey = &server.ProjectServiceAccountAPIKey{
			Object: server.ProjectServiceAccountAPIKeyObject(key.Object), ID: key.ID, Name: key.Name,
			CreatedAt: key.CreatedAt, Value: key.Value.Reveal(),
		}
	}
	return reply{http.StatusOK, answer}, nil
}
