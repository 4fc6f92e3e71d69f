package orgkeys_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// TestCreate_Soak makes 24,000 creates against drops, resets, refused dials, 429s and short
// deadlines, over HTTP/1.1 and HTTP/2, and compares what the server created with what each
// caller was told.
func TestCreate_Soak(t *testing.T) {
	if testing.Short() {
		t.Skip("24,000 creates")
	}
	const workers = 16
	for _, row := range []struct {
		protocol string
		calls    int // over HTTP/2 fewer, since most creates make a TLS handshake
		options  []orgkeystest.Option
	}{{"HTTP1", 22_000, nil}, {"HTTP2", 2_000, []orgkeystest.Option{orgkeystest.WithHTTP2()}}} {
		t.Run(row.protocol, func(t *testing.T) {
			calls := row.calls
			server := orgkeystest.New(t, append(row.options, orgkeystest.SkipResponseChecks())...)
			for _, fault := range []orgkeystest.Fault{
				{Status: 429, Header: http.Header{"Retry-After-Ms": {"1"}}}, {Drop: true}, {Drop: true, AfterWork: true},
				{Drop: true, Reset: true}, {Drop: true, Reset: true, AfterWork: true}, {TruncateAt: new(20), Reset: true},
				{Status: 503, AfterWork: true}, {Status: 500}, {Status: 403}, {Body: "<html>", AfterWork: true},
				{Delay: 20 * time.Millisecond, AfterWork: true},
			} {
				fault.Times, fault.Chance = -1, 0.02
				server.Inject(fault)
			}
			transport := server.Client().Transport.(*http.Transport).Clone()
			if tlsConfig := transport.TLSClientConfig; tlsConfig != nil { // cheaper handshakes
				tlsConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
				tlsConfig.CurvePreferences = []tls.CurveID{tls.X25519}
			}
			transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if rand.N(10) == 0 {
					return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
				}
				return server.Dial(ctx, network, addr)
			}
			defer transport.CloseIdleConnections()
			var mu sync.Mutex
			told := map[string]createResult{}
			counts := map[createResult]int{}
			unsent := 0
			var group sync.WaitGroup
			for w := range workers {
				group.Go(func() {
					for i := w; i < calls; i += workers {
						ctx, cancel := context.WithCancel(t.Context())
						if i%8 == 0 {
							ctx, cancel = context.WithTimeout(t.Context(), rand.N(4*time.Millisecond))
						}
						// A client of its own: the rate that the 429s of other calls let a client find is
						// far below that of the test.
						client := newClient(t, server, orgkeys.WithHTTPClient(&http.Client{Transport: transport}),
							orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 2, BaseDelay: time.Millisecond, MaxWait: 5 * time.Millisecond}))
						name := fmt.Sprintf("n%d", i)
						_, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: name})
						cancel()
						mu.Lock()
						told[name] = resultOf(err)
						counts[resultOf(err)]++
						if errors.Is(err, orgkeys.ErrNotSent) {
							unsent++
							assert.Equal(t, notCreated, resultOf(err), "%v", err)
						}
						mu.Unlock()
					}
				})
			}
			group.Wait()
			transport.CloseIdleConnections()
			server.Close() // no request is at work any more

			existing := map[string]int{}
			for _, key := range server.AdminKeys() {
				existing[*key.Name]++
			}
			total := 0
			for name, result := range told {
				n := existing[name]
				total += n
				ok := n <= 1 && (result == isUnknown || (n == 1) == (result == created))
				assert.True(t, ok, "%s: %d keys, the caller was told %s", name, n, result)
			}
			assert.Len(t, told, calls)
			assert.Equal(t, server.KeysCreated(), total)
			t.Logf("%v, %d not sent", counts, unsent)
			assert.Greater(t, counts[created], calls/4)
			assert.Greater(t, counts[isUnknown], calls/20)
			assert.Greater(t, counts[notCreated], calls/100)
			assert.Greater(t, unsent, 0)
			assert.Less(t, unsent, calls/4)
		})
	}
}

// soakCall is a call of TestRateLimit_Soak, and what its caller learned.
type soakCall struct {
	operation string
	name, id  string // of what it creates, and of the project key that is its own
	err       error
	info      orgkeys.CallInfo
}

// do makes the call. It returns an error, too, if a list without an error lacks one of existing.
func (c *soakCall) do(ctx context.Context, client *orgkeys.Client, existing []string) error {
	var listed []string
	switch c.operation {
	case "admin-api-keys-create":
		return errorOf(client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: c.name}))
	case "create-project-service-account":
		return errorOf(client.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{Name: c.name}))
	case "retrieve-project-api-key":
		return errorOf(client.ProjectKeys.Get(ctx, project, c.id))
	case "update-project-api-key":
		return errorOf(client.ProjectKeys.Update(ctx, project, c.id, orgkeys.ProjectKeyUpdateParams{Scopes: &[]string{c.name}}))
	case "delete-project-api-key":
		return errorOf(client.ProjectKeys.Delete(ctx, project, c.id))
	case "admin-api-keys-list":
		for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{Limit: new(100)}) {
			if err != nil {
				return err
			}
			listed = append(listed, key.ID)
		}
	case "list-project-service-accounts":
		for account, err := range client.ServiceAccounts.All(ctx, project, orgkeys.ServiceAccountListParams{Limit: new(100)}) {
			if err != nil {
				return err
			}
			listed = append(listed, account.ID)
		}
	}
	found := 0
	for _, id := range listed {
		if slices.Contains(existing, id) {
			found++
		}
	}
	if found != len(existing) {
		return fmt.Errorf("the list has %d of %d items that existed all the time", found, len(existing))
	}
	return nil
}

func (c *soakCall) isList() bool { return strings.Contains(c.operation, "list") }

// TestRateLimit_Soak has 64 goroutines call every operation of a client, while limits come and
// go, connections break, calls are cancelled and deadlines pass. Each call has to end, and what
// it returns has to agree with what the server did.
func TestRateLimit_Soak(t *testing.T) { synctest.Test(t, soakEveryOperation) }

func soakEveryOperation(t *testing.T) {
	const workers, rounds = 64, 25
	server := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.SkipResponseChecks())
	server.AddAdminKeys(30)
	existing := map[string][]string{}
	for _, key := range server.AdminKeys() {
		existing["admin-api-keys-list"] = append(existing["admin-api-keys-list"], key.ID)
	}
	for i := range 30 {
		account := server.AddServiceAccount(project, fmt.Sprintf("account %d", i))
		existing["list-project-service-accounts"] = append(existing["list-project-service-accounts"], account.ID)
	}
	for _, fault := range []orgkeystest.Fault{
		{Drop: true}, {Drop: true, AfterWork: true}, {Status: 503}, {TruncateAt: new(5)},
		{Delay: 3 * time.Second}, {Delay: 3 * time.Second, AfterWork: true},
	} {
		fault.Times, fault.Chance = -1, 0.02
		server.Inject(fault)
	}
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = -1 // each request dials
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if rand.N(10) == 0 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}
		return server.Dial(ctx, network, addr)
	}
	client := newClient(t, server, orgkeys.WithHTTPClient(&http.Client{Transport: transport}),
		orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 10})) // so that no call fails in all attempts

	var group sync.WaitGroup
	group.Go(func() {
		for i := range 25 {
			server.SetRateLimit([]orgkeystest.RateLimit{
				{PerMinute: 60, Algorithm: orgkeystest.SlidingWindow},
				{PerMinute: 20, Algorithm: orgkeystest.FixedWindow, RetryAfter: true},
				{},
				{PerMinute: 30, Algorithm: orgkeystest.TokenBucket},
				{PerMinute: 100, Algorithm: orgkeystest.SlidingWindow, Headers: true},
			}[i%5])
			time.Sleep(20 * time.Second)
		}
		server.SetRateLimit(orgkeystest.RateLimit{})
	})
	all := make([]soakCall, workers*rounds)
	ids := server.AddProjectKeys(project, len(all))
	for w := range workers {
		group.Go(func() {
			for round := range rounds {
				i := w*rounds + round
				c := &all[i]
				*c = soakCall{operation: calls[w%len(calls)].operation, name: fmt.Sprintf("n%d", i), id: ids[i]}
				ctx, cancel := context.WithCancel(t.Context())
				switch rand.N(5) {
				case 0:
					ctx, cancel = context.WithTimeout(ctx, rand.N(20*time.Second))
				case 1:
					time.AfterFunc(rand.N(10*time.Second), cancel)
				}
				ctx = orgkeys.WithHeader(orgkeys.WithCallInfo(ctx, &c.info), fmt.Sprintf("X-Call-%d", i), "1")
				c.err = c.do(ctx, client, existing[c.operation])
				cancel()
				time.Sleep(rand.N(time.Second))
			}
		})
	}
	group.Wait()
	time.Sleep(time.Minute) // the server notices the connections that the last calls closed

	requests, limited := map[string]int{}, map[string]int{} // by the header that names the call, by operation
	for _, r := range server.Requests() {
		if r.Status == http.StatusTooManyRequests {
			limited[r.Operation]++
		}
		for _, name := range r.Header {
			requests[name]++
		}
	}
	exists := map[string]int{} // by name or id
	for _, key := range server.AdminKeys() {
		exists[*key.Name]++
	}
	for _, account := range server.ServiceAccounts(project) {
		exists[account.Name]++
	}
	for _, key := range server.ProjectKeys(project) {
		exists[key.ID]++
	}
	ends, keys := map[string]map[string]int{}, 0
	for i, c := range all {
		n := requests[fmt.Sprintf("X-Call-%d", i)]
		end := "other"
		switch unsent := errors.Is(c.err, orgkeys.ErrNotSent); {
		case c.err == nil:
			end = "done"
			assert.Positive(t, n, "%s was done without a request", c.operation)
		case resultOf(c.err) == isUnknown:
			end = "unknown"
			assert.False(t, unsent, "%v", c.err)
		case unsent && !c.isList(): // the error of a list is that of its last page
			end = "not sent"
			assert.Zero(t, n, "%s: %v", c.operation, c.err)
		case errors.Is(c.err, context.Canceled), errors.Is(c.err, context.DeadlineExceeded):
			end = "context"
		}
		if ends[c.operation] == nil {
			ends[c.operation] = map[string]int{}
		}
		ends[c.operation][end]++
		if end == "other" {
			t.Logf("%s: %v", c.operation, c.err)
		}
		switch {
		case c.isList():
		case strings.Contains(c.operation, "create"):
			keys += exists[c.name]
			assert.LessOrEqual(t, exists[c.name], 1, "%s of %s: %v", c.operation, c.name, c.err)
			if end != "unknown" {
				assert.Equal(t, c.err == nil, exists[c.name] == 1, "%s of %s: %v", c.operation, c.name, c.err)
			}
		case end == "done", end == "not sent": // any other error leaves open what a failed attempt did
			deleted := exists[c.id] == 0
			assert.Equal(t, end == "done" && c.operation == "delete-project-api-key", deleted, "%s: %v", c.operation, c.err)
			updated := slices.Equal([]string{c.name}, server.ProjectKeyScopes(project, c.id))
			assert.Equal(t, end == "done" && c.operation == "update-project-api-key", updated, "%s: %v", c.operation, c.err)
		}
		assert.True(t, c.isList() || n <= c.info.Attempts, "%s: %d requests, %d attempts", c.operation, n, c.info.Attempts)
	}
	assert.Equal(t, server.KeysCreated(), keys)
	for _, c := range calls {
		t.Log(c.operation, ends[c.operation], limited[c.operation], "times 429")
		assert.Positive(t, limited[c.operation], c.operation)
		assert.Zero(t, client.RateLimit(c.operation).Waiting, c.operation)
		assert.Greater(t, ends[c.operation]["done"], workers*rounds/len(calls)/2, c.operation)
		assert.Zero(t, ends[c.operation]["other"], c.operation)
		assert.Equal(t, c.create, ends[c.operation]["unknown"] > 0, c.operation)
	}
}
