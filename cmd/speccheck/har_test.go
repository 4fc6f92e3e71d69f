package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const harHeader = `[{"name":"Content-Type","value":"application/json"}]`

// harEntry returns an entry with a request "request" and a response "response", given without their
// braces.
func harEntry(request, response string) string {
	return fmt.Sprintf(`{"request":{"headers":%s,%s},"response":{"headers":%s,%s}}`, harHeader, request, harHeader, response)
}

func TestHAR(t *testing.T) {
	const (
		url        = `"url":"https://api.openai.com/v1/organization/admin_api_keys"`
		remove     = `"method":"DELETE","url":"https://api.openai.com/v1/organization/projects/p/api_keys/k"`
		create     = `"method":"POST",` + url
		named      = `"postData":{"mimeType":"application/json","text":"{\"name\":\"ci\"}"}`
		unused     = `"status":500,"content":{"size":0}` // an undocumented error, whose body is not validated
		noted      = "note standard input entry 1: admin-api-keys-create 500: status: expected 200 or 400 (undocumented-status)\n"
		valid      = `"content":{"size":82,"mimeType":"application/json","text":"{\"object\":\"organization.project.api_key.deleted\",\"id\":\"k\",\"deleted\":true}"}`
		unchecked  = "FAIL standard input entry 1: delete-project-api-key 200: response body: incomplete: expected the whole body (unchecked)\n"
		incomplete = "FAIL standard input entry 1: admin-api-keys-create 500: request body: incomplete: expected the whole body (unchecked)\n"
		missing    = "FAIL standard input entry 1: admin-api-keys-create 500: request body: required: expected a body (request)\n"
		empty      = "FAIL standard input entry 1: delete-project-api-key 200: response body: json: expected a JSON document (body)\n"
		one        = "checked 1, skipped 0"
	)
	other := harEntry(remove, `"status":200,`+valid)
	for _, row := range []struct {
		name, entries string
		want          string // standard output without the numbers of violations and notes
	}{
		{"valid", harEntry(remove, `"status":200,`+valid), one},
		{"a request with its body", harEntry(create+`,"bodySize":13,`+named, unused), noted + one},
		{"a request with its body and an unknown size", harEntry(create+`,"bodySize":-1,`+named, unused), noted + one},

		{"status 0", harEntry(create, `"status":0,"content":{}`) + "," + other, one + ", no response 1"},
		{"status -1", harEntry(create, `"status":-1,"content":{"size":-1}`) + "," + other, one + ", no response 1"},
		{"no status", harEntry(create, `"content":{}`) + "," + other, one + ", no response 1"},
		{"no response at another path", harEntry(`"method":"GET","url":"https://h/x"`, `"status":0`) + "," + other, "checked 1, skipped 1"},
		{"no response to a preflight", harEntry(`"method":"OPTIONS",`+url, `"status":-1`) + "," + other, "checked 1, skipped 1"},

		{"a request body that is not in the file", harEntry(create+`,"bodySize":13`, unused), incomplete + noted + one},
		{"an empty request body with a size", harEntry(create+`,"bodySize":13,"postData":{"mimeType":"application/json","text":""}`, unused), incomplete + noted + one},
		{"a request body of unknown size", harEntry(create+`,"bodySize":-1`, unused), incomplete + noted + one},
		{"a request body that is null", harEntry(create+`,"bodySize":13,"postData":null`, unused), incomplete + noted + one},
		{"no request body", harEntry(create+`,"bodySize":0`, unused), missing + noted + one},
		{"an empty request body", harEntry(create+`,"bodySize":0,"postData":{"mimeType":"","text":""}`, unused), missing + noted + one},
		{"an unknown size where no body is expected", harEntry(remove+`,"bodySize":-1`, `"status":200,`+valid), one},

		{"a response body that is not in the file", harEntry(remove, `"status":200,"content":{"size":82}`), unchecked + one},
		{"an empty response body with a size", harEntry(remove, `"status":200,"content":{"size":82,"text":""}`), unchecked + one},
		{"an empty response body in base64 with a size", harEntry(remove, `"status":200,"content":{"size":82,"encoding":"base64","text":""}`), unchecked + one},
		{"an empty response body with a size on the wire", harEntry(remove, `"status":200,"bodySize":60,"content":{"size":0,"text":""}`), unchecked + one},
		{"a response body of unknown size", harEntry(remove, `"status":200,"bodySize":-1,"content":{"size":-1}`), unchecked + one},
		{"an empty response body", harEntry(remove, `"status":200,"bodySize":-1,"content":{"size":0,"text":""}`), empty + one},
		{"an omitted body that is not validated", harEntry(remove, `"status":404,"content":{"size":82}`), "note standard input entry 1: delete-project-api-key 404: status: expected 200 or 400 (undocumented-status)\n" + one},

		{"a body that was compressed", strings.Replace(harEntry(remove, `"status":200,`+valid), `"response":{"headers":[`, `"response":{"headers":[{"name":"content-encoding","value":"br"},`, 1), one},
		{"headers that are not in the file", strings.ReplaceAll(harEntry(create+`,`+named, unused), harHeader, "[]"), noted + one},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := speccheckCommand(t, `{"log":{"entries":[`+row.entries+`]}}`, "-har", "-")
			assert.Empty(t, got.stderr)
			body, _, _ := cutLast(got.stdout, ": ")
			assert.Equal(t, row.want, body)
			want := exitOK
			if strings.Contains(row.want, "FAIL") {
				want = exitViolations
			}
			assert.Equal(t, want, got.status)
		})
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

func TestHAR_noCall(t *testing.T) {
	entry := harEntry(`"method":"GET","url":"https://h/organization/admin_api_keys"`, `"status":-1`)
	got := speccheckCommand(t, `{"log":{"entries":[`+entry+`]}}`, "-har", "-")
	assert.Equal(t, result{exitError, "", "speccheck: standard input: no exchange of an operation in the contract (skipped 0, no response 1)\n"}, got)
}

func TestHAR_baseURL(t *testing.T) {
	got := speccheckCommand(t, "", "-har", "testdata/traffic.har", "-base-url", "http://LOCALHOST:8080/proxy/, https://other.example/v1")
	assert.Equal(t, exitViolations, got.status)
	assert.Contains(t, got.stdout, "checked 2, skipped 10: 1 violation, 0 notes\n")
}

func TestHAR_byteOrderMark(t *testing.T) {
	got := speccheckCommand(t, "\ufeff"+`{"log":{"entries":[`+harEntry(`"method":"GET","url":"https://h/organization/admin_api_keys"`, `"status":500`)+`]}}`, "-har", "-")
	assert.Equal(t, exitOK, got.status)
}

func TestHAR_failKinds(t *testing.T) {
	for fail, want := range map[string]string{
		"none":           ": 0 violations, 9 notes\n",
		"all":            ": 9 violations, 0 notes\n",
		"body, request":  ": 4 violations, 5 notes\n",
		"unchecked":      ": 2 violations, 7 notes\n",
		"operation,body": ": 2 violations, 7 notes\n",
	} {
		got := speccheckCommand(t, "", "-har", "testdata/traffic.har", "-fail", fail)
		assert.Contains(t, got.stdout, want, fail)
		assert.Equal(t, fail == "none", got.status == exitOK, fail)
	}
}
