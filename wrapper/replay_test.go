package orgkeys_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// Types, flags and error codes of HTTP/2 frames (RFC 9113).
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway, frameWindowUpdate = 0, 1, 3, 4, 6, 7, 8

	flagEndStream, flagAck, flagEndHeaders = 1, 1, 4

	codeNo, codeProtocol, codeInternal, codeFlowControl, codeStreamClosed, codeRefused = 0, 1, 2, 3, 5, 7
	codeCancel, codeCompression, codeEnhanceYourCalm, codeHTTP11                       = 8, 9, 11, 13
)

func writeFrame(w io.Writer, kind, flags byte, stream uint32, payload []byte) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = binary.BigEndian.AppendUint32(append(b, flags), stream)
	_, _ = w.Write(append(b, payload...))
}

// readFrame returns the kind, the flags and the stream of a frame, and skips its payload.
func readFrame(r io.Reader) (kind, flags byte, stream uint32, err error) {
	var head [9]byte
	if _, err = io.ReadFull(r, head[:]); err == nil {
		_, err = io.CopyN(io.Discard, r, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
	}
	return head[3], head[4], binary.BigEndian.Uint32(head[5:]), err
}

// writeResponse writes a response, or its first part if complete is not set.
func writeResponse(w io.Writer, stream uint32, status int, body string, complete bool) {
	header := []byte{0x08, 3} // :status, a literal that is not indexed (RFC 7541)
	header = fmt.Append(header, status)
	header = append(append(append(header, 0x0f, 16), 16), "application/json"...) // content-type
	writeFrame(w, frameHeaders, flagEndHeaders, stream, header)
	var flags byte
	if complete {
		flags = flagEndStream
	}
	writeFrame(w, frameData, flags, stream, []byte(body))
}

// h2Failure is a way for an HTTP/2 server to fail a request instead of responding.
type h2Failure struct {
	name string
	// fail writes frames. If it returns false, the connection is closed.
	fail func(w io.Writer, stream uint32) bool
}

func h2Failures() []h2Failure {
	reset := func(w io.Writer, stream, code uint32) {
		writeFrame(w, frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
	}
	goAway := func(w io.Writer, last, code uint32) {
		writeFrame(w, frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code))
	}
	failures := []h2Failure{
		{"connection closed", func(io.Writer, uint32) bool { return false }},
		{"body reset", func(w io.Writer, stream uint32) bool {
			writeResponse(w, stream, 200, `{"id":`, false)
			reset(w, stream, codeInternal)
			return true
		}},
		{"connection closed in the body", func(w io.Writer, stream uint32) bool {
			writeResponse(w, stream, 200, `{"id":`, false)
			return false
		}},
		{"invalid frame", func(w io.Writer, stream uint32) bool {
			writeFrame(w, frameWindowUpdate, 0, 0, make([]byte, 4))
			return true
		}},
	}
	for name, code := range map[string]uint32{
		"NO_ERROR": codeNo, "PROTOCOL_ERROR": codeProtocol, "INTERNAL_ERROR": codeInternal, "FLOW_CONTROL_ERROR": codeFlowControl,
		"STREAM_CLOSED": codeStreamClosed, "REFUSED_STREAM": codeRefused, "CANCEL": codeCancel, "COMPRESSION_ERROR": codeCompression,
		"ENHANCE_YOUR_CALM": codeEnhanceYourCalm, "HTTP_1_1_REQUIRED": codeHTTP11, "unknown code": 4711,
	} {
		failures = append(failures,
			h2Failure{"RST_STREAM " + name, func(w io.Writer, stream uint32) bool { reset(w, stream, code); return true }},
			h2Failure{"GOAWAY " + name + " before the stream", func(w io.Writer, stream uint32) bool { goAway(w, stream-1, code); return false }},
			h2Failure{"GOAWAY " + name + " before the stream, open", func(w io.Writer, stream uint32) bool { goAway(w, stream-1, code); return true }},
			h2Failure{"GOAWAY " + name + " after the stream", func(w io.Writer, stream uint32) bool { goAway(w, stream, code); return false }},
		)
	}
	return failures
}

// h2Server is an HTTP/2 server that fails requests in ways that net/http's server cannot. It has
// one project key, and creates admin keys.
type h2Server struct {
	mu       sync.Mutex
	failures []h2Failure // of the first requests
	executes bool        // a failed request is executed first
	exists   bool        // the project key exists
	requests int
	created  int
}

// serve serves requests of the method on a connection.
func (s *h2Server) serve(c net.Conn, method string) {
	w, written := make(frameQueue, 100), make(chan struct{})
	go func() {
		defer close(written)
		for b := range w {
			_, _ = c.Write(b)
		}
	}()
	defer func() {
		close(w)
		go func() { _, _ = io.Copy(io.Discard, c) }() // so that the client's writes do not block
		<-written
		_ = c.Close()
	}()
	r := bufio.NewReader(c)
	if _, err := io.CopyN(io.Discard, r, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	writeFrame(w, frameSettings, 0, 0, nil)
	for {
		kind, flags, stream, err := readFrame(r)
		switch {
		case err != nil:
			return
		case kind == frameSettings && flags&flagAck == 0:
			writeFrame(w, kind, flagAck, 0, nil)
		case kind == framePing && flags&flagAck == 0:
			writeFrame(w, kind, flagAck, 0, make([]byte, 8))
		case (kind == frameHeaders || kind == frameData) && flags&flagEndStream != 0:
			if !s.request(w, method, stream) {
				return
			}
		}
	}
}

// frameQueue queues the frames that a server writes, so that the server can continue to read.
// Otherwise, both sides of a pipe could block in Write.
type frameQueue chan []byte

func (q frameQueue) Write(b []byte) (int, error) {
	q <- b
	return len(b), nil
}

// request serves a request. It returns whether the connection stays open.
func (s *h2Server) request(w io.Writer, method string, stream uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	fails := len(s.failures) > 0
	status, body := 200, ownKeyJSON
	if !fails || s.executes {
		switch {
		case method == http.MethodPost:
			s.created++
		case !s.exists:
			status, body = 404, `{"error":{"message":"no such key","type":"invalid_request_error","param":null,"code":null}}`
		default:
			s.exists, body = false, `{"object":"organization.project.api_key.deleted","id":"key_abc","deleted":true}`
		}
	}
	if fails {
		fail := s.failures[0].fail
		s.failures = s.failures[1:]
		return fail(w, stream)
	}
	writeResponse(w, stream, status, body, true)
	return true
}

// client returns a client that reaches s over TLS and a socket.
func (s *h2Server) client(t *testing.T, method string) *orgkeys.Client {
	server := httptest.NewUnstartedServer(nil)
	server.EnableHTTP2 = true
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) { s.serve(c, method) },
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	client, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithBaseURL(server.URL+"/v1"),
		orgkeys.WithHTTPClient(server.Client()), orgkeys.WithRetry(orgkeys.Retry{BaseDelay: 1, MaxWait: 1}))
	require.NoError(t, err)
	return client
}

// TestReplay_Delete verifies that a delete of an existing key succeeds after any failure of the
// first requests over HTTP/2, whether net/http or the client repeats them. A 404 is not ErrNotFound
// if an earlier request may have deleted the key.
func TestReplay_Delete(t *testing.T) {
	for _, failure := range h2Failures() {
		for _, executes := range []bool{false, true} {
			for times := 1; times <= 2; times++ {
				t.Run(fmt.Sprintf("%s/executed %v/%d times", failure.name, executes, times), func(t *testing.T) {
					t.Parallel()
					if times == 2 && testing.Short() {
						t.Skip("net/http waits a second before its second repetition")
					}
					server := &h2Server{exists: true, executes: executes}
					for range times {
						server.failures = append(server.failures, failure)
					}
					var info orgkeys.CallInfo
					deleted, err := server.client(t, http.MethodDelete).ProjectKeys.Delete(orgkeys.WithCallInfo(t.Context(), &info), project, keyID)
					require.NoError(t, err)
					assert.Equal(t, keyID, deleted.ID)
					assert.True(t, deleted.Deleted)
					assert.False(t, server.exists)
					assert.Equal(t, times+1, server.requests)
					assert.Equal(t, server.requests, info.Attempts, "repetitions by net/http are counted")
				})
			}
		}
	}
}

// TestReplay_Create verifies that a create is sent once and has an unknown outcome after any
// failure of the request over HTTP/2.
func TestReplay_Create(t *testing.T) {
	for _, failure := range h2Failures() {
		for _, executes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/executed %v", failure.name, executes), func(t *testing.T) {
				t.Parallel()
				server := &h2Server{executes: executes, failures: []h2Failure{failure}}
				_, err := server.client(t, http.MethodPost).AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "production"})
				require.Error(t, err)
				assert.NotErrorIs(t, err, orgkeys.ErrNotSent)
				assert.Equal(t, isUnknown, resultOf(err), "%v", err)
				assert.Equal(t, 1, server.requests)
			})
		}
	}
}

// TestReplay_WithoutEnd verifies that a call to a server that refuses every stream ends after the
// timeouts of its attempts, with an error that is neither ErrNotSent nor ErrNotFound.
func TestReplay_WithoutEnd(t *testing.T) {
	for _, failure := range h2Failures() {
		t.Run(failure.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &h2Server{exists: true}
				silent := h2Failure{"", func(io.Writer, uint32) bool { return true }}
				for range 20 { // net/http repeats some of them without a pause
					server.failures = append(server.failures, failure)
				}
				server.failures = append(server.failures, slices.Repeat([]h2Failure{silent}, 10)...)
				transport := &http.Transport{
					Protocols: new(http.Protocols),
					Dial: func(string, string) (net.Conn, error) { //nolint:staticcheck // the pipe does not block
						near, far := net.Pipe()
						context.AfterFunc(t.Context(), func() { _ = far.Close() })
						go server.serve(far, http.MethodDelete)
						return near, nil
					},
				}
				transport.Protocols.SetUnencryptedHTTP2(true)
				defer transport.CloseIdleConnections()
				client, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithBaseURL("http://127.0.0.1/v1"),
					orgkeys.WithHTTPClient(&http.Client{Transport: transport}), orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 2, BaseDelay: 1, MaxWait: 1}))
				require.NoError(t, err)
				started := time.Now()
				_, err = client.ProjectKeys.Delete(t.Context(), project, keyID)
				require.Error(t, err)
				assert.NotErrorIs(t, err, orgkeys.ErrNotSent)
				assert.NotErrorIs(t, err, orgkeys.ErrNotFound)
				assert.LessOrEqual(t, time.Since(started), time.Minute+2)
				_, isRefusal := errors.AsType[*orgkeys.APIError](err)
				assert.False(t, isRefusal, "%v", err)
			})
		})
	}
}
