package orgkeys_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
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

// told is what a caller learns from a create.
type told int

const (
	made told = iota
	notMade
	unknown
)

func (o told) String() string { return [...]string{"made", "not made", "unknown"}[o] }

// createFaults are the faults of a create's way, each in one position.
func createFaults() []createFault {
	every := -1
	rows := []createFault{
		{name: "none", fault: orgkeystest.Fault{}, told: made, minted: 1},

		{name: "429 once", fault: orgkeystest.Fault{Status: 429}, told: made, minted: 1},
		{name: "429 always", fault: orgkeystest.Fault{Status: 429, Times: every}, told: notMade},
		{name: "429 with a Retry-After that is too long", fault: orgkeystest.Fault{Status: 429, Header: http.Header{"Retry-After": {"3600"}}}, told: notMade},
		{name: "429 that should not be retried", fault: orgkeystest.Fault{Status: 429, Header: http.Header{"X-Should-Retry": {"false"}}}, told: notMade},

		{name: "dropped before the work", fault: orgkeystest.Fault{Drop: true}, told: unknown},
		{name: "dropped after the work", fault: orgkeystest.Fault{Drop: true, AfterWork: true}, told: unknown, minted: 1},
		{name: "dropped in the headers before the work", fault: orgkeystest.Fault{DropMidHeaders: true}, told: unknown},
		{name: "dropped in the headers after the work", fault: orgkeystest.Fault{DropMidHeaders: true, AfterWork: true}, told: unknown, minted: 1},
		{name: "cut behind the headers", fault: orgkeystest.Fault{TruncateAt: new(0)}, told: unknown, minted: 1},
		{name: "cut in the body", fault: orgkeystest.Fault{TruncateAt: new(40)}, told: unknown, minted: 1},
		{name: "stalled in the body", fault: orgkeystest.Fault{StallAt: new(40)}, told: unknown, minted: 1},
		{name: "late before the work", fault: orgkeystest.Fault{Delay: time.Hour}, told: unknown},
		{name: "late after the work", fault: orgkeystest.Fault{Delay: time.Hour, AfterWork: true}, told: unknown, minted: 1},
		{name: "slow and whole", fault: orgkeystest.Fault{Trickle: time.Millisecond}, told: made, minted: 1},
		{name: "no HTTP", fault: orgkeystest.Fault{Raw: "220 mail.example ESMTP\r\n", AfterWork: true}, told: unknown, minted: 1},
		{name: "a connection closed at once", fault: orgkeystest.Fault{DropOnAccept: true}, freshOnly: true, told: unknown},
	}
	for _, status := range []int{400, 401, 403, 404, 409, 418, 422, 425} {
		for _, header := range []http.Header{nil, {"X-Should-Retry": {"true"}}, {"Retry-After": {"1"}}} {
			rows = append(rows, createFault{
				name:  fmt.Sprintf("%d %v", status, header),
				fault: orgkeystest.Fault{Status: status, Header: header, Times: every}, told: notMade,
			})
		}
	}
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308, 408, 500, 501, 502, 503, 504, 520, 529} {
		for _, header := range []http.Header{nil, {"X-Should-Retry": {"true"}}, {"Retry-After": {"1"}}, {"Location": {"/v1/organization/admin_api_keys"}}} {
			for minted, after := range []bool{false, true} {
				rows = append(rows, createFault{
					name:  fmt.Sprintf("%d %v, after the work: %v", status, header, after),
					fault: orgkeystest.Fault{Status: status, Header: header, AfterWork: after, NoBody: status == 304}, told: unknown, minted: minted,
				})
			}
		}
	}
	for name, fault := range map[string]orgkeystest.Fault{
		"an empty object":      {Body: `{}`},
		"null":                 {Body: `null`},
		"an error with 200":    {Body: `{"error":{"message":"no","type":"x","param":null,"code":null}}`},
		"a page of a proxy":    {Body: `<html>`, ContentType: "text/html"},
		"nothing":              {Status: 200, NoBody: true},
		"no content":           {Status: 204, NoBody: true},
		"accepted":             {Status: 202, Body: `{}`},
		"more than the limit":  {PadTo: 9 << 20, Body: `{}`},
		"compressed gibberish": {Body: `{}`, Header: http.Header{"Content-Encoding": {"gzip"}}},
	} {
		fault.AfterWork = true
		rows = append(rows, createFault{name: "200 with " + name, fault: fault, told: unknown, minted: 1})
	}
	return rows
}

type createFault struct {
	name      string
	fault     orgkeystest.Fault
	freshOnly bool // the fault strikes a connection, so a reused one never meets it
	told      told
	minted    int
}

// TestOneCallMintsAtMostOneKey holds that the fake's own count of minted keys is 0 or 1
// whatever goes wrong, that the caller learns which of the three it is, and that FindCreated
// finds exactly what an unclear call has made.
func TestOneCallMintsAtMostOneKey(t *testing.T) {
	for _, create := range creates {
		for _, row := range createFaults() {
			for _, reused := range []bool{false, true} {
				if reused && row.freshOnly {
					continue
				}
				name := fmt.Sprintf("%s/%s/reused connection: %v", create.operation, row.name, reused)
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := orgkeystest.New(t, orgkeystest.InMemory())
						server.AddProject(project)
						client := newClient(t, server)
						if reused {
							_, err := client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
							require.NoError(t, err)
						}
						if !row.fault.DropOnAccept {
							row.fault.Operation = create.operation
						}
						server.Inject(row.fault)
						value, err := create.create(t.Context(), client)
						assert.Equal(t, row.minted, server.KeysCreated(), "keys minted")
						requireTold(t, row.told, value, err)
						if row.fault.Status != 429 {
							assert.LessOrEqual(t, requestsFor(server, create.operation), 1, "only a 429 is tried again")
						}

						if unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
							found, err := create.find(t.Context(), client, unknown)
							require.NoError(t, err)
							assert.Len(t, found, row.minted)
						}
					})
				})
			}
		}
	}
}

func requestsFor(server *orgkeystest.Server, operation string) (n int) {
	for _, request := range server.Requests() {
		if request.Operation == operation {
			n++
		}
	}
	return n
}

func requireTold(t *testing.T, want told, value string, err error) {
	t.Helper()
	unclear, isUnknown := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	switch want {
	case made:
		require.NoError(t, err)
		require.NotEmpty(t, value)
	case notMade:
		require.Error(t, err)
		require.False(t, isUnknown, "reported as unknown: %v", err)
	case unknown:
		require.True(t, isUnknown, "reported as certain: %v", err)
		require.Equal(t, "ci", unclear.Name)
		require.False(t, unclear.StartedAt.IsZero())
	}
}

// TestACreateThatCanNotConnectIsTriedAgain holds that a failure before any of the request was
// written costs nothing: the call makes its key once the connection is there.
func TestACreateThatCanNotConnectIsTriedAgain(t *testing.T) {
	for _, create := range creates {
		t.Run(create.operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := orgkeystest.New(t, orgkeystest.InMemory())
				server.AddProject(project)
				var dials atomic.Int32
				flaky := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
					if dials.Add(1) <= 2 {
						return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
					}
					return server.Dial(ctx, network, addr)
				}}
				defer flaky.CloseIdleConnections()
				client := newClient(t, server, orgkeys.WithHTTPClient(&http.Client{Transport: flaky}))
				value, err := create.create(t.Context(), client)
				requireTold(t, made, value, err)
				assert.Equal(t, int32(3), dials.Load())
				assert.Equal(t, 1, server.KeysCreated())
			})
		})
	}
}

// TestACreateByAnOddTransportIsSentOnce holds that a transport which breaks the rules, or sends
// in a way that it does not tell, is never trusted to have sent nothing.
func TestACreateByAnOddTransportIsSentOnce(t *testing.T) {
	fails := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}}
	for name, send := range map[string]roundTripper{
		"a fallback that does not tell": func(r *http.Request) (*http.Response, error) {
			copied := r.Clone(r.Context())
			copied.Body = nil
			_, err := fails.RoundTrip(copied)
			require.Error(t, err)
			_, _ = io.Copy(io.Discard, r.Body) // sent elsewhere
			return nil, errors.New("connection lost")
		},
		"neither answer nor error": func(*http.Request) (*http.Response, error) { return nil, nil },
		"answer and error":         func(*http.Request) (*http.Response, error) { return answer(200, "{}"), io.ErrUnexpectedEOF },
		"an error that is all":     func(*http.Request) (*http.Response, error) { return nil, io.EOF },
	} {
		for _, create := range creates {
			t.Run(name+"/"+create.operation, func(t *testing.T) {
				requests := 0
				client := stubbed(t, func(r *http.Request) (*http.Response, error) {
					requests++
					return send(r)
				})
				value, err := create.create(t.Context(), client)
				requireTold(t, unknown, value, err)
				assert.Equal(t, 1, requests)
			})
		}
	}
}

// TestACreateThatNeverConnectsIsNotMade holds the same for failures that stay.
func TestACreateThatNeverConnectsIsNotMade(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, row := range []struct {
		name     string
		dial     func(context.Context, string, string) (net.Conn, error)
		attempts int32
	}{
		{"refused", func(context.Context, string, string) (net.Conn, error) { return nil, refused }, 4},
		{"never answered", func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(time.Hour) // the transport goes on dialling when the attempt is over
			return nil, refused
		}, 4},
	} {
		for _, create := range creates {
			t.Run(row.name+"/"+create.operation, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := orgkeystest.New(t, orgkeystest.InMemory())
					var dials atomic.Int32
					transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
						dials.Add(1)
						return row.dial(ctx, network, addr)
					}}
					client := newClient(t, server, orgkeys.WithHTTPClient(&http.Client{Transport: transport}))
					value, err := create.create(t.Context(), client)
					requireTold(t, notMade, value, err)
					assert.Equal(t, row.attempts, dials.Load())
					time.Sleep(2 * time.Hour) // of the bubble: the dials end
				})
			})
		}
	}
}

// TestAnUntrustedCertificateEndsTheCall holds that a TLS failure mints nothing, is known to
// mint nothing, and is not tried again.
func TestAnUntrustedCertificateEndsTheCall(t *testing.T) {
	for _, create := range creates {
		t.Run(create.operation, func(t *testing.T) {
			server := orgkeystest.New(t, orgkeystest.WithTLS())
			server.AddProject(project)
			var dials atomic.Int32
			trustsNobody := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials.Add(1)
				return new(net.Dialer).DialContext(ctx, network, addr)
			}}
			defer trustsNobody.CloseIdleConnections()
			client := newClient(t, server, orgkeys.WithHTTPClient(&http.Client{Transport: trustsNobody}))
			value, err := create.create(t.Context(), client)
			requireTold(t, notMade, value, err)
			_, isUnknownAuthority := errors.AsType[x509.UnknownAuthorityError](err)
			assert.True(t, isUnknownAuthority, "%v", err)
			assert.Equal(t, int32(1), dials.Load())
			assert.Zero(t, server.KeysCreated())
		})
	}
}

// TestACreateOverHTTP2IsNotReplayed holds that net/http's own silent replays, which HTTP/2
// makes where it can get the body again, mint no second key.
func TestACreateOverHTTP2IsNotReplayed(t *testing.T) {
	for _, create := range creates {
		for minted, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after the work: %v", create.operation, after), func(t *testing.T) {
				server := orgkeystest.New(t, orgkeystest.WithHTTP2())
				server.AddProject(project)
				client := newClient(t, server)
				server.Inject(orgkeystest.Fault{Operation: create.operation, Drop: true, AfterWork: after})
				value, err := create.create(t.Context(), client)
				requireTold(t, unknown, value, err)
				assert.Equal(t, minted, server.KeysCreated())
			})
		}
	}
}

// TestATransportCanNotReplayACreate holds what the replays of net/http and of many a
// middleware need and do not get: a second copy of the body, or an Idempotency-Key.
func TestATransportCanNotReplayACreate(t *testing.T) {
	client := stubbed(t, func(r *http.Request) (*http.Response, error) {
		assert.Nil(t, r.GetBody)
		assert.NotContains(t, r.Header, "Idempotency-Key")
		assert.NotContains(t, r.Header, "X-Idempotency-Key")
		return nil, errors.New("connection lost")
	})
	_, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
	requireTold(t, unknown, "", err)
	_, err = client.Generated().AdminAPIKeysCreate(t.Context(), orgkeysBody("ci"), func(_ context.Context, r *http.Request) error {
		r.Header.Set("Idempotency-Key", "1")
		r.Header["X-Idempotency-Key"] = nil
		return nil
	})
	_, isUnknown := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	assert.True(t, isUnknown)
}

// TestACancelledCreateTellsWhetherItWasSent holds that the end of the context is no excuse.
func TestACancelledCreateTellsWhetherItWasSent(t *testing.T) {
	for _, row := range []struct {
		name   string
		fault  *orgkeystest.Fault
		after  time.Duration
		told   told
		minted int
	}{
		{"before it began", nil, 0, notMade, 0},
		{"while it was under way", &orgkeystest.Fault{Delay: time.Hour}, time.Second, unknown, 0},
		{"after the work", &orgkeystest.Fault{Delay: time.Hour, AfterWork: true}, time.Second, unknown, 1},
		{"in the body", &orgkeystest.Fault{StallAt: new(40)}, time.Second, unknown, 1},
		{"while it waited after a 429", &orgkeystest.Fault{Status: 429}, time.Second, notMade, 0},
	} {
		for _, create := range creates {
			t.Run(row.name+"/"+create.operation, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := orgkeystest.New(t, orgkeystest.InMemory())
					server.AddProject(project)
					if row.fault != nil {
						fault := *row.fault
						fault.Operation = create.operation
						server.Inject(fault)
					}
					ctx, cancel := context.WithCancel(t.Context())
					if row.after == 0 {
						cancel()
					}
					time.AfterFunc(row.after, cancel)
					began := time.Now()
					value, err := create.create(ctx, newClient(t, server))
					requireTold(t, row.told, value, err)
					assert.ErrorIs(t, err, context.Canceled)
					assert.Equal(t, row.after, time.Since(began), "a cancelled call ends at once")
					assert.Equal(t, row.minted, server.KeysCreated())
					if row.fault != nil && row.fault.Status == 429 {
						assert.ErrorIs(t, err, orgkeys.ErrRateLimited, "the last failure is carried too")
					}
				})
			})
		}
	}
}

// TestFindCreatedReturnsTheCandidates holds which of the keys that are there may be the
// call's: those of its name, created since it began, with five minutes for the clocks.
func TestFindCreatedReturnsTheCandidates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := orgkeystest.New(t, orgkeystest.InMemory())
		server.AddProject(project)
		client := newClient(t, server)
		began := time.Now()
		at := func(d time.Duration) orgkeys.UnixTime { return orgkeys.UnixTime(began.Add(d).Unix()) }
		for id, row := range map[string]struct {
			name *string
			at   orgkeys.UnixTime
		}{
			"key_old":     {new("ci"), at(-5*time.Minute - time.Second)},
			"key_skewed":  {new("ci"), at(-5 * time.Minute)},
			"key_other":   {new("cd"), at(0)},
			"key_unnamed": {nil, at(0)},
			"key_mine":    {new("ci"), at(time.Second)},
			"key_later":   {new("ci"), at(time.Hour)},
		} {
			server.AddAdminKey(orgkeystest.AdminKey{ID: id, Name: row.name, CreatedAt: row.at})
		}
		found, err := client.AdminKeys.FindCreated(t.Context(), &orgkeys.UnknownOutcomeError{
			Operation: "admin-api-keys-create", Name: "ci", StartedAt: began,
		})
		require.NoError(t, err)
		var ids []string
		for _, key := range found {
			ids = append(ids, key.ID)
		}
		assert.Equal(t, []string{"key_later", "key_mine", "key_skewed"}, ids, "newest first")
	})
}

// TestFindCreatedTrustsNoOrder holds that a server which lists the oldest first all the same
// hides nothing.
func TestFindCreatedTrustsNoOrder(t *testing.T) {
	now := time.Now()
	key := func(id string, at time.Time) string {
		return fmt.Sprintf(`{"object":"organization.admin_api_key","id":"%s","name":"ci","redacted_value":"sk-admin...def","created_at":%d,"owner":{}}`, id, at.Unix())
	}
	client := stubbed(t, func(*http.Request) (*http.Response, error) {
		return answer(200, `{"object":"list","has_more":false,"data":[`+key("old", now.Add(-time.Hour))+`,`+key("mine", now)+`,`+key("later", now.Add(time.Minute))+`]}`), nil
	})
	found, err := client.AdminKeys.FindCreated(t.Context(), &orgkeys.UnknownOutcomeError{Operation: "admin-api-keys-create", Name: "ci", StartedAt: now})
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, "later", found[0].ID)
	assert.Equal(t, "mine", found[1].ID)
}

// TestFindCreatedRefusesWhatItsServiceDidNotCause holds that an error of the one create is not
// taken to the other service, nor one that says nothing.
func TestFindCreatedRefusesWhatItsServiceDidNotCause(t *testing.T) {
	client := stubbed(t, func(*http.Request) (*http.Response, error) { panic("nothing is sent") })
	for _, unknown := range []*orgkeys.UnknownOutcomeError{nil, {}, {Operation: "delete-project-api-key", Name: "ci"}} {
		_, err := client.AdminKeys.FindCreated(t.Context(), unknown)
		assert.Error(t, err)
		_, err = client.ServiceAccounts.FindCreated(t.Context(), unknown)
		assert.Error(t, err)
	}
}

// TestARevokeSaysWhatBecameOfTheKey holds the rule for a 404: gone after an attempt that may
// have revoked, not found where there was none.
func TestARevokeSaysWhatBecameOfTheKey(t *testing.T) {
	const operation = "delete-project-api-key"
	gone := func(t *testing.T, key *orgkeys.DeletedProjectKey, err error) {
		require.NoError(t, err)
		assert.True(t, key.Deleted)
		assert.Equal(t, "key_1", key.ID)
	}
	fails := func(target error) func(*testing.T, *orgkeys.DeletedProjectKey, error) {
		return func(t *testing.T, key *orgkeys.DeletedProjectKey, err error) {
			assert.Nil(t, key)
			assert.ErrorIs(t, err, target)
		}
	}
	misanswered := func(pointer string) func(*testing.T, *orgkeys.DeletedProjectKey, error) {
		return func(t *testing.T, key *orgkeys.DeletedProjectKey, err error) {
			assert.Nil(t, key)
			wrong, ok := errors.AsType[*orgkeys.ResponseError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, pointer, wrong.Pointer)
		}
	}
	for _, row := range []struct {
		name   string
		absent bool // the key is not there to begin with
		faults []orgkeystest.Fault
		then   func(*testing.T, *orgkeys.DeletedProjectKey, error)
	}{
		{"revoked", false, nil, gone},
		{"500 after the work, then 404", false, []orgkeystest.Fault{{Status: 500, AfterWork: true}}, gone},
		{"503 before the work", false, []orgkeystest.Fault{{Status: 503}}, gone},
		{"408 after the work, then 404", false, []orgkeystest.Fault{{Status: 408, AfterWork: true}}, gone},
		{"dropped after the work, then 404", false, []orgkeystest.Fault{{Drop: true, AfterWork: true}}, gone},
		{"dropped before the work", false, []orgkeystest.Fault{{Drop: true}}, gone},
		{"cut short after the work, then 404", false, []orgkeystest.Fault{{TruncateAt: new(10)}}, gone},
		{"too late after the work, then 404", false, []orgkeystest.Fault{{Delay: time.Hour, AfterWork: true}}, gone},
		{"500 after the work, 429, then 404", false, []orgkeystest.Fault{{Status: 500, AfterWork: true}, {Status: 429}}, gone},
		{"429, then revoked", false, []orgkeystest.Fault{{Status: 429}}, gone},
		{"503, then 404 of a key that never was: the same to see", true, []orgkeystest.Fault{{Status: 503}}, gone},
		{"502, then 404 of a proxy", false, []orgkeystest.Fault{{Status: 502}, {Status: 404, Body: "default backend", ContentType: "text/plain"}}, func(t *testing.T, key *orgkeys.DeletedProjectKey, err error) {
			assert.Nil(t, key)
			assert.NotErrorIs(t, err, orgkeys.ErrNotFound, "it may be revoked")
			refusal, ok := errors.AsType[*orgkeys.APIError](err)
			require.True(t, ok)
			assert.Equal(t, 404, refusal.Status)
		}},
		{"404 at once", true, nil, fails(orgkeys.ErrNotFound)},
		{"429, then 404", true, []orgkeystest.Fault{{Status: 429}}, fails(orgkeys.ErrNotFound)},
		{"404 that is cut short", true, []orgkeystest.Fault{{Status: 404, TruncateAt: new(5), Times: -1}}, fails(orgkeys.ErrNotFound)},
		{"400 that is cut short", false, []orgkeystest.Fault{{Status: 400, TruncateAt: new(5), Times: -1}}, fails(orgkeys.ErrBadRequest)},
		{"500 always", false, []orgkeystest.Fault{{Status: 500, Times: -1}}, func(t *testing.T, key *orgkeys.DeletedProjectKey, err error) {
			assert.Nil(t, key)
			refusal, ok := errors.AsType[*orgkeys.APIError](err)
			require.True(t, ok)
			assert.Equal(t, 500, refusal.Status)
		}},
		{"deleted is false", false, []orgkeystest.Fault{{Body: `{"object":"organization.project.api_key.deleted","id":"key_1","deleted":false}`}}, misanswered("/deleted")},
		{"another key's id", false, []orgkeystest.Fault{{Body: `{"object":"organization.project.api_key.deleted","id":"key_2","deleted":true}`}}, misanswered("/id")},
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
				key, err := newClient(t, server).ProjectKeys.Delete(t.Context(), project, "key_1")
				row.then(t, key, err)
			})
		})
	}
}
