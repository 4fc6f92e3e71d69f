package orgkeys

import (
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
)

// page is what the pages of all lists have in common.
type page[T any] struct {
	items   []T
	hasMore bool
	lastID  *string
}

// maxEmptyPages ends a list whose server hands out new cursors and no items. Live servers may
// filter a page down to nothing, and not this often in a row.
const maxEmptyPages = 100

// all iterates over the items of all pages from after on. has_more alone ends it; what else
// can go wrong is an error, yielded once.
func all[T any](after *string, fetch func(after *string) (page[T], error), id func(*T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		after := after
		used := cursors{seed: maphash.MakeSeed()}
		used.add(after)
		empty := 0
		for {
			p, err := fetch(after)
			if err != nil {
				yield(zero, err)
				return
			}
			for i := range p.items {
				if !yield(p.items[i], nil) {
					return
				}
			}
			if !p.hasMore {
				return
			}
			next := p.lastID
			if n := len(p.items); n > 0 {
				empty = 0
				if next == nil || *next == "" {
					next = new(id(&p.items[n-1]))
				}
			} else {
				empty++
			}
			switch {
			case next == nil || *next == "":
				err = errors.New("the server says that more follows, and not where")
			case checkCursor("", *next) != nil:
				err = errors.New("the server hands out a cursor that can't be sent")
			case !used.add(next):
				err = errors.New("the server hands out a cursor for the second time")
			case empty == maxEmptyPages:
				err = errors.New("the server hands out empty pages without end")
			}
			if err != nil {
				yield(zero, fmt.Errorf("orgkeys: the list breaks off: %w; what came is real, and not the whole", err))
				return
			}
			after = next
		}
	}
}

// cursors remembers which were used, as a hash of each: eight bytes a page, so that a list of any
// length costs little. A page is a request, next to which looking through all of them is nothing.
type cursors struct {
	seed maphash.Seed
	seen []uint64
}

// add reports whether cursor is new.
func (c *cursors) add(cursor *string) bool {
	if cursor == nil {
		return true
	}
	sum := maphash.String(c.seed, *cursor)
	if slices.Contains(c.seen, sum) {
		return false
	}
	c.seen = append(c.seen, sum)
	return true
}
