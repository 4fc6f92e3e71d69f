package orgkeystest

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/orgkeys/orgkeys-go/apitype"
)

// place is where an item stands: by creation time, and by arrival within a second.
type place struct {
	createdAt apitype.UnixTime
	arrival   int
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.createdAt, q.createdAt), cmp.Compare(p.arrival, q.arrival))
}

// list keeps items by creation time. A page of it costs a binary search and the page itself,
// however long the list is.
type list[T any] struct {
	items  []item[T]
	places map[string]place // of removed items too: an id that was a cursor stays one
}

type item[T any] struct {
	place
	value *T
}

func (l *list[T]) add(id string, createdAt apitype.UnixTime, value T) {
	if l.places == nil {
		l.places = make(map[string]place)
	}
	p := place{createdAt, len(l.places)}
	l.places[id] = p
	i, _ := l.search(p)
	l.items = slices.Insert(l.items, i, item[T]{p, &value})
}

func (l *list[T]) search(p place) (int, bool) {
	return slices.BinarySearchFunc(l.items, p, func(it item[T], p place) int { return it.compare(p) })
}

// known reports whether an item with the id is or was there.
func (l *list[T]) known(id string) bool {
	_, ok := l.places[id]
	return ok
}

// get returns the item itself, or nil. Under the server's lock its fields may be read and set;
// what they point at is never changed, so that a copy can be read without the lock.
func (l *list[T]) get(id string) *T {
	if p, ok := l.places[id]; ok {
		if i, found := l.search(p); found {
			return l.items[i].value
		}
	}
	return nil
}

// remove takes the item out and reports whether it was there.
func (l *list[T]) remove(id string) bool {
	if l.get(id) == nil {
		return false
	}
	i, _ := l.search(l.places[id])
	l.items = slices.Delete(l.items, i, i+1)
	return true
}

// all returns copies of all items, the oldest first.
func (l *list[T]) all() []T {
	out := make([]T, len(l.items))
	for i, it := range l.items {
		out[i] = clone(*it.value)
	}
	return out
}

// page returns at most limit items behind the item with the id after, or from the
// start where that is "", and whether more follow.
func (l *list[T]) page(after string, limit int, newestFirst bool) (page []T, more bool) {
	start, step := 0, 1
	if newestFirst {
		start, step = len(l.items)-1, -1
	}
	if after != "" {
		i, there := l.search(l.places[after])
		switch {
		case newestFirst:
			start = i - 1
		case there:
			start = i + 1
		default:
			start = i
		}
	}
	for i := start; i >= 0 && i < len(l.items); i += step {
		if len(page) == limit {
			return page, true
		}
		page = append(page, *l.items[i].value)
	}
	return page, false
}

// clone returns v with pointers of its own.
func clone[T any](v T) T {
	detach(reflect.ValueOf(&v).Elem())
	return v
}

func detach(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			detach(own.Elem())
			v.Set(own)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			detach(field)
		}
	}
}
