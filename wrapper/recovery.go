package orgkeys

import (
	"cmp"
	"errors"
	"iter"
	"slices"
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

// findCreated returns those of the items that the create behind unknown may have made, newest
// first.
func findCreated[T any](unknown *UnknownOutcomeError, items iter.Seq2[T, error], made func(*T) (string, UnixTime)) ([]T, error) {
	earliest := unknown.StartedAt.Add(-clockSkew).Truncate(time.Second)
	var found []T
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		if name, at := made(&item); name == unknown.Name && !at.Time().Before(earliest) {
			found = append(found, item)
		}
	}
	slices.SortStableFunc(found, func(a, b T) int {
		_, first := made(&a)
		_, second := made(&b)
		return cmp.Compare(second, first)
	})
	return found, nil
}
