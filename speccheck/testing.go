package speccheck

import (
	"net/http"
	"slices"
)

// TB is the part of [testing.TB] that this package uses.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// ForTest returns a RoundTripper that sends requests by base, or by http.DefaultTransport if base
// is nil, and fails t for each violation of this module's contract, api/openapi.yaml. The kinds
// select which violations fail t, as in [Fail].
func ForTest(t TB, base http.RoundTripper, kinds ...Kind) http.RoundTripper {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c.Transport(base, Fail(t, kinds...))
}

// Fail returns a report function for [Checker.Transport] that fails t for each violation of the
// given kinds, by default [FailingKinds], and logs the others. A test must read or close every
// response body before it ends: a report to a completed *testing.T panics.
func Fail(t TB, kinds ...Kind) func(Violation) {
	if len(kinds) == 0 {
		kinds = FailingKinds()
	}
	return func(v Violation) {
		t.Helper()
		if slices.Contains(kinds, v.Kind) {
			t.Errorf("speccheck: %v", v)
			return
		}
		t.Logf("speccheck: %v", v)
	}
}
