package speccheck

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3conv"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is an OpenAPI document with compiled schemas.
type contract struct {
	paths      []*path                                    // most specific first
	operations map[string]*operation                      // by operationId
	schemas    map[*openapi3.MediaType]*jsonschema.Schema // of JSON bodies
	root       any                                        // the document as decoded JSON, with schemasKey added
	names      map[string]bool                            // all property names in the document
}

type path struct {
	template   string
	segments   []string
	operations map[string]*operation // by method
}

// operation returns the operation of a method, or nil. A HEAD request is a GET whose response has
// no body, and contracts seldom list it.
func (p *path) operation(method string) *operation {
	if o := p.operations[method]; o != nil || method != http.MethodHead {
		return o
	}
	return p.operations[http.MethodGet]
}

type operation struct {
	*openapi3.Operation
	method, path string
	parameters   openapi3.Parameters
	route        *routers.Route
	// invalid is the error in the operation's own description, or nil. A vendor's document may have
	// one in an operation that the caller does not use, so it is not an error of New.
	invalid error
}

// Schemas are compiled as a part of the document, under schemasKey, so that references in them
// resolve.
const (
	documentURL = "contract:///openapi.json"
	schemasKey  = "x-speccheck-schemas"
)

func newContract(spec []byte) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(addFormatBesideRefs(spec))
	if err != nil {
		return nil, fmt.Errorf("not an OpenAPI document: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.") {
		return nil, errors.New("not an OpenAPI document of version 3")
	}
	if !doc.IsOpenAPI31OrLater() {
		openapi3conv.Upgrade(doc) // nullable and exclusiveMinimum have another notation in 3.1
	}
	if err := addFormatToSchemas(doc); err != nil {
		return nil, err
	}
	c := &contract{
		operations: map[string]*operation{},
		schemas:    map[*openapi3.MediaType]*jsonschema.Schema{},
		names:      map[string]bool{},
	}
	for _, template := range doc.Paths.Keys() {
		item := doc.Paths.Value(template)
		p := &path{template: template, segments: split(template), operations: map[string]*operation{}}
		for method, op := range item.Operations() {
			o := newOperation(doc, template, method, item, op)
			p.operations[method] = o
			c.operations[op.OperationID] = o
		}
		c.paths = append(c.paths, p)
	}
	slices.SortStableFunc(c.paths, func(a, b *path) int {
		return cmp.Or(cmp.Compare(len(b.segments), len(a.segments)), cmp.Compare(countParameters(a), countParameters(b)))
	})
	if err := c.compile(doc); err != nil {
		return nil, err
	}
	delete(c.operations, "") // operations without an id
	return c, nil
}

func newOperation(doc *openapi3.T, template, method string, item *openapi3.PathItem, op *openapi3.Operation) *operation {
	o := &operation{Operation: op, method: method, path: template, parameters: slices.Clone(op.Parameters)}
	o.route = &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: op}
	for _, shared := range item.Parameters {
		if op.Parameters.GetByInAndName(shared.Value.In, shared.Value.Name) == nil {
			o.parameters = append(o.parameters, shared)
		}
	}
	o.invalid = op.Validate(context.Background(), openapi3.IsOpenAPI31OrLater(),
		openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	return o
}

// bodies returns the JSON bodies with a schema of a valid operation.
func (o *operation) bodies() []*openapi3.MediaType {
	var contents []openapi3.Content
	if o.RequestBody != nil {
		contents = append(contents, o.RequestBody.Value.Content)
	}
	for _, response := range o.Responses.Map() {
		contents = append(contents, response.Value.Content)
	}
	var bodies []*openapi3.MediaType
	for _, content := range contents {
		for name, body := range content {
			base, _, _ := strings.Cut(name, ";")
			if base = strings.TrimSpace(base); body != nil && body.Schema != nil && (base == "application/json" || strings.HasSuffix(base, "+json")) {
				bodies = append(bodies, body)
			}
		}
	}
	return bodies
}

// parameterSchemas returns the schemas of a valid operation's parameters.
func (o *operation) parameterSchemas() (schemas []*openapi3.SchemaRef) {
	for _, p := range o.parameters {
		if p.Value.Schema != nil {
			schemas = append(schemas, p.Value.Schema)
		}
		for _, content := range p.Value.Content {
			if content != nil && content.Schema != nil {
				schemas = append(schemas, content.Schema)
			}
		}
	}
	return schemas
}

// compile compiles the schemas of the bodies and parameters. Those of the parameters are only
// compiled to find invalid ones, since openapi3filter validates parameters by itself. compile
// returns an error if no operation is valid.
func (c *contract) compile(doc *openapi3.T) error {
	root, err := asJSON(doc)
	if err != nil {
		return err
	}
	c.root = root
	c.collectNames(root)

	var operations []*operation
	var schemas []any
	urls := map[*openapi3.SchemaRef]string{}
	for _, p := range c.paths {
		for _, method := range slices.Sorted(maps.Keys(p.operations)) {
			o := p.operations[method]
			operations = append(operations, o)
			if o.invalid != nil {
				continue
			}
			for _, ref := range o.schemaRefs() {
				schema, err := asJSON(ref)
				if err != nil {
					return err
				}
				urls[ref] = fmt.Sprintf("%s#/%s/%d", documentURL, schemasKey, len(schemas))
				schemas = append(schemas, schema)
			}
		}
	}
	root.(map[string]any)[schemasKey] = schemas

	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(documentURL, root); err != nil {
		return err
	}
	var valid bool
	for _, o := range operations {
		if o.invalid == nil {
			o.invalid = c.compileOperation(compiler, o, urls)
		}
		valid = valid || o.invalid == nil
	}
	switch {
	case len(operations) == 0:
		return errors.New("the OpenAPI document has no operations")
	case !valid:
		return fmt.Errorf("the OpenAPI document has no valid operation: %w", operations[0].invalid)
	}
	return nil
}

func (o *operation) schemaRefs() []*openapi3.SchemaRef {
	refs := o.parameterSchemas()
	for _, body := range o.bodies() {
		refs = append(refs, body.Schema)
	}
	return refs
}

func (c *contract) compileOperation(compiler *jsonschema.Compiler, o *operation, urls map[*openapi3.SchemaRef]string) error {
	compiled := map[*openapi3.SchemaRef]*jsonschema.Schema{}
	for _, ref := range o.schemaRefs() {
		schema, err := compiler.Compile(urls[ref])
		if err != nil {
			return err
		}
		if err := prepare(schema); err != nil {
			return err
		}
		compiled[ref] = schema
	}
	for _, body := range o.bodies() {
		c.schemas[body] = compiled[body.Schema]
	}
	return nil
}

// asJSON converts a part of the document to decoded JSON.
func asJSON(part json.Marshaler) (value any, err error) {
	text, err := part.MarshalJSON()
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &value)
	return value, err
}

// collectNames collects the property names of the schemas in node.
func (c *contract) collectNames(node any) {
	switch node := node.(type) {
	case map[string]any:
		properties, _ := node["properties"].(map[string]any)
		for name := range properties {
			c.names[name] = true
		}
		required, _ := node["required"].([]any)
		for _, name := range required {
			if name, ok := name.(string); ok {
				c.names[name] = true
			}
		}
		for _, child := range node {
			c.collectNames(child)
		}
	case []any:
		for _, child := range node {
			c.collectNames(child)
		}
	}
}

// find returns the path of the contract that the path of u ends in, and the values of its
// parameters. It returns nil if there is none.
func (c *contract) find(u *url.URL) (*path, map[string]string) {
	segments := split(u.EscapedPath())
	for _, p := range c.paths {
		if parameters, ok := p.match(segments); ok {
			return p, parameters
		}
	}
	return nil, nil
}

func (p *path) match(segments []string) (map[string]string, bool) {
	if len(segments) < len(p.segments) {
		return nil, false
	}
	parameters := map[string]string{}
	for i, segment := range segments[len(segments)-len(p.segments):] {
		value, err := url.PathUnescape(segment)
		if err != nil {
			return nil, false
		}
		if name, isParameter := parameter(p.segments[i]); !isParameter && value != p.segments[i] || value == "" {
			return nil, false
		} else if isParameter {
			parameters[name] = value
		}
	}
	return parameters, true
}

func split(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

func parameter(segment string) (name string, ok bool) {
	name, opens := strings.CutPrefix(segment, "{")
	name, closes := strings.CutSuffix(name, "}")
	return name, opens && closes
}

func countParameters(p *path) (n int) {
	for _, segment := range p.segments {
		if _, ok := parameter(segment); ok {
			n++
		}
	}
	return n
}

// response returns the documented response of a status, or nil.
func (o *operation) response(status int) *openapi3.Response {
	if ref := o.Responses.Status(status); ref != nil {
		return ref.Value
	}
	if ref := o.Responses.Default(); ref != nil {
		return ref.Value
	}
	return nil
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}
