package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the audit, as JSON has it. What is null there is not known to have happened, or
// never will.
type report struct {
	At           time.Time `json:"at"`
	Keys         int       `json:"keys"`
	UnusedDays   int       `json:"unused_days"`
	ExpiringDays int       `json:"expiring_days"`
	// ExpiryTold is false where the server does not say when keys expire. Then nothing is
	// found against a key for its expiry.
	ExpiryTold bool      `json:"expiry_told"`
	Findings   []finding `json:"findings"`
}

// finding is a key that something is to be said against.
type finding struct {
	ID         string     `json:"id"`
	Name       *string    `json:"name"`
	Owner      *string    `json:"owner"`
	OwnerID    *string    `json:"owner_id"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Reasons    []reason   `json:"reasons"`
}

func (r report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r report) table(w io.Writer) error {
	unlimited := "never"
	if !r.ExpiryTold {
		unlimited = "not told"
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tNAME\tOWNER\tCREATED\tLAST USED\tEXPIRES\tFOUND")
	for _, f := range r.Findings {
		reasons := make([]string, len(f.Reasons))
		for i, reason := range f.Reasons {
			reasons[i] = string(reason)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, quoted(f.Name), quoted(cmp.Or(f.Owner, f.OwnerID)),
			date(&f.CreatedAt, ""), date(f.LastUsedAt, "never"), date(f.ExpiresAt, unlimited), strings.Join(reasons, ", "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d of %d admin keys need a look (unused for %d days, expiring within %d)\n",
		len(r.Findings), r.Keys, r.UnusedDays, r.ExpiringDays)
	if err == nil && !r.ExpiryTold {
		_, err = fmt.Fprintln(w, "This server does not say when keys expire.")
	}
	return err
}

// quoted keeps what people have called things from moving a terminal's cursor.
func quoted(name *string) string {
	if name == nil {
		return "-"
	}
	return strconv.Quote(*name)
}

func date(t *time.Time, absent string) string {
	if t == nil {
		return absent
	}
	return t.Format(time.DateOnly)
}
