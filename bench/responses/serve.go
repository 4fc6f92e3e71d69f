package responses

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// API serves responses that were encoded beforehand, so that the cost of a response is small and
// the same for each client.
type API struct {
	*bodies
	creates atomic.Int64
	total   int
}

type bodies struct {
	projectKeys, newKeys                        [][]byte
	pages                                       [][]byte // of Total keys
	notFound, deleted, accounts, createdAccount []byte
}

// New returns an API with the given number of admin keys, a multiple of [PageSize]. Its memory does
// not depend on the number.
func New(total int) *API {
	return &API{bodies: encoded(), total: total}
}

// encoded returns the bodies of the responses. They are encoded once and shared by all APIs.
var encoded = sync.OnceValue(func() *bodies {
	a := &bodies{
		notFound:       notFoundBytes(),
		deleted:        deletedBytes(),
		accounts:       accountsBytes(),
		createdAccount: createdAccountBytes(),
	}
	for i := range Different {
		a.projectKeys = append(a.projectKeys, projectKeyBytes(i))
		a.newKeys = append(a.newKeys, newKeyBytes(i))
	}
	for first := 0; first < Total; first += PageSize {
		a.pages = append(a.pages, appendPage(nil, first, Total))
	}
	return a
})

// respond returns the status and the body of the response to a request. If done is not nil, the
// caller must call it when it no longer uses the body.
func (api *API) respond(method, path, query string) (status int, body []byte, done func()) {
	switch {
	case method == http.MethodDelete:
		return http.StatusOK, api.deleted, nil
	case strings.HasSuffix(path, "/service_accounts") && method == http.MethodPost:
		return http.StatusOK, api.createdAccount, nil
	case strings.HasSuffix(path, "/service_accounts"):
		return http.StatusOK, api.accounts, nil
	case !strings.HasSuffix(path, "/admin_api_keys"):
		if index := indexIn(path); index < len(api.projectKeys) {
			return http.StatusOK, api.projectKeys[index], nil
		}
		return http.StatusNotFound, api.notFound, nil
	case method == http.MethodPost:
		return http.StatusOK, api.newKeys[(api.creates.Add(1)-1)%Different], nil
	}
	body, done = api.page(indexIn(query) + 1)
	return http.StatusOK, body, done
}

func (api *API) page(first int) ([]byte, func()) {
	page := api.pages[first/PageSize%len(api.pages)]
	if api.total == Total {
		return page, nil
	}
	b := buffers.Get().(*[]byte)
	*b = renumber((*b)[:0], page, first/Total*Total, first+PageSize < api.total)
	return *b, func() { buffers.Put(b) }
}

// buffers are for renumbered pages.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// renumber appends page to b, with shift added to the numbers in the ids of its keys, and with
// has_more set to more.
func renumber(b, page []byte, shift int, more bool) []byte {
	b = append(b, page[:bytes.LastIndexByte(page, ':')+1]...)
	b = append(strconv.AppendBool(b, more), '}')
	for at := b; shift > 0; {
		_, rest, found := bytes.Cut(at, []byte("key_"))
		if !found {
			break
		}
		if index, err := strconv.Atoi(string(rest[:8])); err == nil { // an error: not a key's id
			copy(rest, digits(index+shift, 8))
		}
		at = rest
	}
	return b
}

// indexIn returns the index of the key whose id is in a path or a query, or -1 if none is.
func indexIn(text string) int {
	_, digits, found := strings.Cut(text, "key_")
	if !found {
		return -1
	}
	index, err := strconv.Atoi(digits[:8])
	if err != nil {
		panic(err)
	}
	return index
}

// header is shared by all responses. Clients must not modify it.
var header = http.Header{
	"Content-Type": {"application/json"},
	"X-Request-Id": {"req_5YkVb0fJmKXq8nTz3RwLcD7H"},
	"Date":         {"Tue, 26 Mar 2024 16:45:33 GMT"},
}

// RoundTrip returns the response without a network. The response has no ContentLength, like one
// that net/http has decompressed.
func (api *API) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return nil, err
		}
		if err := request.Body.Close(); err != nil {
			return nil, err
		}
	}
	status, content, done := api.respond(request.Method, request.URL.Path, request.URL.RawQuery)
	b := &body{done: done}
	b.Reset(content)
	return &http.Response{
		Status:        http.StatusText(status),
		StatusCode:    status,
		Proto:         "HTTP/2.0",
		ProtoMajor:    2,
		Header:        header,
		Body:          b,
		ContentLength: -1,
		Uncompressed:  true,
		Request:       request,
	}, nil
}

type body struct {
	bytes.Reader
	done func()
}

func (b *body) Close() error {
	if b.done != nil {
		b.done()
		b.done = nil
	}
	return nil
}

// ServeHTTP sends the response over a network.
func (api *API) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_, _ = io.Copy(io.Discard, request.Body)
	status, content, done := api.respond(request.Method, request.URL.Path, request.URL.RawQuery)
	w.Header()["Content-Type"] = header["Content-Type"]
	w.Header()["X-Request-Id"] = header["X-Request-Id"]
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	_, _ = w.Write(content)
	if done != nil {
		done()
	}
}

// Serve serves the API on loopback until the server that it returns is closed.
func (api *API) Serve() *httptest.Server { return httptest.NewServer(api) }
