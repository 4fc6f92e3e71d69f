package orgkeys_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/speccheck"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// requireGarbage holds that a call ended with nothing but the error of an answer that is not what
// the contract promises, and returns the pointer in it.
func requireGarbage(t *testing.T, operation, row string, status int, value any, err error) (pointer string) {
	t.Helper()
	require.Error(t, err, row)
	require.Nil(t, value, row)
	if unknown, ok := err.(*orgkeys.UnknownOutcomeError); ok {
		require.Contains(t, operation, "create", row)
		require.Equal(t, operation, unknown.Operation, row)
		require.Equal(t, "ci", unknown.Name, row)
		require.False(t, unknown.StartedAt.IsZero(), row)
		err = unknown.Err
	} else {
		require.NotContains(t, operation, "create", row)
	}
	garbage, ok := err.(*orgkeys.ResponseError)
	require.True(t, ok, "%s: %v", row, err)
	require.Equal(t, operation, garbage.Operation, row)
	require.Equal(t, status, garbage.Status, row)
	require.Equal(t, "req_1", garbage.RequestID, row)
	require.NotEmpty(t, garbage.Problem, row)
	require.Contains(t, garbage.Error(), garbage.Pointer, row)
	return garbage.Pointer
}

// answering is a client that is answered with what *next makes, and sends each request once.
func answering(t testing.TB, next *func() *http.Response) *orgkeys.Client {
	return stubbed(t, func(*http.Request) (*http.Response, error) { return (*next)(), nil },
		orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))
}

// TestGarbageIsNeverAKey holds for every change of one thing in an answer that the contract does
// not allow that it is an error, at its place; and for every one that the contract allows that
// it is none.
func TestGarbageIsNeverAKey(t *testing.T) {
	var next func() *http.Response
	client := answering(t, &next)
	refused, accepted := 0, 0
	for _, answered := range answersOfTheContract(t) {
		next = func() *http.Response { return answer(200, encode(t, answered.value)) }
		_, err := sixCalls[answered.operation](t.Context(), client)
		require.NoError(t, err, answered.operation)
		for _, m := range mutations(t, answered) {
			next = func() *http.Response { return answer(200, m.body) }
			value, err := sixCalls[answered.operation](t.Context(), client)
			if m.allowed || m.newWord {
				require.NoError(t, err, m.name)
				require.NotNil(t, value, m.name)
				accepted++
				continue
			}
			require.Equal(t, m.pointer, requireGarbage(t, answered.operation, m.name, 200, value, err), m.name)
			refused++
		}
	}
	t.Logf("%d rows are refused, %d accepted", refused, accepted)
}

// TestWhatIsNewPasses holds that a property or a word that the contract does not know changes
// nothing about the rest, and that the word comes through as it is.
func TestWhatIsNewPasses(t *testing.T) {
	var next func() *http.Response
	client := answering(t, &next)
	rows := 0
	for _, answered := range answersOfTheContract(t) {
		read := func(body string) any {
			next = func() *http.Response { return answer(200, body) }
			value, err := sixCalls[answered.operation](t.Context(), client)
			require.NoError(t, err, body)
			return parse(t, encode(t, value))
		}
		before := read(encode(t, answered.value))
		for _, m := range mutations(t, answered) {
			switch {
			case m.newWord:
				word := at(parse(t, m.body), m.pointer)
				require.Equal(t, put(before, m.pointer, word), read(m.body), m.name)
				rows++
			case strings.Contains(m.name, "has another property"):
				require.Equal(t, before, read(m.body), m.name)
				rows++
			}
		}
	}
	t.Logf("%d rows", rows)
}

func at(root any, pointer string) (value any) {
	change(root, pointer, func(old any) any { value = old; return old })
	return value
}

// TestTheClientAndTheCheckerAgree holds that what the client refuses is what package speccheck
// reports, at the same place, but for what is listed in the corpus: the client is open to new
// words, and stricter about times and secrets than a schema can be.
func TestTheClientAndTheCheckerAgree(t *testing.T) {
	checker, err := speccheck.New()
	require.NoError(t, err)
	var next func() *http.Response
	client := answering(t, &next)
	rows := 0
	for _, answered := range answersOfTheContract(t) {
		for _, m := range mutations(t, answered) {
			rows++
			next = func() *http.Response { return answer(200, m.body) }
			_, err := sixCalls[answered.operation](t.Context(), client)
			found := checker.CheckResponse(answered.operation, 200, "application/json", []byte(m.body))
			switch {
			case m.newWord:
				require.NoError(t, err, m.name)
				require.Len(t, found, 1, m.name)
				require.Equal(t, "enum", found[0].Rule, m.name)
				require.Equal(t, m.pointer, found[0].Pointer, m.name)
			case m.stricter:
				require.Error(t, err, m.name)
				require.Empty(t, found, m.name)
			case err == nil:
				require.Empty(t, found, m.name)
			default:
				require.NotEmpty(t, found, m.name)
				for _, v := range found {
					require.Equal(t, speccheck.BodyViolation, v.Kind, m.name)
				}
				require.True(t, slices.ContainsFunc(found, func(v speccheck.Violation) bool { return v.Pointer == m.pointer }),
					"%s: %v", m.name, found)
			}
		}
	}
	t.Logf("%d rows", rows)
}

// TestNoOtherDocumentIsAKey holds it for whole answers of every kind.
func TestNoOtherDocumentIsAKey(t *testing.T) {
	const envelope = `{"error":{"message":"no","type":"server_error","param":null,"code":null}}`
	deep := 100_000
	documents := map[string]string{
		"nothing":                   ``,
		"white space":               " \r\n\t",
		"null":                      `null`,
		"true":                      `true`,
		"a number":                  `7`,
		"a huge number":             `1e400`,
		"a string":                  `"sk-admin-x"`,
		"an empty object":           `{}`,
		"an empty array":            `[]`,
		"an array with an object":   `[{}]`,
		"an error":                  envelope,
		"an error in a string":      `{"error":"no"}`,
		"data that wraps it":        `{"data":{}}`,
		"HTML":                      "<!DOCTYPE html><html><body>Bad gateway</body></html>",
		"plain text":                "upstream connect error",
		"XML":                       "<?xml version=\"1.0\"?><key/>",
		"YAML":                      "object: list\ndata: []\n",
		"a form":                    "object=list&has_more=false",
		"events":                    "data: {}\n\n",
		"JavaScript":                `{object:'list',data:[],has_more:false}`,
		"a comment":                 "/* */ {}",
		"NUL":                       "\x00",
		"binary":                    "\x1f\x8b\x08\x00\x00\x00",
		"a byte order mark alone":   "\xef\xbb\xbf",
		"100,000 arrays":            strings.Repeat("[", deep) + strings.Repeat("]", deep),
		"100,000 objects":           strings.Repeat(`{"data":`, deep) + "1" + strings.Repeat("}", deep),
		"100,000 open arrays":       strings.Repeat("[", deep),
		"100,000 open objects":      strings.Repeat(`{"owner":`, deep),
		"a name of 100,000 letters": `{"` + strings.Repeat("n", deep) + `":1}`,
		"100,000 empty names":       `{` + strings.Repeat(`"":1,`, deep) + `"":1}`,
		"100,000 empty arrays":      `[` + strings.Repeat(`[],`, deep) + `[]]`,
	}
	around := map[string]func(good string) string{
		"a byte order mark":    func(s string) string { return "\xef\xbb\xbf" + s },
		"UTF-16":               func(s string) string { return "\xff\xfe" + strings.Join(strings.Split(s, ""), "\x00") + "\x00" },
		"a guard before it":    func(s string) string { return ")]}',\n" + s },
		"itself behind it":     func(s string) string { return s + s },
		"itself on a new line": func(s string) string { return s + "\n" + s },
		"null behind it":       func(s string) string { return s + "null" },
		"a bracket behind it":  func(s string) string { return s + "}" },
		"a comma behind it":    func(s string) string { return s + "," },
		"NUL behind it":        func(s string) string { return s + "\x00" },
		"text behind it":       func(s string) string { return s + "garbage" },
		"HTML behind it":       func(s string) string { return s + "<html>" },
		"an array around it":   func(s string) string { return "[" + s + "]" },
		"a string of it":       quoted,
		"data around it":       func(s string) string { return `{"data":` + s + `}` },
		"a comma at its end":   func(s string) string { return strings.TrimSuffix(s, "}") + ",}" },
		"its last half":        func(s string) string { return s[len(s)/2:] },
		"single quotes":        func(s string) string { return strings.ReplaceAll(s, `"`, `'`) },
		"deep nesting in it": func(s string) string {
			return strings.TrimSuffix(s, "}") + `,"x":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + "}"
		},
		"an unknown name twice": func(s string) string { return strings.TrimSuffix(s, "}") + `,"x":1,"x":1}` },
	}
	var next func() *http.Response
	client := answering(t, &next)
	rows := 0
	for _, answered := range answersOfTheContract(t) {
		required := shapeOf(answered.schema).required
		good := encode(t, answered.value)
		all := map[string]string{}
		if answered.name == "example" {
			maps.Copy(all, documents)
		}
		for name, wrap := range around {
			all[name] = wrap(good)
		}
		for name, document := range all {
			row := answered.operation + ": " + name
			next = func() *http.Response { return answer(200, document) }
			value, err := sixCalls[answered.operation](t.Context(), client)
			pointer := requireGarbage(t, answered.operation, row, 200, value, err)
			if strings.HasPrefix(document, `{"error":`) || document == `{}` {
				require.Contains(t, required, strings.TrimPrefix(pointer, "/"), row)
			} else if documents[name] == "" {
				require.LessOrEqual(t, strings.Count(pointer, "/"), 1, row)
			}
			require.Less(t, len(err.Error()), 1500, row)
			rows++
		}
		next = func() *http.Response { return answer(200, "\n\t "+good+" \r\n") }
		_, err := sixCalls[answered.operation](t.Context(), client)
		require.NoError(t, err, "white space around it is fine")
	}
	t.Logf("%d rows", rows)
}

// TestEveryPrefixOfAnAnswerIsAnError holds it for each byte where an answer can be cut, in an
// answer that arrives whole and in one that breaks off.
func TestEveryPrefixOfAnAnswerIsAnError(t *testing.T) {
	var next func() *http.Response
	client := answering(t, &next)
	rows := 0
	for _, answered := range answersOfTheContract(t) {
		good, known := encode(t, answered.value), places(answered.schema, answered.value)
		for n := range len(good) {
			row := fmt.Sprintf("%s: %d bytes", answered.operation, n)
			next = func() *http.Response { return answer(200, good[:n]) }
			value, err := sixCalls[answered.operation](t.Context(), client)
			pointer := requireGarbage(t, answered.operation, row, 200, value, err)
			require.True(t, pointer == "" || slices.ContainsFunc(known, func(p place) bool { return p.pointer == pointer }), "%s: %s", row, pointer)
			rows++
		}
		for n := 0; n <= len(good); n += 1 + len(good)/20 {
			row := fmt.Sprintf("%s: breaks off after %d bytes", answered.operation, n)
			next = func() *http.Response {
				response := answer(200, "")
				response.ContentLength = int64(len(good))
				response.Body = &brokenBody{strings.NewReader(good[:n]), io.ErrUnexpectedEOF}
				return response
			}
			value, err := sixCalls[answered.operation](t.Context(), client)
			require.Empty(t, requireGarbage(t, answered.operation, row, 200, value, err))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, row)
			rows++
		}
	}
	t.Logf("%d rows", rows)
}

// TestAnswersOfAnotherKindAreErrors holds that a good body does not make up for another status
// or another content type.
func TestAnswersOfAnotherKindAreErrors(t *testing.T) {
	var next func() *http.Response
	client := answering(t, &next)
	rows := 0
	for _, answered := range answersOfTheContract(t) {
		good := encode(t, answered.value)
		call := func(row string, status int, contentTypes []string, body string) (any, error) {
			rows++
			next = func() *http.Response {
				response := answer(status, body)
				response.Header["Content-Type"] = contentTypes
				return response
			}
			return sixCalls[answered.operation](t.Context(), client)
		}
		for status := 201; status < 300; status++ {
			for _, body := range []string{good, "", "{}"} {
				row := fmt.Sprint(answered.operation, " ", status, " ", len(body))
				value, err := call(row, status, []string{"application/json"}, body)
				require.Empty(t, requireGarbage(t, answered.operation, row, status, value, err))
			}
		}
		for _, contentTypes := range [][]string{
			nil, {""}, {"text/html"}, {"text/plain; charset=utf-8"}, {"text/json"}, {"application/octet-stream"},
			{"application/problem+json"}, {"application/vnd.api+json"}, {"application/jsonp"}, {"application"},
			{"application/json-seq"}, {"*/*"}, {"garbage"}, {"text/html", "application/json"}, {"application/json; charset"},
			{"application/json, text/html"}, {"multipart/form-data; boundary=application/json"},
		} {
			row := fmt.Sprintf("%s %q", answered.operation, contentTypes)
			value, err := call(row, 200, contentTypes, good)
			require.Empty(t, requireGarbage(t, answered.operation, row, 200, value, err))
		}
		for _, contentType := range []string{
			"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON", "application/json ; odata=verbose",
		} {
			value, err := call("", 200, []string{contentType}, good)
			require.NoError(t, err, contentType)
			require.NotNil(t, value, contentType)
		}
	}
	t.Logf("%d rows", rows)
}

// TestAConfirmationOfSomethingElseIsAnError holds that an answer about another key, or one that
// says that the work was not done, is no success.
func TestAConfirmationOfSomethingElseIsAnError(t *testing.T) {
	var next func() *http.Response
	client := answering(t, &next)
	for _, answered := range answersOfTheContract(t) {
		for pointer, value := range map[string]any{"/id": "key_xyz", "/deleted": false} {
			name := pointer[1:]
			if !strings.Contains(answered.operation, "project-api-key") || shapeOf(answered.schema).properties[name] == nil {
				continue
			}
			next = func() *http.Response { return answer(200, encode(t, put(answered.value, pointer, value))) }
			got, err := sixCalls[answered.operation](t.Context(), client)
			assert.Equal(t, pointer, requireGarbage(t, answered.operation, answered.operation+pointer, 200, got, err))
		}
	}
}

// TestABrokenTransferIsAnError holds for a real connection that an answer whose transfer is
// broken is an error that has the status and the request id.
func TestABrokenTransferIsAnError(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\n"
	chunked := func(s string) string { return head + "Transfer-Encoding: chunked\r\n\r\n" + s }
	var zipped bytes.Buffer
	zip := func(s string) string {
		zipped.Reset()
		w := gzip.NewWriter(&zipped)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return zipped.String()
	}
	encoded := func(encoding, s string) string {
		return head + "Content-Encoding: " + encoding + "\r\nContent-Length: " + strconv.Itoa(len(s)) + "\r\n\r\n" + s
	}
	for name, answerOf := range map[string]func(good string) string{
		"a chunk's size is none":      func(s string) string { return chunked("garbage\r\n" + s) },
		"a chunk's size is huge":      func(s string) string { return chunked("ffffffffffffffff\r\n" + s) },
		"a chunk's size is too large": func(s string) string { return chunked("7fffffff\r\n" + s) },
		"a chunk's size is negative":  func(s string) string { return chunked("-5\r\n" + s) },
		"a chunk is cut":              func(s string) string { return chunked(fmt.Sprintf("%x\r\n%s", len(s), s[:len(s)/2])) },
		"a chunk has no end":          func(s string) string { return chunked(fmt.Sprintf("%x\r\n%s", len(s)-1, s)) },
		"the last chunk is missing":   func(s string) string { return chunked(fmt.Sprintf("%x\r\n%s\r\n", len(s), s)) },
		"garbage in chunks":           func(s string) string { return chunked("3\r\n\x00\xff\x00\r\n0\r\n\r\n") },
		"no chunks":                   func(s string) string { return chunked("0\r\n\r\n") },
		"shorter than its length":     func(s string) string { return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(s)+1, s) },
		"longer than its length": func(s string) string {
			return head + fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n\r\n%s", len(s)-1, s)
		},
		"nothing at all":             func(s string) string { return head + "Content-Length: 10\r\n\r\n" },
		"no length and cut":          func(s string) string { return head + "Connection: close\r\n\r\n" + s[:len(s)-1] },
		"gzip in name only":          func(s string) string { return encoded("gzip", s) },
		"gzip cut":                   func(s string) string { z := zip(s); return encoded("gzip", z[:len(z)/2]) },
		"gzip without its checksum":  func(s string) string { z := zip(s); return encoded("gzip", z[:len(z)-8]) },
		"gzip with another checksum": func(s string) string { z := zip(s); return encoded("gzip", z[:len(z)-8]+"12345678") },
		"gzip of gzip":               func(s string) string { return encoded("gzip", zip(zip(s))) },
		"gzip of nothing":            func(s string) string { return encoded("gzip", zip("")) },
		"another encoding":           func(s string) string { return encoded("br", zip(s)) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, answered := range answersOfTheContract(t) {
				client := newRawClient(t, answerOf(encode(t, answered.value)))
				value, err := sixCalls[answered.operation](t.Context(), client)
				assert.Empty(t, requireGarbage(t, answered.operation, answered.operation, 200, value, err))
			}
		})
	}
	for _, answered := range answersOfTheContract(t) {
		good := encode(t, answered.value)
		for _, text := range []string{encoded("gzip", zip(good)), chunked(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good))} {
			_, err := sixCalls[answered.operation](t.Context(), newRawClient(t, text))
			require.NoError(t, err, "what is not broken is read")
		}
	}
}

// newRawClient returns a client whose one request is answered with these bytes.
func newRawClient(t *testing.T, answer string) *orgkeys.Client {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = connection.Close() }()
		buffer := make([]byte, 64<<10)
		var request []byte
		for !bytes.Contains(request, []byte("\r\n\r\n")) {
			n, err := connection.Read(buffer)
			if err != nil {
				return
			}
			request = append(request, buffer[:n]...)
		}
		_, _ = io.WriteString(connection, answer)
		_ = connection.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, connection) // until the client hangs up, so that nothing is reset
	}()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := orgkeys.NewClient(
		orgkeys.WithAdminKey("sk-admin-test"),
		orgkeys.WithBaseURL("http://"+listener.Addr().String()),
		orgkeys.WithHTTPClient(&http.Client{Transport: transport}),
		orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}),
	)
	require.NoError(t, err)
	return client
}

// TestALargeAnswerIsRefusedInLittleMemory holds that 256 MiB are an error, and that to find out
// takes less than 32 MiB: all that is allocated meanwhile, the server's part included, so that
// no peak can be higher.
func TestALargeAnswerIsRefusedInLittleMemory(t *testing.T) {
	const size, allowed = 256 << 20, 32 << 20
	bodies := map[string]struct{ start, middle string }{
		"a list":        {`{"object":"list","has_more":true,"data":[`, ` `},
		"a string":      {`{"id":"`, `x`},
		"unknown names": {`{`, `"":{},`},
		"nested arrays": {``, `[`},
		"white space":   {``, "\n"},
	}
	write := func(w io.Writer, start, middle string) {
		many := bytes.Repeat([]byte(middle), (64<<10)/len(middle))
		n, err := w.Write([]byte(start))
		for sent := n; sent < size && err == nil; sent += n {
			n, err = w.Write(many[:min(len(many), size-sent)])
		}
	}
	zip := func(text []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write(text)
		_ = w.Close()
		return out.Bytes()
	}
	rows, most := 0, uint64(0)
	for kind, send := range map[string]func(w http.ResponseWriter, start, middle string){
		"plain": func(w http.ResponseWriter, start, middle string) {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			write(w, start, middle)
		},
		"chunked": func(w http.ResponseWriter, start, middle string) { write(w, start, middle) },
		"gzipped": func(w http.ResponseWriter, start, middle string) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zip([]byte(start))) // gzip goes on with what follows
			many := zip(bytes.Repeat([]byte(middle), (1<<20)/len(middle)))
			for range size >> 20 {
				_, _ = w.Write(many)
			}
		},
	} {
		for name, body := range bodies {
			for operation, call := range sixCalls {
				if name != "a list" && operation != "admin-api-keys-create" {
					continue // what is not read does not depend on who reads it
				}
				t.Run(kind+" "+name+" "+operation, func(t *testing.T) {
					server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						w.Header().Set("Content-Type", "application/json")
						w.Header().Set("X-Request-Id", "req_1")
						send(w, body.start, body.middle)
					}))
					defer server.Close()
					client, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"),
						orgkeys.WithBaseURL(server.URL), orgkeys.WithHTTPClient(server.Client()))
					require.NoError(t, err)
					runtime.GC()
					before := allocated()
					value, err := call(t.Context(), client)
					taken := allocated() - before
					assert.Empty(t, requireGarbage(t, operation, name, 200, value, err))
					assert.Less(t, taken, uint64(allowed))
					rows, most = rows+1, max(most, taken)
				})
			}
		}
	}
	t.Logf("%d rows, at most %.1f MiB", rows, float64(most)/(1<<20))
}

// TestALargeRefusalTakesLittleMemory holds the same for answers that say no, and that as much of
// the reason as there is gets through.
func TestALargeRefusalTakesLittleMemory(t *testing.T) {
	long := strings.Repeat("no ", (7<<20)/3)
	for name, row := range map[string]struct{ body, message string }{
		"beyond the limit":     {`{"error":{"message":"` + strings.Repeat("no ", 9<<20) + `"}}`, ""},
		"an envelope, loosely": {`{"error":{"message":"` + long + `","code":7}}`, long[:512] + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			client := stubbed(t, func(*http.Request) (*http.Response, error) {
				response := answer(400, row.body)
				response.ContentLength = -1
				return response, nil
			})
			runtime.GC()
			before := allocated()
			_, err := client.AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci"})
			taken := allocated() - before
			refusal, ok := err.(*orgkeys.APIError)
			require.True(t, ok, "%v", err)
			if row.message != "" {
				assert.Equal(t, row.message, refusal.Message)
			}
			assert.Less(t, taken, uint64(32<<20))
			t.Logf("%.1f MiB", float64(taken)/(1<<20))
		})
	}
}

// allocated is how many bytes the program has allocated since its start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// TestTheLimitOfAnAnswerIsExact holds that an answer of as many bytes passes and one of one more
// does not, whether it says how long it is or not.
func TestTheLimitOfAnAnswerIsExact(t *testing.T) {
	for _, answered := range answersOfTheContract(t) {
		good := encode(t, answered.value)
		for _, row := range []struct {
			limit    int
			declared bool
			fits     bool
		}{
			{len(good), true, true}, {len(good), false, true}, {len(good) + 1, false, true},
			{len(good) - 1, true, false}, {len(good) - 1, false, false}, {1, true, false}, {1, false, false},
		} {
			client := stubbed(t, func(*http.Request) (*http.Response, error) {
				response := answer(200, good)
				if !row.declared {
					response.ContentLength = -1
				}
				return response, nil
			}, orgkeys.WithMaxResponseBytes(int64(row.limit)))
			value, err := sixCalls[answered.operation](t.Context(), client)
			if row.fits {
				require.NoError(t, err)
				continue
			}
			assert.Empty(t, requireGarbage(t, answered.operation, fmt.Sprint(answered.operation, row), 200, value, err))
		}
	}
}

// TestAnswersReadAsTheyAreMeant holds every field of the answers that servers send, the older
// and the newer: null and absent are nil, 0 is a time.
func TestAnswersReadAsTheyAreMeant(t *testing.T) {
	const (
		owner   = `"owner":{"type":"service_account","object":"organization.service_account","id":"sa_7","name":"Robot","created_at":1700000000,"role":"member"}`
		adminOf = `{"object":"organization.admin_api_key","id":"key_1","redacted_value":"sk-admin********wxyz","created_at":1700000001,%s` + owner + `}`
		keyOf   = `{"object":"organization.project.api_key","id":"key_abc","name":"Checkout","redacted_value":"sk-pr...wxyz","created_at":1700000002,%s"owner":%s}`
		madeOf  = `{"object":"organization.project.service_account","id":"user-7","name":"ci","role":"%s","created_at":%s,"api_key":%s}`
	)
	admin := orgkeys.AdminKey{
		Object: gen.AdminAPIKeyObjectOrganizationAdminAPIKey, ID: "key_1", RedactedValue: "sk-admin********wxyz", CreatedAt: 1700000001,
	}
	require.NoError(t, json.Unmarshal([]byte("{"+owner+"}"), &struct{ Owner *orgkeys.AdminKeyOwner }{&admin.Owner}))
	require.Equal(t, "Robot", *admin.Owner.Name)
	adminWith := func(set func(*orgkeys.AdminKey)) orgkeys.AdminKey { k := admin; set(&k); return k }
	page := func(key orgkeys.AdminKey) *orgkeys.AdminKeyPage {
		return &orgkeys.AdminKeyPage{Object: gen.APIKeyListObjectList, Data: []orgkeys.AdminKey{key}}
	}
	pageOf := func(fields string) string {
		return `{"object":"list","data":[` + fmt.Sprintf(adminOf, fields) + `],"has_more":false}`
	}
	key := orgkeys.ProjectKey{
		Object: gen.ProjectAPIKeyObjectOrganizationProjectAPIKey, ID: "key_abc", Name: "Checkout", RedactedValue: "sk-pr...wxyz", CreatedAt: 1700000002,
	}
	keyWith := func(set func(*orgkeys.ProjectKey)) *orgkeys.ProjectKey { k := key; set(&k); return &k }
	empty := func(first, last *string, more bool) *orgkeys.ServiceAccountPage {
		return &orgkeys.ServiceAccountPage{
			Object: gen.ProjectServiceAccountListResponseObjectList, Data: []orgkeys.ServiceAccount{}, FirstID: first, LastID: last, HasMore: more,
		}
	}
	account := func(role gen.ProjectServiceAccountRole, createdAt orgkeys.UnixTime) orgkeys.ServiceAccount {
		return orgkeys.ServiceAccount{
			Object: gen.ProjectServiceAccountObjectOrganizationProjectServiceAccount,
			ID:     "user-7", Name: "Production", Role: role, CreatedAt: createdAt,
		}
	}
	const accountOf = `{"object":"organization.project.service_account","id":"user-7","name":"Production","role":%q,"created_at":%d}`
	for _, row := range []struct {
		name, operation, body string
		want                  any
	}{
		{"an older server's key", "admin-api-keys-list", pageOf(``), page(admin)},
		{"no name", "admin-api-keys-list", pageOf(`"name":null,`), page(admin)},
		{"a name", "admin-api-keys-list", pageOf(`"name":"ci",`), page(adminWith(func(k *orgkeys.AdminKey) { k.Name = new("ci") }))},
		{"an empty name", "admin-api-keys-list", pageOf(`"name":"",`), page(adminWith(func(k *orgkeys.AdminKey) { k.Name = new("") }))},
		{"it never expires", "admin-api-keys-list", pageOf(`"expires_at":null,`), page(adminWith(func(k *orgkeys.AdminKey) { k.ExpiresAt = orgkeys.NullTime() }))},
		{"it expired in 1970", "admin-api-keys-list", pageOf(`"expires_at":0,`), page(adminWith(func(k *orgkeys.AdminKey) { k.ExpiresAt = orgkeys.TimeAt(time.Unix(0, 0)) }))},
		{"it expires", "admin-api-keys-list", pageOf(`"expires_at":1731536000,`), page(adminWith(func(k *orgkeys.AdminKey) { k.ExpiresAt = orgkeys.TimeAt(time.Unix(1731536000, 0)) }))},
		{"it was never used", "admin-api-keys-list", pageOf(`"last_used_at":null,`), page(adminWith(func(k *orgkeys.AdminKey) { k.LastUsedAt = orgkeys.NullTime() }))},
		{"it was used in 1970", "admin-api-keys-list", pageOf(`"last_used_at":0,`), page(adminWith(func(k *orgkeys.AdminKey) { k.LastUsedAt = orgkeys.TimeAt(time.Unix(0, 0)) }))},
		{"it was used", "admin-api-keys-list", pageOf(`"last_used_at":1700000009,`), page(adminWith(func(k *orgkeys.AdminKey) { k.LastUsedAt = orgkeys.TimeAt(time.Unix(1700000009, 0)) }))},
		{"a page with cursors", "admin-api-keys-list", `{"object":"list","data":[],"first_id":"key_1","last_id":"key_9","has_more":true}`,
			&orgkeys.AdminKeyPage{Object: gen.APIKeyListObjectList, Data: []orgkeys.AdminKey{}, FirstID: new("key_1"), LastID: new("key_9"), HasMore: true}},

		{"a user's key, older server", "retrieve-project-api-key",
			fmt.Sprintf(keyOf, `"last_used_at":null,`, `{"type":"user","user":{"id":"user_7","email":"robin@example.com","name":"Robin","created_at":1,"role":"owner"}}`),
			keyWith(func(k *orgkeys.ProjectKey) {
				k.Owner = orgkeys.ProjectKeyOwner{Type: new(gen.ProjectAPIKeyOwnerTypeUser), User: &gen.ProjectAPIKeyOwnerUser{
					ID: "user_7", Email: "robin@example.com", Name: "Robin", CreatedAt: 1, Role: "owner"}}
			})},
		{"a service account's key, newer server", "retrieve-project-api-key",
			fmt.Sprintf(keyOf, `"last_used_at":0,"owner_project_access":"inactive",`, `{"type":"service_account","service_account":{"id":"user-7","name":"Robot","created_at":0,"role":"member"}}`),
			keyWith(func(k *orgkeys.ProjectKey) {
				k.LastUsedAt, k.OwnerProjectAccess = orgkeys.TimeAt(time.Unix(0, 0)), new(gen.ProjectAPIKeyOwnerProjectAccessInactive)
				k.Owner = orgkeys.ProjectKeyOwner{Type: new(gen.ProjectAPIKeyOwnerTypeServiceAccount), ServiceAccount: &gen.ProjectAPIKeyOwnerServiceAccount{
					ID: "user-7", Name: "Robot", Role: "member"}}
			})},
		{"an owner of a new type", "retrieve-project-api-key",
			fmt.Sprintf(keyOf, `"last_used_at":1700000009,"owner_project_access":"active",`, `{"type":"workload","workload":{"id":"w_1"}}`),
			keyWith(func(k *orgkeys.ProjectKey) {
				k.LastUsedAt, k.OwnerProjectAccess = orgkeys.TimeAt(time.Unix(1700000009, 0)), new(gen.ProjectAPIKeyOwnerProjectAccessActive)
				k.Owner = orgkeys.ProjectKeyOwner{Type: new(gen.ProjectAPIKeyOwnerType("workload"))}
			})},

		{"accounts", "list-project-service-accounts",
			`{"object":"list","data":[` + fmt.Sprintf(accountOf, "none", 1700000003) + "," + fmt.Sprintf(accountOf, "owner", 0) + `],"first_id":"user-7","last_id":null,"has_more":true}`,
			&orgkeys.ServiceAccountPage{
				Object: gen.ProjectServiceAccountListResponseObjectList, FirstID: new("user-7"), HasMore: true,
				Data: []orgkeys.ServiceAccount{account(gen.ProjectServiceAccountRoleNone, 1700000003), account(gen.ProjectServiceAccountRoleOwner, 0)},
			}},
		{"no accounts", "list-project-service-accounts", `{"object":"list","data":[],"has_more":false}`, empty(nil, nil, false)},
		{"no accounts, and null", "list-project-service-accounts", `{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}`, empty(nil, nil, false)},
		{"no accounts, and empty", "list-project-service-accounts", `{"object":"list","data":[],"first_id":"","last_id":"","has_more":true}`, empty(new(""), new(""), true)},
		{"revoked", "delete-project-api-key", `{"object":"organization.project.api_key.deleted","id":"key_abc","deleted":true}`,
			&orgkeys.DeletedProjectKey{Object: gen.ProjectAPIKeyDeleteResponseObjectOrganizationProjectAPIKeyDeleted, ID: "key_abc", Deleted: true}},

		// The documents show lists whose items are quoted, and a revoke that did not revoke. The
		// schemas mean neither.
		{"items in strings", "admin-api-keys-list", `{"object":"list","data":[` + quoted(fmt.Sprintf(adminOf, "")) + `],"has_more":false}`, "/data/0"},
		{"accounts in strings", "list-project-service-accounts", `{"object":"list","data":[` + quoted(fmt.Sprintf(accountOf, "owner", 1)) + `],"has_more":false}`, "/data/0"},
		{"not revoked", "delete-project-api-key", `{"object":"organization.project.api_key.deleted","id":"key_abc","deleted":false}`, "/deleted"},
		{"another was revoked", "delete-project-api-key", `{"object":"organization.project.api_key.deleted","id":"string","deleted":true}`, "/id"},
		{"a key that was to be made", "create-project-service-account", fmt.Sprintf(madeOf, "none", "1700000004", "null"), "/api_key"},
	} {
		t.Run(row.operation+" "+row.name, func(t *testing.T) {
			next := func() *http.Response { return answer(200, row.body) }
			got, err := sixCalls[row.operation](t.Context(), answering(t, &next))
			if pointer, isError := row.want.(string); isError {
				assert.Equal(t, pointer, requireGarbage(t, row.operation, row.name, 200, got, err))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
		})
	}

	t.Run("admin-api-keys-create", func(t *testing.T) {
		body := strings.TrimSuffix(fmt.Sprintf(adminOf, `"name":"ci","expires_at":1702592001,"last_used_at":null,`), "}") + `,"value":"` + mintedKey + `"}`
		next := func() *http.Response { return answer(200, body) }
		made, err := answering(t, &next).AdminKeys.Create(t.Context(), orgkeys.AdminKeyCreateParams{Name: "ci", ExpiresInSeconds: new(2592000)})
		require.NoError(t, err)
		assert.Equal(t, mintedKey, made.Value.Reveal())
		made.Value = orgkeys.Secret{}
		assert.Equal(t, &orgkeys.CreatedAdminKey{
			Object: gen.AdminAPIKeyCreateResponseObjectOrganizationAdminAPIKey, ID: "key_1", Name: new("ci"), RedactedValue: "sk-admin********wxyz",
			CreatedAt: 1700000001, ExpiresAt: orgkeys.TimeAt(time.Unix(1702592001, 0)), Owner: admin.Owner,
		}, made)
	})
	t.Run("create-project-service-account", func(t *testing.T) {
		const keyOf = `{"object":"organization.project.service_account.api_key","id":"key_2","name":"Secret Key","value":%q,"created_at":0}`
		next := func() *http.Response {
			return answer(200, fmt.Sprintf(madeOf, "member", "0", fmt.Sprintf(keyOf, accountKey)))
		}
		made, err := answering(t, &next).ServiceAccounts.Create(t.Context(), project, orgkeys.ServiceAccountCreateParams{Name: "ci"})
		require.NoError(t, err)
		assert.Equal(t, accountKey, made.APIKey.Value.Reveal())
		made.APIKey.Value = orgkeys.Secret{}
		assert.Equal(t, &orgkeys.CreatedServiceAccount{
			Object: gen.ProjectServiceAccountCreateResponseObjectOrganizationProjectServiceAccount,
			ID:     "user-7", Name: "ci", Role: gen.ProjectServiceAccountCreateResponseRoleMember,
			APIKey: &orgkeys.ServiceAccountKey{
				Object: gen.ProjectServiceAccountAPIKeyObjectOrganizationProjectServiceAccountAPIKey, ID: "key_2", Name: "Secret Key",
			},
		}, made)
	})
	t.Run("create-project-service-account without a key", func(t *testing.T) {
		next := func() *http.Response { return answer(200, fmt.Sprintf(madeOf, "none", "1700000004", "null")) }
		made, err := answering(t, &next).ServiceAccounts.Create(t.Context(), project,
			orgkeys.ServiceAccountCreateParams{Name: "ci", CreateServiceAccountOnly: new(true)})
		require.NoError(t, err)
		assert.Equal(t, &orgkeys.CreatedServiceAccount{
			Object: gen.ProjectServiceAccountCreateResponseObjectOrganizationProjectServiceAccount,
			ID:     "user-7", Name: "ci", Role: gen.ProjectServiceAccountCreateResponseRoleNone, CreatedAt: 1700000004,
		}, made)
	})
}
