package orgkeys

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// stub makes a function an http.RoundTripper.
type stub func(*http.Request) (*http.Response, error)

func (f stub) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzAnswer holds of any bytes in the place of an answer: if they come through as a value, then
// package speccheck finds nothing wrong with them but new words, and the value prints no secret;
// if they do not, then there is a *ResponseError and no value.
func FuzzAnswer(f *testing.F) {
	const (
		owner   = `"owner":{"type":"user","object":"organization.user","id":"user_1","name":"Robin","created_at":1711471533,"role":"owner"}`
		admin   = `"object":"organization.admin_api_key","id":"key_1","redacted_value":"sk-admin...def","created_at":1711471533,` + owner
		account = `"object":"organization.project.service_account","id":"svc_acct_1","name":"Production","role":"member","created_at":1711471533`
		key     = `{"object":"organization.project.service_account.api_key","value":"sk-svcacct-1234abcd","name":"Secret Key","created_at":1711471533,"id":"key_1"}`
	)
	for operation, bodies := range [][]string{
		{`{"object":"list","data":[{` + admin + `},{` + admin + `,"name":null,"expires_at":0,"last_used_at":null}],"first_id":"key_1","last_id":null,"has_more":false}`, `{"object":"list","data":[],"has_more":true}`},
		{`{` + admin + `,"value":"sk-admin-1234abcd"}`},
		{`{"object":"organization.project.api_key","id":"key_1","name":"n","redacted_value":"sk-abc...def","created_at":1711471533,"last_used_at":null,"owner_project_access":"active","owner":{"type":"user","user":{"id":"u","email":"e","name":"n","created_at":1,"role":"owner"}}}`},
		{`{"object":"organization.project.api_key.deleted","id":"key_1","deleted":true}`},
		{`{"object":"list","data":[{` + account + `}],"has_more":true,"last_id":"svc_acct_1"}`},
		{`{` + account + `,"api_key":` + key + `}`, `{` + account + `,"api_key":null}`},
	} {
		for _, body := range append(bodies, ``, `null`, `{}`, `[]`, `{"a":1,"a":2}`, "\xef\xbb\xbf{}", `{"error":{"message":"no","type":"t","param":null,"code":null}}`, strings.Repeat("[", 20_000), `{"created_at":1e400,"x":1e400}`) {
			f.Add(uint8(operation), []byte(body))
			f.Add(uint8(operation), []byte(strings.TrimSuffix(body, "}")))
			f.Add(uint8(operation), []byte(strings.Replace(body, ":", `:{"x":[]},"y":`, 1)))
		}
	}
	checker, err := speccheck.New()
	require.NoError(f, err)
	var answer []byte
	client, err := NewClient(WithAdminKey("sk-admin-test"), WithRetry(Retry{MaxAttempts: 1}), WithHTTPClient(&http.Client{
		Transport: stub(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(string(answer))), ContentLength: -1,
			}, nil
		}),
	}))
	require.NoError(f, err)
	ctx := context.Background()
	calls := []struct {
		operation string
		call      func() (any, error)
	}{
		{"admin-api-keys-list", func() (any, error) { return result(client.AdminKeys.List(ctx, AdminKeyListParams{})) }},
		{"admin-api-keys-create", func() (any, error) {
			return result(client.AdminKeys.Create(ctx, AdminKeyCreateParams{Name: "ci"}))
		}},
		{"retrieve-project-api-key", func() (any, error) { return result(client.ProjectKeys.Get(ctx, "proj_1", "key_1")) }},
		{"delete-project-api-key", func() (any, error) { return result(client.ProjectKeys.Delete(ctx, "proj_1", "key_1")) }},
		{"list-project-service-accounts", func() (any, error) {
			return result(client.ServiceAccounts.List(ctx, "proj_1", ServiceAccountListParams{}))
		}},
		{"create-project-service-account", func() (any, error) {
			return result(client.ServiceAccounts.Create(ctx, "proj_1", ServiceAccountCreateParams{Name: "ci"}))
		}},
	}
	f.Fuzz(func(t *testing.T, i uint8, body []byte) {
		operation := calls[int(i)%len(calls)]
		answer = body
		value, err := operation.call()
		if err != nil {
			require.Nil(t, value)
			garbage, ok := errors.AsType[*ResponseError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, 200, garbage.Status)
			require.True(t, utf8.ValidString(err.Error()))
			require.NotContains(t, err.Error(), "\n")
			_, unknown := err.(*UnknownOutcomeError)
			require.Equal(t, strings.Contains(operation.operation, "create"), unknown)
			return
		}
		require.NotNil(t, value)
		for _, v := range checker.CheckResponse(operation.operation, 200, "application/json", body) {
			// A number that no double can hold is none of the client's business where the
			// contract knows nothing of it.
			require.True(t, v.Rule == "enum" || strings.Contains(v.Expected, "double"), "%v", v)
		}
		printed, err := json.Marshal(value)
		require.NoError(t, err)
		var secret Secret
		switch made := value.(type) {
		case *CreatedAdminKey:
			secret = made.Value
		case *CreatedServiceAccount:
			secret = made.APIKey.Value
		default:
			answer = printed
			again, err := operation.call()
			require.NoError(t, err, "what was read can be written and read again")
			require.Equal(t, value, again)
			return
		}
		require.False(t, secret.IsZero())
		require.Contains(t, string(printed), `"value":"[redacted]"`)
	})
}

func result[T any](value *T, err error) (any, error) {
	if value == nil {
		return nil, err
	}
	return value, err
}

// FuzzRetryAfter holds that no header makes for a negative wait, and that numbers and dates are
// read exactly.
func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2024, 3, 26, 16, 45, 33, 0, time.UTC)
	for _, value := range []string{
		"", "0", "1", "60", "1.5", "-1", "-0", "+5", "1e3", "1e400", "Inf", "-Inf", "NaN", "0x10", "1_000", " 5", "5 ", "5s",
		"99999999999999999999", "9223372036", "9223372036.9", "9223372037", "soon", "\x00", "5, 6",
		now.Add(time.Minute).Format(http.TimeFormat), now.Add(-time.Minute).Format(http.TimeFormat),
		"Tuesday, 26-Mar-24 16:46:33 GMT", "Tue Mar 26 16:46:33 2024", "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
	} {
		f.Add(value, "")
		f.Add("", value)
		f.Add("60", value)
		f.Add(value, "250")
	}
	f.Fuzz(func(t *testing.T, seconds, milliseconds string) {
		header := http.Header{"Retry-After": {seconds}, "Retry-After-Ms": {milliseconds}}
		wait, ok := retryAfter(header, now)
		require.GreaterOrEqual(t, wait, time.Duration(0))
		if !ok {
			require.Zero(t, wait)
		}
		for _, row := range []struct {
			text string
			unit time.Duration
		}{{milliseconds, time.Millisecond}, {seconds, time.Second}} {
			n, err := strconv.ParseUint(row.text, 10, 64)
			if err == nil && n < 9e6 { // a hundred days of seconds; far beyond them it is rounded
				require.True(t, ok)
				require.Equal(t, time.Duration(n)*row.unit, wait)
				return
			}
			if _, err := strconv.ParseFloat(row.text, 64); row.text != "" && (err == nil || errors.Is(err, strconv.ErrRange)) {
				return // some other number
			}
		}
		at, err := http.ParseTime(seconds)
		require.Equal(t, err == nil, ok)
		if ok && at.Before(now.AddDate(200, 0, 0)) {
			require.Equal(t, max(0, at.Sub(now)), wait)
		}
	})
}

// FuzzMask holds that whatever surrounds a key, nothing of it gets through, and that what does is
// short and fit for one line of a log.
func FuzzMask(f *testing.F) {
	const letters = "Zq7Xw2Kp9Vb4Nm6R" // of a key
	for _, around := range []string{
		"", " ", "key ", "Bearer ", "bearer", "sk-", "sk-sk-", "task-", "x", "\"", "[", "<b>", "?key=", "\n", "\x00", "\xff", "é", "\u2028",
		"…", "***", strings.Repeat("a ", 250), strings.Repeat("a", 505), "sess-", "SK-", "k-", "s",
	} {
		f.Add(around, "", "gateway!"+letters)
		f.Add("", around, "sk-admin-"+letters)
		f.Add(around, around, letters)
	}
	f.Fuzz(func(t *testing.T, before, after, known string) {
		masking := func(key string) string {
			text := (&redactor{key: apitype.NewSecret(known)}).redact(before + key + after)
			require.LessOrEqual(t, len(text), maxText+len("…"))
			require.True(t, utf8.ValidString(text))
			require.False(t, strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", text)
			return text
		}
		for _, prefix := range []string{"sk-", "sess-", "SK-"} {
			if text := masking(prefix + letters); !strings.Contains(before+after+known, letters) {
				require.NotContains(t, text, letters)
			}
		}
		text := masking(known)
		if _, err := newCredential(known); err == nil && !strings.Contains(redacted, known) && !strings.ContainsAny(known, "[]") {
			require.NotContains(t, text, known)
		}
	})
}

// FuzzID holds that an id which is let through arrives as one segment of its operation's path,
// and that the error for one which is not says nothing of it.
func FuzzID(f *testing.F) {
	for _, id := range []string{
		"", ".", "..", "...", "key_abc", "proj_abc", "a/b", `a\b`, "a?b", "a#b", "a%2Fb", "%2e%2e", "a b", "a\nb", "a\x00b", "a\u00a0b", "a\u200bb", "é", "名前",
		"\xff", "\ufeff", "\u202e", "sk-admin-abc", "SK-admin-abc", "xsk-a", "a;b", "a:b", "a@b", "a&b=c", "a+b", "~", "'", "*", strings.Repeat("a", 256), strings.Repeat("a", 257), "%", "．．", "／",
	} {
		f.Add(id)
	}
	base, err := url.Parse("https://example.com/v1")
	require.NoError(f, err)
	p := &pipeline{base: base}
	f.Fuzz(func(t *testing.T, id string) {
		if err := checkID("key id", id); err != nil {
			if utf8.RuneCountInString(id) > 5 && !strings.Contains("orgkeys: key id is the value of a key and not an id; nothing was sent", id) {
				require.NotContains(t, err.Error(), id)
			}
			return
		}
		request, err := gen.NewDeleteProjectAPIKeyRequest(t.Context(), base.String(), id, id)
		require.NoError(t, err)
		require.True(t, p.isTarget(request.Request, http.MethodDelete, request.Target))
		sent := request.URL
		require.Equal(t, "/v1/organization/projects/"+id+"/api_keys/"+id, sent.Path)
		again, err := url.Parse("https://example.com" + sent.RequestURI())
		require.NoError(t, err)
		require.Equal(t, *sent, *again)
		resolved := base.ResolveReference(sent)
		require.Equal(t, sent.EscapedPath(), resolved.EscapedPath(), "no segment means another")
		segments := strings.Split(sent.EscapedPath(), "/")
		require.Len(t, segments, 7)
		for _, i := range []int{4, 6} {
			text, err := url.PathUnescape(segments[i])
			require.NoError(t, err)
			require.Equal(t, id, text)
			require.False(t, slices.ContainsFunc([]byte(segments[i]), func(c byte) bool { return c <= ' ' || c >= 0x7f }))
		}
	})
}
