package orgkeys_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const read = "retrieve-project-api-key"

// inBubble runs test on a fake with a key to read, on a fake clock.
func inBubble(t *testing.T, test func(t *testing.T, server *orgkeystest.Server)) {
	synctest.Test(t, func(t *testing.T) {
		server := orgkeystest.New(t, orgkeystest.InMemory())
		server.AddProject(project)
		server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
		test(t, server)
	})
}

// TestAReadIsTriedAgain holds which failures of a read pass and which end it at once.
func TestAReadIsTriedAgain(t *testing.T) {
	for _, row := range []struct {
		name     string
		fault    orgkeystest.Fault
		attempts int // until it succeeds, or fails for good where ends is set
		ends     bool
	}{
		{"408", orgkeystest.Fault{Status: 408}, 2, false},
		{"429", orgkeystest.Fault{Status: 429}, 2, false},
		{"500", orgkeystest.Fault{Status: 500}, 2, false},
		{"502 of a proxy", orgkeystest.Fault{Status: 502, Body: "<html>", ContentType: "text/html"}, 2, false},
		{"503", orgkeystest.Fault{Status: 503}, 2, false},
		{"504", orgkeystest.Fault{Status: 504}, 2, false},
		{"500 twice", orgkeystest.Fault{Status: 500, Times: 2}, 3, false},
		{"500 three times", orgkeystest.Fault{Status: 500, Times: 3}, 4, false},
		{"500 always", orgkeystest.Fault{Status: 500, Times: -1}, 4, true},
		{"429 always", orgkeystest.Fault{Status: 429, Times: -1}, 4, true},
		{"dropped", orgkeystest.Fault{Drop: true}, 2, false},
		{"dropped in the headers", orgkeystest.Fault{DropMidHeaders: true}, 2, false},
		{"cut short", orgkeystest.Fault{TruncateAt: new(30)}, 2, false},
		{"cut short always", orgkeystest.Fault{TruncateAt: new(30), Times: -1}, 4, true},
		{"too late", orgkeystest.Fault{Delay: time.Hour}, 2, false},
		{"too late always", orgkeystest.Fault{Delay: time.Hour, Times: -1}, 4, true},
		{"stalled", orgkeystest.Fault{StallAt: new(30)}, 2, false},
		{"x-should-retry: false", orgkeystest.Fault{Status: 500, Header: http.Header{"X-Should-Retry": {"false"}}}, 1, true},
		{"x-should-retry: true does not make a 400 pass", orgkeystest.Fault{Status: 400, Header: http.Header{"X-Should-Retry": {"true"}}}, 1, true},
		{"400", orgkeystest.Fault{Status: 400}, 1, true},
		{"401", orgkeystest.Fault{Status: 401}, 1, true},
		{"403", orgkeystest.Fault{Status: 403}, 1, true},
		{"404", orgkeystest.Fault{Status: 404}, 1, true},
		{"409", orgkeystest.Fault{Status: 409}, 1, true},
		{"501", orgkeystest.Fault{Status: 501}, 1, true},
		{"garbage", orgkeystest.Fault{Body: `{}`}, 1, true},
		{"more than the limit", orgkeystest.Fault{Body: `{}`, PadTo: 9 << 20}, 1, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
				row.fault.Operation = read
				server.Inject(row.fault)
				key, err := newClient(t, server).ProjectKeys.Get(t.Context(), project, "key_1")
				assert.Equal(t, row.ends, err != nil, "%v", err)
				assert.Equal(t, row.ends, key == nil)
				assert.Len(t, server.Requests(), row.attempts)
			})
		})
	}
}

// TestAWaitIsWhatTheServerOrThePolicySays holds the bounds of the first wait.
func TestAWaitIsWhatTheServerOrThePolicySays(t *testing.T) {
	header := func(name, value string) http.Header { return http.Header{name: {value}} }
	for _, row := range []struct {
		name        string
		fault       orgkeystest.Fault
		least, most time.Duration
	}{
		{"500", orgkeystest.Fault{Status: 500}, 0, 500 * time.Millisecond},
		{"429 with no hint", orgkeystest.Fault{Status: 429}, 5 * time.Second, 5 * time.Second},
		{"seconds", orgkeystest.Fault{Status: 429, Header: header("Retry-After", "7")}, 7 * time.Second, 7 * time.Second},
		{"seconds on a 503", orgkeystest.Fault{Status: 503, Header: header("Retry-After", "30")}, 30 * time.Second, 30 * time.Second},
		{"no seconds", orgkeystest.Fault{Status: 429, Header: header("Retry-After", "0")}, 0, 0},
		{"milliseconds", orgkeystest.Fault{Status: 429, Header: header("Retry-After-Ms", "250")}, 250 * time.Millisecond, 250 * time.Millisecond},
		{"milliseconds win", orgkeystest.Fault{Status: 429, Header: http.Header{"Retry-After-Ms": {"250"}, "Retry-After": {"7"}}}, 250 * time.Millisecond, 250 * time.Millisecond},
		{"a date", orgkeystest.Fault{Status: 429, Header: header("Retry-After", "Sat, 01 Jan 2000 00:00:40 GMT")}, 40 * time.Second, 40 * time.Second},
		{"a date gone by", orgkeystest.Fault{Status: 429, Header: header("Retry-After", "Fri, 31 Dec 1999 00:00:00 GMT")}, 0, 0},
		{"gibberish is no hint", orgkeystest.Fault{Status: 429, Header: header("Retry-After", "soon")}, 5 * time.Second, 5 * time.Second},
		{"a negative one is no hint", orgkeystest.Fault{Status: 429, Header: header("Retry-After", "-5")}, 5 * time.Second, 5 * time.Second},
		{"the longest", orgkeystest.Fault{Status: 429, Header: header("Retry-After", "90")}, 90 * time.Second, 90 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
				row.fault.Operation = read
				server.Inject(row.fault)
				began := time.Now()
				_, err := newClient(t, server).ProjectKeys.Get(t.Context(), project, "key_1")
				require.NoError(t, err)
				waited := time.Since(began)
				assert.True(t, row.least <= waited && waited <= row.most, "waited %v", waited)
			})
		})
	}
}

// TestAWaitBeyondTheLongestEndsTheCall holds that the error says how long the server asked for.
func TestAWaitBeyondTheLongestEndsTheCall(t *testing.T) {
	for _, seconds := range []string{"91", "3600", "9223372036854775807", "99999999999999999999999999"} {
		inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
			server.Inject(orgkeystest.Fault{Operation: read, Status: 429, Header: http.Header{"Retry-After": {seconds}}})
			began := time.Now()
			var out strings.Builder
			logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := newClient(t, server, orgkeys.WithLogger(logger)).ProjectKeys.Get(t.Context(), project, "key_1")
			refusal, ok := errors.AsType[*orgkeys.APIError](err)
			require.True(t, ok)
			assert.Greater(t, refusal.RetryAfter, 90*time.Second)
			assert.ErrorContains(t, err, "asks to wait "+refusal.RetryAfter.String())
			assert.Zero(t, time.Since(began))
			assert.Contains(t, out.String(), " wait=0s", "there is no next attempt")
		})
	}
}

// TestA429WithNoHintIsOutlived holds that the default policy lasts longer than the live API's
// window of a minute, and not much longer.
func TestA429WithNoHintIsOutlived(t *testing.T) {
	inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
		server.Inject(orgkeystest.Fault{Operation: read, Status: 429, Times: -1})
		began := time.Now()
		_, err := newClient(t, server).ProjectKeys.Get(t.Context(), project, "key_1")
		require.ErrorIs(t, err, orgkeys.ErrRateLimited)
		waited := time.Since(began)
		assert.True(t, time.Minute <= waited && waited <= 2*time.Minute, "waited %v", waited)
	})
}

// TestABusyAPIIsOutlived runs the live API's limit, 8 a minute with no headers, dry and holds
// that the next call comes through by itself.
func TestABusyAPIIsOutlived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithRateLimit(8))
		client := newClient(t, server)
		for range 9 {
			_, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
			require.NoError(t, err)
		}
		assert.Equal(t, 9, server.KeysCreated())
		assert.Greater(t, len(server.Requests()), 9, "the limit was met")
	})
}

// TestARateLimitKeepsABulkJobFrom429 holds that pacing to the API's limit meets no refusal.
func TestARateLimitKeepsABulkJobFrom429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithRateLimit(8))
		server.AddProject(project)
		client := newClient(t, server, orgkeys.WithRateLimit(8))
		began := time.Now()
		for range 40 {
			_, err := client.ServiceAccounts.Create(t.Context(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"})
			require.NoError(t, err)
		}
		assert.Equal(t, 40, server.KeysCreated())
		assert.Len(t, server.Requests(), 40)
		assert.Equal(t, 39*7500*time.Millisecond, time.Since(began))
		// Another operation has its own allowance.
		_, err := client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
		require.NoError(t, err)
		assert.Equal(t, 39*7500*time.Millisecond, time.Since(began))
	})
}

// TestACancelledWaitCarriesTheLastFailure holds both of its errors, and that it ends at once.
func TestACancelledWaitCarriesTheLastFailure(t *testing.T) {
	for name, options := range map[string][]orgkeys.Option{
		"after a 429":       nil,
		"for the own limit": {orgkeys.WithRateLimit(1)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
				client := newClient(t, server, options...)
				if options == nil {
					server.Inject(orgkeystest.Fault{Operation: read, Status: 429, Header: http.Header{"Retry-After": {"60"}}})
				} else {
					_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
					require.NoError(t, err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				began := time.Now()
				_, err := client.ProjectKeys.Get(ctx, project, "key_1")
				assert.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, options == nil, errors.Is(err, orgkeys.ErrRateLimited), "%v", err)
				assert.Equal(t, time.Second, time.Since(began))
			})
		})
	}
}

// TestAnAttemptsTimeoutIsNotTheCalls holds that the one is tried again and says so, and that
// the other ends the call with the context's own error.
func TestAnAttemptsTimeoutIsNotTheCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
		server.Inject(orgkeystest.Fault{Operation: read, Delay: time.Hour, Times: -1})
		client := newClient(t, server, orgkeys.WithAttemptTimeout(2*time.Second))
		began := time.Now()
		_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
		assert.ErrorContains(t, err, "no whole answer within 2s (4 attempts)")
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
		assert.GreaterOrEqual(t, time.Since(began), 8*time.Second)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.ProjectKeys.Get(ctx, project, "key_1")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestTheHTTPClientsTimeoutShortensAnAttempt holds that a user's own limit is kept.
func TestTheHTTPClientsTimeoutShortensAnAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
		server.Inject(orgkeystest.Fault{Operation: read, Delay: time.Hour})
		hc := *server.Client()
		hc.Timeout = time.Second
		client := newClient(t, server, orgkeys.WithHTTPClient(&hc), orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
		_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
		assert.ErrorContains(t, err, "no whole answer within 1s")
	})
}

// TestBodiesAreDrainedAndClosed holds that no attempt, tried again or not, keeps its
// connection.
func TestBodiesAreDrainedAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open []*countedBody
		client := stubbed(t, func(*http.Request) (*http.Response, error) {
			body := &countedBody{Reader: strings.NewReader(`{"error":{"message":"busy"}}`)}
			open = append(open, body)
			response := answer(503, "")
			response.Body = body
			return response, nil
		})
		_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
		require.Error(t, err)
		require.Len(t, open, 4)
		for _, body := range open {
			assert.Zero(t, body.Len())
			assert.True(t, body.closed)
		}
	})
}

type countedBody struct {
	*strings.Reader
	closed bool
}

func (b *countedBody) Close() error { b.closed = true; return nil }

// TestARetriedBodyIsTheSame holds that each attempt of a create sends all of it, also where
// the generated client was given a reader that can be read once.
func TestARetriedBodyIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		client := stubbed(t, func(r *http.Request) (*http.Response, error) {
			content, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			assert.Equal(t, int64(len(content)), r.ContentLength)
			sent = append(sent, string(content))
			return answer(429, ""), nil
		}, orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 3}))
		_, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: new(60)})
		require.ErrorIs(t, err, orgkeys.ErrRateLimited)
		once := io.MultiReader(strings.NewReader(`{"name":`), strings.NewReader(`"ci"}`))
		response, err := client.Generated().AdminAPIKeysCreateWithBody(t.Context(), "application/json", once)
		require.NoError(t, err)
		assert.Equal(t, 429, response.StatusCode)
		first, second := `{"expires_in_seconds":60,"name":"ci"}`, `{"name":"ci"}`
		assert.Equal(t, []string{first, first, first, second, second, second}, sent)
	})
}

// TestAPolicyCanBeSet holds that the fields of Retry do what they say, and that what makes no
// sense is refused.
func TestAPolicyCanBeSet(t *testing.T) {
	for attempts := 1; attempts <= 6; attempts++ {
		t.Run(strconv.Itoa(attempts)+" attempts", func(t *testing.T) {
			inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
				server.Inject(orgkeystest.Fault{Operation: read, Status: 500, Times: -1})
				client := newClient(t, server, orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: attempts, BaseDelay: time.Minute, MaxWait: time.Minute}))
				began := time.Now()
				_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
				require.Error(t, err)
				assert.Len(t, server.Requests(), attempts)
				assert.LessOrEqual(t, time.Since(began), time.Duration(attempts-1)*time.Minute)
			})
		})
	}
	for _, retry := range []orgkeys.Retry{{MaxAttempts: -1}, {BaseDelay: -1}, {MaxWait: -1}, {BaseDelay: time.Minute, MaxWait: time.Second}} {
		_, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithRetry(retry))
		assert.ErrorContains(t, err, "retry")
	}
}

// TestNoWaitOverflows holds that the largest numbers are as good as any.
func TestNoWaitOverflows(t *testing.T) {
	const forever = time.Duration(1<<63 - 1)
	for _, status := range []int{429, 500} {
		for _, retry := range []orgkeys.Retry{
			{MaxAttempts: 80, BaseDelay: 1, MaxWait: 1},
			{MaxAttempts: 80, BaseDelay: time.Millisecond, MaxWait: forever},
			{MaxAttempts: 3, MaxWait: forever, BaseDelay: forever},
			{MaxAttempts: 3, MaxWait: time.Millisecond},
		} {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := stubbed(t, func(*http.Request) (*http.Response, error) {
					if requests++; requests == 3 {
						return answer(400, ""), nil // before the fake clock itself runs out
					}
					return answer(status, ""), nil
				}, orgkeys.WithRetry(retry))
				ctx, cancel := context.WithTimeout(t.Context(), 100*365*24*time.Hour)
				defer cancel()
				_, err := client.ProjectKeys.Get(ctx, project, "key_1")
				assert.Error(t, err)
			})
		}
	}
}
