package orgkeys

import (
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
)

// page is a page of any list.
type page[T any] struct {
	items   []T
	hasMore bool
	lastID  *string
}

// maxEmptyPages is the number of consecutive empty pages that end a list with an error. A few are
// accepted, since a server may filter the items of a page.
const maxEmptyPages = 100

// all returns an iterator over the items of all pages, beginning after the item with the id after.
// A list ends with a page whose has_more is false. If it cannot be read that far, the iterator
// yields one error and ends.
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
				err = errors.New("the server repeated a page or a cursor")
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

// nextCursor returns the cursor of the page after p: the id of the last item of p, as the API
// defines it, or last_id if p is empty.
func nextCursor[T any](p page[T], id func(*T) string) (string, error) {
	var cursor string
	if n := len(p.items); n > 0 {
		cursor = id(&p.items[n-1])
	} else if p.lastID != nil {
		cursor = *p.lastID
	}
	if cursor == "" {
		return "", errors.New("has_more is true, but the page has no cursor for the next one")
	}
	if checkCursor("", cursor) != nil {
		return "", errors.New("the cursor of the next page is not a valid id")
	}
	return cursor, nil
}

// cursors is the set of cursors that were used. It contains their hashes, so that it takes 8 bytes a
// page.
type cursors struct {
	seed maphash.Seed
	seen []uint64
}

// add adds cursor and reports whether it is new.
func (c *cursors) add(cursor string) bool {
	sum := maphash.String(c.seed, cursor)
	if slices.Contains(c.seen, sum) {
		return false
	}
	c.seen = append(c.seen, sum)
	return true
}
