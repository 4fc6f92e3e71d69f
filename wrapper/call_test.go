package orgkeys

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestReleaseClearsTheBody verifies that a buffer is cleared before another call reuses it, since it
// may contain a key.
func TestReleaseClearsTheBody(t *testing.T) {
	for _, size := range []int{10, maxPooled + 1} {
		content := make([]byte, size)
		copy(content, "a new key")
		c := record(t, createOp)
		buffer := content
		c.body = &buffer
		c.release()
		assert.Equal(t, make([]byte, size), content)
		assert.Nil(t, c.body)
		c.release()
	}
}
