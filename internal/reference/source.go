package main

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// source contains the declarations of gen and wrapper. Names are qualified, as in gen.AdminAPIKey.
type source struct {
	types    map[string]ast.Expr
	alias    map[string]string // the aliases in orgkeys, by the name in gen or apitype
	services map[string]string // the field of orgkeys.Client, by its type
	methods  []*ast.FuncDecl
}

// call is a Go method that sends an operation, such as client.AdminKeys.List.
type call struct {
	Name, Signature string
	Generated       bool // a method of the generated client
}

func readSource(root string) (*source, error) {
	s := &source{types: map[string]ast.Expr{}, alias: map[string]string{}, services: map[string]string{}}
	for _, dir := range []string{"gen", "wrapper"} {
		paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			for _, decl := range file.Decls {
				if !strings.HasSuffix(path, "_test.go") {
					s.declare(file.Name.Name+".", decl)
				}
			}
		}
	}
	return s, nil
}

func (s *source) declare(pkg string, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil && d.Name.IsExported() {
			s.methods = append(s.methods, d)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				s.types[pkg+t.Name.Name] = t.Type
				if t.Assign != 0 && pkg == "orgkeys." {
					s.alias[types.ExprString(t.Type)] = pkg + t.Name.Name
				}
				if client, ok := t.Type.(*ast.StructType); ok && pkg+t.Name.Name == "orgkeys.Client" {
					for _, f := range client.Fields.List {
						s.services[types.ExprString(f.Type)] = f.Names[0].Name
					}
				}
			}
		}
	}
}

// folded returns a name in lower case without - and _, which the generator changes in names.
func folded(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// addCalls adds the methods of the services that send the operation or, if there is none, that of
// the generated client. A method sends the operation if it uses a function of gen with its name.
func (s *source) addCalls(op *operation) {
	id := folded(op.OperationID)
	builders := []string{id, id + "withresponse", "new" + id + "request"}
	for _, m := range s.methods {
		service, sends := s.services[types.ExprString(m.Recv.List[0].Type)], false
		ast.Inspect(m.Body, func(n ast.Node) bool {
			name, ok := n.(*ast.Ident)
			sends = sends || ok && slices.Contains(builders, folded(name.Name))
			return !sends
		})
		for _, also := range s.methods {
			all := m.Name.Name == "List" && also.Name.Name == "All" && s.services[types.ExprString(also.Recv.List[0].Type)] == service
			if ast.IsExported(service) && sends && (also == m || all) {
				s.addCall(op, "client."+service+".", also, "orgkeys.")
			}
		}
	}
	for _, m := range s.methods {
		if len(op.Calls) == 0 && folded(m.Name.Name) == id+"withresponse" {
			s.addCall(op, "client.Generated().", m, "gen.")
		}
	}
}

func (s *source) addCall(op *operation, receiver string, m *ast.FuncDecl, pkg string) {
	name, signature := receiver+m.Name.Name, s.public(pkg, types.ExprString(m.Type))
	op.Calls = append(op.Calls, call{name, name + strings.TrimPrefix(signature, "func"), pkg == "gen."})
	for _, param := range m.Type.Params.List {
		maps.Copy(op.Fields, s.fields(strings.TrimPrefix(s.public(pkg, types.ExprString(param.Type)), "*")))
	}
}

// fields returns the fields of a struct type and their types, by JSON name.
func (s *source) fields(typ string) map[string]string {
	pkg, found := typ[:strings.IndexByte(typ, '.')+1], map[string]string{}
	switch t := s.types[typ].(type) {
	case *ast.Ident:
		return s.fields(pkg + t.Name)
	case *ast.SelectorExpr:
		return s.fields(types.ExprString(t))
	case *ast.StructType:
		for _, f := range t.Fields.List {
			if f.Tag != nil && len(f.Names) == 1 {
				tag, _ := strconv.Unquote(f.Tag.Value)
				name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
				found[name] = f.Names[0].Name + " " + s.public(pkg, types.ExprString(f.Type))
			}
		}
	}
	return found
}

// typeOf returns the Go type that is generated for a schema of the contract, or "".
func (s *source) typeOf(schema string) string {
	for t := range s.types {
		if folded(t) == "gen."+folded(schema) {
			return s.public("", t)
		}
	}
	return ""
}

// typeName matches the name of an exported type, qualified or not, in a type expression.
var typeName = regexp.MustCompile(`(\w+\.)?\b[A-Z]\w*`)

// public returns a type expression of a package with all names qualified, and with the aliases of
// package orgkeys if there are any.
func (s *source) public(pkg, expression string) string {
	return typeName.ReplaceAllStringFunc(expression, func(name string) string {
		if !strings.Contains(name, ".") {
			name = pkg + name
		}
		return cmp.Or(s.alias[name], name)
	})
}
