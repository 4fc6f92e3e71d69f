package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

var update = flag.Bool("update", false, "write the golden files")

// marker is in every value of the test data that must not be printed.
const marker = "m4rk3r"

const deleted = `{"object":"organization.project.api_key.deleted","id":"key_m4rk3r","deleted":true}`

// output is a buffer that may be written to concurrently.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// result is the outcome of a run of the command.
type result struct {
	status         int
	stdout, stderr string
}

// speccheckCommand runs the command in this process.
func speccheckCommand(t testing.TB, stdin string, args ...string) result {
	var stdout, stderr output
	status := run(args, &process{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr})
	assert.NotContains(t, stdout.String()+stderr.String(), marker, "a value of the traffic is printed")
	return result{status, stdout.String(), stderr.String()}
}

func TestOperation(t *testing.T) {
	const typeViolation = "admin-api-keys-create 200: response body /created_at: type: expected integer, found string (body)"
	create := []string{"-operation", "admin-api-keys-create", "testdata/created, 100%.json"}
	remove := func(args ...string) []string {
		return append([]string{"-operation", "delete-project-api-key"}, args...)
	}
	for _, row := range []struct {
		name   string
		stdin  string
		args   []string
		status int
		stdout string
	}{
		{"valid", "", []string{"-operation", "retrieve-project-api-key", "testdata/key.json"}, exitOK, "checked 1, skipped 0: 0 violations, 0 notes\n"},
		{"standard input", deleted, remove("-status", "200", "-"), exitOK, "checked 1, skipped 0: 0 violations, 0 notes\n"},
		{
			"a violation", "", create, exitViolations,
			"FAIL testdata/created, 100%.json: " + typeViolation + "\nchecked 1, skipped 0: 1 violation, 0 notes\n",
		},
		{
			"a violation that does not fail", "", append([]string{"-fail", "none"}, create...), exitOK,
			"note testdata/created, 100%.json: " + typeViolation + "\nchecked 1, skipped 0: 0 violations, 1 note\n",
		},
		{
			"a workflow annotation", "", append([]string{"-format", "github"}, create...), exitViolations,
			"::error file=testdata/created%2C 100%25.json,title=speccheck%3A body::testdata/created, 100%25.json: " + typeViolation +
				"\nchecked 1, skipped 0: 1 violation, 0 notes\n",
		},
		{
			"an undocumented error", "<html>", remove("-status", "502", "-"), exitOK,
			"note standard input: delete-project-api-key 502: status: expected 200 or 400 (undocumented-status)\n" +
				"checked 1, skipped 0: 0 violations, 1 note\n",
		},
		{
			"an undocumented error that fails", "<html>", remove("-status", "502", "-fail", "undocumented-status", "-"), exitViolations,
			"FAIL standard input: delete-project-api-key 502: status: expected 200 or 400 (undocumented-status)\n" +
				"checked 1, skipped 0: 1 violation, 0 notes\n",
		},
		{
			"a content type", deleted, remove("-content-type", "text/plain", "-"), exitViolations,
			"FAIL standard input: delete-project-api-key 200: response body: content-type: expected application/json (content-type)\n" +
				"checked 1, skipped 0: 1 violation, 0 notes\n",
		},
		{
			"a body beyond the limit", deleted, remove("-max-body", "10", "-"), exitViolations,
			"FAIL standard input: delete-project-api-key 200: response body: max-body: expected at most 10 bytes (unchecked)\n" +
				"checked 1, skipped 0: 1 violation, 0 notes\n",
		},
		{
			"another contract", `["a", 1]`, []string{"-spec", "testdata/notes.yaml", "-operation", "list-notes", "-"}, exitViolations,
			"FAIL standard input: list-notes 200: response body /1: type: expected string, found number (body)\n" +
				"checked 1, skipped 0: 1 violation, 0 notes\n",
		},
		{"the lowest status", "", remove("-status", "100", "-fail", "none", "-"), exitOK, "note standard input: delete-project-api-key 100: status: expected 200 or 400 (status)\nchecked 1, skipped 0: 0 violations, 1 note\n"},
		{"the highest status", "", remove("-status", "599", "-"), exitOK, "note standard input: delete-project-api-key 599: status: expected 200 or 400 (undocumented-status)\nchecked 1, skipped 0: 0 violations, 1 note\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, result{row.status, row.stdout, ""}, speccheckCommand(t, row.stdin, row.args...))
		})
	}
}

// The reports of the formats are golden files. The test asserts their most important facts, too, since
// -update would accept anything.
func TestReports(t *testing.T) {
	for _, row := range []struct {
		name   string
		args   []string
		status int
		facts  []string
	}{
		{"traffic-text", nil, exitViolations, []string{
			"FAIL testdata/traffic.har entry 4: admin-api-keys-create 200: response body /created_at: type: expected integer, found string (body)\n",
			"note testdata/traffic.har entry 5: admin-api-keys-list 429: status: expected 200 or 400 (undocumented-status)\n",
			"\nchecked 8, skipped 3, no response 1: 8 violations, 1 note\n",
		}},
		{"traffic-json", []string{"-format", "json"}, exitViolations, []string{
			`"checked": 8`, `"skipped": 3`, `"noResponse": 1`, `"failed": true`, `"pointer": "/created_at"`, `"entry": 4`,
		}},
		{"traffic-github", []string{"-format", "github"}, exitViolations, []string{
			"::error file=testdata/traffic.har,title=speccheck%3A body::testdata/traffic.har entry 4: admin-api-keys-create 200: ",
			"::notice file=testdata/traffic.har,title=speccheck%3A undocumented-status::testdata/traffic.har entry 5: ",
		}},
		{"traffic-junit", []string{"-format", "junit"}, exitViolations, []string{
			`<testsuites tests="8" failures="6">`, `name="testdata/traffic.har entry 4"`, `<failure message="3 violations" type="request">`,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := speccheckCommand(t, "", append([]string{"-har", "testdata/traffic.har"}, row.args...)...)
			assert.Equal(t, row.status, got.status)
			assert.Empty(t, got.stderr)
			for _, fact := range row.facts {
				assert.Contains(t, got.stdout, fact)
			}
			golden := filepath.Join("testdata", row.name+".golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got.stdout), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.stdout)

			file := filepath.Join(t.TempDir(), "report")
			written := speccheckCommand(t, "", append([]string{"-har", "testdata/traffic.har", "-output", file}, row.args...)...)
			assert.Equal(t, result{status: row.status}, written)
			report, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, got.stdout, string(report))
		})
	}
}

func TestReports_areWellFormed(t *testing.T) {
	report := func(format string) string {
		return speccheckCommand(t, "", "-har", "testdata/traffic.har", "-format", format).stdout
	}
	var decoded struct {
		Checked, Skipped, NoResponse int
		Failed                       bool
		Violations                   []struct {
			File  string
			Entry int
			Kind  string
			Fails bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(report("json")), &decoded))
	assert.True(t, decoded.Failed)
	require.Len(t, decoded.Violations, 9)
	for _, v := range decoded.Violations {
		assert.Equal(t, v.Kind != "undocumented-status", v.Fails)
		assert.NotZero(t, v.Entry)
	}
	assert.Contains(t, speccheckCommand(t, "", "-har", "testdata/clean.har", "-format", "json").stdout, `"violations": []`)

	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
		} `xml:"testsuite>testcase"`
	}
	require.NoError(t, xml.Unmarshal([]byte(report("junit")), &suites))
	assert.Equal(t, decoded.Checked, suites.Tests)
	assert.Len(t, suites.Cases, suites.Tests)
	failures := 0
	for _, test := range suites.Cases {
		if test.Failure != nil {
			failures++
		}
	}
	assert.Equal(t, failures, suites.Failures)

	annotations := 0
	for line := range strings.Lines(report("github")) {
		if strings.HasPrefix(line, "::") {
			assert.Regexp(t, `^::(error|notice) file=[^:,]+,title=speccheck%3A [^:,]+::[^\r\n]+\n$`, line)
			annotations++
		}
	}
	assert.Equal(t, len(decoded.Violations), annotations)
}

func TestErrors(t *testing.T) {
	har := func(args ...string) []string { return append([]string{"-har", "testdata/traffic.har"}, args...) }
	listen := func(args ...string) []string { return append([]string{"-listen", "127.0.0.1:0"}, args...) }
	const seeHelp = "; see -h"
	for _, row := range []struct {
		name  string
		args  []string
		stdin string
		want  string // the end of standard error, without the line feed
	}{
		{"no mode", nil, "", "one of -operation, -har and -listen is required" + seeHelp},
		{"an unknown flag", []string{"-operations"}, "", "flag provided but not defined: -operations" + seeHelp},
		{"two modes", []string{"-operation", "x", "-har", "x.har"}, "", "-operation and -har exclude each other" + seeHelp},
		{"two other modes", har("-listen", "127.0.0.1:0"), "", "-har and -listen exclude each other" + seeHelp},
		{"a flag of another mode", har("-status", "200"), "", "-status applies to -operation, not to -har" + seeHelp},
		{"another flag of another mode", listen("-base-url", "http://h"), "", "-base-url applies to -har, not to -listen" + seeHelp},
		{"two files", []string{"-har", "x.har", "y.har"}, "", `-har x.har takes no argument: got "y.har"` + seeHelp},
		{"no file", []string{"-operation", "x"}, "", "-operation takes one file, or - for standard input, after the flags: got 0 arguments" + seeHelp},
		{"a flag after the file", []string{"-operation", "x", "-", "-status", "200"}, "", "got 3 arguments" + seeHelp},
		{"an unknown format", har("-format", "xml"), "", `-format "xml": want text, json, github or junit` + seeHelp},
		{"an unknown kind", har("-fail", "body,everything"), "", "want some of body,request,status,content-type,operation,unchecked,undocumented-status, or all, or none" + seeHelp},
		{"a limit of 0", har("-max-body", "0"), "", "the largest body to validate must be at least 1 byte, not 0"},
		{"status 0", []string{"-operation", "x", "-status", "0", "-"}, "", "-status 0: want a status from 100 to 599" + seeHelp},
		{"status -1", []string{"-operation", "x", "-status", "-1", "-"}, "", "-status -1: want a status from 100 to 599" + seeHelp},
		{"status 99", []string{"-operation", "x", "-status", "99", "-"}, "", "-status 99: want a status from 100 to 599" + seeHelp},
		{"status 600", []string{"-operation", "x", "-status", "600", "-"}, "", "-status 600: want a status from 100 to 599" + seeHelp},
		{"a status that is no number", []string{"-operation", "x", "-status", "OK", "-"}, "", `invalid value "OK" for flag -status: parse error` + seeHelp},
		{"an unknown operation", []string{"-operation", "no-such-operation", "-"}, deleted, "-operation no-such-operation: not in the contract, which has " + strings.Join(operations(t), ", ")},
		{"a missing file", []string{"-operation", "delete-project-api-key", "testdata/none.json"}, "", "open testdata/none.json: no such file or directory"},
		{"a missing HAR file", []string{"-har", "testdata/none.har"}, "", "open testdata/none.har: no such file or directory"},
		{"a missing contract", har("-spec", "testdata/none.yaml"), "", "open testdata/none.yaml: no such file or directory"},
		{"an invalid contract", har("-spec", "testdata/key.json"), "", "testdata/key.json: not an OpenAPI document of version 3"},
		{"a contract with a reference cycle", har("-spec", "testdata/cycle.yaml"), "", "testdata/cycle.yaml: the OpenAPI document has no valid operation: a schema refers to itself without a property or an item in between"},
		{"not a HAR file", []string{"-har", "testdata/key.json"}, "", "testdata/key.json: not a HAR file: no log.entries"},
		{"not JSON", []string{"-har", "-"}, marker, "standard input: not a HAR file: not JSON at byte 1"},
		{"another shape", []string{"-har", "-"}, `{"log": {"entries": {"m4rk3r": 1}}}`, "standard input: not a HAR file: log.entries is not an array of exchanges"},
		{"no call in the HAR file", []string{"-har", "testdata/unrelated.har"}, "", "testdata/unrelated.har: no exchange of an operation in the contract (skipped 2)"},
		{"invalid base64", []string{"-har", "testdata/base64.har"}, "", "testdata/base64.har: entry 1: a body is not valid base64, which its encoding requires"},
		{"a base URL without a scheme", har("-base-url", "api.openai.com"), "", "-base-url: want a URL such as https://api.openai.com/v1" + seeHelp},
		{"a base URL that ends within a segment", har("-base-url", "http://localhost:8080/pro"), "", "testdata/traffic.har: no exchange of an operation in the contract (skipped 12)"},
		{"no target", listen(), "", "-listen requires -to, the URL to forward requests to" + seeHelp},
		{"a target without a scheme", listen("-to", "127.0.0.1:1"), "", "-to: want a URL such as https://api.openai.com/v1" + seeHelp},
		{"a target with a password", listen("-to", "https://m4rk3r:m4rk3r@h"), "", "-to: want a URL without a user, a query and a fragment" + seeHelp},
		{"a target with a query", listen("-to", "https://h/?a=m4rk3r"), "", "-to: want a URL without a user, a query and a fragment" + seeHelp},
		{"an unencrypted target", listen("-to", "http://api.example"), "", "-to http://api.example: keys would cross the network unencrypted: use https, or allow it with -plain-http" + seeHelp},
		{"all addresses", []string{"-listen", ":0", "-to", "http://127.0.0.1:1"}, "", "-listen :0: want a loopback address such as 127.0.0.1:8080, since keys pass through the proxy unencrypted"},
		{"all IPv4 addresses", []string{"-listen", "0.0.0.0:0", "-to", "http://127.0.0.1:1"}, "", "-listen 0.0.0.0:0: want a loopback address such as 127.0.0.1:8080, since keys pass through the proxy unencrypted"},
		{"all IPv6 addresses", []string{"-listen", "[::]:0", "-to", "http://127.0.0.1:1"}, "", "-listen [::]:0: want a loopback address such as 127.0.0.1:8080, since keys pass through the proxy unencrypted"},
		{"another address", []string{"-listen", "192.0.2.1:80", "-to", "http://127.0.0.1:1"}, "", "-listen 192.0.2.1:80: want a loopback address such as 127.0.0.1:8080, since keys pass through the proxy unencrypted"},
		{"no port", []string{"-listen", "127.0.0.1", "-to", "http://127.0.0.1:1"}, "", "-listen: address 127.0.0.1: missing port in address"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := speccheckCommand(t, row.stdin, row.args...)
			assert.Equal(t, exitError, got.status)
			assert.Empty(t, got.stdout)
			assert.True(t, strings.HasPrefix(got.stderr, "speccheck: "), got.stderr)
			assert.True(t, strings.HasSuffix(got.stderr, row.want+"\n"), got.stderr)
		})
	}
}

func operations(t testing.TB) []string {
	checker, err := speccheck.New()
	require.NoError(t, err)
	return checker.Operations()
}

func TestHelp(t *testing.T) {
	got := speccheckCommand(t, "", "-h")
	assert.Equal(t, exitOK, got.status)
	for _, kind := range speccheck.Kinds() {
		assert.Contains(t, got.stdout, "\n  "+string(kind)+" ")
	}
	for _, operation := range operations(t) {
		assert.Contains(t, got.stdout, "\n  "+operation+"\n")
	}
	_, flags, _ := parse(nil)
	flags.VisitAll(func(f *flag.Flag) { assert.Regexp(t, `\n  -`+f.Name+`[ \n]`, got.stdout) })
}

func TestVersion(t *testing.T) {
	got := speccheckCommand(t, "", "-version")
	assert.Equal(t, exitOK, got.status)
	assert.Regexp(t, `^speccheck \S+ go\S+\n$`, got.stdout)
}

// failing fails to read and to write.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left") }
func (failing) Read([]byte) (int, error)  { return 0, errors.New("no terminal") }

func TestInputAndOutputErrors(t *testing.T) {
	for format := range formats {
		var stderr output
		p := &process{stdout: failing{}, stderr: &stderr}
		assert.Equal(t, exitError, run([]string{"-har", "testdata/clean.har", "-format", format}, p))
		assert.Equal(t, "speccheck: write the report: no space left\n", stderr.String(), format)
	}
	var stderr output
	assert.Equal(t, exitError, run([]string{"-har", "-"}, &process{stdin: failing{}, stdout: io.Discard, stderr: &stderr}))
	assert.Equal(t, "speccheck: read standard input: no terminal\n", stderr.String())

	missing := filepath.Join(t.TempDir(), "none", "report")
	got := speccheckCommand(t, "", "-har", "testdata/clean.har", "-output", missing)
	assert.Equal(t, exitError, got.status)
	assert.Contains(t, got.stderr, missing)
}

func TestGuide_commandsAreValid(t *testing.T) {
	page, err := os.ReadFile("../../docs/validate.md")
	require.NoError(t, err)
	commands := 0
	for line := range strings.Lines(string(page) + usage) {
		_, command, found := strings.Cut(strings.TrimSpace(line), "speccheck -")
		if !found || strings.Contains(line, "`") || strings.Contains(command, "ID") || strings.Contains(command, "har FILE") || strings.Contains(command, "ADDR") {
			continue
		}
		command, _, _ = strings.Cut(command, ">")
		_, _, err := parse(strings.Fields("-" + command))
		assert.NoError(t, err, line)
		commands++
	}
	assert.Equal(t, 7, commands, "commands in docs/validate.md and -h")
}
