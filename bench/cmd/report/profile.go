package main

import (
	"context"
	"fmt"
	"strings"
)

// shown is what a profile is broken down to: the project's own functions, and those of the
// standard library that they call. What either calls in turn is counted as theirs.
const shown = `^github.com/orgkeys/orgkeys-go/(wrapper|gen|apitype|internal)|^github.com/orgkeys/orgkeys-go/bench/responses.*RoundTrip$|` +
	`^net/http\.(NewRequest|\(\*Request\))|^context\.(With|AfterFunc)|^time\.(AfterFunc|Now|newTimer)|^encoding/json\.`

// maxRows is how many functions of a profile are shown.
const maxRows = 10

// profileRow is the share of a call's time that is spent in a function.
type profileRow struct{ Share, Function string }

// readProfile returns the functions in which a call spends most of its time.
func readProfile(ctx context.Context, call string) ([]profileRow, error) {
	text, err := command(ctx, ".", "go", "tool", "pprof", "-top", fmt.Sprintf("-nodecount=%d", maxRows),
		"-focus=/wrapper", "-show="+shown, newestFile+".test", profileFile(call))
	if err != nil {
		return nil, err
	}
	return readTop(text)
}

// readTop reads the rows of pprof's report, such as
//
//	flat  flat%   sum%        cum   cum%
//	80ms 12.50% 12.50%      100ms 15.62%  net/http.NewRequestWithContext (inline)
func readTop(text string) (rows []profileRow, err error) {
	_, table, found := strings.Cut(text, "cum%\n")
	if !found {
		return nil, fmt.Errorf("not a report of pprof: %.200q", text)
	}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 6 || !strings.HasSuffix(fields[1], "%") {
			return nil, fmt.Errorf("not a line of pprof's report: %q", line)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(fields[5], sdkModule+"/"), "[")
		rows = append(rows, profileRow{strings.Replace(fields[1], "%", " %", 1), name})
	}
	return rows, nil
}
