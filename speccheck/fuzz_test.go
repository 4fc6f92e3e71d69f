package speccheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

func FuzzCheckResponse(f *testing.F) {
	c := newChecker(f)
	operations := c.Operations()
	for _, b := range bodies(f) {
		f.Add(encode(f, b.Example))
	}
	f.Add([]byte(`{"object":"list","data":[{"owner":{"\u0000":1e999}}],"data":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, operation := range operations {
			for _, v := range c.CheckResponse(operation, 200, jsonContent, text) {
				require.NotEmpty(t, v.Rule)
				require.Equal(t, speccheck.BodyViolation, v.Kind)
			}
		}
	})
}
