package orgkeys_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// TestMain holds that no test leaves a goroutine, and so no connection, behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEveryOutcomeIsAccountedFor has 64 goroutines share a client through 20,000 calls while
// about three requests in ten go wrong, and holds that the fake's state and what the callers
// were told agree key by key.
func TestEveryOutcomeIsAccountedFor(t *testing.T) {
	const workers, calls = 64, 20_000
	synctest.Test(t, func(t *testing.T) {
		server := orgkeystest.New(t, orgkeystest.InMemory())
		server.AddProject(project)
		for i := range calls / 4 {
			server.AddProjectKey(project, orgkeystest.ProjectKey{ID: fmt.Sprintf("key_%d", i)})
		}
		for _, fault := range []orgkeystest.Fault{
			{Status: 429}, {Status: 429, Header: http.Header{"Retry-After": {"2"}}}, {Status: 500}, {Status: 503, AfterWork: true},
			{Drop: true}, {Drop: true, AfterWork: true}, {DropMidHeaders: true, AfterWork: true}, {DropAfter: true},
			{TruncateAt: new(20)}, {StallAt: new(20)}, {Delay: time.Hour}, {Delay: time.Hour, AfterWork: true},
			{Body: "<html>", ContentType: "text/html", AfterWork: true}, {Status: 302, Header: http.Header{"Location": {"/"}}}, {Status: 403},
		} {
			fault.Times, fault.Chance = -1, 0.024
			server.Inject(fault)
		}
		client := newClient(t, server)

		var mu sync.Mutex
		results := map[told]map[string]string{made: {}, notMade: {}, unknown: {}} // name or id → what came of it
		revoked := map[string]error{}
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				for i := w; i < calls; i += workers {
					name := fmt.Sprintf("%d", i)
					switch i % 4 {
					case 0, 1:
						key, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: name})
						_, isUnknown := errors.AsType[*orgkeys.UnknownOutcomeError](err)
						mu.Lock()
						switch {
						case err == nil:
							results[made][name] = key.ID
						case isUnknown:
							results[unknown][name] = ""
						default:
							results[notMade][name] = ""
						}
						mu.Unlock()
					case 2:
						id := fmt.Sprintf("key_%d", i/4)
						_, err := client.ProjectKeys.Delete(t.Context(), project, id)
						mu.Lock()
						revoked[id] = err
						mu.Unlock()
					case 3:
						id := fmt.Sprintf("key_%d", (i+calls/2)/4%(calls/4))
						if key, err := client.ProjectKeys.Get(t.Context(), project, id); err == nil {
							assert.Equal(t, id, key.ID)
						}
					}
				}
			})
		}
		group.Wait()

		there := map[string][]string{}
		for _, key := range server.AdminKeys() {
			there[*key.Name] = append(there[*key.Name], key.ID)
		}
		for name, id := range results[made] {
			assert.Equal(t, []string{id}, there[name])
		}
		for name := range results[notMade] {
			assert.Empty(t, there[name])
		}
		orphans := 0
		for name := range results[unknown] {
			require.LessOrEqual(t, len(there[name]), 1)
			orphans += len(there[name])
		}
		assert.Equal(t, calls/2, len(results[made])+len(results[notMade])+len(results[unknown]))
		assert.Equal(t, server.KeysCreated(), len(results[made])+orphans)

		alive := map[string]bool{}
		for _, key := range server.ProjectKeys(project) {
			alive[key.ID] = true
		}
		gone := 0
		for id, err := range revoked {
			if err == nil {
				gone++
				assert.False(t, alive[id], "%s was reported as revoked", id)
			} else {
				assert.False(t, errors.Is(err, orgkeys.ErrNotFound), "%s was there: %v", id, err)
			}
		}
		faulted := 0
		for _, request := range server.Requests() {
			if request.Faulted {
				faulted++
			}
		}
		t.Logf("%d requests, %d faulted; %d made, %d not made, %d unknown of which %d are there; %d of %d revoked",
			len(server.Requests()), faulted, len(results[made]), len(results[notMade]), len(results[unknown]), orphans, gone, len(revoked))
	})
}
