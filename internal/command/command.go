// Package command runs a command for a program that forwards signals to it and exits with its status.
package command

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/term"
)

// outputDelay is how long Run waits, after the command has exited, for output of its child processes.
const outputDelay = 5 * time.Second

// Run runs cmd, forwards signals to it, and returns its exit status like a shell: 128 plus the number
// of the signal if a signal ended it. It returns an error if cmd could not be run.
func Run(cmd *exec.Cmd, signals <-chan os.Signal) (status int, err error) {
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			// A terminal sends an interrupt to the command as well. On Windows, Signal supports only Kill.
			if s == os.Interrupt && isTerminal(cmd.Stdin) {
				continue
			}
			if cmd.Process.Signal(s) != nil {
				_ = cmd.Process.Kill()
			}
		case err := <-ended:
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
					return 128 + int(ws.Signal()), nil
				}
				return max(exit.ExitCode(), 1), nil
			}
			if errors.Is(err, exec.ErrWaitDelay) {
				err = nil
			}
			return 0, err
		}
	}
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
