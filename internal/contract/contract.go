// Package contract updates api/openapi.yaml, the contract, when the vendor's OpenAPI document
// changes. In the code, ours is the contract, and theirs and upstream are the vendor's document.
//
// A sync compares each operation of the contract with the vendor's of the same path and method, and
// carries over changes of structure: properties, parameters, bodies, statuses and content types;
// types, null, required, enums and constants, limits and defaults; security. The contract keeps
// its own descriptions, titles, examples, formats, x- extensions, names of operations, schemas and
// path parameters, order of keys, and comments. It is formatted as the YAML encoder writes it, which
// a test verifies, so that only the lines of a change differ. A new place gets [Placeholder] as
// its description, and no prose is copied from the vendor. An example that a change makes invalid
// is corrected: removed properties are deleted from it, and required ones added.
//
// Different notations of the same structure are equal: null as a type, as nullable, or as a branch
// of anyOf or oneOf; a const and an enum of one value; a schema, parameter, body or response inline
// and by reference, whatever its name; an allOf and the one object that it is equivalent to; limits
// in the notation of OpenAPI 3.0 and of 3.1. An object's additionalProperties: false is ignored,
// since a client has to accept unknown properties.
//
// A change is breaking if it changes the Go API that is generated from the contract incompatibly,
// or makes valid requests invalid.
//
// differences.yaml declares where the contract deliberately differs, with the reasons.
package contract

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-openapi/jsonpointer"
	"go.yaml.in/yaml/v3"
)

// Result is the result of a sync.
type Result struct {
	Contract []byte   // the changed contract; the original, byte for byte, if nothing changed
	Changes  []Change // in the order of the contract's operations
	Notes    []string // differences that are not changes, and things to review
	Describe []Line   // the places that need a description
}

// Line is a line of a file.
type Line struct {
	File string
	Line int
	Text string
}

func (l Line) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s:%d %s", l.File, l.Line, l.Text), " ")
}

// Path is the path of the contract, from the root of the repository.
const Path = "api/openapi.yaml"

// maxSteps is more than the number of edits that a contract can need, one by one.
const maxSteps = 2000

// Sync carries the changes of upstream, an OpenAPI document in YAML or JSON that error texts call
// name, over to the contract. It returns an error if it cannot carry over every change: if upstream
// is not an OpenAPI document, no longer has one of the operations, or has an invalid reference in
// one of them. The operations of upstream in add, such as "GET /things/{id}", are added.
func Sync(contract []byte, name string, upstream []byte, differences []Difference, add ...string) (*Result, error) {
	ours, err := parse(Path, contract)
	if err != nil {
		return nil, err
	}
	theirs, err := parse(name, upstream)
	if err != nil {
		return nil, err
	}
	result := &Result{Contract: contract}
	text, unused, added := encode(ours.root), ours.unused(nil), map[string]bool{}
	for _, operation := range add {
		change, err := ours.add(theirs, operation)
		if err != nil {
			return nil, err
		}
		result.Changes = append(result.Changes, change)
		added[change.Operation] = true
	}
	c := newComparison(ours, theirs, declare(ours, differences))
	for step, more := 0, true; more; step++ {
		if step == maxSteps {
			return nil, fmt.Errorf("cannot carry over %s: one change leads to another without end", result.Changes[0].At)
		}
		c.edits, c.pairs = nil, map[*yaml.Node][]pair{}
		if err := cmp.Or(c.paths(), theirs.err, ours.err); err != nil {
			return nil, err
		}
		if step == 0 {
			result.Notes = c.declared.unneeded()
			for _, e := range c.edits {
				if !added[e.Operation] {
					result.Changes = append(result.Changes, e.Change)
				}
			}
		}
		if more, err = c.step(); err != nil {
			return nil, err
		}
	}
	for names := ours.unused(unused); len(names) > 0; names = ours.unused(unused) { // they may refer to others
		for _, name := range names {
			remove(ours.schemas().node, name)
		}
	}
	if encode(ours.root) != text {
		c.mend()
		result.Contract = []byte(encode(ours.root))
	}
	result.Notes = append(result.Notes, c.notes...)
	number := 0
	for line := range strings.Lines(string(result.Contract)) {
		if number++; strings.Contains(line, Placeholder) {
			result.Describe = append(result.Describe, Line{File: Path, Line: number})
		}
	}
	return result, nil
}

// step makes all edits of operations or, if there are none, one edit of a schema, and reports
// whether there was an edit to make. Since an edit of a schema applies to all uses of the schema,
// it may make other edits unnecessary.
func (c *comparison) step() (bool, error) {
	edits := slices.DeleteFunc(slices.Clone(c.edits), func(e *edit) bool { return e.Decide })
	done := false
	for _, e := range edits {
		if e.on == nil {
			e.make()
			done = true
		}
	}
	if done || len(edits) == 0 {
		return done, nil
	}
	next := slices.MinFunc(edits, func(a, b *edit) int { return a.order - b.order })
	for _, at := range next.on {
		for _, other := range c.pairs[at.node] {
			if next.fits(other.ours, other.theirs) {
				continue
			}
			if !c.separate(next, at, other) {
				return false, fmt.Errorf("cannot carry over %q at %s (%s): another use of %s is different",
					next.What, next.At, next.Operation, at.ptr)
			}
			return true, nil
		}
	}
	next.make()
	return true, nil
}

// separate changes the contract so that an edit of the node at can be made without affecting
// another use of that node. It reports whether it could.
func (c *comparison) separate(next *edit, at place, other pair) bool {
	if home, _ := host(other.ours); next.removes != "" && len(home.uses) < len(other.uses) {
		// The other use extends the node by an allOf. The property moves to that extension.
		kept := other.ours.prop(next.removes)
		set(ensure(home.node, "properties", mapNode(), "type", "description"), kept.name, clone(kept.places[0].node))
		if kept.required {
			makeRequired(home.node, kept.name)
		}
		c.declared.copy(kept.places[0].ptr, home.ptr+"/properties/"+jsonpointer.Escape(kept.name))
		return true
	}
	for _, u := range at.uses {
		if slices.ContainsFunc(other.uses, func(o use) bool { return o.to == u.to }) &&
			!slices.ContainsFunc(other.uses, func(o use) bool { return o.at == u.at }) {
			c.fork(u)
			return true
		}
	}
	return false
}

// add adds an operation, such as "GET /things/{id}", to the contract, with only upstream's
// operationId and the path parameters. The comparison finds the rest.
func (d *document) add(theirs *document, operation string) (Change, error) {
	method, path, _ := strings.Cut(operation, " ")
	method = strings.ToLower(method)
	if !slices.Contains(methods, method) || !strings.HasPrefix(path, "/") {
		return Change{}, fmt.Errorf("%q is not an operation, such as GET /things/{id}", operation)
	}
	_, their, found := theirs.operation(path, method)
	id := get(their.node, "operationId")
	switch _, _, have := d.operation(path, method); {
	case !found:
		return Change{}, fmt.Errorf("%s has no %s", theirs.name, operation)
	case id == nil:
		return Change{}, fmt.Errorf("%s has no operationId for %s", theirs.name, operation)
	case have:
		return Change{}, fmt.Errorf("the contract has %s already", operation)
	}
	paths := d.top().child("paths")
	if i := slices.IndexFunc(keys(paths.node), func(have string) bool { return form(have) == form(path) }); i >= 0 {
		path = keys(paths.node)[i]
	}
	stub := mapNode(strNode("operationId"), bare(id), strNode("summary"), strNode(Placeholder),
		strNode("description"), strNode(Placeholder))
	for _, name := range variable.FindAllString(path, -1) {
		parameter := parameterNode(strings.Trim(name, "{}"), "path", true, entry("type", strNode("string")))
		parameters := ensure(stub, "parameters", seqNode(0))
		parameters.Content = append(parameters.Content, parameter)
	}
	set(stub, "responses", mapNode())
	set(ensure(paths.node, path, mapNode()), method, stub)
	s := position{op: id.Value, part: "operation"}
	pointer := paths.child(path).child(method).ptr
	return Change{Operation: s.op, At: s.part, Pointer: pointer, What: "is added", position: s}, nil
}
