package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/exampletest"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func TestMain(m *testing.M) { exampletest.Main(m, run) }

func TestArguments(t *testing.T) {
	for args, want := range map[string]struct {
		status         int
		stdout, stderr string
	}{
		"":              {2, "", "OPENAI_ADMIN_KEY"},
		"-fail":         {2, "", "OPENAI_ADMIN_KEY"},
		"-h":            {0, "", "-expiring"},
		"keys.txt":      {2, "", "-expiring"},
		"-unused -1":    {2, "", "-expiring"},
		"-demo -fail":   {2, "", "-expiring"},
		"-demo keys":    {2, "", "-expiring"},
		"-nonexistent":  {2, "", "-expiring"},
		"-demo -unused": {2, "", "-expiring"},
		"-demo":         {0, "4 of 5 admin keys reported", ""},
	} {
		status, stdout, stderr := exampletest.Command(t, nil, strings.Fields(args)...)
		assert.Equal(t, want.status, status, args)
		assert.Contains(t, stdout, want.stdout, args)
		assert.Contains(t, stderr, want.stderr, args)
		assert.Equal(t, want.stdout == "", stdout == "", args)
	}
}

func TestFindings(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
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
		assert.Equal(t, c.want, findings(orgkeys.AdminKey{LastUsedAt: c.used, ExpiresAt: c.expires}, now, 90, 14))
	}
}

func TestExitStatus(t *testing.T) {
	fake := orgkeystest.New(t)
	status, _, _ := exampletest.Command(t, fake, "-fail")
	assert.Equal(t, 0, status, "an organization without keys")

	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_1", Name: new("\x1b[2Jci")})
	status, stdout, _ := exampletest.Command(t, fake)
	assert.Equal(t, 0, status)
	assert.Contains(t, stdout, `"\x1b[2Jci"`)
	assert.Regexp(t, `null +null +never used, never expires`, stdout)
	status, _, _ = exampletest.Command(t, fake, "-fail")
	assert.Equal(t, 1, status)
}

// TestIncompleteList tests that an audit reports nothing if it cannot read the second page.
func TestIncompleteList(t *testing.T) {
	fake := orgkeystest.New(t)
	fake.AddAdminKeys(150)
	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-list", Skip: 1, Status: http.StatusForbidden})
	status, stdout, stderr := exampletest.Command(t, fake)
	assert.Equal(t, 2, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "403")
}

func TestInterrupt(t *testing.T) {
	fake := orgkeystest.New(t)
	client, err := orgkeys.NewClient(orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = audit(ctx, client, 90, 14)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestOlderServer(t *testing.T) {
	fake := orgkeystest.New(t, orgkeystest.WithOlderServer())
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_1"})
	_, stdout, _ := exampletest.Command(t, fake)
	assert.Regexp(t, `null +absent +never used, expiration unknown`, stdout)
}
