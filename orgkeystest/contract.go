package orgkeystest

import "fmt"

// Violation is a breach of the contract. It tells where and which rule, and quotes no value.
type Violation struct {
	Operation string // the operationId, where it is known
	Request   bool   // whether the request is at fault, and not the answer
	Where     string
	Rule      string
}

// String tells the breach in a line.
func (v Violation) String() string {
	side := "answer"
	if v.Request {
		side = "request"
	}
	return fmt.Sprintf("the %s of %s breaks the contract at %s: %s", side, v.Operation, v.Where, v.Rule)
}

// Violations returns the breaches of the contract seen so far.
func (s *Server) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Violation(nil), s.violations...)
}
