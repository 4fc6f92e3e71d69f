package contract

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	gengo "github.com/orgkeys/orgkeys-go/internal/generate"
)

// api contains the declarations of the generated package.
type api struct {
	text   map[string]string // types, fields, methods and constants by name (Type, Type.Field), as Go text
	fields map[string]string // the name of a field by "Type.property"
}

// generate generates Go from a contract with the configuration of the repository at root.
func generate(root string, contract []byte) (*api, error) {
	options, err := gengo.ReadOptions(filepath.Join(root, "oapi-codegen.yaml"), filepath.Join(root, "gen"))
	if err != nil {
		return nil, err
	}
	options.OutputOptions.SkipFmt = true
	spec, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	code, err := gengo.Code(spec, options)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), "client.gen.go", code, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	a := &api{text: map[string]string{}, fields: map[string]string{}}
	ast.Inspect(file, a.declare)
	return a, nil
}

// declare records the declarations in a node.
func (a *api) declare(node ast.Node) bool {
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
		name := node.Name.Name
		object, ok := node.Type.(*ast.StructType)
		if !ok {
			a.text[name] = types.ExprString(node.Type)
			return true
		}
		a.text[name] = "struct"
		for _, field := range object.Fields.List {
			for _, f := range field.Names {
				if a.text[name+"."+f.Name] = types.ExprString(field.Type); f.Name == "Union" {
					a.text[name] = "union"
				}
				if field.Tag != nil {
					tag, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
					a.fields[name+"."+tag] = f.Name
				}
			}
		}
	}
	return true
}

// operation returns the Go name of an operation, or "".
func (a *api) operation(id string) string {
	for name := range a.text {
		method, ok := strings.CutPrefix(name, "Client.")
		if method = strings.TrimSuffix(method, "WithBody"); ok && strings.EqualFold(method, gengo.CamelCase(id)) {
			return method
		}
	}
	return ""
}

// step matches a step of position.path: a property, or the elements of an array or a map.
var step = regexp.MustCompile(`\[\]|\{\}|[^.\[\]{}]+`)

// at returns the name and the type of the declaration that is generated for a position.
func (a *api) at(s position) (name, text string) {
	op := a.operation(s.op)
	path := step.FindAllString(s.path, -1)
	switch part := strings.Fields(s.part); {
	case op == "":
		return "", ""
	case s.response:
		name = op + "Response.JSON" + strings.Replace(part[0], "default", "Default", 1)
	case s.part == "operation":
		name = "Client." + op
	case s.part == "request body":
		name = op + "JSONRequestBody"
	case part[0] != "path" && len(part) > 2:
		path = slices.Insert(path, 0, strings.Join(part[2:], " "))
		text = op + "Params"
	}
	if name != "" {
		text = a.text[name]
	}
	for _, step := range path {
		in := a.plain(text)
		switch elem, isMap := strings.CutPrefix(in, "map[string]"); {
		case step == "[]" && strings.HasPrefix(in, "[]"):
			text = in[2:]
			continue
		case step == "{}" && isMap:
			text = elem
			continue
		}
		name = ""
		for _, of := range append(slices.Collect(maps.Values(a.members(in))), in) { // the first member of a union that has the field, or a struct
			if field := a.fields[of+"."+step]; field != "" && (name == "" || of < name) {
				name = of + "." + field
			}
		}
		text = a.text[name]
	}
	if text == "" {
		return "", ""
	}
	return name, text
}

// plain returns a type without its pointer. If it is the name of a type that is not a struct, plain
// returns the underlying type.
func (a *api) plain(text string) string {
	text = strings.TrimPrefix(text, "*")
	for of, ok := a.text[text]; ok && of != "struct" && of != "union"; of, ok = a.text[text] {
		text = strings.TrimPrefix(of, "*")
	}
	return text
}

// members returns the types of the members of a union, by the methods that return them.
func (a *api) members(union string) map[string]string {
	members := map[string]string{}
	for name, method := range a.text {
		if strings.HasPrefix(name, union+".As") && a.text[union] == "union" {
			_, results, _ := strings.Cut(method, ") (")
			of, _, _ := strings.Cut(results, ",")
			members[name] = a.plain(of)
		}
	}
	return members
}

// about returns the other declarations that belong to a position: its underlying type, the
// constants of an enum, the members of a union with their fields and, for a parameter or a body,
// the methods of the operation.
func (a *api) about(s position, text string) map[string]string {
	of, plain, method := strings.TrimPrefix(text, "*"), a.plain(text), ""
	about := a.members(plain)
	members := slices.Collect(maps.Values(about))
	if of != "" {
		about[of] = cmp.Or(a.text[plain], plain)
	}
	if s.path == "" && !s.response {
		method = "Client." + a.operation(s.op)
	}
	for name, is := range a.text {
		owner, _, _ := strings.Cut(name, ".")
		switch {
		case is == of && a.text[of] == "string" && ast.IsExported(name),
			slices.Contains(members, owner) && !strings.HasPrefix(is, "func("),
			strings.TrimSuffix(name, "WithBody") == method:
			about[name] = is
		}
	}
	return about
}

// Judge sets the verdicts of the changes in a report, and their reasons. A change is breaking if it
// changes the Go API at its position incompatibly, or makes valid requests invalid.
func (r *Report) Judge(root string, contract []byte) error {
	if len(r.Changes) == 0 {
		return nil
	}
	before, err := generate(root, contract)
	if err != nil {
		return fmt.Errorf("generate Go from %s: %w", Path, err)
	}
	after, err := generate(root, r.Contract)
	taken := map[string]bool{}
	for _, c := range r.Changes {
		taken[c.Operation+" "+c.At] = true
	}
	for i := range r.Changes {
		c := &r.Changes[i]
		switch {
		case c.Decide:
			c.Why = "nothing is carried over"
			continue
		case err != nil: // go generate will fail too, and be reported as a failed check
			c.Breaking, c.Why = true, "the generator fails: "+err.Error()
			continue
		}
		c.Breaking, c.Why = compareAt(c.position, c.adds, before, after)
		for s := c.position; !c.Breaking && s.path != ""; { // its containers, unless they have changes of their own
			s.path = s.path[:max(0, strings.LastIndexAny(s.path, ".[{"))]
			_, was := before.at(s)
			if _, is := after.at(s); was != is && was != "" && is != "" && !taken[s.op+" "+s.String()] {
				c.Breaking, c.Why = compareAt(s, false, before, after)
			}
		}
		if c.narrows && !c.Breaking {
			c.Breaking, c.Why = true, "valid requests become invalid"
		}
	}
	return nil
}

// compareAt compares the Go declarations that are generated for a position. It returns whether the
// change is breaking, and why. If adds is true, a missing declaration is not a removal.
func compareAt(s position, adds bool, before, after *api) (breaks bool, why string) {
	name, was := before.at(s)
	now, is := after.at(s)
	switch {
	case was != "" && is == "" && !adds:
		return true, "`gen." + name + "` is removed"
	case was == "" && is != "":
		why = "`gen." + now + "` is new"
	case was != is && is != "":
		return true, fmt.Sprintf("`gen.%s` was `%s` and is `%s`", name, was, is)
	}
	old, young := before.about(s, was), after.about(s, is)
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if text, ok := young[name]; ok && text != old[name] {
			return true, fmt.Sprintf("`gen.%s` was `%s` and is `%s`", name, old[name], text)
		} else if !ok && !adds {
			return true, "`gen." + name + "` is removed"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(young)) {
		if _, ok := old[name]; !ok && why == "" {
			why = "`gen." + name + "` is new"
		}
	}
	return false, cmp.Or(why, "the Go API stays")
}
