package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	cases := map[string]struct {
		args    []string
		limit   orgkeystest.RateLimit
		options int
		command []string
	}{
		"nothing":           {},
		"a command":         {args: []string{"--", "npm", "test"}, command: []string{"npm", "test"}},
		"flags":             {args: []string{"-rate-limit", "8", "--", "npm", "test"}, limit: orgkeystest.RateLimit{PerMinute: 8}, command: []string{"npm", "test"}},
		"flags of commands": {args: []string{"--", "npm", "-addr", ":0", "--", "x"}, command: []string{"npm", "-addr", ":0", "--", "x"}},
		"bucket":            {args: []string{"-rate-limit=8", "-rate-limit-window=bucket"}, limit: orgkeystest.RateLimit{PerMinute: 8}},
		"sliding":           {args: []string{"-rate-limit-window", "sliding", "-rate-limit", "8"}, limit: orgkeystest.RateLimit{PerMinute: 8, Algorithm: orgkeystest.SlidingWindow}},
		"fixed, with hints": {args: []string{"-rate-limit-window", "fixed", "-rate-limit", "8", "-retry-after"}, limit: orgkeystest.RateLimit{PerMinute: 8, Algorithm: orgkeystest.FixedWindow, RetryAfter: true}},
		"an older server":   {args: []string{"-older"}, options: 1},
		"a lifetime":        {args: []string{"-max-key-lifetime", "720h"}, options: 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parse(c.args)
			require.NoError(t, err)
			assert.Equal(t, c.limit, got.limit)
			assert.Len(t, got.options, c.options)
			assert.ElementsMatch(t, c.command, got.command)
			assert.True(t, got.addr.IP.IsLoopback())
		})
	}
}

func TestParse_RejectsInvalidArguments(t *testing.T) {
	cases := map[string]struct {
		args []string
		text string
	}{
		"all interfaces":              {[]string{"-addr", ":8080"}, "not a loopback address"},
		"all interfaces, named":       {[]string{"-addr", "0.0.0.0:8080"}, "not a loopback address"},
		"a public address":            {[]string{"-addr", "192.0.2.1:8080"}, "not a loopback address"},
		"no port":                     {[]string{"-addr", "127.0.0.1"}, "missing port"},
		"negative limit":              {[]string{"-rate-limit", "-1"}, "-rate-limit -1 is negative"},
		"negative keys":               {[]string{"-keys", "-1"}, "-keys -1 is negative"},
		"an argument":                 {[]string{"serve"}, `unexpected argument "serve": put -- in front of a command`},
		"an argument before --":       {[]string{"-keys", "1", "npm", "--", "test"}, `unexpected argument "npm"`},
		"no command":                  {[]string{"-keys", "1", "--"}, "no command after --"},
		"an unknown flag":             {[]string{"-port", "8080"}, "not defined: -port"},
		"an unknown window":           {[]string{"-rate-limit", "1", "-rate-limit-window", "leaky"}, "want bucket, sliding or fixed"},
		"a window without a limit":    {[]string{"-rate-limit-window", "fixed"}, "require -rate-limit"},
		"a hint without a limit":      {[]string{"-retry-after"}, "require -rate-limit"},
		"a lifetime of no second":     {[]string{"-max-key-lifetime", "10ms"}, "less than a second"},
		"a negative lifetime":         {[]string{"-max-key-lifetime", "-1h"}, "less than a second"},
		"a lifetime on older servers": {[]string{"-max-key-lifetime", "1h", "-older"}, "exclude each other"},
		"a wrong fault":               {[]string{"-fault", "*:503", "-fault", "*:oops"}, `unknown item "oops"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parse(c.args)
			assert.ErrorContains(t, err, c.text)
		})
	}
}

func TestParseFault(t *testing.T) {
	const operation = "delete-project-api-key"
	for spec, want := range map[string]orgkeystest.Fault{
		"delete-project-api-key:500,after,times=3": {Operation: operation, Status: 500, AfterWork: true, Times: 3},
		"*:503":                               {Status: 503},
		"*:drop":                              {Drop: true},
		"*:times=2,drop,after":                {Drop: true, AfterWork: true, Times: 2},
		"delete-project-api-key:reset,skip=2": {Operation: operation, Drop: true, Reset: true, Skip: 2},
		"*:delay=1.5s":                        {Delay: 1500 * time.Millisecond},
		"*:429,retry-after=7,times=all":       {Status: 429, Header: http.Header{"Retry-After": {"7"}}, Times: -1},
		"*:truncate=0":                        {TruncateAt: new(0)},
		"*:stall=10,chance=0.5":               {StallAt: new(10), Chance: 0.5},
		"delete-project-api-key:408,after,delay=1m":     {Operation: operation, Status: 408, AfterWork: true, Delay: time.Minute},
		"admin-api-keys-create:500,truncate=3,chance=1": {Operation: "admin-api-keys-create", Status: 500, TruncateAt: new(3), Chance: 1},
	} {
		got, err := parseFault(spec)
		require.NoError(t, err, spec)
		assert.Equal(t, want, got, spec)
	}
}

func TestParseFault_RejectsInvalidFaults(t *testing.T) {
	for spec, text := range map[string]string{
		"":                          "want OPERATION:ITEM",
		"delete-project-api-key":    "want OPERATION:ITEM",
		"delete-project-api-key:":   "want OPERATION:ITEM",
		":500":                      "want OPERATION:ITEM",
		"delete-key:500":            `the contract has no operation "delete-key"`,
		"*:oops":                    `unknown item "oops"`,
		"*:500,":                    `unknown item ""`,
		"*:500,times":               `unknown item "times"`,
		"*:500,times=":              `unknown item "times="`,
		"*:500,after=":              `unknown item "after="`,
		"*:500,after=1":             `unknown item "after=1"`,
		"*:500=1":                   `unknown item "500=1"`,
		"*:500,503":                 `item "status" occurs twice`,
		"*:drop,drop":               `item "drop" occurs twice`,
		"*:500,times=x":             `item "times=x": want a whole number`,
		"*:500,times=0":             `item "times=0": want a number greater than 0`,
		"*:500,times=-1":            `item "times=-1": want a whole number`,
		"*:500,skip=1.5":            `item "skip=1.5": want a whole number`,
		"*:500,skip=99999999999999": "want a whole number",
		"*:500,chance=2":            "want a number greater than 0, up to 1",
		"*:500,chance=0":            "want a number greater than 0, up to 1",
		"*:500,chance=NaN":          "want a number greater than 0, up to 1",
		"*:500,delay=5":             "missing unit",
		"*:delay=-1s":               "a field is negative",
		"*:429,after":               "AfterWork excludes the status 429",
		"*:101":                     "not the status of a final response",
		"*:0":                       "0 is not a status",
		"*:-1":                      "not the status of a final response",
		"*:drop,500":                "Drop and Raw exclude fields that change the response",
		"*:drop,retry-after=1":      "Drop and Raw exclude fields that change the response",
		"*:truncate=1,stall=1":      "more than one field closes the connection",
		"*:429,retry-after=soon":    "want a whole number",
		"*:after,times=3":           "has no effect",
	} {
		_, err := parseFault(spec)
		assert.ErrorContains(t, err, text, spec)
	}
}
