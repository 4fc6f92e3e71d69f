package orgkeys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// sixCalls are the operations, each as one call that the contract's own examples answer. A nil
// pointer comes back as a nil interface.
var sixCalls = map[string]func(context.Context, *orgkeys.Client) (any, error){
	"admin-api-keys-list": func(ctx context.Context, c *orgkeys.Client) (any, error) {
		return result(c.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{}))
	},
	"admin-api-keys-create": func(ctx context.Context, c *orgkeys.Client) (any, error) {
		return result(c.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"}))
	},
	"retrieve-project-api-key": func(ctx context.Context, c *orgkeys.Client) (any, error) {
		return result(c.ProjectKeys.Get(ctx, project, "key_abc"))
	},
	"delete-project-api-key": func(ctx context.Context, c *orgkeys.Client) (any, error) {
		return result(c.ProjectKeys.Delete(ctx, project, "key_abc"))
	},
	"list-project-service-accounts": func(ctx context.Context, c *orgkeys.Client) (any, error) {
		return result(c.ServiceAccounts.List(ctx, project, orgkeys.ServiceAccountListParams{}))
	},
	"create-project-service-account": func(ctx context.Context, c *orgkeys.Client) (any, error) {
		return result(c.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{Name: "ci"}))
	},
}

func result[T any](value *T, err error) (any, error) {
	if value == nil {
		return nil, err
	}
	return value, err
}

// specimenAnswer is an answer that the contract allows.
type specimenAnswer struct {
	operation string
	name      string
	schema    *openapi3.SchemaRef
	value     any
}

// answersOfTheContract returns two answers of each operation: the contract's example, and one
// with everything that its schemas know.
func answersOfTheContract(t testing.TB) []specimenAnswer {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	var answers []specimenAnswer
	for _, path := range doc.Paths.InMatchingOrder() {
		for _, operation := range doc.Paths.Value(path).Operations() {
			content := operation.Responses.Value("200").Value.Content.Get("application/json")
			example, err := json.Marshal(content.Example)
			require.NoError(t, err)
			answers = append(answers,
				specimenAnswer{operation.OperationID, "example", content.Schema, parse(t, string(example))},
				specimenAnswer{operation.OperationID, "everything", content.Schema, everything(t, content.Schema)})
		}
	}
	require.Len(t, answers, 2*len(sixCalls))
	return answers
}

func parse(t testing.TB, text string) (value any) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&value))
	return value
}

func encode(t testing.TB, value any) string {
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// shape is what a schema allows, with the parts of it put together.
type shape struct {
	types      []string // as JSON names them; "null" is one
	properties map[string]*openapi3.SchemaRef
	required   []string
	items      *openapi3.SchemaRef
	constant   any
	enum       []any
	format     string
	example    any
}

func shapeOf(ref *openapi3.SchemaRef) shape {
	s := ref.Value
	is := shape{
		properties: maps.Clone(s.Properties), required: slices.Clone(s.Required), items: s.Items,
		constant: s.Const, enum: s.Enum, format: s.Format, example: s.Example,
	}
	if s.Type != nil {
		is.types = slices.Clone(s.Type.Slice())
	}
	for _, part := range append(slices.Clone(s.AllOf), s.AnyOf...) {
		of := shapeOf(part)
		is.types = append(is.types, of.types...)
		is.required = append(is.required, of.required...)
		is.properties = merged(is.properties, of.properties)
	}
	return is
}

// everything makes a value of a schema with all of its properties, out of its examples.
func everything(t testing.TB, ref *openapi3.SchemaRef) any {
	is := shapeOf(ref)
	switch {
	case is.constant != nil:
		return is.constant
	case len(is.properties) > 0:
		object := map[string]any{}
		for name, property := range is.properties {
			object[name] = everything(t, property)
		}
		return object
	case is.items != nil:
		return []any{everything(t, is.items), everything(t, is.items)}
	}
	require.NotNil(t, is.example, "a property has no example")
	return parse(t, encode(t, is.example))
}

// place is a value in an answer, or the place of a property that is not in it.
type place struct {
	pointer  string
	shape    shape
	property bool
	required bool
	present  bool
}

// places lists the places of value, parents first.
func places(ref *openapi3.SchemaRef, value any) []place {
	var list []place
	var walk func(place, any)
	walk = func(at place, value any) {
		list = append(list, at)
		switch value := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(at.shape.properties)) {
				child, present := value[name]
				walk(place{
					pointer: at.pointer + "/" + name, shape: shapeOf(at.shape.properties[name]),
					property: true, required: slices.Contains(at.shape.required, name), present: present,
				}, child)
			}
		case []any:
			for i, item := range value {
				walk(place{pointer: at.pointer + "/" + strconv.Itoa(i), shape: shapeOf(at.shape.items), present: true}, item)
			}
		}
	}
	walk(place{shape: shapeOf(ref), present: true}, value)
	return list
}

// change returns a copy of root whose value at pointer is what to makes of it; nil removes it.
func change(root any, pointer string, to func(old any) any) any {
	if pointer == "" {
		return to(root)
	}
	name, rest := strings.TrimPrefix(pointer, "/"), ""
	if i := strings.IndexByte(name, '/'); i >= 0 {
		name, rest = name[:i], name[i:]
	}
	switch root := root.(type) {
	case map[string]any:
		object := maps.Clone(root)
		if child := change(object[name], rest, to); child != nil {
			object[name] = child
		} else {
			delete(object, name)
		}
		return object
	case []any:
		i, _ := strconv.Atoi(name)
		array := slices.Clone(root)
		array[i] = change(array[i], rest, to)
		return array
	}
	panic(fmt.Sprintf("nothing at %s", pointer))
}

func put(root any, pointer string, value any) any {
	return change(root, pointer, func(any) any { return value })
}

// raw is JSON as it is written.
func raw(text string) any { return json.RawMessage(text) }

// mutation is one thing about an answer that was changed.
type mutation struct {
	name    string
	pointer string
	body    string
	// allowed says that the contract still allows it; newWord, that the contract would if it
	// knew the value of an enum; stricter, that the contract allows it and the client does not.
	allowed, newWord, stricter bool
}

// types of JSON and a value of each.
var jsonValues = map[string]string{
	"null": `null`, "boolean": `true`, "integer": `7`, "number": `1.5`, "string": `"text"`, "array": `[]`, "object": `{}`,
}

// badTimes are numbers, and none is a Unix time in whole seconds of our age.
var badTimes = map[string]bool{ // whether a schema sees it
	`-1`: false, `1711471533000`: false, `253402300800`: false, `99999999999999999999`: false,
	`1e30`: false, `1711471533.0`: false, `1.711471533e9`: false,
	`1.5`: true, `-0.5`: true, `1e400`: true, `-1e400`: true,
}

// mutations returns every change of one thing that there is in an answer.
func mutations(t testing.TB, answer specimenAnswer) []mutation {
	var list []mutation
	for _, at := range places(answer.schema, answer.value) {
		add := func(name string, value any, m mutation) {
			m.name, m.pointer = strings.Join([]string{answer.operation, answer.name, at.pointer, name}, " "), at.pointer
			m.body = encode(t, put(answer.value, at.pointer, value))
			list = append(list, m)
		}
		if at.property {
			if at.present {
				add("removed", nil, mutation{allowed: !at.required})
			}
			if !slices.Contains(at.shape.types, "null") {
				add("null", raw("null"), mutation{})
			} else {
				// An account that was to have a key and has none is garbage too.
				stricter := at.pointer == "/api_key"
				add("null", raw("null"), mutation{allowed: !stricter, stricter: stricter})
			}
		}
		for typ, value := range jsonValues {
			fits := slices.Contains(at.shape.types, typ) || typ == "integer" && slices.Contains(at.shape.types, "number")
			if !fits && (typ != "null" || !at.property) {
				add("is of type "+typ, raw(value), mutation{})
			}
		}
		switch {
		case at.shape.constant != nil:
			constant := at.shape.constant.(string)
			for _, other := range []string{"", "x", strings.ToUpper(constant), constant + " ", constant[:len(constant)-1], constant + ".deleted", "organization.user"} {
				add(fmt.Sprintf("is the constant %q", other), other, mutation{})
			}
		case len(at.shape.enum) > 1:
			for _, other := range []string{"", "brand_new", strings.ToUpper(at.shape.enum[0].(string))} {
				add(fmt.Sprintf("is the word %q", other), other, mutation{newWord: true})
			}
			for _, known := range at.shape.enum {
				add(fmt.Sprintf("is the word %q", known), known, mutation{allowed: true})
			}
		case at.shape.format == "unixtime":
			for number, seen := range badTimes {
				add("is the number "+number, raw(number), mutation{stricter: !seen})
			}
			for _, number := range []string{`0`, `1`, `4102444800`, `253402300799`} {
				add("is the number "+number, raw(number), mutation{allowed: true})
			}
		case at.shape.format == "password":
			for _, lost := range []string{"", "[redacted]"} {
				add(fmt.Sprintf("is %q", lost), lost, mutation{stricter: true})
			}
		case slices.Contains(at.shape.types, "string") && at.pointer != "/id":
			for _, text := range []string{"", "  ", "a\"b\\c\n", "Zoë 😀", strings.Repeat("long ", 1000)} {
				add(fmt.Sprintf("is the text %.20q", text), text, mutation{allowed: true})
			}
		}
		if len(at.shape.properties) > 0 && at.present {
			for name, value := range map[string]string{
				"null": `null`, "number": `1e30`, "text": `"x"`, "object": `{"id":{"id":[{}]}}`, "array": `[[],[[7]]]`,
			} {
				object := func(old any) any {
					return raw(strings.Replace(encode(t, old), `{`, `{"brand_new":`+value+`,`, 1))
				}
				list = append(list, mutation{
					name:    strings.Join([]string{answer.operation, answer.name, at.pointer, "has another property,", name}, " "),
					pointer: at.pointer, body: encode(t, change(answer.value, at.pointer, object)), allowed: true,
				})
			}
			for name := range at.shape.properties {
				object := func(old any) any {
					value, present := old.(map[string]any)[name]
					if !present {
						return old
					}
					return raw(strings.TrimSuffix(encode(t, old), "}") + `,"` + name + `":` + encode(t, value) + "}")
				}
				if body := encode(t, change(answer.value, at.pointer, object)); body != encode(t, answer.value) {
					list = append(list, mutation{
						name:    strings.Join([]string{answer.operation, answer.name, at.pointer, "has twice", name}, " "),
						pointer: at.pointer + "/" + name, body: body,
					})
				}
			}
		}
		if slices.Contains(at.shape.types, "string") && at.present {
			for name, bytes := range map[string]string{"byte": "\xff", "overlong": "\xc0\xaf", "surrogate": "\xed\xa0\x80", "half an escape": `\ud800`, "control character": "\x01"} {
				body := strings.Replace(encode(t, put(answer.value, at.pointer, "@here@")), "@here@", bytes, 1)
				list = append(list, mutation{
					name:    strings.Join([]string{answer.operation, answer.name, at.pointer, "is not UTF-8,", name}, " "),
					pointer: at.pointer, body: body,
				})
			}
		}
	}
	return list
}
