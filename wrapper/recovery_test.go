package orgkeys

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
)

// listed is an item of a list, created at an offset from the start of the create.
type listed struct {
	id, name string
	created  time.Duration // by the server's clock
}

// TestFindCreated covers which items may be the created one, and when that cannot be known. The
// offsets and the Date are relative to the start of the create by this machine's clock.
func TestFindCreated(t *testing.T) {
	const noDate = time.Duration(-1)
	const hour, minute, second = time.Hour, time.Minute, time.Second
	for _, row := range []struct {
		name      string
		requested string
		date      time.Duration
		items     []listed
		want      string // the ids that are found
		err       string
	}{
		{"an empty list", "ci", 0, nil, "", ""},
		{"an empty list, no Date", "ci", noDate, nil, "", ""},
		{"other names", "ci", 0, []listed{{"a", "cd", 0}, {"b", "x", 0}, {"c", "ci-2", 0}, {"d", "c", 0}}, "", ""},
		{"newest first", "ci", 0, []listed{{"a", "ci", second}, {"b", "ci", hour}, {"c", "ci", minute}}, "b c a", ""},
		{"within the tolerance", "ci", 0, []listed{{"a", "ci", -5 * minute}}, "a", ""},
		{"before the tolerance", "ci", 0, []listed{{"a", "ci", -5*minute - second}}, "", ""},
		{"an older one and the created one", "ci", 0, []listed{{"a", "ci", -hour}, {"b", "ci", 0}}, "b", ""},

		{"server ahead by hours", "ci", 3 * hour, []listed{{"a", "ci", 3 * hour}, {"b", "ci", 2 * hour}}, "a", ""},
		{"server behind by hours", "ci", -3 * hour, []listed{{"a", "ci", -3 * hour}, {"b", "ci", -4 * hour}}, "a", ""},
		{"no Date, a later one", "ci", noDate, []listed{{"a", "ci", second}}, "a", ""},
		{"no Date, an earlier one", "ci", noDate, []listed{{"a", "ci", -hour}}, "", "the responses have no Date"},
		{"no Date, other names", "ci", noDate, []listed{{"a", "cd", -hour}}, "", ""},

		{"another case", "CI Runner", 0, []listed{{"a", "ci runner", 0}}, "", "may have changed its name"},
		{"other white space", "ci  runner", 0, []listed{{"a", "ci runner", 0}}, "", "may have changed its name"},
		{"other punctuation", "ci_runner", 0, []listed{{"a", "ci-runner", 0}}, "", "may have changed its name"},
		{"another normal form", "caf\u00e9", 0, []listed{{"a", "caf\ufffd\ufffd", 0}}, "", "may have changed its name"},
		{"no name", "ci", 0, []listed{{"a", "", 0}}, "", "may have changed its name"},
		{"cut", strings.Repeat("n", 100), 0, []listed{{"a", strings.Repeat("n", 64), 0}}, "", "may have changed its name"},
		{"cut to the shortest", strings.Repeat("n", 100), 0, []listed{{"a", strings.Repeat("n", 20), 0}}, "", "may have changed its name"},
		{"a common start", strings.Repeat("n", 100), 0, []listed{{"a", strings.Repeat("n", 19), 0}}, "", ""},
		{"longer than requested", strings.Repeat("n", 50), 0, []listed{{"a", strings.Repeat("n", 51), 0}}, "", ""},
		{"resembles, no Date", "ci runner", noDate, []listed{{"a", "ci-runner", -hour}}, "", "the responses have no Date"},
		{"resembles, but older", "ci runner", 0, []listed{{"a", "ci-runner", -hour}}, "", ""},
		{"resembles, but the exact one is there", "ci runner", 0, []listed{{"a", "ci-runner", 0}, {"b", "ci runner", 0}}, "b", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				uncertain := &UnknownOutcomeError{Operation: gen.OperationAdminAPIKeysCreate, Name: row.requested, StartedAt: time.Now()}
				list := func(ctx context.Context) iter.Seq2[listed, error] {
					if row.date != noDate {
						date := uncertain.StartedAt.Add(row.date).UTC().Format(http.TimeFormat)
						optionsOf(ctx).clock.observe(http.Header{"Date": {date}})
					}
					return func(yield func(listed, error) bool) {
						for _, item := range row.items {
							if !yield(item, nil) {
								return
							}
						}
					}
				}
				found, err := findCreated(t.Context(), uncertain, list, func(i *listed) (id, name string, createdAt UnixTime) {
					return i.id, i.name, UnixTime(uncertain.StartedAt.Add(i.created).Unix())
				})
				if row.err != "" {
					require.ErrorContains(t, err, row.err)
					assert.Empty(t, found, "nothing is returned beside an error")
					return
				}
				require.NoError(t, err)
				var ids []string
				for _, item := range found {
					ids = append(ids, item.id)
				}
				assert.Equal(t, row.want, strings.Join(ids, " "))
			})
		})
	}
}

// TestMayBeChangedName covers what servers do to names, and names that only have something in
// common.
func TestMayBeChangedName(t *testing.T) {
	for _, row := range []struct {
		requested, name string
		want            bool
	}{
		{"ci", "CI", true},
		{"ci", "c-i", true},
		{"ci", "ci2", false},
		{"ci2", "ci", false},
		{"ci", "", true}, // dropped
		{"ci", "ic", false},
		{"ci", "ci (1)", true},
		{"ci", "cicd (1)", false},
		{"a.b:c/d", "a-b-c-d", true},
		{"---", "***", true},
		{"caf\u00e9", "cafe\u0301", true},      // composed and decomposed
		{"caf\u00e9", "caf\u00c3\u00a9", true}, // UTF-8 read as Latin-1
		{"prod\uff11", "prod1", true},          // full width
		{"stra\u00dfe", "strasse", true},
		{"\u043a\u043b\u044e\u0447", "????", true},
		{"a&b", "a&amp;b", true},
		{"a<x>b", "ab", true},
		{"a%20b", "a b", true},
		{`a\b`, "a", true},
		{"a'b", "a", true},
		{`a"b`, "a", true},
		{strings.Repeat("n", 40), strings.Repeat("n", 20), true}, // cut
		{strings.Repeat("n", 40), strings.Repeat("n", 19), false},
		{strings.Repeat("n", 20), strings.Repeat("n", 40), false},
	} {
		assert.Equal(t, row.want, mayBeChangedName(row.requested, row.name), "%q, %q", row.requested, row.name)
	}
}

// TestFindCreated_FailsWithTheList: a list that fails after a match does not return the match.
func TestFindCreated_FailsWithTheList(t *testing.T) {
	broken := errors.New("broken")
	found, err := findCreated(t.Context(), &UnknownOutcomeError{Name: "ci", StartedAt: time.Now()},
		func(context.Context) iter.Seq2[listed, error] {
			return func(yield func(listed, error) bool) { _ = yield(listed{"a", "ci", 0}, nil) && yield(listed{}, broken) }
		},
		func(i *listed) (id, name string, createdAt UnixTime) {
			return i.id, i.name, UnixTime(time.Now().Unix())
		})
	assert.Nil(t, found)
	assert.ErrorIs(t, err, broken)
}

// TestFindCreated_ReadsTheServersClock: the Date of the list's responses reaches the search, with
// the metadata that the caller asked for.
func TestFindCreated_ReadsTheServersClock(t *testing.T) {
	started := time.Now()
	behind := started.Add(-3 * time.Hour)
	client := stubClient(t, stubTransport(func(*http.Request) (*http.Response, error) {
		r := jsonResponse(200, `{"object":"list","has_more":false,"data":[{"object":"organization.admin_api_key","id":"key_1","name":"ci",
			"redacted_value":"sk-admin...def","owner":{},"created_at":`+strconv.FormatInt(behind.Unix(), 10)+`}]}`)
		r.Header.Set("Date", behind.UTC().Format(http.TimeFormat))
		return r, nil
	}))
	var info CallInfo
	found, err := client.AdminKeys.FindCreated(WithCallInfo(t.Context(), &info),
		&UnknownOutcomeError{Operation: gen.OperationAdminAPIKeysCreate, Name: "ci", StartedAt: started})
	require.NoError(t, err)
	assert.Len(t, found, 1)
	assert.Equal(t, gen.OperationAdminAPIKeysList, info.Operation)
}

// TestFindCreated_RefusesOtherErrors: an error that lacks what identifies the create is refused
// before anything is sent.
func TestFindCreated_RefusesOtherErrors(t *testing.T) {
	client := stubClient(t, stubTransport(mustNotSend))
	now := time.Now()
	for _, uncertain := range []*UnknownOutcomeError{
		nil, {},
		{Operation: gen.OperationDeleteProjectAPIKey, Name: "ci", StartedAt: now},
		{Operation: gen.OperationAdminAPIKeysCreate, Name: "ci"},
		{Operation: gen.OperationAdminAPIKeysCreate, StartedAt: now},
		{Operation: gen.OperationCreateProjectServiceAccount, Name: "ci", ProjectID: "proj_1"},
		{Operation: gen.OperationCreateProjectServiceAccount, Name: "ci", StartedAt: now},
	} {
		_, err := client.AdminKeys.FindCreated(t.Context(), uncertain)
		assert.ErrorIs(t, err, ErrInvalidArgument)
		assert.ErrorIs(t, err, ErrNotSent)
		_, err = client.ServiceAccounts.FindCreated(t.Context(), uncertain)
		assert.ErrorIs(t, err, ErrInvalidArgument)
		assert.ErrorIs(t, err, ErrNotSent)
	}
	_, err := client.ServiceAccounts.FindCreated(t.Context(), &UnknownOutcomeError{Operation: gen.OperationAdminAPIKeysCreate, Name: "ci", StartedAt: now})
	assert.ErrorIs(t, err, ErrInvalidArgument, "the error of the other create")
}

func TestServerClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock serverClock
		clock.observe(http.Header{})
		clock.observe(http.Header{"Date": {"yesterday"}})
		assert.Equal(t, serverClock{}, clock)
		clock.observe(http.Header{"Date": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}})
		assert.Equal(t, serverClock{true, time.Hour}, clock)
		clock.observe(http.Header{"Date": {"yesterday"}})
		assert.Equal(t, serverClock{true, time.Hour}, clock, "a later response without a time changes nothing")
		started := time.Now().Add(300 * time.Millisecond)
		assert.Equal(t, time.Now().Add(55*time.Minute), clock.earliest(started), "creation times are whole seconds")
	})
}

// TestUnknownOutcomeError_ZeroValue: an error that a caller constructed prints.
func TestUnknownOutcomeError_ZeroValue(t *testing.T) {
	e := &UnknownOutcomeError{}
	assert.Contains(t, e.Error(), "no cause is known")
	assert.NoError(t, errors.Unwrap(e))
	assert.False(t, errors.Is(e, ErrNotSent))
}
