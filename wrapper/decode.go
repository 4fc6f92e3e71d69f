package orgkeys

import (
	"cmp"
	"encoding/json"
	"errors"
	"mime"
	"net/http"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

// send makes the call of any operation: it sends request, which is what a request builder of gen
// returned, and decodes the response. verify compares the value with what was requested and with
// the admin key, and returns the pointer to what is invalid and the problem, or no problem.
func send[T any, P interface {
	*T
	json.Unmarshaler
}](p *pipeline, request gen.Request, err error, verify func(*T, *redactor) (pointer, problem string)) (*T, error) {
	c := p.do(request, err)
	defer c.release()
	if err := c.failure(); err != nil {
		return nil, err
	}
	value := new(T)
	if err := c.decode(P(value)); err != nil {
		return nil, err
	}
	if verify != nil {
		if pointer, problem := verify(value, c.redactor); problem != "" {
			return nil, c.invalidResponse(pointer, problem)
		}
	}
	return value, nil
}

// decode reads the body of a 2xx response into value.
func (c *call) decode(value json.Unmarshaler) error {
	switch a := c.last(); {
	case a.status != http.StatusOK:
		return c.invalidResponse("", "comes with a status other than 200")
	case !isJSON(first(a.header, "Content-Type")):
		return c.invalidResponse("", "does not have the content type application/json")
	}
	err := value.UnmarshalJSON(c.received())
	if err == nil {
		return nil
	}
	if e, ok := readEnvelope(c.received()); ok || e != (gen.Error{}) || isError(c.received()) {
		problem := "is an error envelope"
		if e.Code == nil {
			e.Code = new(string)
		}
		if reason := cmp.Or(e.Message, *e.Code, e.Type); reason != "" {
			problem += ": " + reason
		}
		return c.invalidResponse("", problem)
	}
	if at, ok := errors.AsType[*strictjson.Error](err); ok {
		return c.invalidResponse(at.Pointer, at.Problem)
	}
	return c.invalidResponse("", "cannot be decoded")
}

// isError reports whether body is an object with errors in a form that readEnvelope does not know.
func isError(body []byte) bool {
	var object struct{ Error, Errors any }
	return json.Unmarshal(body, &object) == nil && (object.Error != nil || object.Errors != nil)
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}
