// Package ratelimit measures how orgkeys and the official SDK delete 200 keys on a server that
// accepts 8 deletes a minute. Both have default options, and time is virtual.
package ratelimit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const (
	keys      = 200
	perMinute = 8
	project   = "proj_abc"
	baseURL   = "https://api.example.com/v1"
	adminKey  = "sk-admin-of-the-simulation"
)

// server accepts perMinute deletes in any period of a minute. It responds to others with a 429,
// which has a Retry-After header if hint is set.
type server struct {
	hint bool

	mu      sync.Mutex
	granted []time.Time // in the last minute
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.granted) > 0 && now.Sub(s.granted[0]) >= time.Minute {
		s.granted = s.granted[1:]
	}
	header := http.Header{"Content-Type": {"application/json"}}
	status, body := http.StatusOK, `{"object":"organization.project.api_key.deleted","id":"`+path.Base(r.URL.Path)+`","deleted":true}`
	if len(s.granted) < perMinute {
		s.granted = append(s.granted, now)
	} else {
		status, body = http.StatusTooManyRequests, `{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}`
		if s.hint {
			wait := s.granted[0].Add(time.Minute).Sub(now)
			header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		}
	}
	return &http.Response{
		StatusCode: status, Header: header, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// sdks are functions that create a client and return a function that deletes one key with it.
var sdks = map[string]func(t *testing.T, h *http.Client) func(ctx context.Context, id string) error{
	"orgkeys": func(t *testing.T, h *http.Client) func(context.Context, string) error {
		client, err := orgkeys.NewClient(orgkeys.WithBaseURL(baseURL), orgkeys.WithAdminKey(adminKey), orgkeys.WithHTTPClient(h))
		require.NoError(t, err)
		return func(ctx context.Context, id string) error {
			_, err := client.ProjectKeys.Delete(ctx, project, id)
			return err
		}
	},
	"official": func(_ *testing.T, h *http.Client) func(context.Context, string) error {
		client := openai.NewClient(option.WithBaseURL(baseURL), option.WithAdminAPIKey(adminKey), option.WithHTTPClient(h))
		return func(ctx context.Context, id string) error {
			_, err := client.Admin.Organization.Projects.APIKeys.Delete(ctx, project, id)
			return err
		}
	},
}

// TestBulkDelete prints its figures in the format of Go's benchmarks, from which cmd/report writes
// RESULTS.md. orgkeys must lose no call and take at most 35 % longer than the limit requires.
func TestBulkDelete(t *testing.T) {
	for _, hint := range []bool{false, true} {
		for _, workers := range []int{1, 8, 64} {
			for name, sdk := range sdks {
				synctest.Test(t, func(t *testing.T) {
					remove := sdk(t, &http.Client{Transport: &server{hint: hint}})
					began := time.Now()
					failed := deleteAll(workers, func(i int) error { return remove(t.Context(), fmt.Sprintf("key_%d", i)) })
					took := time.Since(began)
					_, _ = fmt.Fprintf(t.Output(), "BenchmarkBulk/workers=%d/hint=%v/client=%s 1 %d failed %.1f min\n", workers, hint, name, failed, took.Minutes())
					if name == "orgkeys" {
						assert.Zero(t, failed)
						assert.Less(t, took, keys*time.Minute/perMinute*135/100)
					}
				})
			}
		}
	}
}

// deleteAll deletes the keys with the given number of workers, and returns how many calls failed.
func deleteAll(workers int, remove func(i int) error) int {
	var next, failed atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := next.Add(1); i <= keys; i = next.Add(1) {
				if remove(int(i)) != nil {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return int(failed.Load())
}
