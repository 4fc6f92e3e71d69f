// Package exampletest is what the tests of the examples share.
package exampletest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// Live is the environment of a program that takes server for the live API.
func Live(server *orgkeystest.Server) func(string) string {
	variables := map[string]string{"OPENAI_ADMIN_KEY": server.AdminKey, "OPENAI_BASE_URL": server.URL}
	return func(name string) string { return variables[name] }
}

// NoKey is the environment of a program that is to run on its fake.
func NoKey(string) string { return "" }

var (
	picked = regexp.MustCompile(`\b(key|svc_acct)_[A-Z2-7]{26}\b`)
	value  = regexp.MustCompile(`sk-[a-z]+-[0-9A-Za-z]{8}`)
)

// Golden compares what a program wrote with testdata/name. Ids that chance picked are cut to
// their kind.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	got = picked.ReplaceAllString(got, "${1}_…")
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// HoldsNoKey fails the test where text holds one of secrets, or anything else that looks like
// the value of a key.
func HoldsNoKey(t testing.TB, text string, secrets ...string) {
	t.Helper()
	assert.NotRegexp(t, value, text)
	for _, secret := range secrets {
		require.NotEmpty(t, secret)
		assert.NotContains(t, text, secret)
	}
}
