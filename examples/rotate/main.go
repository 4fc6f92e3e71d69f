// Rotate replaces a project key with the key of a new service account.
//
//	rotate -project ID -old KEY-ID -name NAME -file FILE [-days N] [-overlap DURATION]
//	rotate -demo
//
// It creates the account NAME with a key that expires, stores the key in FILE, verifies that it exists,
// and makes the old key expire after the overlap, or deletes it if the overlap is 0. The command can be
// repeated after a failure: steps that have succeeded are skipped. Exit status: 0 if the key is rotated,
// 1 if not, 2 for wrong arguments or without OPENAI_ADMIN_KEY.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

type rotation struct {
	project, old, name, file string
	days                     int
	overlap                  time.Duration
}

func main() { os.Exit(run()) }

func run() int {
	log.SetFlags(0)
	var r rotation
	flag.StringVar(&r.project, "project", "", "the `id` of the project")
	flag.StringVar(&r.old, "old", "", "the `id` of the key to replace")
	flag.StringVar(&r.name, "name", "", "the `name` of the new account")
	flag.StringVar(&r.file, "file", "", "the new `file` for the new key, as JSON")
	flag.IntVar(&r.days, "days", 90, "the `number` of days until the new key expires, 1 to 365")
	flag.DurationVar(&r.overlap, "overlap", time.Hour, "how long the old key stays valid, in whole seconds; 0 deletes it")
	demo := flag.Bool("demo", false, "use a fake organization and a temporary file; takes no other argument")
	flag.Parse()
	var options []orgkeys.Option
	if *demo && len(os.Args) == 2 { // only for the demo
		fake := orgkeystest.NewServer()
		defer fake.Close()
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
		r.project, r.old, r.name = "proj_shop", fake.AddServiceAccount("proj_shop", "checkout").APIKey.ID, "checkout-2"
		r.file = filepath.Join(os.TempDir(), "rotate-"+rand.Text())
		defer os.Remove(r.file)
	} else if *demo || flag.NArg() > 0 || r.project == "" || r.old == "" || r.name == "" || r.file == "" ||
		r.days < 1 || r.days > 365 || r.overlap < 0 || r.overlap > 365*24*time.Hour || r.overlap%time.Second != 0 {
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
	if err := r.rotate(ctx, client); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

func (r rotation) rotate(ctx context.Context, client *orgkeys.Client) error {
	key, err := r.readFile()
	if err != nil {
		return err
	}
	old, err := client.ProjectKeys.Get(ctx, r.project, r.old)
	if errors.Is(err, orgkeys.ErrNotFound) && key.ID != "" {
		fmt.Printf("old key %s was deleted by an earlier run\n", r.old)
		return nil
	}
	if err != nil { // for example because the id is wrong: create no key
		return err
	}
	if key.ID == "" {
		if key, err = r.create(ctx, client); err != nil {
			return err
		}
	}
	// Distribute and test the key here. This only verifies that the key exists.
	created, err := client.ProjectKeys.Get(ctx, r.project, key.ID)
	if err != nil {
		return fmt.Errorf("the new key cannot be verified, and the old key is unchanged: %w", err)
	}
	if expires, ok := created.ExpiresAt.Time(); ok && time.Until(expires) <= r.overlap {
		return fmt.Errorf("the new key expires at %v, before the end of the overlap; the old key is unchanged", created.ExpiresAt)
	}
	fmt.Printf("new key %s of account %s, expiration: %v\n", key.ID, key.Account, created.ExpiresAt)
	if r.overlap == 0 {
		_, err = client.ProjectKeys.Delete(ctx, r.project, r.old)
	} else if expires, ok := old.ExpiresAt.Time(); !ok || time.Until(expires) > r.overlap { // otherwise, an earlier run has set the expiration
		_, err = client.ProjectKeys.Update(ctx, r.project, r.old, orgkeys.ProjectKeyUpdateParams{ExpiresInSeconds: new(int(r.overlap.Seconds()))})
	}
	if err == nil {
		fmt.Printf("old key %s: valid for at most %v\n", r.old, r.overlap)
	}
	return err
}

// stored is the content of the file, which is empty until the key is created.
type stored struct{ Replaces, Account, ID, Value string }

// readFile returns the key that an earlier run has created, or the zero value if there is no file.
func (r rotation) readFile() (key stored, err error) {
	content, err := os.ReadFile(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return key, nil
	}
	if err == nil && (json.Unmarshal(content, &key) != nil || key.Replaces != r.old) {
		err = fmt.Errorf("%s does not contain the replacement of %s; if an earlier run left it empty, "+
			"delete the account %q that it may have created, then the file", r.file, r.old, r.name)
	}
	return key, err
}

// create creates the key. The file comes first, so that no key is created that cannot be stored.
func (r rotation) create(ctx context.Context, client *orgkeys.Client) (key stored, err error) {
	file, err := os.OpenFile(r.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return key, err
	}
	defer file.Close()
	account, err := client.ServiceAccounts.Create(ctx, r.project,
		orgkeys.ServiceAccountCreateParams{Name: r.name, ExpiresInSeconds: new(r.days * 24 * 60 * 60)})
	if _, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		return key, err // the empty file keeps the next run from creating another account
	} else if err != nil { // no account was created
		return key, errors.Join(err, file.Close(), os.Remove(r.file))
	}
	// APIKey is not nil: only an account that is created without a key has none.
	key = stored{Replaces: r.old, Account: account.ID, ID: account.APIKey.ID, Value: account.APIKey.Value.Reveal()}
	if err := errors.Join(json.NewEncoder(file).Encode(key), file.Sync()); err != nil {
		return key, errors.Join(fmt.Errorf("the key of account %s could not be stored: %w", key.Account, err), file.Truncate(0))
	}
	return key, nil
}
