package speccheck_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// respond returns a RoundTripper that returns this response to every request.
func respond(status int, body io.ReadCloser, length int64) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {jsonContent}}, Body: body, ContentLength: length, Request: req,
		}, nil
	})
}

// reports collects what a transport reports.
type reports struct {
	mu    sync.Mutex
	found []speccheck.Violation
}

func (r *reports) add(v speccheck.Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, v)
}

func (r *reports) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return lines(r.found)
}

func deleteRequest(t testing.TB) *http.Request {
	return newRequest(t, "DELETE", deletePath)
}

func TestTransport_streamsResponses(t *testing.T) {
	fromServer, server := io.Pipe()
	var got reports
	client := http.Client{Transport: newChecker(t).Transport(respond(200, fromServer, -1), got.add)}

	resp, err := client.Do(deleteRequest(t)) // before the server has sent any of the body
	require.NoError(t, err)
	pieces := []string{`{"object":"organization.`, `project.api_key.deleted"`, `,"id":`, `"key_abc"}`}
	for _, piece := range pieces {
		// The pipe has no buffer: a write returns when all of it has been read.
		written := make(chan error, 1)
		go func() {
			_, err := io.WriteString(server, piece)
			written <- err
		}()
		read := make([]byte, len(piece))
		_, err := io.ReadFull(resp.Body, read)
		require.NoError(t, err)
		require.NoError(t, <-written)
		assert.Equal(t, piece, string(read))
		assert.Empty(t, got.lines(), "reported before the end")
	}
	go server.Close()
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Empty(t, rest)
	want := []string{"delete-project-api-key 200: response body /deleted: required: expected present (body)"}
	assert.Equal(t, want, got.lines(), "reported at the end")
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, want, got.lines(), "reported once")
}

// endless is a body whose Read blocks until Close.
type endless struct{ closed chan struct{} }

func (e endless) Read([]byte) (int, error) { <-e.closed; return 0, errors.New("closed") }
func (e endless) Close() error             { close(e.closed); return nil }

func TestTransport_closeDoesNotRead(t *testing.T) {
	var got reports
	client := http.Client{Transport: newChecker(t).Transport(respond(200, endless{make(chan struct{})}, -1), got.add)}
	resp, err := client.Do(deleteRequest(t))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, []string{"delete-project-api-key 200: response body: incomplete: expected the whole body (unchecked)"}, got.lines())
}

func TestTransport_partiallyReadBodies(t *testing.T) {
	const (
		good       = deleted
		bad        = `{"object":"organization.project.api_key.deleted","id":"key_abc","deleted":"yes"}`
		broken     = "delete-project-api-key 200: response body /deleted: type: expected boolean, found string (body)"
		incomplete = "delete-project-api-key 200: response body: incomplete: expected the whole body (unchecked)"
	)
	all := func(body io.Reader) error { _, err := io.ReadAll(body); return err }
	decode := func(body io.Reader) error { var v map[string]any; return json.NewDecoder(body).Decode(&v) }
	exactly := func(n int) func(io.Reader) error {
		return func(body io.Reader) error { _, err := io.ReadFull(body, make([]byte, n)); return err }
	}
	dropped := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text), failing{}) }
	for _, row := range []struct {
		name   string
		body   io.Reader
		length int
		read   func(io.Reader) error
		want   []string
	}{
		{"to the end", strings.NewReader(bad), -1, all, []string{broken}},
		{"to the end, valid", strings.NewReader(good), -1, all, []string{}},
		{"to its length", strings.NewReader(bad), len(bad), exactly(len(bad)), []string{broken}},
		{"to its length, which truncates it", strings.NewReader(good), 9, exactly(9), []string{
			"delete-project-api-key 200: response body /object: json: expected a JSON document (body)",
		}},
		{"by a decoder that stops before the end", io.MultiReader(strings.NewReader(bad), endless{}), -1, decode, []string{broken}},
		{"by a decoder, valid", io.MultiReader(strings.NewReader(good), endless{}), -1, decode, []string{}},
		{"in part", strings.NewReader(bad), -1, exactly(9), []string{incomplete}},
		{"not at all", strings.NewReader(bad), len(bad), exactly(0), []string{incomplete}},
		{"until the connection is lost", dropped(good[:30]), -1, all, []string{incomplete}},
		{"until the connection is lost after the last byte", dropped(bad), len(bad), all, []string{broken}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got reports
			base := respond(200, io.NopCloser(row.body), int64(row.length))
			resp, err := newChecker(t).Transport(base, got.add).RoundTrip(deleteRequest(t))
			require.NoError(t, err)
			_ = row.read(resp.Body)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, row.want, got.lines())
		})
	}
}

type failing struct{}

var errDropped = errors.New("connection reset")

func (failing) Read([]byte) (int, error) { return 0, errDropped }

func TestTransport_passesResponsesThrough(t *testing.T) {
	c := newChecker(t, speccheck.WithMaxBody(10))
	whole := strings.Repeat("x", 1<<20)

	t.Run("a body beyond the limit", func(t *testing.T) {
		var got reports
		base := respond(200, io.NopCloser(strings.NewReader(whole)), int64(len(whole)))
		plain, err := base.RoundTrip(deleteRequest(t))
		require.NoError(t, err)
		plain.Body, plain.Request = nil, nil

		base = respond(200, io.NopCloser(strings.NewReader(whole)), int64(len(whole)))
		req := deleteRequest(t)
		resp, err := c.Transport(base, got.add).RoundTrip(req)
		require.NoError(t, err)
		read, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.True(t, whole == string(read))
		assert.Equal(t, []string{"delete-project-api-key 200: response body: max-body: expected at most 10 bytes (unchecked)"}, got.lines())
		assert.Same(t, req, resp.Request)
		resp.Body, resp.Request = nil, nil
		assert.Equal(t, plain, resp)
	})
	t.Run("a header that the caller modifies", func(t *testing.T) {
		var got reports
		resp, err := newChecker(t).Transport(respond(200, io.NopCloser(strings.NewReader(deleted)), -1), got.add).RoundTrip(deleteRequest(t))
		require.NoError(t, err)
		clear(resp.Header)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		assert.Empty(t, got.lines())
	})
	t.Run("an error of the body", func(t *testing.T) {
		resp, err := c.Transport(respond(200, io.NopCloser(failing{}), -1), func(speccheck.Violation) {}).RoundTrip(deleteRequest(t))
		require.NoError(t, err)
		_, err = resp.Body.Read(make([]byte, 1))
		assert.Equal(t, errDropped, err)
	})
	t.Run("an error instead of a response", func(t *testing.T) {
		var got reports
		base := roundTripper(func(*http.Request) (*http.Response, error) { return nil, errDropped })
		req := newRequest(t, "GET", keysPath)
		req.URL.RawQuery = "limit=0"
		resp, err := c.Transport(base, got.add).RoundTrip(req)
		assert.Nil(t, resp)
		assert.Equal(t, errDropped, err)
		assert.Equal(t, []string{"admin-api-keys-list: query parameter limit: minimum: expected 1 (request)"}, got.lines())
	})
	t.Run("no body", func(t *testing.T) {
		var got reports
		resp, err := c.Transport(respond(204, http.NoBody, 0), got.add).RoundTrip(deleteRequest(t))
		require.NoError(t, err)
		assert.Equal(t, http.NoBody, resp.Body)
		assert.Equal(t, []string{"delete-project-api-key 204: status: expected 200 or 400 (status)"}, got.lines())
	})
	t.Run("a connection", func(t *testing.T) {
		var got reports
		body := struct {
			io.ReadCloser
			io.Writer
		}{io.NopCloser(strings.NewReader("")), io.Discard}
		resp, err := c.Transport(respond(101, body, -1), got.add).RoundTrip(deleteRequest(t))
		require.NoError(t, err)
		assert.Implements(t, (*io.Writer)(nil), resp.Body)
		assert.Equal(t, []string{"delete-project-api-key 101: status: expected 200 or 400 (status)"}, got.lines())
	})
	t.Run("idle connections closed", func(t *testing.T) {
		base := &idler{}
		client := http.Client{Transport: c.Transport(base, nil)}
		client.CloseIdleConnections()
		assert.True(t, base.closed)
		client.Transport = c.Transport(respond(200, nil, 0), nil)
		client.CloseIdleConnections() // which this one does not have
	})
}

type idler struct {
	http.RoundTripper
	closed bool
}

func (i *idler) CloseIdleConnections() { i.closed = true }

func TestTransport_requestBodies(t *testing.T) {
	const (
		good         = `{"name":"ci"}`
		bad          = `{"name":7}`
		broken       = "admin-api-keys-create 500: request body /name: type: expected string, found number (request)"
		undocumented = "admin-api-keys-create 500: status: expected 200 or 400 (undocumented-status)"
	)
	post := func(body io.Reader) *http.Request {
		req, err := http.NewRequest("POST", "https://api.openai.com/v1"+keysPath, body)
		require.NoError(t, err)
		req.Header.Set("Content-Type", jsonContent)
		return req
	}
	stream := func(text string) *http.Request { return post(io.NopCloser(strings.NewReader(text))) }
	noGetBody := post(strings.NewReader(good))
	noGetBody.GetBody = func() (io.ReadCloser, error) { return nil, errDropped }
	lostGetBody := post(strings.NewReader(good))
	lostGetBody.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(failing{}), nil }
	long := good + strings.Repeat(" ", 100)
	lengthy := stream(bad)
	lengthy.ContentLength = int64(len(bad))
	for _, row := range []struct {
		name string
		req  *http.Request
		read int    // how much of the body base reads, -1 for all
		sent string // the body that base receives
		want []string
	}{
		{"valid", post(strings.NewReader(good)), -1, good, []string{undocumented}},
		{"with GetBody", post(strings.NewReader(bad)), -1, bad, []string{broken, undocumented}},
		{"with GetBody, not read", post(strings.NewReader(bad)), 0, "", []string{broken, undocumented}},
		{"a stream, valid", stream(good), -1, good, []string{undocumented}},
		{"a stream", stream(bad), -1, bad, []string{broken, undocumented}},
		{"a stream, read to its length", lengthy, len(bad), bad, []string{broken, undocumented}},
		{"a stream that was not read to its end", stream(good), 3, good[:3], []string{
			"admin-api-keys-create 500: request body: incomplete: expected the whole body (unchecked)", undocumented,
		}},
		{"a stream that was not read", stream(good), 0, "", []string{
			"admin-api-keys-create 500: request body: incomplete: expected the whole body (unchecked)", undocumented,
		}},
		{"a stream that failed", post(io.MultiReader(strings.NewReader(good), failing{})), -1, good, []string{
			"admin-api-keys-create 500: request body: incomplete: expected the whole body (unchecked)", undocumented,
		}},
		{"a failing GetBody", noGetBody, -1, good, []string{
			"admin-api-keys-create 500: request body: incomplete: expected the whole body (unchecked)", undocumented,
		}},
		{"a failing body from GetBody", lostGetBody, -1, good, []string{
			"admin-api-keys-create 500: request body: incomplete: expected the whole body (unchecked)", undocumented,
		}},
		{"a body beyond the limit", post(strings.NewReader(long)), -1, long, []string{
			"admin-api-keys-create 500: request body: max-body: expected at most 64 bytes (unchecked)", undocumented,
		}},
		{"a stream beyond the limit", stream(long), -1, long, []string{
			"admin-api-keys-create 500: request body: max-body: expected at most 64 bytes (unchecked)", undocumented,
		}},
		{"no body", post(nil), -1, "", []string{
			"admin-api-keys-create 500: request body: required: expected a body (request)", undocumented,
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := *row.req
			var got reports
			var sent string
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				if req.Body != nil {
					reader := io.Reader(req.Body)
					if row.read >= 0 {
						reader = io.LimitReader(reader, int64(row.read))
					}
					text, _ := io.ReadAll(reader) // an error of the body is a row's own
					sent = string(text)
					require.NoError(t, req.Body.Close())
				}
				return respond(500, http.NoBody, 0).RoundTrip(req)
			})
			_, err := newChecker(t, speccheck.WithMaxBody(64)).Transport(base, got.add).RoundTrip(row.req)
			require.NoError(t, err)
			assert.Equal(t, row.want, got.lines())
			assert.Equal(t, row.sent, sent)
			assert.Equal(t, before.Body, row.req.Body, "the caller's request must not change")
		})
	}
}

func TestTransport_compressedResponses(t *testing.T) {
	packed := zipped(t, `{"id":"key_abc"}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Type", jsonContent)
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	}))
	defer server.Close()
	want := []string{
		"delete-project-api-key 200: response body /deleted: required: expected present (body)",
		"delete-project-api-key 200: response body /object: required: expected present (body)",
	}
	for _, row := range []struct {
		name     string
		encoding string // that the caller asks for
		want     []byte
	}{
		{"decompressed by net/http", "", []byte(`{"id":"key_abc"}`)},
		{"requested by the caller", "gzip", packed},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got reports
			client := http.Client{Transport: newChecker(t).Transport(nil, got.add)}
			defer client.CloseIdleConnections()
			req, err := http.NewRequest("DELETE", server.URL+"/v1"+deletePath, nil)
			require.NoError(t, err)
			if row.encoding != "" {
				req.Header.Set("Accept-Encoding", row.encoding)
			}
			resp, err := client.Do(req)
			require.NoError(t, err)
			read, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, row.want, read)
			assert.Equal(t, want, got.lines())
		})
	}
}

func TestTransport_concurrentCalls(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The response for an id that ends in 1 lacks the id.
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", jsonContent)
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		if strings.HasSuffix(id, "1") {
			_, _ = io.WriteString(w, `{"object":"organization.project.api_key.deleted","deleted":true}`)
			return
		}
		_, _ = io.WriteString(w, deleted)
	}))
	defer server.Close()
	var got reports
	c := newChecker(t)
	client := http.Client{Transport: c.Transport(nil, got.add)}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	const callers, calls = 8, 20
	for range callers {
		wg.Go(func() {
			for i := range calls {
				req, err := http.NewRequest("DELETE", fmt.Sprintf("%s/v1/organization/projects/p/api_keys/key_%d", server.URL, i%2), nil)
				if !assert.NoError(t, err) {
					return
				}
				resp, err := client.Do(req)
				if !assert.NoError(t, err) {
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				assert.NoError(t, err)
				assert.NoError(t, resp.Body.Close())
				assert.Empty(t, c.Check(req, nil, 200, http.Header{"Content-Type": {jsonContent}}, []byte(deleted)))
			}
		})
	}
	wg.Wait()
	assert.Len(t, got.lines(), callers*calls/2)
	for _, line := range got.lines() {
		assert.Equal(t, "delete-project-api-key 200: response body /id: required: expected present (body)", line)
	}
}

func TestTransport_closeDuringRead(t *testing.T) {
	c := newChecker(t)
	for range 50 {
		var got reports
		fromServer, server := io.Pipe()
		resp, err := c.Transport(respond(200, fromServer, -1), got.add).RoundTrip(deleteRequest(t))
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = io.Copy(io.Discard, resp.Body) })
		_, err = io.WriteString(server, "{")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		wg.Wait()
		assert.Equal(t, []string{"delete-project-api-key 200: response body: incomplete: expected the whole body (unchecked)"}, got.lines())
	}
}
