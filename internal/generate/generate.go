// Package generate writes Go from the contract with oapi-codegen: it does what oapi-codegen's
// command does, with two additions. Before, it rewrites the schemas that oapi-codegen cannot
// represent and rejects those that could not be decoded strictly (see prepare). And it gives the
// templates a function that writes strict decoders (see decoders).
package generate

import (
	"bytes"
	"errors"
	"runtime/debug"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/util"
	"go.yaml.in/yaml/v3"
)

// Options are the generator's configuration and the name of the file to write.
type Options struct {
	codegen.Configuration `yaml:",inline"`
	Output                string `yaml:"output"`
}

// ReadOptions reads a configuration file of oapi-codegen.
func ReadOptions(text []byte) (options Options, err error) {
	read := yaml.NewDecoder(bytes.NewReader(text))
	read.KnownFields(true)
	if err := read.Decode(&options); err != nil {
		return options, err
	}
	options.Configuration = options.UpdateDefaults()
	if err := options.Validate(); err != nil {
		return options, err
	}
	version := generatorVersion()
	options.NoVCSVersionOverride = &version
	return options, nil
}

// Code returns the Go code of document, which it changes. With an error, the code is what was
// generated so far, to look for the cause in. It is not safe for concurrent use, since the
// functions of the generator's templates are global.
func Code(document *openapi3.T, options Options) (string, error) {
	if err := prepare(document); err != nil {
		return "", err
	}
	writer := newDecoderWriter()
	codegen.TemplateFunctions["decoders"] = writer.decoders
	codegen.TemplateFunctions["restOfDecoders"] = writer.rest
	codegen.TemplateFunctions["decoder"] = writer.responseDecoder
	codegen.TemplateFunctions["isStruct"] = isStruct
	codegen.TemplateFunctions["isJSONResponse"] = func(t codegen.ResponseTypeDefinition) bool {
		return util.IsMediaTypeJson(t.ContentTypeName)
	}
	codegen.TemplateFunctions["definesJSON"] = func(r codegen.ResponseDefinition) bool {
		return slices.ContainsFunc(r.Contents, func(c codegen.ResponseContentDefinition) bool {
			return util.IsMediaTypeJson(c.ContentType)
		})
	}
	codegen.TemplateFunctions["elementType"] = elementType
	code, err := codegen.Generate(document, options.Configuration)
	return code, errors.Join(err, errors.Join(writer.problems...))
}

// generatorVersion returns the version of oapi-codegen, for the first line of the file.
func generatorVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == "github.com/oapi-codegen/oapi-codegen/v2" {
				return dependency.Version
			}
		}
	}
	return "unknown" // in a test
}
