package main

import (
	"flag"
	"fmt"
	"html"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

var update = flag.Bool("update", false, "write the picture of the demo")

//go:generate go test . -run ^TestPicture$ -update
const picture = "../../docs/demo.svg"

// output returns what the demo prints, in virtual time.
func output(t *testing.T, color bool) (text string) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
		var out strings.Builder
		require.NoError(t, run(t.Context(), orgkeystest.New(t, orgkeystest.InMemory()), &screen{&out, color}))
		text = out.String()
	})
	return text
}

func TestOutput(t *testing.T) {
	text := output(t, false)
	assert.NotContains(t, text, "\x1b")
	assert.NotRegexp(t, `sk-\w+-\w`, text)
	assert.Contains(t, text, "keys created: 1\n")
	assert.Contains(t, text, "620 deleted, 0 failed")
	for _, operation := range []string{"AdminKeys.Create", "AdminKeys.All", "ServiceAccounts.Create", "ServiceAccounts.All",
		"ProjectKeys.Get", "ProjectKeys.Update", "ProjectKeys.Delete", "AdminKeys.FindCreated"} {
		assert.Contains(t, text, "\n  "+operation+" ")
	}
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), columns, line)
	}
}

// TestPicture compares docs/demo.svg with the output of the demo, except for what differs between runs.
// go generate writes the file if it differs.
func TestPicture(t *testing.T) {
	want := output(t, true)
	committed, err := os.ReadFile(picture)
	svg := strings.ReplaceAll(string(committed), "\r\n", "\n")
	if got := parse(svg); *update && (stable(want) != stable(got) || render(got) != svg) {
		svg, err = render(want), os.WriteFile(picture, []byte(render(want)), 0o600)
	}
	require.NoError(t, err)
	assert.Equal(t, stable(want), stable(parse(svg)), "run go generate ./examples/quickstart")
	assert.Equal(t, render(parse(svg)), svg, "run go generate ./examples/quickstart")
}

// stable masks the random ids, and the progress, which depends on how many of the concurrent
// requests are in flight when the first one is refused.
func stable(text string) string {
	text = regexp.MustCompile(`key_[A-Z2-7]{26}|\*+\w{4}`).ReplaceAllString(text, "ID")
	text = regexp.MustCompile(`(?m)^.*after .* wait for their turn.*\n`).ReplaceAllString(text, "")
	return regexp.MustCompile(`after \d+ s|\d+ of \d+ requests`).ReplaceAllString(text, "N")
}

const (
	columns    = 100
	lineHeight = 19
)

// colors are the styles of the picture, by the parameter of the escape sequence that selects them.
var colors = map[string]string{plain: "fill:#d4d7dd", bold: "fill:#fff;font-weight:bold", gray: "fill:#8d95a5", red: "fill:#ff8f80", green: "fill:#7ddc8c"}

// render returns an SVG of a terminal that contains the text.
func render(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	width, height := columns*8+32, len(lines)*lineHeight+56
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>The output of make demo</title>\n<style>text{white-space:pre}")
	for _, color := range slices.Sorted(maps.Keys(colors)) {
		fmt.Fprintf(&b, ".c%s{%s}", color, colors[color])
	}
	fmt.Fprintf(&b, "</style>\n<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#1b1f27\" stroke=\"#454c59\"/>\n", width, height)
	for i, fill := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, "<circle cx=\"%d\" cy=\"18\" r=\"5\" fill=\"%s\"/>\n", 20+18*i, fill)
	}
	for i, line := range lines {
		color := plain
		if style := regexp.MustCompile("^\x1b\\[(\\d+)m(.*)\x1b\\[0m$").FindStringSubmatch(line); style != nil {
			color, line = style[1], style[2]
		}
		fmt.Fprintf(&b, "<text x=\"16\" y=\"%d\" class=\"c%s\">%s</text>\n", 50+i*lineHeight, color, html.EscapeString(line))
	}
	return b.String() + "</svg>\n"
}

// parse returns the text that render got.
func parse(svg string) string {
	text := "\n"
	for _, line := range regexp.MustCompile(`<text .* class="c(\d+)">(.*)</text>`).FindAllStringSubmatch(svg, -1) {
		if line[1] != plain {
			line[2] = "\x1b[" + line[1] + "m" + line[2] + "\x1b[0m"
		}
		text += html.UnescapeString(line[2]) + "\n"
	}
	return text
}
