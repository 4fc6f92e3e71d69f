package speccheck

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"
)

// kin-openapi looks for a keyword in the schemas of a value's parts if a schema has no keyword of its
// own, and overflows the stack if it finds none in a recursive schema. The functions in this file give
// such schemas a keyword that says nothing.

// anyFormat is a format that nothing knows, and that is therefore ignored.
const anyFormat = "x-speccheck-any"

// endSchemas gives a format to each schema that has none.
func endSchemas(doc *openapi3.T) error {
	return doc.WalkSchemas(func(_ string, ref *openapi3.SchemaRef) error {
		if s := ref.Value; s != nil && s.Always == nil && s.Format == "" {
			s.Format = anyFormat
		}
		return nil
	})
}

// endSiblings gives a format to each reference that has schemas beside it, which kin-openapi treats as
// one more schema while it loads a document. It returns any other document as it is.
func endSiblings(spec []byte) []byte {
	var document yaml.Node // JSON is YAML, too
	if err := yaml.Unmarshal(spec, &document); err != nil || !addFormats(&document) {
		return spec // if it is invalid, loading it returns the error
	}
	text, err := yaml.Marshal(&document)
	if err != nil {
		return spec
	}
	return text
}

// applicators are the keywords with schemas.
var applicators = []string{
	"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "properties", "patternProperties",
	"additionalProperties", "propertyNames", "unevaluatedProperties", "items", "prefixItems", "contains",
	"unevaluatedItems", "contentSchema", "$defs",
}

// addFormats adds formats to the references in node that have schemas beside them, and reports whether
// there are any.
func addFormats(node *yaml.Node) (added bool) {
	for _, child := range node.Content {
		added = addFormats(child) || added
	}
	if node.Kind != yaml.MappingNode {
		return added
	}
	keys := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		keys[node.Content[i].Value] = true
	}
	if keys["$ref"] && !keys["format"] && slices.ContainsFunc(applicators, func(keyword string) bool { return keys[keyword] }) {
		node.Content = append(node.Content,
			&yaml.Node{Kind: yaml.ScalarNode, Value: "format"}, &yaml.Node{Kind: yaml.ScalarNode, Value: anyFormat})
		added = true
	}
	return added
}
