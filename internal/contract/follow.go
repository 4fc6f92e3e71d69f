package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"
)

// commands are those that make the repository follow the contract, and check it.
var commands = []string{"generate ./...", "build -gcflags=-e ./...", "vet ./...", "test -short -fullpath ./..."}

// Follow makes the repository at root follow a contract that has changed: it generates, builds,
// vets and tests, and adds to the report the lines that do not compile or whose tests fail.
func Follow(ctx context.Context, root string, report *Report) error {
	for _, command := range commands {
		cmd := exec.CommandContext(ctx, "go", strings.Fields(command)...)
		cmd.Dir = root
		output, err := cmd.CombinedOutput()
		check := Check{Command: "go " + command, Failed: err != nil}
		if err != nil {
			lines := slices.Collect(strings.Lines(string(output) + err.Error() + "\n"))
			check.Output = strings.Join(lines[max(0, len(lines)-40):], "")
			report.look(root, string(output))
		}
		if report.Checks = append(report.Checks, check); check.Failed {
			break
		}
	}
	// A package that fails hides the errors of those that import it, but not from the type checker.
	config := &packages.Config{Context: ctx, Dir: root, Mode: packages.LoadAllSyntax, Tests: true}
	all, err := packages.Load(config, "./...")
	if err != nil {
		return fmt.Errorf("load the packages: %w", err)
	}
	for _, p := range all {
		for _, e := range p.TypeErrors {
			report.look(root, fmt.Sprintf("%s: %s", e.Fset.Position(e.Pos), e.Msg))
		}
	}
	return ctx.Err()
}

// errorLine is how the compiler, vet, a failed test and a panic name a line.
var errorLine = regexp.MustCompile(`(?m)^\s*(?:vet: |Error Trace:\s+)?(\S+\.go):(\d+)(?::\d+)?(?:: (.*)| \+0x.*)?$`)

// look adds to the report the lines of hand-written code below root that the output of a Go command
// names, each once.
func (r *Report) look(root, output string) {
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
		have := slices.ContainsFunc(r.Look, func(l Line) bool { return l.File == line.File && l.Line == line.Line })
		if !have && !strings.HasSuffix(file, ".gen.go") {
			r.Look = append(r.Look, line)
		}
	}
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

// maxDocument is the limit of the size of a document, in bytes.
const maxDocument = 64 << 20

// Fetch reads a document from a file, or from a URL that begins with http:// or https://.
func Fetch(ctx context.Context, from string) ([]byte, error) { return fetch(ctx, from, maxDocument) }

func fetch(ctx context.Context, from string, limit int64) ([]byte, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		return os.ReadFile(from)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Timeout: 2 * time.Minute}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %s", from, response.Status)
	}
	src, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(src)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", from, limit)
	}
	return src, err
}
