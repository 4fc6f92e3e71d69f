package orgkeys

import (
	"errors"
	"time"
)

// clockSkew is how far the API's clock may be behind this machine's.
const clockSkew = 5 * time.Minute

// identify tells an unknown outcome what was asked for, so that it can be looked for.
func identify(err error, started time.Time, projectID, name string) error {
	if unknown, ok := errors.AsType[*UnknownOutcomeError](err); ok {
		unknown.StartedAt, unknown.ProjectID, unknown.Name = started, projectID, name
	}
	return err
}

// check refuses to look for what operation can't have made.
func (e *UnknownOutcomeError) check(operation string) error {
	if e == nil || e.Operation != operation || e.Name == "" {
		return argumentError("the error is not from this service's Create")
	}
	return nil
}

// predates reports whether what was created at that time is older than the call.
func (e *UnknownOutcomeError) predates(createdAt UnixTime) bool {
	return createdAt.Time().Before(e.StartedAt.Add(-clockSkew).Truncate(time.Second))
}
