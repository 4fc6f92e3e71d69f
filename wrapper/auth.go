package orgkeys

import (
	"errors"
	"net/url"
	"strings"

	"github.com/orgkeys/orgkeys-go/apitype"
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
	return credential{&redactor{key: apitype.NewSecret(key)}, []string{"Bearer " + key}}, nil
}

// isIn reports whether a request contains the key elsewhere than in its Authorization header.
func (c credential) isIn(u *url.URL, body []byte) bool {
	key := c.redactor.key.Reveal()
	return containsFold(u.Path, key) || containsFold(body, key) ||
		u.RawQuery != "" && (containsFold(u.RawQuery, key) || containsFold(u.RawQuery, url.QueryEscape(key)))
}

// containsFold reports whether text contains key in any case.
func containsFold[T string | []byte](text T, key string) bool {
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
