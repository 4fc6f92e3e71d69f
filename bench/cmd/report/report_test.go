package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRead_Medians(t *testing.T) {
	d := dataOf(t, `goos: linux
cpu: a processor
BenchmarkAlone/get/client=hand-written-2    10    100 ns/op    64 B/op    4 allocs/op
BenchmarkAlone/get/client=orgkeys-2         10     90 ns/op    32 B/op    3 allocs/op
BenchmarkAlone/get/client=orgkeys-2         10     50 ns/op    32 B/op    3 allocs/op
BenchmarkAlone/get/client=orgkeys-2         10    900 ns/op    32 B/op    3 allocs/op
BenchmarkAlone/get/client=hand-written-2    10    140 ns/op    64 B/op    4 allocs/op
BenchmarkBuild/client=orgkeys               1     2.50 cpu-s   3 wall-s
`)
	assert.Equal(t, "a processor", d.environment["cpu"])
	for _, row := range []struct {
		name, client, unit string
		want               float64
	}{
		{"Alone/get", "orgkeys", "ns/op", 90},
		{"Alone/get", "hand-written", "ns/op", 120},
		{"Alone/get", "orgkeys", "allocs/op", 3},
		{"Build", "orgkeys", "cpu-s", 2.5},
	} {
		assert.InDelta(t, row.want, d.median(row.name, row.client, row.unit), 1e-9, row)
	}
	assert.InDelta(t, 0.75, d.ratio("Alone/get", "orgkeys", "hand-written", "ns/op"), 1e-9)
	assert.PanicsWithValue(t, "there is no ns/op of Alone/get for official", func() { d.median("Alone/get", "official", "ns/op") })
}

func TestTarget_ReachedComparesRoundedValues(t *testing.T) {
	for _, row := range []struct {
		value, limit float64
		digits       int
		reached      bool
		printed      string
	}{
		{0.6, 1, 2, true, "0.60"},
		{1, 1, 2, true, "1.00"},
		{1.004, 1, 2, true, "1.00"},
		{1.006, 1, 2, false, "**1.01**"},
		{0.354, 0.35, 2, true, "0.35"},
		{0.36, 0.35, 2, false, "**0.36**"},
		{6, 6, 0, true, "6"},
		{29, 6, 0, false, "**29**"},
	} {
		target := target{value: row.value, limit: row.limit, digits: row.digits}
		assert.Equal(t, row.reached, target.Reached(), row)
		assert.Equal(t, row.printed, target.Value(), row)
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{
		0.4567: "0.46", 4.567: "4.57", 45.67: "45.7", 456.7: "457", 4567.8: "4,568", 1234567: "1,234,567", 7: "7", 0: "0",
	} {
		assert.Equal(t, want, number(f))
	}
}

func TestBulkFigures(t *testing.T) {
	text, err := bulkFigures("=== RUN\n  BenchmarkBulk/workers=1/hint=true/client=orgkeys 1 0 failed 25 min\n  rate_limit_test.go:7: 144 settings: 0 calls lost\nPASS\n")
	require.NoError(t, err)
	assert.Equal(t, "144 settings: 0 calls lost", dataOf(t, text).environment["rate-limit-settings"])
	_, err = bulkFigures("PASS\n")
	assert.Error(t, err)
}

func TestReadTop(t *testing.T) {
	rows, err := readTop(`File: bench.test
Showing top 2 nodes out of 54
      flat  flat%   sum%        cum   cum%
      80ms 12.50% 12.50%      100ms 15.62%  net/http.NewRequestWithContext (inline)
      40ms  6.25% 18.75%      220ms 34.38%  github.com/orgkeys/orgkeys-go/wrapper.send[go.shape.struct { x int }]
`)
	require.NoError(t, err)
	assert.Equal(t, []profileRow{{"12.50 %", "net/http.NewRequestWithContext"}, {"6.25 %", "wrapper.send"}}, rows)
	_, err = readTop("profile is empty\n")
	assert.Error(t, err)
}

func TestReadInitTrace(t *testing.T) {
	got, err := readInitTrace(`init internal/bytealg @0.01 ms, 0.5 ms clock, 100 bytes, 2 allocs
2026/11/21 something else
init net/http @1.2 ms, 0.25 ms clock, 50 bytes, 1 allocs
`)
	require.NoError(t, err)
	assert.Equal(t, initialization{ms: 0.75, bytes: 150, allocs: 3}, got)
	_, err = readInitTrace("other output\n")
	assert.EqualError(t, err, "the output has no trace of initializations")
}

func TestResults_HaveEveryCallOfEveryClient(t *testing.T) {
	d := complete(t)
	text, err := results(d, d, "the statistics\n", map[string][]profileRow{"create": {{"12.50 %", "wrapper.send"}}})
	require.NoError(t, err)
	for _, c := range calls {
		// In the ratios, the calls alone with each release, over loopback, the two missed targets, and the profiles.
		assert.Equal(t, 7, strings.Count(text, "| "+c.title+" |"), c.title)
	}
	assert.Contains(t, text, "| get one project key | 0.50 (1.00) | 0.50 (1.00) | 0.50 (1.00) | 0.50 (1.00) | **0.50** (0.35) | **0.50** (0.35) |")
	assert.Contains(t, text, "| requirements in its go.mod | 1 | 3 |")
	assert.Contains(t, text, "| 64 workers, no hint | 2 of 200 | 2 | 1 of 200 | 1 |")
	assert.Contains(t, text, "144 settings: 0 calls lost.")
	assert.Contains(t, text, "the statistics")
	assert.Contains(t, text, "| create an admin key | time, of the official SDK, go1.26 | 0.35 | **0.50** |")
	assert.NotContains(t, text, "| 1.00 | **0.50** |", "a target that is reached is not listed as missed")
	assert.Contains(t, text, "| create an admin key | share |\n| --- | ---: |\n| `wrapper.send` | 12.50 % |")

	delete(d.environment, "go")
	_, err = results(d, d, "", nil)
	assert.ErrorContains(t, err, `map has no entry for key "go"`)

	picture, err := plot(d)
	require.NoError(t, err)
	decoder, bars := xml.NewDecoder(strings.NewReader(picture)), 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			bars++
		}
	}
	assert.Equal(t, 3+2*len(calls)*3, bars, "the legend, and two bars a call for each client except the hand-written one")
}

// complete returns data with all figures: 1 for orgkeys and 2 for the others. All footprints are 1.
func complete(t *testing.T) data {
	var b strings.Builder
	b.WriteString("goos: linux\ngoarch: amd64\ncpu: a processor\ncores: 2\ngo: go1.26\ncgo: 0\n" +
		"rate-limit-settings: 144 settings: 0 calls lost\norgkeys: v1\nopenai-go: v3\noapi-codegen: v2\noapi-codegen-runtime: v1\n")
	for _, client := range clients {
		value := 2
		if client == sdk {
			value = 1
		}
		line := func(name string, value int, units ...string) {
			fmt.Fprintf(&b, "Benchmark%s/client=%s 1", name, client)
			for _, unit := range units {
				fmt.Fprintf(&b, " %d %s", value, unit)
			}
			b.WriteString("\n")
		}
		for _, c := range calls {
			line("Alone/"+c.name, value, "ns/op", "B/op", "allocs/op")
			line("Loopback/"+c.name, value, "ns/op", "B/op", "allocs/op")
		}
		for _, keys := range lengths {
			line(growth(keys), value, "ns/key")
			line(heap(keys), value, "peak-B")
		}
		for _, c := range bulkCases {
			line(c.Name, value, "failed", "min")
		}
		line("Footprint", 1, "requirements", "modules", "linked-modules", "packages", "binary-B", "stripped-B")
		line("Build", 1, "cpu-s", "wall-s")
		line("Init", 1, "init-ms", "init-B", "init-allocs")
	}
	return dataOf(t, b.String())
}

func dataOf(t *testing.T, text string) data {
	file := filepath.Join(t.TempDir(), "bench.txt")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	d, err := read(file)
	require.NoError(t, err)
	return d
}
