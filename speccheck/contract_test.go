package speccheck_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// body is one body that the contract documents with an example.
type body struct {
	operation    string
	method, path string
	status       int // 0 for the body of a request
	schema       *openapi3.Schema
	example      any
	// other is the other body of a valid exchange: the request's for a response, the
	// response's for a request, nil where there is none.
	other any
}

func (b body) String() string {
	if b.status == 0 {
		return b.operation + " request"
	}
	return b.operation + " " + strconv.Itoa(b.status)
}

// request is a valid request of the operation, without its body.
func request(t testing.TB, b body) *http.Request {
	path := strings.NewReplacer("{project_id}", "proj_abc", "{api_key_id}", "key_abc").Replace(b.path)
	req, err := http.NewRequest(b.method, "https://api.openai.com/v1"+path, nil)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	return req
}

// check puts value in b's place in an exchange that is valid otherwise.
func check(t testing.TB, c *speccheck.Checker, b body, value []byte) []speccheck.Violation {
	header := http.Header{"Content-Type": {"application/json"}}
	var other []byte
	if b.other != nil {
		other = encode(t, b.other)
	}
	if b.status == 0 {
		return c.Check(request(t, b), value, http.StatusOK, header, other)
	}
	return c.Check(request(t, b), other, b.status, header, value)
}

func encode(t testing.TB, value any) []byte {
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return text
}

func document(t testing.TB) *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	return doc
}

func newChecker(t testing.TB, opts ...speccheck.Option) *speccheck.Checker {
	c, err := speccheck.New(opts...)
	require.NoError(t, err)
	return c
}

// bodies returns every body of the contract.
func bodies(t testing.TB) []body {
	var list []body
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			b := body{operation: op.OperationID, method: method, path: path}
			sent := b
			if op.RequestBody != nil {
				media := op.RequestBody.Value.Content["application/json"]
				sent.schema, sent.example = media.Schema.Value, media.Example
			}
			for _, status := range slices.Sorted(maps.Keys(op.Responses.Map())) {
				got := b
				media := op.Responses.Value(status).Value.Content["application/json"]
				got.status, _ = strconv.Atoi(status)
				got.schema, got.example, got.other = media.Schema.Value, media.Example, sent.example
				list = append(list, got)
				if status == "200" {
					sent.other = got.example
				}
			}
			if sent.schema != nil {
				list = append(list, sent)
			}
		}
	}
	slices.SortFunc(list, func(a, b body) int { return strings.Compare(a.String(), b.String()) })
	return list
}

func TestEveryExampleOfTheContractIsValid(t *testing.T) {
	c := newChecker(t)
	for _, b := range bodies(t) {
		t.Run(b.String(), func(t *testing.T) {
			assert.Empty(t, check(t, c, b, encode(t, b.example)))
		})
	}

	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range op.Parameters {
				t.Run(op.OperationID+" "+p.Value.Name, func(t *testing.T) {
					req := request(t, body{method: method, path: path})
					if example, ok := p.Value.Example.(string); ok && p.Value.In == "path" {
						req = request(t, body{method: method, path: strings.ReplaceAll(path, "{"+p.Value.Name+"}", example)})
					}
					if p.Value.In == "query" {
						text := encode(t, p.Value.Example)
						req.URL.RawQuery = p.Value.Name + "=" + strings.Trim(string(text), `"`)
					}
					for _, v := range c.Check(req, nil, 500, nil, nil) {
						assert.NotEqual(t, p.Value.Name, v.Parameter, v)
					}
				})
			}
		}
	}

	// The examples of single properties, each held against its own schema.
	for name, ref := range document(t).Components.Schemas {
		err := openapi3.NewSchemaRef("", ref.Value).WalkSubtree(func(at string, s *openapi3.SchemaRef) error {
			if s.Value.Example != nil {
				assert.NoError(t, s.Value.VisitJSON(s.Value.Example, openapi3.EnableJSONSchema2020()), "%s%s", name, at)
			}
			return nil
		})
		require.NoError(t, err)
	}
}

func TestEverythingInTheContractIsDescribedAndShown(t *testing.T) {
	doc := document(t)
	described := func(what, text string) { assert.NotEmpty(t, strings.TrimSpace(text), "%s has no description", what) }

	described("the document", doc.Info.Description)
	for _, tag := range doc.Tags {
		described("tag "+tag.Name, tag.Description)
	}
	for name, scheme := range doc.Components.SecuritySchemes {
		described(name, scheme.Value.Description)
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			require.NotEmpty(t, op.OperationID)
			described(op.OperationID, op.Description)
			assert.NotEmpty(t, op.Summary, "%s has no summary", op.OperationID)
			for _, p := range append(slices.Clone(item.Parameters), op.Parameters...) {
				what := op.OperationID + " parameter " + p.Value.Name
				described(what, p.Value.Description)
				assert.NotNil(t, p.Value.Example, "%s has no example", what)
			}
			contents := map[string]openapi3.Content{}
			if op.RequestBody != nil {
				described(op.OperationID+" request", op.RequestBody.Value.Description)
				contents["request"] = op.RequestBody.Value.Content
			}
			for status, response := range op.Responses.Map() {
				described(op.OperationID+" "+status, *response.Value.Description)
				contents[status] = response.Value.Content
			}
			for what, content := range contents {
				require.NotEmpty(t, content, "%s %s has no content", op.OperationID, what)
				for name, media := range content {
					assert.True(t, media.Example != nil || len(media.Examples) > 0, "%s %s %s has no example", op.OperationID, what, name)
					describedProperties(t, op.OperationID+" "+what, media.Schema)
				}
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		described("schema "+name, schema.Value.Description)
		describedProperties(t, "schema "+name, schema)
	}
}

// describedProperties holds that schema and each property in it says what it is. What a
// property refers to says it for the property.
func describedProperties(t *testing.T, what string, schema *openapi3.SchemaRef) {
	assert.NotEmpty(t, schema.Value.Description, "%s has no description", what)
	for name, property := range schema.Value.Properties {
		describedProperties(t, what+"."+name, property)
	}
	for _, part := range schema.Value.AllOf {
		describedProperties(t, what, part)
	}
}
