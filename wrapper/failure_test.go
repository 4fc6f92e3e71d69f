package orgkeys

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/gen"
)

// TestReadEnvelope covers the bodies of non-2xx responses, and which of them is the API's own.
func TestReadEnvelope(t *testing.T) {
	for _, row := range []struct {
		body       string
		want       gen.Error
		isEnvelope bool
	}{
		{`{"error":{"message":"m","type":"t","param":"p","code":"c"}}`, gen.Error{Message: "m", Type: "t", Param: new("p"), Code: new("c")}, true},
		{`{"error":{"message":"","type":"","param":null,"code":null}}`, gen.Error{}, true},
		{`{"error":{"message":"m","code":"insufficient_quota"}}`, gen.Error{Message: "m", Code: new("insufficient_quota")}, false},
		{`{"error":{"message":"m","type":7,"param":null,"code":"c"}}`, gen.Error{Message: "m", Code: new("c")}, false},
		{`{"error":"m"}`, gen.Error{Message: "m"}, false},
		{`{"error":null}`, gen.Error{}, false},
		{`{"error":{"message":"m","type":"t","param":null,"code":null}} more`, gen.Error{}, false},
		{`{"message":"m"}`, gen.Error{}, false},
		{"<html>404</html>", gen.Error{}, false},
		{"", gen.Error{}, false},
	} {
		got, isEnvelope := readEnvelope([]byte(row.body))
		assert.Equal(t, row.want, got, row.body)
		assert.Equal(t, row.isEnvelope, isEnvelope, row.body)
	}
}

// TestDelete_IncompleteNotFound: a 404 whose body is cut after the envelope does not confirm an
// ambiguous delete, and is not ErrNotFound.
func TestDelete_IncompleteNotFound(t *testing.T) {
	for cut, confirmed := range map[bool]bool{false: true, true: false} {
		sent := 0
		client := stubClient(t, stubTransport(func(*http.Request) (*http.Response, error) {
			if sent++; sent == 1 {
				return jsonResponse(500, ""), nil
			}
			r := jsonResponse(404, envelope)
			if cut {
				r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(envelope), errReader{})), -1
			}
			return r, nil
		}), WithRetry(Retry{MaxAttempts: 2, BaseDelay: 1}))
		_, err := client.ProjectKeys.Delete(t.Context(), "proj_1", "key_1")
		assert.Equal(t, confirmed, err == nil, "%v", err)
		assert.NotErrorIs(t, err, ErrNotFound)
		assert.Equal(t, 2, sent)
	}
}
