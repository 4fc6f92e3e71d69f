package orgkeystest_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
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

// traced notes in reused whether the request got a connection that had served before.
func traced(r *http.Request, reused *bool) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { *reused = info.Reused },
	}))
}

// endings are the faults that leave a client without a whole answer, and what net/http makes
// of each.
var endings = map[string]struct {
	fault  orgkeystest.Fault
	http1  bool // not to be had over HTTP/2
	before bool // can strike before the work
	seen   func(t *testing.T, got result)
}{
	"drop":                         {fault: orgkeystest.Fault{Drop: true}, before: true, seen: noAnswer},
	"reset":                        {fault: orgkeystest.Fault{Drop: true, Reset: true}, before: true, seen: noAnswer},
	"in the middle of the headers": {fault: orgkeystest.Fault{DropMidHeaders: true}, http1: true, before: true, seen: noAnswer},
	"no HTTP":                      {fault: orgkeystest.Fault{Raw: "SSH-2.0-nothing\r\n"}, http1: true, before: true, seen: noAnswer},
	"broken chunks": {
		fault:  orgkeystest.Fault{Raw: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"ob\r\nzz\r\n"},
		http1:  true,
		before: true,
		seen:   broken(4),
	},
	"right behind the headers": {fault: orgkeystest.Fault{TruncateAt: new(0)}, seen: broken(0)},
	"in the body":              {fault: orgkeystest.Fault{TruncateAt: new(10)}, seen: broken(10)},
	"in a body of the fault's": {fault: orgkeystest.Fault{Body: `{"object":"list"}`, TruncateAt: new(3)}, before: true, seen: broken(3)},
	"behind a body that was announced longer": {
		fault: orgkeystest.Fault{Body: `{}`, TruncateAt: new(2)}, before: true, seen: broken(2),
	},
	"behind a body of no announced length": {fault: orgkeystest.Fault{PadTo: 10, TruncateAt: new(1 << 20)}, seen: broken(-1)},
	"in a compressed body":                 {fault: orgkeystest.Fault{Gzip: true, TruncateAt: new(20)}, seen: broken(-1)},
}

func noAnswer(t *testing.T, got result) {
	t.Helper()
	assert.Error(t, got.Sent)
}

// broken is a 200 whose body breaks off behind so many bytes, -1 being any number.
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

func TestAConnectionEndsWhereTheFaultSays(t *testing.T) {
	for name, opts := range transports {
		for ending, c := range endings {
			for _, afterWork := range []bool{false, true} {
				for _, reused := range []bool{false, true} {
					if c.http1 && name == "http/2" || !c.before && !afterWork {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/afterWork=%t/reused=%t", name, ending, afterWork, reused), func(t *testing.T) {
						s := orgkeystest.New(t, opts...)
						if reused {
							require.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status)
						}
						c.fault.AfterWork = afterWork
						s.Inject(c.fault)

						var onReused bool
						c.seen(t, do(s.Client(), traced(newRequest(t, s, "POST", adminKeys, `{"name":"ci"}`), &onReused)))

						assert.Equal(t, reused, onReused)
						minted := 0
						if afterWork {
							minted = 1
						}
						assert.Equal(t, minted, s.KeysCreated())
						assert.Len(t, s.AdminKeys(), minted)
						assert.Equal(t, 200, create(t, s).Status, "the server goes on")
						assert.Equal(t, minted+1, s.KeysCreated(), "net/http replays no POST")
					})
				}
			}
		}
	}
}

func TestAResetIsOneAndADropIsNone(t *testing.T) {
	for name, opts := range map[string][]orgkeystest.Option{"http": {}, "https": {orgkeystest.WithTLS()}} {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opts...)
			s.Inject(orgkeystest.Fault{Drop: true}, orgkeystest.Fault{Drop: true, Reset: true})
			assert.ErrorIs(t, create(t, s).Sent, io.EOF)
			assert.ErrorIs(t, create(t, s).Sent, syscall.ECONNRESET)
		})
	}
}

func TestNetHTTPReplaysADroppedGetOnAReusedConnection(t *testing.T) {
	s := orgkeystest.New(t)
	require.Equal(t, 200, create(t, s).Status)
	s.Inject(orgkeystest.Fault{Drop: true})
	require.Equal(t, 200, call(t, s, "GET", adminKeys, "").Status)

	log := s.Requests()
	require.Len(t, log, 3, "the fake sees both, unlike the caller")
	assert.True(t, log[1].Faulted)
	assert.Zero(t, log[1].Status)
	assert.False(t, log[2].Faulted)
}

func TestAConnectionThatDiesBehindTheAnswerPromisesToLive(t *testing.T) {
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
	assert.False(t, resp.Close, "no word of closing")
	assert.Contains(t, string(body), "sk-admin-")
	_, err = in.ReadByte()
	assert.ErrorIs(t, err, io.EOF)
	assert.Equal(t, 200, s.Requests()[0].Status)
}

func TestAConnectionCanEndBeforeAnyRequest(t *testing.T) {
	for name, opts := range transports {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, opts...)
			s.Inject(orgkeystest.Fault{DropOnAccept: true, Skip: 1})
			require.Equal(t, 200, create(t, s).Status)
			s.Client().CloseIdleConnections()

			require.Error(t, create(t, s).Sent)
			assert.Len(t, s.Requests(), 1, "the request never was")
			assert.Equal(t, 1, s.KeysCreated())
			assert.Equal(t, 200, create(t, s).Status)
		})
	}
}

func TestAnAnswerIsWhatTheFaultSays(t *testing.T) {
	const html = "<html>Bad gateway</html>"
	cases := map[string]struct {
		fault  orgkeystest.Fault
		status int
		body   string
		header map[string]any // nil: not there
		minted int
	}{
		"a status brings an envelope": {
			fault: orgkeystest.Fault{Status: 529}, status: 529,
			body: `{"error":{"code":null,"message":"A test asked for the status 529.","param":null,"type":"server_error"}}` + "\n",
		},
		"a rate limit with a hint": {
			fault: orgkeystest.Fault{Status: 429, Header: http.Header{"retry-after": {"7"}}}, status: 429,
			body:   `{"error":{"code":"rate_limit_exceeded","message":"A test asked for the status 429.","param":null,"type":"requests"}}` + "\n",
			header: map[string]any{"Retry-After": "7"},
		},
		"a gateway's page":        {fault: orgkeystest.Fault{Status: 502, Body: html, ContentType: "text/html"}, status: 502, body: html, header: map[string]any{"Content-Type": "text/html"}},
		"a bare string as error":  {fault: orgkeystest.Fault{Status: 404, Body: `{"error":"nope"}`}, status: 404, body: `{"error":"nope"}`},
		"an error with no body":   {fault: orgkeystest.Fault{Status: 500, NoBody: true}, status: 500, header: map[string]any{"Content-Type": "application/json"}},
		"a success with no body":  {fault: orgkeystest.Fault{Status: 200}, status: 200},
		"no content":              {fault: orgkeystest.Fault{Status: 204, AfterWork: true}, status: 204, minted: 1, header: map[string]any{"Content-Length": nil}},
		"a body is a 200":         {fault: orgkeystest.Fault{Body: `{}`}, status: 200, body: `{}`, header: map[string]any{"Content-Type": "application/json"}},
		"done, and denied":        {fault: orgkeystest.Fault{Status: 500, NoBody: true, AfterWork: true}, status: 500, minted: 1},
		"done, and timed out":     {fault: orgkeystest.Fault{Status: 408, NoBody: true, AfterWork: true}, status: 408, minted: 1},
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
				assert.Equal(t, c.minted, s.KeysCreated())
				assert.Equal(t, c.status, s.Requests()[0].Status)
				if _, own := c.header["X-Request-Id"]; !own {
					assert.Equal(t, s.Requests()[0].RequestID, got.Header.Get("X-Request-Id"))
				}
			})
		}
	}
}

func TestTheAPIsOwnAnswerIsSpoiledAndTheWorkIsDone(t *testing.T) {
	cases := map[string]struct {
		fault orgkeystest.Fault
		seen  func(t *testing.T, got result)
	}{
		"nothing": {orgkeystest.Fault{}, func(t *testing.T, got result) { assert.Equal(t, "ci", got.json(t)["name"]) }},
		"another content type": {orgkeystest.Fault{ContentType: "text/plain"}, func(t *testing.T, got result) {
			assert.Equal(t, "text/plain", got.Header.Get("Content-Type"))
			assert.Equal(t, "ci", got.json(t)["name"])
		}},
		"a header more": {orgkeystest.Fault{Header: http.Header{"X-Should-Retry": {"true"}}}, func(t *testing.T, got result) {
			assert.Equal(t, "true", got.Header.Get("X-Should-Retry"))
			assert.Equal(t, "ci", got.json(t)["name"])
		}},
		"padding": {orgkeystest.Fault{PadTo: 100_000}, func(t *testing.T, got result) {
			assert.Len(t, got.Body, 100_000)
			assert.Empty(t, got.Header.Get("Content-Length"))
			assert.Equal(t, "ci", got.json(t)["name"])
		}},
		"padding to less than there is": {orgkeystest.Fault{PadTo: 1}, func(t *testing.T, got result) {
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
				r.Header.Set("Accept-Encoding", "identity") // net/http unpacks nothing then
				got := do(s.Client(), r)
				require.NoError(t, errors.Join(got.Sent, got.Reading))
				assert.Equal(t, 200, got.Status)
				c.seen(t, got)
				assert.Equal(t, 1, s.KeysCreated())
			})
		}
	}
}

func TestAHugeBodyIsNotInMemory(t *testing.T) {
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

func TestDelaysPassOnTheClockOfTheBubble(t *testing.T) {
	cases := map[string]struct {
		fault    orgkeystest.Fault
		patience time.Duration
		took     time.Duration
		status   int // 0: the client gave up
		body     int // bytes that arrived where the client gave up in the body
		minted   int
	}{
		"and then all is well":              {orgkeystest.Fault{Delay: time.Hour}, 2 * time.Hour, time.Hour, 200, -1, 1},
		"and then the work, and an error":   {orgkeystest.Fault{Delay: time.Hour, Status: 500, AfterWork: true}, 2 * time.Hour, time.Hour, 500, -1, 1},
		"and then an error":                 {orgkeystest.Fault{Delay: time.Hour, Status: 500}, 2 * time.Hour, time.Hour, 500, -1, 0},
		"too long, before the work":         {orgkeystest.Fault{Delay: time.Hour}, time.Minute, time.Minute, 0, 0, 0},
		"too long, after the work":          {orgkeystest.Fault{Delay: time.Hour, AfterWork: true}, time.Minute, time.Minute, 0, 0, 1},
		"a body that never comes":           {orgkeystest.Fault{StallAt: new(0)}, time.Minute, time.Minute, 200, 0, 1},
		"a body that stalls":                {orgkeystest.Fault{StallAt: new(7)}, time.Minute, time.Minute, 200, 7, 1},
		"a body that trickles for too long": {orgkeystest.Fault{Trickle: time.Second}, 10*time.Second + 1, 10*time.Second + 1, 200, 10, 1},
		"a body that trickles":              {orgkeystest.Fault{Trickle: time.Second, Body: `{"a":1}`}, time.Minute, 7 * time.Second, 200, -1, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := orgkeystest.New(t, orgkeystest.InMemory())
				s.Inject(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
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
				assert.Equal(t, c.minted, s.KeysCreated(), "nothing else happens")
			})
		})
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	cases := map[string]struct {
		fault orgkeystest.Fault
		reads bool
		took  time.Duration
	}{
		"delay":            {orgkeystest.Fault{Delay: time.Hour}, true, 0},
		"late answer":      {orgkeystest.Fault{Delay: time.Hour, AfterWork: true}, true, 0},
		"stall":            {orgkeystest.Fault{StallAt: new(3)}, true, 0},
		"trickle":          {orgkeystest.Fault{Trickle: time.Hour}, true, 0},
		"garbage unread":   {orgkeystest.Fault{Raw: "garbage"}, false, 0},
		"an answer unread": {orgkeystest.Fault{}, false, time.Second},
		"a body unread":    {orgkeystest.Fault{PadTo: 1 << 40}, false, time.Second},
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
					assert.Empty(t, late, "nothing is left that still writes")
				}
			})
		})
	}
}

func TestAFaultStrikesTheRequestsThatItNames(t *testing.T) {
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
		"the next":                    {[]orgkeystest.Fault{fault(orgkeystest.Fault{}, 500)}, []int{500, 200, 200, 200, 200, 200}},
		"two in a row":                {[]orgkeystest.Fault{fault(orgkeystest.Fault{}, 500), fault(orgkeystest.Fault{}, 503)}, []int{500, 503, 200, 200, 200, 200}},
		"of an operation":             {[]orgkeystest.Fault{fault(orgkeystest.Fault{Operation: "admin-api-keys-create"}, 500)}, []int{200, 500, 200, 200, 200, 200}},
		"of an operation, after some": {[]orgkeystest.Fault{fault(orgkeystest.Fault{Operation: list, Skip: 2}, 500)}, []int{200, 200, 200, 200, 500, 200}},
		"some":                        {[]orgkeystest.Fault{fault(orgkeystest.Fault{Skip: 1, Times: 3}, 500)}, []int{200, 500, 500, 500, 200, 200}},
		"all":                         {[]orgkeystest.Fault{fault(orgkeystest.Fault{Operation: list, Times: -1}, 500)}, []int{500, 200, 500, 200, 500, 200}},
		"what is taken does not count": {
			[]orgkeystest.Fault{fault(orgkeystest.Fault{Times: 2}, 500), fault(orgkeystest.Fault{Skip: 1}, 503)},
			[]int{500, 500, 200, 503, 200, 200},
		},
		"one that is not due leaves the request to the next": {
			[]orgkeystest.Fault{fault(orgkeystest.Fault{Skip: 1}, 500), fault(orgkeystest.Fault{}, 503)},
			[]int{503, 500, 200, 200, 200, 200},
		},
		"a chance of 1 is certain": {[]orgkeystest.Fault{fault(orgkeystest.Fault{Chance: 1, Times: -1}, 500)}, []int{500, 500, 500, 500, 500, 500}},
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

func TestAFaultIsWhatItWasWhenInjected(t *testing.T) {
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

func TestAChanceIsAShareOfTheRequests(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	s.Inject(orgkeystest.Fault{Chance: 0.5, Times: -1, Status: 500})
	struck := 0
	const requests = 400
	for range requests {
		if call(t, s, "GET", adminKeys, "").Status == 500 {
			struck++
		}
	}
	// Beyond eight standard deviations from the half.
	assert.InDelta(t, requests/2, struck, 80)
}

func TestAFaultThatCannotBeIsRefused(t *testing.T) {
	type faults = map[string]orgkeystest.Fault
	common := faults{
		"the contract has no operation":      {Operation: "admin-keys-create"},
		"refuses a request":                  {Status: 429, AfterWork: true},
		"is not the status of an answer":     {Status: 101},
		"out of its range":                   {TruncateAt: new(-1)},
		"in one way only":                    {Drop: true, DropMidHeaders: true},
		"something that ends the connection": {Reset: true},
		"Reset goes with":                    {Reset: true, StallAt: new(1)},
		"cannot have one":                    {Status: 204, Body: "{}"},
		"before there is a request":          {DropOnAccept: true, Delay: time.Second},
		"no answer that the other fields":    {Drop: true, Status: 500},
		"not to be padded":                   {DropAfter: true, PadTo: 10},
	}
	check := func(t *testing.T, all faults, opts ...orgkeystest.Option) {
		t.Helper()
		for text, f := range all {
			t.Run(text, func(t *testing.T) {
				s := orgkeystest.New(t, opts...)
				defer func() { assert.Contains(t, fmt.Sprint(recover()), text) }()
				s.Inject(f)
			})
		}
	}
	check(t, common)
	check(t, faults{"HTTP/2 has no such answer": {Raw: "garbage"}}, orgkeystest.WithHTTP2())
}

func TestRefusalsCannotComeAfterTheWork(t *testing.T) {
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

func TestAFaultNamesWhatIsSet(t *testing.T) {
	f := orgkeystest.Fault{Operation: "admin-api-keys-create", Times: -1, Status: 200, Body: "sk-admin-secret", TruncateAt: new(5), Delay: time.Second}
	assert.Equal(t, "{Operation: admin-api-keys-create, Times: -1, Delay: 1s, Status: 200, Body: 15 bytes, TruncateAt: 5}", f.String())
}

func TestManyClientsAtOnceAgreeWithTheState(t *testing.T) {
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

	minted, byRequests := s.AdminKeys(), 0
	assert.Len(t, minted, s.KeysCreated())
	for _, r := range s.Requests() {
		byRequests += r.KeysCreated
	}
	assert.Equal(t, s.KeysCreated(), byRequests)
	for _, key := range minted {
		seen.Delete(key.ID)
	}
	seen.Range(func(id, _ any) bool { return assert.Fail(t, "a key that the state does not have", id) })
}
