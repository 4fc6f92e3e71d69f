package orgkeystest

import (
	"net/http"
	"slices"
	"sync"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// checker is made once, since compiling the contract takes longer than most tests.
var checker = sync.OnceValue(func() *speccheck.Checker {
	c, err := speccheck.New()
	if err != nil {
		panic("orgkeystest: " + err.Error())
	}
	return c
})

// Violations returns what broke the contract so far, in requests (speccheck.RequestViolation
// and speccheck.NoSuchOperation) and in the server's own answers (all other kinds). A
// violation quotes nothing that was sent.
func (s *Server) Violations() []speccheck.Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func byRequest(v speccheck.Violation) bool {
	return v.Kind == speccheck.RequestViolation || v.Kind == speccheck.NoSuchOperation
}

// checkRequest holds a request against the contract and notes what breaks it.
func (s *Server) checkRequest(r *http.Request, operation string, body []byte) []speccheck.Violation {
	var found []speccheck.Violation
	if operation == "" {
		found = []speccheck.Violation{{Kind: speccheck.NoSuchOperation, Method: r.Method, Rule: "path"}}
	} else {
		const none = 0 // no answer yet
		found = slices.DeleteFunc(checker().Check(r, body, none, nil, nil), func(v speccheck.Violation) bool { return !byRequest(v) })
	}
	s.note(found)
	return found
}

// checkAnswer holds an answer of the server's own against the contract.
func (s *Server) checkAnswer(operation string, a answer) {
	if s.settings.answersUnchecked {
		return
	}
	found := checker().CheckResponse(operation, a.status, a.header.Get("Content-Type"), a.body)
	s.note(slices.DeleteFunc(found, func(v speccheck.Violation) bool { return v.Kind == speccheck.UndocumentedStatus }))
}

func (s *Server) note(found []speccheck.Violation) {
	if len(found) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, found...)
}
