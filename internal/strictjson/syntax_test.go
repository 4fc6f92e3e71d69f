package strictjson

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
)

// readAll reads a document of any form, without package jsontext.
func readAll(_ *struct{}, d *Decoder) error {
	switch c := d.peek(); {
	case c == '[':
		return Array(new([]struct{}), d, readAll)
	case c == '{':
		return Map(new(map[string]struct{}), d, readAll)
	case c == '"':
		return String(new(string), d)
	case c == 't' || c == 'f':
		return Bool(new(bool), d)
	case d.Null():
		return nil
	}
	_, err := d.number()
	return err
}

// documents contains valid and invalid documents for each rule of the syntax.
var documents = []string{
	``, ` `, `null`, `true`, `false`, `nul`, `nulls`, `truE`, `fals`, ` null `, `null null`, `null,`, "\x00", "null\x00", "\ufeffnull", "\vnull", "\u00a0null",
	`0`, `-0`, `-`, `00`, `01`, `-01`, `10`, `1.0`, `1.`, `.1`, `1.e1`, `1e1`, `1E+1`, `1e-1`, `1e`, `1e+`, `1e1.0`, `+1`, `0x1`, `1_0`, `Infinity`, `NaN`, `1 `, `1a`, `--1`, `1e400`,
	`""`, `"a"`, `"`, `"a`, `'a'`, `a`, `"a""b"`, `"\"`, `"\""`, `"\\"`, `"\\\"`, `"\/\b\f\n\r\t"`, `"\a"`, `"\'"`, `"\u0041"`, `"\u004"`, `"\u004g"`, `"\U0041"`, `"\u"`,
	`"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83d\u0041"`, `"\ude00\ud83d"`, `"\u0000"`, "\"\x00\"", "\"\x1f\"", "\"\x7f\"", "\"\n\"", "\"\t\"",
	"\"ä😀\"", "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc0\x80\"", "\"\\u00e4\xff\"", "\"\ufffd\"", "\"a\\",
	`[]`, `[ ]`, `[1]`, `[1,2]`, `[1,2,3]`, `[,]`, `[1,]`, `[,1]`, `[1,,2]`, `[1 2]`, `[1`, `[`, `]`, `[1}`, `[[]]`, `[[],[]]`, `[[]`, `[]]`, `[1,`, `[1:2]`, `["a":1]`, `[true,false,null]`, `[ 1 , 2 ]`,
	`{}`, `{ }`, `{"a":1}`, `{"a":1,"b":2}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"a":1}}`, `{"a":1,}`, `{,}`, `{,"a":1}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `{"a":1 "b":2}`,
	`{a:1}`, `{a":1}`, `{1:1}`, `[` + strings.Repeat(`[],`, 10_001) + `{}]`, `{null:1}`, `{"a":1`, `{"a":`, `{"a"`, `{"a`, `{`, `}`, `{"a":1]`, `{"a":1}}`, `{"a":1,,"b":2}`, `{"a"::1}`, `{"a":1;"b":2}`, `{"":1}`, `{"":1,"":2}`, "{\"\xff\":1}", "{\"\n\":1}",
	" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n1 \t\r\n} \t\r\n] \t\r\n", `// comment`, `[1] // comment`, `/**/1`,
	strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), strings.Repeat(`{"":`, 10_001) + "1" + strings.Repeat("}", 10_001),
	`[{},[{}],{"a":[{"b":{}}]}]`, `[[1],[1,[2]],[[3]]]`, `{"a":[],"b":{},"c":"d"}`,
}

// FuzzSyntax verifies that the Decoder accepts exactly the documents that jsontext accepts,
// whether it reads or skips them.
func FuzzSyntax(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		valid := jsontext.Value(document).IsValid()
		for how, read := range map[string]func(*struct{}, *Decoder) error{
			"read":    readAll,
			"skipped": func(_ *struct{}, d *Decoder) error { return d.Skip() },
			"skipped as a member": func(_ *struct{}, d *Decoder) error {
				return new(Seen).Unknown([]byte("a"), d)
			},
			"read again": func(v *struct{}, d *Decoder) error {
				start := d.Mark()
				_ = readAll(v, d)
				d.Reset(start)
				return readAll(v, d)
			},
		} {
			err := Unmarshal(document, new(struct{}), read)
			assert.Equal(t, valid, err == nil, "%s: %v: %.80q", how, err, document)
		}
	})
}
