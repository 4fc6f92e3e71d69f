package orgkeys

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/orgkeys/orgkeys-go/internal/mask"
)

// The errors of these checks contain the name of the invalid argument and not its value, which may
// be a key that was passed by mistake.

// maxIDLength is the maximum length of an id in bytes, far more than the API uses.
const maxIDLength = 256

// checkID returns an error for an id that would change the path of a URL, or that is the value of a key.
func checkID(argument, id string) error {
	if isPlain(id) {
		return checkCursor(argument, id)
	}
	switch {
	case id == "." || id == "..":
		return argumentError(argument + " is a dot segment")
	case strings.ContainsAny(id, `/\?#%`):
		return argumentError(argument + ` contains one of / \ ? # %`)
	case strings.ContainsFunc(id, unicode.IsSpace):
		return argumentError(argument + " contains white space")
	}
	return checkCursor(argument, id)
}

// checkCursor returns an error for a cursor that cannot be an id. Unlike an id in a path, a cursor may
// contain characters that the query escapes.
func checkCursor(argument, id string) error {
	var problem string
	switch plain := isPlain(id); {
	case !plain && strings.TrimSpace(id) == "":
		problem = "is empty"
	case len(id) > maxIDLength:
		problem = fmt.Sprintf("is longer than %d bytes", maxIDLength)
	case !plain && !utf8.ValidString(id):
		problem = "is not valid UTF-8"
	case !plain && strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }):
		problem = "contains an unprintable character"
	case looksLikeKey(id):
		problem = "is the value of a key and not an id"
	default:
		return nil
	}
	return argumentError(argument + " " + problem)
}

// isPlain reports whether id consists of letters, digits, _ and - only, like the ids of the API. The
// checks of other characters are skipped for such an id.
func isPlain(id string) bool {
	for i := range len(id) {
		if !isAlphanumeric(id[i]) && id[i] != '_' && id[i] != '-' {
			return false
		}
	}
	return id != ""
}

// maxPage is the API's maximum for the number of items on a page.
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

// checkName returns an error for a name that the API refuses or may change. A key with a changed name
// could not be found by the requested one.
func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return argumentError("name is empty")
	case strings.TrimSpace(name) != name:
		return argumentError("name starts or ends with white space")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return argumentError("name contains control characters or is not valid UTF-8")
	case mask.Keys(name) != name:
		return argumentError("name contains the value of a key")
	}
	return nil
}

// maxLifetime is the longest lifetime of a new key, in seconds: a year.
const maxLifetime = 31536000

func checkLifetime(seconds *int, longest int) error {
	if seconds != nil && (*seconds < 1 || *seconds > longest) {
		return argumentError(fmt.Sprintf("expires_in_seconds %d is not from 1 to %d", *seconds, longest))
	}
	return nil
}
