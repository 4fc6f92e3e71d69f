package orgkeys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/davecgh/go-spew/spew"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// The keys of these tests. No two have a part in common.
var (
	adminKey   = longKey("sk-admin-", 1) // authenticates
	oddKey     = longKey("gw!{:;", 2)    // authenticates, and does not look like a key
	createdKey = longKey("sk-admin-", 3)
	accountKey = longKey("sk-svcacct-", 4)
	foreignKey = longKey("sk-proj-", 5) // a server quotes it
	sessionKey = longKey("sess-", 6)
)

const randomPart = 48

func longKey(prefix string, seed uint64) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	random := rand.New(rand.NewPCG(seed, seed))
	key := []byte(prefix)
	for range randomPart {
		key = append(key, letters[random.IntN(len(letters))])
	}
	return string(key)
}

// partIn returns eight characters of the random part of one of keys that are in text: in any case,
// with anything between them, or as hexadecimal or decimal numbers or base64, or "".
func partIn(text string, keys ...string) string {
	var numbers []byte
	for _, number := range decimal.FindAllString(text, -1) {
		if n, err := strconv.ParseUint(number, 10, 8); err == nil {
			numbers = append(numbers, byte(n))
		}
	}
	letters := strings.ReplaceAll(others.ReplaceAllString(text, ""), "0x", "")
	digits := strings.NewReplacer("-", "+", "_", "/").Replace(text)
	for _, key := range keys {
		for part := range slices.Chunk([]byte(key[len(key)-randomPart:]), 8) {
			isIn := strings.Contains(strings.ToLower(letters), strings.ToLower(string(part))) ||
				strings.Contains(strings.ToLower(letters), hex.EncodeToString(part)) || bytes.Contains(numbers, part)
			for i := range 3 {
				isIn = isIn || strings.Contains(digits, base64.StdEncoding.EncodeToString(part[i:][:len(part[i:])/3*3]))
			}
			if isIn {
				return string(part)
			}
		}
	}
	return ""
}

var decimal, others = regexp.MustCompile(`\d+`), regexp.MustCompile(`[^0-9A-Za-z]+`)

func partOfKeyIn(text string) string {
	return partIn(text, adminKey, oddKey, createdKey, accountKey, foreignKey, sessionKey)
}

func TestPartIn(t *testing.T) {
	b := []byte(adminKey)
	for _, text := range []string{
		"x" + adminKey + "y", adminKey[len(adminKey)-18 : len(adminKey)-3], strings.ToUpper(adminKey), fmt.Sprintf("%x", b), fmt.Sprintf("% X", b), fmt.Sprintf("%# x", b),
		fmt.Sprint(b), fmt.Sprintf("%c", b), spew.Sdump(append([]byte("1234567"), b...)), base64.URLEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(append([]byte("1"), b...)),
	} {
		assert.NotEmpty(t, partIn(text, adminKey), text)
	}
	assert.Empty(t, partIn(createdKey+adminKey[:8]+"****"+adminKey[len(adminKey)-4:], adminKey))
}

// sinks print, log or encode a value. Each returns what it wrote, its error included.
var sinks = map[string]func(v any) string{
	"log":     func(v any) string { var out bytes.Buffer; log.New(&out, "", 0).Println(v, v); return out.String() },
	"json":    func(v any) string { return text(json.Marshal(map[string]any{"v": v})) },
	"json v2": func(v any) string { return text(jsonv2.Marshal(v)) },
	"xml":     func(v any) string { return text(xml.Marshal(v)) },
	"yaml":    func(v any) string { return text(yaml.Marshal(v)) },
	"gob": func(v any) string {
		var out bytes.Buffer
		err := gob.NewEncoder(&out).Encode(v)
		return text(out.Bytes(), err)
	},
	"spew": func(v any) string {
		config := spew.ConfigState{Indent: " ", DisableMethods: true, DisablePointerMethods: true}
		return spew.Sdump(v) + spew.Sprintf("%v %+v %#v %#+v", v, v, v, v) + config.Sdump(v) + config.Sprintf("%#+v", v)
	},
	"testify": func(v any) string {
		var out failures
		zero := reflect.Zero(reflect.TypeOf(v)).Interface()
		assert.Equal(&out, zero, v)
		assert.EqualExportedValues(&out, zero, v)
		assert.Nil(&out, v)
		assert.ElementsMatch(&out, []any{0}, []any{v})
		if err, ok := v.(error); ok {
			assert.ErrorIs(&out, err, errors.New("another"))
		}
		return string(out)
	},
	"template": func(v any) string {
		var out bytes.Buffer
		err := template.Must(template.New("").Parse(`{{.}} {{printf "%#v %d" . .}} {{. | html}} {{js .}}`)).Execute(&out, v)
		return text(out.Bytes(), err)
	},
	"slog": func(v any) string {
		var out bytes.Buffer
		logger := slog.New(slog.NewMultiHandler(slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)))
		logger.With("w", v).WithGroup("g").Info("m", "v", v, slog.Group("g", "v", v), "vs", []any{v})
		return out.String()
	},
	"fmt": func(v any) (out string) {
		for _, format := range strings.Fields("%v %T %t %b %c %d %o %O %q %x %X %U %e %g %s %p %w %+v %#v %+q %#q %#x %-40v %.12s %z % %*d") {
			out += fmt.Sprintf(format, v) + fmt.Sprint(fmt.Errorf("%w "+format, errors.New("x"), v)) + "\n"
		}
		return out + fmt.Sprintf("% x", v)
	},
}

func text(b []byte, err error) string { return string(b) + fmt.Sprint(err) }

// failures collects the messages of failed assertions.
type failures string

func (f *failures) Errorf(format string, args ...any) { *f += failures(fmt.Sprintf(format, args...)) }

// holders are what a value may be part of when it is printed.
var holders = []func(v any) any{
	func(v any) any { return v },
	func(v any) any {
		p := reflect.New(reflect.TypeOf(v))
		p.Elem().Set(reflect.ValueOf(v))
		return p.Interface()
	},
	func(v any) any { return []any{v, &v, map[string]any{"v": v}} },
	func(v any) any {
		return struct {
			V any
			v any
		}{v, v}
	},
}

func TestSecrets_areNotPrinted(t *testing.T) {
	for name, value := range printedValues(t) {
		t.Run(name, func(t *testing.T) {
			for i, hold := range holders {
				held := hold(value)
				for sink, write := range sinks {
					out := ""
					func() {
						defer func() {
							if p := recover(); p != nil {
								out += fmt.Sprintf("%v %+v", p, p)
							}
						}()
						out = write(held)
					}()
					if part := partOfKeyIn(out); part != "" {
						t.Errorf("%d, %s: shows %q in %s", i, sink, part, out)
					}
				}
			}
		})
	}
}

// printedValues returns the values that the package returns or accepts, from calls that were
// authenticated with adminKey.
func printedValues(t *testing.T) map[string]any {
	values := failedCalls(t)
	add := func(name string, value any) {
		require.NotContains(t, values, name)
		values[name] = value
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, err := createsKeys(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, response.Body)
	}))
	t.Cleanup(server.Close)
	var records recorder
	options := map[string]orgkeys.Option{
		"WithAdminKey":         orgkeys.WithAdminKey(adminKey),
		"WithAdminKeySource":   orgkeys.WithAdminKeySource(func(context.Context) (string, error) { return adminKey, nil }),
		"WithBaseURL":          orgkeys.WithBaseURL(server.URL),
		"WithHTTPClient":       orgkeys.WithHTTPClient(server.Client()),
		"WithRetry":            orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}),
		"WithLogger":           orgkeys.WithLogger(slog.New(&records)),
		"WithUserAgent":        orgkeys.WithUserAgent("test/1"),
		"WithMaxResponseBytes": orgkeys.WithMaxResponseBytes(1 << 20),
	}
	var given []orgkeys.Option
	for name, option := range options {
		add("option "+name, option)
		given = append(given, option)
	}
	client, err := orgkeys.NewClient(given...)
	require.NoError(t, err)
	// The connection stays open: net/http's buffers still contain what was written to it.
	_, err = client.ProjectKeys.Get(t.Context(), project, keyID)
	require.ErrorIs(t, err, orgkeys.ErrBadRequest)

	var info orgkeys.CallInfo
	key, err := client.AdminKeys.Create(orgkeys.WithCallInfo(t.Context(), &info), orgkeys.AdminKeyCreateParams{Name: "ci"})
	require.NoError(t, err)
	require.Equal(t, createdKey, key.Value.Reveal())
	account, err := client.ServiceAccounts.Create(t.Context(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"})
	require.NoError(t, err)
	require.NotNil(t, account.APIKey)
	require.Equal(t, accountKey, account.APIKey.Value.Reveal())
	listed := stubbed(t, func(*http.Request) (*http.Response, error) {
		return jsonResponse(200, strings.Replace(fmt.Sprintf(`{"object":"list","data":[`+lists[0].item+`],"has_more":false}`, "key_abc"), "sk-admin...def", foreignKey, 1)), nil
	})
	page, err := listed.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{})
	require.NoError(t, err)
	require.Equal(t, "[redacted]", page.Data[0].RedactedValue, "a redacted value of full length")
	add("page", *page)
	add("created admin key", *key)
	add("secret", key.Value)
	add("owner", key.Owner)
	add("created service account", *account)
	add("key of a service account", *account.APIKey)
	add("log group", slog.GroupValue(slog.Any("key", key), slog.Any("value", key.Value)))
	add("call info", info)
	add("client", *client)
	add("service", client.AdminKeys)
	add("generated client", client.Generated())

	var request *http.Request
	parsed, err := client.Generated().AdminAPIKeysCreateWithResponse(t.Context(), orgkeysBody("ci"),
		func(_ context.Context, r *http.Request) error { request = r; return nil })
	require.NoError(t, err)
	require.NotNil(t, parsed.JSON200)
	require.Equal(t, createdKey, parsed.JSON200.Value.Reveal())
	require.Contains(t, string(parsed.Body()), createdKey)
	add("value of the generated client", parsed.JSON200)
	add("parsed response of the generated client", parsed)
	raw, err := client.Generated().AdminAPIKeysCreate(t.Context(), orgkeysBody("ci"))
	require.NoError(t, err)
	add("response of the generated client", raw)
	add("request of the generated client", request)
	head, err := httputil.DumpRequest(request, false)
	require.NoError(t, err)
	add("dump of the request", string(head))
	require.Len(t, records, 5)
	for i, record := range records {
		add(fmt.Sprintf("log record %d", i), record)
	}
	return values
}

// recorder is a slog.Handler that keeps the records.
type recorder []slog.Record

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }
func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	*r = append(*r, record)
	return nil
}

// Errors of a transport that quote the header of the request.
type (
	errorText   string
	errorBytes  []byte
	errorStruct struct{ Header http.Header }
	errorFields struct{ Request *http.Request }
)

func (e errorText) Error() string                   { return string(e) }
func (e errorBytes) Error() string                  { return string(e) }
func (e errorStruct) Error() string                 { return fmt.Sprintf("%q", e.Header) }
func (e *errorFields) Error() string                { return "failed with " + e.Request.Header.Get("Authorization") }
func (e *errorFields) Format(f fmt.State, _ rune)   { _, _ = fmt.Fprintf(f, "%+v", e.Request.Header) }
func (e *errorFields) GoString() string             { return fmt.Sprint(e.Request.Header) }
func (e *errorFields) LogValue() slog.Value         { return slog.AnyValue(e.Request.Header) }
func (e *errorFields) MarshalJSON() ([]byte, error) { return json.Marshal(e.Request.Header) }

// sources are where a text that quotes keys comes from.
var sources = func() map[string]func(*http.Request) (*http.Response, error) {
	respond := func(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			quoting := fmt.Sprintf("map[Authorization:%s]\nlevel=ERROR %s, %s, %s.", r.Header["Authorization"], strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), foreignKey, sessionKey)
			quoted, _ := json.Marshal(quoting)
			response := jsonResponse(status, strings.ReplaceAll(body, "$", string(quoted)))
			for _, name := range headers {
				response.Header.Set(name, quoting)
			}
			return response, nil
		}
	}
	sources := map[string]func(*http.Request) (*http.Response, error){
		"envelope": respond(401, `{"error":{"message":$,"type":$,"param":$,"code":$}}`), "loose envelope": respond(409, `{"error":{"code":7,"message":$}}`),
		"bare string": respond(500, `{"error":$}`), "page": respond(503, "<html>$", "Content-Type"), "location": respond(307, "", "Location"),
		"request id": respond(403, "{}", "X-Request-Id"), "200, request id": respond(200, "{}", "X-Request-Id"), "200, content type": respond(200, "{}", "Content-Type"),
		"200, envelope": respond(200, `{"error":{"message":$,"type":$,"param":$,"code":$}}`), "not JSON": respond(200, "$"), "duplicate name": respond(200, `{"x":{$:1,$:2}}`),
		"unfinished value": respond(200, `{"owner":{$:{"x":[nonsense`), "constant": respond(200, `{"object":$}`), "time": respond(200, `{"created_at":$}`),
	}
	for name, fail := range map[string]func(*http.Request) error{
		"text":    func(r *http.Request) error { return errorText("sent " + fmt.Sprint(r.Header)) },
		"bytes":   func(r *http.Request) error { return errorBytes(r.Header.Get("Authorization")) },
		"struct":  func(r *http.Request) error { return fmt.Errorf("outer: %w", errorStruct{r.Header}) },
		"methods": func(r *http.Request) error { return errors.Join(io.ErrUnexpectedEOF, &errorFields{r}) },
		"URL error": func(r *http.Request) error {
			return &url.Error{Op: r.Method, URL: "https://x.example/?key=" + adminKey, Err: errorText(adminKey)}
		},
		"network error": func(r *http.Request) error { return &net.OpError{Op: "write", Net: "tcp", Err: &errorFields{r}} },
	} {
		sources[name+" of the transport"] = func(r *http.Request) (*http.Response, error) { return nil, fail(r) }
		sources[name+" of a body"] = func(r *http.Request) (*http.Response, error) {
			response := jsonResponse(200, "")
			response.Body, response.ContentLength = &brokenBody{strings.NewReader(`{"object":"list"`), fail(r)}, -1
			return response, nil
		}
	}
	return sources
}()

// failedCalls returns the errors of calls that fail in every way, and what they unwrap to.
func failedCalls(t *testing.T) map[string]any {
	all := map[string]any{}
	add := func(name string, err error) {
		require.Error(t, err, name)
		require.Less(t, len(err.Error()), 4000, name)
		require.NotContains(t, err.Error(), "\n", name)
		all[name] = err
		if cause := errors.Unwrap(err); cause != nil {
			all[name+", unwrapped"] = cause
		}
	}
	once := orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1})
	for name, source := range sources {
		for _, c := range calls[1:3] { // a create and a read
			for _, key := range []string{oddKey, adminKey} {
				name := c.operation + ", " + name
				var logged bytes.Buffer
				client := stubbed(t, source, orgkeys.WithAdminKey(key), once, orgkeys.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
				var info orgkeys.CallInfo
				add(name, errorOf(c.do(orgkeys.WithCallInfo(t.Context(), &info), client)))
				require.Empty(t, partOfKeyIn(fmt.Sprintf("%v %#v %v %v", all[name], all[name], info, logged.String())), name)
				require.LessOrEqual(t, strings.Count(logged.String(), "\n"), 1, "%s: %s", name, logged.String())
				if err := errorOf(c.raw(t.Context(), client)); err != nil {
					add(name+", generated", err)
				}
			}
		}
	}
	for name, source := range map[string]func() (string, error){
		"failing source":   func() (string, error) { return "", errorText("the lease of " + adminKey + " has ended") },
		"malformed source": func() (string, error) { return adminKey + "\n", nil },
	} {
		sourced := stubbed(t, createsKeys, once, orgkeys.WithAdminKeySource(func(context.Context) (string, error) { return source() }))
		add(name, errorOf(calls[1].do(t.Context(), sourced)))
	}
	signed := orgkeys.WithAdminKey(adminKey)
	client := stubbed(t, createsKeys, signed)
	for name, err := range map[string]error{
		"key as an id":         errorOf(client.ProjectKeys.Get(t.Context(), project, adminKey)),
		"key as a project":     errorOf(client.ServiceAccounts.List(t.Context(), createdKey, orgkeys.ServiceAccountListParams{})),
		"key as a cursor":      errorOf(client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{After: new(adminKey)})),
		"key as an order":      errorOf(client.AdminKeys.List(t.Context(), orgkeys.AdminKeyListParams{Order: new(orgkeys.AdminKeyOrder(adminKey))})),
		"key in a name":        errorOf(client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: adminKey})),
		"key in a scope":       errorOf(client.ProjectKeys.Update(t.Context(), project, keyID, orgkeys.ProjectKeyUpdateParams{Scopes: new([]string{adminKey})})),
		"two keys":             errorOf(orgkeys.NewClient(orgkeys.WithAdminKey(adminKey + " " + createdKey))),
		"key in the base URL":  errorOf(orgkeys.NewClient(signed, orgkeys.WithBaseURL("https://x:"+adminKey+"@example.com"))),
		"key as the base URL":  errorOf(orgkeys.NewClient(signed, orgkeys.WithBaseURL("://"+adminKey))),
		"key as a user agent":  errorOf(orgkeys.NewClient(signed, orgkeys.WithUserAgent(adminKey+"\n"))),
		"key as a header":      errorOf(client.AdminKeys.List(orgkeys.WithHeader(t.Context(), "X-Key", adminKey+"\n"), orgkeys.AdminKeyListParams{})),
		"key as a header name": errorOf(client.AdminKeys.List(orgkeys.WithHeader(t.Context(), adminKey+":", "x"), orgkeys.AdminKeyListParams{})),
	} {
		add(name, err)
	}
	return all
}

// brokenBody is a body that ends with err.
type brokenBody struct {
	io.Reader
	err error
}

func (b *brokenBody) Close() error { return nil }
func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

// The runtime prints the value of a panic itself.
func TestSecrets_areNotPrintedByAPanic(t *testing.T) {
	const variable = "ORGKEYS_TEST_PANIC"
	if name := os.Getenv(variable); name != "" {
		panic(printedValues(t)[name])
	}
	for _, name := range []string{"created admin key", "client", calls[1].operation + ", methods of the transport"} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), variable+"="+name, "GOTRACEBACK=all")
		out, err := command.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "panic: ")
		assert.NotContains(t, string(out), "panic: nil")
		assert.Empty(t, partOfKeyIn(string(out)), "%s", out)
	}
}

// The buffer of a response is cleared when the call is over.
func TestCreate_clearsItsBuffers(t *testing.T) {
	for _, padding := range []int{0, 10_000, 1_000_000} {
		for _, declared := range []bool{true, false} {
			var used [][]byte
			client := stubbed(t, func(r *http.Request) (*http.Response, error) {
				response, err := createsKeys(r)
				if err != nil {
					return nil, err
				}
				body := io.MultiReader(response.Body, strings.NewReader(strings.Repeat(" ", padding)))
				response.Body = &watchedBody{body, &used}
				if response.ContentLength += int64(padding); !declared {
					response.ContentLength = -1
				}
				return response, nil
			})
			_, err := calls[1].do(t.Context(), client)
			require.NoError(t, err)
			require.NotEmpty(t, used)
			for _, buffer := range used {
				assert.Empty(t, partIn(string(buffer), createdKey), "%d %v", padding, declared)
			}
		}
	}
}

// watchedBody keeps the buffers that it was read into.
type watchedBody struct {
	io.Reader
	used *[][]byte
}

func (b *watchedBody) Close() error { return nil }
func (b *watchedBody) Read(p []byte) (int, error) {
	*b.used = append(*b.used, p)
	return b.Reader.Read(p)
}
