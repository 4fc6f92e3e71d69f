package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// action is the part of action.yml that the tests read.
type action struct {
	Inputs map[string]struct {
		Description, Default string
	}
	Runs struct {
		Using string
		Steps []struct {
			Shell, Run string
			Env        map[string]string
		}
	}
}

func readAction(t testing.TB) action {
	var a action
	readYAML(t, "action.yml", &a)
	require.Len(t, a.Runs.Steps, 1)
	return a
}

func readYAML(t testing.TB, file string, value any) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, value))
}

var variablePattern = regexp.MustCompile(`INPUT_[A-Z_]+`)

// The action passes every input to the script, and declares every input that the script reads.
func TestAction_inputs(t *testing.T) {
	a := readAction(t)
	step := a.Runs.Steps[0]
	assert.Equal(t, `bash "$GITHUB_ACTION_PATH/action.sh"`, step.Run)
	script, err := os.ReadFile("action.sh")
	require.NoError(t, err)
	var read []string
	for _, variable := range variablePattern.FindAllString(string(script), -1) {
		if variable != "INPUT_" && !slices.Contains(read, variable) {
			read = append(read, variable)
		}
	}
	var declared []string
	for input, is := range a.Inputs {
		variable := "INPUT_" + strings.ReplaceAll(strings.ToUpper(input), "-", "_")
		assert.NotEmpty(t, is.Description, input)
		assert.Equal(t, "${{ inputs."+input+" }}", step.Env[variable], input)
		declared = append(declared, variable)
	}
	assert.Len(t, step.Env, len(declared))
	assert.ElementsMatch(t, declared, read)
}

// The example workflow sets only inputs that the action has.
func TestAction_exampleWorkflow(t *testing.T) {
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	readYAML(t, "../../.github/workflows/validate-example.yml", &workflow)
	inputs, uses := readAction(t).Inputs, 0
	for _, job := range workflow.Jobs {
		for _, step := range job.Steps {
			if step.Uses != "./cmd/speccheck" {
				continue
			}
			uses++
			for input := range step.With {
				assert.Contains(t, inputs, input)
			}
		}
	}
	assert.NotZero(t, uses)
}

// runAction runs the action's script with inputs, in a directory of its own.
func runAction(t testing.TB, inputs map[string]string, environ ...string) (status int, log string) {
	for _, tool := range []string{"bash", "curl", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the action needs %s", tool)
		}
	}
	script, err := filepath.Abs("action.sh")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "bash", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "OPENAI_")
	}), append(environ, "RUNNER_TEMP="+t.TempDir(), "LC_ALL=C")...) // bash warns of a locale that is not installed
	for input, is := range readAction(t).Inputs {
		value, ok := inputs[input]
		if !ok {
			value = is.Default
		}
		cmd.Env = append(cmd.Env, "INPUT_"+strings.ReplaceAll(strings.ToUpper(input), "-", "_")+"="+value)
	}
	text, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(text)
	}
	require.NoError(t, err)
	return 0, string(text)
}

func TestAction_run(t *testing.T) {
	broken, valid := newServer(t, brokenPage), newServer(t, emptyPage)
	const get = `curl --silent --noproxy '*' --output body "$OPENAI_BASE_URL/organization/admin_api_keys"`
	for _, row := range []struct {
		name   string
		inputs map[string]string
		status int
		log    []string
	}{
		{"valid", map[string]string{"run": get + "\necho done", "to": valid.URL}, exitOK, []string{"done", "checked 1, skipped 0: 0 violations, 0 notes"}},
		{"a violation", map[string]string{"run": get, "to": broken.URL + "/v1", "fail": "body"}, exitViolations, []string{"::error title=speccheck%3A body::" + violation}},
		{"a failing command", map[string]string{"run": get + "\n(exit 7) | cat\necho unreachable", "to": valid.URL}, 7, []string{"checked 1, skipped 0: 0 violations"}},
		{"a server that does not start", map[string]string{"run": get, "to": "http://" + unusedAddress(t), "wait": "1"}, exitError, []string{"::error title=speccheck::no connection to the server within 1 seconds"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, log := runAction(t, row.inputs)
			assert.Equal(t, row.status, status, log)
			for _, line := range row.log {
				assert.Contains(t, log, line)
			}
			assert.NotContains(t, log, marker)
			assert.NotContains(t, log, "unreachable")
		})
	}
}

func TestAction_files(t *testing.T) {
	har, err := filepath.Abs("testdata/traffic.har")
	require.NoError(t, err)
	key, err := filepath.Abs("testdata/key.json")
	require.NoError(t, err)
	notes, err := filepath.Abs("testdata/notes.yaml")
	require.NoError(t, err)
	report := filepath.Join(t.TempDir(), "report.xml")

	status, log := runAction(t, map[string]string{"har": har, "base-url": "http://localhost:8080", "format": "text", "fail": "all"})
	assert.Equal(t, exitViolations, status)
	assert.Contains(t, log, "\nchecked 2, skipped 10: 1 violation, 0 notes\n")

	status, log = runAction(t, map[string]string{"operation": "list-notes", "file": key, "spec": notes, "format": "junit", "output": report})
	assert.Equal(t, exitViolations, status, log)
	text, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(text), "list-notes 200: response body: type: expected array, found object (body)")
}

func TestAction_masksSecrets(t *testing.T) {
	const key, other = "sk-admin-mask-100%", "two\nlines"
	_, log := runAction(t, map[string]string{"mask": "FIRST SECOND UNSET"}, "OPENAI_ADMIN_KEY="+key, "FIRST="+other, "SECOND=")
	assert.Equal(t, "::add-mask::sk-admin-mask-100%25\n::add-mask::two\n::add-mask::lines\n"+
		"::error title=speccheck::one of the inputs run, har and operation is required\n", log)
}

func TestAction_invalidInputs(t *testing.T) {
	for _, row := range []struct {
		inputs map[string]string
		want   string
	}{
		{nil, "one of the inputs run, har and operation is required"},
		{map[string]string{"run": "true", "har": "x"}, "one of the inputs run, har and operation is required"},
		{map[string]string{"run": "true"}, "the input run requires to, the URL of the server"},
		{map[string]string{"operation": "x"}, "the input operation requires file"},
		{map[string]string{"run": "true", "to": "http://127.0.0.1:1", "wait": "for ever"}, "the input wait is a number of seconds"},
	} {
		status, log := runAction(t, row.inputs)
		assert.Equal(t, exitError, status)
		assert.Equal(t, "::error title=speccheck::"+row.want+"\n", log)
	}
}
