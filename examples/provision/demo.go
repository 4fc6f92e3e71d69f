package main

import (
	"os"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

// startFake starts a fake on which the second create makes an account and loses the answer.
func startFake() *orgkeystest.Server {
	fake := orgkeystest.NewServer(orgkeystest.InMemory())
	fake.AddProject("proj_demo")
	fake.Inject(orgkeystest.Fault{Operation: "create-project-service-account", Skip: 1, AfterWork: true, Drop: true})
	return fake
}

// demonstrate fills in what the command line leaves open. On a fake there is nothing to spare.
func (s *settings) demonstrate() (undo func(), err error) {
	s.project, s.create, s.perMinute = "proj_demo", true, 6000
	if len(s.environments) == 0 {
		s.environments = []string{"development", "staging", "production"}
	}
	if s.dir != "" {
		return func() {}, nil
	}
	s.dir, err = os.MkdirTemp("", "provision")
	return func() { _ = os.RemoveAll(s.dir) }, err
}
