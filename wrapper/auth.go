package orgkeys

import (
	"errors"
	"strings"

	"github.com/orgkeys/orgkeys-go/apitype"
)

var (
	errNoAdminKey = errors.New("admin key: there is none; set OPENAI_ADMIN_KEY or use WithAdminKey. " +
		"An organization owner makes one at https://platform.openai.com/settings/organization/admin-keys")
	errMalformedAdminKey = errors.New("admin key: holds white space or more than printable ASCII; " +
		"look for a line break or quotes around it")
)

// credential is an admin key in the two forms that an attempt needs.
type credential struct {
	key           Secret   // to be masked in what comes back
	authorization []string // the header's value
}

// newCredential refuses what can't be sent as a bearer token.
func newCredential(key string) (credential, error) {
	if strings.TrimSpace(key) == "" {
		return credential{}, errNoAdminKey
	}
	if !printable(key) || strings.ContainsAny(key, " \"'") {
		return credential{}, errMalformedAdminKey
	}
	return credential{apitype.NewSecret(key), []string{"Bearer " + key}}, nil
}
