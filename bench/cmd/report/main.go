// Command report runs the benchmarks and writes RESULTS.md and results.svg from what they say.
// Run it in bench/. What was measured is kept in out/, in the format of Go's benchmarks.
//
//	go run ./cmd/report             # everything
//	go run ./cmd/report -render     # RESULTS.md and results.svg again, from out/
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// clients are the contenders, as the benchmarks call them, the one that all are compared with
// first.
var clients = []string{"hand-written", "orgkeys", "vanilla", "official"}

const (
	out           = "out"
	benchFile     = out + "/bench.txt"
	footprintFile = out + "/footprint.txt"
)

func main() {
	count := flag.Int("count", 10, "`times` that each benchmark runs")
	benchtime := flag.Duration("benchtime", 200*time.Millisecond, "how long each run of a benchmark lasts")
	builds := flag.Int("builds", 3, "`times` that each program is built from nothing")
	render := flag.Bool("render", false, "measure nothing and write the results from "+out+"/")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *count, *benchtime, *builds, *render); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, count int, benchtime time.Duration, builds int, render bool) error {
	if !render {
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		if err := benchmarks(ctx, count, benchtime); err != nil {
			return err
		}
		if err := footprint(ctx, builds); err != nil {
			return err
		}
	}
	return write(ctx)
}

// benchmarks runs all benchmarks so many times. Each time is a run of its own in which the
// contenders take turns, so that what slows the machine down for a while slows down all.
func benchmarks(ctx context.Context, count int, benchtime time.Duration) error {
	binary, err := filepath.Abs(out + "/bench.test")
	if err != nil {
		return err
	}
	if _, err := command(ctx, ".", "go", "test", "-c", "-o", binary, "."); err != nil {
		return err
	}
	file, err := os.Create(benchFile)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	environment, err := environment(ctx)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(environment); err != nil {
		return err
	}
	for i := range count {
		log.Printf("benchmarks, %d of %d", i+1, count)
		for _, args := range [][]string{
			{"-test.bench=Alone|Loopback|Growth", "-test.benchtime=" + benchtime.String()},
			{"-test.bench=Heap", "-test.benchtime=1x"},
		} {
			output, err := command(ctx, ".", binary, append(args, "-test.run=^$")...)
			if err != nil {
				return err
			}
			if _, err := file.WriteString(output); err != nil {
				return err
			}
		}
	}
	return file.Close()
}

// command runs a program in dir and returns what it writes to its standard output.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return output(cmd)
}

func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}
