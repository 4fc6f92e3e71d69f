package bench

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/orgkeys/orgkeys-go/bench/responses"
)

// lengths are the lengths of the lists that the benchmarks below iterate over.
var lengths = []int{100, 1_000, 10_000, 100_000}

// BenchmarkGrowth measures the time for each key when iterating over lists of different lengths.
func BenchmarkGrowth(b *testing.B) {
	growing(b, func(b *testing.B, c contender, keys int) {
		for b.Loop() {
			if s, err := c.iterate(b.Context(), nil); err != nil || s.keys != keys {
				b.Fatal(s, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*keys), "ns/key")
	})
}

// BenchmarkHeap measures the live heap, after a garbage collection, in the middle of each page. Its
// time is meaningless and reported as 0.
func BenchmarkHeap(b *testing.B) {
	growing(b, func(b *testing.B, c contender, keys int) {
		var peak uint64
		for b.Loop() {
			before, count := live(), 0
			_, err := c.iterate(b.Context(), func(responses.AdminKey) {
				if count++; count%responses.PageSize == responses.PageSize/2 {
					now := live()
					peak = max(peak, now-min(now, before))
				}
			})
			if err != nil || count != keys {
				b.Fatal(count, err)
			}
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(peak), "peak-B")
	})
}

// live returns the size of the live heap without the contents of pools, which the second garbage
// collection frees.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func growing(b *testing.B, measure func(b *testing.B, c contender, keys int)) {
	for _, keys := range lengths {
		if testing.Short() && keys > responses.Total {
			continue
		}
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			for _, made := range contenders {
				b.Run("client="+made.name, func(b *testing.B) {
					c, err := made.make(responses.BaseURL, responses.New(keys))
					if err != nil {
						b.Fatal(err)
					}
					if _, err := c.iterate(b.Context(), nil); err != nil { // fills pools and caches
						b.Fatal(err)
					}
					measure(b, c, keys)
				})
			}
		})
	}
}
