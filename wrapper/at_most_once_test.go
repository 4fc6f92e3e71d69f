package orgkeys_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// createFault is a fault, the result that a create returns with it, and the number of keys that the
// server has created then.
type createFault struct {
	name  string
	fault orgkeystest.Fault
	want  createResult
	keys  int
	http1 bool // HTTP/2 has no such fault
}

func createFaults() []createFault {
	rows := []createFault{
		{"none", orgkeystest.Fault{}, created, 1, false},
		{"429 once", orgkeystest.Fault{Status: 429, Header: http.Header{"Retry-After": {"0"}}}, created, 1, false},
		{"429 with a long Retry-After", orgkeystest.Fault{Status: 429, Header: http.Header{"Retry-After": {"3600"}}}, notCreated, 0, false},
		{"400", orgkeystest.Fault{Status: 400}, notCreated, 0, false},
		{"409 that should be retried", orgkeystest.Fault{Status: 409, Header: http.Header{"X-Should-Retry": {"true"}}}, notCreated, 0, false},
		{"connection closed on accept", orgkeystest.Fault{DropOnAccept: true}, isUnknown, 0, true},
		{"body stalls", orgkeystest.Fault{StallAt: new(40)}, isUnknown, 1, false},
		{"body cut", orgkeystest.Fault{TruncateAt: new(40)}, isUnknown, 1, false},
		{"body cut after the header", orgkeystest.Fault{TruncateAt: new(0)}, isUnknown, 1, false},
		{"another name", orgkeystest.Fault{AfterWork: true, Body: otherKeyJSON}, isUnknown, 1, false},
		{"invalid", orgkeystest.Fault{AfterWork: true, Body: `{}`}, isUnknown, 1, false},
		{"204", orgkeystest.Fault{AfterWork: true, Status: 204, NoBody: true}, isUnknown, 1, false},
		{"too large", orgkeystest.Fault{AfterWork: true, Body: `{}`, PadTo: 9 << 20}, isUnknown, 1, false},
	}
	for keys, after := range []bool{false, true} {
		for name, fault := range map[string]orgkeystest.Fault{
			"dropped": {Drop: true}, "timeout": {Delay: time.Hour}, "303": {Status: 303},
			"408": {Status: 408}, "500": {Status: 500}, "503 with Retry-After": {Status: 503, Header: http.Header{"Retry-After": {"1"}}},
			"520 that should be retried": {Status: 520, Header: http.Header{"X-Should-Retry": {"true"}}},
		} {
			fault.AfterWork = after
			rows = append(rows, createFault{fmt.Sprintf("%s, after the work: %v", name, after), fault, isUnknown, keys, false})
		}
		for name, fault := range map[string]orgkeystest.Fault{
			"dropped in the header": {DropMidHeaders: true}, "not HTTP": {Raw: "220 mail.example ESMTP\r\n"},
		} {
			fault.AfterWork = after
			rows = append(rows, createFault{fmt.Sprintf("%s, after the work: %v", name, after), fault, isUnknown, keys, true})
		}
	}
	return append(rows, createFault{"499", orgkeystest.Fault{Status: 499}, isUnknown, 0, false})
}

// TestCreate_AtMostOnce verifies that with any fault, the server creates at most one key, the error
// shows whether it may have created one, and FindCreated finds the key after an unknown outcome.
func TestCreate_AtMostOnce(t *testing.T) {
	for _, create := range creates {
		for _, row := range createFaults() {
			check := func(t *testing.T, server *orgkeystest.Server, timeout time.Duration) {
				server.AddProject(project)
				client := newClient(t, server, orgkeys.WithAttemptTimeout(timeout))
				_, err := client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
				require.NoError(t, err)
				if row.fault.DropOnAccept {
					server.Client().CloseIdleConnections()
				} else {
					row.fault.Operation = create.operation
				}
				server.Inject(row.fault)
				_, err = create.create(t.Context(), client)
				assert.Equal(t, row.want, resultOf(err), "%v", err)
				assert.Equal(t, row.keys, server.KeysCreated())
				if uncertain, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
					found, err := create.find(t.Context(), client, uncertain)
					require.NoError(t, err)
					assert.Len(t, found, row.keys)
				}
			}
			t.Run(create.operation+"/HTTP1/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					check(t, orgkeystest.New(t, orgkeystest.InMemory()), 30*time.Second)
				})
			})
			if !row.http1 && row.fault.Delay == 0 && row.fault.StallAt == nil { // real time: no timeouts
				t.Run(create.operation+"/HTTP2/"+row.name, func(t *testing.T) {
					check(t, orgkeystest.New(t, orgkeystest.WithHTTP2()), 30*time.Second)
				})
			}
		}
	}
}

// otherKeyJSON is the response to another create.
var otherKeyJSON = `{"object":"organization.admin_api_key","id":"key_other","name":"staging","redacted_value":"sk-admin...xyz",` +
	`"created_at":1735689600,"owner":{},"value":"` + otherKey + `"}`

// otherKey is the value in otherKeyJSON.
var otherKey = "sk-admin-" + "staging-0123456789abcdef0123456789abcdef"

// rawServer serves each connection with serve and returns its base URL. It stops with the test.
func rawServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				serve(c)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return "http://" + l.Addr().String() + "/v1"
}

// rawClient returns a client of a raw server with a transport of its own.
func rawClient(t *testing.T, url string, more ...orgkeys.Option) *orgkeys.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := orgkeys.NewClient(append([]orgkeys.Option{
		orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithBaseURL(url), orgkeys.WithHTTPClient(&http.Client{Transport: transport}),
	}, more...)...)
	require.NoError(t, err)
	return client
}

func rawResponse(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// TestCreate_LateResponseOfAnotherCreate verifies that the response to another create, which
// arrives on a reused connection before the response to this one, is not returned, and that
// net/http's logger does not print unread responses.
func TestCreate_LateResponseOfAnotherCreate(t *testing.T) {
	var printed bytes.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&printed)

	const emptyList = `{"object":"list","data":[],"has_more":false}`
	for name, response := range map[string]string{
		"late":             rawResponse(otherKeyJSON),
		"late and its own": rawResponse(otherKeyJSON) + rawResponse(ownKeyJSON),
		"twice":            rawResponse(ownKeyJSON) + rawResponse(ownKeyJSON),
		"overlong":         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" + ownKeyJSON,
		"unsolicited":      rawResponse(ownKeyJSON) + otherKeyJSON,
	} {
		closed := make(chan struct{})
		url := rawServer(t, func(c net.Conn) {
			defer close(closed)
			r := bufio.NewReader(c)
			for {
				request, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, request.Body)
				if request.Method == http.MethodGet {
					_, _ = io.WriteString(c, rawResponse(emptyList))
					continue
				}
				_, _ = io.WriteString(c, response)
			}
		})
		client := rawClient(t, url)
		_, err := client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
		require.NoError(t, err)
		key, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "production"})
		if name == "twice" || name == "unsolicited" {
			require.NoError(t, err, name)
			assert.Equal(t, "key_own", key.ID)
		} else {
			assert.Equal(t, isUnknown, resultOf(err), "%s: %v", name, err)
		}
		<-closed // the client has closed the connection
	}
	assert.Empty(t, printed.String())
}

var ownKeyJSON = `{"object":"organization.admin_api_key","id":"key_own","name":"production","redacted_value":"sk-admin...xyz",` +
	`"created_at":1735689600,"owner":{},"value":"` + "sk-admin-" + `production-0123456789abcdef0123456789"}`

// TestCreate_OtherTransports verifies that the outcome is unknown after an error of a transport
// that does not call the hooks of httptrace, or that sends requests by other means too.
func TestCreate_OtherTransports(t *testing.T) {
	lost := errors.New("connection lost")
	refusing := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}}
	readBody := func(r *http.Request) []byte {
		content := []byte{}
		if r.Body != nil {
			content, _ = io.ReadAll(r.Body)
		}
		return content
	}
	tryRefusing := func(r *http.Request, body io.Reader) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(body)
		_, err := refusing.RoundTrip(again)
		require.Error(t, err)
	}
	for name, transport := range map[string]roundTripper{
		"without a trace":        func(r *http.Request) (*http.Response, error) { readBody(r); return nil, lost },
		"an error and no detail": func(*http.Request) (*http.Response, error) { return nil, io.EOF },
		"failover after a refusal": func(r *http.Request) (*http.Response, error) {
			tryRefusing(r, bytes.NewReader(nil))
			readBody(r) // sent elsewhere
			return nil, lost
		},
		"failover before a refusal": func(r *http.Request) (*http.Response, error) {
			content := readBody(r) // sent elsewhere, and lost
			tryRefusing(r, bytes.NewReader(content))
			return nil, lost
		},
		"a retry of its own": func(r *http.Request) (*http.Response, error) {
			content := readBody(r)
			tryRefusing(r, bytes.NewReader(content))
			tryRefusing(r, bytes.NewReader(content))
			return nil, lost
		},
		"a response and an error": func(r *http.Request) (*http.Response, error) {
			readBody(r)
			return jsonResponse(200, ownKeyJSON), lost
		},
		"a buffered body and a refusal": func(r *http.Request) (*http.Response, error) {
			content := readBody(r)
			again := r.Clone(r.Context())
			again.Body = io.NopCloser(bytes.NewReader(content))
			return refusing.RoundTrip(again)
		},
		"no response, no error": func(*http.Request) (*http.Response, error) { return nil, nil },
		"a timeout of its own":  func(r *http.Request) (*http.Response, error) { readBody(r); return nil, context.DeadlineExceeded },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				client := stubbed(t, func(r *http.Request) (*http.Response, error) {
					requests.Add(1)
					assert.Nil(t, r.GetBody, "with it, transports send a request again")
					return transport(r)
				}, orgkeys.WithBaseURL("https://api.example/v1"))
				for i, create := range creates {
					_, err := create.create(t.Context(), client)
					assert.Equal(t, isUnknown, resultOf(err), "%v", err)
					assert.EqualValues(t, i+1, requests.Load(), "it is not retried")
				}
				_, err := client.ProjectKeys.Delete(t.Context(), project, "key_1")
				require.Error(t, err)
				assert.NotErrorIs(t, err, orgkeys.ErrNotSent)
			})
		})
	}
}

// TestCreate_WrappedTransport verifies that a transport that passes each request to net/http's
// transport once has the same outcomes as net/http's, even if it replaces the request's context.
func TestCreate_WrappedTransport(t *testing.T) {
	refusing := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}}
	for name, row := range map[string]struct {
		transport roundTripper
		want      createResult
	}{
		"wraps": {func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("X-Trace", "1")
			return refusing.RoundTrip(r)
		}, notCreated},
		"wraps with another context": {func(r *http.Request) (*http.Response, error) {
			return refusing.RoundTrip(r.WithContext(context.Background()))
		}, isUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := stubbed(t, row.transport)
				for _, create := range creates {
					_, err := create.create(t.Context(), client)
					assert.Equal(t, row.want, resultOf(err), "%v", err)
					assert.Equal(t, row.want == notCreated, errors.Is(err, orgkeys.ErrNotSent))
				}
			})
		})
	}
}

// TestUpdate_OfAnotherCall verifies that a response without the requested expiration is an error.
func TestUpdate_OfAnotherCall(t *testing.T) {
	for expiresAt, ok := range map[string]bool{"": true, `,"expires_at":1735689600`: true, `,"expires_at":null`: false} {
		client := stubbed(t, func(*http.Request) (*http.Response, error) {
			return jsonResponse(200, `{"object":"organization.project.api_key","redacted_value":"sk-abc...def","name":"n","created_at":1,"last_used_at":null,"id":"key_abc","owner":{"type":"user"},"owner_project_access":"active"`+expiresAt+`}`), nil
		})
		_, err := client.ProjectKeys.Update(t.Context(), project, keyID, orgkeys.ProjectKeyUpdateParams{ExpiresInSeconds: new(60)})
		assert.Equal(t, ok, err == nil, "%s: %v", expiresAt, err)
		_, err = client.ProjectKeys.Update(t.Context(), project, keyID, orgkeys.ProjectKeyUpdateParams{Scopes: new([]string{})})
		assert.NoError(t, err)
	}
}

// TestDelete_NotFound verifies that the API's 404 is success after an attempt that may have deleted
// the key, and ErrNotFound otherwise.
func TestDelete_NotFound(t *testing.T) {
	const operation = "delete-project-api-key"
	refused := func(status int, notFound bool) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			refusal, ok := errors.AsType[*orgkeys.APIError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, status, refusal.Status)
			assert.Equal(t, notFound, errors.Is(err, orgkeys.ErrNotFound))
		}
	}
	success := func(t *testing.T, err error) { require.NoError(t, err) }
	proxy404 := orgkeystest.Fault{Status: 404, Body: "default backend", ContentType: "text/plain"}
	for _, row := range []struct {
		name   string
		absent bool
		faults []orgkeystest.Fault
		then   func(*testing.T, error)
	}{
		{"500 after the work", false, []orgkeystest.Fault{{Status: 500, AfterWork: true}}, success},
		{"408 after the work", false, []orgkeystest.Fault{{Status: 408, AfterWork: true}}, success},
		{"dropped after the work", false, []orgkeystest.Fault{{Drop: true, AfterWork: true}}, success},
		{"body cut", false, []orgkeystest.Fault{{TruncateAt: new(10)}}, success},
		{"timeout after the work", false, []orgkeystest.Fault{{Delay: time.Hour, AfterWork: true}}, success},
		{"500 after the work, then 429", false, []orgkeystest.Fault{{Status: 500, AfterWork: true}, {Status: 429}}, success},
		{"503 before the work", false, []orgkeystest.Fault{{Status: 503}}, success},
		{"502, then the 404 of a proxy", false, []orgkeystest.Fault{{Status: 502}, proxy404}, refused(404, false)},
		{"404", true, nil, refused(404, true)},
		{"429, then 404", true, []orgkeystest.Fault{{Status: 429}}, refused(404, true)},
		{"404 of a proxy", false, []orgkeystest.Fault{proxy404}, refused(404, true)},
		{"500 at every attempt", false, []orgkeystest.Fault{{Status: 500, Times: -1}}, refused(500, false)},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := orgkeystest.New(t, orgkeystest.InMemory())
				server.AddProject(project)
				if !row.absent {
					server.AddProjectKey(project, orgkeystest.ProjectKey{ID: "key_1"})
				}
				for _, fault := range row.faults {
					fault.Operation = operation
					server.Inject(fault)
				}
				deleted, err := newClient(t, server).ProjectKeys.Delete(t.Context(), project, "key_1")
				row.then(t, err)
				if err == nil {
					assert.Equal(t, "key_1", deleted.ID)
					assert.True(t, deleted.Deleted)
				}
			})
		})
	}
}
