package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	ours = `openapi: 3.1.0
paths:
  /things:
    get:
      operationId: list-things
      responses:
        "200":
          description: Our words.
          content:
            application/json:
              schema:
                type: object
                properties:
                  id: {type: string, description: Our words.}
`
	more    = "                  id: {type: string}\n                  nick: {type: string}\n"
	written = "                  id: {type: string, description: Our words.}\n                  nick:\n"
)

// repository creates a repository with a contract, changes the working directory to it, and returns
// the path of the contract.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                             "module example.com/m\n",
		"api/openapi.yaml":                   ours,
		"oapi-codegen.yaml":                  "package: gen\ngenerate: {models: true, client: true}\n",
		"internal/contract/differences.yaml": "# none\n",
		"same.yaml":                          ours,
		"more.yaml":                          strings.Replace(ours, "                  id: {type: string, description: Our words.}\n", more, 1),
		"removed.yaml":                       strings.Replace(ours, "/things", "/others", 1),
		"page.html":                          "<html>",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	t.Chdir(root)
	return filepath.Join(root, "api/openapi.yaml")
}

func TestExitStatus(t *testing.T) {
	for name, c := range map[string]struct {
		args     []string
		status   int
		want     string // on standard output, or on standard error where the status is 2
		contract string // part of what is in the contract then
	}{
		"the same":                         {[]string{"same.yaml"}, 0, "No change: the structure is the same.", ours},
		"the same, checked":                {[]string{"-check", "same.yaml"}, 0, "No change", ours},
		"a difference, checked":            {[]string{"-check", "more.yaml"}, 1, "| 200 response, nick | is new |", ours},
		"a difference":                     {[]string{"-contract-only", "more.yaml"}, 0, "| 200 response, nick | is new |", written},
		"an operation is removed":          {[]string{"removed.yaml"}, 2, "no longer has GET /things", ours},
		"an operation is removed, checked": {[]string{"-check", "removed.yaml"}, 2, "no longer has GET /things", ours},
		"no OpenAPI":                       {[]string{"page.html"}, 2, "is not an OpenAPI", ours},
		"no file":                          {[]string{"none.yaml"}, 2, "no such file", ours},
		"an operation to add is unknown":   {[]string{"-add", "GET /nothing", "same.yaml"}, 2, "has no GET /nothing", ours},
		"no document":                      {nil, 2, "Usage: sync", ours},
		"two documents":                    {[]string{"a", "b"}, 2, "Usage: sync", ours},
		"an unknown flag":                  {[]string{"-force", "same.yaml"}, 2, "not defined: -force", ours},
		"help":                             {[]string{"-h"}, 0, "", ours},
	} {
		t.Run(name, func(t *testing.T) {
			contract := repository(t)
			var stdout, stderr bytes.Buffer
			assert.Equal(t, c.status, run(t.Context(), c.args, &stdout, &stderr), "%s", &stderr)
			if c.status == 2 {
				assert.Contains(t, stderr.String(), c.want)
				assert.Empty(t, stdout.String())
			} else {
				assert.Contains(t, stdout.String(), c.want)
			}
			text, err := os.ReadFile(contract)
			require.NoError(t, err)
			if c.contract == ours {
				assert.Equal(t, ours, string(text))
			}
			assert.Contains(t, string(text), c.contract)
			left, err := filepath.Glob(filepath.Join(filepath.Dir(contract), "*"))
			require.NoError(t, err)
			assert.Equal(t, []string{contract}, left, "no temporary file remains")
		})
	}
}

func TestOutsideOfARepository(t *testing.T) {
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 2, run(t.Context(), []string{"spec.yaml"}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "open api/openapi.yaml")
}
