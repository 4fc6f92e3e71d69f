package speccheck_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOperation(t *testing.T) {
	c := newChecker(t)
	for _, row := range []struct {
		method, url, id string
		matched         bool
	}{
		{"", "http://h/v1/organization/admin_api_keys?limit=1", "admin-api-keys-list", true},
		{"GET", "/organization/admin_api_keys", "admin-api-keys-list", true},
		{"PUT", "http://h/v1/organization/admin_api_keys", "", true},
		{"GET", "http://h/v1/organization/admin_api_keys/", "", false},
		{"GET", "http://h/v1/Organization/admin_api_keys", "", false},
		{"GET", "http://h/v1/organization%2Fadmin_api_keys", "", false},
		{"GET", "http://h/admin_api_keys", "", false},
		{"GET", "http://h", "", false},
		{"GET", "http://h/organization/projects/a%2Fb/api_keys/%2e%2e", "retrieve-project-api-key", true},
		{"GET", "http://h/organization/projects/a/api_keys/b/c", "", false},
		{"GET", "http://h/organization/projects//api_keys/b", "", false},
	} {
		u, err := url.Parse(row.url)
		require.NoError(t, err)
		id, matched := c.Operation(&http.Request{Method: row.method, URL: u})
		assert.Equal(t, row.id, id, row.url)
		assert.Equal(t, row.matched, matched, row.url)
	}
}
