package orgkeys_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// quota counts requests as a rate limiter does. take grants a request at now, or returns how long
// until it would.
type quota interface {
	take(now time.Time) (wait time.Duration, ok bool)
	set(perWindow float64)
}

// slidingWindow grants n requests in any window.
type slidingWindow struct {
	n       float64
	window  time.Duration
	granted []time.Time
}

func (q *slidingWindow) set(n float64) { q.n = n }

func (q *slidingWindow) take(now time.Time) (time.Duration, bool) {
	for len(q.granted) > 0 && now.Sub(q.granted[0]) >= q.window {
		q.granted = q.granted[1:]
	}
	if float64(len(q.granted)) >= q.n {
		if len(q.granted) == 0 {
			return q.window, false
		}
		return q.granted[0].Add(q.window).Sub(now), false
	}
	q.granted = append(q.granted, now)
	return 0, true
}

// fixedWindow grants n requests in each window, the first of which ends after phase.
type fixedWindow struct {
	n             float64
	window, phase time.Duration
	ends          time.Time
	used          float64
}

func (q *fixedWindow) set(n float64) { q.n = n }

func (q *fixedWindow) take(now time.Time) (time.Duration, bool) {
	if q.ends.IsZero() {
		q.ends = now.Add(q.phase)
	}
	for !now.Before(q.ends) {
		q.ends, q.used = q.ends.Add(q.window), 0
	}
	if q.used >= q.n {
		return q.ends.Sub(now), false
	}
	q.used++
	return 0, true
}

// tokenBucket holds up to n tokens and gets n in each window, evenly.
type tokenBucket struct {
	n, tokens float64
	window    time.Duration
	last      time.Time
}

func (q *tokenBucket) set(n float64) { q.n = n }

func (q *tokenBucket) take(now time.Time) (time.Duration, bool) {
	if q.last.IsZero() {
		q.last, q.tokens = now, q.n
	}
	q.tokens = min(q.n, q.tokens+q.n*float64(now.Sub(q.last))/float64(q.window))
	q.last = now
	if q.tokens < 1-1e-9 {
		return time.Duration(math.Ceil((1 - q.tokens) / q.n * float64(q.window))), false
	}
	q.tokens--
	return 0, true
}

// limitedAPI is a round tripper that answers deletes and reads of project keys, each operation
// within a quota of its own.
type limitedAPI struct {
	latency time.Duration
	hint    bool                             // 429s carry Retry-After-Ms
	header  func(*http.Request, http.Header) // adds to a response's header, if not nil
	quotas  map[string]quota                 // by method
	others  schedule                         // requests of other programs to the DELETE quota

	mu                       sync.Mutex
	sent, refused, otherTook int
	order                    []string // the ids of granted requests
	times                    []time.Time
}

// schedule is when other programs send requests: one every interval in [from, to).
type schedule struct {
	from, to time.Time
	every    time.Duration
}

func (a *limitedAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := pause(r.Context(), a.latency/2); err != nil {
		return nil, err
	}
	response := a.respond(r)
	return response, pause(r.Context(), a.latency-a.latency/2)
}

func pause(ctx context.Context, wait time.Duration) error {
	if wait == 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *limitedAPI) respond(r *http.Request) *http.Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.sent++
	a.times = append(a.times, now)
	id := path.Base(r.URL.Path)
	header := http.Header{"Content-Type": {"application/json"}}
	if a.header != nil {
		a.header(r, header)
	}
	q := a.quotas[r.Method]
	if r.Method == http.MethodDelete {
		for ; a.others.every > 0 && a.others.from.Before(a.others.to) && !now.Before(a.others.from); a.others.from = a.others.from.Add(a.others.every) {
			if _, ok := q.take(a.others.from); ok {
				a.otherTook++
			}
		}
	}
	if q != nil {
		if wait, ok := q.take(now); !ok {
			a.refused++
			if a.hint {
				header.Set("Retry-After-Ms", strconv.FormatFloat(float64(wait)/float64(time.Millisecond), 'f', -1, 64))
			}
			return limitedResponse(429, header, `{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}`)
		}
	}
	a.order = append(a.order, id)
	if r.Method == http.MethodDelete {
		return limitedResponse(200, header, `{"object":"organization.project.api_key.deleted","id":"`+id+`","deleted":true}`)
	}
	return limitedResponse(200, header, strings.Replace(projectKeyJSON, "key_abc", id, 1))
}

const projectKeyJSON = `{"object":"organization.project.api_key","redacted_value":"sk-abc...def","name":"ci","created_at":1711471533,` +
	`"last_used_at":1711471534,"id":"key_abc","owner":{"type":"user","user":{"id":"user_1","name":"A","email":"a@example.com","role":"owner","created_at":1711471533}},"owner_project_access":"active"}`

func limitedResponse(status int, header http.Header, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// client returns a client of a with the default options and more.
func (a *limitedAPI) client(t testing.TB, more ...orgkeys.Option) *orgkeys.Client {
	t.Helper()
	return stubbed(t, a.RoundTrip, more...)
}

func deleteKey(ctx context.Context, client *orgkeys.Client, i int) error {
	return errorOf(client.ProjectKeys.Delete(ctx, project, fmt.Sprintf("key_%d", i)))
}

// bulk deletes n keys with so many workers, and returns how many calls failed.
func bulk(t *testing.T, clients []*orgkeys.Client, workers, n int) (lost int) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	next := 0
	for w := range workers {
		client := clients[w%len(clients)]
		group.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= n {
					return
				}
				if err := deleteKey(t.Context(), client, i); err != nil {
					mu.Lock()
					if lost++; lost == 1 {
						t.Log(err)
					}
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return lost
}

// setting is one row of the acceptance table.
type setting struct {
	kind    string
	n       int
	hint    bool
	workers int
	share   float64 // of the quota that others use for five minutes

	window, latency time.Duration
	clients         int
	seed            int
}

func (s setting) String() string {
	name := fmt.Sprintf("%s %d a minute, %d workers", s.kind, s.n, s.workers)
	if s.hint {
		name += ", hint"
	}
	if s.share > 0 {
		name += fmt.Sprintf(", others take %.0f%%", 100*s.share)
	}
	if s.window != time.Minute {
		name += ", window " + s.window.String()
	}
	if s.latency > 0 {
		name += ", latency " + s.latency.String()
	}
	if s.clients > 1 {
		name += fmt.Sprintf(", %d clients", s.clients)
	}
	return name
}

func (s setting) quota() quota {
	switch s.kind {
	case "sliding":
		return &slidingWindow{n: float64(s.n), window: s.window}
	case "fixed":
		return &fixedWindow{n: float64(s.n), window: s.window, phase: time.Duration(s.seed*17+23) * time.Second % s.window}
	default:
		return &tokenBucket{n: float64(s.n), window: s.window}
	}
}

// figures are what a setting measures.
type figures struct {
	lost           int
	ratio, refused float64 // time against the limit's own, and refused requests against all
}

// run sends 25 windows' worth of calls.
func (s setting) run(t *testing.T) (f figures) {
	synctest.Test(t, func(t *testing.T) {
		api := &limitedAPI{hint: s.hint, latency: s.latency, quotas: map[string]quota{http.MethodDelete: s.quota()}}
		began := time.Now()
		if s.share > 0 {
			from := began.Add(3*time.Minute + time.Duration(s.seed)*7*time.Second)
			api.others = schedule{from, from.Add(5 * time.Minute), time.Duration(float64(s.window) / s.share / float64(s.n))}
		}
		var clients []*orgkeys.Client
		for range max(s.clients, 1) {
			clients = append(clients, api.client(t))
		}
		calls := 25 * s.n
		f.lost = bulk(t, clients, s.workers, calls)
		own := float64(calls+api.otherTook) / float64(s.n) * float64(s.window)
		f.ratio = float64(time.Since(began)) / own
		f.refused = float64(api.refused) / float64(api.sent)
	})
	return f
}

// measure runs settings and logs what they measured, worst first.
func measure(t *testing.T, settings []setting) (median float64, all []figures) {
	t.Helper()
	all = make([]figures, len(settings))
	t.Run("settings", func(t *testing.T) {
		for i, s := range settings {
			t.Run(s.String(), func(t *testing.T) {
				t.Parallel()
				all[i] = s.run(t)
			})
		}
	})
	var ratios, refused []float64
	lost := 0
	for i, f := range all {
		t.Logf("%-60v lost %d, time %.2f, refused %.1f %%", settings[i], f.lost, f.ratio, 100*f.refused)
		ratios, refused = append(ratios, f.ratio), append(refused, f.refused)
		lost += f.lost
	}
	slices.Sort(ratios)
	slices.Sort(refused)
	median = ratios[len(ratios)/2]
	t.Logf("%d settings: %d calls lost; time against the limit's own: median %.2f, worst %.2f; refused requests: median %.1f %%, worst %.1f %%",
		len(all), lost, median, slices.Max(ratios), 100*refused[len(refused)/2], 100*slices.Max(refused))
	return median, all
}

// TestRateLimit_BulkWorkFinishesAtTheServersPace deletes 25 minutes' worth of keys with default
// options against each kind of limiter.
func TestRateLimit_BulkWorkFinishesAtTheServersPace(t *testing.T) {
	var settings []setting
	for _, kind := range []string{"sliding", "fixed", "bucket"} {
		for _, n := range []int{7, 60, 500} {
			for _, hint := range []bool{true, false} {
				for _, workers := range []int{1, 8, 64, 200} {
					for _, share := range []float64{0, 0.5} {
						if testing.Short() && (n == 500 || workers == 8) {
							continue
						}
						settings = append(settings, setting{kind: kind, n: n, hint: hint, workers: workers, share: share, window: time.Minute})
					}
				}
			}
		}
	}
	median, all := measure(t, settings)
	assert.LessOrEqual(t, median, 1.10)
	for i, f := range all {
		assert.Zero(t, f.lost, settings[i])
		assert.LessOrEqual(t, f.ratio, 1.35, settings[i])
		assert.LessOrEqual(t, f.refused, 0.15, settings[i])
	}
}

// busyAPI returns an API that grants n deletes in each sliding minute and any number of reads.
func busyAPI(n int) *limitedAPI {
	return &limitedAPI{quotas: map[string]quota{http.MethodDelete: &slidingWindow{n: float64(n), window: time.Minute}}}
}

// TestRateLimit_CallsPassInOrderOfArrival lets 20 calls arrive one after the other, of which the
// first ones are refused and sent again.
func TestRateLimit_CallsPassInOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := busyAPI(3)
		client := api.client(t)
		var group sync.WaitGroup
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprintf("key_%d", i))
			group.Go(func() { assert.NoError(t, deleteKey(t.Context(), client, i)) })
			synctest.Wait()
		}
		state := client.RateLimit("delete-project-api-key")
		assert.Equal(t, 17, state.Waiting)
		assert.Equal(t, 3.0, state.PerMinute)
		assert.Equal(t, "delete-project-api-key", state.Operation)
		assert.True(t, state.NextTurn.After(time.Now()))
		group.Wait()
		assert.Equal(t, want, api.order)
		assert.Zero(t, client.RateLimit("delete-project-api-key").Waiting)
	})
}

// TestRateLimit_OtherOperationsPass reads while deletes wait.
func TestRateLimit_OtherOperationsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := busyAPI(3)
		client := api.client(t)
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() { assert.NoError(t, deleteKey(t.Context(), client, i)) })
		}
		synctest.Wait()
		began := time.Now()
		for range 20 {
			_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
			require.NoError(t, err)
		}
		assert.Zero(t, time.Since(began))
		assert.Equal(t, orgkeys.RateLimit{Operation: "retrieve-project-api-key"}, client.RateLimit("retrieve-project-api-key"))
		assert.Equal(t, orgkeys.RateLimit{Operation: "none"}, client.RateLimit("none"))
		group.Wait()
	})
}

// TestRateLimit_ACancelledCallHandsItsTurnOn cancels the first of three waiting calls.
func TestRateLimit_ACancelledCallHandsItsTurnOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := busyAPI(1000)
		client := api.client(t, orgkeys.WithRateLimit(1))
		require.NoError(t, deleteKey(t.Context(), client, 0))
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			assert.ErrorIs(t, deleteKey(ctx, client, 1), context.Canceled)
			assert.Equal(t, time.Second, time.Since(began), "it leaves at once")
		})
		synctest.Wait()
		for i := range 2 {
			group.Go(func() { assert.NoError(t, deleteKey(t.Context(), client, 2+i)) })
			synctest.Wait()
		}
		time.Sleep(time.Second)
		cancel()
		group.Wait()
		assert.Equal(t, []string{"key_0", "key_2", "key_3"}, api.order)
		assert.Equal(t, 2*time.Minute, time.Since(began))
	})
}

// TestRateLimit_ADeadlineBeforeTheTurnFailsEarly fails the calls whose turn comes too late, and
// no other.
func TestRateLimit_ADeadlineBeforeTheTurnFailsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := busyAPI(1000)
		client := api.client(t, orgkeys.WithRateLimit(6))
		require.NoError(t, deleteKey(t.Context(), client, 0))
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		var group sync.WaitGroup
		for i := 1; i <= 4; i++ {
			group.Go(func() {
				err := deleteKey(ctx, client, i)
				if i <= 2 {
					assert.NoError(t, err)
					return
				}
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.ErrorContains(t, err, "the rate limit lets this call pass in 30s, after its deadline")
				assert.ErrorContains(t, err, "nothing was sent")
				assert.Zero(t, time.Since(began))
			})
			synctest.Wait()
		}
		group.Wait()
		assert.Equal(t, 3, api.sent)

		// A 429 that moves the turns ends those that now come too late.
		api = busyAPI(1)
		api.latency = time.Second
		client = api.client(t)
		ctx, cancel = context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		began = time.Now()
		for i := range 8 {
			group.Go(func() {
				if err := deleteKey(ctx, client, i); err != nil {
					assert.ErrorIs(t, err, context.DeadlineExceeded)
					assert.Less(t, time.Since(began), 3*time.Second)
				}
			})
		}
		group.Wait()
		assert.Less(t, time.Since(began), 3*time.Second)
	})
}

// TestRateLimit_ALimitIsKeptFromTheFirstRequest spaces the requests of WithRateLimit evenly, and
// learns that the server grants less.
func TestRateLimit_ALimitIsKeptFromTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := busyAPI(1000)
		began := time.Now()
		assert.Zero(t, bulk(t, []*orgkeys.Client{api.client(t, orgkeys.WithRateLimit(8))}, 8, 40))
		for i, at := range api.times {
			assert.Equal(t, time.Duration(i)*7500*time.Millisecond, at.Sub(began))
		}

		api = busyAPI(6)
		began = time.Now()
		assert.Zero(t, bulk(t, []*orgkeys.Client{api.client(t, orgkeys.WithRateLimit(12))}, 8, 60))
		assert.Less(t, time.Since(began), 11*time.Minute)
		assert.Less(t, api.refused, 9)

		api = busyAPI(60)
		began = time.Now()
		assert.Zero(t, bulk(t, []*orgkeys.Client{api.client(t, orgkeys.WithRateLimit(30))}, 8, 300))
		assert.Equal(t, 299*2*time.Second, time.Since(began))
		assert.Zero(t, api.refused)
	})
}

// TestRateLimit_HintsHoldForAllCalls holds that no call is sent before the time that a response
// asks for, whether it is a 429 or a success that leaves no request.
func TestRateLimit_HintsHoldForAllCalls(t *testing.T) {
	for name, hint := range map[string]func(int, http.Header) int{
		"Retry-After":    func(n int, h http.Header) int { h.Set("Retry-After", "30"); return 429 },
		"Retry-After-Ms": func(n int, h http.Header) int { h.Set("Retry-After-Ms", "30000"); return 429 },
		"a date": func(n int, h http.Header) int {
			h.Set("Retry-After", time.Now().Add(30*time.Second).UTC().Format(http.TimeFormat))
			return 429
		},
		"x-ratelimit on a 429": func(n int, h http.Header) int { h.Set("X-Ratelimit-Reset-Requests", "30s"); return 429 },
		"x-ratelimit on a success": func(n int, h http.Header) int {
			h.Set("X-Ratelimit-Remaining-Requests", "0")
			h.Set("X-Ratelimit-Reset-Requests", "30s")
			return 200
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var times []time.Duration
				began := time.Now()
				client := stubbed(t, func(r *http.Request) (*http.Response, error) {
					mu.Lock()
					defer mu.Unlock()
					times = append(times, time.Since(began))
					header, status := http.Header{"Content-Type": {"application/json"}}, 200
					if len(times) == 1 {
						status = hint(len(times), header)
					}
					if status == 429 {
						return limitedResponse(429, header, `{}`), nil
					}
					return limitedResponse(200, header, `{"object":"organization.project.api_key.deleted","id":"`+path.Base(r.URL.Path)+`","deleted":true}`), nil
				})
				var group sync.WaitGroup
				for i := range 5 {
					group.Go(func() { assert.NoError(t, deleteKey(t.Context(), client, i)) })
					synctest.Wait()
				}
				group.Wait()
				assert.Zero(t, times[0])
				assert.Equal(t, 30*time.Second, times[1])
			})
		})
	}
}

// TestRateLimit_A429ThatNoWaitingCuresEnds holds that the calls end with an error that says so,
// the waiting ones together with the one that was refused.
func TestRateLimit_A429ThatNoWaitingCuresEnds(t *testing.T) {
	for _, row := range []struct {
		name     string
		body     string
		grants   int
		requests int
		within   time.Duration
	}{
		{"always 429", `{}`, 0, 4, 2 * time.Minute},
		{"no quota", `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, 0, 4, 2 * time.Minute},
		{"no quota any more", `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, 5, 9, 3 * time.Minute},
		{"429 from now on", `{}`, 5, 40, 10 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				client := stubbed(t, func(r *http.Request) (*http.Response, error) {
					header := http.Header{"Content-Type": {"application/json"}}
					if int(requests.Add(1)) > row.grants {
						return limitedResponse(429, header, row.body), nil
					}
					return limitedResponse(200, header, `{"object":"organization.project.api_key.deleted","id":"`+path.Base(r.URL.Path)+`","deleted":true}`), nil
				})
				for i := range row.grants {
					require.NoError(t, deleteKey(t.Context(), client, i))
				}
				began := time.Now()
				err := deleteKey(t.Context(), client, 99)
				assert.ErrorIs(t, err, orgkeys.ErrRateLimited)
				sent := int(requests.Load())
				assert.LessOrEqual(t, sent, row.requests)
				assert.GreaterOrEqual(t, sent, row.grants+4)
				assert.LessOrEqual(t, time.Since(began), row.within)
				assert.GreaterOrEqual(t, time.Since(began), time.Minute, "it outlasts a window")

				began = time.Now()
				requests.Store(int32(row.grants))
				var group sync.WaitGroup
				for i := range 50 {
					group.Go(func() { assert.ErrorIs(t, deleteKey(t.Context(), client, i), orgkeys.ErrRateLimited) })
				}
				group.Wait()
				assert.Less(t, int(requests.Load()), row.grants+row.requests+20)
				assert.Less(t, time.Since(began), 15*time.Minute)
			})
		})
	}
}

// TestRateLimit_ACallThatIsAlwaysRefusedEnds refuses one key for ever and grants all others.
func TestRateLimit_ACallThatIsAlwaysRefusedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused atomic.Int32
		client := stubbed(t, func(r *http.Request) (*http.Response, error) {
			time.Sleep(100 * time.Millisecond)
			id := path.Base(r.URL.Path)
			header := http.Header{"Content-Type": {"application/json"}}
			if id == "key_7" {
				refused.Add(1)
				return limitedResponse(429, header, `{}`), nil
			}
			return limitedResponse(200, header, `{"object":"organization.project.api_key.deleted","id":"`+id+`","deleted":true}`), nil
		})
		assert.Equal(t, 1, bulk(t, []*orgkeys.Client{client}, 8, 500))
		assert.LessOrEqual(t, refused.Load(), int32(30))
	})
}

// TestRateLimit_AHintBeyondTheCapEndsTheWaitingCalls fails the calls that wait, with nothing sent.
func TestRateLimit_AHintBeyondTheCapEndsTheWaitingCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int32
		client := stubbed(t, func(r *http.Request) (*http.Response, error) {
			sent.Add(1)
			time.Sleep(time.Second)
			return limitedResponse(429, http.Header{"Retry-After": {"3600"}}, `{}`), nil
		})
		began := time.Now()
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				err := deleteKey(t.Context(), client, i)
				assert.ErrorIs(t, err, orgkeys.ErrRateLimited)
				assert.ErrorContains(t, err, "asks to wait 1h0m0s")
			})
		}
		group.Wait()
		assert.Equal(t, int32(4), sent.Load())
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// TestRateLimit_ABurstDoesNotBecomeRefusals starts 200 calls at once.
func TestRateLimit_ABurstDoesNotBecomeRefusals(t *testing.T) {
	for _, latency := range []time.Duration{0, 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			api := busyAPI(7)
			api.latency = latency
			client := api.client(t)
			for i := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				go func() { assert.True(t, deleteKey(ctx, client, i) == nil || ctx.Err() != nil) }()
				t.Cleanup(cancel)
			}
			time.Sleep(4 * time.Second)
			synctest.Wait()
			assert.LessOrEqual(t, api.refused, 10)
			assert.Len(t, api.order, 7)
		})
	}
}

// TestRateLimit_NoLimitNoDelay compares a server that never answers 429 with the time that its
// latency takes.
func TestRateLimit_NoLimitNoDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &limitedAPI{latency: 100 * time.Millisecond}
		began := time.Now()
		assert.Zero(t, bulk(t, []*orgkeys.Client{api.client(t)}, 64, 64*500))
		assert.Less(t, time.Since(began), 50*time.Second*101/100)
		assert.Zero(t, api.refused)
	})
}

// TestRateLimit_ALimitThatChanges raises and lowers the limit in one job.
func TestRateLimit_ALimitThatChanges(t *testing.T) {
	for _, limits := range [][]int{{7, 60, 500}, {12, 48}, {60, 15}, {500, 60}} {
		synctest.Test(t, func(t *testing.T) {
			q := &slidingWindow{n: float64(limits[0]), window: time.Minute}
			api := &limitedAPI{quotas: map[string]quota{http.MethodDelete: q}}
			calls := 0
			for i, n := range limits {
				calls += 12 * n
				time.AfterFunc(time.Duration(i)*12*time.Minute, func() { api.mu.Lock(); q.set(float64(n)); api.mu.Unlock() })
			}
			began := time.Now()
			assert.Zero(t, bulk(t, []*orgkeys.Client{api.client(t)}, 64, calls))
			own := time.Duration(len(limits)) * 12 * time.Minute
			assert.LessOrEqual(t, time.Since(began), own*5/4, limits)
			assert.LessOrEqual(t, float64(api.refused), 0.15*float64(api.sent), limits)
		})
	}
}
