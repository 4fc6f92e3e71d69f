package orgkeys

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// parseBaseURL refuses an address that an admin key must not travel to. Its errors quote
// nothing of it, since it may hold credentials.
func parseBaseURL(raw string, plainHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("base URL: is not a URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, errors.New("base URL: is not of the form https://host/path")
	case u.User != nil:
		return nil, errors.New("base URL: holds credentials; the admin key has an option of its own")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, errors.New("base URL: holds a query or a fragment")
	case u.Scheme == "http" && !plainHTTP && !isLoopback(u.Hostname()):
		return nil, errors.New("base URL: http to a host that is not loopback would show the admin key to the network; use https")
	}
	if strings.Contains(u.EscapedPath(), "%") || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./") {
		return nil, errors.New("base URL: its path holds escapes or dot segments")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
