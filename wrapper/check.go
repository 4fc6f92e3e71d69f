package orgkeys

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The checks here name the argument at fault and quote nothing, since what is passed in the
// wrong place may be a key.

// maxIDLength is far beyond what the API hands out.
const maxIDLength = 256

// checkID refuses an id that could be read as another path, or that is a key's value.
func checkID(argument, id string) error {
	switch {
	case id == "." || id == "..":
		return argumentError(argument + " is a dot segment")
	case strings.ContainsAny(id, `/\?#%`):
		return argumentError(argument + ` holds one of / \ ? # %`)
	}
	return checkCursor(argument, id)
}

// checkCursor refuses what is no id at all. A cursor goes into the query, escaped, so that it may
// be made of more than an id.
func checkCursor(argument, id string) error {
	var problem string
	switch {
	case id == "":
		problem = "is empty"
	case len(id) > maxIDLength:
		problem = fmt.Sprintf("is longer than %d bytes", maxIDLength)
	case !utf8.ValidString(id):
		problem = "is not valid UTF-8"
	case strings.ContainsFunc(id, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }):
		problem = "holds white space or an unprintable character"
	case strings.HasPrefix(id, "sk-"):
		problem = "is the value of a key and not an id"
	default:
		return nil
	}
	return argumentError(argument + " " + problem)
}

// maxPage is the most items that the API puts on a page.
const maxPage = 100

func checkPage(after *string, limit *int) error {
	if limit != nil && (*limit < 1 || *limit > maxPage) {
		return argumentError(fmt.Sprintf("limit %d is not from 1 to %d", *limit, maxPage))
	}
	if after != nil {
		return checkCursor("after", *after)
	}
	return nil
}

func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return argumentError("name is empty")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return argumentError("name holds control characters or is not valid UTF-8")
	}
	return nil
}
