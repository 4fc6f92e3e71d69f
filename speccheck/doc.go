// Package speccheck validates HTTP traffic against a contract: an OpenAPI document that describes
// the requests and responses of an API. The contract is that of this module, api/openapi.yaml,
// unless [WithSpec] sets another one. Package speccheck takes exchanges, each a request and its
// response, and reports every violation of the contract.
//
// # In a test
//
// The shortest use is a RoundTripper under the HTTP client of an integration test, whichever
// SDK uses that client. The test fails if a request or a response violates the contract:
//
//	client := &http.Client{Transport: speccheck.ForTest(t, http.DefaultTransport)}
//
// The RoundTripper changes neither requests nor responses. The client receives a response as it
// arrives, and the response is validated when the client has read it. [Checker.Transport] takes
// any report function, such as one that counts or logs.
//
// [Checker.Check] validates an exchange that was recorded, and [Checker.CheckResponse] a response
// body without its request. The command cmd/speccheck does the same for files, and as a proxy,
// in CI for any language.
//
// # What is reported
//
// Each violation is a [Violation] of one [Kind]:
//
//   - "body": a response body that violates its schema: a required property is missing, a value
//     has the wrong type, is null where null is not allowed, is not the constant or in the enum,
//     or is outside a limit. Faults that no schema covers are of this kind, too: a body that is
//     not JSON, text that is not UTF-8, a duplicate property, data after the JSON document.
//   - "request": the same for the body of a request, and for its path, query, header and cookie
//     parameters.
//   - "status": a status below 400 that is not documented.
//   - "undocumented-status": an error status that is not documented. Contracts seldom list
//     401, 404, 429 or 5xx, and all of them happen, so this kind does not fail a test or a run
//     unless the caller chooses it. The body of such a response is not validated.
//   - "content-type": a response with a content type that is not documented.
//   - "operation": a request that matches no operation.
//   - "unchecked": something that could not be validated, such as a truncated body.
//
// Not reported: properties and query parameters that the contract does not list, since servers
// add new ones; formats such as "unixtime", which are annotations; response headers; credentials,
// or their absence. An enum value that the contract does not list is reported, although the
// client of this module accepts it: the contract should be extended.
//
// Numbers are compared by value, as JSON Schema requires: 1711471533.0 and 1.711471533e9 are
// integers. A HEAD request is validated as a GET, and its response by the status alone.
//
// # Secrets
//
// Responses of this API contain keys. A [Violation] quotes the contract and never the traffic: it
// contains no value, no id, no header, and no property name that is not in the contract. It is
// safe to print, log and encode.
//
// # Matching
//
// The operation is found by the end of the URL's path, so that
// https://api.openai.com/v1/organization/admin_api_keys and a proxy's
// http://localhost:8080/openai/organization/admin_api_keys match the same one. The host is
// ignored. If several paths of the contract match, the operation is that of the longest path, and
// among those of the path with the fewest parameters.
//
// # Limits
//
// A body of more than [DefaultMaxBody] bytes, unless [WithMaxBody] sets another limit, is passed
// on and reported as unchecked. Each body is kept in memory up to that limit while it is read.
// At most [MaxViolations] are reported for one body. A [Checker] is safe for concurrent use.
package speccheck
