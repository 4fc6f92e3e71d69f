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

// maxEmptyPages is the number of consecutive empty pages that end a list with an error. A server
// may filter a page until it is empty, and not that often.
const maxEmptyPages = 100

// all iterates over the items of all pages after the item after. Only has_more: false ends the
// list; anything else that ends it is an error, yielded once.
func all[T any](after *string, fetch func(after *string) (page[T], error), id func(*T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		after := after
		used := cursors{seed: maphash.MakeSeed(), seen: make([]uint64, 0, 1024)}
		if after != nil {
			used.add(*after)
		}
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
			if empty++; len(p.items) > 0 {
				empty = 0
			}
			next, err := nextCursor(p, id)
			switch {
			case err != nil:
			case !used.add(next):
				err = errors.New("the server sent a page or a cursor for the second time")
			case empty == maxEmptyPages:
				err = fmt.Errorf("the server sent %d empty pages in a row", empty)
			}
			if err != nil {
				yield(zero, fmt.Errorf("orgkeys: the list is incomplete: %w; the items so far are valid", err))
				return
			}
			after = &next
		}
	}
}

// nextCursor returns the cursor of the page after p: the id of the last item received, as the
// API defines it, or last_id of a page without items.
func nextCursor[T any](p page[T], id func(*T) string) (string, error) {
	var cursor string
	if n := len(p.items); n > 0 {
		cursor = id(&p.items[n-1])
	} else if p.lastID != nil {
		cursor = *p.lastID
	}
	if cursor == "" {
		return "", errors.New("has_more is true, and there is no cursor for the next page")
	}
	if checkCursor("", cursor) != nil {
		return "", errors.New("the cursor of the next page is not an id")
	}
	return cursor, nil
}

// cursors remembers the cursors that were used by a hash of each, so that a list of any length
// needs little memory.
type cursors struct {
	seed maphash.Seed
	seen []uint64
}

// add reports whether cursor is new.
func (c *cursors) add(cursor string) bool {
	sum := maphash.String(c.seed, cursor)
	if slices.Contains(c.seen, sum) {
		return false
	}
	c.seen = append(c.seen, sum)
	return true
}
