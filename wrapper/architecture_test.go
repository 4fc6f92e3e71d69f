package orgkeys_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/orgkeys/orgkeys-go"

// dependencies returns the import paths of the packages that match pattern and of all packages that
// they import.
func dependencies(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pattern).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// TestImportsPointOneWay verifies which packages of this module each package imports, directly or
// indirectly.
func TestImportsPointOneWay(t *testing.T) {
	for folder, allowed := range map[string]string{
		"/api":                 "",
		"/apitype":             "",
		"/internal/mask":       "",
		"/internal/show":       "/internal/mask",
		"/internal/strictjson": "/internal/mask /internal/show",
		"/gen":                 "/apitype /internal/mask /internal/show /internal/strictjson",
		"/wrapper":             "/apitype /internal/mask /internal/show /internal/strictjson /gen",
		"/speccheck":           "/api",
		"/orgkeystest":         "/api /apitype /internal/mask /internal/show /internal/strictjson /gen /gen/server /speccheck",
	} {
		imported := dependencies(t, module+folder)
		require.Contains(t, imported, module+folder)
		for _, dependency := range imported {
			inner, ours := strings.CutPrefix(dependency, module)
			if ours && inner != folder {
				assert.Contains(t, strings.Fields(allowed), inner, "%s imports it", folder)
			}
		}
	}
}

// TestDependencies_OfAProgram verifies the modules that a program links by importing this package.
func TestDependencies_OfAProgram(t *testing.T) {
	var modules []string
	for _, dependency := range dependencies(t, module+"/wrapper") {
		if host, _, _ := strings.Cut(dependency, "/"); strings.Contains(host, ".") {
			parts := strings.Split(dependency, "/")
			modules = append(modules, strings.Join(parts[:min(len(parts), 3)], "/"))
		}
	}
	assert.Subset(t, []string{"github.com/orgkeys/orgkeys-go", "github.com/go-json-experiment/json"}, modules)
	assert.Contains(t, modules, "github.com/orgkeys/orgkeys-go")
}
