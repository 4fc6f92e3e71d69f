package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// page is a path of the contract, with every named schema that its operations use.
type page struct {
	Path, File string
	Operations []*operation
	Schemas    []namedSchema
}

type operation struct {
	*openapi3.Operation
	Method, Path, Title string
	Idempotent          bool // the client may send the request again after a failure
	Calls               []call
	Fields              map[string]string // the Go fields of the parameters and their types, by JSON name
}

type namedSchema struct {
	Name   string
	Ref    *openapi3.SchemaRef
	GoType string            // the Go type, such as orgkeys.AdminKey, or ""
	Fields map[string]string // the Go field and its type, by JSON name
}

func readContract(spec []byte, source *source) (pages []*page, err error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	fileNames := strings.NewReplacer("/", "-", "{", "", "}", "")
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		p := &page{Path: path, File: fileNames.Replace(strings.Trim(path, "/")) + ".md"}
		item, names := doc.Paths.Value(path), []string(nil)
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} {
			op := item.GetOperation(method)
			if op == nil {
				continue
			}
			op.Parameters = slices.Concat(item.Parameters, op.Parameters)
			for _, parameter := range op.Parameters {
				parameter.Ref = "" // inline, so that the operation only refers to schemas
			}
			if op.RequestBody != nil {
				op.RequestBody.Ref = ""
			}
			for _, response := range op.Responses.Map() {
				response.Ref = ""
			}
			o := &operation{Operation: op, Method: method, Path: path, Title: cmp.Or(op.Summary, op.OperationID), Fields: map[string]string{}}
			o.Idempotent = method != http.MethodPost && method != http.MethodPatch || op.Extensions["x-idempotent"] == true
			source.addCalls(o)
			p.Operations = append(p.Operations, o)
			names = reached(doc, op, names)
		}
		for _, name := range names {
			typ := source.typeOf(name)
			p.Schemas = append(p.Schemas, namedSchema{name, doc.Components.Schemas[name], typ, source.fields(typ)})
		}
		pages = append(pages, p)
	}
	return pages, nil
}

var schemaRef = regexp.MustCompile(`"#/components/schemas/([^"]+)"`)

// reached appends to names the names of the schemas that part refers to, directly or through
// other schemas.
func reached(doc *openapi3.T, part any, names []string) []string {
	for _, ref := range schemaRef.FindAllStringSubmatch(jsonText(part, ""), -1) {
		if !slices.Contains(names, ref[1]) {
			names = reached(doc, doc.Components.Schemas[ref[1]].Value, append(names, ref[1]))
		}
	}
	return names
}

// row is a property in an object's table.
type row struct {
	Name     string
	Ref      *openapi3.SchemaRef
	Required bool
}

// rows returns the properties of an object, including those of its allOf. The properties of an
// inline object in it follow as `parent.child` or `list[].child`.
func rows(ref *openapi3.SchemaRef, prefix string) (list []row) {
	if ref == nil {
		return nil
	}
	for _, part := range ref.Value.AllOf {
		list = append(list, rows(part, prefix)...)
	}
	for _, name := range slices.Sorted(maps.Keys(ref.Value.Properties)) {
		p := ref.Value.Properties[name]
		list = append(list, row{prefix + name, p, slices.Contains(ref.Value.Required, name)})
		for _, part := range slices.Concat(openapi3.SchemaRefs{p}, p.Value.AnyOf, p.Value.OneOf) {
			if part.Ref == "" {
				list = append(list, rows(part, prefix+name+".")...)
			}
			if items := part.Value.Items; part.Ref == "" && items != nil && items.Ref == "" {
				list = append(list, rows(items, prefix+name+"[].")...)
			}
		}
	}
	return list
}

// kind returns a schema's type in words, with links to the sections of named schemas.
func kind(ref *openapi3.SchemaRef) string {
	if ref == nil {
		return "any value"
	}
	if ref.Ref != "" {
		name := ref.Ref[strings.LastIndexByte(ref.Ref, '/')+1:]
		return fmt.Sprintf("[%s](#%s)", name, anchor(name))
	}
	s := ref.Value
	var kinds []string
	for _, branch := range slices.Concat(s.AnyOf, s.OneOf) {
		kinds = append(kinds, kind(branch))
	}
	for _, t := range s.Type.Slice() {
		values := s.AdditionalProperties.Schema
		switch {
		case t == "null":
		case len(s.AnyOf)+len(s.OneOf) > 0:
			continue // the branches are more exact
		case t == "array" && s.Items != nil:
			t = "array of " + kind(s.Items)
		case t == "object" && values != nil:
			t = "map of string to " + kind(values)
		case s.Format != "":
			t += " (" + s.Format + ")"
		}
		kinds = append(kinds, t)
	}
	switch {
	case len(kinds) == 0 && len(s.AllOf) == 1:
		return kind(s.AllOf[0])
	case len(kinds) == 0 && len(s.AllOf)+len(s.Properties) > 0:
		return "object"
	}
	return cmp.Or(strings.Join(slices.Compact(kinds), " or "), "any value")
}

// constraints are the keywords that limit a schema's values, with their wording in the tables.
var constraints = []struct{ keyword, format string }{
	{"const", "%s"}, {"enum", "one of %s"}, {"default", "default %s"}, {"multipleOf", "a multiple of %s"}, {"pattern", "matches %s"},
	{"minimum", "at least %s"}, {"exclusiveMinimum", "more than %s"}, {"maximum", "at most %s"}, {"exclusiveMaximum", "less than %s"},
	{"minLength", "at least %s characters"}, {"maxLength", "at most %s characters"}, {"uniqueItems", "unique items: %s"},
	{"minItems", "at least %s items"}, {"maxItems", "at most %s items"},
	{"minProperties", "at least %s properties"}, {"maxProperties", "at most %s properties"},
}

// allowed returns the constraints of a schema and of the inline schemas in it, in words.
func allowed(ref *openapi3.SchemaRef) string {
	if ref == nil || ref.Ref != "" {
		return ""
	}
	var list []string
	var keywords map[string]any
	_ = json.Unmarshal([]byte(jsonText(ref.Value, "")), &keywords) // never fails: it was just encoded
	for _, c := range constraints {
		value, ok := keywords[c.keyword]
		values, many := value.([]any)
		if !many {
			values = []any{value}
		}
		for i, v := range values {
			values[i] = "`" + jsonText(v, "") + "`"
		}
		if ok {
			list = append(list, fmt.Sprintf(c.format, strings.Trim(fmt.Sprint(values), "[]")))
		}
	}
	s := ref.Value
	for _, part := range slices.Concat(openapi3.SchemaRefs{s.Items, s.AdditionalProperties.Schema}, s.AllOf, s.AnyOf, s.OneOf) {
		if text := allowed(part); text != "" {
			list = append(list, text)
		}
	}
	return strings.Join(list, "; ")
}

// jsonText returns a value as JSON, on one line if indent is empty.
func jsonText(v any, indent string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(out.String())
}
