package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// har is the part of a HAR 1.2 file that speccheck reads.
type har struct {
	Log struct {
		Entries []entry `json:"entries"`
	} `json:"log"`
}

type entry struct {
	Request struct {
		Method   string   `json:"method"`
		URL      string   `json:"url"`
		Headers  []header `json:"headers"`
		PostData content  `json:"postData"`
		BodySize int64    `json:"bodySize"` // -1 if unknown
	} `json:"request"`
	Response struct {
		Status   int      `json:"status"` // 0 or -1 if there was no response
		Headers  []header `json:"headers"`
		Content  content  `json:"content"`
		BodySize int64    `json:"bodySize"` // on the wire; -1 if unknown
	} `json:"response"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// content is a body. Text is absent or empty if the program that wrote the file omitted the body.
type content struct {
	MimeType string `json:"mimeType"`
	Text     string `json:"text"`
	Encoding string `json:"encoding"`
	Size     int64  `json:"size"` // -1 if unknown
}

// checkHAR validates the exchanges of a HAR file that are calls of operations in the contract.
func (c *config) checkHAR(checker *speccheck.Checker, stdin io.Reader, r *report) error {
	file := name(c.har)
	text, err := read(c.har, stdin)
	if err != nil {
		return err
	}
	var parsed har
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &parsed); err != nil {
		// The error's text is not used: it may quote the file, which contains keys.
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return fmt.Errorf("%s: not a HAR file: not JSON at byte %d", file, syntax.Offset)
		}
		return fmt.Errorf("%s: not a HAR file: log.entries is not an array of exchanges", file)
	}
	if parsed.Log.Entries == nil {
		return fmt.Errorf("%s: not a HAR file: no log.entries", file)
	}
	for i, e := range parsed.Log.Entries {
		req, ok := e.request()
		if !ok || !isBelow(req.URL, c.baseURLs) || !isCall(checker, req) {
			r.Skipped++
			continue
		}
		if e.Response.Status <= 0 {
			r.NoResponse++
			continue
		}
		found, err := e.check(checker, req)
		if err != nil {
			return fmt.Errorf("%s: entry %d: %w", file, i+1, err)
		}
		operation, _ := checker.Operation(req)
		r.add(exchange{File: file, Number: i + 1, Operation: operation}, found)
	}
	if r.Checked == 0 {
		return fmt.Errorf("%s: no exchange of an operation in the contract (%s)", file, r.notChecked())
	}
	return nil
}

// isCall reports whether a request is to a path of the contract and not a CORS preflight.
func isCall(checker *speccheck.Checker, req *http.Request) bool {
	_, matched := checker.Operation(req)
	return matched && req.Method != http.MethodOptions
}

// request returns the request of an entry without its body, or ok = false if its URL is invalid.
func (e entry) request() (req *http.Request, ok bool) {
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		return nil, false
	}
	return &http.Request{Method: e.Request.Method, URL: u, Header: headers(e.Request.Headers)}, true
}

// check validates the exchange. It sends the request through the checker's RoundTripper, which also
// handles incomplete bodies.
func (e entry) check(checker *speccheck.Checker, req *http.Request) (found []speccheck.Violation, err error) {
	resp := &http.Response{StatusCode: e.Response.Status, Header: headers(e.Response.Headers), ContentLength: -1}
	// Some programs omit the headers. The content type is then that of the HAR content.
	if len(req.Header) == 0 && e.Request.PostData.MimeType != "" {
		req.Header.Set("Content-Type", e.Request.PostData.MimeType)
	}
	if len(resp.Header) == 0 {
		resp.Header.Set("Content-Type", e.Response.Content.MimeType)
	}
	req.ContentLength = -1
	if req.Body, err = e.Request.PostData.body(e.Request.BodySize); err != nil {
		return nil, err
	}
	if resp.Body, err = e.Response.Content.body(max(e.Response.BodySize, 0)); err != nil {
		return nil, err
	}
	respond := roundTripper(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body) // fails if the body is omitted
		return resp, nil
	})
	checked, err := checker.Transport(respond, func(v speccheck.Violation) { found = append(found, v) }).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, checked.Body)
	return found, checked.Body.Close()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// headers returns the headers without Content-Encoding: a HAR file contains decoded bodies.
func headers(list []header) http.Header {
	h := http.Header{}
	for _, header := range list {
		h.Add(header.Name, header.Value)
	}
	h.Del("Content-Encoding")
	return h
}

var (
	errBase64  = errors.New("a body is not valid base64, which its encoding requires")
	errOmitted = errors.New("the body is not in the file")
)

// body returns the body. If the text is empty but a size is not 0, the file omits the body, and reading
// it returns errOmitted.
func (c content) body(bodySize int64) (io.ReadCloser, error) {
	text := c.Text
	if text == "" && (c.Size != 0 || bodySize != 0) {
		omitted, w := io.Pipe()
		return omitted, w.CloseWithError(errOmitted)
	}
	if c.Encoding == "base64" {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errBase64
		}
		text = string(data)
	}
	if text == "" {
		return http.NoBody, nil
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// isBelow reports whether u is below one of the bases, or there are none.
func isBelow(u *url.URL, bases []*url.URL) bool {
	for _, base := range bases {
		if u.Scheme == base.Scheme && strings.EqualFold(u.Host, base.Host) &&
			strings.HasPrefix(u.Path, strings.TrimSuffix(base.Path, "/")+"/") {
			return true
		}
	}
	return len(bases) == 0
}
