// Package strictjson reads the answers of the API and takes nothing for granted. The types in
// gen are read by code that the generator writes from the contract; this is what that code
// calls. A property that the contract requires and that is missing, a value of another JSON
// type, a null where none may be, another constant, a name that occurs twice, text that is no
// UTF-8 and anything behind the document are errors, and each says where. Properties that the
// contract does not know are passed over, and so are unknown values of an enum.
//
// Nothing of what is read ever gets into an error, names that the contract does not know included.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Error says what is wrong with a document and where.
type Error struct {
	Pointer string // JSON Pointer (RFC 6901) of the value at fault; "" is the whole document
	Problem string // what is wrong with it, in words that quote nothing
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return "the document " + e.Problem
	}
	return e.Pointer + " " + e.Problem
}

// Decoder reads one document.
type Decoder struct {
	json *jsontext.Decoder
	body bytes.Buffer
	// Short strings seen lately. Lists repeat owners, roles and kinds of objects on every
	// item, and each is allocated once. There is room for what repeats to outlast the ids in
	// between, which do not.
	seen [512]string
}

// maxInterned is the longest string worth looking for among those seen, in bytes.
const maxInterned = 40

var pool = sync.Pool{New: func() any {
	d := new(Decoder)
	d.json = jsontext.NewDecoder(&d.body)
	return d
}}

// Unmarshal reads body, which holds one document and nothing else, into v by read.
func Unmarshal[T any](body []byte, v *T, read func(*T, *Decoder) error) error {
	d := pool.Get().(*Decoder)
	d.body = *bytes.NewBuffer(body)
	d.json.Reset(&d.body)
	defer func() {
		d.body = bytes.Buffer{} // the pool must not keep an answer, which may hold a secret
		d.json.Reset(&d.body)
		pool.Put(d)
	}()
	if err := read(v, d); err != nil {
		return err
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return &Error{Problem: "is followed by something else"}
	}
	return nil
}

// fail places problem at the value that was read last.
func (d *Decoder) fail(problem string) error {
	return &Error{Pointer: string(d.json.StackPointer()), Problem: problem}
}

// syntax keeps the kind and the place of a syntax error and drops its text, which quotes. The
// place is cut to so many steps, those that the contract knows.
func (d *Decoder) syntax(err error, steps int) error {
	pointer := d.json.StackPointer()
	if at, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer = at.JSONPointer
	}
	known := firstSteps(string(pointer), steps)
	problem := "is not valid JSON"
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && known == string(pointer):
		problem = "occurs twice"
	case errors.Is(err, jsontext.ErrDuplicateName):
		problem = "holds a name twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		problem = "is cut short"
	}
	return &Error{Pointer: known, Problem: problem}
}

// firstSteps cuts a pointer to n steps.
func firstSteps(pointer string, n int) string {
	for i := range pointer {
		if pointer[i] == '/' {
			if n == 0 {
				return pointer[:i]
			}
			n--
		}
	}
	return pointer
}

// read returns the next value, valid until the next call, if it is of the kind wanted.
func (d *Decoder) read(want jsontext.Kind) ([]byte, error) {
	value, err := d.json.ReadValue()
	if err != nil {
		return nil, d.syntax(err, d.json.StackDepth())
	}
	if found := value.Kind(); found != want {
		return nil, d.fail(mismatch(want, found))
	}
	return value, nil
}

func mismatch(want, found jsontext.Kind) string {
	return "is " + kindName(found) + ", expected " + kindName(want)
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	default:
		return "an array"
	}
}

// open reads the start of an object or an array.
func (d *Decoder) open(want jsontext.Kind) error {
	if d.json.PeekKind() != want {
		value, err := d.json.ReadValue()
		if err != nil {
			return d.syntax(err, d.json.StackDepth())
		}
		return d.fail(mismatch(want, value.Kind()))
	}
	return d.token()
}

// token passes over a token that is already known, or the end of an object or an array.
func (d *Decoder) token() error {
	if _, err := d.json.ReadToken(); err != nil {
		return d.syntax(err, d.json.StackDepth()-1)
	}
	return nil
}

// Open reads the start of an object.
func (d *Decoder) Open() error { return d.open('{') }

// More reports whether a member or an element follows. It is false at the end and before an
// error, which Close then returns.
func (d *Decoder) More() bool {
	kind := d.json.PeekKind()
	return kind != '}' && kind != ']' && kind != 0
}

// Name reads the name of a member. It is valid until the next call.
func (d *Decoder) Name() ([]byte, error) {
	name, err := d.json.ReadValue()
	if err != nil {
		steps := d.json.StackDepth() - 1
		if at, ok := errors.AsType[*jsontext.SyntacticError](err); ok && isName(at.JSONPointer.LastToken()) {
			steps++
		}
		return nil, d.syntax(err, steps)
	}
	return unquote(name)
}

// isName reports whether a name that occurs twice is one that a contract could have, and no key.
func isName(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// Close reads the end of an object or an array.
func (d *Decoder) Close() error { return d.token() }

// Skip passes over the value of a member that the contract does not know. What is wrong with it
// is wrong with the object that has it.
func (d *Decoder) Skip() error {
	steps := d.json.StackDepth() - 1
	if err := d.json.SkipValue(); err != nil {
		return d.syntax(err, steps)
	}
	return nil
}

// Require fails for the first of the names whose bit is not set in seen; "" stands for a
// property that may be missing. It is called behind Close, when the decoder stands at the
// object.
func (d *Decoder) Require(seen uint64, names ...string) error {
	for i, name := range names {
		if name != "" && seen&(1<<i) == 0 {
			return &Error{
				Pointer: string(d.json.StackPointer().AppendToken(name)),
				Problem: "is missing",
			}
		}
	}
	return nil
}

// Null passes over a null and reports whether there was one.
func (d *Decoder) Null() bool {
	return d.json.PeekKind() == 'n' && d.token() == nil
}

// unquote returns the text of a JSON string, in place where it has no escapes.
func unquote(quoted []byte) ([]byte, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], nil
	}
	return jsontext.AppendUnquote(nil, quoted)
}

var seed = maphash.MakeSeed()

// intern returns text as a string, an earlier one where it is the same.
func (d *Decoder) intern(text []byte) string {
	if len(text) > maxInterned {
		return string(text)
	}
	slot := &d.seen[maphash.Bytes(seed, text)%uint64(len(d.seen))]
	if *slot != string(text) {
		*slot = string(text)
	}
	return *slot
}

// String reads a string.
func String[T ~string](v *T, d *Decoder) error {
	value, err := d.read('"')
	if err != nil {
		return err
	}
	text, err := unquote(value)
	if err != nil {
		return d.syntax(err, d.json.StackDepth())
	}
	*v = T(d.intern(text))
	return nil
}

// Const reads a string that must be want.
func Const[T ~string](v *T, d *Decoder, want T) error {
	value, err := d.read('"')
	if err != nil {
		return err
	}
	if text, err := unquote(value); err != nil || string(text) != string(want) {
		return d.fail("is another constant than " + strconv.Quote(string(want)))
	}
	*v = want
	return nil
}

// Bool reads a boolean.
func Bool[T ~bool](v *T, d *Decoder) error {
	value, err := d.json.ReadValue()
	if err != nil {
		return d.syntax(err, d.json.StackDepth())
	}
	if kind := value.Kind(); kind != 't' && kind != 'f' {
		return d.fail(mismatch('t', kind))
	}
	*v = value.Kind() == 't'
	return nil
}

// Value reads a value by its type's own rules.
func Value[T any, P interface {
	*T
	json.Unmarshaler
}](v *T, d *Decoder) error {
	value, err := d.json.ReadValue()
	if err != nil {
		return d.syntax(err, d.json.StackDepth())
	}
	if err := P(v).UnmarshalJSON(value); err != nil {
		return d.fail("is " + err.Error())
	}
	return nil
}

// Any reads a value of a type that the contract leaves open, or that none of the others here
// reads.
func Any[T any](v *T, d *Decoder) error {
	value, err := d.json.ReadValue()
	if err != nil {
		return d.syntax(err, d.json.StackDepth())
	}
	// encoding/json takes a null for "leave it as it is".
	if value.Kind() == 'n' || json.Unmarshal(value, v) != nil {
		return d.fail("is not what the contract says")
	}
	return nil
}

// Array reads an array whose elements are read by read.
func Array[T any](v *[]T, d *Decoder, read func(*T, *Decoder) error) error {
	if err := d.open('['); err != nil {
		return err
	}
	items := []T{}
	for d.More() {
		var item T
		items = append(items, item)
		if err := read(&items[len(items)-1], d); err != nil {
			return err
		}
	}
	*v = items
	return d.Close()
}
