package orgkeys_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/mutate"
	"github.com/orgkeys/orgkeys-go/speccheck"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// FuzzResponse passes any bytes as the body of a response: the call returns a value that package
// speccheck accepts, unknown enum values apart, and that prints no secret, or a *ResponseError and
// no value.
func FuzzResponse(f *testing.F) {
	checker, err := speccheck.New()
	require.NoError(f, err)
	for i, c := range calls {
		_, bodies := responsesOf(f, c)
		for _, valid := range bodies {
			text := string(mutate.Encode(valid))
			f.Add(uint8(i), []byte(text))
			f.Add(uint8(i), []byte(text[:len(text)-1]))
			f.Add(uint8(i), []byte(strings.Replace(text, ":", `:{"x":[]},"y":`, 1)))
		}
		for _, body := range []string{``, `null`, `{}`, `{"a":1,"a":2}`, "\xef\xbb\xbf{}", `{"error":{"message":"no","type":"t","param":null,"code":null}}`, strings.Repeat("[", 20_000), `{"created_at":1e400,"x":1e400}`} {
			f.Add(uint8(i), []byte(body))
		}
	}
	var next func() *http.Response
	client := receiving(f, &next)
	f.Fuzz(func(t *testing.T, i uint8, body []byte) {
		c := calls[int(i)%len(calls)]
		next = func() *http.Response { return jsonResponse(200, string(body)) }
		value, err := c.do(t.Context(), client)
		if err != nil {
			requireInvalid(t, c, "", 200, value, err)
			require.True(t, utf8.ValidString(err.Error()))
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NotNil(t, value)
		for _, v := range checker.CheckResponse(c.operation, 200, "application/json", body) {
			// A number that no double can represent, in a property that the contract does not list.
			require.True(t, v.Rule == "enum" || strings.Contains(v.Expected, "double"), "%v", v)
		}
		printed, err := json.Marshal(value)
		require.NoError(t, err)
		if created, ok := value.(*orgkeys.CreatedAdminKey); ok {
			require.False(t, created.Value.IsZero())
			require.Contains(t, string(printed), `"value":"[redacted]"`)
		}
		if !c.create {
			next = func() *http.Response { return jsonResponse(200, string(printed)) }
			again, err := c.do(t.Context(), client)
			require.NoError(t, err, "a value can be encoded and decoded again")
			require.Equal(t, value, again)
		}
	})
}
