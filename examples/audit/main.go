// Audit reports the organization's admin keys that are unused, expired, about to expire, or never
// expire.
//
//	audit [-unused DAYS] [-expiring DAYS] [-fail]
//	audit -demo
//
// It changes nothing. OPENAI_ADMIN_KEY must be an admin key that may read. Exit status: 0 if the audit is
// complete, 1 if -fail is set and a key is reported, 2 if the audit could not start or is incomplete.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() { os.Exit(run()) }

func run() int {
	log.SetFlags(0)
	unused := flag.Int("unused", 90, "report keys that were not used for this number of `days`")
	expiring := flag.Int("expiring", 14, "report keys that expire within this number of `days`")
	fail := flag.Bool("fail", false, "exit with 1 if a key is reported")
	demo := flag.Bool("demo", false, "audit a fake organization; takes no other argument")
	flag.Parse()
	if flag.NArg() > 0 || *demo && len(os.Args) > 2 || *unused < 0 || *expiring < 0 {
		flag.Usage()
		return 2
	}
	var options []orgkeys.Option
	if *demo { // only for the demo
		fake := startFake()
		defer fake.Close()
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
	}
	client, err := orgkeys.NewClient(options...)
	if err != nil {
		log.Print(err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	reported, err := audit(ctx, client, *unused, *expiring)
	if err != nil {
		log.Print(err)
		return 2
	}
	if *fail && reported > 0 {
		return 1
	}
	return 0
}

// audit prints the keys with findings and returns their number. If the list of keys is incomplete, it
// prints nothing and returns an error, since the missing keys may be the ones that matter.
func audit(ctx context.Context, client *orgkeys.Client, unused, expiring int) (reported int, err error) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tOWNER\tLAST USED\tEXPIRES\tFINDINGS")
	total := 0
	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return 0, err
		}
		total++
		if found := findings(key, time.Now(), unused, expiring); len(found) > 0 {
			reported++
			fmt.Fprintf(table, "%s\t%s\t%s\t%v\t%v\t%s\n", key.ID, quoted(key.Name), quoted(key.Owner.Name),
				key.LastUsedAt, key.ExpiresAt, strings.Join(found, ", "))
		}
	}
	fmt.Fprintf(table, "%d of %d admin keys reported\n", reported, total)
	return reported, table.Flush()
}

func findings(key orgkeys.AdminKey, now time.Time, unused, expiring int) (found []string) {
	if used, ok := key.LastUsedAt.Time(); !ok {
		found = append(found, "never used")
	} else if !used.After(now.AddDate(0, 0, -unused)) {
		found = append(found, "unused")
	}
	expires, ok := key.ExpiresAt.Time()
	switch {
	case key.ExpiresAt.IsNull():
		found = append(found, "never expires")
	case !ok: // an older server, which does not report expirations
		found = append(found, "expiration unknown")
	case !expires.After(now):
		found = append(found, "expired")
	case !expires.After(now.AddDate(0, 0, expiring)):
		found = append(found, "expiring")
	}
	return found
}

// quoted escapes characters that could control a terminal, since users choose the names.
func quoted(name *string) string {
	if name == nil {
		return "-"
	}
	return strconv.Quote(*name)
}

// startFake starts a fake organization with a key for each finding.
func startFake() *orgkeystest.Server {
	fake := orgkeystest.NewServer()
	in := func(days int) orgkeys.OptionalTime { return orgkeys.TimeAt(time.Now().AddDate(0, 0, days)) }
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_nightly", Name: new("Nightly audit"), LastUsedAt: in(-1), ExpiresAt: in(60)})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_trial", Name: new("Vault trial"), ExpiresAt: in(100)})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_terraform", Name: new("Terraform"), LastUsedAt: in(0), ExpiresAt: in(5)})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_migration", Name: new("Migration"), LastUsedAt: in(-3), ExpiresAt: in(-2)})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_pipeline", Name: new("Old pipeline"), LastUsedAt: in(-120), ExpiresAt: orgkeys.NullTime()})
	return fake
}
