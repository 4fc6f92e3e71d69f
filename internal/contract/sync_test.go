package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return string(text)
}

// patch returns a text with hunks of a diff applied, whose lines begin with a space, - or +.
func patch(t *testing.T, text, hunks string) string {
	t.Helper()
	for hunk := range strings.SplitSeq(hunks, "@@\n") {
		var before, after strings.Builder
		for line := range strings.Lines(hunk) {
			if line[0] != '+' {
				before.WriteString(line[1:])
			}
			if line[0] != '-' {
				after.WriteString(line[1:])
			}
		}
		if hunk != "" {
			require.Equal(t, 1, strings.Count(text, before.String()), "does not occur once:\n%s", &before)
			text = strings.Replace(text, before.String(), after.String(), 1)
		}
	}
	return text
}

// diff returns the lines that differ.
func diff(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			out.WriteString("-" + a[i] + "\n")
			i++
		default:
			out.WriteString("+" + b[j] + "\n")
			j++
		}
	}
	return out.String()
}

// summaries returns a line with the verdict for each change.
func summaries(changes []Change) []string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, fmt.Sprintf("%s (%s)", c, c.Verdict()))
	}
	return lines
}

func (c Change) String() string { return fmt.Sprintf("%s: %s %s", c.Operation, c.At, c.What) }

// asJSON returns a YAML document as JSON, with sorted keys.
func asJSON(t *testing.T, text string) []byte {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(text), &v))
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return out
}

// declared is the one difference between the two documents in testdata.
var declared = []Difference{{
	At:   "#/components/schemas/NewThing/allOf/1/properties/secret",
	Ours: map[string]yaml.Node{"format": *strNode("password")}, Upstream: map[string]yaml.Node{"format": *scalarNode("!!null", "null")},
	Why: "It has a Go type of its own.",
}}

func sync(t *testing.T, contract, upstream string) *Result {
	t.Helper()
	result, err := Sync([]byte(contract), "upstream", []byte(upstream), declared)
	require.NoError(t, err)
	return result
}

// judged returns the result of a sync with verdicts.
func judged(t *testing.T, contract, upstream string) *Result {
	t.Helper()
	result := sync(t, contract, upstream)
	require.NoError(t, (&Report{Result: result}).Judge("../..", []byte(contract)))
	return result
}

func TestSync_CarriesOverEachChangeAndNothingElse(t *testing.T) {
	var rows []struct {
		Name, Upstream, Diff string
		Changes, Notes       []string
	}
	require.NoError(t, yaml.Unmarshal([]byte(file(t, "changes.yaml")), &rows))
	contract := file(t, "contract.yaml")
	for _, c := range rows {
		t.Run(c.Name, func(t *testing.T) {
			upstream := patch(t, file(t, "upstream.yaml"), c.Upstream)
			result := judged(t, contract, upstream)
			assert.Equal(t, c.Diff, diff(contract, string(result.Contract)))
			assert.Equal(t, c.Changes, summaries(result.Changes))
			for _, note := range c.Notes {
				assert.Contains(t, strings.Join(result.Notes, "\n"), note)
			}
			assert.NotContains(t, string(result.Contract), "VENDOR", "the vendor's prose is not copied")
			assert.Len(t, result.Describe, strings.Count(string(result.Contract), Placeholder))

			assert.Equal(t, "", invalidExamples(t, result.Contract))

			again := sync(t, string(result.Contract), upstream)
			again.Changes = slices.DeleteFunc(again.Changes, func(c Change) bool { return c.Decide })
			assert.Empty(t, again.Changes, "the second time")
			assert.Empty(t, diff(string(result.Contract), string(again.Contract)), "the second time")

			fromJSON := sync(t, contract, string(asJSON(t, upstream)))
			for i := range fromJSON.Changes { // without a verdict
				fromJSON.Changes[i].Breaking = slices.ContainsFunc(result.Changes, func(c Change) bool {
					return c.Breaking && c.String() == fromJSON.Changes[i].String()
				})
			}
			assert.ElementsMatch(t, c.Changes, summaries(fromJSON.Changes), "from JSON")
			once := sync(t, string(fromJSON.Contract), upstream)
			assert.Empty(t, slices.DeleteFunc(once.Changes, func(c Change) bool { return c.Decide }), "from JSON")
		})
	}
}

func TestSync_InvalidDocument(t *testing.T) {
	upstream := file(t, "upstream.yaml")
	for name, c := range map[string]struct{ upstream, want string }{
		"a path is removed":                  {strings.Replace(upstream, "  /things:\n", "  /thingies:\n", 1), "upstream no longer has POST /things, GET /things"},
		"a method is removed":                {patch(t, upstream, "-    put:\n+    patch:\n       operationId: put-thing\n"), "upstream no longer has PUT /boxes/{box_id}/things/{thing_id}"},
		"a parameter the path does not have": {strings.Replace(upstream, "/boxes/{box_id}/things/{thing_id}", "/boxes/{box_id}/things/{id}", 1), "the path has no {thing_id}"},
		"a path has another form":            {strings.Replace(upstream, "/boxes/{box_id}/things/{thing_id}", "/boxes/{box_id}/{thing_id}", 1), "no longer has GET /boxes"},
		"a page of HTML":                     {"<!doctype html>\n<html><body>openapi: 3.1.0</body></html>\n", "upstream is"},
		"an error in JSON":                   {`{"error": {"message": "not found"}}`, "not an OpenAPI 3 document"},
		"a list":                             {"- openapi: 3.1.0\n", "it is not an object"},
		"an empty document":                  {"", "it is empty"},
		"neither YAML nor JSON":              {"openapi: [3.1.0\npaths: {", "neither YAML nor JSON"},
		"JSON that is cut short":             {`{"openapi": "3.1.0", "paths": {"/things": `, "neither YAML nor JSON"},
		"Swagger":                            {"swagger: '2.0'\npaths: {}\n", "Swagger 2.0"},
		"another major version":              {"openapi: 4.0.0\npaths: {}\n", `its openapi is "4.0.0"`},
		"no paths":                           {"openapi: 3.1.0\ninfo: {}\n", "has no paths"},
		"a reference without a target":       {strings.Replace(upstream, "$ref: '#/components/schemas/Receipt'", "$ref: '#/components/schemas/Missing'", 1), "refers to #/components/schemas/Missing, which does not exist"},
		"a reference to a file":              {strings.Replace(upstream, "$ref: '#/components/schemas/Receipt'", "$ref: 'receipt.yaml#/Receipt'", 1), `refers to "receipt.yaml#/Receipt", which is outside of the document`},
		"a reference to itself":              {strings.Replace(upstream, "    Receipt:\n", "    Receipt:\n      $ref: '#/components/schemas/Receipt'\n", 1), "the schema contains itself"},
		"a response that refers to itself":   {patch(t, upstream, " components:\n+  responses: {Round: {$ref: '#/components/responses/Round'}}\n@@\n-        '200':\n-          description: VENDOR\n-          content:\n-            application/json:\n-              schema:\n-                $ref: '#/components/schemas/Receipt'\n+        '200': {$ref: '#/components/responses/Round'}\n"), "the reference leads back to itself"},
		"a schema that is a string":          {patch(t, upstream, "-        done:\n-          type: boolean\n+        done: boolean\n"), "upstream at #/components/schemas/Receipt/properties/done: is not a schema"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Sync([]byte(file(t, "contract.yaml")), "upstream", []byte(c.upstream), declared)
			require.Error(t, err)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// TestParse_SurrogatePairs parses JSON with a surrogate pair, which YAML does not allow.
func TestParse_SurrogatePairs(t *testing.T) {
	d, err := parse("upstream", []byte(`{"openapi": "3.1.0", "info": {"title": "\ud83d\udd11 \\ud83d"}, "paths": {}}`))
	require.NoError(t, err)
	assert.Equal(t, "\U0001F511 \\ud83d", d.at("#/info/title").node.Value)
}

// TestParse_Aliases verifies that each alias is replaced with the node of its anchor.
func TestParse_Aliases(t *testing.T) {
	d, err := parse("upstream", []byte("openapi: 3.1.0\npaths: {}\nx-a: &a {b: 1}\nx-c: [*a]\n"))
	require.NoError(t, err)
	assert.Equal(t, "1", d.at("#/x-c/0/b").node.Value)
}

func TestSync_KeepsDeclaredDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		upstream   string // a patch
		difference string
		change     string // what a sync would do without the difference
	}{
		"optional in the contract": {
			"-      required: [object, id, created_at, owner]\n+      required: [object, id, created_at, owner, color]\n",
			`{at: "#/components/schemas/Thing/properties/color", ours: {required: false}, upstream: {required: true}, why: older servers}`,
			"get-thing: 200 response, color is required (breaking)",
		},
		"not nullable in the contract": {
			"           required: false\n           schema:\n-            type: string\n+            type: [string, 'null']\n",
			`{at: "#/paths/~1things/get/parameters/after/schema", ours: {nullable: false}, upstream: {nullable: true}, why: a query cannot express it}`,
			"list-things: query parameter after may be null (not breaking)",
		},
		"limits in the contract": {
			"             type: integer\n-            minimum: 1\n-            maximum: 100\n             default: 20\n",
			`{at: "#/paths/~1things/get/parameters/1/schema", ours: {minimum: 1, maximum: 100}, upstream: {minimum: null, maximum: null}, why: stated in prose}`,
			"list-things: query parameter limit maximum is none, was 100 (not breaking)",
		},
		"a limit that the contract does not have": {
			"               properties:\n                 name:\n                   type: string\n+                  maxLength: 9\n",
			`{at: "#/paths/~1things/post/requestBody/content/application~1json/schema/properties/name", ours: {maxLength: null}, upstream: {maxLength: 9}, why: not so}`,
			"create-thing: request body, name maxLength is 9, was none (breaking)",
		},
		"fewer values in the contract": {
			"         color:\n           type: string\n-          enum: [red, green]\n+          enum: [red, green, mauve]\n         size:\n",
			`{at: "#/components/schemas/Thing/properties/color", ours: {enum: [green, red]}, upstream: {enum: [mauve, red, green]}, why: never seen}`,
			"get-thing: 200 response, color may also be `\"mauve\"` (not breaking)",
		},
		"a field that the contract does not have": {
			"         created_at:\n           type: integer\n           format: unixtime\n+        changed_at: {type: integer}\n",
			`{at: "#/components/schemas/Thing/properties/changed_at", ours: {present: false}, upstream: {present: true}, why: always wrong}`,
			"create-thing: 200 response, changed_at is new (not breaking)",
		},
		"a response that upstream does not have": {
			"-        '400':\n-          description: VENDOR\n-          content:\n-            application/json:\n-              schema:\n-                $ref: '#/components/schemas/Problem'\n     put:\n",
			`{at: "#/paths/~1boxes~1{box_id}~1things~1{thing_id}/get/responses/400", ours: {present: true}, upstream: {present: false}, why: it happens}`,
			"get-thing: 400 response is removed (breaking)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			contract := file(t, "contract.yaml")
			upstream := patch(t, file(t, "upstream.yaml"), c.upstream)
			difference, err := ParseDifferences([]byte("- " + c.difference))
			require.NoError(t, err)

			without := judged(t, contract, upstream)
			assert.Contains(t, summaries(without.Changes), c.change)

			with, err := Sync([]byte(contract), "upstream", []byte(upstream), append(difference, declared...))
			require.NoError(t, err)
			assert.Empty(t, summaries(with.Changes))
			assert.Empty(t, diff(contract, string(with.Contract)))
			assert.Empty(t, with.Notes)

			stale, err := Sync([]byte(contract), "upstream", []byte(file(t, "upstream.yaml")), append(difference, declared...))
			require.NoError(t, err)
			assert.Len(t, stale.Notes, len(difference[0].Ours))
			for _, note := range stale.Notes {
				assert.Contains(t, note, "is not needed")
			}
		})
	}
}

// TestSync_ReportsChangesUnderADeclaredDifference verifies that a declared difference covers the
// value that upstream had when it was declared, and no later value.
func TestSync_ReportsChangesUnderADeclaredDifference(t *testing.T) {
	const (
		limit    = `{at: "#/paths/~1things/get/parameters/limit/schema", ours: {maximum: 100}, upstream: {maximum: null}, why: stated in prose}`
		color    = `{at: "#/components/schemas/Thing/properties/color", ours: {enum: [red, green]}, upstream: {enum: [red]}, why: seen}`
		created  = `{at: "**/properties/created_at", ours: {format: unixtime}, upstream: {format: null}, why: a time}`
		ahead    = `{at: "#/components/schemas/Thing/properties/size", ours: {present: true}, upstream: {present: false}, why: from the SDK}`
		operates = `{at: "#/paths/~1boxes~1{box_id}~1things~1{thing_id}/put", ours: {present: true}, upstream: {present: false}, why: from the SDK}`
		without  = `{at: "#/paths/~1things/patch", ours: {present: false}, upstream: {present: true}, why: not of use}`
	)
	for name, c := range map[string]struct{ difference, upstream, change, note string }{
		"as declared":                    {limit, "-            maximum: 100\n             default: 20\n+\n", "", ""},
		"a limit":                        {limit, "-            maximum: 100\n+            maximum: 50\n             default: 20\n", "list-things: query parameter limit maximum is 50 upstream, and was null when the difference was declared; ours stays 100 (to decide)", ""},
		"a limit that upstream has":      {limit, "", "", "#/paths/~1things/get/parameters/1/schema (maximum: 100) is not needed: upstream agrees now"},
		"an enum":                        {color, "-          enum: [red, green]\n+          enum: [red, blue]\n         size:\n", "get-thing: 200 response, color enum is [\"blue\",\"red\"] upstream, and was [\"red\"] when the difference was declared; ours stays [\"green\",\"red\"] (to decide)", ""},
		"a format":                       {created, "         created_at:\n           type: integer\n-          format: unixtime\n+          format: int64\n", "get-thing: 200 response, created_at format is \"int64\" upstream, and was null when the difference was declared; ours stays \"unixtime\" (to decide)", ""},
		"a field ahead of upstream":      {ahead, "-        size:\n-          anyOf:\n-            - $ref: '#/components/schemas/Size'\n-            - type: 'null'\n         owner:\n", "", ""},
		"a field that upstream has":      {ahead, "", "", "Thing/properties/size (present: true) is not needed: upstream agrees now"},
		"an operation ahead of upstream": {operates, "-    put:\n+    x-put:\n       operationId: put-thing\n", "", ""},
		"an operation that upstream has": {operates, "", "", "(present: true) is not needed: upstream agrees now"},
		"an operation left out":          {without, "   /things:\n+    patch: {operationId: patch-things}\n     get:\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			contract := file(t, "contract.yaml")
			difference, err := ParseDifferences([]byte("- " + c.difference))
			require.NoError(t, err)
			result, err := Sync([]byte(contract), "upstream", []byte(patch(t, file(t, "upstream.yaml"), c.upstream)), append(difference, declared...))
			require.NoError(t, err)
			assert.Empty(t, diff(contract, string(result.Contract)))
			if c.change == "" {
				assert.Empty(t, summaries(result.Changes))
			} else {
				assert.Contains(t, summaries(result.Changes), c.change)
			}
			if c.note == "" {
				assert.Empty(t, result.Notes)
			} else {
				assert.Contains(t, strings.Join(result.Notes, "\n"), c.note)
			}
		})
	}
}

func TestParseDifferences(t *testing.T) {
	for name, src := range map[string]string{
		"no at":            `[{ours: {required: false}, upstream: {required: true}, why: because}]`,
		"no pointer in at": `[{at: Thing.color, ours: {required: false}, upstream: {required: true}, why: because}]`,
		"no ours":          `[{at: "#/a", why: because}]`,
		"a blank why":      `[{at: "#/a", ours: {required: false}, upstream: {required: true}, why: " "}]`,
		"an unknown key":   `[{at: "#/a", ours: {required: false}, upstream: {required: true}, why: because, how: so}]`,
		"no upstream":      `[{at: "#/a", ours: {required: false}, why: because}]`,
		"other aspects":    `[{at: "#/a", ours: {required: false}, upstream: {nullable: true}, why: because}]`,
		"not a list":       `at: "#/a"`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseDifferences([]byte(src))
			assert.ErrorContains(t, err, "the differences")
		})
	}
	none, err := ParseDifferences([]byte("# nothing\n"))
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestSync_AddsAnOperation(t *testing.T) {
	contract := file(t, "contract.yaml")
	upstream := patch(t, file(t, "upstream.yaml"), ` paths:
+  /boxes/{id}/things:
+    get:
+      operationId: list-box-things
+      summary: VENDOR
+      parameters:
+        - {name: id, in: path, required: true, schema: {type: string}}
+        - {name: limit, in: query, schema: {type: integer, default: 20}}
+      responses:
+        '200':
+          description: VENDOR
+          content: {application/json: {schema: {$ref: '#/components/schemas/ThingList'}}}
+    delete:
+      description: no operationId
+      responses: {}
`)
	result, err := Sync([]byte(contract), "upstream", []byte(upstream), declared, "GET /boxes/{box_id}/things")
	require.NoError(t, err)
	require.NoError(t, (&Report{Result: result}).Judge("../..", []byte(contract)))
	assert.Equal(t, []string{
		"list-box-things: operation is added (not breaking)",
		`DELETE /boxes/{box_id}/things: operation is new upstream; -add "DELETE /boxes/{box_id}/things" adds it (to decide)`,
	}, summaries(result.Changes))
	assert.Equal(t, "`gen.Client.ListBoxThings` is new", result.Changes[0].Why)
	assert.Equal(t, `+  /boxes/{box_id}/things:
+    get:
+      operationId: list-box-things
+      summary: Not described yet (TODO).
+      description: Not described yet (TODO).
+      parameters:
+        - name: box_id
+          in: path
+          required: true
+          description: Not described yet (TODO).
+          schema:
+            type: string
+        - name: limit
+          in: query
+          required: false
+          description: Not described yet (TODO).
+          schema:
+            type: integer
+            default: 20
+          example: 1
+      responses:
+        "200":
+          description: Not described yet (TODO).
+          content:
+            application/json:
+              schema:
+                $ref: "#/components/schemas/ThingList"
`, diff(contract, string(result.Contract)))
	assert.Equal(t, []string{`DELETE /boxes/{box_id}/things: operation is new upstream; -add "DELETE /boxes/{box_id}/things" adds it (to decide)`},
		summaries(sync(t, string(result.Contract), upstream).Changes))

	for operation, want := range map[string]string{
		"GET /boxes/{box_id}/thongs": "upstream has no GET",
		"DELETE /boxes/{x}/things":   "no operationId",
		"GET /boxes/{b}/things/{t}":  "has GET /boxes/{b}/things/{t} already",
		"FETCH /things":              "is not an operation",
		"/things":                    "is not an operation",
	} {
		_, err := Sync([]byte(contract), "upstream", []byte(upstream), declared, operation)
		assert.ErrorContains(t, err, want, operation)
	}
}

// asUpstream returns the contract with upstream's values in place of the declared differences.
func asUpstream(t *testing.T, contract []byte, differences []Difference) []byte {
	t.Helper()
	theirs, err := parse("upstream", contract)
	require.NoError(t, err)
	change := func(p place, aspect string, node yaml.Node) {
		switch aspect + " " + canonical(&node) {
		case "required true":
			object := theirs.at(p.ptr[:strings.LastIndex(p.ptr, "/properties/")]).node
			get(object, "required").Content = append(get(object, "required").Content, strNode(p.key))
		case "nullable true":
			set(p.node, "nullable", boolNode(true))
		case "present false":
			remove(p.in.node, p.key)
		default:
			require.NotNil(t, get(p.node, aspect), "%s does not have %s", p.ptr, aspect)
			if remove(p.node, aspect); canonical(&node) != "null" {
				set(p.node, aspect, &node)
			}
		}
	}
	for _, d := range slices.Backward(differences) { // what is within a place before the place
		var places []place
		if suffix, ok := strings.CutPrefix(d.At, "**"); ok {
			var walk func(p place)
			walk = func(p place) {
				if strings.HasSuffix(p.ptr, suffix) {
					places = append(places, p)
				}
				for _, child := range append(p.members(), p.items()...) {
					walk(child)
				}
			}
			walk(theirs.schemas())
		} else if p := theirs.at(d.At); p.exists() {
			places = append(places, p)
		}
		require.NotEmpty(t, places, d.At)
		for _, p := range places {
			for aspect, node := range d.Upstream {
				change(p, aspect, node)
			}
		}
	}
	return []byte(encode(theirs.root))
}

// TestContractIsFormatted verifies that the contract is formatted as a sync formats it, so that a
// sync only changes the lines of a change.
func TestContractIsFormatted(t *testing.T) {
	for _, path := range []string{"../../" + Path, "testdata/contract.yaml"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		d, err := parse(path, text)
		require.NoError(t, err)
		assert.Empty(t, diff(string(text), encode(d.root)), path)
	}
}

func TestDeclaredDifferencesAreAllNeeded(t *testing.T) {
	contract, err := os.ReadFile("../../" + Path)
	require.NoError(t, err)
	src, err := os.ReadFile("differences.yaml")
	require.NoError(t, err)
	differences, err := ParseDifferences(src)
	require.NoError(t, err)
	require.NotEmpty(t, differences)
	upstream := asUpstream(t, contract, differences)

	result, err := Sync(contract, "upstream", upstream, differences)
	require.NoError(t, err)
	assert.Empty(t, summaries(result.Changes))
	assert.Empty(t, result.Notes)
	assert.Empty(t, diff(string(contract), string(result.Contract)))

	for i, d := range differences {
		for aspect := range d.Ours {
			without := Difference{At: d.At, Why: d.Why, Ours: maps.Clone(d.Ours), Upstream: maps.Clone(d.Upstream)}
			delete(without.Ours, aspect)
			list := slices.Clone(differences)
			list[i] = without
			result, err := Sync(contract, "upstream", upstream, list)
			if err != nil {
				assert.ErrorContains(t, err, "no longer has", d.At)
			} else if len(result.Changes)+len(result.Notes) == 0 {
				inner := slices.ContainsFunc(differences, func(o Difference) bool { return strings.HasPrefix(d.At, o.At+"/") })
				assert.True(t, inner, "%s (%s) is not needed", d.At, aspect)
			}
		}
	}
}
