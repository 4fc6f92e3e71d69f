package orgkeystest

import (
	"net/http"
	"slices"
	"sync"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// checker is shared by all servers, since compiling the contract takes longer than most tests.
var checker = sync.OnceValue(func() *speccheck.Checker {
	c, err := speccheck.New()
	if err != nil {
		panic("orgkeystest: " + err.Error())
	}
	return c
})

// Violations returns the violations of the contract so far: those of requests, of the kinds
// speccheck.RequestViolation and speccheck.NoSuchOperation, and those of the server's own
// responses, of all other kinds. A violation contains no value that was sent.
func (s *Server) Violations() []speccheck.Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func isRequestViolation(v speccheck.Violation) bool {
	return v.Kind == speccheck.RequestViolation || v.Kind == speccheck.NoSuchOperation
}

// checkRequest validates a request against the contract, records the violations and returns the
// first one, or nil.
func (s *Server) checkRequest(r *http.Request, operation string, body []byte) *speccheck.Violation {
	var found []speccheck.Violation
	if operation == "" {
		found = []speccheck.Violation{{Kind: speccheck.NoSuchOperation, Method: r.Method, Rule: "path"}}
	} else {
		if r.Method == http.MethodHead { // which the contract does not mention
			r = r.Clone(r.Context())
			r.Method = http.MethodGet
		}
		const noResponse = 0
		found = slices.DeleteFunc(checker().Check(r, body, noResponse, nil, nil), func(v speccheck.Violation) bool { return !isRequestViolation(v) })
	}
	if len(found) == 0 {
		return nil
	}
	s.addViolations(found)
	return &found[0]
}

// checkResponse validates one of the server's own responses against the contract.
func (s *Server) checkResponse(operation string, resp response) {
	if s.settings.skipResponseChecks {
		return
	}
	found := checker().CheckResponse(operation, resp.status, resp.header.Get("Content-Type"), resp.body)
	s.addViolations(slices.DeleteFunc(found, func(v speccheck.Violation) bool { return v.Kind == speccheck.UndocumentedStatus }))
}

func (s *Server) addViolations(found []speccheck.Violation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, found...)
}
