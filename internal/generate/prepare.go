package generate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

// prepare rewrites the schemas of a contract into equivalent ones that oapi-codegen represents,
// and returns an error for each that the decoders could not enforce.
func prepare(contract *openapi3.T) error {
	p := &preparation{contract: contract, done: map[*openapi3.Schema]bool{}, parts: map[*openapi3.Schema]bool{}}
	if contract.Components == nil {
		contract.Components = &openapi3.Components{}
	}
	if contract.Components.Schemas == nil {
		contract.Components.Schemas = openapi3.Schemas{}
	}
	p.operations()
	schemas := contract.Components.Schemas
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		p.top(schemas[name], "/components/schemas/"+name, name)
	}
	p.typeNames()
	return errors.Join(p.problems...)
}

type preparation struct {
	contract *openapi3.T
	done     map[*openapi3.Schema]bool
	parts    map[*openapi3.Schema]bool // the inline members of an allOf
	problems []error

	// The schema that is being prepared: what the names of those inside it start with, and where
	// it is.
	root, rootAt string
}

func (p *preparation) fail(at, format string, arguments ...any) {
	p.problems = append(p.problems, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, arguments...)))
}

// operations prepares the schemas in the operations. The inline body of a response becomes a
// schema of its own, so that it gets a type and a decoder.
func (p *preparation) operations() {
	for _, path := range p.contract.Paths.InMatchingOrder() {
		item := p.contract.Paths.Value(path)
		operations := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			operation := operations[method]
			at := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(method)
			all := append(slices.Clone(item.Parameters), operation.Parameters...)
			for i, parameter := range all {
				p.parameter(parameter.Value, at+"/parameters/"+strconv.Itoa(i), operation.OperationID)
			}
			argumentNames(all)
			if operation.RequestBody != nil {
				bodies := operation.RequestBody.Value.Content
				for _, mediaType := range slices.Sorted(maps.Keys(bodies)) {
					content := bodies[mediaType]
					p.top(content.Schema, at+"/requestBody/content/"+strings.ReplaceAll(mediaType, "/", "~1")+"/schema", operation.OperationID)
				}
			}
			responses := operation.Responses.Map()
			for _, status := range slices.Sorted(maps.Keys(responses)) {
				bodies := responses[status].Value.Content
				for _, mediaType := range slices.Sorted(maps.Keys(bodies)) {
					content := bodies[mediaType]
					at := at + "/responses/" + status + "/content/" + strings.ReplaceAll(mediaType, "/", "~1") + "/schema"
					p.responseBody(operation.OperationID, status, mediaType, content, at)
				}
			}
		}
	}
}

var queryName = regexp.MustCompile(`^[A-Za-z0-9_.\[\]-]+$`)

// parameter prepares a parameter, and fails for one that the client would send in another form.
func (p *preparation) parameter(parameter *openapi3.Parameter, at, operation string) {
	schema := parameter.Schema
	switch {
	case parameter.In == "cookie":
		p.fail(at, "a parameter in a cookie is not supported")
	case schema == nil:
		p.fail(at, "a parameter without a schema is not supported")
		return
	case schema.Value.Format == "password" || schema.Value.Format == "byte":
		p.fail(at+"/schema", "the format %s is not supported in a parameter", schema.Value.Format)
	case parameter.In != "query" && parameter.Style != "" && parameter.Style != "simple":
		p.fail(at, "the style %s is not supported in a %s", parameter.Style, parameter.In)
	case parameter.In == "query" && !queryName.MatchString(parameter.Name):
		p.fail(at, "the name of the parameter would need escapes in a query")
	}
	p.top(schema, at+"/schema", operation+"-"+parameter.Name)
}

// argumentNames renames the parameters of an operation whose names are the same in Go, or that
// hide what the generated functions use.
func argumentNames(parameters openapi3.Parameters) {
	inPath := map[string]bool{}
	for _, name := range []string{
		"ctx", "server", "params", "body", "contentType", "reqEditors", "err", "req", "rsp", "target", "query", "content", "c", "response", "operations",
		"bytes", "context", "errors", "fmt", "http", "io", "json", "runtime", "slices", "strconv", "strictjson", "strings", "time", "url",
	} {
		inPath[goKey(name)] = true
	}
	inStruct := map[string]bool{"string": true, "format": true}
	for i, ref := range parameters {
		taken, name := inStruct, ref.Value.Name
		if ref.Value.In == "path" {
			taken = inPath
			inPath["path"+strconv.Itoa(i)] = true
		}
		if taken[goKey(name)] {
			name = CamelCase(name) + "Param"
			for taken[goKey(name)] {
				name += "2"
			}
			own := *ref.Value // which other operations may share
			own.Extensions = maps.Clone(own.Extensions)
			if own.Extensions == nil {
				own.Extensions = map[string]any{}
			}
			own.Extensions["x-go-name"] = name
			ref.Ref, ref.Value = "", &own
		}
		taken[goKey(name)] = true
	}
}

func (p *preparation) responseBody(operation, status, mediaType string, content *openapi3.MediaType, at string) {
	if content.Schema == nil {
		if strings.Contains(mediaType, "json") {
			p.fail(at, "a JSON response has no schema, so it cannot be verified")
		}
		return
	}
	if !strings.Contains(mediaType, "json") {
		return
	}
	p.top(content.Schema, at, operation)
	switch s := content.Schema.Value; {
	case nullable(s):
		p.fail(at, "a response body that may be null is not supported")
	case only(s, ""):
		p.fail(at, "a response body of any type is not supported")
	}
	if content.Schema.Ref != "" {
		return
	}
	name := operation
	if status != strconv.Itoa(http.StatusOK) {
		name += "-" + status
	}
	if mediaType != "application/json" {
		name += "-" + mediaType
	}
	name = strings.Trim(notInName.ReplaceAllString(name, "-"), "-") + "-body"
	name = p.addSchema(name, content.Schema.Value)
	content.Schema = openapi3.NewSchemaRef("#/components/schemas/"+name, content.Schema.Value)
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// top prepares a schema that is not inside another.
func (p *preparation) top(ref *openapi3.SchemaRef, at, name string) {
	p.root, p.rootAt = name, at
	p.schema(ref, at)
}

// schema prepares an inline schema and those inside it.
func (p *preparation) schema(ref *openapi3.SchemaRef, at string) {
	if ref == nil {
		return
	}
	if ref.Ref != "" {
		name, ok := strings.CutPrefix(ref.Ref, "#/components/schemas/")
		if !ok || strings.Contains(name, "/") {
			p.fail(at, "refers to %s, but only schemas in /components/schemas can be referred to", ref.Ref)
			return
		}
		p.besideReference(ref, at)
		// Whether it may be null is known once it is prepared.
		root, rootAt := p.root, p.rootAt
		if target := p.contract.Components.Schemas[name]; target != nil && !p.done[target.Value] {
			p.top(target, "/components/schemas/"+name, name)
		}
		p.root, p.rootAt = root, rootAt
		return
	}
	if p.done[ref.Value] {
		return
	}
	p.done[ref.Value] = true
	s := ref.Value

	inner := func(name string, ref *openapi3.SchemaRef) { p.schema(ref, at+"/"+name) }
	for i, member := range s.AllOf {
		p.parts[member.Value] = member.Ref == ""
		inner("allOf/"+strconv.Itoa(i), member)
	}
	for i, member := range s.AnyOf {
		inner("anyOf/"+strconv.Itoa(i), member)
	}
	for i, member := range s.OneOf {
		inner("oneOf/"+strconv.Itoa(i), member)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		inner("properties/"+name, s.Properties[name])
	}
	inner("items", s.Items)
	inner("additionalProperties", s.AdditionalProperties.Schema)

	p.supported(s, at)
	p.format(s, at)
	p.object(s, at)
	p.enumeration(s, at)
	p.alternatives(s, at)
	p.types(s)
	for i, member := range s.AnyOf {
		p.extract(member, at+"/anyOf/"+strconv.Itoa(i))
	}
	for i, member := range s.OneOf {
		p.extract(member, at+"/oneOf/"+strconv.Itoa(i))
	}
	if s.Items != nil && nullable(s.Items.Value) {
		p.extract(s.Items, at+"/items")
	}
	p.extract(s.AdditionalProperties.Schema, at+"/additionalProperties")
	openEnum(s)
	p.discriminator(s, at)
	fieldNames(s)

	switch {
	case len(s.AllOf) == 1 && only(s, "AllOf"):
		// A description beside the reference is lost, which no decoder needs.
		replace(ref, s.AllOf[0])
	case len(s.AnyOf) == 1 && only(s, "AnyOf"):
		replace(ref, s.AnyOf[0])
	case len(s.OneOf) == 1 && only(s, "OneOf"):
		replace(ref, s.OneOf[0])
	default:
		p.allOf(s, at)
	}
}

// extract makes an inline object or union a schema of its own, where oapi-codegen would not give
// it a type that has methods and that can be null.
func (p *preparation) extract(ref *openapi3.SchemaRef, at string) {
	if ref == nil || ref.Ref != "" {
		return
	}
	s := ref.Value
	if len(s.Properties)+len(s.AllOf) == 0 && len(s.AnyOf)+len(s.OneOf) < 2 {
		return
	}
	body := *s
	other := func(m *openapi3.SchemaRef) bool { return !isNull(m.Value) }
	body.AnyOf, body.OneOf = filter(s.AnyOf, other), filter(s.OneOf, other)
	notNull(&body)
	if len(body.Properties)+len(body.AllOf) == 0 && len(body.AnyOf)+len(body.OneOf) < 2 {
		return // a schema or null
	}
	name := p.root + "-" + notInName.ReplaceAllString(strings.NewReplacer("/properties/", "/", "additionalProperties", "value").Replace(strings.TrimPrefix(at, p.rootAt)), "-")
	name = p.addSchema(strings.ReplaceAll(name, "--", "-"), &body)
	own := openapi3.NewSchemaRef("#/components/schemas/"+name, &body)
	if !nullable(s) {
		*ref = *own
		return
	}
	null := openapi3.NewSchemaRef("", &openapi3.Schema{Type: &openapi3.Types{"null"}})
	ref.Value = &openapi3.Schema{AnyOf: openapi3.SchemaRefs{own, null}, Description: s.Description}
}

func filter(refs openapi3.SchemaRefs, keep func(*openapi3.SchemaRef) bool) openapi3.SchemaRefs {
	var kept openapi3.SchemaRefs
	for _, ref := range refs {
		if keep(ref) {
			kept = append(kept, ref)
		}
	}
	return kept
}

// addSchema adds a schema that has been prepared to the contract, and returns its name.
func (p *preparation) addSchema(name string, s *openapi3.Schema) string {
	p.done[s] = true
	for p.contract.Components.Schemas[name] != nil {
		name += "-2"
	}
	p.contract.Components.Schemas[name] = openapi3.NewSchemaRef("", s)
	return name
}

// replace makes ref the schema that other is.
func replace(ref, other *openapi3.SchemaRef) {
	description := ref.Value.Description
	*ref.Value = *other.Value
	if other.Ref == "" && description != "" {
		ref.Value.Description = description
	}
	ref.Ref = other.Ref
}

// supportedKeywords are the fields of a schema that the decoders enforce or may ignore.
var supportedKeywords = []string{
	"OneOf", "AnyOf", "AllOf", "Type", "Format", "Enum", "Const",
	"ExclusiveMin", "ExclusiveMax", "Min", "Max", "MultipleOf", "MinLength", "MaxLength", "Pattern",
	"MinItems", "MaxItems", "Items", "Required", "Properties", "MinProps", "MaxProps",
	"AdditionalProperties", "Discriminator",
	// annotations
	"Extensions", "Origin", "Title", "Description", "Default", "Example", "Examples", "ExternalDocs",
	"ReadOnly", "WriteOnly", "AllowEmptyValue", "Deprecated", "XML", "Comment",
}

// appliesTo are the types of values that a keyword constrains, by the field of a schema.
var appliesTo = map[string][]string{
	"MinLength": {"string"}, "MaxLength": {"string"}, "Pattern": {"string"},
	"Min": {"integer", "number"}, "Max": {"integer", "number"}, "MultipleOf": {"integer", "number"},
	"ExclusiveMin": {"integer", "number"}, "ExclusiveMax": {"integer", "number"},
	"Items": {"array"}, "MinItems": {"array"}, "MaxItems": {"array"},
	"Properties": {"object"}, "Required": {"object"}, "MinProps": {"object"}, "MaxProps": {"object"},
	"AdditionalProperties": {"object"},
}

func (p *preparation) supported(s *openapi3.Schema, at string) {
	kinds := s.Type.Slice()
	if s.Type == nil && (len(s.Properties)+len(s.AllOf) > 0 || s.AdditionalProperties.Schema != nil || p.parts[s]) {
		kinds = []string{"object"} // documents often omit it
	}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		want := appliesTo[field.Name]
		switch {
		case v.Field(i).IsZero():
		case !slices.Contains(supportedKeywords, field.Name):
			p.fail(at, "the keyword %s is not supported, so it would not be enforced", keyword(field))
		case want != nil && !slices.ContainsFunc(want, func(kind string) bool { return slices.Contains(kinds, kind) }):
			p.fail(at, "the keyword %s needs the type %s beside it", keyword(field), want[0])
		}
	}
	for name := range s.Extensions {
		if !strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "x-go-") || strings.HasPrefix(name, "x-oapi-codegen-") {
			p.fail(at, "the keyword %s is not supported, so it would not be enforced", name)
		}
	}
	if s.Pattern != "" {
		if _, err := regexp.Compile(s.Pattern); err != nil {
			p.fail(at, "the pattern is not a regular expression of Go: %v", err)
		}
	}
	if s.MaxLength != nil && *s.MaxLength == 0 {
		p.fail(at, "the keyword maxLength is not supported with the value 0")
	}
	if s.ExclusiveMin.Bool != nil || s.ExclusiveMax.Bool != nil {
		p.fail(at, "exclusiveMinimum and exclusiveMaximum are supported as numbers only")
	}
	if s.Type != nil && len(*s.Type) == 0 {
		p.fail(at, "the list of types is empty, so no value is valid")
	}
	if len(s.AnyOf) > 0 && len(s.OneOf) > 0 {
		p.fail(at, "anyOf beside oneOf is not supported")
	}
}

// besideReference fails for what a reference is constrained by beyond what it refers to.
func (p *preparation) besideReference(ref *openapi3.SchemaRef, at string) {
	text, err := json.Marshal(ref)
	var members map[string]any
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		p.fail(at, "cannot be read: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !strings.HasPrefix(name, "x-") && !slices.Contains([]string{"$ref", "description", "summary", "title", "default", "example", "examples", "deprecated"}, name) {
			p.fail(at, "the keyword %s beside a reference is not supported, so it would not be enforced", name)
		}
	}
}

// formats are the types that each format is supported for. Other formats of strings are in
// strictjson.Formats.
var formats = map[string]string{
	"password": "string", "date-time": "string", "byte": "string", "unixtime": "integer",
	"int32": "integer", "int64": "integer", "float": "number", "double": "number",
}

// format fails for a format that is not enforced, or whose Go type does not enforce the
// constraints beside it.
func (p *preparation) format(s *openapi3.Schema, at string) {
	kind := formats[s.Format]
	if _, ok := strictjson.Formats[s.Format]; ok {
		kind = "string"
	}
	switch {
	case s.Format == "":
		return
	case kind == "":
		p.fail(at, "the format %s is not supported, so it would not be enforced", s.Format)
	case s.Type == nil || !s.Type.Includes(kind):
		p.fail(at, "the format %s is supported for the type %s only", s.Format, kind)
	}
	beside := *s
	switch s.Format {
	case "password":
		if s.MinLength <= 1 {
			beside.MinLength = 0
		}
		if s.Pattern == secretPattern {
			beside.Pattern = ""
		}
	case "unixtime":
		if s.Min != nil && *s.Min == 0 {
			beside.Min = nil
		}
		if s.Max != nil && *s.Max == lastUnixTime {
			beside.Max = nil
		}
	case "date-time", "byte":
	default:
		return
	}
	beside.Type, beside.Format = nil, ""
	if !only(&beside, "") {
		p.fail(at, "a constraint beside the format %s is not supported, unless it is the one that the Go type enforces", s.Format)
	}
}

// What the types in package apitype enforce by themselves.
const (
	secretPattern = `^[A-Za-z0-9_~+/-]+(\.{1,2}[A-Za-z0-9_~+/-]+)*={0,2}$`
	lastUnixTime  = 253402300799
)

// object fails for what an object's decoder would not enforce.
func (p *preparation) object(s *openapi3.Schema, at string) {
	properties, required := members(s)
	for _, name := range required {
		if properties[name] == nil && !p.parts[s] {
			p.fail(at, "it requires %s, which is not among its properties", name)
		}
	}
	counted := func(s *openapi3.Schema) bool { return s.MinProps > 0 || s.MaxProps != nil }
	if counted(s) && (len(s.Properties) == 0 || len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0 || p.parts[s]) {
		p.fail(at, "a limit on the number of properties is supported only for an object with properties and without allOf, anyOf and oneOf")
	}
}

// members returns the properties of an object and what it requires, with those of its allOf.
func members(s *openapi3.Schema) (properties openapi3.Schemas, required []string) {
	properties, required = maps.Clone(s.Properties), slices.Clone(s.Required)
	if properties == nil {
		properties = openapi3.Schemas{}
	}
	for _, part := range s.AllOf {
		more, r := members(part.Value)
		maps.Copy(properties, more)
		required = append(required, r...)
	}
	return properties, required
}

// allOf fails for parts that are not objects, and for a property that two parts define
// differently.
func (p *preparation) allOf(s *openapi3.Schema, at string) {
	defined := maps.Clone(s.Properties)
	if defined == nil {
		defined = openapi3.Schemas{}
	}
	for i, part := range s.AllOf {
		at := at + "/allOf/" + strconv.Itoa(i)
		if v := part.Value; nullable(v) || v.Type != nil && !v.Type.Is("object") || len(v.Enum) > 0 {
			p.fail(at, "an allOf of anything but objects is not supported")
		}
		if part.Ref != "" && (part.Value.MinProps > 0 || part.Value.MaxProps != nil) {
			p.fail(at, "a limit on the number of properties is not supported in an allOf")
		}
		properties, _ := members(part.Value)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if other := defined[name]; other != nil && !sameSchema(other, properties[name]) {
				p.fail(at, "another part of the allOf defines the property %s differently", name)
			}
			defined[name] = properties[name]
		}
	}
}

func sameSchema(a, b *openapi3.SchemaRef) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

func keyword(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" || name == "" {
		return f.Name
	}
	return name
}

// enumeration turns a constant into an enum of one value, and a null in an enum into a type.
func (p *preparation) enumeration(s *openapi3.Schema, at string) {
	if s.Const != nil {
		s.Enum, s.Const = []any{s.Const}, nil
	}
	if len(s.Enum) == 0 {
		return
	}
	if !slices.Contains(s.Enum, nil) {
		notNull(s)
	} else {
		s.Enum = slices.DeleteFunc(slices.Clone(s.Enum), func(v any) bool { return v == nil })
		if s.Type != nil && !s.Type.Includes("null") {
			s.Type = &openapi3.Types{(*s.Type)[0], "null"}
		}
	}
	kinds := map[string]bool{}
	for i, value := range s.Enum {
		switch value := value.(type) {
		case string:
			kinds["string"] = true
		case bool:
			kinds["boolean"] = true
		case float64:
			if value == math.Trunc(value) && math.Abs(value) < 1<<53 && (s.Type == nil || !s.Type.Is("number")) {
				s.Enum[i] = int64(value)
				kinds["integer"] = true
			} else {
				kinds["number"] = true
			}
		default:
			kinds[fmt.Sprintf("%T", value)] = true
		}
	}
	found := slices.Collect(maps.Keys(kinds))
	switch {
	case len(found) == 0:
		s.Type = &openapi3.Types{"null"}
	case len(found) > 1:
		p.fail(at, "an enum with values of several types is not supported")
	case !slices.Contains([]string{"string", "boolean", "integer", "number"}, found[0]):
		p.fail(at, "an enum or a constant of an object or an array is not supported")
	case s.Type == nil:
		s.Type = &openapi3.Types{found[0]}
	case !s.Type.Includes(found[0]) && !(found[0] == "integer" && s.Type.Includes("number")):
		p.fail(at, "the values of the enum are not of the schema's type")
	}
}

// types turns several types into alternatives.
func (p *preparation) types(s *openapi3.Schema) {
	if s.Type == nil || len(s.AnyOf)+len(s.OneOf) > 0 {
		return
	}
	kinds := slices.DeleteFunc(slices.Clone(*s.Type), func(t string) bool { return t == "null" })
	if len(kinds) < 2 {
		return
	}
	all := *s
	*s = openapi3.Schema{Description: all.Description, Title: all.Title, Extensions: all.Extensions, Example: all.Example, Default: all.Default}
	for _, kind := range *all.Type {
		one := all
		one.Type = &openapi3.Types{kind}
		one.Description, one.Extensions = "", nil
		s.AnyOf = append(s.AnyOf, openapi3.NewSchemaRef("", &one))
	}
}

// alternatives makes nested unions flat, and leaves the type of a union to its members.
func (p *preparation) alternatives(s *openapi3.Schema, at string) {
	members := &s.AnyOf
	if len(s.OneOf) > 0 {
		members = &s.OneOf
	}
	if len(*members) == 0 {
		return
	}
	var flat openapi3.SchemaRefs
	for _, member := range *members {
		m := member.Value
		switch {
		case member.Ref == "" && len(m.AnyOf) > 0 && only(m, "AnyOf"):
			flat = append(flat, m.AnyOf...)
		case member.Ref == "" && len(m.OneOf) > 0 && only(m, "OneOf"):
			flat = append(flat, m.OneOf...)
		default:
			flat = append(flat, member)
		}
	}
	*members = flat
	for i, member := range flat {
		m := member.Value
		if m.Type == nil && len(m.Properties)+len(m.AllOf)+len(m.AnyOf)+len(m.OneOf) == 0 && m.AdditionalProperties.Schema == nil {
			p.fail(at, "member %d of the union has no type", i)
		}
	}
	if s.Type != nil && !s.Type.Includes("object") {
		s.Type = nil // the members have it
	}
	if accepted := func(m *openapi3.SchemaRef) bool { return nullable(m.Value) }; !slices.ContainsFunc(flat, accepted) {
		notNull(s)
	} else if !slices.ContainsFunc(flat, func(m *openapi3.SchemaRef) bool { return isNull(m.Value) }) {
		// A member that may be null makes the union one that may be null.
		*members = append(flat, openapi3.NewSchemaRef("", &openapi3.Schema{Type: &openapi3.Types{"null"}}))
	}
	if s.Type == nil && len(s.Properties) == 0 && (s.Pattern != "" || s.MinLength > 0 || s.MaxLength != nil ||
		s.Min != nil || s.Max != nil || s.MinItems > 0 || s.MaxItems != nil || len(s.Enum) > 0) {
		p.fail(at, "a constraint beside a union is not supported, put it into the members")
	}
}

// selection is how a discriminator selects a member of a union.
type selection struct {
	property string
	members  map[string]int // the indices of the members among those that are not null
}

// selectionKey is the extension that holds a selection.
const selectionKey = "x-selection"

// discriminator replaces a discriminator by the selection that it means. The constants of the
// members come first, since a document may name none and oapi-codegen would then expect the
// names of the schemas as values. Where there are neither constants nor a mapping, the
// discriminator selects nothing, and the members are tried in turn.
func (p *preparation) discriminator(s *openapi3.Schema, at string) {
	d := s.Discriminator
	s.Discriminator = nil
	if d == nil || len(s.AnyOf)+len(s.OneOf) == 0 {
		return
	}
	members := slices.DeleteFunc(slices.Concat(s.AnyOf, s.OneOf), func(m *openapi3.SchemaRef) bool { return isNull(m.Value) })
	selected := selection{d.PropertyName, map[string]int{}}
	distinct := true
	for i, member := range members {
		values := constants(member.Value, d.PropertyName)
		distinct = distinct && len(values) > 0
		for _, value := range values {
			if _, twice := selected.members[value]; twice {
				distinct = false
			}
			selected.members[value] = i
		}
	}
	if !distinct {
		selected.members = map[string]int{}
		for value, target := range d.Mapping {
			i := slices.IndexFunc(members, func(m *openapi3.SchemaRef) bool { return m.Ref == target.Ref })
			if i < 0 {
				p.fail(at, "the discriminator maps a value to %s, which is not in the union", target.Ref)
				continue
			}
			selected.members[value] = i
		}
	}
	if len(selected.members) > 0 {
		s.Extensions = maps.Clone(s.Extensions)
		if s.Extensions == nil {
			s.Extensions = map[string]any{}
		}
		s.Extensions[selectionKey] = selected
	}
}

// constants returns the values that the property name of s is limited to.
func constants(s *openapi3.Schema, name string) []string {
	if property := s.Properties[name]; property != nil {
		values := property.Value.Enum
		if property.Value.Const != nil {
			values = []any{property.Value.Const}
		}
		var texts []string
		for _, value := range values {
			if text, ok := value.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts
	}
	for _, part := range s.AllOf {
		if values := constants(part.Value, name); values != nil {
			return values
		}
	}
	return nil
}

// openEnum turns alternatives that are all strings, at least one of them with any value, into an
// enum: the decoders accept other values of an enum anyway.
func openEnum(s *openapi3.Schema) {
	members := slices.Concat(s.AnyOf, s.OneOf)
	if len(members) < 2 || s.Discriminator != nil {
		return
	}
	var values []any
	var null, open bool
	for _, member := range members {
		m := member.Value
		switch {
		case isNull(m):
			null = true
		case m.Type != nil && m.Type.Includes("string") && (len(*m.Type) == 1 || len(*m.Type) == 2 && m.Type.Includes("null")) &&
			m.Format == "" && m.Pattern == "" && m.MinLength == 0 && m.MaxLength == nil:
			null = null || m.Type.Includes("null")
			open = open || len(m.Enum) == 0
			for _, value := range m.Enum {
				if !slices.Contains(values, value) {
					values = append(values, value)
				}
			}
		default:
			return
		}
	}
	if strings := len(members); null && strings == 2 && len(members[0].Ref)+len(members[1].Ref) > 0 {
		return // a reference or null
	}
	if open && len(values) == 1 {
		values = nil // alone it would be a constant
	}
	s.AnyOf, s.OneOf, s.Enum = nil, nil, values
	s.Type = &openapi3.Types{"string"}
	if null {
		s.Type = &openapi3.Types{"string", "null"}
	}
}

// notNull removes null from the types of s.
func notNull(s *openapi3.Schema) {
	if s.Type != nil && s.Type.Includes("null") && len(*s.Type) > 1 {
		s.Type = new(slices.DeleteFunc(slices.Clone(*s.Type), func(kind string) bool { return kind == "null" }))
	}
}

func isNull(s *openapi3.Schema) bool { return s.Type != nil && s.Type.Is("null") }

func nullable(s *openapi3.Schema) bool {
	return s.Type != nil && s.Type.Includes("null") ||
		slices.ContainsFunc(slices.Concat(s.AnyOf, s.OneOf), func(m *openapi3.SchemaRef) bool { return isNull(m.Value) })
}

// only reports whether field is all that s consists of, beside annotations.
func only(s *openapi3.Schema, field string) bool {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if at := slices.Index(supportedKeywords, name); name != field && !v.Field(i).IsZero() && at < slices.Index(supportedKeywords, "Extensions") {
			return false
		}
	}
	return true
}

// fieldNames renames the fields of properties whose names are the same in Go, or that are names
// of methods.
func fieldNames(s *openapi3.Schema) {
	taken := map[string]bool{
		"union": true, "additionalproperties": true,
		"string": true, "format": true, "marshaljson": true, "unmarshaljson": true,
	}
	union := len(s.AnyOf)+len(s.OneOf) > 0
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		key := goKey(name)
		method := union && (strings.HasPrefix(key, "as") || strings.HasPrefix(key, "from"))
		if !taken[key] && !method {
			taken[key] = true
			continue
		}
		n := 2
		for ; taken[key+strconv.Itoa(n)]; n++ {
		}
		taken[key+strconv.Itoa(n)] = true
		extend(s.Properties[name], "x-go-name", CamelCase(name)+strconv.Itoa(n))
	}
}

// extend sets an extension of ref, beside a reference without changing what it refers to.
func extend(ref *openapi3.SchemaRef, name string, value any) {
	extensions := &ref.Extensions
	if ref.Ref == "" {
		extensions = &ref.Value.Extensions
	}
	if *extensions == nil {
		*extensions = map[string]any{}
	}
	(*extensions)[name] = value
}

// typeNames renames the types of inline schemas whose names are the same in Go as those of
// others: oapi-codegen names a type after the names that lead to it.
func (p *preparation) typeNames() {
	taken := map[string]bool{}
	for _, item := range p.contract.Paths.Map() {
		for _, operation := range item.Operations() {
			name := goKey(operation.OperationID)
			if taken[name+"request"] {
				p.fail("/paths", "another operationId than %s has the same name in Go", operation.OperationID)
			}
			for _, suffix := range []string{"", "params", "jsonbody", "jsonrequestbody", "request", "requestobject", "response", "responseobject"} {
				taken[name+suffix] = true
			}
			for status := range operation.Responses.Map() {
				taken[name+goKey(status)+"jsonresponse"] = true
			}
		}
	}
	schemas := p.contract.Components.Schemas
	for name := range schemas {
		taken[goKey(name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		inside(schemas[name], []string{name}, func(ref *openapi3.SchemaRef, path []string) {
			key := goKey(strings.Join(path, ""))
			if !taken[key] {
				taken[key] = true
				return
			}
			n := 2
			for ; taken[key+strconv.Itoa(n)]; n++ {
			}
			taken[key+strconv.Itoa(n)] = true
			extend(ref, "x-go-type-name", CamelCase(strings.Join(path, "-"))+strconv.Itoa(n))
		})
	}
}

// goKey returns what is left of a name if one ignores how Go spells it.
func goKey(name string) string { return strings.ToLower(notInName.ReplaceAllString(name, "")) }

// inside calls visit for each inline schema in ref that gets a type of its own.
func inside(ref *openapi3.SchemaRef, path []string, visit func(*openapi3.SchemaRef, []string)) {
	if ref == nil || ref.Ref != "" {
		return
	}
	s := ref.Value
	if len(path) > 1 && (len(s.Enum) > 0 || len(s.Properties) > 0 || len(s.AnyOf)+len(s.OneOf)+len(s.AllOf) > 0) {
		visit(ref, path)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		inside(s.Properties[name], append(slices.Clone(path), name), visit)
	}
	inside(s.Items, path, visit)
	inside(s.AdditionalProperties.Schema, append(slices.Clone(path), "AdditionalProperties"), visit)
	for i, member := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
		inside(member, append(slices.Clone(path), strconv.Itoa(i)), visit)
	}
}

// CamelCase returns the words of a name with upper-case first letters, joined.
func CamelCase(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return notInName.MatchString(string(r)) }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if name := b.String(); name != "" && name[0] > '9' {
		return name
	}
	return "N" + b.String() // as oapi-codegen does
}
