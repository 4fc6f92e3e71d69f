// Command vanilla makes six calls with a client that oapi-codegen generated with its default
// settings. cmd/report measures its size.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/orgkeys/orgkeys-go/bench/vanilla"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// check returns err, or an error for a response for which the generated client has no field.
func check(ok bool, err error, response interface{ Status() string }) error {
	if err == nil && !ok {
		return fmt.Errorf("the API responded %s", response.Status())
	}
	return err
}

func run(ctx context.Context) error {
	const project, keyID = "proj_5YkVb0fJmKXq8nTz3RwLcD7H", "key_00000000ueXRiir0"
	client, err := vanilla.NewClientWithResponses(os.Getenv("OPENAI_BASE_URL"),
		vanilla.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+os.Getenv("OPENAI_ADMIN_KEY"))
			return nil
		}))
	if err != nil {
		return err
	}
	keys := 0
	for after := (*string)(nil); ; {
		page, err := client.AdminApiKeysListWithResponse(ctx, &vanilla.AdminApiKeysListParams{Limit: new(100), After: after})
		if err := check(err == nil && page.JSON200 != nil, err, page); err != nil {
			return err
		}
		keys += len(page.JSON200.Data)
		if !page.JSON200.HasMore || page.JSON200.LastId == nil {
			break
		}
		after = page.JSON200.LastId
	}
	created, err := client.AdminApiKeysCreateWithResponse(ctx, vanilla.AdminApiKeysCreateJSONRequestBody{Name: "nightly audit 2024"})
	if err := check(err == nil && created.JSON200 != nil, err, created); err != nil {
		return err
	}
	key, err := client.RetrieveProjectApiKeyWithResponse(ctx, project, keyID)
	if err := check(err == nil && key.JSON200 != nil, err, key); err != nil {
		return err
	}
	deleted, err := client.DeleteProjectApiKeyWithResponse(ctx, project, keyID)
	if err := check(err == nil && deleted.JSON200 != nil, err, deleted); err != nil {
		return err
	}
	accounts := 0
	for after := (*string)(nil); ; {
		page, err := client.ListProjectServiceAccountsWithResponse(ctx, project, &vanilla.ListProjectServiceAccountsParams{Limit: new(100), After: after})
		if err := check(err == nil && page.JSON200 != nil, err, page); err != nil {
			return err
		}
		accounts += len(page.JSON200.Data)
		if !page.JSON200.HasMore || page.JSON200.LastId == nil {
			break
		}
		after = page.JSON200.LastId
	}
	account, err := client.CreateProjectServiceAccountWithResponse(ctx, project, vanilla.CreateProjectServiceAccountJSONRequestBody{Name: "nightly audit"})
	if err := check(err == nil && account.JSON200 != nil, err, account); err != nil {
		return err
	}
	fmt.Println(keys, created.JSON200.Id, len(created.JSON200.Value), key.JSON200.Name, deleted.JSON200.Deleted,
		accounts, account.JSON200.Id, len(account.JSON200.ApiKey.Value))
	return nil
}
