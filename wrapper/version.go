package orgkeys

import (
	"runtime"
	"runtime/debug"
	"sync"
)

const modulePath = "github.com/orgkeys/orgkeys-go"

// defaultUserAgent names the module's version as the program was built with it.
var defaultUserAgent = sync.OnceValue(func() string {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = moduleVersion(info)
	}
	return "orgkeys-go/" + version + " (" + runtime.Version() + "; " + runtime.GOOS + "/" + runtime.GOARCH + ")"
})

func moduleVersion(info *debug.BuildInfo) string {
	modules := append([]*debug.Module{&info.Main}, info.Deps...)
	for _, m := range modules {
		if m.Path != modulePath {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version != "" && m.Version != "(devel)" {
			return m.Version
		}
	}
	return "devel"
}
