package bench

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/bench/responses"
)

// The benchmarks are comparable only if all contenders return the same results.

func TestContenders_ReturnTheSameResults(t *testing.T) {
	for _, network := range []string{"alone", "loopback"} {
		for _, made := range contenders {
			t.Run(network+"/"+made.name, func(t *testing.T) {
				api := responses.New(responses.Total)
				baseURL, transport := responses.BaseURL, http.RoundTripper(api)
				if network == "loopback" {
					server := api.Serve()
					t.Cleanup(server.Close)
					baseURL, transport = server.URL+"/v1", server.Client().Transport
				}
				c, err := made.make(baseURL, transport)
				require.NoError(t, err)
				for i := range 50 {
					got, err := c.get(t.Context(), responses.KeyID(i))
					require.NoError(t, err)
					assert.Equal(t, responses.ProjectKeyAt(i), c.common(got))

					got, err = c.create(t.Context())
					require.NoError(t, err)
					assert.Equal(t, responses.NewKeyAt(i), c.common(got))
				}
				for _, first := range []int{100, 200, 9900} {
					got, err := c.page(t.Context(), responses.KeyID(first-1))
					require.NoError(t, err)
					assert.Equal(t, keys(first, responses.PageSize), c.common(got))
				}
				_, err = c.get(t.Context(), responses.MissingKeyID)
				got, ok := c.apiError(err)
				require.True(t, ok, "%T: %v", err, err)
				assert.Equal(t, responses.NotFound(), got)
			})
		}
	}
}

func TestContenders_IterateOverTheSameKeys(t *testing.T) {
	// The last list is longer than Total, so that its pages repeat with other ids.
	for _, total := range []int{100, 300, responses.Total, responses.Total + 300} {
		for _, made := range contenders {
			t.Run(fmt.Sprintf("%d/%s", total, made.name), func(t *testing.T) {
				c, err := made.make(responses.BaseURL, responses.New(total))
				require.NoError(t, err)
				var want totals
				s, err := c.iterate(t.Context(), func(got responses.AdminKey) {
					key := responses.KeyAt(want.keys)
					require.Equal(t, key, got)
					want.keys++
					want.createdAt += key.CreatedAt
					if key.Name != nil {
						want.named++
					}
				})
				require.NoError(t, err)
				assert.Equal(t, total, s.keys)
				assert.Equal(t, want, s)
			})
		}
	}
}

// keys returns count admin keys, beginning with the one at index first.
func keys(first, count int) []responses.AdminKey {
	var keys []responses.AdminKey
	for i := range count {
		keys = append(keys, responses.KeyAt(first+i))
	}
	return keys
}
