package main

import (
	"fmt"
	"strings"
	"text/template"
)

// The plot has a group of bars for each call, with one bar for each client: time on the left and
// allocations on the right, relative to the hand-written client, which is the line at 1.

const (
	plotTop    = 64
	plotLeft   = 236
	panelWidth = 250
	panelGap   = 60
	barHeight  = 9
	barGap     = 2
	groupGap   = 14
	plotMax    = 5.5 // bars of larger ratios are cut, and their labels have an arrow
)

type bar struct {
	X, Y, Width int
	TextX       int
	Class, Text string
}

type panel struct {
	X     int
	One   int // x of the line at the ratio 1
	Title string
	Bars  []bar
}

// plot draws results.svg.
func plot(d data) (string, error) {
	drawn := []string{"orgkeys", "vanilla", "official"}
	group := len(drawn)*(barHeight+barGap) + groupGap
	scale := func(ratio float64) int { return int(min(ratio, plotMax) * panelWidth / plotMax) }
	var panels []panel
	var labels []bar
	for i, p := range []struct{ title, unit string }{{"time", "ns/op"}, {"allocations", "allocs/op"}} {
		x := plotLeft + i*(panelWidth+panelGap)
		drawing := panel{X: x, One: x + scale(1), Title: p.title}
		for j, c := range calls {
			y := plotTop + j*group
			if i == 0 {
				labels = append(labels, bar{X: plotLeft - 12, Y: y + 2*(barHeight+barGap) - 2, Text: c.title})
			}
			for n, client := range drawn {
				ratio := d.ratio("Alone/"+c.name, client, hand, p.unit)
				text := fmt.Sprintf("%.2f", ratio)
				if ratio > plotMax {
					text += " →"
				}
				drawing.Bars = append(drawing.Bars, bar{
					X: x, Y: y + n*(barHeight+barGap), Width: scale(ratio), Class: client, Text: text,
					TextX: max(x+scale(ratio), drawing.One) + 4, // to the right of the line
				})
			}
		}
		panels = append(panels, drawing)
	}
	t, err := template.New("results.svg.tmpl").Funcs(template.FuncMap{
		"add": func(a, b int) int { return a + b },
	}).ParseFS(templates, "results.svg.tmpl")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Width":     plotLeft + 2*panelWidth + panelGap + 44,
		"Height":    plotTop + len(calls)*group + 12,
		"Top":       plotTop,
		"Bottom":    plotTop + len(calls)*group - groupGap,
		"BarHeight": barHeight,
		"Panels":    panels,
		"Labels":    labels,
		"Clients":   drawn,
		"Titles":    titles,
	})
	return b.String(), err
}
