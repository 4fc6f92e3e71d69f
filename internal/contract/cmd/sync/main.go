// Sync brings api/openapi.yaml in step with the vendor's OpenAPI document, generates, builds and
// tests, and reports what changed. See package contract for what counts as a change.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/orgkeys/orgkeys-go/internal/contract"
)

const usage = `Usage: sync [flags] SPEC

Carries the structure of SPEC, the vendor's OpenAPI 3 document (a path or a URL, YAML or JSON),
over into api/openapi.yaml, then runs go generate, build, vet and test, and prints a report in
Markdown. Run it at the root of the repository.

Exit status: 0 done; 1 a check failed, something is left to decide or, with -check, the structure
differs; 2 it could not run. What cannot be carried over as a whole is not written at all.

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
	check := flags.Bool("check", false, "only report, and exit with 1 if the structure differs")
	only := flags.Bool("contract-only", false, "change api/openapi.yaml and run nothing")
	const adds = "add an `operation` of SPEC first, such as \"GET /things/{id}\"; may be repeated"
	flags.Func("add", adds, func(operation string) error {
		add = append(add, operation)
		return nil
	})
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() != 1 {
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
	if err != nil {
		return nil, err
	}
	ours, err := os.ReadFile(contract.Path)
	if err != nil {
		return nil, err
	}
	declared, err := os.ReadFile("internal/contract/differences.yaml")
	if err != nil {
		return nil, err
	}
	differences, err := contract.ParseDifferences(declared)
	if err != nil {
		return nil, err
	}
	upstream, err := contract.Fetch(ctx, from)
	if err != nil {
		return nil, err
	}
	result, err := contract.Sync(ours, from, upstream, differences, add...)
	if err != nil {
		return nil, err
	}
	report := &contract.Report{Result: result}
	if err := contract.Judge(root, report, ours); err != nil {
		return nil, err
	}
	if check || bytes.Equal(result.Contract, ours) {
		return report, nil
	}
	if err := contract.Write(root, result.Contract); err != nil || only {
		return report, err
	}
	return report, contract.Follow(ctx, root, report)
}
