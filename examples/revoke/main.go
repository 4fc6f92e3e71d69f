// Revoke deletes leaked project keys, at the pace that the API allows.
//
//	revoke [-yes] FILE
//	revoke -demo
//
// Each line of FILE contains the id of a project and the id of a key, or is empty. # starts a comment.
// Without -yes, revoke prints the keys and deletes none. It appends the outcome for each key to
// FILE.journal, as a line of JSON. Keys that the journal lists as deleted are skipped, so that the
// command can be repeated after a failure. Exit status: 0 if all keys are deleted, 1 if not, 2 for
// wrong arguments, an invalid FILE, or without OPENAI_ADMIN_KEY.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() { os.Exit(run()) }

func run() int {
	log.SetFlags(0)
	flag.Usage = func() {
		log.Print("usage: revoke [-yes] FILE\n       revoke -demo")
		flag.PrintDefaults()
	}
	yes := flag.Bool("yes", false, "delete the keys")
	demo := flag.Bool("demo", false, "delete keys of a fake organization; takes no other argument")
	flag.Parse()
	file, options := flag.Arg(0), []orgkeys.Option(nil)
	if *demo && len(os.Args) == 2 { // only for the demo
		fake := orgkeystest.NewServer(orgkeystest.WithRateLimit(30))
		defer fake.Close()
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
		ids := strings.Join(fake.AddProjectKeys("proj_shop", 32), "\nproj_shop ")
		file, *yes = filepath.Join(os.TempDir(), "revoke-"+rand.Text()), true
		_ = os.WriteFile(file, []byte("proj_shop "+ids), 0o600) // readKeys reports a failure
		defer func() { _ = errors.Join(os.Remove(file), os.Remove(file+".journal")) }()
	} else if *demo || flag.NArg() != 1 {
		flag.Usage()
		return 2
	}
	keys, err := readKeys(file)
	client, clientErr := orgkeys.NewClient(options...)
	if err := errors.Join(clientErr, err); err != nil {
		log.Print(err)
		return 2
	}
	if !*yes {
		log.Printf("would delete %d keys, with -yes: %v", len(keys), keys)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := revoke(ctx, client, keys, file+".journal"); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

type key struct{ project, id string }

func readKeys(file string) (keys []key, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(string(content), "\n") {
		line, _, _ = strings.Cut(line, "#")
		switch words := strings.Fields(line); {
		case len(words) == 0:
		case len(words) != 2 || strings.Contains(line, "sk-"):
			return nil, fmt.Errorf("%s:%d: want the id of a project and the id of a key, not its value", file, i+1)
		case !slices.Contains(keys, key{words[0], words[1]}):
			keys = append(keys, key{words[0], words[1]})
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s contains no keys", file)
	}
	return keys, nil
}

// entry is a line of the journal. The outcome is "deleted", "not found", "not sent" or "failed".
type entry struct {
	Time                                    time.Time
	Project, Key, Outcome, RequestID, Error string
}

func revoke(ctx context.Context, client *orgkeys.Client, keys []key, path string) error {
	content, _ := os.ReadFile(path) // there is no journal before the first run
	journal, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	for line := range strings.Lines(string(content)) {
		var e entry
		if json.Unmarshal([]byte(line), &e) == nil && e.Outcome == "deleted" { // a crash may have cut a line short
			keys = slices.DeleteFunc(keys, func(k key) bool { return k == key{e.Project, e.Key} })
		}
	}
	fmt.Fprintln(journal) // ends a line that was cut short
	remaining := 0
	// Parallel calls would not be faster, since the rate limit sets the pace. The client waits for its turn.
	for i, k := range keys {
		var info orgkeys.CallInfo
		_, err := client.ProjectKeys.Delete(orgkeys.WithCallInfo(ctx, &info), k.project, k.id)
		e := entry{Time: time.Now(), Project: k.project, Key: k.id, RequestID: info.RequestID, Outcome: "deleted"}
		switch {
		case errors.Is(err, orgkeys.ErrNotSent):
			e.Outcome = "not sent"
		case errors.Is(err, orgkeys.ErrNotFound):
			e.Outcome = "not found"
		case err != nil:
			e.Outcome = "failed" // it may be deleted; deleting it again is safe
		}
		if err != nil {
			e.Error = err.Error()
			remaining++
		}
		fmt.Printf("%d of %d: %s %s %s", i+1, len(keys), k.project, k.id, strings.TrimSpace(e.Outcome+" "+e.Error))
		if limit := client.RateLimit(orgkeys.OperationProjectKeysDelete); limit.PerMinute > 0 {
			fmt.Printf(" (%.1f a minute, next in %v)", limit.PerMinute, max(0, time.Until(limit.NextTurn)).Round(time.Second))
		}
		fmt.Println()
		if err := json.NewEncoder(journal).Encode(e); err != nil {
			return err // delete nothing that cannot be recorded
		}
	}
	if remaining > 0 {
		return fmt.Errorf("%d of %d keys are not known to be deleted", remaining, len(keys))
	}
	return nil
}
