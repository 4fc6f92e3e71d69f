package orgkeys

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
)

// FuzzRetryAfter: no header results in a negative wait, and numbers and dates are parsed exactly.
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

// FuzzID: a valid id is one segment of the path of its operation, and the error for any other id
// does not quote it.
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
		require.Equal(t, sent.EscapedPath(), resolved.EscapedPath(), "no segment has another meaning")
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
