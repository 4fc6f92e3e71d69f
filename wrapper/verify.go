package orgkeys

import (
	"strconv"
	"strings"

	"github.com/orgkeys/orgkeys-go/internal/mask"
)

// verifyID compares the id in a response with the requested one.
func verifyID(id, requested string) (pointer, problem string) {
	if id != requested {
		return "/id", "is not the requested id"
	}
	return "", ""
}

// verifyItem refuses an id that is the value of a key, and redacts a redacted value of full length.
func verifyItem(id string, redactedValue *string) (pointer, problem string) {
	if start := strings.ToLower(id[:min(len(id), 2)]); (start == "sk" || start == "se") && looksLikeKey(id) { // most ids need no closer look
		return "/id", "is the value of a key"
	}
	if redactedValue != nil && !strings.Contains(*redactedValue, "*") { // the common form has asterisks
		*redactedValue = mask.Keys(*redactedValue)
	}
	return "", ""
}

// verifyItems verifies the items of a page.
func verifyItems[T any](items []T, describe func(*T) (id string, redactedValue *string)) (pointer, problem string) {
	for i := range items {
		if pointer, problem := verifyItem(describe(&items[i])); problem != "" {
			return "/data/" + strconv.Itoa(i) + pointer, problem
		}
	}
	return "", ""
}

// verifySecret refuses a new key that is the admin key, or whose value is also in one of the
// properties that are printed with it.
func verifySecret(value Secret, pointer string, admin *redactor, printed ...string) (string, string) {
	if admin != nil && strings.EqualFold(value.Reveal(), admin.key.Reveal()) {
		return pointer, "is the admin key"
	}
	key := value.Reveal()
	for _, text := range printed {
		if len(text) >= len(key)/2 && shows(lettersOf(text), lettersOf(key)) {
			return pointer, "is printed in another property"
		}
	}
	return "", ""
}

// lettersOf returns the letters and digits of text, in lower case.
func lettersOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isAlphanumeric(byte(r)) {
			return r | 0x20
		}
		return -1
	}, text)
}

// shows reports whether text contains at least half of key, in pieces of four letters or more. A
// redacted value contains the first and last few characters of a key.
func shows(text, key string) bool {
	shown, end := 0, 0
	for i := 0; i+4 <= len(key); i++ {
		if strings.Contains(text, key[i:i+4]) {
			shown += i + 4 - max(i, end)
			end = i + 4
		}
	}
	return strings.Contains(text, key) || shown >= (len(key)+1)/2
}
