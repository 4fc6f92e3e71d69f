package speccheck_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
)

func document(t testing.TB) *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	return doc
}

func TestContract_examplesAreValid(t *testing.T) {
	c := newChecker(t)
	for _, b := range bodies(t) {
		t.Run(b.String(), func(t *testing.T) {
			assert.Empty(t, check(t, c, b, encode(t, b.Example)))
		})
	}

	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range op.Parameters {
				t.Run(op.OperationID+" "+p.Value.Name, func(t *testing.T) {
					req := newRequest(t, method, path)
					if example, ok := p.Value.Example.(string); ok && p.Value.In == "path" {
						req = newRequest(t, method, strings.ReplaceAll(path, "{"+p.Value.Name+"}", example))
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

	// The examples of single properties are valid by their own schemas.
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

func TestContract_isDocumented(t *testing.T) {
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
					assertDescribed(t, op.OperationID+" "+what, media.Schema)
				}
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		described("schema "+name, schema.Value.Description)
		assertDescribed(t, "schema "+name, schema)
	}
}

// assertDescribed verifies that a schema and each property in it has a description. A property
// that is a reference has the description of the schema that it refers to.
func assertDescribed(t *testing.T, what string, schema *openapi3.SchemaRef) {
	assert.NotEmpty(t, schema.Value.Description, "%s has no description", what)
	for name, property := range schema.Value.Properties {
		assertDescribed(t, what+"."+name, property)
	}
	for _, part := range schema.Value.AllOf {
		assertDescribed(t, what, part)
	}
}
