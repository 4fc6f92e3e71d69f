package progress

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWorkIsShownToATerminalAndToALog(t *testing.T) {
	steps := func(n int, each time.Duration) func(*Meter) {
		return func(m *Meter) {
			for i := range n {
				if i > 0 {
					time.Sleep(each)
				}
				m.Step()
			}
		}
	}
	for _, c := range []struct {
		name     string
		terminal bool
		total    int
		work     func(*Meter)
		want     []string // the lines, those of a terminal as they are written over
	}{
		{"a terminal sees each step and what is left", true, 3, steps(3, 8*time.Second), []string{
			"", "0 of 3 keys", "1 of 3 keys", "2 of 3 keys, about 8s left", "3 of 3 keys, about 0s left", "3 of 3 keys in 16s\n",
		}},
		{"a terminal sees a count where the total is unknown", true, 0, steps(2, time.Second), []string{
			"", "0 keys", "1 keys", "2 keys", "2 keys in 1s\n",
		}},
		{"a terminal has log lines above the meter", true, 2, func(m *Meter) {
			fmt.Fprintln(m, "level=WARN")
			m.Step()
		}, []string{
			"", "0 of 2 keys", "level=WARN\n", "0 of 2 keys", "1 of 2 keys", "1 of 2 keys in 0s\n",
		}},
		{"a log has a line every ten seconds", false, 30, steps(30, time.Second), []string{
			"11 of 30 keys, about 19s left\n21 of 30 keys, about 9s left\n30 of 30 keys in 29s\n",
		}},
		{"a log has but the last line of short work", false, 3, steps(3, time.Second), []string{"3 of 3 keys in 2s\n"}},
		{"a log has log lines as they are", false, 1, func(m *Meter) { fmt.Fprintln(m, "level=WARN") }, []string{
			"level=WARN\n0 of 1 keys in 0s\n",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				m := New(&out)
				m.terminal = c.terminal
				m.Start(c.total, "keys")
				c.work(m)
				m.Stop()
				assert.Equal(t, c.want, strings.Split(out.String(), wipe))
			})
		})
	}
}

func TestStepsFromManyGoroutinesAllCount(t *testing.T) {
	var out bytes.Buffer
	m := New(&out)
	m.Start(100, "keys")
	var workers sync.WaitGroup
	for range 100 {
		workers.Go(m.Step)
	}
	workers.Wait()
	m.Stop()
	assert.Equal(t, "100 of 100 keys in 0s\n", out.String())
}

func TestWhatIsNoTerminalGetsNoControlCharacters(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	assert.False(t, New(f).terminal)
	assert.False(t, New(&bytes.Buffer{}).terminal)
}
