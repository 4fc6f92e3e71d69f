package orgkeystest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Fault is something that goes wrong with a request, on request. Its fields say which requests
// it strikes, when, and what the client gets to see. The zero Fault strikes the next request
// and does no harm.
//
// A fault either replaces the API's own answer or spoils it. It replaces the answer where it
// has a Status, a Body, NoBody or Raw, and where it drops the connection with Drop or
// DropMidHeaders: the API then does not do what the request asks for, unless AfterWork is set.
// All else spoils the API's own answer, so that the work is done.
type Fault struct {
	// Operation is the operationId of the requests to strike, such as
	// "admin-api-keys-create"; "" is any request.
	Operation string
	// Skip is how many such requests pass first. A request that an earlier fault struck is
	// not one of them.
	Skip int
	// Times is how many requests the fault strikes; 0 is one, a negative number is all.
	Times int
	// Chance is the share of the requests to strike, drawn at random, between 0 and 1; 0 is
	// all of them.
	Chance float64

	// AfterWork has the API do the work before the fault strikes: the key is minted, or gone.
	// It cannot be had with a refusal, that is a 4xx other than 408.
	AfterWork bool
	// Delay passes before anything else, or with AfterWork once the work is done. It ends
	// when the client gives up or the server closes, and then nothing more happens.
	Delay time.Duration

	// Status of the answer; with no Body, 400 and above come with the API's error envelope,
	// and all below come with nothing. 0 with a Body is 200.
	Status int
	// Header of the answer, on top of a content type and an x-request-id, which it may
	// replace, or remove with a nil value.
	Header http.Header
	// ContentType of the answer, "application/json" where it is "".
	ContentType string
	// Body of the answer.
	Body string
	// NoBody makes the answer's body empty, whatever the status.
	NoBody bool
	// PadTo appends blanks to the body up to so many bytes, without holding them in memory
	// and without announcing a length.
	PadTo int64
	// Gzip compresses the body, padding included, whether or not the client asked for it.
	Gzip bool

	// TruncateAt closes the connection after so many bytes of the body, more of which were
	// announced. new(0) cuts right behind the headers.
	TruncateAt *int
	// StallAt sends so many bytes of the body and then no more, until the client gives up or
	// the server closes.
	StallAt *int
	// Trickle passes before every single byte of the body.
	Trickle time.Duration

	// Drop closes the connection instead of an answer.
	Drop bool
	// DropMidHeaders closes the connection in the middle of the answer's headers.
	DropMidHeaders bool
	// DropAfter sends the whole answer, with no word of closing the connection, and closes
	// it: the next request finds a dead connection.
	DropAfter bool
	// DropOnAccept closes a connection as soon as it is there, before TLS and before any
	// request. Skip and Times then count connections, and Operation has to be "".
	DropOnAccept bool
	// Reset makes the closing of any of the Drops and of TruncateAt a TCP reset.
	Reset bool
	// Raw goes over the wire as it is, in place of an HTTP answer, and then the connection is
	// closed.
	Raw string
}

// String names the fields that are set.
func (f Fault) String() string { return fmt.Sprintf("%+v", struct{ fault }{fault(f)}) }

type fault Fault

// replaces reports whether the fault keeps the API's own answer from the client.
func (f *Fault) replaces() bool {
	return f.Status != 0 || f.Body != "" || f.NoBody || f.Raw != "" || f.Drop || f.DropMidHeaders
}

// check says what is wrong with the fault itself.
func (f *Fault) check() string {
	known := f.Operation == ""
	for _, id := range operationIDs {
		known = known || id == f.Operation
	}
	switch {
	case !known:
		return fmt.Sprintf("the contract has no operation %q", f.Operation)
	case f.AfterWork && f.Status >= 400 && f.Status < 500 && f.Status != http.StatusRequestTimeout:
		return fmt.Sprintf("a server that answers %d has refused the work, so it cannot be AfterWork", f.Status)
	case f.Status != 0 && (f.Status < 200 || f.Status > 999):
		return fmt.Sprintf("%d is not the status of an answer", f.Status)
	case f.Skip < 0 || f.Delay < 0 || f.Trickle < 0 || f.PadTo < 0 || f.Chance < 0 || f.Chance > 1:
		return "a field is out of range"
	}
	return ""
}

// injected is a fault on its way, with what it has seen.
type injected struct {
	Fault
	passed, struck int
}

// Inject adds faults. Every request goes to the first fault, in the order of injection, that
// is due for it. Inject panics where a fault makes no sense.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if wrong := f.check(); wrong != "" {
			panic("orgkeystest: Inject: " + wrong)
		}
		f.Header = f.Header.Clone()
		s.faults = append(s.faults, &injected{Fault: f})
	}
}

// UnmetFaults returns the faults that nothing has met so far.
func (s *Server) UnmetFaults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unmet []Fault
	for _, f := range s.faults {
		if f.struck == 0 {
			unmet = append(unmet, f.Fault)
		}
	}
	return unmet
}

// due returns the first of the matching faults that is due, or nil. The server's lock is held.
func (s *Server) due(matches func(Fault) bool) *Fault {
	for _, f := range s.faults {
		switch {
		case !matches(f.Fault) || f.Times >= 0 && f.struck >= max(f.Times, 1):
		case f.passed < f.Skip:
			f.passed++
		case f.Chance > 0 && rand.Float64() >= f.Chance:
		default:
			f.struck++
			return &f.Fault
		}
	}
	return nil
}

// apply turns the API's own answer into the fault's.
func (f *Fault) apply(a answer, requestID string) answer {
	if f.replaces() {
		a.header = http.Header{"Content-Type": {"application/json"}}
		a.status, a.body = f.Status, []byte(f.Body)
		if a.status == 0 {
			a.status = http.StatusOK
		}
		if f.Body == "" && !f.NoBody && a.status >= 400 {
			a.body = own(refuse(a.status, "", "This is what the test asked for: %d %s", a.status, http.StatusText(a.status))).body
		}
	}
	a.header.Set("X-Request-Id", requestID)
	if f.ContentType != "" {
		a.header.Set("Content-Type", f.ContentType)
	}
	maps.Copy(a.header, canonical(f.Header))
	return a
}

func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		out[http.CanonicalHeaderKey(strings.TrimSpace(name))] = values
	}
	return out
}
