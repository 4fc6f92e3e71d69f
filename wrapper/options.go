package orgkeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"time"
)

const (
	adminKeyVariable = "OPENAI_ADMIN_KEY"
	baseURLVariable  = "OPENAI_BASE_URL"
	defaultBaseURL   = "https://api.openai.com/v1"
)

// Option configures a [Client]. [NewClient] returns an error if the value of an option is invalid.
type Option func(*config) error

type config struct {
	credential     func(context.Context) (credential, error)
	baseURL        string
	plainHTTP      bool
	http           *http.Client
	userAgent      string
	attemptTimeout time.Duration
	retry          Retry
	perMinute      int
	logger         *slog.Logger
	maxBody        int64
}

// configure applies the options, and then the environment for what they do not set.
func configure(options []Option) (config, *url.URL, error) {
	c := config{
		http:           &http.Client{},
		userAgent:      defaultUserAgent(),
		attemptTimeout: 30 * time.Second,
		retry:          defaultRetry,
		maxBody:        8 << 20,
	}
	for _, option := range options {
		if option == nil {
			return c, nil, errors.New("an option is nil")
		}
		if err := option(&c); err != nil {
			return c, nil, err
		}
	}
	if c.credential == nil {
		if err := WithAdminKey(os.Getenv(adminKeyVariable))(&c); err != nil {
			return c, nil, err
		}
	}
	if c.http.Transport == nil {
		c.http.Transport = http.DefaultTransport
	}
	base, err := parseBaseURL(cmp.Or(c.baseURL, os.Getenv(baseURLVariable), defaultBaseURL), c.plainHTTP)
	if err == nil {
		err = checkProxy(base, c.http.Transport, c.plainHTTP)
	}
	if err != nil && c.baseURL == "" {
		err = fmt.Errorf("%s: %w", baseURLVariable, err)
	}
	return c, base, err
}

// WithAdminKey authenticates requests with key instead of the value of OPENAI_ADMIN_KEY. The key
// must be printable ASCII without spaces and quotes.
func WithAdminKey(key string) Option {
	return func(c *config) error {
		fixed, err := newCredential(key)
		c.credential = func(context.Context) (credential, error) { return fixed, nil }
		return err
	}
}

// WithAdminKeySource calls source for the admin key before each attempt, so that the key can be
// rotated, or fetched when it is needed. source is called with the context of the call, and must
// be safe for concurrent use if the client is used concurrently. Its result is not cached. An
// error of source ends the call and is not retried.
func WithAdminKeySource(source func(context.Context) (string, error)) Option {
	return func(c *config) error {
		if source == nil {
			return errors.New("WithAdminKeySource: the source is nil")
		}
		c.credential = func(ctx context.Context) (credential, error) {
			key, err := source(ctx)
			if err != nil {
				return credential{}, fmt.Errorf("the admin key source failed: %w", err)
			}
			return newCredential(key)
		}
		return nil
	}
}

// WithBaseURL sets the URL that the paths of the API are appended to, instead of the value of
// OPENAI_BASE_URL or https://api.openai.com/v1. Its scheme must be https, or http if the host is
// localhost or a loopback address. It must not contain credentials, a query or a fragment.
func WithBaseURL(url string) Option {
	return func(c *config) error {
		if url == "" {
			return errors.New("WithBaseURL: the URL is empty")
		}
		c.baseURL = url
		return nil
	}
}

// WithPlainHTTP allows a base URL with the scheme http and any host. The admin key and the values
// of new keys then cross the network unencrypted.
func WithPlainHTTP() Option {
	return func(c *config) error {
		c.plainHTTP = true
		return nil
	}
}

// WithHTTPClient sends requests through the Transport of client, or [http.DefaultTransport] if it
// is nil. The Timeout of client, unless it is 0, is an upper bound of the attempt timeout. Its
// CheckRedirect and Jar are not used: no redirect is followed, and no cookie is sent. The client
// is copied and not modified.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return errors.New("WithHTTPClient: the client is nil")
		}
		switch v := reflect.ValueOf(client.Transport); v.Kind() {
		case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
			if v.IsNil() {
				return fmt.Errorf("WithHTTPClient: the client's Transport is a nil %T; leave it unset to use http.DefaultTransport", client.Transport)
			}
		}
		copied := *client
		c.http = &copied
		return nil
	}
}

// WithRetry sets how often a call is attempted and how long it waits between attempts. By default,
// there are at most 4 attempts, with exponential backoff from 500 ms and waits of at most 90 s. See
// [Retry].
func WithRetry(retry Retry) Option {
	return func(c *config) (err error) {
		c.retry, err = retry.withDefaults()
		return err
	}
}

// WithAttemptTimeout limits the duration of each attempt, from the start of the request to the end
// of the response's body. The default is 30 seconds. A call may make several attempts and wait
// between them; limit its whole duration with its context.
func WithAttemptTimeout(timeout time.Duration) Option {
	return func(c *config) error {
		if timeout <= 0 {
			return fmt.Errorf("WithAttemptTimeout: %v is not positive", timeout)
		}
		c.attemptTimeout = timeout
		return nil
	}
}

// WithRateLimit limits each operation to perMinute requests a minute, including retries, evenly
// spaced from the first request on. By default, requests are limited only after a response with
// the status 429. WithRateLimit is an upper bound: if the API accepts fewer requests, the client
// sends fewer. Users of the live API have measured limits of 7 to 10 requests a minute.
func WithRateLimit(perMinute int) Option {
	return func(c *config) error {
		if perMinute < 1 {
			return fmt.Errorf("WithRateLimit: %d requests a minute is less than 1", perMinute)
		}
		c.perMinute = perMinute
		return nil
	}
}

// WithLogger logs one record for each attempt. By default, nothing is logged. The level is warn if
// the attempt is retried, has no complete response, or has the status 429 or 5xx; otherwise it is
// debug. A record contains the method, operation, attempt, status, duration, request_id, wait (the
// time until the next attempt), waited (the waiting time of the call so far), the redacted cause
// of a failure, and the state of the rate limit after a 429. It contains no header, body or URL.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("WithLogger: the logger is nil")
		}
		c.logger = logger
		return nil
	}
}

// WithUserAgent prepends product, such as "keyrotator/1.4", to the User-Agent header of the
// requests. It must be printable ASCII.
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if product == "" || !printable(product) {
			return errors.New("WithUserAgent: the product is empty or contains characters that are not printable ASCII")
		}
		c.userAgent = product + " " + defaultUserAgent()
		return nil
	}
}

// WithMaxResponseBytes limits the size of a response's body, in bytes after decompression. The
// default is 8 MiB. The rest of a longer body is not read. A longer body of a 2xx response is a
// [*ResponseError], which an [*UnknownOutcomeError] wraps if the call is a create.
func WithMaxResponseBytes(limit int64) Option {
	return func(c *config) error {
		if limit < 1 {
			return fmt.Errorf("WithMaxResponseBytes: %d bytes is less than 1", limit)
		}
		c.maxBody = limit
		return nil
	}
}

// printable reports whether s is printable ASCII, which a header field can contain unescaped.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
