package orgkeystest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/orgkeys/orgkeys-go/api"
	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// walk lists all pages and returns the ids of each.
func walk(t *testing.T, s *orgkeystest.Server, path, query string) (pages [][]string) {
	t.Helper()
	for after := ""; ; {
		page := call(t, s, http.MethodGet, path+"?"+query+after, "").json(t)
		assert.Equal(t, "list", page["object"])
		var ids []string
		for _, it := range page["data"].([]any) {
			ids = append(ids, it.(map[string]any)["id"].(string))
		}
		if len(ids) == 0 {
			assert.Nil(t, page["first_id"])
			assert.Nil(t, page["last_id"])
		} else {
			assert.Equal(t, ids[0], page["first_id"])
			assert.Equal(t, ids[len(ids)-1], page["last_id"])
		}
		pages = append(pages, ids)
		if page["has_more"] == false {
			return pages
		}
		after = "&after=" + ids[len(ids)-1]
	}
}

func TestPages_ContainEachItemOnceInOrder(t *testing.T) {
	cases := map[string]struct {
		items int
		query string
		pages []int
	}{
		"no items":                   {0, "", []int{0}},
		"fewer than a page":          {3, "limit=5", []int{3}},
		"exactly a page":             {5, "limit=5", []int{5}},
		"one more than a page":       {6, "limit=5", []int{5, 1}},
		"one by one":                 {3, "limit=1", []int{1, 1, 1}},
		"by the default":             {41, "", []int{20, 20, 1}},
		"by the largest limit":       {101, "limit=100", []int{100, 1}},
		"the oldest first":           {7, "limit=3&order=asc", []int{3, 3, 1}},
		"the newest first":           {7, "limit=3&order=desc", []int{3, 3, 1}},
		"an exact fit, newest first": {6, "limit=3&order=desc", []int{3, 3}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.InMemory())
			s.AddAdminKeys(c.items)
			var want []string
			for _, key := range s.AdminKeys() {
				want = append(want, key.ID)
			}
			require.Len(t, want, c.items)

			pages := walk(t, s, adminKeys, c.query)
			var sizes []int
			for _, ids := range pages {
				sizes = append(sizes, len(ids))
			}
			assert.Equal(t, c.pages, sizes)
			if name == "the newest first" || name == "an exact fit, newest first" {
				slices.Reverse(want)
			}
			assert.Equal(t, want, slices.Concat(pages...))
		})
	}
}

func TestList_EmptyAfterIsTheStart(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	s.AddAdminKeys(3)
	s.AddServiceAccount(project, "prod")
	for _, list := range []string{adminKeys, accounts} {
		first := call(t, s, http.MethodGet, list+"?limit=1", "")
		require.Equal(t, 200, first.Status)
		assert.Equal(t, first.Body, call(t, s, http.MethodGet, list+"?limit=1&after=", "").Body, list)
	}
}

func TestServiceAccounts_AreListedByProject(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	s.AddServiceAccount("proj_other", "elsewhere")
	var want []string
	for i := range 5 {
		want = append(want, s.AddServiceAccount(project, fmt.Sprint(i)).ID)
	}
	assert.Equal(t, [][]string{want[:2], want[2:4], want[4:]}, walk(t, s, accounts, "limit=2"))
}

func TestList_IsOrderedByCreationTime(t *testing.T) {
	s := orgkeystest.New(t, orgkeystest.InMemory())
	for _, at := range []int{300, 100, 200, 100} {
		s.AddAdminKey(orgkeystest.AdminKey{ID: fmt.Sprintf("key_%d_%d", at, len(s.AdminKeys())), CreatedAt: apitype.UnixTime(at)})
	}
	want := []string{"key_100_1", "key_100_3", "key_200_2", "key_300_0"}
	assert.Equal(t, [][]string{want}, walk(t, s, adminKeys, ""))
	slices.Reverse(want)
	assert.Equal(t, [][]string{want}, walk(t, s, adminKeys, "order=desc"))
}

func TestPage_FollowsAKeyThatWasRevoked(t *testing.T) {
	for order, want := range map[string][]string{"asc": {"key_2", "key_3"}, "desc": {"key_0"}} {
		t.Run(order, func(t *testing.T) {
			s := orgkeystest.New(t, orgkeystest.InMemory())
			for i := range 4 {
				s.AddAdminKey(orgkeystest.AdminKey{ID: fmt.Sprintf("key_%d", i)})
			}
			s.RevokeAdminKey("key_1")
			assert.Equal(t, [][]string{want}, walk(t, s, adminKeys, "after=key_1&order="+order))
		})
	}
}

func TestDefaultLimit_MatchesTheContract(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	for path, list := range map[string]string{
		"/organization/admin_api_keys":                         adminKeys,
		"/organization/projects/{project_id}/service_accounts": accounts,
	} {
		want := doc.Paths.Value(path).Get.Parameters.GetByInAndName("query", "limit").Schema.Value.Default
		s := orgkeystest.New(t, orgkeystest.InMemory())
		s.AddAdminKeys(30)
		for range 30 {
			s.AddServiceAccount(project, "prod")
		}
		assert.EqualValues(t, want, len(walk(t, s, list, "")[0]))
	}
}

// The cost is measured in allocations, which do not depend on the machine.
func TestPage_CostIsIndependentOfTheListsLength(t *testing.T) {
	cost := func(keys int) float64 {
		s := orgkeystest.New(t, orgkeystest.InMemory(), orgkeystest.SkipResponseChecks())
		s.AddAdminKeys(keys)
		middle := s.AdminKeys()[keys/2].ID
		return testing.AllocsPerRun(20, func() {
			require.Equal(t, 200, call(t, s, http.MethodGet, adminKeys+"?limit=100&after="+middle, "").Status)
		})
	}
	short, long := cost(400), cost(40_000)
	assert.InDelta(t, short, long, short/5)
}
