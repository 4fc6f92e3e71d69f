package speccheck

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/orgkeys/orgkeys-go/api"
)

// DefaultMaxBody is the size in bytes of the largest body that is validated, unless [WithMaxBody]
// sets another.
const DefaultMaxBody = 8 << 20

// Checker validates exchanges against a contract. It is safe for concurrent use.
type Checker struct {
	contract *contract
	maxBody  int64
}

// Option is an option of [New].
type Option func(*settings) error

type settings struct {
	spec    []byte // of WithSpec
	hasSpec bool
	maxBody int64
}

// defaultContract returns the contract of this module. It is compiled once per process, since that
// takes longer than many tests.
var defaultContract = sync.OnceValues(func() (*contract, error) { return newContract(api.Spec) })

// WithSpec sets another contract than the one of this module: an OpenAPI document of version 3.0
// or 3.1 in YAML or JSON, without references to other documents. Calls of operations that are not
// valid OpenAPI, such as one whose schema refers to itself, are reported as [Unchecked].
// Discriminators, readOnly and writeOnly are ignored, and so are extensions ("x-…").
func WithSpec(document []byte) Option {
	return func(s *settings) error {
		s.spec, s.hasSpec = document, true
		return nil
	}
}

// WithMaxBody sets the size in bytes of the largest body that is validated; a larger one is
// reported as [Unchecked]. The size of a compressed body is its decompressed size. It must be
// positive; the default is [DefaultMaxBody].
func WithMaxBody(bytes int64) Option {
	return func(s *settings) error {
		if bytes <= 0 {
			return fmt.Errorf("speccheck: the largest body to validate must be at least 1 byte, not %d", bytes)
		}
		s.maxBody = bytes
		return nil
	}
}

// New returns a Checker for [api.Spec], or for the document of [WithSpec]. It returns an error if
// the document is not OpenAPI 3, if none of its operations is valid, or if an option is invalid.
func New(opts ...Option) (*Checker, error) {
	s := settings{maxBody: DefaultMaxBody}
	for _, opt := range opts {
		if err := opt(&s); err != nil {
			return nil, err
		}
	}
	load := defaultContract
	if s.hasSpec {
		load = func() (*contract, error) { return newContract(s.spec) }
	}
	contract, err := load()
	if err != nil {
		return nil, fmt.Errorf("speccheck: %w", err)
	}
	return &Checker{contract: contract, maxBody: s.maxBody}, nil
}

// Operations returns the ids of the contract's operations, sorted.
func (c *Checker) Operations() []string {
	return slices.Sorted(maps.Keys(c.contract.operations))
}

// Operation returns the id of the operation that req calls. For a HEAD request it is the GET
// operation, unless the contract has one for HEAD. matched reports whether the URL matches a path
// of the contract; if that path has no operation for the request's method, id is "".
func (c *Checker) Operation(req *http.Request) (id string, matched bool) {
	p, _ := c.contract.find(req.URL)
	if p == nil {
		return "", false
	}
	if o := p.operation(methodOf(req)); o != nil {
		return o.OperationID, true
	}
	return "", true
}

// Check validates one exchange and returns all violations, or nil. The operation is the one whose
// path the request's URL ends in, at any host and after any prefix. The bodies are those that were
// sent; one with the Content-Encoding gzip is decompressed. A status of 0 means that there was no
// response, so that only the request is validated. Check modifies and retains none of its
// arguments.
func (c *Checker) Check(req *http.Request, reqBody []byte, status int, header http.Header, body []byte) []Violation {
	if status == 0 {
		return c.check(req, capture{data: reqBody}, nil)
	}
	return c.check(req, capture{data: reqBody}, &response{status, header, capture{data: body}})
}

// CheckResponse validates one response body against what the contract documents for an operation
// and a status. It is for bodies that were recorded without their request. An operation that is
// not in the contract is reported as [NoSuchOperation].
func (c *Checker) CheckResponse(operationID string, status int, contentType string, body []byte) []Violation {
	o := c.contract.operations[operationID]
	if o == nil {
		return []Violation{{Kind: NoSuchOperation, Status: status, Rule: "operation"}}
	}
	if o.invalid != nil {
		return o.complete(o.method, status, o.unchecked())
	}
	header := http.Header{"Content-Type": {contentType}}
	return o.complete(o.method, status, c.checkResponse(o, o.method, response{status, header, capture{data: body}}))
}

// capture is the part of a body that was read.
type capture struct {
	data []byte
	// closedEarly is set if the reader closed the body before its end.
	closedEarly bool
	// problem is the Rule of the Unchecked violation if the body cannot be validated, and "" otherwise.
	problem string
}

// response is a response with the captured part of its body.
type response struct {
	status int
	header http.Header
	body   capture
}

// check validates a request, and its response unless that is nil.
func (c *Checker) check(req *http.Request, sent capture, resp *response) []Violation {
	status := 0
	if resp != nil {
		status = resp.status
	}
	method := methodOf(req)
	p, pathParameters := c.contract.find(req.URL)
	if p == nil {
		return []Violation{{Kind: NoSuchOperation, Method: standardMethod(method), Status: status, Rule: "path"}}
	}
	o := p.operation(method)
	if o == nil {
		documented := strings.Join(slices.Sorted(maps.Keys(p.operations)), " or ")
		return []Violation{{
			Kind: NoSuchOperation, Method: standardMethod(method), Path: p.template, Status: status,
			Rule: "method", Expected: documented,
		}}
	}
	if o.invalid != nil {
		return o.complete(method, status, o.unchecked())
	}
	found := c.checkRequest(o, req, pathParameters, sent)
	if resp != nil {
		found = append(found, c.checkResponse(o, method, *resp)...)
	}
	return o.complete(method, status, found)
}

func methodOf(req *http.Request) string { return cmp.Or(req.Method, http.MethodGet) }

// standardMethod returns method if HTTP defines it, and "" otherwise: a violation quotes nothing
// that a client may choose freely.
func standardMethod(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return ""
}

// unchecked returns the violation for calls of an operation that is not valid OpenAPI.
func (o *operation) unchecked() []Violation {
	reason, _, _ := strings.Cut(o.invalid.Error(), "\n")
	return []Violation{{Kind: Unchecked, Rule: "contract", Expected: "valid OpenAPI (" + reason + ")"}}
}

// complete adds the operation and the status to violations, and removes duplicates.
func (o *operation) complete(method string, status int, found []Violation) []Violation {
	var distinct []Violation
	seen := map[Violation]bool{}
	for _, v := range found {
		v.OperationID, v.Method, v.Path, v.Status = o.OperationID, method, o.path, status
		if !seen[v] {
			distinct, seen[v] = append(distinct, v), true
		}
	}
	return distinct
}

func (c *Checker) checkRequest(o *operation, req *http.Request, pathParameters map[string]string, sent capture) []Violation {
	var found []Violation
	input := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: pathParameters, Route: o.route,
		Options: &openapi3filter.Options{SkipSettingDefaults: true, MultiError: true},
	}
	for _, ref := range o.parameters {
		p := ref.Value
		if err := validateParameter(req, input, p); err != nil {
			if isUntyped(p) && !errors.Is(err, openapi3filter.ErrInvalidRequired) {
				found = append(found, Violation{Kind: Unchecked, In: p.In, Parameter: p.Name, Rule: "contract", Expected: "a parameter with a type"})
				continue
			}
			for _, rule := range violatedRules(err) {
				found = append(found, Violation{
					Kind: RequestViolation, In: p.In, Parameter: p.Name, Rule: rule, Expected: parameterExpectation(p, rule),
				})
			}
		}
	}
	if o.RequestBody == nil {
		return found
	}
	body := o.RequestBody.Value
	if len(sent.data) == 0 && sent.problem == "" && !sent.closedEarly {
		if body.Required {
			found = append(found, Violation{Kind: RequestViolation, In: InRequest, Rule: "required", Expected: "a body"})
		}
		return found
	}
	return append(found, c.checkBody(InRequest, RequestViolation, RequestViolation, body.Content, req.Header, sent)...)
}

// isUntyped reports whether the schema of a parameter has no type, so that openapi3filter cannot
// decode the parameter.
func isUntyped(p *openapi3.Parameter) bool {
	if p.Schema == nil || p.Schema.Value == nil {
		return false
	}
	s := p.Schema.Value
	return s.Type.IsEmpty() && len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) == 0
}

// validateParameter validates a parameter. The decoder of openapi3filter panics on some contradictory
// parameters, such as a=1&a[b]=2, which are then reported as not of the parameter's type.
func validateParameter(req *http.Request, input *openapi3filter.RequestValidationInput, p *openapi3.Parameter) (err error) {
	defer func() {
		if recover() != nil {
			err = openapi3filter.ErrInvalidEmptyValue
		}
	}()
	return openapi3filter.ValidateParameter(req.Context(), input, p)
}

// violatedRules returns the rules that a parameter violates. It does not use the error's text, which
// quotes the parameter.
func violatedRules(err error) []string {
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		return []string{"required"}
	}
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		var rules []string
		for _, v := range new(contract).explain(invalid) { // openapi3filter's schemas are not in a contract
			rules = append(rules, v.Rule)
		}
		return rules
	}
	if invalid, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return []string{invalid.SchemaField}
	}
	return []string{"type"} // the parameter cannot be parsed as its type
}

func parameterExpectation(p *openapi3.Parameter, rule string) string {
	if rule == "required" {
		return "present"
	}
	if p.Schema == nil || p.Schema.Value == nil {
		return ""
	}
	schema, err := asJSON(p.Schema.Value)
	if err != nil {
		return ""
	}
	return keywordText(schema, rule)
}

func (c *Checker) checkResponse(o *operation, method string, resp response) []Violation {
	documented := o.response(resp.status)
	if documented == nil {
		kind := WrongStatus
		if resp.status >= 400 {
			kind = UndocumentedStatus
		}
		return []Violation{{Kind: kind, Rule: "status", Expected: strings.Join(slices.Sorted(maps.Keys(o.Responses.Map())), " or ")}}
	}
	if len(documented.Content) == 0 || !hasBody(method, resp.status) {
		return nil
	}
	return c.checkBody(InResponse, BodyViolation, UndocumentedContentType, documented.Content, resp.header, resp.body)
}

// hasBody reports whether HTTP allows a body in a response.
func hasBody(method string, status int) bool {
	return method != http.MethodHead && status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// checkBody validates a body against the documented content. The violations are of the kind
// invalid, or of the kind otherType if its content type is not documented.
func (c *Checker) checkBody(in string, invalid, otherType Kind, content openapi3.Content, header http.Header, body capture) []Violation {
	documented := content.Get(header.Get("Content-Type"))
	if documented == nil {
		return []Violation{{
			Kind: otherType, In: in, Rule: "content-type",
			Expected: strings.Join(slices.Sorted(maps.Keys(content)), " or "),
		}}
	}
	schema := c.contract.schemas[documented]
	if schema == nil {
		return nil
	}
	data, problem := c.decompress(header, body)
	if problem == "" && body.closedEarly && !isJSON(data) {
		problem = "incomplete"
	}
	if problem != "" {
		return []Violation{{Kind: Unchecked, In: in, Rule: problem, Expected: c.expectation(problem)}}
	}
	found := c.contract.validate(schema, data)
	for i := range found {
		found[i].Kind, found[i].In = cmp.Or(found[i].Kind, invalid), in
	}
	return found
}

func (c *Checker) expectation(problem string) string {
	switch problem {
	case "max-body":
		return "at most " + strconv.FormatInt(c.maxBody, 10) + " bytes"
	case "content-encoding":
		return "gzip or none"
	default:
		return "the whole body"
	}
}

// decompress returns the body without its content encoding, or the problem, as in capture, for
// which it cannot be validated.
func (c *Checker) decompress(header http.Header, body capture) (data []byte, problem string) {
	if body.problem != "" {
		return nil, body.problem
	}
	if int64(len(body.data)) > c.maxBody {
		return nil, "max-body"
	}
	switch strings.ToLower(strings.TrimSpace(header.Get("Content-Encoding"))) {
	case "", "identity":
		return body.data, ""
	case "gzip", "x-gzip":
	default:
		return nil, "content-encoding"
	}
	reader, err := gzip.NewReader(bytes.NewReader(body.data))
	if err != nil {
		return nil, "incomplete"
	}
	data, err = io.ReadAll(io.LimitReader(reader, c.maxBody+1))
	switch {
	case int64(len(data)) > c.maxBody:
		return nil, "max-body"
	case err != nil:
		return nil, "incomplete"
	}
	return data, ""
}
