// Package doctest tests the README and the guides in docs: their Go code compiles, their commands
// succeed, and their links resolve.
package doctest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// guides returns the hand-written pages. internal/reference tests the generated ones.
func guides(t *testing.T) []string {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	return append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "SECURITY.md"))
}

// block is a fenced code block on a page.
type block struct {
	page, language, text string
	line                 int
}

func (b block) String() string { return fmt.Sprintf("%s:%d", filepath.Base(b.page), b.line) }

// blocks returns the guides' code blocks in the given languages.
func blocks(t *testing.T, languages ...string) (found []block) {
	t.Helper()
	for _, page := range guides(t) {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		var open *block
		for i, line := range strings.Split(string(content), "\n") {
			fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
			switch {
			case isFence && open == nil:
				open = &block{page: page, language: fence, line: i + 1}
			case isFence:
				if slices.Contains(languages, open.language) {
					found = append(found, *open)
				}
				open = nil
			case open != nil:
				open.text += line + "\n"
			}
		}
		require.Nil(t, open, "%s: unclosed code block", page)
	}
	return found
}

// surroundings declares the imports and variables that a code block may use.
const surroundings = `package fragment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/orgkeys/orgkeys-go/speccheck"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func serverUnderTest(*testing.T) (baseURL, adminKey string) { return }

func store(string) {}

func fragment(ctx context.Context, client *orgkeys.Client, t *testing.T, projectID, keyID string) error {
%s
	return nil
}
`

// TestGoBlocksCompile type-checks each Go block: a file unchanged, declarations after the imports
// of surroundings, statements in its function. Statements may leave variables unused or redeclare
// them.
func TestGoBlocksCompile(t *testing.T) {
	found := blocks(t, "go")
	require.NotEmpty(t, found)
	fset := token.NewFileSet()
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	build.Default.GOROOT = strings.TrimSpace(string(goroot)) // empty in a test that was built with -trimpath
	imports := importer.ForCompiler(fset, "source", nil)
	for _, b := range found {
		t.Run(b.String(), func(t *testing.T) {
			source := b.text
			switch {
			case strings.HasPrefix(source, "package "):
			case regexp.MustCompile(`(?m)^(func|type) `).MatchString(source):
				head, _, _ := strings.Cut(surroundings, "func fragment")
				source = head + source
			default:
				source = fmt.Sprintf(surroundings, source)
			}
			file, err := parser.ParseFile(fset, b.String(), source, parser.SkipObjectResolution)
			require.NoError(t, err)
			config := types.Config{Importer: imports, Error: func(err error) {
				if e, ok := errors.AsType[types.Error](err); !ok || !e.Soft || strings.HasPrefix(b.text, "package ") {
					t.Error(err)
				}
			}}
			_, _ = config.Check("fragment", fset, []*ast.File{file}, nil)
		})
	}
}

// skippedCommands are patterns of commands that TestCommandsSucceed does not run, with the reasons.
var skippedCommands = map[string]string{
	`^make (demo|test)\b`: "make check, which runs this test, runs them",
	`^export `:            "sets a variable to an example",
	`^git clone `:         "a reader of this file has done it",
	`npm test`:            "runs tests of the reader",
	`^curl `:              "calls the live API",
	`^speccheck `:         "cmd/speccheck has tests of it",
	`^go (get|install) `:  "needs a release; TestModule_InstallsAsDocumented runs it with a local proxy",
}

// TestCommandsSucceed runs the lines of each sh block in order, in one shell at the root of the
// repository.
func TestCommandsSucceed(t *testing.T) {
	if testing.Short() {
		t.Skip("runs programs")
	}
	found := blocks(t, "sh")
	require.NotEmpty(t, found)
	for pattern := range skippedCommands {
		assert.True(t, slices.ContainsFunc(found, func(b block) bool {
			return regexp.MustCompile("(?m)" + pattern).MatchString(b.text)
		}), "no guide has a command that matches %s", pattern)
	}
	for _, b := range found {
		t.Run(b.String(), func(t *testing.T) {
			var script strings.Builder
			for line := range strings.Lines(b.text) {
				command, _, _ := strings.Cut(strings.TrimSpace(line), "   #")
				skip := command == "" || strings.HasPrefix(command, "#")
				for pattern := range skippedCommands {
					skip = skip || regexp.MustCompile(pattern).MatchString(command)
				}
				if !skip {
					script.WriteString(command + "\n")
				}
			}
			if script.Len() == 0 {
				return
			}
			command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script.String())
			command.Dir = root
			command.Env = append(os.Environ(), "OPENAI_ADMIN_KEY=", "OPENAI_BASE_URL=")
			out, err := command.CombinedOutput()
			assert.NoError(t, err, "%s\n%s", script.String(), out)
		})
	}
}

// TestMakeTargetsExist verifies that the Makefile has each target that a page mentions.
func TestMakeTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	mentioned := 0
	for _, page := range guides(t) {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(string(content), -1) {
			mentioned++
			assert.True(t, strings.Contains(string(makefile), "\n"+match[1]+":"), "%s: make %s", page, match[1])
		}
	}
	assert.NotZero(t, mentioned)
}

// TestLinksResolve verifies the links within the repository. If a link's text is the name of a test,
// benchmark or example, the linked file must declare it. If it is the name of a Go file, the link
// must be to a file of that name.
func TestLinksResolve(t *testing.T) {
	verified := 0
	code := regexp.MustCompile("(?s)```.*?```")
	link := regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)
	for _, page := range guides(t) {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(string(content), ""), -1) {
			text, target := match[1], match[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "#") {
				continue
			}
			verified++
			path, _, _ := strings.Cut(target, "#")
			linked, err := os.ReadFile(filepath.Join(filepath.Dir(page), path))
			if info, statErr := os.Stat(filepath.Join(filepath.Dir(page), path)); statErr == nil && info.IsDir() {
				continue
			}
			if !assert.NoError(t, err, "%s: %s", page, target) {
				continue
			}
			name := strings.Trim(text, "`")
			if regexp.MustCompile(`^(Test|Benchmark|Example|Fuzz)[A-Z0-9_]\w*$`).MatchString(name) {
				assert.True(t, strings.Contains(string(linked), "func "+name+"("), "%s: %s has no %s", page, target, name)
			}
			if strings.HasSuffix(name, ".go") {
				assert.Equal(t, filepath.Base(name), filepath.Base(path), "%s: the text of the link to %s", page, target)
			}
		}
	}
	assert.NotZero(t, verified)
}
