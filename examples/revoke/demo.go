package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

const demoKeys = 12

// startFake starts a fake with the keys of leaked, but for one, and with two faults: a revoke
// whose answer is lost, which the client makes sure of itself, and one whose answer makes no
// sense, which is unknown until the next run.
func startFake() *orgkeystest.Server {
	fake := orgkeystest.NewServer(orgkeystest.InMemory())
	for i := range demoKeys {
		fake.AddProjectKey("proj_demo", orgkeystest.ProjectKey{ID: demoKey(i), Name: fmt.Sprintf("Laptop %d", i+1)})
	}
	fake.AddProjectKey("proj_demo", orgkeystest.ProjectKey{ID: "key_robot", Name: "Secret Key", Owner: gen.ProjectAPIKeyOwner{
		Type:           new(gen.ProjectAPIKeyOwnerTypeServiceAccount),
		ServiceAccount: &gen.ProjectAPIKeyOwnerServiceAccount{ID: "svc_acct_robot", Name: "Deploy robot", Role: "member"},
	}})
	fake.Inject(
		orgkeystest.Fault{Operation: "delete-project-api-key", Skip: 1, AfterWork: true, Drop: true},
		orgkeystest.Fault{Operation: "delete-project-api-key", Skip: 8, Body: `{"deleted":"yes"}`},
	)
	return fake
}

func demoKey(i int) string { return fmt.Sprintf("key_laptop_%02d", i+1) }

// leaked is a file of keys.
func leaked() io.Reader {
	var b strings.Builder
	b.WriteString("# project id, key id\n")
	for i := range demoKeys {
		fmt.Fprintf(&b, "proj_demo %s\n", demoKey(i))
	}
	b.WriteString("proj_demo key_robot # goes with its account\nproj_demo key_mistyped\n")
	return strings.NewReader(b.String())
}

// demonstrate sets what is not worth a choice on a fake.
func (s *settings) demonstrate() (undo func(), err error) {
	dir, err := os.MkdirTemp("", "revoke")
	s.revoke, s.file, s.journal, s.perMinute = true, "-", filepath.Join(dir, "revoke.journal"), 600
	return func() { _ = os.RemoveAll(dir) }, err
}
