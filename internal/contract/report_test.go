package contract

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden reports in testdata")

func TestReport(t *testing.T) {
	upstream := patch(t, file(t, "upstream.yaml"), `         color:
           type: string
-          enum: [red, green]
+          enum: [red, green, blue]
         size:
@@
-      operationId: get-thing
+      operationId: getThing
@@
       properties:
         done:
           type: boolean
-      required:
-        - done
+        note: {type: string}
`)
	result := sync(t, file(t, "contract.yaml"), upstream)
	require.NoError(t, (&Report{Result: result}).Judge("../..", []byte(file(t, "contract.yaml"))))
	report := &Report{
		Result: result,
		Look:   []Line{{"wrapper/things.go", 7, "cannot use done | undone"}},
		Checks: []Check{{Command: "go generate ./..."}, {Command: "go build ./...", Failed: true, Output: "wrapper/things.go:7:1: cannot use done | undone\n"}},
	}
	assert.True(t, report.Failed())
	none := &Report{Result: sync(t, file(t, "contract.yaml"), file(t, "upstream.yaml"))}
	assert.False(t, none.Failed())
	for name, text := range map[string]string{"report.md": report.Markdown(), "report-none.md": none.Markdown()} {
		if *update {
			require.NoError(t, os.WriteFile("testdata/"+name, []byte(text), 0o644))
		}
		assert.Equal(t, file(t, name), text, name)
	}
}
