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

// contract is an OpenAPI document, ready to be applied.
type contract struct {
	paths []*path
	// operations by their id.
	operations map[string]*operation
	// schemas of the JSON bodies, by the place that documents them. No entry means that
	// nothing is said about the body.
	schemas map[*openapi3.MediaType]*jsonschema.Schema
	root    any             // the document as plain JSON, with bodiesKey added
	names   map[string]bool // of the properties in it
}

type path struct {
	template   string
	segments   []string
	operations map[string]*operation // by method
}

type operation struct {
	*openapi3.Operation
	method, path string
	parameters   openapi3.Parameters
	route        *routers.Route
	// invalid says why the operation cannot be judged. A vendor's document may be at odds with
	// OpenAPI in parts that nobody here calls.
	invalid error
}

// The schemas of the bodies are compiled as a part of the document, so that references in them
// resolve.
const (
	location  = "contract:///openapi.json"
	bodiesKey = "x-speccheck-bodies"
)

func newContract(spec []byte) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, fmt.Errorf("no OpenAPI document: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.") {
		return nil, errors.New("no OpenAPI document of version 3")
	}
	if !doc.IsOpenAPI31OrLater() {
		openapi3conv.Upgrade(doc) // to one notation of null and of limits
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
	// The longest template that fits is meant, and a literal segment rather than a parameter.
	slices.SortStableFunc(c.paths, func(a, b *path) int {
		return cmp.Or(cmp.Compare(len(b.segments), len(a.segments)), cmp.Compare(parameters(a), parameters(b)))
	})
	if err := c.compile(doc); err != nil {
		return nil, err
	}
	delete(c.operations, "")
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
	o.invalid = op.Validate(context.Background(), openapi3.IsOpenAPI31OrLater(), openapi3.DisableExamplesValidation())
	return o
}

// bodies returns the JSON bodies of a valid operation that have a schema.
func (o *operation) bodies() []*openapi3.MediaType {
	if o.invalid != nil {
		return nil
	}
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

// compile makes the schemas of the bodies ready, within the document, so that their references
// resolve and their errors name a place in it. It fails where no operation is valid.
func (c *contract) compile(doc *openapi3.T) error {
	root, err := asJSON(doc)
	if err != nil {
		return err
	}
	c.root = root
	c.collectNames(root)

	var operations []*operation
	var schemas []any
	at := map[*openapi3.MediaType]string{}
	for _, p := range c.paths {
		for _, method := range slices.Sorted(maps.Keys(p.operations)) {
			o := p.operations[method]
			operations = append(operations, o)
			for _, body := range o.bodies() {
				schema, err := asJSON(body.Schema)
				if err != nil {
					return err
				}
				at[body] = fmt.Sprintf("%s#/%s/%d", location, bodiesKey, len(schemas))
				schemas = append(schemas, schema)
			}
		}
	}
	root.(map[string]any)[bodiesKey] = schemas

	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(location, root); err != nil {
		return err
	}
	var usable bool
	for _, o := range operations {
		for _, body := range o.bodies() {
			schema, err := compiler.Compile(at[body])
			if err != nil {
				o.invalid = err
			}
			c.schemas[body] = schema
		}
		usable = usable || o.invalid == nil
	}
	switch {
	case len(operations) == 0:
		return errors.New("the OpenAPI document has no operations")
	case !usable:
		return fmt.Errorf("no valid OpenAPI document: %w", operations[0].invalid)
	}
	return nil
}

// asJSON returns a part of the document as plain JSON.
func asJSON(part json.Marshaler) (any, error) {
	text, err := part.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var value any
	return value, json.Unmarshal(text, &value)
}

// collectNames notes what schemas in node call their properties.
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

// find returns the path of the contract that u ends in, behind any prefix, and the values of
// its parameters.
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

func parameters(p *path) (n int) {
	for _, segment := range p.segments {
		if _, ok := parameter(segment); ok {
			n++
		}
	}
	return n
}

// response returns what the contract documents for a status, or nil.
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
