// Package demo lets the examples be tried without a key, on a fake of the API.
package demo

import (
	"fmt"
	"io"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const adminKey = "OPENAI_ADMIN_KEY"

// Wanted reports whether env has no admin key, so that there is but the fake to work on.
func Wanted(env func(string) string) bool { return env(adminKey) == "" }

// Connect returns a client of the API that signs with OPENAI_ADMIN_KEY. Where env has none, it
// says so on stderr and returns a client of the fake that start starts, and the fake itself,
// which the caller closes. A program of your own needs nothing but orgkeys.NewClient, which
// reads the environment by itself.
func Connect(env func(string) string, stderr io.Writer, start func() *orgkeystest.Server, options ...orgkeys.Option) (*orgkeys.Client, *orgkeystest.Server, error) {
	if !Wanted(env) {
		options = append(options, orgkeys.WithAdminKey(env(adminKey)))
		if base := env("OPENAI_BASE_URL"); base != "" {
			options = append(options, orgkeys.WithBaseURL(base))
		}
		client, err := orgkeys.NewClient(options...)
		return client, nil, err
	}
	fmt.Fprintln(stderr, adminKey+" is not set: this is a demonstration on a fake of the API.")
	fake := start()
	client, err := orgkeys.NewClient(append(options,
		orgkeys.WithAdminKey(fake.AdminKey),
		orgkeys.WithBaseURL(fake.URL),
		orgkeys.WithHTTPClient(fake.Client()),
	)...)
	return client, fake, err
}
