package orgkeys

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Reasons of an [*APIError], for errors.Is. Each is one status.
var (
	ErrBadRequest   = errors.New("bad request")  // 400
	ErrUnauthorized = errors.New("unauthorized") // 401: the key is unknown, or lacks a scope
	ErrForbidden    = errors.New("forbidden")    // 403
	ErrNotFound     = errors.New("not found")    // 404
	ErrConflict     = errors.New("conflict")     // 409
	ErrRateLimited  = errors.New("rate limited") // 429
)

// ErrInvalidArgument is what an error is, by errors.Is, if a call was given something that can't
// be right. Nothing was sent.
var ErrInvalidArgument = errors.New("invalid argument")

// argumentError is an error of that kind, in words that name the argument.
type argumentError string

func (e argumentError) Error() string        { return "orgkeys: " + string(e) + "; nothing was sent" }
func (e argumentError) Is(target error) bool { return target == ErrInvalidArgument }

var reasons = map[int]error{
	http.StatusBadRequest:      ErrBadRequest,
	http.StatusUnauthorized:    ErrUnauthorized,
	http.StatusForbidden:       ErrForbidden,
	http.StatusNotFound:        ErrNotFound,
	http.StatusConflict:        ErrConflict,
	http.StatusTooManyRequests: ErrRateLimited,
}

// APIError is an answer that says no: any status but a 2xx, redirects included, since none is
// followed. What the server wrote is cut to a few hundred bytes, and what looks like a key in
// it is masked.
type APIError struct {
	Operation  string        // the contract's operationId
	Status     int           // the HTTP status
	Type       string        // the API's class of the reason, "" where it gave none
	Code       string        // the API's word for the reason, often ""
	Param      string        // the parameter at fault, often ""
	Message    string        // the API's sentence, "" where the body was not the API's
	RequestID  string        // x-request-id, to ask the vendor with
	RetryAfter time.Duration // how long the server asks to wait; 0 where it does not say

	attempts int
	acted    bool // an earlier attempt of the call may have done its work
	envelope bool // the body was the API's own, and not a proxy's
}

// Error says what was tried, what the API answered, and what to do about it.
func (e *APIError) Error() string {
	if hint := e.hint(); hint != "" {
		return e.bare() + "; " + hint
	}
	return e.bare()
}

// bare is the text with no advice.
func (e *APIError) bare() string {
	var b strings.Builder
	fmt.Fprintf(&b, "orgkeys: %s: %d %s", e.Operation, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	var details []string
	for _, d := range []struct{ name, value string }{
		{"type", e.Type}, {"code", e.Code}, {"param", e.Param}, {"request id", e.RequestID},
	} {
		if d.value != "" {
			details = append(details, d.name+" "+d.value)
		}
	}
	if e.attempts > 1 {
		details = append(details, strconv.Itoa(e.attempts)+" attempts")
	}
	if len(details) > 0 {
		b.WriteString(" (" + strings.Join(details, ", ") + ")")
	}
	return b.String()
}

// hint says what to do about the error.
func (e *APIError) hint() string {
	switch {
	case e.Status == http.StatusUnauthorized && e.Code == "" && e.Type == "invalid_request_error":
		return "the admin key lacks the scope of this operation: api.management.read to read, api.management.write to create and revoke"
	case e.Status == http.StatusUnauthorized:
		return "the key must be an admin key of the organization, not a project's; owners make one at https://platform.openai.com/settings/organization/admin-keys"
	case e.Status == http.StatusForbidden:
		return "the admin key's owner may not do this in the organization or project"
	case e.Status == http.StatusNotFound:
		return "check the ids: a key is found under its own project only"
	case e.Status == http.StatusBadRequest && e.Operation == "delete-project-api-key":
		return "if a service account owns the key, delete the account"
	case e.Status == http.StatusTooManyRequests && e.RetryAfter > 0:
		return "the server asks to wait " + e.RetryAfter.String()
	case e.Status == http.StatusTooManyRequests:
		return "the API allows some 7 to 10 requests a minute for each operation: WithRateLimit spaces them"
	case e.Status >= 300 && e.Status < 400:
		return "redirects are not followed, so that the admin key stays at the base URL: check it"
	case e.Status == http.StatusConflict || e.Status >= 500:
		return "try again later; the vendor can look the request id up"
	}
	return ""
}

// Is reports whether target is the sentinel of e's status. A 404 that is not in the API's words,
// behind an attempt that may have revoked the key, is not [ErrNotFound]: it tells nothing.
func (e *APIError) Is(target error) bool {
	if e.Status == http.StatusNotFound && e.acted && !e.envelope {
		return false
	}
	return reasons[e.Status] == target
}

// LogValue holds the fields that are not empty.
func (e *APIError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("operation", e.Operation), slog.Int("status", e.Status)}
	for _, f := range []slog.Attr{
		slog.String("type", e.Type), slog.String("code", e.Code), slog.String("param", e.Param),
		slog.String("message", e.Message), slog.String("request_id", e.RequestID),
	} {
		if f.Value.String() != "" {
			attrs = append(attrs, f)
		}
	}
	if e.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
	}
	return slog.GroupValue(attrs...)
}

// ResponseError is a 2xx that is not what the contract promises: another status than 200,
// another content type, a body that is too long, cut short or no JSON, or JSON that lacks
// something, has it in another type, or is about another key. It holds no value from the body.
type ResponseError struct {
	Operation string // the contract's operationId
	Status    int    // the HTTP status
	RequestID string // x-request-id, to ask the vendor with
	Pointer   string // JSON Pointer (RFC 6901) of what is wrong; "" is the whole body
	Problem   string // what is wrong there

	err error
}

func (e *ResponseError) Error() string {
	return e.bare() + "; if it stays so, the API has changed: look for a newer orgkeys"
}

// bare is the text with no advice.
func (e *ResponseError) bare() string {
	where := "the body"
	if e.Pointer != "" {
		where = e.Pointer
	}
	text := fmt.Sprintf("orgkeys: %s: the answer (status %d) is not what the contract promises: %s %s", e.Operation, e.Status, where, e.Problem)
	if e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	return text
}

// Unwrap returns what broke the answer off, if something did, for errors.Is and errors.As: the
// context's error, say.
func (e *ResponseError) Unwrap() error { return e.err }

// UnknownOutcomeError is a create that may or may not have happened: it was sent, and what
// came back does not say. It is never tried again, since that could mint a second key. Look
// for what it may have made with FindCreated of the same service, delete that in the platform's
// settings, and create anew: the value of a key that was made and not received can't be had
// again.
//
// Every other error of a create means that nothing was made.
type UnknownOutcomeError struct {
	Operation string    // the contract's operationId
	ProjectID string    // the project, "" for an admin key
	Name      string    // the name that was asked for
	StartedAt time.Time // when the call began, by this machine's clock
	Err       error     // what went wrong: an *APIError, a *ResponseError or a failure of the transport
}

func (e *UnknownOutcomeError) Error() string {
	cause := e.Err.Error()
	if c, ok := e.Err.(interface{ bare() string }); ok {
		cause = c.bare() // its advice is for calls that can be made again
	}
	text := "orgkeys: " + e.Operation
	if e.Name != "" {
		text += " of " + strconv.Quote(mask(e.Name, Secret{}))
	}
	if e.ProjectID != "" {
		text += " in " + e.ProjectID
	}
	return text + ": it is unknown whether a key was made: " + strings.TrimPrefix(cause, "orgkeys: "+e.Operation+": ") +
		"; look for it with FindCreated before creating again"
}

// Unwrap returns what went wrong.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// hidden stands for an error of a transport or of the caller's own code, whose text may quote
// the request's header and whose fields may hold it. Its text is masked. errors.Is and
// errors.As find the error itself, but it is not unwrapped, and it is behind a closure: so
// neither reporters that print every error of a chain nor printers that walk a value by
// reflection get to it.
type hidden struct {
	text  string
	cause func() error
}

func hide(text string, cause error) error {
	return &hidden{text, func() error { return cause }}
}

func (e *hidden) Error() string        { return e.text }
func (e *hidden) Is(target error) bool { return errors.Is(e.cause(), target) }
func (e *hidden) As(target any) bool   { return errors.As(e.cause(), target) }

func (c *call) error(err error, unsent bool) error {
	text := "orgkeys: " + c.operation + ": " + mask(err.Error(), c.key)
	if c.attempts > 1 {
		text += fmt.Sprintf(" (%d attempts)", c.attempts)
	}
	if unsent {
		text += "; nothing was sent"
	}
	return hide(text, err)
}

// interrupted is a call whose context ended while it waited to try again.
func interrupted(c *call, a *attempt, ctxErr error) error {
	last := a.failure()
	if last == nil {
		last = apiError(a.response)
	}
	a.close()
	return c.error(fmt.Errorf("%w while waiting to try again; the last attempt: %w", ctxErr, last), false)
}
