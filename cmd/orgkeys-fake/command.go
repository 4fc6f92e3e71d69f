package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/term"
)

// runCommand runs a command with more environment variables, forwards signals to it and returns
// its exit status. The error is why it could not be run.
func runCommand(command, variables []string, signals <-chan os.Signal, stdin io.Reader, stdout, stderr io.Writer) (status int, err error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // signals are forwarded to it instead
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return exitNotFound, err
		}
		return exitNotExecutable, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			// A terminal sends an interrupt to the command, too.
			if s != os.Interrupt || !isTerminal(stdin) {
				_ = cmd.Process.Signal(s)
			}
		case err := <-ended:
			return exitStatus(err)
		}
	}
}

// exitStatus returns the exit status that a shell would return for the result of Wait.
func exitStatus(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		if err != nil {
			return exitFailure, err
		}
		return exitOK, nil
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return exitSignal + int(ws.Signal()), nil
	}
	return exit.ExitCode(), nil
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
