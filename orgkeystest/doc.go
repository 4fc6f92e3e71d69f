// Package orgkeystest is a fake of the OpenAI administration API for tests. It serves the seven
// operations of package orgkeys on the loopback interface, keeps state in memory, and injects
// faults. Any client can call it. With package orgkeys, a test looks like this:
//
//	func TestProvision(t *testing.T) {
//		fake := orgkeystest.New(t)
//		fake.AddProject("proj_1")
//		client, err := orgkeys.NewClient(
//			orgkeys.WithBaseURL(fake.URL),
//			orgkeys.WithAdminKey(fake.AdminKey),
//			orgkeys.WithHTTPClient(fake.Client()))
//		...
//	}
//
// [New] closes the server when the test ends. It fails the test if an injected fault applied to
// no request, or if a request violated the contract: the OpenAPI document api/openapi.yaml.
// [NewServer] does neither.
//
// # State
//
// A server starts without projects and keys. Before a test calls its code, it adds state by
// [Server.AddProject], [Server.ArchiveProject], [Server.AddAdminKey], [Server.AddAdminKeys],
// [Server.AddProjectKey], [Server.AddProjectKeys], [Server.AddServiceAccount] and
// [Server.AddServiceAccountOnly]. Afterwards it compares the state by [Server.AdminKeys],
// [Server.ProjectKeys], [Server.ProjectKeyScopes] and [Server.ServiceAccounts], which return the
// client's own types. [Server.KeysCreated] is the number of keys that requests have created, and
// [Server.Requests] is the record of all requests.
//
// # Behavior
//
// The server follows the contract and, where the contract is silent, the live API as far as its
// behavior is known:
//
//   - A request needs a valid admin key. A request without a key, with an unknown, revoked or
//     expired one, or with a key of a service account gets a 401, whose message quotes parts of
//     the key. A new admin key is valid at once.
//   - A request that violates the contract gets a 400 that names the parameter. So does a request
//     with an empty name, or with an after that was never an id in the list. An empty after is
//     the start of the list. A request for a project or key that does not exist gets a 404.
//   - A request to list or create service accounts of an archived project gets a 400.
//   - Lists are ordered by creation time and, within a second, by arrival. A page contains up to
//     limit items, 20 by default.
//   - A new service account has a key, which is also a key of the project. With
//     create_service_account_only it has the role none and no key, and a request that has
//     expires_in_seconds as well gets a 400.
//   - An update sets the expiration, the scopes or both of a key. For an expired key it gets a
//     400. Absent scopes do not change, and [] removes all restrictions. No response contains
//     the scopes; see [Server.ProjectKeyScopes].
//   - A delete removes a project key. A service account remains, and so do its other keys.
//   - Values begin with sk-admin- or sk-svcacct-. Redacted values are the first 8 characters,
//     asterisks and the last 4. A property that is null is not omitted.
//   - last_used_at is the time at which an admin key last authenticated a request. It is null
//     for all other keys.
//   - Each response has an x-request-id.
//
// [WithOlderServer] makes it behave like the API before these operations could update keys and
// report expirations, [WithMaxKeyLifetime] limits the lifetime of keys, and [WithRateLimit] and
// [Server.SetRateLimit] limit the requests to each operation.
//
// The live API has many more operations. A request for one that the server does not implement
// gets a 501. A method that a path of the contract does not have gets a 405 with an Allow header.
// A path with an empty segment, a dot segment or a slash at its end gets a 400. Only a path that
// does not begin with /v1/ gets a 404, since clients take a 404 as proof that a key is deleted.
// A HEAD request is handled as a GET, without the body in the response.
//
// Each request and each of the server's own responses is validated against the contract.
// [Server.Violations] returns the violations. If a new version of the contract requires a
// property that the server has no state for, the responses contain the contract's example.
//
// # Faults
//
// [Server.Inject] injects a [Fault]: a status before or after the operation is performed, a
// delay, a connection that closes before, after or in the middle of the response, a body that is
// malformed, huge, slow or truncated, bytes after the response. A fault of a create differs most
// by whether the operation is performed:
//
//	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-create", Drop: true, AfterWork: true})
//
// Here the key is created, and the response with its value is lost. A client that retries creates
// a second key, which shows in fake.KeysCreated().
//
// net/http repeats a GET by itself if a reused connection closes before the response, so that
// the fake receives two requests for one call. Over HTTP/2, it repeats none of the requests that
// Drop and Reset apply to.
//
// # Time
//
// A server that is started with [InMemory] in a testing/synctest bubble uses the bubble's clock:
// a delay of an hour, a rate limit or the expiration of a key takes no real time, and creation
// times are exact. Close the server inside the bubble, as New does.
//
// # Over the network
//
// The server listens on 127.0.0.1 and speaks HTTP/1.1 or, with [WithTLS] and [WithHTTP2], https
// and HTTP/2. It connects to no other host. The command orgkeys-fake serves it to clients in any
// language.
package orgkeystest
