package speccheck_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/orgkeys/orgkeys-go/speccheck"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// This test is shown in docs/validate.md.

func TestServerFollowsContract(t *testing.T) {
	baseURL, adminKey := serverUnderTest(t)
	client, err := orgkeys.NewClient(
		orgkeys.WithBaseURL(baseURL),
		orgkeys.WithAdminKey(adminKey),
		orgkeys.WithHTTPClient(&http.Client{Transport: speccheck.ForTest(t, http.DefaultTransport)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{}) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// serverUnderTest starts a fake of the API.
func serverUnderTest(t *testing.T) (baseURL, adminKey string) {
	fake := orgkeystest.New(t)
	fake.AddAdminKeys(30)
	return fake.URL, fake.AdminKey
}

func TestGuide_showsTestedCode(t *testing.T) {
	page, err := os.ReadFile("../docs/validate.md")
	require.NoError(t, err)
	tested, err := os.ReadFile("guide_test.go")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(page), "```go\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	assert.Contains(t, string(tested), block)
	assert.Contains(t, block, "speccheck.ForTest")

	for _, kind := range speccheck.Kinds() {
		assert.Contains(t, string(page), "\n| `"+string(kind)+"` |", "the table of kinds")
	}
}
