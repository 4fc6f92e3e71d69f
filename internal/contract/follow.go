package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Judge sets the verdicts of the changes in a report, by the Go API that the contract becomes
// before and after them.
func Judge(root string, report *Report, before []byte) error {
	if len(report.Changes) == 0 {
		return nil
	}
	was, err := generate(root, before)
	if err != nil {
		return fmt.Errorf("generate Go from %s: %w", Path, err)
	}
	is, err := generate(root, report.Contract)
	if err != nil { // as go generate will, which is reported as a check that failed
		for i := range report.Changes {
			report.Changes[i].Breaking, report.Changes[i].Why = true, "the generator fails: "+err.Error()
		}
		return nil
	}
	judge(report.Changes, was, is)
	report.lost = was.lost(is)
	return nil
}

// Follow makes the repository at root follow a contract that has changed: it generates, builds,
// vets and tests, and adds to the report the lines that do not compile or whose tests fail, and
// those that use what has another type.
func Follow(ctx context.Context, root string, report *Report) error {
	run := func(args ...string) bool {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = root
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		check := Check{Command: "go " + strings.Join(args, " ")}
		if err := cmd.Run(); err != nil {
			check.Failed = true
			lines := slices.Collect(strings.Lines(output.String() + err.Error() + "\n"))
			check.Output = strings.Join(lines[max(0, len(lines)-40):], "")
			report.look(errorLines(root, output.String())...)
		}
		report.Checks = append(report.Checks, check)
		return !check.Failed
	}
	if run("generate", "./...") {
		if run("build", "-gcflags=-e", "./...") && run("vet", "./...") {
			run("test", "-short", "-fullpath", "./...")
		}
		if err := report.uses(ctx, root); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// uses adds the lines of hand-written Go that do not compile, in whatever package, and those
// that use a declaration of the generated package whose type has changed.
func (r *Report) uses(ctx context.Context, root string) error {
	if len(r.lost) == 0 {
		return nil
	}
	all, err := packages.Load(&packages.Config{Context: ctx, Dir: root, Mode: packages.LoadAllSyntax, Tests: true}, "./...")
	if err != nil {
		return fmt.Errorf("load the packages: %w", err)
	}
	names := map[string]string{} // by position
	packages.Visit(all, nil, func(p *packages.Package) {
		if p.Name != "gen" || p.Types == nil {
			return
		}
		for _, name := range r.lost {
			typ, member, _ := strings.Cut(name, ".")
			object := p.Types.Scope().Lookup(typ)
			if object != nil && member != "" {
				object, _, _ = types.LookupFieldOrMethod(object.Type(), true, p.Types, member)
			}
			if object != nil {
				names[p.Fset.Position(object.Pos()).String()] = name
			}
		}
	})
	var lines []Line
	for _, p := range all {
		for _, e := range p.Errors {
			lines = append(lines, errorLines(root, e.Pos+": "+e.Msg)...)
		}
		for ident, object := range p.TypesInfo.Uses {
			at := p.Fset.Position(ident.Pos())
			if name := names[p.Fset.Position(object.Pos()).String()]; name != "" {
				lines = append(lines, errorLines(root, fmt.Sprintf("%s:%d: uses gen.%s", at.Filename, at.Line, name))...)
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		return a.Line - b.Line
	})
	r.look(lines...)
	return nil
}

// look adds lines that the report does not have yet.
func (r *Report) look(lines ...Line) {
	for _, line := range lines {
		if !slices.ContainsFunc(r.Look, func(l Line) bool { return l.File == line.File && l.Line == line.Line }) {
			r.Look = append(r.Look, line)
		}
	}
}

// errorLine is how the compiler, vet, a failed test and a panic name a line.
var errorLine = regexp.MustCompile(`(?m)^\s*(?:vet: |Error Trace:\s+)?(\S+\.go):(\d+)(?::\d+)?(?:: (.*)| \+0x.*)?$`)

// errorLines are the lines of hand-written code below root that the output of a Go command names.
func errorLines(root, output string) []Line {
	var list []Line
	for _, m := range errorLine.FindAllStringSubmatch(output, -1) {
		file := m[1]
		if filepath.IsAbs(file) {
			relative, err := filepath.Rel(root, file)
			if err != nil || !filepath.IsLocal(relative) {
				continue
			}
			file = relative
		}
		number, _ := strconv.Atoi(m[2])
		line := Line{filepath.ToSlash(filepath.Clean(file)), number, m[3]}
		if !strings.HasSuffix(file, ".gen.go") && !slices.ContainsFunc(list, func(l Line) bool { return l.File == line.File && l.Line == line.Line }) {
			list = append(list, line)
		}
	}
	return list
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
