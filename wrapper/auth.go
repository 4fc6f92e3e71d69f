package orgkeys

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/orgkeys/orgkeys-go/apitype"
)

var (
	errNoAdminKey = errors.New("admin key: there is none; set OPENAI_ADMIN_KEY or use WithAdminKey. " +
		"An organization owner makes one at https://platform.openai.com/settings/organization/admin-keys")
	errMalformedAdminKey = errors.New("admin key: holds white space or more than printable ASCII; " +
		"look for a line break or quotes around it")
)

// checkAdminKey refuses what can't be sent as a bearer token.
func checkAdminKey(key string) error {
	if strings.TrimSpace(key) == "" {
		return errNoAdminKey
	}
	if !printable(key) || strings.ContainsAny(key, " \"'") {
		return errMalformedAdminKey
	}
	return nil
}

// key returns the admin key for one attempt.
func (t *transport) key(ctx context.Context) (Secret, error) {
	key, err := t.source(ctx)
	if err != nil {
		return Secret{}, fmt.Errorf("the admin key source failed: %w", err)
	}
	return apitype.NewSecret(key), checkAdminKey(key)
}
