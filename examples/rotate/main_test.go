package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/exampletest"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func TestMain(m *testing.M) { exampletest.Main(m, run) }

// setup is a fake with a key to replace, and the file for its replacement.
type setup struct {
	*orgkeystest.Server
	file, old string
}

func newSetup(t *testing.T) setup {
	fake := orgkeystest.New(t)
	return setup{fake, filepath.Join(t.TempDir(), "key.json"), fake.AddServiceAccount("proj_1", "checkout").APIKey.ID}
}

// rotate runs the program, and returns its whole output.
func (s setup) rotate(t *testing.T, args ...string) (status int, output string) {
	args = append([]string{"-project", "proj_1", "-old", s.old, "-name", "checkout-2", "-file", s.file}, args...)
	status, stdout, stderr := exampletest.Command(t, s.Server, args...)
	assert.NotContains(t, stdout+stderr, "sk-")
	return status, stdout + stderr
}

// expires returns when a key expires, or the zero time.
func (s setup) expires(id string) (at time.Time) {
	for _, key := range s.ProjectKeys("proj_1") {
		if key.ID == id {
			at, _ = key.ExpiresAt.Time()
		}
	}
	return at
}

func TestArguments(t *testing.T) {
	dir := t.TempDir()
	whole := []string{"-project", "proj_1", "-old", "key_1", "-name", "n", "-file", filepath.Join(dir, "key.json")}
	for _, c := range []struct {
		args   []string
		stderr string
	}{
		{nil, "-overlap"},
		{whole[:6], "-overlap"},
		{append(whole, "another"), "-overlap"},
		{append(whole, "-days", "0"), "-overlap"},
		{append(whole, "-overlap", "1.5s"), "-overlap"},
		{append(whole, "-overlap", "-1s"), "-overlap"},
		{append(whole, "-demo"), "-overlap"},
		{whole, "OPENAI_ADMIN_KEY"},
	} {
		status, stdout, stderr := exampletest.Command(t, nil, c.args...)
		assert.Equal(t, 2, status, c.args)
		assert.Contains(t, stderr, c.stderr, c.args)
		assert.Empty(t, stdout, c.args)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
	status, _, _ := exampletest.Command(t, nil, "-h")
	assert.Equal(t, 0, status)
}

func TestDemo(t *testing.T) {
	status, stdout, stderr := exampletest.Command(t, nil, "-demo")
	assert.Equal(t, 0, status)
	assert.Empty(t, stderr)
	assert.Regexp(t, `^new key key_\w+ of account svc_acct_\w+, expiration: \S+Z\nold key key_\w+: valid for at most 1h0m0s\n$`, stdout)
}

// TestOverlap tests that a second run neither creates a key nor postpones the expiration of the old one.
func TestOverlap(t *testing.T) {
	s := newSetup(t)
	status, out := s.rotate(t)
	assert.Equal(t, 0, status, out)
	expires := s.expires(s.old)
	assert.WithinDuration(t, time.Now().Add(time.Hour), expires, time.Minute)
	content, err := os.ReadFile(s.file)
	require.NoError(t, err)
	var key stored
	require.NoError(t, json.Unmarshal(content, &key))
	assert.Regexp(t, `^sk-svcacct-\w+$`, key.Value)
	assert.WithinDuration(t, time.Now().AddDate(0, 0, 90), s.expires(key.ID), 2*time.Hour)

	requests := len(s.Requests())
	status, _ = s.rotate(t, "-overlap", "2h")
	assert.Equal(t, 0, status)
	assert.Equal(t, expires, s.expires(s.old))
	for _, r := range s.Requests()[requests:] {
		assert.Equal(t, "GET", r.Method)
	}
}

func TestNoOverlap(t *testing.T) {
	s := newSetup(t)
	for _, want := range []string{"valid for at most 0s\n", "was deleted by an earlier run\n"} {
		status, out := s.rotate(t, "-overlap", "0")
		assert.Equal(t, 0, status, out)
		assert.Contains(t, out, want)
	}
	assert.Len(t, s.ProjectKeys("proj_1"), 1)
	assert.Equal(t, 1, s.KeysCreated())
}

// TestFailedStep tests that a run which fails at any request leaves the old key valid, and that
// the next run completes the rotation with the same new key.
func TestFailedStep(t *testing.T) {
	for _, overlap := range []string{"1h", "0"} {
		for step := range 4 { // get old, create, get new, update or delete
			s := newSetup(t)
			s.Inject(orgkeystest.Fault{Skip: step, Status: 403})
			status, out := s.rotate(t, "-overlap", overlap)
			assert.Equal(t, 1, status, out)
			assert.Contains(t, out, "403")
			assert.Zero(t, s.expires(s.old))
			status, out = s.rotate(t, "-overlap", overlap)
			assert.Equal(t, 0, status, out)
			assert.Equal(t, 1, s.KeysCreated())
		}
	}
}

func TestLostResponse(t *testing.T) {
	s := newSetup(t)
	s.Inject(orgkeystest.Fault{Operation: "create-project-service-account", Drop: true, AfterWork: true})
	status, out := s.rotate(t)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "it is unknown whether a key was created")
	status, out = s.rotate(t)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `delete the account "checkout-2" that it may have created`)
	assert.Equal(t, 1, s.KeysCreated())
	assert.Zero(t, s.expires(s.old))
}

func TestErrors_LeaveTheOldKeyUnchanged(t *testing.T) {
	s := newSetup(t)
	wrong := s
	wrong.old = "key_wrong"
	status, out := wrong.rotate(t)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "404")
	assert.Zero(t, s.KeysCreated(), "a wrong id creates no key")
	assert.NoFileExists(t, s.file)

	client, err := orgkeys.NewClient(orgkeys.WithAdminKey(s.AdminKey), orgkeys.WithBaseURL(s.URL))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = rotation{project: "proj_1", old: s.old, name: "checkout-2", file: s.file, days: 1}.create(ctx, client)
	assert.ErrorIs(t, err, orgkeys.ErrNotSent)
	assert.NoFileExists(t, s.file)

	status, out = s.rotate(t, "-days", "1", "-overlap", "48h")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "before the end of the overlap")
	assert.Zero(t, s.expires(s.old))

	wrong.old = s.AddServiceAccount("proj_1", "other").APIKey.ID
	status, out = wrong.rotate(t)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "does not contain the replacement of "+wrong.old)
}
