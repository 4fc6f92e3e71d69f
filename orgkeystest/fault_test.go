package orgkeystest_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// traced sets reused if the request gets a connection that has served another request before.
func traced(r *http.Request, reused *bool) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { *reused = info.Reused },
	}))
}

// closings are the faults by which a client receives no complete response, each with a check of
// what net/http returns.
var closings = map[string]struct {
	fault  orgkeystest.Fault
	http1  bool // not supported over HTTP/2
	before bool // possible without AfterWork
	check  func(t *testing.T, got result)
}{
	"drop":                         {fault: orgkeystest.Fault{Drop: true}, before: true, check: noResponse},
	"reset":                        {fault: orgkeystest.Fault{Drop: true, Reset: true}, before: true, check: noResponse},
	"in the middle of the headers": {fault: orgkeystest.Fault{DropMidHeaders: true}, http1: true, before: true, check: noResponse},
	"not HTTP":                     {fault: orgkeystest.Fault{Raw: "SSH-2.0-nothing\r\n"}, http1: true, before: true, check: noResponse},
	"broken chunks": {
		fault:  orgkeystest.Fault{Raw: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"ob\r\nzz\r\n"},
		http1:  true,
		before: true,
		check:  broken(4),
	},
	"after the headers":        {fault: orgkeystest.Fault{TruncateAt: new(0)}, check: broken(0)},
	"in the body":              {fault: orgkeystest.Fault{TruncateAt: new(10)}, check: broken(10)},
	"in the body of the fault": {fault: orgkeystest.Fault{Body: `{"object":"list"}`, TruncateAt: new(3)}, before: true, check: broken(3)},
	"after a body that is shorter than announced": {
		fault: orgkeystest.Fault{Body: `{}`, TruncateAt: new(2)}, before: true, check: broken(2),
	},
	"after a body without a length": {fault: orgkeystest.Fault{PadTo: 10, TruncateAt: new(1 << 20)}, check: broken(-1)},
	"in a compressed body":          {fault: orgkeystest.Fault{Gzip: true, TruncateAt: new(20)}, check: broken(-1)},
}

func noResponse(t *testing.T, got result) {
	t.Helper()
	assert.Error(t, got.Sent)
}

// broken expects a 200 whose body ends with an error after n bytes, or anywhere if n is -1.
func broken(n int) func(*testing.T, result) {
	return func(t *testing.T, got result) {
		t.Helper()
		require.NoError(t, got.Sent)
		assert.Equal(t, 200, got.Status)
		assert.Error(t, got.Reading)
		if n >= 0 {
			assert.Len(t, got.Body, n)
		}
	}
}

func TestFault_ClosesTheConnection(t *testing.T) {
	for name, opts := range transports {
		for closing, c := range closings {
			for _, afterWork := range []bool{false, true} {
				for _, reused := range []bool{false, true} {
					if c.http1 && name == "http/2" || !c.before && !afterWork {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/afterWork=%t/reused=%t", name, closing, afterWork, reused), func(t *testing.T) {
						s := orgkeystest.New(t, opts...)
						if reused {
							require.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status)
						}
						c.fault.AfterWork = afterWork
						s.Inject(c.fault)

						var onReused bool
						c.check(t, do(s.Client(), traced(newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`), &onReused)))

						assert.Equal(t, reused, onReused)
						created := 0
						if afterWork {
							created = 1
						}
						assert.Equal(t, created, s.KeysCreated())
						assert.Len(t, s.AdminKeys(), created)
						assert.Equal(t, 200, create(t, s).Status, "the server still works")
						assert.Equal(t, created+1, s.KeysCreated(), "net/http repeats no POST")
					})
				}
			}
		}
	}
}

func TestFault_ResetIsATCPReset(t *testing.T) {
	for name, opts := range map[string][]orgkeystest.Option{"http": {}, "https": {orgkeystest.WithTLS()}} {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opts...)
			s.Inject(orgkeystest.Fault{Drop: true}, orgkeystest.Fault{Drop: true, Reset: true})
			assert.ErrorIs(t, create(t, s).Sent, io.EOF)
			assert.ErrorIs(t, create(t, s).Sent, syscall.ECONNRESET)
		})
	}
}

func TestFault_NetHTTPRepeatsADroppedGetOnAReusedConnection(t *testing.T) {
	s := orgkeystest.New(t)
	require.Equal(t, 200, create(t, s).Status)
	s.Inject(orgkeystest.Fault{Drop: true})
	require.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status)

	requests := s.Requests()
	require.Len(t, requests, 3, "one call of the client is two requests")
	assert.True(t, requests[1].Faulted)
	assert.Zero(t, requests[1].Status)
	assert.False(t, requests[2].Faulted)
}

func TestFault_DropAfterDoesNotAnnounceTheClose(t *testing.T) {
	s := orgkeystest.New(t)
	s.Inject(orgkeystest.Fault{DropAfter: true})
	conn, err := s.Dial(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL, "http://"), "/v1"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	r := newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`)
	require.NoError(t, r.Write(conn))

	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	assert.False(t, resp.Close, "no Connection: close")
	assert.Contains(t, string(body), "sk-admin-")
	_, err = in.ReadByte()
	assert.ErrorIs(t, err, io.EOF)
	assert.Equal(t, 200, s.Requests()[0].Status)
}

func TestFault_DropOnAccept(t *testing.T) {
	for name, opts := range transports {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opts...)
			s.Inject(orgkeystest.Fault{DropOnAccept: true, Skip: 1})
			require.Equal(t, 200, create(t, s).Status)
			s.Client().CloseIdleConnections()

			require.Error(t, create(t, s).Sent)
			assert.Len(t, s.Requests(), 1, "the request never arrived")
			assert.Equal(t, 1, s.KeysCreated())
			assert.Equal(t, 200, create(t, s).Status)
		})
	}
}

func TestFault_ReplacesTheResponse(t *testing.T) {
	const html = "<html>Bad gateway</html>"
	cases := map[string]struct {
		fault   orgkeystest.Fault
		status  int
		body    string
		header  map[string]any // nil: absent
		created int
	}{
		"a status has the error envelope": {
			fault: orgkeystest.Fault{Status: 529}, status: 529,
			body: `{"error":{"code":null,"message":"Injected fault with status 529.","param":null,"type":"server_error"}}` + "\n",
		},
		"a rate limit with a hint": {
			fault: orgkeystest.Fault{Status: 429, Header: http.Header{"retry-after": {"7"}}}, status: 429,
			body:   `{"error":{"code":"rate_limit_exceeded","message":"Injected fault with status 429.","param":null,"type":"requests"}}` + "\n",
			header: map[string]any{"Retry-After": "7"},
		},
		"a gateway's page":        {fault: orgkeystest.Fault{Status: 502, Body: html, ContentType: "text/html"}, status: 502, body: html, header: map[string]any{"Content-Type": "text/html"}},
		"a bare string as error":  {fault: orgkeystest.Fault{Status: 404, Body: `{"error":"nope"}`}, status: 404, body: `{"error":"nope"}`},
		"an error with no body":   {fault: orgkeystest.Fault{Status: 500, NoBody: true}, status: 500, header: map[string]any{"Content-Type": "application/json"}},
		"a success with no body":  {fault: orgkeystest.Fault{Status: 200}, status: 200},
		"no content":              {fault: orgkeystest.Fault{Status: 204, AfterWork: true}, status: 204, created: 1, header: map[string]any{"Content-Length": nil}},
		"a body is a 200":         {fault: orgkeystest.Fault{Body: `{}`}, status: 200, body: `{}`, header: map[string]any{"Content-Type": "application/json"}},
		"performed, then 500":     {fault: orgkeystest.Fault{Status: 500, NoBody: true, AfterWork: true}, status: 500, created: 1},
		"performed, then 408":     {fault: orgkeystest.Fault{Status: 408, NoBody: true, AfterWork: true}, status: 408, created: 1},
		"a redirect":              {fault: orgkeystest.Fault{Status: 307, Header: http.Header{"Location": {"https://example.com/"}}}, status: 307, header: map[string]any{"Location": "https://example.com/"}},
		"no content type":         {fault: orgkeystest.Fault{Body: `{}`, Header: http.Header{"Content-Type": nil}}, status: 200, body: `{}`, header: map[string]any{"Content-Type": nil}},
		"no request id":           {fault: orgkeystest.Fault{Status: 500, NoBody: true, Header: http.Header{"X-Request-Id": nil}}, status: 500, header: map[string]any{"X-Request-Id": nil}},
		"a request id of its own": {fault: orgkeystest.Fault{Status: 500, NoBody: true, Header: http.Header{"x-request-id": {"req_1"}}}, status: 500, header: map[string]any{"X-Request-Id": "req_1"}},
	}
	for name, c := range cases {
		for transport, opts := range transports {
			t.Run(name+"/"+transport, func(t *testing.T) {
				s := orgkeystest.New(t, opts...)
				s.Inject(c.fault)
				client := *s.Client()
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

				got := do(&client, newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`))
				require.NoError(t, errors.Join(got.Sent, got.Reading))
				assert.Equal(t, c.status, got.Status)
				assert.Equal(t, c.body, got.Body)
				for name, want := range c.header {
					if want == nil {
						assert.NotContains(t, got.Header, name)
						continue
					}
					assert.Equal(t, want, got.Header.Get(name))
				}
				assert.Equal(t, c.created, s.KeysCreated())
				assert.Equal(t, c.status, s.Requests()[0].Status)
				if _, own := c.header["X-Request-Id"]; !own {
					assert.Equal(t, s.Requests()[0].RequestID, got.Header.Get("X-Request-Id"))
				}
			})
		}
	}
}

func TestFault_ChangesTheAPIsOwnResponse(t *testing.T) {
	cases := map[string]struct {
		fault orgkeystest.Fault
		check func(t *testing.T, got result)
	}{
		"no change": {orgkeystest.Fault{}, func(t *testing.T, got result) { assert.Equal(t, "ci", got.json(t)["name"]) }},
		"another content type": {orgkeystest.Fault{ContentType: "text/plain"}, func(t *testing.T, got result) {
			assert.Equal(t, "text/plain", got.Header.Get("Content-Type"))
			assert.Equal(t, "ci", got.json(t)["name"])
		}},
		"another header": {orgkeystest.Fault{Header: http.Header{"X-Should-Retry": {"true"}}}, func(t *testing.T, got result) {
			assert.Equal(t, "true", got.Header.Get("X-Should-Retry"))
			assert.Equal(t, "ci", got.json(t)["name"])
		}},
		"padding": {orgkeystest.Fault{PadTo: 100_000}, func(t *testing.T, got result) {
			assert.Len(t, got.Body, 100_000)
			assert.Empty(t, got.Header.Get("Content-Length"))
			assert.Equal(t, "ci", got.json(t)["name"])
		}},
		"padding to less than the body": {orgkeystest.Fault{PadTo: 1}, func(t *testing.T, got result) {
			assert.Equal(t, "ci", got.json(t)["name"])
		}},
		"compression": {orgkeystest.Fault{Gzip: true, PadTo: 100_000}, func(t *testing.T, got result) {
			assert.Equal(t, "gzip", got.Header.Get("Content-Encoding"))
			assert.Less(t, len(got.Body), 1000)
			plain, err := gzip.NewReader(strings.NewReader(got.Body))
			require.NoError(t, err)
			body, err := io.ReadAll(plain)
			require.NoError(t, err)
			assert.Len(t, body, 100_000)
		}},
	}
	for name, c := range cases {
		for transport, opts := range transports {
			t.Run(name+"/"+transport, func(t *testing.T) {
				s := orgkeystest.New(t, opts...)
				s.Inject(c.fault)
				r := newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`)
				r.Header.Set("Accept-Encoding", "identity") // so that net/http does not decompress it
				got := do(s.Client(), r)
				require.NoError(t, errors.Join(got.Sent, got.Reading))
				assert.Equal(t, 200, got.Status)
				c.check(t, got)
				assert.Equal(t, 1, s.KeysCreated())
			})
		}
	}
}

func TestFault_PadToNeedsNoMemory(t *testing.T) {
	const size = 64 << 20
	s := orgkeystest.New(t)
	s.Inject(orgkeystest.Fault{PadTo: size})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	resp, err := s.Client().Do(newRequest(t, s, "GET", adminKeys, ""))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	assert.EqualValues(t, size, n)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size/8))
}

func TestFault_Delays(t *testing.T) {
	cases := map[string]struct {
		fault   orgkeystest.Fault
		timeout time.Duration
		took    time.Duration
		status  int // 0: the client gave up
		body    int // bytes that arrived where the client gave up in the body
		created int
	}{
		"then the response":             {orgkeystest.Fault{Delay: time.Hour}, 2 * time.Hour, time.Hour, 200, -1, 1},
		"after the work, then an error": {orgkeystest.Fault{Delay: time.Hour, Status: 500, AfterWork: true}, 2 * time.Hour, time.Hour, 500, -1, 1},
		"then an error":                 {orgkeystest.Fault{Delay: time.Hour, Status: 500}, 2 * time.Hour, time.Hour, 500, -1, 0},
		"too long, before the work":     {orgkeystest.Fault{Delay: time.Hour}, time.Minute, time.Minute, 0, 0, 0},
		"too long, after the work":      {orgkeystest.Fault{Delay: time.Hour, AfterWork: true}, time.Minute, time.Minute, 0, 0, 1},
		"no body":                       {orgkeystest.Fault{StallAt: new(0)}, time.Minute, time.Minute, 200, 0, 1},
		"a body that stalls":            {orgkeystest.Fault{StallAt: new(7)}, time.Minute, time.Minute, 200, 7, 1},
		"a body that trickles too long": {orgkeystest.Fault{Trickle: time.Second}, 10*time.Second + 1, 10*time.Second + 1, 200, 10, 1},
		"a body that trickles":          {orgkeystest.Fault{Trickle: time.Second, Body: `{"a":1}`}, time.Minute, 7 * time.Second, 200, -1, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory())
				s.Inject(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				defer cancel()
				began := time.Now()
				got := do(s.Client(), newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`).WithContext(ctx))
				assert.Equal(t, c.took, time.Since(began))
				assert.Equal(t, c.status, got.Status)
				if c.body >= 0 {
					assert.ErrorIs(t, errors.Join(got.Sent, got.Reading), context.DeadlineExceeded)
					assert.Len(t, got.Body, c.body)
				}
				time.Sleep(24 * time.Hour)
				assert.Equal(t, c.created, s.KeysCreated(), "no key is created later")
			})
		})
	}
}

func TestClose_EndsDelays(t *testing.T) {
	cases := map[string]struct {
		fault orgkeystest.Fault
		reads bool
		took  time.Duration
	}{
		"delay":             {orgkeystest.Fault{Delay: time.Hour}, true, 0},
		"late response":     {orgkeystest.Fault{Delay: time.Hour, AfterWork: true}, true, 0},
		"stall":             {orgkeystest.Fault{StallAt: new(3)}, true, 0},
		"trickle":           {orgkeystest.Fault{Trickle: time.Hour}, true, 0},
		"raw bytes unread":  {orgkeystest.Fault{Raw: "garbage"}, false, 0},
		"a response unread": {orgkeystest.Fault{}, false, time.Second},
		"a body unread":     {orgkeystest.Fault{PadTo: 1 << 40}, false, time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory())
				s.Inject(c.fault)
				conn, err := s.Dial(t.Context(), "tcp", "127.0.0.1:0")
				require.NoError(t, err)
				defer func() { _ = conn.Close() }()
				require.NoError(t, newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`).Write(conn))
				if c.reads {
					go func() { _, _ = io.Copy(io.Discard, conn) }()
				}
				synctest.Wait()

				began := time.Now()
				s.Close()
				s.Close()
				assert.Equal(t, c.took, time.Since(began))
				if !c.reads {
					synctest.Wait()
					late, err := io.ReadAll(conn)
					assert.NoError(t, err)
					assert.Empty(t, late, "the server writes nothing after Close")
				}
			})
		})
	}
}

func TestFault_AppliesToTheSelectedRequests(t *testing.T) {
	const list = "admin-api-keys-list"
	fault := func(f orgkeystest.Fault, status int) orgkeystest.Fault {
		f.Status = status
		return f
	}
	cases := map[string]struct {
		faults []orgkeystest.Fault
		want   []int // the statuses of list, create, list, create, list, create
	}{
		"none":                        {nil, []int{200, 200, 200, 200, 200, 200}},
		"the next request":            {[]orgkeystest.Fault{fault(orgkeystest.Fault{}, 500)}, []int{500, 200, 200, 200, 200, 200}},
		"two in a row":                {[]orgkeystest.Fault{fault(orgkeystest.Fault{}, 500), fault(orgkeystest.Fault{}, 503)}, []int{500, 503, 200, 200, 200, 200}},
		"of an operation":             {[]orgkeystest.Fault{fault(orgkeystest.Fault{Operation: "admin-api-keys-create"}, 500)}, []int{200, 500, 200, 200, 200, 200}},
		"of an operation, after some": {[]orgkeystest.Fault{fault(orgkeystest.Fault{Operation: list, Skip: 2}, 500)}, []int{200, 200, 200, 200, 500, 200}},
		"some":                        {[]orgkeystest.Fault{fault(orgkeystest.Fault{Skip: 1, Times: 3}, 500)}, []int{200, 500, 500, 500, 200, 200}},
		"all":                         {[]orgkeystest.Fault{fault(orgkeystest.Fault{Operation: list, Times: -1}, 500)}, []int{500, 200, 500, 200, 500, 200}},
		"requests of an earlier fault do not count": {
			[]orgkeystest.Fault{fault(orgkeystest.Fault{Times: 2}, 500), fault(orgkeystest.Fault{Skip: 1}, 503)},
			[]int{500, 500, 200, 503, 200, 200},
		},
		"a fault that is not due leaves the request to the next one": {
			[]orgkeystest.Fault{fault(orgkeystest.Fault{Skip: 1}, 500), fault(orgkeystest.Fault{}, 503)},
			[]int{503, 500, 200, 200, 200, 200},
		},
		"a chance of 1": {[]orgkeystest.Fault{fault(orgkeystest.Fault{Chance: 1, Times: -1}, 500)}, []int{500, 500, 500, 500, 500, 500}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.InMemory())
			s.Inject(c.faults...)
			var got []int
			for range 3 {
				got = append(got, call(t, s, "GET", adminKeys, "").Status, create(t, s).Status)
			}
			assert.Equal(t, c.want, got)
			assert.Empty(t, s.UnusedFaults())
		})
	}
}

func TestInject_CopiesTheFault(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	f := orgkeystest.Fault{Body: "0123456789", TruncateAt: new(3), Header: http.Header{"X-Test": {"before"}}}
	s.Inject(f)
	*f.TruncateAt = 5
	f.Header["X-Test"][0] = "after"
	s.UnusedFaults()[0].Header.Set("X-Test", "after")

	got := create(t, s)
	assert.Equal(t, "012", got.Body)
	assert.Equal(t, "before", got.Header.Get("X-Test"))
}

func TestFault_Chance(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	s.Inject(orgkeystest.Fault{Chance: 0.5, Times: -1, Status: 500})
	applied := 0
	const requests = 400
	for range requests {
		if call(t, s, "GET", adminKeys, "").Status == 500 {
			applied++
		}
	}
	// Eight standard deviations.
	assert.InDelta(t, requests/2, applied, 80)
}

func TestInject_PanicsForAnInvalidFault(t *testing.T) {
	common := map[string][]orgkeystest.Fault{ // by problem
		"the contract has no operation \"admin-keys-create\"": {
			{Operation: "admin-keys-create"},
		},
		"AfterWork excludes the status 429, which means that the operation was not performed": {
			{Status: 429, AfterWork: true},
		},
		"101 is not the status of a final response":  {{Status: 101}},
		"1000 is not the status of a final response": {{Status: 1000}},
		"a field is negative, or Chance is not from 0 to 1": {
			{TruncateAt: new(-1)}, {StallAt: new(-1)}, {ContentLength: new(-1)}, {Skip: -1}, {Chance: -0.1}, {Chance: 1.1},
			{Delay: -1}, {Trickle: -1}, {PadTo: -1},
		},
		"more than one field closes the connection": {
			{Drop: true, DropMidHeaders: true}, {DropAfter: true, TruncateAt: new(1)}, {Raw: "x", StallAt: new(1)},
		},
		"Reset requires a field that closes the connection": {
			{Reset: true}, {Reset: true, StallAt: new(1)}, {Reset: true, Raw: "x", KeepOpen: true},
		},
		"KeepOpen requires Raw": {{KeepOpen: true, Drop: true}},
		"a field sets the body of a response that has none": {
			{Status: 204, Body: "{}"}, {Status: 304, PadTo: 1}, {NoBody: true, ContentLength: new(1)},
		},
		"DropOnAccept excludes fields that apply to requests": {
			{DropOnAccept: true, Delay: time.Second}, {DropOnAccept: true, Operation: "admin-api-keys-create"},
		},
		"Drop and Raw exclude fields that change the response": {{Drop: true, Status: 500}, {Raw: "x", Duplicate: true}},
		"DropMidHeaders and DropAfter exclude PadTo, Gzip and Trickle": {
			{DropAfter: true, PadTo: 10}, {DropMidHeaders: true, Gzip: true}, {DropAfter: true, Trickle: 1},
		},
		"more than one field sends bytes after the response": {{Duplicate: true, Unsolicited: "x"}},
		"ContentLength, Unsolicited and Duplicate exclude PadTo, Gzip, Trickle and fields that close the connection": {
			{Duplicate: true, Gzip: true}, {Unsolicited: "x", TruncateAt: new(1)},
		},
		"Late requires a field that sends bytes after the response": {{Late: true}},
	}
	check := func(t *testing.T, problem string, f orgkeystest.Fault, opts ...orgkeystest.Option) {
		t.Helper()
		s := orgkeystest.New(t, opts...)
		assert.PanicsWithValue(t, fmt.Sprintf("orgkeystest: Inject: %s: %s", f, problem), func() { s.Inject(f) })
	}
	for problem, all := range common {
		for _, f := range all {
			check(t, problem, f, orgkeystest.InMemory())
			assert.EqualError(t, f.Validate(), problem, f)
		}
	}
	for _, f := range []orgkeystest.Fault{{Raw: "x"}, {DropMidHeaders: true}, {DropAfter: true}, {Duplicate: true}, {Unsolicited: "x"}, {ContentLength: new(1)}} {
		require.NoError(t, f.Validate())
		check(t, "the fault has a field that HTTP/2 does not support", f, orgkeystest.InMemory(), orgkeystest.WithHTTP2())
	}
}

func TestFault_AfterWorkExcludesStatusesOfRefusals(t *testing.T) {
	s := orgkeystest.NewServer(orgkeystest.InMemory())
	defer s.Close()
	for status := 200; status < 600; status++ {
		inject := func() { s.Inject(orgkeystest.Fault{Status: status, AfterWork: true, NoBody: true}) }
		if status >= 400 && status < 500 && status != http.StatusRequestTimeout {
			assert.Panics(t, inject, status)
		} else {
			assert.NotPanics(t, inject, status)
		}
	}
}

func TestFault_String(t *testing.T) {
	f := orgkeystest.Fault{Operation: "admin-api-keys-create", Times: -1, Status: 200, Body: "sk-admin-secret", TruncateAt: new(5), Delay: time.Second}
	assert.Equal(t, "{Operation: admin-api-keys-create, Times: -1, Delay: 1s, Status: 200, Body: 15 bytes, TruncateAt: 5}", f.String())
}

func TestServer_ConcurrentClientsAgreeWithTheState(t *testing.T) {
	s := orgkeystest.New(t)
	for _, f := range []orgkeystest.Fault{{Status: 503}, {Status: 503, AfterWork: true}, {Drop: true, AfterWork: true}, {TruncateAt: new(4)}} {
		f.Operation, f.Times, f.Chance = "admin-api-keys-create", -1, 0.1
		s.Inject(f)
	}
	var seen sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := create(t, s); got.Status == 200 && got.Reading == nil {
					seen.Store(got.json(t)["id"], true)
				}
				call(t, s, "GET", adminKeys, "")
				s.Requests()
				s.UnusedFaults()
			}
		})
	}
	wg.Wait()

	created, byRequests := s.AdminKeys(), 0
	assert.Len(t, created, s.KeysCreated())
	for _, r := range s.Requests() {
		byRequests += r.KeysCreated
	}
	assert.Equal(t, s.KeysCreated(), byRequests)
	for _, key := range created {
		seen.Delete(key.ID)
	}
	seen.Range(func(id, _ any) bool { return assert.Fail(t, "the state lacks a key that a client received", id) })
}

// Two creates are sent on one connection. The fault applies to the first one.
func TestFault_BytesAfterTheResponse(t *testing.T) {
	const extra = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nextra"
	cases := map[string]struct {
		fault orgkeystest.Fault
		want  []string // parts of the bodies, in the order of their arrival
	}{
		"unsolicited":     {orgkeystest.Fault{Unsolicited: extra}, []string{`"first"`, "extra", `"second"`}},
		"late":            {orgkeystest.Fault{Unsolicited: extra, Late: true}, []string{`"first"`, "extra", `"second"`}},
		"duplicate":       {orgkeystest.Fault{Duplicate: true}, []string{`"first"`, `"first"`, `"second"`}},
		"late duplicate":  {orgkeystest.Fault{Duplicate: true, Late: true}, []string{`"first"`, `"first"`, `"second"`}},
		"overlong":        {orgkeystest.Fault{Body: "{}" + extra, ContentLength: new(2)}, []string{"{}", "extra", `"second"`}},
		"of length 0":     {orgkeystest.Fault{Body: extra, ContentLength: new(0)}, []string{"", "extra", `"second"`}},
		"exact length":    {orgkeystest.Fault{Body: "{}", ContentLength: new(2)}, []string{"{}", `"second"`}},
		"beyond the body": {orgkeystest.Fault{Body: "{}", ContentLength: new(3)}, []string{"{}", `"second"`}},
	}
	for name, c := range cases {
		for transport, opts := range transports {
			if transport == "http/2" {
				continue
			}
			t.Run(name+"/"+transport, func(t *testing.T) {
				s := orgkeystest.New(t, opts...)
				s.Inject(c.fault)
				conn := dial(t, s)
				in := bufio.NewReader(conn)
				var sending sync.WaitGroup
				defer sending.Wait()
				send := func(name string) {
					r := newRequest(t, s, "POST", adminKeys, `{"name":"`+name+`"}`)
					sending.Go(func() { assert.NoError(t, r.Write(conn)) }) // a pipe blocks until it is read
				}

				send("first")
				for i, want := range c.want {
					resp, err := http.ReadResponse(in, nil)
					require.NoError(t, err)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					assert.Equal(t, 200, resp.StatusCode)
					assert.Contains(t, string(body), want)
					if i == 0 {
						send("second")
					}
				}
			})
		}
	}
}

func TestFault_LateBytesWaitForTheNextResponse(t *testing.T) {
	for late, want := range map[bool]error{false: nil, true: os.ErrDeadlineExceeded} {
		synctest.Test(t, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.InMemory())
			s.Inject(orgkeystest.Fault{Unsolicited: "x", Late: late})
			conn := dial(t, s)
			require.NoError(t, newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`).Write(conn))
			in := bufio.NewReader(conn)
			resp, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Hour)))
			_, err = in.ReadByte()
			assert.ErrorIs(t, err, want)
			require.NoError(t, conn.Close())
		})
	}
}

// dial returns a connection to the server, which the test reads and writes itself.
func dial(t *testing.T, s *orgkeystest.Server) net.Conn {
	t.Helper()
	base, err := url.Parse(s.URL)
	require.NoError(t, err)
	conn, err := s.Dial(t.Context(), "tcp", base.Host)
	require.NoError(t, err)
	if base.Scheme == "https" {
		config := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		config.ServerName = base.Hostname()
		conn = tls.Client(conn, config)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestFault_KeepOpen(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"
	for name, raw := range map[string]string{"silence": "HTTP/1.1", "101": switching} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory())
				s.Inject(orgkeystest.Fault{Raw: raw, KeepOpen: true, Times: 2})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				began := time.Now()
				r := newRequest(t, s, "GET", adminKeys, "").WithContext(ctx)
				resp, err := s.Client().Do(r)
				if name == "101" {
					require.NoError(t, err)
					assert.Equal(t, 101, resp.StatusCode)
					time.AfterFunc(time.Hour, func() { _ = resp.Body.Close() })
					_, err = io.ReadAll(resp.Body)
				}
				require.Error(t, err)
				assert.Equal(t, time.Hour, time.Since(began))
				assert.Equal(t, 0, s.Requests()[0].Status)

				go func() { // the server's Close ends a connection that its client leaves open
					time.Sleep(time.Hour)
					s.Close()
				}()
				resp, err = s.Client().Do(newRequest(t, s, "GET", adminKeys, ""))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					assert.NoError(t, err, "the connection ends")
					_ = resp.Body.Close()
				}
				assert.Equal(t, 2*time.Hour, time.Since(began))
			})
		})
	}
}

func TestFault_UpdateAndDeleteAfterTheWork(t *testing.T) {
	s := orgkeystest.New(t)
	id := s.AddProjectKey(project, orgkeystest.ProjectKey{}).ID
	for _, afterWork := range []bool{false, true} {
		s.Inject(orgkeystest.Fault{Operation: "update-project-api-key", Status: 500, AfterWork: afterWork})
		require.Equal(t, 500, call(t, s, "POST", keys+id, `{"scopes":["a"],"expires_in_seconds":60}`).Status)
		assert.Equal(t, !afterWork, s.ProjectKeys(project)[0].ExpiresAt.IsNull())
		assert.Equal(t, afterWork, len(s.ProjectKeyScopes(project, id)) == 1)
	}
	for _, afterWork := range []bool{false, true} {
		s.Inject(orgkeystest.Fault{Operation: "delete-project-api-key", Drop: true, AfterWork: afterWork})
		require.Error(t, call(t, s, "DELETE", keys+id, "").Sent)
		assert.Equal(t, afterWork, len(s.ProjectKeys(project)) == 0)
	}
}

func TestFault_NetHTTPRepeatsNothingOverHTTP2(t *testing.T) {
	for name, f := range map[string]orgkeystest.Fault{
		"drop": {Drop: true}, "drop after the work": {Drop: true, AfterWork: true},
		"reset": {Drop: true, Reset: true}, "reset after the work": {Drop: true, Reset: true, AfterWork: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.WithHTTP2())
			id := s.AddProjectKey(project, orgkeystest.ProjectKey{}).ID
			require.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status)
			s.Inject(f)
			err := call(t, s, "DELETE", keys+id, "").Sent
			require.Error(t, err)
			if !f.Reset {
				assert.ErrorContains(t, err, "INTERNAL_ERROR")
			}
			assert.Len(t, s.Requests(), 2)
			assert.Equal(t, f.AfterWork, len(s.ProjectKeys(project)) == 0)
		})
	}
}
