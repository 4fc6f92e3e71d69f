// Revoke deletes leaked project keys at the pace of the API's rate limit, and can be resumed.
//
//	revoke [-yes] FILE
//	revoke -demo
//
// Each line of FILE is a project id and a key id. Without -yes it only prints what it would
// delete. FILE.journal gets a line of JSON for each key; keys that it lists as deleted are skipped.
// Exit status: 0 if all keys are deleted, 1 if some are not, 2 if it could not start or record.
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
	"strings"
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
	flags := flag.NewFlagSet("revoke", flag.ContinueOnError)
	flags.SetOutput(stderr)
	yes := flags.Bool("yes", false, "delete the keys")
	demo := flags.Bool("demo", false, "delete keys of a fake organization; takes no other argument")
	if flags.Parse(args) != nil {
		return 2
	}
	if *demo && len(args) > 1 || !*demo && flags.NArg() != 1 {
		flags.Usage()
		return 2
	}
	file, options := flags.Arg(0), []orgkeys.Option(nil)
	if *demo {
		fake := orgkeystest.NewServer(orgkeystest.WithRateLimit(300))
		defer fake.Close()
		options = append(options, orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL))
		leaked, err := os.CreateTemp("", "leaked")
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
		file, *yes = leaked.Name(), true
		defer func() { _ = errors.Join(leaked.Close(), os.Remove(file), os.Remove(file+".journal")) }()
		fmt.Fprint(leaked, "proj_shop ", strings.Join(fake.AddProjectKeys("proj_shop", 310), "\nproj_shop "))
	}
	client, err := orgkeys.NewClient(options...)
	var remaining int
	if err == nil {
		remaining, err = revoke(ctx, client, file, *yes, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	return min(remaining, 1)
}

// result is a line of the journal.
type result struct {
	Project, Key, Outcome, RequestID, Error, At string
}

// revoke returns how many keys are not known to be deleted.
func revoke(ctx context.Context, client *orgkeys.Client, file string, yes bool, out io.Writer) (int, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	done, counts := map[string]bool{}, map[string]int{}
	earlier, _ := os.ReadFile(file + ".journal") // there is none before the first run
	for line := range strings.Lines(string(earlier)) {
		var r result
		if json.Unmarshal([]byte(line), &r) == nil && r.Outcome == "deleted" { // a crash may have cut a line short
			done[r.Project+" "+r.Key] = true
		}
	}
	var keys [][]string
	for i, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
		key := strings.Fields(line)
		if len(key) != 2 || strings.Contains(line, "sk-") {
			return 0, fmt.Errorf("%s:%d: want the id of a project and the id of a key, not its value", file, i+1)
		}
		if id := strings.Join(key, " "); !done[id] {
			done[id] = true // a key that is listed twice is deleted once
			keys = append(keys, key)
		}
	}
	if !yes {
		fmt.Fprintf(out, "would delete %d keys: %v\n", len(keys), keys)
		return len(keys), nil
	}
	journal, err := os.OpenFile(file+".journal", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer journal.Close()
	fmt.Fprintln(journal) // ends a line that was cut short
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result)
	for _, key := range keys { // the client lets the calls pass at the rate that the API grants
		go func() { results <- remove(ctx, client, key[0], key[1]) }()
	}
	for n, tick := 0, time.Tick(2*time.Second); n < len(keys); {
		select {
		case r := <-results:
			n++
			counts[r.Outcome]++
			if err = errors.Join(err, json.NewEncoder(journal).Encode(r)); err != nil {
				cancel() // nothing is sent that cannot be recorded
			}
		case <-tick:
			limit := client.RateLimit(orgkeys.OperationProjectKeysDelete)
			fmt.Fprintf(out, "%v of %d, %d waiting, %.1f a minute, next turn in %v\n", counts, len(keys), limit.Waiting,
				limit.PerMinute, max(0, time.Until(limit.NextTurn)).Round(100*time.Millisecond))
		}
	}
	fmt.Fprintf(out, "%v of %d\n", counts, len(keys))
	return len(keys) - counts["deleted"], err
}

// remove deletes a key. Only what is known not to exist, or not to be sent, is recorded as such.
func remove(ctx context.Context, client *orgkeys.Client, project, key string) result {
	var info orgkeys.CallInfo
	_, err := client.ProjectKeys.Delete(orgkeys.WithCallInfo(ctx, &info), project, key)
	r := result{project, key, "deleted", info.RequestID, "", time.Now().Format(time.RFC3339)}
	if err != nil {
		r.Outcome, r.Error = "failed", err.Error() // it may be deleted; running again is safe
	}
	if errors.Is(err, orgkeys.ErrNotSent) {
		r.Outcome = "not sent"
	} else if errors.Is(err, orgkeys.ErrNotFound) {
		r.Outcome = "not found"
	}
	return r
}
