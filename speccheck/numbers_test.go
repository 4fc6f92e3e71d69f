package speccheck_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// Numbers are compared by value, whatever their notation.
func TestCheckResponse_numbers(t *testing.T) {
	c := newChecker(t, speccheck.WithSpec([]byte(`
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /integer: {get: {operationId: integer, responses: {"200": {description: d, content: {application/json: {schema: {type: integer}}}}}}}
  /time: {get: {operationId: time, responses: {"200": {description: d, content: {application/json: {schema: {type: integer, minimum: 0, maximum: 253402300799}}}}}}}
  /enum: {get: {operationId: enum, responses: {"200": {description: d, content: {application/json: {schema: {enum: [1, 2.5]}}}}}}}
`)))
	const (
		valid   = ""
		integer = "type: expected integer, found number"
		minimum = "minimum: expected 0"
		maximum = "maximum: expected 253402300799"
		enum    = "enum: expected 1 or 2.5"
		huge    = "json: expected a number within the range of a double"
	)
	for _, row := range []struct{ operation, number, want string }{
		{"integer", "0", valid},
		{"integer", "-0", valid},
		{"integer", "-0.0", valid},
		{"integer", "1711471533.0", valid},
		{"integer", "1.711471533e9", valid},
		{"integer", "1.711471533E+9", valid},
		{"integer", "17114715330e-1", valid},
		{"integer", "9007199254740993.0", valid},
		{"integer", "99999999999999999999", valid},
		{"integer", "1e300", valid},
		{"integer", "1.5", integer},
		{"integer", "1.7114715331e9", integer},
		{"integer", "9007199254740993.5", integer}, // an integer if rounded to a double
		{"integer", "1e-1", integer},
		{"integer", "1e-400", integer}, // 0 if rounded to a double
		{"integer", "-1e-999999999", integer},
		{"integer", "0e-999999999", valid},
		{"integer", "0e999999999", valid},
		{"integer", "1e400", huge},
		{"integer", "-1e999999999", huge},
		{"integer", "1" + strings.Repeat("0", 200), valid},
		{"integer", "0." + strings.Repeat("0", 100) + "1", integer},
		{"time", "0", valid},
		{"time", "253402300799", valid},
		{"time", "253402300799.0", valid},
		{"time", "2.53402300799e11", valid},
		{"time", "-1", minimum},
		{"time", "-1.0", minimum},
		{"time", "253402300800", maximum},
		{"time", "253402300800.0", maximum},
		{"time", "1e30", maximum},
		{"enum", "1.0", valid},
		{"enum", "25e-1", valid},
		{"enum", "2.50000000000000000001", enum},
		{"enum", "2.5" + strings.Repeat("0", 70) + "1", valid}, // longer than maxExactNumber, and 2.5 as a double
	} {
		t.Run(row.operation+" "+row.number, func(t *testing.T) {
			want := []string{}
			if row.want != valid {
				want = append(want, fmt.Sprintf("%s 200: response body: %s (body)", row.operation, row.want))
			}
			assert.Equal(t, want, lines(c.CheckResponse(row.operation, 200, jsonContent, []byte(row.number)))[:len(want)])
			if row.want == valid {
				assert.Empty(t, c.CheckResponse(row.operation, 200, jsonContent, []byte(row.number)))
			}
		})
	}
}

// Exact arithmetic on such numbers takes minutes to hours, in which the test does not end.
func TestCheckResponse_costlyNumbers(t *testing.T) {
	const (
		at         = "retrieve-project-api-key 200: response body /created_at: "
		notInteger = at + "type: expected integer, found number (body)"
		tooLarge   = at + "json: expected a number within the range of a double (body)"
	)
	c := newChecker(t)
	for _, row := range []struct{ name, number, want string }{
		{"a large exponent", "1e999999999", tooLarge},
		{"a small exponent", "1e-999999999", notInteger},
		{"zero with a large exponent", "0e999999999", ""},
		{"a million digits", strings.Repeat("9", 1<<20), tooLarge},
		{"a million zeros and an exponent", "0." + strings.Repeat("0", 1<<20) + "1e1048576", notInteger},
	} {
		var found []string
		for _, line := range lines(c.CheckResponse("retrieve-project-api-key", 200, jsonContent, []byte(`{"created_at":`+row.number+`}`))) {
			if strings.HasPrefix(line, at) {
				found = append(found, line)
			}
		}
		if row.want == "" {
			assert.Empty(t, found, row.name)
		} else {
			assert.Contains(t, found, row.want, row.name)
		}
	}
}

func TestWithSpec_ignoresExtensions(t *testing.T) {
	c := newChecker(t, speccheck.WithSpec([]byte(`
openapi: 3.1.0
x-root: {a: [1]}
info: {title: t, version: "1", x-info: 1}
x-tagGroups: [1]
paths:
  x-paths: true
  /x:
    x-item: null
    post:
      operationId: x
      x-idempotent: true
      x-unknown: {properties: {secret: {}}, $ref: "#/nowhere"}
      parameters: [{name: q, in: query, x-q: 1, schema: {type: integer, x-format: odd}}]
      responses:
        x-responses: 1
        "200":
          description: d
          x-response: [{}]
          content:
            application/json:
              x-media: 1
              schema: {type: string, minLength: 2, x-enum: [a], x-nested: {type: integer}}
components:
  x-components: 1
  schemas: {}
`)))
	assert.Equal(t, []string{"x"}, c.Operations())
	assert.Empty(t, c.CheckResponse("x", 200, jsonContent, []byte(`"ok"`)))
	assert.Equal(t, []string{"x 200: response body: minLength: expected 2 (body)"}, lines(c.CheckResponse("x", 200, jsonContent, []byte(`"o"`))))
}
