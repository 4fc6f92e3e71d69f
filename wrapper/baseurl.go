package orgkeys

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
)

// parseBaseURL returns an error for a URL that an admin key must not be sent to, or that request
// paths cannot be appended to. The errors do not quote the URL, which may contain credentials.
func parseBaseURL(raw string, plainHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("base URL is not a valid URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, errors.New("base URL does not have the form https://host/path")
	case u.User != nil:
		return nil, errors.New("base URL contains credentials; set the admin key with WithAdminKey or OPENAI_ADMIN_KEY")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return nil, errors.New("base URL contains a query or a fragment")
	case u.Scheme == "http" && !plainHTTP && !isLoopback(u.Hostname()):
		return nil, errors.New("base URL is http to a host other than loopback, which sends the admin key unencrypted; use https, or allow it with WithPlainHTTP")
	}
	escaped := strings.Contains(u.EscapedPath(), "%")
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	switch {
	case escaped || u.String() != u.Scheme+"://"+u.Host+u.Path:
		return nil, errors.New("base URL has escapes, or characters that must be escaped, in its host or path")
	case u.Path != "" && path.Clean(u.Path) != u.Path:
		return nil, errors.New("base URL has dot segments or empty segments in its path")
	}
	return u, nil
}

// isLoopback reports whether host is "localhost", in lower case, or a loopback address. These are
// the hosts that net/http connects to without the proxy from the environment.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// checkProxy returns an error if transport would send unencrypted requests to a loopback host through
// a proxy.
func checkProxy(base *url.URL, transport http.RoundTripper, plainHTTP bool) error {
	t, ok := transport.(*http.Transport)
	if base.Scheme != "http" || plainHTTP || !ok || t.Proxy == nil {
		return nil
	}
	request := &http.Request{Method: http.MethodGet, URL: base, Host: base.Host, Header: http.Header{}}
	if proxy, err := t.Proxy(request); err != nil || proxy != nil {
		return errors.New("base URL is http, and the transport sends requests through a proxy, with the admin key unencrypted; use https, or allow it with WithPlainHTTP")
	}
	return nil
}
