// Package bench measures what stands between a caller and the socket: orgkeys, and the three
// other ways to make the same calls, on the same bytes.
package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/orgkeys/orgkeys-go/bench/responses"
)

// cases are the calls that are timed. do makes the one at index i.
var cases = []struct {
	name       string
	goroutines int
	do         func(ctx context.Context, c contender, i int) error
}{
	{"get", 1, get},
	{"create", 1, func(ctx context.Context, c contender, _ int) error {
		_, err := c.create(ctx)
		return err
	}},
	{"page-100", 1, func(ctx context.Context, c contender, i int) error {
		_, err := c.page(ctx, lastIDs[i%len(lastIDs)])
		return err
	}},
	{"iterate-10000", 1, func(ctx context.Context, c contender, _ int) error {
		s, err := c.iterate(ctx, nil)
		if err == nil && s.keys != responses.Total {
			return errors.New("not all keys were seen")
		}
		return err
	}},
	{"get-16-goroutines", 16, get},
	{"error-404", 1, func(ctx context.Context, c contender, _ int) error {
		_, err := c.get(ctx, responses.MissingKeyID)
		if r, ok := c.refusal(err); !ok || r.Status != http.StatusNotFound {
			return fmt.Errorf("not the refusal that was sent: %w", err)
		}
		return nil
	}},
}

func get(ctx context.Context, c contender, i int) error {
	_, err := c.get(ctx, keyIDs[i%len(keyIDs)])
	return err
}

// keyIDs are the ids of the project keys, lastIDs those of the last keys of all pages but the
// last.
var keyIDs, lastIDs = func() (keyIDs, lastIDs []string) {
	for i := range responses.Different {
		keyIDs = append(keyIDs, responses.KeyID(i))
	}
	for next := responses.PageSize; next < responses.Total; next += responses.PageSize {
		lastIDs = append(lastIDs, responses.KeyID(next-1))
	}
	return keyIDs, lastIDs
}()

// BenchmarkAlone has no network: what is left is the client's own cost.
func BenchmarkAlone(b *testing.B) {
	api := responses.New(responses.Total)
	benchmark(b, responses.BaseURL, api)
}

// BenchmarkLoopback has a server in the same process, which takes its share of the time and of
// the allocations, the same for each contender.
func BenchmarkLoopback(b *testing.B) {
	server := responses.New(responses.Total).Serve()
	b.Cleanup(server.Close)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	b.Cleanup(transport.CloseIdleConnections)
	benchmark(b, server.URL+"/v1", transport)
}

func benchmark(b *testing.B, baseURL string, transport http.RoundTripper) {
	for _, call := range cases {
		b.Run(call.name, func(b *testing.B) {
			for _, made := range contenders {
				b.Run("client="+made.name, func(b *testing.B) {
					c, err := made.make(baseURL, transport)
					if err != nil {
						b.Fatal(err)
					}
					do := func(i int) {
						if err := call.do(b.Context(), c, i); err != nil {
							b.Error(err)
						}
					}
					do(0) // fills pools and caches
					b.ReportAllocs()
					if call.goroutines > 1 {
						b.ResetTimer()
						concurrently(call.goroutines, b.N, do)
						return
					}
					for i := 0; b.Loop(); i++ {
						do(i)
					}
				})
			}
		})
	}
}

// concurrently makes so many calls by so many goroutines together.
func concurrently(goroutines, calls int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < calls; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}
