package orgkeys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"log"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/template"
	"time"
	"unsafe"
	"weak"

	"github.com/davecgh/go-spew/spew"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/orgkeys/orgkeys-go/gen"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// The keys of these tests. None is an example of the contract, and no two share a part.
var (
	adminKey   = longKey("sk-admin-", 1) // signs
	oddKey     = longKey("gw!{:;", 2)    // signs, and looks like no key
	mintedKey  = longKey("sk-admin-", 3) // is minted
	accountKey = longKey("sk-svcacct-", 4)
	foreignKey = longKey("sk-proj-", 5) // is quoted by a server that knows it from elsewhere
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

// traces finds what is left of keys in a text: any fifteen characters of their random part in a
// row, in either case, with anything in between that is no letter and no digit, as hex, or as a
// list of byte values in decimal, octal or binary; and half of it as base64.
type traces struct{ letters, base64, numbers []string }

func tracesOf(keys ...string) (t traces) {
	for _, key := range keys {
		random := key[len(key)-randomPart:]
		for part := range slices.Chunk([]byte(random), 8) {
			t.letters = append(t.letters, strings.ToLower(string(part)), fmt.Sprintf("%x", part))
			for _, verb := range []string{"%d", "%o", "%b"} {
				t.numbers = append(t.numbers, strings.Trim(fmt.Sprintf(verb, part), "[]"))
			}
		}
		for i := range 3 {
			for _, half := range []string{random[:24], random[24:]} {
				t.base64 = append(t.base64, base64.StdEncoding.EncodeToString([]byte(half[i:i+9])))
			}
		}
	}
	return t
}

// in returns the first trace in text, or "".
func (t traces) in(text string) string {
	var letters, numbers strings.Builder
	gap := false
	for _, c := range []byte(text) {
		isDigit := c >= '0' && c <= '9'
		switch {
		case isDigit || c >= 'a' && c <= 'z':
			letters.WriteByte(c)
		case c >= 'A' && c <= 'Z':
			letters.WriteByte(c - 'A' + 'a')
		}
		if isDigit {
			numbers.WriteByte(c)
		} else if !gap {
			numbers.WriteByte(' ')
		}
		gap = !isDigit
	}
	for _, search := range []struct {
		text  string
		parts []string
	}{
		{strings.ReplaceAll(letters.String(), "0x", ""), t.letters},
		{strings.NewReplacer("-", "+", "_", "/").Replace(text), t.base64},
		{numbers.String(), t.numbers},
	} {
		for _, part := range search.parts {
			if strings.Contains(search.text, part) {
				return part
			}
		}
	}
	return ""
}

// TestTracesOfAKeyAreFound holds that the tests below could fail.
func TestTracesOfAKeyAreFound(t *testing.T) {
	found := tracesOf(adminKey)
	b := []byte(adminKey)
	swapped := strings.Map(func(r rune) rune {
		if strings.ToLower(string(r)) == string(r) {
			return rune(strings.ToUpper(string(r))[0])
		}
		return rune(strings.ToLower(string(r))[0])
	}, adminKey)
	jsonBytes, err := json.Marshal(struct{ B []byte }{b})
	require.NoError(t, err)
	rows := map[string]string{
		"whole":          "x" + adminKey + "y",
		"part":           adminKey[len(adminKey)-18 : len(adminKey)-3],
		"capitals":       strings.ToUpper(adminKey),
		"reversed case":  swapped,
		"quoted":         fmt.Sprintf("%q", adminKey),
		"hex":            fmt.Sprintf("%x", adminKey),
		"hex in groups":  fmt.Sprintf("% X", adminKey),
		"hex with 0x":    fmt.Sprintf("%# x", adminKey),
		"bytes":          fmt.Sprint(b),
		"Go bytes":       fmt.Sprintf("%#v", b),
		"octal":          fmt.Sprintf("%o", b),
		"binary":         fmt.Sprintf("%b", b),
		"characters":     fmt.Sprintf("%c", b),
		"JSON bytes":     string(jsonBytes),
		"hex dump":       spew.Sdump(append([]byte("1234567"), b...)),
		"base64 URL":     base64.URLEncoding.EncodeToString(b),
		"base64 shift 1": base64.RawStdEncoding.EncodeToString(append([]byte("1"), b...)),
		"base64 shift 2": base64.RawStdEncoding.EncodeToString(append([]byte("12"), b...)),
	}
	for name, text := range rows {
		assert.NotEmpty(t, found.in(text), "%s: %s", name, text)
	}
	for name, text := range map[string]string{
		"another key": mintedKey, "redacted": adminKey[:8] + "****" + adminKey[len(adminKey)-4:],
	} {
		assert.Empty(t, found.in(text), name)
	}
}

// sinks are the ways to print, log or encode a value. Each returns what came out of it, the
// error or the panic included.
var sinks = func() map[string]func(v any) string {
	sinks := map[string]func(v any) string{
		"Sprint":   func(v any) string { return fmt.Sprint(v) },
		"Sprintln": func(v any) string { return fmt.Sprintln(v, v) },
		"log": func(v any) string {
			var out bytes.Buffer
			log.New(&out, "", 0).Println(v)
			return out.String()
		},
		"json":        func(v any) string { return text(json.Marshal(v)) },
		"json indent": func(v any) string { return text(json.MarshalIndent(map[string]any{"v": v}, "", " ")) },
		"json v2":     func(v any) string { return text(jsonv2.Marshal(v)) },
		"xml":         func(v any) string { return text(xml.Marshal(v)) },
		"yaml":        func(v any) string { return text(yaml.Marshal(v)) },
		"gob": func(v any) string {
			var out bytes.Buffer
			err := gob.NewEncoder(&out).Encode(v)
			return out.String() + fmt.Sprint(err)
		},
		"spew":         func(v any) string { return spew.Sdump(v) },
		"spew Sprintf": func(v any) string { return spew.Sprintf("%v %+v %#v %#+v", v, v, v, v) },
		"spew without methods": func(v any) string {
			config := spew.ConfigState{Indent: " ", DisableMethods: true, DisablePointerMethods: true}
			return config.Sdump(v) + config.Sprintf("%#+v", v)
		},
		"testify": func(v any) string {
			var out failures
			zero := reflect.Zero(reflect.TypeOf(v)).Interface()
			assert.Equal(&out, zero, v)
			assert.Equal(&out, nil, v)
			assert.EqualExportedValues(&out, zero, v)
			assert.Nil(&out, v)
			assert.ElementsMatch(&out, []any{0}, []any{v})
			if err, ok := v.(error); ok {
				assert.NoError(&out, err)
				assert.ErrorIs(&out, err, errors.New("another"))
				assert.EqualError(&out, err, "another")
			}
			return string(out)
		},
	}
	for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
		for _, flags := range []string{"", "#"} {
			format := "%" + flags + string(verb)
			sinks[format] = func(v any) string { return fmt.Sprintf(format, v) }
		}
	}
	for _, format := range []string{"%+v", "%+q", "% x", "%-40v", "%.12s", "%z", "%", "none", "%*d", "%[2]v"} {
		sinks[format] = func(v any) string { return fmt.Sprintf(format, v) }
	}
	for _, format := range []string{"%w", "%+v"} {
		sinks["Errorf "+format] = func(v any) string {
			err := fmt.Errorf(format, v)
			return fmt.Sprintf("%v %+v %#v", err, errors.Join(err, err), err)
		}
	}
	for name, handler := range map[string]func(io.Writer, *slog.HandlerOptions) slog.Handler{
		"slog text": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) },
		"slog json": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) },
	} {
		sinks[name] = func(v any) string {
			var out bytes.Buffer
			logger := slog.New(handler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
			logger.Info("m", "v", v, slog.Group("g", "v", v))
			logger.With("v", v).WithGroup("g").Log(context.Background(), slog.LevelDebug-4, "m", "vs", []any{v})
			return out.String()
		}
	}
	for name, source := range map[string]string{"{{.}}": "{{.}}", "{{printf}}": `{{printf "%#v %d" . .}}`, "{{html}}": "{{. | html}}", "{{js}}": "{{js .}}"} {
		plain, html := template.Must(template.New("").Parse(source)), htmltemplate.Must(htmltemplate.New("").Parse("<script>v = {{.}}</script>"+source))
		sinks["template "+name] = func(v any) string {
			var out bytes.Buffer
			err := errors.Join(plain.Execute(&out, v), html.Execute(&out, v))
			return out.String() + fmt.Sprint(err)
		}
	}
	for name, write := range sinks {
		sinks[name] = func(v any) (out string) {
			defer func() {
				if p := recover(); p != nil {
					out += fmt.Sprintf("%v %+v", p, p)
				}
			}()
			return write(v)
		}
	}
	return sinks
}()

func text(b []byte, err error) string { return string(b) + fmt.Sprint(err) }

// failures is a test that keeps what assertions say.
type failures string

func (f *failures) Errorf(format string, args ...any) { *f += failures(fmt.Sprintf(format, args...)) }

// holders are what a value can be in when it is printed.
var holders = map[string]func(v any) any{
	"itself":  func(v any) any { return v },
	"pointer": func(v any) any { return pointerTo(v).Interface() },
	"slice": func(v any) any {
		one := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(v)), 1, 1)
		one.Index(0).Set(reflect.ValueOf(v))
		return one.Interface()
	},
	"map": func(v any) any {
		one := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), reflect.TypeOf(v)))
		one.SetMapIndex(reflect.ValueOf("v"), reflect.ValueOf(v))
		return one.Interface()
	},
	"any": func(v any) any { return []any{v, &v, map[string]any{"v": v}} },
	"struct": func(v any) any {
		return struct {
			V any
			v any
		}{v, v}
	},
}

func pointerTo(v any) reflect.Value {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p
}

// specimen is a value that must not show any of the keys.
type specimen struct {
	name  string
	value any
	keys  traces
}

var allKeys = tracesOf(adminKey, oddKey, mintedKey, accountKey, foreignKey, sessionKey)

// TestASecretIsNeverPrinted holds that no value that the package returns or accepts shows a key,
// in anything that holds it, whatever prints, logs or encodes it.
func TestASecretIsNeverPrinted(t *testing.T) {
	rows := 0
	specimens := specimens(t)
	for _, s := range specimens {
		t.Run(s.name, func(t *testing.T) {
			_, isError := s.value.(error)
			for holder, hold := range holders {
				if isError && (holder == "pointer" || holder == "slice" || holder == "map") {
					continue // which is how nobody prints one; there are many of them
				}
				held := hold(s.value)
				for sink, write := range sinks {
					rows++
					out := write(held)
					if trace := s.keys.in(out); trace != "" {
						t.Errorf("%s, %s: shows %q in %s", holder, sink, trace, out)
					}
				}
			}
		})
	}
	t.Logf("%d values in up to %d holders through %d sinks: %d rows", len(specimens), len(holders), len(sinks), rows)
}

// TestAPanicShowsNoSecret holds it for what the runtime itself prints.
func TestAPanicShowsNoSecret(t *testing.T) {
	const variable = "ORGKEYS_TEST_PANIC"
	specimens := specimens(t)
	if name := os.Getenv(variable); name != "" {
		i := slices.IndexFunc(specimens, func(s specimen) bool { return s.name == name })
		panic(specimens[i].value)
	}
	for _, name := range []string{
		"created admin key", "pointer to a created admin key", "its secret", "created service account",
		"client", "admin-api-keys-create: transport fails with a text", "option WithAdminKey",
	} {
		t.Run(name, func(t *testing.T) {
			command := exec.Command(os.Args[0], "-test.run=^TestAPanicShowsNoSecret$")
			command.Env = append(os.Environ(), variable+"="+name, "GOTRACEBACK=all")
			out, err := command.CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), "panic: ")
			require.Contains(t, string(out), "goroutine ")
			assert.Empty(t, allKeys.in(string(out)), "%s", out)
		})
	}
}

// specimens makes every value that the package returns or accepts, all of them from calls that
// were signed with a key.
func specimens(t testing.TB) []specimen {
	var all []specimen
	add := func(name string, value any) { all = append(all, specimen{name, value, allKeys}) }

	calls := func(c *orgkeys.Client) (*orgkeys.CreatedAdminKey, *orgkeys.CreatedServiceAccount) {
		key, err := c.AdminKeys.Create(context.Background(), orgkeys.AdminKeyCreateParams{Name: "ci"})
		require.NoError(t, err)
		account, err := c.ServiceAccounts.Create(context.Background(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"})
		require.NoError(t, err)
		return key, account
	}
	client := stubbed(t, mint, orgkeys.WithAdminKey(adminKey))
	key, account := calls(client)
	require.Equal(t, mintedKey, key.Value.Reveal())
	require.Equal(t, accountKey, account.APIKey.Value.Reveal())
	add("created admin key", *key)
	add("pointer to a created admin key", key)
	add("its secret", key.Value)
	add("its owner", key.Owner)
	add("created service account", *account)
	add("pointer to a created service account", account)
	add("its key", *account.APIKey)
	add("its key's secret", account.APIKey.Value)
	add("no secret", orgkeys.Secret{})
	add("secrets as keys of a group", slog.GroupValue(slog.Any("made", key), slog.Any("value", key.Value)))

	for name, failure := range failuresOf(t) {
		add(name, failure)
		if unwrapped := errors.Unwrap(failure); unwrapped != nil {
			add(name+", unwrapped", unwrapped)
		}
	}

	// A client that has used a connection, which is still open: net/http keeps what it wrote.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, _ := mint(r)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, response.Body)
	}))
	t.Cleanup(server.Close)
	var records recorder
	hc := &http.Client{Transport: server.Client().Transport, Timeout: time.Minute}
	options := map[string]orgkeys.Option{
		"WithAdminKey":         orgkeys.WithAdminKey(adminKey),
		"WithAdminKeySource":   orgkeys.WithAdminKeySource(func(context.Context) (string, error) { return adminKey, nil }),
		"WithBaseURL":          orgkeys.WithBaseURL(server.URL),
		"WithPlainHTTP":        orgkeys.WithPlainHTTP(),
		"WithHTTPClient":       orgkeys.WithHTTPClient(hc),
		"WithRetry":            orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 2}),
		"WithAttemptTimeout":   orgkeys.WithAttemptTimeout(time.Minute),
		"WithRateLimit":        orgkeys.WithRateLimit(1e6),
		"WithLogger":           orgkeys.WithLogger(slog.New(&records)),
		"WithUserAgent":        orgkeys.WithUserAgent("test/1"),
		"WithMaxResponseBytes": orgkeys.WithMaxResponseBytes(1 << 20),
	}
	var given []orgkeys.Option
	for name, option := range options {
		add("option "+name, option)
		given = append(given, option)
	}
	add("options", given)
	used, err := orgkeys.NewClient(given...)
	require.NoError(t, err)
	calls(used)
	add("client", used)
	add("client by value", *used)
	add("service", used.AdminKeys)
	add("generated client", used.Generated())
	add("generated client by value", *used.Generated())
	require.NotEmpty(t, records)
	for i, record := range records {
		add(fmt.Sprintf("log record %d", i), record)
	}
	add("retry", orgkeys.Retry{MaxAttempts: 2})
	add("admin key params", orgkeys.AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: new(60)})
	add("list params", orgkeys.AdminKeyListParams{After: new("key_1"), Order: new(orgkeys.AdminKeysNewestFirst)})
	add("service account params", orgkeys.ServiceAccountCreateParams{Name: "ci"})

	// What the generated client returns holds the server's answer, and never the admin key.
	raw := func(name string, value any) {
		all = append(all, specimen{name, value, tracesOf(adminKey)})
	}
	var request *http.Request
	keep := func(_ context.Context, r *http.Request) error { request = r; return nil }
	parsed, err := used.Generated().AdminAPIKeysCreateWithResponse(context.Background(), orgkeysBody("ci"), keep)
	require.NoError(t, err)
	require.Equal(t, mintedKey, parsed.JSON200.Value.Reveal())
	add("parsed value of the generated client", parsed.JSON200)
	raw("parsed response of the generated client", parsed)
	raw("its HTTP response", parsed.HTTPResponse)
	raw("its HTTP response's request", parsed.HTTPResponse.Request)
	add("request of a request editor", request)
	add("dump of the request", text(httputil.DumpRequest(request, false)))
	request.Body, err = request.GetBody()
	require.NoError(t, err)
	add("dump of the request as it goes out", text(httputil.DumpRequestOut(request, true)))
	response, err := used.Generated().CreateProjectServiceAccount(context.Background(), project, gen.ProjectServiceAccountCreateRequest{Name: "ci"}, keep)
	require.NoError(t, err)
	raw("response of the generated client", response)
	raw("dump of the response", text(httputil.DumpResponse(response, true)))
	add("dump of the response's head", text(httputil.DumpResponse(response, false)))
	raw("response of the generated client, closed", func() any { _ = response.Body.Close(); return response }())
	return all
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

// mint is a server whose creates succeed.
func mint(r *http.Request) (*http.Response, error) {
	body := fmt.Sprintf(`{"object":"organization.admin_api_key","id":"key_1","name":"ci","redacted_value":"sk-admin...%s",
		"created_at":1711471533,"expires_at":1711471534,"last_used_at":null,"value":%q,
		"owner":{"type":"user","object":"organization.user","id":"user_1","name":"Robin Doe","created_at":1711471533,"role":"owner"}}`,
		mintedKey[len(mintedKey)-3:], mintedKey)
	if strings.HasSuffix(r.URL.Path, "service_accounts") {
		body = fmt.Sprintf(`{"object":"organization.project.service_account","id":"svc_acct_1","name":"ci","role":"member","created_at":1711471533,
			"api_key":{"object":"organization.project.service_account.api_key","value":%q,"name":"Secret Key","created_at":1711471533,"id":"key_2"}}`, accountKey)
	}
	return answer(200, body), nil
}

// Errors of transports that quote the request's header, in every way an error can be made.
type (
	errorText   string
	errorBytes  []byte
	errorHeader http.Header
	errorStruct struct{ Header http.Header }
	errorFields struct{ Request *http.Request }
)

func (e errorText) Error() string    { return string(e) }
func (e errorBytes) Error() string   { return string(e) }
func (e errorHeader) Error() string  { return fmt.Sprint(http.Header(e)) }
func (e errorStruct) Error() string  { return fmt.Sprintf("%q", e.Header) }
func (e *errorFields) Error() string { return "failed with " + e.Request.Header.Get("Authorization") }
func (e *errorFields) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%+v", e.Request.Header)
}
func (e *errorFields) GoString() string             { return fmt.Sprint(e.Request.Header) }
func (e *errorFields) LogValue() slog.Value         { return slog.AnyValue(e.Request.Header) }
func (e *errorFields) MarshalJSON() ([]byte, error) { return json.Marshal(e.Request.Header) }
func (e *errorFields) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(e.Request.Header)), nil }

var quotingErrors = map[string]func(*http.Request) error{
	"a text":        func(r *http.Request) error { return errors.New("sent " + fmt.Sprint(r.Header)) },
	"a string":      func(r *http.Request) error { return errorText(r.Header.Get("Authorization")) },
	"bytes":         func(r *http.Request) error { return errorBytes(r.Header.Get("Authorization")) },
	"a header":      func(r *http.Request) error { return errorHeader(r.Header) },
	"a struct":      func(r *http.Request) error { return errorStruct{r.Header} },
	"methods":       func(r *http.Request) error { return &errorFields{r} },
	"a wrapped one": func(r *http.Request) error { return fmt.Errorf("outer: %w", errorStruct{r.Header}) },
	"joined ones":   func(r *http.Request) error { return errors.Join(io.ErrUnexpectedEOF, &errorFields{r}) },
	"a URL error": func(r *http.Request) error {
		return &url.Error{Op: r.Method, URL: "https://example.com/?key=" + adminKey, Err: errorText(adminKey)}
	},
	"a network error": func(r *http.Request) error {
		return &net.OpError{Op: "write", Net: "tcp", Err: &errorFields{r}}
	},
}

// brokenBody is a body that breaks off.
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

// oneOfEach is a call of each operation, with no result but its error.
var oneOfEach = map[string]func(context.Context, *orgkeys.Client) error{
	"admin-api-keys-list": func(ctx context.Context, c *orgkeys.Client) error {
		return second(c.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{}))
	},
	"admin-api-keys-create": func(ctx context.Context, c *orgkeys.Client) error {
		return second(c.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"}))
	},
	"retrieve-project-api-key": func(ctx context.Context, c *orgkeys.Client) error {
		return second(c.ProjectKeys.Get(ctx, project, "key_1"))
	},
	"delete-project-api-key": func(ctx context.Context, c *orgkeys.Client) error {
		return second(c.ProjectKeys.Delete(ctx, project, "key_1"))
	},
	"list-project-service-accounts": func(ctx context.Context, c *orgkeys.Client) error {
		for _, err := range c.ServiceAccounts.All(ctx, project, orgkeys.ServiceAccountListParams{}) {
			return err
		}
		return nil
	},
	"create-project-service-account": func(ctx context.Context, c *orgkeys.Client) error {
		return second(c.ServiceAccounts.Create(ctx, project, orgkeys.ServiceAccountCreateParams{Name: "ci"}))
	},
	"the generated list": func(ctx context.Context, c *orgkeys.Client) error {
		return second(c.Generated().AdminAPIKeysListWithResponse(ctx, nil))
	},
	"the generated create": func(ctx context.Context, c *orgkeys.Client) error {
		return second(c.Generated().AdminAPIKeysCreateWithResponse(ctx, orgkeysBody("ci")))
	},
}

// failuresOf makes the errors of every kind. What a server quotes is the next test's.
func failuresOf(t testing.TB) map[string]error {
	all := map[string]error{}
	add := func(name string, err error) {
		require.Error(t, err, name)
		all[name] = err
	}
	once := orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1})
	signed := orgkeys.WithAdminKey(adminKey)
	for operation, call := range oneOfEach {
		if !strings.Contains(operation, "list") && operation != "admin-api-keys-create" {
			continue // the others fail no differently
		}
		for name, fail := range quotingErrors {
			broken := stubbed(t, func(r *http.Request) (*http.Response, error) { return nil, fail(r) }, signed, once)
			add(operation+": transport fails with "+name, call(context.Background(), broken))
			cutOff := stubbed(t, func(r *http.Request) (*http.Response, error) {
				response := answer(200, "")
				response.Body = &brokenBody{strings.NewReader(`{"object":"list"`), fail(r)}
				response.ContentLength = -1
				return response, nil
			}, signed, once)
			add(operation+": body breaks off with "+name, call(context.Background(), cutOff))
		}
		refused := stubbed(t, func(r *http.Request) (*http.Response, error) {
			return answer(401, fmt.Sprintf(`{"error":{"message":"Incorrect API key provided: %s","type":"t","param":null,"code":"invalid_api_key"}}`,
				r.Header.Get("Authorization"))), nil
		}, signed, once)
		if operation != "the generated list" { // for which a refusal is no error
			add(operation+": refused", call(context.Background(), refused))
		}
		sourceless := stubbed(t, mint, once, orgkeys.WithAdminKeySource(func(context.Context) (string, error) {
			return "", errorText("vault: lease of " + adminKey + " is over")
		}))
		add(operation+": the key source fails", call(context.Background(), sourceless))
		malformed := stubbed(t, mint, once, orgkeys.WithAdminKeySource(func(context.Context) (string, error) {
			return adminKey + "\n", nil
		}))
		add(operation+": the key is malformed", call(context.Background(), malformed))
	}
	for name, call := range oneOfEach {
		synctest.Test(t.(*testing.T), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			waiting := stubbed(t, func(r *http.Request) (*http.Response, error) {
				response := answer(429, fmt.Sprintf(`{"error":%q}`, r.Header.Get("Authorization")))
				response.Header.Set("Retry-After", "60")
				return response, nil
			}, signed)
			add(name+": interrupted", call(ctx, waiting))
		})
	}
	client := stubbed(t, mint, signed)
	for name, err := range map[string]error{
		"a key as an id":       second(client.ProjectKeys.Get(context.Background(), project, adminKey)),
		"a key as a project":   second(client.ProjectKeys.Delete(context.Background(), mintedKey, "key_1")),
		"a key as a cursor":    second(client.AdminKeys.List(context.Background(), orgkeys.AdminKeyListParams{After: new(adminKey)})),
		"a key as an order":    second(client.AdminKeys.List(context.Background(), orgkeys.AdminKeyListParams{Order: new(orgkeys.AdminKeyOrder(adminKey))})),
		"a key in a bad name":  second(client.AdminKeys.Create(context.Background(), orgkeys.AdminKeyCreateParams{Name: adminKey + "\n"})),
		"two keys":             second(orgkeys.NewClient(orgkeys.WithAdminKey(adminKey + " " + mintedKey))),
		"a key in quotes":      second(orgkeys.NewClient(orgkeys.WithAdminKey(`"` + adminKey + `"`))),
		"a key in the URL":     second(orgkeys.NewClient(signed, orgkeys.WithBaseURL("https://x:"+adminKey+"@example.com"))),
		"a key in the query":   second(orgkeys.NewClient(signed, orgkeys.WithBaseURL("https://example.com/?key="+adminKey))),
		"a key for a URL":      second(orgkeys.NewClient(signed, orgkeys.WithBaseURL("://"+adminKey))),
		"a key as an agent":    second(orgkeys.NewClient(signed, orgkeys.WithUserAgent(adminKey+"\n"))),
		"an unknown outcome":   &orgkeys.UnknownOutcomeError{Operation: "admin-api-keys-create", Err: errors.New("x"), StartedAt: time.Now()},
		"a create not its own": second(client.AdminKeys.FindCreated(context.Background(), nil)),
	} {
		add(name, err)
	}
	return all
}

// TestACopyOfACreatedKeyDoesNotKeepItsSecret holds that once the secret of a created key is
// dropped its value is gone: no other field shares its memory.
func TestACopyOfACreatedKeyDoesNotKeepItsSecret(t *testing.T) {
	type minted struct {
		value  any // a struct
		secret string
	}
	client := stubbed(t, mint)
	mints := map[string]func() minted{
		"admin key": func() minted {
			made, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
			require.NoError(t, err)
			return minted{*made, made.Value.Reveal()}
		},
		"service account": func() minted {
			made, err := client.ServiceAccounts.Create(t.Context(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"})
			require.NoError(t, err)
			return minted{*made, made.APIKey.Value.Reveal()}
		},
		"service account's key": func() minted {
			made, err := client.ServiceAccounts.Create(t.Context(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"})
			require.NoError(t, err)
			return minted{*made.APIKey, made.APIKey.Value.Reveal()}
		},
	}
	rows := 0
	for name, mint := range mints {
		shape := reflect.TypeOf(mint().value)
		for i := range shape.NumField() {
			field := shape.Field(i)
			holdsSecret := field.Type == reflect.TypeFor[orgkeys.Secret]() || field.Type == reflect.TypeFor[*orgkeys.ServiceAccountKey]()
			t.Run(name+"."+field.Name, func(t *testing.T) {
				kept, secret := func() (any, weak.Pointer[byte]) {
					m := mint()
					field := reflect.New(field.Type) // reflection's own view of a field keeps all of the struct
					field.Elem().Set(reflect.ValueOf(m.value).Field(i))
					return field.Interface(), weak.Make(unsafe.StringData(m.secret))
				}()
				runtime.GC()
				assert.Equal(t, holdsSecret, secret.Value() != nil)
				runtime.KeepAlive(kept)
			})
			rows++
		}
	}
	t.Logf("%d rows", rows)
}

// TestABufferDoesNotKeepASecret holds that what an answer was read into is emptied when the call
// is over, in an answer that says how long it is and in one that does not.
func TestABufferDoesNotKeepASecret(t *testing.T) {
	for name, length := range map[string]func(int64) int64{
		"length":    func(n int64) int64 { return n },
		"no length": func(int64) int64 { return -1 },
	} {
		for _, padding := range []int{0, 10_000, 1_000_000} {
			t.Run(fmt.Sprint(name, " ", padding), func(t *testing.T) {
				var used [][]byte
				client := stubbed(t, func(r *http.Request) (*http.Response, error) {
					response, err := mint(r)
					body := text(io.ReadAll(response.Body))
					body = strings.TrimSuffix(body, "<nil>")
					body = strings.TrimSuffix(body, "}") + strings.Repeat(" ", padding) + "}"
					response.ContentLength = length(int64(len(body)))
					response.Body = &watchedBody{brokenBody{strings.NewReader(body), io.EOF}, &used}
					return response, err
				})
				_, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
				require.NoError(t, err)
				require.NotEmpty(t, used)
				for _, buffer := range used {
					assert.Empty(t, tracesOf(mintedKey).in(string(buffer)))
				}
			})
		}
	}
}

// watchedBody keeps the buffers that it was read into.
type watchedBody struct {
	brokenBody
	used *[][]byte
}

func (b *watchedBody) Read(p []byte) (int, error) {
	*b.used = append(*b.used, p)
	return b.brokenBody.Read(p)
}

// TestWhatAServerQuotesOfAKeyIsMasked holds that no error and no log record shows what a server
// quotes of a key, wherever in its answer that is.
func TestWhatAServerQuotesOfAKeyIsMasked(t *testing.T) {
	keys := map[string]string{
		"the admin key": adminKey, "a project's key": foreignKey, "a session": sessionKey, "an admin key that looks like none": oddKey,
	}
	forms := map[string]func(key string) string{
		"whole": func(k string) string { return k },
		"in a sentence": func(k string) string {
			return "Incorrect API key provided: " + k + ". You can find it in the settings."
		},
		"in quotes":            func(k string) string { return `key "` + k + `" is wrong` },
		"in brackets":          func(k string) string { return "map[Authorization:[Bearer " + k + "]]" },
		"as a header":          func(k string) string { return "authorization: bearer " + k },
		"in HTML":              func(k string) string { return "<p>Key <b>" + k + "</b> is wrong</p>" },
		"in a URL":             func(k string) string { return "https://example.com/v1?key=" + k + "&limit=1" },
		"twice":                func(k string) string { return k + " and " + k },
		"behind a word":        func(k string) string { return "key" + k },
		"on a line of its own": func(k string) string { return "key:\r\n" + k + "\nlevel=ERROR msg=forged" },
		"behind long text":     func(k string) string { return strings.Repeat("long text ", 50) + k },
		"across the cut":       func(k string) string { return strings.Repeat("t", 490) + " " + k + " end" },
		"in a very long text":  func(k string) string { return strings.Repeat(k+" ", 200) },
	}
	partial := map[string]func(key string) string{ // which need to look like a key
		"first half":        func(k string) string { return "key " + k[:len(k)/2] + " is wrong" },
		"redacted a little": func(k string) string { return "key " + k[:30] + "***" + k[len(k)-16:] + " is wrong" },
		"cut by a dot":      func(k string) string { return "key " + k[:30] + "..." },
		"with an ellipsis":  func(k string) string { return "key " + k[:30] + "…" + k[len(k)-16:] },
		"with zero-width":   func(k string) string { return k[:30] + "\u200b" + k[30:] },
		"in capitals":       strings.ToUpper,
	}
	places := map[string]func(text string) *http.Response{
		"message": func(s string) *http.Response {
			return answer(401, `{"error":{"message":`+quoted(s)+`,"type":"t","param":null,"code":null}}`)
		},
		"type": func(s string) *http.Response {
			return answer(400, `{"error":{"message":"m","type":`+quoted(s)+`,"param":null,"code":null}}`)
		},
		"code": func(s string) *http.Response {
			return answer(403, `{"error":{"message":"m","type":"t","param":null,"code":`+quoted(s)+`}}`)
		},
		"param": func(s string) *http.Response {
			return answer(404, `{"error":{"message":"m","type":"t","param":`+quoted(s)+`,"code":null}}`)
		},
		"loose envelope": func(s string) *http.Response {
			return answer(409, `{"error":{"message":`+quoted(s)+`,"code":7,"type":`+quoted(s)+`}}`)
		},
		"bare string": func(s string) *http.Response { return answer(500, `{"error":`+quoted(s)+`}`) },
		"text":        func(s string) *http.Response { return answer(502, s) },
		"page": func(s string) *http.Response {
			response := answer(503, "<html>"+s)
			response.Header.Set("Content-Type", "text/html")
			return response
		},
		"request id": func(s string) *http.Response {
			response := answer(429, `{}`)
			response.Header.Set("X-Request-Id", s)
			return response
		},
		"request id of a success": func(s string) *http.Response {
			response := answer(200, `{}`)
			response.Header.Set("X-Request-Id", s)
			return response
		},
		"location": func(s string) *http.Response {
			response := answer(307, ``)
			response.Header.Set("Location", s)
			return response
		},
		"name twice":               func(s string) *http.Response { return answer(200, `{`+quoted(s)+`:1,`+quoted(s)+`:2}`) },
		"name twice below":         func(s string) *http.Response { return answer(200, `{"x":{`+quoted(s)+`:1,`+quoted(s)+`:2}}`) },
		"name above what is wrong": func(s string) *http.Response { return answer(200, `{"owner":{`+quoted(s)+`:{"x":[nonsense`) },
		"name before the end":      func(s string) *http.Response { return answer(200, `{`+quoted(s)) },
		"value before the end":     func(s string) *http.Response { return answer(200, `{"id":`+quoted(s)) },
		"constant":                 func(s string) *http.Response { return answer(200, `{"object":`+quoted(s)+`}`) },
		"where a number may be":    func(s string) *http.Response { return answer(200, `{"created_at":`+quoted(s)+`}`) },
		"where an object may be":   func(s string) *http.Response { return answer(200, quoted(s)) },
		"no JSON":                  func(s string) *http.Response { return answer(200, s) },
		"content type": func(s string) *http.Response {
			response := answer(200, `{}`)
			response.Header.Set("Content-Type", s)
			return response
		},
		"body that breaks off": func(s string) *http.Response {
			response := answer(200, "")
			response.Body = &brokenBody{strings.NewReader("{"), errors.New(s)}
			return response
		},
		"transport": func(s string) *http.Response { return &http.Response{Status: s} },
	}
	shows := []string{"Sprint", "%#v", "json", "spew without methods", "slog json"}
	rows := 0
	for keyName, key := range keys {
		var logged bytes.Buffer
		options := slog.HandlerOptions{Level: slog.LevelDebug}
		handlers := slog.NewMultiHandler(slog.NewTextHandler(&logged, &options), slog.NewJSONHandler(&logged, &options))
		var next *http.Response
		signer := adminKey
		if key == oddKey {
			signer = oddKey
		}
		found := tracesOf(key, signer)
		client := stubbed(t, func(*http.Request) (*http.Response, error) {
			if next.StatusCode == 0 {
				return nil, errors.New(next.Status)
			}
			return next, nil
		}, orgkeys.WithAdminKey(signer), orgkeys.WithLogger(slog.New(handlers)), orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
		for formName, form := range merged(forms, partial) {
			if partial[formName] != nil && key == oddKey {
				continue
			}
			for placeName, place := range places {
				for _, operation := range []string{"retrieve-project-api-key", "admin-api-keys-create", "the generated list"} {
					call := oneOfEach[operation]
					name := strings.Join([]string{operation, placeName, keyName, formName}, ", ")
					logged.Reset()
					next = place(form(key))
					err := call(t.Context(), client)
					if strings.HasPrefix(operation, "the generated") && (next.StatusCode > 201 || placeName == "content type") {
						continue // for which this is no error
					}
					require.Error(t, err, name)
					rows++
					for _, sink := range shows {
						out := sinks[sink](err)
						require.Empty(t, found.in(out), "%s: %s: %s", name, sink, out)
					}
					assert.Less(t, len(err.Error()), 4000, name)
					assert.NotContains(t, err.Error(), "\n", name)
					require.NotEmpty(t, logged.String(), name)
					require.Empty(t, found.in(logged.String()), "%s: %s", name, logged.String())
					require.Equal(t, 2, strings.Count(logged.String(), "\n"), "%s: %s", name, logged.String())
				}
			}
		}
	}
	t.Logf("%d rows", rows)
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func merged[K comparable, V any](all ...map[K]V) map[K]V {
	result := map[K]V{}
	for _, m := range all {
		maps.Copy(result, m)
	}
	return result
}

// TestOrdinaryWordsStayReadable holds that masking spares what only resembles a key.
func TestOrdinaryWordsStayReadable(t *testing.T) {
	for _, message := range []string{
		"The task-force reviewed it.",
		"A risk-based rule applies, see your administrator.",
		"disk-full: try again later",
		"The desk-top client is out of date.",
		"Ask-me-anything sessions are closed; ask again.",
		"kiosk-mode, brisk-walk and whisk-away",
		"The project proj_abc is archived (svc_acct_abc, key_abc).",
		"limit must be between 1 and 100: got 101 (50% more)",
		"Name „Prüfung“ gibt es schon – 名前 😀",
		"sk is too short, and so is sk- and -sk",
		"Unbearable: 503 <a&b> \"quoted\" 'text' \\ / #1",
	} {
		client := stubbed(t, func(*http.Request) (*http.Response, error) {
			return answer(400, fmt.Sprintf(`{"error":{"message":%q,"type":"t","param":null,"code":null}}`, message)), nil
		}, orgkeys.WithAdminKey(adminKey))
		_, err := client.ProjectKeys.Get(t.Context(), project, "key_1")
		refusal, ok := errors.AsType[*orgkeys.APIError](err)
		require.True(t, ok)
		assert.Equal(t, message, refusal.Message)
	}
}
