package orgkeys

import "strings"

// verifyID compares the id in a response with the requested one.
func verifyID(id, requested string) (pointer, problem string) {
	if id != requested {
		return "/id", "is not the requested id"
	}
	return "", ""
}

// verifySecret refuses a new key whose value is also in one of the properties that are printed
// with it.
func verifySecret(value Secret, pointer string, printed ...string) (string, string) {
	key := value.Reveal()
	for _, text := range printed {
		if len(text) >= len(key)/2 && shows(strings.ToLower(text), strings.ToLower(key)) {
			return pointer, "is printed in another property"
		}
	}
	return "", ""
}

// shortestRun is how many characters in a row a text and a key have in common by more than
// chance, at least.
const shortestRun = 4

// shows reports whether text contains at least half of key, in one piece or in several. A
// redacted value contains the first and last few characters of a key.
func shows(text, key string) bool {
	if strings.Contains(text, key) {
		return true
	}
	if len(key) < 2*fragment {
		return false // too short to tell a half from a few characters
	}
	shown := 0
	for i := 0; i+shortestRun <= len(key); {
		n := 0
		for i+n+shortestRun <= len(key) && strings.Contains(text, key[i:i+n+shortestRun]) {
			n++
		}
		if n == 0 {
			i++
			continue
		}
		n += shortestRun - 1
		shown += n
		i += n
	}
	return shown >= len(key)/2
}
