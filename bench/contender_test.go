package bench

import (
	"context"
	"net/http"

	"github.com/orgkeys/orgkeys-go/bench/responses"
)

// contender is a client of the API. Its methods do what a program that uses the client does,
// and hand back the client's own values; view brings one of those to the common form, for the
// comparison of results, which is not timed.
type contender interface {
	get(ctx context.Context, keyID string) (any, error)
	create(ctx context.Context) (any, error)
	page(ctx context.Context, after string) (any, error)
	// iterate goes over all admin keys. It adds up what it sees of them, and shows each to
	// visit where that is not nil.
	iterate(ctx context.Context, visit func(responses.AdminKey)) (seen, error)
	view(result any) any
	refusal(err error) (responses.Refusal, bool)
}

// seen is what an iteration has found.
type seen struct {
	keys, named int
	created     int64
}

var contenders = []struct {
	name string
	make func(baseURL string, transport http.RoundTripper) (contender, error)
}{
	{"hand-written", newHand},
	{"orgkeys", newOrgkeys},
	{"vanilla", newVanilla},
	{"official", newOfficial},
}
