package orgkeys

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
)

func TestIsJSON(t *testing.T) {
	for contentType, want := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "application/json;charset=UTF-8": true, "Application/JSON": true,
		"application/json ; odata=verbose": true, "application/json;": true,
		"": false, "text/html": false, "text/plain; charset=utf-8": false, "text/json": false, "application/octet-stream": false, "application/problem+json": false,
		"application/vnd.api+json": false, "application/jsonp": false, "application": false, "application/json-seq": false, "*/*": false, "garbage": false,
		"application/json; charset": false, "application/json, text/html": false, "multipart/form-data; boundary=application/json": false,
	} {
		assert.Equal(t, want, isJSON(contentType), contentType)
	}
}

// decoded returns the error of decoding a response to the request for a key.
func decoded(t *testing.T, status int, header http.Header, body string) error {
	t.Helper()
	operations := gen.Operations()
	c := &call{
		operation: &operations[3], body: new([]byte(body)), redactor: &redactor{key: apitype.NewSecret("sk-admin-test")},
		attempts: []attempt{{sent: true, status: status, header: header}},
	}
	require.Equal(t, gen.OperationRetrieveProjectAPIKey, c.operation.ID)
	return c.decode(new(ProjectKey))
}

func TestDecode(t *testing.T) {
	const key = `{"object":"organization.project.api_key","id":"key_1","name":"n","redacted_value":"sk-...abc","created_at":1,"last_used_at":null,"owner":{}`
	json := http.Header{"Content-Type": {"application/json"}}
	for _, row := range []struct {
		name, body, pointer string
		problem             string // "*" is any: the decoders have tests of their own
	}{
		{"valid", key + `}`, "", ""},
		{"valid, with a property named error", key + `,"error":{"message":"no"}}`, "", ""},
		{"missing property", `{"object":"organization.project.api_key"}`, "/created_at", "*"},
		{"invalid property", key + `,"name":7}`, "/name", "*"},
		{"not JSON", "<html>", "", "*"},
		{"empty", "", "", "*"},
		{"error envelope", `{"error":{"message":"No capacity.","type":"server_error","param":null,"code":null}}`, "", "is an error envelope: No capacity."},
		{"error envelope with further properties", `{"id":"key_1","error":{"message":"no","type":"t","param":null,"code":null}}`, "", "is an error envelope: no"},
		{"error envelope without a message", `{"error":{"message":"","type":"server_error","param":null,"code":null}}`, "", "is an error envelope: server_error"},
		{"error envelope with a code alone", `{"error":{"code":"overloaded"}}`, "", "is an error envelope: overloaded"},
		{"error envelope with a number as its code", `{"error":{"message":"no","code":500}}`, "", "is an error envelope: no"},
		{"error envelope that is empty", `{"error":{"message":"","type":"","param":null,"code":null}}`, "", "is an error envelope"},
		{"bare string as the error", `{"error":"no"}`, "", "is an error envelope: no"},
		{"error envelope that quotes a key", `{"error":{"message":"Incorrect key sk-abc","type":"t","param":null,"code":null}}`, "", "is an error envelope: Incorrect key [redacted]"},
		{"error of another type", `{"error":true}`, "", "is an error envelope"},
		{"empty object as the error", `{"error":{}}`, "", "is an error envelope"},
		{"error envelope with an object as its message", `{"error":{"message":{"en":"no"}}}`, "", "is an error envelope"},
		{"array of errors", `{"errors":[{"message":"no"}]}`, "", "is an error envelope"},
		{"null as the error", `{"error":null}`, "/created_at", "*"},
		{"object with null errors", `{"errors":null}`, "/created_at", "*"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := decoded(t, 200, json, row.body)
			if row.problem == "" {
				require.NoError(t, err)
				return
			}
			var invalid *ResponseError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, row.pointer, invalid.Pointer)
			if row.problem != "*" {
				assert.Equal(t, row.problem, invalid.Problem)
			}
		})
	}
	for status := 201; status < 300; status++ {
		assert.ErrorContains(t, decoded(t, status, json, key+"}"), "status other than 200")
	}
	for _, contentType := range [][]string{nil, {""}, {"text/html"}, {"text/html", "application/json"}} {
		assert.ErrorContains(t, decoded(t, 200, http.Header{"Content-Type": contentType}, key+"}"), "content type")
	}
}
