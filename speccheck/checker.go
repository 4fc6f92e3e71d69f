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

// DefaultMaxBody is the size in bytes beyond which a body is not judged, unless [WithMaxBody]
// says otherwise.
const DefaultMaxBody = 8 << 20

// Checker holds exchanges against a contract. It is safe for concurrent use.
type Checker struct {
	contract *contract
	maxBody  int64
}

// Option is a setting of [New].
type Option func(*settings) error

type settings struct {
	spec    []byte
	other   bool // whether spec is to be used
	maxBody int64
}

// ours is the contract of this module. It is made once, since that takes longer than many tests.
var ours = sync.OnceValues(func() (*contract, error) { return newContract(api.Spec) })

// WithSpec takes another contract than the one of this module: an OpenAPI document of version
// 3.0 or 3.1 in YAML or JSON, in one piece. Operations in it that are not valid OpenAPI are
// reported as [Unchecked] when they are called. Discriminators, readOnly and writeOnly are not
// looked at.
func WithSpec(document []byte) Option {
	return func(s *settings) error {
		s.spec, s.other = document, true
		return nil
	}
}

// WithMaxBody sets the size in bytes beyond which a body is not judged but reported as
// [Unchecked]. It counts what a compressed body unpacks to.
func WithMaxBody(bytes int64) Option {
	return func(s *settings) error {
		if bytes <= 0 {
			return fmt.Errorf("speccheck: a largest body of %d bytes", bytes)
		}
		s.maxBody = bytes
		return nil
	}
}

// New returns a checker of [api.Spec], or of the document given by [WithSpec]. It fails for a
// document that is no OpenAPI, or that has no valid operation.
func New(opts ...Option) (*Checker, error) {
	s := settings{maxBody: DefaultMaxBody}
	for _, opt := range opts {
		if err := opt(&s); err != nil {
			return nil, err
		}
	}
	contract, err := ours()
	if s.other {
		contract, err = newContract(s.spec)
	}
	if err != nil {
		return nil, fmt.Errorf("speccheck: %w", err)
	}
	return &Checker{contract: contract, maxBody: s.maxBody}, nil
}

// Operations returns the ids of the contract's operations, sorted.
func (c *Checker) Operations() []string {
	return slices.Sorted(maps.Keys(c.contract.operations))
}

// Operation returns the id of the operation that req calls. matched tells whether any path of
// the contract matches its URL; if one does and has no operation of that method, id is "".
func (c *Checker) Operation(req *http.Request) (id string, matched bool) {
	p, _ := c.contract.find(req.URL)
	if p == nil {
		return "", false
	}
	if o := p.operations[methodOf(req)]; o != nil {
		return o.OperationID, true
	}
	return "", true
}

// Check holds one exchange against the contract and returns every violation, or nil. The
// operation is the one whose path the request's URL ends in, at any host and behind any prefix.
// The bodies are as they were sent; a gzip one is unpacked where header says so. A status of 0
// stands for no answer: the request is judged alone. Nothing is changed or kept.
func (c *Checker) Check(req *http.Request, reqBody []byte, status int, header http.Header, body []byte) []Violation {
	if status == 0 {
		return c.check(req, payload{data: reqBody}, nil)
	}
	return c.check(req, payload{data: reqBody}, &answer{status, header, payload{data: body}})
}

// CheckResponse holds one response body against what the contract documents for an operation
// and a status. It is for bodies that were recorded without their request. An operation that
// the contract does not have is a [NoSuchOperation].
func (c *Checker) CheckResponse(operationID string, status int, contentType string, body []byte) []Violation {
	o := c.contract.operations[operationID]
	if o == nil {
		return []Violation{{Kind: NoSuchOperation, Status: status, Rule: "operation"}}
	}
	if o.invalid != nil {
		return o.unusable(status)
	}
	header := http.Header{"Content-Type": {contentType}}
	return o.stamp(status, c.checkResponse(o, answer{status, header, payload{data: body}}))
}

// payload is as much of a body as there is.
type payload struct {
	data []byte
	// early is set where the reader closed the body before its end.
	early bool
	// problem is the rule by which the body cannot be judged, or "".
	problem string
}

type answer struct {
	status int
	header http.Header
	body   payload
}

// check holds a request against the contract, and its answer unless there was none.
func (c *Checker) check(req *http.Request, sent payload, got *answer) []Violation {
	status := 0
	if got != nil {
		status = got.status
	}
	method := methodOf(req)
	p, pathParameters := c.contract.find(req.URL)
	if p == nil {
		return []Violation{{Kind: NoSuchOperation, Method: standard(method), Status: status, Rule: "path"}}
	}
	o := p.operations[method]
	if o == nil {
		documented := strings.Join(slices.Sorted(maps.Keys(p.operations)), " or ")
		return []Violation{{
			Kind: NoSuchOperation, Method: standard(method), Path: p.template, Status: status,
			Rule: "method", Expected: documented,
		}}
	}
	if o.invalid != nil {
		return o.unusable(status)
	}
	found := c.checkRequest(o, req, pathParameters, sent)
	if got != nil {
		found = append(found, c.checkResponse(o, *got)...)
	}
	return o.stamp(status, found)
}

func methodOf(req *http.Request) string { return cmp.Or(req.Method, http.MethodGet) }

// standard returns method if HTTP defines it: any other may be anything.
func standard(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return ""
}

// unusable reports an operation that is not valid in the contract itself.
func (o *operation) unusable(status int) []Violation {
	reason, _, _ := strings.Cut(o.invalid.Error(), "\n")
	return o.stamp(status, []Violation{{Kind: Unchecked, Rule: "contract", Expected: "valid OpenAPI (" + reason + ")"}})
}

// stamp completes what was found in an exchange, each thing once.
func (o *operation) stamp(status int, found []Violation) []Violation {
	var distinct []Violation
	seen := map[Violation]bool{}
	for _, v := range found {
		v.OperationID, v.Method, v.Path, v.Status = o.OperationID, o.method, o.path, status
		if !seen[v] {
			distinct, seen[v] = append(distinct, v), true
		}
	}
	return distinct
}

func (c *Checker) checkRequest(o *operation, req *http.Request, pathParameters map[string]string, sent payload) []Violation {
	var found []Violation
	input := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: pathParameters, Route: o.route,
		Options: &openapi3filter.Options{SkipSettingDefaults: true, MultiError: true},
	}
	for _, ref := range o.parameters {
		p := ref.Value
		if err := openapi3filter.ValidateParameter(req.Context(), input, p); err != nil {
			for _, rule := range brokenRules(err) {
				found = append(found, Violation{
					Kind: RequestViolation, In: p.In, Parameter: p.Name, Rule: rule, Expected: expectedOf(p, rule),
				})
			}
		}
	}
	if o.RequestBody == nil {
		return found
	}
	body := o.RequestBody.Value
	if len(sent.data) == 0 && sent.problem == "" && !sent.early {
		if body.Required {
			found = append(found, Violation{Kind: RequestViolation, In: InRequest, Rule: "required", Expected: "a body"})
		}
		return found
	}
	return append(found, c.checkBody(InRequest, RequestViolation, RequestViolation, body.Content, req.Header, sent)...)
}

// brokenRules names what a parameter violates, by the rules of its schema. The error's own text
// quotes the parameter and goes nowhere.
func brokenRules(err error) []string {
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		return []string{"required"}
	}
	if wrong, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		var rules []string
		for _, v := range new(contract).explain(wrong) { // of a schema on its own
			rules = append(rules, v.Rule)
		}
		return rules
	}
	if wrong, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return []string{wrong.SchemaField}
	}
	return []string{"type"} // what cannot be read as its type does not get to the schema
}

func expectedOf(p *openapi3.Parameter, rule string) string {
	if rule == "required" {
		return "present"
	}
	if p.Schema == nil || p.Schema.Value == nil {
		return ""
	}
	schema, _ := asJSON(p.Schema.Value)
	return says(schema, rule)
}

func (c *Checker) checkResponse(o *operation, got answer) []Violation {
	documented := o.response(got.status)
	if documented == nil {
		kind := WrongStatus
		if got.status >= 400 {
			kind = UndocumentedStatus
		}
		return []Violation{{Kind: kind, Rule: "status", Expected: strings.Join(slices.Sorted(maps.Keys(o.Responses.Map())), " or ")}}
	}
	if len(documented.Content) == 0 {
		return nil
	}
	return c.checkBody(InResponse, BodyViolation, UndocumentedContentType, documented.Content, got.header, got.body)
}

// checkBody holds a body against the content that the contract documents for it.
func (c *Checker) checkBody(in string, broken, otherType Kind, content openapi3.Content, header http.Header, body payload) []Violation {
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
	data, problem := c.unpack(header, body)
	if problem == "" && body.early && !isJSON(data) {
		problem = "incomplete"
	}
	if problem != "" {
		return []Violation{{Kind: Unchecked, In: in, Rule: problem, Expected: c.expectation(problem)}}
	}
	found := c.contract.judge(schema, data)
	for i := range found {
		found[i].Kind, found[i].In = broken, in
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

// unpack returns the body as plain JSON, or why it cannot.
func (c *Checker) unpack(header http.Header, body payload) (data []byte, problem string) {
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
	unpacker, err := gzip.NewReader(bytes.NewReader(body.data))
	if err != nil {
		return nil, "incomplete"
	}
	data, err = io.ReadAll(io.LimitReader(unpacker, c.maxBody+1))
	switch {
	case int64(len(data)) > c.maxBody:
		return nil, "max-body"
	case err != nil:
		return nil, "incomplete"
	}
	return data, ""
}
