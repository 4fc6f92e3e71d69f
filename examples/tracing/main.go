// Tracing shows the requests of the client as OpenTelemetry spans: otelhttp goes under the client
// as its transport, so each attempt of a call is a span, and a span around the call holds them
// together. A call that is tried again shows when, and why it took so long.
//
// It is a module of its own, since neither the client nor its users need OpenTelemetry.
//
// No key is in a span: otelhttp records no header and no body, and the client's errors, which
// go into the status of a span, are masked. But url.full has the ids of projects and keys in
// its path. They open nothing, yet they say what there is: keep the traces where that may be
// known, or have the collector take the path out.
//
// On a fake of the API, which fails once:
//
//	cd examples/tracing && go run .
//
// On the live API, where it only reads:
//
//	export OPENAI_ADMIN_KEY=...
//	cd examples/tracing && go run . -project proj_abc -key key_abc
//
// The exit status is 0, or 1 if a call failed, or 2 if none was made.
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
	"syscall"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

// traced returns an HTTP client, for orgkeys.WithHTTPClient, whose requests are spans.
func traced(base http.RoundTripper, provider trace.TracerProvider) *http.Client {
	return &http.Client{Transport: otelhttp.NewTransport(base,
		otelhttp.WithTracerProvider(provider),
		// Trace ids and baggage are nothing that the API's operator has to know.
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()),
	)}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, env func(string) string) int {
	flags := flag.NewFlagSet("tracing", flag.ContinueOnError)
	flags.SetOutput(stderr)
	project := flags.String("project", "", "the `id` of a project, to read a key of")
	key := flags.String("key", "", "the `id` of the key to read")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: tracing [-project id -key id]\n\n"+
			"Reads a page of admin keys, and a project key if one is named, and shows the spans.\n"+
			"Signs with OPENAI_ADMIN_KEY. Without it, shows itself on a fake of the API.\n\n")
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0 || (*project == "") != (*key == ""):
		flags.Usage()
		return 2
	}

	// An exporter to a collector goes here, by WithBatcher.
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(lines{stdout}))
	defer func() { _ = provider.Shutdown(context.WithoutCancel(ctx)) }()

	base := http.DefaultTransport
	var options []orgkeys.Option
	if adminKey := env("OPENAI_ADMIN_KEY"); adminKey != "" {
		options = append(options, orgkeys.WithAdminKey(adminKey))
		if url := env("OPENAI_BASE_URL"); url != "" {
			options = append(options, orgkeys.WithBaseURL(url))
		}
	} else {
		fmt.Fprintln(stderr, "OPENAI_ADMIN_KEY is not set: this is a demonstration on a fake of the API.")
		fake := startFake()
		defer fake.Close()
		base = fake.Client().Transport
		options = append(options, orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL))
		*project, *key = "proj_demo", "key_demo"
	}
	client, err := orgkeys.NewClient(append(options, orgkeys.WithHTTPClient(traced(base, provider)))...)
	if err != nil {
		fmt.Fprintf(stderr, "tracing: %v\n", err)
		return 2
	}
	if err := calls(ctx, client, provider.Tracer("tracing"), *project, *key); err != nil {
		fmt.Fprintf(stderr, "tracing: %v\n", err)
		return 1
	}
	return 0
}

// calls makes the calls, each in a span.
func calls(ctx context.Context, client *orgkeys.Client, tracer trace.Tracer, project, key string) error {
	err := span(ctx, tracer, "AdminKeys.List", func(ctx context.Context) error {
		_, err := client.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{})
		return err
	})
	if err != nil || key == "" {
		return err
	}
	return span(ctx, tracer, "ProjectKeys.Get", func(ctx context.Context) error {
		_, err := client.ProjectKeys.Get(ctx, project, key)
		return err
	})
}

// span makes a call in a span, which the spans of its attempts are in.
func span(ctx context.Context, tracer trace.Tracer, name string, call func(context.Context) error) error {
	ctx, span := tracer.Start(ctx, name)
	defer span.End()
	err := call(ctx)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}

// startFake starts a fake on which the first read of a key fails.
func startFake() *orgkeystest.Server {
	fake := orgkeystest.NewServer(orgkeystest.InMemory())
	fake.AddProjectKey("proj_demo", orgkeystest.ProjectKey{ID: "key_demo", Name: "Checkout service"})
	fake.Inject(orgkeystest.Fault{Operation: "retrieve-project-api-key", Status: http.StatusServiceUnavailable})
	return fake
}
