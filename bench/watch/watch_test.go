// Package watch compares the vendor's official Go SDK with the contract. The SDK is generated
// from the vendor's current API description, which the published OpenAPI document can lag behind.
package watch

import (
	"context"
	_ "embed"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/orgkeys/orgkeys-go/api"
)

// surface contains the parts of an API description by location: operations ("GET /path"),
// parameters ("GET /path query limit"), and properties of bodies ("GET /path response data[].id").
type surface map[string]value

type value struct {
	kind string // a JSON type, or "operation"
	null bool   // whether it may be null

	// required is meaningless if optionalityKnown is false, as for the SDK's generic pages.
	required, optionalityKnown bool
}

//go:embed differences.yaml
var differences []byte

func TestContract_MatchesTheOfficialSDK(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	var accepted map[string]string
	require.NoError(t, yaml.Unmarshal(differences, &accepted), "a location occurs once")
	for location, reason := range accepted {
		assert.NotEmpty(t, reason, location)
	}
	report := compare(officialSurface(doc.Paths), contractSurface(doc.Paths), accepted)
	assert.Empty(t, strings.Join(report, "\n"), "follow the SDK in api/openapi.yaml, or give the reason in differences.yaml")
}

func TestCompare(t *testing.T) {
	str := value{kind: "string", required: true, optionalityKnown: true}
	absent := value{}
	for name, c := range map[string]struct {
		official, contract value
		accepted           string
		want               string
	}{
		"the same":                      {str, str, "", ""},
		"in the SDK only":               {str, absent, "", "x: the SDK has it, the contract does not"},
		"in the contract only":          {absent, str, "", "x: the contract has it, the SDK does not"},
		"another type":                  {value{kind: "integer"}, str, "", "x: the SDK has integer, the contract string"},
		"any type in the SDK":           {value{kind: "any"}, str, "", ""},
		"null in the SDK only":          {value{kind: "string", null: true}, str, "", "x: may be null in the SDK, but not in the contract"},
		"null in the contract only":     {str, value{kind: "string", null: true, required: true}, "", ""},
		"optional in the SDK only":      {value{kind: "string", optionalityKnown: true}, str, "", "x: optional in the SDK, required in the contract"},
		"unknown in the SDK":            {value{kind: "string"}, str, "", ""},
		"an accepted difference":        {value{kind: "integer"}, str, "a reason", ""},
		"an accepted one that is equal": {str, str, "a reason", "x: differences.yaml accepts a difference that does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			accepted := map[string]string{}
			if c.accepted != "" {
				accepted["x"] = c.accepted
			}
			official, contract := surface{"x": c.official}, surface{"x": c.contract}
			for _, s := range []surface{official, contract} {
				maps.DeleteFunc(s, func(_ string, v value) bool { return v == absent })
			}
			got := strings.Join(compare(official, contract, accepted), "\n")
			assert.Equal(t, c.want, got)
		})
	}
}

// compare returns the differences between the official SDK and the contract that are not
// accepted, and the accepted ones that do not exist. The contract may allow more than the SDK.
// A location that only the contract has is a difference too: the vendor may have removed it.
func compare(official, contract surface, accepted map[string]string) (report []string) {
	found := map[string]string{}
	for location, o := range official {
		c, ok := contract[location]
		switch {
		case !ok:
			found[location] = "the SDK has it, the contract does not"
		case o.kind != c.kind && o.kind != "any" && c.kind != "any":
			found[location] = "the SDK has " + o.kind + ", the contract " + c.kind
		case o.null && !c.null:
			found[location] = "may be null in the SDK, but not in the contract"
		case o.optionalityKnown && !o.required && c.required:
			found[location] = "optional in the SDK, required in the contract"
		}
	}
	for location := range contract {
		if _, ok := official[location]; !ok {
			found[location] = "the contract has it, the SDK does not"
		}
	}
	for _, location := range slices.Sorted(maps.Keys(accepted)) {
		if found[location] == "" {
			report = append(report, location+": differences.yaml accepts a difference that does not exist")
		}
	}
	for _, location := range slices.Sorted(maps.Keys(found)) {
		if accepted[location] == "" {
			report = append(report, location+": "+found[location])
		}
	}
	return report
}

func contractSurface(paths *openapi3.Paths) surface {
	s := surface{}
	for path, item := range paths.Map() {
		for method, op := range item.Operations() {
			location := method + " " + path
			s[location] = value{kind: "operation"}
			for _, ref := range append(item.Parameters, op.Parameters...) {
				if p := ref.Value; p.In != "path" {
					s.addSchema(location+" "+p.In+" "+p.Name, p.Schema, p.Required)
				}
			}
			if op.RequestBody != nil {
				s.addProperties(location+" request ", op.RequestBody.Value.Content.Get("application/json").Schema)
			}
			s.addProperties(location+" response ", op.Responses.Value("200").Value.Content.Get("application/json").Schema)
		}
	}
	return s
}

// addSchema adds a schema, its items and its properties.
func (s surface) addSchema(location string, ref *openapi3.SchemaRef, required bool) {
	v := s[location]
	v.required = required
	for _, part := range parts(ref) {
		for _, kind := range part.Type.Slice() {
			if kind == "null" {
				v.null = true
			} else {
				v.kind = kind
			}
		}
		if part.Items != nil {
			s.addSchema(location+"[]", part.Items, false)
		}
	}
	if v.kind == "" {
		v.kind = "any"
	}
	s[location] = v
	s.addProperties(location+".", ref)
}

// addProperties adds the properties of an object schema.
func (s surface) addProperties(prefix string, ref *openapi3.SchemaRef) {
	for _, part := range parts(ref) {
		for name, property := range part.Properties {
			s.addSchema(prefix+name, property, slices.Contains(part.Required, name))
		}
	}
}

// parts returns a schema and the schemas in its allOf, anyOf and oneOf.
func parts(ref *openapi3.SchemaRef) []*openapi3.Schema {
	list := []*openapi3.Schema{ref.Value}
	for _, part := range slices.Concat(ref.Value.AllOf, ref.Value.AnyOf, ref.Value.OneOf) {
		list = append(list, parts(part)...)
	}
	return list
}

// recorder is a transport that responds to every request with an empty object.
type recorder struct{ method, path string }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.method, r.path = req.Method, req.URL.Path
	return &http.Response{
		StatusCode: http.StatusOK, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// officialSurface calls every method of the SDK's administration services, and describes those
// that send a request to a path of the contract.
func officialSurface(paths *openapi3.Paths) surface {
	var transport recorder
	client := openai.NewClient(
		option.WithBaseURL("https://api.invalid"),
		option.WithAdminAPIKey("test"),
		option.WithHTTPClient(&http.Client{Transport: &transport}),
	)
	templates := map[string]*regexp.Regexp{}
	for path := range paths.Map() {
		templates[path] = regexp.MustCompile("^" + regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "[^/]+") + "$")
	}
	s := surface{}
	eachMethod(reflect.ValueOf(&client.Admin).Elem(), func(m reflect.Value) {
		transport = recorder{}
		args := []reflect.Value{reflect.ValueOf(context.Background())}
		var params []reflect.Type
		for i := 1; i < m.Type().NumIn()-1; i++ { // without the options at the end
			in := m.Type().In(i)
			switch in.Kind() {
			case reflect.String:
				args = append(args, reflect.ValueOf("id").Convert(in))
			default:
				args = append(args, reflect.Zero(in))
				params = append(params, in)
			}
		}
		m.Call(args)
		for path, template := range templates {
			if !template.MatchString(transport.path) {
				continue
			}
			location := transport.method + " " + path
			s[location] = value{kind: "operation"}
			for _, p := range params {
				s.addFields(location+" request ", location+" query ", p)
			}
			s.addFields(location+" response ", "", m.Type().Out(0))
		}
	})
	return s
}

var contextType = reflect.TypeFor[context.Context]()

// eachMethod calls visit with the methods of a service and of the services in it that take a
// context and return a result and an error.
func eachMethod(service reflect.Value, visit func(reflect.Value)) {
	for i := range service.NumField() {
		if f := service.Field(i); f.Kind() == reflect.Struct && strings.HasSuffix(f.Type().Name(), "Service") {
			eachMethod(f, visit)
		}
	}
	for i := range service.Addr().NumMethod() {
		m := service.Addr().Method(i)
		if t := m.Type(); t.IsVariadic() && t.NumIn() > 1 && t.In(0) == contextType && t.NumOut() == 2 {
			visit(m)
		}
	}
}

// addFields adds the fields of a struct of the SDK, those with a query tag below query.
func (s surface) addFields(prefix, query string, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	known := false // whether tags of the type's fields state which are required
	for i := range t.NumField() {
		known = known || t.Field(i).Tag.Get("api") != ""
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			s.addFields(prefix, query, f.Type)
		}
		tag := strings.Split(f.Tag.Get("api"), ",")
		_, constant := f.Tag.Lookup("default")
		v := value{null: slices.Contains(tag, "nullable"), required: slices.Contains(tag, "required") || constant, optionalityKnown: known}
		if name, _, _ := strings.Cut(f.Tag.Get("query"), ","); name != "" && name != "-" {
			s.addField(query+name, f.Type, v)
		} else if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			s.addField(prefix+name, f.Type, v)
		}
	}
}

func (s surface) addField(location string, t reflect.Type, v value) {
	if strings.HasPrefix(t.Name(), "Opt[") { // param.Opt, an optional argument
		f, _ := t.FieldByName("Value")
		t = f.Type
	}
	switch t.Kind() {
	case reflect.Pointer:
		s.addField(location, t.Elem(), v)
		return
	case reflect.String:
		v.kind = "string"
	case reflect.Bool:
		v.kind = "boolean"
	case reflect.Int, reflect.Int64:
		v.kind = "integer"
	case reflect.Float64:
		v.kind = "number"
	case reflect.Slice:
		v.kind = "array"
		s.addField(location+"[]", t.Elem(), value{})
	case reflect.Struct:
		v.kind = "object"
		s.addFields(location+".", location+".", t)
	case reflect.Map:
		v.kind = "object"
	default:
		v.kind = "any"
	}
	s[location] = v
}
