// Command reference writes docs/reference: a page for each path of the contract, and an index.
//
// The pages describe api/openapi.yaml. The Go methods and types on them are read from the source
// of gen and wrapper. An operation that no service has a method for is documented as a method of
// the generated client.
package main

import (
	"bytes"
	"embed"
	"errors"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/orgkeys/orgkeys-go/api"
)

//go:generate go run .

const (
	root     = "../.." // from the directory that go generate and go test run in
	pagesDir = "docs/reference"
)

//go:embed *.tmpl
var templates embed.FS

func main() {
	source, err := readSource(root)
	if err != nil {
		log.Fatal(err)
	}
	pages, err := render(api.Spec, source)
	if err != nil {
		log.Fatal(err)
	}
	dir := filepath.Join(root, pagesDir)
	err = errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)) // removes the pages of removed paths
	for name, page := range pages {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), page, 0o644))
	}
	if err != nil {
		log.Fatal(err)
	}
}

// render returns the pages by file name.
func render(spec []byte, source *source) (map[string][]byte, error) {
	paths, err := readContract(spec, source)
	if err != nil {
		return nil, err
	}
	t := template.Must(template.New("").Funcs(template.FuncMap{
		"cell": cell, "anchor": anchor, "json": jsonText, "kind": kind, "allowed": allowed, "rows": rows, "trim": strings.TrimSpace,
		"list": func(values ...any) []any { return values },
	}).ParseFS(templates, "*.tmpl"))
	pages := map[string][]byte{}
	for _, p := range append(paths, &page{File: "README.md"}) {
		var out bytes.Buffer
		if err := t.ExecuteTemplate(&out, "page.tmpl", map[string]any{"Page": p, "All": paths}); err != nil {
			return nil, err
		}
		pages[p.File] = out.Bytes()
	}
	return pages, nil
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9_-]`)

// anchor returns the URL fragment that Markdown renderers derive from a heading.
func anchor(heading string) string {
	return notInAnchors.ReplaceAllString(strings.ToLower(strings.ReplaceAll(heading, " ", "-")), "")
}

// cell returns text for a cell of a table: one line, with the column separator escaped.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
