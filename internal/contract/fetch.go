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

// maxDocument is more than any vendor's document, and less than what hurts.
const maxDocument = 64 << 20

// Fetch reads a document from a file, or from a URL that begins with http:// or https://.
func Fetch(ctx context.Context, from string) ([]byte, error) {
	return fetch(ctx, from, maxDocument)
}

func fetch(ctx context.Context, from string, limit int64) ([]byte, error) {
	in, err := open(ctx, from)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	src, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from, err)
	}
	if int64(len(src)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", from, limit)
	}
	return src, nil
}

func open(ctx context.Context, from string) (io.ReadCloser, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		return os.Open(from)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: 2 * time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s answers %s", from, response.Status)
	}
	return response.Body, nil
}
