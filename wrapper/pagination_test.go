package orgkeys_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// lists contains the two operations that list, each with an iterator over the ids that All yields.
var lists = []struct {
	operation string
	item      string // the JSON of an item, with %q for its id
	all       func(ctx context.Context, c *orgkeys.Client, after *string, limit *int) iter.Seq2[string, error]
}{
	{
		"admin-api-keys-list",
		`{"object":"organization.admin_api_key","id":%q,"redacted_value":"sk-admin...def","created_at":1711471533,"owner":{}}`,
		func(ctx context.Context, c *orgkeys.Client, after *string, limit *int) iter.Seq2[string, error] {
			return ids(c.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{After: after, Limit: limit}), func(k orgkeys.AdminKey) string { return k.ID })
		},
	},
	{
		"list-project-service-accounts",
		`{"object":"organization.project.service_account","id":%q,"name":"n","role":"member","created_at":1711471533}`,
		func(ctx context.Context, c *orgkeys.Client, after *string, limit *int) iter.Seq2[string, error] {
			return ids(c.ServiceAccounts.All(ctx, project, orgkeys.ServiceAccountListParams{After: after, Limit: limit}), func(a orgkeys.ServiceAccount) string { return a.ID })
		},
	},
}

func ids[T any](items iter.Seq2[T, error], id func(T) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for item, err := range items {
			if !yield(id(item), err) {
				return
			}
		}
	}
}

// listPage returns a page as a server may send it. lastID is JSON, or "" if it is absent.
func listPage(item string, ids []string, hasMore bool, lastID string) *http.Response {
	var items []string
	for _, id := range ids {
		items = append(items, fmt.Sprintf(item, id))
	}
	if lastID != "" {
		lastID = `,"last_id":` + lastID
	}
	return jsonResponse(200, fmt.Sprintf(`{"object":"list","data":[%s],"has_more":%v%s}`, strings.Join(items, ","), hasMore, lastID))
}

// TestAll_requests compares the queries that All sends: cursors and limits. The choice of the
// cursor and the end of a list have tables in pages_test.go.
func TestAll_requests(t *testing.T) {
	for _, list := range lists {
		for _, row := range []struct {
			name  string
			after *string
			limit *int
			pages []string // "ids hasMore lastID", ids separated by commas
			want  string
			sent  []string // the queries
		}{
			{"one page", nil, nil, []string{`a,b false "b"`}, "a b", []string{"limit=100"}},
			{"no items", nil, nil, []string{` false null`}, "", []string{"limit=100"}},
			{"two pages", nil, nil, []string{`a,b true "b"`, `c false "c"`}, "a b c", []string{"limit=100", "after=b&limit=100"}},
			{"three pages of a size", nil, new(2), []string{`a,b true "b"`, `c,d true "d"`, `e false "e"`}, "a b c d e", []string{"limit=2", "after=b&limit=2", "after=d&limit=2"}},
			{"after an id", new("x"), nil, []string{`a true "a"`, `b false "b"`}, "a b", []string{"after=x&limit=100", "after=a&limit=100"}},
			{"after an id with a space", new("x y"), new(1), []string{`a false "a"`}, "a", []string{"after=x+y&limit=1"}},
			{"last_id of another item", nil, nil, []string{`a,b,c true "a"`, `d false "d"`}, "a b c d", []string{"limit=100", "after=c&limit=100"}},
			{"last_id of no item", nil, nil, []string{`a,b true "z"`, `c false "c"`}, "a b c", []string{"limit=100", "after=b&limit=100"}},
			{"no last_id", nil, nil, []string{`a,b true `, `c false `}, "a b c", []string{"limit=100", "after=b&limit=100"}},
			{"null as last_id", nil, nil, []string{`a,b true null`, `c false null`}, "a b c", []string{"limit=100", "after=b&limit=100"}},
			{"empty page", nil, nil, []string{`a true "a"`, ` true "b c"`, `d false "d"`}, "a d", []string{"limit=100", "after=a&limit=100", "after=b+c&limit=100"}},
			{"ids that need escapes", nil, nil, []string{`a/b?c#d%e&f true null`, `g false null`}, "a/b?c#d%e&f g", []string{"limit=100", "after=a%2Fb%3Fc%23d%25e%26f&limit=100"}},
			{"items that are repeated", nil, nil, []string{`a,b true "b"`, `b,c false "c"`}, "a b b c", []string{"limit=100", "after=b&limit=100"}},
			{"last page with a cursor", nil, nil, []string{`a false "z"`}, "a", []string{"limit=100"}},
		} {
			t.Run(list.operation+"/"+row.name, func(t *testing.T) {
				var sent []string
				client := stubbed(t, func(r *http.Request) (*http.Response, error) {
					query, err := url.ParseQuery(r.URL.RawQuery)
					require.NoError(t, err)
					sent = append(sent, query.Encode())
					require.LessOrEqual(t, len(sent), len(row.pages))
					fields := strings.SplitN(row.pages[len(sent)-1], " ", 3)
					return listPage(list.item, strings.FieldsFunc(fields[0], func(r rune) bool { return r == ',' }), fields[1] == "true", fields[2]), nil
				})
				got := []string{}
				for id, err := range list.all(t.Context(), client, row.after, row.limit) {
					require.NoError(t, err)
					got = append(got, id)
				}
				assert.Equal(t, strings.Fields(row.want), got)
				assert.Equal(t, row.sent, sent)
			})
		}
	}
}

// TestAll_errors verifies that All yields the whole list, or the items that were received and then
// one error.
func TestAll_errors(t *testing.T) {
	for _, list := range lists {
		for _, row := range []struct {
			name     string
			respond  func(request int) *http.Response
			items    int
			requests int
			problem  string
		}{
			{"the same page", func(int) *http.Response { return listPage(list.item, []string{"a", "b"}, true, `"b"`) }, 4, 2, "repeated a page or a cursor"},
			{"the same item, new last ids", func(n int) *http.Response { return listPage(list.item, []string{"a"}, true, fmt.Sprintf(`"c%d"`, n)) }, 2, 2, "repeated a page or a cursor"},
			{"empty pages", func(n int) *http.Response { return listPage(list.item, nil, true, fmt.Sprintf(`"c%d"`, n)) }, 0, 100, "100 empty pages"},
			{"no cursor", func(int) *http.Response { return listPage(list.item, nil, true, "") }, 0, 1, "no cursor"},
			{"a cursor that is not an id", func(int) *http.Response { return listPage(list.item, nil, true, `"a\u0000"`) }, 0, 1, "not a valid id"},
			{"an error response", func(n int) *http.Response {
				if n == 3 {
					return jsonResponse(400, `{"error":{"message":"no","type":"t","param":null,"code":null}}`)
				}
				return listPage(list.item, []string{fmt.Sprint("id", n)}, true, "")
			}, 2, 3, "400 Bad Request: no"},
			{"an invalid response", func(int) *http.Response { return jsonResponse(200, `{"object":"list","data":[{}],"has_more":false}`) }, 0, 1, "invalid response"},
		} {
			t.Run(list.operation+"/"+row.name, func(t *testing.T) {
				requests, items, failures := 0, 0, 0
				client := stubbed(t, func(*http.Request) (*http.Response, error) { requests++; return row.respond(requests), nil })
				for id, err := range list.all(t.Context(), client, nil, nil) {
					require.Zero(t, failures, "All yields after an error")
					if err != nil { // continues, as the loop of a caller may
						assert.ErrorContains(t, err, row.problem)
						assert.NotErrorIs(t, err, orgkeys.ErrNotSent)
						assert.Empty(t, id)
						failures++
						continue
					}
					items++
				}
				assert.Equal(t, 1, failures)
				assert.Equal(t, row.items, items)
				assert.Equal(t, row.requests, requests)
			})
		}
	}
}

// TestAll_isLazy verifies that a page is requested only when a loop reaches it, and that each loop
// starts at the first page.
func TestAll_isLazy(t *testing.T) {
	server := orgkeystest.New(t)
	server.AddAdminKeys(100)
	client := newClient(t, server)
	keys := client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{Limit: new(10)})
	assert.Empty(t, server.Requests())
	for range 2 {
		before, seen := len(server.Requests()), 0
		for _, err := range keys {
			require.NoError(t, err)
			if seen++; seen == 25 {
				break
			}
		}
		assert.Len(t, server.Requests(), before+3)
	}
}

func TestAll_order(t *testing.T) {
	const n = 1050
	server := orgkeystest.New(t)
	server.AddAdminKeys(n)
	want := server.AdminKeys()
	client := newClient(t, server)
	for order, index := range map[orgkeys.AdminKeyOrder]func(int) int{
		orgkeys.AdminKeysOldestFirst: func(i int) int { return i },
		orgkeys.AdminKeysNewestFirst: func(i int) int { return n - 1 - i },
	} {
		i := 0
		for key, err := range client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{Order: &order}) {
			require.NoError(t, err)
			require.Equal(t, want[index(i)].ID, key.ID)
			i++
		}
		assert.Equal(t, n, i)
	}
}

// TestAll_endsWithItsContext verifies that canceling the context ends an iteration between pages,
// during a request and between attempts.
func TestAll_endsWithItsContext(t *testing.T) {
	for name, fault := range map[string]*orgkeystest.Fault{
		"between pages":    nil,
		"during a request": {Operation: "admin-api-keys-list", Skip: 1, Delay: time.Hour},
		"between attempts": {Operation: "admin-api-keys-list", Skip: 1, Status: 429},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := orgkeystest.New(t, orgkeystest.InMemory())
				server.AddAdminKeys(10)
				if fault != nil {
					server.Inject(*fault)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				items, failures := 0, 0
				for _, err := range newClient(t, server).AdminKeys.All(ctx, orgkeys.AdminKeyListParams{Limit: new(4)}) {
					if err != nil {
						assert.ErrorIs(t, err, context.Canceled)
						failures++
						continue
					}
					if items++; items == 4 {
						if fault == nil {
							cancel()
						}
						time.AfterFunc(time.Second, cancel)
					}
				}
				assert.Equal(t, 4, items)
				assert.Equal(t, 1, failures)
			})
		})
	}
}
