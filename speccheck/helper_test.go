package speccheck_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/internal/mutate"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

const (
	deleted     = `{"object":"organization.project.api_key.deleted","id":"key_abc","deleted":true}`
	deletePath  = "/organization/projects/proj_abc/api_keys/key_abc"
	keysPath    = "/organization/admin_api_keys"
	jsonContent = "application/json"
)

// lines prints violations as people see them.
func lines(found []speccheck.Violation) []string {
	list := []string{}
	for _, v := range found {
		list = append(list, v.String())
	}
	return list
}

// exchange is one row of a table.
type exchange struct {
	name                 string
	method, url, reqBody string
	reqType              string
	status               int
	header               http.Header
	body                 string
	want                 []string
}

func (e exchange) check(t testing.TB, c *speccheck.Checker) []speccheck.Violation {
	req, err := http.NewRequest(e.method, e.url, nil)
	require.NoError(t, err)
	if e.reqBody != "" {
		req.Header.Set("Content-Type", jsonContent)
	}
	if e.reqType != "" {
		req.Header.Set("Content-Type", e.reqType)
	}
	header := e.header
	if header == nil {
		header = http.Header{"Content-Type": {jsonContent}}
	}
	return c.Check(req, []byte(e.reqBody), e.status, header, []byte(e.body))
}

// documentedBody is a body that the contract documents with an example.
type documentedBody struct {
	mutate.Body
	// other is the other body of a valid exchange: the request's for a response, that of the 200
	// response for a request. It is nil if there is none.
	other any
}

// bodies returns every body of the contract.
func bodies(t testing.TB) []documentedBody {
	all, err := mutate.Bodies(api.Spec)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	var list []documentedBody
	for _, b := range all {
		documented := documentedBody{Body: b}
		for _, other := range all {
			if other.Operation == b.Operation && (b.Status == 0) != (other.Status == 0) && (other.Status == 0 || other.Status == 200) {
				documented.other = other.Example
			}
		}
		list = append(list, documented)
	}
	return list
}

// bases returns the valid bodies that mutations start from: the example, and the example with all
// optional properties.
func bases(b documentedBody) []any {
	return []any{b.Example, mutate.Complete(b.Schema, b.Example)}
}

// newRequest returns a valid request of an operation, without its body. path may be a template.
func newRequest(t testing.TB, method, path string) *http.Request {
	path = strings.NewReplacer("{project_id}", "proj_abc", "{api_key_id}", "key_abc").Replace(path)
	req, err := http.NewRequest(method, "https://api.openai.com/v1"+path, nil)
	require.NoError(t, err)
	req.Header.Set("Content-Type", jsonContent)
	return req
}

// check validates an exchange that is valid apart from its documented body b, which is text.
func check(t testing.TB, c *speccheck.Checker, b documentedBody, text []byte) []speccheck.Violation {
	header := http.Header{"Content-Type": {jsonContent}}
	var other []byte
	if b.other != nil {
		other = encode(t, b.other)
	}
	req := newRequest(t, b.Method, b.Path)
	if b.Status == 0 {
		return c.Check(req, text, http.StatusOK, header, other)
	}
	return c.Check(req, other, b.Status, header, text)
}

func encode(t testing.TB, value any) []byte {
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return text
}

func newChecker(t testing.TB, opts ...speccheck.Option) *speccheck.Checker {
	c, err := speccheck.New(opts...)
	require.NoError(t, err)
	return c
}

func zipped(t testing.TB, text string) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.Bytes()
}
