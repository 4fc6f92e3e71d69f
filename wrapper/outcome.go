package orgkeys

import (
	"net/http"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
)

// outcome is the outcome of a call. It alone decides which error a call returns, whether that
// error matches ErrNotSent, and what a 404 means.
type outcome uint8

const (
	notSent outcome = iota // no part of the request reached a server
	refused                // the server responded that it did not do what was requested
	unknown                // the server may have done what was requested
	done                   // the server did what was requested
)

// judge returns the outcome of a call from its attempts so far.
//
// A write that the server may have applied makes every later failure of the call unknown. A 404
// then means that an earlier DELETE was applied.
func judge(operation *gen.Operation, attempts []attempt) outcome {
	write := operation.Method != http.MethodGet && operation.Method != http.MethodHead
	result := notSent
	for i := range attempts {
		a := &attempts[i]
		maybeApplied := write && (result == unknown || a.replays > 0)
		switch o := a.outcome(); {
		case o == done:
			result = done
		case maybeApplied && operation.Method == http.MethodDelete && a.lacksObject():
			result = done
		case maybeApplied:
			result = unknown
		case o != notSent:
			result = o
		}
	}
	return result
}

// outcome returns the outcome of the attempt alone.
func (a *attempt) outcome() outcome {
	switch s := a.status; {
	case s == 0 && !a.sent:
		return notSent
	case s >= 200 && s <= 299 && a.body == bodyComplete:
		return done
	case s >= 400 && s <= 499 && s != http.StatusRequestTimeout && s != statusClientClosedRequest:
		return refused
	}
	// No response, 1xx, a redirect (303 is how some servers respond to completed work), a
	// success that is not usable, a timeout or a server error.
	return unknown
}

// lacksObject reports whether the response is the API's own 404 for the object at the path. One for
// the URL, as with a base URL without /v1, or for the project does not show that a key was deleted.
func (a *attempt) lacksObject() bool {
	code := ""
	if a.reason.Code != nil {
		code = *a.reason.Code
	}
	return a.status == http.StatusNotFound && a.envelope &&
		code != "unknown_url" && code != "project_not_found" && !strings.HasPrefix(a.reason.Message, "Invalid URL")
}

// verdict returns what the attempt shows about the rate limit.
func (a *attempt) verdict() verdict {
	switch {
	case a.status == http.StatusTooManyRequests && a.reason.Code != nil && *a.reason.Code == insufficientQuota:
		return exhausted
	case a.status == http.StatusTooManyRequests:
		return limited
	case a.outcome() == notSent:
		return unsent
	case a.status == 0 || a.status >= 500:
		return silent
	}
	return granted
}

// insufficientQuota is the code of a 429 that waiting does not cure.
const insufficientQuota = "insufficient_quota"

// statusClientClosedRequest is what some proxies respond if they gave up on the client while the
// server was at work.
const statusClientClosedRequest = 499
