package orgkeys

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// call is the record of one call. The pipeline writes into it what happens, and everything that
// depends on what happened reads it: whether to retry, the outcome, the error, the log and the
// metadata.
type call struct {
	operation *gen.Operation
	request   *http.Request // as it was built; its header never contains the admin key
	content   []byte        // the body of the request
	options   *callOptions
	started   time.Time
	redactor  *redactor     // redacts the admin key of the last attempt
	turn      turn          // in the gate of the operation
	slept     time.Duration // between attempts
	attempts  []attempt
	uncounted int // attempts that were refused by the rate limit and do not count

	// err is why the call ended without a complete response: the failure of the last attempt,
	// or what kept the next one from being made.
	err error
	// stopped reports whether err kept an attempt from being made.
	stopped bool
	body    *[]byte // the last response's body as far as it was read, from the pool

	first [1]attempt // the memory of attempts, enough for most calls
}

// attempt is what is known about one request and its response.
type attempt struct {
	sent     bool        // a part of the request may have been written to a connection
	replays  int         // how often the transport itself sent the request again
	status   int         // of the response, 0 if there was none
	header   http.Header // of the response
	body     bodyState
	reason   gen.Error     // of a non-2xx response, as far as its body has one
	envelope bool          // that body is complete and the API's error envelope
	duration time.Duration // until the body was read
	ended    time.Time     // when it had been read
}

// bodyState is whether a response's body is complete and valid.
type bodyState uint8

const (
	bodyComplete bodyState = iota // read to its end
	bodyBroken                    // not read to its end
	bodyInvalid                   // read to its end, and violates the contract
)

// last returns the last attempt, or a zero one if none was made.
func (c *call) last() *attempt {
	if len(c.attempts) == 0 {
		return new(attempt)
	}
	return &c.attempts[len(c.attempts)-1]
}

// waited returns the time spent waiting for the rate limit and between attempts.
func (c *call) waited() time.Duration { return c.turn.waited + c.slept }

func (c *call) outcome() outcome { return judge(c.operation, c.attempts) }

// requestID returns the request id of the last response.
func (c *call) requestID() string { return c.redactor.redact(first(c.last().header, "X-Request-Id")) }

// count returns the number of requests, with those that the transport repeated.
func (c *call) count() int {
	n := len(c.attempts)
	for i := range c.attempts {
		n += c.attempts[i].replays
	}
	return n
}

// bodies keeps the buffers of response bodies. One that held a key is cleared before it gets
// there.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled is the size of the largest buffer that the pool keeps. A page of a hundred keys has
// some 40 kB.
const maxPooled = 256 << 10

// received returns the body of the last response as far as it was read.
func (c *call) received() []byte {
	if c.body == nil {
		return nil
	}
	return *c.body
}

// release clears the body and gives its buffer back.
func (c *call) release() {
	if c.body == nil {
		return
	}
	clear(*c.body)
	if cap(*c.body) <= maxPooled {
		*c.body = (*c.body)[:0]
		bodies.Put(c.body)
	}
	c.body = nil
}

// CallInfo describes a call that has ended, successfully or not. See [WithCallInfo].
type CallInfo struct {
	Operation string        // the operationId, such as "admin-api-keys-create"
	Status    int           // the HTTP status of the last response, 0 if there was none
	RequestID string        // the x-request-id of the last response, to give to the vendor
	Attempts  int           // the number of attempts, 0 if none was made
	Waited    time.Duration // the time spent waiting for the rate limit and between attempts
	Duration  time.Duration // the time from the start of the call to its end
}

// callOptions is what a context carries to the calls that are made with it.
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
