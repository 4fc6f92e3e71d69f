package orgkeys

import (
	"cmp"
	"context"
	"net/http"
	"time"
)

// CallInfo describes a call that has ended, successfully or not. See [WithCallInfo].
type CallInfo struct {
	Operation string        // the operationId, such as "admin-api-keys-create"
	Status    int           // the HTTP status of the last response, 0 if there was none
	RequestID string        // the x-request-id of the last response, to give to the vendor
	Attempts  int           // the number of attempts, 0 if none was made
	Waited    time.Duration // the time spent waiting for the rate limit and between attempts
	Duration  time.Duration // the time from the start of the call to its end
}

// WithCallInfo returns a context that makes each call that uses it describe itself in *info
// before the call returns:
//
//	var info orgkeys.CallInfo
//	key, err := client.AdminKeys.Create(orgkeys.WithCallInfo(ctx, &info), params)
//	log.Printf("request %s created key %s", info.RequestID, key.ID)
//
// A later call overwrites what an earlier one wrote; All makes one call for each page.
// Concurrent calls need an info each.
func WithCallInfo(ctx context.Context, info *CallInfo) context.Context {
	return withOptions(ctx, func(o *callOptions) { o.info = info })
}

// WithHeader returns a context that makes each call that uses it send the header field, such as
// OpenAI-Organization, besides the client's own. Fields that the client sets itself and those
// that control the connection, such as Authorization, Host and Connection, make the call fail
// with [ErrInvalidArgument].
func WithHeader(ctx context.Context, name, value string) context.Context {
	return withOptions(ctx, func(o *callOptions) {
		header := o.header.Clone()
		if header == nil {
			header = make(http.Header)
		}
		header.Set(name, value)
		o.header = header
	})
}

// callOptions are the values of a context for the calls that use it.
type callOptions struct {
	info   *CallInfo
	header http.Header
	clock  *serverClock
}

type callOptionsKey struct{}

func optionsOf(ctx context.Context) *callOptions {
	options, _ := ctx.Value(callOptionsKey{}).(*callOptions)
	return options
}

// withOptions returns a context whose options are those of ctx, changed by change.
func withOptions(ctx context.Context, change func(*callOptions)) context.Context {
	var options callOptions
	if outer := optionsOf(ctx); outer != nil {
		options = *outer
	}
	change(&options)
	return context.WithValue(ctx, callOptionsKey{}, &options)
}

// checked returns the first of the problems with the arguments of a call, or nil. A call that has
// one ends before its request is built.
func checked(ctx context.Context, operation string, problems ...error) error {
	err := cmp.Or(problems...)
	if err == nil || ctx == nil {
		return err
	}
	if options := optionsOf(ctx); options != nil && options.info != nil {
		*options.info = CallInfo{Operation: operation}
	}
	return err
}

// finish writes the metadata of the call to where its context wants it.
func (c *call) finish() {
	if c.options == nil {
		return
	}
	a := c.last()
	if c.options.info != nil {
		*c.options.info = CallInfo{
			Operation: c.operation.ID, Status: a.status, RequestID: c.requestID(),
			Attempts: c.count(), Waited: c.waited(), Duration: time.Since(c.started),
		}
	}
	if c.options.clock != nil {
		c.options.clock.observe(a.header)
	}
}

// addHeader adds the fields of WithHeader to the header of a request.
func addHeader(header, more http.Header) error {
	for name, values := range more {
		if reservedHeaders[name] || !isToken(name) || !printable(values[0]) {
			return argumentError("WithHeader: the field is one of the client's own, controls the connection, or is malformed")
		}
		header[name] = values
	}
	return nil
}

// reservedHeaders cannot be set by WithHeader.
var reservedHeaders = map[string]bool{
	"Authorization": true, "User-Agent": true, "Accept": true, "Accept-Encoding": true, "Content-Type": true,
	"Content-Length": true, "Content-Encoding": true, "Host": true, "Connection": true, "Proxy-Connection": true,
	"Proxy-Authorization": true, "Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true,
	"Upgrade": true, "Expect": true, "Cookie": true, "Idempotency-Key": true, "X-Idempotency-Key": true,
}
