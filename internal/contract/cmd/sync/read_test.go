package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/spec" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("12345"))
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "spec.yaml")
	require.NoError(t, os.WriteFile(path, []byte("12345"), 0o600))

	for _, from := range []string{path, server.URL + "/spec"} {
		src, err := read(t.Context(), from)
		require.NoError(t, err)
		assert.Equal(t, "12345", string(src))
	}
	for from, want := range map[string]string{
		path + ".not":       "no such file",
		server.URL + "/not": "404",
		"http://[":          "missing ']'",
	} {
		_, err := read(t.Context(), from)
		require.Error(t, err)
		assert.True(t, strings.Contains(err.Error(), want), "%v", err)
	}
}
