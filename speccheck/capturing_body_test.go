package speccheck

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCapturingBody_keepsAtMostTheLimit(t *testing.T) {
	const limit = 1000
	body := &capturingBody{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<20))), max: limit, length: -1}
	_, err := io.Copy(io.Discard, body)
	require.NoError(t, err)
	assert.Equal(t, limit+1, body.kept.Len(), "the byte after the limit shows that the body is too large")
}
