package orgkeys

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

// decode makes an answer into a value or an error, the same way for every operation. It takes
// what a method of the generated client returns.
func decode[T any, P interface {
	*T
	json.Unmarshaler
}](response *http.Response, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, created(response, apiError(response), unclear(response.StatusCode))
	}
	value := new(T)
	if err := unmarshal(response, P(value)); err != nil {
		return nil, created(response, err, true)
	}
	return value, nil
}

// unmarshal reads the body into value if it is what the contract promises.
func unmarshal(response *http.Response, value json.Unmarshaler) error {
	b := response.Body.(*body)
	switch {
	case response.StatusCode != http.StatusOK:
		return wrong(response, "", "comes with another status than 200")
	case errors.Is(b.err, errBodyTooLarge):
		return wrong(response, "", b.err.Error())
	case b.err != nil:
		e := wrong(response, "", "breaks off: "+b.err.Error())
		e.err = b.err
		return e
	case !isJSON(response.Header.Get("Content-Type")):
		return wrong(response, "", "is not of the content type application/json")
	}
	err := value.UnmarshalJSON(*b.content)
	if at, ok := errors.AsType[*strictjson.Error](err); ok {
		return wrong(response, mask(at.Pointer, b.call.key), at.Problem)
	}
	return err
}

// wrong is the error of an answer that says yes and is not what the contract promises.
func wrong(response *http.Response, pointer, problem string) *ResponseError {
	return &ResponseError{
		Operation: response.Body.(*body).call.operation,
		Status:    response.StatusCode,
		RequestID: requestID(response),
		Pointer:   pointer,
		Problem:   problem,
	}
}

// created makes err an UnknownOutcomeError where it leaves open what became of a create.
func created(response *http.Response, err error, open bool) error {
	if open && response.Request.Method == http.MethodPost {
		return &UnknownOutcomeError{Operation: response.Body.(*body).call.operation, Err: err}
	}
	return err
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}

// requestID is the id that the vendor knows a request by.
func requestID(response *http.Response) string {
	return mask(response.Header.Get("X-Request-Id"), response.Body.(*body).call.key)
}

// apiError is the error of an answer that says no.
func apiError(response *http.Response) *APIError {
	b := response.Body.(*body)
	e := &APIError{
		Operation: b.call.operation,
		Status:    response.StatusCode,
		RequestID: requestID(response),
		attempts:  b.call.attempts,
		acted:     b.call.acted,
	}
	if b.content != nil {
		var reason gen.Error
		reason, e.envelope = readReason(*b.content)
		e.Type, e.Message = mask(reason.Type, b.call.key), mask(reason.Message, b.call.key)
		if reason.Code != nil {
			e.Code = mask(*reason.Code, b.call.key)
		}
		if reason.Param != nil {
			e.Param = mask(*reason.Param, b.call.key)
		}
	}
	e.RetryAfter, _ = retryAfter(response.Header, time.Now())
	return e
}

// readReason reads the API's envelope as far as it is one: the error may be a bare string, a
// field may be of another type, and a proxy answers with a page of its own. It reports whether
// it was the envelope as the contract has it.
func readReason(content []byte) (gen.Error, bool) {
	var promised gen.ErrorResponse
	if promised.UnmarshalJSON(content) == nil {
		return promised.Error, true
	}
	var loose struct {
		Error struct {
			Type, Message string
			Code, Param   *string
		}
	}
	var bare struct{ Error string }
	if json.Unmarshal(content, &loose) != nil && json.Unmarshal(content, &bare) == nil {
		return gen.Error{Message: bare.Error}, false
	}
	e := loose.Error
	return gen.Error{Type: e.Type, Message: e.Message, Code: e.Code, Param: e.Param}, false
}
