// Revoke answers a leak: it revokes many project keys, named in a file, as fast as the API lets
// it, and says of each what became of it.
//
// A file has a project's id and a key's id in each line, never a key's value. Several keys are
// worked on at a time, at a pace that the API allows. Each revoke is written to a journal, so
// that a run that was interrupted goes on where it ended: what the journal has as gone is not
// asked for again, all else is.
//
// On a fake of the API, and with a second run that goes on from the first:
//
//	go run ./examples/revoke
//
// On the live API, first to see whose keys these are, then to revoke them:
//
//	export OPENAI_ADMIN_KEY=...
//	go run ./examples/revoke leaked.txt
//	go run ./examples/revoke -revoke -journal leaked.journal leaked.txt
//
// The exit status is 0 if all keys are gone (without -revoke: if all were found), 1 if one is
// not, and 2 if the work could not begin.
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

	"github.com/orgkeys/orgkeys-go/examples/internal/demo"
	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// settings is what the command line says.
type settings struct {
	revoke             bool
	file, journal      string
	workers, perMinute int
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string) int {
	s, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	rounds := 1
	if demo.Wanted(env) {
		undo, err := s.demonstrate()
		if err != nil {
			return fail(stderr, err)
		}
		defer undo()
		stdin = leaked()
		rounds = 2 // the second goes on from the first
	}
	meter := progress.New(stderr)
	client, fake, err := demo.Connect(env, stderr, startFake,
		orgkeys.WithRateLimit(s.perMinute),
		orgkeys.WithLogger(slog.New(slog.NewTextHandler(meter, &slog.HandlerOptions{Level: slog.LevelWarn}))),
	)
	if fake != nil {
		defer fake.Close()
	}
	if err != nil {
		return fail(stderr, err)
	}
	keys, err := readFile(s.file, stdin)
	if err != nil {
		return fail(stderr, err)
	}
	status := 0
	for round := range rounds {
		if round > 0 && ctx.Err() != nil {
			break
		}
		if round > 0 {
			fmt.Fprintf(stdout, "\nThe same again, which goes on from the journal:\n\n")
		}
		results, err := s.work(ctx, client, keys, meter)
		if results == nil {
			return fail(stderr, err)
		}
		status = report(stdout, results)
		if err != nil {
			fmt.Fprintf(stderr, "revoke: the journal is not whole, so a run after this one tries more than it has to: %v\n", err)
			status = 1
		}
	}
	if fake != nil && status != 0 {
		fmt.Fprintf(stderr, "A run on the live API would exit with %d now.\n", status)
		return 0
	}
	return status
}

func parse(args []string, stderr io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("revoke", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&s.revoke, "revoke", false, "revoke the keys; without it, only say what and whose they are")
	flags.StringVar(&s.journal, "journal", "revoke.journal", "the `file` that remembers what is gone; it may be of an earlier run")
	flags.IntVar(&s.workers, "workers", 4, "work on so many `keys` at a time")
	flags.IntVar(&s.perMinute, "per-minute", 7, "send at most so many `requests` a minute for each operation")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: revoke [-revoke] [flags] file\n\n"+
			"Revokes project keys. Each line of the file, or of the standard input where it is -,\n"+
			"has a project's id and a key's id; what follows a # is a comment.\n"+
			"Signs with OPENAI_ADMIN_KEY. Without it, shows itself on a fake of the API.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.file = flags.Arg(0)
	if flags.NArg() > 1 || s.workers < 1 {
		flags.Usage()
		return s, errors.New("usage")
	}
	return s, nil
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "revoke: %v\n", err)
	return 2
}

// work looks at the keys, or revokes those that the journal does not have as gone. Without
// results nothing was begun; with an error beside them the journal is not whole.
func (s *settings) work(ctx context.Context, client *orgkeys.Client, keys []key, meter *progress.Meter) ([]result, error) {
	w := worker{client}
	if !s.revoke {
		return all(ctx, keys, nil, s.workers, meter, w.look), nil
	}
	j, err := openJournal(s.journal)
	if err != nil {
		return nil, err
	}
	results := all(ctx, keys, j.gone, s.workers, meter, func(ctx context.Context, k key) (result, error) {
		r, err := w.revoke(ctx, k)
		if r.status == notFound && j.unknown[k] {
			// Likely, and not known: that request may not have got there, and the id be wrong.
			r.note = "likely revoked by an earlier run that did not get the answer: see that the ids are right"
		}
		j.record(r)
		return r, err
	})
	return results, j.Close()
}
