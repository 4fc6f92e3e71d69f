package orgkeys_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

var ctx = context.Background()

// exampleClient returns a client of a fake with something on it. Your program calls
// orgkeys.NewClient() instead.
func exampleClient() (*orgkeys.Client, *orgkeystest.Server) {
	fake := orgkeystest.NewServer()
	at := func(day int) orgkeys.UnixTime {
		return orgkeys.UnixTime(time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC).Unix())
	}
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_1", Name: new("Terraform"), CreatedAt: at(1), LastUsedAt: orgkeys.TimeAt(at(9).Time())})
	fake.AddAdminKey(orgkeystest.AdminKey{ID: "key_2", Name: new("Forgotten"), CreatedAt: at(2)})
	fake.AddProject("proj_shop")
	fake.AddProjectKey("proj_shop", orgkeystest.ProjectKey{ID: "key_3", Name: "Checkout", CreatedAt: at(3)})
	fake.AddServiceAccount("proj_shop", "staging")
	client, err := orgkeys.NewClient(orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithBaseURL(fake.URL))
	if err != nil {
		panic(err)
	}
	return client, fake
}

func Example() {
	client, fake := exampleClient() // in your program: orgkeys.NewClient()
	defer fake.Close()

	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			fmt.Println(err)
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
	// The environment has the key in a real program.
	_ = os.Unsetenv("OPENAI_ADMIN_KEY")
	_, err := orgkeys.NewClient()
	fmt.Println(err)
	// Output:
	// orgkeys: admin key: there is none; set OPENAI_ADMIN_KEY or use WithAdminKey. An organization owner makes one at https://platform.openai.com/settings/organization/admin-keys
}

func ExampleNewClient_options() {
	client, err := orgkeys.NewClient(
		orgkeys.WithAdminKeySource(func(context.Context) (string, error) {
			return "from-the-vault", nil // asked before each request: rotation needs no restart
		}),
		orgkeys.WithHTTPClient(&http.Client{Transport: http.DefaultTransport}), // tracing goes here
		orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 6}),
		orgkeys.WithAttemptTimeout(10*time.Second),
		orgkeys.WithRateLimit(8),
		orgkeys.WithLogger(slog.Default()),
		orgkeys.WithUserAgent("keyrotator/1.4"),
	)
	fmt.Println(client != nil, err)
	// Output: true <nil>
}

func ExampleAdminKeyService_List() {
	client, fake := exampleClient()
	defer fake.Close()

	page, err := client.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{Limit: new(1), Order: new(orgkeys.AdminKeysNewestFirst)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(page.Data), page.Data[0].ID, page.HasMore)
	// Output: 1 key_2 true
}

func ExampleAdminKeyService_All() {
	client, fake := exampleClient()
	defer fake.Close()

	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			fmt.Println("the list is not whole:", err)
			return
		}
		fmt.Println(key.ID)
	}
	// Output:
	// key_1
	// key_2
}

func ExampleAdminKeyService_Create() {
	client, fake := exampleClient()
	defer fake.Close()

	made, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{
		Name:             "ci",
		ExpiresInSeconds: new(30 * 24 * 3600),
	})
	if err != nil {
		fmt.Println(err) // no key was made, or it is an UnknownOutcomeError
		return
	}
	file := filepath.Join(os.TempDir(), "orgkeys-example")
	defer func() { _ = os.Remove(file) }()
	err = os.WriteFile(file, []byte(made.Value.Reveal()), 0o600)
	fmt.Println("kept:", err == nil)
	fmt.Println("printed:", made.Value)
	// Output:
	// kept: true
	// printed: [redacted]
}

// What to do when it is unknown whether a key was made: look for it, get rid of it, and make
// another. Its value is lost, so there is nothing else to do with it.
func ExampleAdminKeyService_FindCreated() {
	client, fake := exampleClient()
	defer fake.Close()
	// The API mints the key, and the connection breaks before the answer is here.
	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-create", AfterWork: true, Drop: true})

	made, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
	if unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		orphans, err := client.AdminKeys.FindCreated(ctx, unknown)
		if err != nil {
			fmt.Println(err) // look again later
			return
		}
		for _, orphan := range orphans {
			fmt.Println("to be deleted by an owner:", *orphan.Name, orphan.LastUsedAt)
		}
		made, err = client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("made:", *made.Name, made.Value)
	fmt.Println("minted in two calls:", fake.KeysCreated())
	// Output:
	// to be deleted by an owner: ci true
	// made: ci [redacted]
	// minted in two calls: 2
}

func ExampleProjectKeyService_Get() {
	client, fake := exampleClient()
	defer fake.Close()

	key, err := client.ProjectKeys.Get(ctx, "proj_shop", "key_3")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Name, key.CreatedAt, key.Owner.User.Email)
	// Output: Checkout 2026-03-03T12:00:00Z robin@example.com
}

func ExampleProjectKeyService_Delete() {
	client, fake := exampleClient()
	defer fake.Close()

	for _, id := range []string{"key_3", "key_3", "key_gone"} {
		gone, err := client.ProjectKeys.Delete(ctx, "proj_shop", id)
		switch {
		case errors.Is(err, orgkeys.ErrNotFound):
			fmt.Println(id, "is not there")
		case errors.Is(err, orgkeys.ErrBadRequest):
			fmt.Println(id, "belongs to a service account")
		case err != nil:
			fmt.Println(id, "may be alive:", err)
		default:
			fmt.Println(gone.ID, "is revoked")
		}
	}
	// Output:
	// key_3 is revoked
	// key_3 is not there
	// key_gone is not there
}

func ExampleServiceAccountService_List() {
	client, fake := exampleClient()
	defer fake.Close()

	page, err := client.ServiceAccounts.List(ctx, "proj_shop", orgkeys.ServiceAccountListParams{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Data[0].Name, page.Data[0].Role, page.HasMore)
	// Output: staging member false
}

func ExampleServiceAccountService_All() {
	client, fake := exampleClient()
	defer fake.Close()

	for account, err := range client.ServiceAccounts.All(ctx, "proj_shop", orgkeys.ServiceAccountListParams{}) {
		if err != nil {
			fmt.Println("the list is not whole:", err)
			return
		}
		fmt.Println(account.Name)
	}
	// Output: staging
}

func ExampleServiceAccountService_Create() {
	client, fake := exampleClient()
	defer fake.Close()

	made, err := client.ServiceAccounts.Create(ctx, "proj_shop", orgkeys.ServiceAccountCreateParams{Name: "production"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(made.Name, made.Role, made.APIKey.Value)
	fmt.Println("to be kept:", len(made.APIKey.Value.Reveal()) > 0)
	// Output:
	// production member [redacted]
	// to be kept: true
}

func ExampleServiceAccountService_FindCreated() {
	client, fake := exampleClient()
	defer fake.Close()
	fake.Inject(orgkeystest.Fault{Operation: "create-project-service-account", Status: http.StatusBadGateway})

	_, err := client.ServiceAccounts.Create(ctx, "proj_shop", orgkeys.ServiceAccountCreateParams{Name: "production"})
	if unknown, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err); ok {
		found, err := client.ServiceAccounts.FindCreated(ctx, unknown)
		fmt.Println("accounts that it may have made:", len(found), err)
	}
	// Output: accounts that it may have made: 0 <nil>
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
	fake.Inject(orgkeystest.Fault{Body: `{"object":"organization.project.api_key","id":17}`, Header: http.Header{"X-Request-Id": {"req_1"}}})

	_, err := client.ProjectKeys.Get(ctx, "proj_shop", "key_3")
	fmt.Println(err)
	// Output:
	// orgkeys: retrieve-project-api-key: the answer (status 200) is not what the contract promises: /id is a number, expected a string (request id req_1); if it stays so, the API has changed: look for a newer orgkeys
}

func ExampleClient_Generated() {
	client, fake := exampleClient()
	defer fake.Close()

	response, err := client.Generated().RetrieveProjectAPIKeyWithResponse(ctx, "proj_shop", "key_3")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.StatusCode(), response.JSON200.Name)
	// Output: 200 Checkout
}
