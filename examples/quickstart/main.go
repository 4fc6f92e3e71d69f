// Quickstart runs all six operations through the SDK and prints what comes of them.
//
//	go run ./examples/quickstart
//
// With no admin key in the environment it starts a fake of the API in its own process, and
// what it does is gone with it. With OPENAI_ADMIN_KEY set it talks to the real API, and then
// it only reads; -write has it mint, create and revoke too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	project := flags.String("project", "", "the `id` of a project, to list its service accounts")
	key := flags.String("key", "", "the `id` of a key of that project, to read it")
	write := flags.Bool("write", false, "with a real admin key: also mint an admin key, create a service account and revoke -key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tour := tour{out: out, project: *project, key: *key, write: *write}
	var options []orgkeys.Option
	if os.Getenv("OPENAI_ADMIN_KEY") == "" {
		fake := orgkeystest.NewServer()
		defer fake.Close()
		options = []orgkeys.Option{orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey)}
		tour.project, tour.key, tour.write = furnish(fake), "key_checkout", true
		tour.say("No OPENAI_ADMIN_KEY in the environment: this runs on a fake of the API, in this process.")
	} else if tour.write {
		tour.say("OPENAI_ADMIN_KEY is set: this talks to the real API, and because of -write it mints, creates and revokes.")
	} else {
		tour.say("OPENAI_ADMIN_KEY is set: this talks to the real API and only reads. -write does the rest.")
	}
	client, err := orgkeys.NewClient(options...)
	if err != nil {
		return err
	}
	tour.client = client
	return tour.run(ctx)
}

// furnish gives the fake an organization to show, and returns its project.
func furnish(fake *orgkeystest.Server) string {
	const project = "proj_shop"
	created := func(d time.Duration) orgkeys.UnixTime { return orgkeys.UnixTime(time.Now().Add(-d).Unix()) }
	used := func(d time.Duration) orgkeys.OptionalTime { return orgkeys.TimeAt(time.Now().Add(-d)) }
	const day = 24 * time.Hour
	fake.AddProject(project)
	fake.AddAdminKey(orgkeystest.AdminKey{Name: new("Nightly audit"), CreatedAt: created(90 * day), LastUsedAt: used(9 * time.Hour)})
	fake.AddAdminKey(orgkeystest.AdminKey{Name: new("Terraform"), CreatedAt: created(400 * day), LastUsedAt: used(2 * day)})
	fake.AddAdminKey(orgkeystest.AdminKey{Name: new("Forgotten"), CreatedAt: created(700 * day)})
	fake.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_checkout", Name: "Checkout", LastUsedAt: used(time.Minute)})
	fake.AddServiceAccount(project, "staging")
	return project
}

// tour is the six operations in the order in which a person would try them.
type tour struct {
	client  *orgkeys.Client
	out     io.Writer
	project string
	key     string
	write   bool
}

func (t *tour) run(ctx context.Context) error {
	steps := []struct {
		title string
		do    func(context.Context) error
		skip  string // why it is not done, if it is not
	}{
		{"List the organization's admin keys", t.listAdminKeys, ""},
		{"Mint an admin key that lives for an hour", t.mintAdminKey, t.unless(true, "-write")},
		{"List the service accounts of " + t.project, t.listServiceAccounts, t.unless(false, "-project")},
		{"Create a service account", t.createServiceAccount, t.unless(true, "-project")},
		{"Read a key of the project", t.readKey, t.unless(false, "-project", "-key")},
		{"Revoke it", t.revokeKey, t.unless(true, "-project", "-key")},
	}
	for i, step := range steps {
		fmt.Fprintf(t.out, "\n%d. %s\n", i+1, step.title)
		if step.skip != "" {
			t.say("   skipped: needs " + step.skip)
			continue
		}
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unless returns the first flag that a step needs and that is not given.
func (t *tour) unless(writes bool, flags ...string) string {
	given := map[string]bool{"-project": t.project != "", "-key": t.key != "", "-write": t.write}
	if writes {
		flags = append(flags, "-write")
	}
	for _, f := range flags {
		if !given[f] {
			return f
		}
	}
	return ""
}

func (t *tour) say(text string) { fmt.Fprintln(t.out, text) }

func (t *tour) listAdminKeys(ctx context.Context) error {
	table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "   ID\tNAME\tCREATED\tLAST USED\tVALUE")
	for key, err := range t.client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return err
		}
		name, used := "-", "never"
		if key.Name != nil {
			name = *key.Name
		}
		if at, ok := key.LastUsedAt.Time(); ok {
			used = at.Format(time.DateOnly)
		}
		fmt.Fprintf(table, "   %s\t%s\t%s\t%s\t%s\n", key.ID, name, day(key.CreatedAt), used, key.RedactedValue)
	}
	return table.Flush()
}

func (t *tour) mintAdminKey(ctx context.Context) error {
	made, err := t.client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "quickstart", ExpiresInSeconds: new(3600)})
	if unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		found, findErr := t.client.AdminKeys.FindCreated(ctx, unknown)
		return fmt.Errorf("%w\nkeys that it may have made: %d (%v)", err, len(found), findErr)
	}
	if err != nil {
		return err
	}
	// made.Value.Reveal() is the key itself, for a secret store. Printed, it hides.
	fmt.Fprintf(t.out, "   made %s, value %v\n", made.ID, made.Value)
	return nil
}

func (t *tour) listServiceAccounts(ctx context.Context) error {
	for account, err := range t.client.ServiceAccounts.All(ctx, t.project, orgkeys.ServiceAccountListParams{}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "   %s, %q, %s\n", account.ID, account.Name, account.Role)
	}
	return nil
}

func (t *tour) createServiceAccount(ctx context.Context) error {
	made, err := t.client.ServiceAccounts.Create(ctx, t.project, orgkeys.ServiceAccountCreateParams{Name: "production"})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "   made %s with key %s, value %v\n", made.ID, made.APIKey.ID, made.APIKey.Value)
	return t.refusedRevoke(ctx, made.APIKey.ID)
}

// refusedRevoke shows what an error says: a service account's key goes with its account.
func (t *tour) refusedRevoke(ctx context.Context, keyID string) error {
	_, err := t.client.ProjectKeys.Delete(ctx, t.project, keyID)
	if !errors.Is(err, orgkeys.ErrBadRequest) {
		return fmt.Errorf("revoking a service account's key was not refused: %w", err)
	}
	fmt.Fprintf(t.out, "   revoking that key alone is refused:\n   %v\n", err)
	return nil
}

func (t *tour) readKey(ctx context.Context) error {
	key, err := t.client.ProjectKeys.Get(ctx, t.project, t.key)
	if err != nil {
		return err
	}
	owner := "nobody known"
	switch {
	case key.Owner.User != nil:
		owner = key.Owner.User.Email
	case key.Owner.ServiceAccount != nil:
		owner = "service account " + key.Owner.ServiceAccount.Name
	}
	fmt.Fprintf(t.out, "   %s, %q, of %s, %s\n", key.ID, key.Name, owner, key.RedactedValue)
	return nil
}

func (t *tour) revokeKey(ctx context.Context) error {
	gone, err := t.client.ProjectKeys.Delete(ctx, t.project, t.key)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "   revoked %s\n", gone.ID)
	if _, err = t.client.ProjectKeys.Get(ctx, t.project, t.key); errors.Is(err, orgkeys.ErrNotFound) {
		t.say("   and reading it again finds nothing")
		return nil
	}
	return err // nil where the API still shows the key: that can take a moment
}

func day(t orgkeys.UnixTime) string { return t.Time().Format(time.DateOnly) }
