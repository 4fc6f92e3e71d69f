package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

// aKey is a key's value that is not masked.
var aKey = regexp.MustCompile(`sk-[a-z]+-[A-Za-z0-9_-]{8,}`)

// TestWithoutAKeyItRunsAllSixOnTheFake holds what a newcomer sees first.
func TestWithoutAKeyItRunsAllSixOnTheFake(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	var out strings.Builder
	require.NoError(t, run(t.Context(), nil, &out))
	for _, want := range []string{
		"on a fake of the API", `Nightly audit`, `Forgotten +\d{4}-\d\d-\d\d +never`, `made key_\w+, value \[redacted\]`,
		`svc_acct_\w+, "staging", member`, `made svc_acct_\w+ with key key_\w+, value \[redacted\]`,
		`delete-project-api-key: 400 Bad Request: .*service account`, `key_checkout, "Checkout"`, "revoked key_checkout", "finds nothing",
	} {
		assert.Regexp(t, want, out.String())
	}
	assert.NotRegexp(t, aKey, out.String())
	assert.NotContains(t, out.String(), "skipped")
}

// TestWithAKeyItOnlyReads holds that a real organization is left as it is unless asked.
func TestWithAKeyItOnlyReads(t *testing.T) {
	for _, row := range []struct {
		name    string
		args    []string
		methods map[string]int
		minted  int
	}{
		{"no flags", nil, map[string]int{"GET": 1}, 0},
		{"a project", []string{"-project", "proj_shop"}, map[string]int{"GET": 2}, 0},
		{"a key", []string{"-project", "proj_shop", "-key", "key_checkout"}, map[string]int{"GET": 3}, 0},
		{"-write", []string{"-project", "proj_shop", "-key", "key_checkout", "-write"}, map[string]int{"GET": 4, "POST": 2, "DELETE": 2}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			api := orgkeystest.New(t)
			furnish(api)
			t.Setenv("OPENAI_ADMIN_KEY", api.AdminKey)
			t.Setenv("OPENAI_BASE_URL", api.URL)
			var out strings.Builder
			require.NoError(t, run(t.Context(), row.args, &out))
			methods := map[string]int{}
			for _, request := range api.Requests() {
				methods[request.Method]++
			}
			assert.Equal(t, row.methods, methods)
			assert.Equal(t, row.minted, api.KeysCreated())
			assert.Contains(t, out.String(), "talks to the real API")
			assert.NotRegexp(t, aKey, out.String())
			assert.NotContains(t, out.String(), api.AdminKey)
		})
	}
}

// TestItSaysWhatIsWrong holds that a failing step ends the tour with the SDK's error.
func TestItSaysWhatIsWrong(t *testing.T) {
	api := orgkeystest.New(t)
	api.Inject(orgkeystest.Fault{Operation: "admin-api-keys-list", Status: http.StatusUnauthorized})
	t.Setenv("OPENAI_ADMIN_KEY", api.AdminKey)
	t.Setenv("OPENAI_BASE_URL", api.URL)
	assert.ErrorContains(t, run(t.Context(), nil, new(strings.Builder)), "401 Unauthorized")
}
