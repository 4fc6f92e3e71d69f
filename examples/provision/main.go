// Provision makes one service account per environment in a project, and hands the key of each,
// which the API shows once, to a sink for secrets.
//
// It can be run again at any time: an environment that has an account is left alone. It never
// asks for a second account of an environment in one run. Where the answer to a create is lost
// it looks for what may have been made and names it, for a person to delete: none of the
// client's operations deletes an account.
//
// On a fake of the API, which loses one answer on purpose:
//
//	go run ./examples/provision
//
// On the live API, first to see what is missing, then to create it:
//
//	export OPENAI_ADMIN_KEY=...
//	mkdir -m 700 keys
//	go run ./examples/provision -project proj_abc -dir keys production staging
//	go run ./examples/provision -project proj_abc -dir keys -create production staging
//
// The exit status is 0 if each environment has an account and a secret (or, without -create, if
// nothing stands in the way of that), 1 if one has not, and 2 if the work could not begin.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/orgkeys/orgkeys-go/examples/internal/demo"
	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

// settings is what the command line says.
type settings struct {
	project, dir string
	create       bool
	perMinute    int
	environments []string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, env func(string) string) int {
	s, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	meter := progress.New(stderr)
	rounds := 1
	if demo.Wanted(env) {
		undo, err := s.demonstrate()
		if err != nil {
			return fail(stderr, err)
		}
		defer undo()
		rounds = 2 // the second shows what a run after this one does
	}
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
	if err := s.check(); err != nil {
		return fail(stderr, err)
	}
	secrets, err := openDirectory(s.dir)
	if err != nil {
		return fail(stderr, err)
	}
	defer secrets.Close()

	p := &provisioner{client: client, project: s.project, secrets: secrets, create: s.create, meter: meter}
	status := 0
	for round := range rounds {
		if round > 0 && ctx.Err() != nil {
			break
		}
		if round > 0 {
			fmt.Fprintf(stdout, "\nThe same again, as on a run after this one:\n\n")
		}
		outcomes, err := p.all(ctx, s.environments)
		if err != nil {
			return fail(stderr, err)
		}
		report(stdout, outcomes)
		if slices.ContainsFunc(outcomes, func(o outcome) bool { return !o.status.isWell() }) {
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
	flags := flag.NewFlagSet("provision", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.project, "project", "", "the project's `id`")
	flags.StringVar(&s.dir, "dir", "", "the `directory` that takes the secrets, a file for each environment; it has to exist")
	flags.BoolVar(&s.create, "create", false, "create what is missing, and mint its keys; without it, only say what is missing")
	flags.IntVar(&s.perMinute, "per-minute", 7, "send at most so many `requests` a minute for each operation")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: provision -project id -dir directory [-create] environment...\n\n"+
			"Makes one service account per environment and keeps its key in a file.\n"+
			"Signs with OPENAI_ADMIN_KEY. Without it, shows itself on a fake of the API.\n\n")
		flags.PrintDefaults()
	}
	err = flags.Parse(args)
	s.environments = flags.Args()
	return s, err
}

// environmentName is what an account and a file can be called alike.
var environmentName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

func (s *settings) check() error {
	switch {
	case s.project == "":
		return errors.New("-project is missing")
	case s.dir == "":
		return errors.New("-dir is missing")
	case len(s.environments) == 0:
		return errors.New("no environment is named")
	}
	for i, environment := range s.environments {
		if !environmentName.MatchString(environment) {
			return fmt.Errorf("environment %q: use lower case letters, digits, - and _", environment)
		}
		if slices.Contains(s.environments[:i], environment) {
			return fmt.Errorf("environment %q is named twice", environment)
		}
	}
	return nil
}

func fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "provision: %v\n", err)
	return 2
}

func report(w io.Writer, outcomes []outcome) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ENVIRONMENT\tSTATUS\tACCOUNT\tWHAT TO DO")
	for _, o := range outcomes {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", o.environment, o.status,
			cmp.Or(strings.Join(o.accounts, ","), "-"), cmp.Or(o.status.advice(), "-"))
	}
	_ = table.Flush()
}
