package orgkeystest

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/orgkeys/orgkeys-go/apitype"
)

// position orders the items of a list: by creation time, and by arrival within a second.
type position struct {
	createdAt apitype.UnixTime
	arrival   int
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.createdAt, q.createdAt), cmp.Compare(p.arrival, q.arrival))
}

// list contains items ordered by creation time. Reading a page costs a binary search and a copy
// of the page.
type list[T any] struct {
	items     []item[T]
	positions map[string]position // by id; removed items remain, since their ids are valid cursors
}

type item[T any] struct {
	position
	value *T
}

func (l *list[T]) add(id string, createdAt apitype.UnixTime, value T) {
	if l.positions == nil {
		l.positions = make(map[string]position)
	}
	p := position{createdAt, len(l.positions)}
	l.positions[id] = p
	i, _ := l.search(p)
	l.items = slices.Insert(l.items, i, item[T]{p, &value})
}

func (l *list[T]) search(p position) (int, bool) {
	return slices.BinarySearchFunc(l.items, p, func(it item[T], p position) int { return it.compare(p) })
}

// known reports whether the list contains or contained an item with the id.
func (l *list[T]) known(id string) bool {
	_, ok := l.positions[id]
	return ok
}

// get returns a pointer to the item with the id, or nil. The caller may read and set the item's
// fields while it holds the server's lock, but not change values that they point to: a copy of
// the item, which shares them, may be read without the lock.
func (l *list[T]) get(id string) *T {
	if p, ok := l.positions[id]; ok {
		if i, found := l.search(p); found {
			return l.items[i].value
		}
	}
	return nil
}

// remove removes the item with the id, if there is one.
func (l *list[T]) remove(id string) {
	p, known := l.positions[id]
	if i, found := l.search(p); known && found {
		l.items = slices.Delete(l.items, i, i+1)
	}
}

// all returns copies of all items, oldest first.
func (l *list[T]) all() []T {
	out := make([]T, len(l.items))
	for i, it := range l.items {
		out[i] = clone(*it.value)
	}
	return out
}

// page returns at most limit items that follow the item with the id after, or the first ones if
// after is "", and whether more follow.
func (l *list[T]) page(after string, limit int, newestFirst bool) (page []T, more bool) {
	start, step := 0, 1
	if newestFirst {
		start, step = len(l.items)-1, -1
	}
	if after != "" {
		i, found := l.search(l.positions[after])
		switch {
		case newestFirst:
			start = i - 1
		case found:
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

// clone returns a deep copy of v. Unexported fields are copied as they are.
func clone[T any](v T) T {
	detach(reflect.ValueOf(&v).Elem())
	return v
}

// detach replaces the pointers, slices and maps in v by deep copies.
func detach(v reflect.Value) {
	if !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			detach(own.Elem())
			v.Set(own)
		}
	case reflect.Slice:
		if !v.IsNil() {
			own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(own, v)
			for i := range own.Len() {
				detach(own.Index(i))
			}
			v.Set(own)
		}
	case reflect.Map:
		if !v.IsNil() {
			own := reflect.MakeMapWithSize(v.Type(), v.Len())
			for key, value := range v.Seq2() {
				element := reflect.New(v.Type().Elem()).Elem()
				element.Set(value)
				detach(element)
				own.SetMapIndex(key, element)
			}
			v.Set(own)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			detach(field)
		}
	}
}
