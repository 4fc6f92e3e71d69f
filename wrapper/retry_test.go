package orgkeys

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
)

// TestRetryable is the table of which failures of which operations are retried.
func TestRetryable(t *testing.T) {
	const none, idempotent, every = "", "read delete update", "read delete update create"
	operations := map[string]*gen.Operation{"read": readOp, "delete": deleteOp, "update": updateOp, "create": createOp}
	response := func(status int) attempt { return attempt{sent: true, status: status} }
	untrusted := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, row := range []struct {
		name    string
		attempt attempt
		err     error
		retried string
	}{
		{"nothing sent", attempt{}, io.EOF, every},
		{"attempt timeout, nothing sent", attempt{}, attemptTimeout(1), every},
		{"no response", attempt{sent: true}, io.EOF, idempotent},
		{"attempt timeout", attempt{sent: true}, attemptTimeout(1), idempotent},
		{"untrusted certificate", attempt{}, untrusted, none},
		{"untrusted certificate, wrapped", attempt{}, fmt.Errorf("dial: %w", untrusted), none},
		{"refused by the proxy", attempt{}, &proxyError{"proxy", io.EOF}, none},
		{"200", response(200), nil, none},
		{"200 incomplete", attempt{sent: true, status: 200, body: bodyBroken}, io.ErrUnexpectedEOF, idempotent},
		{"200 too large", attempt{sent: true, status: 200, body: bodyBroken}, errBodyTooLarge, none},
		{"400 incomplete", attempt{sent: true, status: 400, body: bodyBroken}, io.ErrUnexpectedEOF, idempotent},
		{"400 too large", attempt{sent: true, status: 400, body: bodyBroken}, errBodyTooLarge, none},
		{"429 too large", attempt{sent: true, status: 429, body: bodyBroken}, errBodyTooLarge, every},
		{"503 too large", attempt{sent: true, status: 503, body: bodyBroken}, errBodyTooLarge, idempotent},
		{"429", response(429), nil, every},
		{"429 incomplete", attempt{sent: true, status: 429, body: bodyBroken}, io.ErrUnexpectedEOF, every},
		{"429 after a replay", attempt{sent: true, replays: 1, status: 429}, nil, idempotent},
		{"408", response(408), nil, idempotent},
		{"500", response(500), nil, idempotent},
		{"502", response(502), nil, idempotent},
		{"503", response(503), nil, idempotent},
		{"504", response(504), nil, idempotent},
		{"101", response(101), nil, none},
		{"204", response(204), nil, none},
		{"303", response(303), nil, none},
		{"400", response(400), nil, none},
		{"401", response(401), nil, none},
		{"403", response(403), nil, none},
		{"404", response(404), nil, none},
		{"409", response(409), nil, none},
		{"425", response(425), nil, none},
		{"499", response(499), nil, none},
		{"501", response(501), nil, none},
		{"505", response(505), nil, none},
		{"529", response(529), nil, none},
	} {
		for class, op := range operations {
			want := strings.Contains(row.retried, class)
			assert.Equal(t, want, retryable(op, []attempt{row.attempt}, row.err), "%s of a %s", row.name, class)
		}
	}
}

// record returns the record of a call after its last attempt.
func record(t *testing.T, op *gen.Operation, attempts ...attempt) *call {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), op.Method, "https://api.example/v1"+op.Path, nil)
	require.NoError(t, err)
	return &call{operation: op, request: request, started: time.Now(), attempts: attempts}
}

// TestBackoffBound: the bound starts at BaseDelay, doubles with each attempt and stays at MaxWait.
func TestBackoffBound(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	for _, row := range []struct {
		base, most time.Duration
		want       []time.Duration // after 1, 2, 3… attempts
	}{
		{1, 100, []time.Duration{1, 2, 4, 8, 16, 32, 64, 100, 100}},
		{3, 12, []time.Duration{3, 6, 12, 12}},
		{5, 5, []time.Duration{5, 5}},
		{longest/2 + 1, longest, []time.Duration{longest/2 + 1, longest, longest}},
		{longest, longest, []time.Duration{longest, longest}},
	} {
		for i, want := range row.want {
			assert.Equal(t, want, Retry{BaseDelay: row.base, MaxWait: row.most}.bound(i+1), "%v to %v, attempt %d", row.base, row.most, i+1)
		}
	}
	assert.Equal(t, longest, Retry{BaseDelay: 1, MaxWait: longest}.bound(1000))
}

// TestBackoffHasFullJitter: waits lie between 0 and the bound of the attempt, and approach both.
func TestBackoffHasFullJitter(t *testing.T) {
	policy := Retry{MaxAttempts: 10, BaseDelay: 1000, MaxWait: 8000}
	failed := attempt{sent: true, status: 500}
	attempts := []attempt{failed}
	for _, bound := range []time.Duration{1000, 2000, 4000, 8000, 8000} {
		c := record(t, readOp, attempts...)
		shortest, longest := bound, time.Duration(0)
		for range 2000 {
			wait, again := policy.next(c)
			require.True(t, again)
			shortest, longest = min(shortest, wait), max(longest, wait)
		}
		assert.True(t, 0 <= shortest && shortest < bound/20, "shortest %d of %d", shortest, bound)
		assert.True(t, bound-bound/20 < longest && longest < bound, "longest %d of %d", longest, bound)
		attempts = append(attempts, failed)
	}
	_, again := Retry{MaxAttempts: 2}.next(record(t, readOp, failed))
	assert.True(t, again, "a bound of 0 is no reason to panic")
}

// TestRetryNext covers what a policy makes of attempts, headers and contexts.
func TestRetryNext(t *testing.T) {
	policy := Retry{MaxAttempts: 3, BaseDelay: 1, MaxWait: 90 * time.Second}
	failed := func(status int, header ...string) attempt {
		a := attempt{sent: true, status: status, header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			a.header.Set(header[i], header[i+1])
		}
		return a
	}
	for _, row := range []struct {
		name     string
		attempts []attempt
		wait     time.Duration
		again    bool
	}{
		{"first", []attempt{failed(500)}, 0, true},
		{"second", []attempt{failed(500), failed(500, "Retry-After", "2")}, 2 * time.Second, true},
		{"last", []attempt{failed(500), failed(500), failed(500)}, 0, false},
		{"one more than the last", []attempt{failed(500), failed(500), failed(500), failed(500)}, 0, false},
		{"non-retryable", []attempt{failed(400)}, 0, false},
		{"retry-after", []attempt{failed(503, "Retry-After", "7")}, 7 * time.Second, true},
		{"retry-after at 429, which the gate waits for", []attempt{failed(429, "Retry-After", "7")}, 0, true},
		{"retry-after beyond MaxWait at 429", []attempt{failed(429, "Retry-After", "91")}, 0, false},
		{"retry-after of MaxWait", []attempt{failed(503, "Retry-After", "90")}, 90 * time.Second, true},
		{"retry-after beyond MaxWait", []attempt{failed(503, "Retry-After-Ms", "90001")}, 0, false},
		{"retry-after of a non-retryable status", []attempt{failed(400, "Retry-After", "1")}, 0, false},
		{"x-should-retry: false", []attempt{failed(503, "X-Should-Retry", "false", "Retry-After", "1")}, 0, false},
		{"x-should-retry: true at 503", []attempt{failed(503, "X-Should-Retry", "true", "Retry-After", "1")}, time.Second, true},
		{"x-should-retry: true at 400", []attempt{failed(400, "X-Should-Retry", "true")}, 0, false},
	} {
		wait, again := policy.next(record(t, readOp, row.attempts...))
		assert.Equal(t, row.again, again, row.name)
		assert.Equal(t, row.wait, wait, row.name)
	}
	limited := record(t, readOp, failed(429), failed(429), failed(429), failed(429))
	limited.uncounted = 2
	_, again := policy.next(limited)
	assert.True(t, again, "two of four attempts do not count")
	limited.uncounted = 1
	_, again = policy.next(limited)
	assert.False(t, again, "three attempts count")
	limited.uncounted = 4
	_, again = Retry{MaxAttempts: 1}.next(limited)
	assert.False(t, again, "one attempt never retries")

	dated := failed(503, "Retry-After", "Sun, 01 Nov 2026 12:00:40 GMT")
	dated.ended = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	wait, _ := policy.next(record(t, readOp, dated))
	assert.Equal(t, 40*time.Second, wait, "a date counts from the end of the attempt")

	c := record(t, readOp, failed(500))
	c.err = &proxyError{"proxy", io.EOF}
	_, again = policy.next(c)
	assert.False(t, again, "an error that the next attempt repeats")

	c = record(t, readOp, failed(500))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.request = c.request.WithContext(ctx)
	_, again = policy.next(c)
	assert.False(t, again, "the context has ended")
}

func TestRetryDefaults(t *testing.T) {
	const second = time.Second
	for _, row := range []struct{ set, want Retry }{
		{Retry{}, Retry{4, 500 * time.Millisecond, 90 * second}},
		{Retry{MaxAttempts: 1}, Retry{1, 500 * time.Millisecond, 90 * second}},
		{Retry{BaseDelay: 2 * second}, Retry{4, 2 * second, 90 * second}},
		{Retry{MaxWait: second}, Retry{4, 500 * time.Millisecond, second}},
		{Retry{MaxWait: 5}, Retry{4, 5, 5}},
		{Retry{BaseDelay: 5, MaxWait: 5}, Retry{4, 5, 5}},
	} {
		got, err := row.set.withDefaults()
		require.NoError(t, err)
		assert.Equal(t, row.want, got)
	}
	c, _, err := configure([]Option{WithAdminKey("sk-admin-test"), WithBaseURL("https://api.example/v1")})
	require.NoError(t, err)
	unset, err := Retry{}.withDefaults()
	require.NoError(t, err)
	assert.Equal(t, unset, c.retry, "no option and the zero Retry are the same policy")
	for _, invalid := range []Retry{
		{MaxAttempts: -1}, {BaseDelay: -1}, {MaxWait: -1}, {BaseDelay: 6, MaxWait: 5}, {BaseDelay: 91 * second},
	} {
		_, err := NewClient(WithAdminKey("sk-admin-test"), WithBaseURL("https://api.example/v1"), WithRetry(invalid))
		assert.ErrorContains(t, err, "orgkeys: retry: ", "%+v", invalid)
	}
}

// TestSleepEndsWithTheContext: sleep returns at once when the context ends, and counts the wait.
func TestSleepEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := record(t, readOp)
		c.request = c.request.WithContext(ctx)
		require.NoError(t, c.sleep(time.Minute))
		assert.Equal(t, time.Minute, c.waited())
		time.AfterFunc(time.Second, cancel)
		require.ErrorIs(t, c.sleep(time.Minute), context.Canceled)
		assert.Equal(t, time.Minute+time.Second, c.waited())
		require.ErrorIs(t, c.sleep(0), context.Canceled, "no wait is too short to notice")
	})
}

// TestStopKeepsTheLastFailure: the error of a call that was stopped matches both causes.
func TestStopKeepsTheLastFailure(t *testing.T) {
	c := record(t, readOp, attempt{sent: true, status: 503})
	c.err = io.ErrUnexpectedEOF
	c.stop(context.Canceled)
	err := c.failure()
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.False(t, errors.Is(err, ErrNotSent))
}
