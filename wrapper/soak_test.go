package orgkeys_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
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
