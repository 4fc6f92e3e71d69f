package reference

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// writer makes the pages.
type writer struct {
	*contract
	*source
}

const generatedBy = "<!-- Made by internal/reference from api/openapi.yaml. Change that instead. -->\n"

// index is the page that lists the others.
func (w *writer) index() string {
	var out strings.Builder
	p := lines(&out)
	p("# Reference\n\n%s", generatedBy)
	p("One page for each path of [the contract](../../api/openapi.yaml). Every call needs an admin key of the organization.\n")
	p("| operation | call | Go |\n| --- | --- | --- |")
	for _, path := range w.Paths.keys {
		item := w.Paths.at[path]
		for _, verb := range item.keys {
			op := item.at[verb]
			p("| [%s](%s#%s) | %s | %s |", op.Summary, fileOf(path), anchor(op.Summary), code(strings.ToUpper(verb)+" "+path), w.goNames(op))
		}
	}
	return out.String()
}

// goNames are the Go methods of an operation, for a table.
func (w *writer) goNames(op *operation) string {
	var names []string
	for _, m := range w.calls(op.OperationID) {
		names = append(names, code(m.call))
	}
	return strings.Join(names, ", ")
}

// page is the page of a path.
func (w *writer) page(path string) string {
	var out strings.Builder
	p := lines(&out)
	p("# %s\n\n%s", code(path), generatedBy)
	item := w.Paths.at[path]
	for _, verb := range item.keys {
		op := item.at[verb]
		p("- %s: [%s](#%s)", code(strings.ToUpper(verb)), op.Summary, anchor(op.Summary))
	}
	var schemas []string
	for _, verb := range item.keys {
		op := item.at[verb]
		w.operation(p, path, verb, op)
		for _, s := range op.schemas() {
			schemas = w.reached(s, schemas)
		}
	}
	if len(schemas) > 0 {
		p("\n## Schemas\n\nA property that is not required may be absent. The Go field is a pointer where it may be absent or null.")
	}
	for _, name := range schemas {
		w.schema(p, name)
	}
	w.seeAlso(p, path)
	return out.String()
}

func (w *writer) operation(p func(string, ...any), path, verb string, op *operation) {
	p("\n## %s\n", op.Summary)
	p("%s, operation %s\n", code(strings.ToUpper(verb)+" "+path), code(op.OperationID))
	if op.Deprecated {
		p("**Deprecated.**\n")
	}
	p("%s", strings.TrimSpace(op.Description))
	for _, m := range w.calls(op.OperationID) {
		p("\n```go\n%s\n```", w.snippet(m, op))
	}
	if len(op.Parameters) > 0 {
		p("\n### Parameters\n\n| name | in | type | required | default | allowed | description |\n| --- | --- | --- | --- | --- | --- | --- |")
		for _, param := range op.Parameters {
			standard := ""
			if param.Schema.Default.Kind != 0 {
				standard = code(jsonText(&param.Schema.Default))
			}
			p("| %s | %s | %s | %s | %s | %s | %s |", code(param.Name), param.In, param.Schema.kind(), yesNo(param.Required), standard, param.Schema.allowed(), cell(param.Description))
		}
	}
	if op.RequestBody != nil {
		p("\n### Request body\n\n%s It is %s.", strings.TrimSpace(op.RequestBody.Description), map[bool]string{true: "required", false: "optional"}[op.RequestBody.Required])
		w.body(p, op.RequestBody)
	}
	p("\n### Responses")
	for _, status := range op.Responses.keys {
		p("\n#### %s\n\n%s", status, strings.TrimSpace(op.Responses.at[status].Description))
		w.body(p, op.Responses.at[status])
	}
	w.errors(p, verb, op)
}

// body shows what a request or a response holds.
func (w *writer) body(p func(string, ...any), b *body) {
	for _, contentType := range b.Content.keys {
		m := b.Content.at[contentType]
		if m.Schema == nil {
			p("\n%s", code(contentType))
			continue
		}
		if m.Schema.Ref == "" && len(m.Schema.Properties.keys) > 0 {
			p("\n%s, an object:\n", code(contentType))
			w.table(p, m.Schema, nil)
		} else {
			p("\n%s: %s", code(contentType), m.Schema.kind())
		}
		if m.Example.Kind != 0 {
			p("\n```json\n%s\n```", jsonBlock(&m.Example))
		}
	}
}

// schema shows a named schema.
func (w *writer) schema(p func(string, ...any), name string) {
	s := w.Components.Schemas.at[name]
	p("\n### %s\n\n%s", name, strings.TrimSpace(s.Description))
	typ := w.schemaType(name)
	if typ != "" {
		p("\nIn Go: %s", code(w.public(typ)))
	}
	if len(w.properties(s)) == 0 {
		p("\n%s %s", strings.ToUpper(s.kind()[:1])+s.kind()[1:], s.allowed())
		return
	}
	p("")
	w.table(p, s, w.fields(typ))
}

// table shows the properties of an object, with the Go fields where there are any.
func (w *writer) table(p func(string, ...any), s *schema, fields []field) {
	if fields != nil {
		p("| property | type | required | allowed | Go | description |\n| --- | --- | --- | --- | --- | --- |")
	} else {
		p("| property | type | required | allowed | description |\n| --- | --- | --- | --- | --- |")
	}
	for _, row := range w.properties(s) {
		description := row.schema.Description
		if row.schema.Ref != "" && description == "" {
			description = w.Components.Schemas.at[row.schema.name()].Description
		}
		if row.schema.Deprecated {
			description = "Deprecated. " + description
		}
		column := ""
		if fields != nil {
			if i := slices.IndexFunc(fields, func(f field) bool { return f.json == row.name }); i >= 0 {
				column = code(fields[i].name + " " + w.public(fields[i].typ))
			}
			column += " | "
		}
		p("| %s | %s | %s | %s | %s%s |", code(row.name), row.schema.kind(), yesNo(row.required), row.schema.allowed(), column, cell(description))
	}
}

// reasons are what errors.Is tells an *APIError by.
var reasons = map[int]string{
	http.StatusBadRequest:      "ErrBadRequest",
	http.StatusUnauthorized:    "ErrUnauthorized",
	http.StatusForbidden:       "ErrForbidden",
	http.StatusNotFound:        "ErrNotFound",
	http.StatusConflict:        "ErrConflict",
	http.StatusTooManyRequests: "ErrRateLimited",
}

// retries are what the client does about a failure, by method.
var retries = map[string]string{
	"get": "A read is tried again after a failure of the transport, an attempt's timeout, an answer cut short, " +
		"and the statuses 408, 429, 500, 502, 503 and 504.",
	"delete": "A deletion is tried again after a failure of the transport, an attempt's timeout, an answer cut short, " +
		"and the statuses 408, 429, 500, 502, 503 and 504. A 404 behind an attempt whose outcome is unknown means that it is done.",
	"post": "A create is tried again after a 429 and after a failure to connect, never else. " +
		"Whatever may have done the work, a 5xx too, ends the call with an `*UnknownOutcomeError`.",
}

func (w *writer) errors(p func(string, ...any), verb string, op *operation) {
	p("\n### Errors and retries\n")
	for _, status := range op.Responses.keys {
		if n, err := strconv.Atoi(status); err == nil && n >= 400 {
			is := ""
			if reasons[n] != "" {
				is = ", `errors.Is(err, orgkeys." + reasons[n] + ")`"
			}
			p("- %s: an `*APIError`%s. %s", status, is, cell(op.Responses.at[status].Description))
		}
	}
	p("- Any other status than 200: an `*APIError`. 401, 403, 404, 429 and 5xx all happen, documented or not.")
	if calls := w.calls(op.OperationID); len(calls) > 0 && calls[0].gen {
		p("- The answer of the generated client is to be looked at by its caller, status and all.")
	} else {
		p("- A 200 that is not what is documented here: a `*ResponseError`, which says where.")
	}
	if text := retries[verb]; text != "" {
		p("- %s", text)
	}
}

// seeAlso links to the other pages.
func (w *writer) seeAlso(p func(string, ...any), path string) {
	p("\n## See also\n")
	for _, other := range w.Paths.keys {
		if other == path {
			continue
		}
		var names []string
		for _, verb := range w.Paths.at[other].keys {
			names = append(names, w.Paths.at[other].at[verb].Summary)
		}
		p("- [%s](%s): %s", code(other), fileOf(other), strings.Join(names, ", "))
	}
	p("- [All operations](README.md)\n- [The contract](../../api/openapi.yaml)\n- [Package orgkeys](../../wrapper/doc.go), which says more about errors and retries")
}

// schemas are those of an operation's bodies.
func (op *operation) schemas() []*schema {
	bodies := []*body{op.RequestBody}
	for _, status := range op.Responses.keys {
		bodies = append(bodies, op.Responses.at[status])
	}
	var list []*schema
	for _, param := range op.Parameters {
		list = append(list, param.Schema)
	}
	for _, b := range bodies {
		if b != nil {
			for _, contentType := range b.Content.keys {
				list = append(list, b.Content.at[contentType].Schema)
			}
		}
	}
	return list
}

// lines returns a function that writes a line.
func lines(out *strings.Builder) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
}

// anchor is the fragment that Markdown renderers give to a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', r >= '0' && r <= '9', r >= 'a' && r <= 'z':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return -1
		}
	}, heading)
}

func code(s string) string { return "`" + s + "`" }

// cell is prose in a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
