package orgkeys

import (
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
func (c *call) waited() time.Duration { return c.turn.total + c.slept }

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
