// Package show formats values of the generated types: fields have names, pointers are replaced by
// the values that they point to, and absent fields are omitted. A Secret is redacted, since show
// calls its own String method. A key of full length in a string, such as a name, is redacted, too.
package show

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/orgkeys/orgkeys-go/internal/mask"
)

// String returns v as {Name:value Name:value}.
func String(v any) string {
	var b strings.Builder
	write(&b, reflect.ValueOf(v), true)
	return b.String()
}

// Format implements [fmt.Formatter] for v. %#v adds the type's name, and %q and %x format the whole
// text.
func Format(f fmt.State, verb rune, v any) {
	text := String(v)
	switch {
	case verb == 'v' && f.Flag('#'):
		name := ""
		if t := reflect.TypeOf(v); t != nil && t.Name() != "" {
			name = t.String()
		}
		_, _ = io.WriteString(f, name+text)
	case verb == 'v':
		_, _ = io.WriteString(f, text)
	default:
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), text)
	}
}

// Shown is implemented by types that are formatted as another value, such as the value of a union.
type Shown interface{ Shown() any }

// write writes v. If top is set, it does not call the formatting methods of v, since they call this
// package.
func write(b *strings.Builder, v reflect.Value, top bool) {
	if !v.IsValid() {
		b.WriteString("null")
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("null")
			return
		}
		write(b, v.Elem(), false)
		return
	}
	if shown, ok := v.Interface().(Shown); ok {
		write(b, reflect.ValueOf(shown.Shown()), false)
		return
	}
	if !top {
		switch v := v.Interface().(type) {
		case fmt.Formatter, fmt.Stringer, error:
			_, _ = fmt.Fprintf(b, "%+v", v)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		b.WriteByte('{')
		separator := ""
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() || absent(v.Field(i)) {
				continue
			}
			b.WriteString(separator + field.Name + ":")
			separator = " "
			write(b, v.Field(i), false)
		}
		b.WriteByte('}')
	case reflect.Map:
		b.WriteByte('{')
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for i, key := range keys {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(strconv.Quote(mask.Keys(key.String())) + ":")
			write(b, v.MapIndex(key), false)
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			write(b, v.Index(i), false)
		}
		b.WriteByte(']')
	default:
		b.WriteString(mask.Keys(fmt.Sprint(v)))
	}
}

// absent reports whether a field is nil or absent.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return v.IsNil()
	}
	t, ok := v.Interface().(interface{ IsAbsent() bool })
	return ok && t.IsAbsent()
}
