// Package orgkeystest is a fake of the OpenAI administration API for tests: the seven operations
// of package orgkeys, served from memory on the loopback interface, with state and with fault
// injection. Any client can call it. With package orgkeys, a test looks like this:
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
// [New] closes the server when the test ends, and fails a test that left an injected fault
// unused or violated the contract, the OpenAPI document in api/openapi.yaml. [NewServer] leaves
// both to its caller.
//
// # State
//
// A server starts without projects and keys. A test adds what its code needs:
// [Server.AddProject], [Server.ArchiveProject], [Server.AddAdminKey], [Server.AddAdminKeys],
// [Server.AddProjectKey], [Server.AddProjectKeys], [Server.AddServiceAccount],
// [Server.AddServiceAccountOnly]. It reads what its code has done: [Server.AdminKeys], [Server.ProjectKeys], [Server.ProjectKeyScopes],
// [Server.ServiceAccounts]. Their types are those of the client, so that they can be compared
// with what a client returned. [Server.KeysCreated] is the number of keys that requests have
// created, and [Server.Requests] is the record of all requests.
//
// # Behaviour
//
// The server does what the contract says and what else is known of the live API:
//
//   - A request needs a valid admin key. The response is a 401 to a request without a key, with
//     an unknown, revoked or expired one, and with a key of a service account. Its message
//     quotes parts of the key. A new admin key is valid at once.
//   - A request that violates the contract is refused with a 400 that names the parameter. So
//     are an empty name, and an after that was never an id of the list. An empty after is the
//     start of the list. A project or key that does not exist is a 404.
//   - The service accounts of an archived project can neither be listed nor created: 400.
//   - Lists are ordered by creation time and, within a second, by arrival. A page contains up to
//     limit items, 20 by default.
//   - A new service account has a key, which is a key of the project, too. With
//     create_service_account_only it has the role none and no key; expires_in_seconds is then
//     refused with a 400.
//   - An update sets the expiration, the scopes or both of any key that has not expired; an
//     expired one is a 400. Scopes that are absent do not change, and [] removes all
//     restrictions. The scopes are in no response; see [Server.ProjectKeyScopes].
//   - A delete removes any project key. A service account stays, and so do its other keys.
//   - Keys look like those of the live API: sk-admin- and sk-svcacct-, and redacted as 8
//     characters, asterisks and the last 4. A property that is null is not omitted.
//   - last_used_at is the time of an admin key's last use. Other keys are never used.
//   - Each response has an x-request-id.
//
// [WithOlderServer] makes it behave like the API before these operations could update keys and
// report expirations, [WithMaxKeyLifetime] limits the lifetime of keys, and [WithRateLimit] and
// [Server.SetRateLimit] limit the requests to each operation.
//
// The live API has many more operations. The server refuses a request below /v1/ that it does
// not implement with a 501, and a method that a path of the contract does not have with a 405
// that has an Allow header. A path with an empty segment, a dot segment or a slash at its end is
// a 400. Only a path that does not begin with /v1/ is a 404: clients take a 404 as proof
// that a key is deleted. A HEAD request is performed as a GET; the response has no body.
//
// Each request is validated against the contract, and so is each of the server's own responses.
// [Server.Violations] returns what violates it. When the contract gains a required property that
// the server has no state for, the responses contain the contract's example.
//
// # Faults
//
// [Server.Inject] injects a [Fault]: a status before or after the operation is performed, a
// delay, a connection that closes before, after or in the middle of the response, a body that is
// malformed, huge, slow or truncated, bytes after the response. For a create, it matters most
// whether the operation is performed:
//
//	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-create", Drop: true, AfterWork: true})
//
// Here the key is created, and the response with its value is lost. A client that retries creates
// a second key, which shows in fake.KeysCreated().
//
// Note that net/http replays a GET by itself if a connection that has served another request
// closes before the response: the fake receives two requests for one call. Over HTTP/2 it
// replays none of the requests that Drop and Reset apply to.
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
