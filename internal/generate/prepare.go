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
	"github.com/go-openapi/jsonpointer"

	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

// prepare rewrites the schemas of a contract into equivalent ones that oapi-codegen can generate
// types for. It returns an error for each schema that the decoders could not enforce.
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

	// The outermost schema that is being prepared: the prefix of the names of the schemas inside
	// it, and its JSON pointer.
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
			at := "/paths/" + jsonpointer.Escape(path) + "/" + strings.ToLower(method)
			all := append(slices.Clone(item.Parameters), operation.Parameters...)
			for i, parameter := range all {
				p.parameter(parameter.Value, at+"/parameters/"+strconv.Itoa(i), operation.OperationID)
			}
			argumentNames(all)
			if operation.RequestBody != nil {
				bodies := operation.RequestBody.Value.Content
				for _, mediaType := range slices.Sorted(maps.Keys(bodies)) {
					p.top(bodies[mediaType].Schema, at+"/requestBody/content/"+jsonpointer.Escape(mediaType)+"/schema", operation.OperationID)
				}
			}
			responses := operation.Responses.Map()
			for _, status := range slices.Sorted(maps.Keys(responses)) {
				bodies := responses[status].Value.Content
				for _, mediaType := range slices.Sorted(maps.Keys(bodies)) {
					at := at + "/responses/" + status + "/content/" + jsonpointer.Escape(mediaType) + "/schema"
					p.responseBody(operation.OperationID, status, mediaType, bodies[mediaType], at)
				}
			}
		}
	}
}

var queryName = regexp.MustCompile(`^[A-Za-z0-9_.\[\]-]+$`)

// parameter prepares a parameter. It is an error if the client would not send the parameter as the
// contract describes it.
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

// argumentNames renames the parameters of an operation that have the same name in Go as another
// one, or as a variable or a package that the generated functions use.
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
			own := *ref.Value // a copy, since other operations may share the parameter
			own.Extensions = with(own.Extensions, "x-go-name", name)
			ref.Ref, ref.Value = "", &own
		}
		taken[goKey(name)] = true
	}
}

// responseBody prepares the schema of a JSON response and, if it is inline, adds it to the named
// schemas of the contract.
func (p *preparation) responseBody(operation, status, mediaType string, content *openapi3.MediaType, at string) {
	switch {
	case !strings.Contains(mediaType, "json"):
		return
	case content.Schema == nil:
		p.fail(at, "a JSON response has no schema, so it cannot be verified")
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

// top prepares a schema that is not inside another schema.
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
		// The target comes first, since preparing it may change whether it can be null.
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

	if all := composed(s); len(all) == 1 {
		replace(ref, all[0]) // without a description beside a reference, which the decoders do not need
	} else {
		p.allOf(s, at)
	}
}

// composed returns the members of s if it consists of an allOf, an anyOf or a oneOf and nothing else.
func composed(s *openapi3.Schema) openapi3.SchemaRefs {
	if only(s, "AllOf") || only(s, "AnyOf") || only(s, "OneOf") {
		return slices.Concat(s.AllOf, s.AnyOf, s.OneOf)
	}
	return nil
}

// extract makes an inline object or union a named schema, so that oapi-codegen generates a type
// for it that can have methods and be null.
func (p *preparation) extract(ref *openapi3.SchemaRef, at string) {
	if ref == nil || ref.Ref != "" {
		return
	}
	s := ref.Value
	if len(s.Properties)+len(s.AllOf) == 0 && len(s.AnyOf)+len(s.OneOf) < 2 {
		return
	}
	body := *s
	body.AnyOf, body.OneOf = slices.DeleteFunc(slices.Clone(s.AnyOf), isNullRef), slices.DeleteFunc(slices.Clone(s.OneOf), isNullRef)
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

// addSchema adds a schema that has been prepared to the contract, and returns its name.
func (p *preparation) addSchema(name string, s *openapi3.Schema) string {
	p.done[s] = true
	for p.contract.Components.Schemas[name] != nil {
		name += "-2"
	}
	p.contract.Components.Schemas[name] = openapi3.NewSchemaRef("", s)
	return name
}

// replace makes ref equal to other, except for its description.
func replace(ref, other *openapi3.SchemaRef) {
	description := ref.Value.Description
	*ref.Value = *other.Value
	if other.Ref == "" && description != "" {
		ref.Value.Description = description
	}
	ref.Ref = other.Ref
}

// supportedKeywords are the fields of openapi3.Schema that the decoders enforce, and from
// Extensions on those that they may ignore.
var supportedKeywords = []string{
	"OneOf", "AnyOf", "AllOf", "Type", "Format", "Enum", "Const",
	"ExclusiveMin", "ExclusiveMax", "Min", "Max", "MultipleOf", "MinLength", "MaxLength", "Pattern",
	"MinItems", "MaxItems", "Items", "Required", "Properties", "MinProps", "MaxProps",
	"AdditionalProperties", "Discriminator",
	// annotations
	"Extensions", "Origin", "Title", "Description", "Default", "Example", "Examples", "ExternalDocs",
	"ReadOnly", "WriteOnly", "AllowEmptyValue", "Deprecated", "XML", "Comment",
}

// appliesTo contains the types that a keyword constrains, by its field in openapi3.Schema.
var appliesTo = map[string][]string{
	"MinLength": {"string"}, "MaxLength": {"string"}, "Pattern": {"string"},
	"Min": {"integer", "number"}, "Max": {"integer", "number"}, "MultipleOf": {"integer", "number"},
	"ExclusiveMin": {"integer", "number"}, "ExclusiveMax": {"integer", "number"},
	"Items": {"array"}, "MinItems": {"array"}, "MaxItems": {"array"},
	"Properties": {"object"}, "Required": {"object"}, "MinProps": {"object"}, "MaxProps": {"object"},
	"AdditionalProperties": {"object"},
}

// supported reports the keywords of a schema that would not be enforced.
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
	_, err := regexp.Compile(s.Pattern)
	for _, rule := range []struct {
		violated bool
		problem  string
	}{
		{err != nil, fmt.Sprintf("the pattern is not a regular expression of Go: %v", err)},
		{s.MaxLength != nil && *s.MaxLength == 0, "the keyword maxLength is not supported with the value 0"},
		{s.ExclusiveMin.Bool != nil || s.ExclusiveMax.Bool != nil, "exclusiveMinimum and exclusiveMaximum are supported as numbers only"},
		{s.Type != nil && len(*s.Type) == 0, "the list of types is empty, so no value is valid"},
		{len(s.AnyOf) > 0 && len(s.OneOf) > 0, "anyOf beside oneOf is not supported"},
	} {
		if rule.violated {
			p.fail(at, "%s", rule.problem)
		}
	}
}

// besideReference reports the keywords beside a reference that would not be enforced.
func (p *preparation) besideReference(ref *openapi3.SchemaRef, at string) {
	text, err := json.Marshal(ref)
	var members map[string]any
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		p.fail(at, "cannot be read: %v", err)
	}
	annotations := []string{"$ref", "description", "summary", "title", "default", "example", "examples", "deprecated"}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !strings.HasPrefix(name, "x-") && !slices.Contains(annotations, name) {
			p.fail(at, "the keyword %s beside a reference is not supported, so it would not be enforced", name)
		}
	}
}

// formats contains the type that each format is supported for. strictjson.Formats contains more
// formats of strings.
var formats = map[string]string{
	"password": "string", "date-time": "string", "byte": "string", "unixtime": "integer",
	"int32": "integer", "int64": "integer", "float": "number", "double": "number",
}

// format reports a format that would not be enforced, and constraints beside a format that its Go
// type does not enforce.
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

// The constraints that the types in package apitype enforce.
const (
	secretPattern = `^[A-Za-z0-9_~+/-]+(\.{1,2}[A-Za-z0-9_~+/-]+)*={0,2}$`
	lastUnixTime  = 253402300799
)

// object reports required properties and limits that an object's decoder would not enforce.
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

// members returns the properties of an object and the names of the required ones, including those
// of its allOf.
func members(s *openapi3.Schema) (properties openapi3.Schemas, required []string) {
	properties, required = openapi3.Schemas{}, slices.Clone(s.Required)
	maps.Copy(properties, s.Properties)
	for _, part := range s.AllOf {
		more, r := members(part.Value)
		maps.Copy(properties, more)
		required = append(required, r...)
	}
	return properties, required
}

// allOf reports parts that are not objects, and properties that two parts define differently.
func (p *preparation) allOf(s *openapi3.Schema, at string) {
	defined := openapi3.Schemas{}
	maps.Copy(defined, s.Properties)
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

// keyword returns the keyword that a field of openapi3.Schema contains.
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

// alternatives flattens nested unions, and removes the type of a union, which its members have.
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
		if all := composed(member.Value); member.Ref == "" && len(all) > 0 && len(member.Value.AllOf) == 0 {
			flat = append(flat, all...)
		} else {
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
		s.Type = nil
	}
	if accepted := func(m *openapi3.SchemaRef) bool { return nullable(m.Value) }; !slices.ContainsFunc(flat, accepted) {
		notNull(s)
	} else if !slices.ContainsFunc(flat, isNullRef) {
		// If a member may be null, the union may be null.
		*members = append(*members, openapi3.NewSchemaRef("", &openapi3.Schema{Type: &openapi3.Types{"null"}}))
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

// selectionKey is the extension of a schema that contains its selection.
const selectionKey = "x-selection"

// discriminator replaces a discriminator with a selection. The constants of the members take
// precedence over the mapping, since without a mapping oapi-codegen would expect the names of the
// schemas as values. With neither constants nor a mapping there is no selection, and the decoder
// tries the members in order.
func (p *preparation) discriminator(s *openapi3.Schema, at string) {
	d := s.Discriminator
	s.Discriminator = nil
	if d == nil || len(s.AnyOf)+len(s.OneOf) == 0 {
		return
	}
	members := slices.DeleteFunc(slices.Concat(s.AnyOf, s.OneOf), isNullRef)
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
		s.Extensions = with(s.Extensions, selectionKey, selected)
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

// openEnum turns alternatives that are all strings into one enum. It does so even if one of them
// allows any string, since the decoders accept unknown values of an enum.
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
		values = nil // an enum of one value is a constant
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

func isNullRef(ref *openapi3.SchemaRef) bool { return isNull(ref.Value) }

func nullable(s *openapi3.Schema) bool {
	return s.Type != nil && s.Type.Includes("null") || slices.ContainsFunc(slices.Concat(s.AnyOf, s.OneOf), isNullRef)
}

// only reports whether field is the only field of s that is set, apart from annotations.
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

// fieldNames renames properties that have the same name in Go as another one or as a method.
func fieldNames(s *openapi3.Schema) {
	taken := names{
		"union": true, "additionalproperties": true,
		"string": true, "format": true, "marshaljson": true, "unmarshaljson": true,
	}
	union := len(s.AnyOf)+len(s.OneOf) > 0
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		key := goKey(name)
		if union && (strings.HasPrefix(key, "as") || strings.HasPrefix(key, "from")) {
			taken[key] = true // it could be the name of a method of the union
		}
		if number := taken.add(key); number != "" {
			extend(s.Properties[name], "x-go-name", CamelCase(name)+number)
		}
	}
}

// names contains the names that are declared in a scope, as goKey returns them.
type names map[string]bool

// add adds key and returns "" or, if key is declared already, adds it with a number and returns
// the number.
func (taken names) add(key string) string {
	number := ""
	for n := 2; taken[key+number]; n++ {
		number = strconv.Itoa(n)
	}
	taken[key+number] = true
	return number
}

// extend sets an extension of ref: beside a reference, or else of the schema.
func extend(ref *openapi3.SchemaRef, name string, value any) {
	if ref.Ref == "" {
		ref.Value.Extensions = with(ref.Value.Extensions, name, value)
	} else {
		ref.Extensions = with(ref.Extensions, name, value)
	}
}

// with returns a copy of extensions in which name has a value.
func with(extensions map[string]any, name string, value any) map[string]any {
	extended := map[string]any{}
	maps.Copy(extended, extensions)
	extended[name] = value
	return extended
}

// typeNames renames the types of inline schemas that have the same name in Go as another type.
// oapi-codegen names such a type after the names of the schemas and properties that contain it.
func (p *preparation) typeNames() {
	taken := names{}
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
			if number := taken.add(goKey(strings.Join(path, ""))); number != "" {
				extend(ref, "x-go-type-name", CamelCase(strings.Join(path, "-"))+number)
			}
		})
	}
}

// goKey returns a name in lower case without punctuation. Names with the same goKey may have the
// same name in Go.
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

// CamelCase returns the words of a name joined, each with an upper-case first letter.
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
