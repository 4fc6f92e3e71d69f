package strictjson_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

// kind is a type with one constant.
type kind string

// item has a property of each type. decodeItem has the form of a generated decoder.
type item struct {
	Object  kind
	Name    string
	Note    *string
	On      bool
	At      apitype.UnixTime
	Tags    []string
	Inner   *item
	Things  []item
	Open    any
	Skipped int // number of members that the contract does not define
}

func decodeItem(v *item, d *strictjson.Decoder) error {
	var seen strictjson.Seen
	if err := d.Open(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Name()
		if err != nil {
			return err
		}
		var i int
		switch string(name) {
		case "object":
			i, err = 0, strictjson.Const(&v.Object, d, "item")
		case "name":
			i, err = 1, strictjson.String(&v.Name, d)
		case "note":
			i = 2
			if !d.Null() {
				v.Note = new("")
				err = strictjson.String(v.Note, d)
			}
		case "on":
			i, err = 3, strictjson.Bool(&v.On, d)
		case "at":
			i, err = 4, strictjson.Value(&v.At, d)
		case "tags":
			i, err = 5, strictjson.Array(&v.Tags, d, strictjson.String)
		case "inner":
			v.Inner = new(item)
			i, err = 6, decodeItem(v.Inner, d)
		case "things":
			i, err = 7, strictjson.Array(&v.Things, d, decodeItem)
		case "open":
			i, err = 64, strictjson.Any(&v.Open, d)
		default:
			if err := seen.Unknown(name, d); err != nil {
				return err
			}
			v.Skipped++
			continue
		}
		if err == nil {
			err = seen.Add(i)
		}
		if err != nil {
			return strictjson.At(err, string(name))
		}
	}
	if err := d.Close(); err != nil {
		return err
	}
	return seen.Required("object", "name")
}

func read(document string) (item, error) {
	var v item
	err := strictjson.Unmarshal([]byte(document), &v, decodeItem)
	return v, err
}

const plain = `"object":"item","name":"n"`

func TestUnmarshal(t *testing.T) {
	small := item{Object: "item", Name: "n"}
	with := func(change func(*item)) item {
		v := small
		change(&v)
		return v
	}
	for _, row := range []struct {
		name, document string
		want           item
	}{
		{"required members only", `{` + plain + `}`, small},
		{"in another order", `{"name":"n","object":"item"}`, small},
		{"white space around", "\t\r\n { \"object\" : \"item\" , \"name\" : \"n\" } \n", small},
		{"an empty string", `{"object":"item","name":""}`, item{Object: "item"}},
		{"escapes", `{"object":"it\u0065m","name":"a\"\\\/\b\n\u00e9\ud83d\ude00"}`, item{Object: "item", Name: "a\"\\/\b\né😀"}},
		{"escapes in a name", `{"object":"item","n\u0061me":"n"}`, small},
		{"a null note", `{` + plain + `,"note":null}`, small},
		{"an empty note", `{` + plain + `,"note":""}`, with(func(v *item) { v.Note = new("") })},
		{"true", `{` + plain + `,"on":true}`, with(func(v *item) { v.On = true })},
		{"false", `{` + plain + `,"on":false}`, small},
		{"a time", `{` + plain + `,"at":1711471533}`, with(func(v *item) { v.At = 1711471533 })},
		{"an empty array", `{` + plain + `,"tags":[]}`, with(func(v *item) { v.Tags = []string{} })},
		{"an array", `{` + plain + `,"tags":["a","","a"]}`, with(func(v *item) { v.Tags = []string{"a", "", "a"} })},
		{"an object", `{` + plain + `,"inner":{` + plain + `}}`, with(func(v *item) { v.Inner = &small })},
		{"objects", `{` + plain + `,"things":[{` + plain + `},{` + plain + `}]}`, with(func(v *item) { v.Things = []item{small, small} })},
		{"an open value", `{` + plain + `,"open":{"a":[1]}}`, with(func(v *item) { v.Open = map[string]any{"a": []any{1.0}} })},
		{"unknown members", `{"x":{"y":[null,1e400]},` + plain + `,"z":null}`, with(func(v *item) { v.Skipped = 2 })},
		{"5,000 levels in an unknown member", `{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,` + plain + `}`, with(func(v *item) { v.Skipped = 1 })},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := read(row.document)
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
		})
	}
}

// TestUnmarshal_Errors verifies the pointer and the problem of each error. Neither quotes the
// document, except for names that the contract defines.
func TestUnmarshal_Errors(t *testing.T) {
	for _, row := range []struct{ name, document, pointer, problem string }{
		{"an empty document", ``, "", "is truncated"},
		{"white space", " \n", "", "is truncated"},
		{"null", `null`, "", "is null, expected an object"},
		{"true", `true`, "", "is a boolean, expected an object"},
		{"a number", `7`, "", "is a number, expected an object"},
		{"a string", `"leak"`, "", "is a string, expected an object"},
		{"an array", `[]`, "", "is an array, expected an object"},
		{"not JSON", `leak`, "", "is not valid JSON"},
		{"a byte order mark", "\xef\xbb\xbf{" + plain + "}", "", "is not valid JSON"},
		{"UTF-16", "{\x00\"\x00", "", "is not valid JSON"},
		{"truncated in the object", `{` + plain, "", "is truncated"},
		{"truncated after a comma", `{` + plain + `,`, "", "is truncated"},
		{"truncated in a name", `{"object":"item","na`, "", "is truncated"},
		{"truncated in a value", `{"object":"item","name":"le`, "/name", "is truncated"},
		{"truncated in an array", `{` + plain + `,"tags":["a"`, "/tags", "is truncated"},
		{"truncated in an unknown member", `{` + plain + `,"leak":{"leak":[1`, "", "is truncated"},
		{"trailing comma", `{` + plain + `,}`, "", "is not valid JSON"},
		{"trailing comma in an array", `{` + plain + `,"tags":["a",]}`, "/tags", "is not valid JSON"},
		{"no comma", `{"object":"item" "name":"n"}`, "", "is not valid JSON"},
		{"no comma in an array", `{` + plain + `,"tags":["a" "b"]}`, "/tags", "is not valid JSON"},
		{"no colon", `{"object" "item"}`, "", "is not valid JSON"},
		{"a number as a name", `{7:"item"}`, "", "is not valid JSON"},
		{"a wrong bracket", `{` + plain + `]`, "", "is not valid JSON"},
		{"a wrong bracket in an array", `{` + plain + `,"tags":["a"}`, "/tags", "is not valid JSON"},
		{"a comment", `{` + plain + `} // leak`, "", "is followed by other data"},
		{"a second document", `{` + plain + `}{}`, "", "is followed by other data"},
		{"a bracket after the document", `{` + plain + `}}`, "", "is followed by other data"},
		{"a NUL after the document", `{` + plain + "}\x00", "", "is followed by other data"},
		{"all required members missing", `{}`, "/object", "is missing"},
		{"a required member missing", `{"object":"item"}`, "/name", "is missing"},
		{"a required member missing in an object", `{` + plain + `,"inner":{"object":"item"}}`, "/inner/name", "is missing"},
		{"a required member missing in an array", `{` + plain + `,"things":[{` + plain + `},{}]}`, "/things/1/object", "is missing"},
		{"another constant", `{"object":"leak","name":"n"}`, "/object", `is not the constant "item"`},
		{"the constant in capitals", `{"object":"ITEM","name":"n"}`, "/object", `is not the constant "item"`},
		{"null for a constant", `{"object":null,"name":"n"}`, "/object", "is null, expected a string"},
		{"null for a string", `{"object":"item","name":null}`, "/name", "is null, expected a string"},
		{"a number for a string", `{"object":"item","name":7}`, "/name", "is a number, expected a string"},
		{"an object for a string", `{"object":"item","name":{"leak":1}}`, "/name", "is an object, expected a string"},
		{"a number for a note", `{` + plain + `,"note":7}`, "/note", "is a number, expected a string"},
		{"a truncated null", `{` + plain + `,"note":nul}`, "/note", "is not valid JSON"},
		{"null for a boolean", `{` + plain + `,"on":null}`, "/on", "is null, expected a boolean"},
		{"a number for a boolean", `{` + plain + `,"on":1}`, "/on", "is a number, expected a boolean"},
		{"a string for a boolean", `{` + plain + `,"on":"true"}`, "/on", "is a string, expected a boolean"},
		{"a string for a time", `{` + plain + `,"at":"leak"}`, "/at", "is not a Unix time in whole seconds, from 1970 to the year 9999"},
		{"null for an array", `{` + plain + `,"tags":null}`, "/tags", "is null, expected an array"},
		{"an object for an array", `{` + plain + `,"tags":{}}`, "/tags", "is an object, expected an array"},
		{"null in an array", `{` + plain + `,"tags":["a",null]}`, "/tags/1", "is null, expected a string"},
		{"null for an object", `{` + plain + `,"inner":null}`, "/inner", "is null, expected an object"},
		{"an array for an object", `{` + plain + `,"inner":[]}`, "/inner", "is an array, expected an object"},
		{"null for an object in an array", `{` + plain + `,"things":[null]}`, "/things/0", "is null, expected an object"},
		{"a number too large for an open value", `{` + plain + `,"open":[1e999]}`, "/open", "contains a number that is too large"},
		{"a name twice", `{"object":"item","name":"n","name":"n"}`, "/name", "occurs twice"},
		{"a name twice, once in escapes", `{"object":"item","name":"n","n\u0061me":"n"}`, "/name", "occurs twice"},
		{"a name twice in an object", `{` + plain + `,"inner":{"name":"","name":""}}`, "/inner/name", "occurs twice"},
		{"a name with a number beyond 63 twice", `{"open":1,"open":2}`, "/open", "occurs twice"},
		{"an unknown name twice, once in escapes", `{"leak":1,"l\u0065ak":2}`, "", "contains a name twice"},
		{"a name that looks like a key twice", `{"sk-leak":1,"sk-leak":2}`, "", "contains a name twice"},
		{"a name that looks like a key twice in an object", `{"inner":{"sk-leak":1,"sk-leak":2}}`, "/inner", "contains a name twice"},
		{"a name twice in an unknown member", `{"leak":{"leak":{"a":1,"a":2}}}`, "", "contains a name twice"},
		{"a name twice in an open value", `{"open":{"leak":{"a":1,"a":2}}}`, "/open", "contains a name twice"},
		{"a name twice in an object for a string", `{"name":{"leak":1,"leak":2}}`, "/name", "contains a name twice"},
		{"invalid UTF-8", "{\"object\":\"item\",\"name\":\"leak\xff\"}", "/name", "is not valid JSON"},
		{"invalid UTF-8 in a name", "{\"leak\xff\":1}", "", "is not valid JSON"},
		{"invalid UTF-8 in an unknown member", "{\"leak\":\"\xff\"}", "", "is not valid JSON"},
		{"half a surrogate pair", `{"object":"item","name":"\ud800"}`, "/name", "is not valid JSON"},
		{"a raw control character", "{\"object\":\"item\",\"name\":\"\n\"}", "/name", "is not valid JSON"},
		{"a number in another notation", `{` + plain + `,"at":0x10}`, "/at", "is not valid JSON"},
		{"more than a null", `{` + plain + `,"note":nulle}`, "/note", "is not valid JSON"},
		{"more than a boolean", `{` + plain + `,"on":truest}`, "/on", "is not valid JSON"},
		{"100,000 levels of a type that contains itself", strings.Repeat(`{"inner":`, 100_000), strings.Repeat("/inner", 10_000), "is not valid JSON"},
		{"100,000 levels", strings.Repeat("[", 100_000), "", "is not valid JSON"},
		{"100,000 levels in an unknown member", `{"leak":` + strings.Repeat(`{"leak":`, 100_000), "", "is not valid JSON"},
		{"100,000 levels in a string's place", `{"name":` + strings.Repeat("[", 100_000), "/name", "is not valid JSON"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := read(row.document)
			at, ok := errors.AsType[*strictjson.Error](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, &strictjson.Error{Pointer: row.pointer, Problem: row.problem}, at)
			assert.NotContains(t, err.Error(), "leak")
		})
	}
}

func TestUnmarshal_EachPrefixIsAnError(t *testing.T) {
	document := `{` + plain + `,"note":"\u00e9","on":true,"at":1,"tags":["a"],"inner":{` + plain + `},"things":[{` + plain + `}],"open":{"a":-1.5e3},"x":[null,false]}`
	_, err := read(document)
	require.NoError(t, err)
	for i := range len(document) {
		_, err := read(document[:i])
		assert.ErrorAs(t, err, new(*strictjson.Error), document[:i])
	}
}

// TestUnmarshal_AfterAnError verifies that an invalid document does not affect the next call.
func TestUnmarshal_AfterAnError(t *testing.T) {
	for _, broken := range []string{``, `{"name":"a"`, `{"inner":{"things":[{`, `{"name":7}`, `{"a":1,"a":2}`, `{` + plain + `}}`, strings.Repeat("[", 100_000)} {
		_, err := read(broken)
		require.Error(t, err)
		got, err := read(`{` + plain + `}`)
		require.NoError(t, err)
		require.Equal(t, item{Object: "item", Name: "n"}, got)
	}
}

// TestUnmarshal_DoesNotRetainTheDocument verifies that the decoded value does not keep the document
// alive, which may contain a secret.
func TestUnmarshal_DoesNotRetainTheDocument(t *testing.T) {
	var got item
	document := func() weak.Pointer[byte] {
		b := []byte(`{` + plain + `,"note":"` + strings.Repeat("not interned ", 5) + `","open":"x","tags":["t"]}`)
		require.NoError(t, strictjson.Unmarshal(b, &got, decodeItem))
		return weak.Make(&b[0])
	}()
	runtime.GC()
	assert.Nil(t, document.Value())
	assert.Equal(t, "n", got.Name)
	runtime.KeepAlive(got)
}
