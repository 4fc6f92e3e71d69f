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
	"slices"
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

// traces finds parts of keys in a text: fifteen characters of the random part in a row, in any
// case, with anything between them that is no letter or digit, also as hexadecimal, decimal, octal
// or binary bytes; and half of it as base64.
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
	letters, numbers := make([]byte, 0, len(text)), make([]byte, 0, len(text))
	for _, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9':
			letters, numbers = append(letters, c), append(numbers, c)
			continue
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters = append(letters, c|0x20)
		}
		if n := len(numbers); n > 0 && numbers[n-1] != ' ' {
			numbers = append(numbers, ' ')
		}
	}
	for _, search := range []struct {
		text  string
		parts []string
	}{
		{strings.ReplaceAll(string(letters), "0x", ""), t.letters},
		{strings.NewReplacer("-", "+", "_", "/").Replace(text), t.base64},
		{string(numbers), t.numbers},
	} {
		for _, part := range search.parts {
			if strings.Contains(search.text, part) {
				return part
			}
		}
	}
	return ""
}

var allKeys = tracesOf(adminKey, oddKey, createdKey, accountKey, foreignKey, sessionKey)

func TestTraces(t *testing.T) {
	b := []byte(adminKey)
	for _, text := range []string{
		"x" + adminKey + "y", adminKey[len(adminKey)-18 : len(adminKey)-3], strings.ToUpper(adminKey), fmt.Sprintf("%x", adminKey), fmt.Sprintf("% X", adminKey), fmt.Sprintf("%# x", adminKey),
		fmt.Sprint(b), fmt.Sprintf("%#v", b), fmt.Sprintf("%o", b), fmt.Sprintf("%b", b), fmt.Sprintf("%c", b), spew.Sdump(append([]byte("1234567"), b...)),
		base64.URLEncoding.EncodeToString(b), base64.RawStdEncoding.EncodeToString(append([]byte("1"), b...)), base64.RawStdEncoding.EncodeToString(append([]byte("12"), b...)),
	} {
		assert.NotEmpty(t, tracesOf(adminKey).in(text), text)
	}
	assert.Empty(t, tracesOf(adminKey).in(createdKey))
	assert.Empty(t, tracesOf(adminKey).in(adminKey[:8]+"****"+adminKey[len(adminKey)-4:]))
}

// sinks print, log or encode a value. Each returns what it wrote, its error and its panic included.
var sinks = func() map[string]func(v any) string {
	text := func(b []byte, err error) string { return string(b) + fmt.Sprint(err) }
	sinks := map[string]func(v any) string{
		"Sprintln": func(v any) string { return fmt.Sprintln(v, v) },
		"log":      func(v any) string { var out bytes.Buffer; log.New(&out, "", 0).Println(v); return out.String() },
		"Errorf": func(v any) string {
			wrap := "%w %+v"
			err := fmt.Errorf(wrap, v, v)
			return fmt.Sprintf("%v %+v %#v", err, err, err)
		},
		"json":    func(v any) string { return text(json.Marshal(map[string]any{"v": v})) },
		"json v2": func(v any) string { return text(jsonv2.Marshal(v)) },
		"xml":     func(v any) string { return text(xml.Marshal(v)) },
		"yaml":    func(v any) string { return text(yaml.Marshal(v)) },
		"gob": func(v any) string {
			var out bytes.Buffer
			err := gob.NewEncoder(&out).Encode(v)
			return text(out.Bytes(), err)
		},
		"spew": func(v any) string { return spew.Sdump(v) + spew.Sprintf("%v %+v %#v %#+v", v, v, v, v) },
		"spew without methods": func(v any) string {
			config := spew.ConfigState{Indent: " ", DisableMethods: true, DisablePointerMethods: true}
			return config.Sdump(v) + config.Sprintf("%#+v", v)
		},
		"testify": func(v any) string {
			var out failures
			zero := reflect.Zero(reflect.TypeOf(v)).Interface()
			assert.Equal(&out, zero, v)
			assert.EqualExportedValues(&out, zero, v)
			assert.Nil(&out, v)
			assert.ElementsMatch(&out, []any{0}, []any{v})
			if err, ok := v.(error); ok {
				assert.NoError(&out, err)
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
			options := slog.HandlerOptions{Level: slog.LevelDebug}
			logger := slog.New(slog.NewMultiHandler(slog.NewTextHandler(&out, &options), slog.NewJSONHandler(&out, &options)))
			logger.With("w", v).WithGroup("g").Info("m", "v", v, slog.Group("g", "v", v), "vs", []any{v})
			return out.String()
		},
	}
	for _, format := range []string{
		"%v", "%T", "%t", "%b", "%c", "%d", "%o", "%O", "%q", "%x", "%X", "%U", "%e", "%g", "%s", "%p", "%w", "%+v", "%#v", "%+q", "%#q", "% x", "%#x", "%-40v", "%.12s", "%z", "%", "%*d",
	} {
		sinks[format] = func(v any) string { return fmt.Sprintf(format, v) }
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

// failures collects the messages of failed assertions.
type failures string

func (f *failures) Errorf(format string, args ...any) { *f += failures(fmt.Sprintf(format, args...)) }

// holders are what a value may be part of when it is printed.
var holders = map[string]func(v any) any{
	"itself": func(v any) any { return v },
	"pointer": func(v any) any {
		p := reflect.New(reflect.TypeOf(v))
		p.Elem().Set(reflect.ValueOf(v))
		return p.Interface()
	},
	"slice": func(v any) any {
		return reflect.Append(reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(v)), 0, 1), reflect.ValueOf(v)).Interface()
	},
	"any": func(v any) any { return []any{v, &v, map[string]any{"v": v}} },
	"struct": func(v any) any {
		return struct {
			V any
			v any
		}{v, v}
	},
}

func TestSecrets_areNotPrinted(t *testing.T) {
	for name, value := range printedValues(t) {
		t.Run(name, func(t *testing.T) {
			_, isError := value.(error)
			for holder, hold := range holders {
				if isError && (holder == "pointer" || holder == "slice") {
					continue
				}
				held := hold(value)
				for sink, write := range sinks {
					out := write(held)
					if trace := allKeys.in(out); trace != "" {
						t.Errorf("%s, %s: shows %q in %s", holder, sink, trace, out)
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

// failedCalls returns the errors of calls that fail in every way, and what they unwrap to.
func failedCalls(t *testing.T) map[string]any {
	all := map[string]any{}
	add := func(name string, err error) {
		require.Error(t, err, name)
		all[name] = err
		if cause := errors.Unwrap(err); cause != nil {
			all[name+", unwrapped"] = cause
		}
	}
	signed, once := orgkeys.WithAdminKey(adminKey), orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1})
	list, create := calls[0], calls[1]
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
		for _, c := range []apiCall{list, create} {
			failing := stubbed(t, func(r *http.Request) (*http.Response, error) { return nil, fail(r) }, signed, once)
			add(c.operation+": "+name+" of the transport", errorOf(c.do(t.Context(), failing)))
			add(c.operation+": "+name+" of the transport, generated", errorOf(c.raw(t.Context(), failing)))
			broken := stubbed(t, func(r *http.Request) (*http.Response, error) {
				response := jsonResponse(200, "")
				response.Body, response.ContentLength = &brokenBody{strings.NewReader(`{"object":"list"`), fail(r)}, -1
				return response, nil
			}, signed, once)
			add(c.operation+": "+name+" of the body", errorOf(c.do(t.Context(), broken)))
		}
	}
	for _, c := range []apiCall{list, create} {
		for _, status := range []int{401, 500} {
			quoting := stubbed(t, func(r *http.Request) (*http.Response, error) {
				return jsonResponse(status, fmt.Sprintf(`{"error":{"message":"Incorrect API key provided: %s","type":"t","param":null,"code":"c"}}`, r.Header.Get("Authorization"))), nil
			}, signed, once)
			add(fmt.Sprint(c.operation, ": ", status), errorOf(c.do(t.Context(), quoting)))
		}
		for name, source := range map[string]func() (string, error){
			"failing source":   func() (string, error) { return "", errorText("the lease of " + adminKey + " has ended") },
			"malformed source": func() (string, error) { return adminKey + "\n", nil },
		} {
			sourced := stubbed(t, createsKeys, once, orgkeys.WithAdminKeySource(func(context.Context) (string, error) { return source() }))
			add(c.operation+": "+name, errorOf(c.do(t.Context(), sourced)))
		}
	}
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
	for _, name := range []string{"created admin key", "client", "admin-api-keys-create: methods of the transport"} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), variable+"="+name, "GOTRACEBACK=all")
		out, err := command.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "panic: ")
		assert.NotContains(t, string(out), "panic: nil")
		assert.Empty(t, allKeys.in(string(out)), "%s", out)
	}
}

// A new key whose value is also in a property that is printed is not returned.
func TestCreate_refusesAValueThatIsPrinted(t *testing.T) {
	for _, c := range calls {
		if !c.create {
			continue
		}
		for _, property := range []string{`"id":"`, `"redacted_value":"`, `"name":"Robin Doe`, `"id":"user_1`, `"name":"Secret Key`, `"role":"`} {
			client := stubbed(t, func(r *http.Request) (*http.Response, error) {
				response, err := createsKeys(r)
				if err != nil {
					return nil, err
				}
				body, err := io.ReadAll(response.Body)
				if err != nil {
					return nil, err
				}
				value := createdKey
				if strings.HasSuffix(r.URL.Path, "service_accounts") {
					value = accountKey
				}
				changed := strings.Replace(string(body), property, property+value, 1)
				if changed == string(body) {
					return nil, errors.New("no such property")
				}
				return jsonResponse(200, changed), nil
			})
			_, err := c.do(t.Context(), client)
			var unknown *orgkeys.UnknownOutcomeError
			require.ErrorAs(t, err, &unknown, c.operation+property)
			assert.Empty(t, allKeys.in(fmt.Sprintf("%v %+v %#v", err, err, unknown.Err)))
			if err := unknown.Err.Error(); !strings.Contains(err, "no such property") {
				assert.Contains(t, err, "is printed in another property", c.operation+property)
			}
		}
	}
}

// A server, or a proxy, may quote a key anywhere in a response.
func TestRedaction_ofServerTexts(t *testing.T) {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	forms := map[string]func(key string) string{
		"whole": func(k string) string {
			return "Incorrect API key provided: " + k + ". You can find it in the settings."
		},
		"header":          func(k string) string { return "map[Authorization:[Bearer " + k + "]]" },
		"URL":             func(k string) string { return "https://x.example/?key=" + url.QueryEscape(k) + "&limit=1" },
		"after a newline": func(k string) string { return "key:\r\n" + k + "\nlevel=ERROR msg=forged" },
		"across the cut":  func(k string) string { return strings.Repeat("t", 490) + " " + k + " end" },
		"many":            func(k string) string { return strings.Repeat(k+" ", 200) },
		"first half":      func(k string) string { return "key " + k[:len(k)/2] + " is wrong" },
		"in colors":       func(k string) string { return k[:20] + "\x1b[1;31m" + k[20:] },
		"quoted twice":    func(k string) string { return quote(k[:20] + "\u200b" + k[20:]) },
		"upper case":      strings.ToUpper,
	}
	envelope := func(message, kind, param, code string) string {
		return fmt.Sprintf(`{"error":{"message":%s,"type":%s,"param":%s,"code":%s}}`, quote(message), quote(kind), quote(param), quote(code))
	}
	header := func(response *http.Response, name, value string) *http.Response {
		response.Header.Set(name, value)
		return response
	}
	places := map[string]func(text string) (*http.Response, error){
		"envelope": func(s string) (*http.Response, error) { return jsonResponse(401, envelope(s, s, s, s)), nil },
		"loose envelope": func(s string) (*http.Response, error) {
			return jsonResponse(409, `{"error":{"code":7,"message":`+quote(s)+`}}`), nil
		},
		"bare string": func(s string) (*http.Response, error) { return jsonResponse(500, `{"error":`+quote(s)+`}`), nil },
		"page": func(s string) (*http.Response, error) {
			return header(jsonResponse(503, "<html>"+s), "Content-Type", "text/html"), nil
		},
		"request id":      func(s string) (*http.Response, error) { return header(jsonResponse(429, "{}"), "X-Request-Id", s), nil },
		"location":        func(s string) (*http.Response, error) { return header(jsonResponse(307, ""), "Location", s), nil },
		"200, envelope":   func(s string) (*http.Response, error) { return jsonResponse(200, envelope(s, s, s, s)), nil },
		"200, request id": func(s string) (*http.Response, error) { return header(jsonResponse(200, "{}"), "X-Request-Id", s), nil },
		"duplicate name": func(s string) (*http.Response, error) {
			return jsonResponse(200, `{"x":{`+quote(s)+`:1,`+quote(s)+`:2}}`), nil
		},
		"unfinished value": func(s string) (*http.Response, error) {
			return jsonResponse(200, `{"owner":{`+quote(s)+`:{"x":[nonsense`), nil
		},
		"constant":     func(s string) (*http.Response, error) { return jsonResponse(200, `{"object":`+quote(s)+`}`), nil },
		"time":         func(s string) (*http.Response, error) { return jsonResponse(200, `{"created_at":`+quote(s)+`}`), nil },
		"not JSON":     func(s string) (*http.Response, error) { return jsonResponse(200, s), nil },
		"content type": func(s string) (*http.Response, error) { return header(jsonResponse(200, "{}"), "Content-Type", s), nil },
		"transport":    func(s string) (*http.Response, error) { return nil, errors.New(s) },
		"body": func(s string) (*http.Response, error) {
			response := jsonResponse(200, "")
			response.Body, response.ContentLength = &brokenBody{strings.NewReader("{"), errors.New(s)}, -1
			return response, nil
		},
	}
	for keyName, key := range map[string]string{"admin key": adminKey, "project key": foreignKey, "session": sessionKey, "odd admin key": oddKey} {
		signer := adminKey
		if key == oddKey {
			signer = oddKey
		}
		for formName, form := range forms {
			for placeName, place := range places {
				var logged bytes.Buffer
				client := stubbed(t, func(*http.Request) (*http.Response, error) { return place(form(key)) }, orgkeys.WithAdminKey(signer),
					orgkeys.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
					orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
				for _, c := range []apiCall{calls[1], calls[2]} { // a create and a read
					name := strings.Join([]string{c.operation, placeName, keyName, formName}, ", ")
					logged.Reset()
					var info orgkeys.CallInfo
					_, err := c.do(orgkeys.WithCallInfo(t.Context(), &info), client)
					require.Error(t, err, name)
					for _, out := range []string{err.Error(), fmt.Sprintf("%#v", err), sinks["json"](err), sinks["slog"](err), logged.String(), info.RequestID} {
						require.Empty(t, allKeys.in(out), "%s: %s", name, out)
					}
					assert.Less(t, len(err.Error()), 4000, name)
					assert.NotContains(t, err.Error(), "\n", name)
					require.Equal(t, 1, strings.Count(logged.String(), "\n"), "%s: %s", name, logged.String())
				}
			}
		}
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
				assert.Empty(t, tracesOf(createdKey).in(string(buffer)), "%d %v", padding, declared)
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
