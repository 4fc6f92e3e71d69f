package generate

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

// decoderWriter writes the code that accompanies each generated type: its decoder, and its methods
// for encoding and printing.
type decoderWriter struct {
	constraints map[string]string // the names of the generated variables, by their values
	problems    []error
	code        strings.Builder
	typeName    string // the type being written, for messages

	// The types without methods, by name. A decoder is written only for those in called.
	functions map[string]codegen.TypeDefinition
	called    map[string]bool
}

func newDecoderWriter() *decoderWriter {
	return &decoderWriter{
		constraints: map[string]string{},
		functions:   map[string]codegen.TypeDefinition{},
		called:      map[string]bool{},
	}
}

func (w *decoderWriter) printf(format string, arguments ...any) {
	fmt.Fprintf(&w.code, format, arguments...)
}

func (w *decoderWriter) fail(format string, arguments ...any) {
	w.problems = append(w.problems, fmt.Errorf("type %s: %s", w.typeName, fmt.Sprintf(format, arguments...)))
}

// decoders returns the code of types. The type called parameters contains the parameters of an
// operation. The templates call decoders.
func (w *decoderWriter) decoders(types []codegen.TypeDefinition, parameters string) string {
	w.code.Reset()
	written := map[string]bool{}
	for _, t := range types {
		if !written[t.TypeName] && !strings.HasSuffix(t.TypeName, "ContextKey") {
			written[t.TypeName] = true
			w.typeName = t.TypeName
			w.write(t, t.TypeName == parameters)
		}
	}
	return w.code.String()
}

// write writes the code of a type. If parameters is true, the type contains the parameters of an
// operation, which are never decoded, and write omits the decoder.
func (w *decoderWriter) write(t codegen.TypeDefinition, parameters bool) {
	name, s := t.TypeName, t.Schema
	structure := isStruct(s)
	composite := structure || strings.HasPrefix(s.TypeDecl(), "map[") || s.ArrayType != nil
	if t.IsAlias() || s.IsRef() || !composite {
		w.functions[name] = t
		return
	}
	what, shown := "fields", "v"
	if pureUnion(s) {
		what, shown = "value", "v.Union"
	}
	w.printf("// String returns the %s of v, without secrets.\n", what)
	w.printf("func (v %s) String() string { return show.String(%s) }\n\n", name, shown)
	w.printf("// Format prints the %s of v for every verb, without secrets and addresses.\n", what)
	w.printf("func (v %s) Format(f fmt.State, verb rune) { show.Format(f, verb, %s) }\n\n", name, shown)
	if parameters {
		return
	}
	w.printf("// UnmarshalJSON decodes what the contract allows. Its errors do not quote values.\n")
	w.printf("func (v *%s) UnmarshalJSON(b []byte) error {\nreturn strictjson.Unmarshal(b, v, decode%s)\n}\n\n", name, name)
	if structure {
		w.unionMethods(name, s)
		w.marshal(name, s)
		w.object(name, s)
		return
	}
	w.function(t)
}

// function writes the decoder of a type that is not a struct.
func (w *decoderWriter) function(t codegen.TypeDefinition) {
	w.typeName = t.TypeName
	w.printf("func decode%s(v *%s, d *strictjson.Decoder) error {\nreturn %s\n}\n\n", t.TypeName, t.TypeName, w.read("v", t.Schema))
}

// isStruct reports whether a schema's Go type is a struct.
func isStruct(s codegen.Schema) bool {
	return s.ArrayType == nil && (len(s.Properties) > 0 || s.HasAdditionalProperties || len(s.UnionElements) > 0)
}

// pureUnion reports whether a schema is a union and nothing else.
func pureUnion(s codegen.Schema) bool {
	return len(s.UnionElements) > 0 && len(s.Properties) == 0 && !s.HasAdditionalProperties
}

// unionMethods writes the methods that get and set the value of a union.
func (w *decoderWriter) unionMethods(name string, s codegen.Schema) {
	for _, element := range s.UnionElements {
		method, typ := element.Method(), element.String()
		w.printf("// As%s returns the value of v as a %s, or an error if it is another type.\n", method, typ)
		w.printf("func (v %s) As%s() (%s, error) { return strictjson.Get(v.Union, %s) }\n\n", name, method, typ, w.reader(typ))
		w.printf("// From%s makes value the value of v.\n", method)
		w.printf("func (v *%s) From%s(value %s) error {\nv.Union = strictjson.UnionOf(value)\nreturn nil\n}\n\n", name, method, typ)
	}
}

// marshal writes MarshalJSON for a struct that has more than properties.
func (w *decoderWriter) marshal(name string, s codegen.Schema) {
	if !s.HasAdditionalProperties && len(s.UnionElements) == 0 {
		return
	}
	w.printf("// MarshalJSON encodes v. Secrets are redacted.\n")
	w.printf("func (v %s) MarshalJSON() ([]byte, error) {\n", name)
	if pureUnion(s) {
		w.printf("return v.Union.MarshalJSON()\n}\n\n")
		return
	}
	w.printf("members := map[string]any{}\n")
	for _, p := range s.Properties {
		set := fmt.Sprintf("members[%q] = v.%s\n", p.JsonFieldName, p.GoFieldName())
		switch {
		case optionalTime(p) && !p.Required:
			set = fmt.Sprintf("if !v.%s.IsZero() {\n%s}\n", p.GoFieldName(), set)
		case !optionalTime(p) && p.RequiresNilCheck() && !p.Required:
			set = fmt.Sprintf("if v.%s != nil {\n%s}\n", p.GoFieldName(), set)
		}
		w.printf("%s", set)
	}
	var parts []string
	if s.HasAdditionalProperties {
		parts = append(parts, "v.AdditionalProperties")
	}
	if len(s.UnionElements) > 0 {
		parts = append(parts, "v.Union")
	}
	w.printf("return strictjson.Merge(%s, members)\n}\n\n", strings.Join(parts, ", "))
}

// object writes the decoder of a struct.
func (w *decoderWriter) object(name string, s codegen.Schema) {
	w.printf("func decode%s(v *%s, d *strictjson.Decoder) error {\n", name, name)
	if pureUnion(s) {
		w.union(s, "return %s\n")
		w.printf("}\n\n")
		return
	}
	if len(s.UnionElements) > 0 {
		w.printf("start := d.Mark()\n")
		w.union(s, "if err := %s; err != nil {\nreturn err\n}\n")
		w.printf("d.Reset(start)\n")
	}
	var required []string
	var grouped bool
	for _, p := range s.Properties {
		if p.Required {
			required = append(required, p.JsonFieldName)
		}
		grouped = grouped || inGroup(p)
	}
	if grouped {
		w.printf("// One allocation holds all of the object's optional values.\ntype values struct {\n")
		for _, p := range s.Properties {
			if inGroup(p) {
				w.printf("%s %s\n", p.GoFieldName(), p.Schema.TypeDecl())
			}
		}
		w.printf("}\nvar optional *values\n")
	}
	numbered := required // the numbers of the properties in a strictjson.Seen
	for _, p := range s.Properties {
		if !p.Required {
			numbered = append(numbered, p.JsonFieldName)
		}
	}
	if len(numbered) > 0 || !s.HasAdditionalProperties {
		w.printf("var seen strictjson.Seen\n")
	}
	limits, counted := w.memberLimits(s.OAPISchema)
	if counted {
		w.printf("members := 0\n")
	}
	w.printf("if err := d.Open(); err != nil {\nreturn err\n}\nfor d.More() {\nname, err := d.Name()\nif err != nil {\nreturn err\n}\n")
	if counted {
		w.printf("members++\n")
	}
	if len(numbered) > 0 {
		w.printf("var property int\n")
	}
	w.printf("switch string(name) {\n")
	for _, p := range s.Properties {
		w.printf("case %q:\nproperty = %d\n", p.JsonFieldName, slices.Index(numbered, p.JsonFieldName))
		w.property(p)
	}
	w.printf("default:\n")
	if s.HasAdditionalProperties {
		w.printf("if err := strictjson.Member(&v.AdditionalProperties, name, d, %s); err != nil {\nreturn err\n}\n", w.elementReader(*s.AdditionalPropertiesType))
	} else {
		w.printf("if err := seen.Unknown(name, d); err != nil {\nreturn err\n}\n")
	}
	w.printf("continue\n}\n")
	if len(numbered) > 0 {
		w.printf("if err == nil {\nerr = seen.Add(property)\n}\nif err != nil {\nreturn strictjson.At(err, string(name))\n}\n")
	}
	w.printf("}\n")
	w.printf("if err := d.Close(); err != nil {\nreturn err\n}\n")
	result := "nil"
	if len(required) > 0 {
		result = "seen.Required(" + strings.Join(quoted(required), ", ") + ")"
	}
	if counted {
		if len(required) > 0 {
			w.printf("if err := %s; err != nil {\nreturn err\n}\n", result)
		}
		result = "strictjson.Items(members, " + limits + ")"
	}
	w.printf("return %s\n}\n\n", result)
}

func quoted(names []string) (all []string) {
	for _, name := range names {
		all = append(all, strconv.Quote(name))
	}
	return all
}

func (w *decoderWriter) memberLimits(s *openapi3.Schema) (string, bool) {
	if s == nil {
		return "", false
	}
	return limits(s.MinProps, s.MaxProps)
}

func limits(least uint64, most *uint64) (string, bool) {
	text := fmt.Sprintf("%d, -1", least)
	if most != nil {
		text = fmt.Sprintf("%d, %d", least, *most)
	}
	return text, least > 0 || most != nil
}

// optionalTime reports whether a property is an apitype.OptionalTime.
func optionalTime(p codegen.Property) bool { return p.GoTypeDef() == "*apitype.UnixTime" }

var predeclared = regexp.MustCompile(`^[a-z0-9]+$`)

// inGroup reports whether a property's value is allocated together with others.
func inGroup(p codegen.Property) bool {
	return p.IsPointer() && predeclared.MatchString(p.Schema.TypeDecl())
}

// property writes the case of a property, which sets err.
func (w *decoderWriter) property(p codegen.Property) {
	field := "v." + p.GoFieldName()
	if optionalTime(p) {
		read := "NonNull"
		if p.Nullable {
			read = "Value"
		}
		w.printf("err = strictjson.%s(&%s, d)\n", read, field)
		return
	}
	if !p.IsPointer() {
		w.printf("err = %s\n", w.read("&"+field, p.Schema))
		return
	}
	if p.Nullable {
		w.printf("if !d.Null() {\n")
		defer w.printf("}\n")
	}
	if inGroup(p) {
		w.printf("if optional == nil {\noptional = new(values)\n}\n%s = &optional.%s\n", field, p.GoFieldName())
	} else {
		w.printf("%s = new(%s)\n", field, p.Schema.TypeDecl())
	}
	w.printf("err = %s\n", w.read(field, p.Schema))
}

// union writes code that decodes a union: format with an expression of type error.
func (w *decoderWriter) union(s codegen.Schema, format string) {
	var all []string
	for _, element := range s.UnionElements {
		all = append(all, "strictjson.As("+w.reader(element.String())+")")
	}
	selected, ok := s.OAPISchema.Extensions[selectionKey].(selection)
	if !ok {
		w.printf(format, "strictjson.ReadUnion(&v.Union, d, "+strings.Join(all, ", ")+")")
		return
	}
	w.printf("tag, err := d.Discriminator(%q)\nif err != nil {\nreturn err\n}\nswitch tag {\n", selected.property)
	for _, value := range slices.Sorted(maps.Keys(selected.members)) {
		w.printf("case %q:\n", value)
		w.printf(format, "strictjson.ReadUnion(&v.Union, d, "+all[selected.members[value]]+")")
	}
	w.printf("default:\nreturn strictjson.NoAlternative(%q)\n}\n", selected.property)
}

var generated = regexp.MustCompile(`^[A-Z][A-Za-z0-9_]*$`)

// reader returns a function that decodes a value of a generated type.
func (w *decoderWriter) reader(typ string) string {
	if !generated.MatchString(typ) {
		w.fail("a union with a member of the Go type %s has no decoder", typ)
	}
	w.called[typ] = true
	return "decode" + typ
}

// responseDecoder returns the function that decodes a response body. The templates call it.
func (w *decoderWriter) responseDecoder(s codegen.Schema) string {
	w.typeName = s.TypeDecl()
	return w.plainReader(s)
}

// elementReader returns a function that decodes an element of an array or a map.
func (w *decoderWriter) elementReader(s codegen.Schema) string {
	typ := s.TypeDecl()
	if isNullable(s.OAPISchema) {
		return fmt.Sprintf("func(v **%s, d *strictjson.Decoder) error {\nreturn strictjson.Pointer(v, d, %s)\n}", typ, w.plainReader(s))
	}
	return w.plainReader(s)
}

func (w *decoderWriter) plainReader(s codegen.Schema) string {
	if generated.MatchString(s.TypeDecl()) {
		return w.reader(s.TypeDecl())
	}
	return fmt.Sprintf("func(v *%s, d *strictjson.Decoder) error {\nreturn %s\n}", s.TypeDecl(), w.read("v", s))
}

func isNullable(s *openapi3.Schema) bool { return s != nil && nullable(s) }

// read returns an expression of type error that decodes a value into the pointer target.
func (w *decoderWriter) read(target string, s codegen.Schema) string {
	typ := s.TypeDecl()
	if s.IsRef() || target != "v" && generated.MatchString(typ) || generated.MatchString(typ) && typ != w.typeName {
		return w.reader(typ) + "(" + target + ", d)"
	}
	call := func(function string, arguments ...string) string {
		return "strictjson." + function + "(" + strings.Join(append([]string{target, "d"}, arguments...), ", ") + ")"
	}
	o := s.OAPISchema
	for o != nil && len(o.AnyOf)+len(o.OneOf) > 0 {
		// oapi-codegen represents a schema or null as the schema.
		var inner *openapi3.Schema
		for _, member := range slices.Concat(o.AnyOf, o.OneOf) {
			if !isNull(member.Value) {
				if inner != nil {
					w.fail("a union has the Go type %s", typ)
					return "nil"
				}
				inner = member.Value
			}
		}
		o = inner
	}
	if o == nil {
		o = &openapi3.Schema{}
	}
	switch {
	case s.ArrayType != nil:
		element := w.elementReader(*s.ArrayType)
		if limits, ok := limits(o.MinItems, o.MaxItems); ok {
			return call("ArrayOf", limits, element)
		}
		return call("Array", element)
	case strings.HasPrefix(typ, "map["):
		values := codegen.Schema{GoType: "interface{}"}
		if s.AdditionalPropertiesType != nil {
			values = *s.AdditionalPropertiesType
		}
		return call("Map", w.elementReader(values))
	case isNull(o):
		return call("Null")
	case typ == "interface{}" || typ == "any":
		return call("Any")
	case typ == "apitype.Secret":
		return call("FromText")
	case strings.HasPrefix(typ, "apitype."):
		return call("Value")
	case typ == "time.Time":
		return call("DateTime")
	case typ == "[]byte":
		return call("Bytes")
	}
	one := len(o.Enum) == 1
	switch kind := kindOf(o); kind {
	case "string":
		if one {
			return call("Const", strconv.Quote(o.Enum[0].(string)))
		}
		if o.Format == "id" && o.Pattern == strictjson.IDPattern && o.MinLength <= 1 && o.MaxLength == nil {
			return call("ID")
		}
		if constraint := w.text(o); constraint != "" {
			return call("ReadText", constraint)
		}
		return call("String")
	case "boolean":
		if one {
			return call("ConstBool", fmt.Sprint(o.Enum[0]))
		}
		return call("Bool")
	case "integer", "number":
		function := strings.ToUpper(kind[:1]) + kind[1:]
		if one {
			return call("Const"+function, fmt.Sprint(o.Enum[0]))
		}
		if constraint := w.bounds(o); constraint != "" {
			return call(function+"In", constraint)
		}
		return call(function)
	default:
		w.fail("a value of type %q with the Go type %s has no decoder", kind, typ)
		return "nil"
	}
}

// kindOf returns the type of a schema, null aside.
func kindOf(s *openapi3.Schema) string {
	if s.Type != nil {
		for _, kind := range *s.Type {
			if kind != "null" {
				return kind
			}
		}
	}
	return ""
}

func (w *decoderWriter) text(o *openapi3.Schema) string {
	var fields []string
	if o.MinLength > 0 {
		fields = append(fields, fmt.Sprintf("MinLength: %d", o.MinLength))
	}
	if o.MaxLength != nil {
		fields = append(fields, fmt.Sprintf("MaxLength: %d", *o.MaxLength))
	}
	if o.Pattern != "" {
		fields = append(fields, fmt.Sprintf("Pattern: %q", o.Pattern))
	}
	if _, ok := strictjson.Formats[o.Format]; ok {
		fields = append(fields, fmt.Sprintf("Format: %q", o.Format))
	}
	return w.constraint("Text", fields)
}

func (w *decoderWriter) bounds(o *openapi3.Schema) string {
	fields := []string{"Min: strictjson.Inf(-1)", "Max: strictjson.Inf(1)"}
	number := func(n float64) string {
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return strconv.FormatInt(int64(n), 10)
		}
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	set := len(fields)
	bound := func(i int, name string, inclusive *float64, exclusive openapi3.ExclusiveBound) {
		switch {
		case exclusive.Value != nil && (inclusive == nil || name == "Min" && *exclusive.Value >= *inclusive || name == "Max" && *exclusive.Value <= *inclusive):
			fields[i] = name + ": " + number(*exclusive.Value)
			fields = append(fields, "Exclusive"+name+": true")
		case inclusive != nil:
			fields[i] = name + ": " + number(*inclusive)
			set--
		}
	}
	bound(0, "Min", o.Min, o.ExclusiveMin)
	bound(1, "Max", o.Max, o.ExclusiveMax)
	if o.MultipleOf != nil {
		fields = append(fields, "MultipleOf: "+number(*o.MultipleOf))
	}
	if set == len(fields) {
		return ""
	}
	return w.constraint("Range", fields)
}

// constraint returns an expression for a pointer to the generated variable that contains a
// constraint, or "" if there are no fields. Equal constraints share a variable.
func (w *decoderWriter) constraint(typ string, fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	value := "strictjson." + typ + "{" + strings.Join(fields, ", ") + "}"
	if w.constraints[value] == "" {
		w.constraints[value] = strings.ToLower(typ) + strconv.Itoa(len(w.constraints)+1)
	}
	return "&" + w.constraints[value]
}

// rest returns the decoders of the types without methods, and the variables with the constraints.
// The templates call it last, when it is known which of these the other decoders use.
func (w *decoderWriter) rest() string {
	w.code.Reset()
	for more := true; more; {
		more = false
		for _, name := range slices.Sorted(maps.Keys(w.functions)) {
			if w.called[name] {
				w.function(w.functions[name])
				delete(w.functions, name)
				more = true
			}
		}
	}
	var variables []string
	for value, name := range w.constraints {
		variables = append(variables, "var "+name+" = "+value+"\n")
	}
	slices.Sort(variables)
	return w.code.String() + strings.Join(variables, "")
}

// elementType returns the Go type of the additional properties of a struct.
func elementType(s codegen.Schema) string {
	if isNullable(s.OAPISchema) {
		return "*" + s.TypeDecl()
	}
	return s.TypeDecl()
}
