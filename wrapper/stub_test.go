package orgkeys

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stubTransport makes a function an http.RoundTripper.
type stubTransport func(*http.Request) (*http.Response, error)

func (f stubTransport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const stubURL = "https://api.example/v1"

// stubClient returns a client whose requests transport responds to.
func stubClient(t testing.TB, transport http.RoundTripper, more ...Option) *Client {
	t.Helper()
	options := []Option{
		WithAdminKey("sk-admin-test"), WithBaseURL(stubURL),
		WithHTTPClient(&http.Client{Transport: transport}),
	}
	client, err := NewClient(append(options, more...)...)
	require.NoError(t, err)
	return client
}

func jsonResponse(status int, body string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}

// envelope is the API's error envelope.
const envelope = `{"error":{"message":"no","type":"x","param":null,"code":null}}`
