package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/orgkeys/orgkeys-go/internal/show"
)

// Union is a value of one of several types. The zero Union is null.
type Union struct {
	value any    // of the type that matched first, or that was set
	raw   []byte // the JSON it was decoded from, from which the other types can be decoded
}

// Alternative is a type of a union: it decodes a value of that type.
type Alternative func(*Decoder) (any, error)

// As returns the alternative whose values read decodes.
func As[T any](read func(*T, *Decoder) error) Alternative {
	return func(d *Decoder) (any, error) {
		var v T
		err := read(&v, d)
		return v, err
	}
}

// ReadUnion reads a value of one of the alternatives.
func ReadUnion(u *Union, d *Decoder, alternatives ...Alternative) error {
	d.peek()
	start := d.Mark()
	for _, read := range alternatives {
		d.Reset(start)
		value, err := read(d)
		if err == nil {
			*u = Union{value, bytes.Clone(d.data[start.pos:d.pos])}
			return nil
		}
		if len(alternatives) == 1 {
			return err
		}
	}
	d.Reset(start)
	if err := d.Skip(); err != nil {
		return err
	}
	return Invalid("matches none of the types that the contract allows")
}

// Discriminator returns the string at the member name of the object that follows, which is not
// read.
func (d *Decoder) Discriminator(name string) (string, error) {
	defer d.Reset(d.Mark())
	if err := d.Open(); err != nil {
		return "", err
	}
	for d.More() {
		found, err := d.Name()
		if err != nil {
			return "", err
		}
		if string(found) != name {
			if err := d.Skip(); err != nil {
				return "", err
			}
			continue
		}
		text, err := d.text()
		if err != nil {
			return "", At(err, name)
		}
		return string(text), nil
	}
	if err := d.Close(); err != nil {
		return "", err
	}
	return "", Missing(name)
}

// NoAlternative returns an error for a discriminator, the member called name, that selects no type.
func NoAlternative(name string) error {
	return At(Invalid("selects none of the types that the contract allows"), name)
}

// UnionOf returns a Union that contains v.
func UnionOf(v any) Union { return Union{value: v} }

// Get returns the value of u as a T. If it was decoded as another type, Get decodes it with read.
func Get[T any](u Union, read func(*T, *Decoder) error) (T, error) {
	if v, ok := u.value.(T); ok {
		return v, nil
	}
	var v T
	if u.raw == nil {
		return v, errors.New("the union contains another type")
	}
	err := Unmarshal(u.raw, &v, read)
	return v, err
}

// Value returns the value of u as the first type of the contract that it matches, or nil.
func (u Union) Value() any { return u.value }

// Shown returns the value that is printed in place of u.
func (u Union) Shown() any { return u.value }

// String returns the value of u, without secrets.
func (u Union) String() string { return show.String(u) }

// Format prints the value of u for every verb, without secrets.
func (u Union) Format(f fmt.State, verb rune) { show.Format(f, verb, u) }

// MarshalJSON encodes the value of u. Secrets are redacted.
func (u Union) MarshalJSON() ([]byte, error) { return json.Marshal(u.value) }

// Merge encodes several values, each of which encodes as an object, as one object with the members
// of all. A member of a later value replaces one of the same name.
func Merge(values ...any) ([]byte, error) {
	merged := map[string]json.RawMessage{}
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		var members map[string]json.RawMessage // stays nil for null
		if err := json.Unmarshal(text, &members); err != nil {
			return nil, err
		}
		maps.Copy(merged, members)
	}
	return json.Marshal(merged)
}
