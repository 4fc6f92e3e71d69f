package orgkeys

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseBaseURL(t *testing.T) {
	for _, row := range []struct{ raw, want string }{
		{"https://api.openai.com/v1", "https://api.openai.com/v1"},
		{"https://api.openai.com/v1/", "https://api.openai.com/v1"},
		{"https://api.openai.com/v1///", "https://api.openai.com/v1"},
		{"https://api.openai.com", "https://api.openai.com"},
		{"https://api.openai.com/", "https://api.openai.com"},
		{"HTTPS://API.openai.com/V1", "https://API.openai.com/V1"},
		{"https://proxy.example:8443/openai/v1", "https://proxy.example:8443/openai/v1"},
		{"https://[2001:db8::1]/v1", "https://[2001:db8::1]/v1"},
		{"http://localhost:8080/v1", "http://localhost:8080/v1"},
		{"http://127.8.8.8/v1", "http://127.8.8.8/v1"},
		{"http://[::1]:8080", "http://[::1]:8080"},
	} {
		u, err := parseBaseURL(row.raw, false)
		if assert.NoError(t, err, row.raw) {
			assert.Equal(t, row.want, u.String())
		}
	}
	for raw, problem := range map[string]string{
		"http://proxy.example/v1": "unencrypted", "http://10.0.0.1/v1": "unencrypted", "http://0.0.0.0/v1": "unencrypted", "http://LOCALHOST/v1": "unencrypted", "http://localhost./v1": "unencrypted",
		"http://localhost.hunter2.example/v1": "unencrypted", "http://127.0.0.1.hunter2.example/v1": "unencrypted", "http://hunter2@localhost.example": "credentials",

		"": "form https", "api.openai.com/v1": "form https", "/v1": "form https", "https:///v1": "form https", "https://:443/v1": "form https", "https:api.openai.com": "form https",
		"ftp://api.openai.com/v1": "form https", "file:///etc/passwd": "form https", "http://": "form https",
		"https://hunter2@api.openai.com/v1": "credentials", "https://user:hunter2@api.openai.com/v1": "credentials", "https://@api.openai.com/v1": "credentials",
		"https://api.openai.com/v1?key=hunter2": "query", "https://api.openai.com/v1?": "query", "https://api.openai.com/v1#hunter2": "fragment", "https://api.openai.com/v1#": "fragment",
		"https://api.openai.com/v1/../v2": "dot segments", "https://api.openai.com/./v1": "dot segments", "https://api.openai.com/..": "dot segments", "https://api.openai.com/a//v1": "empty segments",
		"https://api.openai.com//": "", "https://api.openai.com/v1/%2e%2e": "escape", "https://api.openai.com/a%2Fb": "escape", "https://api.openai.com/v'1/": "escape",
		"https://api.openai.com/a b": "escape", "https://api.openai.com/é": "escape", "https://bücher.example/v1": "escape", "http://[::1%25lo]/v1": "escape",
		"https://api.openai.com/%zz": "not a valid URL", "https://api openai.com/v1": "not a valid URL", "https://api.openai.com\n/v1": "not a valid URL", "://hunter2": "not a valid URL", "https://h:port": "not a valid URL",
	} {
		_, err := parseBaseURL(raw, false)
		if problem == "" {
			assert.NoError(t, err, raw)
			continue
		}
		if assert.Error(t, err, raw) {
			assert.Contains(t, err.Error(), "base URL ", raw)
			assert.Contains(t, err.Error(), problem, raw)
			assert.NotContains(t, err.Error(), "hunter2")
		}
	}
	_, err := parseBaseURL("http://proxy.example/v1", true)
	assert.NoError(t, err, "plain HTTP is allowed by an option")
	_, err = parseBaseURL("ftp://proxy.example/v1", true)
	assert.Error(t, err)
}

var loopbackHosts = map[string]bool{
	"localhost": true, "127.0.0.1": true, "127.0.0.2": true, "127.255.255.255": true, "::1": true, "0:0:0:0:0:0:0:1": true,
	"::ffff:127.0.0.1": true, "::ffff:7f00:1": true, "::1%lo": true,

	"LOCALHOST": false, "Localhost": false, "localhost.": false, "localhost.localdomain": false, "x.localhost": false, "127.0.0.1.": false, "127.1": false, "127.0.0.01": false,
	"0177.0.0.1": false, "0x7f.0.0.1": false, "2130706433": false, "0.0.0.0": false, "::": false, "128.0.0.1": false, "126.255.255.255": false, "::2": false,
	"::127.0.0.1": false, "10.0.0.1": false, "fe80::1%lo": false, "example.com": false, "": false,
}

func TestIsLoopback(t *testing.T) {
	for host, want := range loopbackHosts {
		assert.Equal(t, want, isLoopback(host), host)
	}
}

// TestIsLoopback_agreesWithNetHTTP compares isLoopback with the hosts that net/http sends through no
// proxy. net/http reads the environment only once in a process, so that it runs in a child process.
func TestIsLoopback_agreesWithNetHTTP(t *testing.T) {
	const child = "ORGKEYS_TEST_LOOPBACK"
	if os.Getenv(child) != "" {
		for host := range loopbackHosts {
			address := host
			if strings.Contains(host, ":") {
				address = "[" + host + "]"
			}
			proxy, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "http", Host: address}})
			fmt.Printf("%q %v\n", host, err == nil && proxy == nil)
		}
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), child+"=1", "HTTP_PROXY=http://proxy.example", "http_proxy=http://proxy.example", "NO_PROXY=", "no_proxy=", "REQUEST_METHOD=")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for host := range loopbackHosts {
		if host == "" {
			continue // a URL without a host is refused
		}
		assert.Contains(t, string(out), fmt.Sprintf("%q %v\n", host, isLoopback(host)))
	}
}

func TestCheckProxy(t *testing.T) {
	proxyTo := func(proxy string) *http.Transport {
		return &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
			if proxy == "" {
				return nil, nil
			}
			return &url.URL{Scheme: "http", Host: proxy}, nil
		}}
	}
	failing := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, assert.AnError }}
	byHost := &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
		r.Header.Set("X-Proxy", r.Host) // a proxy function may use any field of the request
		if r.URL.Host == "localhost:1" && r.Method == http.MethodGet {
			return r.URL, nil
		}
		return nil, nil
	}}
	for _, row := range []struct {
		name, base string
		transport  http.RoundTripper
		plainHTTP  bool
		valid      bool
	}{
		{"no proxy function", "http://localhost:1", &http.Transport{}, false, true},
		{"no proxy", "http://localhost:1", proxyTo(""), false, true},
		{"a proxy", "http://localhost:1", proxyTo("proxy.example"), false, false},
		{"a proxy by host", "http://localhost:1", byHost, false, false},
		{"no proxy by host", "http://localhost:2", byHost, false, true},
		{"a function that fails", "http://localhost:1", failing, false, false},
		{"https, through a tunnel", "https://api.example", proxyTo("proxy.example"), false, true},
		{"by an option", "http://localhost:1", proxyTo("proxy.example"), true, true},
		{"another transport", "http://localhost:1", transportFunc(nil), false, true},
	} {
		base, err := url.Parse(row.base)
		require.NoError(t, err)
		assert.Equal(t, row.valid, checkProxy(base, row.transport, row.plainHTTP) == nil, row.name)
	}
}
