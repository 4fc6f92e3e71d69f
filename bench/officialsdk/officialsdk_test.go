// Package officialsdk tests package orgkeystest with the vendor's Go SDK, which calls all operations
// of the fake.
package officialsdk

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
)

const project = "proj_abc"

func connect(fake *orgkeystest.Server) openai.AdminOrganizationService {
	return openai.NewClient(
		option.WithBaseURL(fake.URL), option.WithAdminAPIKey(fake.AdminKey), option.WithHTTPClient(fake.Client()),
	).Admin.Organization
}

func TestOfficialSDK_CallsAllOperations(t *testing.T) {
	for name, opts := range map[string][]orgkeystest.Option{"http": nil, "http/2": {orgkeystest.WithHTTP2()}} {
		t.Run(name, func(t *testing.T) {
			fake := orgkeystest.New(t, opts...)
			fake.AddAdminKeys(45)
			owned := fake.AddProjectKey(project, orgkeystest.ProjectKey{Name: "web"})
			org, ctx := connect(fake), t.Context()

			admin, err := org.AdminAPIKeys.New(ctx, openai.AdminOrganizationAdminAPIKeyNewParams{Name: "ci", ExpiresInSeconds: openai.Int(60)})
			require.NoError(t, err)
			assert.NotEmpty(t, admin.Value)
			assert.WithinDuration(t, time.Now().Add(time.Minute), time.Unix(admin.ExpiresAt, 0), 30*time.Second)
			assert.True(t, admin.AdminAPIKey.JSON.RedactedValue.Valid())

			var listed []string
			pages := org.AdminAPIKeys.ListAutoPaging(ctx, openai.AdminOrganizationAdminAPIKeyListParams{
				Limit: openai.Int(20), Order: openai.AdminOrganizationAdminAPIKeyListParamsOrderDesc,
			})
			for pages.Next() {
				listed = append(listed, pages.Current().ID)
			}
			require.NoError(t, pages.Err())
			var want []string
			for _, key := range fake.AdminKeys() {
				want = append(want, key.ID)
			}
			slices.Reverse(want)
			assert.Equal(t, want, listed)

			account, err := org.Projects.ServiceAccounts.New(ctx, project, openai.AdminOrganizationProjectServiceAccountNewParams{
				Name: "prod", ExpiresInSeconds: openai.Int(3600),
			})
			require.NoError(t, err)
			assert.NotEmpty(t, account.APIKey.Value)
			assert.True(t, account.APIKey.JSON.ExpiresAt.Valid())
			only, err := org.Projects.ServiceAccounts.New(ctx, project, openai.AdminOrganizationProjectServiceAccountNewParams{
				Name: "bare", CreateServiceAccountOnly: openai.Bool(true),
			})
			require.NoError(t, err)
			assert.False(t, only.JSON.APIKey.Valid(), "null")

			var accounts []string
			list := org.Projects.ServiceAccounts.ListAutoPaging(ctx, project, openai.AdminOrganizationProjectServiceAccountListParams{Limit: openai.Int(1)})
			for list.Next() {
				accounts = append(accounts, list.Current().Name)
			}
			require.NoError(t, list.Err())
			assert.Equal(t, []string{"prod", "bare"}, accounts)

			for _, id := range []string{owned.ID, account.APIKey.ID} {
				key, err := org.Projects.APIKeys.Get(ctx, project, id)
				require.NoError(t, err)
				assert.Equal(t, id, key.ID)
				updated, err := org.Projects.APIKeys.Update(ctx, project, id, openai.AdminOrganizationProjectAPIKeyUpdateParams{
					ExpiresInSeconds: 60, Scopes: []string{"api.all.read"},
				})
				require.NoError(t, err)
				assert.WithinDuration(t, time.Now().Add(time.Minute), time.Unix(updated.ExpiresAt, 0), 30*time.Second)
				assert.Equal(t, []string{"api.all.read"}, fake.ProjectKeyScopes(project, id))
				_, err = org.Projects.APIKeys.Update(ctx, project, id, openai.AdminOrganizationProjectAPIKeyUpdateParams{Scopes: []string{}})
				require.NoError(t, err)
				assert.Empty(t, fake.ProjectKeyScopes(project, id))
				deleted, err := org.Projects.APIKeys.Delete(ctx, project, id)
				require.NoError(t, err)
				assert.True(t, deleted.Deleted)
			}
			assert.Empty(t, fake.ProjectKeys(project))
			assert.Equal(t, 2, fake.KeysCreated())

			called := map[string]bool{}
			for _, r := range fake.Requests() {
				called[r.Operation] = true
			}
			for _, op := range gen.Operations() {
				assert.Contains(t, called, op.ID)
			}
		})
	}
}

// The official SDK has methods for many other operations. The fake responds with a 501, not with a
// 404, which a program could take as proof that a key was deleted.
func TestOfficialSDK_GetsA501ForOtherOperations(t *testing.T) {
	fake := orgkeystest.New(t, orgkeystest.AllowInvalidRequests())
	org, ctx := connect(fake), t.Context()
	for name, call := range map[string]func() error{
		"delete an admin key": func() error { _, err := org.AdminAPIKeys.Delete(ctx, "key_abc"); return err },
		"list project keys": func() error {
			_, err := org.Projects.APIKeys.List(ctx, project, openai.AdminOrganizationProjectAPIKeyListParams{})
			return err
		},
		"delete a service account": func() error { _, err := org.Projects.ServiceAccounts.Delete(ctx, project, "svc_acct_abc"); return err },
		"create another key": func() error {
			_, err := org.Projects.ServiceAccounts.APIKeys.New(ctx, project, "svc_acct_abc", openai.AdminOrganizationProjectServiceAccountAPIKeyNewParams{})
			return err
		},
		"delete a user": func() error { _, err := org.Users.Delete(ctx, "user_abc"); return err },
	} {
		e, ok := errors.AsType[*openai.Error](call())
		require.True(t, ok, name)
		assert.Equal(t, http.StatusNotImplemented, e.StatusCode, name)
		assert.Contains(t, e.Message, "does not implement", name)
	}
	assert.Len(t, fake.Requests(), 5, "nothing is retried")
}
