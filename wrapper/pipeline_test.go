package orgkeys

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
)

// TestAccept_Body: the body of a request is read once and sent at each attempt, and one that
// cannot be read is not sent.
func TestAccept_Body(t *testing.T) {
	broken := errors.New("broken")
	edit := func(body io.Reader) gen.RequestEditorFn {
		return func(_ context.Context, r *http.Request) error {
			r.Body, r.ContentLength = io.NopCloser(body), 4711
			return nil
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		client := stubClient(t, stubTransport(func(r *http.Request) (*http.Response, error) {
			content, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			assert.Len(t, content, int(r.ContentLength))
			sent = append(sent, string(content))
			return jsonResponse(429, envelope), nil
		}), WithRetry(Retry{MaxAttempts: 2}))
		response, err := client.Generated().AdminAPIKeysCreate(t.Context(), createBody, edit(iotest.OneByteReader(strings.NewReader(`{"name":"ci"}`))))
		require.NoError(t, err)
		assert.Equal(t, 429, response.StatusCode)
		assert.GreaterOrEqual(t, len(sent), 2)
		for _, content := range sent {
			assert.Equal(t, `{"name":"ci"}`, content)
		}

		sent = nil
		_, err = client.Generated().AdminAPIKeysCreate(t.Context(), createBody, edit(iotest.ErrReader(broken)))
		assertNotSent(t, err)
		assert.ErrorIs(t, err, broken)
		assert.Empty(t, sent)
	})
}

// TestSleep verifies that a wait ends when its duration has passed or its context is done, and that
// a wait of zero also returns the error of a context that is done.
func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := record(t, readOp)
		started := time.Now()
		require.NoError(t, c.sleep(time.Hour))
		assert.Equal(t, time.Hour, time.Since(started))
		require.NoError(t, c.sleep(0))

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c.request = c.request.WithContext(ctx)
		assert.ErrorIs(t, c.sleep(time.Hour), context.DeadlineExceeded)
		assert.Equal(t, time.Hour+time.Minute, time.Since(started))
		assert.Equal(t, time.Hour+time.Minute, c.waited())
		for range 100 {
			require.Error(t, c.sleep(0))
		}
	})
}

// TestPanic verifies that a panic of a transport or a key source ends its own call and no other.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panics, limited := true, true
		fail := func() {
			if panics {
				panic("broken")
			}
		}
		transport := stubTransport(func(*http.Request) (*http.Response, error) {
			fail()
			if limited {
				limited = false
				return jsonResponse(429, envelope), nil
			}
			return jsonResponse(403, envelope), nil
		})
		for name, client := range map[string]*Client{
			"transport":  stubClient(t, transport),
			"key source": stubClient(t, transport, WithAdminKeySource(func(context.Context) (string, error) { fail(); return "sk-admin-test", nil })),
		} {
			panics, limited = true, true
			for range 100 {
				assert.Panics(t, func() { _, _ = client.ProjectKeys.Get(t.Context(), "proj_1", "key_1") }, name)
			}
			panics = false
			started := time.Now()
			for range 3 {
				_, err := client.ProjectKeys.Get(t.Context(), "proj_1", "key_1")
				assert.ErrorIs(t, err, ErrForbidden, name)
			}
			assert.Less(t, time.Since(started), 5*time.Minute, name)
		}
	})
}
