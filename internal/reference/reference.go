// Package reference writes docs/reference, one page for each path of the contract, and a page
// that lists them.
//
// What a page says comes from api/openapi.yaml. How an operation is called in Go is read from
// the source of gen and wrapper, so that no list of it is kept by hand: an operation that
// wrapper does not offer yet is shown on the generated client.
package reference

import (
	"os"
	"path/filepath"
	"strings"
)

//go:generate go run ./cmd/reference ../..

// Dir is where the pages are, from the root of the repository.
const Dir = "docs/reference"

// Pages returns the pages by file name, made from the contract and the source at root.
func Pages(root string) (map[string][]byte, error) {
	src, err := os.ReadFile(filepath.Join(root, "api/openapi.yaml"))
	if err != nil {
		return nil, err
	}
	contract, err := read(src)
	if err != nil {
		return nil, err
	}
	source, err := readSource(root)
	if err != nil {
		return nil, err
	}
	w := &writer{contract, source}
	pages := map[string][]byte{"README.md": []byte(w.index())}
	for _, path := range contract.Paths.keys {
		pages[fileOf(path)] = []byte(w.page(path))
	}
	return pages, nil
}

// fileOf is the name of a path's page.
func fileOf(path string) string {
	return strings.NewReplacer("/", "-", "{", "", "}", "").Replace(strings.Trim(path, "/")) + ".md"
}
