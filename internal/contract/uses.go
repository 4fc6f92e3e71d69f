package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// goPackage is what go list says of a package.
type goPackage struct {
	Dir, ImportPath, Export            string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Module                             *struct{ Main bool }
}

// uses are the lines of hand-written Go, tests included, that use what the generated package
// declares, by its name. The types tell, so that a name is found through an alias too, and the
// like-named field of another type is not taken for it.
func uses(ctx context.Context, root string) (map[string][]Spot, error) {
	packages, err := listPackages(ctx, root)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	var made []string
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
		if slices.ContainsFunc(generated, func(dir string) bool { return p.Dir == filepath.Join(root, dir) }) {
			made = append(made, p.ImportPath)
		}
	}
	u := &usage{root: root, fset: token.NewFileSet(), names: map[types.Object]string{}, spots: map[string][]Spot{}}
	u.imports = importer.ForCompiler(u.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(exports[path])
	})
	for _, path := range made {
		declared, err := u.imports.Import(path)
		if err != nil {
			return nil, fmt.Errorf("before the change: %w", err)
		}
		u.name(declared)
	}
	for _, p := range packages {
		if p.Module == nil || !p.Module.Main || strings.Contains(p.ImportPath, " ") || strings.HasSuffix(p.ImportPath, ".test") {
			continue
		}
		for _, files := range [][]string{append(p.GoFiles, p.TestGoFiles...), p.XTestGoFiles} {
			if err := u.read(p, files); err != nil {
				return nil, err
			}
		}
	}
	return u.spots, nil
}

func listPackages(ctx context.Context, root string) ([]goPackage, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-export", "-deps", "-test", "-json=Dir,ImportPath,Export,GoFiles,TestGoFiles,XTestGoFiles,Module", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, err
		}
		list = append(list, p)
	}
}

type usage struct {
	root    string
	fset    *token.FileSet
	imports types.Importer
	names   map[types.Object]string
	spots   map[string][]Spot
}

func (u *usage) read(p goPackage, names []string) error {
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, ".gen.go") {
			return nil
		}
		file, err := parser.ParseFile(u.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	// An error is that of a test which uses what another test file exports. The rest is known.
	conf := &types.Config{Importer: u.imports, Error: func(error) {}}
	_, _ = conf.Check(p.ImportPath, u.fset, files, info)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			ident, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			name := u.names[info.Uses[ident]]
			if name == "" {
				return true
			}
			at := u.fset.Position(ident.Pos())
			relative, err := filepath.Rel(u.root, at.Filename)
			if err == nil {
				u.spots[name] = append(u.spots[name], Spot{filepath.ToSlash(relative), at.Line, "uses " + name})
			}
			return true
		})
	}
	return nil
}

// name takes down what a package declares: package.Type, package.Type.Field and so on.
func (u *usage) name(p *types.Package) {
	for _, id := range p.Scope().Names() {
		object := p.Scope().Lookup(id)
		name := p.Name() + "." + id
		u.names[object] = name
		named, ok := object.Type().(*types.Named)
		if _, isType := object.(*types.TypeName); !isType || !ok {
			continue
		}
		for method := range named.Methods() {
			u.names[method] = name + "." + method.Name()
		}
		if s, ok := named.Underlying().(*types.Struct); ok {
			for field := range s.Fields() {
				u.names[field] = name + "." + field.Name()
			}
		}
	}
}
