package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// generated are the folders of the Go code that is made from the contract.
var generated = []string{"gen", "gen/server"}

// Follow makes the repository at root follow a changed contract, which change writes: it
// generates, builds, vets and tests, and fills in the report. Where something breaks, the report
// names the lines to look at.
func Follow(ctx context.Context, root string, report *Report, change func() error) error {
	before, err := readAPI(root)
	if err != nil {
		return err
	}
	var used map[string][]Spot
	if report.Breaking() > 0 {
		if used, err = uses(ctx, root); err != nil {
			return err
		}
	}
	if err := change(); err != nil {
		return err
	}
	run := func(args ...string) bool {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = root
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		check := Check{Command: "go " + strings.Join(args, " ")}
		if err := cmd.Run(); err != nil {
			check.Failed = true
			check.Output = tail(output.String()+err.Error()+"\n", 40)
			for _, spot := range errorLines(output.String()) {
				report.Look = appendSpot(report.Look, spot)
			}
		}
		report.Checks = append(report.Checks, check)
		return !check.Failed
	}
	if !run("generate", "./...") {
		return ctx.Err()
	}
	if run("build", "-gcflags=-e", "./...") && run("vet", "./...") {
		// Short, because what -short leaves out is the test of this very thing.
		run("test", "-short", "./...")
	}
	after, err := readAPI(root)
	if err != nil {
		return err
	}
	for _, name := range before.lost(after) {
		for _, spot := range used[name] {
			report.Look = appendSpot(report.Look, spot)
		}
	}
	return ctx.Err()
}

func tail(text string, n int) string {
	lines := slices.Collect(strings.Lines(text))
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// appendSpot adds a line that is not in the list yet.
func appendSpot(list []Spot, spot Spot) []Spot {
	if slices.ContainsFunc(list, func(s Spot) bool { return s.File == spot.File && s.Line == spot.Line }) {
		return list
	}
	return append(list, spot)
}

// errorLine is how the compiler and vet name a line.
var errorLine = regexp.MustCompile(`(?m)^(?:vet: )?(?:\./)?([^\s:]+\.go):(\d+)(?::\d+)?: (.*)$`)

// errorLines are the lines of hand-written code that the output of a Go command complains about.
func errorLines(output string) []Spot {
	var list []Spot
	for _, m := range errorLine.FindAllStringSubmatch(output, -1) {
		line, _ := strconv.Atoi(m[2])
		spot := Spot{filepath.ToSlash(m[1]), line, m[3]}
		if !strings.HasSuffix(spot.File, ".gen.go") {
			list = appendSpot(list, spot)
		}
	}
	return list
}

// api is what the generated packages declare for others: types, fields, methods, functions and
// constants by name (gen.Type, gen.Type.Field), each with the text of its type.
type api map[string]string

// readAPI reads it from the source at root.
func readAPI(root string) (api, error) {
	names := api{}
	fset := token.NewFileSet()
	for _, dir := range generated {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			for _, decl := range parsed.Decls {
				names.declare(fset, parsed.Name.Name+".", decl)
			}
		}
	}
	return names, nil
}

func (a api) declare(fset *token.FileSet, in string, decl ast.Decl) {
	text := func(node any) string {
		var out strings.Builder
		_ = printer.Fprint(&out, fset, node)
		return out.String()
	}
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		name := decl.Name.Name
		if decl.Recv != nil {
			name = strings.TrimPrefix(text(decl.Recv.List[0].Type), "*") + "." + name
		}
		a[in+name] = text(decl.Type)
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					a[in+name.Name] = decl.Tok.String()
				}
			case *ast.TypeSpec:
				name := in + spec.Name.Name
				object, ok := spec.Type.(*ast.StructType)
				if !ok {
					a[name] = text(spec.Type)
					continue
				}
				a[name] = "struct"
				for _, field := range object.Fields.List {
					for _, f := range field.Names {
						a[name+"."+f.Name] = text(field.Type)
					}
				}
			}
		}
	}
}

// lost are the exported names that are gone, or not of the type that they were.
func (a api) lost(after api) []string {
	var names []string
	for name, was := range a {
		if is, ok := after[name]; (!ok || is != was) && ast.IsExported(name[strings.LastIndexByte(name, '.')+1:]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Write replaces the contract at root, at once or not at all.
func Write(root string, contract []byte) error {
	path := filepath.Join(root, Path)
	file, err := os.CreateTemp(filepath.Dir(path), ".openapi-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(contract)
	if err := errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", Path, err)
	}
	return os.Rename(file.Name(), path)
}
