package orgkeys

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckID(t *testing.T) {
	for id, problem := range map[string]string{
		"key_abc": "", "user-123": "", "a.b": "", "...": "", "a:b@c": "", "a;b,c=d&e+f$g!h": "", "a~b(c)*'d": "", "ключ": "", "鍵": "",
		"task-force": "", "sk-": "", strings.Repeat("a", maxIDLength): "",

		"": "is empty", " ": "white space", "\n": "white space", "a\n": "white space", "a b": "white space", "\ta": "white space", "a\r": "white space",
		"a\u00a0b": "white space", "a\u2028b": "white space", "a\u3000b": "white space",
		".": "dot segment", "..": "dot segment", "a/b": "contains one of", "/a": "contains one of", `a\b`: "contains one of",
		"a?b": "contains one of", "a#b": "contains one of", "a%2fb": "contains one of", "%2e%2e": "contains one of", "../x": "contains one of",
		"a\x00": "unprintable", "a\x7f": "unprintable", "a\x1b": "unprintable", "a\u200bb": "unprintable", "a\u202eb": "unprintable", "\ufeffa": "unprintable",
		"a\xff": "not valid UTF-8", strings.Repeat("a", maxIDLength+1): "longer than 256 bytes", strings.Repeat("é", 129): "longer than 256 bytes",
		"sk-abc": "value of a key", "sk-proj-abc": "value of a key", "SK-ABC": "value of a key", "Sk-abc": "value of a key", "sess-abc": "value of a key",
		"SESS-abc": "value of a key", "key=sk-abc": "value of a key", "(sk-abc)": "value of a key", "sk-...abc": "value of a key", "sk&#45;abc": "contains one of",
		"sk_abc": "value of a key", "sk–abc": "value of a key", "s\u034fk-abc": "value of a key", "keysk-" + strings.Repeat("k", 20): "value of a key",
	} {
		checkProblem(t, checkID("key id", id), "orgkeys: key id ", problem, id)
	}
}

// A cursor is escaped into the query, and may contain more than an id in a path.
func TestCheckCursor(t *testing.T) {
	for cursor, problem := range map[string]string{
		"key_abc": "", "a b": "", " a": "", "a/b?c#d%e": "", "..": "", "eyJ/==": "", strings.Repeat("a", maxIDLength): "",
		"": "is empty", " ": "is empty", "\n": "is empty", "a\n": "unprintable", "a\x00": "unprintable", "\xff": "not valid UTF-8",
		"sk-abc": "value of a key", "sk%2Dabc": "value of a key", "Bearer a1": "value of a key", strings.Repeat("a", maxIDLength+1): "longer than",
	} {
		checkProblem(t, checkCursor("after", cursor), "orgkeys: after ", problem, cursor)
	}
}

func TestCheckName(t *testing.T) {
	for name, problem := range map[string]string{
		"ci": "", "Nightly audit": "", "Prüfung „名前“ 😀": "", "task-scheduler-production-2024": "", "a\u00a0b": "",
		"": "is empty", " ": "is empty", "\t\n": "is empty", "\u00a0": "is empty",
		" ci": "white space", "ci ": "white space", "ci\n": "white space", "ci\u00a0": "white space",
		"sk-rotation": "", "ci (sk-admin-" + strings.Repeat("abc9", 8) + ")": "value of a key",
		"a\x00b": "control characters", "a\nb": "control characters", "a\x7fb": "control characters", "a\u0085b": "control characters", "a\xffb": "not valid UTF-8",
	} {
		checkProblem(t, checkName(name), "orgkeys: name ", problem, name)
	}
}

func TestCheckPage(t *testing.T) {
	for limit, valid := range map[int]bool{math.MinInt: false, -1: false, 0: false, 1: true, 50: true, 100: true, 101: false, math.MaxInt: false} {
		problem := "is not from 1 to 100"
		if valid {
			problem = ""
		}
		checkProblem(t, checkPage(nil, &limit), "orgkeys: limit ", problem, "")
		checkProblem(t, checkPage(new("key_abc"), &limit), "orgkeys: limit ", problem, "")
	}
	require.NoError(t, checkPage(nil, nil))
	require.NoError(t, checkPage(new("key abc"), nil))
	checkProblem(t, checkPage(new(""), new(1)), "orgkeys: after ", "is empty", "")
}

func TestCheckLifetime(t *testing.T) {
	for seconds, valid := range map[int]bool{
		math.MinInt: false, -1: false, 0: false, 1: true, 2592000: true, 31536000: true, 31536001: false, math.MaxInt: false,
	} {
		problem := "is not from 1 to 31536000"
		if valid {
			problem = ""
		}
		checkProblem(t, checkLifetime(&seconds, maxLifetime), "orgkeys: expires_in_seconds ", problem, "")
	}
	assert.NoError(t, checkLifetime(nil, maxLifetime))
	assert.NoError(t, checkLifetime(new(math.MaxInt32), math.MaxInt32))
}

// checkProblem asserts that err names the argument and the problem, does not quote the value, and
// says that nothing was sent.
func checkProblem(t *testing.T, err error, argument, problem, value string) {
	t.Helper()
	if problem == "" {
		assert.NoError(t, err, "%q", value)
		return
	}
	if !assert.Error(t, err, "%q", value) {
		return
	}
	assert.Contains(t, err.Error(), argument, "%q", value)
	assert.Contains(t, err.Error(), problem, "%q", value)
	assert.ErrorIs(t, err, ErrInvalidArgument)
	assert.ErrorIs(t, err, ErrNotSent)
	assert.NotContains(t, err.Error(), "abc", "%q", value)
}

// Every method checks its arguments before it sends anything.
func TestArguments_areChecked(t *testing.T) {
	client, err := NewClient(WithAdminKey("sk-admin-test"), WithBaseURL("https://api.example"), WithHTTPClient(&http.Client{
		Transport: transportFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("a request was sent") }),
	}), WithRetry(Retry{MaxAttempts: 1}))
	require.NoError(t, err)
	ctx := context.Background()
	admin, keys, accounts := client.AdminKeys, client.ProjectKeys, client.ServiceAccounts
	valid := ProjectKeyUpdateParams{ExpiresInSeconds: new(1)}
	for name, call := range map[string]func(id string, number int) error{
		"after of AdminKeys.List": func(id string, _ int) error { return errorOf(admin.List(ctx, AdminKeyListParams{After: &id})) },
		"limit of AdminKeys.List": func(_ string, n int) error { return errorOf(admin.List(ctx, AdminKeyListParams{Limit: &n})) },
		"order of AdminKeys.List": func(id string, _ int) error {
			return errorOf(admin.List(ctx, AdminKeyListParams{Order: new(AdminKeyOrder(id))}))
		},
		"limit of AdminKeys.All":   func(_ string, n int) error { return firstError(admin.All(ctx, AdminKeyListParams{Limit: &n})) },
		"name of AdminKeys.Create": func(id string, _ int) error { return errorOf(admin.Create(ctx, AdminKeyCreateParams{Name: id})) },
		"lifetime of AdminKeys.Create": func(_ string, n int) error {
			return errorOf(admin.Create(ctx, AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: &n}))
		},
		"error of AdminKeys.FindCreated": func(string, int) error { return errorOf(admin.FindCreated(ctx, nil)) },
		"project of ProjectKeys.Get":     func(id string, _ int) error { return errorOf(keys.Get(ctx, id, "key_1")) },
		"key of ProjectKeys.Get":         func(id string, _ int) error { return errorOf(keys.Get(ctx, "proj_1", id)) },
		"project of ProjectKeys.Delete":  func(id string, _ int) error { return errorOf(keys.Delete(ctx, id, "key_1")) },
		"key of ProjectKeys.Delete":      func(id string, _ int) error { return errorOf(keys.Delete(ctx, "proj_1", id)) },
		"project of ProjectKeys.Update":  func(id string, _ int) error { return errorOf(keys.Update(ctx, id, "key_1", valid)) },
		"key of ProjectKeys.Update":      func(id string, _ int) error { return errorOf(keys.Update(ctx, "proj_1", id, valid)) },
		"lifetime of ProjectKeys.Update": func(_ string, n int) error {
			return errorOf(keys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{ExpiresInSeconds: &n}))
		},
		"no change of ProjectKeys.Update": func(string, int) error { return errorOf(keys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{})) },
		"nil scopes of ProjectKeys.Update": func(string, int) error {
			return errorOf(keys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{Scopes: new([]string(nil))}))
		},
		"scope of ProjectKeys.Update": func(id string, _ int) error {
			return errorOf(keys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{Scopes: &[]string{"api.all.read", id}}))
		},
		"project of ServiceAccounts.List": func(id string, _ int) error { return errorOf(accounts.List(ctx, id, ServiceAccountListParams{})) },
		"after of ServiceAccounts.List": func(id string, _ int) error {
			return errorOf(accounts.List(ctx, "proj_1", ServiceAccountListParams{After: &id}))
		},
		"limit of ServiceAccounts.List": func(_ string, n int) error {
			return errorOf(accounts.List(ctx, "proj_1", ServiceAccountListParams{Limit: &n}))
		},
		"project of ServiceAccounts.All": func(id string, _ int) error { return firstError(accounts.All(ctx, id, ServiceAccountListParams{})) },
		"project of ServiceAccounts.Create": func(id string, _ int) error {
			return errorOf(accounts.Create(ctx, id, ServiceAccountCreateParams{Name: "ci"}))
		},
		"name of ServiceAccounts.Create": func(id string, _ int) error {
			return errorOf(accounts.Create(ctx, "proj_1", ServiceAccountCreateParams{Name: id}))
		},
		"lifetime of ServiceAccounts.Create": func(_ string, n int) error {
			return errorOf(accounts.Create(ctx, "proj_1", ServiceAccountCreateParams{Name: "ci", ExpiresInSeconds: &n}))
		},
		"lifetime without a key of ServiceAccounts.Create": func(string, int) error {
			return errorOf(accounts.Create(ctx, "proj_1", ServiceAccountCreateParams{Name: "ci", ExpiresInSeconds: new(1), CreateServiceAccountOnly: new(true)}))
		},
		"error of ServiceAccounts.FindCreated": func(string, int) error { return errorOf(accounts.FindCreated(ctx, nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, id := range []string{"", " ", "a\n"} {
				for _, number := range []int{0, -1} {
					err := call(id, number)
					assert.ErrorIs(t, err, ErrInvalidArgument)
					assert.ErrorIs(t, err, ErrNotSent)
				}
			}
		})
	}
	for name, err := range map[string]error{
		"longest lifetime of an admin key":          errorOf(admin.Create(ctx, AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: new(maxLifetime)})),
		"longest lifetime of a service account key": errorOf(accounts.Create(ctx, "proj_1", ServiceAccountCreateParams{Name: "ci", ExpiresInSeconds: new(maxLifetime)})),
		"update beyond a year":                      errorOf(keys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{ExpiresInSeconds: new(maxLifetime + 1)})),
		"update of scopes":                          errorOf(keys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{Scopes: new([]string{"api.all.read"})})),
		"update without restrictions":               errorOf(keys.Update(ctx, "proj_1", "key_1", ProjectKeyUpdateParams{Scopes: new([]string{})})),
		"cursor with a space":                       errorOf(accounts.List(ctx, "proj_1", ServiceAccountListParams{After: new("a b")})),
		"largest limit":                             errorOf(admin.List(ctx, AdminKeyListParams{Limit: new(maxPage)})),
	} {
		assert.ErrorContains(t, err, "a request was sent", name)
		assert.NotErrorIs(t, err, ErrInvalidArgument, name)
	}
	assert.ErrorIs(t, errorOf(admin.Create(ctx, AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: new(maxLifetime + 1)})), ErrInvalidArgument)
	assert.ErrorIs(t, errorOf(accounts.Create(ctx, "proj_1", ServiceAccountCreateParams{Name: "ci", ExpiresInSeconds: new(maxLifetime + 1)})), ErrInvalidArgument)
}

// transportFunc makes a function an http.RoundTripper.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// firstError returns the first error that items yields.
func firstError[T any](items func(func(T, error) bool)) (err error) {
	items(func(_ T, e error) bool { err = e; return e == nil })
	return err
}
