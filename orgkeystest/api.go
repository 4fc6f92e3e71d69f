package orgkeystest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/gen/server"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// operations implements the API's operations on the server's state.
type operations struct{ s *Server }

var _ server.StrictServerInterface = operations{}

// newRoutes returns a handler of the contract's paths.
func newRoutes(s *Server) *http.ServeMux {
	// The server has validated the request against the contract. What is left are numbers that do
	// not fit into an int.
	unreadable := func(w http.ResponseWriter, _ *http.Request, _ error) {
		_ = apiError(http.StatusBadRequest, "", "The request cannot be read.").write(w)
	}
	mux := http.NewServeMux()
	server.HandlerWithOptions(
		server.NewStrictHandlerWithOptions(operations{s}, nil, server.StrictHTTPServerOptions{RequestErrorHandlerFunc: unreadable}),
		server.StdHTTPServerOptions{BaseURL: basePath, BaseRouter: mux, ErrorHandlerFunc: unreadable},
	)
	return mux
}

// jsonResponse is the response of any operation. It is used instead of the generated response
// types, which omit properties that are null; the live API sends null.
type jsonResponse struct {
	status int
	body   any
}

func (r jsonResponse) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	return json.NewEncoder(w).Encode(r.body)
}

func (r jsonResponse) VisitAdminAPIKeysListResponse(w http.ResponseWriter) error   { return r.write(w) }
func (r jsonResponse) VisitAdminAPIKeysCreateResponse(w http.ResponseWriter) error { return r.write(w) }
func (r jsonResponse) VisitRetrieveProjectAPIKeyResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r jsonResponse) VisitUpdateProjectAPIKeyResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r jsonResponse) VisitDeleteProjectAPIKeyResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r jsonResponse) VisitListProjectServiceAccountsResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r jsonResponse) VisitCreateProjectServiceAccountResponse(w http.ResponseWriter) error {
	return r.write(w)
}

// apiError returns an error response in the API's envelope. A param of "" is sent as null.
func apiError(status int, param, format string, args ...any) jsonResponse {
	e := server.Error{Type: "invalid_request_error", Message: fmt.Sprintf(format, args...)}
	if param != "" {
		e.Param = &param
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Type, e.Code = "requests", new("rate_limit_exceeded")
	case status == http.StatusNotImplemented:
		e.Type, e.Code = "server_error", new("not_implemented")
	case status >= http.StatusInternalServerError:
		e.Type = "server_error"
	}
	return jsonResponse{status, server.ErrorResponse{Error: e}}
}

func projectNotFound(id string) jsonResponse {
	return apiError(http.StatusNotFound, "project_id", "There is no project %q.", id)
}

func projectArchived() jsonResponse {
	return apiError(http.StatusBadRequest, "project_id", "The project is archived.")
}

func invalidRequest(v speccheck.Violation) jsonResponse {
	param := cmp.Or(v.Parameter, strings.TrimPrefix(v.Pointer, "/"))
	return apiError(http.StatusBadRequest, param, "Invalid %s: %s.", v.Place(), v.Problem())
}

func invalidLifetime(format string, args ...any) jsonResponse {
	return apiError(http.StatusBadRequest, "expires_in_seconds", format, args...)
}

// listedAdminKey is an AdminKey whose name is null instead of absent.
type listedAdminKey struct {
	AdminKey
	Name *string `json:"name"`
}

// page is the response of a list operation.
type page[T any] struct {
	Object  string  `json:"object"`
	Data    []T     `json:"data"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`
}

// defaultLimit is the contract's default for the parameter limit.
const defaultLimit = 20

// newPage returns the page of l after the item with the id after.
func newPage[T, U any](l *list[T], after *string, limit *int, newestFirst bool, id func(T) string, show func(T) U) jsonResponse {
	cursor, atMost := "", defaultLimit
	if after != nil && *after != "" {
		cursor = *after
		if !l.known(cursor) {
			return apiError(http.StatusBadRequest, "after", "The list never contained the id %q.", cursor)
		}
	}
	if limit != nil {
		atMost = *limit
	}
	items, more := l.page(cursor, atMost, newestFirst)
	p := page[U]{Object: "list", Data: make([]U, len(items)), HasMore: more}
	for i, it := range items {
		p.Data[i] = show(it)
	}
	if n := len(items); n > 0 {
		p.FirstID, p.LastID = new(id(items[0])), new(id(items[n-1]))
	}
	return jsonResponse{http.StatusOK, p}
}

func (o operations) AdminAPIKeysList(_ context.Context, r server.AdminAPIKeysListRequestObject) (server.AdminAPIKeysListResponseObject, error) {
	order := r.Params.Order
	newestFirst := order != nil && *order == server.AdminAPIKeysListParamsOrderDesc
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	return newPage(&o.s.org.adminKeys, r.Params.After, r.Params.Limit, newestFirst,
		func(k AdminKey) string { return k.ID },
		func(k AdminKey) listedAdminKey { return listedAdminKey{k, k.Name} }), nil
}

func (o operations) AdminAPIKeysCreate(ctx context.Context, r server.AdminAPIKeysCreateRequestObject) (server.AdminAPIKeysCreateResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	created := o.s.org.addAdminKey(AdminKey{Name: &r.Body.Name, ExpiresAt: expiresAt(r.Body.ExpiresInSeconds)})
	o.s.countCreatedKey(ctx)
	return jsonResponse{http.StatusOK, struct {
		CreatedAdminKey
		Value string `json:"value"`
	}{created, created.Value.Reveal()}}, nil
}

// projectKey returns a key of a project, or a nil key and the 404 if it does not exist. The caller
// holds the server's lock.
func (o operations) projectKey(projectID, keyID string) (p *project, key *ProjectKey, notFound jsonResponse) {
	if p = o.s.org.projects[projectID]; p == nil {
		return nil, nil, projectNotFound(projectID)
	}
	if key = p.keys.get(keyID); key == nil {
		return nil, nil, apiError(http.StatusNotFound, "api_key_id", "The project has no key %q.", keyID)
	}
	return p, key, jsonResponse{}
}

func (o operations) RetrieveProjectAPIKey(_ context.Context, r server.RetrieveProjectAPIKeyRequestObject) (server.RetrieveProjectAPIKeyResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	_, key, notFound := o.projectKey(r.ProjectID, r.APIKeyID)
	if key == nil {
		return notFound, nil
	}
	return jsonResponse{http.StatusOK, *key}, nil
}

func (o operations) UpdateProjectAPIKey(_ context.Context, r server.UpdateProjectAPIKeyRequestObject) (server.UpdateProjectAPIKeyResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p, key, notFound := o.projectKey(r.ProjectID, r.APIKeyID)
	if key == nil {
		return notFound, nil
	}
	if isPast(key.ExpiresAt) {
		return apiError(http.StatusBadRequest, "", "The key has expired. An expired key cannot be updated."), nil
	}
	if seconds := r.Body.ExpiresInSeconds; seconds != nil {
		if refused := o.s.checkLifetime(*seconds); refused != nil {
			return *refused, nil
		}
		key.ExpiresAt = expiresAt(seconds)
	}
	if scopes := r.Body.Scopes; scopes != nil {
		p.scopes[r.APIKeyID] = slices.Clone(*scopes)
	}
	return jsonResponse{http.StatusOK, *key}, nil
}

func (o operations) DeleteProjectAPIKey(_ context.Context, r server.DeleteProjectAPIKeyRequestObject) (server.DeleteProjectAPIKeyResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p, key, notFound := o.projectKey(r.ProjectID, r.APIKeyID)
	if key == nil {
		return notFound, nil
	}
	if o.s.org.older && key.Owner.ServiceAccount != nil {
		return apiError(http.StatusBadRequest, "", "The key belongs to a service account and is deleted together with it."), nil
	}
	p.keys.remove(r.APIKeyID)
	delete(p.scopes, r.APIKeyID)
	o.s.org.forget(credential{project: r.ProjectID, id: r.APIKeyID})
	return jsonResponse{http.StatusOK, server.ProjectAPIKeyDeleteResponse{
		Object: server.ProjectAPIKeyDeleteResponseObjectOrganizationProjectAPIKeyDeleted, ID: r.APIKeyID, Deleted: true,
	}}, nil
}

func (o operations) ListProjectServiceAccounts(_ context.Context, r server.ListProjectServiceAccountsRequestObject) (server.ListProjectServiceAccountsResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p := o.s.org.projects[r.ProjectID]
	if p == nil {
		return projectNotFound(r.ProjectID), nil
	}
	if p.archived {
		return projectArchived(), nil
	}
	return newPage(&p.accounts, r.Params.After, r.Params.Limit, false,
		func(a ServiceAccount) string { return a.ID }, func(a ServiceAccount) ServiceAccount { return a }), nil
}

func (o operations) CreateProjectServiceAccount(ctx context.Context, r server.CreateProjectServiceAccountRequestObject) (server.CreateProjectServiceAccountResponseObject, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	p := o.s.org.projects[r.ProjectID]
	if p == nil {
		return projectNotFound(r.ProjectID), nil
	}
	if p.archived {
		return projectArchived(), nil
	}
	accountOnly := r.Body.CreateServiceAccountOnly != nil && *r.Body.CreateServiceAccountOnly
	seconds := r.Body.ExpiresInSeconds
	if o.s.org.older {
		accountOnly, seconds = false, nil
	}
	switch {
	case accountOnly && seconds != nil:
		return invalidLifetime("expires_in_seconds is not allowed together with create_service_account_only: no key is created that could expire."), nil
	case accountOnly:
	case seconds != nil:
		if refused := o.s.checkLifetime(*seconds); refused != nil {
			return *refused, nil
		}
	case o.s.settings.maxLifetime > 0:
		return invalidLifetime("expires_in_seconds is required: a policy limits the lifetime of keys to %d seconds.", o.s.maxLifetimeSeconds()), nil
	}
	created := o.s.org.addServiceAccount(r.ProjectID, r.Body.Name, accountOnly, expiresAt(seconds))
	if created.APIKey == nil {
		return jsonResponse{http.StatusOK, created}, nil
	}
	o.s.countCreatedKey(ctx)
	type keyWithValue struct {
		gen.ProjectServiceAccountAPIKey
		Value string `json:"value"`
	}
	return jsonResponse{http.StatusOK, struct {
		CreatedServiceAccount
		APIKey keyWithValue `json:"api_key"`
	}{created, keyWithValue{*created.APIKey, created.APIKey.Value.Reveal()}}}, nil
}

// checkLifetime returns the 400 for a lifetime that a key cannot have, or nil for a valid one.
func (s *Server) checkLifetime(seconds int) *jsonResponse {
	var refused jsonResponse
	switch limit := s.maxLifetimeSeconds(); {
	case limit > 0 && int64(seconds) > limit:
		refused = invalidLifetime("expires_in_seconds is %d: a policy limits the lifetime of keys to %d seconds.", seconds, limit)
	case int64(seconds) > lastUnixTime-time.Now().Unix():
		refused = invalidLifetime("expires_in_seconds is %d: the key would expire after the year 9999.", seconds)
	default:
		return nil
	}
	return &refused
}

// lastUnixTime is the last second of the year 9999.
const lastUnixTime = 253402300799

func (s *Server) maxLifetimeSeconds() int64 { return int64(s.settings.maxLifetime / time.Second) }

// expiresAt returns the time that is the given number of seconds from now, or null for nil.
func expiresAt(seconds *int) apitype.OptionalTime {
	if seconds == nil {
		return apitype.NullTime()
	}
	return apitype.TimeAt(time.Unix(time.Now().Unix()+int64(*seconds), 0))
}
