package orgkeys_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// TestMain verifies that no test leaks a goroutine, and so no connection.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// createResult is what the caller of a create learns.
type createResult string

const (
	created    createResult = "created"
	notCreated createResult = "not created"
	isUnknown  createResult = "unknown"
)

// resultOf returns what a create's error means.
func resultOf(err error) createResult {
	if err == nil {
		return created
	}
	if _, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		return isUnknown
	}
	return notCreated
}
