// Command orgkeys makes six calls with orgkeys. cmd/report measures its size.
package main

import (
	"context"
	"fmt"
	"log"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	const project, keyID = "proj_5YkVb0fJmKXq8nTz3RwLcD7H", "key_00000000ueXRiir0"
	client, err := orgkeys.NewClient() // OPENAI_BASE_URL, OPENAI_ADMIN_KEY
	if err != nil {
		return err
	}
	keys := 0
	for _, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return err
		}
		keys++
	}
	created, err := client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "nightly audit 2024"})
	if err != nil {
		return err
	}
	key, err := client.ProjectKeys.Get(ctx, project, keyID)
	if err != nil {
		return err
	}
	deleted, err := client.ProjectKeys.Delete(ctx, project, keyID)
	if err != nil {
		return err
	}
	accounts := 0
	for _, err := range client.ServiceAccounts.All(ctx, project, orgkeys.ServiceAccountListParams{}) {
		if err != nil {
			return err
		}
		accounts++
	}
	account, err := client.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{Name: "nightly audit"})
	if err != nil {
		return err
	}
	fmt.Println(keys, created.ID, len(created.Value.Reveal()), key.Name, deleted.Deleted,
		accounts, account.ID, len(account.APIKey.Value.Reveal()))
	return nil
}
