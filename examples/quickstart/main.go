// Quickstart shows what package orgkeys does: all seven operations, a create whose response is lost,
// and a bulk delete that meets the rate limit. It takes about ten seconds and has no options. It calls
// a fake of the API in its own process, and never the live API.
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "quickstart takes no arguments")
		os.Exit(2)
	}
	fake := orgkeystest.NewServer()
	defer fake.Close()
	color := term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if err := run(ctx, fake, &screen{os.Stdout, color}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// screen prints lines, in color if the terminal supports it.
type screen struct {
	out   io.Writer
	color bool
}

const (
	plain = "0"
	bold  = "1"
	gray  = "90"
	red   = "31"
	green = "32"
)

// line prints a text, behind a column with the label unless that is empty.
func (s *screen) line(color, label, format string, args ...any) {
	if label != "" {
		label = fmt.Sprintf("%-23s ", label)
	}
	s.print(color, "  "+label+fmt.Sprintf(format, args...))
}

func (s *screen) title(format string, args ...any) {
	fmt.Fprintln(s.out)
	s.print(bold, fmt.Sprintf(format, args...))
}

func (s *screen) print(color, text string) {
	if s.color && color != plain {
		text = "\x1b[" + color + "m" + text + "\x1b[0m"
	}
	fmt.Fprintln(s.out, text)
}

const project = "proj_shop"

func run(ctx context.Context, fake *orgkeystest.Server, show *screen) error {
	client, err := orgkeys.NewClient(orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithHTTPClient(fake.Client()))
	if err != nil {
		return err
	}
	return errors.Join(operations(ctx, client, fake, show), lostResponse(ctx, client, fake, show), rateLimit(ctx, client, fake, show))
}

// operations calls each operation once.
func operations(ctx context.Context, client *orgkeys.Client, fake *orgkeystest.Server, show *screen) error {
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_terraform", Name: new("Terraform"), LastUsedAt: orgkeys.TimeAt(time.Now())})
	fake.AddServiceAccount(project, "staging")
	show.title("Seven operations: the life of a credential")

	admin, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "nightly audit", ExpiresInSeconds: new(86400)})
	if err != nil {
		return err
	}
	show.line(plain, "AdminKeys.Create", "%s, value %v, expires %s", admin.ID, admin.Value, when(admin.ExpiresAt))
	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return err
		}
		show.line(plain, "AdminKeys.All", "%s, expires %s", key.ID, when(key.ExpiresAt))
	}
	account, err := client.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{Name: "production"})
	if err != nil {
		return err
	}
	id := account.APIKey.ID // APIKey is not nil, since the account was not created without a key
	show.line(plain, "ServiceAccounts.Create", "%s, value %v", id, account.APIKey.Value)
	for account, err := range client.ServiceAccounts.All(ctx, project, orgkeys.ServiceAccountListParams{}) {
		if err != nil {
			return err
		}
		show.line(plain, "ServiceAccounts.All", "%s, role %s", account.Name, account.Role)
	}
	key, err := client.ProjectKeys.Get(ctx, project, id)
	if err != nil {
		return err
	}
	show.line(plain, "ProjectKeys.Get", "%s, expires %s", key.RedactedValue, when(key.ExpiresAt))
	key, err = client.ProjectKeys.Update(ctx, project, id, orgkeys.ProjectKeyUpdateParams{ExpiresInSeconds: new(3600)})
	if err != nil {
		return err
	}
	show.line(plain, "ProjectKeys.Update", "%s, expires %s", key.RedactedValue, when(key.ExpiresAt))
	if _, err := client.ProjectKeys.Delete(ctx, project, id); err != nil {
		return err
	}
	show.line(plain, "ProjectKeys.Delete", "deleted")
	return nil
}

func when(t orgkeys.OptionalTime) string {
	at, ok := t.Time()
	switch {
	case ok:
		return "in " + time.Until(at).Round(time.Minute).String()
	case t.IsNull():
		return "never"
	}
	return "at a time that the server does not report"
}

// lostResponse creates a key whose value never arrives.
func lostResponse(ctx context.Context, client *orgkeys.Client, fake *orgkeystest.Server, show *screen) error {
	const operation = orgkeys.OperationAdminKeysCreate
	show.title("A create whose response is lost: the key exists, and its value is lost")
	fake.Inject(orgkeystest.Fault{Operation: operation, Drop: true, AfterWork: true})
	before := fake.KeysCreated()
	_, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "deploy"})
	unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	if !ok {
		return fmt.Errorf("a create whose response is lost returned: %w", err)
	}
	show.line(red, "AdminKeys.Create", "%T, not retried; keys created: %d", err, fake.KeysCreated()-before)
	for text := range strings.SplitSeq(err.Error(), "; ") {
		show.line(gray, "", "%s", text)
	}
	found, err := client.AdminKeys.FindCreated(ctx, unknown)
	for _, key := range found {
		show.line(green, "AdminKeys.FindCreated", "%s: delete it, and create again", key.ID)
	}
	return err
}

// rateLimit deletes more keys than the API accepts in a minute.
func rateLimit(ctx context.Context, client *orgkeys.Client, fake *orgkeystest.Server, show *screen) error {
	const keys, workers, perMinute = 620, 64, 600
	show.title("A bulk delete that meets the rate limit: %d keys, %d workers, %d requests a minute", keys, workers, perMinute)
	fake.SetRateLimit(orgkeystest.RateLimit{PerMinute: perMinute})
	leaked := fake.AddProjectKeys(project, keys)
	sent := len(fake.Requests())
	errs := make(chan error)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < keys; i += workers {
				_, err := client.ProjectKeys.Delete(ctx, project, leaked[i])
				errs <- err
			}
		})
	}
	go func() { all.Wait(); close(errs) }()
	deleted, failed, start := 0, 0, time.Now()
	for tick := time.Tick(2 * time.Second); ; {
		select {
		case err, more := <-errs:
			switch {
			case !more:
				show.line(green, fmt.Sprintf("after %.0f s", time.Since(start).Seconds()), "%d deleted, %d failed; %d of %d requests were refused with a 429",
					deleted, failed, len(fake.Requests())-sent-deleted, len(fake.Requests())-sent)
				return ctx.Err()
			case err != nil:
				failed++
			default:
				deleted++
			}
		case <-tick:
			limit := client.RateLimit(orgkeys.OperationProjectKeysDelete)
			show.line(gray, fmt.Sprintf("after %.0f s", time.Since(start).Seconds()), "%d deleted, %d calls wait for their turn, %.0f requests a minute",
				deleted, limit.Waiting, limit.PerMinute)
		}
	}
}
