package contract

import (
	"fmt"
	"strings"
)

// Report is what a sync did, or would do, for the one who reviews it.
type Report struct {
	Upstream string
	*Result
	Checks []Check // of the repository after the change
	Look   []Line  // the lines that a breaking change concerns

	lost []string // the names of the generated package that are gone or have another type
}

// Check is a command that was run on the changed repository.
type Check struct {
	Command string
	Failed  bool
	Output  string // its end, where it failed
}

// Breaking is the number of changes that break a program that uses the SDK.
func (r *Report) Breaking() int { return r.count(func(c Change) bool { return c.Breaking }) }

// Undecided is the number of changes that a sync reports only.
func (r *Report) Undecided() int { return r.count(func(c Change) bool { return c.Decide }) }

func (r *Report) count(which func(Change) bool) (n int) {
	for _, c := range r.Changes {
		if which(c) {
			n++
		}
	}
	return n
}

// Failed reports whether a check did.
func (r *Report) Failed() bool {
	for _, c := range r.Checks {
		if c.Failed {
			return true
		}
	}
	return false
}

func (r *Report) summary() string {
	text := fmt.Sprintf("%d changes, %d breaking", len(r.Changes), r.Breaking())
	switch len(r.Changes) {
	case 0:
		return "No change: the structure is the same."
	case 1:
		text = fmt.Sprintf("1 change, %d breaking", r.Breaking())
	}
	if n := r.Undecided(); n > 0 {
		text += fmt.Sprintf(", %d to decide", n)
	}
	return text + "."
}

// Text is the report for a terminal.
func (r *Report) Text() string {
	var out strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	p("Upstream is %s.", r.Upstream)
	p("%s", r.summary())
	operation := ""
	for _, c := range r.Changes {
		if c.Operation != operation {
			operation = c.Operation
			p("\n%s", operation)
		}
		p("  %s %s", c.At, c.What)
		p("      %s", c.Pointer)
		p("      %s: %s", c.verdict(), c.Why)
	}
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		p("\n%s", title)
		for _, line := range lines {
			p("  %s", line)
		}
	}
	section("Notes", r.Notes)
	section("Describe in your own words", texts(r.Describe))
	section("Look at", texts(r.Look))
	for _, c := range r.Checks {
		p("\n%s: %s", c.Command, c.outcome())
		out.WriteString(c.Output)
	}
	return out.String()
}

// Markdown is the report for a pull request.
func (r *Report) Markdown() string {
	var out strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	p("## The contract against upstream\n\n%s", r.summary())
	operation := ""
	for _, c := range r.Changes {
		if c.Operation != operation {
			operation = c.Operation
			p("\n### `%s`\n\n| | where | what | in the contract | for a program that uses the SDK |\n| --- | --- | --- | --- | --- |", operation)
		}
		verdict := c.verdict()
		if c.Breaking {
			verdict = "**" + verdict + "**"
		}
		p("| %s | %s | %s | `%s` | %s |", verdict, cell(c.At), cell(c.What), cell(c.Pointer), cell(c.Why))
	}
	section := func(title, mark string, lines []string) {
		if len(lines) == 0 {
			return
		}
		p("\n### %s\n", title)
		for _, line := range lines {
			p("- %s%s", mark, line)
		}
	}
	section("Notes", "", r.Notes)
	section("Describe in your own words", "[ ] ", texts(r.Describe))
	section("Look at", "[ ] ", texts(r.Look))
	if len(r.Checks) > 0 {
		p("\n### Checks\n")
	}
	for _, c := range r.Checks {
		p("- `%s`: %s", c.Command, c.outcome())
		if c.Output != "" {
			p("\n  ```\n%s  ```", indent(c.Output, 3, 3))
		}
	}
	return out.String()
}

func (c Change) verdict() string {
	switch {
	case c.Decide:
		return "to decide"
	case c.Breaking:
		return "breaking"
	}
	return "not breaking"
}

func (c Check) outcome() string {
	if c.Failed {
		return "failed"
	}
	return "passed"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func texts(list []Line) []string {
	var lines []string
	for _, s := range list {
		lines = append(lines, s.String())
	}
	return lines
}
