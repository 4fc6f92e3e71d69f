package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

const usage = `orgkeys-fake serves a fake of the OpenAI API for the keys of an organization, on
loopback, for tests of programs in any language.

  orgkeys-fake [flags] -- command [arguments]

    runs the command with OPENAI_BASE_URL and OPENAI_ADMIN_KEY set, forwards SIGINT, SIGTERM and
    SIGHUP to it, and exits with its exit status: 128 plus the number of the signal if a signal
    ended it, 127 if the command does not exist, and 126 if it cannot be executed.

  orgkeys-fake [flags]

    prints the two variables for a shell and serves until it is interrupted. In the background:

      orgkeys-fake -env fake.env &
      until [ -e fake.env ]; do sleep 0.1; done
      . ./fake.env
      curl -H "Authorization: Bearer $OPENAI_ADMIN_KEY" "$OPENAI_BASE_URL/organization/admin_api_keys"

The exit status is 2 if a flag is invalid, and 1 if the fake itself fails. When the fake exits, it
reports on standard error the number of requests, the requests that violated the contract or that
the fake does not implement, and the faults that applied to no request. The contract is the OpenAPI
document api/openapi.yaml of orgkeys. The response to a request that violates it is a 400, and the
response to another operation of the API is a 501. The admin key is generated at the start. It is
printed, since no other server accepts it.

The fake keeps its state in memory. It starts with:

%s
Flags:

%s
A fault is OPERATION:ITEM[,ITEM]... where OPERATION is an operationId, such as
delete-project-api-key, or * for all operations. ITEM is one of

  a status      the status of the response, such as 500; the operation is not performed, unless
                there is also "after"
  drop          the connection is closed without a response
  reset         the connection is reset without a response
  truncate=N    the connection is closed after N bytes of the body
  stall=N       nothing is sent after N bytes of the body
  after         the operation is performed before the fault takes effect
  delay=D       the fake waits, for example 1.5s, before it performs the operation or, with
                "after", before it responds
  retry-after=N the response has a Retry-After header of N seconds
  times=N       the fault applies to N requests instead of one, or to all with times=all
  skip=N        the fault does not apply to the first N requests
  chance=P      the fault applies to a request with the probability P, from 0 to 1

At most one fault applies to a request: the first one in the order of the flags that matches. This
example tests how a program deletes 500 leaked keys at 8 deletes a minute, where three of the
deletes are performed but get a 500:

  orgkeys-fake -keys 500 -rate-limit 8 -fault 'delete-project-api-key:500,after,times=3' -- npm test
`

// config is the command line.
type config struct {
	help    string // if not empty, the program prints it and exits
	addr    *net.TCPAddr
	env     string
	keys    int
	limit   orgkeystest.RateLimit
	faults  []orgkeystest.Fault
	options []orgkeystest.Option
	command []string
}

// parse reads the command line.
func parse(args []string) (config, error) {
	var c config
	flags := flag.NewFlagSet("orgkeys-fake", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	addr := flags.String("addr", "127.0.0.1:0", "the loopback `address` to listen on; port 0 is any free one")
	flags.StringVar(&c.env, "env", "", "write the two variables to a new `file` with mode 0600 as soon as requests are accepted, and remove it on exit")
	flags.IntVar(&c.keys, "keys", 0, "add `n` keys, key_1 to key_n, to the project, and n admin keys")
	flags.IntVar(&c.limit.PerMinute, "rate-limit", 0, "limit each operation to `n` requests a minute and respond to others with a 429; 0 is no limit")
	flags.Func("rate-limit-window", "how requests are counted: `bucket` (the default), sliding or fixed", func(name string) (err error) {
		c.limit.Algorithm, err = parseWindow(name)
		return err
	})
	flags.BoolVar(&c.limit.RetryAfter, "retry-after", false, "add Retry-After to each 429 of the rate limit")
	lifetime := flags.Duration("max-key-lifetime", 0, "refuse to create or update project keys that do not expire within this `duration`, such as 720h")
	older := flags.Bool("older", false, "behave like the API of mid 2026: without updates, expirations and deletion of a service account's key")
	flags.Func("fault", "inject a `fault`, as described below; may be given more than once", func(spec string) error {
		f, err := parseFault(spec)
		c.faults = append(c.faults, f)
		return err
	})

	err := flags.Parse(args)
	switch rest := flags.Args(); {
	case errors.Is(err, flag.ErrHelp):
		var all strings.Builder
		flags.SetOutput(&all)
		flags.PrintDefaults()
		return config{help: fmt.Sprintf(usage, contents(0), all.String())}, nil
	case err != nil:
		return c, err
	case len(rest) > 0 && (len(rest) == len(args) || args[len(args)-len(rest)-1] != "--"):
		return c, fmt.Errorf("unexpected argument %q: put -- in front of a command", rest[0])
	case len(rest) == 0 && len(args) > 0 && args[len(args)-1] == "--":
		return c, errors.New("no command after --")
	case c.keys < 0:
		return c, fmt.Errorf("-keys %d is negative", c.keys)
	case c.limit.PerMinute < 0:
		return c, fmt.Errorf("-rate-limit %d is negative", c.limit.PerMinute)
	case c.limit.PerMinute == 0 && c.limit != (orgkeystest.RateLimit{}):
		return c, errors.New("-rate-limit-window and -retry-after require -rate-limit")
	case *lifetime != 0 && *lifetime < time.Second:
		return c, fmt.Errorf("-max-key-lifetime %s is less than a second", *lifetime)
	case *lifetime != 0 && *older:
		return c, errors.New("-max-key-lifetime and -older exclude each other: older servers do not support expirations")
	default:
		c.command = rest
	}
	if *lifetime != 0 {
		c.options = append(c.options, orgkeystest.WithMaxKeyLifetime(*lifetime))
	}
	if *older {
		c.options = append(c.options, orgkeystest.WithOlderServer())
	}
	c.addr, err = parseAddr(*addr)
	return c, err
}

// parseAddr returns an error for an address that other hosts can reach.
func parseAddr(addr string) (*net.TCPAddr, error) {
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if !at.IP.IsLoopback() {
		return nil, fmt.Errorf("-addr %s is not a loopback address such as 127.0.0.1:8080", addr)
	}
	return at, nil
}

func parseWindow(name string) (orgkeystest.RateLimitAlgorithm, error) {
	switch name {
	case "bucket":
		return orgkeystest.TokenBucket, nil
	case "sliding":
		return orgkeystest.SlidingWindow, nil
	case "fixed":
		return orgkeystest.FixedWindow, nil
	}
	return 0, errors.New("want bucket, sliding or fixed")
}

// parseFault parses a fault in the form that usage describes.
func parseFault(spec string) (f orgkeystest.Fault, err error) {
	operation, items, ok := strings.Cut(spec, ":")
	if !ok || operation == "" || items == "" {
		return f, errors.New("want OPERATION:ITEM[,ITEM]")
	}
	if operation != "*" {
		f.Operation = operation
	}
	seen := map[string]bool{}
	for item := range strings.SplitSeq(items, ",") {
		name, value, hasValue := strings.Cut(item, "=")
		if n, err := strconv.Atoi(name); err == nil && !hasValue {
			name, f.Status = "status", n
		} else if known, err := setItem(&f, name, value); !known || hasValue != (value != "") || (value != "") != takesValue[name] {
			return f, fmt.Errorf("unknown item %q", item)
		} else if err != nil {
			return f, fmt.Errorf("item %q: %w", item, err)
		}
		if seen[name] {
			return f, fmt.Errorf("item %q occurs twice", name)
		}
		seen[name] = true
	}
	switch {
	case seen["status"] && f.Status == 0:
		return f, errors.New("0 is not a status")
	case f.Status == 0 && !f.Drop && f.TruncateAt == nil && f.StallAt == nil && f.Delay == 0:
		return f, errors.New("the fault has no effect: add a status, drop, reset, truncate, stall or delay")
	}
	return f, f.Validate()
}

// takesValue contains the items of a fault that have a value.
var takesValue = map[string]bool{
	"truncate": true, "stall": true, "delay": true, "retry-after": true, "times": true, "skip": true, "chance": true,
}

func setItem(f *orgkeystest.Fault, name, value string) (known bool, err error) {
	switch name {
	case "after":
		f.AfterWork = true
	case "drop":
		f.Drop = true
	case "reset":
		f.Drop, f.Reset = true, true
	case "truncate":
		f.TruncateAt, err = number(value)
	case "stall":
		f.StallAt, err = number(value)
	case "delay":
		f.Delay, err = time.ParseDuration(value)
	case "retry-after":
		_, err = number(value)
		f.Header = http.Header{"Retry-After": {value}}
	case "times":
		var n *int
		if value == "all" {
			f.Times = -1
		} else if n, err = number(value); err == nil && *n == 0 {
			err = errors.New("want a number greater than 0")
		} else if err == nil {
			f.Times = *n
		}
	case "skip":
		var n *int
		if n, err = number(value); err == nil {
			f.Skip = *n
		}
	case "chance":
		f.Chance, err = strconv.ParseFloat(value, 64)
		if err == nil && !(f.Chance > 0 && f.Chance <= 1) {
			err = errors.New("want a number greater than 0, up to 1")
		}
	default:
		return false, nil
	}
	return true, err
}

func number(text string) (*int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, errors.New("want a whole number")
	}
	return new(int(n)), nil
}
