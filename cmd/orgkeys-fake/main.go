// Orgkeys-fake serves the fake of the API from package orgkeystest, for tests of programs in any
// language.
//
// Usage:
//
//	orgkeys-fake [flags]
//	orgkeys-fake [flags] -- command [arguments]
//
// With a command, it runs the command with the fake's base URL and admin key in the environment
// variables OPENAI_BASE_URL and OPENAI_ADMIN_KEY, forwards signals to it, and exits with its exit
// status. Without a command, it prints the two variables in a form that a shell can evaluate, and
// serves until it is interrupted.
//
// The admin key is generated at the start. It is printed, since no other server accepts it. The
// flag -h describes all flags, the initial state and the exit statuses.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/internal/command"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// The exit statuses of the program itself. If it runs a command, the command's are returned, too.
const (
	exitOK            = 0
	exitFailure       = 1
	exitUsage         = 2
	exitNotExecutable = 126
	exitNotFound      = 127
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run runs the program and returns its exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fail := func(status int, err error) int {
		_, _ = fmt.Fprintln(stderr, "orgkeys-fake:", err)
		return status
	}
	c, err := parse(args)
	switch {
	case err != nil:
		return fail(exitUsage, fmt.Errorf("%w; see -h", err))
	case c.help != "":
		_, _ = fmt.Fprint(stdout, c.help)
		return exitOK
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	l, err := net.ListenTCP("tcp", c.addr)
	if err != nil {
		return fail(exitFailure, err)
	}
	fake := orgkeystest.NewServer(append(c.options, orgkeystest.WithListener(l))...)
	defer fake.Close()
	seed(fake, c.keys)
	if c.limit.PerMinute > 0 {
		fake.SetRateLimit(c.limit)
	}
	fake.Inject(c.faults...)

	variables := []string{"OPENAI_BASE_URL=" + fake.URL, "OPENAI_ADMIN_KEY=" + fake.AdminKey}
	exports := fmt.Sprintf("export %s\nexport %s\n", variables[0], variables[1])
	if c.env != "" {
		if err := writeEnv(c.env, exports); err != nil {
			return fail(exitFailure, fmt.Errorf("-env: %w", err))
		}
		defer func() { _ = os.Remove(c.env) }()
	}
	status := exitOK
	if len(c.command) > 0 {
		cmd := exec.Command(c.command[0], c.command[1:]...) //nolint:noctx // signals are forwarded to it instead
		cmd.Env = append(os.Environ(), variables...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
		if status, err = command.Run(cmd, signals); err != nil {
			return fail(startStatus(err), err)
		}
	} else {
		_, _ = fmt.Fprintf(stderr, "Serving the fake of the API at %s until interrupted. No other server accepts its admin key.\n\n%s", fake.URL, contents(c.keys))
		if _, err := io.WriteString(stdout, exports); err != nil {
			return fail(exitFailure, err)
		}
		<-signals
	}
	summarize(stderr, fake)
	return status
}

// startStatus returns the status that a shell reports for a command that cannot be started.
func startStatus(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return exitNotFound
	}
	return exitNotExecutable
}

// writeEnv writes a file that only the user can read, and renames it to path when it is complete. It
// does not replace an existing file, which may be anything.
func writeEnv(path, content string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("%s exists; remove it if it is left from an earlier run", path)
		}
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".orgkeys-fake-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// The ids of the initial state. Where the contract has an example, they equal its ids.
const (
	project        = "proj_abc"
	archived       = "proj_archived"
	userKey        = "key_abc"
	accountKey     = "key_production"
	serviceAccount = "svc_acct_abc"
)

// seed adds the initial state, which contents describes.
func seed(fake *orgkeystest.Server, keys int) {
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_abc", Name: new("Nightly audit")})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_xyz"})
	fake.AddAdminKeys(keys)
	fake.AddProjectKey(project, orgkeystest.ProjectKey{ID: userKey, Name: "Checkout service"})
	account := fake.AddServiceAccountOnly(project, orgkeystest.ServiceAccount{ID: serviceAccount, Name: "Production"})
	fake.AddProjectKey(project, orgkeystest.ProjectKey{ID: accountKey, Name: "Secret Key", Owner: gen.ProjectAPIKeyOwner{
		Type: new(gen.ProjectAPIKeyOwnerTypeServiceAccount),
		ServiceAccount: &gen.ProjectAPIKeyOwnerServiceAccount{
			ID: account.ID, Name: account.Name, CreatedAt: account.CreatedAt, Role: string(account.Role),
		},
	}})
	for i := range keys {
		fake.AddProjectKey(project, orgkeystest.ProjectKey{ID: fmt.Sprintf("key_%d", i+1), Name: fmt.Sprintf("key %d", i+1)})
	}
	fake.ArchiveProject(archived)
}

// contents returns a description of the initial state.
func contents(keys int) string {
	more, numbered := "", ""
	if keys > 0 {
		more, numbered = fmt.Sprintf(" and %d more", keys), fmt.Sprintf(", key_1 to key_%d", keys)
	}
	return fmt.Sprintf(`  admin keys                %s, key_xyz%s
  project                   %s
    keys of a user          %s%s
    service account         %s
      its key               %s
  archived project          %s
`, userKey, more, project, userKey, numbered, serviceAccount, accountKey, archived)
}

// summarize reports the requests, violations and unused faults, and counts equal lines.
func summarize(w io.Writer, fake *orgkeystest.Server) {
	_, _ = fmt.Fprintf(w, "orgkeys-fake: requests: %d, keys created: %d\n", len(fake.Requests()), fake.KeysCreated())
	times := map[string]int{}
	var lines []string
	add := func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		if times[line]++; times[line] == 1 {
			lines = append(lines, line)
		}
	}
	for _, r := range fake.Requests() {
		if r.Operation == "" {
			add("not an operation of the fake: %s %s: status %d", r.Method, keyValue.ReplaceAllString(r.Path, "[redacted]"), r.Status)
		}
	}
	for _, v := range fake.Violations() {
		if v.Kind != speccheck.NoSuchOperation {
			add("contract violation: %s", v)
		}
	}
	for _, f := range fake.UnusedFaults() {
		add("fault applied to no request: %s", f)
	}
	for _, line := range lines {
		if n := times[line]; n > 1 {
			line += fmt.Sprintf(" (%d times)", n)
		}
		_, _ = fmt.Fprintln(w, "orgkeys-fake:", line)
	}
}

// keyValue matches the value of a key that a client has sent instead of its id.
var keyValue = regexp.MustCompile(`sk-[^/]*`)
