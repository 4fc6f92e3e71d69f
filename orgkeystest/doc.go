// Package orgkeystest is a fake of the API for tests, and for trying things out: six operations
// on three paths, served on loopback from memory, with state behind them and with faults on
// request. It can be called by any client; with package orgkeys it goes like this:
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
// unmet or broke the contract. [NewServer] leaves both to its caller.
//
// # State
//
// A server starts empty, but for [Server.AdminKey]. What a test wants to find there it adds:
// [Server.AddProject], [Server.ArchiveProject], [Server.AddAdminKey], [Server.AddAdminKeys],
// [Server.AddProjectKey], [Server.AddServiceAccount]. What its code has done there it reads:
// [Server.AdminKeys], [Server.ProjectKeys], [Server.ServiceAccounts], in the types of the
// client, so that they compare with what a client returned. [Server.KeysCreated] counts the keys
// that requests have minted, and [Server.Requests] tells of each request where it went and what
// came of it.
//
// # Behaviour
//
// The server does what the contract says and, beyond it, what is known of the live API:
//
//   - A request without an admin key that works is a 401: without any key, with one that is
//     unknown, revoked or expired, and with the key of a service account. The message quotes
//     parts of an unknown key. A minted admin key works at once.
//   - What the contract rules out is a 400 that names the parameter; so are an empty name and
//     an after that was never an id of the list. A project or a key that is not there is a 404.
//   - The service accounts of an archived project can neither be listed nor created, and the
//     key of a service account cannot be revoked: 400.
//   - Lists are ordered by creation time, and within a second by arrival. A page holds 1 to 100
//     items, 20 if nothing is said.
//   - A create_service_account_only account has the role none and no key. All others get a key,
//     which is a key of the project, too.
//   - Values look like the live API's: sk-admin- and sk-svcacct- in front, shown later as 8
//     characters, asterisks and the last 4. Null is null and not left out.
//   - An admin key that is used tells when in last_used_at. No other key is ever used.
//   - Every answer has an x-request-id.
//   - With [WithRateLimit], each operation has a limit of its own, and its 429 does not say how
//     long to wait.
//
// Each request is held against the contract, and so is each answer of the server's own;
// [Server.Violations] has what was found.
//
// # Faults
//
// [Server.Inject] has something go wrong: a status before or after the work is done, a delay, a
// connection that ends before, after or in the middle of an answer, a body that is malformed,
// huge, slow or cut off. [Fault] lists it all. What matters for a create is whether the fault
// strikes before or after the work:
//
//	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-create", Drop: true, AfterWork: true})
//
// Here the key is minted and its value lost with the connection, and a client that tries again
// mints a second one: fake.KeysCreated() tells. Note that net/http itself tries again where a
// connection that had served before ends ahead of the answer to a GET; the fake sees both
// requests, the caller one.
//
// # Time
//
// All times and waits are those of package time. Made with [InMemory] inside a testing/synctest
// bubble, the server is on the bubble's clock: a delay of an hour, a rate limit or the expiry
// of a key passes in no time, and creation times are exact. Close the server inside the bubble,
// as New does.
//
// # Over the network
//
// The server listens on 127.0.0.1, speaks HTTP/1.1, or with [WithTLS] and [WithHTTP2] https and
// HTTP/2, and sends nothing to anyone. The command orgkeys-fake serves it to clients in any
// language.
package orgkeystest
