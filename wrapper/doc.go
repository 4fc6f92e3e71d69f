// Package orgkeys is a client for the keys of an OpenAI organization: it lists and creates admin
// keys, retrieves, updates and deletes project keys, and lists and creates service accounts.
//
//	client, err := orgkeys.NewClient() // authenticates with OPENAI_ADMIN_KEY
//	...
//	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
//		...
//	}
//
// The import path ends in wrapper; the name of the package is orgkeys.
//
// # Promises
//
// One call mints at most one key. A create is retried only if the API refused it (429) or if
// nothing was sent. Whatever else may have created a key ends the call with an
// [*UnknownOutcomeError], and FindCreated looks for what was created.
//
// A secret is never printed. The value of a new key is a [Secret]: only its Reveal method returns
// it, and formatting, logging or encoding it yields "[redacted]". Errors and log records contain
// no key, body or header, and keys that a server quotes in a message are redacted.
//
// Garbage is never a key. A response is returned only if it satisfies the contract, the OpenAPI
// document in api/openapi.yaml, down to each required property, type and constant. Otherwise
// there is a [*ResponseError] with a JSON pointer to the invalid value. Unknown properties and
// unknown enum values are accepted. A call returns either a result or an error.
//
// A list is whole or an error. All ends without an error only if the last response has
// has_more: false.
//
// Bulk work finishes, at the API's own pace. See Rate limits below.
//
// # Errors
//
//   - [*APIError]: a non-2xx response. errors.Is matches [ErrUnauthorized], [ErrForbidden],
//     [ErrNotFound], [ErrConflict], [ErrRateLimited] and [ErrBadRequest].
//   - [*ResponseError]: a 2xx response that violates the contract.
//   - [*UnknownOutcomeError]: a create that may or may not have happened. It wraps one of the
//     other two, or a transport error.
//   - [ErrNotSent] matches every error of a call that sent nothing, [ErrInvalidArgument] among
//     them.
//
// Any other error is a transport error or the end of a context. errors.Is and errors.As find its
// cause, whose own text is not redacted.
//
// # Retries
//
// A call makes up to four attempts of at most 30 seconds each.
//
//   - Reads, deletes and updates are retried after a transport error, an attempt's timeout, an
//     incomplete body, and the statuses 408, 429, 500, 502, 503 and 504. A delete that finds no
//     key after an ambiguous attempt has succeeded.
//   - Creates are retried after a 429, and if nothing was sent.
//   - Waits are exponential backoff with full jitter, starting at 500 ms. Retry-After and
//     retry-after-ms take precedence; a wait of more than 90 seconds ends the call.
//
// [WithRetry] and [WithAttemptTimeout] change the numbers. The context limits the whole call and
// ends a wait at once.
//
// # Rate limits
//
// The API limits each operation, at rates that are not documented. The calls of a client share one
// gate for each operation. It is open until the first 429. Then calls wait in order of arrival while
// one request at a time probes, after the time that the server gave (Retry-After, retry-after-ms,
// x-ratelimit-*) or with backoff. After a success, requests are sent evenly at the rate that the
// server granted; a 429 lowers the rate, and successes raise it. A call whose deadline is before its
// turn fails at once. Waiting uses up no attempt. A 429 does so only if its code is
// insufficient_quota, if nothing was granted for three minutes, or after 20 for one call; after eight
// such 429s in a row, the waiting calls fail with [ErrRateLimited]. [WithRateLimit] sets an upper
// bound, and [Client.RateLimit] returns the rate and the next turn.
//
// # Metadata
//
// [WithCallInfo] returns a context that makes a call report its request id, status, attempts and
// waiting time, whether it succeeds or fails. [WithHeader] adds a header field. [WithLogger] logs
// one record for each attempt.
//
// # Where a key may travel
//
// The base URL is https, or http to a loopback host. No redirect is followed, and no cookie is
// sent. Ids that a URL could interpret as another path, and keys in place of ids, are refused
// before anything is sent. At most 8 MiB of a response are read, compressed or not. A proxy from
// the environment is used like net/http uses it.
//
// # Testing
//
// Package orgkeystest is a stateful fake of the API with fault injection, for tests of programs
// that use this package.
package orgkeys
