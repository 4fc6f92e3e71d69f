package speccheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// lenient makes the decoder accept the faults that bodyReader reports itself.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// bodyReader decodes a body into the values that a schema is applied to, and reports what schemas
// do not cover: duplicate properties, text that is not UTF-8, data after the document.
type bodyReader struct {
	json  *jsontext.Decoder
	names map[string]bool // property names in the contract
	path  []any           // names and indexes that lead to the value being read
	found []Violation     // distinct, at most MaxViolations + 1
	seen  map[Violation]bool
}

// readJSON decodes the JSON document in body. It returns ok = false if body is not JSON. Of a
// duplicate property, it returns the last value.
func (c *contract) readJSON(body []byte) (value any, found []Violation, ok bool) {
	r := &bodyReader{json: jsontext.NewDecoder(bytes.NewReader(body), lenient...), names: c.names, seen: map[Violation]bool{}}
	value, err := r.value()
	if err != nil {
		r.report("json", "a JSON document")
		return nil, r.found, false
	}
	if _, err := r.json.ReadToken(); !errors.Is(err, io.EOF) {
		r.report("trailing-data", "one JSON document")
	}
	return value, r.found, true
}

// isJSON reports whether body is a complete JSON document, apart from the faults that bodyReader
// reports.
func isJSON(body []byte) bool { return jsontext.Value(body).IsValid(lenient...) }

func (r *bodyReader) report(rule, expected string) {
	if len(r.found) > MaxViolations {
		return
	}
	var known []string
	for _, token := range r.path {
		name, isName := token.(string)
		if isName && !r.names[name] {
			break
		}
		known = append(known, fmt.Sprint(token))
	}
	if v := (Violation{Pointer: pointer(known), Rule: rule, Expected: expected}); !r.seen[v] {
		r.found, r.seen[v] = append(r.found, v), true
	}
}

func (r *bodyReader) value() (any, error) {
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

func (r *bodyReader) object() (any, error) {
	if _, err := r.json.ReadToken(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for r.json.PeekKind() != '}' {
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		r.path = append(r.path, name)
		if _, duplicate := object[name]; duplicate {
			r.report("duplicate-name", "each name once")
		}
		if object[name], err = r.value(); err != nil {
			return nil, err
		}
		r.path = r.path[:len(r.path)-1]
	}
	_, err := r.json.ReadToken()
	return object, err
}

func (r *bodyReader) array() (any, error) {
	if _, err := r.json.ReadToken(); err != nil {
		return nil, err
	}
	array := []any{}
	for r.json.PeekKind() != ']' {
		r.path = append(r.path, len(array))
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		r.path = r.path[:len(r.path)-1]
		array = append(array, item)
	}
	_, err := r.json.ReadToken()
	return array, err
}

// text reads a string or a property name.
func (r *bodyReader) text() (string, error) {
	quoted, err := r.json.ReadValue()
	if err != nil {
		return "", err
	}
	if !quoted.IsValid() {
		r.report("utf-8", "valid UTF-8")
	}
	text, _ := jsontext.AppendUnquote(nil, quoted) // invalid UTF-8 has just been reported
	return string(text), nil
}

// maxExactNumber is the length in bytes of the longest number that is compared exactly.
const maxExactNumber = 64

// number returns text as a json.Number, which the validator compares exactly, or as a float64 if
// it is very long or very small. The validator calculates with big.Rat, which takes hours for
// 1e999999999, so a number outside the range of a double is a violation and does not reach it.
func (r *bodyReader) number(text string) any {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.report("json", "a number within the range of a double")
		return math.Copysign(math.MaxFloat64, f)
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	switch {
	case f == 0 && strings.ContainsAny(mantissa, "123456789"):
		return math.Copysign(math.SmallestNonzeroFloat64, f) // too small for a double, and no integer
	case f == 0 || len(text) > maxExactNumber:
		return f
	default:
		return json.Number(text)
	}
}
