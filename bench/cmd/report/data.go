package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// key names a figure: what was measured, of whom, in which unit.
type key struct{ name, client, unit string }

// data holds all values of each figure, and what the files say of the environment.
type data struct {
	values      map[key][]float64
	environment map[string]string
}

// read takes in files in the format of Go's benchmarks. A benchmark's name is the part before
// its client.
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

// median is the figure that counts; half of the values are above it.
func (d data) median(name, client, unit string) float64 {
	v := slices.Sorted(slices.Values(d.values[key{name, client, unit}]))
	if len(v) == 0 {
		panic(fmt.Sprintf("there is no %s of %s for %s", unit, name, client))
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// scatter is half of the range that the middle half of the values lies in, as a part of their
// median.
func (d data) scatter(name, client, unit string) float64 {
	v := slices.Sorted(slices.Values(d.values[key{name, client, unit}]))
	return (v[len(v)*3/4] - v[len(v)/4]) / 2 / d.median(name, client, unit)
}

// ratio is the median of client by that of base.
func (d data) ratio(name, client, base, unit string) float64 {
	return d.median(name, client, unit) / d.median(name, base, unit)
}
