// Audit finds the admin keys of an organization that nobody should have left as they are: never
// used, unused for long, about to expire, expired, or without an end.
//
// A key that was never used has no time of last use, and is not one that was last used in 1970.
// The report covers all keys or is not written at all. Nothing is changed.
//
// On a fake of the API:
//
//	go run ./examples/audit
//	go run ./examples/audit -json
//
// On the live API:
//
//	export OPENAI_ADMIN_KEY=...
//	go run ./examples/audit -unused 60 -expiring 30 -fail
//
// The exit status is 0, or 1 if there are findings and -fail asks for it, as in a CI job, and 2
// if there is no report.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/orgkeys/orgkeys-go/examples/internal/demo"
	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, env func(string) string) int {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	flags.SetOutput(stderr)
	unused := flags.Int("unused", 90, "find keys that were last used so many `days` ago or before")
	expiring := flags.Int("expiring", 14, "find keys that expire within so many `days`")
	asJSON := flags.Bool("json", false, "write JSON instead of a table")
	failing := flags.Bool("fail", false, "exit with 1 if there are findings")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: audit [flags]\n\n"+
			"Finds admin keys that are never used, unused, about to expire, expired or without an end.\n"+
			"Signs with OPENAI_ADMIN_KEY. Without it, shows itself on a fake of the API.\n\n")
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0 || *unused < 0 || *expiring < 0:
		flags.Usage()
		return 2
	}
	meter := progress.New(stderr)
	client, fake, err := demo.Connect(env, stderr, startFake,
		orgkeys.WithLogger(slog.New(slog.NewTextHandler(meter, &slog.HandlerOptions{Level: slog.LevelWarn}))),
	)
	if fake != nil {
		defer fake.Close()
	}
	if err != nil {
		return fail(stderr, err)
	}
	keys, err := read(ctx, client, meter)
	if err != nil {
		return fail(stderr, err)
	}
	r := policy{unusedDays: *unused, expiringDays: *expiring}.audit(keys, time.Now())
	write := r.table
	if *asJSON {
		write = r.json
	}
	if err := write(stdout); err != nil {
		return fail(stderr, err)
	}
	if *failing && len(r.Findings) > 0 {
		return 1
	}
	return 0
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "audit: %v\n", err)
	return 2
}
