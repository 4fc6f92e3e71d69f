package orgkeystest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Fault is a failure that a test injects with [Server.Inject]. Its fields select the requests
// that it applies to, and describe the response that the client receives. The zero Fault applies
// to the next request and changes nothing.
//
// A fault with Status, Body, NoBody, Raw, Drop or DropMidHeaders replaces the API's own
// response: the operation is not performed, unless AfterWork is set. Any other fault changes the
// API's own response, so that the operation is always performed.
//
// Over HTTP/2, a fault that closes the connection only ends the request's stream (RST_STREAM
// with the code INTERNAL_ERROR), unless Reset is set.
type Fault struct {
	// Operation is the operationId of the requests that the fault applies to, such as
	// "admin-api-keys-create"; "" means every request.
	Operation string
	// Skip is the number of such requests before the first that the fault applies to. Requests
	// that an earlier fault applies to do not count.
	Skip int
	// Times is the number of requests that the fault applies to: 0 means one, and a negative
	// number means all.
	Times int
	// Chance is the probability, from 0 to 1, that the fault applies to a request; 0 means 1.
	Chance float64

	// AfterWork makes the API perform the operation before the fault takes effect: the key is
	// created, updated or deleted. It is not allowed with a 4xx status other than 408, since
	// those mean that the server has not performed the operation.
	AfterWork bool
	// Delay is the time before the operation is performed or, with AfterWork, between the
	// operation and the response. If the client disconnects or the server closes during the delay,
	// the request ends: no response is sent and, without AfterWork, the operation is not performed.
	Delay time.Duration

	// Status is the status of the response; 0 with a Body means 200. Without a Body, the body
	// is the API's error envelope for a status of 400 and above, and empty otherwise.
	Status int
	// Header is added to the response. A header with a nil value is removed from it.
	Header http.Header
	// ContentType is the content type of the response; "" means application/json.
	ContentType string
	// Body is the body of the response.
	Body string
	// NoBody makes the body of the response empty.
	NoBody bool
	// PadTo extends the body to this number of bytes by spaces. The response has no
	// Content-Length, and the server does not keep the body in memory.
	PadTo int64
	// Gzip compresses the body, padding included, whether or not the client accepts that.
	Gzip bool

	// TruncateAt closes the connection after this number of bytes of the body, which is less
	// than the Content-Length. new(0) closes it after the headers.
	TruncateAt *int
	// StallAt sends this number of bytes of the body, and then no more until the client
	// disconnects or the server closes.
	StallAt *int
	// Trickle sends the body byte by byte, and waits for this time before each byte.
	Trickle time.Duration

	// Drop closes the connection without a response.
	Drop bool
	// DropMidHeaders closes the connection in the middle of the response's headers.
	DropMidHeaders bool
	// DropAfter closes the connection after the whole response, without the header
	// "Connection: close". The client keeps the connection for its next request, and may send
	// that before it notices the close.
	DropAfter bool
	// DropOnAccept closes a connection as soon as it is accepted, before TLS and any request.
	// Skip, Times and Chance then apply to connections instead of requests.
	DropOnAccept bool
	// Reset makes TruncateAt, Drop, DropMidHeaders, DropAfter, DropOnAccept and Raw close the
	// connection by a TCP reset. The client may not receive the last bytes before it.
	Reset bool

	// Raw is sent unchanged instead of an HTTP response. Then the connection is closed.
	Raw string
	// KeepOpen keeps the connection open after Raw, and sends no more, until the client or the
	// server closes it. With a Raw of "HTTP/1.1 101 Switching Protocols\r\n\r\n", the response
	// never ends.
	KeepOpen bool

	// ContentLength is the value of the header of that name, for a longer body. The server
	// sends the whole body, so that the client reads the excess as the next response.
	ContentLength *int
	// Unsolicited is sent right after the response, on the connection that stays open.
	Unsolicited string
	// Duplicate sends the response twice.
	Duplicate bool
	// Late delays the bytes that ContentLength, Unsolicited and Duplicate send after the
	// response until right before the next response on the connection. A client reads them as
	// the response to its next request, which the API has performed by then.
	Late bool
}

// replaces reports whether the fault replaces the API's own response.
func (f *Fault) replaces() bool {
	return f.Status != 0 || f.Body != "" || f.NoBody || f.Raw != "" || f.Drop || f.DropMidHeaders
}

// closes returns the number of ways in which the fault closes the connection.
func (f *Fault) closes() int {
	return count(f.Drop, f.DropMidHeaders, f.DropAfter, f.DropOnAccept, f.Raw != "", f.TruncateAt != nil, f.StallAt != nil)
}

// appends returns the number of ways in which the fault sends bytes after the response.
func (f *Fault) appends() int {
	return count(f.ContentLength != nil, f.Unsolicited != "", f.Duplicate)
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// String returns the fields that are not zero. Of Body, Raw and Unsolicited, it returns only the
// length.
func (f Fault) String() string {
	var set []string
	for field, value := range reflect.ValueOf(f).Fields() {
		if value.IsZero() {
			continue
		}
		text := fmt.Sprint(reflect.Indirect(value))
		if field.Name == "Body" || field.Name == "Raw" || field.Name == "Unsolicited" {
			text = fmt.Sprintf("%d bytes", value.Len())
		}
		set = append(set, field.Name+": "+text)
	}
	return "{" + strings.Join(set, ", ") + "}"
}

// Validate returns an error if [Server.Inject] would panic for the fault on a server that
// uses HTTP/1.1: for an unknown operation, a value out of range, a 4xx status with AfterWork,
// or fields that exclude each other.
func (f Fault) Validate() error {
	if problem := f.problem(false); problem != "" {
		return errors.New(problem)
	}
	return nil
}

// problem describes why the fault is invalid, or returns "".
func (f *Fault) problem(http2 bool) string {
	matching := Fault{Operation: f.Operation, Skip: f.Skip, Times: f.Times, Chance: f.Chance}
	onAccept := matching
	onAccept.Operation, onAccept.DropOnAccept, onAccept.Reset = "", true, f.Reset
	noResponse := matching
	noResponse.AfterWork, noResponse.Delay, noResponse.Reset = f.AfterWork, f.Delay, f.Reset
	noResponse.Drop, noResponse.Raw, noResponse.KeepOpen = f.Drop, f.Raw, f.KeepOpen
	switch {
	case f.Operation != "" && !slices.Contains(slices.Collect(maps.Values(operationIDs)), f.Operation):
		return fmt.Sprintf("the contract has no operation %q", f.Operation)
	case f.AfterWork && f.Status >= 400 && f.Status < 500 && f.Status != http.StatusRequestTimeout:
		return fmt.Sprintf("AfterWork excludes the status %d, which means that the operation was not performed", f.Status)
	case f.Status != 0 && (f.Status < 200 || f.Status > 999):
		return fmt.Sprintf("%d is not the status of a final response", f.Status)
	case f.Skip < 0, f.Chance < 0, f.Chance > 1, f.Delay < 0, f.Trickle < 0, f.PadTo < 0,
		negative(f.TruncateAt), negative(f.StallAt), negative(f.ContentLength):
		return "a field is negative, or Chance is not from 0 to 1"
	case f.closes() > 1:
		return "more than one field closes the connection"
	case f.Reset && (f.closes() == 0 || f.StallAt != nil || f.KeepOpen):
		return "Reset requires a field that closes the connection"
	case f.KeepOpen && f.Raw == "":
		return "KeepOpen requires Raw"
	case (f.NoBody || bodiless(f.Status)) && (f.Body != "" || f.PadTo > 0 || f.ContentLength != nil):
		return "a field sets the body of a response that has none"
	case f.DropOnAccept && !reflect.DeepEqual(*f, onAccept):
		return "DropOnAccept excludes fields that apply to requests"
	case (f.Drop || f.Raw != "") && !reflect.DeepEqual(*f, noResponse):
		return "Drop and Raw exclude fields that change the response"
	case (f.DropMidHeaders || f.DropAfter) && (f.PadTo > 0 || f.Gzip || f.Trickle > 0):
		return "DropMidHeaders and DropAfter exclude PadTo, Gzip and Trickle"
	case f.appends() > 1:
		return "more than one field sends bytes after the response"
	case f.appends() > 0 && (f.closes() > 0 || f.PadTo > 0 || f.Gzip || f.Trickle > 0):
		return "ContentLength, Unsolicited and Duplicate exclude PadTo, Gzip, Trickle and fields that close the connection"
	case f.Late && f.appends() == 0:
		return "Late requires a field that sends bytes after the response"
	case http2 && (f.DropMidHeaders || f.DropAfter || f.Raw != "" || f.appends() > 0):
		return "the fault has a field that HTTP/2 does not support"
	}
	return ""
}

func negative(n *int) bool { return n != nil && *n < 0 }

// injected is a fault with the numbers of requests that it has skipped and applied to.
type injected struct {
	Fault
	skipped, applied int
}

// Inject adds faults. The first fault, in the order of injection, that is due for a request
// applies to it, and no other: Inject(a, b) makes two requests in a row fail.
//
// Inject panics for an invalid fault; see [Fault.Validate]. Over HTTP/2, DropMidHeaders,
// DropAfter, Raw, ContentLength, Unsolicited and Duplicate are invalid, too.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if problem := f.problem(s.settings.http2); problem != "" {
			panic(fmt.Sprintf("orgkeystest: Inject: %s: %s", f, problem))
		}
		s.faults = append(s.faults, &injected{Fault: clone(f)})
	}
}

// UnusedFaults returns the faults that have not applied to any request so far.
func (s *Server) UnusedFaults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unused []Fault
	for _, f := range s.faults {
		if f.applied == 0 {
			unused = append(unused, clone(f.Fault))
		}
	}
	return unused
}

// fault returns the fault that applies to a request: the zero Fault if there is none.
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

// faultOnAccept returns the fault that applies to a new connection, or nil.
func (s *Server) faultOnAccept() *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.due(func(f *Fault) bool { return f.DropOnAccept })
}

// due returns the first matching fault that is due, or nil. The caller holds the server's lock.
func (s *Server) due(matches func(*Fault) bool) *Fault {
	for _, f := range s.faults {
		switch {
		case !matches(&f.Fault):
		case f.Times >= 0 && f.applied >= max(f.Times, 1):
		case f.skipped < f.Skip:
			f.skipped++
		case f.Chance > 0 && rand.Float64() >= f.Chance:
		default:
			f.applied++
			return &f.Fault
		}
	}
	return nil
}

// apply returns resp, the API's own response, as the fault changes or replaces it.
func (f *Fault) apply(resp response, requestID string) response {
	if f.replaces() {
		resp = response{status: cmp.Or(f.Status, http.StatusOK), body: []byte(f.Body)}
		resp.header = http.Header{"Content-Type": {"application/json"}}
		if resp.status >= 400 && f.Body == "" && !f.NoBody {
			resp = render(apiError(resp.status, "", "Injected fault with status %d.", resp.status))
		}
	}
	resp.header.Set("X-Request-Id", requestID)
	if f.ContentType != "" {
		resp.header.Set("Content-Type", f.ContentType)
	}
	for name, values := range f.Header {
		resp.header[http.CanonicalHeaderKey(name)] = values
	}
	return resp
}
