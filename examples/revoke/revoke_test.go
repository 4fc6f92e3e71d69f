package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/examples/internal/exampletest"
	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const (
	remove  = "delete-project-api-key"
	get     = "retrieve-project-api-key"
	project = "proj_abc"
)

func TestTheDemonstrationShowsARunAndOneThatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		require.Equal(t, 0, run(t.Context(), []string{"-workers", "1"}, nil, &stdout, &stderr, exampletest.NoKey))
		exampletest.Golden(t, "demonstration.txt", clientError.ReplaceAllString(stdout.String(), "orgkeys: …"))
		assert.Contains(t, stderr.String(), "OPENAI_ADMIN_KEY is not set")
		exampletest.HoldsNoKey(t, stdout.String()+stderr.String())
	})
}

// clientError is what the client says, which is not for the examples to hold.
var clientError = regexp.MustCompile(`orgkeys: .*`)

// rig is a fake with keys, the settings of a program that works on it, and a clock that nobody
// waits for.
type rig struct {
	server   *orgkeystest.Server
	client   *orgkeys.Client
	settings settings
	keys     []key
}

func inBubble(t *testing.T, n int, f func(*testing.T, *rig), options ...orgkeys.Option) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{server: orgkeystest.New(t, orgkeystest.InMemory())}
		r.settings = settings{revoke: true, journal: filepath.Join(dir, "journal"), workers: 1}
		r.server.AddProject(project)
		for range n {
			r.keys = append(r.keys, key{project, r.server.AddProjectKey(project, orgkeystest.ProjectKey{Name: "laptop"}).ID})
		}
		var err error
		r.client, err = orgkeys.NewClient(append(options, orgkeys.WithAdminKey(r.server.AdminKey),
			orgkeys.WithBaseURL(r.server.URL), orgkeys.WithHTTPClient(r.server.Client()))...)
		require.NoError(t, err)
		f(t, r)
	})
}

// work runs the program's work and returns the statuses in the order of the keys.
func (r *rig) work(ctx context.Context, t *testing.T) []status {
	t.Helper()
	results, err := r.settings.work(ctx, r.client, r.keys, progress.New(t.Output()))
	require.NoError(t, err)
	statuses := make([]status, len(results))
	for i, result := range results {
		assert.Equal(t, r.keys[i], result.key)
		statuses[i] = result.status
	}
	return statuses
}

// sent returns how many requests the server had for an operation.
func (r *rig) sent(operation string) (n int) {
	for _, request := range r.server.Requests() {
		if request.Operation == operation {
			n++
		}
	}
	return n
}

func TestAKeyIsGoneOnlyIfItIs(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []orgkeystest.Fault
		status status
		left   int // keys
	}{
		{"a revoke that is confirmed", nil, gone, 0},
		{"a revoke whose answer is lost", []orgkeystest.Fault{{AfterWork: true, Drop: true}}, gone, 0},
		{"a revoke that works at the fourth try", []orgkeystest.Fault{{Status: 500, Times: 3}}, gone, 0},
		{"a revoke that is rate limited", []orgkeystest.Fault{{Status: 429, Times: 3}}, gone, 0},
		{"a revoke that never works", []orgkeystest.Fault{{Status: 500, Times: 4}}, unknown, 1},
		{"a revoke that is said not to have been one", []orgkeystest.Fault{
			{Body: `{"object":"organization.project.api_key.deleted","id":"key_1","deleted":false}`}}, unknown, 1},
		{"an admin key that may not", []orgkeystest.Fault{{Status: 403}}, refused, 1},
		{"a request that is refused", []orgkeystest.Fault{{Status: 400}}, refused, 1},
		{"a key that is not found", []orgkeystest.Fault{{Status: 404}}, notFound, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, 1, func(t *testing.T, r *rig) {
				for _, fault := range c.faults {
					fault.Operation = remove
					r.server.Inject(fault)
				}
				assert.Equal(t, []status{c.status}, r.work(t.Context(), t))
				assert.Len(t, r.server.ProjectKeys(project), c.left)

				journal, err := os.ReadFile(r.settings.journal)
				require.NoError(t, err)
				assert.Equal(t, c.status == gone, strings.HasSuffix(string(journal), project+" "+r.keys[0].id+" gone\n"), string(journal))
			})
		})
	}
}

func TestAServiceAccountsKeyIsRefusedAndItsAccountNamed(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, r *rig) {
		made := r.server.AddServiceAccount(project, "Deploy\nrobot")
		r.keys = []key{{project, made.APIKey.ID}}
		results, err := r.settings.work(t.Context(), r.client, r.keys, progress.New(t.Output()))
		require.NoError(t, err)
		want := []result{{r.keys[0], refused, `goes with its account: delete service account ` + made.ID + ` ("Deploy\nrobot")`}}
		assert.Equal(t, want, results)

		r.server.Inject(orgkeystest.Fault{Operation: get, Status: 404})
		results, err = r.settings.work(t.Context(), r.client, r.keys, progress.New(t.Output()))
		require.NoError(t, err)
		assert.Equal(t, refused, results[0].status)
		assert.Contains(t, results[0].note, "belongs to a service account")
	})
}

func TestARunGoesOnWhereAnotherEnded(t *testing.T) {
	inBubble(t, 4, func(t *testing.T, r *rig) {
		r.server.Inject(orgkeystest.Fault{Operation: remove, Skip: 2, Delay: time.Hour})
		ctx, interrupt := context.WithTimeout(t.Context(), time.Second)
		defer interrupt()
		assert.Equal(t, []status{gone, gone, unknown, untried}, r.work(ctx, t))
		assert.Equal(t, 3, r.sent(remove))

		assert.Equal(t, []status{gone, gone, gone, gone}, r.work(t.Context(), t))
		assert.Equal(t, 5, r.sent(remove))
		assert.Equal(t, []status{gone, gone, gone, gone}, r.work(t.Context(), t))
		assert.Equal(t, 5, r.sent(remove), "what is gone was asked for again")
	})
}

func TestAnAnswerThatAnEarlierRunLostIsTold(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, r *rig) {
		r.server.Inject(orgkeystest.Fault{Operation: remove, AfterWork: true, Delay: time.Hour})
		ctx, interrupt := context.WithTimeout(t.Context(), time.Second)
		defer interrupt()
		assert.Equal(t, []status{unknown}, r.work(ctx, t))

		r.keys = append(r.keys, key{project, "key_mistyped"})
		results, err := r.settings.work(t.Context(), r.client, r.keys, progress.New(t.Output()))
		require.NoError(t, err)
		assert.Equal(t, notFound, results[0].status)
		assert.Contains(t, results[0].note, "likely revoked by an earlier run")
		assert.Equal(t, notFound, results[1].status)
		assert.NotContains(t, results[1].note, "likely")
	})
}

// The faults of time are on a bubble's clock, so that how long all took says how many were at
// work at a time.
func TestNoMoreKeysAreWorkedOnAtATimeThanAllowed(t *testing.T) {
	for workers, seconds := range map[int]int{1: 20, 3: 7, 20: 1, 50: 1} {
		inBubble(t, 20, func(t *testing.T, r *rig) {
			r.settings.workers = workers
			r.server.Inject(orgkeystest.Fault{Operation: remove, Times: -1, AfterWork: true, Delay: time.Second})
			start := time.Now()
			assert.NotContains(t, r.work(t.Context(), t), unknown)
			assert.Equal(t, time.Duration(seconds)*time.Second, time.Since(start), "%d workers", workers)
		})
	}
}

func TestThePaceIsTheOneAskedFor(t *testing.T) {
	inBubble(t, 15, func(t *testing.T, r *rig) {
		r.settings.workers = 4
		start := time.Now()
		assert.Equal(t, slices.Repeat([]status{gone}, 15), r.work(t.Context(), t))
		assert.Equal(t, 2*time.Minute, time.Since(start).Round(time.Second))
		assert.Equal(t, 15, r.sent(remove))
	}, orgkeys.WithRateLimit(7))
}

func TestAnAdminKeyThatIsRefusedEndsTheWork(t *testing.T) {
	inBubble(t, 50, func(t *testing.T, r *rig) {
		r.server.Inject(orgkeystest.Fault{Operation: remove, Times: -1, Status: 401})
		want := append([]status{refused}, slices.Repeat([]status{untried}, 49)...)
		assert.Equal(t, want, r.work(t.Context(), t))
		assert.Equal(t, 1, r.sent(remove))
	})
}

// live runs the program on a fake in the place of the live API.
func live(t *testing.T, server *orgkeystest.Server, stdin string, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	exit = run(t.Context(), append([]string{"-per-minute", "60000"}, args...), strings.NewReader(stdin), &out, &log, exampletest.Live(server))
	exampletest.HoldsNoKey(t, out.String()+log.String(), server.AdminKey)
	return exit, out.String(), log.String()
}

func TestWithoutTheFlagNothingIsRevoked(t *testing.T) {
	server := orgkeystest.New(t)
	server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1", Name: "Laptop", LastUsedAt: orgkeys.TimeAt(time.Unix(1711471534, 0))})
	server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_2", Name: "Robot", Owner: gen.ProjectAPIKeyOwner{
		ServiceAccount: &gen.ProjectAPIKeyOwnerServiceAccount{ID: "svc_acct_1", Name: "Deploy", Role: "member"},
	}})
	exit, stdout, _ := live(t, server, project+" key_1\n"+project+" key_2\n", "-")
	assert.Equal(t, 0, exit)
	exampletest.Golden(t, "look.txt", stdout)

	exit, stdout, _ = live(t, server, project+" key_3\n", "-workers", "50", "-")
	assert.Equal(t, 1, exit)
	assert.Contains(t, stdout, "1 keys: 1 not found")
	for _, r := range server.Requests() {
		assert.Equal(t, get, r.Operation)
	}
	assert.NoFileExists(t, "revoke.journal")
}

func TestTheExitStatusSaysWhetherAllIsGone(t *testing.T) {
	server := orgkeystest.New(t)
	server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
	server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_2"})
	dir := t.TempDir()
	file, journal := filepath.Join(dir, "leaked.txt"), filepath.Join(dir, "journal")
	for _, c := range []struct {
		keys string
		exit int
		says string
	}{
		{project + " key_1\n", 0, "1 keys: 1 gone"},
		{project + " key_1\n" + project + " key_2\n" + project + " key_3\n", 1, "3 keys: 2 gone, 1 not found"},
		{project + " key_1\n" + project + " key_2\n", 0, "2 keys: 2 gone"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(c.keys), 0o600))
		exit, stdout, _ := live(t, server, "", "-revoke", "-journal", journal, file)
		assert.Equal(t, c.exit, exit)
		assert.Contains(t, stdout, c.says)
	}
	info, err := os.Stat(journal)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestWhatCantBeginRevokesNothing(t *testing.T) {
	pasted := "sk-proj-" + strings.Repeat("A1", 20)
	for _, c := range []struct {
		name, stdin string
		args        []string
		exit        int
		says        string
	}{
		{"help is no error", "", []string{"-h"}, 0, "usage: revoke"},
		{"an unknown flag", "", []string{"-force", "-"}, 2, "-force"},
		{"no file", "", []string{"-revoke"}, 2, "no file is named"},
		{"two files", "", []string{"-revoke", "a", "b"}, 2, "usage: revoke"},
		{"no workers", "", []string{"-revoke", "-workers", "0", "-"}, 2, "usage: revoke"},
		{"a file that is not there", "", []string{"-revoke", "nowhere.txt"}, 2, "nowhere.txt"},
		{"a journal that can't be", "p k\n", []string{"-revoke", "-journal", "nowhere/journal", "-"}, 2, "nowhere/journal"},
		{"no keys", "# none\n\n", []string{"-revoke", "-"}, 2, "no keys"},
		{"a line that is not two ids", "p k\np\n", []string{"-revoke", "-"}, 2, "line 2"},
		{"a key's value", "p k\np " + pasted + "\n", []string{"-revoke", "-"}, 2, "line 2: has the value of a key"},
		{"a key's value alone", pasted + "\n", []string{"-revoke", "-"}, 2, "line 1: has the value of a key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := orgkeystest.New(t)
			exit, stdout, stderr := live(t, server, c.stdin, c.args...)
			assert.Equal(t, c.exit, exit)
			assert.Contains(t, stderr, c.says)
			assert.Empty(t, stdout)
			assert.Empty(t, server.Requests())
		})
	}
}

func TestAFileHasEachKeyOnceAndComments(t *testing.T) {
	keys, err := readKeys(strings.NewReader("\ufeff# leaked\r\nproj_a key_1\r\n\n  proj_a\tkey_2 # Robin's\nproj_a key_1\nproj_b key_1"))
	require.NoError(t, err)
	assert.Equal(t, []key{{"proj_a", "key_1"}, {"proj_a", "key_2"}, {"proj_b", "key_1"}}, keys)
}

func TestAFileThatBreaksOffIsNoFile(t *testing.T) {
	_, err := readKeys(io.MultiReader(strings.NewReader("proj_a key_1\n"), brokenReader{}))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAJournalLineThatBrokeOffSaysNothing(t *testing.T) {
	whole := "2026-03-01T00:00:00Z proj_a key_1 gone\n2026-03-01T00:00:01Z proj_a key_3 unknown\n2026-03-01T00:00:01Z proj_a key_4 not found\n"
	torn := "2026-03-01T00:00:02Z proj_a key_2 gone"
	for n := range len(torn) + 1 {
		name := filepath.Join(t.TempDir(), "journal")
		require.NoError(t, os.WriteFile(name, []byte(whole+torn[:n]), 0o600))
		j, err := openJournal(name)
		require.NoError(t, err)
		want := map[key]bool{{"proj_a", "key_1"}: true}
		if n == len(torn) {
			want[key{"proj_a", "key_2"}] = true
		}
		assert.Equal(t, want, j.gone)

		j.record(result{key{"proj_a", "key_5"}, gone, ""})
		require.NoError(t, j.Close())
		again, err := openJournal(name)
		require.NoError(t, err)
		assert.True(t, again.gone[key{"proj_a", "key_5"}], "after %q", torn[:n])
		require.NoError(t, again.Close())
	}
}

func TestAJournalThatCantBeWrittenIsTold(t *testing.T) {
	j, err := openJournal(filepath.Join(t.TempDir(), "journal"))
	require.NoError(t, err)
	require.NoError(t, j.f.Close())
	j.record(result{key{"proj_a", "key_1"}, gone, ""})
	require.ErrorIs(t, j.Close(), os.ErrClosed)
}

func TestAnInterruptEndsTheDemonstrationInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()
		var stdout, stderr bytes.Buffer
		require.Equal(t, 0, run(ctx, nil, nil, &stdout, &stderr, exampletest.NoKey))
		assert.Contains(t, stdout.String(), "14 keys: 14 not tried")
		assert.Equal(t, 1, strings.Count(stdout.String(), "STATUS"), "a second run was begun")
	})
}
