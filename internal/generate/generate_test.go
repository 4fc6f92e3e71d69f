package generate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPathExpression(t *testing.T) {
	for path, want := range map[string]string{
		"/keys":             `"/keys"`,
		"/projects/{id}":    `"/projects/" + path0`,
		"/p/{a}/keys/{b}/x": `"/p/" + path0 + "/keys/" + path1 + "/x"`,
		"/a{b}{c}":          `"/a" + path0 + "" + path1`,
		`/a"b`:              `"/a\"b"`,
	} {
		assert.Equal(t, want, pathExpression(path))
	}
}
