package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const project = "proj_abc"

func TestTheDemonstrationShowsEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		require.Equal(t, 0, run(t.Context(), nil, &stdout, &stderr, func(string) string { return "" }))
		assert.Contains(t, stderr.String(), "OPENAI_ADMIN_KEY is not set")
		assert.Regexp(t, `(?s)^    HTTP GET .* http.response.status_code=200\n`+
			`AdminKeys.List .*`+
			`    HTTP GET .* http.response.status_code=503\n.*`+
			`    HTTP GET .* http.response.status_code=200\n`+
			`ProjectKeys.Get .* Unset \n$`, stdout.String())
		assert.Contains(t, stdout.String(), "/proj_demo/api_keys/key_demo\n", "the ids are in the spans, as the package's comment says")
		assert.NotContains(t, stdout.String(), "sk-")
	})
}

// traceable is a fake, a client of it whose requests are spans, and the spans that ended.
type traceable struct {
	server   *orgkeystest.Server
	client   *orgkeys.Client
	provider *sdktrace.TracerProvider
	spans    *tracetest.InMemoryExporter
}

func inBubble(t *testing.T, f func(*testing.T, *traceable)) {
	synctest.Test(t, func(t *testing.T) {
		it := &traceable{server: orgkeystest.New(t, orgkeystest.InMemory()), spans: tracetest.NewInMemoryExporter()}
		it.server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
		it.provider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(it.spans))
		var err error
		it.client, err = orgkeys.NewClient(orgkeys.WithAdminKey(it.server.AdminKey), orgkeys.WithBaseURL(it.server.URL),
			orgkeys.WithHTTPClient(traced(it.server.Client().Transport, it.provider)))
		require.NoError(t, err)
		f(t, it)
	})
}

func TestEachAttemptIsASpanInItsCallAndNoneHoldsAKey(t *testing.T) {
	var made string // the value of a key that was minted
	get := func(ctx context.Context, c *orgkeys.Client) error {
		_, err := c.ProjectKeys.Get(ctx, project, "key_1")
		return err
	}
	remove := func(ctx context.Context, c *orgkeys.Client) error {
		_, err := c.ProjectKeys.Delete(ctx, project, "key_1")
		return err
	}
	create := func(ctx context.Context, c *orgkeys.Client) error {
		key, err := c.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
		if err == nil {
			made = key.Value.Reveal()
		}
		return err
	}
	quoting := func(key string) string {
		return `{"error":{"type":"invalid_request_error","code":"invalid_api_key","param":null,"message":"No such key: ` + key + `"}}`
	}
	for _, c := range []struct {
		name     string
		call     func(context.Context, *orgkeys.Client) error
		fault    orgkeystest.Fault
		attempts int
		fails    bool
		minted   int
	}{
		{name: "a read", call: get, attempts: 1},
		{name: "a read that is tried again", call: get, fault: orgkeystest.Fault{Status: 500, Times: 2}, attempts: 3},
		{name: "a read that is rate limited", call: get, fault: orgkeystest.Fault{Status: 429}, attempts: 2},
		{name: "a read that is cut short", call: get, fault: orgkeystest.Fault{TruncateAt: new(10)}, attempts: 2},
		{name: "a read that never works", call: get, fault: orgkeystest.Fault{Drop: true, Times: -1}, attempts: 4, fails: true},
		{name: "a revoke whose answer is lost", call: remove, fault: orgkeystest.Fault{AfterWork: true, Drop: true}, attempts: 2},
		{name: "a create", call: create, attempts: 1, minted: 1},
		{name: "a create whose answer is lost", call: create, fault: orgkeystest.Fault{AfterWork: true, Drop: true}, attempts: 1, fails: true, minted: 1},
		{name: "a refusal that quotes the key", call: get, fault: orgkeystest.Fault{Status: 401, Body: "the admin key"}, attempts: 1, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, it *traceable) {
				if c.fault.Body != "" {
					c.fault.Body = quoting(it.server.AdminKey)
				}
				it.server.Inject(c.fault)
				err := span(t.Context(), it.provider.Tracer("test"), "call", func(ctx context.Context) error { return c.call(ctx, it.client) })
				assert.Equal(t, c.fails, err != nil, err)
				assert.Equal(t, c.minted, it.server.KeysCreated())
				assert.Len(t, it.server.Requests(), c.attempts)

				spans := it.spans.GetSpans()
				require.Len(t, spans, c.attempts+1)
				call := spans[c.attempts]
				assert.Equal(t, "call", call.Name)
				assert.Equal(t, c.fails, call.Status.Code == codes.Error)
				for _, attempt := range spans[:c.attempts] {
					assert.Equal(t, call.SpanContext.SpanID(), attempt.Parent.SpanID())
				}
				everything, err := json.Marshal(spans)
				require.NoError(t, err)
				assert.Contains(t, string(everything), it.server.URL)
				assert.NotContains(t, string(everything), it.server.AdminKey)
				assert.NotRegexp(t, `sk-\w+-\w`, string(everything))
				if c.minted > 0 && !c.fails {
					require.NotEmpty(t, made)
					assert.NotContains(t, string(everything), made)
				}
			})
		})
	}
}

func TestTheAPIIsToldOfNoTrace(t *testing.T) {
	// What a program sets up for its own services is not for the API.
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	inBubble(t, func(t *testing.T, it *traceable) {
		member, err := baggage.NewMember("tenant", "acme")
		require.NoError(t, err)
		bag, err := baggage.New(member)
		require.NoError(t, err)
		ctx := baggage.ContextWithBaggage(t.Context(), bag)
		require.NoError(t, calls(ctx, it.client, it.provider.Tracer("test"), project, "key_1"))
		require.Len(t, it.server.Requests(), 2)
		for _, r := range it.server.Requests() {
			assert.NotContains(t, r.Header, "Traceparent")
			assert.NotContains(t, r.Header, "Baggage")
		}
	})
}

func TestTheExitStatusSaysWhetherTheCallsWorked(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		status int // of the answer, 0 is the API's own
		exit   int
		says   string
	}{
		{"a list", nil, 0, 0, ""},
		{"a list that is refused", nil, 403, 1, "403"},
		{"a key", []string{"-project", project, "-key", "key_1"}, 0, 0, ""},
		{"a key that is not there", []string{"-project", project, "-key", "key_2"}, 0, 1, "404"},
		{"help is no error", []string{"-h"}, 0, 0, "usage: tracing"},
		{"an unknown flag", []string{"-create"}, 0, 2, "-create"},
		{"a key without its project", []string{"-key", "key_1"}, 0, 2, "usage: tracing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := orgkeystest.New(t)
			server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
			if c.status != 0 {
				server.Inject(orgkeystest.Fault{Status: c.status})
			}
			environment := map[string]string{"OPENAI_ADMIN_KEY": server.AdminKey, "OPENAI_BASE_URL": server.URL}
			var stdout, stderr bytes.Buffer
			assert.Equal(t, c.exit, run(t.Context(), c.args, &stdout, &stderr, func(name string) string { return environment[name] }))
			assert.Contains(t, stderr.String(), c.says)
			assert.NotContains(t, stdout.String()+stderr.String(), server.AdminKey)
			for _, r := range server.Requests() {
				assert.Equal(t, http.MethodGet, r.Method)
			}
		})
	}
	t.Run("a base URL that can't be", func(t *testing.T) {
		environment := map[string]string{"OPENAI_ADMIN_KEY": "a key", "OPENAI_BASE_URL": "ftp://127.0.0.1"}
		var stdout, stderr bytes.Buffer
		assert.Equal(t, 2, run(t.Context(), nil, &stdout, &stderr, func(name string) string { return environment[name] }))
	})
}
