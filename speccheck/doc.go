// Package speccheck tells whether what an API sends is what its contract says. It reads real
// exchanges, requests and responses, and reports each violation of the OpenAPI document in
// api/openapi.yaml, or of another one.
//
// # Under a client
//
// The shortest way is a RoundTripper under the HTTP client of an integration test, whatever
// SDK is on top of it. The test fails when the server and the contract disagree:
//
//	client := &http.Client{Transport: speccheck.ForTest(t, http.DefaultTransport)}
//
// The RoundTripper only looks on. Responses reach the client unchanged and piece by piece, and
// are judged when the client has read them. [Checker.Transport] says more, and takes any report
// function, such as one that counts or logs.
//
// Exchanges that were recorded elsewhere go through [Checker.Check], and a response body alone
// through [Checker.CheckResponse]. The command cmd/speccheck does the same for files, for CI in
// any language.
//
// # What is reported
//
// Every violation of an exchange, each as a [Violation] of one [Kind]:
//
//   - "body": a response body that breaks its schema: a required property is missing, a value
//     has another type, a null is where none may be, a constant or an enum has another value,
//     a limit does not hold. Also what no schema sees: text that is no JSON or no UTF-8, a name
//     that occurs twice in an object, data behind the document.
//   - "request": the same for the request's body, and for its path, query, header and cookie
//     parameters.
//   - "status": a status below 400 that is not documented.
//   - "undocumented-status": an error status that is not documented. Contracts seldom list
//     401, 404, 429 or 5xx, and all of them happen, so this kind is a note and no failure
//     unless a caller chooses otherwise. The body behind it is not judged.
//   - "content-type": a response of another content type than documented.
//   - "operation": a request that no operation covers.
//   - "unchecked": something that could not be judged, so that nobody takes it for checked.
//
// Not reported: properties and query parameters that the contract does not mention, since
// servers grow; formats such as "unixtime", which are for people; response headers;
// credentials, or the lack of them. An enum value that the contract does not list is reported,
// although the client of this module lets it pass: the contract should learn of it.
//
// # Secrets
//
// Answers of this API hold keys. A [Violation] quotes the contract and never the exchange: it
// holds no value, no id, no header, and no member name that the contract does not know. It can
// be printed, logged or encoded as it is.
//
// # Which operation
//
// The operation is found by the end of the URL's path, so that
// https://api.openai.com/v1/organization/admin_api_keys and a proxy's
// http://localhost:8080/openai/organization/admin_api_keys are the same. The host is not
// looked at. Where several paths of a contract fit, the longest is meant, and a literal segment
// rather than a parameter.
//
// # Limits
//
// A body of more than [DefaultMaxBody] bytes, unless [WithMaxBody] says otherwise, is passed on
// and reported as unchecked. Up to that much of each body is held in memory while it is read. A
// [Checker] is made once and may be used by any number of goroutines.
package speccheck
