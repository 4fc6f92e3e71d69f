package strictjson_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

// problem decodes document with read and returns the problem in the error, or "" without one.
func problem[T any](document string, read func(*T, *strictjson.Decoder) error) string {
	var v T
	if err := strictjson.Unmarshal([]byte(document), &v, read); err != nil {
		return err.(*strictjson.Error).Problem
	}
	return ""
}

func TestInteger(t *testing.T) {
	const notInteger, tooLarge = "is not an integer", "is too large a number"
	for _, row := range []struct {
		document string
		want     int64
		problem  string
	}{
		{"0", 0, ""}, {"-0", 0, ""}, {"-0.0", 0, ""}, {"0e999999999999999999999", 0, ""}, {"0.000e-999999999999999999999", 0, ""},
		{"5", 5, ""}, {"5.0", 5, ""}, {"50e-1", 5, ""}, {"0.5e1", 5, ""}, {"1e3", 1000, ""}, {"1E+3", 1000, ""}, {"-12.50e1", -125, ""},
		{"9223372036854775807", math.MaxInt64, ""}, {"9223372036854775807.0", math.MaxInt64, ""}, {"-9223372036854775808", math.MinInt64, ""},
		{"9007199254740993.0", 9007199254740993, ""},
		{"9223372036854775808", 0, tooLarge}, {"1e19", 0, tooLarge}, {"1e999999999999999999999", 0, tooLarge}, {"-1e400", 0, tooLarge},
		{"1.5", 0, notInteger}, {"1e-1", 0, notInteger}, {"15e-1", 0, notInteger}, {"1e-999999999999999999999", 0, notInteger},
		{"9007199254740992.5", 0, notInteger},
		{`"1"`, 0, "is a string, expected a number"}, {"null", 0, "is null, expected a number"}, {"true", 0, "is a boolean, expected a number"},
		{"01", 0, "is not valid JSON"}, {"-", 0, "is truncated"}, {"1e+", 0, "is truncated"}, {"1ex", 0, "is not valid JSON"}, {".5", 0, "is not valid JSON"}, {"1 2", 0, "is followed by other data"}, {"1.", 0, "is truncated"}, {"+1", 0, "is not valid JSON"}, {"", 0, "is truncated"},
	} {
		var got int64
		err := strictjson.Unmarshal([]byte(row.document), &got, strictjson.Integer)
		if row.problem == "" {
			require.NoError(t, err, row.document)
			assert.Equal(t, row.want, got, row.document)
		} else if assert.Error(t, err, row.document) {
			assert.Equal(t, row.problem, err.(*strictjson.Error).Problem, row.document)
		}
	}
	assert.Equal(t, tooLarge, problem("2147483648", strictjson.Integer[int32]))
	assert.Equal(t, "", problem("-2147483648", strictjson.Integer[int32]))
}

func TestReadText(t *testing.T) {
	short := &strictjson.Text{MinLength: 2, MaxLength: 3}
	pattern := &strictjson.Text{Pattern: "^k_"}
	format := func(name string) *strictjson.Text { return &strictjson.Text{Format: name} }
	for _, row := range []struct {
		document   string
		constraint *strictjson.Text
		problem    string
	}{
		{`"ab"`, short, ""}, {`"äöü"`, short, ""}, {`"\u00e4\ud83d\ude00"`, short, ""},
		{`"ä"`, short, "is shorter than 2 characters"}, {`"abcd"`, short, "is longer than 3 characters"},
		{`"k_a"`, pattern, ""}, {`"\u006b_"`, pattern, ""}, {`"leak"`, pattern, "does not match the contract's pattern"},
		{`"2026-02-28"`, format("date"), ""}, {`"2026-02-30"`, format("date"), "is not of the format date"},
		{`"robin@example.com"`, format("email"), ""}, {`"robin"`, format("email"), "is not of the format email"},
		{`"https://example.com"`, format("uri"), ""}, {`"/a"`, format("uri"), "is not of the format uri"},
		{`"123e4567-e89b-12d3-a456-426614174000"`, format("uuid"), ""}, {`"123e4567e89b12d3a456426614174000"`, format("uuid"), "is not of the format uuid"},
		{`"key_abc"`, format("id"), ""}, {`"key\n"`, format("id"), "is not of the format id"},
	} {
		read := func(v *string, d *strictjson.Decoder) error { return strictjson.ReadText(v, d, row.constraint) }
		assert.Equal(t, row.problem, problem(row.document, read), row.document)
	}
}

func TestID(t *testing.T) {
	for document, want := range map[string]string{
		`"key_abc"`: "", `"!"`: "", `"~"`: "", `"\u0041"`: "",
		`"a b"`: "", `"k\u00e9y"`: "", `"\u9375"`: "",
		`""`:           "is empty, expected an id",
		`"  "`:         "is empty, expected an id",
		`"a\n"`:        "contains a control character, expected an id",
		`"\u0000"`:     "contains a control character, expected an id",
		`"\u007f"`:     "contains a control character, expected an id",
		`1`:            "is a number, expected a string",
		`["key_leak"]`: "is an array, expected a string",
	} {
		assert.Equal(t, want, problem(document, strictjson.ID[string]), document)
	}
}

func TestNumberIn(t *testing.T) {
	r := &strictjson.Range{Min: 0, Max: 1, ExclusiveMin: true, MultipleOf: 0.25}
	read := func(v *float64, d *strictjson.Decoder) error { return strictjson.NumberIn(v, d, r) }
	for document, want := range map[string]string{
		"0.25": "", "1": "", "1e0": "",
		"0": "is below the minimum", "-1": "is below the minimum", "1.25": "is above the maximum", "0.3": "is not a multiple of 0.25",
		"1e400": "is too large a number",
	} {
		assert.Equal(t, want, problem(document, read), document)
	}
	assert.Equal(t, "is too large a number", problem("1e39", strictjson.Number[float32]))
}

func TestBytesAndDateTime(t *testing.T) {
	assert.Equal(t, "", problem(`"YWI="`, strictjson.Bytes[[]byte]))
	assert.Equal(t, "is not base64", problem(`"YWI"`, strictjson.Bytes[[]byte]))
	assert.Equal(t, "is not base64", problem(`"YWJ="`, strictjson.Bytes[[]byte]), "unused bits that are not zero")
	var at time.Time
	require.NoError(t, strictjson.Unmarshal([]byte(`"2026-11-01T10:00:00+02:00"`), &at, strictjson.DateTime))
	assert.Equal(t, time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), at.UTC())
	assert.Equal(t, "is not of the format date-time", problem(`"2026-11-01"`, strictjson.DateTime))
}

// TestArray_DecodesAllElements decodes arrays with elements of different sizes, and with lengths
// around the number of elements that Array allocates in advance.
func TestArray_DecodesAllElements(t *testing.T) {
	for _, n := range []int{0, 1, 2, 127, 128, 129, 130, 1000} {
		want := make([][]string, n)
		for i := range want {
			want[i] = make([]string, i%3)
			for j := range want[i] {
				want[i][j] = time.Duration(i * j).String()
			}
		}
		document, err := json.Marshal(want)
		require.NoError(t, err)
		var got [][]string
		require.NoError(t, strictjson.Unmarshal(document, &got, func(v *[][]string, d *strictjson.Decoder) error {
			return strictjson.Array(v, d, func(v *[]string, d *strictjson.Decoder) error {
				return strictjson.Array(v, d, strictjson.String)
			})
		}))
		assert.Equal(t, want, got)
	}
}

func TestUnion(t *testing.T) {
	read := func(v *strictjson.Union, d *strictjson.Decoder) error {
		return strictjson.ReadUnion(v, d, strictjson.As(strictjson.String[string]), strictjson.As(readSecrets), strictjson.As(decodeItem))
	}
	decode := func(document string) strictjson.Union {
		var u strictjson.Union
		require.NoError(t, strictjson.Unmarshal([]byte(document), &u, read), document)
		return u
	}
	text, err := strictjson.Get(decode(`"a"`), strictjson.String[string])
	require.NoError(t, err)
	assert.Equal(t, "a", text)
	_, err = strictjson.Get(decode(`"a"`), decodeItem)
	assert.Error(t, err, "it is a string")

	thing, err := strictjson.Get(decode(`{`+plain+`}`), decodeItem)
	require.NoError(t, err)
	assert.Equal(t, "n", thing.Name)

	secrets := decode(`["sk-leak-1234abcd"]`)
	encoded, err := json.Marshal(secrets)
	require.NoError(t, err)
	assert.Equal(t, `["[redacted]"]`, string(encoded))
	values, err := strictjson.Get(secrets, readSecrets)
	require.NoError(t, err)
	assert.Equal(t, "sk-leak-1234abcd", values[0].Reveal())

	_, err = strictjson.Get(strictjson.UnionOf("a"), decodeItem)
	assert.Error(t, err)
	assert.Equal(t, "matches none of the types that the contract allows", problem(`{"leak":1}`, read))
	assert.Equal(t, "is truncated", problem(`{"leak":1`, read))
}

func readSecrets(v *[]apitype.Secret, d *strictjson.Decoder) error {
	return strictjson.Array(v, d, strictjson.Value)
}

func TestConstants(t *testing.T) {
	yes := func(v *bool, d *strictjson.Decoder) error { return strictjson.ConstBool(v, d, true) }
	seven := func(v *int, d *strictjson.Decoder) error { return strictjson.ConstInteger(v, d, 7) }
	half := func(v *float64, d *strictjson.Decoder) error { return strictjson.ConstNumber(v, d, 0.5) }
	for _, row := range []struct{ got, want string }{
		{problem("true", yes), ""}, {problem("false", yes), "is not the constant true"},
		{problem("7.0", seven), ""}, {problem("8", seven), "is not the constant 7"},
		{problem("5e-1", half), ""}, {problem("0.25", half), "is not the constant 0.5"},
		{problem("null", strictjson.Null), ""}, {problem("0", strictjson.Null), "is a number, expected null"},
	} {
		assert.Equal(t, row.want, row.got)
	}
}

func TestOptionalTimes(t *testing.T) {
	assert.Equal(t, "", problem("7", strictjson.NonNull[apitype.OptionalTime]))
	assert.Equal(t, "is null, expected another value", problem("null", strictjson.NonNull[apitype.OptionalTime]))
	assert.Equal(t, "", problem("null", strictjson.Value[apitype.OptionalTime]))
}

func TestMap_NamesTheProblemOnce(t *testing.T) {
	inner := func(v *map[string]string, d *strictjson.Decoder) error {
		return strictjson.Map(v, d, strictjson.String)
	}
	outer := func(v *map[string]map[string]string, d *strictjson.Decoder) error { return strictjson.Map(v, d, inner) }
	assert.Equal(t, "contains a value that is a number, expected a string", problem(`{"leak":{"leak":7}}`, outer))
}

// TestUnion_FailedAlternativesDoNotAddToTheDepth reads more unions than a document may have nested
// levels.
func TestUnion_FailedAlternativesDoNotAddToTheDepth(t *testing.T) {
	numbers := func(v *[][]int, d *strictjson.Decoder) error {
		return strictjson.Array(v, d, func(v *[]int, d *strictjson.Decoder) error { return strictjson.Array(v, d, strictjson.Integer) })
	}
	union := func(v *strictjson.Union, d *strictjson.Decoder) error {
		return strictjson.ReadUnion(v, d, strictjson.As(numbers), strictjson.As(strictjson.Any[any]))
	}
	read := func(v *[]strictjson.Union, d *strictjson.Decoder) error { return strictjson.Array(v, d, union) }
	assert.Equal(t, "", problem("["+strings.Repeat(`[["a"]],`, 10_000)+`[[1]]]`, read))
}
