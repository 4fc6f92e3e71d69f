package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// key identifies a figure by the benchmark, the client and the unit.
type key struct{ name, client, unit string }

// data contains the values of each figure, and the configuration lines of the files.
type data struct {
	values      map[key][]float64
	environment map[string]string
}

// read reads files in the format of Go's benchmarks. The name of a benchmark is the part before
// "/client=".
func read(files ...string) (data, error) {
	d := data{values: map[key][]float64{}, environment: map[string]string{}}
	results := benchfmt.Files{Paths: files}
	for results.Scan() {
		switch r := results.Result().(type) {
		case *benchfmt.SyntaxError:
			return d, r
		case *benchfmt.Result:
			name, rest, found := strings.Cut(r.Name.String(), "/client=")
			if !found {
				return d, fmt.Errorf("benchmark %s has no client", r.Name)
			}
			client := strings.TrimRight(rest, "0123456789") // GOMAXPROCS
			client = strings.TrimSuffix(client, "-")
			for _, v := range r.Values {
				k := key{name, client, cmp.Or(v.OrigUnit, v.Unit)}
				d.values[k] = append(d.values[k], cmp.Or(v.OrigValue, v.Value))
			}
			for _, c := range r.Config {
				d.environment[c.Key] = string(c.Value)
			}
		}
	}
	return d, results.Err()
}

// median returns the median of a figure. It panics if the figure was not measured.
func (d data) median(name, client, unit string) float64 {
	v := slices.Sorted(slices.Values(d.values[key{name, client, unit}]))
	if len(v) == 0 {
		panic(fmt.Sprintf("there is no %s of %s for %s", unit, name, client))
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// scatter returns half of the interquartile range of a figure, divided by its median.
func (d data) scatter(name, client, unit string) float64 {
	v := slices.Sorted(slices.Values(d.values[key{name, client, unit}]))
	return (v[len(v)*3/4] - v[len(v)/4]) / 2 / d.median(name, client, unit)
}

// ratio returns the median of client divided by that of base.
func (d data) ratio(name, client, base, unit string) float64 {
	return d.median(name, client, unit) / d.median(name, base, unit)
}
