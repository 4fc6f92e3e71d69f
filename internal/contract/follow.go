package contract

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// commands are the go commands that Follow runs.
var commands = []string{"generate ./...", "vet ./...", "test -short -fullpath ./..."}

// Follow updates and checks the repository at root after a change of the contract: it runs go
// generate, vet and test, and adds to the report the lines that do not compile or whose tests fail.
func (r *Report) Follow(ctx context.Context, root string) error {
	for _, command := range commands {
		cmd := exec.CommandContext(ctx, "go", strings.Fields(command)...)
		cmd.Dir = root
		output, err := cmd.CombinedOutput()
		check := Check{Command: "go " + command, Failed: err != nil}
		if err != nil {
			lines := slices.Collect(strings.Lines(string(output) + err.Error() + "\n"))
			check.Output = strings.Join(lines[max(0, len(lines)-40):], "")
			r.look(root, string(output))
		}
		if r.Checks = append(r.Checks, check); check.Failed {
			break
		}
	}
	// vet does not report the errors of packages that import a package with errors.
	config := &packages.Config{Context: ctx, Dir: root, Mode: packages.LoadAllSyntax, Tests: true}
	all, err := packages.Load(config, "./...")
	if err != nil {
		return fmt.Errorf("load the packages: %w", err)
	}
	for _, p := range all {
		for _, e := range p.TypeErrors {
			r.look(root, fmt.Sprintf("%s: %s", e.Fset.Position(e.Pos), e.Msg))
		}
	}
	return ctx.Err()
}

// errorLine matches a position in the output of the compiler, vet, a failed test or a panic.
var errorLine = regexp.MustCompile(`(?m)^\s*(?:vet: |Error Trace:\s+)?(\S+\.go):(\d+)(?::\d+)?(?:: (.*)| \+0x.*)?$`)

// look adds to the report the lines of hand-written code below root that occur in the output of a
// Go command, each once.
func (r *Report) look(root, output string) {
	for _, m := range errorLine.FindAllStringSubmatch(output, -1) {
		file := m[1]
		if relative, err := filepath.Rel(root, file); err == nil && filepath.IsAbs(file) {
			file = relative
		}
		number, _ := strconv.Atoi(m[2])
		line := Line{filepath.ToSlash(filepath.Clean(file)), number, m[3]}
		have := slices.ContainsFunc(r.Look, func(l Line) bool { return l.File == line.File && l.Line == line.Line })
		if !have && filepath.IsLocal(file) && !strings.HasSuffix(file, ".gen.go") {
			r.Look = append(r.Look, line)
		}
	}
}
