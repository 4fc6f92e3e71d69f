// Command hand makes six calls with a client written by hand. cmd/report measures its size.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/orgkeys/orgkeys-go/bench/hand"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	const project, keyID = "proj_5YkVb0fJmKXq8nTz3RwLcD7H", "key_00000000ueXRiir0"
	client := &hand.Client{
		BaseURL:  os.Getenv("OPENAI_BASE_URL"),
		AdminKey: os.Getenv("OPENAI_ADMIN_KEY"),
		Timeout:  30 * time.Second,
		HTTP:     http.DefaultClient,
	}
	keys := 0
	for _, err := range client.AllAdminKeys(ctx) {
		if err != nil {
			return err
		}
		keys++
	}
	created, err := client.CreateAdminKey(ctx, "nightly audit 2024", nil)
	if err != nil {
		return err
	}
	key, err := client.GetProjectKey(ctx, project, keyID)
	if err != nil {
		return err
	}
	deleted, err := client.DeleteProjectKey(ctx, project, keyID)
	if err != nil {
		return err
	}
	accounts := 0
	for after := ""; ; {
		page, err := client.ListServiceAccounts(ctx, project, after, 100)
		if err != nil {
			return err
		}
		accounts += len(page.Data)
		if !page.HasMore || page.LastID == nil {
			break
		}
		after = *page.LastID
	}
	account, err := client.CreateServiceAccount(ctx, project, "nightly audit")
	if err != nil {
		return err
	}
	fmt.Println(keys, created.ID, len(created.Value), key.Name, deleted.Deleted,
		accounts, account.ID, len(account.APIKey.Value))
	return nil
}
