package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Difference is one place where the contract holds something else than the vendor on purpose.
type Difference struct {
	// At is the place in the contract as a JSON pointer. A parameter may be named in it
	// instead of numbered: #/paths/~1things/get/parameters/limit/schema.
	At string `yaml:"at"`
	// Hold is what the contract holds there, by aspect: required, nullable, type, format,
	// enum, present, or a keyword such as minimum. Null stands for "no such keyword".
	Hold map[string]yaml.Node `yaml:"hold"`
	// Why is the reason.
	Why string `yaml:"why"`
}

// ParseDifferences reads the file of deliberate differences. Each needs a place, something to
// hold and a reason.
func ParseDifferences(src []byte) ([]Difference, error) {
	var list []Difference
	dec := yaml.NewDecoder(bytes.NewReader(src))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the differences: %w", err)
	}
	for i, d := range list {
		if !strings.HasPrefix(d.At, "#/") || len(d.Hold) == 0 || strings.TrimSpace(d.Why) == "" {
			return nil, fmt.Errorf("the differences: entry %d (%q) needs at, hold and why", i+1, d.At)
		}
	}
	return list, nil
}

// held knows which differences are declared and which of them a comparison needed.
type held struct {
	value map[[2]string]string // by place and aspect
	used  map[[2]string]bool
}

func newHeld(ours *document, list []Difference) *held {
	h := &held{value: map[[2]string]string{}, used: map[[2]string]bool{}}
	for _, d := range list {
		pointer := d.At
		if p := ours.at(d.At); p.exists() {
			pointer = p.ptr
		}
		for aspect, node := range d.Hold {
			h.value[[2]string{pointer, aspect}] = canonical(&node)
		}
	}
	return h
}

// excuses reports whether the contract may hold have in an aspect of the place at pointer.
func (h *held) excuses(pointer, aspect, have string) bool {
	key := [2]string{pointer, aspect}
	declared, ok := h.value[key]
	if !ok || declared != have {
		return false
	}
	h.used[key] = true
	return true
}

// stale are the differences that nothing needed.
func (h *held) stale() []string {
	var list []string
	for key := range maps.Keys(h.value) {
		if !h.used[key] {
			list = append(list, fmt.Sprintf("The difference declared at %s (%s: %s) is not needed: upstream agrees, or the contract holds something else.", key[0], key[1], h.value[key]))
		}
	}
	slices.Sort(list)
	return list
}
