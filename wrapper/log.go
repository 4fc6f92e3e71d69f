package orgkeys

import (
	"log/slog"
	"net/http"
	"time"
)

// log writes the record of the last attempt. Its fields are an allow-list, so that no secret can
// get into it.
func (p *pipeline) log(c *call, wait time.Duration, again bool) {
	if p.logger == nil {
		return
	}
	ctx := c.request.Context()
	a := c.last()
	level := logLevel(a, c.err, again)
	if !p.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.operation.Method),
		slog.String("operation", c.operation.ID),
		slog.Int("attempt", len(c.attempts)),
		slog.Int("status", a.status),
		slog.Duration("duration", a.duration),
		slog.String("request_id", c.requestID()),
		slog.Duration("wait", wait),
		slog.Duration("waited", c.waited()),
	}
	if a.status == http.StatusTooManyRequests {
		attrs = append(attrs, slog.Any("rate_limit", p.gates[c.operation.ID].snapshot(c.operation.ID)))
	}
	if c.err != nil {
		attrs = append(attrs, slog.String("cause", c.redactor.redact(c.err.Error())))
	}
	p.logger.LogAttrs(ctx, level, "orgkeys attempt", attrs...)
}

// logLevel returns warn for an attempt that is retried, has no complete response, or failed for
// a reason that lies with the server.
func logLevel(a *attempt, err error, again bool) slog.Level {
	if again || err != nil || a.status >= 500 || a.status == http.StatusTooManyRequests {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
