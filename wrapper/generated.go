package orgkeys

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
)

// doer connects the generated client to the pipeline.
type doer struct{ pipeline *pipeline }

var _ gen.RequestDoer = doer{}

// Do refuses a request that no request builder built: its operation is not known.
func (d doer) Do(*http.Request) (*http.Response, error) {
	return nil, argumentError("the request was not built for an operation of the API")
}

// DoRequest sends the request, unless err is why it cannot be sent, and returns the response with
// its body read. The error of a create whose outcome is unknown is an *UnknownOutcomeError.
func (d doer) DoRequest(request gen.Request, err error) (*http.Response, error) {
	if err == nil && request.URL != nil &&
		(looksLikeKey(strings.TrimPrefix(request.URL.Path, d.pipeline.base.Path)) || looksLikeKey(request.URL.RawQuery)) {
		err = argumentError("the request's path or query contains the value of a key")
	}
	c := d.pipeline.do(request, err)
	defer c.release()
	a := c.last()
	if err := c.failure(); err != nil {
		_, isUnknown := errors.AsType[*UnknownOutcomeError](err)
		if isUnknown || c.stopped || a == nil || a.status == 0 || a.body == bodyBroken && a.status < 300 {
			return nil, err
		}
	}
	content := bytes.Clone(c.received())
	return &http.Response{
		Status:        strings.TrimSpace(strconv.Itoa(a.status) + " " + http.StatusText(a.status)),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(content)),
		ContentLength: int64(len(content)),
		Request:       c.request,
	}, nil
}
