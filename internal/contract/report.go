package contract

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
)

// Report describes for a reviewer what a sync did or, with -check, would do.
type Report struct {
	*Result
	Checks []Check // the results of the commands that Follow ran
	Look   []Line  // the lines that do not compile, or whose tests fail
}

// Check is a command that was run on the changed repository.
type Check struct {
	Command string
	Failed  bool
	Output  string // its end, if it failed
}

// Count returns the number of changes with a verdict.
func (r *Report) Count(verdict string) (n int) {
	for _, c := range r.Changes {
		if c.Verdict() == verdict {
			n++
		}
	}
	return n
}

// Failed reports whether a check failed.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Failed })
}

// Verdict returns what a change means for a program that uses the SDK: "breaking", "not breaking",
// or "to decide" if it was not carried over.
func (c Change) Verdict() string {
	switch {
	case c.Decide:
		return "to decide"
	case c.Breaking:
		return "breaking"
	}
	return "not breaking"
}

var markdown = template.Must(template.New("").Funcs(template.FuncMap{
	"cell": func(s string) string { return strings.ReplaceAll(s, "|", `\|`) },
}).Parse(`## The contract against upstream

{{with .Changes}}{{len .}} change{{if gt (len .) 1}}s{{end}}, {{$.Count "breaking"}} breaking
{{- with $.Count "to decide"}}, {{.}} to decide{{end}}.

| for programs | operation | where | what | in the contract | in Go |
| --- | --- | --- | --- | --- | --- |
{{range .}}| {{if .Breaking}}**breaking**{{else}}{{.Verdict}}{{end}} | {{.Operation}} | {{cell .At}} | {{cell .What}} | ` +
	"`{{cell .Pointer}}`" + ` | {{cell .Why}} |
{{end}}{{else}}No change: the structure is the same.
{{end}}
{{- define "list"}}{{range .}}- [ ] {{.}}
{{end}}{{end}}
{{- with .Notes}}
### Notes

{{range .}}- {{.}}
{{end}}{{end}}
{{- with .Describe}}
### Describe in your own words

{{template "list" .}}{{end}}
{{- with .Look}}
### Look at

{{template "list" .}}{{end}}
{{- with .Checks}}
### Checks

{{range .}}- ` + "`{{.Command}}`" + `: {{if .Failed}}failed{{else}}passed{{end}}
{{with .Output}}
` + "```\n{{.}}```" + `
{{end}}{{end}}{{end}}`))

// Markdown returns the report in Markdown.
func (r *Report) Markdown() string {
	var out strings.Builder
	if err := markdown.Execute(&out, r); err != nil {
		panic(fmt.Sprint("the template of the report: ", err))
	}
	return out.String()
}
