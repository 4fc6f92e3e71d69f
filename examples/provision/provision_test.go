package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/examples/internal/exampletest"
	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const (
	create  = "create-project-service-account"
	list    = "list-project-service-accounts"
	project = "proj_abc"
)

func TestTheDemonstrationShowsALostAnswerAndARunAfterIt(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		require.Equal(t, 0, run(t.Context(), []string{"-dir", dir}, &stdout, &stderr, exampletest.NoKey))
		exampletest.Golden(t, "demonstration.txt", stdout.String())
		assert.Contains(t, stderr.String(), "OPENAI_ADMIN_KEY is not set")
		secrets := kept(t, dir)
		assert.Len(t, secrets, 2)
		exampletest.HoldsNoKey(t, stdout.String()+stderr.String(), secrets["development.key"], secrets["production.key"])
	})
}

// kept returns the files in dir by name, and holds that only their owner can read them.
func kept(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode())
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		files[entry.Name()] = string(content)
	}
	return files
}

// column parts the cells of a table.
var column = regexp.MustCompile(`\s{2,}`)

func TestEachEnvironmentHasOneAccountWithASecretOrAReport(t *testing.T) {
	for _, c := range []struct {
		name     string
		flags    []string
		accounts []string // there before
		files    []string // there before
		faults   []orgkeystest.Fault
		exit     int
		status   string
		named    bool // the report names an account
		creates  int
		minted   int
		after    []string // the files there after
	}{
		{name: "what is missing is only said", status: "missing"},
		{name: "what is missing is created", flags: []string{"-create"},
			status: "created", named: true, creates: 1, minted: 1, after: []string{"prod.key"}},
		{name: "what exists is left alone", flags: []string{"-create"}, accounts: []string{"prod"}, files: []string{"prod.key"},
			status: "exists", named: true, after: []string{"prod.key"}},
		{name: "an account of another name is none", flags: []string{"-create"}, accounts: []string{"production"},
			status: "created", named: true, creates: 1, minted: 1, after: []string{"prod.key"}},
		{name: "an account whose secret nobody has is reported", flags: []string{"-create"}, accounts: []string{"prod"},
			exit: 1, status: "no secret", named: true},
		{name: "a secret without an account is in the way", flags: []string{"-create"}, files: []string{"prod.key"},
			exit: 1, status: "failed", after: []string{"prod.key"}},
		{name: "another run's draft is in the way", flags: []string{"-create"}, files: []string{"prod.key.new"},
			exit: 1, status: "failed", after: []string{"prod.key.new"}},
		{name: "an account whose answer is lost is named", flags: []string{"-create"},
			faults: []orgkeystest.Fault{{Operation: create, AfterWork: true, Drop: true}},
			exit:   1, status: "orphaned", named: true, creates: 1, minted: 1},
		{name: "an account whose answer is cut short is named", flags: []string{"-create"},
			faults: []orgkeystest.Fault{{Operation: create, TruncateAt: new(40)}},
			exit:   1, status: "orphaned", named: true, creates: 1, minted: 1},
		{name: "a server error without an account is looked into", flags: []string{"-create"},
			faults: []orgkeystest.Fault{{Operation: create, Status: 500}},
			exit:   1, status: "not found", creates: 1},
		{name: "a lost answer that can't be looked into is unknown", flags: []string{"-create"},
			faults: []orgkeystest.Fault{{Operation: create, AfterWork: true, Drop: true}, {Operation: list, Skip: 1, Status: 403}},
			exit:   1, status: "unknown", creates: 1, minted: 1},
		{name: "a refusal leaves nothing behind", flags: []string{"-create"},
			faults: []orgkeystest.Fault{{Operation: create, Status: 403}},
			exit:   1, status: "failed", creates: 1},
		{name: "nothing is created where it is unknown what exists", flags: []string{"-create"},
			faults: []orgkeystest.Fault{{Operation: list, Status: 401}},
			exit:   2},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := orgkeystest.New(t)
			server.AddProject(project)
			for _, name := range c.accounts {
				server.AddServiceAccount(project, name)
			}
			dir := t.TempDir()
			for _, name := range c.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("of an earlier run"), 0o600))
			}
			server.Inject(c.faults...)

			var stdout, stderr bytes.Buffer
			args := append([]string{"-project", project, "-dir", dir, "-per-minute", "60000"}, c.flags...)
			exit := run(t.Context(), append(args, "prod"), &stdout, &stderr, exampletest.Live(server))

			assert.Equal(t, c.exit, exit, stderr.String())
			assert.Equal(t, c.minted, server.KeysCreated())
			creates := 0
			for _, r := range server.Requests() {
				if r.Operation == create {
					creates++
				}
			}
			assert.Equal(t, c.creates, creates)
			files := kept(t, dir)
			assert.Len(t, files, len(c.after))
			for _, name := range c.after {
				require.Contains(t, files, name)
				exampletest.HoldsNoKey(t, stdout.String()+stderr.String(), files[name])
			}
			if c.status == "created" {
				assert.Regexp(t, `^sk-svcacct-\w+$`, files["prod.key"])
			}
			if c.status == "" {
				assert.Empty(t, stdout.String())
				return
			}
			lines := strings.Split(stdout.String(), "\n")
			require.Len(t, lines, 3, stdout.String())
			cells := column.Split(lines[1], -1)
			assert.Equal(t, []string{"prod", c.status}, cells[:2])
			if c.named {
				all := server.ServiceAccounts(project)
				assert.Equal(t, all[len(all)-1].ID, cells[2])
			} else {
				assert.Equal(t, "-", cells[2])
			}
		})
	}
}

func TestACommandLineThatCantBeRightBeginsNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		exit int
		says string
	}{
		{"help is no error", []string{"-h"}, 0, "usage: provision"},
		{"an unknown flag", []string{"-force"}, 2, "-force"},
		{"no project", []string{"-dir", ".", "prod"}, 2, "-project is missing"},
		{"no directory", []string{"-project", project, "prod"}, 2, "-dir is missing"},
		{"a directory that is not there", []string{"-project", project, "-dir", "nowhere", "prod"}, 2, "nowhere"},
		{"no environment", []string{"-project", project, "-dir", "."}, 2, "no environment"},
		{"an environment twice", []string{"-project", project, "-dir", ".", "prod", "prod"}, 2, "named twice"},
		{"an environment that is a path", []string{"-project", project, "-dir", ".", "../prod"}, 2, "lower case"},
		{"a pace of nothing", []string{"-project", project, "-dir", ".", "-per-minute", "0", "prod"}, 2, "rate limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := orgkeystest.New(t)
			var stdout, stderr bytes.Buffer
			assert.Equal(t, c.exit, run(t.Context(), c.args, &stdout, &stderr, exampletest.Live(server)))
			assert.Contains(t, stderr.String(), c.says)
			assert.Empty(t, server.Requests())
		})
	}
}

// inBubble runs f with a provisioner that works on a fake, both on a clock that nobody waits for.
func inBubble(t *testing.T, secrets sink, f func(*testing.T, *orgkeystest.Server, *provisioner)) {
	synctest.Test(t, func(t *testing.T) {
		server := orgkeystest.New(t, orgkeystest.InMemory())
		server.AddProject(project)
		client, err := orgkeys.NewClient(orgkeys.WithAdminKey(server.AdminKey),
			orgkeys.WithBaseURL(server.URL), orgkeys.WithHTTPClient(server.Client()))
		require.NoError(t, err)
		f(t, server, &provisioner{client: client, project: project, secrets: secrets, create: true, meter: progress.New(t.Output())})
	})
}

// memory is a sink whose Keep first calls beforeKeep, and fails where broken is set.
type memory struct {
	beforeKeep func()
	broken     error
	kept       map[string]orgkeys.Secret
}

func (m *memory) Holds(_ context.Context, environment string) (bool, error) {
	_, ok := m.kept[environment]
	return ok, nil
}

func (m *memory) Reserve(_ context.Context, environment string) (place, error) {
	return cell{m, environment}, nil
}

type cell struct {
	*memory
	environment string
}

func (c cell) Keep(ctx context.Context, secret orgkeys.Secret) error {
	if c.beforeKeep != nil {
		c.beforeKeep()
	}
	if err := errors.Join(c.broken, ctx.Err()); err != nil {
		return err
	}
	c.kept[c.environment] = secret
	return nil
}

func (c cell) Release(context.Context) error { return nil }

func TestAnAccountWhoseSecretCantBeKeptIsNamed(t *testing.T) {
	inBubble(t, &memory{broken: errors.New("disk full")}, func(t *testing.T, server *orgkeystest.Server, p *provisioner) {
		outcomes, err := p.all(t.Context(), []string{"prod"})
		require.NoError(t, err)
		assert.Equal(t, []outcome{{"prod", lost, []string{server.ServiceAccounts(project)[0].ID}}}, outcomes)
	})
}

func TestACreateThatIsRateLimitedIsWaitedOut(t *testing.T) {
	secrets := &memory{kept: make(map[string]orgkeys.Secret)}
	inBubble(t, secrets, func(t *testing.T, server *orgkeystest.Server, p *provisioner) {
		server.Inject(orgkeystest.Fault{Operation: create, Status: 429, Times: 2})
		outcomes, err := p.all(t.Context(), []string{"prod"})
		require.NoError(t, err)
		assert.Equal(t, created, outcomes[0].status)
		assert.Equal(t, 1, server.KeysCreated())
	})
}

func TestAnInterruptIsNotTheEndOfTheReport(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  orgkeystest.Fault // of the create that is at work when the interrupt comes
		status status
		minted int
	}{
		{"what was made is found", orgkeystest.Fault{Operation: create, AfterWork: true, Delay: time.Hour}, orphaned, 1},
		{"what was not made is not", orgkeystest.Fault{Operation: create, Delay: time.Hour, Status: 500}, notFound, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, &memory{}, func(t *testing.T, server *orgkeystest.Server, p *provisioner) {
				server.Inject(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				outcomes, err := p.all(ctx, []string{"staging", "prod"})
				require.NoError(t, err)
				assert.Equal(t, c.status, outcomes[0].status)
				assert.Equal(t, outcome{environment: "prod", status: untried}, outcomes[1])
				assert.Equal(t, c.minted, server.KeysCreated())
				assert.Len(t, outcomes[0].accounts, c.minted)
			})
		})
	}
}

func TestAnInterruptDoesNotPartAnAccountFromItsSecret(t *testing.T) {
	secrets := &memory{kept: make(map[string]orgkeys.Secret)}
	inBubble(t, secrets, func(t *testing.T, _ *orgkeystest.Server, p *provisioner) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		secrets.beforeKeep = cancel // a Ctrl-C between the two
		outcomes, err := p.all(ctx, []string{"staging", "prod"})
		require.NoError(t, err)
		assert.Equal(t, created, outcomes[0].status)
		assert.Equal(t, untried, outcomes[1].status)
		assert.Len(t, secrets.kept, 1)
	})
}

func TestEveryStatusThatIsNotWellSaysWhatToDo(t *testing.T) {
	for _, s := range []status{keyless, orphaned, notFound, unknown, lost, failed, untried} {
		assert.False(t, s.isWell(), s)
		assert.NotEmpty(t, s.advice(), s)
	}
}

func TestTwoRunsCantReserveTheSamePlace(t *testing.T) {
	dir, err := openDirectory(t.TempDir())
	require.NoError(t, err)
	defer dir.Close()
	first, err := dir.Reserve(t.Context(), "prod")
	require.NoError(t, err)
	_, err = dir.Reserve(t.Context(), "prod")
	require.ErrorContains(t, err, "another run is at work")

	require.NoError(t, first.Release(t.Context()))
	again, err := dir.Reserve(t.Context(), "prod")
	require.NoError(t, err)
	require.NoError(t, again.Release(t.Context()))

	// Another run may have kept its secret after this one has looked for it.
	require.NoError(t, dir.root.WriteFile("prod.key", nil, 0o600))
	_, err = dir.Reserve(t.Context(), "prod")
	require.ErrorContains(t, err, "prod.key is there already")
	held, err := dir.Holds(t.Context(), "prod")
	require.NoError(t, err)
	assert.True(t, held)
	_, err = dir.root.Stat("prod.key.new")
	require.ErrorIs(t, err, fs.ErrNotExist, "the draft stayed")
}

func TestAnInterruptEndsTheDemonstrationInOrder(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		// The pace of the demonstration is 10 ms.
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Millisecond, interrupt)
		var stdout, stderr bytes.Buffer
		require.Equal(t, 0, run(ctx, []string{"-dir", dir}, &stdout, &stderr, exampletest.NoKey))
		exampletest.Golden(t, "interrupted.txt", stdout.String())
		assert.Len(t, kept(t, dir), 1)
	})
}
