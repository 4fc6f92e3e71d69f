package orgkeys_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
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
	notMade                 = notCreated // for stays_home_test.go
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

// requireTold is for stays_home_test.go.
func requireTold(t *testing.T, want createResult, _ string, err error) {
	t.Helper()
	require.Equal(t, want, resultOf(err), "%v", err)
}
