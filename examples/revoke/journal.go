package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// journal remembers in a file what became of keys, a line for each try: when, the project, the
// key, and the status at the end, so that a line that broke off does not say that a key is
// gone.
type journal struct {
	gone, unknown map[key]bool // by earlier runs

	mu  sync.Mutex
	f   *os.File
	err error
}

// openJournal makes the file where there is none.
func openJournal(name string) (*journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(f)
	if err == nil && len(content) > 0 && content[len(content)-1] != '\n' {
		_, err = f.WriteString("\n") // the earlier run broke off in the middle of a line
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	j := &journal{gone: make(map[key]bool), unknown: make(map[key]bool), f: f}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) != 4 {
			continue
		}
		switch k := (key{fields[1], fields[2]}); status(fields[3]) {
		case gone:
			j.gone[k] = true
		case unknown:
			j.unknown[k] = true
		}
	}
	return j, nil
}

// record writes down what became of a key. A revoke is worth more than its record: where that
// can't be written the work goes on, and Close tells.
func (j *journal) record(r result) {
	j.mu.Lock()
	defer j.mu.Unlock()
	line := fmt.Sprintf("%s %s %s %s\n", time.Now().UTC().Format(time.RFC3339), r.project, r.id, r.status)
	_, err := j.f.WriteString(line)
	if err == nil {
		err = j.f.Sync()
	}
	if j.err == nil {
		j.err = err
	}
}

func (j *journal) Close() error { return errors.Join(j.err, j.f.Close()) }
