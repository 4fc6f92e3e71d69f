package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// readPages returns the committed pages by file name.
func readPages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pagesDir, "*"))
	require.NoError(t, err)
	pages := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		pages[filepath.Base(file)] = string(text)
	}
	return pages
}

func TestCommittedPagesAreUpToDate(t *testing.T) {
	source, err := readSource(root)
	require.NoError(t, err)
	want, err := render(api.Spec, source)
	require.NoError(t, err)
	have := readPages(t)
	for name, page := range want {
		assert.Equal(t, string(page), have[name], "%s: run go generate ./...", name)
	}
	assert.Len(t, have, len(want), "a page of a removed path: run go generate ./...")
}

// section returns the part of the pages that describes an operation.
func section(t *testing.T, pages map[string]string, op gen.Operation) string {
	t.Helper()
	for _, page := range pages {
		_, section, found := strings.Cut(page, "`"+op.Method+" "+op.Path+"`, operation `"+op.ID+"`\n")
		if found {
			section, _, _ = strings.Cut(section, "\n## ")
			return section
		}
	}
	require.Fail(t, "no page has "+op.ID)
	return ""
}

var signature = regexp.MustCompile(`(?m)^(client\.[\w.()]+)(\(ctx .*)$`)

func TestOperationsMatchTheGeneratedCode(t *testing.T) {
	source := bytes.NewBufferString("package signatures\n\nimport (\n\"context\"\n\"iter\"\n\n\"github.com/orgkeys/orgkeys-go/gen\"\norgkeys \"github.com/orgkeys/orgkeys-go/wrapper\"\n)\n\nvar (\nclient *orgkeys.Client\n_ gen.Client\n_ iter.Seq[int]\n_ context.Context\n)\n")
	for _, op := range gen.Operations() {
		found := signature.FindAllStringSubmatch(section(t, readPages(t), op), -1)
		assert.NotEmpty(t, found, op.ID)
		assert.Equal(t, op.Idempotent, strings.Contains(section(t, readPages(t), op), "\n- Idempotent"), op.ID)
		for _, s := range found {
			source.WriteString("\nvar _ func" + s[2] + " = " + s[1] + "\n")
		}
	}
	file := filepath.Join(t.TempDir(), "signatures.go")
	require.NoError(t, os.WriteFile(file, source.Bytes(), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput()
	require.NoError(t, err, "%s\n%s", source, out)
}

func TestLinksResolve(t *testing.T) {
	link, heading := regexp.MustCompile(`\]\(([^)#]*)#?([^)]*)\)`), regexp.MustCompile(`(?m)^#+ (.*)$`)
	pages := readPages(t)
	for name, page := range pages {
		links := link.FindAllStringSubmatch(page, -1)
		assert.NotEmpty(t, links, name)
		for _, l := range links {
			target := name
			if l[1] != "" {
				target = l[1]
				_, err := os.Stat(filepath.Join(root, pagesDir, path.Clean(target)))
				assert.NoError(t, err, "%s: %s", name, l[0])
			}
			var anchors []string
			for _, h := range heading.FindAllStringSubmatch(pages[target], -1) {
				anchors = append(anchors, anchor(h[1]))
			}
			if l[2] != "" {
				assert.Contains(t, anchors, l[2], "%s: %s", name, l[0])
			}
		}
	}
}

func TestJSONExamplesMatchTheContract(t *testing.T) {
	example := regexp.MustCompile("(?s)```json\n(.*?)\n```")
	check, err := speccheck.New()
	require.NoError(t, err)
	for _, op := range gen.Operations() {
		request, responses, _ := strings.Cut(section(t, readPages(t), op), "\n### Responses")
		for _, block := range example.FindAllStringSubmatch(request, -1) {
			req, err := http.NewRequestWithContext(t.Context(), op.Method, "https://example.com"+strings.NewReplacer("{", "", "}", "").Replace(op.Path), nil)
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			assert.Empty(t, check.Check(req, []byte(block[1]), 0, nil, nil), op.ID)
		}
		examples := 0
		for part := range strings.SplitSeq(responses, "\n#### ") {
			status, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(part, "\n", 2)[0]))
			for _, block := range example.FindAllStringSubmatch(part, -1) {
				require.NoError(t, err)
				assert.Empty(t, check.CheckResponse(op.ID, status, "application/json", []byte(block[1])), "%s %d", op.ID, status)
				examples++
			}
		}
		assert.NotZero(t, examples, op.ID)
	}
}

// TestPagesOfOtherContracts renders constructs of OpenAPI that the contract does not contain.
func TestPagesOfOtherContracts(t *testing.T) {
	spec := `
openapi: 3.1.0
info: {title: Things, version: "1"}
paths:
  /things/{thing_id}:
    parameters:
      - {name: thing_id, in: path, required: true, schema: {type: string}}
    post:
      operationId: update-thing
      summary: Update a thing
      deprecated: true
      x-idempotent: true
      parameters:
        - {name: size, in: query, schema: {type: integer, minimum: 1, maximum: 9, default: 7}}
        - {name: kinds, in: query, schema: {type: array, items: {type: string, enum: [a, "b|c"]}}}
      requestBody: {$ref: "#/components/requestBodies/Thing"}
      responses:
        "200": {$ref: "#/components/responses/Thing"}
    get:
      operationId: get-thing
      responses:
        "204": {description: Nothing.}
components:
  requestBodies:
    Thing: {content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
  responses:
    Thing: {description: A thing., content: {application/json: {schema: {anyOf: [{$ref: "#/components/schemas/Thing"}, {type: "null"}]}}}}
  schemas:
    Thing:
      allOf:
        - $ref: "#/components/schemas/Base"
        - type: object
          required: [open]
          properties:
            open: {type: object, additionalProperties: true}
            closed: {type: object, additionalProperties: false, properties: {id: {type: string, minLength: 2}}}
            labels: {type: object, additionalProperties: {type: [string, "null"], maxLength: 16}}
            parts: {type: array, minItems: 1, items: {type: object, properties: {of: {$ref: "#/components/schemas/Thing"}}}}
            either: {oneOf: [{type: string, pattern: "^a|b$"}, {$ref: "#/components/schemas/Level"}, {type: "null"}]}
            mixed: {type: [string, integer], exclusiveMinimum: 0}
            on: {const: true}
            free: {}
    Base: {type: object, properties: {base: {type: string, format: date-time}}}
    Level: {type: integer, enum: [1, 2], description: A level.}
`
	source, err := readSource(root)
	require.NoError(t, err)
	source.methods = nil
	pages, err := render([]byte(spec), source)
	require.NoError(t, err)
	page := string(pages["things-thing_id.md"])
	for _, want := range []string{
		"## get-thing\n",
		"**Deprecated.**",
		"Idempotent (`x-idempotent` in the contract)",
		"| `thing_id` | path | string | yes |",
		"| `size` | query | integer | no | default `7`; at least `1`; at most `9` |",
		"| `kinds` | query | array of string | no | one of `\"a\"` `\"b\\|c\"` |",
		"The body is optional.\n\n`application/json`: [Thing](#thing)",
		"`application/json`: [Thing](#thing) or null",
		"| `base` | string (date-time) | no |",
		"| `open` | object | yes |",
		"| `closed.id` | string | no | at least `2` characters |",
		"| `labels` | map of string to string or null | no | at most `16` characters |",
		"| `parts` | array of object | no | at least `1` items |",
		"| `parts[].of` | [Thing](#thing) | no |",
		"| `either` | string or [Level](#level) or null | no | matches `\"^a\\|b$\"` |",
		"| `mixed` | string or integer | no | more than `0` |",
		"| `on` | any value | no | `true` |",
		"| `free` | any value | no |",
		"### Level\n\nA level.\n\nType: integer: one of `1` `2`\n",
		"### Base\n",
	} {
		assert.Contains(t, page, want)
	}
	if t.Failed() {
		t.Log(page)
	}
}

func TestOperationWithoutAServiceMethodUsesTheGeneratedClient(t *testing.T) {
	source, err := readSource(root)
	require.NoError(t, err)
	source.services = nil
	for _, op := range gen.Operations() {
		spec := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/x: {get: {operationId: " + op.ID + ", responses: {'204': {description: d}}}}}"
		pages, err := render([]byte(spec), source)
		require.NoError(t, err)
		assert.Regexp(t, `client\.Generated\(\)\.\w+\(ctx context\.Context, .*reqEditors \.\.\.gen\.RequestEditorFn\)`, string(pages["x.md"]), op.ID)
		assert.Contains(t, string(pages["x.md"]), "its caller checks the status")
	}
}
