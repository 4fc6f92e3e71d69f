// Package behaviour tests the README's comparison of the official SDK and orgkeys. Both make the
// same calls to the same fake with the same faults, and the results must be those of the table.
package behaviour

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
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

// run makes the calls of a case with one SDK, and returns the result in the README's words.
type run func(ctx context.Context, fake *orgkeystest.Server) string

// cases are the rows of the README's table.
var cases = []struct {
	situation string
	faults    []orgkeystest.Fault
	official  run
	orgkeys   run
}{
	{
		"each response to a create is a 500, after the work",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", Status: 500, AfterWork: true, Times: -1}},
		officialCreate, orgkeysCreate,
	},
	{
		"the response to a create is a 500 after the work, then a 200",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", Status: 500, AfterWork: true}},
		officialCreate, orgkeysCreate,
	},
	{
		"the response to a create is truncated",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", TruncateAt: new(40)}},
		officialCreate, orgkeysCreate,
	},
	{
		"the response to a create is a redirect to the same origin",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", Status: 302, Header: map[string][]string{"Location": {"/v1/organization/admin_api_keys"}}}},
		officialCreate, orgkeysCreate,
	},
	{
		"the response to a delete is a 500 after the work, then a 404",
		[]orgkeystest.Fault{{Operation: "delete-project-api-key", Status: 500, AfterWork: true}},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			_, err := official(fake).Admin.Organization.Projects.APIKeys.Delete(ctx, project, keyID)
			return outcome(err)
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			_, err := ours(fake).ProjectKeys.Delete(ctx, project, keyID)
			return outcome(err)
		},
	},
	{
		"a new key is printed with `%+v`",
		nil,
		func(ctx context.Context, fake *orgkeystest.Server) string {
			key, err := newOfficialKey(ctx, fake)
			if err != nil {
				return outcome(err)
			}
			return shows(fmt.Sprintf("%+v", key), key.Value)
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			key, err := ours(fake).AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
			if err != nil {
				return outcome(err)
			}
			return shows(fmt.Sprintf("%+v", key), key.Value.Reveal())
		},
	},
	{
		"a 200 with `{}`",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `{}`}},
		officialGet, orgkeysGet,
	},
	{
		"a 200 with an error in the body",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `{"error":{"message":"no"}}`}},
		officialGet, orgkeysGet,
	},
	{
		"a 200 with `null`",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `null`}},
		officialGet, orgkeysGet,
	},
	{
		"a 200 with a body of 64 MiB",
		[]orgkeystest.Fault{{Operation: "retrieve-project-api-key", Body: `{}`, PadTo: 64 << 20}},
		officialGet, orgkeysGet,
	},
	{
		"a list has `has_more` and the same cursor on every page",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-list", Times: -1,
			Body: `{"object":"list","data":[{"object":"organization.admin_api_key","id":"a","name":"n","redacted_value":"sk-admin...def","created_at":1,"owner":{}}],"has_more":true,"last_id":"a"}`}},
		officialList, orgkeysList,
	},
	{
		"a list of accounts has `has_more` and no cursor",
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
				return outcome(err)
			}
			return fmt.Sprintf("`LastUsedAt` is %d", key.LastUsedAt)
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			key, err := ours(fake).ProjectKeys.Get(ctx, project, keyID)
			if err != nil {
				return outcome(err)
			}
			return fmt.Sprintf("`LastUsedAt` is %v", key.LastUsedAt)
		},
	},
	{
		"a key that never expires, and one whose expiration is not reported",
		nil,
		func(ctx context.Context, fake *orgkeystest.Server) string {
			return onBoth(fake, func(fake *orgkeystest.Server) string {
				key, err := official(fake).Admin.Organization.Projects.APIKeys.Get(ctx, project, keyID)
				if err != nil {
					return outcome(err)
				}
				return fmt.Sprint(key.ExpiresAt)
			})
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			return onBoth(fake, func(fake *orgkeystest.Server) string {
				key, err := ours(fake).ProjectKeys.Get(ctx, project, keyID)
				if err != nil {
					return outcome(err)
				}
				return key.ExpiresAt.String()
			})
		},
	},
	{
		"a create of \"production\" after a late duplicate of the response for \"staging\"",
		[]orgkeystest.Fault{{Operation: "admin-api-keys-create", Duplicate: true, Late: true}},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			keys := official(fake).Admin.Organization.AdminAPIKeys
			if _, err := keys.New(ctx, openai.AdminOrganizationAdminAPIKeyNewParams{Name: "staging"}); err != nil {
				return outcome(err)
			}
			key, err := keys.New(ctx, openai.AdminOrganizationAdminAPIKeyNewParams{Name: "production"})
			if err != nil {
				return outcome(err)
			}
			return "the key \"" + key.Name + "\""
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			keys := ours(fake).AdminKeys
			if _, err := keys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "staging"}); err != nil {
				return outcome(err)
			}
			key, err := keys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "production"})
			if err != nil || key.Name == nil {
				return outcome(err)
			}
			return "the key \"" + *key.Name + "\""
		},
	},
	{
		"200 deletes by 64 workers, at 8 requests a minute, 429s without a hint",
		nil,
		func(ctx context.Context, fake *orgkeystest.Server) string {
			client := official(fake)
			return bulkDelete(fake, func(id string) error {
				_, err := client.Admin.Organization.Projects.APIKeys.Delete(ctx, project, id)
				return err
			})
		},
		func(ctx context.Context, fake *orgkeystest.Server) string {
			client := ours(fake)
			return bulkDelete(fake, func(id string) error {
				_, err := client.ProjectKeys.Delete(ctx, project, id)
				return err
			})
		},
	},
}

// onBoth calls expires with a server that reports expirations, and with one that does not.
func onBoth(fake *orgkeystest.Server, expires func(*orgkeystest.Server) string) string {
	older := orgkeystest.NewServer(orgkeystest.InMemory(), orgkeystest.WithOlderServer())
	defer older.Close()
	older.AddProjectKey(project, orgkeystest.ProjectKey{ID: keyID})
	return fmt.Sprintf("`ExpiresAt` is %s, and %s", expires(fake), expires(older))
}

func bulkDelete(fake *orgkeystest.Server, remove func(id string) error) string {
	fake.SetRateLimit(orgkeystest.RateLimit{PerMinute: 8})
	const workers = 64
	ids := fake.AddProjectKeys(project, 200)
	var all sync.WaitGroup
	var failed atomic.Int64
	for worker := range workers {
		all.Go(func() {
			for i := worker; i < len(ids); i += workers {
				if remove(ids[i]) != nil {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return fmt.Sprintf("%d of %d fail", failed.Load(), len(ids))
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
	key, err := newOfficialKey(ctx, fake)
	return keysCreated(fake, err, err == nil && key.Value == "")
}

func orgkeysCreate(ctx context.Context, fake *orgkeystest.Server) string {
	key, err := ours(fake).AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
	return keysCreated(fake, err, err == nil && key.Value.IsZero())
}

func keysCreated(fake *orgkeystest.Server, err error, empty bool) string {
	if empty {
		return fmt.Sprintf("%d created: an empty key, no error", fake.KeysCreated())
	}
	return fmt.Sprintf("%d created: %s", fake.KeysCreated(), outcome(err))
}

func officialGet(ctx context.Context, fake *orgkeystest.Server) string {
	key, err := official(fake).Admin.Organization.Projects.APIKeys.Get(ctx, project, keyID)
	switch {
	case err != nil:
		return outcome(err)
	case key == nil:
		return "a nil key, no error"
	case key.ID == "":
		return "an empty key, no error"
	}
	return "a key"
}

func orgkeysGet(ctx context.Context, fake *orgkeystest.Server) string {
	_, err := ours(fake).ProjectKeys.Get(ctx, project, keyID)
	return outcome(err)
}

// endless is the number of requests after which a loop counts as endless.
const endless = 100

func officialList(ctx context.Context, fake *orgkeystest.Server) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	page, err := official(fake).Admin.Organization.AdminAPIKeys.List(ctx, openai.AdminOrganizationAdminAPIKeyListParams{})
	n := 0
	for ; err == nil && page != nil; page, err = page.GetNextPage() {
		if n += len(page.Data); len(fake.Requests()) == endless {
			return "never ends"
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

// outcome describes an error in the README's words.
func outcome(err error) string {
	apiError := new(openai.Error)
	_, unknown := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	invalid, isInvalid := errors.AsType[*orgkeys.ResponseError](err)
	switch {
	case err == nil:
		return "no error"
	case unknown:
		return "an unknown outcome"
	case isInvalid && invalid.Pointer != "":
		return "an error at `" + invalid.Pointer + "`"
	case errors.As(err, &apiError):
		return fmt.Sprintf("error %d", apiError.StatusCode)
	}
	return "an error"
}

// TestREADME_ComparisonWithTheOfficialSDK runs each case with both SDKs. The README must have a row
// with the results, and no other rows.
func TestREADME_ComparisonWithTheOfficialSDK(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(readme), "\n| situation | official SDK | orgkeys |\n| --- | --- | --- |\n")
	require.True(t, found, "the README has no table of situations")
	table, _, _ = strings.Cut(table, "\n\n")
	assert.Len(t, strings.Split(table, "\n"), len(cases))
	for _, c := range cases {
		t.Run(c.situation, func(t *testing.T) {
			cells := []string{c.situation}
			for _, run := range []run{c.official, c.orgkeys} {
				synctest.Test(t, func(t *testing.T) {
					fake := orgkeystest.NewServer(orgkeystest.InMemory())
					defer fake.Close()
					fake.AddProject(project)
					fake.AddProjectKey(project, orgkeystest.ProjectKey{ID: keyID})
					fake.Inject(c.faults...)
					cells = append(cells, run(t.Context(), fake))
				})
			}
			assert.Contains(t, strings.Split(table, "\n"), "| "+strings.Join(cells, " | ")+" |")
		})
	}
}
