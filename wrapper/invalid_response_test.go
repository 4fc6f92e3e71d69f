package orgkeys_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/orgkeys/orgkeys-go/internal/mutate"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// requireInvalid asserts that a call returned no value, and the error of a 2xx response that
// violates the contract: as the cause of an unknown outcome if the call is a create. It returns the
// pointer in the error.
func requireInvalid(t *testing.T, c apiCall, row string, status int, value any, err error) (pointer string) {
	t.Helper()
	require.Error(t, err, row)
	require.Nil(t, value, row)
	unknown, isUnknown := err.(*orgkeys.UnknownOutcomeError)
	require.Equal(t, c.create, isUnknown, row)
	if isUnknown {
		require.Equal(t, c.operation, unknown.Operation, row)
		err = unknown.Err
	}
	invalid, ok := err.(*orgkeys.ResponseError)
	require.True(t, ok, "%s: %v", row, err)
	require.NotErrorIs(t, err, orgkeys.ErrNotSent, row)
	require.Equal(t, c.operation, invalid.Operation, row)
	require.Equal(t, status, invalid.Status, row)
	require.Equal(t, "req_1", invalid.RequestID, row)
	require.NotEmpty(t, invalid.Problem, row)
	require.Less(t, len(err.Error()), 1500, row)
	return invalid.Pointer
}

// receiving returns a client that receives what *response returns, and attempts each call once.
func receiving(t testing.TB, response *func() *http.Response, more ...orgkeys.Option) *orgkeys.Client {
	return stubbed(t, func(*http.Request) (*http.Response, error) { return (*response)(), nil },
		append(more, orgkeys.WithRetry(orgkeys.Retry{MaxAttempts: 1}))...)
}

// Every single fault in a response is an error at the value that has it, and what the contract
// allows is a value. The decoders themselves are tested in package gen; enum values are open.
func TestResponse_withOneFault(t *testing.T) {
	var next func() *http.Response
	client := receiving(t, &next)
	for _, c := range calls {
		response, bodies := responsesOf(t, c)
		invalid, valid := 0, 0
		for _, body := range bodies {
			for _, m := range mutate.Invalid(response.Schema, body) {
				isOpen := m.Violates("enum") && !m.Violates("utf-8")
				// Limits and patterns are kept by the decoders and by the types of package apitype.
				isLimit := (m.Violates("pattern") || m.Violates("minLength")) && !m.Violates("utf-8") && !strings.HasSuffix(m.Pointer, "/value")
				if isOpen || isLimit {
					continue
				}
				next = func() *http.Response { return jsonResponse(200, string(m.Body)) }
				value, err := c.do(t.Context(), client)
				row := fmt.Sprintf("%s: %s %s", c.operation, m.Pointer, m.Name)
				require.Equal(t, m.Pointer, requireInvalid(t, c, row, 200, value, err), "%s: %v", row, err)
				invalid++
			}
			for _, m := range mutate.Valid(response.Schema, body) {
				if m.Pointer == "/api_key" && m.Name == "null" || m.Name == "all nullable values null" && c.create ||
					c.create && m.Pointer == "/name" || c.create && m.Name == "all optional properties absent" ||
					c.operation == "update-project-api-key" && (m.Pointer == "/expires_at" && m.Name == "null" || m.Name == "all nullable values null") {
					continue // the name of a create is verified, and a key or an expiration was requested
				}
				next = func() *http.Response { return jsonResponse(200, string(m.Body)) }
				value, err := c.do(t.Context(), client)
				row := fmt.Sprintf("%s: %s %s", c.operation, m.Pointer, m.Name)
				if m.Pointer == "/deleted" {
					continue
				}
				require.NoError(t, err, row)
				require.NotNil(t, value, row)
				valid++
			}
		}
		assert.Greater(t, invalid, 40, c.operation)
		assert.Greater(t, valid, 3, c.operation)
	}
}

// A response that is about something else than the request is an error.
func TestResponse_aboutAnotherObject(t *testing.T) {
	var next func() *http.Response
	client := receiving(t, &next)
	rows := 0
	for _, c := range calls {
		_, bodies := responsesOf(t, c)
		for _, row := range []struct {
			operations, pointer string
			value               any
		}{
			{"retrieve-project-api-key update-project-api-key delete-project-api-key", "/id", "key_xyz"},
			{"retrieve-project-api-key update-project-api-key delete-project-api-key", "/id", "KEY_ABC"},
			{"delete-project-api-key", "/deleted", false},
			{"admin-api-keys-create create-project-service-account", "/name", "another"},
			{"admin-api-keys-create create-project-service-account", "/name", ""},
			{"admin-api-keys-create", "/name", nil},
			{"create-project-service-account", "/api_key", nil},
		} {
			if !strings.Contains(row.operations, c.operation) {
				continue
			}
			body := mutate.Encode(mutate.Replace(bodies[1], row.pointer, row.value))
			next = func() *http.Response { return jsonResponse(200, string(body)) }
			value, err := c.do(t.Context(), client)
			name := fmt.Sprint(c.operation, row.pointer, row.value)
			require.Equal(t, row.pointer, requireInvalid(t, c, name, 200, value, err), "%s: %v", name, err)
			rows++
		}
	}
	assert.Equal(t, 3+3+1+2+2+1+1, rows)
}

// Values that no client can use as a key are not keys. The rule itself is tested in package apitype.
func TestCreate_refusesPlaceholders(t *testing.T) {
	var next func() *http.Response
	client := receiving(t, &next)
	for _, c := range calls {
		if !c.create {
			continue
		}
		pointer := "/value"
		if c.operation == "create-project-service-account" {
			pointer = "/api_key/value"
		}
		_, bodies := responsesOf(t, c)
		for _, value := range []string{"", " ", "\n", "\x00", "\r\n", "********", "[REDACTED]", "[redacted]", "<hidden>", "REDACTED", "sk-admin...abc", "sk-admin-", "sk-ad****wxyz", "sk-xxxxxxxx"} {
			body := mutate.Encode(mutate.Replace(bodies[1], pointer, value))
			next = func() *http.Response { return jsonResponse(200, string(body)) }
			got, err := c.do(t.Context(), client)
			require.Equal(t, pointer, requireInvalid(t, c, value, 200, got, err), "%q", value)
		}
	}
}

// Whole bodies of other kinds, and valid bodies with something around them.
func TestResponse_withAnotherDocument(t *testing.T) {
	const deep = 100_000
	documents := map[string]string{
		"empty": ``, "white space": " \r\n\t", "null": `null`, "true": `true`, "number": `7`, "huge number": `1e400`, "string": `"sk-admin-x"`, "object": `{}`, "array": `[]`,
		"HTML": "<!DOCTYPE html><html></html>", "text": "upstream connect error", "YAML": "object: list\n", "form": "object=list", "events": "data: {}\n\n", "JavaScript": `{object:'list'}`,
		"comment": "/* */ {}", "NUL": "\x00", "gzip": "\x1f\x8b\x08\x00", "byte order mark": "\xef\xbb\xbf",
		"error envelope": `{"error":{"message":"no","type":"server_error","param":null,"code":null}}`, "error as a string": `{"error":"no"}`, "wrapped": `{"data":{}}`,
		"nested arrays": strings.Repeat("[", deep) + strings.Repeat("]", deep), "nested objects": strings.Repeat(`{"data":`, deep) + "1" + strings.Repeat("}", deep),
		"open arrays": strings.Repeat("[", deep), "open objects": strings.Repeat(`{"owner":`, deep), "long name": `{"` + strings.Repeat("n", deep) + `":1}`,
		"many empty names": `{` + strings.Repeat(`"":1,`, deep) + `"":1}`,
	}
	around := map[string]func(valid string) string{
		"byte order mark":         func(s string) string { return "\xef\xbb\xbf" + s },
		"UTF-16":                  func(s string) string { return "\xff\xfe" + strings.Join(strings.Split(s, ""), "\x00") + "\x00" },
		"guard":                   func(s string) string { return ")]}',\n" + s },
		"twice":                   func(s string) string { return s + "\n" + s },
		"null after it":           func(s string) string { return s + "null" },
		"bracket after it":        func(s string) string { return s + "}" },
		"comma after it":          func(s string) string { return s + "," },
		"NUL after it":            func(s string) string { return s + "\x00" },
		"in an array":             func(s string) string { return "[" + s + "]" },
		"in a string":             func(s string) string { return strconv.Quote(s) },
		"in data":                 func(s string) string { return `{"data":` + s + `}` },
		"comma at its end":        func(s string) string { return strings.TrimSuffix(s, "}") + ",}" },
		"its last half":           func(s string) string { return s[len(s)/2:] },
		"single quotes":           func(s string) string { return strings.ReplaceAll(s, `"`, `'`) },
		"duplicate unknown names": func(s string) string { return strings.TrimSuffix(s, "}") + `,"x":1,"x":1}` },
		"deep unknown property": func(s string) string {
			return strings.TrimSuffix(s, "}") + `,"x":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + "}"
		},
	}
	var next func() *http.Response
	client := receiving(t, &next)
	for _, c := range calls {
		_, bodies := responsesOf(t, c)
		valid := string(mutate.Encode(bodies[1]))
		check := func(name, body string) {
			next = func() *http.Response { return jsonResponse(200, body) }
			value, err := c.do(t.Context(), client)
			requireInvalid(t, c, c.operation+": "+name, 200, value, err)
			if strings.HasPrefix(name, "error ") {
				require.ErrorContains(t, err, "is an error envelope: no")
			}
		}
		for name, body := range documents {
			check(name, body)
		}
		for name, wrap := range around {
			check(name, wrap(valid))
		}
		next = func() *http.Response { return jsonResponse(200, "\n\t "+valid+" \r\n") }
		_, err := c.do(t.Context(), client)
		require.NoError(t, err, "white space around it")
	}
}

// A body that is cut at any byte is an error, whether or not the connection shows it.
func TestResponse_truncated(t *testing.T) {
	var next func() *http.Response
	client := receiving(t, &next)
	for _, c := range calls {
		_, bodies := responsesOf(t, c)
		valid := string(mutate.Encode(bodies[1]))
		for n := range len(valid) {
			row := fmt.Sprintf("%s: %d bytes", c.operation, n)
			next = func() *http.Response { return jsonResponse(200, valid[:n]) }
			value, err := c.do(t.Context(), client)
			requireInvalid(t, c, row, 200, value, err)
		}
		for n := 0; n <= len(valid); n += 1 + len(valid)/20 {
			row := fmt.Sprintf("%s: the connection ends after %d bytes", c.operation, n)
			next = func() *http.Response {
				response := jsonResponse(200, "")
				response.ContentLength = int64(len(valid))
				response.Body = &brokenBody{strings.NewReader(valid[:n]), io.ErrUnexpectedEOF}
				return response
			}
			value, err := c.do(t.Context(), client)
			require.Empty(t, requireInvalid(t, c, row, 200, value, err))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, row)
		}
	}
}

// A valid body does not make up for another status or content type. The rules are tables in
// decode_test.go.
func TestResponse_ofAnotherKind(t *testing.T) {
	var next func() *http.Response
	client := receiving(t, &next)
	for _, c := range calls {
		_, bodies := responsesOf(t, c)
		valid := string(mutate.Encode(bodies[1]))
		for _, row := range []struct {
			status      int
			contentType string
			valid       bool
		}{
			{200, "application/json; charset=utf-8", true}, {200, "text/html", false}, {200, "", false}, {200, "application/problem+json", false},
			{201, "application/json", false}, {202, "application/json", false}, {204, "application/json", false}, {206, "application/json", false}, {299, "application/json", false},
		} {
			next = func() *http.Response {
				response := jsonResponse(row.status, valid)
				response.Header.Set("Content-Type", row.contentType)
				return response
			}
			value, err := c.do(t.Context(), client)
			if row.valid {
				require.NoError(t, err)
				continue
			}
			require.Empty(t, requireInvalid(t, c, fmt.Sprint(c.operation, row), row.status, value, err))
		}
	}
}

// The limit of a body is exact, whether or not the response declares its length.
func TestWithMaxResponseBytes(t *testing.T) {
	for _, c := range calls {
		_, bodies := responsesOf(t, c)
		valid := string(mutate.Encode(bodies[1]))
		for _, row := range []struct {
			limit    int
			declared bool
			fits     bool
		}{
			{len(valid), true, true}, {len(valid), false, true}, {len(valid) + 1, false, true}, {len(valid) - 1, true, false}, {len(valid) - 1, false, false}, {1, false, false},
		} {
			next := func() *http.Response {
				response := jsonResponse(200, valid)
				if !row.declared {
					response.ContentLength = -1
				}
				return response
			}
			value, err := c.do(t.Context(), receiving(t, &next, orgkeys.WithMaxResponseBytes(int64(row.limit))))
			if row.fits {
				require.NoError(t, err)
				continue
			}
			require.Empty(t, requireInvalid(t, c, fmt.Sprint(c.operation, row), 200, value, err))
			require.ErrorContains(t, err, "longer than the limit")
		}
	}
}

// endless is a body without an end, and counts what was read of it.
type endless struct{ read int }

func (e *endless) Close() error { return nil }
func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

// No response is read beyond the limit, whatever its status.
func TestResponse_isReadUpToTheLimit(t *testing.T) {
	const limit = 1 << 20
	for _, status := range []int{200, 400, 500} {
		for _, c := range calls {
			body := &endless{}
			next := func() *http.Response {
				response := jsonResponse(status, "")
				response.Body, response.ContentLength = body, -1
				return response
			}
			_, err := c.do(t.Context(), receiving(t, &next, orgkeys.WithMaxResponseBytes(limit)))
			require.Error(t, err)
			assert.Greater(t, body.read, limit)
			assert.LessOrEqual(t, body.read, limit+1, "%s %d", c.operation, status)
		}
	}
	body := &endless{}
	next := func() *http.Response {
		response := jsonResponse(200, "")
		response.Body, response.ContentLength = body, limit+1
		return response
	}
	_, err := calls[0].do(t.Context(), receiving(t, &next, orgkeys.WithMaxResponseBytes(limit)))
	assert.ErrorContains(t, err, "longer than the limit")
	assert.Zero(t, body.read, "a declared length is enough")
}

func zipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return out.String()
}

// Over a real connection, a response whose transfer is broken is an error with its status and
// request id.
func TestResponse_withBrokenTransfer(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\n"
	chunked := func(s string) string { return head + "Transfer-Encoding: chunked\r\n\r\n" + s }
	encoded := func(encoding, s string) string {
		return head + "Content-Encoding: " + encoding + "\r\nContent-Length: " + strconv.Itoa(len(s)) + "\r\n\r\n" + s
	}
	whole := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(s), s) }
	for name, row := range map[string]struct {
		valid    bool
		transfer func(body string) string
	}{
		"chunks":                   {true, func(s string) string { return chunked(whole(s)) }},
		"gzip":                     {true, func(s string) string { return encoded("gzip", zipped(s)) }},
		"invalid size of a chunk":  {false, func(s string) string { return chunked("garbage\r\n" + s) }},
		"huge size of a chunk":     {false, func(s string) string { return chunked("ffffffffffffffff\r\n" + s) }},
		"negative size of a chunk": {false, func(s string) string { return chunked("-5\r\n" + s) }},
		"truncated chunk":          {false, func(s string) string { return chunked(fmt.Sprintf("%x\r\n%s", len(s), s[:len(s)/2])) }},
		"no last chunk":            {false, func(s string) string { return chunked(fmt.Sprintf("%x\r\n%s\r\n", len(s), s)) }},
		"no chunks":                {false, func(string) string { return chunked("0\r\n\r\n") }},
		"shorter than its length":  {false, func(s string) string { return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(s)+1, s) }},
		"longer than its length": {false, func(s string) string {
			return head + fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n\r\n%s", len(s)-1, s)
		}},
		"no length, truncated":      {false, func(s string) string { return head + "Connection: close\r\n\r\n" + s[:len(s)-1] }},
		"gzip in name only":         {false, func(s string) string { return encoded("gzip", s) }},
		"truncated gzip":            {false, func(s string) string { z := zipped(s); return encoded("gzip", z[:len(z)/2]) }},
		"gzip without its checksum": {false, func(s string) string { z := zipped(s); return encoded("gzip", z[:len(z)-8]) }},
		"gzip, another checksum":    {false, func(s string) string { z := zipped(s); return encoded("gzip", z[:len(z)-8]+"12345678") }},
		"gzip of gzip":              {false, func(s string) string { return encoded("gzip", zipped(zipped(s))) }},
		"another encoding":          {false, func(s string) string { return encoded("br", zipped(s)) }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range calls {
				_, bodies := responsesOf(t, c)
				value, err := c.do(t.Context(), clientOfBytes(t, row.transfer(string(mutate.Encode(bodies[1])))))
				if row.valid {
					require.NoError(t, err)
					continue
				}
				assert.Empty(t, requireInvalid(t, c, c.operation, 200, value, err))
			}
		})
	}
}

// A small compressed body that expands beyond the limit is an error.
func TestResponse_gzipBomb(t *testing.T) {
	body := zipped(strings.Repeat(" ", 10<<20))
	response := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\nContent-Encoding: gzip\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	value, err := calls[1].do(t.Context(), clientOfBytes(t, response))
	requireInvalid(t, calls[1], "", 200, value, err)
	assert.ErrorContains(t, err, "longer than the limit")
}

// clientOfBytes returns a client of a server that responds once, with these bytes.
func clientOfBytes(t *testing.T, response string) *orgkeys.Client {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = connection.Close() }()
		request, err := http.ReadRequest(bufio.NewReader(connection))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(connection, response)
		_ = connection.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, connection) // until the client closes it, so that nothing is reset
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
			assert.Empty(t, partOfKeyIn(fmt.Sprintf("%v %+v %#v", err, err, unknown.Err)))
			if err := unknown.Err.Error(); !strings.Contains(err, "no such property") {
				assert.Regexp(t, "is printed in another property|/id is the value of a key", err, c.operation+property)
			}
		}
	}
}
