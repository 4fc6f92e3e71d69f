package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// report is the result of a run.
type report struct {
	Checked    int        `json:"checked"`    // exchanges that were validated
	Skipped    int        `json:"skipped"`    // exchanges that are not calls of an operation in the contract
	NoResponse int        `json:"noResponse"` // calls without a response
	Failed     bool       `json:"failed"`     // whether any violation fails
	Exchanges  []exchange `json:"-"`
	Findings   []finding  `json:"violations"`

	failing []speccheck.Kind
}

// exchange is a validated request with its response.
type exchange struct {
	File      string `json:"file,omitempty"`  // "" for the proxy
	Number    int    `json:"entry,omitempty"` // the number of the entry in the HAR file, or of the request to the proxy, from 1
	Operation string `json:"-"`
	findings  []finding
}

// finding is a violation in an exchange.
type finding struct {
	exchange
	speccheck.Violation
	Fails bool `json:"fails"`
}

// add adds an exchange and its violations.
func (r *report) add(e exchange, found []speccheck.Violation) {
	for _, v := range found {
		fails := slices.Contains(r.failing, v.Kind)
		r.Failed = r.Failed || fails
		e.findings = append(e.findings, finding{exchange: e, Violation: v, Fails: fails})
	}
	r.Checked++
	r.Exchanges = append(r.Exchanges, e)
	r.Findings = append(r.Findings, e.findings...)
}

// place returns where the exchange was recorded, for messages.
func (e exchange) place() string {
	switch {
	case e.File == "":
		return fmt.Sprintf("exchange %d", e.Number)
	case e.Number == 0:
		return e.File
	default:
		return fmt.Sprintf("%s entry %d", e.File, e.Number)
	}
}

func (r *report) summary() string {
	violations, notes := 0, 0
	for _, f := range r.Findings {
		if f.Fails {
			violations++
		} else {
			notes++
		}
	}
	return fmt.Sprintf("checked %d, %s: %s, %s", r.Checked, r.notChecked(), count(violations, "violation"), count(notes, "note"))
}

// notChecked returns the numbers of exchanges that were not validated.
func (r *report) notChecked() string {
	text := fmt.Sprintf("skipped %d", r.Skipped)
	if r.NoResponse > 0 {
		text += fmt.Sprintf(", no response %d", r.NoResponse)
	}
	return text
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

var formats = map[string]func(io.Writer, *report) error{
	"text":   writeText,
	"json":   writeJSON,
	"github": writeGitHub,
	"junit":  writeJUnit,
}

func writeText(w io.Writer, r *report) error {
	var text strings.Builder
	for _, f := range r.Findings {
		word := "note"
		if f.Fails {
			word = "FAIL"
		}
		fmt.Fprintf(&text, "%s %s: %v\n", word, f.place(), f.Violation)
	}
	fmt.Fprintln(&text, r.summary())
	_, err := io.WriteString(w, text.String())
	return err
}

func writeJSON(w io.Writer, r *report) error {
	if r.Findings == nil {
		r.Findings = []finding{}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// These characters have a meaning in properties and messages of workflow commands.
var (
	escapeMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func writeGitHub(w io.Writer, r *report) error {
	var text strings.Builder
	for _, f := range r.Findings {
		command := "notice"
		if f.Fails {
			command = "error"
		}
		file := ""
		if f.File != "" {
			file = "file=" + escapeProperty.Replace(f.File) + ","
		}
		fmt.Fprintf(&text, "::%s %stitle=%s::%s\n", command, file, escapeProperty.Replace("speccheck: "+string(f.Kind)), escapeMessage.Replace(f.place()+": "+f.String()))
	}
	fmt.Fprintln(&text, r.summary())
	_, err := io.WriteString(w, text.String())
	return err
}

type (
	junitSuites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suite    junitSuite
	}
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure"` // one at most, since most readers show only the first
		Notes   string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes each exchange as a test case.
func writeJUnit(w io.Writer, r *report) error {
	suite := junitSuite{Name: "speccheck", Tests: r.Checked}
	for _, e := range r.Exchanges {
		test := junitCase{Class: "speccheck", Name: e.place()}
		if e.Operation != "" {
			test.Class += "." + e.Operation
		}
		var failures, notes []string
		for _, f := range e.findings {
			if !f.Fails {
				notes = append(notes, f.String())
				continue
			}
			failures = append(failures, f.String())
			if test.Failure == nil {
				suite.Failures++
				test.Failure = &junitFailure{Type: string(f.Kind)}
			}
		}
		if test.Failure != nil {
			test.Failure.Message = count(len(failures), "violation")
			test.Failure.Text = strings.Join(failures, "\n")
		}
		test.Notes = strings.Join(notes, "\n")
		suite.Cases = append(suite.Cases, test)
	}
	text, err := xml.MarshalIndent(junitSuites{Tests: suite.Tests, Failures: suite.Failures, Suite: suite}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}
