package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/template"
)

//go:embed results.md.tmpl results.svg.tmpl
var templates embed.FS

// titles are the clients' names in the results.
var titles = map[string]string{
	"hand-written": "hand-written",
	"orgkeys":      "orgkeys",
	"vanilla":      "vanilla oapi-codegen",
	"official":     "official SDK",
}

// write writes the results from the figures in out/.
func write(ctx context.Context) error {
	d, err := read(bulkFile, benchFile, footprintFile)
	if err != nil {
		return err
	}
	newest, err := read(newestFile)
	if err != nil {
		return err
	}
	benchstat, err := command(ctx, ".", "go", "tool", "benchstat", "-col", "/client", "-filter", ".name:(Alone OR Loopback)", benchFile)
	if err != nil {
		return err
	}
	profiles := map[string][]profileRow{}
	for _, c := range calls {
		if profiles[c.name], err = readProfile(ctx, c.name); err != nil {
			return err
		}
	}
	text, err := results(d, newest, benchstat, profiles)
	if err != nil {
		return err
	}
	if err := os.WriteFile("RESULTS.md", []byte(text), 0o644); err != nil {
		return err
	}
	picture, err := plot(d)
	if err != nil {
		return err
	}
	return os.WriteFile("results.svg", []byte(picture), 0o644)
}

// environment returns the versions of Go and of the clients, as configuration lines in the format
// of Go's benchmarks.
func environment(ctx context.Context, toolchain string) (string, error) {
	version, err := withGo(ctx, toolchain, "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	lines := fmt.Sprintf("cores: %d\ngo: %s", runtime.NumCPU(), version)
	for _, item := range []struct {
		name string
		args []string
	}{
		{"cgo", []string{"go", "env", "CGO_ENABLED"}},
		{"orgkeys", []string{"git", "describe", "--always", "--dirty"}},
		{"openai-go", []string{"go", "list", "-m", "-f", "{{.Version}}", "github.com/openai/openai-go/v3"}},
		{"oapi-codegen-runtime", []string{"go", "list", "-m", "-f", "{{.Version}}", "github.com/oapi-codegen/runtime"}},
		{"oapi-codegen", []string{"go", "-C", "..", "list", "-m", "-f", "{{.Version}}", "github.com/oapi-codegen/oapi-codegen/v2"}},
	} {
		value, err := command(ctx, ".", item.args[0], item.args[1:]...)
		if err != nil {
			return "", err
		}
		lines += item.name + ": " + value
	}
	return lines, nil
}

// results returns the text of RESULTS.md.
func results(d, newest data, benchstat string, profiles map[string][]profileRow) (string, error) {
	funcs := template.FuncMap{
		"median": d.median,
		"ratio": func(d data, name, client, base, unit string) string {
			return fmt.Sprintf("%.2f", d.ratio(name, client, base, unit))
		},
		"medianOf": data.median,
		"percent":  func(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) },
		"scatter":  d.scatter,
		"number": func(n any) string {
			if i, ok := n.(int); ok {
				return number(float64(i))
			}
			return number(n.(float64))
		},
		"times": func(f, factor float64) float64 { return f * factor },
		"units": func() []string { return []string{"ns/op", "allocs/op", "B/op"} },
		"factor": func(unit string) float64 {
			if unit == "ns/op" {
				return 0.001 // µs
			}
			return 1
		},
		"rows": func(name string, d data, root any) map[string]any {
			return map[string]any{"Name": name, "Data": d, "Root": root}
		},
		"growth": growth,
		"heap":   heap,
	}
	t, err := template.New("results.md.tmpl").Option("missingkey=error").Funcs(funcs).ParseFS(templates, "results.md.tmpl")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Calls":          titled(),
		"CallTargets":    targetsOfCalls(d, newest),
		"ProgramTargets": targetsOfProgram(d),
		"Missed":         missed(d, newest),
		"Profiles":       profiles,
		"Clients":        clients,
		"Titles":         titles,
		"Lengths":        lengths,
		"Environment":    d.environment,
		"Installed":      d,
		"Newest":         newest,
		"NewestGo":       newest.environment["go"],
		"SlowRuns":       slowRuns,
		"Bulk":           bulkCases,
		"Runs":           len(d.values[key{"Alone/get", sdk, "ns/op"}]),
		"Builds":         len(d.values[key{"Build", sdk, "cpu-s"}]),
		"Starts":         len(d.values[key{"Init", sdk, "init-ms"}]),
		"Benchstat":      benchstat,
	})
	return b.String(), err
}

// titled returns the names and the titles of the calls, in order.
func titled() (pairs [][2]string) {
	for _, c := range calls {
		pairs = append(pairs, [2]string{c.name, c.title})
	}
	return pairs
}

// number formats f with three significant digits, at most two of them decimals, and with commas
// between thousands.
func number(f float64) string {
	digits := 0
	for limit := 100.0; digits < 2 && f < limit; limit /= 10 {
		digits++
	}
	if f == float64(int64(f)) {
		digits = 0
	}
	text := strconv.FormatFloat(f, 'f', digits, 64)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return whole
}
