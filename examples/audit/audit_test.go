package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/examples/internal/exampletest"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const list = "admin-api-keys-list"

func TestTheDemonstrationShowsEachReason(t *testing.T) {
	for name, args := range map[string][]string{
		"table.txt":  nil,
		"keys.json":  {"-json"},
		"strict.txt": {"-unused", "1", "-expiring", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stdout, stderr bytes.Buffer
				require.Equal(t, 0, run(t.Context(), args, &stdout, &stderr, exampletest.NoKey))
				exampletest.Golden(t, name, stdout.String())
				assert.Equal(t, "OPENAI_ADMIN_KEY is not set: this is a demonstration on a fake of the API.\n6 admin keys read in 0s\n", stderr.String())
			})
		})
	}
}

func TestAKeyIsFoundFromTheDayOnThatWasAskedFor(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	at := func(days int, and time.Duration) orgkeys.OptionalTime {
		return orgkeys.TimeAt(now.AddDate(0, 0, days).Add(and))
	}
	later := at(300, 0)
	for _, c := range []struct {
		name          string
		used, expires orgkeys.OptionalTime
		want          []reason
	}{
		{name: "in use", used: at(-1, 0), expires: later},
		{name: "never used", expires: later, want: []reason{neverUsed}},
		{name: "last used in 1970", used: orgkeys.TimeAt(time.Unix(0, 0)), expires: later, want: []reason{unused}},
		{name: "unused for 90 days", used: at(-90, 0), expires: later, want: []reason{unused}},
		{name: "unused for a second less", used: at(-90, time.Second), expires: later},
		{name: "used after the audit began", used: at(0, time.Second), expires: later},
		{name: "without an end", used: at(0, 0), expires: orgkeys.NullTime(), want: []reason{endless}},
		{name: "with an end that is not told", used: at(0, 0)},
		{name: "expiring in 14 days", used: at(0, 0), expires: at(14, 0), want: []reason{expiring}},
		{name: "expiring a second later", used: at(0, 0), expires: at(14, time.Second)},
		{name: "expiring in a second", used: at(0, 0), expires: at(0, time.Second), want: []reason{expiring}},
		{name: "expired now", used: at(0, 0), expires: at(0, 0), want: []reason{expired}},
		{name: "expired in 1970", used: at(0, 0), expires: orgkeys.TimeAt(time.Unix(0, 0)), want: []reason{expired}},
		{name: "two reasons", used: at(-200, 0), expires: orgkeys.NullTime(), want: []reason{unused, endless}},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := orgkeys.AdminKey{LastUsedAt: c.used, ExpiresAt: c.expires}
			assert.Equal(t, c.want, policy{unusedDays: 90, expiringDays: 14}.reasons(key, now))
		})
	}
}

// audited runs the program for JSON on server.
func audited(t *testing.T, server *orgkeystest.Server) report {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(t.Context(), []string{"-json"}, &stdout, &stderr, exampletest.Live(server)), stderr.String())
	var r report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))
	return r
}

func TestWhatAServerDoesNotTellIsNotFoundAgainstAKey(t *testing.T) {
	key := func(more string) string {
		return `{"object":"organization.admin_api_key","id":"key_1","redacted_value":"sk-admin...def","created_at":1711471533,"owner":{}` + more + `}`
	}
	for _, c := range []struct {
		name    string
		keys    []string
		told    bool
		reasons [][]reason
	}{
		{"no expiry is null", []string{key(`,"expires_at":null,"last_used_at":null`)}, true, [][]reason{{neverUsed, endless}}},
		{"no word of expiry or use", []string{key("")}, false, [][]reason{{neverUsed}}},
		{"one key with an end among others", []string{key(`,"expires_at":253402300799`), key(`,"expires_at":null`)}, true,
			[][]reason{{neverUsed}, {neverUsed, endless}}},
		{"no keys", nil, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := orgkeystest.New(t)
			server.Inject(orgkeystest.Fault{Operation: list, Times: -1,
				Body: `{"object":"list","has_more":false,"data":[` + strings.Join(c.keys, ",") + `]}`})
			r := audited(t, server)
			assert.Equal(t, c.told, r.ExpiryTold)
			require.Len(t, r.Findings, len(c.reasons))
			for i, want := range c.reasons {
				assert.Equal(t, want, r.Findings[i].Reasons)
				assert.Nil(t, r.Findings[i].LastUsedAt)
			}
		})
	}
}

func TestAnAuditCoversAllKeysOrIsNone(t *testing.T) {
	t.Run("all", func(t *testing.T) {
		server := orgkeystest.New(t)
		server.AddAdminKeys(250)
		r := audited(t, server)
		assert.Equal(t, 250, r.Keys)
		assert.Len(t, r.Findings, 250)
	})
	for _, c := range []struct {
		name  string
		fault orgkeystest.Fault
	}{
		{"a page that is refused", orgkeystest.Fault{Skip: 2, Status: 403}},
		{"a page that is no page", orgkeystest.Fault{Skip: 2, Body: `{}`}},
		{"a list that goes in circles", orgkeystest.Fault{Times: -1, Body: `{"object":"list","has_more":true,"last_id":"key_1","data":[]}`}},
		{"the answer that tells of expiry", orgkeystest.Fault{Skip: 3, Status: 403}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := orgkeystest.New(t)
			server.AddAdminKeys(250)
			c.fault.Operation = list
			server.Inject(c.fault)
			var stdout, stderr bytes.Buffer
			assert.Equal(t, 2, run(t.Context(), nil, &stdout, &stderr, exampletest.Live(server)))
			assert.Empty(t, stdout.String())
			assert.Contains(t, stderr.String(), "audit: ")
		})
	}
	t.Run("an interrupt", func(t *testing.T) {
		server := orgkeystest.New(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("interrupt"))
		var stdout, stderr bytes.Buffer
		assert.Equal(t, 2, run(ctx, nil, &stdout, &stderr, exampletest.Live(server)))
		assert.Empty(t, stdout.String())
	})
}

func TestTheExitStatusSaysWhatWasAskedFor(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		exit int
		says string
	}{
		{"findings are no failure", nil, 0, ""},
		{"findings are one if asked for", []string{"-fail"}, 1, ""},
		{"help is no error", []string{"-h"}, 0, "usage: audit"},
		{"an unknown flag", []string{"-delete"}, 2, "-delete"},
		{"an argument", []string{"key_1"}, 2, "usage: audit"},
		{"days before the audit", []string{"-unused", "-1"}, 2, "usage: audit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := orgkeystest.New(t)
			made := server.AddAdminKey(orgkeystest.AdminKey{Name: new("ci")})
			var stdout, stderr bytes.Buffer
			assert.Equal(t, c.exit, run(t.Context(), c.args, &stdout, &stderr, exampletest.Live(server)))
			assert.Contains(t, stderr.String(), c.says)
			exampletest.HoldsNoKey(t, stdout.String()+stderr.String(), server.AdminKey, made.Value.Reveal())
		})
	}
	t.Run("no findings, no failure", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, 0, run(t.Context(), []string{"-fail"}, &stdout, &stderr, exampletest.Live(orgkeystest.New(t))))
	})
}

func TestANameCantMoveTheCursor(t *testing.T) {
	server := orgkeystest.New(t)
	server.AddAdminKey(orgkeystest.AdminKey{Name: new("\x1b[2Jgone")})
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(t.Context(), nil, &stdout, &stderr, exampletest.Live(server)))
	assert.Contains(t, stdout.String(), `"\x1b[2Jgone"`)
}
