package contract

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
)

// Report is what a sync did, or would do, for the reviewer.
type Report struct {
	*Result
	Checks []Check // of the repository after the change
	Look   []Line  // the lines that do not compile, or whose tests fail
}

// Check is a command that was run on the changed repository.
type Check struct {
	Command string
	Failed  bool
	Output  string // its end, if it failed
}

// Count is the number of changes of a verdict.
func (r *Report) Count(verdict string) (n int) {
	for _, c := range r.Changes {
		if c.Verdict() == verdict {
			n++
		}
	}
	return n
}

// Failed reports whether a check did.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Failed })
}

// Verdict is what a change means for a program that uses the SDK.
func (c Change) Verdict() string {
	switch {
	case c.Decide:
		return "to decide"
	case c.Breaking:
		return "breaking"
	}
	return "not breaking"
}

// Groups are the changes by operation.
func (r *Report) Groups() (groups [][]Change) {
	for i, c := range r.Changes {
		if i == 0 || c.Operation != r.Changes[i-1].Operation {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], c)
	}
	return groups
}

var markdown = template.Must(template.New("").Funcs(template.FuncMap{
	"cell": func(s string) string { return strings.ReplaceAll(s, "|", `\|`) },
	"indent": func(s string) string {
		return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
	},
}).Parse(`## The contract against upstream

{{with len .Changes}}{{.}} change{{if gt . 1}}s{{end}}, {{$.Count "breaking"}} breaking
{{- with $.Count "to decide"}}, {{.}} to decide{{end}}.
{{else}}No change: the structure is the same.
{{end}}
{{- range .Groups}}
### {{(index . 0).Operation}}

| | where | what | in the contract | for a program that uses the SDK |
| --- | --- | --- | --- | --- |
{{range .}}| {{if .Breaking}}**{{.Verdict}}**{{else}}{{.Verdict}}{{end}} | {{cell .At}} | {{cell .What}} | {{/* */ -}}
` + "`{{cell .Pointer}}`" + ` | {{cell .Why}} |
{{end}}{{end}}
{{- with .Notes}}
### Notes

{{range .}}- {{.}}
{{end}}{{end}}
{{- with .Describe}}
### Describe in your own words

{{range .}}- [ ] {{.}}
{{end}}{{end}}
{{- with .Look}}
### Look at

{{range .}}- [ ] {{.}}
{{end}}{{end}}
{{- with .Checks}}
### Checks

{{range .}}- ` + "`{{.Command}}`" + `: {{if .Failed}}failed{{else}}passed{{end}}
{{with .Output}}
  ` + "```\n{{indent .}}  ```" + `
{{end}}{{end}}{{end}}`))

// Markdown is the report for a terminal or a pull request.
func (r *Report) Markdown() string {
	var out strings.Builder
	if err := markdown.Execute(&out, r); err != nil {
		panic(fmt.Sprint("the template of the report: ", err))
	}
	return out.String()
}
