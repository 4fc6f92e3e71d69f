package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const asCommand = "ORGKEYS_FAKE_TEST_AS_COMMAND"

// TestMain lets the test's own binary stand in for the command.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

func TestItServesUntilInterrupted(t *testing.T) {
	cmd := command(t, "-rate-limit", "1")
	var notes strings.Builder
	cmd.Stderr = &notes
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	var exports string
	for range 2 {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		exports += line
	}
	env, err := exec.CommandContext(t.Context(), "sh", "-c", exports+`printf '%s %s' "$OPENAI_BASE_URL" "$OPENAI_ADMIN_KEY"`).Output()
	require.NoError(t, err, "a shell can evaluate it")
	baseURL, adminKey, _ := strings.Cut(string(env), " ")
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/v1$`, baseURL)

	get := func(path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, baseURL+"/organization"+path, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+adminKey)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	status, body := get("/admin_api_keys")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, `"key_audit"`)
	status, _ = get("/admin_api_keys")
	assert.Equal(t, 429, status, "the limit is set")
	status, body = get("/projects/proj_demo/service_accounts")
	assert.Equal(t, 200, status)
	account := regexp.MustCompile(`svc_acct_\w+`).FindString(body)
	assert.NotEmpty(t, account)
	status, _ = get("/projects/proj_demo/api_keys/key_demo")
	assert.Equal(t, 200, status)

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	assert.Empty(t, rest, "there is no more for a shell")
	require.NoError(t, cmd.Wait(), "it exits with 0")
	assert.Contains(t, notes.String(), account)
	assert.NotContains(t, notes.String(), adminKey)
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	cases := map[string]struct {
		args []string
		text string
	}{
		"all interfaces":        {[]string{"-addr", ":8080"}, "not a loopback address"},
		"all interfaces, named": {[]string{"-addr", "0.0.0.0:8080"}, "not a loopback address"},
		"a public address":      {[]string{"-addr", "192.0.2.1:8080"}, "not a loopback address"},
		"no port":               {[]string{"-addr", "127.0.0.1"}, "missing port"},
		"a negative limit":      {[]string{"-rate-limit", "-1"}, "negative"},
		"an argument":           {[]string{"serve"}, `what is "serve"?`},
		"an unknown flag":       {[]string{"-port", "8080"}, "not defined: -port; see -h"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := command(t, c.args...).CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, 1, exit.ExitCode())
			assert.Contains(t, string(out), c.text)
			assert.NotContains(t, string(out), "export")
		})
	}
}

func TestHelpIsEnoughToUseIt(t *testing.T) {
	out, err := command(t, "-h").CombinedOutput()
	require.NoError(t, err)
	for _, part := range []string{"-addr", "-rate-limit", "OPENAI_BASE_URL", "OPENAI_ADMIN_KEY", "interrupted", "on purpose"} {
		assert.Contains(t, string(out), part)
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	broken, w := io.Pipe()
	require.NoError(t, broken.Close())
	assert.ErrorIs(t, run(ctx, nil, w, io.Discard), io.ErrClosedPipe)
}
