package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// audited runs the program against fake, and returns its exit status and its output.
func audited(t *testing.T, ctx context.Context, fake *orgkeystest.Server, args ...string) (int, string) {
	t.Setenv("OPENAI_ADMIN_KEY", fake.AdminKey)
	t.Setenv("OPENAI_BASE_URL", fake.URL)
	var out strings.Builder
	status := run(ctx, args, &out, &out)
	assert.NotContains(t, out.String(), fake.AdminKey)
	return status, out.String()
}

func TestArguments(t *testing.T) {
	t.Setenv("OPENAI_ADMIN_KEY", "")
	for args, want := range map[string]struct {
		status int
		output string
	}{
		"":              {2, "OPENAI_ADMIN_KEY"},
		"-fail":         {2, "OPENAI_ADMIN_KEY"},
		"keys.txt":      {2, "Usage"},
		"-unused -1":    {2, "Usage"},
		"-demo -fail":   {2, "Usage"},
		"-demo keys":    {2, "Usage"},
		"-demo":         {0, "5 of 6 admin keys reported"},
		"-nonexistent":  {2, "Usage"},
		"-demo -unused": {2, "Usage"},
	} {
		var stdout, stderr strings.Builder
		assert.Equal(t, want.status, run(t.Context(), strings.Fields(args), &stdout, &stderr), args)
		assert.Contains(t, stdout.String()+stderr.String(), want.output, args)
		assert.Equal(t, want.status != 0, stdout.String() == "", args)
	}
}

func TestFindings(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p := policy{unusedDays: 90, expiringDays: 14, now: now}
	in := func(days int) orgkeys.OptionalTime { return orgkeys.TimeAt(now.AddDate(0, 0, days)) }
	var absent orgkeys.OptionalTime
	for _, c := range []struct {
		used, expires orgkeys.OptionalTime
		want          []string
	}{
		{in(-89), in(15), nil},
		{in(-90), in(14), []string{"unused", "expiring"}},
		{in(0), in(0), []string{"expired"}},
		{in(0), orgkeys.NullTime(), []string{"never expires"}},
		{in(0), absent, []string{"expiration unknown"}},
		{orgkeys.NullTime(), in(15), []string{"never used"}},
	} {
		assert.Equal(t, c.want, p.findings(orgkeys.AdminKey{LastUsedAt: c.used, ExpiresAt: c.expires}))
	}
	assert.Equal(t, "2026-11-24", day(in(0), "never"))
	assert.Equal(t, "never", day(orgkeys.NullTime(), "never"))
	assert.Equal(t, "unknown", day(absent, "never"))
}

func TestExitStatus(t *testing.T) {
	fake := orgkeystest.New(t)
	status, _ := audited(t, t.Context(), fake, "-fail")
	assert.Equal(t, 0, status, "an organization without keys")

	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_1", Name: new("\x1b[2Jci")})
	status, out := audited(t, t.Context(), fake)
	assert.Equal(t, 0, status)
	assert.Contains(t, out, `"\x1b[2Jci"`)
	assert.Regexp(t, `never +never +never used, never expires`, out)
	status, _ = audited(t, t.Context(), fake, "-fail")
	assert.Equal(t, 1, status)
}

// TestAnIncompleteList tests that an audit which lacks the second page reports nothing.
func TestAnIncompleteList(t *testing.T) {
	fake := orgkeystest.New(t)
	fake.AddAdminKeys(150)
	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-list", Skip: 1, Status: http.StatusForbidden})
	status, out := audited(t, t.Context(), fake)
	assert.Equal(t, 2, status)
	assert.Contains(t, out, "403")
	assert.NotContains(t, out, "reported")
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, out := audited(t, ctx, orgkeystest.New(t))
	assert.Equal(t, 2, status)
	assert.Contains(t, out, "canceled")
}

func TestOlderServer(t *testing.T) {
	fake := orgkeystest.New(t, orgkeystest.WithOlderServer())
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_1"})
	_, out := audited(t, t.Context(), fake)
	assert.Regexp(t, `never +unknown +never used, expiration unknown`, out)
}
