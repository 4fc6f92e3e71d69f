package orgkeys

import (
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
