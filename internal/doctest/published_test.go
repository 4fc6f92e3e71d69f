package doctest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const modulePath = "github.com/orgkeys/orgkeys-go"

// TestModule_InstallsAsDocumented serves the work tree as a release from a module proxy in a folder.
// In an empty module, it runs the README's `go get` and first program, and every `go install` of the
// guides. Dependencies come from the local module cache: the test needs no network.
func TestModule_InstallsAsDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs from an empty module cache")
	}
	c := newConsumer(t, publish(t))
	c.succeed("go", "mod", "init", "example.com/program")

	get, install := commands(t, "get"), commands(t, "install")
	require.NotEmpty(t, get, "no guide has a `go get`")
	require.NotEmpty(t, install, "no guide has a `go install`")
	for _, command := range get {
		c.succeed(command...)
	}
	gained := c.requirements()
	assert.Contains(t, gained, modulePath)
	assert.LessOrEqual(t, len(gained), 3, "requirements that the first command adds to a user's go.mod: %v", gained)

	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "main.go"), []byte(firstProgram(t)), 0o600))
	c.succeed("go", "vet", ".")
	assert.ElementsMatch(t, gained, c.requirements(), "the first program needs no other requirement")
	out, err := c.run("go", "run", ".")
	require.Error(t, err)
	assert.Contains(t, out, "OPENAI_ADMIN_KEY", "the program starts and finds no key")

	for _, command := range install {
		c.succeed(command...)
	}
}

// firstProgram returns the first whole program of the README.
func firstProgram(t *testing.T) string {
	t.Helper()
	for _, b := range blocks(t, "go") {
		if filepath.Base(b.page) == "README.md" && strings.HasPrefix(b.text, "package main") {
			return b.text
		}
	}
	require.Fail(t, "the README has no program")
	return ""
}

// commands returns the arguments of the guides' `go get` or `go install` commands for the module.
func commands(t *testing.T, verb string) (list [][]string) {
	t.Helper()
	command := regexp.MustCompile(`(?m)^go ` + verb + ` ` + regexp.QuoteMeta(modulePath) + `\S*`)
	for _, b := range blocks(t, "sh") {
		for _, line := range command.FindAllString(b.text, -1) {
			list = append(list, strings.Fields(line))
		}
	}
	return list
}

// publish creates a module proxy with the work tree as the module's only version, and returns its
// folder.
func publish(t *testing.T) string {
	t.Helper()
	proxy := t.TempDir()
	versions := filepath.Join(proxy, filepath.FromSlash(modulePath), "@v")
	require.NoError(t, os.MkdirAll(versions, 0o755))
	version := module.Version{Path: modulePath, Version: "v0.1.0"}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	for name, content := range map[string]string{
		"list": version.Version + "\n", version.Version + ".mod": string(goMod),
		version.Version + ".info": `{"Version":"` + version.Version + `","Time":"2026-01-01T00:00:00Z"}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(versions, name), []byte(content), 0o600))
	}
	archive, err := os.Create(filepath.Join(versions, version.Version+".zip"))
	require.NoError(t, err)
	defer archive.Close()
	require.NoError(t, zip.CreateFromDir(archive, version, root))
	return proxy
}

// consumer is a user's module, with an empty module cache.
type consumer struct {
	t   *testing.T
	dir string
	env []string
}

func newConsumer(t *testing.T, proxy string) consumer {
	t.Helper()
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	require.NoError(t, err)
	downloads := filepath.Join(strings.TrimSpace(string(cache)), "cache", "download")
	return consumer{t, t.TempDir(), append(os.Environ(),
		"GOPROXY="+fileURL(proxy)+","+fileURL(downloads),
		"GOMODCACHE="+t.TempDir(), "GOBIN="+t.TempDir(), "GOFLAGS=-mod=mod -modcacherw",
		"GOSUMDB=off", "GOPRIVATE=", "GONOPROXY=none", "GONOSUMDB=", "GOWORK=off", "GO111MODULE=", "OPENAI_ADMIN_KEY=",
	)}
}

func (c consumer) run(args ...string) (string, error) {
	command := exec.CommandContext(c.t.Context(), args[0], args[1:]...)
	command.Dir, command.Env = c.dir, c.env
	out, err := command.CombinedOutput()
	return string(out), err
}

func (c consumer) succeed(args ...string) string {
	c.t.Helper()
	out, err := c.run(args...)
	require.NoError(c.t, err, "%v\n%s", args, out)
	return out
}

// requirements returns the paths of the modules that the consumer's go.mod requires.
func (c consumer) requirements() (paths []string) {
	c.t.Helper()
	var goMod struct{ Require []struct{ Path string } }
	require.NoError(c.t, json.Unmarshal([]byte(c.succeed("go", "mod", "edit", "-json")), &goMod))
	for _, r := range goMod.Require {
		paths = append(paths, r.Path)
	}
	return paths
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if runtime.GOOS == "windows" {
		path = "/" + path
	}
	return "file://" + path
}
