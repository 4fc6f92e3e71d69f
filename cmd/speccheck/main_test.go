package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

var update = flag.Bool("update", false, "write the golden files")

// call runs the command and returns its exit status and its output, as a golden file has it.
func call(stdin string, args ...string) (int, string) {
	var stdout, stderr bytes.Buffer
	status := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return status, fmt.Sprintf("$ speccheck %s\n%s-- stderr\n%s-- exit %d\n", strings.Join(args, " "), &stdout, &stderr, status)
}

func TestTheCommandSaysWhatItFound(t *testing.T) {
	const deleted = `{"object":"organization.project.api_key.deleted","id":"key_m4rk3r","deleted":true}`
	har := func(format string, more ...string) []string {
		return append([]string{"-har", "testdata/traffic.har", "-format", format}, more...)
	}
	body := func(format string) []string {
		return []string{"-format", format, "-operation", "admin-api-keys-create", "testdata/created, 100%.json"}
	}
	for _, row := range []struct {
		name  string
		stdin string
		args  []string
		exit  int
	}{
		{name: "help", args: []string{"-h"}, exit: clean},

		{name: "body-clean", args: []string{"-operation", "retrieve-project-api-key", "testdata/key.json"}, exit: clean},
		{name: "body-stdin", stdin: deleted, args: []string{"-operation", "delete-project-api-key", "-status", "200", "-"}, exit: clean},
		{name: "body-text", args: body("text"), exit: failed},
		{name: "body-json", args: body("json"), exit: failed},
		{name: "body-github", args: body("github"), exit: failed},
		{name: "body-junit", args: body("junit"), exit: failed},
		{name: "body-undocumented", stdin: "<html>", args: []string{"-operation", "delete-project-api-key", "-status", "502", "-"}, exit: clean},
		{
			name: "body-undocumented-fails", stdin: "<html>",
			args: []string{"-operation", "delete-project-api-key", "-status", "502", "-fail", "undocumented-status", "-"}, exit: failed,
		},
		{name: "body-content-type", stdin: deleted, args: []string{"-operation", "delete-project-api-key", "-content-type", "text/plain", "-"}, exit: failed},
		{name: "body-too-large", stdin: deleted, args: []string{"-operation", "delete-project-api-key", "-max-body", "10", "-"}, exit: failed},
		{name: "body-other-spec", stdin: `["a", 1]`, args: []string{"-spec", "testdata/notes.yaml", "-operation", "list-notes", "-"}, exit: failed},

		{name: "har-clean", args: []string{"-har", "testdata/clean.har"}, exit: clean},
		{name: "har-clean-json", args: []string{"-har", "testdata/clean.har", "-format", "json"}, exit: clean},
		{name: "har-clean-junit", args: []string{"-har", "testdata/clean.har", "-format", "junit"}, exit: clean},
		{name: "har-text", args: har("text"), exit: failed},
		{name: "har-json", args: har("json"), exit: failed},
		{name: "har-github", args: har("github"), exit: failed},
		{name: "har-junit", args: har("junit"), exit: failed},
		{name: "har-base-url", args: har("text", "-base-url", "http://LOCALHOST:8080/proxy/, https://other.example/v1"), exit: failed},
		{name: "har-fail-none", args: har("text", "-fail", "none"), exit: clean},
		{name: "har-fail-all", args: har("text", "-fail", "all"), exit: failed},
		{name: "har-fail-some", args: har("text", "-fail", "body, request"), exit: failed},

		{name: "broken-nothing", exit: broken},
		{name: "broken-flag", args: []string{"-operations"}, exit: broken},
		{name: "broken-both", args: []string{"-operation", "x", "-har", "x.har"}, exit: broken},
		{name: "broken-two-files", args: []string{"-har", "x.har", "y.har"}, exit: broken},
		{name: "broken-no-file", args: []string{"-operation", "delete-project-api-key"}, exit: broken},
		{name: "broken-flag-behind", args: []string{"-operation", "delete-project-api-key", "-", "-status", "200"}, exit: broken},
		{name: "broken-format", args: []string{"-format", "xml", "-har", "testdata/traffic.har"}, exit: broken},
		{name: "broken-kind", args: []string{"-fail", "body,everything", "-har", "testdata/traffic.har"}, exit: broken},
		{name: "broken-limit", args: []string{"-max-body", "0", "-har", "testdata/traffic.har"}, exit: broken},
		{name: "broken-operation", stdin: deleted, args: []string{"-operation", "mint-everything", "-"}, exit: broken},
		{name: "broken-missing-file", args: []string{"-operation", "delete-project-api-key", "testdata/none.json"}, exit: broken},
		{name: "broken-missing-har", args: []string{"-har", "testdata/none.har"}, exit: broken},
		{name: "broken-no-har", args: []string{"-har", "testdata/key.json"}, exit: broken},
		{name: "broken-no-json", stdin: "m4rk3r", args: []string{"-har", "-"}, exit: broken},
		{name: "broken-other-shape", stdin: `{"log": {"entries": {"m4rk3r": 1}}}`, args: []string{"-har", "-"}, exit: broken},
		{name: "broken-unrelated", args: []string{"-har", "testdata/unrelated.har"}, exit: broken},
		{name: "broken-base64", args: []string{"-har", "testdata/base64.har"}, exit: broken},
		{name: "broken-base-url", args: har("text", "-base-url", "api.openai.com"), exit: broken},
		{name: "broken-base-url-cuts-a-name", args: har("text", "-base-url", "http://localhost:8080/pro"), exit: broken},
		{name: "broken-missing-spec", args: har("text", "-spec", "testdata/none.yaml"), exit: broken},
		{name: "broken-spec", args: har("text", "-spec", "testdata/key.json"), exit: broken},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, got := call(row.stdin, row.args...)
			assert.Equal(t, row.exit, status)
			golden := filepath.Join("testdata", row.name+".golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
			assert.NotContains(t, got, "m4rk3r", "what was sent is printed")
		})
	}
}

func TestTheHARFileComesFromStandardInputToo(t *testing.T) {
	file, err := os.ReadFile("testdata/clean.har")
	require.NoError(t, err)
	status, got := call(string(file), "-har", "-")
	assert.Equal(t, clean, status)
	assert.Contains(t, got, "checked 1, skipped 1: 0 violations, 0 notes\n")
}

func TestHelpNamesEveryKindAndOperation(t *testing.T) {
	_, got := call("", "-h")
	for _, kind := range speccheck.Kinds() {
		assert.Contains(t, got, "\n  "+string(kind)+" ")
	}
	checker, err := speccheck.New()
	require.NoError(t, err)
	for _, operation := range checker.Operations() {
		assert.Contains(t, got, "\n  "+operation+"\n")
	}
}

func TestOutputForMachinesIsWellFormed(t *testing.T) {
	output := func(format string) string {
		var stdout bytes.Buffer
		run([]string{"-har", "testdata/traffic.har", "-format", format}, nil, &stdout, io.Discard)
		return stdout.String()
	}

	var result struct {
		Checked, Skipped int
		Failed           bool
		Violations       []struct {
			File  string
			Entry int
			Kind  string
			Fails bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(output("json")), &result))
	assert.True(t, result.Failed)
	assert.Equal(t, 8, result.Checked)
	assert.Equal(t, 4, result.Skipped)
	for _, v := range result.Violations {
		assert.Equal(t, v.Kind != "undocumented-status", v.Fails)
		assert.NotZero(t, v.Entry)
	}

	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
		} `xml:"testsuite>testcase"`
	}
	require.NoError(t, xml.Unmarshal([]byte(output("junit")), &suites))
	assert.Equal(t, result.Checked, suites.Tests)
	assert.Len(t, suites.Cases, suites.Tests)
	failures := 0
	for _, test := range suites.Cases {
		if test.Failure != nil {
			failures++
		}
	}
	assert.Equal(t, failures, suites.Failures)

	for line := range strings.Lines(output("github")) {
		if strings.HasPrefix(line, "::") {
			assert.Regexp(t, `^::(error|notice) file=[^:,]+,title=speccheck%3A [^:,]+::[^\r\n]+\n$`, line)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
func (full) Read([]byte) (int, error)  { return 0, errors.New("no terminal") }

func TestWhatCannotBeReadOrWrittenIsNoSuccess(t *testing.T) {
	for format := range formats {
		var stderr bytes.Buffer
		assert.Equal(t, broken, run([]string{"-har", "testdata/clean.har", "-format", format}, nil, full{}, &stderr))
		assert.Equal(t, "speccheck: write the result: no space left\n", stderr.String(), format)
	}
	var stderr bytes.Buffer
	assert.Equal(t, broken, run([]string{"-har", "-"}, full{}, io.Discard, &stderr))
	assert.Equal(t, "speccheck: read standard input: no terminal\n", stderr.String())
}

func TestTheDocumentedCommandsAreAccepted(t *testing.T) {
	page, err := os.ReadFile("../../docs/validate.md")
	require.NoError(t, err)
	commands := 0
	for line := range strings.Lines(string(page) + usage) {
		_, command, found := strings.Cut(strings.TrimSpace(line), "speccheck -")
		if !found || strings.Contains(line, "`") || strings.Contains(command, "ID") || strings.Contains(command, "har FILE") {
			continue
		}
		command, _, _ = strings.Cut(command, ">")
		s, flags := newFlags()
		assert.NoError(t, parse(s, flags, strings.Fields("-"+command)), line)
		commands++
	}
	assert.Equal(t, 5, commands)
}
