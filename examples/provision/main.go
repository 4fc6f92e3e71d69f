// Provision creates service accounts with keys that expire, and stores each key in a file that only
// its owner can read.
//
//	provision -project ID -dir DIR [-days N] NAME...
//	provision -demo
//
// The file DIR/NAME.key is created before the account, so that no key is created that cannot be
// stored. A NAME whose key is stored is skipped, so that the command can be repeated after a failure.
// Exit status: 0 if all keys are stored, 1 if some are not, 2 for wrong arguments or without
// OPENAI_ADMIN_KEY.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() { os.Exit(run()) }

func run() int {
	log.SetFlags(0)
	flag.Usage = func() {
		log.Print("usage: provision -project ID -dir DIR [-days N] NAME...\n       provision -demo")
		flag.PrintDefaults()
	}
	project := flag.String("project", "", "the `id` of the project")
	dir := flag.String("dir", "", "the `directory` of the key files")
	days := flag.Int("days", 90, "the `number` of days until a key expires, 1 to 365")
	demo := flag.Bool("demo", false, "use a fake organization and a temporary directory; takes no other argument")
	flag.Parse()
	names, options := flag.Args(), []orgkeys.Option(nil)
	if *demo && len(os.Args) == 2 { // only for the demo
		fake := orgkeystest.NewServer()
		defer fake.Close()
		fake.AddProject("proj_shop")
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
		*project, names = "proj_shop", []string{"staging", "production", "staging"}
		*dir, _ = os.MkdirTemp("", "provision") // provision reports a failure
		defer os.RemoveAll(*dir)
	} else if *demo || *project == "" || *dir == "" || len(names) == 0 || *days < 1 || *days > 365 {
		flag.Usage()
		return 2
	}
	client, err := orgkeys.NewClient(options...)
	if err != nil {
		log.Print(err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	if err := provision(ctx, client, *project, *dir, *days, names); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

func provision(ctx context.Context, client *orgkeys.Client, project, dir string, days int, names []string) error {
	root, err := os.OpenRoot(dir) // refuses names that lead out of the directory
	if err != nil {
		return err
	}
	defer root.Close()
	failed := 0
	for _, name := range names {
		if err := create(ctx, client, project, root, days, name); err != nil {
			log.Printf("%s: %v", name, err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d keys are not stored", failed, len(names))
	}
	return nil
}

// create creates an account and stores its key.
func create(ctx context.Context, client *orgkeys.Client, project string, root *os.Root, days int, name string) error {
	path := name + ".key"
	file, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if info, err := root.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			return fmt.Errorf("an earlier run stored no key in %s: delete the account that it may have created, then the file", path)
		}
		fmt.Printf("%s: stored by an earlier run\n", name)
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()

	var info orgkeys.CallInfo
	account, err := client.ServiceAccounts.Create(orgkeys.WithCallInfo(ctx, &info), project,
		orgkeys.ServiceAccountCreateParams{Name: name, ExpiresInSeconds: new(days * 24 * 60 * 60)})
	if unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		// The empty file stays, and keeps the next run from creating another account.
		return errors.Join(err, find(ctx, client, unknown))
	}
	if err != nil { // no account was created
		return errors.Join(err, file.Close(), root.Remove(path))
	}
	key := account.APIKey // not nil: only an account that is created without a key has none
	_, err = file.WriteString(key.Value.Reveal())
	if err := errors.Join(err, file.Sync()); err != nil {
		return errors.Join(fmt.Errorf("key %s of account %s could not be stored: %w", key.ID, account.ID, err), file.Truncate(0))
	}
	fmt.Printf("%s: request %s created account %s with key %s, expiration: %v\n", name, info.RequestID, account.ID, key.ID, key.ExpiresAt)
	return nil
}

// find reports the accounts that a create with an unknown outcome has created.
func find(ctx context.Context, client *orgkeys.Client, unknown *orgkeys.UnknownOutcomeError) error {
	// The interrupt that made the outcome unknown must not end the search.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	accounts, err := client.ServiceAccounts.FindCreated(ctx, unknown)
	for _, account := range accounts {
		log.Printf("account %s was created, and its key is lost: delete the account in the platform's settings", account.ID)
	}
	return err
}
