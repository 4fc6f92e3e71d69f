package orgkeys

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/orgkeys/orgkeys-go/gen"
)

// doer connects the generated client to the pipeline.
type doer struct{ pipeline *pipeline }

var _ gen.RequestDoer = doer{}

// responseBody is the body of a response. It is a function, so that printers that use reflection do
// not reach a key in it.
type responseBody func([]byte) (int, error)

func (r responseBody) Read(p []byte) (int, error) { return r(p) }

func (r responseBody) Close() error { return nil }

// Do refuses a request that no request builder built: it has no operation.
func (d doer) Do(*http.Request) (*http.Response, error) {
	return nil, argumentError("the request was not built for an operation of the API")
}

// DoRequest sends the request, unless err is why it cannot be sent, and returns the response with
// its body read. The error of a create whose outcome is unknown is an *UnknownOutcomeError.
func (d doer) DoRequest(request gen.Request, err error) (*http.Response, error) {
	if err == nil {
		err = d.pipeline.checkRequest(request)
	}
	c := d.pipeline.do(request, err)
	defer c.release()
	a := c.last()
	if err := c.failure(); err != nil {
		_, isUnknown := errors.AsType[*UnknownOutcomeError](err)
		if isUnknown || c.stopped || a.status == 0 || a.body == bodyBroken && a.status < 300 {
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
		Body:          responseBody(bytes.NewReader(content).Read),
		ContentLength: int64(len(content)),
		Request:       c.request,
	}, nil
}

// checkRequest refuses a request that a request editor sent elsewhere or that net/http would refuse
// without the certainty that nothing was sent, and one whose URL contains a key.
func (p *pipeline) checkRequest(request gen.Request) error {
	switch {
	case !p.isTarget(request.Request, request.Operation.Method, request.Target):
		return argumentError("the request's method, origin, host or path is not the one that it was built for")
	case looksLikeKey(strings.TrimPrefix(request.URL.Path, p.base.Path)) || looksLikeKey(request.URL.RawQuery):
		return argumentError("the request's path or query contains the value of a key")
	case !isQuery(request.URL.RawQuery):
		return argumentError("the request's query contains white space or control characters")
	}
	return checkHeader(request.Request)
}

// isTarget reports whether the request goes to target, apart from query and fragment, and target
// is below the base URL. A path that is not clean could leave it, and so could one with an escaped
// divider on a server that decodes the path twice.
func (p *pipeline) isTarget(request *http.Request, method string, target url.URL) bool {
	if request.URL == nil || request.Method != method || request.Host != "" && request.Host != p.base.Host {
		return false
	}
	u := *request.URL
	u.RawQuery, u.ForceQuery = target.RawQuery, target.ForceQuery
	u.Fragment, u.RawFragment = target.Fragment, target.RawFragment
	return u == target && u.Scheme == p.base.Scheme && u.Host == p.base.Host && u.User == nil && u.Opaque == "" &&
		strings.HasPrefix(u.Path, p.base.Path+"/") && path.Clean(u.Path) == u.Path &&
		!strings.ContainsAny(u.Path, `\?#%`) && strings.Count(u.Path, "/") == strings.Count(u.EscapedPath(), "/")
}

// checkHeader refuses a header or trailer that net/http would refuse without saying that nothing
// was sent.
func checkHeader(request *http.Request) error {
	if request.Header == nil {
		request.Header = make(http.Header)
	}
	for _, fields := range []http.Header{request.Header, request.Trailer} {
		for name, values := range fields {
			if !isToken(name) || slices.ContainsFunc(values, func(v string) bool { return !isFieldValue(v) }) {
				return argumentError("a header field of the request is malformed")
			}
		}
	}
	return nil
}

// isToken reports whether name is a valid field name (RFC 9110, 5.6.2).
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r >= utf8.RuneSelf || !isAlphanumeric(byte(r)) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// isQuery reports whether query can be sent as a part of the request line.
func isQuery(query string) bool {
	return !strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// isFieldValue reports whether value contains no control characters but tabs (RFC 9110, 5.5).
func isFieldValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
