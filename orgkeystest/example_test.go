package orgkeystest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func Example() {
	fake := orgkeystest.NewServer() // in a test: orgkeystest.New(t)
	defer fake.Close()
	fake.AddAdminKey(orgkeystest.AdminKey{Name: new("nightly audit")})

	client, err := orgkeys.NewClient(orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey))
	if err != nil {
		panic(err)
	}
	if _, err := client.AdminKeys.Create(context.Background(), orgkeys.AdminKeyCreateParams{Name: "ci"}); err != nil {
		panic(err)
	}
	for _, key := range fake.AdminKeys() {
		fmt.Println(*key.Name)
	}
	fmt.Println("keys created:", fake.KeysCreated())
	// Output:
	// nightly audit
	// ci
	// keys created: 1
}

// If the connection breaks after the key is created, the client never receives its value, and a
// retry would create a second key.
func ExampleServer_Inject() {
	fake := orgkeystest.NewServer()
	defer fake.Close()
	fake.Inject(orgkeystest.Fault{Operation: "admin-api-keys-create", Drop: true, AfterWork: true})

	client, err := orgkeys.NewClient(orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey))
	if err != nil {
		panic(err)
	}
	_, err = client.AdminKeys.Create(context.Background(), orgkeys.AdminKeyCreateParams{Name: "ci"})
	_, unknown := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	fmt.Println("outcome unknown:", unknown)
	fmt.Println("keys created:", fake.KeysCreated())
	// Output:
	// outcome unknown: true
	// keys created: 1
}

// Two faults apply to two requests in a row. The third request succeeds.
func ExampleServer_Requests() {
	fake := orgkeystest.NewServer()
	defer fake.Close()
	now := http.Header{"Retry-After": {"0"}} // the client retries at once
	fake.Inject(
		orgkeystest.Fault{Status: http.StatusServiceUnavailable, Header: now},
		orgkeystest.Fault{Status: http.StatusTooManyRequests, Header: now},
	)

	client, err := orgkeys.NewClient(orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey))
	if err != nil {
		panic(err)
	}
	page, err := client.AdminKeys.List(context.Background(), orgkeys.AdminKeyListParams{})
	if err != nil {
		panic(err)
	}
	fmt.Println("keys:", len(page.Data))
	for _, r := range fake.Requests() {
		fmt.Println(r.Operation, r.Status)
	}
	// Output:
	// keys: 0
	// admin-api-keys-list 503
	// admin-api-keys-list 429
	// admin-api-keys-list 200
}

// The fake works with any HTTP client.
func ExampleServer_Client() {
	fake := orgkeystest.NewServer(orgkeystest.WithTLS())
	defer fake.Close()

	r, err := http.NewRequest(http.MethodGet, fake.URL+"/organization/admin_api_keys?limit=1000", nil)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+fake.AdminKey)
	resp, err := fake.Client().Do(r)
	if err != nil {
		panic(err)
	}
	defer func() { _ = resp.Body.Close() }()
	fmt.Println(resp.Status)
	for _, v := range fake.Violations() {
		fmt.Println(v)
	}
	// Output:
	// 400 Bad Request
	// admin-api-keys-list: query parameter limit: maximum: expected 100 (request)
}

// The API deletes the key of a service account and leaves the account. Older servers refuse to;
// see [orgkeystest.WithOlderServer].
func ExampleServer_AddServiceAccount() {
	fake := orgkeystest.NewServer()
	defer fake.Close()
	account := fake.AddServiceAccount("proj_1", "prod")

	client, err := orgkeys.NewClient(orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey))
	if err != nil {
		panic(err)
	}
	if _, err := client.ProjectKeys.Delete(context.Background(), "proj_1", account.APIKey.ID); err != nil {
		panic(err)
	}
	fmt.Println("keys:", len(fake.ProjectKeys("proj_1")))
	fmt.Println("accounts:", len(fake.ServiceAccounts("proj_1")))
	// Output:
	// keys: 0
	// accounts: 1
}

func ExampleWithOlderServer() {
	fake := orgkeystest.NewServer(orgkeystest.WithOlderServer())
	defer fake.Close()
	account := fake.AddServiceAccount("proj_1", "prod")

	client, err := orgkeys.NewClient(orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey))
	if err != nil {
		panic(err)
	}
	_, err = client.ProjectKeys.Delete(context.Background(), "proj_1", account.APIKey.ID)
	fmt.Println("refused:", errors.Is(err, orgkeys.ErrBadRequest))
	fmt.Println("keys:", len(fake.ProjectKeys("proj_1")))
	// Output:
	// refused: true
	// keys: 1
}

func ExampleWithRateLimit() {
	fake := orgkeystest.NewServer(orgkeystest.WithRateLimit(2))
	defer fake.Close()

	client, err := orgkeys.NewClient(
		orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey),
		orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
	if err != nil {
		panic(err)
	}
	for range 3 {
		_, err := client.AdminKeys.List(context.Background(), orgkeys.AdminKeyListParams{})
		fmt.Println("rate limited:", errors.Is(err, orgkeys.ErrRateLimited))
	}
	// Output:
	// rate limited: false
	// rate limited: false
	// rate limited: true
}

func ExampleServer_SetRateLimit() {
	fake := orgkeystest.NewServer()
	defer fake.Close()
	fake.SetRateLimit(orgkeystest.RateLimit{PerMinute: 1, Algorithm: orgkeystest.SlidingWindow, RetryAfter: true})

	for range 2 {
		r, err := http.NewRequest(http.MethodGet, fake.URL+"/organization/admin_api_keys", nil)
		if err != nil {
			panic(err)
		}
		r.Header.Set("Authorization", "Bearer "+fake.AdminKey)
		resp, err := fake.Client().Do(r)
		if err != nil {
			panic(err)
		}
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Retry-After") != "")
	}
	// Output:
	// 200 false
	// 429 true
}
