// Package behaviour holds what the README says of the official SDK and of orgkeys: both make the
// same calls on the same faults of the same fake, and what is seen is what the table says.
package behaviour

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

const (
	project = "proj_abc"
	keyID   = "key_1"
)

// seen is what one SDK does in one case, in the words of the README.
type seen func(ctx context.Context, fake *orgkeystest.Server) string

// cases are the rows of the README's table.
var cases = []struct {
	what     string
	faults   []orgkeystest.Fault
	official seen
	orgkeys  seen
}{
	{
		"a create is answered 500 each time, after the work",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", Status: 500, AfterWork: true, Times: -1}},
		officialCreate, orgkeysCreate,
	},
	{
		"a create is answered 500 after the work, then 200",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", Status: 500, AfterWork: true}},
		officialCreate, orgkeysCreate,
	},
	{
		"a create's answer is cut short",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", TruncateAt: new(40)}},
		officialCreate, orgkeysCreate,
	},
	{
		"a create is redirected, same origin, 302",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", Status: 302, Header: map[string][]string{"Location": {"/v1/organization/admin_api_keys"}}}},
		officialCreate, orgkeysCreate,
	},
	{
		"a revoke is answered 500 after the work, then 404",
		[]orgkeystest.Fault{{Operation: "delete-project-api-key", Status: 500, AfterWork: true}},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			_, err := official(fake).Admin.Organization.Projects.APIKeys.Delete(ctx, project, keyID)
			return told(err)
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			_, err := ours(fake).ProjectKeys.Delete(ctx, project, keyID)
			return told(err)
		},
	},
	{
		"a new key is printed with `%+v`",
		nil,
		func(ctx context.Context, fake *orgkeystest.Server) string {
			made, err := newOfficialKey(ctx, fake)
			if err != nil {
				return told(err)
			}
			return shows(fmt.Sprintf("%+v", made), made.Value)
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			made, err := ours(fake).AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
			if err != nil {
				return told(err)
			}
			return shows(fmt.Sprintf("%+v", made), made.Value.Reveal())
		},
	},
	{
		"200 with `{}`",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `{}`}},
		officialGet, orgkeysGet,
	},
	{
		"200 with an error in it",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `{"error":{"message":"no"}}`}},
		officialGet, orgkeysGet,
	},
	{
		"200 with `null`",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `null`}},
		officialGet, orgkeysGet,
	},
	{
		"200 with 64 MiB",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `{}`, PadTo: 64 << 20}},
		officialGet, orgkeysGet,
	},
	{
		"a list says `has_more` with the same cursor, again and again",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-list", Times: -1,
			Body: `{"object":"list","data":[{"object":"organization.admin_api_key","id":"a","name":"n","redacted_value":"sk-admin...def","created_at":1,"owner":{}}],"has_more":true,"last_id":"a"}`}},
		officialList, orgkeysList,
	},
	{
		"a list of accounts says `has_more` and no cursor",
		[]orgkeystest.Fault{{Operation: "list-project-service-accounts", Body: `{"object":"list","data":[{"object":"organization.project.service_account","id":"a","name":"n","role":"member","created_at":1}],"has_more":true,"last_id":null}`}},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			accounts := official(fake).Admin.Organization.Projects.ServiceAccounts.ListAutoPaging(ctx, project, openai.AdminOrganizationProjectServiceAccountListParams{})
			n := 0
			for accounts.Next() {
				n++
			}
			return listed(n, accounts.Err())
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			n := 0
			for _, err := range ours(fake).ServiceAccounts.All(ctx, project, orgkeys.ServiceAccountListParams{}) {
				if err != nil {
					return listed(n, err)
				}
				n++
			}
			return listed(n, nil)
		},
	},
	{
		"a key that was never used",
		nil,
		func(ctx context.Context, fake *orgkeystest.Server) string {
			key, err := official(fake).Admin.Organization.Projects.APIKeys.Get(ctx, project, keyID)
			if err != nil {
				return told(err)
			}
			return fmt.Sprintf("`LastUsedAt` is %d", key.LastUsedAt)
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			key, err := ours(fake).ProjectKeys.Get(ctx, project, keyID)
			if err != nil {
				return told(err)
			}
			return fmt.Sprintf("`LastUsedAt` is %v", key.LastUsedAt)
		},
	},
}

func official(fake *orgkeystest.Server) *openai.Client {
	client := openai.NewClient(option.WithBaseURL(fake.URL), option.WithAdminAPIKey(fake.AdminKey), option.WithHTTPClient(fake.Client()))
	return &client
}

func ours(fake *orgkeystest.Server) *orgkeys.Client {
	client, err := orgkeys.NewClient(orgkeys.WithBaseURL(fake.URL), orgkeys.WithAdminKey(fake.AdminKey), orgkeys.WithHTTPClient(fake.Client()))
	if err != nil {
		panic(err)
	}
	return client
}

func newOfficialKey(ctx context.Context, fake *orgkeystest.Server) (*openai.AdminOrganizationAdminAPIKeyNewResponse, error) {
	return official(fake).Admin.Organization.AdminAPIKeys.New(ctx, openai.AdminOrganizationAdminAPIKeyNewParams{Name: "ci"})
}

func officialCreate(ctx context.Context, fake *orgkeystest.Server) string {
	made, err := newOfficialKey(ctx, fake)
	return minted(fake, err, err == nil && made.Value == "")
}

func orgkeysCreate(ctx context.Context, fake *orgkeystest.Server) string {
	made, err := ours(fake).AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
	return minted(fake, err, err == nil && made.Value.IsZero())
}

func minted(fake *orgkeystest.Server, err error, empty bool) string {
	if empty {
		return fmt.Sprintf("%d minted: an empty key, no error", fake.KeysCreated())
	}
	return fmt.Sprintf("%d minted: %s", fake.KeysCreated(), told(err))
}

func officialGet(ctx context.Context, fake *orgkeystest.Server) string {
	key, err := official(fake).Admin.Organization.Projects.APIKeys.Get(ctx, project, keyID)
	switch {
	case err != nil:
		return told(err)
	case key == nil:
		return "a nil key, no error"
	case key.ID == "":
		return "an empty key, no error"
	}
	return "a key"
}

func orgkeysGet(ctx context.Context, fake *orgkeystest.Server) string {
	_, err := ours(fake).ProjectKeys.Get(ctx, project, keyID)
	return told(err)
}

// endless is how many requests make a loop endless.
const endless = 100

func officialList(ctx context.Context, fake *orgkeystest.Server) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	page, err := official(fake).Admin.Organization.AdminAPIKeys.List(ctx, openai.AdminOrganizationAdminAPIKeyListParams{})
	n := 0
	for ; err == nil && page != nil; page, err = page.GetNextPage() {
		if n += len(page.Data); len(fake.Requests()) == endless {
			return "goes on for ever"
		}
	}
	return listed(n, err)
}

func orgkeysList(ctx context.Context, fake *orgkeystest.Server) string {
	n := 0
	for _, err := range ours(fake).AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return listed(n, err)
		}
		n++
	}
	return listed(n, nil)
}

func listed(n int, err error) string {
	if err == nil {
		return fmt.Sprintf("ends after %d, no error", n)
	}
	return fmt.Sprintf("%d, then an error", n)
}

func shows(text, secret string) string {
	if strings.Contains(text, secret) {
		return "shows its value"
	}
	return "shows `[redacted]`"
}

// told is what an error tells, as far as it tells cases apart.
func told(err error) string {
	refusal := new(openai.Error)
	_, unknown := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	wrong, isWrong := errors.AsType[*orgkeys.ResponseError](err)
	switch {
	case err == nil:
		return "no error"
	case unknown:
		return "\"unknown\", and how to find it"
	case isWrong && wrong.Pointer != "":
		return "an error at `" + wrong.Pointer + "`"
	case errors.As(err, &refusal):
		return fmt.Sprintf("error %d", refusal.StatusCode)
	}
	return "an error"
}

// TestWhatTheREADMESaysIsSeen makes each case happen to both SDKs and looks for the row in the
// README that says what came of it.
func TestWhatTheREADMESaysIsSeen(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			cells := []string{c.what}
			for _, see := range []seen{c.official, c.orgkeys} {
				synctest.Test(t, func(t *testing.T) {
					fake := orgkeystest.NewServer(orgkeystest.InMemory())
					defer fake.Close()
					fake.AddProject(project)
					fake.AddProjectKey(project, orgkeystest.ProjectKey{ID: keyID})
					fake.Inject(c.faults...)
					cells = append(cells, see(t.Context(), fake))
				})
			}
			row := "| " + strings.Join(cells, " | ") + " |\n"
			t.Log(row)
			assert.True(t, strings.Contains(string(readme), row), "the README lacks: %s", row)
		})
	}
}
