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

// The numbers of the rate-limit policy. They were chosen by simulating sliding windows, fixed
// windows and token buckets of 3 to 1,000 requests a minute, alone and shared.
const (
	window      = time.Minute     // the span over which granted requests are counted
	firstBurst  = 4               // requests in flight before the first response
	firstProbe  = 5 * time.Second // the first wait after the first 429, unless the rate asks for a longer one
	backoff     = 3               // the growth of the wait from one refused probe to the next
	weakRate    = 12              // the rate to start from where less than weakGrants requests were granted
	weakGrants  = 3
	weakGrowth  = 1.5
	growth      = 0.015            // the growth of the rate, for each minute, right after a 429
	doubling    = 1.5              // how often that growth doubles in each minute without a 429
	maxGrowth   = 3                // the largest growth for each minute
	fading      = 0.9              // what a 429 leaves of best
	minGrants   = 7                // what counts as a minute's worth of grants where the rate is lower
	margin      = 0.97             // the new rate in terms of the measured one
	decrease    = 0.95             // the least reduction of the rate by a 429
	leastKept   = 0.65             // the largest
	minRate     = 0.5              // for each minute
	openRate    = 30000            // a rate, for each minute, beyond which the gate is open
	starved     = 3 * time.Minute  // 429s do not count as attempts until nothing was granted for so long
	starvedWait = 20 * time.Second // the longest wait between probes in that time
	freeRefused = 20               // how many 429s of one call do not count, even so
	timerSlack  = 10 * time.Millisecond
)

// pace is the rule of the rate limits: the state of one operation's gate and how each event
// changes it. It has no clock, no lock and no goroutine; times are since the gate was made.
//
// While rate is 0 the gate is open, and only the number of requests in flight is limited, as in
// TCP's slow start. The first 429 closes it: rate becomes what was granted in the last minute.
// From then on requests are spaced evenly, and a 429 reduces the rate, grants raise it.
type pace struct {
	limit    float64       // upper bound for each minute; 0 is none
	rate     float64       // requests for each minute; 0 while the gate is open
	next     time.Duration // no request is sent before this
	last     time.Duration // when the last request was sent
	sent     uint64        // how many requests were sent
	inFlight int
	burst    float64 // how many requests may be in flight while the gate is open
	weak     bool    // the rate is not measured yet: each grant doubles it

	refusals int           // 429s in a row; while positive, one request at a time probes
	probing  bool          // such a probe is in flight
	probe    time.Duration // the wait after the first of these 429s
	stale    uint64        // the requests up to this one were sent before the last 429 arrived
	hinted   bool          // the wait before the probe is what the server asked for
	misled   bool          // such a wait was too short, and none was right since

	decided time.Duration // when the rate was last set by a 429
	since   int           // what was granted after that
	quiet   float64       // the same in minutes' worth of grants
	grants  history
	best    float64       // the most that was granted in a minute before a 429, fading
	granted time.Duration // when the last of them was granted; 0 if none was
}

func newPace(perMinute int) pace { return pace{limit: float64(perMinute), burst: firstBurst} }

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

func (p *pace) ready(now time.Duration) bool {
	switch {
	case now < p.next:
		return false
	case p.rate > 0:
		return !p.probing
	}
	return p.inFlight < int(p.burst)
}

// turn returns when the request behind ahead others may expect to be sent.
func (p *pace) turn(now time.Duration, ahead int) time.Duration {
	at := max(now, p.next)
	if !p.weak {
		at += time.Duration(min(float64(ahead)*float64(p.spacing()), math.MaxInt64/4))
	}
	return at
}

// send notes that a request is sent, and returns its number.
func (p *pace) send(now time.Duration) uint64 {
	if p.inFlight == 0 && now-p.last > window {
		p.burst = firstBurst // what the server bears may have changed
	}
	p.inFlight++
	p.sent++
	p.last = now
	p.probing = p.refusals > 0
	if spacing := p.spacing(); spacing > 0 {
		// A timer that fires late does not lower the rate.
		p.next = max(p.next, now-timerSlack) + spacing
	}
	return p.sent
}

// landed notes that request n is not in flight any more, and reports whether it was sent after
// the last 429 arrived.
func (p *pace) landed(n uint64) bool {
	p.inFlight--
	fresh := n > p.stale
	if fresh {
		p.probing = false
	}
	return fresh
}

// unsend gives the turn of a request that was not sent to the next one.
func (p *pace) unsend(n uint64) {
	p.landed(n)
	p.next -= p.spacing()
}

// grant notes a response other than a 429. paced is whether the request had to wait for its
// turn: one that did not says nothing about the rate. hold is how long the server asks to wait.
func (p *pace) grant(now time.Duration, n uint64, paced bool, hold time.Duration) {
	crowded := 2*p.inFlight > int(p.burst)
	if p.landed(n) {
		p.misled = p.misled && !p.hinted
		p.refusals, p.hinted = 0, false
	}
	p.grants.add(now)
	p.granted = max(now, 1)
	p.since++
	switch {
	case p.rate == 0 && hold > 0:
		p.decide(now) // the server's own count, without a 429
	case p.rate == 0 && crowded:
		p.burst += min(1, p.burst/8)
	case p.rate > 0 && paced:
		p.grow()
	}
	p.next = max(p.next, now+hold)
}

// grow raises the rate after a grant: slowly at first, faster the longer there was no 429.
func (p *pace) grow() {
	if p.weak {
		p.rate *= weakGrowth
	} else {
		share := 1 / max(p.rate, minGrants)
		if p.rate < p.best/2 {
			share = 1 / max(p.rate, 1) // the limit is not that low: something else used it up
		}
		p.quiet += share
		p.rate *= 1 + share*min(growth*math.Exp2(doubling*p.quiet), maxGrowth)
	}
	if p.rate > openRate || p.limit > 0 && p.rate > p.limit {
		p.rate, p.weak, p.burst = 0, false, max(firstBurst, float64(p.inFlight))
	}
}

// refuse notes a 429. hint is how long the server asks to wait, negative if it does not say.
func (p *pace) refuse(now time.Duration, n uint64, hint time.Duration) {
	if !p.landed(n) {
		p.next = max(p.next, now+hint) // one of those that were in flight at the last 429
		return
	}
	if p.refusals == 0 {
		p.decide(now)
	}
	p.refusals++
	p.stale = p.sent
	wait := time.Duration(min(float64(window), float64(p.probe)*math.Pow(backoff, float64(p.refusals-1))))
	if oldest, ok := p.grants.oldest(now); ok {
		earlier := oldest + window - now // when a sliding window grants the next one
		if p.refusals > 1 {
			earlier = max(earlier, wait/backoff)
		}
		wait = min(wait, earlier)
	} else if !p.dry(now) {
		// Others take all. Different waits keep the probes from always meeting the end of a window.
		_, part := math.Modf(float64(p.refusals) * math.Phi)
		wait = min(wait, time.Duration((1+part)/2*float64(starvedWait)))
	}
	p.misled = p.misled || p.hinted
	if p.hinted = hint >= 0 && (!p.misled || hint >= wait); p.hinted {
		wait = hint
	}
	p.next = now + wait
}

// dry reports whether nothing was granted for so long that waiting may not help.
func (p *pace) dry(now time.Duration) bool {
	return p.granted == 0 || now-p.granted > starved
}

// decide sets the rate after the first 429 in a row.
func (p *pace) decide(now time.Duration) {
	granted := float64(p.grants.count(now))
	switch {
	case p.rate == 0 && granted < weakGrants:
		p.rate, p.weak, p.probe = weakRate, true, firstProbe
	case p.rate == 0:
		p.rate = granted
		p.probe = max(firstProbe, p.spacing())
	case p.weak:
		p.rate, p.weak = max(granted, min(p.rate/2, 2*granted)), false
		p.probe = p.spacing()
	case float64(p.since) < min(4, p.rate/8):
		p.probe = p.spacing() // too early after the last reduction to see its effect
		return
	default:
		if span := now - p.decided; span < window {
			granted = min(granted, float64(p.since)*float64(window)/float64(span))
		}
		p.rate = max(minRate, min(decrease*p.rate, max(leastKept*p.rate, margin*granted)))
		p.probe = p.spacing()
	}
	p.best = max(fading*p.best, granted)
	p.decided, p.since, p.quiet = now, 0, 0
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

// gate lets the requests of one operation pass at the pace that the server grants, in order of
// arrival. It is safe for concurrent use.
type gate struct {
	patience int           // after how many 429s that count a waiting call gives up
	maxWait  time.Duration // a longer hint ends the waiting calls

	mu       sync.Mutex
	start    time.Time
	pace     pace
	arrivals uint64
	waiting  []*turn // by order
	timer    *time.Timer
	dry      int // 429s in a row that count
}

// turn is what the gate knows of one call. The zero value is a call that has not arrived yet.
type turn struct {
	waited time.Duration // total time in the gate

	order    uint64 // of arrival, kept by retries
	number   uint64 // of the request in flight, 0 while the call waits
	paced    bool   // that request waited for its turn
	refused  int    // 429s of this call
	dry      int    // the gate's, when this wait began
	deadline time.Duration
	ready    chan struct{}
	err      error
}

// verdict is what a response says about the rate limit.
type verdict int

const (
	granted   verdict = iota // any response but a 429 and a 5xx
	limited                  // a 429
	exhausted                // a 429 that waiting does not cure
	silent                   // a 5xx, or no response
	unsent                   // no request was sent: the turn goes to the next call
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

// enter returns nil when the call may send a request, and the call then has to call leave. It
// returns an error if the call may not: its context ended, its deadline lies before its turn, or
// the server keeps refusing.
func (g *gate) enter(ctx context.Context, t *turn) error {
	g.mu.Lock()
	now := g.now()
	if len(g.waiting) == 0 && g.pace.ready(now) {
		t.number, t.paced = g.pace.send(now), false
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
	t.waited += g.now() - now
	if err := ctx.Err(); err != nil && t.err == nil {
		t.err = fmt.Errorf("%w while waiting for the rate limit", err)
		if t.number > 0 {
			g.pace.unsend(t.number)
		} else {
			i, _ := g.place(t)
			g.waiting = slices.Delete(g.waiting, i, i+1)
		}
		g.advance()
	}
	return t.err
}

// leave reports what became of the request. hint is how long the server asks to wait, negative
// if it does not say. leave returns whether a 429 counts as an attempt.
func (g *gate) leave(t *turn, v verdict, hint time.Duration) (counts bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	switch v {
	case granted:
		g.pace.grant(now, t.number, t.paced, min(max(hint, 0), g.maxWait))
		g.dry = 0
	case limited, exhausted:
		t.refused++
		counts = t.refused > freeRefused
		if v == exhausted || g.pace.dry(now) {
			g.dry++
			counts = true
		}
		g.pace.refuse(now, t.number, min(hint, g.maxWait))
		g.giveUp(now, hint)
	case silent:
		g.pace.landed(t.number)
	case unsent:
		g.pace.unsend(t.number)
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

// wait puts t into the queue.
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
	t.number, t.paced, t.err, t.dry, t.ready = 0, true, nil, g.dry, make(chan struct{}, 1)
	g.waiting = slices.Insert(g.waiting, i, t)
	g.advance()
	return nil
}

// advance lets those pass whose turn it is, and sets the timer for the next one.
func (g *gate) advance() {
	now := g.now()
	for len(g.waiting) > 0 && g.pace.ready(now) {
		t := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		t.number = g.pace.send(now)
		t.ready <- struct{}{}
	}
	switch wait := g.pace.next - now; {
	case len(g.waiting) == 0 || wait <= 0: // nobody waits, or for a response
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

// giveUp ends the waits that a 429 has made hopeless.
func (g *gate) giveUp(now, hint time.Duration) {
	kept := g.waiting[:0]
	for _, t := range g.waiting {
		switch {
		case hint > g.maxWait:
			t.err = fmt.Errorf("%w: the server asks to wait %v", ErrRateLimited, hint)
		case g.dry-t.dry >= g.patience:
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

// RateLimit is what a client knows of the rate limit of one operation, and how many calls wait
// for it.
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
