// Package contract keeps api/openapi.yaml in step with the vendor's document.
//
// A sync cuts the vendor's document to the operations that the contract has, found by path and
// method, and carries over what is structure: which properties, parameters, bodies, statuses and
// content types there are; types, null, required, enums and constants, limits and defaults; who
// may call. What is ours stays: every sentence, title, example, format and x- extension, the
// names of operations, schemas and path parameters, the order of keys, and the comments. The
// text of the contract is changed only where its structure does. A place that is new gets
// [Placeholder] for a description; none of the vendor's sentences is taken.
//
// How a thing is written is not structure. These are the same, and change nothing: null as a
// type, as nullable, or as a branch of anyOf or oneOf; a const and an enum of one; a schema,
// parameter, body or response inline and by reference, whatever its name; an allOf and the one
// object that it adds up to; limits in the terms of OpenAPI 3.0 and of 3.1. Nor is an object's
// additionalProperties: false, since a reader has to expect what it does not know.
//
// Where the contract differs on purpose, differences.yaml says so, with the reason.
package contract

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Result is what a sync comes to.
type Result struct {
	Contract []byte   // the contract in step; the one given, byte for byte, where nothing changed
	Changes  []Change // in the order of the contract's operations
	Notes    []string // what is not the same and changes nothing, and what a person should look at
	Describe []Spot   // the places that wait for a description
}

// Spot is a line of a file.
type Spot struct {
	File string
	Line int
	Text string
}

func (s Spot) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s:%d %s", s.File, s.Line, s.Text), " ")
}

// Path is where the contract is, from the root of the repository.
const Path = "api/openapi.yaml"

// maxSteps is more than there are places in a contract, to be changed one by one.
const maxSteps = 1000

// Sync brings the contract in step with upstream, a whole OpenAPI document in YAML or JSON whose
// name is for errors. It fails rather than do half of it: where upstream is no OpenAPI document,
// no longer has one of the operations, or has a reference in them that leads nowhere.
func Sync(contract []byte, name string, upstream []byte, differences []Difference) (*Result, error) {
	theirs, err := parse(name, upstream)
	if err != nil {
		return nil, err
	}
	result := &Result{}
	named := map[*yaml.Node]string{}
	var before []string
	text := contract
	for step := range maxSteps {
		ours, err := parse(Path, text)
		if err != nil {
			return nil, err
		}
		c, err := compare(ours, theirs, differences, named)
		if err != nil {
			return nil, err
		}
		if step == 0 {
			before = ours.reachable()
			result.Notes = c.held.stale()
			for _, w := range c.wishes {
				result.Changes = append(result.Changes, w.Change)
			}
		}
		e, walked := newEditor(ours), len(c.notes)
		if !c.step(e) && !ours.prune(e, before) {
			result.Contract = text
			result.finish(c)
			return result, nil
		}
		result.note(c.notes[walked:])
		if text, err = e.bytes(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("cannot carry over %s: one change leads to another without end", result.Changes[0].At)
}

// finish adds what is known when nothing is left to change.
func (r *Result) finish(c *comparison) {
	for i, change := range r.Changes { // what is new stands somewhere now
		if pointer, ok := c.visited[change.Operation+" "+change.At]; ok && change.fresh {
			r.Changes[i].Pointer = pointer
		}
	}
	r.Describe = c.ours.placeholders()
	r.note(c.notes)
}

func (r *Result) note(notes []string) {
	for _, n := range notes {
		if !slices.Contains(r.Notes, n) {
			r.Notes = append(r.Notes, n)
		}
	}
}

// step makes one of the changes that are wished for, and reports whether there was any. One at a
// time, because a change to a schema fulfils the wishes of all of its uses.
func (c *comparison) step(e *editor) bool {
	if len(c.wishes) == 0 {
		return false
	}
	next := c.wishes[0]
	if i := slices.IndexFunc(c.wishes, func(w *wish) bool { return !w.late }); i >= 0 {
		next = c.wishes[i]
	}
	for _, at := range next.on {
		for _, other := range c.pairs[at.node] {
			if next.agrees(other.theirs) {
				continue
			}
			for _, u := range at.uses {
				if slices.ContainsFunc(other.uses, func(o use) bool { return o.to == u.to }) &&
					!slices.ContainsFunc(other.uses, func(o use) bool { return o.at == u.at }) {
					c.fork(e, u)
					return true
				}
			}
			e.err = fmt.Errorf("cannot carry over %q at %s (%s): another use of %s wants something else", next.What, next.At, next.Operation, at.ptr)
			return true
		}
	}
	next.edit(e)
	if len(e.cuts) == 0 && e.err == nil {
		e.err = fmt.Errorf("cannot carry over %q at %s (%s)", next.What, next.At, next.Operation)
	}
	return true
}

// reachable are the components that the paths refer to.
func (d *document) reachable() []string {
	var list []string
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if ref := scalar(get(n, "$ref")); strings.HasPrefix(ref, "#/") && !slices.Contains(list, ref) {
			list = append(list, ref)
			walk(d.at(ref).node)
		}
		if n != nil {
			for _, child := range n.Content {
				walk(child)
			}
		}
	}
	walk(get(d.root, "paths"))
	return list
}

// prune removes a component that nothing refers to any more, and reports whether there was one.
func (d *document) prune(e *editor, before []string) bool {
	now := d.reachable()
	for _, ref := range before {
		if p := d.at(ref); p.exists() && !slices.Contains(now, ref) {
			e.remove(p.parent, p.key)
			return true
		}
	}
	return false
}

// placeholders are the places that no one has described yet.
func (d *document) placeholders() []Spot {
	var list []Spot
	var walk func(p place)
	walk = func(p place) {
		if scalar(p.node) == Placeholder {
			list = append(list, Spot{Path, p.node.Line, p.ptr})
		}
		for _, child := range append(p.members(), p.items()...) {
			walk(child)
		}
	}
	walk(d.top())
	return list
}

// Add writes an operation into the contract, such as "GET /things/{id}", as no more than an
// operationId, for a sync to fill. What upstream calls it becomes the operationId.
func Add(contract []byte, name string, upstream []byte, operation string) ([]byte, error) {
	method, path, ok := strings.Cut(operation, " ")
	method = strings.ToLower(method)
	if !ok || !slices.Contains(methods, method) || !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%q is no operation; one looks like GET /things/{id}", operation)
	}
	ours, err := parse(Path, contract)
	if err != nil {
		return nil, err
	}
	theirs, err := parse(name, upstream)
	if err != nil {
		return nil, err
	}
	their, found := (&comparison{theirs: theirs}).find(path, method)
	id := scalar(get(their.node, "operationId"))
	switch {
	case !found:
		return nil, fmt.Errorf("%s has no %s", name, operation)
	case id == "":
		return nil, fmt.Errorf("%s has no operationId for %s", name, operation)
	}
	paths := ours.top().child("paths").node
	for _, have := range keys(paths) {
		if form(have) != form(path) {
			continue
		}
		if get(get(paths, have), method) != nil {
			return nil, errors.New("the contract has " + operation + " already")
		}
		path = have
	}
	// The variables of a path come with it; a sync compares only what can differ.
	stub := mapNode(strNode("operationId"), strNode(id), strNode("summary"), strNode(Placeholder), strNode("description"), strNode(Placeholder))
	if names := variable.FindAllString(path, -1); names != nil {
		parameters := seqNode(0)
		for _, name := range names {
			parameters.Content = append(parameters.Content, mapNode(
				strNode("name"), strNode(strings.Trim(name, "{}")), strNode("in"), strNode("path"), strNode("required"), boolNode(true),
				strNode("description"), strNode(Placeholder), strNode("schema"), mapNode(strNode("type"), strNode("string"))))
		}
		stub.Content = append(stub.Content, strNode("parameters"), parameters)
	}
	stub.Content = append(stub.Content, strNode("responses"), mapNode())
	e := newEditor(ours)
	if item := get(paths, path); item != nil {
		e.set(item, method, stub)
	} else {
		e.set(paths, path, mapNode(strNode(method), stub))
	}
	return e.bytes()
}
