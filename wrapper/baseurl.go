package orgkeys

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// parseBaseURL refuses an address to which an admin key must not travel. Its errors do not quote
// the address, since it may contain credentials.
func parseBaseURL(raw string, plainHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("base URL: is not a URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, errors.New("base URL: does not have the form https://host/path")
	case u.User != nil:
		return nil, errors.New("base URL: contains credentials; the admin key has an option of its own")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return nil, errors.New("base URL: contains a query or a fragment")
	case u.Scheme == "http" && !plainHTTP && !isLoopback(u.Hostname()):
		return nil, errors.New("base URL: http to a host that is not loopback shows the admin key to the network; use https")
	}
	escaped := strings.Contains(u.EscapedPath(), "%")
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	switch {
	case escaped || u.String() != u.Scheme+"://"+u.Host+u.Path:
		return nil, errors.New("base URL: its host or path contains escapes, or characters that need them")
	case hasOddSegment(u.Path):
		return nil, errors.New("base URL: its path contains dot segments or empty segments")
	}
	return u, nil
}

// isLoopback reports whether net/http connects to host without a proxy from the environment,
// which is so for the name localhost in lower case and for loopback addresses.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// checkProxy refuses a transport whose own Proxy function sends plain HTTP to a loopback host
// through a proxy.
func checkProxy(base *url.URL, transport http.RoundTripper, plainHTTP bool) error {
	t, ok := transport.(*http.Transport)
	if base.Scheme != "http" || plainHTTP || !ok || t.Proxy == nil {
		return nil
	}
	request := &http.Request{Method: http.MethodGet, URL: base, Host: base.Host, Header: http.Header{}}
	if proxy, err := t.Proxy(request); err != nil || proxy != nil {
		return errors.New("base URL: http through a proxy shows the admin key to the network; use https")
	}
	return nil
}
