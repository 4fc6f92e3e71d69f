package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/bench/responses"
)

const (
	sdkModule   = "github.com/orgkeys/orgkeys-go"
	benchModule = sdkModule + "/bench"
	starts      = 20 // number of times that each program is started
)

// program is one of the programs in footprint/, copied into a module of its own, so that its build
// list contains only what its client requires.
type program struct {
	client string
	dir    string
	binary string
}

// sources are the folders with the source code of each program, its main package first.
var sources = map[string][]string{
	"hand-written": {"footprint/hand", "hand"},
	"orgkeys":      {"footprint/orgkeys"},
	"vanilla":      {"footprint/vanilla", "vanilla"},
	"official":     {"footprint/official"},
}

// footprint measures what each client adds to a program that imports it.
func footprint(ctx context.Context, builds int) (err error) {
	tmp, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	var lines bytes.Buffer
	var programs []program
	for _, client := range clients {
		log.Printf("footprint of %s", client)
		p := program{client: client, dir: filepath.Join(tmp, client), binary: filepath.Join(tmp, client+".bin")}
		if err := p.make(ctx); err != nil {
			return err
		}
		line, err := p.size(ctx)
		if err != nil {
			return err
		}
		lines.WriteString(line)
		programs = append(programs, p)
	}
	if err := start(ctx, programs, &lines); err != nil {
		return err
	}
	for i := range builds {
		for _, p := range programs {
			log.Printf("cold build of %s, %d of %d", p.client, i+1, builds)
			line, err := p.build(ctx, filepath.Join(tmp, "cache"))
			if err != nil {
				return err
			}
			lines.WriteString(line)
		}
	}
	return os.WriteFile(footprintFile, lines.Bytes(), 0o644)
}

// make writes the program's module.
func (p program) make(ctx context.Context) error {
	for i, from := range sources[p.client] {
		to := p.dir
		if i > 0 {
			to = filepath.Join(p.dir, filepath.Base(from))
		}
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		files, err := filepath.Glob(from + "/*.go")
		if err != nil {
			return err
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			source = bytes.ReplaceAll(source, []byte(`"`+benchModule+"/"), []byte(`"program/`))
			if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), source, 0o644); err != nil {
				return err
			}
		}
	}
	module, err := p.module(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.dir, "go.mod"), []byte(module), 0o644); err != nil {
		return err
	}
	_, err = command(ctx, p.dir, "go", "mod", "tidy")
	return err
}

// module returns a go.mod with the versions that the benchmarks use. `go mod tidy` removes the
// requirements that the program does not need.
func (p program) module(ctx context.Context) (string, error) {
	module, err := readModule(ctx, ".")
	if err != nil {
		return "", err
	}
	sdk, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "module program\n\ngo %s\n\nreplace %s => %s\n\n", module.Go, sdkModule, sdk)
	for _, r := range module.Require {
		if !r.Indirect {
			fmt.Fprintf(&b, "require %s %s\n", r.Path, r.Version)
		}
	}
	return b.String(), nil
}

// module is the content of a go.mod.
type module struct {
	Go      string
	Require []struct {
		Path, Version string
		Indirect      bool
	}
}

func readModule(ctx context.Context, dir string) (m module, err error) {
	text, err := command(ctx, dir, "go", "mod", "edit", "-json")
	if err != nil {
		return m, err
	}
	err = json.Unmarshal([]byte(text), &m)
	return m, err
}

// size builds the program, and returns its size and the numbers of its modules and packages.
func (p program) size(ctx context.Context) (string, error) {
	stripped := p.binary + ".stripped"
	for _, args := range [][]string{
		{"build", "-trimpath", "-o", p.binary},
		{"build", "-trimpath", "-ldflags=-s -w", "-o", stripped},
	} {
		if _, err := command(ctx, p.dir, "go", args...); err != nil {
			return "", err
		}
	}
	size, err := os.Stat(p.binary)
	if err != nil {
		return "", err
	}
	strippedSize, err := os.Stat(stripped)
	if err != nil {
		return "", err
	}
	list, err := command(ctx, p.dir, "go", "list", "-m", "all")
	if err != nil {
		return "", err
	}
	packages, err := command(ctx, p.dir, "go", "list", "-deps", "-f", `{{if not (or .Standard .Module.Main)}}{{.ImportPath}} {{.Module.Path}}{{end}}`, ".")
	if err != nil {
		return "", err
	}
	required, err := readModule(ctx, p.dir)
	if err != nil {
		return "", err
	}
	modules := map[string]bool{"program": true}
	for line := range strings.Lines(packages) {
		modules[strings.Fields(line)[1]] = true
	}
	return fmt.Sprintf("BenchmarkFootprint/client=%s 1 %d requirements %d modules %d linked-modules %d packages %d binary-B %d stripped-B\n", p.client,
		len(required.Require), strings.Count(list, "\n"), len(modules), strings.Count(packages, "\n"), size.Size(), strippedSize.Size()), nil
}

// build measures a build of the program and the standard library with an empty cache.
func (p program) build(ctx context.Context, cache string) (line string, err error) {
	if err := os.Mkdir(cache, 0o755); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cache)) }()
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", p.binary)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	began := time.Now()
	if _, err := output(cmd); err != nil {
		return "", err
	}
	wall := time.Since(began)
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return fmt.Sprintf("BenchmarkBuild/client=%s 1 %.2f cpu-s %.2f wall-s\n", p.client, cpu.Seconds(), wall.Seconds()), nil
}

// start runs the programs in turns against a server on loopback, and measures the initialization of
// their packages. It returns an error unless all programs print the same.
func start(ctx context.Context, programs []program, lines *bytes.Buffer) error {
	want := ""
	for range starts {
		for _, p := range programs {
			server := responses.New(10 * responses.PageSize).Serve()
			cmd := exec.CommandContext(ctx, p.binary)
			cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1",
				"OPENAI_BASE_URL="+server.URL+"/v1", "OPENAI_ADMIN_KEY="+responses.AdminKeyValue)
			var trace strings.Builder
			cmd.Stderr = &trace
			printed, err := cmd.Output()
			server.Close()
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", p.client, err, trace.String())
			}
			if want == "" {
				want = string(printed)
			}
			if string(printed) != want {
				return fmt.Errorf("%s prints %q, %s printed %q", p.client, printed, clients[0], want)
			}
			i, err := readInitTrace(trace.String())
			if err != nil {
				return err
			}
			fmt.Fprintf(lines, "BenchmarkInit/client=%s 1 %.3f init-ms %.0f init-B %.0f init-allocs\n", p.client, i.ms, i.bytes, i.allocs)
		}
	}
	return nil
}

type initialization struct{ ms, bytes, allocs float64 }

// readInitTrace returns the sums of the figures in lines such as
//
//	init internal/bytealg @0.008 ms, 0.001 ms clock, 0 bytes, 0 allocs
func readInitTrace(trace string) (sum initialization, err error) {
	for line := range strings.Lines(trace) {
		f := strings.Fields(line)
		if len(f) != 11 || f[0] != "init" {
			continue
		}
		var numbers [3]float64
		for i, text := range []string{f[4], f[7], f[9]} {
			if numbers[i], err = strconv.ParseFloat(text, 64); err != nil {
				return sum, fmt.Errorf("%q: %w", line, err)
			}
		}
		sum.ms += numbers[0]
		sum.bytes += numbers[1]
		sum.allocs += numbers[2]
	}
	if sum == (initialization{}) {
		return sum, errors.New("the output has no trace of initializations")
	}
	return sum, nil
}
