package speccheck

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"
)

// To find out whether a schema is empty, kin-openapi searches it and the schemas in it for a keyword.
// In a recursive schema without keywords of its own, the search overflows the stack. The functions in
// this file add a keyword without effect to such schemas, which ends the search.

// anyFormat is a format that no validator implements, so that it has no effect.
const anyFormat = "x-speccheck-any"

// addFormatToSchemas adds a format to each schema that has none.
func addFormatToSchemas(doc *openapi3.T) error {
	return doc.WalkSchemas(func(_ string, ref *openapi3.SchemaRef) error {
		if s := ref.Value; s != nil && s.Always == nil && s.Format == "" {
			s.Format = anyFormat
		}
		return nil
	})
}

// addFormatBesideRefs adds a format to each reference that has schemas beside it, which kin-openapi
// treats as one more schema while it loads a document. It returns a document without such references
// unchanged.
func addFormatBesideRefs(spec []byte) []byte {
	var document yaml.Node // JSON is YAML, too
	if err := yaml.Unmarshal(spec, &document); err != nil || !addFormats(&document) {
		return spec // if it is invalid, kin-openapi returns the error
	}
	text, err := yaml.Marshal(&document)
	if err != nil {
		return spec
	}
	return text
}

// applicators are the keywords whose values are or contain schemas.
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
