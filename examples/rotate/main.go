// Rotate replaces a project key by the key of a new service account, with an overlap.
//
//	rotate -project ID -old KEY-ID -name NAME -dir DIR [-days N] [-overlap DURATION]
//	rotate -demo
//
// It creates the account NAME with a key that expires, stores the key in DIR/NAME.json, verifies
// it, and then lets the old key expire after the overlap, or deletes it if the overlap is 0. Run
// it again after a failure: it skips the steps that are done. Exit status: 0 if the key is
// rotated, 1 if a step failed, 2 if it could not start. OPENAI_ADMIN_KEY is the admin key.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
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
	flags := flag.NewFlagSet("rotate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	project, old := flags.String("project", "", "the `id` of the project"), flags.String("old", "", "the `id` of the key to replace")
	name, dir := flags.String("name", "", "the `name` of the new account"), flags.String("dir", "", "the `directory` of the key file")
	days := flags.Int("days", 90, "the `number` of days until the new key expires, 1 to 365")
	overlap := flags.Duration("overlap", time.Hour, "how long the old key stays valid, in whole seconds; 0 deletes it")
	demo := flags.Bool("demo", false, "use a fake organization and a temporary directory; takes no other argument")
	if flags.Parse(args) != nil {
		return 2
	}
	var options []orgkeys.Option
	switch {
	case *demo && len(args) == 1:
		fake := orgkeystest.NewServer()
		defer fake.Close()
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
		*project, *old, *name = "proj_shop", fake.AddServiceAccount("proj_shop", "checkout").APIKey.ID, "checkout-2"
		*dir, _ = os.MkdirTemp("", "rotate") // without a directory, there is nothing to open below
		defer os.RemoveAll(*dir)
	case *demo || flags.NArg() > 0 || *project == "" || *old == "" || *name == "" || *dir == "" || *days < 1 || *days > 365 ||
		*overlap < 0 || *overlap > 365*24*time.Hour || *overlap%time.Second != 0:
		flags.Usage()
		return 2
	}
	client, err := orgkeys.NewClient(options...)
	var root *os.Root
	if err == nil {
		root, err = os.OpenRoot(*dir)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	defer root.Close()
	key, err := newKey(ctx, client, root, *project, *old, *name, *days)
	if err == nil {
		err = retire(ctx, client, *project, key, *overlap, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// stored is the content of the key file. A file that is empty belongs to a create that did not
// come to its end.
type stored struct{ Replaces, Account, Key, Value string }

// newKey returns what the key file contains, after it has created the key if there is no file.
func newKey(ctx context.Context, client *orgkeys.Client, root *os.Root, project, old, name string, days int) (key stored, err error) {
	path := name + ".json"
	if content, err := root.ReadFile(path); err == nil {
		if err := json.Unmarshal(content, &key); err != nil {
			return key, fmt.Errorf("an earlier run left no key in %s: delete the account %q that it may have created, then the file", path, name)
		} else if key.Replaces != old {
			return key, fmt.Errorf("%s contains the replacement of another key, %s", path, key.Replaces)
		}
		return key, nil
	}
	// A wrong id must not cost a new key.
	if _, err := client.ProjectKeys.Get(ctx, project, old); err != nil {
		return key, err
	}
	// The file comes first, so that no key is created that cannot be stored.
	file, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return key, err
	}
	defer file.Close()
	account, err := client.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{
		Name: name, ExpiresInSeconds: new(days * 24 * 60 * 60),
	})
	if _, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		return key, err // the empty file keeps the next run from creating another
	} else if err != nil { // no account was created
		return key, errors.Join(err, file.Close(), root.Remove(path))
	}
	// APIKey is not nil, since the account was not created without a key.
	key = stored{Replaces: old, Account: account.ID, Key: account.APIKey.ID, Value: account.APIKey.Value.Reveal()}
	if err := errors.Join(json.NewEncoder(file).Encode(key), file.Sync()); err != nil {
		return key, errors.Join(fmt.Errorf("the key of account %s could not be stored: %w", key.Account, err), file.Truncate(0))
	}
	return key, nil
}

// retire verifies the new key, and then ends the life of the old one.
func retire(ctx context.Context, client *orgkeys.Client, project string, key stored, overlap time.Duration, out io.Writer) error {
	created, err := client.ProjectKeys.Get(ctx, project, key.Key)
	if err != nil {
		return fmt.Errorf("the new key cannot be verified, and the old one is unchanged: %w", err)
	}
	if at, ok := created.ExpiresAt.Time(); ok && time.Until(at) <= overlap {
		return fmt.Errorf("the new key expires at %v, before the old one would, which is unchanged", created.ExpiresAt)
	}
	fmt.Fprintf(out, "the new key is %s of account %s, expiration: %v\n", key.Key, key.Account, created.ExpiresAt)
	old, err := client.ProjectKeys.Get(ctx, project, key.Replaces)
	if err == nil && overlap == 0 {
		if _, err = client.ProjectKeys.Delete(ctx, project, key.Replaces); err == nil {
			fmt.Fprintf(out, "the old key %s is deleted\n", key.Replaces)
		}
	} else if err == nil {
		// An earlier run may have set the expiration: setting it again would extend the overlap.
		if at, ok := old.ExpiresAt.Time(); !ok || time.Until(at) > overlap {
			old, err = client.ProjectKeys.Update(ctx, project, key.Replaces, orgkeys.ProjectKeyUpdateParams{ExpiresInSeconds: new(int(overlap.Seconds()))})
		}
		if err == nil {
			fmt.Fprintf(out, "the old key %s expires at %v\n", key.Replaces, old.ExpiresAt)
		}
	}
	if errors.Is(err, orgkeys.ErrNotFound) { // it existed before the new key was created
		fmt.Fprintf(out, "the old key %s is deleted already\n", key.Replaces)
		return nil
	}
	return err
}
