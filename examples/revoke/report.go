package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// report writes what became of each key, and returns the exit status.
func report(w io.Writer, results []result) int {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROJECT\tKEY\tSTATUS\tNOTE")
	counts := make(map[status]int)
	for _, r := range results {
		counts[r.status]++
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.project, r.id, r.status, cmp.Or(r.note, "-"))
	}
	_ = table.Flush()
	var parts []string
	for _, s := range []status{gone, found, refused, notFound, unknown, untried} {
		if n := counts[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	fmt.Fprintf(w, "\n%d keys: %s\n", len(results), strings.Join(parts, ", "))
	if counts[gone]+counts[found] < len(results) {
		return 1
	}
	return 0
}
