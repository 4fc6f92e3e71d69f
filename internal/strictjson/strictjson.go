// Package strictjson decodes the responses of the API strictly. The generated types in gen are
// decoded by generated functions, which call this package. It returns an error for a required
// property that is missing, a value of another JSON type, a null that the contract does not
// allow, a different constant, a value that violates a constraint (length, range, pattern,
// format, number of items), a name that occurs twice in an object, invalid UTF-8, and data after
// the document.
//
// Three things are allowed on purpose, so that the API can grow: properties that the contract
// does not define, values outside an enum of two or more, and values that match more
// than one member of a oneOf.
//
// Errors contain a JSON pointer and a problem, and neither a value of the document nor a name
// that the contract does not define.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Error describes an invalid value in a document.
type Error struct {
	Pointer string // JSON pointer (RFC 6901) to the invalid value; "" is the whole document
	Problem string // the problem, in words that do not quote the document
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return "the document " + e.Problem
	}
	return e.Pointer + " " + e.Problem
}

// Decoder decodes one document. Its syntax has been verified before, so the decoder only finds
// the boundaries of values. Where the syntax is invalid, the document is cut before the fault,
// and the decoder fails when it gets there: that way the error's pointer consists of the names
// that the generated code knows.
type Decoder struct {
	data []byte
	pos  int

	syntax    string // the problem with the syntax of what follows data; "" if there is none
	duplicate string // the name that occurs twice, if that is the problem

	// Strings are carved out of chunks, since a page contains many short ones. Secrets and the
	// document itself are never in a chunk, which lives as long as any of its strings.
	chunk strings.Builder
}

// maxChunk bounds what a single short string can keep alive, in bytes.
const maxChunk = 1024

// Unmarshal decodes body, which must contain one document and nothing else, into v by read, which
// gets a zero value.
func Unmarshal[T any](body []byte, v *T, read func(*T, *Decoder) error) error {
	d := &Decoder{data: body}
	if !jsontext.Value(body).IsValid() {
		d.findFault()
	}
	*v = *new(T)
	if err := read(v, d); err != nil {
		return err
	}
	if d.syntax != "" {
		return &Error{Problem: d.syntax}
	}
	return nil
}

// findFault cuts the data before the first syntax error.
func (d *Decoder) findFault() {
	text := jsontext.NewDecoder(bytes.NewBuffer(d.data)) // reads the data in place
	_, err := text.ReadValue()
	if err == nil {
		d.data, d.syntax = d.data[:text.InputOffset()], "is followed by other data"
		return
	}
	d.syntax = "is not valid JSON"
	at, ok := errors.AsType[*jsontext.SyntacticError](err)
	if ok {
		d.data = d.data[:min(int(at.ByteOffset), len(d.data))]
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		d.syntax, d.duplicate = "contains a name twice", at.JSONPointer.LastToken()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		d.syntax = "is truncated"
	}
}

// end returns the error for a document that ends inside the value that is being read.
func (d *Decoder) end() error { return &Error{Problem: d.syntax} }

// endOfMembers does what end does between the members of an object, where it can name the
// member that occurs twice.
func (d *Decoder) endOfMembers() error {
	if d.duplicate != "" && strings.Trim(d.duplicate, "abcdefghijklmnopqrstuvwxyz_") == "" {
		return &Error{Pointer: "/" + d.duplicate, Problem: "occurs twice"}
	}
	return d.end()
}

// At places err, which a value's decoder returned, below the member name.
func At(err error, name string) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Pointer = "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name) + e.Pointer
	}
	return err
}

// Invalid returns an error for the value that is being decoded.
func Invalid(problem string) error { return &Error{Problem: problem} }

// mismatch returns the error for a value of another type.
func (d *Decoder) mismatch(want string) error {
	found := d.peek()
	if err := d.Skip(); err != nil {
		return err // invalid syntax inside the value
	}
	return Invalid("is " + kindName(found) + ", expected " + want)
}

func kindName(first byte) string {
	switch first {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	default:
		return "a number"
	}
}

// peek skips white space and returns the first byte of what follows, 0 at the end.
func (d *Decoder) peek() byte {
	for ; d.pos < len(d.data); d.pos++ {
		switch c := d.data[d.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// open reads the start of an object or an array.
func (d *Decoder) open(bracket byte, want string) error {
	if d.peek() != bracket {
		return d.mismatch(want)
	}
	d.pos++
	return nil
}

// Open reads the start of an object.
func (d *Decoder) Open() error { return d.open('{', "an object") }

// More reports whether a member or an element follows, and reads the comma before it. It is
// false at the end and before a syntax error, which Close then returns.
func (d *Decoder) More() bool {
	c := d.peek()
	if c == ',' {
		d.pos++
		c = d.peek()
	}
	return c != '}' && c != ']' && c != 0
}

// Close reads the end of an object or an array.
func (d *Decoder) Close() error {
	if c := d.peek(); c != '}' && c != ']' {
		return d.endOfMembers()
	}
	d.pos++
	return nil
}

// Name reads the name of a member and the colon after it. The name is valid until the document
// changes.
func (d *Decoder) Name() ([]byte, error) {
	name, err := d.text()
	if err != nil {
		return nil, d.endOfMembers()
	}
	if d.peek() == ':' {
		d.pos++
	}
	return name, nil
}

// Missing returns the error for a required property that is missing.
func Missing(name string) error { return At(Invalid("is missing"), name) }

// FirstMissing returns the error for the first of names, the required properties of an object,
// whose bit is not set in seen.
func FirstMissing(seen []uint64, names ...string) error {
	for i, name := range names {
		if seen[i/64]&(1<<(i%64)) == 0 {
			return Missing(name)
		}
	}
	return nil
}

// quoted returns the string that follows, with its quotes, and whether it contains escapes.
func (d *Decoder) quoted() (text []byte, escaped bool, err error) {
	start := d.pos
	for at := start + 1; ; {
		end := bytes.IndexByte(d.data[at:], '"')
		if end < 0 {
			d.pos = len(d.data)
			return nil, false, d.end()
		}
		backslash := bytes.IndexByte(d.data[at:at+end], '\\')
		if backslash < 0 {
			d.pos = at + end + 1
			return d.data[start:d.pos], escaped, nil
		}
		escaped = true
		at = min(at+backslash+2, len(d.data)) // what follows a backslash ends nothing
	}
}

// text reads a string and returns its content, which may be part of the document.
func (d *Decoder) text() ([]byte, error) {
	if d.peek() != '"' {
		return nil, d.mismatch("a string")
	}
	text, escaped, err := d.quoted()
	if err != nil || !escaped {
		return text[min(1, len(text)):max(0, len(text)-1)], err
	}
	return jsontext.AppendUnquote(nil, text)
}

// string copies text into a chunk.
func (d *Decoder) string(text []byte) string {
	if len(text) > maxChunk/8 {
		return string(text)
	}
	if d.chunk.Cap()-d.chunk.Len() < len(text) {
		d.chunk = strings.Builder{}
		d.chunk.Grow(max(len(text), min(maxChunk, (len(d.data)-d.pos)/2)))
	}
	start := d.chunk.Len()
	d.chunk.Write(text)
	return d.chunk.String()[start:]
}

// Mark returns the position of the decoder, for Reset.
func (d *Decoder) Mark() int { return d.pos }

// Reset returns the decoder to a position, to read a value again.
func (d *Decoder) Reset(mark int) { d.pos = mark }

// Skip reads a value and drops it.
func (d *Decoder) Skip() error {
	depth := 0
	for {
		switch c := d.peek(); c {
		case 0:
			return d.end()
		case '"':
			if _, _, err := d.quoted(); err != nil {
				return err
			}
		case '{', '[':
			depth++
			d.pos++
		case '}', ']':
			depth--
			d.pos++
		case ',', ':':
			d.pos++
			continue
		default:
			for d.pos < len(d.data) && !delimiter(d.data[d.pos]) {
				d.pos++
			}
			if d.pos == len(d.data) && d.syntax != "" {
				return d.end() // a literal or a number that may be incomplete
			}
		}
		if depth == 0 {
			return nil
		}
	}
}

// delimiter reports whether c ends a literal or a number.
func delimiter(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// raw reads a value and returns the part of the document that contains it.
func (d *Decoder) raw() ([]byte, error) {
	d.peek()
	start := d.pos
	if err := d.Skip(); err != nil {
		return nil, err
	}
	return d.data[start:d.pos], nil
}

// Null reads a null and reports whether there was one. Where it reports false, nothing was read.
func (d *Decoder) Null() bool {
	if d.peek() != 'n' || !strings.HasPrefix(string(d.data[d.pos:min(d.pos+4, len(d.data))]), "null") {
		return false
	}
	d.pos += 4
	return true
}

// String reads a string.
func String[T ~string](v *T, d *Decoder) error {
	text, err := d.text()
	if err == nil {
		*v = T(d.string(text))
	}
	return err
}

// IDPattern is the pattern of what ID accepts.
const IDPattern = `^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$`

// ID reads an id of an object: at least one character that is not a space, and no control
// character of ASCII.
func ID[T ~string](v *T, d *Decoder) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	if problem := validID(text); problem != "" {
		return Invalid(problem)
	}
	*v = T(d.string(text))
	return nil
}

func validID[T ~string | ~[]byte](text T) string {
	blank := true
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return "contains a control character, expected an id"
		}
		blank = blank && text[i] == ' '
	}
	if blank {
		return "is empty, expected an id"
	}
	return ""
}

// Const reads a string that must be want.
func Const[T ~string](v *T, d *Decoder, want T) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	if string(text) != string(want) {
		return Invalid("is not the constant " + strconv.Quote(string(want)))
	}
	*v = want
	return nil
}

// Bool reads a boolean.
func Bool[T ~bool](v *T, d *Decoder) error {
	c := d.peek()
	if c != 't' && c != 'f' {
		return d.mismatch("a boolean")
	}
	if err := d.Skip(); err != nil {
		return err
	}
	*v = c == 't'
	return nil
}

// ConstBool reads a boolean that must be want.
func ConstBool[T ~bool](v *T, d *Decoder, want T) error {
	if err := Bool(v, d); err != nil {
		return err
	}
	if *v != want {
		return Invalid("is not the constant " + strconv.FormatBool(bool(want)))
	}
	return nil
}

// Null reads a value that must be null.
func Null(v *any, d *Decoder) error {
	if !d.Null() {
		return d.mismatch("null")
	}
	*v = nil
	return nil
}

// Value reads a value by its type's own rules.
func Value[T any, P interface {
	*T
	json.Unmarshaler
}](v *T, d *Decoder) error {
	value, err := d.raw()
	if err != nil {
		return err
	}
	if err := P(v).UnmarshalJSON(value); err != nil {
		return Invalid("is " + err.Error())
	}
	return nil
}

// Any reads a value of any type, null included.
func Any[T any](v *T, d *Decoder) error {
	value, err := d.raw()
	if err != nil {
		return err
	}
	if json.Unmarshal(value, v) != nil {
		return Invalid("contains a number that is too large")
	}
	return nil
}

// Pointer reads a value that may be null.
func Pointer[T any](v **T, d *Decoder, read func(*T, *Decoder) error) error {
	if d.Null() {
		*v = nil
		return nil
	}
	value := new(T)
	*v = value
	return read(value, d)
}

// NonNull does what Value does, for a type that would decode null too.
func NonNull[T any, P interface {
	*T
	json.Unmarshaler
}](v *T, d *Decoder) error {
	if d.peek() == 'n' {
		return d.mismatch("another value")
	}
	return Value[T, P](v, d)
}

// maxExpected is the number of elements for which Array makes room in advance.
const maxExpected = 128

// Array reads an array whose elements are read by read.
func Array[T any](v *[]T, d *Decoder, read func(*T, *Decoder) error) error {
	if err := d.open('[', "an array"); err != nil {
		return err
	}
	items := []T{}
	zeroed := 0 // the length up to which items has room that was never written
	for start := d.pos; d.More(); {
		if n := len(items); n < zeroed {
			items = items[:n+1]
		} else {
			items = append(items, *new(T))
		}
		if err := read(&items[len(items)-1], d); err != nil {
			return At(err, strconv.Itoa(len(items)-1))
		}
		if len(items) == 1 && d.More() {
			// The other elements are probably about as long as the first.
			expected := min(maxExpected, 1+(len(d.data)-d.pos)/max(1, d.pos-start))
			zeroed = 1 + expected
			items = append(make([]T, 0, zeroed), items...)
		}
	}
	*v = items
	return d.Close()
}

// ArrayOf reads an array with a number of elements from least to most; most is -1 if there is
// no limit.
func ArrayOf[T any](v *[]T, d *Decoder, least, most int, read func(*T, *Decoder) error) error {
	if err := Array(v, d, read); err != nil {
		return err
	}
	return Items(len(*v), least, most)
}

// Map reads an object whose members are all read by read. A pointer in an error ends at the
// object, since the contract does not define the names.
func Map[M ~map[string]T, T any](v *M, d *Decoder, read func(*T, *Decoder) error) error {
	if err := d.Open(); err != nil {
		return err
	}
	members := M{}
	for d.More() {
		name, err := d.Name()
		if err != nil {
			return err
		}
		key := string(name)
		var value T
		if err := read(&value, d); err != nil {
			return inMember(err)
		}
		members[key] = value
	}
	*v = members
	return d.Close()
}

// Member adds a member that the contract does not name to members.
func Member[T any](members *map[string]T, name []byte, d *Decoder, read func(*T, *Decoder) error) error {
	if *members == nil {
		*members = map[string]T{}
	}
	key := string(name)
	var value T
	if err := read(&value, d); err != nil {
		return inMember(err)
	}
	(*members)[key] = value
	return nil
}

// inMember moves an error from a member whose name the contract does not define to the object.
func inMember(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Problem: "contains a value that " + e.Problem}
	}
	return err
}
