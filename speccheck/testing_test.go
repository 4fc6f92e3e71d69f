package speccheck_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// recorder is a TB that records failures.
type recorder struct{ bytes.Buffer }

func (r *recorder) Helper()                           {}
func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(r, "FAIL "+format+"\n", args...) }
func (r *recorder) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (r *recorder) Logf(format string, args ...any)   { fmt.Fprintf(r, "note "+format+"\n", args...) }

func TestFail_kinds(t *testing.T) {
	body := speccheck.Violation{Kind: speccheck.BodyViolation, OperationID: "op", Status: 200, In: speccheck.InResponse, Rule: "json"}
	status := speccheck.Violation{Kind: speccheck.UndocumentedStatus, OperationID: "op", Status: 429, Rule: "status"}
	for _, row := range []struct {
		kinds   []speccheck.Kind
		want    string
		forTest string // what ForTest does with an undocumented 429
	}{
		{nil, "FAIL speccheck: op 200: response body: json (body)\nnote speccheck: op 429: status (undocumented-status)\n", "note"},
		{
			[]speccheck.Kind{speccheck.UndocumentedStatus},
			"note speccheck: op 200: response body: json (body)\nFAIL speccheck: op 429: status (undocumented-status)\n",
			"FAIL",
		},
		{
			speccheck.Kinds(),
			"FAIL speccheck: op 200: response body: json (body)\nFAIL speccheck: op 429: status (undocumented-status)\n",
			"FAIL",
		},
	} {
		var test recorder
		report := speccheck.Fail(&test, row.kinds...)
		report(body)
		report(status)
		assert.Equal(t, row.want, test.String())

		test.Reset()
		transport := speccheck.ForTest(&test, respond(429, http.NoBody, 0), row.kinds...)
		_, err := transport.RoundTrip(deleteRequest(t))
		require.NoError(t, err)
		assert.Equal(t, row.forTest+" speccheck: delete-project-api-key 429: status: expected 200 or 400 (undocumented-status)\n", test.String())
	}
}
