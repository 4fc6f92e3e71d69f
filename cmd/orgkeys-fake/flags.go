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

const usage = `orgkeys-fake serves a fake of the API on loopback, for tests and clients in any language.

  orgkeys-fake [flags] -- command [arguments]

    runs the command with OPENAI_BASE_URL and OPENAI_ADMIN_KEY set, forwards SIGINT, SIGTERM and
    SIGHUP to it, and ends with its exit status, which is 128 and the signal's number if a signal
    ended it, 127 if there is no such command, and 126 if it cannot be executed.

  orgkeys-fake [flags]

    prints the two variables for a shell and serves until it is interrupted. In the background:

      orgkeys-fake -env fake.env &
      until [ -e fake.env ]; do sleep 0.1; done
      . ./fake.env
      curl -H "Authorization: Bearer $OPENAI_ADMIN_KEY" "$OPENAI_BASE_URL/organization/admin_api_keys"

Invalid flags end with the status 2, and any other failure of the fake itself with 1. At the end it
reports on standard error how many requests there were, which of them violated the contract or are
not operations of the fake, and which faults applied to none. Requests that violate the contract are
refused with a 400, other operations of the live API with a 501. The admin key is generated at the
start and shown on purpose: no other server accepts it.

It starts with this, and keeps what clients do in memory:

%s
Flags:

%s
A fault is OPERATION:ITEM[,ITEM]... where OPERATION is an operationId, or * for all of them, and
ITEM is one of

  a status      the response's status; the operation is not performed, unless there is "after"
  drop          the connection is closed without a response
  reset         the connection is reset without a response
  truncate=N    the connection is closed after N bytes of the body
  stall=N       nothing is sent after N bytes of the body
  after         the operation is performed before the fault takes effect
  delay=D       a time, such as 1.5s, before anything else or, with "after", before the response
  retry-after=N the response has a Retry-After header of N seconds
  times=N       the fault applies to N requests instead of one; "all" is any number
  skip=N        the fault leaves N requests alone first
  chance=P      the fault applies with a probability from 0 to 1

The first fault that is due applies to a request, in the order of the flags. To rehearse a leak
of 500 keys, with a limit of 8 deletes a minute, and a 500 after the work for three of them:

  orgkeys-fake -keys 500 -rate-limit 8 -fault 'delete-project-api-key:500,after,times=3' -- npm test
`

// config is the command line.
type config struct {
	help    string // to be printed, and nothing else to be done
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
	flags.StringVar(&c.env, "env", "", "write the two variables to a new `file` with mode 0600 once requests are accepted, and remove it at the end")
	flags.IntVar(&c.keys, "keys", 0, "add `n` keys, key_1 to key_n, to the project, and n admin keys")
	flags.IntVar(&c.limit.PerMinute, "rate-limit", 0, "refuse more than `n` requests a minute to each operation with a 429; 0 refuses none")
	flags.Func("rate-limit-window", "how requests are counted: `bucket` (the default), sliding or fixed", func(name string) (err error) {
		c.limit.Algorithm, err = parseWindow(name)
		return err
	})
	flags.BoolVar(&c.limit.RetryAfter, "retry-after", false, "add Retry-After to each 429 of the rate limit")
	lifetime := flags.Duration("max-key-lifetime", 0, "refuse project keys without an expiration or with a later one than this `time`, such as 720h")
	older := flags.Bool("older", false, "behave like the API of mid 2026: no updates, no expirations, no deletion of a service account's key")
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
		return c, fmt.Errorf("unexpected argument %q: a command comes after --", rest[0])
	case len(rest) == 0 && len(args) > 0 && args[len(args)-1] == "--":
		return c, errors.New("no command after --")
	case c.keys < 0:
		return c, fmt.Errorf("-keys %d: is negative", c.keys)
	case c.limit.PerMinute < 0:
		return c, fmt.Errorf("-rate-limit %d: is negative", c.limit.PerMinute)
	case c.limit.PerMinute == 0 && c.limit != (orgkeystest.RateLimit{}):
		return c, errors.New("-rate-limit-window and -retry-after need a -rate-limit")
	case *lifetime != 0 && *lifetime < time.Second:
		return c, fmt.Errorf("-max-key-lifetime %s: is less than a second", *lifetime)
	case *lifetime != 0 && *older:
		return c, errors.New("-max-key-lifetime and -older exclude each other: older servers know no lifetime")
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

// parseAddr refuses addresses that other hosts can reach.
func parseAddr(addr string) (*net.TCPAddr, error) {
	at, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if !at.IP.IsLoopback() {
		return nil, fmt.Errorf("-addr %s: not a loopback address such as 127.0.0.1:8080", addr)
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
	return 0, errors.New("not bucket, sliding or fixed")
}

// parseFault reads a fault as usage describes it.
func parseFault(spec string) (f orgkeystest.Fault, err error) {
	operation, items, ok := strings.Cut(spec, ":")
	if !ok || operation == "" || items == "" {
		return f, errors.New("not of the form OPERATION:ITEM[,ITEM]")
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
			return f, fmt.Errorf("item %q is there twice", name)
		}
		seen[name] = true
	}
	switch {
	case seen["status"] && f.Status == 0:
		return f, errors.New("0 is not the status of a response")
	case f.Status == 0 && !f.Drop && f.TruncateAt == nil && f.StallAt == nil && f.Delay == 0:
		return f, errors.New("has no effect: no status, drop, reset, truncate, stall or delay")
	}
	return f, f.Validate()
}

// takesValue are the items with a value.
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
			err = errors.New("is 0")
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
			err = errors.New("not a probability")
		}
	default:
		return false, nil
	}
	return true, err
}

func number(text string) (*int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, errors.New("not a number")
	}
	return new(int(n)), nil
}
