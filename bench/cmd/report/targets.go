package main

import (
	"fmt"
	"math"
)

const (
	sdk      = "orgkeys"
	hand     = "hand-written"
	official = "official"
)

// calls are the cases of the benchmarks, with their titles in the results, and with the targets for
// the time and the allocations of orgkeys relative to the hand-written client. Allocations have
// a target for each release, since the encoding/json of the newest one allocates less.
var calls = []struct {
	name, title                      string
	time, allocated, allocatedNewest float64
}{
	{"get", "get one project key", 1, 1, 1},
	{"create", "create an admin key", 1, 1, 1},
	{"page-100", "a page of 100 admin keys", 0.6, 0.5, 0.7},
	{"iterate-10000", "iterate 10,000 keys in pages of 100", 0.6, 0.5, 0.7},
	{"get-16-goroutines", "16 goroutines getting keys", 1, 1, 1},
	{"error-404", "an error response", 1, 1, 1},
}

// bulkCases are the cases of the simulation of bulk work under a rate limit.
var bulkCases = []struct{ Name, Title string }{
	{"Bulk/workers=1/hint=false", "1 worker, no hint"},
	{"Bulk/workers=8/hint=false", "8 workers, no hint"},
	{"Bulk/workers=64/hint=false", "64 workers, no hint"},
	{"Bulk/workers=1/hint=true", "1 worker, Retry-After"},
	{"Bulk/workers=8/hint=true", "8 workers, Retry-After"},
	{"Bulk/workers=64/hint=true", "64 workers, Retry-After"},
}

// ofOfficial is the target for the time of orgkeys relative to the official SDK.
const ofOfficial = 0.35

// target is a figure and its largest allowed value.
type target struct {
	Figure       string
	value, limit float64
	digits       int // decimals that are printed
}

// Reached reports whether the value is at most the limit, both rounded as they are printed.
func (t target) Reached() bool {
	unit := math.Pow10(-t.digits)
	return math.Round(t.value/unit) <= math.Round(t.limit/unit)
}

// Value returns the value as text, in bold if it is above the limit.
func (t target) Value() string {
	text := fmt.Sprintf("%.*f", t.digits, t.value)
	if !t.Reached() {
		return "**" + text + "**"
	}
	return text
}

// Limit returns the limit as text.
func (t target) Limit() string { return fmt.Sprintf("%.*f", t.digits, t.limit) }

// callTargets are the targets of one call without a network, with the installed release and with
// the newest: its time and allocations relative to the hand-written client, and its time relative
// to the official SDK.
type callTargets struct {
	Title   string
	Figures []target
}

func targetsOfCalls(d, newest data) []callTargets {
	installedGo, newestGo := d.environment["go"], newest.environment["go"]
	var targets []callTargets
	for _, c := range calls {
		name := "Alone/" + c.name
		targets = append(targets, callTargets{c.title, []target{
			{"time, of hand-written, " + installedGo, d.ratio(name, sdk, hand, "ns/op"), c.time, 2},
			{"time, of hand-written, " + newestGo, newest.ratio(name, sdk, hand, "ns/op"), c.time, 2},
			{"allocations, of hand-written, " + installedGo, d.ratio(name, sdk, hand, "allocs/op"), c.allocated, 2},
			{"allocations, of hand-written, " + newestGo, newest.ratio(name, sdk, hand, "allocs/op"), c.allocatedNewest, 2},
			{"time, of the official SDK, " + installedGo, d.ratio(name, sdk, official, "ns/op"), ofOfficial, 2},
			{"time, of the official SDK, " + newestGo, newest.ratio(name, sdk, official, "ns/op"), ofOfficial, 2},
		}})
	}
	return targets
}

// targetsOfProgram returns the targets of a whole program.
func targetsOfProgram(d data) []target {
	heapRatio := d.median(heap(100_000), sdk, "peak-B") / d.median(heap(1_000), sdk, "peak-B")
	return []target{
		{"binary, of hand-written", d.ratio("Footprint", sdk, hand, "binary-B"), 1.10, 2},
		{"CPU time of a cold build, of hand-written", d.ratio("Build", sdk, hand, "cpu-s"), 1.15, 2},
		{"requirements in its go.mod", d.median("Footprint", sdk, "requirements"), 3, 0},
		{"peak heap iterating 100,000 keys, of that iterating 1,000", heapRatio, 1, 2},
	}
}

// lengths are the lengths of the lists in the benchmarks Growth and Heap.
var lengths = []int{100, 1_000, 10_000, 100_000}

func heap(keys int) string   { return fmt.Sprintf("Heap/keys=%d", keys) }
func growth(keys int) string { return fmt.Sprintf("Growth/keys=%d", keys) }

// missedTarget is a target that was not reached.
type missedTarget struct {
	Title string
	target
}

func missed(d, newest data) (all []missedTarget) {
	for _, c := range targetsOfCalls(d, newest) {
		for _, t := range c.Figures {
			if !t.Reached() {
				all = append(all, missedTarget{c.Title, t})
			}
		}
	}
	for _, t := range targetsOfProgram(d) {
		if !t.Reached() {
			all = append(all, missedTarget{"a program with the six calls", t})
		}
	}
	return all
}
