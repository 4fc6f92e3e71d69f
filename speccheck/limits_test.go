package speccheck_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

func TestWithMaxBody(t *testing.T) {
	const limit = 100
	within := `{"x":"` + strings.Repeat("x", limit-8) + `"}`
	beyond := within + " "
	c := newChecker(t, speccheck.WithMaxBody(limit))
	req := newRequest(t, "DELETE", deletePath)
	plain := http.Header{"Content-Type": {jsonContent}}
	gzipped := http.Header{"Content-Type": {jsonContent}, "Content-Encoding": {"gzip"}}
	for _, row := range []struct {
		name   string
		header http.Header
		body   []byte
		want   speccheck.Kind
	}{
		{"within the limit", plain, []byte(within), speccheck.BodyViolation},
		{"beyond the limit", plain, []byte(beyond), speccheck.Unchecked},
		{"decompresses to within the limit", gzipped, zipped(t, within), speccheck.BodyViolation},
		{"decompresses to more", gzipped, zipped(t, beyond), speccheck.Unchecked},
		{"decompresses to far more, which is not read", gzipped, append(zipped(t, strings.Repeat(" ", 1<<20)), "no gzip"...), speccheck.Unchecked},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := c.Check(req, nil, 200, row.header, row.body)
			require.NotEmpty(t, found)
			for _, v := range found {
				assert.Equal(t, row.want, v.Kind, v)
			}
			if row.want == speccheck.Unchecked {
				assert.Equal(t, []string{
					"delete-project-api-key 200: response body: max-body: expected at most 100 bytes (unchecked)",
				}, lines(found)[:1])
			}
		})
	}

	for _, limit := range []int64{0, -1} {
		_, err := speccheck.New(speccheck.WithMaxBody(limit))
		assert.EqualError(t, err, fmt.Sprintf("speccheck: the largest body to validate must be at least 1 byte, not %d", limit))
	}
}

func TestMaxViolations(t *testing.T) {
	c := newChecker(t)
	check := func(body string) []speccheck.Violation {
		return c.CheckResponse("admin-api-keys-list", 200, jsonContent, []byte(body))
	}
	list := func(items int) string {
		return `{"object":"list","has_more":false,"data":[` + strings.TrimSuffix(strings.Repeat("1,", items), ",") + `]}`
	}
	const more = "admin-api-keys-list 200: response body: max-violations: expected at most 100 violations (unchecked)"

	found := check(list(speccheck.MaxViolations))
	assert.Len(t, found, speccheck.MaxViolations)
	assert.NotContains(t, lines(found), more)

	for _, body := range []string{
		list(speccheck.MaxViolations + 1),
		list(200_000),
		`{"object":"list","has_more":false,"data":[` + strings.Repeat(`{"id":1,"id":"a"},`, 100_000) + "{}]}",
		`{"object":"list","has_more":false,"data":[` + strings.Repeat("\"\xff\",", 100_000) + `{}]}`,
		`{"object":"list","has_more":false,"data":[` + strings.Repeat(`{"object":1,"owner":{"id":[]}},`, 50_000) + `{}]}`,
	} {
		found := check(body)
		if !assert.Len(t, found, speccheck.MaxViolations+1, "%.60s", body) {
			continue
		}
		assert.Equal(t, more, found[speccheck.MaxViolations].String())
		for _, v := range found[:speccheck.MaxViolations] {
			assert.Equal(t, speccheck.BodyViolation, v.Kind)
		}
		assert.Equal(t, found, check(body), "the same violations each time")
	}
}

// A violation that occurs many times is reported once, and does not hide others.
func TestMaxViolations_duplicates(t *testing.T) {
	body := `{"object":"list","data":[]` + strings.Repeat(`,"has_more":false`, 100_000) + `,"last_id":"` + "\xff" + `"}`
	assert.Equal(t, []string{
		"admin-api-keys-list 200: response body /has_more: duplicate-name: expected each name once (body)",
		"admin-api-keys-list 200: response body /last_id: utf-8: expected valid UTF-8 (body)",
	}, lines(newChecker(t).CheckResponse("admin-api-keys-list", 200, jsonContent, []byte(body))))
}

// An array's last item is validated if most items before it are valid, however many there are.
func TestMaxViolations_lastItemOfMany(t *testing.T) {
	c := newChecker(t, speccheck.WithSpec([]byte(`
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /x: {get: {operationId: x, responses: {"200": {description: d, content: {application/json: {schema: {
    type: array, prefixItems: [{type: "null"}], items: {type: [string, array], items: {type: boolean}}, unevaluatedItems: false}}}}}}}
`)))
	found := c.CheckResponse("x", 200, jsonContent, []byte(`[null,`+strings.Repeat(`"a",`, 100_000)+`[1]]`))
	assert.Equal(t, []string{"x 200: response body /100001/0: type: expected boolean, found number (body)"}, lines(found))
	assert.Empty(t, c.CheckResponse("x", 200, jsonContent, []byte(`[null, "a", [true, false]]`)))
	assert.Empty(t, c.CheckResponse("x", 200, jsonContent, []byte(`[]`)))
}
