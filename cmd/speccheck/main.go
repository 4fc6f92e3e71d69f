// Speccheck validates HTTP traffic against the contract, an OpenAPI document, in CI and for clients
// in any language. It validates a response body, the exchanges of a HAR file, or the traffic through
// its own reverse proxy, and reports violations as text, JSON, GitHub annotations or JUnit.
//
// Usage:
//
//	speccheck [flags] -operation ID [-status N] FILE
//	speccheck [flags] -har FILE
//	speccheck [flags] -listen ADDR -to URL [-- command [arguments]]
//
// The exit status is 0 if nothing failed, 1 if there were violations, and 2 if nothing could be
// validated. The flag -h describes all flags.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

const usage = `speccheck validates HTTP traffic against the contract, an OpenAPI document.

  speccheck [flags] -operation ID [-status N] FILE         one response body
  speccheck [flags] -har FILE                              the exchanges of a HAR file
  speccheck [flags] -listen ADDR -to URL [-- COMMAND …]    the traffic through a proxy

FILE is - for standard input. An exchange is a request with its response. It is validated
if its path ends with a path of the contract, regardless of the host and of what precedes
that path. Others, and CORS preflights, are skipped.

  speccheck -operation retrieve-project-api-key -status 200 response.json
  curl -s … | speccheck -operation admin-api-keys-list -
  speccheck -har traffic.har -format junit -output speccheck.xml
  speccheck -listen 127.0.0.1:8080 -to http://127.0.0.1:9090 -- npm test

The proxy forwards http://ADDR/path to URL/path, as a stream and unchanged. It runs until
COMMAND exits, or until it is interrupted. ADDR must be a loopback address, since clients
send admin keys to it unencrypted; port 0 is any free port. For COMMAND, SPECCHECK_URL is
http://ADDR, and OPENAI_BASE_URL is http://ADDR/v1, or http://ADDR if URL has a path. If
OPENAI_BASE_URL was set before and begins with URL, http://ADDR replaces URL in it.

Kinds of violations, for -fail:

  body                 a response body violates the contract
  request              a parameter or the body of a request violates the contract
  status               a status below 400 is not documented
  undocumented-status  an error status, such as 401, 404, 429 or 5xx, is not documented
  content-type         the content type of a response is not documented
  operation            the contract has the path, but not the method
  unchecked            something could not be validated: a body is too large, incomplete, or
                       not in the HAR file

By default, all of them fail except undocumented-status, which is reported as a note, since
few contracts list every error. A request without a response is counted, and is not a
violation. Reports contain no value, id, header or URL from the traffic.

The exit status is 0 if nothing failed, 1 if something did, and 2 if nothing could be
validated: because of invalid flags, a file that cannot be read, an invalid contract, a
COMMAND that cannot be started, or no exchange of an operation in the contract. If COMMAND
fails, the exit status is that of COMMAND, or 128 plus the number of the signal that ended
it.

The operations of the contract, unless -spec sets another contract:

  %s

Flags:
`

func main() {
	os.Exit(run(os.Args[1:], &process{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(),
		signals: func() (<-chan os.Signal, func()) {
			signals := make(chan os.Signal, 1)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			return signals, func() { signal.Stop(signals) }
		},
	}))
}

// Exit statuses.
const (
	exitOK         = 0
	exitViolations = 1
	exitError      = 2
)

// process contains what the operating system provides to the command. Tests replace it.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	// signals begins to receive the signals that end the proxy. stop ends it.
	signals func() (received <-chan os.Signal, stop func())
	// transport sends the proxy's requests; nil is the default transport.
	transport http.RoundTripper
}

// config contains the values of the flags and arguments.
type config struct {
	operation, contentType string
	status                 int
	file                   string // the argument of -operation

	har         string
	baseURLList string
	baseURLs    []*url.URL // of baseURLList

	listen    string
	to        string
	target    *url.URL // of to
	plainHTTP bool
	command   []string

	spec           string
	maxBody        int64
	format, output string
	failing        []speccheck.Kind
	version        bool
}

func run(args []string, p *process) int {
	c, flags, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return help(flags, p)
	case err != nil:
		fmt.Fprintf(p.stderr, "speccheck: %v; see -h\n", err)
		return exitError
	case c.version:
		fmt.Fprintf(p.stdout, "speccheck %s %s\n", version(), runtime.Version())
		return exitOK
	}
	status, err := c.run(p)
	if err != nil {
		fmt.Fprintf(p.stderr, "speccheck: %s\n", strings.TrimPrefix(err.Error(), "speccheck: "))
		if status == exitOK {
			status = exitError
		}
	}
	return status
}

// version returns the version of the module.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

func help(flags *flag.FlagSet, p *process) int {
	checker, err := speccheck.New()
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return exitError
	}
	fmt.Fprintf(p.stdout, usage, strings.Join(checker.Operations(), "\n  "))
	flags.SetOutput(p.stdout)
	flags.PrintDefaults()
	return exitOK
}

// flagModes maps a flag that only one mode has to the flag that selects the mode.
var flagModes = map[string]string{
	"status": "operation", "content-type": "operation", "base-url": "har", "to": "listen", "plain-http": "listen",
}

func parse(args []string) (*config, *flag.FlagSet, error) {
	c := &config{failing: speccheck.FailingKinds()}
	flags := flag.NewFlagSet("speccheck", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.operation, "operation", "", "validate one response body of the operation with this `id`")
	flags.IntVar(&c.status, "status", http.StatusOK, "the `status` of the response body, 100 to 599")
	flags.StringVar(&c.contentType, "content-type", "application/json", "the content `type` of the response body")
	flags.StringVar(&c.har, "har", "", "validate the exchanges of a HAR `file`")
	flags.StringVar(&c.baseURLList, "base-url", "", "validate only exchanges whose URL is below one of these comma-separated `URLs`, such as\nhttps://api.openai.com/v1")
	flags.StringVar(&c.listen, "listen", "", "the loopback `address` that the proxy listens on")
	flags.StringVar(&c.to, "to", "", "the `URL` that the proxy forwards requests to")
	flags.BoolVar(&c.plainHTTP, "plain-http", false, "allow http in -to for a host that is not loopback; keys then cross the network\nunencrypted")
	flags.StringVar(&c.spec, "spec", "", "another contract, an OpenAPI 3.0 or 3.1 `file` in YAML or JSON (default: that of orgkeys)")
	flags.Int64Var(&c.maxBody, "max-body", speccheck.DefaultMaxBody, "the maximum size of a body that is validated, in `bytes`")
	flags.StringVar(&c.format, "format", "text", "the `format` of the report: text, json, github (workflow annotations) or junit")
	flags.StringVar(&c.output, "output", "", "the `file` that the report is written to (default: standard output)")
	flags.Func("fail", "the comma-separated `kinds` that fail, or all, or none (default "+join(c.failing)+")", c.setFailing)
	flags.BoolVar(&c.version, "version", false, "print the version")
	if err := flags.Parse(args); err != nil {
		return c, flags, err
	}
	err := c.validate(flags)
	return c, flags, err
}

func (c *config) validate(flags *flag.FlagSet) error {
	if c.version {
		return nil
	}
	if _, ok := formats[c.format]; !ok {
		return fmt.Errorf("-format %q: want text, json, github or junit", c.format)
	}
	mode := ""
	for _, flag := range []struct{ name, value string }{{"operation", c.operation}, {"har", c.har}, {"listen", c.listen}} {
		if flag.value != "" && mode != "" {
			return fmt.Errorf("-%s and -%s exclude each other", mode, flag.name)
		}
		if flag.value != "" {
			mode = flag.name
		}
	}
	if mode == "" {
		return errors.New("one of -operation, -har and -listen is required")
	}
	var err error
	flags.Visit(func(f *flag.Flag) {
		if of, ok := flagModes[f.Name]; ok && of != mode {
			err = fmt.Errorf("-%s applies to -%s, not to -%s", f.Name, of, mode)
		}
	})
	if err != nil {
		return err
	}
	c.file, c.command = flags.Arg(0), flags.Args()
	switch mode {
	case "operation":
		if flags.NArg() != 1 {
			return fmt.Errorf("-operation takes one file, or - for standard input, after the flags: got %d arguments", flags.NArg())
		}
		if c.status < 100 || c.status > 599 {
			return fmt.Errorf("-status %d: want a status from 100 to 599", c.status)
		}
	case "har":
		if flags.NArg() > 0 {
			return fmt.Errorf("-har %s takes no argument: got %q", name(c.har), flags.Arg(0))
		}
		return c.parseBaseURLs()
	case "listen":
		return c.parseTarget()
	}
	return nil
}

func (c *config) parseBaseURLs() error {
	if c.baseURLList == "" {
		return nil
	}
	for text := range strings.SplitSeq(c.baseURLList, ",") {
		u, err := parseURL(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("-base-url: %w", err)
		}
		c.baseURLs = append(c.baseURLs, u)
	}
	return nil
}

func (c *config) parseTarget() (err error) {
	if c.to == "" {
		return errors.New("-listen requires -to, the URL to forward requests to")
	}
	if c.target, err = parseURL(c.to); err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	if c.target.Scheme == "http" && !c.plainHTTP && !isLoopback(c.target.Hostname()) {
		return fmt.Errorf("-to %s: keys would cross the network unencrypted: use https, or allow it with -plain-http", c.target)
	}
	return nil
}

// parseURL parses a base URL. Its errors do not contain text, which may include a password.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, errors.New("want a URL such as https://api.openai.com/v1")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("want a URL without a user, a query and a fragment")
	}
	return u, nil
}

func (c *config) setFailing(list string) error {
	c.failing = nil
	switch list {
	case "all":
		c.failing = speccheck.Kinds()
		return nil
	case "none":
		return nil
	}
	for word := range strings.SplitSeq(list, ",") {
		kind := speccheck.Kind(strings.TrimSpace(word))
		if !slices.Contains(speccheck.Kinds(), kind) {
			return fmt.Errorf("want some of %s, or all, or none", join(speccheck.Kinds()))
		}
		c.failing = append(c.failing, kind)
	}
	return nil
}

func join(kinds []speccheck.Kind) string {
	var words []string
	for _, kind := range kinds {
		words = append(words, string(kind))
	}
	return strings.Join(words, ",")
}

// run validates what the flags select, writes the report, and returns the exit status. If it returns an
// error, the status is that of the command if the command failed, and exitOK otherwise.
func (c *config) run(p *process) (status int, err error) {
	checker, err := c.newChecker()
	if err != nil {
		return exitOK, err
	}
	r := &report{failing: c.failing}
	switch {
	case c.har != "":
		err = c.checkHAR(checker, p.stdin, r)
	case c.listen != "":
		status, err = c.checkProxied(checker, p, r)
	default:
		err = c.checkBody(checker, p.stdin, r)
	}
	if err == nil {
		err = c.write(r, p.stdout)
	}
	if status == exitOK && r.Failed && err == nil {
		status = exitViolations
	}
	return status, err
}

func (c *config) newChecker() (*speccheck.Checker, error) {
	options := []speccheck.Option{speccheck.WithMaxBody(c.maxBody)}
	if c.spec == "" {
		return speccheck.New(options...)
	}
	document, err := os.ReadFile(c.spec)
	if err != nil {
		return nil, err
	}
	checker, err := speccheck.New(append(options, speccheck.WithSpec(document))...)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", c.spec, strings.TrimPrefix(err.Error(), "speccheck: "))
	}
	return checker, nil
}

func (c *config) checkBody(checker *speccheck.Checker, stdin io.Reader, r *report) error {
	if !slices.Contains(checker.Operations(), c.operation) {
		return fmt.Errorf("-operation %s: not in the contract, which has %s", c.operation, strings.Join(checker.Operations(), ", "))
	}
	body, err := read(c.file, stdin)
	if err != nil {
		return err
	}
	r.add(exchange{File: name(c.file), Operation: c.operation}, checker.CheckResponse(c.operation, c.status, c.contentType, body))
	return nil
}

// write writes the report to the file of -output, or to stdout.
func (c *config) write(r *report, stdout io.Writer) error {
	var text strings.Builder
	if err := formats[c.format](&text, r); err != nil {
		return err
	}
	if c.output != "" {
		return os.WriteFile(c.output, []byte(text.String()), 0o644)
	}
	if _, err := io.WriteString(stdout, text.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func read(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return text, nil
	}
	return os.ReadFile(file)
}

// name returns the name of a file for messages.
func name(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}
