package orgkeystest

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with a request because a test wants it to. Its fields say
// which requests it strikes, when, and what the client gets to see. The zero Fault strikes the
// next request and does no harm.
//
// A fault replaces the API's own answer or spoils it. It replaces the answer where it has a
// Status, a Body, NoBody or Raw, and where it ends the connection by Drop or DropMidHeaders:
// the API then does not do what the request asks for, unless AfterWork is set. Everything else
// spoils the API's own answer, which means that the work is done.
//
// Over HTTP/2, a connection that ends is only the request's stream, unless Reset is set.
type Fault struct {
	// Operation is the operationId of the requests to strike, such as
	// "admin-api-keys-create"; "" means any request.
	Operation string
	// Skip is how many of these requests pass before. Those that an earlier fault takes do
	// not count.
	Skip int
	// Times is how many requests are struck: 0 means one, and a negative number means all.
	Times int
	// Chance is the share of the requests to strike, from 0 to 1, drawn at random; 0 means
	// every one.
	Chance float64

	// AfterWork has the API do its work before the fault strikes: the key is minted, or gone.
	// A refusal, a 4xx other than 408, cannot have it: by HTTP it says that nothing was done.
	AfterWork bool
	// Delay passes before anything else or, with AfterWork, once the work is done. Where the
	// client gives up or the server closes meanwhile, nothing else happens.
	Delay time.Duration

	// Status is the answer's; 0 with a Body means 200. Without a Body, from 400 on it brings
	// the API's error envelope, and below an empty body.
	Status int
	// Header is set on the answer, whose own are a content type and an x-request-id. A nil
	// value takes a header away.
	Header http.Header
	// ContentType is the answer's, application/json where it is "".
	ContentType string
	// Body is the answer's.
	Body string
	// NoBody makes the answer's body empty, whatever the status.
	NoBody bool
	// PadTo brings the body to so many bytes by blanks behind it. Nothing announces the
	// length, and the server holds no such body in memory.
	PadTo int64
	// Gzip compresses the body, padding included, whether or not the client accepts that.
	Gzip bool

	// TruncateAt ends the connection behind so many bytes of the body, of which more were
	// announced. new(0) ends it right behind the headers.
	TruncateAt *int
	// StallAt sends so many bytes of the body, and then none, until the client gives up or
	// the server closes.
	StallAt *int
	// Trickle passes before each byte of the body.
	Trickle time.Duration

	// Drop ends the connection instead of an answer.
	Drop bool
	// DropMidHeaders ends the connection in the middle of the answer's headers.
	DropMidHeaders bool
	// DropAfter sends the answer whole and without a word of closing, and then ends the
	// connection: the client keeps it for the next request, and may find out too late.
	DropAfter bool
	// DropOnAccept ends a connection as soon as there is one, ahead of TLS and of any request.
	// Skip, Times and Chance are about connections then.
	DropOnAccept bool
	// Reset ends the connection by a TCP reset, where one of the fields above or Raw ends it.
	// What was sent shortly before may not arrive then.
	Reset bool
	// Raw is sent as it is, instead of an answer by HTTP, and then the connection ends.
	Raw string
}

// replaces reports whether the API's own answer does not reach the client.
func (f *Fault) replaces() bool {
	return f.Status != 0 || f.Body != "" || f.NoBody || f.Raw != "" || f.Drop || f.DropMidHeaders
}

// String names the fields that are set.
func (f Fault) String() string {
	var set []string
	for field, value := range reflect.ValueOf(f).Fields() {
		if value.IsZero() {
			continue
		}
		text := fmt.Sprint(reflect.Indirect(value))
		if field.Name == "Body" || field.Name == "Raw" {
			text = fmt.Sprintf("%d bytes", value.Len())
		}
		set = append(set, field.Name+": "+text)
	}
	return "{" + strings.Join(set, ", ") + "}"
}

func (f Fault) clone() Fault {
	f = clone(f)
	f.Header = f.Header.Clone()
	return f
}

// mistake says why there can be no such fault, or "".
func (f *Fault) mistake(http2 bool) string {
	known := slices.Collect(maps.Values(operationIDs))
	endings := 0
	for _, set := range []bool{
		f.Drop, f.DropMidHeaders, f.DropAfter, f.DropOnAccept, f.Raw != "", f.TruncateAt != nil, f.StallAt != nil,
	} {
		if set {
			endings++
		}
	}
	onAccept := Fault{Skip: f.Skip, Times: f.Times, Chance: f.Chance, DropOnAccept: true, Reset: f.Reset}
	unseen := Fault{Operation: f.Operation, Skip: f.Skip, Times: f.Times, Chance: f.Chance, AfterWork: f.AfterWork, Delay: f.Delay, Drop: f.Drop, Raw: f.Raw, Reset: f.Reset}
	switch {
	case f.Operation != "" && !slices.Contains(known, f.Operation):
		return fmt.Sprintf("the contract has no operation %q", f.Operation)
	case f.AfterWork && f.Status >= 400 && f.Status < 500 && f.Status != http.StatusRequestTimeout:
		return fmt.Sprintf("a %d after the work: a server that refuses a request has not done the work", f.Status)
	case f.Status != 0 && (f.Status < 200 || f.Status > 999):
		return fmt.Sprintf("%d is not the status of an answer", f.Status)
	case f.Skip < 0, f.Chance < 0, f.Chance > 1, f.Delay < 0, f.Trickle < 0, f.PadTo < 0, negative(f.TruncateAt), negative(f.StallAt):
		return "a field is out of its range"
	case endings > 1:
		return "the connection can end in one way only"
	case f.Reset && (endings == 0 || f.StallAt != nil):
		return "Reset goes with something that ends the connection"
	case (f.NoBody || bodiless(f.Status)) && (f.Body != "" || f.PadTo > 0):
		return "an answer without a body cannot have one"
	case f.DropOnAccept && !reflect.DeepEqual(*f, onAccept):
		return "DropOnAccept strikes before there is a request to say more about"
	case (f.Drop || f.Raw != "") && !reflect.DeepEqual(*f, unseen):
		return "there is no answer that the other fields could be about"
	case (f.DropMidHeaders || f.DropAfter) && (f.PadTo > 0 || f.Gzip || f.Trickle > 0):
		return "the body is not to be padded, compressed or slowed down here"
	case http2 && (f.DropMidHeaders || f.DropAfter || f.Raw != ""):
		return "HTTP/2 has no such answer"
	}
	return ""
}

func negative(n *int) bool { return n != nil && *n < 0 }

// injected is a fault with what it has seen.
type injected struct {
	Fault
	passed, struck int
}

// Inject adds faults. A request meets the first one, in the order of injection, that is due
// for it, and no other. So Inject(a, b) strikes two requests in a row.
//
// Inject panics for a fault that cannot be: an unknown operation, a refusal after the work,
// fields that exclude each other, and over HTTP/2, DropMidHeaders, DropAfter and Raw.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if mistake := f.mistake(s.settings.http2); mistake != "" {
			panic(fmt.Sprintf("orgkeystest: Inject: %s: %s", f, mistake))
		}
		s.faults = append(s.faults, &injected{Fault: f.clone()})
	}
}

// UnusedFaults returns the faults that have struck nothing so far.
func (s *Server) UnusedFaults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unmet []Fault
	for _, f := range s.faults {
		if f.struck == 0 {
			unmet = append(unmet, f.clone())
		}
	}
	return unmet
}

// fault returns what is due for a request: the zero Fault if nothing is.
func (s *Server) fault(entry *Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.due(func(f *Fault) bool { return !f.DropOnAccept && (f.Operation == "" || f.Operation == entry.Operation) })
	if f == nil {
		return &Fault{}
	}
	entry.Faulted = true
	return f
}

// faultOnAccept returns what is due for a new connection, or nil.
func (s *Server) faultOnAccept() *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.due(func(f *Fault) bool { return f.DropOnAccept })
}

// due returns the first matching fault that is due, or nil. The server's lock is held.
func (s *Server) due(matches func(*Fault) bool) *Fault {
	for _, f := range s.faults {
		switch {
		case !matches(&f.Fault):
		case f.Times >= 0 && f.struck >= max(f.Times, 1):
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

// apply makes of the API's own answer the one that the fault wants.
func (f *Fault) apply(a answer, requestID string) answer {
	if f.replaces() {
		a = answer{status: cmp.Or(f.Status, http.StatusOK), body: []byte(f.Body)}
		a.header = http.Header{"Content-Type": {"application/json"}}
		if a.status >= 400 && f.Body == "" && !f.NoBody {
			a = own(refuse(a.status, "", "A test asked for the status %d.", a.status))
		}
	}
	a.header.Set("X-Request-Id", requestID)
	if f.ContentType != "" {
		a.header.Set("Content-Type", f.ContentType)
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return a
}
