package orgkeys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/gen"
)

func TestLogLevel(t *testing.T) {
	for _, row := range []struct {
		name    string
		attempt attempt
		err     error
		again   bool
		want    slog.Level
	}{
		{"success", attempt{status: 200}, nil, false, slog.LevelDebug},
		{"retried", attempt{status: 408}, nil, true, slog.LevelWarn},
		{"no response", attempt{}, io.EOF, false, slog.LevelWarn},
		{"incomplete body", attempt{status: 200}, io.EOF, false, slog.LevelWarn},
		{"redirect", attempt{status: 303}, nil, false, slog.LevelDebug},
		{"400", attempt{status: 400}, nil, false, slog.LevelDebug},
		{"404", attempt{status: 404}, nil, false, slog.LevelDebug},
		{"428", attempt{status: 428}, nil, false, slog.LevelDebug},
		{"429", attempt{status: 429}, nil, false, slog.LevelWarn},
		{"499", attempt{status: 499}, nil, false, slog.LevelDebug},
		{"500", attempt{status: 500}, nil, false, slog.LevelWarn},
		{"599", attempt{status: 599}, nil, false, slog.LevelWarn},
	} {
		assert.Equal(t, row.want, logLevel(&row.attempt, row.err, row.again), row.name)
	}
}

// textLogger returns a logger that writes to out without times.
func textLogger(out io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// TestLogRecords compares all attributes of the log records of calls. Each attempt that was made
// has one record.
func TestLogRecords(t *testing.T) {
	const (
		get    = "method=GET operation=retrieve-project-api-key"
		create = "method=POST operation=admin-api-keys-create"
	)
	var calls int
	canceled := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx
	}
	for _, row := range []struct {
		name    string
		level   slog.Level
		respond func() (*http.Response, error)
		call    func(context.Context, *Client)
		want    []string
	}{
		{
			"a retry and an error that quotes the key", slog.LevelDebug,
			func() (*http.Response, error) {
				time.Sleep(2 * time.Second)
				if calls == 1 {
					r := jsonResponse(503, "")
					r.Header.Set("Retry-After", "7")
					return r, nil
				}
				return nil, errors.New("cannot send Bearer sk-admin-test:\nlevel=INFO")
			},
			func(ctx context.Context, c *Client) { _, _ = c.ProjectKeys.Get(ctx, "proj_1", "key_1") },
			[]string{
				"level=WARN msg=\"orgkeys attempt\" " + get + " attempt=1 status=503 duration=2s request_id=req_1 wait=7s waited=0s",
				"level=WARN msg=\"orgkeys attempt\" " + get + " attempt=2 status=0 duration=2s request_id=\"\" wait=0s waited=7s" +
					" cause=\"cannot send [redacted]\"",
			},
		},
		{
			"a wait beyond the limit", slog.LevelDebug,
			func() (*http.Response, error) {
				r := jsonResponse(503, "")
				r.Header.Set("Retry-After", "3600")
				return r, nil
			},
			func(ctx context.Context, c *Client) { _, _ = c.ProjectKeys.Get(ctx, "proj_1", "key_1") },
			[]string{"level=WARN msg=\"orgkeys attempt\" " + get + " attempt=1 status=503 duration=0s request_id=req_1 wait=0s waited=0s"},
		},
		{
			"a refusal, at debug level", slog.LevelDebug,
			func() (*http.Response, error) { return jsonResponse(403, envelope), nil },
			func(ctx context.Context, c *Client) { _, _ = c.AdminKeys.Create(ctx, AdminKeyCreateParams{Name: "ci"}) },
			[]string{"level=DEBUG msg=\"orgkeys attempt\" " + create + " attempt=1 status=403 duration=0s request_id=req_1 wait=0s waited=0s"},
		},
		{
			"a refusal, at info level", slog.LevelInfo,
			func() (*http.Response, error) { return jsonResponse(403, envelope), nil },
			func(ctx context.Context, c *Client) { _, _ = c.AdminKeys.Create(ctx, AdminKeyCreateParams{Name: "ci"}) },
			nil,
		},
		{
			"not sent", slog.LevelDebug, nil,
			func(ctx context.Context, c *Client) {
				_, _ = c.AdminKeys.Create(canceled(ctx), AdminKeyCreateParams{Name: "ci"})
			}, nil,
		},
		{
			"invalid argument", slog.LevelDebug, nil,
			func(ctx context.Context, c *Client) {
				_, _ = c.AdminKeys.Create(WithHeader(ctx, "Host", "x"), AdminKeyCreateParams{Name: "ci"})
			}, nil,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				calls = 0
				client := stubClient(t, stubTransport(func(*http.Request) (*http.Response, error) {
					calls++
					return row.respond()
				}), WithLogger(textLogger(&out, row.level)), WithRetry(Retry{MaxAttempts: 2}))
				row.call(t.Context(), client)
				var want string
				for _, line := range row.want {
					want += line + "\n"
				}
				assert.Equal(t, want, out.String())
			})
		})
	}
}

// TestLog_OnlyAttempts verifies that a call that ends between two attempts logs only the first one,
// and that a call whose key source fails logs nothing.
func TestLog_OnlyAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		client := stubClient(t, stubTransport(func(*http.Request) (*http.Response, error) {
			r := jsonResponse(503, "")
			r.Header.Set("Retry-After", "60")
			return r, nil
		}), WithLogger(textLogger(&out, slog.LevelDebug)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.ProjectKeys.Get(ctx, "proj_1", "key_1")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())

		out.Reset()
		client = stubClient(t, stubTransport(mustNotSend), WithLogger(textLogger(&out, slog.LevelDebug)),
			WithAdminKeySource(func(context.Context) (string, error) {
				return "", fmt.Errorf("no key for %s", gen.OperationAdminAPIKeysList)
			}))
		_, err = client.AdminKeys.List(t.Context(), AdminKeyListParams{})
		assert.ErrorIs(t, err, ErrNotSent)
		assert.Empty(t, out.String())
	})
}

func mustNotSend(*http.Request) (*http.Response, error) { panic("a request was sent") }
