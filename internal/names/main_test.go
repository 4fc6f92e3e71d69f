package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWrite_NamesNewDeclarations verifies that a type, a constant and an operation that are new in
// the contract have a name in package orgkeys without an entry in a table, and that the names of
// the others do not change.
func TestWrite_NamesNewDeclarations(t *testing.T) {
	source, err := os.ReadFile("../../gen/client.gen.go")
	require.NoError(t, err)
	before, err := write(source)
	require.NoError(t, err)

	text := string(source)
	change := func(old, new string) {
		require.Equal(t, 1, strings.Count(text, old), old)
		text = strings.Replace(text, old, new, 1)
	}
	change("type ProjectAPIKey struct {", "type ProjectAPIKey struct {\n\t// What it may cost.\n\tLimits *ProjectAPIKey_Limits\n")
	text += `
// ProjectAPIKey_Limits is how much a key may cost.
type ProjectAPIKey_Limits struct {
	// In dollars.
	Month int
}

const ProjectServiceAccountRoleAuditor ProjectServiceAccountRole = "read-only auditor"

const OperationListProjects = "list-projects"
`
	after, err := write([]byte(text))
	require.NoError(t, err)
	for _, want := range []string{
		"//   - Limits *[ProjectKeyLimits]: What it may cost.\n",
		"// ProjectKeyLimits is how much a key may cost.\n//\n// Fields:\n//   - Month int: In dollars.\ntype ProjectKeyLimits = gen.ProjectAPIKey_Limits\n",
		`RoleReadOnlyAuditor = "read-only auditor"`,
		"= gen.OperationListProjects\n",
	} {
		assert.Contains(t, string(after), want)
		assert.NotContains(t, string(before), want)
	}
	for line := range strings.Lines(string(before)) {
		assert.Contains(t, strings.Join(strings.Fields(string(after)), " "), strings.Join(strings.Fields(line), " "))
	}

	_, err = write([]byte(strings.Replace(text, "type AdminAPIKeyOwner struct", "type Other struct", 1)))
	assert.ErrorContains(t, err, "there is no type AdminAPIKeyOwner for the name AdminKeyOwner")
}
