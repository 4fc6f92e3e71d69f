package speccheck_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/mutate"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// marker stands for a secret.
const marker = "m4rk3r"

// marked returns value with the marker in every string.
func marked(value any) any {
	switch value := value.(type) {
	case string:
		return value + marker
	case []any:
		list := slices.Clone(value)
		for i := range list {
			list[i] = marked(list[i])
		}
		return list
	case map[string]any:
		object := map[string]any{marker: marker, "/" + marker: map[string]any{marker: marker}}
		for name := range value {
			object[name] = marked(value[name])
		}
		return object
	default:
		return value
	}
}

func TestViolation_containsNothingThatWasSent(t *testing.T) {
	c := newChecker(t)
	violations := 0
	verify := func(found []speccheck.Violation) {
		violations += len(found)
		for _, v := range found {
			text := fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v) + fmt.Sprintf("%v %+v %#v", &v, &v, &v) +
				string(encode(t, v)) + v.String() + v.Place() + v.Problem()
			assert.NotContains(t, strings.ToLower(text), marker)
		}
	}
	for _, b := range bodies(t) {
		base := bases(b)[1]
		verify(check(t, c, b, encode(t, marked(base))))
		for _, m := range mutate.Invalid(b.Schema, base) {
			text := encode(t, marked(decode(m.Body)))
			verify(check(t, c, b, append(text, marker...)))
			verify(check(t, c, b, text[:len(text)-1]))
		}
		// Names that occur twice, and syntax errors after and inside them.
		for _, text := range []string{
			`{"%[1]s":1,"%[1]s":2}`, `{"id":{"%[1]s":{"%[1]s":1,"%[1]s":2}}}`, `{"id":{"%[1]s":[1,`,
			`{"%[1]s"`, `%[1]s`, `"%[1]s`, `{"id":%[1]s}`, `[{"%[1]s":"` + "\xff" + `"}]`, `{"%[1]s` + "\xff" + `":1}`,
		} {
			verify(check(t, c, b, fmt.Appendf(nil, text, marker)))
		}
	}
	require.Greater(t, violations, 1000)

	// The other parts of an exchange.
	for _, path := range []string{
		keysPath, "/organization/projects/" + marker + "/service_accounts", "/" + marker, "/organization/projects/" + marker + "/api_keys/" + marker,
	} {
		for _, method := range []string{"GET", "POST", "DELETE", strings.ToUpper(marker)} {
			req, err := http.NewRequest(method, "https://"+marker+".example/"+marker+path+"?limit="+marker+"&order="+marker+"&"+marker+"=1", nil)
			require.NoError(t, err)
			for _, status := range []int{200, 204, 400, 500} {
				header := http.Header{"Content-Type": {"application/" + marker}, "Content-Encoding": {marker}, "Authorization": {marker}}
				req.Header = header.Clone()
				verify(c.Check(req, []byte(marker), status, header, []byte(marker)))
				header.Set("Content-Type", jsonContent)
				req.Header = header.Clone()
				verify(c.Check(req, []byte(marker), status, header, []byte(marker)))
			}
		}
	}
	verify(c.CheckResponse(marker, 200, marker, []byte(marker)))
}

// decode decodes a mutated body, which may have duplicate properties.
func decode(text []byte) (value any) {
	if err := json.Unmarshal(text, &value); err != nil {
		return string(text)
	}
	return value
}
