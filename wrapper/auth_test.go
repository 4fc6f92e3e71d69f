package orgkeys

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
)

func TestNewCredential(t *testing.T) {
	const key = "hunter2-hunter2"
	for text, want := range map[string]error{
		key: nil, "a": nil, "gw!{:;": nil,
		"": errNoAdminKey, " ": errNoAdminKey, "\n": errNoAdminKey,
		key + "\n": errMalformedAdminKey, " " + key: errMalformedAdminKey, key + " x": errMalformedAdminKey, `"` + key + `"`: errMalformedAdminKey, "'" + key: errMalformedAdminKey,
		key + "\x00": errMalformedAdminKey, key + "\x7f": errMalformedAdminKey, key + "é": errMalformedAdminKey, key + "\r\nX: y": errMalformedAdminKey, "\ufeff" + key: errMalformedAdminKey,
	} {
		got, err := newCredential(text)
		assert.Equal(t, want, err, "%q", text)
		if err != nil {
			assert.NotContains(t, err.Error(), key)
			continue
		}
		assert.Equal(t, []string{"Bearer " + text}, got.authorization)
	}
}

func TestCredential_isIn(t *testing.T) {
	const key = "gw!Token<1"
	c, err := newCredential(key)
	require.NoError(t, err)
	escaped := url.QueryEscape(key)
	for _, row := range []struct {
		name string
		url  url.URL
		body string
		want bool
	}{
		{"nowhere", url.URL{Path: "/v1/projects/gw!Token", RawQuery: "after=gw!Token"}, `{"name":"gw"}`, false},
		{"path", url.URL{Path: "/v1/projects/" + key}, "", true},
		{"part of a segment", url.URL{Path: "/v1/projects/key=" + key + "x"}, "", true},
		{"upper case", url.URL{Path: "/v1/projects/" + strings.ToUpper(key)}, "", true},
		{"query", url.URL{Path: "/v1", RawQuery: "after=" + escaped}, "", true},
		{"query, lower case", url.URL{Path: "/v1", RawQuery: "after=" + strings.ToLower(escaped)}, "", true},
		{"query, unescaped", url.URL{Path: "/v1", RawQuery: "after=" + key}, "", true},
		{"body", url.URL{Path: "/v1"}, `{"name":"` + key + `"}`, true},
		{"body, upper case", url.URL{Path: "/v1"}, `{"name":"` + strings.ToUpper(key) + `"}`, true},
		{"body, all but the last character", url.URL{Path: "/v1"}, `{"name":"` + key[:9] + `"}`, false},
	} {
		assert.Equal(t, row.want, c.isIn(&gen.Operation{Path: "/projects/{id}"}, &row.url, []byte(row.body)), row.name)
	}
	words, err := newCredential("sk-admin-organization-projects")
	require.NoError(t, err)
	operation := &gen.Operation{Path: "/organization/projects/{id}"}
	assert.False(t, words.isIn(operation, &url.URL{Path: "/v1/organization/projects/proj_1"}, []byte(`{"organization":1}`)))
	assert.True(t, words.isIn(operation, &url.URL{Path: "/v1/organization/projects/admin-organization"}, nil))
}
