// Reference writes docs/reference: one page for each path of the contract, and an index.
//
// The pages describe api/openapi.yaml. The Go calls and types on them are read from the source
// of gen and wrapper, so no list of them has to be maintained. An operation without a method
// in wrapper is shown as a call of the generated client.
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
	err = errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)) // no page of a removed path is left
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

// anchor is the fragment that Markdown renderers give to a heading.
func anchor(heading string) string {
	return notInAnchors.ReplaceAllString(strings.ToLower(strings.ReplaceAll(heading, " ", "-")), "")
}

// cell is prose in a table or a list: one line, with the column separator escaped.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
