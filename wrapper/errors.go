package orgkeys

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
)

// Statuses of an [*APIError], for errors.Is.
var (
	ErrBadRequest   = errors.New("bad request")  // 400
	ErrUnauthorized = errors.New("unauthorized") // 401: the key is invalid, or lacks a scope
	ErrForbidden    = errors.New("forbidden")    // 403
	ErrNotFound     = errors.New("not found")    // 404
	ErrConflict     = errors.New("conflict")     // 409
	ErrRateLimited  = errors.New("rate limited") // 429
)

// ErrNotSent matches, by errors.Is, every error of a call that sent nothing: invalid arguments,
// a context that had ended, a key source or a connection that failed. No other error matches it.
// In an error of All and FindCreated, it is about the request for the page that failed.
var ErrNotSent = errors.New("nothing was sent")

// ErrInvalidArgument matches, by errors.Is, the error of a call whose arguments cannot be valid.
// Nothing was sent.
var ErrInvalidArgument = errors.New("invalid argument")

// nothingSent ends the text of each error that matches ErrNotSent, and of no other.
const nothingSent = "; nothing was sent"

// argumentError names an invalid argument.
type argumentError string

func (e argumentError) Error() string { return "orgkeys: " + string(e) + nothingSent }

func (e argumentError) Is(target error) bool {
	return target == ErrInvalidArgument || target == ErrNotSent
}

var reasons = map[int]error{
	http.StatusBadRequest:      ErrBadRequest,
	http.StatusUnauthorized:    ErrUnauthorized,
	http.StatusForbidden:       ErrForbidden,
	http.StatusNotFound:        ErrNotFound,
	http.StatusConflict:        ErrConflict,
	http.StatusTooManyRequests: ErrRateLimited,
}

// APIError is a non-2xx response. Redirects are among them, since none is followed. Texts that
// the server wrote are cut to 512 bytes, and what looks like a key in them is redacted.
type APIError struct {
	Operation  string        // the operationId
	Status     int           // the HTTP status
	Type       string        // the API's category of the reason, often ""
	Code       string        // the API's code of the reason, often ""
	Param      string        // the invalid parameter, often ""
	Message    string        // the API's sentence, "" if the body is not the API's error envelope
	RequestID  string        // x-request-id, to give to the vendor
	RetryAfter time.Duration // from Retry-After or retry-after-ms, 0 if absent
	Attempts   int           // the number of requests
	Waited     time.Duration // the time spent waiting for the rate limit and between attempts

	outcome  outcome
	envelope bool   // the body is the API's error envelope
	advice   string // what to do about it, or ""
}

// Error returns the operation, the response, and what to do about it.
func (e *APIError) Error() string {
	if e.advice != "" {
		return e.withoutAdvice() + "; " + e.advice
	}
	return e.withoutAdvice()
}

func (e *APIError) withoutAdvice() string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(fmt.Sprintf("orgkeys: %s: %d %s", e.Operation, e.Status, http.StatusText(e.Status)), " "))
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
	if e.Attempts > 1 {
		details = append(details, strconv.Itoa(e.Attempts)+" attempts")
	}
	if len(details) > 0 {
		b.WriteString(" (" + strings.Join(details, ", ") + ")")
	}
	return b.String()
}

// Is reports whether target is the sentinel of e's status. A 404 that is not the API's own,
// after an attempt that may have been applied, is not [ErrNotFound].
func (e *APIError) Is(target error) bool {
	if e.Status == http.StatusNotFound && e.outcome == unknown && !e.envelope {
		return false
	}
	return reasons[e.Status] == target
}

// LogValue returns the fields that are not empty.
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
	return slog.GroupValue(append(attrs, slog.Int("attempts", e.Attempts), slog.Duration("waited", e.Waited))...)
}

// advice returns what to do about a non-2xx response to a request for the operation at path.
func advice(e *APIError, operation *gen.Operation, path string) string {
	switch {
	case e.Status == http.StatusUnauthorized && e.Code == "" && e.Type == "invalid_request_error":
		return "the admin key lacks the scope of this operation: api.management.read to read, api.management.write to write"
	case e.Status == http.StatusUnauthorized:
		return "the key must be an admin key of the organization, not a project's; owners create one at https://platform.openai.com/settings/organization/admin-keys"
	case e.Status == http.StatusForbidden:
		return "the owner of the admin key is not allowed to do this in the organization or project"
	case e.Status == http.StatusNotFound && !e.envelope && !strings.Contains(path, "/v1/organization/"):
		return "the base URL probably lacks /v1 at its end"
	case e.Status == http.StatusNotFound && strings.Contains(operation.Path, "{"):
		return "check the ids: a key is found only under its own project"
	case e.Status == http.StatusNotFound:
		return "check the base URL"
	case e.Status == http.StatusBadRequest && e.Operation == gen.OperationDeleteProjectAPIKey:
		return "if the key belongs to a service account, older servers delete it only together with the account"
	case e.Status == http.StatusTooManyRequests && e.Code == insufficientQuota:
		return "the organization's quota is used up: waiting does not help"
	case e.Status == http.StatusTooManyRequests && e.RetryAfter > 0:
		return "the server asks to wait " + e.RetryAfter.String()
	case e.Status == http.StatusTooManyRequests:
		return "the API refused every attempt: another program may be using up the rate limit"
	case e.Status >= 300 && e.Status < 400:
		return "redirects are not followed, so that the admin key stays at the base URL: check it"
	case e.Status == http.StatusConflict || e.Status >= 500:
		return "try again later; the vendor can look up the request id"
	}
	return ""
}

// ResponseError is a 2xx response that violates the contract: a status other than 200, another
// content type, a body that is too long, incomplete or not JSON, or a body that lacks a
// property, has one of another type, or is about another object than the requested one.
type ResponseError struct {
	Operation string        // the operationId
	Status    int           // the HTTP status
	RequestID string        // x-request-id, to give to the vendor
	Pointer   string        // JSON Pointer (RFC 6901) of the invalid value, "" for the whole body
	Problem   string        // what is invalid about it; quotes no key
	Attempts  int           // the number of requests
	Waited    time.Duration // the time spent waiting for the rate limit and between attempts

	err error
}

func (e *ResponseError) Error() string {
	return e.withoutAdvice() + "; if this persists, the API has changed: look for a newer version of orgkeys"
}

func (e *ResponseError) withoutAdvice() string {
	where := "the body"
	if e.Pointer != "" {
		where = e.Pointer
	}
	text := fmt.Sprintf("orgkeys: %s: invalid response (status %d): %s %s", e.Operation, e.Status, where, e.Problem)
	if e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	return text
}

// Unwrap returns why the body is incomplete, such as a context's error, or nil.
func (e *ResponseError) Unwrap() error { return e.err }

// UnknownOutcomeError is a create that may or may not have happened: it was sent, and no
// response shows its outcome. It is never retried, since that could create a second key.
// Look for what it may have created with FindCreated of the same service, delete that in the
// platform's settings, and create again: the value of a key that was created and not received
// cannot be retrieved.
//
// Every other error of a create means that nothing was created.
type UnknownOutcomeError struct {
	Operation string        // the operationId
	ProjectID string        // the project, "" for an admin key
	Name      string        // the requested name
	StartedAt time.Time     // when the call began, by this machine's clock
	RequestID string        // x-request-id of the last response, "" if there was none
	Attempts  int           // the number of requests
	Waited    time.Duration // the time spent waiting for the rate limit and between attempts
	Err       error         // the cause: an *APIError, a *ResponseError or a failure of the transport
}

func (e *UnknownOutcomeError) Error() string {
	cause := "no cause is known"
	if c, ok := e.Err.(interface{ withoutAdvice() string }); ok {
		cause = c.withoutAdvice() // the advice is for calls that can be repeated
	} else if e.Err != nil {
		cause = e.Err.Error()
	}
	text := "orgkeys: " + e.Operation
	if e.Name != "" {
		text += " of " + strconv.Quote(redact(e.Name))
	}
	if e.ProjectID != "" {
		text += " in " + redact(e.ProjectID)
	}
	return text + ": it is unknown whether a key was created: " + strings.TrimPrefix(cause, "orgkeys: "+e.Operation+": ") +
		"; look for it with FindCreated before creating again"
}

// Unwrap returns the cause.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// transportError is the failure of a call that has no response. Its text is redacted, since that
// of a transport or of the caller's own code may quote the request's header. errors.Is and
// errors.As find the cause, but it is not unwrapped, and it is kept in a closure: so neither
// reporters that print each error of a chain nor printers that use reflection reach it.
type transportError struct {
	text    string
	notSent bool
	cause   func() error
}

func (e *transportError) Error() string { return e.text }

func (e *transportError) Is(target error) bool {
	switch target {
	case ErrNotSent:
		return e.notSent
	case ErrInvalidArgument: // of this attempt, when an earlier one was sent
		return e.notSent && errors.Is(e.cause(), target)
	}
	return errors.Is(e.cause(), target)
}

func (e *transportError) As(target any) bool { return errors.As(e.cause(), target) }
