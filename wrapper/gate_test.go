package orgkeys

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// steady returns a closed gate's state: rate requests a minute, and as many granted evenly in
// the minute before it ends.
func steady(rate float64) (pace, time.Duration) {
	p := newPace(0)
	now := time.Duration(0)
	for range int(rate) {
		now += time.Duration(float64(window) / rate)
		p.recent.add(now)
		p.lastGrant = now
	}
	p.rate, p.grantsSince, p.rateSetAt, p.next = rate, int(rate), 0, now
	return p, now
}

// refuseOne sends a request and has it refused.
func refuseOne(p *pace, now, hint time.Duration) {
	p.refuse(now, p.send(now), hint)
}

func TestPace_OpenLimitsRequestsInFlight(t *testing.T) {
	p := newPace(0)
	send := func() (n int) {
		for p.ready(0) {
			p.send(0)
			n++
		}
		return n
	}
	assert.Equal(t, firstInFlight, send())
	assert.Zero(t, p.perMinute())
	var sizes []int
	for range 5 {
		for n := range p.inFlight {
			p.grant(0, uint64(n+1), false, noHint)
		}
		sizes = append(sizes, send())
	}
	assert.Equal(t, []int{5, 6, 8, 11, 15}, sizes, "more in flight after each round that was granted")

	p = newPace(0)
	for range 100 {
		p.grant(0, p.send(0), false, 0)
	}
	assert.Equal(t, float64(firstInFlight), p.maxInFlight, "a single caller does not earn a burst")
	p.maxInFlight = 64
	p.send(window)
	assert.Equal(t, 64.0, p.maxInFlight)
	p.end(p.sent)
	p.send(2*window + 1)
	assert.Equal(t, float64(firstInFlight), p.maxInFlight, "a minute of silence ends the ramp-up")
}

func TestPace_TheFirst429SetsTheRate(t *testing.T) {
	for _, row := range []struct {
		granted     int
		rate        float64
		guessed     bool
		first, then time.Duration
	}{
		{0, guessedRate, true, 5 * time.Second, 15 * time.Second},
		{2, guessedRate, true, 5 * time.Second, 15 * time.Second},
		{3, 3, false, 20 * time.Second, 40 * time.Second}, // when the oldest of the three is a minute old
		{7, 7, false, window / 7, 3 * window / 7},
		{60, 60, false, 5 * time.Second, 15 * time.Second},
	} {
		p := newPace(0)
		for range row.granted {
			p.grant(0, p.send(0), false, 0)
		}
		refuseOne(&p, 0, noHint)
		assert.InDelta(t, row.rate, p.rate, 0.01, "%d granted", row.granted)
		assert.Equal(t, row.guessed, p.guessed)
		assert.InDelta(t, row.first, p.next, 1e3, "%d granted", row.granted)
		assert.False(t, p.ready(p.next-1))
		assert.True(t, p.ready(p.next))
		now := p.next
		refuseOne(&p, now, noHint)
		assert.InDelta(t, row.then, p.next-now, 1e3, "%d granted", row.granted)
	}
}

func TestPace_AProbeIsAlone(t *testing.T) {
	p, now := steady(60)
	refuseOne(&p, now, noHint)
	now = p.next
	n := p.send(now)
	assert.False(t, p.ready(now+time.Hour), "while the probe is in flight")
	p.grant(now, n, true, 0)
	assert.Zero(t, p.refusals)
	assert.True(t, p.ready(now+time.Second*20/19))

	refuseOne(&p, now, noHint)
	p.end(p.send(p.next))
	assert.True(t, p.ready(p.next), "a probe without a response is followed by another")
	assert.Equal(t, 1, p.refusals)
}

func TestPace_OneDecisionForThoseInFlight(t *testing.T) {
	p := newPace(0)
	for range 8 {
		p.grant(0, p.send(0), false, 0)
	}
	a, b, c := p.send(0), p.send(0), p.send(0)
	p.refuse(0, a, noHint)
	closed := p
	p.refuse(0, b, noHint)
	p.grant(0, c, false, 0)
	assert.Equal(t, closed.rate, p.rate)
	assert.Equal(t, closed.next, p.next)
	assert.Equal(t, 1, p.refusals, "a response to an older request does not reopen the gate")
	assert.Zero(t, p.inFlight)
}

func TestPace_A429ReducesTheRate(t *testing.T) {
	t.Run("by five percent if all that was sent was granted", func(t *testing.T) {
		p, now := steady(100)
		p.minutesGranted = 2
		refuseOne(&p, now, noHint)
		assert.InDelta(t, 95, p.rate, 0.01)
		assert.Zero(t, p.minutesGranted, "the growth starts anew")
		assert.Zero(t, p.grantsSince)
		assert.Equal(t, now, p.rateSetAt)
	})
	t.Run("to what was granted", func(t *testing.T) {
		p, now := steady(60)
		p.rate = 80
		refuseOne(&p, now, noHint)
		assert.InDelta(t, 58.2, p.rate, 0.01)
	})
	t.Run("to what was granted since the last reduction", func(t *testing.T) {
		p, now := steady(60)
		p.grantsSince, p.rateSetAt = 10, now-15*time.Second
		refuseOne(&p, now, noHint)
		assert.InDelta(t, 39, p.rate, 0.01)
	})
	t.Run("by a third at most", func(t *testing.T) {
		p, now := steady(60)
		p.rate = 500
		p.grantsSince = 60
		refuseOne(&p, now, noHint)
		assert.InDelta(t, 325, p.rate, 0.01)
	})
	t.Run("to one in two minutes at the least", func(t *testing.T) {
		p, now := steady(3)
		p.rate, p.grantsSince, p.rateSetAt = 1.01, 3, 0
		for range 10 {
			p.refusals, p.grantsSince = 0, 4
			refuseOne(&p, now+time.Hour, noHint)
		}
		assert.InDelta(t, 0.5, p.rate, 0.001)
	})
	t.Run("not before its effect can be seen", func(t *testing.T) {
		for _, row := range []struct {
			rate  float64
			since int
			later bool
		}{{60, 3, true}, {60, 4, false}, {8, 0, true}, {8, 1, false}} {
			p, now := steady(row.rate)
			p.grantsSince, p.rateSetAt = row.since, now-time.Second
			refuseOne(&p, now, noHint)
			assert.Equal(t, row.later, p.rate == row.rate, "%v", row)
			assert.Equal(t, 1, p.refusals)
			assert.Greater(t, p.next, now)
		}
	})
	t.Run("and the best rate fades", func(t *testing.T) {
		p, now := steady(60)
		refuseOne(&p, now, noHint)
		assert.InDelta(t, 60, p.best, 0.01)
		p.refusals, p.grantsSince = 0, 60
		refuseOne(&p, now+window, noHint)
		assert.InDelta(t, 54, p.best, 0.01)
	})
	t.Run("only the first in a row", func(t *testing.T) {
		p, now := steady(60)
		refuseOne(&p, now, noHint)
		rate := p.rate
		p.grantsSince = 100
		refuseOne(&p, p.next, noHint)
		assert.Equal(t, rate, p.rate)
	})
}

func TestPace_WaitsBetweenProbes(t *testing.T) {
	p, now := steady(60)
	p.probeWait = time.Second
	var waits []float64
	for range 6 {
		refuseOne(&p, now, noHint)
		waits = append(waits, (p.next - now).Seconds())
	}
	// A third of the wait, since in a sliding window the oldest grant would have ended.
	spacing := 1 / decrease
	assert.InDeltaSlice(t, []float64{1, spacing, 3 * spacing, 9 * spacing, 20, 20}, waits, 0.5)

	p = newPace(0)
	for i, want := range []time.Duration{5 * time.Second, 15 * time.Second, 45 * time.Second, window, window} {
		now := p.next
		refuseOne(&p, now, noHint)
		assert.Equal(t, want, p.next-now, "wait %d", i+1)
	}

	p, now = steady(60)
	now += 90 * time.Second // nothing was granted in the last minute: others take all
	for range 20 {
		refuseOne(&p, now, noHint)
		assert.LessOrEqual(t, p.next-now, starvingWait)
	}
	assert.Greater(t, p.next-now, starvingWait/3)
	assert.False(t, p.starving(p.lastGrant+starvingAfter))
	assert.True(t, p.starving(p.lastGrant+starvingAfter+1))
}

func TestPace_Hints(t *testing.T) {
	p, now := steady(60)
	refuseOne(&p, now, 2*time.Second)
	assert.Equal(t, 2*time.Second, p.next-now, "the first hint is trusted, longer than the own wait or not")
	now = p.next
	refuseOne(&p, now, time.Second)
	assert.Greater(t, p.next-now, time.Second, "the hint was too short, so the own wait counts if it is longer")
	assert.True(t, p.hintTooShort)
	now = p.next
	p.grant(now, p.send(now), true, 0)
	assert.True(t, p.hintTooShort, "a grant after the own wait says nothing about hints")
	refuseOne(&p, p.next, 10*time.Millisecond)
	assert.Greater(t, p.next-now, time.Second, "nor does the next 429 begin with trust")
	now = p.next
	refuseOne(&p, now, 30*time.Second)
	assert.Equal(t, 30*time.Second, p.next-now, "a hint that is longer than the own wait is kept")
	now = p.next
	p.grant(now, p.send(now), true, 0)
	assert.False(t, p.hintTooShort, "and when a request is granted after it, hints are trusted again")
	refuseOne(&p, p.next, 10*time.Millisecond)
	assert.True(t, p.waitIsHint)

	p, now = steady(60)
	refuseOne(&p, now, 0)
	assert.Equal(t, now, p.next, "a hint of zero is a hint")
	p, now = steady(60)
	for range 8 {
		refuseOne(&p, now, 70*time.Second)
		assert.Equal(t, 70*time.Second, p.next-now, "never less than the hint")
	}
	p, now = steady(60)
	a, b := p.send(now), p.send(now)
	p.refuse(now, a, time.Second)
	p.refuse(now, b, 9*time.Second)
	assert.Equal(t, now+9*time.Second, p.next, "the longest of those in flight")

	p = newPace(0)
	for range 9 {
		p.grant(0, p.send(0), false, 0)
	}
	p.grant(0, p.send(0), false, 6*time.Second)
	assert.Equal(t, 10.0, p.rate, "a success that says that no request remains closes the gate, too")
	assert.Equal(t, 6*time.Second, p.next)
	assert.Zero(t, p.refusals)
}

func TestPace_GrantsRaiseTheRate(t *testing.T) {
	grow := func(rate float64, minutes int) float64 {
		p, now := steady(rate)
		for range minutes * int(rate) {
			p.grant(now, p.send(now), true, 0)
		}
		return p.rate / rate
	}
	assert.InDelta(t, 1.03, grow(60, 1), 0.01)
	assert.InDelta(t, 1.10, grow(60, 2), 0.02)
	assert.InDelta(t, 1.36, grow(60, 3), 0.1)
	assert.InDelta(t, 2.4, grow(60, 5), 0.3)
	assert.InDelta(t, 5.1, grow(60, 7), 0.5)

	p, now := steady(60)
	for range 600 {
		p.grant(now, p.send(now), false, 0)
	}
	assert.Equal(t, 60.0, p.rate, "requests that did not wait say nothing about the limit")

	p, now = steady(2)
	p.grant(now, p.send(now), true, 0)
	assert.InDelta(t, 1.0/7, p.minutesGranted, 0.001, "low rates grow by the number of grants")

	for _, row := range []struct{ rate, best, share float64 }{
		{2, 4, 1. / 7}, {2, 4.1, 1. / 2}, {0.5, 7, 1}, {30, 60, 1. / 30},
	} {
		p, now = steady(row.rate)
		p.best = row.best
		p.grant(now, p.send(now), true, 0)
		assert.InDelta(t, row.share, p.minutesGranted, 0.001, "a rate far below the best one grows faster: %v", row)
	}

	p, now = steady(60)
	p.minutesGranted = 100
	p.grant(now, p.send(now), true, 0)
	assert.InDelta(t, 63, p.rate, 0.01, "the growth has a bound")

	p.rate = openRate
	p.grant(now, p.send(now), true, 0)
	assert.Zero(t, p.rate, "beyond that the gate is open")
	assert.GreaterOrEqual(t, p.maxInFlight, float64(firstInFlight))

	p = newPace(0)
	refuseOne(&p, 0, noHint)
	p.grant(p.next, p.send(p.next), true, 0)
	assert.InDelta(t, guessedRate*guessedGrowth, p.rate, 0.01, "a rate that is not measured grows fast")
	p.rate = 1000
	refuseOne(&p, p.next, noHint)
	assert.InDelta(t, 2, p.rate, 0.01, "and ends near what was granted")
	assert.False(t, p.guessed)
}

func TestPace_Limit(t *testing.T) {
	p := newPace(60)
	assert.Equal(t, 60.0, p.perMinute())
	p.send(0)
	assert.False(t, p.ready(time.Second-1))
	assert.True(t, p.ready(time.Second))
	p.send(time.Second + 5*time.Millisecond)
	assert.True(t, p.ready(2*time.Second), "a timer that fires late does not lower the rate")
	p.send(time.Minute)
	assert.False(t, p.ready(time.Minute+980*time.Millisecond), "what was not used is not saved up")

	p.rate = 30
	assert.Equal(t, 30.0, p.perMinute())
	p.rate = 59.9
	p.grow()
	p.minutesGranted = 10
	p.grow()
	assert.Zero(t, p.rate, "nothing is learned beyond the limit")
	assert.Equal(t, 60.0, p.perMinute())
}

func TestPace_UnsentAndExpectedTurns(t *testing.T) {
	p := newPace(60)
	n := p.send(0)
	p.unsend(n)
	assert.True(t, p.ready(0))
	assert.Zero(t, p.inFlight)

	p.send(0)
	assert.Equal(t, time.Second, p.turn(0, 0))
	assert.Equal(t, 6*time.Second, p.turn(0, 5))
	assert.Equal(t, 15*time.Second, p.turn(10*time.Second, 5))
	p.rate, p.guessed = 6, true
	assert.Equal(t, time.Second, p.turn(0, 5), "a rate that is not measured says nothing about later turns")
}

func TestHistory(t *testing.T) {
	var h history
	_, ok := h.oldest(0)
	assert.False(t, ok)
	for i := range 10_000 { // a second holds 100
		h.add(time.Duration(i) * 10 * time.Millisecond)
	}
	now := 100 * time.Second
	assert.InDelta(t, 6000, h.count(now), 100)
	oldest, ok := h.oldest(now)
	assert.True(t, ok)
	assert.InDelta(t, 40, oldest.Seconds(), 1)
	assert.Zero(t, h.count(now+window))
}
