// Package command runs a command within a program that ends when the command does.
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

// outputDelay is how long Run waits for the output of processes that the command has left behind.
const outputDelay = 5 * time.Second

// Run runs cmd, forwards signals to it, and returns the exit status that a shell would report: 128
// and the signal's number if a signal ended it. The error is why it did not run.
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
			// A terminal sends an interrupt to the command, too. Windows has no signals but Kill.
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
