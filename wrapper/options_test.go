package orgkeys

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clearEnvironment unsets the variables that NewClient reads.
func clearEnvironment(t *testing.T) {
	t.Setenv(adminKeyVariable, "")
	t.Setenv(baseURLVariable, "")
}

func TestConfigure_defaults(t *testing.T) {
	clearEnvironment(t)
	c, base, err := configure([]Option{WithAdminKey("sk-admin-test")})
	require.NoError(t, err)
	assert.Equal(t, "https://api.openai.com/v1", base.String())
	assert.Equal(t, 30*time.Second, c.attemptTimeout)
	assert.Equal(t, int64(8<<20), c.maxBody)
	assert.Equal(t, 4, c.retry.MaxAttempts)
	assert.Equal(t, http.DefaultTransport, c.http.Transport)
	assert.Nil(t, c.logger)
	assert.Zero(t, c.perMinute)
	assert.Regexp(t, `^orgkeys-go/\S+ \(go1\.\S+; \w+/\w+\)$`, c.userAgent)
}

func TestConfigure_environment(t *testing.T) {
	clearEnvironment(t)
	_, _, err := configure(nil)
	assert.ErrorContains(t, err, "set OPENAI_ADMIN_KEY")

	t.Setenv(adminKeyVariable, "from-the-environment")
	t.Setenv(baseURLVariable, "https://environment.example/v1/")
	c, base, err := configure(nil)
	require.NoError(t, err)
	assert.Equal(t, "https://environment.example/v1", base.String())
	found, err := c.credential(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer from-the-environment"}, found.authorization)

	c, base, err = configure([]Option{WithBaseURL("https://option.example"), WithAdminKey("from-the-option")})
	require.NoError(t, err)
	assert.Equal(t, "https://option.example", base.String())
	found, err = c.credential(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer from-the-option"}, found.authorization)

	t.Setenv(baseURLVariable, "http://environment.example")
	_, _, err = configure(nil)
	assert.ErrorContains(t, err, "OPENAI_BASE_URL: base URL is http")
	_, _, err = configure([]Option{WithBaseURL("http://option.example")})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "OPENAI_BASE_URL")
	_, _, err = configure([]Option{WithPlainHTTP()})
	assert.NoError(t, err)

	t.Setenv(adminKeyVariable, "a\nb")
	_, err = NewClient(WithBaseURL("https://option.example"))
	assert.ErrorContains(t, err, "orgkeys: admin key: ")
}

func TestOptions_invalid(t *testing.T) {
	clearEnvironment(t)
	for name, row := range map[string]struct {
		option Option
		want   string
	}{
		"nil option":          {nil, "an option is nil"},
		"admin key":           {WithAdminKey("a b"), "admin key: contains white space"},
		"nil source":          {WithAdminKeySource(nil), "WithAdminKeySource: the source is nil"},
		"empty base URL":      {WithBaseURL(""), "WithBaseURL: the URL is empty"},
		"base URL":            {WithBaseURL("api.example"), "base URL does not have the form"},
		"nil client":          {WithHTTPClient(nil), "WithHTTPClient: the client is nil"},
		"nil *http.Transport": {WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}), "WithHTTPClient: the client's Transport is a nil *http.Transport"},
		"nil function":        {WithHTTPClient(&http.Client{Transport: transportFunc(nil)}), "WithHTTPClient: the client's Transport is a nil orgkeys.transportFunc"},
		"negative attempts":   {WithRetry(Retry{MaxAttempts: -1}), "retry: a field is negative"},
		"base delay":          {WithRetry(Retry{BaseDelay: time.Hour}), "retry: BaseDelay 1h0m0s is longer"},
		"no timeout":          {WithAttemptTimeout(0), "WithAttemptTimeout: 0s"},
		"negative timeout":    {WithAttemptTimeout(-1), "WithAttemptTimeout: -1ns"},
		"no rate":             {WithRateLimit(0), "WithRateLimit: 0 "},
		"negative rate":       {WithRateLimit(-1), "WithRateLimit: -1 "},
		"nil logger":          {WithLogger(nil), "WithLogger: the logger is nil"},
		"no user agent":       {WithUserAgent(""), "WithUserAgent: "},
		"line break":          {WithUserAgent("a\nb"), "WithUserAgent: "},
		"not ASCII":           {WithUserAgent("é"), "WithUserAgent: "},
		"no bytes":            {WithMaxResponseBytes(0), "WithMaxResponseBytes: 0 "},
		"negative bytes":      {WithMaxResponseBytes(-1), "WithMaxResponseBytes: -1 "},
	} {
		client, err := NewClient(WithAdminKey("sk-admin-test"), row.option)
		assert.ErrorContains(t, err, "orgkeys: "+row.want, name)
		assert.Nil(t, client, name)
	}
}

func TestOptions_valid(t *testing.T) {
	clearEnvironment(t)
	logger := slog.New(slog.DiscardHandler)
	c, _, err := configure([]Option{
		WithAdminKeySource(func(context.Context) (string, error) { return "from-the-source", nil }),
		WithBaseURL("http://proxy.example"), WithPlainHTTP(), WithRetry(Retry{MaxAttempts: 1}), WithAttemptTimeout(1), WithRateLimit(1),
		WithLogger(logger), WithUserAgent("keyrotator/1.4"), WithMaxResponseBytes(math.MaxInt64),
	})
	require.NoError(t, err)
	found, err := c.credential(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"Bearer from-the-source"}, found.authorization)
	assert.Equal(t, 1, c.retry.MaxAttempts)
	assert.Equal(t, time.Duration(1), c.attemptTimeout)
	assert.Equal(t, 1, c.perMinute)
	assert.Same(t, logger, c.logger)
	assert.Regexp(t, `^keyrotator/1\.4 orgkeys-go/`, c.userAgent)
	assert.Equal(t, int64(math.MaxInt64), c.maxBody)
}

// TestWithHTTPClient_copies verifies that the caller's http.Client is not modified, and that later
// changes to it have no effect.
func TestWithHTTPClient_copies(t *testing.T) {
	clearEnvironment(t)
	client := &http.Client{}
	c, base, err := configure([]Option{WithAdminKey("sk-admin-test"), WithHTTPClient(client), WithBaseURL("http://localhost:1")})
	require.NoError(t, err)
	assert.Nil(t, client.Transport)
	client.Transport = transportFunc(nil)
	assert.Equal(t, http.DefaultTransport, newPipeline(c, base).transport())
}

func TestConfigure_checksTheProxyOfTheDefaultTransport(t *testing.T) {
	clearEnvironment(t)
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	http.DefaultTransport = &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example"})}
	for _, client := range []*http.Client{{}, {Transport: http.DefaultTransport}} {
		_, _, err := configure([]Option{WithAdminKey("sk-admin-test"), WithBaseURL("http://localhost:1"), WithHTTPClient(client)})
		assert.ErrorContains(t, err, "through a proxy")
		_, _, err = configure([]Option{WithAdminKey("sk-admin-test"), WithBaseURL("https://api.example"), WithHTTPClient(client)})
		assert.NoError(t, err)
	}
}
