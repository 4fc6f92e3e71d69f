package orgkeys_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// TestEachAttemptIsOneRecordOfAllowedAttributes holds the exact set of attributes, and their
// values, for an attempt that fails and the one that follows.
func TestEachAttemptIsOneRecordOfAllowedAttributes(t *testing.T) {
	inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
		server.Inject(
			orgkeystest.Fault{Operation: read, Status: 500},
			orgkeystest.Fault{Operation: read, Delay: time.Hour},
		)
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := newClient(t, server, orgkeys.WithLogger(logger)).ProjectKeys.Get(t.Context(), project, "key_1")
		require.NoError(t, err)

		var records []map[string]any
		for line := range bytes.Lines(out.Bytes()) {
			var record map[string]any
			require.NoError(t, json.Unmarshal(line, &record))
			records = append(records, record)
		}
		require.Len(t, records, 3)
		for i, want := range []struct {
			level  string
			status float64
			waits  bool
			hasID  bool
		}{
			{"WARN", 500, true, true},
			{"WARN", 0, true, false},
			{"DEBUG", 200, false, true},
		} {
			record := records[i]
			assert.ElementsMatch(t,
				[]string{"time", "level", "msg", "method", "operation", "attempt", "status", "duration", "request_id", "wait"},
				slices.Collect(maps.Keys(record)))
			assert.Equal(t, want.level, record["level"])
			assert.Equal(t, "orgkeys attempt", record["msg"])
			assert.Equal(t, "GET", record["method"])
			assert.Equal(t, read, record["operation"])
			assert.Equal(t, float64(i+1), record["attempt"])
			assert.Equal(t, want.status, record["status"])
			assert.Equal(t, want.waits, record["wait"].(float64) > 0)
			assert.Equal(t, want.hasID, record["request_id"] != "")
			assert.GreaterOrEqual(t, record["duration"], 0.0)
		}
	})
}

// TestARefusalIsLoggedQuietly holds that an answer that ends the call is no reason to warn.
func TestARefusalIsLoggedQuietly(t *testing.T) {
	inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
		var out bytes.Buffer
		client := newClient(t, server, orgkeys.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
		_, err := client.ProjectKeys.Get(t.Context(), project, "key_2")
		require.ErrorIs(t, err, orgkeys.ErrNotFound)
		assert.Empty(t, out.String())
	})
}

// TestALateAttemptsDurationIsLogged holds the unit: what slog makes of a time.Duration.
func TestALateAttemptsDurationIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, server *orgkeystest.Server) {
		server.Inject(orgkeystest.Fault{Operation: read, Delay: 3 * time.Second})
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := newClient(t, server, orgkeys.WithLogger(logger)).ProjectKeys.Get(t.Context(), project, "key_1")
		require.NoError(t, err)
		assert.Contains(t, out.String(), " duration=3s ")
	})
}
