// Package generate generates Go from the contract, api/openapi.yaml, with oapi-codegen. It adds two
// things to oapi-codegen's command: it first rewrites the schemas that oapi-codegen cannot
// represent and rejects those that could not be decoded strictly (see prepare), and it gives the
// templates functions that write strict decoders (see decoders).
package generate

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-openapi/jsonpointer"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/util"
	"go.yaml.in/yaml/v3"
)

// Options are the generator's configuration and the name of the file to write.
type Options struct {
	codegen.Configuration `yaml:",inline"`
	Output                string `yaml:"output"`
}

// ReadOptions reads a configuration file of oapi-codegen. The templates that it names are relative
// to dir.
func ReadOptions(file, dir string) (options Options, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return options, err
	}
	read := yaml.NewDecoder(bytes.NewReader(text))
	read.KnownFields(true)
	if err := read.Decode(&options); err != nil {
		return options, fmt.Errorf("%s: %w", file, err)
	}
	options.Configuration = options.UpdateDefaults()
	if err := options.Validate(); err != nil {
		return options, fmt.Errorf("%s: %w", file, err)
	}
	for name, template := range options.OutputOptions.UserTemplates {
		options.OutputOptions.UserTemplates[name] = filepath.Join(dir, template)
	}
	version := generatorVersion()
	options.NoVCSVersionOverride = &version
	return options, nil
}

// Load reads an OpenAPI document. It returns an error for a const that is null, since kin-openapi
// represents that as an absent const.
func Load(file string) (*openapi3.T, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var raw any
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if at := nullConstants(raw, ""); len(at) > 0 {
		return nil, fmt.Errorf("%s: %s: the constant null is not supported, the type null is", file, strings.Join(at, ", "))
	}
	return util.LoadSwagger(file)
}

// nullConstants returns pointers to the schemas in value whose const is null.
func nullConstants(value any, at string) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		if constant, ok := value["const"]; ok && constant == nil {
			found = append(found, at)
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if name != "example" && name != "examples" && name != "default" {
				found = append(found, nullConstants(value[name], at+"/"+jsonpointer.Escape(name))...)
			}
		}
	case []any:
		for i, element := range value {
			found = append(found, nullConstants(element, at+"/"+strconv.Itoa(i))...)
		}
	}
	return found
}

// Code generates Go from document, which it changes. If the error is not nil, the code is
// incomplete or invalid, and is only of use in finding the cause. Code is not safe for concurrent
// use, since the functions of oapi-codegen's templates are global.
func Code(document *openapi3.T, options Options) (string, error) {
	if err := prepare(document); err != nil {
		return "", err
	}
	writer := newDecoderWriter()
	codegen.TemplateFunctions["decoders"] = writer.decoders
	codegen.TemplateFunctions["restOfDecoders"] = writer.rest
	codegen.TemplateFunctions["decoder"] = writer.responseDecoder
	codegen.TemplateFunctions["isStruct"] = isStruct
	codegen.TemplateFunctions["pathExpression"] = pathExpression
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
	return code, errors.Join(err, errors.Join(writer.problems...), redeclared(code, document))
}

// redeclared returns an error for each Go name that code declares twice, with a pointer to the
// schema or the operation of that name: it may have the name of something that the templates
// declare.
func redeclared(code string, document *openapi3.T) error {
	// codegen.Generate returns syntax errors.
	file, _ := parser.ParseFile(token.NewFileSet(), "", code, parser.SkipObjectResolution)
	places := map[string]string{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			places[goKey(operation.OperationID)] = "/paths/" + jsonpointer.Escape(path) + "/" + strings.ToLower(method)
		}
	}
	for name := range document.Components.Schemas {
		places[goKey(name)] = "/components/schemas/" + name
	}
	var problems []error
	seen := map[string]bool{}
	declare := func(scope string, names ...*ast.Ident) {
		for _, name := range names {
			if name.Name != "_" && seen[scope+name.Name] {
				problems = append(problems, fmt.Errorf("%s: the Go name %s is also the name of another declaration", places[goKey(name.Name)], name))
			}
			seen[scope+name.Name] = true
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			scope := ""
			if d.Recv != nil {
				scope = strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*") + "."
			}
			declare(scope, d.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					declare("", spec.Names...)
				case *ast.TypeSpec:
					declare("", spec.Name)
					if s, ok := spec.Type.(*ast.StructType); ok {
						for _, field := range s.Fields.List {
							declare(spec.Name.Name+".", field.Names...)
						}
					}
				}
			}
		}
	}
	return errors.Join(problems...)
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

var pathParameter = regexp.MustCompile(`\{[^{}]*\}`)

// pathExpression returns the Go expression of an operation's path, in which the variables path0,
// path1 and so on stand for the parameters.
func pathExpression(path string) string {
	n := -1
	expression := pathParameter.ReplaceAllStringFunc(strconv.Quote(path), func(string) string {
		n++
		return fmt.Sprintf(`" + path%d + "`, n)
	})
	return strings.TrimSuffix(expression, ` + ""`)
}
