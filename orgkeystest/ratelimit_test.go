package orgkeystest_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithRateLimit_HasNoHeadersAndIsPerOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute = 8
		s := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.WithRateLimit(perMinute))
		s.AddProject(project)
		for range perMinute {
			require.Equal(t, 200, create(t, s).Status)
		}
		refused := create(t, s)
		require.Equal(t, 429, refused.Status)
		assert.Equal(t, "rate_limit_exceeded", refused.errorField(t, "code"))
		for name := range refused.Header {
			assert.NotContains(t, strings.ToLower(name), "retry")
			assert.NotContains(t, strings.ToLower(name), "ratelimit")
		}
		assert.Equal(t, perMinute, s.KeysCreated(), "a refused request creates no key")
		assert.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status, "each operation has a limit of its own")

		time.Sleep(60 * time.Second / perMinute)
		assert.Equal(t, 200, create(t, s).Status, "one is regained after its share of the minute")
		assert.Equal(t, 429, create(t, s).Status)

		time.Sleep(time.Minute)
		for range perMinute {
			require.Equal(t, 200, create(t, s).Status)
		}
		assert.Equal(t, 429, create(t, s).Status, "no more than the limit is regained")

		s.Inject(orgkeystest.Fault{Status: 503, Times: 2 * perMinute})
		time.Sleep(time.Minute)
		for range 2 * perMinute {
			require.Equal(t, 503, create(t, s).Status)
		}
		assert.Equal(t, 200, create(t, s).Status, "requests that a fault keeps from the API do not count")
	})
}

func TestRateLimitAlgorithms(t *testing.T) {
	// The limit is 4 requests a minute. A bubble's clock starts at the beginning of a minute.
	cases := map[string]struct {
		algorithm orgkeystest.RateLimitAlgorithm
		arrivals  []int // times in seconds, at each of which six requests arrive
		accepted  []int // how many of the six are accepted
	}{
		"token bucket":   {orgkeystest.TokenBucket, []int{0, 15, 45, 59, 200}, []int{4, 1, 2, 0, 4}},
		"sliding window": {orgkeystest.SlidingWindow, []int{0, 15, 59, 60, 119, 200}, []int{4, 0, 0, 4, 0, 4}},
		"fixed window":   {orgkeystest.FixedWindow, []int{30, 59, 60, 119, 120}, []int{4, 0, 4, 0, 4}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory())
				s.SetRateLimit(orgkeystest.RateLimit{PerMinute: 4, Algorithm: c.algorithm})
				start := time.Now()
				var accepted []int
				for _, at := range c.arrivals {
					time.Sleep(time.Until(start.Add(time.Duration(at) * time.Second)))
					accepted = append(accepted, acceptedOf(t, s, 6))
				}
				assert.Equal(t, c.accepted, accepted)
			})
		})
	}
}

func acceptedOf(t *testing.T, s *orgkeystest.Server, requests int) (n int) {
	t.Helper()
	for range requests {
		switch got := call(t, s, "GET", adminKeys, ""); got.Status {
		case 200:
			n++
		default:
			require.Equal(t, 429, got.Status)
		}
	}
	return n
}

func TestSlidingWindow_CountsEachRequestForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		s.SetRateLimit(orgkeystest.RateLimit{PerMinute: 4, Algorithm: orgkeystest.SlidingWindow})
		require.Equal(t, 2, acceptedOf(t, s, 2))
		time.Sleep(30 * time.Second)
		require.Equal(t, 2, acceptedOf(t, s, 3))
		time.Sleep(30 * time.Second)
		assert.Equal(t, 2, acceptedOf(t, s, 4))
		time.Sleep(30 * time.Second)
		assert.Equal(t, 2, acceptedOf(t, s, 4))
	})
}

func TestRateLimit_HintsAreExact(t *testing.T) {
	for _, perMinute := range []int{1, 7, 60, 500} {
		for _, algorithm := range []orgkeystest.RateLimitAlgorithm{orgkeystest.TokenBucket, orgkeystest.SlidingWindow, orgkeystest.FixedWindow} {
			t.Run(strconv.Itoa(perMinute)+"/"+strconv.Itoa(int(algorithm)), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := orgkeystest.New(t, orgkeystest.InMemory())
					s.SetRateLimit(orgkeystest.RateLimit{PerMinute: perMinute, Algorithm: algorithm, RetryAfter: true, RetryAfterMS: true, Headers: true})
					time.Sleep(1234 * time.Millisecond)
					for i := range perMinute {
						got := call(t, s, "GET", adminKeys, "")
						require.Equal(t, 200, got.Status)
						require.Equal(t, strconv.Itoa(perMinute), got.Header.Get("X-Ratelimit-Limit-Requests"))
						require.Equal(t, strconv.Itoa(perMinute-i-1), got.Header.Get("X-Ratelimit-Remaining-Requests"))
						require.Empty(t, got.Header.Get("Retry-After"))
						require.Empty(t, got.Header.Get("Retry-After-Ms"))
					}
					refused := call(t, s, "GET", adminKeys, "")
					require.Equal(t, 429, refused.Status)
					require.Equal(t, "0", refused.Header.Get("X-Ratelimit-Remaining-Requests"))
					seconds, err := strconv.Atoi(refused.Header.Get("Retry-After"))
					require.NoError(t, err)
					ms, err := strconv.Atoi(refused.Header.Get("Retry-After-Ms"))
					require.NoError(t, err)
					assert.Equal(t, (ms+999)/1000, seconds)

					wait := time.Duration(ms) * time.Millisecond
					time.Sleep(wait - 2*time.Millisecond)
					assert.Equal(t, 0, acceptedOf(t, s, 1), "earlier than hinted")
					time.Sleep(2 * time.Millisecond)
					last := call(t, s, "GET", adminKeys, "")
					assert.Equal(t, 200, last.Status, "as hinted")

					reset, err := time.ParseDuration(last.Header.Get("X-Ratelimit-Reset-Requests"))
					require.NoError(t, err)
					time.Sleep(reset - 2*time.Millisecond)
					s.SetRateLimit(orgkeystest.RateLimit{PerMinute: perMinute, Algorithm: algorithm})
					time.Sleep(2 * time.Millisecond)
					assert.Equal(t, perMinute, acceptedOf(t, s, perMinute+1), "the whole limit after the reset")
				})
			})
		}
	}
}

func TestSetRateLimit_WhileTheServerRuns(t *testing.T) {
	for name, algorithm := range map[string]orgkeystest.RateLimitAlgorithm{
		"token bucket": orgkeystest.TokenBucket, "sliding window": orgkeystest.SlidingWindow, "fixed window": orgkeystest.FixedWindow,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory())
				limit := func(n int) { s.SetRateLimit(orgkeystest.RateLimit{PerMinute: n, Algorithm: algorithm}) }
				assert.Equal(t, 20, acceptedOf(t, s, 20), "there is no limit at first")
				limit(10)
				assert.Equal(t, 10, acceptedOf(t, s, 20))
				limit(4)
				assert.Equal(t, 0, acceptedOf(t, s, 20), "requests that were accepted before count")
				time.Sleep(time.Minute)
				assert.Equal(t, 4, acceptedOf(t, s, 20))
				limit(6)
				time.Sleep(time.Minute)
				assert.Equal(t, 6, acceptedOf(t, s, 20))
				limit(0)
				assert.Equal(t, 20, acceptedOf(t, s, 20))
				other := orgkeystest.FixedWindow
				if algorithm == other {
					other = orgkeystest.SlidingWindow
				}
				s.SetRateLimit(orgkeystest.RateLimit{PerMinute: 3, Algorithm: other})
				assert.Equal(t, 3, acceptedOf(t, s, 20), "another algorithm starts to count anew")
				limit(5)
				assert.Equal(t, 5, acceptedOf(t, s, 20), "and so does the first one after it")
			})
		})
	}
}

// With a lower limit, more than one earlier request has to leave the window.
func TestSetRateLimit_HintOfALowerLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := orgkeystest.New(t, orgkeystest.InMemory())
		limit := orgkeystest.RateLimit{PerMinute: 4, Algorithm: orgkeystest.SlidingWindow, RetryAfter: true}
		s.SetRateLimit(limit)
		for range 4 {
			require.Equal(t, 1, acceptedOf(t, s, 1))
			time.Sleep(10 * time.Second)
		}
		limit.PerMinute = 2
		s.SetRateLimit(limit)
		refused := call(t, s, "GET", adminKeys, "")
		require.Equal(t, 429, refused.Status)
		assert.Equal(t, "40", refused.Header.Get("Retry-After"), "the third request was 20 seconds ago")
		time.Sleep(40*time.Second - 1)
		assert.Equal(t, 0, acceptedOf(t, s, 1))
		time.Sleep(time.Nanosecond)
		assert.Equal(t, 1, acceptedOf(t, s, 1))
	})
}

func TestSetRateLimit_RejectsInvalidLimits(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	assert.Panics(t, func() { s.SetRateLimit(orgkeystest.RateLimit{PerMinute: -1}) })
	assert.Panics(t, func() { s.SetRateLimit(orgkeystest.RateLimit{PerMinute: 1, Algorithm: 3}) })
	assert.Panics(t, func() { orgkeystest.WithRateLimit(0) })
}
