package orgkeys

import (
	"log/slog"
	"time"
)

// log writes the record of one attempt: an allow-list, so that nothing secret can get in.
func (t *transport) log(c *call, a *attempt, wait time.Duration, again bool) {
	if t.logger == nil {
		return
	}
	level := slog.LevelDebug
	if again || a.failure() != nil || a.status() >= 500 {
		level = slog.LevelWarn
	}
	t.logger.LogAttrs(c.request.Context(), level, "orgkeys attempt",
		slog.String("method", c.request.Method),
		slog.String("operation", c.operation),
		slog.Int("attempt", c.attempts),
		slog.Int("status", a.status()),
		slog.Duration("duration", a.duration),
		slog.String("request_id", a.requestID()),
		slog.Duration("wait", wait),
	)
}
