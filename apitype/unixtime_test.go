package apitype_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/apitype"
)

func TestUnixTime_UnmarshalJSON(t *testing.T) {
	const notUnixTime = "not a Unix time in whole seconds, from 1970 to the year 9999"
	for _, row := range []struct {
		json string
		want string // RFC 3339; "" is an error
	}{
		{"0", "1970-01-01T00:00:00Z"},
		{"1", "1970-01-01T00:00:01Z"},
		{"1711471533", "2024-03-26T16:45:33Z"},
		{"4102444800", "2100-01-01T00:00:00Z"},
		{"253402300799", "9999-12-31T23:59:59Z"},
		{"253402300800", ""},
		{"1711471533000", ""}, // milliseconds
		{"-1", ""},
		{"1.5", ""},
		{"1711471533.0", "2024-03-26T16:45:33Z"},
		{"1.711471533e9", "2024-03-26T16:45:33Z"},
		{"1711471533.5", ""},
		{"17114715335e-1", ""},
		{"-0.0", "1970-01-01T00:00:00Z"},
		{"-1.0", ""},
		{"1e30", ""},
		{"1e400", ""},
		{"9223372036854775807", ""},
		{"9223372036854775808", ""},
		{"99999999999999999999", ""},
		{`"1711471533"`, ""},
		{`""`, ""},
		{`"yesterday"`, ""},
		{"true", ""},
		{"false", ""},
		{"{}", ""},
		{"[]", ""},
		{"[1711471533]", ""},
	} {
		t.Run(row.json, func(t *testing.T) {
			got := apitype.UnixTime(-7)
			err := json.Unmarshal([]byte(row.json), &got)
			if row.want == "" {
				assert.EqualError(t, err, notUnixTime)
				assert.Equal(t, apitype.UnixTime(-7), got)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.want, got.String())
			assert.Equal(t, time.UTC, got.Time().Location())
			text, err := json.Marshal(got)
			require.NoError(t, err)
			assert.Equal(t, strconv.FormatInt(int64(got), 10), string(text))
		})
	}
	var got apitype.UnixTime
	assert.EqualError(t, got.UnmarshalJSON([]byte("null")), notUnixTime)
}
