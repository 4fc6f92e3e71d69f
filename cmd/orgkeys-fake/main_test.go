package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const asProgram = "ORGKEYS_FAKE_TEST_AS_PROGRAM"

// TestMain makes the test's own binary the program under test and, if the first argument is
// "child", the command that the program runs.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 2 && os.Args[1] == "child":
		os.Exit(child(os.Args[2]))
	case os.Getenv(asProgram) != "":
		main()
	default:
		os.Exit(m.Run())
	}
}

// child runs the command that a test passes to the program.
func child(what string) int {
	switch what {
	case "list": // requests the admin keys; the exit status is 40 if the fake refuses
		status, body, err := request(http.MethodGet, os.Getenv("OPENAI_BASE_URL"), os.Getenv("OPENAI_ADMIN_KEY"), "/organization/admin_api_keys")
		fmt.Println(status, body, err)
		fmt.Fprintln(os.Stderr, "to standard error")
		if status != http.StatusOK {
			return 40
		}
		return 0
	case "echo": // copies standard input
		_, _ = io.Copy(os.Stdout, os.Stdin)
		return 7
	case "wait": // exits when it receives a signal
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		fmt.Println("ready")
		fmt.Println(<-signals)
		return 9
	case "hang": // runs until a signal ends it
		r, _, _ := os.Pipe()
		fmt.Println("ready")
		_, _ = r.Read(make([]byte, 1))
	}
	return 1
}

func request(method, baseURL, adminKey, path string) (status int, body string, err error) {
	r, err := http.NewRequest(method, baseURL+path, strings.NewReader(`{"name":"ci","scopes":[]}`))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// withChild returns the program with a command.
func withChild(t *testing.T, what string, flags ...string) *exec.Cmd {
	t.Helper()
	return program(t, append(flags, "--", os.Args[0], "child", what)...)
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return exit.ExitCode()
}

// start starts the program without a command and returns the two variables.
func start(t *testing.T, cmd *exec.Cmd) (baseURL, adminKey string, rest io.Reader) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	for _, variable := range []struct {
		name  string
		value *string
	}{{"OPENAI_BASE_URL", &baseURL}, {"OPENAI_ADMIN_KEY", &adminKey}} {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		value, ok := strings.CutPrefix(line, "export "+variable.name+"=")
		require.True(t, ok, line)
		*variable.value = strings.TrimSpace(value)
		require.Regexp(t, `^[\w:/.-]+$`, *variable.value, "no shell needs quotes for it")
	}
	return baseURL, adminKey, lines
}

func interrupt(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be interrupted")
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
}

func TestWithoutCommand_ServesUntilInterrupted(t *testing.T) {
	cmd := program(t, "-rate-limit", "1")
	var notes strings.Builder
	cmd.Stderr = &notes
	baseURL, adminKey, rest := start(t, cmd)
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/v1$`, baseURL)

	status, body, err := request(http.MethodGet, baseURL, adminKey, "/organization/admin_api_keys")
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.Contains(t, body, `"key_abc"`)
	status, _, err = request(http.MethodGet, baseURL, adminKey, "/organization/admin_api_keys")
	require.NoError(t, err)
	assert.Equal(t, 429, status, "the limit is set")
	for _, path := range []string{"/organization/users", "/organization/users", "/organization/projects/p/users/" + adminKey} {
		status, _, err = request(http.MethodGet, baseURL, adminKey, path)
		require.NoError(t, err)
		assert.Equal(t, 501, status)
	}

	interrupt(t, cmd)
	remaining, err := io.ReadAll(rest)
	require.NoError(t, err)
	assert.Empty(t, remaining, "a shell evaluates nothing else")
	require.NoError(t, cmd.Wait())
	assert.Contains(t, notes.String(), "svc_acct_abc")
	assert.Contains(t, notes.String(), `orgkeys-fake: requests: 5, keys created: 0
orgkeys-fake: not an operation of the fake: GET /v1/organization/users: status 501 (2 times)
orgkeys-fake: not an operation of the fake: GET /v1/organization/projects/p/users/[redacted]: status 501
`)
	assert.NotContains(t, notes.String(), adminKey)
}

// The keys, accounts and projects in the examples of the contract exist.
func TestInitialState_HasTheIDsOfTheContractsExamples(t *testing.T) {
	cmd := program(t, "-keys", "3")
	baseURL, adminKey, _ := start(t, cmd)
	for _, c := range []struct{ method, path string }{
		{"GET", "/organization/admin_api_keys?after=key_abc&order=desc&limit=50"},
		{"POST", "/organization/admin_api_keys"},
		{"GET", "/organization/projects/proj_abc/api_keys/key_abc"},
		{"POST", "/organization/projects/proj_abc/api_keys/key_abc"},
		{"DELETE", "/organization/projects/proj_abc/api_keys/key_abc"},
		{"GET", "/organization/projects/proj_abc/service_accounts?after=svc_acct_abc&limit=50"},
		{"POST", "/organization/projects/proj_abc/service_accounts"},
		{"DELETE", "/organization/projects/proj_abc/api_keys/key_production"},
		{"DELETE", "/organization/projects/proj_abc/api_keys/key_1"},
		{"DELETE", "/organization/projects/proj_abc/api_keys/key_3"},
	} {
		status, body, err := request(c.method, baseURL, adminKey, c.path)
		require.NoError(t, err)
		assert.Equal(t, 200, status, "%s %s: %s", c.method, c.path, body)
	}
	status, _, err := request("DELETE", baseURL, adminKey, "/organization/projects/proj_abc/api_keys/key_4")
	require.NoError(t, err)
	assert.Equal(t, 404, status)
	_, body, err := request("GET", baseURL, adminKey, "/organization/admin_api_keys")
	require.NoError(t, err)
	assert.Equal(t, 2+3+1, strings.Count(body, `"redacted_value"`))
	status, _, err = request("GET", baseURL, adminKey, "/organization/projects/proj_archived/service_accounts")
	require.NoError(t, err)
	assert.Equal(t, 400, status)
	interrupt(t, cmd)
	require.NoError(t, cmd.Wait())
}

func TestEnv_IsWrittenOnceRequestsAreAccepted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fake.env")
	cmd := program(t, "-env", file)
	baseURL, adminKey, _ := start(t, cmd)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "export OPENAI_BASE_URL="+baseURL+"\nexport OPENAI_ADMIN_KEY="+adminKey+"\n", string(text))
	if sh, err := exec.LookPath("sh"); err == nil {
		out, err := exec.CommandContext(t.Context(), sh, "-c", `. "$0" && printf %s "$OPENAI_BASE_URL $OPENAI_ADMIN_KEY"`, file).Output()
		require.NoError(t, err)
		assert.Equal(t, baseURL+" "+adminKey, string(out))
	}
	if info, err := os.Stat(file); assert.NoError(t, err) && runtime.GOOS != "windows" {
		assert.Equal(t, os.FileMode(0o600), info.Mode())
	}

	second := program(t, "-env", file)
	out, err := second.CombinedOutput()
	assert.Equal(t, 1, exitCode(t, err))
	assert.Contains(t, string(out), "exists; remove it")
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, text, after, "a file that exists stays as it is")

	interrupt(t, cmd)
	require.NoError(t, cmd.Wait())
	entries, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	assert.Empty(t, entries, "it is removed at the end")
}

func TestWithCommand_SetsTheVariablesAndReturnsTheStatus(t *testing.T) {
	const fault = "admin-api-keys-list:503"
	cases := map[string]struct {
		flags  []string
		status int
		stdout string
		stderr []string // after what the command itself prints
	}{
		"success":          {nil, 0, "200 ", []string{"requests: 1, keys created: 0"}},
		"failure":          {[]string{"-fault", fault}, 40, "503 ", []string{"requests: 1, keys created: 0"}},
		"an unused fault":  {[]string{"-fault", fault + ",skip=1"}, 0, "200 ", []string{"requests: 1, keys created: 0", "fault applied to no request: {Operation: admin-api-keys-list, Skip: 1, Status: 503}"}},
		"an older server":  {[]string{"-older"}, 0, `"redacted_value"`, []string{"requests: 1, keys created: 0"}},
		"a sliding window": {[]string{"-rate-limit", "1", "-rate-limit-window", "sliding", "-retry-after"}, 0, "200 ", []string{"requests: 1, keys created: 0"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := withChild(t, "list", c.flags...)
			cmd.Env = append(cmd.Env, "OPENAI_BASE_URL=https://api.example.com/v1", "OPENAI_ADMIN_KEY=none")
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			assert.Equal(t, c.status, exitCode(t, cmd.Run()))
			assert.Contains(t, stdout.String(), c.stdout)
			assert.NotContains(t, stdout.String(), "export", "only the command prints")
			if name == "an older server" {
				assert.NotContains(t, stdout.String(), "expires_at")
			}
			want := "to standard error\n"
			for _, line := range c.stderr {
				want += "orgkeys-fake: " + line + "\n"
			}
			assert.Equal(t, want, stderr.String())
		})
	}
}

func TestWithCommand_PassesStandardInput(t *testing.T) {
	cmd := withChild(t, "echo")
	cmd.Stdin = strings.NewReader("hello")
	out, err := cmd.Output()
	assert.Equal(t, 7, exitCode(t, err))
	assert.Equal(t, "hello", string(out))
}

func TestWithCommand_ForwardsSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals")
	}
	cases := map[string]struct {
		child  string
		signal syscall.Signal
		status int
	}{
		"interrupt":            {"wait", syscall.SIGINT, 9},
		"terminate":            {"wait", syscall.SIGTERM, 9},
		"hang up":              {"wait", syscall.SIGHUP, 9},
		"ended by the signal":  {"hang", syscall.SIGTERM, 128 + 15},
		"ended by a interrupt": {"hang", syscall.SIGINT, 128 + 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := withChild(t, c.child)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewReader(out)
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "ready\n", line)
			require.NoError(t, cmd.Process.Signal(c.signal))
			rest, err := io.ReadAll(lines)
			require.NoError(t, err)
			if c.child == "wait" {
				assert.Equal(t, c.signal.String()+"\n", string(rest))
			}
			assert.Equal(t, c.status, exitCode(t, cmd.Wait()))
		})
	}
}

func TestWithCommand_ThatCannotBeRun(t *testing.T) {
	notExecutable := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(notExecutable, []byte("text"), 0o600))
	for command, status := range map[string]int{
		"orgkeys-no-such-command":                  127,
		filepath.Join(t.TempDir(), "no-such-file"): 127,
		notExecutable:                              126,
	} {
		if runtime.GOOS == "windows" && status == 126 {
			continue
		}
		env := filepath.Join(t.TempDir(), "fake.env")
		out, err := program(t, "-env", env, "--", command).CombinedOutput()
		assert.Equal(t, status, exitCode(t, err), command)
		assert.Contains(t, string(out), "orgkeys-fake: ")
		assert.NoFileExists(t, env)
	}
}

func TestInvalidFlags_ExitWith2(t *testing.T) {
	out, err := program(t, "-fault", "delete-project-api-key").CombinedOutput()
	assert.Equal(t, 2, exitCode(t, err))
	assert.Regexp(t, `^orgkeys-fake: .*OPERATION:ITEM.*see -h\n$`, string(out))
}

func TestHelp(t *testing.T) {
	out, err := program(t, "-h").Output()
	require.NoError(t, err)
	for _, part := range []string{
		"-addr", "-env", "-fault", "-keys", "-max-key-lifetime", "-older", "-rate-limit", "-rate-limit-window", "-retry-after",
		"OPENAI_BASE_URL", "OPENAI_ADMIN_KEY", "interrupted", "no other server accepts it", "svc_acct_abc", "proj_archived",
	} {
		assert.Contains(t, string(out), part)
	}
	assert.NotContains(t, string(out), "%!")
	for _, item := range []string{"drop", "reset", "truncate=N", "stall=N", "after", "delay=D", "retry-after=N", "times=N", "skip=N", "chance=P"} {
		assert.Contains(t, string(out), "\n  "+item+" ")
	}
}

func TestStandardOutput_FailureIsAnError(t *testing.T) {
	broken, w := io.Pipe()
	require.NoError(t, broken.Close())
	var stderr strings.Builder
	assert.Equal(t, 1, run(nil, nil, w, &stderr))
	assert.Contains(t, stderr.String(), io.ErrClosedPipe.Error())
}

func TestAddress_InUseIsAnError(t *testing.T) {
	cmd := program(t)
	baseURL, _, _ := start(t, cmd)
	addr := strings.TrimSuffix(strings.TrimPrefix(baseURL, "http://"), "/v1")
	var stderr strings.Builder
	assert.Equal(t, 1, run([]string{"-addr", addr}, nil, io.Discard, &stderr))
	assert.Contains(t, stderr.String(), "orgkeys-fake: listen tcp "+addr)
}
