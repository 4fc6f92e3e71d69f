// Package doctest holds what the README and the guides in docs say: each Go block compiles,
// each command works, each link leads somewhere.
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

// guides are the pages that people write; docs/reference is generated and held elsewhere.
func guides(t *testing.T) []string {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	return append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "SECURITY.md"))
}

// block is a fenced block of a page.
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
		require.Nil(t, open, "%s: a block is not closed", page)
	}
	return found
}

// surroundings are what a fragment may take for granted.
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

// TestEveryGoBlockCompiles type-checks each block: a whole file as it is, declarations behind
// the imports above, statements in a function of their own. A fragment may leave a variable
// unused and declare one again.
func TestEveryGoBlockCompiles(t *testing.T) {
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

// checked are the commands that `make check`, which runs this test, runs itself or is.
var checked = regexp.MustCompile(`^make (check|test|lint|tidy|drift|fuzz|bench-smoke|demo)\b`)

// elsewhere are commands that can't run here, each with the reason.
var elsewhere = map[string]string{
	`^make bench$`:               "takes a quarter of an hour; make bench-smoke runs its parts",
	`^make sync(-check)? SPEC`:   "needs the vendor's document; internal/contract tests what they run",
	`^export `:                   "sets a variable",
	`^git clone `:                "is how the reader came by this file",
	`^mitmdump |npm test|^kill `: "needs a proxy and tests of the reader's own",
	`^curl `:                     "asks the live API",
	`^speccheck `:                "is what go install brings; cmd/speccheck tests it",
	`^go (get|install) `:         "needs a release; TestThePublishedModule runs it against a proxy of its own",
}

// TestEveryCommandWorks runs the lines of each sh block, in order and in one shell at the root
// of a copy of the project, but for those that make check runs itself.
func TestEveryCommandWorks(t *testing.T) {
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

// TestEveryTargetThatIsNamedExists holds that make knows the targets that the pages name.
func TestEveryTargetThatIsNamedExists(t *testing.T) {
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

// TestEveryLinkLeadsSomewhere holds the links within the project, and that each test or
// benchmark that is named in one exists.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
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
