package main

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/exampletest"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func TestMain(m *testing.M) { exampletest.Main(m, run) }

func newFake(t *testing.T) *orgkeystest.Server {
	fake := orgkeystest.New(t)
	fake.AddProject("proj_1")
	return fake
}

// provisioned runs the program for the accounts.
func provisioned(t *testing.T, fake *orgkeystest.Server, dir string, names ...string) (status int, stdout, stderr string) {
	status, stdout, stderr = exampletest.Command(t, fake, append([]string{"-project", "proj_1", "-dir", dir}, names...)...)
	assert.NotContains(t, stdout+stderr, "sk-")
	return status, stdout, stderr
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
	dir := t.TempDir()
	whole := []string{"-project", "proj_1", "-dir", dir}
	for _, c := range []struct {
		args   []string
		stderr string
	}{
		{nil, "usage"},
		{whole, "usage"},
		{[]string{"-project", "proj_1", "production"}, "usage"},
		{append(whole, "-days", "0", "production"), "usage"},
		{append(whole, "-days", "366", "production"), "usage"},
		{append(whole, "-demo", "production"), "usage"},
		{[]string{"-demo", "-days", "1"}, "usage"},
		{[]string{"-nonexistent"}, "usage"},
		{append(whole, "production"), "OPENAI_ADMIN_KEY"},
	} {
		status, stdout, stderr := exampletest.Command(t, nil, c.args...)
		assert.Equal(t, 2, status, c.args)
		assert.Contains(t, stderr, c.stderr, c.args)
		assert.Empty(t, stdout, c.args)
		assert.Empty(t, files(t, dir), c.args)
	}
	status, _, stderr := exampletest.Command(t, nil, "-h")
	assert.Equal(t, 0, status)
	assert.Contains(t, stderr, "usage: provision -project ID")
}

func TestDemo(t *testing.T) {
	status, stdout, stderr := exampletest.Command(t, nil, "-demo")
	assert.Equal(t, 0, status)
	assert.Empty(t, stderr)
	assert.Regexp(t, `^staging: request req_\w+ created account svc_acct_\w+ with key key_\w+, expiration: \S+Z\n`+
		`production: request .*\nstaging: stored by an earlier run\n$`, stdout)
	assert.NotContains(t, stdout, "sk-")
}

func TestStoredKeys(t *testing.T) {
	fake, dir := newFake(t), t.TempDir()
	status, stdout, stderr := provisioned(t, fake, dir, "staging", "production")
	assert.Equal(t, 0, status, stderr)
	requests := fake.Requests()
	require.Len(t, requests, 2)
	assert.Contains(t, stdout, "request "+requests[1].RequestID+" created account ")
	_, bounded := fake.ProjectKeys("proj_1")[1].ExpiresAt.Time()
	assert.True(t, bounded)
	info, err := os.Stat(filepath.Join(dir, "production.key"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	value, err := os.ReadFile(filepath.Join(dir, "production.key"))
	require.NoError(t, err)
	assert.Regexp(t, `^sk-svcacct-\w{40,}$`, string(value))

	status, stdout, _ = provisioned(t, fake, dir, "staging", "production")
	assert.Equal(t, 0, status)
	assert.Equal(t, "staging: stored by an earlier run\nproduction: stored by an earlier run\n", stdout)
	assert.Equal(t, 2, fake.KeysCreated())

	require.NoError(t, os.Mkdir(filepath.Join(dir, "other.key"), 0o700))
	status, _, stderr = provisioned(t, fake, dir, "other")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "stored no key in other.key")
}

// TestUnwritableFile_CreatesNoKey tests that nothing is sent if the file cannot be created.
func TestUnwritableFile_CreatesNoKey(t *testing.T) {
	fake, dir := newFake(t), t.TempDir()
	status, _, stderr := provisioned(t, fake, filepath.Join(dir, "missing"), "production")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "missing")
	status, _, stderr = provisioned(t, fake, dir, "../production", "missing/production")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "2 of 2 keys are not stored")
	assert.Empty(t, fake.Requests())
	assert.Empty(t, files(t, dir))
}

func TestLostResponse(t *testing.T) {
	for name, fault := range map[string]orgkeystest.Fault{
		"no response":        {Drop: true, AfterWork: true},
		"500 after the work": {Status: http.StatusInternalServerError, AfterWork: true},
		"invalid response":   {Body: "{}", AfterWork: true},
	} {
		t.Run(name, func(t *testing.T) {
			fake, dir := newFake(t), t.TempDir()
			fault.Operation = "create-project-service-account"
			fake.Inject(fault)
			status, stdout, stderr := provisioned(t, fake, dir, "staging", "production")
			assert.Equal(t, 1, status)
			assert.Contains(t, stderr, "account "+fake.ServiceAccounts("proj_1")[0].ID+" was created, and its key is lost")
			assert.Contains(t, stderr, "1 of 2 keys are not stored")
			assert.Contains(t, stdout, "production: request")

			status, _, stderr = provisioned(t, fake, dir, "staging")
			assert.Equal(t, 1, status)
			assert.Contains(t, stderr, "an earlier run stored no key in staging.key")
			assert.Equal(t, 2, fake.KeysCreated())
		})
	}
}

// TestFailedCreate_RemovesTheFile tests that the file is removed if no account was created.
func TestFailedCreate_RemovesTheFile(t *testing.T) {
	fake, dir := newFake(t), t.TempDir()
	fake.ArchiveProject("proj_1")
	status, _, stderr := provisioned(t, fake, dir, "production")
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "400")

	client, err := orgkeys.NewClient(orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Error(t, provision(ctx, client, "proj_1", dir, 90, []string{"production"}))
	assert.Len(t, fake.Requests(), 1)
	assert.Empty(t, files(t, dir))
}

func TestOlderServer(t *testing.T) {
	fake := orgkeystest.New(t, orgkeystest.WithOlderServer())
	fake.AddProject("proj_1")
	status, stdout, _ := provisioned(t, fake, t.TempDir(), "production")
	assert.Equal(t, 0, status)
	assert.Contains(t, stdout, "expiration: absent")
}
