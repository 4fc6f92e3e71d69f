// Command report runs the benchmarks with two releases of Go, and writes RESULTS.md and
// results.svg. Run it in bench/. It writes the raw figures to out/, in the format of Go's
// benchmarks.
//
//	go run ./cmd/report -newest go1.27.4    # measure with the installed Go and with Go 1.27.4
//	go run ./cmd/report -render             # write RESULTS.md and results.svg again, from out/
package main

import (
	"context"
	"errors"
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

// clients are the names of the clients in the benchmarks. All are compared with the first.
var clients = []string{"hand-written", "orgkeys", "vanilla", "official"}

const (
	out           = "out"
	benchFile     = out + "/bench.txt"  // of the installed release
	newestFile    = out + "/newest.txt" // of the newest one
	bulkFile      = out + "/bulk.txt"
	footprintFile = out + "/footprint.txt"
)

func main() {
	count := flag.Int("count", 10, "`times` that each benchmark runs")
	benchtime := flag.Duration("benchtime", 200*time.Millisecond, "how long each run of a benchmark lasts")
	newest := flag.String("newest", "", "the newest Go `release`, as a value of GOTOOLCHAIN")
	builds := flag.Int("builds", 1, "`times` that each program is built with an empty cache")
	render := flag.Bool("render", false, "write the results from the figures in "+out+"/ without measuring")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *newest, *count, *benchtime, *builds, *render); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, newest string, count int, benchtime time.Duration, builds int, render bool) error {
	if !render {
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		if err := bulk(ctx); err != nil {
			return err
		}
		if err := benchmarks(ctx, newest, count, benchtime); err != nil {
			return err
		}
		if err := profiles(ctx, benchtime); err != nil {
			return err
		}
		if err := footprint(ctx, builds); err != nil {
			return err
		}
	}
	return write(ctx)
}

// slowRuns is the number of runs of the slow benchmarks, Growth and Heap.
const slowRuns = 3

// benchmarks runs the benchmarks count times with each release. The releases alternate, and so do
// the clients within a run, so that other load on the machine affects all of them. Benchmarks
// over loopback and of long lists run only with the installed release.
func benchmarks(ctx context.Context, newest string, count int, benchtime time.Duration) error {
	var files, binaries []string
	for file, toolchain := range map[string]string{benchFile: "", newestFile: newest} {
		binary, err := filepath.Abs(file + ".test")
		if err != nil {
			return err
		}
		if _, err := withGo(ctx, toolchain, "test", "-c", "-o", binary, "."); err != nil {
			return err
		}
		environment, err := environment(ctx, toolchain)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(environment), 0o644); err != nil {
			return err
		}
		files, binaries = append(files, file), append(binaries, binary)
	}
	for i := range count {
		log.Printf("benchmarks, %d of %d", i+1, count)
		for j, file := range files {
			runs := [][2]string{{"Alone", benchtime.String()}}
			if file == benchFile {
				runs = append(runs, [2]string{"Loopback", benchtime.String()})
				if i < slowRuns {
					runs = append(runs, [2]string{"Growth", benchtime.String()}, [2]string{"Heap", "1x"})
				}
			}
			for _, run := range runs {
				output, err := command(ctx, ".", binaries[j], "-test.run=^$", "-test.bench="+run[0], "-test.benchtime="+run[1])
				if err != nil {
					return err
				}
				if err := appendTo(file, output); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// profiles keeps a CPU profile of each call of orgkeys with the newest release.
func profiles(ctx context.Context, benchtime time.Duration) error {
	for _, c := range calls {
		log.Printf("profile of %s", c.title)
		if _, err := command(ctx, ".", "./"+newestFile+".test", "-test.run=^$", "-test.bench=^BenchmarkAlone$/^"+c.name+"$/^client="+sdk+"$",
			"-test.benchtime="+max(20*benchtime, time.Second).String(), "-test.cpuprofile="+profileFile(c.name)); err != nil {
			return err
		}
	}
	return nil
}

// profileFile is where the profile of a call is kept.
func profileFile(call string) string { return out + "/" + call + ".prof" }

// bulk runs the simulation of bulk work under a rate limit. It saves the figures of both SDKs, and
// the summary that the acceptance test of package orgkeys prints.
func bulk(ctx context.Context) error {
	log.Print("bulk work under a rate limit")
	compared, err := command(ctx, ".", "go", "test", "-count=1", "-v", "./ratelimit")
	if err != nil {
		return err
	}
	accepted, err := command(ctx, "..", "go", "test", "-count=1", "-v", "-run=^TestRateLimit_BulkWorkFinishesAtTheServersPace$", "./wrapper")
	if err != nil {
		return err
	}
	text, err := bulkFigures(compared + accepted)
	if err != nil {
		return err
	}
	return os.WriteFile(bulkFile, []byte(text), 0o644)
}

// bulkFigures returns what the output of the tests says in the format of Go's benchmarks, in
// which a configuration line belongs to the benchmarks after it.
func bulkFigures(output string) (string, error) {
	settings, benchmarks := "", ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if _, summary, ok := strings.Cut(line, ": "); ok && strings.Contains(line, " settings: ") {
			settings = "rate-limit-settings: " + summary + "\n"
		} else if strings.HasPrefix(line, "Benchmark") {
			benchmarks += line + "\n"
		}
	}
	if settings == "" || benchmarks == "" {
		return "", fmt.Errorf("the tests of the rate limit printed no figures:\n%s", output)
	}
	return settings + benchmarks, nil
}

func appendTo(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// withGo runs the go command of a release, or of the installed one if toolchain is empty.
func withGo(ctx context.Context, toolchain string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	if toolchain != "" {
		cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain)
	}
	return output(cmd)
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
