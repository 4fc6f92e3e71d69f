// Package bench measures what stands between a caller and the socket: orgkeys, and the three
// other ways to make the same calls, on the same bytes.
package bench

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/orgkeys/orgkeys-go/bench/answers"
)

// cases are the calls that are timed. do makes one.
var cases = []struct {
	name       string
	goroutines int
	do         func(context.Context, contender) error
}{
	{"get", 1, get},
	{"create", 1, func(ctx context.Context, c contender) error {
		_, err := c.create(ctx)
		return err
	}},
	{"page-100", 1, func(ctx context.Context, c contender) error {
		_, err := c.page(ctx)
		return err
	}},
	{"iterate-10000", 1, func(ctx context.Context, c contender) error {
		s, err := c.iterate(ctx, nil)
		if err == nil && s.keys != answers.Total {
			panic("not all keys were seen")
		}
		return err
	}},
	{"get-16-goroutines", 16, get},
	{"error-404", 1, func(ctx context.Context, c contender) error {
		_, err := c.get(ctx, answers.MissingKeyID)
		if r, ok := c.refusal(err); ok && r.Status == http.StatusNotFound {
			return nil
		}
		return err
	}},
}

func get(ctx context.Context, c contender) error {
	_, err := c.get(ctx, answers.ProjectKeyID)
	return err
}

// BenchmarkAlone has no network: what is left is the client's own cost.
func BenchmarkAlone(b *testing.B) {
	api := answers.New(answers.Total)
	benchmark(b, answers.BaseURL, api)
}

// BenchmarkLoopback has a server in the same process, which takes its share of the time and of
// the allocations, the same for each contender.
func BenchmarkLoopback(b *testing.B) {
	server := answers.New(answers.Total).Serve()
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
					if err := call.do(b.Context(), c); err != nil { // fills pools and caches
						b.Fatal(err)
					}
					b.ReportAllocs()
					if call.goroutines == 1 {
						for b.Loop() {
							if err := call.do(b.Context(), c); err != nil {
								b.Fatal(err)
							}
						}
						return
					}
					b.ResetTimer()
					concurrently(b, call.goroutines, func() error { return call.do(b.Context(), c) })
				})
			}
		})
	}
}

// concurrently makes b.N calls by so many goroutines together.
func concurrently(b *testing.B, goroutines int, do func() error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
