// Package doctest tests the README and the guides in docs: Go blocks compile, commands work, and
// links resolve.
package doctest

import (
	"errors"
	"fmt"
	"go/ast"
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

// block is a fenced code block of a page.
type block struct {
	page, language, text string
	line                 int
}

func (b block) String() string { return fmt.Sprintf("%s:%d", filepath.Base(b.page), b.line) }

// blocks returns the blocks of the guides in any of the languages.
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

// surroundings are the imports and variables that a fragment may use.
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

// TestGoBlocksCompile type-checks each block: a whole file unchanged, declarations after the
// imports above, statements in a function. A fragment may have unused and redeclared variables.
func TestGoBlocksCompile(t *testing.T) {
	found := blocks(t, "go")
	require.NotEmpty(t, found)
	fset := token.NewFileSet()
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

// checked matches commands that make check runs, as it runs this test.
var checked = regexp.MustCompile(`^make (check|test|lint|tidy|drift|fuzz|bench-smoke|demo)\b`)

// elsewhere are commands that cannot run here, each with the reason.
var elsewhere = map[string]string{
	`^make bench$`:               "takes a quarter of an hour; make bench-smoke runs its parts",
	`^make sync(-check)? SPEC`:   "needs the vendor's document; internal/contract tests what they run",
	`^export `:                   "sets a variable",
	`^git clone `:                "a reader of this file has done it",
	`^mitmdump |npm test|^kill `: "needs a proxy and the reader's tests",
	`^curl `:                     "calls the live API",
	`^speccheck `:                "cmd/speccheck tests it",
	`^go (get|install) `:         "needs a release; TestThePublishedModule runs it against a proxy of its own",
}

// TestCommandsWork runs the lines of each sh block in order, in one shell at the root of the
// repository, except for those that make check runs itself.
func TestCommandsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("runs programs")
	}
	found := blocks(t, "sh")
	require.NotEmpty(t, found)
	for _, b := range found {
		t.Run(b.String(), func(t *testing.T) {
			var script strings.Builder
			for line := range strings.Lines(b.text) {
				command, _, _ := strings.Cut(strings.TrimSpace(line), "   #")
				known := command == "" || strings.HasPrefix(command, "#") || checked.MatchString(command)
				for pattern := range elsewhere {
					known = known || regexp.MustCompile(pattern).MatchString(command)
				}
				if !known {
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

// TestMakeTargetsExist looks for each make target that a page names.
func TestMakeTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	for _, page := range guides(t) {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(string(content), -1) {
			assert.True(t, strings.Contains(string(makefile), "\n"+match[1]+":"), "%s: make %s", page, match[1])
		}
	}
}

// TestLinksResolve checks links within the repository. A link whose text is the name of a test,
// benchmark or example must point to the file that declares it.
func TestLinksResolve(t *testing.T) {
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
			path, _, _ := strings.Cut(target, "#")
			linked, err := os.ReadFile(filepath.Join(filepath.Dir(page), path))
			if info, statErr := os.Stat(filepath.Join(filepath.Dir(page), path)); statErr == nil && info.IsDir() {
				continue
			}
			if !assert.NoError(t, err, "%s: %s", page, target) {
				continue
			}
			if name := strings.Trim(text, "`"); regexp.MustCompile(`^(Test|Benchmark|Example|Fuzz)[A-Z0-9_]\w*$`).MatchString(name) {
				assert.True(t, strings.Contains(string(linked), "func "+name+"("), "%s: %s has no %s", page, target, name)
			}
		}
	}
}
