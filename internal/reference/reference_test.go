package reference

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

const root = "../.."

// pages are the committed pages by file name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, Dir, "*"))
	require.NoError(t, err)
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found[filepath.Base(file)] = string(text)
	}
	return found
}

func TestThePagesAreWhatTheContractAndTheSourceSay(t *testing.T) {
	want, err := Pages(root)
	require.NoError(t, err)
	have := pages(t)
	for name, page := range want {
		assert.Equal(t, string(page), have[name], "%s: run go generate ./...", name)
	}
	assert.Len(t, have, len(want), "a page of a path that is gone: run go generate ./...")

	again, err := Pages(root)
	require.NoError(t, err)
	assert.Equal(t, want, again, "twice in a row is the same")
}

// section is the part of a page that is about an operation.
func section(t *testing.T, page string, op gen.Operation) string {
	t.Helper()
	_, section, found := strings.Cut(page, "`"+op.Method+" "+op.Path+"`, operation `"+op.ID+"`\n")
	require.True(t, found, op.ID)
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

func TestEachOperationHasAPageAndAGoCall(t *testing.T) {
	have := pages(t)
	for _, op := range gen.Operations() {
		text := section(t, have[fileOf(op.Path)], op)
		assert.Regexp(t, "```go\n.*client\\.\\w+", text, op.ID)
		assert.Contains(t, text, "\n### Errors and retries\n", op.ID)
	}
}

func TestAPageShowsAllOfItsSchemas(t *testing.T) {
	c, err := read(api.Spec)
	require.NoError(t, err)
	have := pages(t)
	shown := 0
	for _, p := range c.Paths.keys {
		page := have[fileOf(p)]
		for _, verb := range c.Paths.at[p].keys {
			op := c.Paths.at[p].at[verb]
			for _, param := range op.Parameters {
				assert.Contains(t, page, "| `"+param.Name+"` | "+param.In+" |")
			}
			for _, s := range op.schemas() {
				for _, name := range c.reached(s, nil) {
					_, section, found := strings.Cut(page, "\n### "+name+"\n")
					require.True(t, found, "%s: %s", p, name)
					section, _, _ = strings.Cut(section, "\n#")
					for _, row := range c.properties(c.Components.Schemas.at[name]) {
						assert.Contains(t, section, "| `"+row.name+"` | "+row.schema.kind()+" | "+yesNo(row.required)+" |", "%s: %s", p, name)
						shown++
					}
				}
			}
		}
	}
	assert.NotZero(t, shown)
}

var link = regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)

func TestEachLinkLeadsSomewhere(t *testing.T) {
	have := pages(t)
	for name, page := range have {
		links := link.FindAllStringSubmatch(page, -1)
		assert.NotEmpty(t, links, name)
		for _, l := range links {
			target := name
			if l[1] != "" {
				target = l[1]
				_, err := os.Stat(filepath.Join(root, Dir, path.Clean(target)))
				assert.NoError(t, err, "%s: %s", name, l[0])
			}
			if l[2] != "" {
				assert.Contains(t, anchors(have[target]), strings.TrimPrefix(l[2], "#"), "%s: %s", name, l[0])
			}
		}
	}
}

func anchors(page string) []string {
	var list []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			list = append(list, anchor(strings.TrimSpace(strings.TrimLeft(line, "#"))))
		}
	}
	return list
}

var (
	goBlock     = regexp.MustCompile("(?s)```go\n(.*?)\n```")
	jsonExample = regexp.MustCompile("(?s)```json\n(.*?)\n```")
	results     = regexp.MustCompile(`(?m)^result, err := .*$`)
)

func TestEachGoSnippetCompiles(t *testing.T) {
	var source bytes.Buffer
	source.WriteString("package snippets\n\nimport (\n\"context\"\n\"fmt\"\n\n\"github.com/orgkeys/orgkeys-go/gen\"\norgkeys \"github.com/orgkeys/orgkeys-go/wrapper\"\n)\n\nvar _ gen.Client\n")
	snippets := 0
	for name, page := range pages(t) {
		for _, block := range goBlock.FindAllStringSubmatch(page, -1) {
			code := results.ReplaceAllString(block[1], "$0\n_, _ = result, err")
			source.WriteString("\n// " + name + "\nfunc _(ctx context.Context, client *orgkeys.Client) error {\n" + code + "\nreturn nil\n}\n")
			snippets++
		}
		for _, sentinel := range regexp.MustCompile(`orgkeys\.Err\w+`).FindAllString(page, -1) {
			source.WriteString("\nvar _ error = " + sentinel + "\n")
		}
	}
	require.GreaterOrEqual(t, snippets, len(gen.Operations()))
	source.WriteString("\nvar _ = fmt.Sprint\n")
	file := filepath.Join(t.TempDir(), "snippets.go")
	require.NoError(t, os.WriteFile(file, source.Bytes(), 0o600))
	out, err := exec.Command("go", "build", "-o", os.DevNull, file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestEachJSONExampleIsValid(t *testing.T) {
	check, err := speccheck.New()
	require.NoError(t, err)
	have := pages(t)
	examples := 0
	for _, op := range gen.Operations() {
		request, responses, _ := strings.Cut(section(t, have[fileOf(op.Path)], op), "\n### Responses")
		for _, block := range jsonExample.FindAllStringSubmatch(request, -1) {
			req, err := http.NewRequest(op.Method, "https://example.com"+strings.NewReplacer("{", "", "}", "").Replace(op.Path), nil)
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			assert.Empty(t, check.Check(req, []byte(block[1]), 0, nil, nil), op.ID)
			assert.NotEmpty(t, check.Check(req, []byte(`[]`), 0, nil, nil), "the check sees a wrong body")
			examples++
		}
		for part := range strings.SplitSeq(responses, "\n#### ") {
			status, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(part, "\n", 2)[0]))
			if err != nil {
				continue
			}
			for _, block := range jsonExample.FindAllStringSubmatch(part, -1) {
				assert.Empty(t, check.CheckResponse(op.ID, status, "application/json", []byte(block[1])), "%s %d", op.ID, status)
				assert.NotEmpty(t, check.CheckResponse(op.ID, status, "application/json", []byte(`[]`)), "the check sees a wrong body")
				examples++
			}
		}
	}
	assert.GreaterOrEqual(t, examples, len(gen.Operations()))
}

func TestWhatIsSaidOfRetriesIsWhatThePackageSays(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root, "wrapper/doc.go"))
	require.NoError(t, err)
	plain := strings.Join(strings.Fields(strings.ReplaceAll(string(doc), "//", "")), " ")
	for _, said := range []string{
		"a failure of the transport, an attempt's timeout, an answer cut short, and the statuses 408, 429, 500, 502, 503 and 504.",
		"after a 429 and after a failure to connect, never else.",
	} {
		assert.Contains(t, plain, said)
		assert.Contains(t, retries["get"]+retries["post"], said)
	}
}

func TestAnOperationThatIsNewIsShownOnTheGeneratedClient(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"api/openapi.yaml": `
openapi: 3.1.0
paths:
  /things/{thing_id}:
    get:
      operationId: list-thing-parts
      summary: List parts
      deprecated: true
      parameters:
        - {name: thing_id, in: path, required: true, schema: {type: string}, example: t_1}
        - {name: size, in: query, schema: {type: integer, maximum: 9}, example: 7}
        - {name: kind, in: query, schema: {type: string, enum: [a, b]}, example: b}
      responses:
        "200":
          description: Parts.
          content:
            application/json:
              schema:
                type: object
                properties:
                  parts: {type: array, items: {$ref: "#/components/schemas/Part"}}
                  owner: {type: object, required: [id], properties: {id: {type: string, minLength: 2}}}
components:
  schemas:
    Part: {type: [string, "null"], description: A part.}
`,
		"gen/client.go": `package gen
type ListThingPartsParams struct {
	Size *int ` + "`json:\"size,omitempty\"`" + `
	Kind *ListThingPartsParamsKind ` + "`json:\"kind,omitempty\"`" + `
}
type ListThingPartsParamsKind string
const (
	ListThingPartsParamsKindB ListThingPartsParamsKind = "b"
)
func (c *ClientWithResponses) ListThingPartsWithResponse(ctx context.Context, thingID string, params *ListThingPartsParams, reqEditors ...RequestEditorFn) (*ListThingPartsResponse, error) { return nil, nil }
`,
		"wrapper/client.go": "package orgkeys\ntype Client struct { Other *OtherService }\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	made, err := Pages(dir)
	require.NoError(t, err)
	page := string(made["things-thing_id.md"])
	for _, want := range []string{
		`result, err := client.Generated().ListThingPartsWithResponse(ctx, "t_1", &gen.ListThingPartsParams{Size: new(7), Kind: new(gen.ListThingPartsParamsKindB)})`,
		"**Deprecated.**",
		"| `size` | query | integer | no |  | at most 9 |",
		"| `parts` | array of [Part](#part) | no |",
		"| `owner.id` | string | yes | at least 2 characters |",
		"### Part\n\nA part.\n",
		"to be looked at by its caller",
	} {
		assert.Contains(t, page, want)
	}
}
