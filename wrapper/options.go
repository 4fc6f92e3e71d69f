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

// Option sets up a client. A value that can't work makes [NewClient] fail.
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

// configure applies options, and the environment where they are silent.
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
		err = fmt.Errorf("%w (from %s)", err, baseURLVariable)
	}
	return c, base, err
}

// WithAdminKey signs every request with key, instead of OPENAI_ADMIN_KEY.
func WithAdminKey(key string) Option {
	return func(c *config) error {
		fixed, err := newCredential(key)
		c.credential = func(context.Context) (credential, error) { return fixed, nil }
		return err
	}
}

// WithAdminKeySource asks source for the admin key before each request, so that a key can be
// rotated or fetched late. An error of source ends the call before anything is sent. source
// is called from several goroutines at once where the client is; one that is slow should
// remember what it found.
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

// WithBaseURL sends requests below url instead of https://api.openai.com/v1. It must be https,
// or http to a loopback host, and hold no user, query or fragment.
func WithBaseURL(url string) Option {
	return func(c *config) error {
		if url == "" {
			return errors.New("base URL: is empty")
		}
		c.baseURL = url
		return nil
	}
}

// WithPlainHTTP lets the base URL be http to any host. The admin key, and every key that is
// minted, then cross the network for all on it to read.
func WithPlainHTTP() Option {
	return func(c *config) error {
		c.plainHTTP = true
		return nil
	}
}

// WithHTTPClient sends requests through the Transport of client, and lets no attempt last
// longer than its Timeout. The client is not changed. Its redirect policy and its cookie jar
// are not used: no redirect is followed and no cookie is sent.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return errors.New("WithHTTPClient: the client is nil")
		}
		switch v := reflect.ValueOf(client.Transport); v.Kind() {
		case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
			if v.IsNil() {
				return errors.New("WithHTTPClient: the client's Transport is nil, with a type")
			}
		}
		copied := *client
		c.http = &copied
		return nil
	}
}

// WithRetry sets when a call is tried again and how long it waits. See [Retry].
func WithRetry(retry Retry) Option {
	return func(c *config) (err error) {
		c.retry, err = retry.withDefaults()
		return err
	}
}

// WithAttemptTimeout limits one attempt, from the first byte sent to the last one read, to
// timeout instead of 30 seconds. A call may make several; limit the whole of it with its
// context.
func WithAttemptTimeout(timeout time.Duration) Option {
	return func(c *config) error {
		if timeout <= 0 {
			return fmt.Errorf("attempt timeout: %v is not positive", timeout)
		}
		c.attemptTimeout = timeout
		return nil
	}
}

// WithRateLimit sends at most perMinute requests a minute for each operation, evenly spaced from
// the first one on, retries included. Without it, requests are spaced once the API has responded
// with a 429; with it, they are also spaced more widely if the API grants less. The live API
// grants some 7 to 10 requests a minute.
func WithRateLimit(perMinute int) Option {
	return func(c *config) error {
		if perMinute < 1 {
			return fmt.Errorf("rate limit: %d requests a minute is less than one", perMinute)
		}
		c.perMinute = perMinute
		return nil
	}
}

// WithLogger writes one record for each attempt to logger: at warn level if the attempt is
// retried, has no complete response, or failed with a 429 or 5xx, and at debug level otherwise. A
// record contains method, operation, attempt, status, duration, request_id, wait (the time until
// the next attempt), waited (the waiting time of the call so far), the redacted cause of a
// failure, and the state of the rate limit after a 429. It contains no header, body or URL.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("WithLogger: the logger is nil")
		}
		c.logger = logger
		return nil
	}
}

// WithUserAgent puts product, such as "keyrotator/1.4", in front of the client's own user
// agent.
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if product == "" || !printable(product) {
			return errors.New("user agent: is empty or holds more than printable ASCII")
		}
		c.userAgent = product + " " + defaultUserAgent()
		return nil
	}
}

// WithMaxResponseBytes reads at most limit bytes of an answer, decompressed, instead of
// 8 MiB. A longer one is a [*ResponseError].
func WithMaxResponseBytes(limit int64) Option {
	return func(c *config) error {
		if limit < 1 {
			return fmt.Errorf("response limit: %d bytes is less than one", limit)
		}
		c.maxBody = limit
		return nil
	}
}

// printable reports whether s can stand in a header as it is.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
