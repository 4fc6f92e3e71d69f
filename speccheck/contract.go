package speccheck

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
}

// bodiesKey is where the schemas of the bodies are kept in the document, so that references
// in them resolve.
const bodiesKey = "x-speccheck-bodies"

func newContract(spec []byte) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, fmt.Errorf("no OpenAPI document: %w", err)
	}
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("no valid OpenAPI document: %w", err)
	}
	if doc.Paths.Len() == 0 {
		return nil, errors.New("the OpenAPI document has no paths")
	}
	if !doc.IsOpenAPI31OrLater() {
		openapi3conv.Upgrade(doc) // to one notation of null and of limits
	}

	c := &contract{
		operations: map[string]*operation{},
		schemas:    map[*openapi3.MediaType]*jsonschema.Schema{},
		names:      map[string]bool{},
	}
	var bodies []*openapi3.MediaType
	for _, template := range doc.Paths.Keys() {
		item := doc.Paths.Value(template)
		p := &path{template: template, segments: split(template), operations: map[string]*operation{}}
		for method, op := range item.Operations() {
			o := &operation{Operation: op, method: method, path: template}
			o.route = &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: op}
			o.parameters = slices.Clone(op.Parameters)
			for _, shared := range item.Parameters {
				if op.Parameters.GetByInAndName(shared.Value.In, shared.Value.Name) == nil {
					o.parameters = append(o.parameters, shared)
				}
			}
			p.operations[method] = o
			c.operations[op.OperationID] = o
			if op.RequestBody != nil {
				bodies = append(bodies, jsonBodies(op.RequestBody.Value.Content)...)
			}
			for _, response := range op.Responses.Map() {
				bodies = append(bodies, jsonBodies(response.Value.Content)...)
			}
		}
		c.paths = append(c.paths, p)
	}
	delete(c.operations, "")
	// The longest template that fits is meant, and a literal segment rather than a parameter.
	slices.SortStableFunc(c.paths, func(a, b *path) int {
		return cmp.Or(cmp.Compare(len(b.segments), len(a.segments)), cmp.Compare(parameters(a), parameters(b)))
	})
	return c, c.compile(doc, bodies)
}

// jsonBodies returns the JSON ones that have a schema.
func jsonBodies(content openapi3.Content) []*openapi3.MediaType {
	var bodies []*openapi3.MediaType
	for mediaType, body := range content {
		base, _, _ := strings.Cut(mediaType, ";")
		if base = strings.TrimSpace(base); body.Schema != nil && (base == "application/json" || strings.HasSuffix(base, "+json")) {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// compile makes the schemas of bodies ready, within the document, so that their references
// resolve and their errors name a place in it.
func (c *contract) compile(doc *openapi3.T, bodies []*openapi3.MediaType) error {
	text, err := doc.MarshalJSON()
	if err != nil {
		return fmt.Errorf("write the OpenAPI document as JSON: %w", err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		return fmt.Errorf("read the OpenAPI document as JSON: %w", err)
	}
	schemas := make([]any, len(bodies))
	for i, body := range bodies {
		text, err := body.Schema.MarshalJSON()
		if err != nil {
			return fmt.Errorf("write a schema as JSON: %w", err)
		}
		if err := json.Unmarshal(text, &schemas[i]); err != nil {
			return fmt.Errorf("read a schema as JSON: %w", err)
		}
	}
	root[bodiesKey] = schemas
	c.root = root
	c.collectNames(root)

	const location = "contract:///openapi.json"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(location, root); err != nil {
		return fmt.Errorf("prepare the schemas: %w", err)
	}
	for i, body := range bodies {
		if c.schemas[body], err = compiler.Compile(location + "#/" + bodiesKey + "/" + strconv.Itoa(i)); err != nil {
			return fmt.Errorf("prepare the schemas: %w", err)
		}
	}
	return nil
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
