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

func (p pacer) wait(ctx context.Context, operation string) error {
	if p == nil {
		return nil
	}
	if err := p[operation].Wait(ctx); err != nil {
		if ctxErr := context.Cause(ctx); ctxErr != nil {
			err = ctxErr
		}
		return fmt.Errorf("waiting for the rate limit: %w", err)
	}
	return nil
}
