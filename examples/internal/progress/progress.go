// Package progress shows how far long work is: on a terminal in one line that is written over,
// elsewhere, as in the log of a CI job, in a plain line every ten seconds and one at the end.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// interval is the time between two plain lines.
const interval = 10 * time.Second

// wipe takes what stands in the terminal's line out of it.
const wipe = "\r\x1b[K"

// Meter shows how far one piece of work is at a time. It is safe for concurrent use, and other
// output that goes to the same place goes through its Write.
type Meter struct {
	w        io.Writer
	terminal bool

	mu          sync.Mutex // guards all below, and w
	running     bool
	done, total int
	what        string
	began       time.Time
	first       time.Time // when the first step was done
	shown       time.Time
}

// New returns a meter that writes to w.
func New(w io.Writer) *Meter {
	f, ok := w.(*os.File)
	return &Meter{w: w, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// Start begins work of so many steps, 0 where nobody knows how many. What they are about reads
// like "keys revoked".
func (m *Meter) Start(total int, what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.running, m.done, m.total, m.what = true, 0, total, what
	m.began, m.shown = now, now
	if m.terminal {
		m.draw()
	}
}

// Step says that one more step is done.
func (m *Meter) Step() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.done++
	if m.done == 1 {
		m.first = now
	}
	switch {
	case m.terminal:
		m.draw()
	case now.Sub(m.shown) >= interval:
		m.shown = now
		fmt.Fprintln(m.w, m.state())
	}
}

// Stop ends the work and leaves a line that says how far it came.
func (m *Meter) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = false
	line := fmt.Sprintf("%s in %v", m.count(), time.Since(m.began).Round(time.Second))
	if m.terminal {
		line = wipe + line
	}
	fmt.Fprintln(m.w, line)
}

// Write writes whole lines, such as a log's, above the meter.
func (m *Meter) Write(lines []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.terminal || !m.running {
		return m.w.Write(lines)
	}
	fmt.Fprint(m.w, wipe)
	n, err := m.w.Write(lines)
	m.draw()
	return n, err
}

func (m *Meter) draw() { fmt.Fprint(m.w, wipe+m.state()) }

func (m *Meter) count() string {
	if m.total == 0 {
		return fmt.Sprintf("%d %s", m.done, m.what)
	}
	return fmt.Sprintf("%d of %d %s", m.done, m.total, m.what)
}

// state is how far the work is and, from the second step on, how long the rest takes at the
// pace so far. The first step counts as the start: what is paced does not wait for it.
func (m *Meter) state() string {
	if m.total == 0 || m.done < 2 {
		return m.count()
	}
	left := time.Since(m.first) / time.Duration(m.done-1) * time.Duration(m.total-m.done)
	return fmt.Sprintf("%s, about %v left", m.count(), left.Round(time.Second))
}
