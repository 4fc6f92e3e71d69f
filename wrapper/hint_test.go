package orgkeys

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestRateLimitHint is the rule of how long a response asks the next requests to wait.
func TestRateLimitHint(t *testing.T) {
	const longest = time.Duration(1<<63 - 1)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name   string
		status int
		header map[string]string
		want   time.Duration
	}{
		{"no header", 429, nil, noHint},
		{"seconds", 429, map[string]string{"Retry-After": "7"}, 7 * time.Second},
		{"half a second", 429, map[string]string{"Retry-After": "0.5"}, 500 * time.Millisecond},
		{"zero", 429, map[string]string{"Retry-After": "0"}, 0},
		{"a date", 429, map[string]string{"Retry-After": "Thu, 01 Jan 2026 00:00:40 GMT"}, 40 * time.Second},
		{"a date in the past", 429, map[string]string{"Retry-After": "Thu, 01 Jan 2015 00:00:40 GMT"}, 0},
		{"milliseconds", 429, map[string]string{"Retry-After-Ms": "250"}, 250 * time.Millisecond},
		{"milliseconds before seconds", 429, map[string]string{"Retry-After-Ms": "250", "Retry-After": "7"}, 250 * time.Millisecond},
		{"malformed milliseconds, then seconds", 429, map[string]string{"Retry-After-Ms": "x", "Retry-After": "7"}, 7 * time.Second},
		{"negative", 429, map[string]string{"Retry-After": "-5"}, noHint},
		{"not a number", 429, map[string]string{"Retry-After": "NaN"}, noHint},
		{"infinite", 429, map[string]string{"Retry-After": "Inf"}, noHint},
		{"an exponent", 429, map[string]string{"Retry-After": "1e3"}, noHint},
		{"gibberish", 429, map[string]string{"Retry-After": "soon"}, noHint},
		{"overflow", 429, map[string]string{"Retry-After": "99999999999999999999999"}, longest},
		{"on a 503, which is not a rate limit", 503, map[string]string{"Retry-After": "7"}, noHint},
		{"on a 400", 400, map[string]string{"Retry-After": "7"}, noHint},
		{"on a success", 200, map[string]string{"Retry-After": "7"}, noHint},

		{"a share of the time to the full limit", 429, map[string]string{"X-Ratelimit-Limit-Requests": "60", "X-Ratelimit-Remaining-Requests": "0", "X-Ratelimit-Reset-Requests": "1m0s"}, time.Second},
		{"the same on a success", 200, map[string]string{"X-Ratelimit-Limit-Requests": "60", "X-Ratelimit-Remaining-Requests": "0", "X-Ratelimit-Reset-Requests": "1m0s"}, time.Second},
		{"requests remain", 200, map[string]string{"X-Ratelimit-Limit-Requests": "60", "X-Ratelimit-Remaining-Requests": "59", "X-Ratelimit-Reset-Requests": "1s"}, noHint},
		{"requests remain, yet a 429", 429, map[string]string{"X-Ratelimit-Remaining-Requests": "5", "X-Ratelimit-Reset-Requests": "1s"}, noHint},
		{"a success that does not say what remains", 200, map[string]string{"X-Ratelimit-Reset-Requests": "1s"}, noHint},
		{"a 429 that does not say what remains", 429, map[string]string{"X-Ratelimit-Reset-Requests": "20ms"}, 20 * time.Millisecond},
		{"no limit", 429, map[string]string{"X-Ratelimit-Remaining-Requests": "0", "X-Ratelimit-Reset-Requests": "6s"}, 6 * time.Second},
		{"a limit of one", 429, map[string]string{"X-Ratelimit-Limit-Requests": "1", "X-Ratelimit-Reset-Requests": "6s"}, 6 * time.Second},
		{"a reset of zero", 429, map[string]string{"X-Ratelimit-Reset-Requests": "0s"}, 0},
		{"a limit of zero", 429, map[string]string{"X-Ratelimit-Limit-Requests": "0", "X-Ratelimit-Reset-Requests": "6s"}, 6 * time.Second},
		{"a negative limit", 429, map[string]string{"X-Ratelimit-Limit-Requests": "-6", "X-Ratelimit-Reset-Requests": "6s"}, 6 * time.Second},
		{"a reset in seconds", 429, map[string]string{"X-Ratelimit-Reset-Requests": "6"}, 6 * time.Second},
		{"at most a minute", 429, map[string]string{"X-Ratelimit-Reset-Requests": "6m0s"}, time.Minute},
		{"an epoch", 429, map[string]string{"X-Ratelimit-Reset-Requests": "1767225600"}, time.Minute},
		{"a negative reset", 429, map[string]string{"X-Ratelimit-Reset-Requests": "-6s"}, noHint},
		{"a reset that overflows", 429, map[string]string{"X-Ratelimit-Reset-Requests": "9999999999h"}, noHint},
		{"no reset", 429, map[string]string{"X-Ratelimit-Remaining-Requests": "0"}, noHint},
		{"Retry-After before a reset", 429, map[string]string{"Retry-After": "7", "X-Ratelimit-Reset-Requests": "6s"}, 7 * time.Second},
		{"tokens are not requests", 200, map[string]string{"X-Ratelimit-Remaining-Tokens": "0", "X-Ratelimit-Reset-Tokens": "6m0s"}, noHint},
	} {
		header := http.Header{}
		for name, value := range row.header {
			header.Set(name, value)
		}
		assert.Equal(t, row.want, rateLimitHint(row.status, header, now), row.name)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const ignored, longest = time.Duration(-1), time.Duration(math.MaxInt64)
	for _, row := range []struct {
		seconds, milliseconds string
		want                  time.Duration
	}{
		{"", "", ignored},
		{"7", "", 7 * time.Second},
		{"0", "", 0},
		{"0.25", "", 250 * time.Millisecond},
		{"", "250", 250 * time.Millisecond},
		{"", "0.5", 500 * time.Microsecond},
		{"7", "250", 250 * time.Millisecond},
		{"7", "0", 0},
		{"7", "soon", 7 * time.Second},
		{"7", "-1", 7 * time.Second},
		{"Sun, 01 Nov 2026 12:00:40 GMT", "", 40 * time.Second},
		{"Sun, 01 Nov 2026 11:59:00 GMT", "", 0},
		{"Sunday, 01-Nov-26 12:00:40 GMT", "", 40 * time.Second},
		{"Sun, 32 Nov 2026 12:00:40 GMT", "", ignored},
		{"-5", "", ignored},
		{"+5", "", ignored},
		{"soon", "", ignored},
		{"1e3", "", ignored},
		{"NaN", "", ignored},
		{"Inf", "", ignored},
		{"0x10", "", ignored},
		{"1-2", "", ignored},
		{"1.2.3", "", ignored},
		{".", "", ignored},
		{"5 seconds", "", ignored},
		{"9000000000", "", 9000000000 * time.Second},
		{"9223372037", "", longest},
		{strings.Repeat("9", 400), "", longest},
		{"", strings.Repeat("9", 400), longest},
	} {
		wait, ok := retryAfter(http.Header{"Retry-After": {row.seconds}, "Retry-After-Ms": {row.milliseconds}}, now)
		if !ok {
			wait = ignored
		}
		assert.Equal(t, row.want, wait, "Retry-After: %q, Retry-After-Ms: %q", row.seconds, row.milliseconds)
	}
	wait, _ := retryAfter(http.Header{"Retry-After": {"1", "2"}}, now)
	assert.Equal(t, time.Second, wait, "the first of two values")
	_, ok := retryAfter(nil, now)
	assert.False(t, ok, "a response without a header")
}
