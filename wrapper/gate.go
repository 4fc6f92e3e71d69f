package orgkeys

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// The rate limits of one operation are enforced by two types. pace is the rule: it decides when
// the next request may be sent. gate is the queue: it blocks the calls until then.

// ---- The rule ----

// The constants of the rule. Simulations of sliding windows, fixed windows and token buckets of 3
// to 1,000 requests a minute, alone and shared with other programs, led to the values.
const (
	window = time.Minute // the period of the limits, and of the counts below

	firstInFlight = 4 // requests in flight before the first response, all of which may be refused

	// The first rate, where too few requests were granted before the first 429 to measure one. It
	// is near the limits of 7 to 10 a minute that were reported. Each grant raises it until the
	// next 429.
	guessedRate   = 12
	guessedGrowth = 1.5
	minMeasured   = 3

	// The wait after a 429. The first is the time between two requests, which suits a token bucket.
	// It grows to a window in a few steps, since each refused probe is a wasted request.
	firstProbe = 5 * time.Second
	backoff    = 3

	// A 429 reduces the rate to a bit less than what was granted, so that it is not met again at
	// once. One 429 may be due to a short burst of another program, so the reduction has a bound.
	margin    = 0.97
	decrease  = 0.95 // the least reduction
	leastKept = 0.65 // the largest
	minRate   = 0.5  // requests a minute: one in two windows

	// Grants raise the rate by a share for each minute, which is small right after a 429, since the
	// limit is rarely higher then, and grows exponentially until the next 429.
	growth       = 0.015
	acceleration = 1.5 // how often the share doubles in a minute
	maxGrowth    = 3
	minMinute    = 7     // the grants that count as a minute at lower rates, where a 429 costs more
	bestKept     = 0.9   // what a 429 leaves of the best rate, in case the limit was lowered
	openRate     = 30000 // requests a minute that the gate does not limit any more

	// While other programs use the whole limit, probes continue, at most starvingWait apart. After
	// starvingAfter without a grant, or uncounted429s of one call, 429s count as attempts.
	starvingAfter = 3 * time.Minute
	starvingWait  = 20 * time.Second
	uncounted429s = 20

	timerSlack = 10 * time.Millisecond // how late a timer may be without an effect on the rate
)

// pace is the rule of the rate limits: the state of one operation, and how each event changes it.
// It has no clock, lock or goroutine. Times are durations since the gate's first use.
//
//   - Before the first 429 there is no rate. Only the number of requests in flight is limited, and
//     it grows with each grant, as in TCP's slow start.
//   - The first 429 sets the rate to what was granted in the last minute. From then on, requests
//     are evenly spaced.
//   - After each 429, one request at a time probes: after the time that the response asks for, if
//     such times proved right, or else after a wait that grows with each refused probe and ends
//     when a sliding window would grant the next request. A grant ends the probing.
//   - A 429 after a grant reduces the rate to what was granted in the last minute. Grants raise it,
//     faster the longer there was no 429.
type pace struct {
	limit float64 // upper bound of the rate, set by WithRateLimit; 0 is none
	rate  float64 // requests a minute; 0 before the first 429, and beyond openRate

	// What was sent.
	next        time.Duration // no request is sent before
	lastSent    time.Duration
	sent        uint64 // how many requests; request n is the nth of them
	inFlight    int
	maxInFlight float64 // while rate is 0

	// The probing after a 429.
	refusals      int // 429s in a row, without those that were in flight at the first
	probeInFlight bool
	probeWait     time.Duration // the wait after the first of these 429s
	lastBefore429 uint64        // the last request that was sent before the last 429 arrived
	waitIsHint    bool          // the current wait is the time that the response asked for
	hintTooShort  bool          // a request after such a wait was refused, and none was granted since

	// How the rate was found.
	guessed        bool          // not measured yet: each grant raises the rate by guessedGrowth
	rateSetAt      time.Duration // when a 429 last set the rate
	grantsSince    int           // what was granted after that
	minutesGranted float64       // the same in minutes at the rate
	recent         history       // what was granted in the last minute
	lastGrant      time.Duration // 0 if there was none
	best           float64       // the most that was granted in a minute before a 429, fading
}

func newPace(perMinute int) pace { return pace{limit: float64(perMinute), maxInFlight: firstInFlight} }

// perMinute returns the rate in force, 0 if there is none.
func (p *pace) perMinute() float64 {
	if p.rate == 0 || p.limit > 0 && p.limit < p.rate {
		return p.limit
	}
	return p.rate
}

// spacing returns the time between two requests.
func (p *pace) spacing() time.Duration {
	if rate := p.perMinute(); rate > 0 {
		return time.Duration(float64(window) / rate)
	}
	return 0
}

// ready reports whether a request may be sent.
func (p *pace) ready(now time.Duration) bool {
	switch {
	case now < p.next:
		return false
	case p.rate > 0:
		return !p.probeInFlight
	}
	return p.inFlight < int(p.maxInFlight)
}

// turn returns when the request that is behind ahead others is expected to be sent, as far as the
// rate is known.
func (p *pace) turn(now time.Duration, ahead int) time.Duration {
	at := max(now, p.next)
	if !p.guessed { // or else the rate will rise
		at += time.Duration(min(float64(ahead)*float64(p.spacing()), math.MaxInt64/4))
	}
	return at
}

// send records that a request is sent, and returns its number.
func (p *pace) send(now time.Duration) uint64 {
	if p.inFlight == 0 && now-p.lastSent > window {
		p.maxInFlight = firstInFlight // the limit may have changed
	}
	p.inFlight++
	p.sent++
	p.lastSent = now
	p.probeInFlight = p.refusals > 0
	if spacing := p.spacing(); spacing > 0 {
		// A timer that fires late does not lower the rate.
		p.next = max(p.next, now-timerSlack) + spacing
	}
	return p.sent
}

// end records that request n is not in flight any more. It returns whether the request was sent
// after the last 429 arrived.
func (p *pace) end(n uint64) bool {
	p.inFlight--
	fresh := n > p.lastBefore429
	if fresh {
		p.probeInFlight = false
	}
	return fresh
}

// unsend records that request n was not sent after all, so that the next one takes its turn.
func (p *pace) unsend(n uint64) {
	p.end(n)
	p.next -= p.spacing()
}

// grant records a response other than a 429. Only a request that waited for its turn raises the
// rate: others may have been sent far below it. hold is how long the response asks to wait.
func (p *pace) grant(now time.Duration, n uint64, waited bool, hold time.Duration) {
	full := 2*p.inFlight > int(p.maxInFlight)
	if p.end(n) {
		p.hintTooShort = p.hintTooShort && !p.waitIsHint
		p.refusals, p.waitIsHint = 0, false
	}
	p.recent.add(now)
	p.lastGrant = max(now, 1)
	p.grantsSince++
	switch {
	case p.rate == 0 && hold > 0:
		p.setRate(now) // the server's own count, without a 429
	case p.rate == 0 && full:
		p.maxInFlight += min(1, p.maxInFlight/8)
	case p.rate > 0 && waited:
		p.grow()
	}
	p.next = max(p.next, now+hold)
}

// grow raises the rate after a grant.
func (p *pace) grow() {
	if p.guessed {
		p.rate *= guessedGrowth
	} else {
		share := 1 / max(p.rate, minMinute)
		if p.rate < p.best/2 {
			share = 1 / max(p.rate, 1) // other programs used the limit, which is not that low
		}
		p.minutesGranted += share
		p.rate *= 1 + share*min(growth*math.Exp2(acceleration*p.minutesGranted), maxGrowth)
	}
	if p.rate > openRate || p.limit > 0 && p.rate > p.limit {
		p.rate, p.guessed, p.maxInFlight = 0, false, max(firstInFlight, float64(p.inFlight))
	}
}

// refuse records a 429. hint is how long the response asks to wait, negative if it does not.
func (p *pace) refuse(now time.Duration, n uint64, hint time.Duration) {
	if !p.end(n) {
		p.next = max(p.next, now+hint) // it was in flight when the last 429 arrived
		return
	}
	if p.refusals == 0 {
		p.setRate(now)
	}
	p.refusals++
	p.lastBefore429 = p.sent
	wait := time.Duration(min(float64(window), float64(p.probeWait)*math.Pow(backoff, float64(p.refusals-1))))
	if oldest, ok := p.recent.oldest(now); ok {
		earlier := oldest + window - now // when a sliding window grants the next one
		if p.refusals > 1 {
			earlier = max(earlier, wait/backoff)
		}
		wait = min(wait, earlier)
	} else if !p.starving(now) {
		// Other programs use the whole limit. Waits of different lengths keep the probes from
		// always arriving at the end of a fixed window.
		_, part := math.Modf(float64(p.refusals) * math.Phi)
		wait = min(wait, time.Duration((1+part)/2*float64(starvingWait)))
	}
	p.hintTooShort = p.hintTooShort || p.waitIsHint
	if p.waitIsHint = hint >= 0 && (!p.hintTooShort || hint >= wait); p.waitIsHint {
		wait = hint
	}
	p.next = now + wait
}

// starving reports whether nothing was granted for so long that waiting may not help.
func (p *pace) starving(now time.Duration) bool {
	return p.lastGrant == 0 || now-p.lastGrant > starvingAfter
}

// setRate sets the rate after the first 429 in a row.
func (p *pace) setRate(now time.Duration) {
	count := float64(p.recent.count(now))
	switch {
	case p.rate == 0 && count < minMeasured:
		p.rate, p.guessed, p.probeWait = guessedRate, true, firstProbe
	case p.rate == 0:
		p.rate = count
		p.probeWait = max(firstProbe, p.spacing())
	case p.guessed:
		p.rate, p.guessed = max(count, min(p.rate/2, 2*count)), false
		p.probeWait = p.spacing()
	case float64(p.grantsSince) < min(4, p.rate/8):
		p.probeWait = p.spacing() // the last reduction has had no effect yet
		return
	default:
		if span := now - p.rateSetAt; span < window {
			count = min(count, float64(p.grantsSince)*float64(window)/float64(span))
		}
		p.rate = max(minRate, min(decrease*p.rate, max(leastKept*p.rate, margin*count)))
		p.probeWait = p.spacing()
	}
	p.best = max(bestKept*p.best, count)
	p.rateSetAt, p.grantsSince, p.minutesGranted = now, 0, 0
}

// history counts what was granted in the last minute, in steps of about a second.
type history struct {
	at [64]time.Duration
	n  [64]int
	i  int
}

func (h *history) add(now time.Duration) {
	if h.n[h.i] == 0 || now-h.at[h.i] >= window/time.Duration(len(h.at)-1) {
		h.i = (h.i + 1) % len(h.at)
		h.at[h.i], h.n[h.i] = now, 0
	}
	h.n[h.i]++
}

func (h *history) count(now time.Duration) (total int) {
	for i, n := range h.n {
		if n > 0 && now-h.at[i] < window {
			total += n
		}
	}
	return total
}

func (h *history) oldest(now time.Duration) (at time.Duration, ok bool) {
	for i, n := range h.n {
		if n > 0 && now-h.at[i] < window && (!ok || h.at[i] < at) {
			at, ok = h.at[i], true
		}
	}
	return at, ok
}

// ---- The queue ----

// gate lets the requests of one operation pass at the pace that the server grants, in order of
// arrival. It is safe for concurrent use.
type gate struct {
	patience int           // a waiting call ends after so many 429s that count as attempts
	maxWait  time.Duration // a response that asks to wait longer ends the waiting calls

	mu       sync.Mutex
	start    time.Time // the first use
	pace     pace
	arrivals uint64
	waiting  []*turn // by order of arrival
	timer    *time.Timer
	refusals int // 429s in a row that count as attempts
}

// turn is the state of one call in the gate. The zero value is a call that has not arrived yet.
type turn struct {
	total time.Duration // spent waiting in the gate

	order          uint64 // of arrival; a retry keeps it
	request        uint64 // the number of the request in flight; 0 while the call waits
	waited         bool   // that request waited for its turn
	refused        int    // 429s of this call
	refusalsBefore int    // the gate's refusals when the wait began
	deadline       time.Duration
	ready          chan struct{} // receives when the wait ends
	err            error         // why it ended without a turn
}

// verdict is the meaning of a response for the rate limit.
type verdict int

const (
	granted   verdict = iota // any response but a 429 and a 5xx
	limited                  // a 429
	exhausted                // a 429 that waiting does not cure
	silent                   // a 5xx, or no response
	unsent                   // no request was sent: the next call takes the turn
)

func newGate(perMinute, attempts int, maxWait time.Duration) *gate {
	return &gate{pace: newPace(perMinute), patience: 2 * max(attempts, defaultRetry.MaxAttempts), maxWait: maxWait}
}

// newGates returns a gate for each operation.
func newGates(operations []gen.Operation, c config) map[string]*gate {
	gates := make(map[string]*gate, len(operations))
	for _, o := range operations {
		gates[o.ID] = newGate(c.perMinute, c.retry.MaxAttempts, c.retry.MaxWait)
	}
	return gates
}

func (g *gate) now() time.Duration {
	if g.start.IsZero() {
		g.start = time.Now()
	}
	return time.Since(g.start)
}

// enter blocks until the call may send a request, and returns nil; the caller then has to call
// leave. It returns an error if the context ends, if its deadline is before the call's turn, or if
// the API refuses too many requests.
func (g *gate) enter(ctx context.Context, t *turn) error {
	g.mu.Lock()
	now := g.now()
	if len(g.waiting) == 0 && g.pace.ready(now) {
		t.request, t.waited = g.pace.send(now), false
		g.mu.Unlock()
		return nil
	}
	err := g.wait(ctx, t, now)
	g.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-t.ready:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	t.total += g.now() - now
	if err := ctx.Err(); err != nil && t.err == nil {
		t.err = fmt.Errorf("%w while waiting for the rate limit", err)
		if t.request > 0 {
			g.pace.unsend(t.request)
		} else {
			i, _ := g.place(t)
			g.waiting = slices.Delete(g.waiting, i, i+1)
		}
		g.advance()
	}
	return t.err
}

// leave records the response to the request. hint is how long the response asks to wait, negative
// if it does not. leave returns whether a 429 counts as an attempt.
func (g *gate) leave(t *turn, v verdict, hint time.Duration) (counts bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	switch v {
	case granted:
		g.pace.grant(now, t.request, t.waited, min(max(hint, 0), g.maxWait))
		g.refusals = 0
	case limited, exhausted:
		t.refused++
		counts = t.refused > uncounted429s
		if v == exhausted || g.pace.starving(now) {
			g.refusals++
			counts = true
		}
		g.pace.refuse(now, t.request, min(hint, g.maxWait))
		g.giveUp(now, hint)
	case silent:
		g.pace.end(t.request)
	case unsent:
		g.pace.unsend(t.request)
	}
	if len(g.waiting) > 0 {
		g.advance()
	}
	return counts
}

// place returns the index of t among the waiting calls, or where it belongs.
func (g *gate) place(t *turn) (int, bool) {
	return slices.BinarySearchFunc(g.waiting, t, func(a, b *turn) int { return cmp.Compare(a.order, b.order) })
}

// wait puts t into the queue, unless its turn would be too late.
func (g *gate) wait(ctx context.Context, t *turn, now time.Duration) error {
	if t.order == 0 {
		g.arrivals++
		t.order = g.arrivals
	}
	t.deadline = math.MaxInt64
	if deadline, ok := ctx.Deadline(); ok {
		t.deadline = deadline.Sub(g.start)
	}
	i, _ := g.place(t)
	if err := g.tooLate(t, now, i); err != nil {
		return err
	}
	t.request, t.waited, t.err, t.refusalsBefore, t.ready = 0, true, nil, g.refusals, make(chan struct{}, 1)
	g.waiting = slices.Insert(g.waiting, i, t)
	g.advance()
	return nil
}

// advance ends the waits of those whose turn it is, and sets the timer for the next one.
func (g *gate) advance() {
	now := g.now()
	for len(g.waiting) > 0 && g.pace.ready(now) {
		t := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		t.request = g.pace.send(now)
		t.ready <- struct{}{}
	}
	switch wait := g.pace.next - now; {
	case len(g.waiting) == 0 || wait <= 0: // no call waits, or the next one waits for a response
		if g.timer != nil {
			g.timer.Stop()
		}
	case g.timer == nil:
		g.timer = time.AfterFunc(wait, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.advance()
		})
	default:
		g.timer.Reset(wait)
	}
}

// giveUp ends the waits that cannot succeed after a 429.
func (g *gate) giveUp(now, hint time.Duration) {
	kept := g.waiting[:0]
	for _, t := range g.waiting {
		switch {
		case hint > g.maxWait:
			t.err = fmt.Errorf("%w: the server asks to wait %v", ErrRateLimited, hint)
		case g.refusals-t.refusalsBefore >= g.patience:
			t.err = fmt.Errorf("%w: the API refused %d requests in a row while this call waited", ErrRateLimited, g.patience)
		default:
			t.err = g.tooLate(t, now, len(kept))
		}
		if t.err != nil {
			t.ready <- struct{}{}
		} else {
			kept = append(kept, t)
		}
	}
	clear(g.waiting[len(kept):])
	g.waiting = kept
}

// tooLate returns an error if the turn of a call, behind ahead others, lies after its deadline.
func (g *gate) tooLate(t *turn, now time.Duration, ahead int) error {
	at := g.pace.turn(now, ahead)
	if at <= t.deadline {
		return nil
	}
	return fmt.Errorf("%w: the rate limit lets this call pass in %v, after its deadline",
		context.DeadlineExceeded, (at - now).Round(time.Millisecond))
}

// RateLimit is the state of one operation's rate limit in a client. See [Client.RateLimit].
type RateLimit struct {
	Operation string    // the contract's operationId
	Waiting   int       // how many calls wait for their turn
	PerMinute float64   // the rate at which requests are sent; 0 if no limit was set or met
	NextTurn  time.Time // when the next request may be sent; zero if that is now
}

// LogValue returns the fields as a group.
func (r RateLimit) LogValue() slog.Value {
	return slog.GroupValue(slog.String("operation", r.Operation), slog.Int("waiting", r.Waiting),
		slog.Float64("per_minute", r.PerMinute), slog.Time("next_turn", r.NextTurn))
}

func (g *gate) snapshot(operation string) RateLimit {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := RateLimit{Operation: operation, Waiting: len(g.waiting), PerMinute: g.pace.perMinute()}
	if g.pace.next > g.now() {
		r.NextTurn = g.start.Add(g.pace.next)
	}
	return r
}
