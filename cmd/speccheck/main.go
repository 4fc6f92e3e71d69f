// Command speccheck tells whether recorded answers of the API are what its contract says. It
// is for CI in any language: it reads a response body or a HAR file, writes what it finds for
// people or machines, and ends with a status that CI understands. See speccheck -h.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

const usage = `speccheck tells whether recorded answers of the API are what its contract says.

  speccheck [flags] -operation ID [-status N] FILE    one response body
  speccheck [flags] -har FILE                         the exchanges of a HAR file

FILE is - for standard input. A HAR file is what browsers, proxies such as mitmproxy
and load tests export. Those of its exchanges whose path ends in one of the contract's
are checked, request and response, at any host unless -base-url says which; the others
are counted and skipped.

  speccheck -operation retrieve-project-api-key -status 200 response.json
  curl -s … | speccheck -operation admin-api-keys-list -
  speccheck -har traffic.har -format junit > speccheck.xml

Kinds of what is found, for -fail:

  body                 a response body breaks the contract
  request              a parameter or the body of a request does
  status               a status below 400 is not documented
  undocumented-status  an error status, such as 401, 404, 429 or 5xx, is not documented
  content-type         a response has another content type than documented
  operation            the contract has the path, and not the method
  unchecked            something could not be judged: a body is too large or is not in
                       the HAR file

All of them fail but undocumented-status, which is noted: contracts seldom list every
error, and such answers are no broken ones.

Nothing that was sent is printed: no value, id, header or URL. The exit status is 0 if
nothing failed, 1 if something did, and 2 if speccheck could not do its work: wrong
flags, a file that cannot be read, an invalid contract, or a HAR file with no exchange
of the contract's.

Operations of the contract, unless -spec says otherwise:

  %s

Flags:
`

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

const (
	clean  = 0
	failed = 1
	broken = 2
)

// settings are the flags.
type settings struct {
	operation, contentType string
	status                 int
	har                    string
	baseURLs               string
	spec                   string
	maxBody                int64
	format, fail           string
	file                   string // the argument
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s, flags := newFlags()
	switch err := parse(s, flags, args); {
	case errors.Is(err, flag.ErrHelp):
		return help(flags, stdout, stderr)
	case err != nil:
		fmt.Fprintf(stderr, "speccheck: %v\nspeccheck -h explains the flags.\n", err)
		return broken
	}
	found, err := s.check(stdin)
	if err != nil {
		fmt.Fprintf(stderr, "speccheck: %s\n", strings.TrimPrefix(err.Error(), "speccheck: "))
		return broken
	}
	if err := formats[s.format](stdout, found); err != nil {
		fmt.Fprintf(stderr, "speccheck: write the result: %v\n", err)
		return broken
	}
	if found.Failed {
		return failed
	}
	return clean
}

func help(flags *flag.FlagSet, stdout, stderr io.Writer) int {
	checker, err := speccheck.New()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return broken
	}
	fmt.Fprintf(stdout, usage, strings.Join(checker.Operations(), "\n  "))
	flags.SetOutput(stdout)
	flags.PrintDefaults()
	return clean
}

func newFlags() (*settings, *flag.FlagSet) {
	s := &settings{}
	flags := flag.NewFlagSet("speccheck", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.operation, "operation", "", "check one response body, of the operation with this `id`")
	flags.IntVar(&s.status, "status", http.StatusOK, "the `status` that the response body came with")
	flags.StringVar(&s.contentType, "content-type", "application/json", "the content `type` that the response body came with")
	flags.StringVar(&s.har, "har", "", "check the exchanges of a HAR `file`")
	flags.StringVar(&s.baseURLs, "base-url", "", "check only exchanges below these `URLs`, a comma between them, such as\nhttps://api.openai.com/v1")
	flags.StringVar(&s.spec, "spec", "", "the contract, an OpenAPI 3 `file` in YAML or JSON (default: the one of orgkeys)")
	flags.Int64Var(&s.maxBody, "max-body", speccheck.DefaultMaxBody, "the largest body to judge, in `bytes`")
	flags.StringVar(&s.format, "format", "text", "`text`, json, github (workflow annotations) or junit")
	flags.StringVar(&s.fail, "fail", join(speccheck.FailingKinds()), "the `kinds` that fail, a comma between them; all, or none")
	return s, flags
}

func join(kinds []speccheck.Kind) string {
	var words []string
	for _, kind := range kinds {
		words = append(words, string(kind))
	}
	return strings.Join(words, ",")
}

func parse(s *settings, flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, ok := formats[s.format]; !ok {
		return fmt.Errorf("there is no format %q", s.format)
	}
	if _, err := kinds(s.fail); err != nil {
		return err
	}
	switch {
	case s.har != "" && s.operation != "":
		return errors.New("-operation is for one response body, -har for a file of exchanges: give one of them")
	case s.har != "" && flags.NArg() > 0:
		return fmt.Errorf("one file at a time: %q is behind -har %q", flags.Arg(0), s.har)
	case s.har != "":
	case s.operation == "":
		return errors.New("say what to check: -operation ID FILE, or -har FILE")
	case flags.NArg() != 1:
		return fmt.Errorf("-operation wants one file, or - for standard input, behind the flags: there are %d", flags.NArg())
	}
	s.file = flags.Arg(0)
	return nil
}

// kinds reads the value of -fail.
func kinds(list string) ([]speccheck.Kind, error) {
	switch list {
	case "all":
		return speccheck.Kinds(), nil
	case "none":
		return nil, nil
	}
	var chosen []speccheck.Kind
	for word := range strings.SplitSeq(list, ",") {
		kind := speccheck.Kind(strings.TrimSpace(word))
		if !slices.Contains(speccheck.Kinds(), kind) {
			return nil, fmt.Errorf("there is no kind %q: choose from %s, all, none", kind, join(speccheck.Kinds()))
		}
		chosen = append(chosen, kind)
	}
	return chosen, nil
}

// check does what the flags say.
func (s *settings) check(stdin io.Reader) (*report, error) {
	options := []speccheck.Option{speccheck.WithMaxBody(s.maxBody)}
	if s.spec != "" {
		document, err := os.ReadFile(s.spec)
		if err != nil {
			return nil, err
		}
		options = append(options, speccheck.WithSpec(document))
	}
	checker, err := speccheck.New(options...)
	if err != nil {
		return nil, err
	}
	failing, err := kinds(s.fail)
	if err != nil {
		return nil, err
	}
	r := &report{failing: failing}
	if s.har != "" {
		return r, s.checkHAR(checker, stdin, r)
	}
	if !slices.Contains(checker.Operations(), s.operation) {
		return nil, fmt.Errorf("the contract has no operation %q: it has %s", s.operation, strings.Join(checker.Operations(), ", "))
	}
	body, err := read(s.file, stdin)
	if err != nil {
		return nil, err
	}
	r.add(exchange{File: s.file, Operation: s.operation}, checker.CheckResponse(s.operation, s.status, s.contentType, body))
	return r, nil
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
