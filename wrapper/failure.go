package orgkeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
)

// failure returns the error of a call that has no valid response so far. It is nil if the last
// response is a complete 2xx.
func (c *call) failure() error {
	a := c.last()
	switch {
	case c.stopped || a.status == 0:
		return c.asUnknownOutcome(c.transportError())
	case a.status < 200 || a.status > 299:
		return c.asUnknownOutcome(c.apiError())
	case a.body == bodyBroken:
		problem := "is incomplete: " + c.err.Error()
		if errors.Is(c.err, errBodyTooLarge) {
			problem = c.err.Error()
		}
		return c.invalidResponse("", problem)
	}
	return nil
}

// transportError returns c.err with its text redacted.
func (c *call) transportError() error {
	if _, ok := errors.AsType[argumentError](c.err); ok && len(c.attempts) == 0 {
		return c.err
	}
	operation := c.operation.ID
	if operation == "" {
		operation = "the request cannot be built"
	}
	text := c.redactor.redact(c.err.Error())
	text = "orgkeys: " + operation + ": " + strings.ReplaceAll(text, nothingSent, "") // of causes
	if n := c.count(); n > 1 {
		text += fmt.Sprintf(" (%d attempts)", n)
	}
	notSent := c.outcome() == notSent
	if notSent {
		text += nothingSent
	}
	cause := c.err
	return &transportError{text, notSent, func() error { return cause }}
}

// apiError returns the error of a non-2xx response.
func (c *call) apiError() *APIError {
	a := c.last()
	e := &APIError{
		Operation: c.operation.ID,
		Status:    a.status,
		RequestID: c.requestID(),
		Attempts:  c.count(),
		Waited:    c.waited(),
		Type:      c.redactor.redact(a.reason.Type),
		Message:   c.redactor.redact(a.reason.Message),
		outcome:   c.outcome(),
		envelope:  a.envelope,
	}
	if a.reason.Code != nil {
		e.Code = c.redactor.redact(*a.reason.Code)
	}
	if a.reason.Param != nil {
		e.Param = c.redactor.redact(*a.reason.Param)
	}
	e.RetryAfter, _ = retryAfter(a.header, a.ended)
	e.advice = advice(e, c.operation, c.request.URL.Path)
	return e
}

// invalidResponse returns the error of a 2xx response that violates the contract at pointer.
func (c *call) invalidResponse(pointer, problem string) error {
	a := c.last()
	e := &ResponseError{
		Operation: c.operation.ID,
		Status:    a.status,
		RequestID: c.requestID(),
		Pointer:   c.redactor.redact(pointer),
		Problem:   c.redactor.redact(problem),
		Attempts:  c.count(),
		Waited:    c.waited(),
	}
	if a.body == bodyBroken {
		cause := c.err
		e.err = &transportError{e.Problem, false, func() error { return cause }}
	} else {
		a.body = bodyInvalid
	}
	return c.asUnknownOutcome(e)
}

// asUnknownOutcome wraps err if it leaves open whether a create happened.
func (c *call) asUnknownOutcome(err error) error {
	if c.operation.Idempotent || c.outcome() != unknown {
		return err
	}
	var requested struct{ Name string }
	_ = json.Unmarshal(c.content, &requested)
	return &UnknownOutcomeError{
		Operation: c.operation.ID,
		ProjectID: pathParameter(c.operation.Path, c.request.URL.Path, "{project_id}"),
		Name:      requested.Name,
		StartedAt: c.started,
		RequestID: c.requestID(),
		Attempts:  c.count(),
		Waited:    c.waited(),
		Err:       err,
	}
}

// readEnvelope reads the API's error envelope, as far as the body is one: the error may be a
// bare string, a field may have another type, and a proxy responds with a page of its own. It
// reports whether the body is the envelope that the contract defines.
func readEnvelope(body []byte) (gen.Error, bool) {
	var strict gen.ErrorResponse
	if strict.UnmarshalJSON(body) == nil {
		return strict.Error, true
	}
	var loose struct {
		Error struct {
			Type, Message string
			Code, Param   *string
		}
	}
	var bare struct{ Error string }
	if json.Unmarshal(body, &loose) != nil && json.Unmarshal(body, &bare) == nil {
		return gen.Error{Message: bare.Error}, false
	}
	e := loose.Error
	return gen.Error{Type: e.Type, Message: e.Message, Code: e.Code, Param: e.Param}, false
}

// pathParameter returns the segment of path that stands for name in template, which describes
// the end of path. It is "" if template has no such parameter.
func pathParameter(template, path, name string) string {
	_, rest, ok := strings.Cut(template, name)
	segments := strings.Split(path, "/")
	if i := len(segments) - 1 - strings.Count(rest, "/"); ok && i >= 0 {
		return segments[i]
	}
	return ""
}
