package orgkeys_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// lists are the two operations that list, each as the ids that All yields.
var lists = []struct {
	operation string
	item      string // the JSON of one item, with a %s for its id
	all       func(ctx context.Context, c *orgkeys.Client, after *string) iter.Seq2[string, error]
}{
	{
		"admin-api-keys-list",
		`{"object":"organization.admin_api_key","id":"%s","redacted_value":"sk-admin...def","created_at":1711471533,"owner":{}}`,
		func(ctx context.Context, c *orgkeys.Client, after *string) iter.Seq2[string, error] {
			return ids(c.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{After: after}), func(k orgkeys.AdminKey) string { return k.ID })
		},
	},
	{
		"list-project-service-accounts",
		`{"object":"organization.project.service_account","id":"%s","name":"n","role":"member","created_at":1711471533}`,
		func(ctx context.Context, c *orgkeys.Client, after *string) iter.Seq2[string, error] {
			return ids(c.ServiceAccounts.All(ctx, project, orgkeys.ServiceAccountListParams{After: after}), func(a orgkeys.ServiceAccount) string { return a.ID })
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

// hostile is a page as a server may send it.
type hostile struct {
	ids     string // separated by blanks
	hasMore bool
	lastID  string // JSON; "" leaves it out
	broken  bool   // the answer is an error instead
}

func (h hostile) response(item string) *http.Response {
	if h.broken {
		return answer(400, `{"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}}`)
	}
	var items []string
	for id := range strings.FieldsSeq(h.ids) {
		items = append(items, fmt.Sprintf(item, id))
	}
	lastID := ""
	if h.lastID != "" {
		lastID = `,"last_id":` + h.lastID
	}
	return answer(200, fmt.Sprintf(`{"object":"list","data":[%s],"has_more":%v%s}`, strings.Join(items, ","), h.hasMore, lastID))
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}

// TestAListIsWholeOrAnError holds that whatever a server does with its pages, All delivers
// what came, and ends with has_more: false or with one error, after so many requests.
func TestAListIsWholeOrAnError(t *testing.T) {
	for _, row := range []struct {
		name     string
		after    *string
		pages    []hostile // the last one is repeated for ever
		want     string    // ids delivered
		wantErr  string    // "" where the list is whole
		requests int
	}{
		{"one page", nil, []hostile{{"a b", false, `"b"`, false}}, "a b", "", 1},
		{"nothing", nil, []hostile{{"", false, `null`, false}}, "", "", 1},
		{"two pages", nil, []hostile{{"a b", true, `"b"`, false}, {"c", false, `"c"`, false}}, "a b c", "", 2},
		{"the cursor is null: the last item's id", nil, []hostile{{"a b", true, `null`, false}, {"c", false, `null`, false}}, "a b c", "", 2},
		{"the cursor is absent", nil, []hostile{{"a b", true, ``, false}, {"c", false, ``, false}}, "a b c", "", 2},
		{"the cursor is empty", nil, []hostile{{"a b", true, `""`, false}, {"c", false, `""`, false}}, "a b c", "", 2},
		{"an empty page with progress goes on", nil, []hostile{{"a", true, `"a"`, false}, {"", true, `"b"`, false}, {"c", false, `"c"`, false}}, "a c", "", 3},
		{"a cursor that is no id", nil, []hostile{{"a", true, `"eyJ/a?b#c=="`, false}, {"b", false, `null`, false}}, "a b", "", 2},
		{"a last page that is empty", nil, []hostile{{"a", true, `"a"`, false}, {"", false, `null`, false}}, "a", "", 2},
		{"has_more: false with a cursor ends", nil, []hostile{{"a", false, `"zzz"`, false}}, "a", "", 1},
		{"an item that comes twice is delivered twice", nil, []hostile{{"a b", true, `"b"`, false}, {"b c", false, `"c"`, false}}, "a b b c", "", 2},

		{"the same cursor again", nil, []hostile{{"a b", true, `"b"`, false}}, "a b a b", "second time", 2},
		{"the same cursor with no items", nil, []hostile{{"a", true, `"a"`, false}, {"", true, `"a"`, false}}, "a", "second time", 2},
		{"a cycle of two cursors", nil, []hostile{{"a", true, `"x"`, false}, {"b", true, `"y"`, false}, {"c", true, `"x"`, false}}, "a b c", "second time", 3},
		{"the cursor is the caller's own after", new("x"), []hostile{{"a", true, `"x"`, false}}, "a", "second time", 1},
		{"a cursor that can't be sent", nil, []hostile{{"a", true, `"a\u0000b"`, false}}, "a", "breaks off", 1},
		{"more without a cursor", nil, []hostile{{"", true, ``, false}}, "", "not where", 1},
		{"more with a null cursor", nil, []hostile{{"", true, `null`, false}}, "", "not where", 1},
		{"an error on the first page", nil, []hostile{{broken: true}}, "", "400 Bad Request", 1},
		{"an error on the third page", nil, []hostile{{"a", true, `"a"`, false}, {"b", true, `"b"`, false}, {broken: true}}, "a b", "400 Bad Request", 3},
	} {
		for _, list := range lists {
			t.Run(list.operation+"/"+row.name, func(t *testing.T) {
				requests := 0
				client := stubbed(t, func(*http.Request) (*http.Response, error) {
					page := row.pages[min(requests, len(row.pages)-1)]
					requests++
					return page.response(list.item), nil
				})
				var got []string
				var failures []error
				for id, err := range list.all(t.Context(), client, row.after) {
					if err != nil {
						failures = append(failures, err)
						continue // a loop that does not break: the error must still be the last
					}
					require.Empty(t, failures, "an item behind the error")
					got = append(got, id)
				}
				assert.Equal(t, strings.Fields(row.want), append([]string{}, got...))
				assert.Equal(t, row.requests, requests)
				if row.wantErr == "" {
					assert.Empty(t, failures)
				} else {
					require.Len(t, failures, 1)
					assert.ErrorContains(t, failures[0], row.wantErr)
				}
			})
		}
	}
}

// TestAListOfEmptyPagesEnds holds that new cursors alone do not keep a loop going for ever.
func TestAListOfEmptyPagesEnds(t *testing.T) {
	for _, list := range lists {
		requests := 0
		client := stubbed(t, func(*http.Request) (*http.Response, error) {
			requests++
			return hostile{"", true, fmt.Sprintf(`"c%d"`, requests), false}.response(list.item), nil
		})
		var last error
		for _, err := range list.all(t.Context(), client, nil) {
			last = err
		}
		assert.ErrorContains(t, last, "empty pages")
		assert.Equal(t, 100, requests)
	}
}

// TestALoopThatIsLeftSendsNoFurtherRequest holds that pages are fetched only when asked for.
func TestALoopThatIsLeftSendsNoFurtherRequest(t *testing.T) {
	server := orgkeystest.New(t)
	server.AddAdminKeys(1000)
	client := newClient(t, server)
	seen := 0
	for _, err := range client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{Limit: new(10)}) {
		require.NoError(t, err)
		if seen++; seen == 25 {
			break
		}
	}
	assert.Len(t, server.Requests(), 3)
	for range client.AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{}) {
		break
	}
	assert.Len(t, server.Requests(), 4)
}

// TestAnIteratorCanBeUsedAgain holds that each loop starts from the beginning.
func TestAnIteratorCanBeUsedAgain(t *testing.T) {
	server := orgkeystest.New(t)
	server.AddAdminKeys(5)
	items := newClient(t, server).AdminKeys.All(t.Context(), orgkeys.AdminKeyListParams{Limit: new(2)})
	for range 2 {
		n := 0
		for _, err := range items {
			require.NoError(t, err)
			n++
		}
		assert.Equal(t, 5, n)
	}
}

// TestACancelledListEndsWithTheContextsError holds that an iteration does not outlive its
// context, neither between pages nor while a page is on its way.
func TestACancelledListEndsWithTheContextsError(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault *orgkeystest.Fault
	}{
		{"between pages", nil},
		{"while a page is late", &orgkeystest.Fault{Operation: "admin-api-keys-list", Skip: 1, Delay: time.Hour}},
		{"while waiting to try again", &orgkeystest.Fault{Operation: "admin-api-keys-list", Skip: 1, Status: 429}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := orgkeystest.New(t, orgkeystest.InMemory())
				server.AddAdminKeys(10)
				if row.fault != nil {
					server.Inject(*row.fault)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				seen, failures := 0, 0
				for _, err := range newClient(t, server).AdminKeys.All(ctx, orgkeys.AdminKeyListParams{Limit: new(4)}) {
					if err != nil {
						assert.ErrorIs(t, err, context.Canceled)
						failures++
						continue
					}
					if seen++; seen == 4 {
						if row.fault == nil {
							cancel()
						}
						time.AfterFunc(time.Second, cancel)
					}
				}
				assert.Equal(t, 4, seen)
				assert.Equal(t, 1, failures)
			})
		})
	}
}

// TestALongListIsDeliveredInOrderEachItemOnce walks 100,000 keys in both directions.
func TestALongListIsDeliveredInOrderEachItemOnce(t *testing.T) {
	const n = 100_000
	server := orgkeystest.New(t, orgkeystest.SkipResponseChecks())
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
			if key.ID != want[index(i)].ID {
				require.Fail(t, "out of order", "%s: key %d", order, i)
			}
			i++
		}
		assert.Equal(t, n, i)
	}
}

// TestIteratingKeepsOnePageInMemory walks 1,000 pages of 100 and holds that the heap is no
// larger at the end than near the beginning, but for the cursors' eight bytes each.
func TestIteratingKeepsOnePageInMemory(t *testing.T) {
	const pages = 1000
	for _, list := range lists {
		t.Run(list.operation, func(t *testing.T) {
			requests := 0
			live := func() uint64 {
				runtime.GC()
				var stats runtime.MemStats
				runtime.ReadMemStats(&stats)
				return stats.HeapAlloc
			}
			var early uint64
			client := stubbed(t, func(*http.Request) (*http.Response, error) {
				if requests == 10 {
					early = live()
				}
				var page strings.Builder
				for i := range 100 {
					fmt.Fprintf(&page, "id-%d ", requests*100+i)
				}
				requests++
				return hostile{page.String(), requests < pages, `null`, false}.response(list.item), nil
			})
			items := 0
			for _, err := range list.all(t.Context(), client, nil) {
				require.NoError(t, err)
				items++
			}
			assert.Equal(t, 100*pages, items)
			assert.Less(t, live(), early+32<<10)
		})
	}
}
