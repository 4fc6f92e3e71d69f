package orgkeys

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestModuleVersion(t *testing.T) {
	for _, row := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"a dependency", debug.BuildInfo{Main: debug.Module{Path: "example.com/x", Version: "v9.9.9"}, Deps: []*debug.Module{{Path: modulePath, Version: "v1.2.3"}}}, "v1.2.3"},
		{"replaced by a version", debug.BuildInfo{Deps: []*debug.Module{{Path: modulePath, Version: "v1.2.3", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.2.4"}}}}, "v1.2.4"},
		{"replaced by a folder", debug.BuildInfo{Deps: []*debug.Module{{Path: modulePath, Version: "v1.2.3", Replace: &debug.Module{Path: "../orgkeys-go"}}}}, "devel"},
		{"the module itself", debug.BuildInfo{Main: debug.Module{Path: modulePath, Version: "(devel)"}}, "devel"},
		{"absent", debug.BuildInfo{Main: debug.Module{Path: "example.com/x", Version: "v9.9.9"}}, "devel"},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, moduleVersion(&row.info)) })
	}
}
