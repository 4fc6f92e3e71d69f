package gen_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/orgkeys/orgkeys-go/api"
)

var document = flag.String("spec", "", "an OpenAPI `file`, whose operations below /organization are generated and built")

// TestDocument generates and builds the administration API of a whole document, for example a
// new version of the vendor's:
//
//	go test ./gen -run TestDocument -v -spec path/to/openapi.yaml
func TestDocument(t *testing.T) {
	if *document == "" {
		t.Skip("no -spec")
	}
	text, err := os.ReadFile(*document)
	require.NoError(t, err)
	var theirs object
	require.NoError(t, yaml.Unmarshal(text, &theirs))
	contract := contract(t)
	n := 0
	for path, item := range theirs.at("paths") {
		if strings.HasPrefix(path, "/organization/") && contract.at("paths")[path] == nil {
			contract.at("paths")[path] = item
			n += len(item.(object))
		}
	}
	addReferenced(contract, theirs, contract["paths"])
	tree := generate(t, contract)
	tree.run(t, "", "build", "./gen", "./gen/server", "./wrapper")
	t.Logf("%d operations beside those of the contract", n)
}

// addReferenced adds to contract the components of theirs that value refers to.
func addReferenced(contract, theirs object, value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			addReferenced(contract, theirs, element)
		}
	case object:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			addReferenced(contract, theirs, value[name])
		}
		ref, _ := value["$ref"].(string)
		path := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		if len(path) != 3 {
			return
		}
		kind, name := path[1], path[2]
		components := contract.at("components")
		if components[kind] == nil {
			components[kind] = object{}
		}
		if components.at(kind)[name] == nil {
			components.at(kind)[name] = theirs.at("components", kind)[name]
			addReferenced(contract, theirs, components.at(kind)[name])
		}
	}
}

// contract returns the contract as a value that the test may change.
func contract(t *testing.T) object {
	var contract object
	require.NoError(t, yaml.Unmarshal(api.Spec, &contract))
	return contract
}

// tree overlays the source of the module with other generated files.
type tree struct{ overlay string }

// generate generates the client, the server side and the names of contract. Nothing in the module changes.
func generate(t *testing.T, contract object) tree {
	t.Helper()
	out := t.TempDir()
	spec, err := yaml.Marshal(contract)
	require.NoError(t, err)
	file := filepath.Join(out, "openapi.yaml")
	require.NoError(t, os.WriteFile(file, spec, 0o600))
	here, err := os.Getwd()
	require.NoError(t, err)
	generator := filepath.Join(out, "generate")
	run(t, here, "", "build", "-o", generator, "../internal/generate/cmd/generate")

	replace := object{}
	for _, p := range []struct{ directory, config, output string }{
		{here, "../oapi-codegen.yaml", "client.gen.go"},
		{filepath.Join(here, "server"), "oapi-codegen.yaml", "server.gen.go"},
	} {
		output := filepath.Join(out, p.output)
		command := exec.CommandContext(t.Context(), generator, "-config", p.config, "-o", output, file)
		command.Dir = p.directory
		text, err := command.CombinedOutput()
		require.NoError(t, err, "%s", text)
		replace[filepath.Join(p.directory, p.output)] = output
	}
	names := filepath.Join(out, "types.gen.go")
	run(t, here, "", "run", "../internal/names", "-o", names, filepath.Join(out, "client.gen.go"))
	replace[filepath.Join(here, "../wrapper/types.gen.go")] = names
	text, err := json.Marshal(object{"Replace": replace})
	require.NoError(t, err)
	overlay := filepath.Join(out, "overlay.json")
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	return tree{overlay}
}

// run runs the go command in the module and returns its output.
func (tree tree) run(t *testing.T, input, command string, arguments ...string) string {
	t.Helper()
	return run(t, "..", input, command, append([]string{"-overlay", tree.overlay}, arguments...)...)
}

func run(t *testing.T, directory, input, command string, arguments ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", append([]string{command}, arguments...)...)
	c.Dir = directory
	c.Stdin = strings.NewReader(input)
	var problems bytes.Buffer
	c.Stderr = &problems
	out, err := c.Output()
	require.NoError(t, err, "%s", &problems)
	return string(out)
}

// object is a JSON or YAML object.
type object map[string]any

// at returns the object at names.
func (o object) at(names ...string) object {
	for _, name := range names {
		o = o[name].(object)
	}
	return o
}
