// Audit reports the organization's admin keys that are unused, expired, about to expire, or
// never expire.
//
//	audit [-unused DAYS] [-expiring DAYS] [-fail]
//	audit -demo
//
// It reads only. Exit status: 0, or 1 if -fail is given and a key is reported, or 2 if the audit
// could not start or is incomplete. Set OPENAI_ADMIN_KEY to an admin key that may read.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"text/tabwriter"
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
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	flags.SetOutput(stderr)
	unused := flags.Int("unused", 90, "report keys that were not used for so many `days`")
	expiring := flags.Int("expiring", 14, "report keys that expire within so many `days`")
	fail := flags.Bool("fail", false, "exit with 1 if a key is reported")
	demo := flags.Bool("demo", false, "audit a fake organization; takes no other argument")
	if flags.Parse(args) != nil {
		return 2
	}
	if flags.NArg() > 0 || *demo && len(args) > 1 || *unused < 0 || *expiring < 0 {
		flags.Usage()
		return 2
	}
	var options []orgkeys.Option
	if *demo {
		fake := startFake()
		defer fake.Close()
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
	}
	client, err := orgkeys.NewClient(options...)
	reported := 0
	if err == nil {
		reported, err = audit(ctx, client, policy{*unused, *expiring, time.Now()}, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	if *fail && reported > 0 {
		return 1
	}
	return 0
}

// audit prints the keys that violate the policy, and returns their number. An incomplete list is
// an error: what is missing from it may be what matters.
func audit(ctx context.Context, client *orgkeys.Client, p policy, out io.Writer) (reported int, err error) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tOWNER\tLAST USED\tEXPIRES\tFINDINGS")
	total := 0
	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return 0, err
		}
		total++
		if findings := p.findings(key); len(findings) > 0 {
			reported++
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", key.ID, quoted(key.Name), quoted(key.Owner.Name),
				day(key.LastUsedAt, "never"), day(key.ExpiresAt, "never"), strings.Join(findings, ", "))
		}
	}
	fmt.Fprintf(table, "%d of %d admin keys reported\n", reported, total)
	return reported, table.Flush()
}

// policy decides which keys are reported.
type policy struct {
	unusedDays, expiringDays int
	now                      time.Time
}

func (p policy) findings(key orgkeys.AdminKey) (findings []string) {
	if used, ok := key.LastUsedAt.Time(); !ok {
		findings = append(findings, "never used")
	} else if !used.After(p.now.AddDate(0, 0, -p.unusedDays)) {
		findings = append(findings, "unused")
	}
	expires, isBounded := key.ExpiresAt.Time()
	switch {
	case key.ExpiresAt.IsNull():
		findings = append(findings, "never expires")
	case !isBounded: // an older server, which does not report expirations
		findings = append(findings, "expiration unknown")
	case !expires.After(p.now):
		findings = append(findings, "expired")
	case !expires.After(p.now.AddDate(0, 0, p.expiringDays)):
		findings = append(findings, "expiring")
	}
	return findings
}

func day(t orgkeys.OptionalTime, null string) string {
	at, ok := t.Time()
	switch {
	case ok:
		return at.Format(time.DateOnly)
	case t.IsNull():
		return null
	}
	return "unknown"
}

// quoted escapes what could control a terminal: users choose these names.
func quoted(name *string) string {
	if name == nil {
		return "-"
	}
	return strconv.Quote(*name)
}

// startFake starts a fake of the API with a key for each finding.
func startFake() *orgkeystest.Server {
	fake := orgkeystest.NewServer()
	at := func(days int) orgkeys.OptionalTime { return orgkeys.TimeAt(time.Now().AddDate(0, 0, days)) }
	for _, key := range []orgkeystest.AdminKey{
		{ID: "key_nightly", Name: new("Nightly audit"), LastUsedAt: at(-1), ExpiresAt: at(60)},
		{ID: "key_trial", Name: new("Vault trial"), ExpiresAt: at(100)},
		{ID: "key_terraform", Name: new("Terraform"), LastUsedAt: at(0), ExpiresAt: at(5)},
		{ID: "key_migration", Name: new("Migration"), LastUsedAt: at(-3), ExpiresAt: at(-2)},
		{ID: "key_pipeline", Name: new("Old pipeline"), LastUsedAt: at(-120), ExpiresAt: orgkeys.NullTime()},
		{ID: "key_bootstrap"},
	} {
		fake.AddAdminKey(key)
	}
	return fake
}
