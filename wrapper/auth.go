package orgkeys

import (
	"errors"
	"net/url"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
)

var (
	errNoAdminKey = errors.New("admin key: there is none; set OPENAI_ADMIN_KEY or use WithAdminKey. " +
		"An organization owner creates one at https://platform.openai.com/settings/organization/admin-keys")
	errMalformedAdminKey = errors.New("admin key: contains white space or characters that are not printable ASCII; " +
		"look for a line break or quotes around it")
)

// credential is an admin key in the forms that an attempt needs.
type credential struct {
	redactor      *redactor
	authorization []string // the value of the header field
}

// newCredential refuses what cannot be sent as a bearer token.
func newCredential(key string) (credential, error) {
	if strings.TrimSpace(key) == "" {
		return credential{}, errNoAdminKey
	}
	if !printable(key) || strings.ContainsAny(key, " \"'") {
		return credential{}, errMalformedAdminKey
	}
	return credential{newRedactor(key), []string{"Bearer " + key}}, nil
}

// isIn reports whether a request contains the key elsewhere than in its Authorization header, or a
// part of it in a parameter of the path or the query. The names of paths and properties are not
// searched for parts: a key for tests, such as "sk-admin-api-key", has words in common with them.
func (c credential) isIn(operation *gen.Operation, u *url.URL, body []byte) bool {
	known := c.redactor.known
	if query, _ := url.QueryUnescape(u.RawQuery); known.IsIn(query) || known.IsIn(u.RawQuery) {
		return true
	}
	names, values := operation.Path, u.Path
	for names != "" && values != "" { // from the end, since the base URL may have a path
		i, j := strings.LastIndexByte(names, '/'), strings.LastIndexByte(values, '/')
		if strings.HasPrefix(names[i+1:], "{") && known.IsIn(values[j+1:]) {
			return true
		}
		names, values = names[:max(i, 0)], values[:max(j, 0)]
	}
	return containsFold(body, strings.TrimPrefix(c.authorization[0], "Bearer "))
}

// containsFold reports whether text contains key in any case.
func containsFold(text []byte, key string) bool {
next:
	for i := 0; i+len(key) <= len(text); i++ {
		for j := range len(key) {
			if text[i+j]|0x20 != key[j]|0x20 {
				continue next
			}
		}
		return true
	}
	return false
}
