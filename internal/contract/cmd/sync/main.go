// Command sync carries changes of the vendor's OpenAPI document over to api/openapi.yaml, runs go
// generate, vet and test, and reports the changes. Package contract defines what is a change.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/orgkeys/orgkeys-go/internal/contract"
)

const usage = `Usage: sync [flags] SPEC

Carries the structure of SPEC, the vendor's OpenAPI 3 document (a path or a URL, YAML or JSON),
over into api/openapi.yaml, then runs go generate, vet and test, and prints a report in Markdown.
Run it at the root of the repository.

Exit status: 0 success; 1 a check failed, a change is left to decide or, with -check, there are
changes; 2 an error. If not all changes can be carried over, no file is written.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is the command; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var add []string
	flags := flag.NewFlagSet("sync", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "only report, and exit with 1 if there are changes")
	only := flags.Bool("contract-only", false, "change api/openapi.yaml and run no go command")
	const adds = "add an `operation` of SPEC first, such as \"GET /things/{id}\"; may be repeated"
	flags.Func("add", adds, func(operation string) error {
		add = append(add, operation)
		return nil
	})
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() != 1:
		flags.Usage()
		return 2
	}
	report, err := sync(ctx, flags.Arg(0), add, *check, *only)
	if err != nil {
		fmt.Fprintln(stderr, "sync:", err)
		return 2
	}
	fmt.Fprint(stdout, report.Markdown())
	if *check && len(report.Changes) > 0 || report.Count("to decide") > 0 || report.Failed() {
		return 1
	}
	return 0
}

func sync(ctx context.Context, from string, add []string, check, only bool) (*contract.Report, error) {
	root, err := filepath.Abs(".")
	ours, err1 := os.ReadFile(contract.Path)
	declared, err2 := os.ReadFile("internal/contract/differences.yaml")
	upstream, err3 := read(ctx, from)
	if err := errors.Join(err, err1, err2, err3); err != nil {
		return nil, err
	}
	differences, err := contract.ParseDifferences(declared)
	if err != nil {
		return nil, err
	}
	result, err := contract.Sync(ours, from, upstream, differences, add...)
	if err != nil {
		return nil, err
	}
	report := &contract.Report{Result: result}
	if err := report.Judge(root, ours); err != nil || check || bytes.Equal(result.Contract, ours) {
		return report, err
	}
	if err := os.WriteFile(contract.Path, result.Contract, 0o644); err != nil || only {
		return report, err
	}
	err = report.Follow(ctx, root)
	return report, err
}

// read reads a document from a file, or from a URL that begins with http:// or https://.
func read(ctx context.Context, from string) ([]byte, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		return os.ReadFile(from)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %s", from, response.Status)
	}
	return io.ReadAll(response.Body)
}
