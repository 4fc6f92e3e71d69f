// Tracing retrieves a project key, and prints OpenTelemetry spans of the call and of each of its
// attempts as JSON.
//
//	tracing -project ID -key KEY-ID
//	tracing -demo
//
// otelhttp is the transport of the client's HTTP client, so that each attempt has a span. A span of the
// call is their parent. No span contains a key, since otelhttp records no headers and bodies, and the
// client redacts its errors. The attribute url.full contains the ids of the project and the key. Exit
// status: 0 if the call succeeded, 1 if it failed, 2 for wrong arguments or without OPENAI_ADMIN_KEY.
//
// The example is a module of its own, since orgkeys does not depend on OpenTelemetry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("tracing", flag.ContinueOnError)
	flags.SetOutput(stderr)
	project := flags.String("project", "", "the `id` of a project")
	key := flags.String("key", "", "the `id` of a key of the project")
	demo := flags.Bool("demo", false, "use a fake organization; takes no other argument")
	err := flags.Parse(args)
	var options []orgkeys.Option
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case *demo && len(args) == 1:
		fake := orgkeystest.NewServer()
		defer fake.Close()
		*project, *key = "proj_demo", fake.AddProjectKeys("proj_demo", 1)[0]
		fake.Inject(orgkeystest.Fault{Operation: orgkeys.OperationProjectKeysGet, Status: http.StatusServiceUnavailable})
		options = []orgkeys.Option{orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL)}
	case *demo || flags.NArg() > 0 || *project == "" || *key == "":
		flags.Usage()
		return 2
	}
	// A service would use WithBatcher, and an exporter that sends spans to a collector.
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(stdout))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	defer func() { _ = provider.Shutdown(context.WithoutCancel(ctx)) }()
	client, err := orgkeys.NewClient(append(options, orgkeys.WithHTTPClient(traced(http.DefaultTransport, provider)))...)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	err = span(ctx, provider.Tracer("tracing"), "ProjectKeys.Get", func(ctx context.Context) error {
		_, err := client.ProjectKeys.Get(ctx, *project, *key)
		return err
	})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// traced returns an HTTP client, for orgkeys.WithHTTPClient, whose requests are spans.
func traced(base http.RoundTripper, provider trace.TracerProvider) *http.Client {
	return &http.Client{Transport: otelhttp.NewTransport(base,
		otelhttp.WithTracerProvider(provider),
		// The API needs neither trace ids nor baggage.
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
	)}
}

// span runs call in a span, and adds the metadata of the call to the span's attributes.
func span(ctx context.Context, tracer trace.Tracer, name string, call func(context.Context) error) error {
	ctx, span := tracer.Start(ctx, name)
	defer span.End()
	var info orgkeys.CallInfo
	err := call(orgkeys.WithCallInfo(ctx, &info))
	span.SetAttributes(attribute.String("request_id", info.RequestID), attribute.Int("attempts", info.Attempts),
		attribute.String("waited", info.Waited.String()))
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}
