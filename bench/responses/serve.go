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

// API prepares all responses, so that serving one costs next to nothing and the same for
// every contender.
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

// New returns an API with total admin keys, a multiple of [PageSize]. Its own memory does not
// grow with them.
func New(total int) *API {
	return &API{bodies: ready(), total: total}
}

// ready encodes the responses, once for all APIs.
var ready = sync.OnceValue(func() *bodies {
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

// respond returns the status and the body for a request. done, if not nil, takes the body
// back.
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
	b := made.Get().(*[]byte)
	*b = renumber((*b)[:0], page, first/Total*Total, first+PageSize < api.total)
	return *b, func() { made.Put(b) }
}

// made are the pages that were renumbered and read.
var made = sync.Pool{New: func() any { return new([]byte) }}

// renumber appends page with shift added to the numbers of its keys.
func renumber(b, page []byte, shift int, more bool) []byte {
	b = append(b, page[:bytes.LastIndexByte(page, ':')+1]...)
	b = append(strconv.AppendBool(b, more), '}')
	for at := b; shift > 0; {
		_, rest, found := bytes.Cut(at, []byte("key_"))
		if !found {
			break
		}
		if index, err := strconv.Atoi(string(rest[:8])); err == nil { // else it is "admin_api_key_…"
			copy(rest, digits(index+shift, 8))
		}
		at = rest
	}
	return b
}

// indexIn is the index of the key that a path or a query names, -1 where it names none.
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

// header is shared by all responses: a contender must not write to it.
var header = http.Header{
	"Content-Type": {"application/json"},
	"X-Request-Id": {"req_5YkVb0fJmKXq8nTz3RwLcD7H"},
	"Date":         {"Tue, 26 Mar 2024 16:45:33 GMT"},
}

// RoundTrip responds without a network, as net/http does if the API has compressed the
// response: the length is not known beforehand.
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

// ServeHTTP responds over a network.
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
