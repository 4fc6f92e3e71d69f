// Package bench measures orgkeys and three other clients of the API. All make the same calls and
// receive the same bytes.
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

// cases are the calls that are timed. do makes the call with index i.
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
			return errors.New("the iteration did not visit all keys")
		}
		return err
	}},
	{"get-16-goroutines", 16, get},
	{"error-404", 1, func(ctx context.Context, c contender, _ int) error {
		_, err := c.get(ctx, responses.MissingKeyID)
		if e, ok := c.apiError(err); !ok || e.Status != http.StatusNotFound {
			return fmt.Errorf("not an error with status 404: %w", err)
		}
		return nil
	}},
}

func get(ctx context.Context, c contender, i int) error {
	_, err := c.get(ctx, keyIDs[i%len(keyIDs)])
	return err
}

// keyIDs are the ids of the project keys. lastIDs are the ids of the last key of each page except
// the last page.
var keyIDs, lastIDs = func() (keyIDs, lastIDs []string) {
	for i := range responses.Different {
		keyIDs = append(keyIDs, responses.KeyID(i))
	}
	for next := responses.PageSize; next < responses.Total; next += responses.PageSize {
		lastIDs = append(lastIDs, responses.KeyID(next-1))
	}
	return keyIDs, lastIDs
}()

// BenchmarkAlone measures the client's own cost: responses are returned without a network.
func BenchmarkAlone(b *testing.B) {
	api := responses.New(responses.Total)
	benchmark(b, responses.BaseURL, api)
}

// BenchmarkLoopback measures calls to a server in the same process. The server's time and
// allocations are part of the figures, and are the same for each contender.
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

// concurrently makes the given number of calls, spread over the given number of goroutines.
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
