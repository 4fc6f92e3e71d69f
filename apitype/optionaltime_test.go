package apitype_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/apitype"
)

func TestOptionalTime(t *testing.T) {
	type object struct {
		At apitype.OptionalTime `json:"at,omitzero"`
	}
	second := time.Date(2024, 3, 26, 16, 45, 33, 0, time.UTC)
	for _, row := range []struct {
		json         string
		want         apitype.OptionalTime
		text         string
		null, absent bool
	}{
		{`{"at":1711471533}`, apitype.TimeAt(second), "2024-03-26T16:45:33Z", false, false},
		{`{"at":0}`, apitype.TimeAt(time.Unix(0, 0)), "1970-01-01T00:00:00Z", false, false},
		{`{"at":null}`, apitype.NullTime(), "null", true, false},
		{`{}`, apitype.OptionalTime{}, "absent", false, true},
	} {
		var got object
		require.NoError(t, json.Unmarshal([]byte(row.json), &got), row.json)
		assert.Equal(t, row.want, got.At, row.json)
		assert.Equal(t, row.text, got.At.String())
		assert.Equal(t, row.null, got.At.IsNull(), row.json)
		assert.Equal(t, row.absent, got.At.IsAbsent(), row.json)
		at, ok := got.At.Time()
		assert.Equal(t, !row.null && !row.absent, ok, row.json)
		if ok {
			assert.Equal(t, row.text, at.Format(time.RFC3339))
			assert.Equal(t, time.UTC, at.Location())
		} else {
			assert.True(t, at.IsZero())
		}
		encoded, err := json.Marshal(got)
		require.NoError(t, err)
		assert.JSONEq(t, row.json, string(encoded))
	}
}

func TestOptionalTime_UnmarshalInvalid(t *testing.T) {
	before := apitype.TimeAt(time.Unix(7, 0))
	for _, text := range []string{`"1711471533"`, `1.5`, `-1`, `253402300800`, `true`, `{}`, `nul`} {
		at := before
		err := at.UnmarshalJSON([]byte(text))
		assert.EqualError(t, err, "not a Unix time in whole seconds, from 1970 to the year 9999", text)
		assert.Equal(t, before, at, text)
	}
}

func TestTimeAt_TruncatesToSeconds(t *testing.T) {
	assert.Equal(t, apitype.TimeAt(time.Unix(7, 0)), apitype.TimeAt(time.Unix(7, 999)))
}
