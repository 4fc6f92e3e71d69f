package orgkeys_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/orgkeys/orgkeys-go"

// dependencies returns the packages that those matching pattern are built from.
func dependencies(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pattern).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// TestImportsPointOneWay holds which rooms may know of which.
func TestImportsPointOneWay(t *testing.T) {
	for room, allowed := range map[string]string{
		"/api":                 "",
		"/apitype":             "",
		"/internal/show":       "",
		"/internal/strictjson": "/internal/show",
		"/gen":                 "/apitype /internal/show /internal/strictjson",
		"/wrapper":             "/apitype /internal/show /internal/strictjson /gen",
		"/speccheck":           "/api",
		"/orgkeystest":         "/api /apitype /internal/show /internal/strictjson /gen /gen/server /speccheck",
	} {
		for _, dependency := range dependencies(t, module+room) {
			inner, ours := strings.CutPrefix(dependency, module)
			if ours && inner != room {
				assert.Contains(t, strings.Fields(allowed), inner, "%s imports it", room)
			}
		}
	}
}

// TestAProgramLinksLittle holds what importing this package brings along: none of what
// serves tests, checks or servers.
func TestAProgramLinksLittle(t *testing.T) {
	var modules []string
	for _, dependency := range dependencies(t, module+"/wrapper") {
		if host, _, _ := strings.Cut(dependency, "/"); strings.Contains(host, ".") {
			parts := strings.Split(dependency, "/")
			modules = append(modules, strings.Join(parts[:min(len(parts), 3)], "/"))
		}
	}
	assert.Subset(t, []string{
		"github.com/orgkeys/orgkeys-go", "github.com/go-json-experiment/json", "golang.org/x/time",
	}, modules)
}
