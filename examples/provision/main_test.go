package main

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

const create = "create-project-service-account"

// provisioned runs the program against fake for the accounts, and returns its exit status and output.
func provisioned(t *testing.T, ctx context.Context, fake *orgkeystest.Server, dir string, names ...string) (int, string) {
	t.Setenv("OPENAI_ADMIN_KEY", fake.AdminKey)
	t.Setenv("OPENAI_BASE_URL", fake.URL)
	var out strings.Builder
	status := run(ctx, append([]string{"-project", "proj_1", "-dir", dir}, names...), &out, &out)
	assert.NotContains(t, out.String(), "sk-")
	return status, out.String()
}

func newFake(t *testing.T) *orgkeystest.Server {
	fake := orgkeystest.New(t)
	fake.AddProject("proj_1")
	return fake
}

func files(t *testing.T, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestArguments(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	dir := t.TempDir()
	whole := []string{"-project", "proj_1", "-dir", dir}
	for _, c := range []struct {
		args   []string
		output string
	}{
		{nil, "Usage"},
		{whole, "Usage"},
		{[]string{"-project", "proj_1", "production"}, "Usage"},
		{append(whole, "-days", "0", "production"), "Usage"},
		{append(whole, "-days", "366", "production"), "Usage"},
		{append(whole, "-demo", "production"), "Usage"},
		{[]string{"-demo", "-days", "1"}, "Usage"},
		{append(whole, "production"), "OPENAI_ADMIN_KEY"},
	} {
		var stdout, stderr strings.Builder
		assert.Equal(t, 2, run(t.Context(), c.args, &stdout, &stderr), c.args)
		assert.Contains(t, stderr.String(), c.output, c.args)
		assert.Empty(t, stdout.String(), c.args)
		assert.Empty(t, files(t, dir), c.args)
	}
}

func TestDemo(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	var stdout, stderr strings.Builder
	assert.Equal(t, 0, run(t.Context(), []string{"-demo"}, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	assert.Regexp(t, `^staging: request req_\w+ created key key_\w+ of account svc_acct_\w+, which expires at \S+Z\n`+
		`production: request .*\nstaging: was stored earlier\n$`, stdout.String())
	assert.NotContains(t, stdout.String(), "sk-")
}

func TestStoredKeys(t *testing.T) {
	fake, dir := newFake(t), t.TempDir()
	status, out := provisioned(t, t.Context(), fake, dir, "staging", "production")
	assert.Equal(t, 0, status)
	requests := fake.Requests()
	require.Len(t, requests, 2)
	assert.Contains(t, out, "request "+requests[1].RequestID+" created key "+fake.ProjectKeys("proj_1")[1].ID)
	_, bounded := fake.ProjectKeys("proj_1")[1].ExpiresAt.Time()
	assert.True(t, bounded)
	info, err := os.Stat(filepath.Join(dir, "production.key"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	value, err := os.ReadFile(filepath.Join(dir, "production.key"))
	require.NoError(t, err)
	assert.Regexp(t, `^sk-svcacct-\w{40,}$`, string(value))

	status, out = provisioned(t, t.Context(), fake, dir, "staging", "production")
	assert.Equal(t, 0, status)
	assert.Equal(t, "staging: was stored earlier\nproduction: was stored earlier\n", out)
	assert.Equal(t, 2, fake.KeysCreated())
}

// TestNoKeyThatCannotBeStored tests that nothing is sent without a file to write to.
func TestNoKeyThatCannotBeStored(t *testing.T) {
	fake, dir := newFake(t), t.TempDir()
	status, _ := provisioned(t, t.Context(), fake, filepath.Join(dir, "missing"), "production")
	assert.Equal(t, 2, status)
	status, out := provisioned(t, t.Context(), fake, dir, "../production", "missing/production")
	assert.Equal(t, 1, status)
	assert.Equal(t, 2, strings.Count(out, "\n"), out)
	assert.Empty(t, fake.Requests())
	assert.Empty(t, files(t, dir))
}

func TestLostResponse(t *testing.T) {
	for name, fault := range map[string]orgkeystest.Fault{
		"no response":        {Operation: create, Drop: true, AfterWork: true},
		"500 after the work": {Operation: create, Status: http.StatusInternalServerError, AfterWork: true},
		"invalid response":   {Operation: create, Body: "{}", AfterWork: true},
	} {
		t.Run(name, func(t *testing.T) {
			fake, dir := newFake(t), t.TempDir()
			fake.Inject(fault)
			status, out := provisioned(t, t.Context(), fake, dir, "staging", "production")
			assert.Equal(t, 1, status)
			assert.Contains(t, out, "account "+fake.ServiceAccounts("proj_1")[0].ID+" was created, and its key is lost")
			assert.Contains(t, out, "production: request")
			assert.Equal(t, 2, fake.KeysCreated())

			status, out = provisioned(t, t.Context(), fake, dir, "staging")
			assert.Equal(t, 1, status)
			assert.Contains(t, out, "an earlier run left staging.key empty")
			assert.Equal(t, 2, fake.KeysCreated())
		})
	}
}

// TestRefusedCreate tests that a file is removed if no account was created.
func TestRefusedCreate(t *testing.T) {
	fake, dir := newFake(t), t.TempDir()
	fake.ArchiveProject("proj_1")
	status, out := provisioned(t, t.Context(), fake, dir, "production")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "400")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, out = provisioned(t, ctx, fake, dir, "production")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "nothing was sent")
	assert.Empty(t, files(t, dir))
}

func TestOlderServer(t *testing.T) {
	fake := orgkeystest.New(t, orgkeystest.WithOlderServer())
	fake.AddProject("proj_1")
	status, out := provisioned(t, t.Context(), fake, t.TempDir(), "production")
	assert.Equal(t, 0, status)
	assert.Contains(t, out, "never expires")
}
