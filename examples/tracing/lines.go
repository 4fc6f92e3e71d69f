package main

import (
	"context"
	"fmt"
	"io"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// lines is an exporter for people: a line for each span and one for each of its attributes.
// Spans come as they end, so a call comes behind its attempts.
type lines struct{ w io.Writer }

func (l lines) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, span := range spans {
		indent := ""
		if span.Parent().IsValid() {
			indent = "    "
		}
		took := span.EndTime().Sub(span.StartTime()).Round(time.Microsecond)
		fmt.Fprintf(l.w, "%s%s %v %v %s\n", indent, span.Name(), took, span.Status().Code, span.Status().Description)
		for _, attribute := range span.Attributes() {
			fmt.Fprintf(l.w, "%s    %s=%s\n", indent, attribute.Key, attribute.Value.String())
		}
	}
	return nil
}

func (l lines) Shutdown(context.Context) error { return nil }
