package orgkeystest

import (
	"net/http"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen/server"
	"golang.org/x/time/rate"
)

// admit refuses a request whose key may not administer the organization, or that comes too
// often.
func (s *Server) admit(r *http.Request, operation string) (refused reply, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused, ok := s.org.authenticate(r.Header.Get("Authorization")); !ok {
		return refused, false
	}
	if n := s.settings.perMinute; n > 0 {
		limiter := s.limiters[operation]
		if limiter == nil {
			limiter = rate.NewLimiter(rate.Limit(n)/60, n)
			s.limiters[operation] = limiter
		}
		if !limiter.Allow() {
			return refuse(http.StatusTooManyRequests, "", "Too many requests: the limit is %d a minute.", n), false
		}
	}
	return reply{}, true
}

// authenticate refuses a request without an admin key that works. The server's lock is held.
func (o *organization) authenticate(authorization string) (refused reply, ok bool) {
	value, isBearer := strings.CutPrefix(authorization, "Bearer ")
	if !isBearer {
		return unauthorized(nil, "The request has no admin key. Send one as a bearer token."), false
	}
	c, known := o.credentials[value]
	if !known {
		return unauthorized(new("invalid_api_key"), "There is no API key "+redact(value)+"."), false
	}
	if !c.admin {
		return unauthorized(nil, "The key lacks the scope that the operation needs. Use an admin key."), false
	}
	if key := o.adminKeys.get(c.id); key != nil {
		if at, ok := key.ExpiresAt.Time(); ok && !at.After(time.Now()) {
			return unauthorized(new("invalid_api_key"), "The API key "+key.RedactedValue+" has expired."), false
		}
		key.LastUsedAt = apitype.TimeAt(time.Now())
	}
	return reply{}, true
}

func unauthorized(code *string, message string) reply {
	return reply{http.StatusUnauthorized, server.ErrorResponse{
		Error: server.Error{Type: "invalid_request_error", Code: code, Message: message},
	}}
}
