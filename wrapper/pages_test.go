package orgkeys

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func itself(id *string) string { return *id }

func TestNextCursor(t *testing.T) {
	for _, row := range []struct {
		name    string
		items   string
		lastID  *string
		want    string
		problem string
	}{
		{"id of the last item", "a b", new("b"), "b", ""},
		{"id of the last item, without last_id", "a b", nil, "b", ""},
		{"another last_id", "a b", new("z"), "b", ""},
		{"empty last_id", "a b", new(""), "b", ""},
		{"empty page", "", new("z"), "z", ""},
		{"with a space", "", new("a b"), "a b", ""},
		{"escapable", "", new("eyJ/a?b#c%d=="), "eyJ/a?b#c%d==", ""},
		{"longest", "", new(strings.Repeat("a", 256)), strings.Repeat("a", 256), ""},
		{"none", "", nil, "", "no cursor"},
		{"empty", "", new(""), "", "no cursor"},
		{"blank", "", new(" "), "", "not a valid id"},
		{"NUL", "", new("a\x00"), "", "not a valid id"},
		{"line break", "", new("a\nb"), "", "not a valid id"},
		{"too long", "", new(strings.Repeat("a", 257)), "", "not a valid id"},
		{"key", "", new("sk-abc"), "", "not a valid id"},
		{"id of an item is a key", "a sk-abc", nil, "", "not a valid id"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := nextCursor(page[string]{strings.Fields(row.items), true, row.lastID}, itself)
			assert.Equal(t, row.want, got)
			if row.problem == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, row.problem)
				assert.NotContains(t, err.Error(), "abc")
			}
		})
	}
	_, err := nextCursor(page[string]{items: []string{"a", ""}, hasMore: true, lastID: new("b")}, itself)
	assert.ErrorContains(t, err, "no cursor", "an item without an id")
}

// walk collects the items that all yields, and the cursors of its requests.
func walk(t *testing.T, after *string, fetch func(request int) page[string]) (items, cursors []string, err error) {
	t.Helper()
	for item, e := range all(after, func(after *string) (page[string], error) {
		if after == nil {
			cursors = append(cursors, "-")
		} else {
			cursors = append(cursors, *after)
		}
		require.Less(t, len(cursors), 1000, "the list does not end")
		return fetch(len(cursors)), nil
	}, itself) {
		require.NoError(t, err, "All yields after an error")
		if err = e; e == nil {
			items = append(items, item)
		}
	}
	return items, cursors, err
}

func TestAll_endsAfterRepeats(t *testing.T) {
	for _, row := range []struct {
		name     string
		after    *string
		fetch    func(request int) page[string]
		requests int
		problem  string
	}{
		{"the same page", nil, func(int) page[string] { return page[string]{[]string{"a", "b"}, true, nil} }, 2, "repeated a page or a cursor"},
		{"the same item with new last ids", nil, func(n int) page[string] { return page[string]{[]string{"a"}, true, new(fmt.Sprint("c", n))} }, 2, "repeated a page or a cursor"},
		{"a cycle of three", nil, func(n int) page[string] { return page[string]{[]string{fmt.Sprint(n % 3)}, true, nil} }, 4, "repeated a page or a cursor"},
		{"the caller's own cursor", new("a"), func(int) page[string] { return page[string]{[]string{"a"}, true, nil} }, 1, "repeated a page or a cursor"},
		{"an empty page with the cursor that was sent", new("a"), func(int) page[string] { return page[string]{nil, true, new("a")} }, 1, "repeated a page or a cursor"},
		{"empty pages", nil, func(n int) page[string] { return page[string]{nil, true, new(fmt.Sprint(n))} }, maxEmptyPages, "100 empty pages"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, cursors, err := walk(t, row.after, row.fetch)
			assert.Len(t, cursors, row.requests)
			assert.ErrorContains(t, err, row.problem)
			assert.ErrorContains(t, err, "the list is incomplete")
		})
	}
}

func TestAll_toleratesEmptyPages(t *testing.T) {
	const pages = 3 * maxEmptyPages
	items, cursors, err := walk(t, nil, func(n int) page[string] {
		if n%maxEmptyPages == 0 { // after 99 empty ones
			return page[string]{[]string{fmt.Sprint(n)}, n < pages, nil}
		}
		return page[string]{nil, true, new(fmt.Sprint(n))}
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"100", "200", "300"}, items)
	assert.Len(t, cursors, pages)
}

func TestAll_sendsTheCursors(t *testing.T) {
	pages := []page[string]{
		{[]string{"a", "b"}, true, new("z")}, {nil, true, new("c d")}, {[]string{"e"}, true, nil}, {nil, false, new("more")},
	}
	items, cursors, err := walk(t, new("start"), func(n int) page[string] { return pages[n-1] })
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "e"}, items)
	assert.Equal(t, []string{"start", "b", "c d", "e"}, cursors)
}

func TestAll_yieldsAnErrorOnce(t *testing.T) {
	failure := errors.New("no")
	n := 0
	for item, err := range all(nil, func(*string) (page[string], error) { return page[string]{items: []string{"lost"}}, failure }, itself) {
		assert.Empty(t, item)
		assert.Equal(t, failure, err)
		n++
	}
	assert.Equal(t, 1, n)
}

// TestCursors verifies that an iteration keeps a number for each page, and no item.
func TestCursors(t *testing.T) {
	c := cursors{seed: maphash.MakeSeed()}
	for i := range 1000 {
		require.True(t, c.add(fmt.Sprint(i)))
	}
	for i := range 1000 {
		require.False(t, c.add(fmt.Sprint(i)))
	}
	assert.Len(t, c.seen, 1000)
}
