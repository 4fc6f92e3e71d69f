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
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"math/bits"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

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

// Decoder decodes one document. It validates the syntax of everything that it reads, and stops at
// the first error.
type Decoder struct {
	data  []byte
	pos   int
	depth int  // of the open objects and arrays
	first bool // no member or element of the innermost open object or array was read yet

	// The strings are allocated in chunks, since a page contains many short ones. A chunk stays in
	// memory as long as any of its strings, so that it never contains a secret or the document.
	chunk strings.Builder
}

const (
	maxChunk = 1024   // bounds what a single short string can keep alive, in bytes
	maxDepth = 10_000 // of nested objects and arrays
)

// decoders is a pool of zero Decoders.
var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// Unmarshal decodes body, which must contain one document and nothing else, into v by read, which
// gets a zero value.
func Unmarshal[T any](body []byte, v *T, read func(*T, *Decoder) error) error {
	d := decoders.Get().(*Decoder)
	d.data = body
	*v = *new(T)
	err := read(v, d)
	if d.peek(); err == nil && d.pos < len(body) {
		err = Invalid("is followed by other data")
	}
	*d = Decoder{}
	decoders.Put(d)
	return err
}

// syntax returns an error for the invalid syntax at d.pos.
func (d *Decoder) syntax() error {
	if d.pos >= len(d.data) {
		return Invalid("is truncated")
	}
	return Invalid("is not valid JSON")
}

// At places err, which a value's decoder returned, below the member name.
func At(err error, name string) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Pointer = "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name) + e.Pointer
	}
	return err
}

// errNameTwice does not quote the name, which the contract does not define.
func errNameTwice() error { return Invalid("contains a name twice") }

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

// peek skips white space and returns the next byte, or 0 at the end.
func (d *Decoder) peek() byte {
	if c := d.at(); c > ' ' {
		return c
	}
	return d.skipSpace()
}

func (d *Decoder) skipSpace() byte {
	for isSpace(d.at()) {
		d.pos++
	}
	return d.at()
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// at returns the byte at d.pos, or 0 at the end.
func (d *Decoder) at() byte {
	if d.pos < len(d.data) {
		return d.data[d.pos]
	}
	return 0
}

// open reads the start of an object or an array.
func (d *Decoder) open(bracket byte, want string) error {
	if d.peek() != bracket {
		return d.mismatch(want)
	}
	if d.depth == maxDepth {
		return d.syntax()
	}
	d.pos++
	d.depth++
	d.first = true
	return nil
}

// close reads the end of an object or an array.
func (d *Decoder) close(bracket byte) error {
	if d.peek() != bracket {
		return d.syntax()
	}
	d.pos++
	d.depth--
	return nil
}

// Open reads the start of an object.
func (d *Decoder) Open() error { return d.open('{', "an object") }

// Close reads the end of an object.
func (d *Decoder) Close() error { return d.close('}') }

// More reports whether a member or an element follows, and reads the comma before it. It is
// false at the end and before a syntax error, which Close then returns.
func (d *Decoder) More() bool {
	c := d.peek()
	if !d.first {
		if c != ',' {
			return false
		}
		comma := d.pos
		d.pos++
		if c = d.peek(); c == '}' || c == ']' {
			d.pos = comma
		}
	}
	d.first = false
	return c != '}' && c != ']' && d.pos < len(d.data)
}

// Name reads the name of a member and the colon after it. The name is valid until the document
// changes.
func (d *Decoder) Name() ([]byte, error) {
	if d.peek() != '"' {
		return nil, d.syntax()
	}
	name, err := d.quoted()
	if err != nil {
		return nil, err
	}
	if d.peek() != ':' {
		return nil, d.syntax()
	}
	d.pos++
	return name, nil
}

// Missing returns the error for a required property that is missing.
func Missing(name string) error { return At(Invalid("is missing"), name) }

// Seen records which members of an object were read. The generated code numbers those that the
// contract defines, the required ones first.
type Seen struct {
	first   uint64
	more    map[int]bool // from number 64 on
	unknown map[string]bool
}

// Add records the member with number i. It returns an error if the object has it twice.
func (s *Seen) Add(i int) error {
	twice := s.has(i)
	if i < 64 {
		s.first |= 1 << i
	} else {
		if s.more == nil {
			s.more = map[int]bool{}
		}
		s.more[i] = true
	}
	if twice {
		return Invalid("occurs twice")
	}
	return nil
}

func (s *Seen) has(i int) bool {
	if i < 64 {
		return s.first>>i&1 != 0
	}
	return s.more[i]
}

// Unknown reads a member that the contract does not define, and drops it.
func (s *Seen) Unknown(name []byte, d *Decoder) error {
	if s.unknown[string(name)] {
		return errNameTwice()
	}
	if s.unknown == nil {
		s.unknown = map[string]bool{}
	}
	s.unknown[string(name)] = true
	return d.Skip()
}

// Required returns an error for the first of names, the required members, that was not read.
func (s *Seen) Required(names ...string) error {
	for i, name := range names {
		if !s.has(i) {
			return Missing(name)
		}
	}
	return nil
}

// plain is true for the ASCII characters that occur in a string without an escape.
var plain = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// text reads a string and returns its content, which may be part of the document.
func (d *Decoder) text() ([]byte, error) {
	if d.peek() != '"' {
		return nil, d.mismatch("a string")
	}
	return d.quoted()
}

// quoted is like text, but the next byte must be a quote.
func (d *Decoder) quoted() ([]byte, error) {
	data, start := d.data, d.pos+1
	end := start
	for end < len(data) && plain[data[end]] {
		end++
	}
	if end < len(data) && data[end] == '"' {
		d.pos = end + 1
		return data[start:end], nil
	}
	return d.unquote()
}

// unquote is like quoted, also for strings with escapes or characters beyond ASCII.
func (d *Decoder) unquote() ([]byte, error) {
	start, escaped := d.pos, false
	for d.pos++; d.at() != '"'; d.pos++ {
		switch c := d.at(); {
		case c == '\\':
			escaped = true
			d.pos++ // an escaped quote does not end the string
		case c < ' ':
			return nil, d.syntax() // a control character, or the end
		}
	}
	d.pos++
	quoted := d.data[start:d.pos]
	if text := quoted[1 : len(quoted)-1]; !escaped && utf8.Valid(text) {
		return text, nil
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		d.pos = start
		return nil, d.syntax()
	}
	return text, nil
}

// string copies text into a chunk.
func (d *Decoder) string(text []byte) string {
	if len(text) > maxChunk/8 {
		return string(text)
	}
	if d.chunk.Cap()-d.chunk.Len() < len(text) {
		d.chunk = strings.Builder{}
		d.chunk.Grow(max(len(text), min(maxChunk, len(d.data)-d.pos)))
	}
	start := d.chunk.Len()
	d.chunk.Write(text)
	return d.chunk.String()[start:]
}

// Mark is a position of a Decoder.
type Mark struct{ pos, depth int }

// Mark returns the position of the decoder before a value, for Reset.
func (d *Decoder) Mark() Mark { return Mark{d.pos, d.depth} }

// Reset returns the decoder to a position, to read a value again.
func (d *Decoder) Reset(mark Mark) { d.pos, d.depth = mark.pos, mark.depth }

// Skip reads a value and drops it.
func (d *Decoder) Skip() error {
	switch c := d.peek(); {
	case c == '"':
		_, err := d.quoted()
		return err
	case c == '{' || c == '[':
		return d.skipNested()
	case c == 'n':
		return d.literal("null")
	case c == 't':
		return d.literal("true")
	case c == 'f':
		return d.literal("false")
	case startsNumber(c):
		_, err := d.number()
		return err
	}
	return d.syntax()
}

// skipNested skips an object or an array.
func (d *Decoder) skipNested() error {
	nested := jsontext.NewDecoder(bytes.NewBuffer(d.data[d.pos:])) // reads the data in place
	_, err := nested.ReadValue()
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errNameTwice()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Invalid("is truncated")
	case err != nil:
		return Invalid("is not valid JSON")
	}
	d.pos += int(nested.InputOffset())
	return nil
}

// literal reads word, such as true, which must come next.
func (d *Decoder) literal(word string) error {
	for i := range len(word) {
		if d.at() != word[i] {
			return d.syntax()
		}
		d.pos++
	}
	return d.endOfToken()
}

// endOfToken returns an error if a literal or a number does not end at d.pos.
func (d *Decoder) endOfToken() error {
	if c := d.at(); c == ',' || c == '}' || c == ']' || isSpace(c) || d.pos == len(d.data) {
		return nil
	}
	return d.syntax()
}

func startsNumber(c byte) bool { return c == '-' || isDigit(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// number reads a number and returns its text.
func (d *Decoder) number() ([]byte, error) {
	c := d.peek()
	if !startsNumber(c) {
		return nil, d.mismatch("a number")
	}
	start := d.pos
	if c == '-' {
		d.pos++
	}
	if d.at() == '0' {
		d.pos++
	} else if err := d.digits(); err != nil {
		return nil, err
	}
	if d.at() == '.' {
		d.pos++
		if err := d.digits(); err != nil {
			return nil, err
		}
	}
	if d.at()|0x20 == 'e' {
		d.pos++
		if c := d.at(); c == '+' || c == '-' {
			d.pos++
		}
		if err := d.digits(); err != nil {
			return nil, err
		}
	}
	return d.data[start:d.pos], d.endOfToken()
}

// digits reads at least one digit.
func (d *Decoder) digits() error {
	if !isDigit(d.at()) {
		return d.syntax()
	}
	for isDigit(d.at()) {
		d.pos++
	}
	return nil
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
	if d.peek() != 'n' {
		return false
	}
	start := d.pos
	if d.literal("null") != nil {
		d.pos = start
		return false
	}
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

// Value reads a value with its type's UnmarshalJSON.
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

// FromText reads a string with its type's UnmarshalText.
func FromText[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](v *T, d *Decoder) error {
	text, err := d.text()
	if err != nil {
		return err
	}
	if err := P(v).UnmarshalText(text); err != nil {
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

// NonNull is like Value, but null is an error even if the type's UnmarshalJSON accepts it.
func NonNull[T any, P interface {
	*T
	json.Unmarshaler
}](v *T, d *Decoder) error {
	if d.peek() == 'n' {
		return d.mismatch("another value")
	}
	return Value[T, P](v, d)
}

// maxExpected is the largest number of elements that Array allocates in advance.
const maxExpected = 128

// Array reads an array, and calls read for each element.
func Array[T any](v *[]T, d *Decoder, read func(*T, *Decoder) error) error {
	if err := d.open('[', "an array"); err != nil {
		return err
	}
	items := []T{}
	zeroed := 0 // the capacity that was allocated in advance; its elements are still zero
	for start := d.pos; d.More(); {
		if len(items) == 1 {
			// The other elements are probably about as long as the first. The capacity is a power
			// of two, so that pages with the same number of elements allocate the same memory.
			expected := 1 + (len(d.data)-d.pos)/(d.pos-start)
			zeroed = min(maxExpected, 1<<bits.Len(uint(expected)))
			items = append(make([]T, 0, zeroed), items...)
		}
		if n := len(items); n < zeroed {
			items = items[:n+1]
		} else {
			items = append(items, *new(T))
		}
		if err := read(&items[len(items)-1], d); err != nil {
			return At(err, strconv.Itoa(len(items)-1))
		}
	}
	*v = items
	return d.close(']')
}

// ArrayOf reads an array with a number of elements from least to most; most is -1 if there is
// no limit.
func ArrayOf[T any](v *[]T, d *Decoder, least, most int, read func(*T, *Decoder) error) error {
	if err := Array(v, d, read); err != nil {
		return err
	}
	return Items(len(*v), least, most)
}

// Map reads an object, and calls read for the value of each member. A pointer in an error ends at
// the object, since the contract does not define the names.
func Map[M ~map[string]T, T any](v *M, d *Decoder, read func(*T, *Decoder) error) error {
	if err := d.Open(); err != nil {
		return err
	}
	members := map[string]T{}
	for d.More() {
		name, err := d.Name()
		if err != nil {
			return err
		}
		if err := Member(&members, name, d, read); err != nil {
			return err
		}
	}
	*v = M(members)
	return d.Close()
}

// Member adds a member that the contract does not name to members.
func Member[T any](members *map[string]T, name []byte, d *Decoder, read func(*T, *Decoder) error) error {
	if *members == nil {
		*members = map[string]T{}
	}
	key := string(name)
	if _, twice := (*members)[key]; twice {
		return errNameTwice()
	}
	var value T
	if err := read(&value, d); err != nil {
		return inMember(err)
	}
	(*members)[key] = value
	return nil
}

// inMember returns err with a pointer to the object instead of to a member in it, whose name the
// contract does not define.
func inMember(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		const contains = "contains a value that "
		return Invalid(contains + strings.TrimPrefix(e.Problem, contains))
	}
	return err
}
