// Package orgkeys works with the keys of an OpenAI organization: it lists and mints admin
// keys, reads and revokes project keys, and lists and creates service accounts.
//
//	client, err := orgkeys.NewClient() // signs with OPENAI_ADMIN_KEY
//	...
//	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
//		...
//	}
//
// The import path ends in wrapper, the package is called orgkeys.
//
// # Promises
//
// One call mints at most one key. A create is sent again only where the API refused it (429)
// or no connection came about. Whatever may have minted a key ends the call with an
// [*UnknownOutcomeError], and FindCreated looks for what it made.
//
// A secret is never printed. The value of a new key is a [Secret]: only Reveal shows it, and
// formatting, logging or encoding it, or anything that holds it, gives "[redacted]". Errors
// and log records hold no key, no body, no header, and what a server quotes of a key is
// masked.
//
// Garbage is never a key. An answer is returned only if it is what the contract promises,
// down to each required property, type and constant; else there is a [*ResponseError] that
// says where it is not. Unknown properties and unknown values of an enum pass. A result never
// comes beside an error, nor a nil error with a zero result.
//
// A list is whole or an error. All ends where the API says that the list does; whatever else
// ends it is an error.
//
// # Errors
//
//   - [*APIError]: the API said no. errors.Is knows [ErrUnauthorized], [ErrForbidden],
//     [ErrNotFound], [ErrConflict], [ErrRateLimited] and [ErrBadRequest].
//   - [*ResponseError]: the API said yes and sent what the contract does not allow.
//   - [*UnknownOutcomeError]: a create that may or may not have happened. It wraps one of the
//     other two, or the failure of the transport.
//
// Any other error means that there was no answer, or that nothing was sent: an argument that
// can't be right ([ErrInvalidArgument]), an admin key source that failed, a network that did, a context that ended.
// errors.Is and errors.As find its cause, whose own text is not masked.
//
// # Retries
//
// A call makes up to four attempts, of 30 seconds each at most.
//
//   - Reads and revokes are tried again after a failure of the transport, an attempt's
//     timeout, an answer cut short, and the statuses 408, 429, 500, 502, 503 and 504. A revoke
//     that finds nothing after an attempt whose outcome was unclear has succeeded.
//   - Creates are tried again after a 429 and after a failure to connect, never else.
//   - Waits double from 500 ms, each picked at random below that. A server's Retry-After or
//     retry-after-ms takes their place, and one of more than 90 seconds ends the call. A 429
//     that does not say how long, as the live API's, is waited out for one to two minutes in
//     all. "x-should-retry: false" ends the call.
//
// [WithRetry] and [WithAttemptTimeout] change the numbers, the context limits the whole call
// and ends a wait at once. [WithRateLimit] keeps a bulk job from running into 429 at all.
//
// # Where a key may travel
//
// The base URL is https, or http to a loopback host. No redirect is followed and no cookie
// sent. Ids that a URL could take for something else are refused, and so is the value of a
// key in the place of an id. At most 8 MiB of an answer are read, compressed or not. A proxy
// from the environment is used as net/http uses it.
//
// # Testing
//
// Package orgkeystest has a stateful fake of the API, with faults on request, for the tests
// of programs that use this package.
package orgkeys
