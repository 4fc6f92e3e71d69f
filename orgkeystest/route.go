package orgkeystest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
)

// operationIDs maps the pattern of a route to the operationId.
var operationIDs = func() map[string]string {
	ids := make(map[string]string)
	for _, op := range gen.Operations() {
		ids[op.Method+" "+basePath+op.Path] = op.ID
	}
	return ids
}()

// updateProjectKey is the operation that WithOlderServer removes.
const updateProjectKey = gen.OperationUpdateProjectAPIKey

// route is the operation of a request, or the response to a request that matches none.
type route struct {
	operation string
	refused   *jsonResponse // nil if the operation is to be performed
	allow     string        // the Allow header of a 405
}

// route returns the route of a request. A HEAD request has the route of a GET.
//
// A client that deletes a key takes a 404 as proof that the key was deleted before. Therefore only
// a path outside the base path gets a 404. A path with an empty or a dot segment, such as one with
// an empty id, gets a 400, and any other that the server does not implement gets a 501.
func (s *Server) route(r *http.Request) route {
	p := r.URL.Path
	refuse := func(status int, format string, args ...any) route {
		e := apiError(status, "", format, args...)
		return route{refused: &e}
	}
	switch {
	case !strings.HasPrefix(p, basePath+"/"):
		return refuse(http.StatusNotFound, "There is no path %s. All paths of the API begin with %s/.", p, basePath)
	case path.Clean(p) != p:
		return refuse(http.StatusBadRequest, "The path %s has an empty segment, a dot segment or a slash at its end.", p)
	}
	_, pattern := s.routes.Handler(r)
	if id := operationIDs[pattern]; id != "" && s.org.older && id == updateProjectKey {
		to := s.notAllowed(r)
		to.operation = id
		return to
	} else if id != "" {
		return route{operation: id}
	}
	if to := s.notAllowed(r); to.allow != "" {
		return to
	}
	return refuse(http.StatusNotImplemented, "This fake of the API does not implement %s %s. It implements %s.", r.Method, p, implemented())
}

// notAllowed returns the 405 for a path of the contract. For other paths, allow is "".
func (s *Server) notAllowed(r *http.Request) route {
	var allowed []string
	probe := &http.Request{URL: r.URL, Host: r.Host}
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut} {
		probe.Method = method
		_, pattern := s.routes.Handler(probe)
		if id := operationIDs[pattern]; id != "" && (!s.org.older || id != updateProjectKey) {
			allowed = append(allowed, method)
		}
	}
	e := apiError(http.StatusMethodNotAllowed, "", "The method %s is not allowed for %s.", r.Method, r.URL.Path)
	return route{refused: &e, allow: strings.Join(allowed, ", ")}
}

// implemented returns the methods and paths of the operations, as text.
func implemented() string {
	return strings.Join(slices.Sorted(maps.Keys(operationIDs)), ", ")
}

// perform performs an operation and returns the API's response.
func (s *Server) perform(r *http.Request) response {
	rec := httptest.NewRecorder()
	s.routes.ServeHTTP(rec, r)
	return recorded(rec)
}
