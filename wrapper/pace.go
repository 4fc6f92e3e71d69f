package orgkeys

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/orgkeys/orgkeys-go/gen"
)

// pacer spaces the requests of each operation evenly. A nil one lets all of them pass.
type pacer map[string]*rate.Limiter

func newPacer(operations []gen.Operation, perMinute int) pacer {
	if perMinute == 0 {
		return nil
	}
	p := make(pacer, len(operations))
	for _, o := range operations {
		// No bursts: nobody documents whether the API's window slides.
		p[o.ID] = rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), 1)
	}
	return p
}

// wait takes the next turn of operation. The last turn, if it is not waited for, is given back.
func (p pacer) wait(ctx context.Context, operation string) (time.Duration, error) {
	if p == nil {
		return 0, nil
	}
	started := time.Now()
	turn := p[operation].Reserve()
	if err := sleep(ctx, turn.Delay()); err != nil {
		turn.Cancel()
		return time.Since(started), fmt.Errorf("%w while waiting for the rate limit", err)
	}
	return time.Since(started), nil
}
