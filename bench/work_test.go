package bench

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/bench/answers"
)

// The benchmarks compare nothing unless all contenders come to the same results.

func TestAllContendersDoTheSameWork(t *testing.T) {
	api := answers.New(answers.Total)
	server := api.Serve()
	t.Cleanup(server.Close)
	ways := []struct {
		name, baseURL string
		transport     http.RoundTripper
	}{
		{"alone", answers.BaseURL, api},
		{"loopback", server.URL + "/v1", server.Client().Transport},
	}
	for _, way := range ways {
		for _, made := range contenders {
			t.Run(way.name+"/"+made.name, func(t *testing.T) {
				c, err := made.make(way.baseURL, way.transport)
				require.NoError(t, err)
				for _, call := range []struct {
					name string
					do   func(context.Context) (any, error)
					want any
				}{
					{"get", func(ctx context.Context) (any, error) { return c.get(ctx, answers.ProjectKeyID) }, answers.TheProjectKey()},
					{"create", c.create, answers.NewKey()},
					{"page", c.page, keys(answers.PageSize)},
				} {
					got, err := call.do(t.Context())
					require.NoError(t, err, call.name)
					assert.Equal(t, call.want, c.view(got), call.name)
				}

				_, err = c.get(t.Context(), answers.MissingKeyID)
				got, ok := c.refusal(err)
				require.True(t, ok, "%T: %v", err, err)
				assert.Equal(t, answers.NotFound(), got)
			})
		}
	}
}

func TestAllContendersIterateOverTheSameKeys(t *testing.T) {
	const total = 300
	for _, made := range contenders {
		t.Run(made.name, func(t *testing.T) {
			c, err := made.make(answers.BaseURL, answers.New(total))
			require.NoError(t, err)
			var got []answers.AdminKey
			s, err := c.iterate(t.Context(), func(k answers.AdminKey) { got = append(got, k) })
			require.NoError(t, err)
			assert.Equal(t, keys(total), got)
			assert.Equal(t, expected(total), s)
		})
	}
}

// keys are the first total keys.
func keys(total int) []answers.AdminKey {
	var keys []answers.AdminKey
	for i := range total {
		keys = append(keys, answers.Key(i))
	}
	return keys
}

// expected is what an iteration over the first total keys sees.
func expected(total int) (s seen) {
	for i := range total {
		k := answers.Key(i)
		s.keys++
		s.created += k.CreatedAt
		if k.Name != nil {
			s.named++
		}
	}
	return s
}
