// Orgkeys-fake serves the fake of the API of package orgkeystest as a process, for clients in
// any language.
//
// Usage:
//
//	orgkeys-fake [-addr 127.0.0.1:0] [-rate-limit n]
//
// It prints two lines that a shell can evaluate, with the base URL and with an admin key, to
// standard output, and what there is to call to standard error. It runs until it is
// interrupted. The admin key is shown on purpose: it is made up at the start, and no server but
// this one accepts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

const usage = `orgkeys-fake serves a fake of the API on loopback, for clients in any language.

  orgkeys-fake > fake.env &     # prints two lines: export OPENAI_BASE_URL=… and OPENAI_ADMIN_KEY=…
  . ./fake.env
  curl -H "Authorization: Bearer $OPENAI_ADMIN_KEY" "$OPENAI_BASE_URL/organization/admin_api_keys"

It starts with some admin keys and two projects, listed on standard error, keeps what clients
do in memory, answers what breaks the contract with a 400, and runs until it is interrupted.
The admin key is made up at the start and shown on purpose: no other server accepts it.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "orgkeys-fake:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. A shell reads what goes to out, a person what goes to notes.
func run(ctx context.Context, args []string, out, notes io.Writer) error {
	flags := flag.NewFlagSet("orgkeys-fake", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	addr := flags.String("addr", "127.0.0.1:0", "the loopback `address` to listen on; port 0 is any free one")
	perMinute := flags.Int("rate-limit", 0, "how many `requests` a minute each operation takes before it answers 429; 0 is any number")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(out)
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
		return nil
	case err != nil:
		return fmt.Errorf("%w; see -h", err)
	case flags.NArg() > 0:
		return fmt.Errorf("what is %q? There are only flags; see -h", flags.Arg(0))
	case *perMinute < 0:
		return fmt.Errorf("-rate-limit %d: there is no negative number of requests; see -h", *perMinute)
	}
	l, err := listen(*addr)
	if err != nil {
		return err
	}
	options := []orgkeystest.Option{orgkeystest.WithListener(l)}
	if *perMinute > 0 {
		options = append(options, orgkeystest.WithRateLimit(*perMinute))
	}
	fake := orgkeystest.NewServer(options...)
	defer fake.Close()

	describe(notes, fake)
	if _, err := fmt.Fprintf(out, "export OPENAI_BASE_URL=%s\nexport OPENAI_ADMIN_KEY=%s\n", fake.URL, fake.AdminKey); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// listen refuses what others on the network could reach.
func listen(addr string) (net.Listener, error) {
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if !at.IP.IsLoopback() {
		return nil, fmt.Errorf("-addr %s: is not a loopback address such as 127.0.0.1:8080", addr)
	}
	return net.ListenTCP("tcp", at)
}

// describe fills the fake and tells with what.
func describe(notes io.Writer, fake *orgkeystest.Server) {
	const project, archived = "proj_demo", "proj_archived"
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_audit", Name: new("Nightly audit")})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_forgotten", Name: new("Forgotten")})
	owned := fake.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_demo", Name: "Checkout"})
	account := fake.AddServiceAccount(project, "production")
	fake.ArchiveProject(archived)
	fmt.Fprintf(notes, `A fake of the API is at %s until interrupted. The admin key works here only.

admin keys                       key_audit, key_forgotten
project                          %s
  key of a user                  %s
  service account                %s
    its key, not to be revoked   %s
archived project                 %s
`, fake.URL, project, owned.ID, account.ID, account.APIKey.ID, archived)
}
