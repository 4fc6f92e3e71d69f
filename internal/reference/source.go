package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// source is what the source of gen and wrapper says about how an operation is called.
type source struct {
	types    map[string]ast.Expr // of gen
	consts   map[string]string   // of gen: the type and the value, and the name
	alias    map[string]string   // what gen or apitype declares, and what wrapper calls it
	services map[string]string   // wrapper's service type, and the client's field
	methods  []*ast.FuncDecl     // of wrapper's services and of gen's client
}

// method is one Go method that calls an operation.
type method struct {
	call   string // client.AdminKeys.List
	params []*ast.Field
	gen    bool // it is the generated client's
	all    bool // it iterates over the pages
}

func readSource(root string) (*source, error) {
	s := &source{types: map[string]ast.Expr{}, consts: map[string]string{}, alias: map[string]string{}, services: map[string]string{}}
	for _, dir := range []string{"gen", "wrapper"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			s.declare(file)
		}
	}
	if len(s.types) == 0 || len(s.services) == 0 {
		return nil, &fs.PathError{Op: "read the Go source of", Path: root, Err: fs.ErrNotExist}
	}
	return s, nil
}

func (s *source) declare(file *ast.File) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv != nil && decl.Name.IsExported() {
				s.methods = append(s.methods, decl)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && len(v.Names) == 1 && len(v.Values) == 1 {
					switch to := v.Values[0].(type) {
					case *ast.BasicLit:
						if v.Type != nil && file.Name.Name == "gen" {
							s.consts[show(v.Type)+to.Value] = v.Names[0].Name
						}
					case *ast.SelectorExpr:
						s.alias[show(to)] = v.Names[0].Name
					}
				}
				t, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				if file.Name.Name == "gen" {
					s.types[t.Name.Name] = t.Type
				} else if from, ok := t.Type.(*ast.SelectorExpr); ok && t.Assign != 0 {
					s.alias[show(from)] = t.Name.Name
				}
				if object, ok := t.Type.(*ast.StructType); ok && t.Name.Name == "Client" && file.Name.Name == "orgkeys" {
					for _, field := range object.Fields.List {
						for _, name := range field.Names {
							s.services[strings.TrimPrefix(show(field.Type), "*")] = name.Name
						}
					}
				}
			}
		}
	}
}

// folded is a name without what the generator changes in it.
func folded(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// calls are the Go methods for an operation, first those that wrapper offers.
func (s *source) calls(id string) []method {
	var found []method
	for _, f := range s.methods {
		service, ok := s.services[receiver(f)]
		if ok && slices.ContainsFunc(called(f), func(name string) bool { return folded(name) == folded(id) }) {
			found = append(found, method{call: "client." + service + "." + f.Name.Name, params: f.Type.Params.List})
			for _, g := range s.methods {
				if g.Name.Name == "All" && f.Name.Name == "List" && receiver(g) == receiver(f) {
					found = append(found, method{call: "client." + service + ".All", params: g.Type.Params.List, all: true})
				}
			}
		}
	}
	for _, f := range s.methods {
		if len(found) == 0 && receiver(f) == "ClientWithResponses" && folded(f.Name.Name) == folded(id)+"withresponse" {
			found = append(found, method{call: "client.Generated()." + f.Name.Name, params: f.Type.Params.List, gen: true})
		}
	}
	return found
}

func receiver(f *ast.FuncDecl) string { return strings.TrimPrefix(show(f.Recv.List[0].Type), "*") }

// called are the methods of the generated client that a method of a service calls.
func called(f *ast.FuncDecl) []string {
	var names []string
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if to, ok := call.Fun.(*ast.SelectorExpr); ok && strings.HasSuffix(show(to.X), ".api") {
				names = append(names, to.Sel.Name)
			}
		}
		return true
	})
	return names
}

// snippet is an operation's call with the values of the contract's examples.
func (s *source) snippet(m method, op *operation) string {
	values := map[string]*yaml.Node{}
	var path []*yaml.Node
	for i, p := range op.Parameters {
		if p.In == "path" {
			path = append(path, &op.Parameters[i].Example)
		} else if !m.all || p.Name == "order" { // how All pages is its own affair
			values[p.Name] = &op.Parameters[i].Example
		}
	}
	if op.RequestBody != nil {
		if json := op.RequestBody.Content.at["application/json"]; json != nil && json.Example.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(json.Example.Content); i += 2 {
				values[json.Example.Content[i].Value] = json.Example.Content[i+1]
			}
		}
	}
	args := []string{"ctx"}
	for _, param := range m.params {
		typ := show(param.Type)
		if _, rest := param.Type.(*ast.Ellipsis); typ == "context.Context" || rest {
			continue
		}
		for range max(1, len(param.Names)) {
			switch {
			case typ == "string" && len(path) > 0:
				args = append(args, s.literal(path[0], "string"))
				path = path[1:]
			case m.gen && strings.HasPrefix(typ, "*"):
				args = append(args, "&"+s.object("gen."+typ[1:], typ[1:], values))
			case m.gen:
				args = append(args, s.object("gen."+typ, typ, values))
			default:
				args = append(args, s.object("orgkeys."+typ, s.aliased(typ), values))
			}
		}
	}
	call := m.call + "(" + strings.Join(args, ", ") + ")"
	if m.all {
		return "for item, err := range " + call + " {\n\tif err != nil {\n\t\treturn err\n\t}\n\tfmt.Println(item.ID)\n}"
	}
	return "result, err := " + call
}

// aliased is gen's name of a type of wrapper.
func (s *source) aliased(name string) string {
	for from, to := range s.alias {
		if to == name {
			return strings.TrimPrefix(from, "gen.")
		}
	}
	return name
}

// object is a composite literal of a struct of gen.
func (s *source) object(shown, typ string, values map[string]*yaml.Node) string {
	var fields []string
	for _, f := range s.fields(typ) {
		if n := values[f.json]; n != nil && n.Kind == yaml.ScalarNode {
			if text := s.literal(n, strings.TrimPrefix(f.typ, "*")); strings.HasPrefix(f.typ, "*") {
				fields = append(fields, f.name+": new("+text+")")
			} else {
				fields = append(fields, f.name+": "+text)
			}
		}
	}
	return shown + "{" + strings.Join(fields, ", ") + "}"
}

// literal is a value in Go of a type.
func (s *source) literal(n *yaml.Node, typ string) string {
	text := n.Value
	if n.ShortTag() == "!!str" {
		text = strconv.Quote(n.Value)
	}
	if slices.Contains([]string{"string", "int", "bool"}, typ) {
		return text
	}
	if name := s.consts[typ+text]; name != "" {
		return s.public(name)
	}
	return s.public(typ) + "(" + text + ")"
}

// field is a field of a generated struct.
type field struct{ json, name, typ string }

// fields are those of a type of gen, in the generator's order.
func (s *source) fields(typ string) []field {
	switch t := s.types[typ].(type) {
	case *ast.Ident:
		return s.fields(t.Name)
	case *ast.StructType:
		var list []field
		for _, f := range t.Fields.List {
			if f.Tag == nil || len(f.Names) != 1 {
				continue
			}
			tag, _ := strconv.Unquote(f.Tag.Value)
			name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			list = append(list, field{name, f.Names[0].Name, show(f.Type)})
		}
		return list
	default:
		return nil
	}
}

// schemaType is gen's type for a schema of the contract, or "".
func (s *source) schemaType(name string) string {
	for _, typ := range slices.Sorted(maps.Keys(s.types)) {
		if folded(typ) == folded(name) {
			return typ
		}
	}
	return ""
}

// typeName is a name of a type, with its package, within a type.
var typeName = regexp.MustCompile(`(\w+\.)?[A-Z]\w*`)

// public is a type of gen as a program writes it: by wrapper's name where that has one.
func (s *source) public(typ string) string {
	return typeName.ReplaceAllStringFunc(typ, func(name string) string {
		if !strings.Contains(name, ".") {
			name = "gen." + name
		}
		if alias, ok := s.alias[name]; ok {
			return "orgkeys." + alias
		}
		return name
	})
}

func show(n ast.Expr) string {
	var out strings.Builder
	if err := printer.Fprint(&out, token.NewFileSet(), n); err != nil {
		return fmt.Sprint(err)
	}
	return out.String()
}
