package strictjson

import (
	"encoding/base64"
	"errors"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Text is a constraint on a string. The generated code has one variable for each.
type Text struct {
	MinLength int // in characters
	MaxLength int // in characters; 0 is unlimited
	Pattern   string
	Format    string // a key of Formats

	compile sync.Once
	pattern *regexp.Regexp
}

// ReadText reads a string that satisfies t.
func ReadText[T ~string](v *T, d *Decoder, t *Text) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	if problem := t.problem(text); problem != "" {
		return Invalid(problem)
	}
	*v = T(d.string(text))
	return nil
}

func (t *Text) problem(text []byte) string {
	if t.MinLength > 0 && utf8.RuneCount(text) < t.MinLength {
		return "is shorter than " + strconv.Itoa(t.MinLength) + " characters"
	}
	if t.MaxLength > 0 && utf8.RuneCount(text) > t.MaxLength {
		return "is longer than " + strconv.Itoa(t.MaxLength) + " characters"
	}
	if t.Pattern != "" {
		t.compile.Do(func() { t.pattern = regexp.MustCompile(t.Pattern) })
		if !t.pattern.Match(text) {
			return "does not match the contract's pattern"
		}
	}
	if t.Format != "" && !Formats[t.Format](string(text)) {
		return "is not of the format " + t.Format
	}
	return ""
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Formats are the formats that are verified in strings, beside those with a type of their own.
var Formats = map[string]func(string) bool{
	"id":   func(s string) bool { return validID(s) == "" },
	"date": func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
	"email": func(s string) bool {
		local, domain, ok := strings.Cut(s, "@")
		return ok && local != "" && domain != "" && !strings.ContainsAny(s, " \t\r\n")
	},
	"uri":  func(s string) bool { u, err := url.Parse(s); return err == nil && u.IsAbs() },
	"uuid": uuid.MatchString,
}

// DateTime reads a time in the format of RFC 3339.
func DateTime(v *time.Time, d *Decoder) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return Invalid("is not of the format date-time")
	}
	*v = at
	return nil
}

// Bytes reads a string in base64.
func Bytes[T ~[]byte](v *T, d *Decoder) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	content, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil {
		return Invalid("is not base64")
	}
	*v = content
	return nil
}

// Range is a constraint on a number.
type Range struct {
	Min, Max                   float64 // infinite if there is no bound
	ExclusiveMin, ExclusiveMax bool
	MultipleOf                 float64 // 0 if any number is allowed
}

// Inf returns the bound of a Range that is unlimited in the direction of sign.
func Inf(sign int) float64 { return math.Inf(sign) }

func (r *Range) check(n float64) error {
	switch {
	case r == nil:
		return nil
	case n < r.Min || r.ExclusiveMin && n == r.Min:
		return Invalid("is below the minimum")
	case n > r.Max || r.ExclusiveMax && n == r.Max:
		return Invalid("is above the maximum")
	case r.MultipleOf != 0 && math.Trunc(n/r.MultipleOf) != n/r.MultipleOf:
		return Invalid("is not a multiple of " + strconv.FormatFloat(r.MultipleOf, 'g', -1, 64))
	}
	return nil
}

// Integer reads an integer in the sense of JSON Schema: 5.0 and 5e3 are integers.
func Integer[T ~int | ~int8 | ~int16 | ~int32 | ~int64](v *T, d *Decoder) error {
	return IntegerIn(v, d, nil)
}

// IntegerIn reads an integer that satisfies r.
func IntegerIn[T ~int | ~int8 | ~int16 | ~int32 | ~int64](v *T, d *Decoder, r *Range) error {
	token, err := d.number()
	if err != nil {
		return err
	}
	n, err := parseInteger(string(token))
	if err != nil {
		return Invalid(err.Error())
	}
	if int64(T(n)) != n {
		return Invalid(errTooLarge.Error())
	}
	if err := r.check(float64(n)); err != nil {
		return err
	}
	*v = T(n)
	return nil
}

// ConstInteger reads an integer that must be want.
func ConstInteger[T ~int | ~int8 | ~int16 | ~int32 | ~int64](v *T, d *Decoder, want T) error {
	if err := Integer(v, d); err != nil {
		return err
	}
	if *v != want {
		return Invalid("is not the constant " + strconv.FormatInt(int64(want), 10))
	}
	return nil
}

// Number reads a number.
func Number[T ~float32 | ~float64](v *T, d *Decoder) error { return NumberIn(v, d, nil) }

// NumberIn reads a number that satisfies r.
func NumberIn[T ~float32 | ~float64](v *T, d *Decoder, r *Range) error {
	token, err := d.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseFloat(string(token), 64)
	if err != nil || math.IsInf(float64(T(n)), 0) {
		return Invalid(errTooLarge.Error())
	}
	if err := r.check(n); err != nil {
		return err
	}
	*v = T(n)
	return nil
}

// ConstNumber reads a number that must be want.
func ConstNumber[T ~float32 | ~float64](v *T, d *Decoder, want T) error {
	if err := Number(v, d); err != nil {
		return err
	}
	if *v != want {
		return Invalid("is not the constant " + strconv.FormatFloat(float64(want), 'g', -1, 64))
	}
	return nil
}

var (
	errNotInteger = errors.New("is not an integer")
	errTooLarge   = errors.New("is too large a number")
)

// parseInteger parses a JSON number, which may have a fraction of zeros or an exponent.
func parseInteger(token string) (int64, error) {
	if n, err := strconv.ParseInt(token, 10, 64); err == nil {
		return n, nil
	}
	sign := ""
	if token[0] == '-' {
		sign, token = "-", token[1:]
	}
	mantissa, exponent := token, 0
	if i := strings.IndexAny(token, "eE"); i >= 0 {
		var err error
		mantissa = token[:i]
		if exponent, err = strconv.Atoi(token[i+1:]); err != nil {
			// The exponent does not fit in an int. Zero is zero with any exponent.
			exponent = math.MaxInt32
			if token[i+1] == '-' {
				exponent = math.MinInt32
			}
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	zeros := exponent - len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	zeros += len(digits) - len(trimmed)
	switch {
	case trimmed == "":
		return 0, nil
	case zeros < 0:
		return 0, errNotInteger
	case len(trimmed)+zeros > len("9223372036854775807"):
		return 0, errTooLarge
	}
	n, err := strconv.ParseInt(sign+trimmed+strings.Repeat("0", zeros), 10, 64)
	if err != nil {
		return 0, errTooLarge
	}
	return n, nil
}

// Items is a constraint on the number of elements of an array, or of members of an object.
func Items(n, least, most int) error {
	switch {
	case n < least:
		return Invalid("contains fewer than " + strconv.Itoa(least) + " items")
	case most >= 0 && n > most:
		return Invalid("contains more than " + strconv.Itoa(most) + " items")
	}
	return nil
}
