package orgkeystest

import (
	"net/http"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen/server"
)

// credential identifies the key that a value belongs to.
type credential struct {
	admin   bool
	project string // the project of a key that is not an admin key
	id      string // the key's id in its list; "" for the value in Server.AdminKey
}

// authenticate returns the 401 for a request without a valid admin key. Otherwise it sets the key's
// last use and returns nil. The caller holds the server's lock.
func (o *organization) authenticate(authorization string) *jsonResponse {
	value, ok := bearerToken(authorization)
	if !ok {
		return unauthorized(nil, "The request has no API key. Send an admin key as a bearer token in the Authorization header.")
	}
	c, known := o.credentials[value]
	if !known {
		return unauthorized(new("invalid_api_key"), "The API key "+redact(value)+" is unknown.")
	}
	expiresAt, lastUsedAt := o.times(c)
	if isPast(expiresAt) {
		return unauthorized(new("invalid_api_key"), "The API key "+redact(value)+" has expired.")
	}
	if !c.admin {
		return unauthorized(nil, "The key lacks the scope that the operation needs. Use an admin key.")
	}
	if lastUsedAt != nil {
		*lastUsedAt = apitype.TimeAt(time.Now())
	}
	return nil
}

// times returns the expiration of a key, and a pointer to the time of its last use.
func (o *organization) times(c credential) (expiresAt apitype.OptionalTime, lastUsedAt *apitype.OptionalTime) {
	if c.admin {
		if key := o.adminKeys.get(c.id); key != nil {
			return key.ExpiresAt, &key.LastUsedAt
		}
	} else if key := o.project(c.project).keys.get(c.id); key != nil {
		return key.ExpiresAt, &key.LastUsedAt
	}
	return apitype.OptionalTime{}, nil
}

// bearerToken returns the token of an Authorization header. The scheme's case does not matter.
func bearerToken(authorization string) (token string, ok bool) {
	scheme, token, ok := strings.Cut(authorization, " ")
	token = strings.Trim(token, " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// accept makes value a valid key.
func (o *organization) accept(value string, key credential) {
	o.credentials[value] = key
	if key.id != "" {
		o.values[key] = value
	}
}

// forget makes the value of a key invalid.
func (o *organization) forget(key credential) {
	delete(o.credentials, o.values[key])
	delete(o.values, key)
}

func isPast(t apitype.OptionalTime) bool {
	at, ok := t.Time()
	return ok && !at.After(time.Now())
}

func unauthorized(code *string, message string) *jsonResponse {
	return &jsonResponse{http.StatusUnauthorized, server.ErrorResponse{
		Error: server.Error{Type: "invalid_request_error", Code: code, Message: message},
	}}
}

// redact returns a key's value in the API's redacted form: the first 8 characters, asterisks and
// the last 4. A text that is too short to be a key has fewer of its characters in it.
func redact(value string) string {
	head, tail := min(8, len(value)/3), min(4, len(value)/6)
	return value[:head] + strings.Repeat("*", 20) + value[len(value)-tail:]
}
