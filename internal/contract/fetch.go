package contract

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// maxDocument is the limit of the size of a document, in bytes.
const maxDocument = 64 << 20

// Fetch reads a document from a file, or from a URL that begins with http:// or https://.
func Fetch(ctx context.Context, from string) ([]byte, error) { return fetch(ctx, from, maxDocument) }

func fetch(ctx context.Context, from string, limit int64) ([]byte, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		return os.ReadFile(from)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Timeout: 2 * time.Minute}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %s", from, response.Status)
	}
	src, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(src)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", from, limit)
	}
	return src, err
}
