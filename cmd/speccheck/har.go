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

// har is what speccheck reads of a HAR 1.2 file.
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
		PostData *content `json:"postData"`
		BodySize int64    `json:"bodySize"`
	} `json:"request"`
	Response struct {
		Status  int      `json:"status"`
		Headers []header `json:"headers"`
		Content content  `json:"content"`
	} `json:"response"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type content struct {
	MimeType string  `json:"mimeType"`
	Text     *string `json:"text"`
	Encoding string  `json:"encoding"`
	Size     int64   `json:"size"`
}

// checkHAR holds those exchanges of a HAR file against the contract that are the contract's.
func (s *settings) checkHAR(checker *speccheck.Checker, stdin io.Reader, r *report) error {
	bases, err := s.bases()
	if err != nil {
		return err
	}
	text, err := read(s.har, stdin)
	if err != nil {
		return err
	}
	var file har
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &file); err != nil {
		// The error's own text quotes the file, and the file holds keys.
		if at, ok := errors.AsType[*json.SyntaxError](err); ok {
			return fmt.Errorf("%s is no HAR file: it is no JSON at byte %d", s.har, at.Offset)
		}
		return fmt.Errorf("%s is no HAR file: its log is of another shape", s.har)
	}
	if file.Log.Entries == nil {
		return fmt.Errorf("%s is no HAR file: it has no log.entries", s.har)
	}
	for i, e := range file.Log.Entries {
		req, ok := e.request()
		if !ok || !below(bases, req.URL) || req.Method == http.MethodOptions || e.Response.Status == 0 {
			r.Skipped++
			continue
		}
		operation, matched := checker.Operation(req)
		if !matched {
			r.Skipped++
			continue
		}
		found, err := replay(checker, req, e)
		if err != nil {
			return fmt.Errorf("entry %d of %s: %w", i+1, s.har, err)
		}
		r.add(exchange{File: s.har, Entry: i + 1, Operation: operation}, found)
	}
	if r.Checked == 0 {
		return fmt.Errorf("none of the %d exchanges in %s is one of the contract's", r.Skipped, s.har)
	}
	return nil
}

// replay sends the exchange through the checker's RoundTripper, which knows what to make of a
// body that is not there.
func replay(checker *speccheck.Checker, req *http.Request, e entry) ([]speccheck.Violation, error) {
	var err error
	if req.Body, err = e.sent().open(req.Header); err != nil {
		return nil, err
	}
	resp := &http.Response{StatusCode: e.Response.Status, Header: headers(e.Response.Headers), ContentLength: -1}
	if resp.Body, err = e.Response.Content.open(resp.Header); err != nil {
		return nil, err
	}
	var found []speccheck.Violation
	report := func(v speccheck.Violation) { found = append(found, v) }
	if resp, err = checker.Transport(recording{resp}, report).RoundTrip(req); err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body) // an error is one of a body that is not in the file
	return found, resp.Body.Close()
}

// recording is a RoundTripper whose answer is known.
type recording struct{ response *http.Response }

func (r recording) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, req.Body)
	return r.response, req.Body.Close()
}

// request returns the request of an entry without its body, unless its URL cannot be read.
func (e entry) request() (*http.Request, bool) {
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		return nil, false
	}
	return &http.Request{Method: e.Request.Method, URL: u, Header: headers(e.Request.Headers)}, true
}

// sent returns the body of the request.
func (e entry) sent() content {
	body := content{Size: e.Request.BodySize}
	if posted := e.Request.PostData; posted != nil {
		posted.Size = max(posted.Size, e.Request.BodySize)
		body = *posted
	}
	return body
}

// headers leaves out the encoding: a HAR file holds bodies as they are without it.
func headers(list []header) http.Header {
	h := http.Header{}
	for _, header := range list {
		h.Add(header.Name, header.Value)
	}
	h.Del("Content-Encoding")
	return h
}

var (
	errEncoding = errors.New("a body is not in base64, although it says so")
	errMissing  = errors.New("the body is not in the file")
)

// open returns the body. One that had bytes and has no text was left out by whoever wrote the
// file, and breaks when it is read. Where the headers were left out, the body's type is theirs.
func (c content) open(h http.Header) (io.ReadCloser, error) {
	if len(h) == 0 {
		h.Set("Content-Type", c.MimeType)
	}
	switch {
	case c.Text == nil && c.Size > 0:
		return io.NopCloser(missing{}), nil
	case c.Text == nil:
		return http.NoBody, nil
	case c.Encoding == "base64":
		body, err := base64.StdEncoding.DecodeString(*c.Text)
		if err != nil {
			return nil, errEncoding
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	default:
		return io.NopCloser(strings.NewReader(*c.Text)), nil
	}
}

type missing struct{}

func (missing) Read([]byte) (int, error) { return 0, errMissing }

// bases reads the value of -base-url.
func (s *settings) bases() ([]*url.URL, error) {
	var list []*url.URL
	if s.baseURLs == "" {
		return nil, nil
	}
	for text := range strings.SplitSeq(s.baseURLs, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Scheme == "" || u.Host == "" {
			return nil, fmt.Errorf("-base-url %q is no URL such as https://api.openai.com/v1", text)
		}
		list = append(list, u)
	}
	return list, nil
}

// below reports whether u is below one of the bases, or there are none.
func below(bases []*url.URL, u *url.URL) bool {
	for _, base := range bases {
		if u.Scheme == base.Scheme && strings.EqualFold(u.Host, base.Host) &&
			strings.HasPrefix(u.Path, strings.TrimSuffix(base.Path, "/")+"/") {
			return true
		}
	}
	return len(bases) == 0
}
