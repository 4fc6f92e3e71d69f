// Package exampletest runs an example as a process, from its own test.
package exampletest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

// Main is the TestMain of an example. In a process that Command has started, it calls run, and
// exits with its result, instead of running the tests.
func Main(m *testing.M, run func() int) {
	if os.Getenv("RUN_PROGRAM") != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

// Command runs the example with the admin key and the URL of fake, or without an admin key if fake
// is nil. The test fails if the example prints an admin key.
func Command(t testing.TB, fake *orgkeystest.Server, args ...string) (status int, stdout, stderr string) {
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "RUN_PROGRAM=1", "OPENAI_ADMIN_KEY=", "OPENAI_BASE_URL=")
	if fake != nil {
		cmd.Env = append(cmd.Env, "OPENAI_ADMIN_KEY="+fake.AdminKey, "OPENAI_BASE_URL="+fake.URL)
	}
	_ = cmd.Run() // the exit status is a result
	require.NotNil(t, cmd.ProcessState)
	assert.NotContains(t, out.String()+errs.String(), "sk-admin-")
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
