package orgkeys

import "strings"

// verifyID compares the id in a response with the requested one.
func verifyID(id, requested string) (pointer, problem string) {
	if id != requested {
		return "/id", "is not the requested id"
	}
	return "", ""
}

// verifySecret refuses a new key whose value is also in one of the fields that are printed with
// it. The redacted value shows a few characters of the value and not half of it.
func verifySecret(value Secret, pointer string, printed ...string) (string, string) {
	key := value.Reveal()
	for _, text := range printed {
		if strings.Contains(text, key) || len(key) >= 2*fragment && sharesRun(text, key, len(key)/2) {
			return pointer, "is printed in another property"
		}
	}
	return "", ""
}

// sharesRun reports whether text contains length consecutive characters of key.
func sharesRun(text, key string, length int) bool {
	for i := 0; i+length <= len(key) && length <= len(text); i++ {
		if strings.Contains(text, key[i:i+length]) {
			return true
		}
	}
	return false
}
