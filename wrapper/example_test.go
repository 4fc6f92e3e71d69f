package orgkeys_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

var ctx = context.Background()

// exampleClient returns a client of a fake API that contains a few keys. Programs call
// orgkeys.NewClient() instead.
func exampleClient() (*orgkeys.Client, *orgkeystest.Server) {
	fake := orgkeystest.NewServer()
	at := func(day int) time.Time { return time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC) }
	unix := func(day int) orgkeys.UnixTime { return orgkeys.UnixTime(at(day).Unix()) }
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_1", Name: new("Terraform"), CreatedAt: unix(1), LastUsedAt: orgkeys.TimeAt(at(9)), ExpiresAt: orgkeys.NullTime()})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_2", Name: new("Forgotten"), CreatedAt: unix(2), ExpiresAt: orgkeys.TimeAt(at(30))})
	fake.AddProject("proj_shop")
	fake.AddProjectKey("proj_shop", orgkeystest.ProjectKey{ID: "key_3", Name: "Checkout", CreatedAt: unix(3)})
	fake.AddServiceAccount("proj_shop", "staging")
	client, err := orgkeys.NewClient(orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL))
	if err != nil {
		panic(err)
	}
	return client, fake
}

func Example() {
	client, fake := exampleClient() // in a program: orgkeys.NewClient()
	defer fake.Close()

	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			fmt.Println("the list is incomplete:", err)
			return
		}
		if at, ok := key.LastUsedAt.Time(); ok {
			fmt.Println(key.ID, "was used at", at)
		} else {
			fmt.Println(key.ID, "was never used")
		}
	}
	// Output:
	// key_1 was used at 2026-03-09 12:00:00 +0000 UTC
	// key_2 was never used
}

func ExampleNewClient() {
	_, err := orgkeys.NewClient(orgkeys.WithAdminKey(" ")) // without an option: OPENAI_ADMIN_KEY
	fmt.Println(err)
	// Output:
	// orgkeys: admin key: there is none; set OPENAI_ADMIN_KEY or use WithAdminKey. An organization owner creates one at https://platform.openai.com/settings/organization/admin-keys
}

func ExampleNewClient_options() {
	client, err := orgkeys.NewClient(
		orgkeys.WithBaseURL("https://gateway.example/openai/v1"),
		orgkeys.WithAdminKeySource(func(context.Context) (string, error) {
			return "from-the-vault", nil // called before each request: rotation needs no restart
		}),
		orgkeys.WithHTTPClient(&http.Client{Transport: http.DefaultTransport}), // for tracing
		orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 6}),
		orgkeys.WithAttemptTimeout(10*time.Second),
		orgkeys.WithRateLimit(8),
		orgkeys.WithLogger(slog.Default()),
		orgkeys.WithUserAgent("keyrotator/1.4"),
	)
	fmt.Println(client != nil, err)
	// Output: true <nil>
}

// An audit trail contains the request id of each successful call.
func ExampleWithCallInfo() {
	client, fake := exampleClient()
	defer fake.Close()

	var info orgkeys.CallInfo
	key, err := client.AdminKeys.Create(orgkeys.WithCallInfo(ctx, &info), orgkeys.AdminKeyCreateParams{Name: "ci"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("created a key:", key.ID != "", "by a known request:", info.RequestID != "")
	fmt.Println(info.Operation, info.Status, info.Attempts)
	// Output:
	// created a key: true by a known request: true
	// admin-api-keys-create 200 1
}

func ExampleAdminKeyService_List() {
	client, fake := exampleClient()
	defer fake.Close()

	page, err := client.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{Limit: new(1), Order: new(orgkeys.AdminKeysNewestFirst)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range page.Data {
		fmt.Println(key.ID)
	}
	fmt.Println("more:", page.HasMore)
	// Output:
	// key_2
	// more: true
}

func ExampleAdminKeyService_All() {
	client, fake := exampleClient()
	defer fake.Close()

	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			fmt.Println("the list is incomplete:", err)
			return
		}
		fmt.Println(key.ID)
	}
	// Output:
	// key_1
	// key_2
}

// A key whose expiration is null never expires. An absent expiration was not reported by the server.
func ExampleOptionalTime() {
	client, fake := exampleClient()
	defer fake.Close()

	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			fmt.Println("the list is incomplete:", err)
			return
		}
		switch at, ok := key.ExpiresAt.Time(); {
		case ok:
			fmt.Println(key.ID, "expires at", at)
		case key.ExpiresAt.IsNull():
			fmt.Println(key.ID, "never expires")
		default:
			fmt.Println(key.ID, "has an unknown expiration")
		}
	}
	// Output:
	// key_1 never expires
	// key_2 expires at 2026-03-30 12:00:00 +0000 UTC
}

func ExampleAdminKeyService_Create() {
	client, fake := exampleClient()
	defer fake.Close()

	key, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{
		Name:             "ci",
		ExpiresInSeconds: new(30 * 24 * 3600),
	})
	if err != nil {
		fmt.Println(err) // no key was created, unless it is an UnknownOutcomeError
		return
	}
	file, err := os.CreateTemp("", "orgkeys-example") // readable by this user only
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(key.Value.Reveal())
	fmt.Println("stored:", errors.Join(err, file.Close()) == nil)
	fmt.Println("printed:", key.Value)
	// Output:
	// stored: true
	// printed: [redacted]
}

// If it is unknown whether a key was created, find it, delete it, and create another: the value of a
// key cannot be retrieved later.
func ExampleAdminKeyService_FindCreated() {
	client, fake := exampleClient()
	defer fake.Close()
	// The API creates the key, and the connection ends before its response.
	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-create", AfterWork: true, Drop: true})

	_, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
	unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	if !ok {
		fmt.Println("created, or certainly not created:", err)
		return
	}
	found, err := client.AdminKeys.FindCreated(ctx, unknown)
	if err != nil {
		fmt.Println(err) // look again later
		return
	}
	for _, key := range found {
		if key.Name != nil {
			fmt.Println("to be deleted by an owner:", *key.Name)
		}
	}
	// Output: to be deleted by an owner: ci
}

// A call that sent nothing can be repeated, also a create.
func ExampleErrNotSent() {
	client, fake := exampleClient()
	defer fake.Close()

	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err := client.AdminKeys.Create(ended, orgkeys.AdminKeyCreateParams{Name: "ci"})
	fmt.Println(errors.Is(err, orgkeys.ErrNotSent), errors.Is(err, context.Canceled))
	// Output: true true
}

func ExampleProjectKeyService_Get() {
	client, fake := exampleClient()
	defer fake.Close()

	key, err := client.ProjectKeys.Get(ctx, "proj_shop", "key_3")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Name, key.CreatedAt)
	if key.Owner.User != nil { // or Owner.ServiceAccount
		fmt.Println(key.Owner.User.Email)
	}
	// Output:
	// Checkout 2026-03-03T12:00:00Z
	// robin@example.com
}

// The key expires in an hour. Until then, a leaked key can be replaced without an outage.
func ExampleProjectKeyService_Update() {
	client, fake := exampleClient()
	defer fake.Close()

	key, err := client.ProjectKeys.Update(ctx, "proj_shop", "key_3", orgkeys.ProjectKeyUpdateParams{ExpiresInSeconds: new(3600)})
	if err != nil {
		fmt.Println(err)
		return
	}
	at, ok := key.ExpiresAt.Time()
	fmt.Println(key.Name, "expires:", ok, "within an hour:", time.Until(at) <= time.Hour)
	// Output: Checkout expires: true within an hour: true
}

// The error of Delete reports whether the key still exists.
func ExampleProjectKeyService_Delete() {
	client, fake := exampleClient()
	defer fake.Close()

	for _, id := range []string{"key_3", "key_3"} {
		deleted, err := client.ProjectKeys.Delete(ctx, "proj_shop", id)
		switch {
		case errors.Is(err, orgkeys.ErrNotFound):
			fmt.Println(id, "does not exist")
		case err != nil:
			fmt.Println(id, "may still exist:", err)
		default:
			fmt.Println(deleted.ID, "is deleted")
		}
	}
	// Output:
	// key_3 is deleted
	// key_3 does not exist
}

func ExampleServiceAccountService_List() {
	client, fake := exampleClient()
	defer fake.Close()

	page, err := client.ServiceAccounts.List(ctx, "proj_shop", orgkeys.ServiceAccountListParams{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, account := range page.Data {
		fmt.Println(account.Name, account.Role)
	}
	// Output: staging member
}

func ExampleServiceAccountService_All() {
	client, fake := exampleClient()
	defer fake.Close()

	for account, err := range client.ServiceAccounts.All(ctx, "proj_shop", orgkeys.ServiceAccountListParams{}) {
		if err != nil {
			fmt.Println("the list is incomplete:", err)
			return
		}
		fmt.Println(account.Name)
	}
	// Output: staging
}

// The first key of the account expires after a week.
func ExampleServiceAccountService_Create() {
	client, fake := exampleClient()
	defer fake.Close()

	account, err := client.ServiceAccounts.Create(ctx, "proj_shop", orgkeys.ServiceAccountCreateParams{
		Name:             "production",
		ExpiresInSeconds: new(7 * 24 * 3600),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(account.Name, account.Role)
	if account.APIKey != nil { // nil for an account that was created without a key
		fmt.Println("printed:", account.APIKey.Value)
	}
	// Output:
	// production member
	// printed: [redacted]
}

func ExampleServiceAccountService_FindCreated() {
	client, fake := exampleClient()
	defer fake.Close()
	fake.Inject(orgkeystest.Fault{Operation: "create-project-service-account", Status: http.StatusBadGateway})

	_, err := client.ServiceAccounts.Create(ctx, "proj_shop", orgkeys.ServiceAccountCreateParams{Name: "production"})
	if unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		found, err := client.ServiceAccounts.FindCreated(ctx, unknown)
		fmt.Println("accounts that it may have created:", len(found), err)
	}
	// Output: accounts that it may have created: 0 <nil>
}

func ExampleAPIError() {
	client, fake := exampleClient()
	defer fake.Close()
	fake.Inject(orgkeystest.Fault{Status: 429, Header: http.Header{"Retry-After": {"600"}}})

	_, err := client.ProjectKeys.Get(ctx, "proj_shop", "key_3")
	if refusal, ok := errors.AsType[*orgkeys.APIError](err); ok {
		fmt.Println(refusal.Status, errors.Is(err, orgkeys.ErrRateLimited), refusal.RetryAfter)
	}
	// Output: 429 true 10m0s
}

func ExampleResponseError() {
	client, fake := exampleClient()
	defer fake.Close()
	fake.Inject(orgkeystest.Fault{Body: `{"object":"organization.project.api_key","id":17}`})

	_, err := client.ProjectKeys.Get(ctx, "proj_shop", "key_3")
	if invalid, ok := errors.AsType[*orgkeys.ResponseError](err); ok {
		fmt.Println(invalid.Status, invalid.Pointer, invalid.Problem)
	}
	// Output: 200 /id is a number, expected a string
}

func ExampleClient_Generated() {
	client, fake := exampleClient()
	defer fake.Close()

	response, err := client.Generated().RetrieveProjectAPIKeyWithResponse(ctx, "proj_shop", "key_3")
	if err != nil {
		fmt.Println(err)
		return
	}
	if response.JSON200 != nil {
		fmt.Println(response.StatusCode(), response.JSON200.Name)
	}
	// Output: 200 Checkout
}
