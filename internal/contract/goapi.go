package contract

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	gengo "github.com/orgkeys/orgkeys-go/internal/generate"
)

// api is what the generated package declares: types, fields, methods, functions and constants by
// name (Type, Type.Field), each with the text of its type.
type api struct {
	text   map[string]string
	fields map[string]string // the name of the field by "Type.property"
}

// generate makes Go of a contract with the configuration of the repository at root.
func generate(root string, contract []byte) (*api, error) {
	src, err := os.ReadFile(filepath.Join(root, "oapi-codegen.yaml"))
	if err != nil {
		return nil, err
	}
	options, err := gengo.ReadOptions(src)
	if err != nil {
		return nil, fmt.Errorf("oapi-codegen.yaml: %w", err)
	}
	options.OutputOptions.SkipFmt = true
	for name, path := range options.OutputOptions.UserTemplates {
		options.OutputOptions.UserTemplates[name] = filepath.Join(root, "gen", path)
	}
	spec, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	code, err := gengo.Code(spec, options)
	if err != nil {
		return nil, err
	}
	return parseAPI(code)
}

func parseAPI(code string) (*api, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "client.gen.go", code, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	a := &api{text: map[string]string{}, fields: map[string]string{}}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			name := node.Name.Name
			if node.Recv != nil {
				name = strings.TrimPrefix(types.ExprString(node.Recv.List[0].Type), "*") + "." + name
			}
			a.text[name] = types.ExprString(node.Type)
			return false
		case *ast.ValueSpec:
			for _, name := range node.Names {
				if node.Type != nil {
					a.text[name.Name] = types.ExprString(node.Type)
				}
			}
		case *ast.TypeSpec:
			a.declare(node.Name.Name, node.Type)
		}
		return true
	})
	return a, nil
}

// declare records a type and the fields of a struct.
func (a *api) declare(name string, is ast.Expr) {
	object, ok := is.(*ast.StructType)
	if !ok {
		a.text[name] = types.ExprString(is)
		return
	}
	a.text[name] = "struct"
	for _, field := range object.Fields.List {
		for _, f := range field.Names {
			a.text[name+"."+f.Name] = types.ExprString(field.Type)
			if field.Tag != nil {
				tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json")
				tag, _, _ = strings.Cut(tag, ",")
				a.fields[name+"."+tag] = f.Name
			}
		}
	}
}

// operation is the Go name of an operation.
func (a *api) operation(id string) string {
	for name := range a.text {
		method, ok := strings.CutPrefix(name, "Client.")
		if method = strings.TrimSuffix(method, "WithBody"); ok && strings.EqualFold(method, camel(id)) {
			return method
		}
	}
	return ""
}

// step is a step of a path within a body: a property, or the elements of a list or a map.
var step = regexp.MustCompile(`\[\]|\{\}|[^.\[\]{}]+`)

// at is the declaration that a position in an operation becomes, with its type.
func (a *api) at(s position) (name, text string) {
	op := a.operation(s.op)
	path := step.FindAllString(s.path, -1)
	switch part := strings.Fields(s.part); {
	case op == "":
		return "", ""
	case part[len(part)-1] == "response":
		name = op + "Response.JSON" + strings.Replace(part[0], "default", "Default", 1)
		text = a.text[name]
	case s.part == "operation":
		name = "Client." + op
		text = a.text[name]
	case s.part == "request body":
		name = op + "JSONRequestBody"
		text = a.text[name]
	case part[0] != "path" && len(part) > 2:
		text = op + "Params"
		path = append([]string{strings.Join(part[2:], " ")}, path...)
	}
	for _, step := range path {
		in := a.plain(text)
		switch elem, isMap := strings.CutPrefix(in, "map[string]"); {
		case step == "[]" && strings.HasPrefix(in, "[]"):
			text = in[2:]
		case step == "{}" && isMap:
			text = elem
		case a.fields[in+"."+step] != "":
			name = in + "." + a.fields[in+"."+step]
			text = a.text[name]
		default:
			name = ""
			for method, is := range a.text { // of a union
				of := a.plain(a.member(is))
				if field := a.fields[of+"."+step]; field != "" && strings.HasPrefix(method, in+".As") && (name == "" || of < name) {
					name = of + "." + field
				}
			}
			text = a.text[name]
		}
	}
	if text == "" {
		return "", ""
	}
	return name, text
}

// plain is a type without its pointer, and the type that a name stands for, unless it is a struct.
func (a *api) plain(text string) string {
	text = strings.TrimPrefix(text, "*")
	for range 9 {
		of, ok := a.text[text]
		if !ok || of == "struct" {
			return text
		}
		text = strings.TrimPrefix(of, "*")
	}
	return text
}

// members are the constants of an enum, or the methods of a union with what they return.
func (a *api) members(text string) map[string]string {
	members := map[string]string{}
	of, isUnion := strings.TrimPrefix(text, "*"), a.isUnion(text)
	for name, is := range a.text {
		switch method, _ := strings.CutPrefix(name, of+"."); {
		case isUnion && strings.HasPrefix(method, "As"):
			members[name] = a.describe(a.member(is))
		case is == of && a.text[of] == "string" && ast.IsExported(name):
			members[name] = is
		}
	}
	return members
}

// without are the names of the members that others lacks or has with another type.
func without(members, others map[string]string) []string {
	maps.DeleteFunc(members, func(name, is string) bool { return others[name] == is })
	return slices.Sorted(maps.Keys(members))
}

// member is the type that a method of a union returns.
func (a *api) member(method string) string {
	_, results, _ := strings.Cut(method, ") (")
	of, _, _ := strings.Cut(results, ",")
	return of
}

// describe is a type and its fields.
func (a *api) describe(of string) string {
	of = a.plain(of)
	var fields []string
	for name, text := range a.text {
		if strings.HasPrefix(name, of+".") && !strings.HasPrefix(text, "func(") {
			fields = append(fields, name+" "+text)
		}
	}
	slices.Sort(fields)
	return of + strings.Join(fields, ",")
}

func (a *api) isUnion(text string) bool { return a.text[a.plain(text)+".Union"] != "" }

// judge sets the verdicts of changes: whether the Go API breaks at their position or, if it does
// not, whether requests that were valid are refused.
func judge(changes []Change, before, after *api) {
	taken := map[string]bool{}
	for _, c := range changes {
		taken[c.Operation+" "+c.At] = true
	}
	for i := range changes {
		c := &changes[i]
		c.Breaking, c.Why = compareAt(c.position, c.adds, before, after)
		for s := c.position; !c.Breaking && s.path != ""; { // what contains it, if that is not a change of its own
			s.path = s.path[:max(0, strings.LastIndexAny(s.path, ".[{"))]
			_, was := before.at(s)
			if _, is := after.at(s); was != is && was != "" && is != "" && !taken[s.op+" "+s.String()] {
				c.Breaking, c.Why = compareAt(s, false, before, after)
			}
		}
		switch {
		case c.Decide:
			c.Breaking, c.Why = false, "nothing is carried over"
		case !c.Breaking && c.narrows != "":
			c.Breaking, c.Why = true, c.narrows
		}
	}
}

// compareAt compares the Go declarations that a position becomes. What is added there removes none.
func compareAt(s position, adds bool, before, after *api) (breaks bool, why string) {
	name, was := before.at(s)
	now, is := after.at(s)
	list := func(names []string) string { return "`gen." + strings.Join(names, "`, `gen.") + "`" }
	lost, gained := without(before.members(was), after.members(is)), without(after.members(is), before.members(was))
	switch {
	case was != "" && is == "" && !adds:
		return true, list([]string{name}) + " is removed"
	case was == "" && is != "":
		why = list([]string{now}) + " is new"
	case was != is && is != "":
		return true, fmt.Sprintf("`gen.%s` was `%s` and is `%s`", name, was, is)
	case is != "" && (before.plain(was) != after.plain(is) || before.isUnion(was) != after.isUnion(is)):
		return true, fmt.Sprintf("`gen.%s` is another type", strings.TrimPrefix(was, "*"))
	case len(lost) > 0 && !adds:
		return true, list(lost) + " is removed or has another type"
	case len(gained) > 0:
		why = list(gained) + " is new"
	}
	if op := before.operation(s.op); s.path == "" && !s.response { // the arguments of the operation's methods
		for _, method := range []string{"Client." + op, "Client." + op + "WithBody"} {
			if was := before.text[method]; was != "" && was != after.text[method] {
				return true, "the arguments of " + list([]string{method}) + " change"
			}
		}
	}
	return false, cmp.Or(why, "the Go API stays")
}
