package speccheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// lenient makes the reader go on behind the faults that it reports itself.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// reader turns a body into the values that a schema is applied to, and notes what a schema
// cannot see: names that occur twice, text that is no UTF-8, anything behind the document.
type reader struct {
	json  *jsontext.Decoder
	names map[string]bool // that the contract knows
	at    []any           // the way to what is being read or could not be, of names and indexes
	found []Violation
}

// readJSON returns the document in body, or ok = false where it is no JSON. Where a name occurs
// twice its last value counts.
func (c *contract) readJSON(body []byte) (value any, found []Violation, ok bool) {
	r := &reader{json: jsontext.NewDecoder(bytes.NewReader(body), lenient...), names: c.names}
	value, err := r.value()
	if err != nil {
		r.note("json", "a JSON document")
		return nil, r.found, false
	}
	if _, err := r.json.ReadToken(); !errors.Is(err, io.EOF) {
		r.note("trailing-data", "one JSON document")
	}
	return value, r.found, true
}

// isJSON reports whether body is a whole JSON document, whatever its smaller faults.
func isJSON(body []byte) bool { return jsontext.Value(body).IsValid(lenient...) }

func (r *reader) note(rule, expected string) {
	var way []string
	for _, step := range r.at {
		name, isName := step.(string)
		if isName && !r.names[name] {
			break
		}
		way = append(way, fmt.Sprint(step))
	}
	r.found = append(r.found, Violation{Pointer: pointer(way), Rule: rule, Expected: expected})
}

func (r *reader) value() (any, error) {
	switch r.json.PeekKind() {
	case '{':
		return r.object()
	case '[':
		return r.array()
	case '"':
		return r.text()
	}
	token, err := r.json.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 't', 'f':
		return token.Bool(), nil
	case '0':
		return r.number(token.String()), nil
	default:
		return nil, nil
	}
}

func (r *reader) object() (any, error) {
	if _, err := r.json.ReadToken(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for r.json.PeekKind() != '}' {
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		r.at = append(r.at, name)
		if _, twice := object[name]; twice {
			r.note("duplicate-name", "each name once")
		}
		if object[name], err = r.value(); err != nil {
			return nil, err
		}
		r.at = r.at[:len(r.at)-1]
	}
	_, err := r.json.ReadToken()
	return object, err
}

func (r *reader) array() (any, error) {
	if _, err := r.json.ReadToken(); err != nil {
		return nil, err
	}
	array := []any{}
	for r.json.PeekKind() != ']' {
		r.at = append(r.at, len(array))
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		r.at = r.at[:len(r.at)-1]
		array = append(array, item)
	}
	_, err := r.json.ReadToken()
	return array, err
}

// text reads a string or a name.
func (r *reader) text() (string, error) {
	quoted, err := r.json.ReadValue()
	if err != nil {
		return "", err
	}
	if !quoted.IsValid() {
		r.note("utf-8", "valid UTF-8")
	}
	text, _ := jsontext.AppendUnquote(nil, quoted) // what is invalid has just been noted
	return string(text), nil
}

// number keeps integers exact. Others go through a float64, because the schema's arithmetic is
// exact, and a few bytes such as 1e999999999 would keep it busy for good.
func (r *reader) number(text string) any {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return json.Number(text)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.note("json", "a number within the range of a double")
		return math.Copysign(math.MaxFloat64, f)
	}
	return f
}
