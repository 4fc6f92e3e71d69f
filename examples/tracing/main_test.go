package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
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

func TestArguments(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	for args, output := range map[string]string{
		"":                             "Usage",
		"-project p":                   "Usage",
		"-key k":                       "Usage",
		"-project p -key k x":          "Usage",
		"-demo -project p":             "Usage",
		"-demo -project p -key k":      "Usage",
		"-create":                      "Usage",
		"-project proj_abc -key key_1": "OPENAI_ADMIN_KEY",
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, 2, run(t.Context(), strings.Fields(args), &stdout, &stderr), args)
		assert.Contains(t, stderr.String(), output, args)
		assert.Empty(t, stdout.String(), args)
	}
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
}

func TestDemo(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(t.Context(), []string{"-demo"}, &stdout, &stderr), stderr.String())
	var names []string
	for decoder := json.NewDecoder(&stdout); decoder.More(); {
		var span struct{ Name string }
		require.NoError(t, decoder.Decode(&span))
		names = append(names, span.Name)
	}
	assert.Equal(t, []string{"HTTP GET", "HTTP GET", "ProjectKeys.Get"}, names, "a call and its two attempts")
}

// traceable is a fake, a client of it whose requests have spans, and the spans that ended.
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

func TestSpans_OneForEachAttemptAndNoKeys(t *testing.T) {
	var value string // of a new key
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
			value = key.Value.Reveal()
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
		created  int
	}{
		{name: "a read", call: get, attempts: 1},
		{name: "a read that is retried", call: get, fault: orgkeystest.Fault{Status: 500, Times: 2}, attempts: 3},
		{name: "a read that is rate limited", call: get, fault: orgkeystest.Fault{Status: 429}, attempts: 2},
		{name: "a read whose response is truncated", call: get, fault: orgkeystest.Fault{TruncateAt: new(10)}, attempts: 2},
		{name: "a read that never works", call: get, fault: orgkeystest.Fault{Drop: true, Times: -1}, attempts: 4, fails: true},
		{name: "a delete whose response is lost", call: remove, fault: orgkeystest.Fault{AfterWork: true, Drop: true}, attempts: 2},
		{name: "a create", call: create, attempts: 1, created: 1},
		{name: "a create whose response is lost", call: create, fault: orgkeystest.Fault{AfterWork: true, Drop: true}, attempts: 1, fails: true, created: 1},
		{name: "a 401 that quotes the key", call: get, fault: orgkeystest.Fault{Status: 401, Body: "the admin key"}, attempts: 1, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, it *traceable) {
				if c.fault.Body != "" {
					c.fault.Body = quoting(it.server.AdminKey)
				}
				it.server.Inject(c.fault)
				err := span(t.Context(), it.provider.Tracer("test"), "call", func(ctx context.Context) error { return c.call(ctx, it.client) })
				assert.Equal(t, c.fails, err != nil, err)
				assert.Equal(t, c.created, it.server.KeysCreated())
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
				if c.created > 0 && !c.fails {
					require.NotEmpty(t, value)
					assert.NotContains(t, string(everything), value)
				}
			})
		})
	}
}

// TestNoPropagation tests that no trace id and no baggage is sent to the API.
func TestNoPropagation(t *testing.T) {
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	inBubble(t, func(t *testing.T, it *traceable) {
		member, err := baggage.NewMember("tenant", "acme")
		require.NoError(t, err)
		bag, err := baggage.New(member)
		require.NoError(t, err)
		err = span(baggage.ContextWithBaggage(t.Context(), bag), it.provider.Tracer("test"), "call", func(ctx context.Context) error {
			_, err := it.client.ProjectKeys.Get(ctx, project, "key_1")
			return err
		})
		require.NoError(t, err)
		require.Len(t, it.server.Requests(), 1)
		for _, r := range it.server.Requests() {
			assert.NotContains(t, r.Header, "Traceparent")
			assert.NotContains(t, r.Header, "Baggage")
		}
	})
}

func TestExitStatus(t *testing.T) {
	for _, c := range []struct {
		key    string
		status int
		output string
	}{
		{"key_1", 0, ""},
		{"key_2", 1, "404"},
	} {
		server := orgkeystest.New(t)
		server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
		t.Setenv("OPENAI_ADMIN_KEY", server.AdminKey)
		t.Setenv("OPENAI_BASE_URL", server.URL)
		var stdout, stderr bytes.Buffer
		assert.Equal(t, c.status, run(t.Context(), []string{"-project", project, "-key", c.key}, &stdout, &stderr))
		assert.Contains(t, stderr.String(), c.output)
		assert.NotContains(t, stdout.String()+stderr.String(), server.AdminKey)
		assert.Len(t, server.Requests(), 1)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	server := orgkeystest.New(t)
	t.Setenv("OPENAI_BASE_URL", server.URL)
	assert.Equal(t, 1, run(ended, []string{"-project", project, "-key", "key_1"}, new(bytes.Buffer), new(bytes.Buffer)))
	assert.Empty(t, server.Requests())
}
