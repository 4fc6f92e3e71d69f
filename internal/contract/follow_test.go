package contract

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// repository returns a copy of this repository. A test may change, build and test it, which takes
// half a minute or more. The copy lacks the tests that a change of the contract cannot affect: those
// of this package and of the documentation.
func repository(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("run by make check: builds and tests a copy of the repository")
	}
	root, copy := "../..", t.TempDir()
	without := []string{"internal/contract", "internal/contract/cmd/sync", "internal/doctest"}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		relative, _ := filepath.Rel(root, path)
		target := filepath.Join(copy, relative)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (relative == ".git" || relative == "bin"):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		case !entry.Type().IsRegular(), strings.HasSuffix(relative, "_test.go") && slices.Contains(without, filepath.Dir(relative)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	}))
	return copy
}

// run runs a Go command in dir and returns what it prints, and whether it succeeds.
func run(t *testing.T, dir string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=") // -race is for the tests that are run here
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// vendor writes a vendor's document and returns its path. The document is the contract at root
// without the declared differences, with a change.
func vendor(t *testing.T, root string, change func(theirs *document)) string {
	t.Helper()
	contract, err := os.ReadFile(filepath.Join(root, Path))
	require.NoError(t, err)
	src, err := os.ReadFile("differences.yaml")
	require.NoError(t, err)
	differences, err := ParseDifferences(src)
	require.NoError(t, err)
	theirs, err := parse("vendor", asUpstream(t, contract, differences))
	require.NoError(t, err)
	change(theirs)
	path := filepath.Join(t.TempDir(), "vendor.yaml")
	require.NoError(t, os.WriteFile(path, []byte(encode(theirs.root)), 0o600))
	return path
}

// merge adds entries, as YAML, to a mapping.
func merge(t *testing.T, p place, entries string) {
	t.Helper()
	var n yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(entries), &n))
	p.node.Content = append(p.node.Content, n.Content[0].Content...)
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// tree returns the text of every file below root.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		files[path] = string(text)
		return err
	}))
	return files
}

// TestFollow_SyncOfTheRepository runs the command on a copy of the repository, with changes that
// need no work, and with changes that break hand-written code.
func TestFollow_SyncOfTheRepository(t *testing.T) {
	root := repository(t)
	upstream := vendor(t, root, func(theirs *document) {
		merge(t, theirs.at("#/components/schemas/AdminApiKey/properties"), `
nickname: {type: string}
rotated_at: {anyOf: [{type: integer, format: unixtime}, {type: "null"}]}
state: {type: string, enum: [on, off]}
scopes: {type: array, items: {type: string}}
home:
  type: object
  required: [region]
  properties:
    region: {type: string}
    zone: {type: string, nullable: true}
`)
	})
	out, ok := run(t, root, "run", "./internal/contract/cmd/sync", upstream)
	require.True(t, ok, "%s", out)
	for _, want := range []string{
		"200 response, data[].nickname | is new |", "0 breaking",
		"go vet ./...`: passed", "go test -short -fullpath ./...`: passed",
	} {
		assert.Contains(t, out, want)
	}
	after := tree(t, root)
	for _, field := range []string{"nickname", "rotated_at", "scopes", "home", "region"} {
		assert.Contains(t, after["docs/reference/organization-admin_api_keys.md"], "| `"+field+"` |")
		assert.Contains(t, after["gen/server/server.gen.go"], `json:"`+field)
	}
	out, ok = run(t, root, "run", "./internal/contract/cmd/sync", upstream)
	assert.True(t, ok, "%s", out)
	assert.Contains(t, out, "No change")
	assert.Equal(t, after, tree(t, root), "a second sync writes no file")

	// An operation is added, a field of a response is removed, and one becomes required.
	upstream = vendor(t, root, func(theirs *document) {
		merge(t, theirs.at("#/paths"), `
/organization/projects/{project_id}/api_keys:
  get:
    operationId: list-project-api-keys
    parameters:
      - {name: project_id, in: path, required: true, schema: {type: string}}
      - {name: limit, in: query, schema: {type: integer, default: 20}}
      - {name: after, in: query, schema: {type: string}}
    responses:
      "200":
        content:
          application/json:
            schema:
              type: object
              required: [object, data, has_more]
              properties:
                object: {type: string, enum: [list]}
                data: {type: array, items: {$ref: "#/components/schemas/ProjectApiKey"}}
                has_more: {type: boolean}
                last_id: {type: string, nullable: true}
`)
		key := theirs.at("#/components/schemas/ProjectApiKey").node
		remove(get(key, "properties"), "last_used_at")
		drop(key, "required", func(n *yaml.Node) bool { return n.Value == "last_used_at" })
		merge(t, theirs.at("#/components/schemas/ProjectServiceAccount/properties"), "tier: {type: string}")
		makeRequired(theirs.at("#/components/schemas/ProjectServiceAccount").node, "tier")
	})
	write(t, root, "examples/broken/main.go", `package main

import (
	"fmt"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	var key orgkeys.ProjectKey
	fmt.Println(key.LastUsedAt)
}
`)
	out, ok = run(t, root, "run", "./internal/contract/cmd/sync", "-add", "GET /organization/projects/{project_id}/api_keys", upstream)
	assert.False(t, ok, "%s", out)
	for _, want := range []string{
		"| 200 response, last_used_at | is removed |", "`gen.ProjectAPIKey.LastUsedAt` is removed", "go vet ./...`: failed",
		"### Look at\n", "- [ ] examples/broken/main.go:11 ", "- [ ] orgkeystest/",
	} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "[ ] gen/")

	write(t, root, "internal/added/added_test.go", `package added

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func TestTheOperationIsCallable(t *testing.T) {
	var seen []*http.Request
	huge := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r)
		w.Header().Set("Content-Type", "application/json")
		if len(seen) == 1 {
			w.Header().Set("retry-after-ms", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		padding := ""
		if huge {
			padding = strings.Repeat(" ", 1<<20)
		}
		_, _ = w.Write([]byte("{\"object\": \"list\", \"data\": [], \"has_more\": false, \"last_id\": null}" + padding))
	}))
	defer server.Close()
	client, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithBaseURL(server.URL+"/v1"), orgkeys.WithMaxResponseBytes(1<<16))
	require.NoError(t, err)

	params := &gen.ListProjectAPIKeysParams{Limit: new(7)}
	page, err := client.Generated().ListProjectAPIKeysWithResponse(t.Context(), "proj_abc", params)
	require.NoError(t, err)
	require.NotNil(t, page.JSON200)
	assert.Empty(t, page.JSON200.Data)
	assert.False(t, page.JSON200.HasMore)
	require.Len(t, seen, 2, "it is retried")
	assert.Equal(t, "/v1/organization/projects/proj_abc/api_keys?limit=7", seen[1].URL.String())
	assert.Equal(t, "Bearer sk-admin-test", seen[1].Header.Get("Authorization"))

	huge = true
	_, err = client.Generated().ListProjectAPIKeysWithResponse(t.Context(), "proj_abc", params)
	assert.Error(t, err, "the response is larger than the limit")
}
`)
	out, ok = run(t, root, "test", "./internal/added")
	require.True(t, ok, "%s", out)
	page, err := os.ReadFile(filepath.Join(root, "docs/reference/organization-projects-project_id-api_keys.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "client.Generated().ListProjectAPIKeysWithResponse(ctx context.Context, ")
}

func TestReport_LinesToLookAt(t *testing.T) {
	var report Report
	report.look("/src/orgkeys", strings.Join([]string{
		"# github.com/orgkeys/orgkeys-go/wrapper",
		"wrapper/x.go:7:2: undefined: y",
		"wrapper/x.go:7:9: undefined: y too",
		"vet: ./examples/e/main_test.go:3:1: z redeclared",
		"gen/client.gen.go:9:1: undefined: w",
		"    /src/orgkeys/wrapper/x_test.go:12: got 1",
		"        \tError Trace:\t/src/orgkeys/wrapper/y_test.go:34",
		"\t/src/orgkeys/orgkeystest/api.go:56 +0x1d",
		"\t/usr/lib/go/src/testing/testing.go:1690 +0xf4",
		"exit status 1",
	}, "\n"))
	assert.Equal(t, []Line{
		{"wrapper/x.go", 7, "undefined: y"},
		{"examples/e/main_test.go", 3, "z redeclared"},
		{"wrapper/x_test.go", 12, "got 1"},
		{"wrapper/y_test.go", 34, ""},
		{"orgkeystest/api.go", 56, ""},
	}, report.Look)
}
