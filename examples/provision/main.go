// Provision creates service accounts of a project, each with a key that expires, and stores each
// key in a file that only its owner can read.
//
//	provision -project ID -dir DIR [-days N] NAME...
//	provision -demo
//
// DIR/NAME.key is created before the account, so that no key is created that cannot be stored. A
// NAME whose key is stored is skipped. Exit status: 0 if all keys are stored, 1 if some are not, 2
// if it could not start. Set OPENAI_ADMIN_KEY to an admin key that may write.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("provision", flag.ContinueOnError)
	flags.SetOutput(stderr)
	project := flags.String("project", "", "the `id` of the project")
	dir := flags.String("dir", "", "the `directory` of the key files")
	days := flags.Int("days", 90, "the `number` of days until a key expires, 1 to 365")
	demo := flags.Bool("demo", false, "use a fake organization and a temporary directory; takes no other argument")
	if flags.Parse(args) != nil {
		return 2
	}
	names := flags.Args()
	var options []orgkeys.Option
	switch {
	case *demo && len(args) == 1:
		temporary, err := os.MkdirTemp("", "provision")
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
		defer func() { _ = os.RemoveAll(temporary) }()
		fake := orgkeystest.NewServer()
		defer fake.Close()
		fake.AddProject("proj_shop")
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
		*project, *dir, names = "proj_shop", temporary, []string{"staging", "production", "staging"}
	case *demo || *project == "" || *dir == "" || len(names) == 0 || *days < 1 || *days > 365:
		flags.Usage()
		return 2
	}
	client, err := orgkeys.NewClient(options...)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	defer root.Close()
	status := 0
	for _, name := range names {
		done, err := provision(ctx, client, root, *project, name, *days)
		if err != nil {
			fmt.Fprintf(stderr, "%s: %v\n", name, err)
			status = 1
			continue
		}
		fmt.Fprintf(stdout, "%s: %s\n", name, done)
	}
	return status
}

// provision creates one account and stores its key, and returns a sentence for the audit trail.
func provision(ctx context.Context, client *orgkeys.Client, root *os.Root, project, name string, days int) (string, error) {
	file, err := root.OpenFile(name+".key", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return checkStored(root, name)
	}
	if err != nil {
		return "", err
	}
	defer file.Close()

	var info orgkeys.CallInfo
	account, err := client.ServiceAccounts.Create(orgkeys.WithCallInfo(ctx, &info), project, orgkeys.ServiceAccountCreateParams{
		Name: name, ExpiresInSeconds: new(days * 24 * 60 * 60),
	})
	if unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		// The empty file stays, so that nothing is created until somebody has looked.
		return "", errors.Join(err, find(ctx, client, unknown))
	}
	if err != nil { // no account was created
		return "", errors.Join(err, file.Close(), root.Remove(name+".key"))
	}
	key := account.APIKey // not nil, since the account was not created without one
	_, err = file.WriteString(key.Value.Reveal())
	if err = errors.Join(err, file.Sync()); err != nil {
		// An empty file shows the next run that there is no whole key in it.
		return "", errors.Join(fmt.Errorf("request %s created account %s, whose key %s could not be stored: %w",
			info.RequestID, account.ID, key.ID, err), file.Truncate(0))
	}
	expires := "never expires, since the server does not limit the life of keys"
	if at, ok := key.ExpiresAt.Time(); ok {
		expires = "expires at " + at.Format(time.RFC3339)
	}
	return fmt.Sprintf("request %s created key %s of account %s, which %s", info.RequestID, key.ID, account.ID, expires), nil
}

func checkStored(root *os.Root, name string) (string, error) {
	info, err := root.Stat(name + ".key")
	if err == nil && info.Size() == 0 {
		err = fmt.Errorf("an earlier run left %s.key empty: delete the account that it may have created, then the file", name)
	}
	return "was stored earlier", err
}

// find names the accounts that a create with an unknown outcome may have created.
func find(ctx context.Context, client *orgkeys.Client, unknown *orgkeys.UnknownOutcomeError) error {
	// An interrupt is a common cause of an unknown outcome, and must not end the search, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	accounts, err := client.ServiceAccounts.FindCreated(ctx, unknown)
	if err == nil && len(accounts) == 0 {
		return errors.New("no account has been created so far")
	}
	for _, account := range accounts {
		err = errors.Join(err, fmt.Errorf("account %s was created, and its key is lost: delete it in the platform's settings", account.ID))
	}
	return err
}
