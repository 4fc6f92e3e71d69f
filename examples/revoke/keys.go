package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// key is where a project key is found.
type key struct{ project, id string }

// readFile reads the keys of the file with that name, where "-" is stdin.
func readFile(name string, stdin io.Reader) ([]key, error) {
	switch name {
	case "":
		return nil, errors.New("no file is named; - is the standard input")
	case "-":
		return readKeys(stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readKeys(f)
}

// readKeys reads each key once. It takes all lines or none, and quotes none of them, since
// people paste the value of a key where its id belongs.
func readKeys(r io.Reader) ([]key, error) {
	var keys []key
	seen := make(map[key]bool)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), "#")
		fields := strings.Fields(text)
		switch {
		case slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "sk-") }):
			return nil, fmt.Errorf("line %d: has the value of a key; give its id", n)
		case len(fields) == 0:
			continue
		case len(fields) != 2:
			return nil, fmt.Errorf("line %d: is not a project's id and a key's id", n)
		}
		k := key{fields[0], fields[1]}
		if !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	if len(keys) == 0 {
		return nil, errors.New("there are no keys in the file")
	}
	return keys, nil
}
