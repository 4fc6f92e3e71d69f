// Command official makes six calls with the official SDK. cmd/report measures its size.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/openai/openai-go/v3"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	const project, keyID = "proj_5YkVb0fJmKXq8nTz3RwLcD7H", "key_00000000ueXRiir0"
	client := openai.NewClient() // OPENAI_BASE_URL, OPENAI_ADMIN_KEY
	organization := client.Admin.Organization

	all := organization.AdminAPIKeys.ListAutoPaging(ctx, openai.AdminOrganizationAdminAPIKeyListParams{Limit: openai.Int(100)})
	keys := 0
	for all.Next() {
		keys++
	}
	if err := all.Err(); err != nil {
		return err
	}
	created, err := organization.AdminAPIKeys.New(ctx, openai.AdminOrganizationAdminAPIKeyNewParams{Name: "nightly audit 2024"})
	if err != nil {
		return err
	}
	key, err := organization.Projects.APIKeys.Get(ctx, project, keyID)
	if err != nil {
		return err
	}
	deleted, err := organization.Projects.APIKeys.Delete(ctx, project, keyID)
	if err != nil {
		return err
	}
	allAccounts := organization.Projects.ServiceAccounts.ListAutoPaging(ctx, project,
		openai.AdminOrganizationProjectServiceAccountListParams{Limit: openai.Int(100)})
	accounts := 0
	for allAccounts.Next() {
		accounts++
	}
	if err := allAccounts.Err(); err != nil {
		return err
	}
	account, err := organization.Projects.ServiceAccounts.New(ctx, project,
		openai.AdminOrganizationProjectServiceAccountNewParams{Name: "nightly audit"})
	if err != nil {
		return err
	}
	fmt.Println(keys, created.ID, len(created.Value), key.Name, deleted.Deleted,
		accounts, account.ID, len(account.APIKey.Value))
	return nil
}
