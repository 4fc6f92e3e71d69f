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

	"github.com/orgkeys/orgkeys-go/internal/exampletest"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func TestMain(m *testing.M) { exampletest.Main(m, run) }

// leaked writes a file, and returns its path.
func leaked(t *testing.T, lines ...string) string {
	file := filepath.Join(t.TempDir(), "leaked")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return file
}

// lines returns the lines of keys of proj_1.
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

func TestArguments(t *testing.T) {
	file := leaked(t, "proj_1 key_1")
	for _, c := range []struct {
		args   []string
		stderr string
	}{
		{nil, "usage"},
		{[]string{"-yes"}, "usage"},
		{[]string{file, file}, "usage"},
		{[]string{"-demo", file}, "usage"},
		{[]string{"-demo", "-yes"}, "usage"},
		{[]string{"-revoke", "nonexistent"}, "usage"},
		{[]string{"nonexistent"}, "OPENAI_ADMIN_KEY"},
		{[]string{file}, "OPENAI_ADMIN_KEY"},
		{[]string{"-yes", file}, "OPENAI_ADMIN_KEY"},
	} {
		status, stdout, stderr := exampletest.Command(t, nil, c.args...)
		assert.Equal(t, 2, status, c.args)
		assert.Contains(t, stderr, c.stderr, c.args)
		assert.Empty(t, stdout, c.args)
	}
	assert.NoFileExists(t, file+".journal")
	status, _, stderr := exampletest.Command(t, nil, "-h")
	assert.Equal(t, 0, status)
	assert.Contains(t, stderr, "usage: revoke [-yes] FILE")
}

func TestFile(t *testing.T) {
	fake := orgkeystest.New(t)
	value := "sk-proj-" + strings.Repeat("a", 40)
	for _, file := range []string{
		"nonexistent", t.TempDir(), leaked(t), leaked(t, "# proj_1 key_1", ""), leaked(t, "key_1"),
		leaked(t, "proj_1 key_1", "proj_1 key_2 key_3"), leaked(t, "proj_1 "+value),
	} {
		status, stdout, stderr := exampletest.Command(t, fake, "-yes", file)
		assert.Equal(t, 2, status)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, filepath.Base(file))
		assert.NotContains(t, stderr, value)
		assert.NoFileExists(t, file+".journal")
	}
	assert.Empty(t, fake.Requests())

	keys, err := readKeys(leaked(t, "# a comment\r", "proj_1 key_1\r", "", "\tproj_2  key_1 # sk-1", "proj_1 key_1"))
	require.NoError(t, err)
	assert.Equal(t, []key{{"proj_1", "key_1"}, {"proj_2", "key_1"}}, keys)
}

func TestWithoutYes(t *testing.T) {
	fake := orgkeystest.New(t)
	file := leaked(t, lines(fake.AddProjectKeys("proj_1", 2))...)
	status, _, stderr := exampletest.Command(t, fake, file)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "would delete 2 keys")
	assert.Empty(t, fake.Requests())
	assert.NoFileExists(t, file+".journal")
}

func TestOutcomes(t *testing.T) {
	fake := orgkeystest.New(t)
	ids := fake.AddProjectKeys("proj_1", 3)
	file := leaked(t, append(lines(ids), "proj_1 "+ids[0], "proj_1 key_unknown", "proj_1 ../key")...)
	status, _, stderr := exampletest.Command(t, fake, "-yes", file)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "2 of 5 keys are not known to be deleted")
	assert.Equal(t, map[string]int{"deleted": 3, "not found": 1, "not sent": 1}, journaled(t, file))
	assert.Empty(t, fake.ProjectKeys("proj_1"))

	// A second run repeats the deletes that are not recorded as successful.
	requests := len(fake.Requests())
	status, _, _ = exampletest.Command(t, fake, "-yes", file)
	assert.Equal(t, 1, status)
	assert.Len(t, fake.Requests(), requests+1)
	assert.Equal(t, map[string]int{"deleted": 3, "not found": 2, "not sent": 2}, journaled(t, file))
}

// TestResume tests that runs after an interrupt delete the remaining keys, even if a crash has truncated
// the journal.
func TestResume(t *testing.T) {
	fake := orgkeystest.New(t)
	client, err := orgkeys.NewClient(orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL))
	require.NoError(t, err)
	file := leaked(t, lines(fake.AddProjectKeys("proj_1", 20))...)
	keys, err := readKeys(file)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorContains(t, revoke(ctx, client, keys, file+".journal"), "20 of 20 keys are not known to be deleted")
	assert.Equal(t, map[string]int{"not sent": 20}, journaled(t, file))

	require.NoError(t, os.WriteFile(file+".journal", []byte(`{"Project":"proj_1","Key":"cut sho`), 0o600))
	fake.Inject(orgkeystest.Fault{Operation: "delete-project-api-key", Status: 500, AfterWork: true})
	for range 2 { // the first of these runs deletes the keys, and the second one has nothing to do
		status, _, stderr := exampletest.Command(t, fake, "-yes", file)
		assert.Equal(t, 0, status, stderr)
		assert.Empty(t, fake.ProjectKeys("proj_1"))
		assert.Len(t, fake.Requests(), 20+1, "one is retried")
	}
	assert.Equal(t, map[string]int{"deleted": 20}, journaled(t, file))
}

// TestUnwritableJournal_DeletesNothing tests that no key is deleted if the journal cannot be written.
func TestUnwritableJournal_DeletesNothing(t *testing.T) {
	fake := orgkeystest.New(t)
	file := leaked(t, lines(fake.AddProjectKeys("proj_1", 2))...)
	require.NoError(t, os.Mkdir(file+".journal", 0o700))
	status, _, stderr := exampletest.Command(t, fake, "-yes", file)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "leaked.journal")
	assert.Empty(t, fake.Requests())
}

// TestRateLimit tests in virtual time that all keys are deleted despite a rate limit.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithRateLimit(8))
		client, err := orgkeys.NewClient(orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL), orgkeys.WithHTTPClient(fake.Client()))
		require.NoError(t, err)
		file := leaked(t, lines(fake.AddProjectKeys("proj_1", 100))...)
		keys, err := readKeys(file)
		require.NoError(t, err)
		require.NoError(t, revoke(t.Context(), client, keys, file+".journal"))
		assert.Equal(t, map[string]int{"deleted": 100}, journaled(t, file))
	})
}

func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a rate limit")
	}
	status, stdout, stderr := exampletest.Command(t, nil, "-demo")
	assert.Equal(t, 0, status, stderr)
	assert.Equal(t, 32, strings.Count(stdout, " deleted"))
	assert.Contains(t, stdout, "a minute, next in ")
}
