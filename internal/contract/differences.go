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

// Difference is a place where the contract deliberately differs from upstream.
type Difference struct {
	// At is the place in the contract as a JSON pointer. An element of a list of parameters may
	// be given by its name: #/paths/~1things/get/parameters/limit/schema. A pointer that begins
	// with **/ stands for every place whose pointer ends in the rest of it.
	At string `yaml:"at"`
	// Ours is the contract's value of each aspect: required, nullable, type, format, enum,
	// present, or a keyword such as minimum. Null stands for an absent keyword.
	Ours map[string]yaml.Node `yaml:"ours"`
	// Upstream is upstream's value of the same aspects when the difference was declared. A sync
	// reports when it changes.
	Upstream map[string]yaml.Node `yaml:"upstream"`
	// Why is the reason, with the source of what upstream's document does not state.
	Why string `yaml:"why"`
}

// ParseDifferences reads the file of deliberate differences.
func ParseDifferences(src []byte) ([]Difference, error) {
	var list []Difference
	dec := yaml.NewDecoder(bytes.NewReader(src))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the differences: %w", err)
	}
	for i, d := range list {
		same := slices.Equal(slices.Sorted(maps.Keys(d.Ours)), slices.Sorted(maps.Keys(d.Upstream)))
		pointer := strings.HasPrefix(d.At, "#/") || strings.HasPrefix(d.At, "**/")
		if !pointer || len(d.Ours) == 0 || strings.TrimSpace(d.Why) == "" || !same {
			return nil, fmt.Errorf("the differences: entry %d (%q) needs at, ours, upstream with the same aspects as ours, and why",
				i+1, d.At)
		}
	}
	return list, nil
}

// declarations are the declared differences, one for each aspect.
type declarations []*declaration

type declaration struct {
	at, aspect, ours, upstream string
	needed, same               bool // what a comparison found: the declaration had an effect; both values are equal
}

func declare(ours *document, list []Difference) declarations {
	var all declarations
	value := func(aspect string, n yaml.Node) string {
		if aspect == "enum" {
			return constantSet(some(&n))
		}
		return canonical(&n)
	}
	for _, d := range list {
		at := strings.TrimPrefix(d.At, "**")
		if p := ours.at(d.At); at == d.At && p.exists() {
			at = p.ptr
		}
		for _, aspect := range slices.Sorted(maps.Keys(d.Ours)) {
			our, upstream := value(aspect, d.Ours[aspect]), value(aspect, d.Upstream[aspect])
			all = append(all, &declaration{at: at, aspect: aspect, ours: our, upstream: upstream})
		}
	}
	return all
}

func (all declarations) find(pointer, aspect string) *declaration {
	for _, d := range all {
		if d.aspect == aspect && (d.at == pointer || strings.HasPrefix(d.at, "/") && strings.HasSuffix(pointer, d.at)) {
			return d
		}
	}
	return nil
}

// copy declares the differences at from and below it for to as well.
func (all *declarations) copy(from, to string) {
	for _, d := range *all {
		if rest, ok := strings.CutPrefix(d.at, from); ok && (rest == "" || rest[0] == '/') {
			*all = append(*all, &declaration{at: to + rest, aspect: d.aspect, ours: d.ours, upstream: d.upstream})
		}
	}
}

// compare compares two values of an aspect of a place, as JSON. It reports whether they differ and
// the difference is not declared. If upstream's value has changed since a difference was declared,
// it also returns the earlier value.
func (all declarations) compare(pointer, aspect, ours, theirs string) (differs bool, earlier string) {
	d := all.find(pointer, aspect)
	switch {
	case ours == theirs:
		if d != nil {
			d.same = true
		}
		return false, ""
	case d == nil:
		return true, ""
	case ours != d.ours:
		return true, ""
	}
	d.needed = true
	if theirs == d.upstream {
		return false, ""
	}
	return true, d.upstream
}

// unneeded returns a note on each declaration that had no effect.
func (all declarations) unneeded() []string {
	var list []string
	for _, d := range all {
		reason := "nothing differs there"
		switch {
		case d.needed, slices.ContainsFunc(all, func(other *declaration) bool {
			return other.needed && other.aspect == "present" && strings.HasPrefix(d.at, other.at+"/")
		}):
			continue
		case d.same:
			reason = "upstream agrees now"
		}
		list = append(list, fmt.Sprintf("The difference declared at %s (%s: %s) is not needed: %s.",
			strings.Replace("**"+d.at, "**#", "#", 1), d.aspect, d.ours, reason))
	}
	return list
}
