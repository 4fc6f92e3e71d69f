package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// leaked writes a file of keys of proj_1, and returns its path.
func leaked(t *testing.T, lines ...string) string {
	file := filepath.Join(t.TempDir(), "leaked")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return file
}

func lines(ids []string) (lines []string) {
	for _, id := range ids {
		lines = append(lines, "proj_1 "+id)
	}
	return lines
}

// journaled returns how many keys have each outcome in the journal.
func journaled(t *testing.T, file string) map[string]int {
	content, err := os.ReadFile(file + ".journal")
	require.NoError(t, err)
	counts := map[string]int{}
	for _, outcome := range []string{"deleted", "not found", "not sent", "failed"} {
		if n := strings.Count(string(content), fmt.Sprintf(`"Outcome":%q`, outcome)); n > 0 {
			counts[outcome] = n
		}
	}
	assert.NotContains(t, string(content), "sk-")
	return counts
}

func revoked(t *testing.T, ctx context.Context, fake *orgkeystest.Server, args ...string) (int, string) {
	t.Setenv("OPENAI_ADMIN_KEY", fake.AdminKey)
	t.Setenv("OPENAI_BASE_URL", fake.URL)
	var out strings.Builder
	status := run(ctx, args, &out, &out)
	assert.NotContains(t, out.String(), fake.AdminKey)
	return status, out.String()
}

func TestArguments(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	file := leaked(t, "proj_1 key_1")
	for _, c := range []struct {
		args   []string
		output string
	}{
		{nil, "Usage"},
		{[]string{"-yes"}, "Usage"},
		{[]string{file, file}, "Usage"},
		{[]string{"-demo", file}, "Usage"},
		{[]string{"-demo", "-yes"}, "Usage"},
		{[]string{"-revoke", "nonexistent"}, "Usage"},
		{[]string{"nonexistent"}, "OPENAI_ADMIN_KEY"},
		{[]string{"-yes", file}, "OPENAI_ADMIN_KEY"},
	} {
		var stdout, stderr strings.Builder
		assert.Equal(t, 2, run(t.Context(), c.args, &stdout, &stderr), c.args)
		assert.Contains(t, stderr.String(), c.output, c.args)
		assert.Empty(t, stdout.String(), c.args)
	}
	assert.NoFileExists(t, file+".journal")
}

func TestBadFile(t *testing.T) {
	fake := orgkeystest.New(t)
	value := "sk-proj-" + strings.Repeat("a", 40)
	for _, file := range []string{
		"nonexistent", leaked(t), leaked(t, "key_1"), leaked(t, "proj_1 key_1", "", "proj_1 key_2"), leaked(t, "proj_1 "+value),
	} {
		status, out := revoked(t, t.Context(), fake, "-yes", file)
		assert.Equal(t, 2, status)
		assert.Contains(t, out, filepath.Base(file))
		assert.NotContains(t, out, value)
		assert.NoFileExists(t, file+".journal")
	}
	assert.Empty(t, fake.Requests())
}

func TestWithoutYes(t *testing.T) {
	fake := orgkeystest.New(t)
	file := leaked(t, lines(fake.AddProjectKeys("proj_1", 2))...)
	status, out := revoked(t, t.Context(), fake, file)
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "would delete 2 keys")
	assert.Empty(t, fake.Requests())
	assert.NoFileExists(t, file+".journal")
}

func TestOutcomes(t *testing.T) {
	fake := orgkeystest.New(t)
	ids := fake.AddProjectKeys("proj_1", 3)
	file := leaked(t, append(lines(ids), "proj_1 "+ids[0], "proj_1 key_unknown", "proj_1 ../key")...)
	status, out := revoked(t, t.Context(), fake, "-yes", file)
	assert.Equal(t, 1, status, out)
	assert.Equal(t, map[string]int{"deleted": 3, "not found": 1, "not sent": 1}, journaled(t, file))
	assert.Empty(t, fake.ProjectKeys("proj_1"))

	// A second run sends what is not recorded as deleted.
	requests := len(fake.Requests())
	status, out = revoked(t, t.Context(), fake, "-yes", file)
	assert.Equal(t, 1, status, out)
	assert.Len(t, fake.Requests(), requests+1)
	assert.Equal(t, map[string]int{"deleted": 3, "not found": 2, "not sent": 2}, journaled(t, file))
}

func TestInterrupt(t *testing.T) {
	fake := orgkeystest.New(t)
	file := leaked(t, lines(fake.AddProjectKeys("proj_1", 20))...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, out := revoked(t, ctx, fake, "-yes", file)
	assert.Equal(t, 1, status, out)
	assert.Equal(t, map[string]int{"not sent": 20}, journaled(t, file))
	require.NoError(t, os.WriteFile(file+".journal", []byte(`{"Project":"proj_1","Key":"cut sho`), 0o600))
	fake.Inject(orgkeystest.Fault{Operation: "delete-project-api-key", Status: 500, AfterWork: true})
	for range 2 { // the first of these runs deletes the keys, and the second one has nothing to do
		status, out = revoked(t, t.Context(), fake, "-yes", file)
		assert.Equal(t, 0, status, out)
		assert.Empty(t, fake.ProjectKeys("proj_1"))
		assert.Len(t, fake.Requests(), 20+1, "one is retried")
	}
}

// TestRateLimit tests in virtual time that no call is lost, and that the limit is shown.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithRateLimit(8))
		client, err := orgkeys.NewClient(orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL), orgkeys.WithHTTPClient(fake.Client()))
		require.NoError(t, err)
		file := leaked(t, lines(fake.AddProjectKeys("proj_1", 100))...)
		var out strings.Builder
		remaining, err := revoke(t.Context(), client, file, true, &out)
		require.NoError(t, err)
		assert.Zero(t, remaining)
		assert.Equal(t, map[string]int{"deleted": 100}, journaled(t, file))
		assert.Regexp(t, `map\[deleted:\d+\] of 100, \d+ waiting, [5-9]\.\d a minute, next turn in [1-9]`, out.String())
	})
}

func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a rate limit")
	}
	t.Setenv("OPENAI_ADMIN_KEY", "")
	var stdout, stderr strings.Builder
	assert.Equal(t, 0, run(t.Context(), []string{"-demo"}, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	assert.Contains(t, stdout.String(), "map[deleted:310] of 310\n")
}
