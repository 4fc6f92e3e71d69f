package bench

import (
	"context"
	"net/http"
	"time"

	"github.com/orgkeys/orgkeys-go/bench/responses"
)

// timeout is the hand-written client's for a call, and orgkeys' default for an attempt.
const timeout = 30 * time.Second

// contender is a client of the API that is measured. Its methods call the client as a program
// would, and return the client's own types.
type contender interface {
	get(ctx context.Context, keyID string) (any, error)
	create(ctx context.Context) (any, error)
	page(ctx context.Context, after string) (any, error)
	// iterate iterates over all admin keys and returns totals of them. It calls visit, unless
	// that is nil, with each key in the common form.
	iterate(ctx context.Context, visit func(responses.AdminKey)) (totals, error)

	// common converts a result of the methods above to the types of package responses, for the
	// comparison of results, which is not timed.
	common(result any) any
	// apiError converts an error to the common form. It returns false for an error that is not
	// an error response.
	apiError(err error) (responses.Error, bool)
}

// totals are the results of an iteration.
type totals struct {
	keys      int
	named     int   // keys with a name
	createdAt int64 // sum of the creation times
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
