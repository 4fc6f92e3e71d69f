package speccheck

import (
	"net/http"
	"slices"
)

// TB is what a test has to have, as a *testing.T does.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// ForTest returns a RoundTripper over base, http.DefaultTransport if nil, that fails t for each
// violation of this module's contract. Kinds choose what fails, as in [Fail].
func ForTest(t TB, base http.RoundTripper, kinds ...Kind) http.RoundTripper {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c.Transport(base, Fail(t, kinds...))
}

// Fail returns a report function for [Checker.Transport] that fails t for each violation of
// the kinds given, and logs the others. With no kinds it goes by [FailingKinds]. A body that is
// read after the test has ended is reported to a test that no longer takes it.
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
