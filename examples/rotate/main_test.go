package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

// setup is a fake with a key to replace, and the arguments that replace it.
type setup struct {
	*orgkeystest.Server
	dir, old string
}

func newSetup(t *testing.T, options ...orgkeystest.Option) setup {
	fake := orgkeystest.New(t, options...)
	t.Setenv("OPENAI_ADMIN_KEY", fake.AdminKey)
	t.Setenv("OPENAI_BASE_URL", fake.URL)
	return setup{fake, t.TempDir(), fake.AddServiceAccount("proj_1", "checkout").APIKey.ID}
}

func (s setup) rotate(t *testing.T, ctx context.Context, args ...string) (int, string) {
	var out strings.Builder
	args = append([]string{"-project", "proj_1", "-old", s.old, "-name", "checkout-2", "-dir", s.dir}, args...)
	status := run(ctx, args, &out, &out)
	assert.NotContains(t, out.String(), "sk-")
	return status, out.String()
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
	t.Setenv("OPENAI_ADMIN_KEY", "")
	dir := t.TempDir()
	whole := []string{"-project", "proj_1", "-old", "key_1", "-name", "n", "-dir", dir}
	for _, c := range []struct {
		args   []string
		output string
	}{
		{nil, "Usage"},
		{whole[:6], "Usage"},
		{append(whole, "another"), "Usage"},
		{append(whole, "-days", "0"), "Usage"},
		{append(whole, "-overlap", "1.5s"), "Usage"},
		{append(whole, "-overlap", "-1s"), "Usage"},
		{append(whole, "-demo"), "Usage"},
		{whole, "OPENAI_ADMIN_KEY"},
	} {
		var stdout, stderr strings.Builder
		assert.Equal(t, 2, run(t.Context(), c.args, &stdout, &stderr), c.args)
		assert.Contains(t, stderr.String(), c.output, c.args)
		assert.Empty(t, stdout.String(), c.args)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestDemo(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	var stdout, stderr strings.Builder
	assert.Equal(t, 0, run(t.Context(), []string{"-demo"}, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	assert.Regexp(t, `^the new key is key_\w+ of account svc_acct_\w+, expiration: \S+Z\nthe old key key_\w+ expires at \S+Z\n$`, stdout.String())
}

// TestOverlap tests that a second run neither creates a key nor extends the life of the old one.
func TestOverlap(t *testing.T) {
	s := newSetup(t)
	status, out := s.rotate(t, t.Context())
	assert.Equal(t, 0, status, out)
	expires := s.expires(s.old)
	assert.WithinDuration(t, time.Now().Add(time.Hour), expires, time.Minute)
	content, err := os.ReadFile(filepath.Join(s.dir, "checkout-2.json"))
	require.NoError(t, err)
	var key stored
	require.NoError(t, json.Unmarshal(content, &key))
	assert.Regexp(t, `^sk-svcacct-\w+$`, key.Value)
	assert.WithinDuration(t, time.Now().AddDate(0, 0, 90), s.expires(key.Key), 2*time.Hour)

	requests := len(s.Requests())
	status, _ = s.rotate(t, t.Context(), "-overlap", "2h")
	assert.Equal(t, 0, status)
	assert.Equal(t, expires, s.expires(s.old))
	for _, r := range s.Requests()[requests:] {
		assert.Equal(t, "GET", r.Method)
	}
}

func TestNoOverlap(t *testing.T) {
	s := newSetup(t)
	for _, want := range []string{"is deleted\n", "is deleted already\n"} {
		status, out := s.rotate(t, t.Context(), "-overlap", "0")
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
		for step := range 5 { // get old, create, get new, get old, update or delete
			s := newSetup(t)
			s.Inject(orgkeystest.Fault{Skip: step, Status: 403})
			status, out := s.rotate(t, t.Context(), "-overlap", overlap)
			assert.Equal(t, 1, status, out)
			assert.Contains(t, out, "403")
			assert.Zero(t, s.expires(s.old))
			status, out = s.rotate(t, t.Context(), "-overlap", overlap)
			assert.Equal(t, 0, status, out)
			assert.Equal(t, 1, s.KeysCreated())
		}
	}
}

func TestLostResponse(t *testing.T) {
	s := newSetup(t)
	s.Inject(orgkeystest.Fault{Operation: "create-project-service-account", Drop: true, AfterWork: true})
	for range 2 {
		status, _ := s.rotate(t, t.Context())
		assert.Equal(t, 1, status)
	}
	status, out := s.rotate(t, t.Context())
	assert.Equal(t, 1, status)
	assert.Contains(t, out, `delete the account "checkout-2" that it may have created`)
	assert.Equal(t, 1, s.KeysCreated())
	assert.Zero(t, s.expires(s.old))
}

func TestMistakes(t *testing.T) {
	s := newSetup(t)
	wrong := s
	wrong.old = "key_wrong"
	status, out := wrong.rotate(t, t.Context())
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "404")
	assert.Zero(t, s.KeysCreated(), "a wrong id costs no key")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, _ = s.rotate(t, ctx)
	assert.Equal(t, 1, status)
	status, out = s.rotate(t, t.Context(), "-days", "1", "-overlap", "48h")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "before the old one would")
	assert.Zero(t, s.expires(s.old))

	wrong.old = s.AddServiceAccount("proj_1", "other").APIKey.ID
	status, out = wrong.rotate(t, t.Context())
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "the replacement of another key")
}
