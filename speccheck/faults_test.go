package speccheck_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/mutate"
	"github.com/orgkeys/orgkeys-go/speccheck"
)

// The expected violations come from package mutate, which derives them from the contract with code
// of its own.

func TestCheck_reportsEachFaultAtItsPointer(t *testing.T) {
	c := newChecker(t)
	rules := map[string]int{}
	for _, b := range bodies(t) {
		for _, base := range bases(b) {
			for _, m := range mutate.Invalid(b.Schema, base) {
				template := speccheck.Violation{
					Kind: speccheck.BodyViolation, OperationID: b.Operation, Method: b.Method, Path: b.Path, Status: max(b.Status, 200),
					In: speccheck.InResponse,
				}
				if b.Status == 0 {
					template.Kind, template.In = speccheck.RequestViolation, speccheck.InRequest
				}
				var want []speccheck.Violation
				for _, v := range m.Violations {
					violation := template
					violation.Pointer, violation.Rule, violation.Expected, violation.Found = v.Pointer, v.Rule, v.Expected, v.Found
					want = append(want, violation)
					rules[v.Rule]++
				}
				assert.Equal(t, want, check(t, c, b, m.Body), "%v: %s at %q", b, m.Name, m.Pointer)
			}
		}
	}
	for _, rule := range []string{"type", "nullable", "required", "const", "enum", "minimum", "maximum", "minLength", "pattern", "duplicate-name", "utf-8"} {
		assert.NotZero(t, rules[rule], "no mutation violates %q", rule)
	}
}

func TestCheck_acceptsEveryValidVariant(t *testing.T) {
	c := newChecker(t)
	for _, b := range bodies(t) {
		for _, base := range bases(b) {
			variants := mutate.Valid(b.Schema, base)
			require.Greater(t, len(variants), 5)
			for _, m := range variants {
				assert.Empty(t, check(t, c, b, m.Body), "%v: %s at %q", b, m.Name, m.Pointer)
			}
		}
	}
}

func TestCheck_reportsAllOfSeveralFaults(t *testing.T) {
	c := newChecker(t)
	for _, b := range bodies(t) {
		if b.Status != 200 {
			continue
		}
		base := bases(b)[1]
		broken, want := base, map[string]bool{}
		for _, v := range mutate.Values(b.Schema, base) {
			if v.Present && !v.Shape.Allows("object") && !v.Shape.Allows("array") && !v.Shape.Allows("null") {
				broken = mutate.Replace(broken, v.Pointer, nil)
				want[v.Pointer] = true
			}
		}
		require.Greater(t, len(want), 1, b)
		got := map[string]bool{}
		for _, v := range check(t, c, b, mutate.Encode(broken)) {
			assert.Equal(t, "nullable", v.Rule)
			got[v.Pointer] = true
		}
		assert.Equal(t, want, got, b)
	}
}

func TestCheck_reportsATruncatedBody(t *testing.T) {
	c := newChecker(t)
	for _, b := range bodies(t) {
		if b.Status != 200 {
			continue
		}
		whole := mutate.Encode(b.Example)
		for n := range whole {
			found := check(t, c, b, whole[:n])
			if assert.Len(t, found, 1, "%v cut at %d", b, n) {
				assert.Equal(t, "json", found[0].Rule, "%v cut at %d", b, n)
				assert.Equal(t, speccheck.BodyViolation, found[0].Kind)
			}
		}
	}
}

func TestCheck_escapesAndInvalidNames(t *testing.T) {
	c := newChecker(t)
	req := newRequest(t, "DELETE", deletePath)
	for _, row := range []struct {
		body string
		want []string
	}{
		{strings.Replace(deleted, `"id"`, `"\u0069d"`, 1), []string{}},
		{strings.Replace(deleted, "key_abc", `key\u005fabc`, 1), []string{}},
		{
			strings.Replace(deleted, "{", "{\"x\xff\":1,", 1),
			[]string{"delete-project-api-key 200: response body: utf-8: expected valid UTF-8 (body)"},
		},
	} {
		assert.Equal(t, row.want, lines(c.Check(req, nil, 200, map[string][]string{"Content-Type": {jsonContent}}, []byte(row.body))), row.body)
	}
}
