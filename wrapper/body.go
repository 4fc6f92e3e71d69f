package orgkeys

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
)

// body is an answer's body, read to its end or to where it broke off. Its bytes go back to a
// pool when it is closed.
type body struct {
	content *[]byte
	read    int
	err     error // why there is no more than this, if it is not the end
	call    *call // what the answer is of, for its error
}

var errBodyTooLarge = errors.New("is longer than the limit")

// maxPooled is the largest buffer that the pool keeps: a page of a hundred keys has some
// 40 kB.
const maxPooled = 256 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// readBody reads the body of response, limit bytes at the most, and closes it.
func readBody(c *call, response *http.Response, limit int64) *body {
	defer func() { _ = response.Body.Close() }()
	b := &body{content: buffers.Get().(*[]byte), call: c}
	*b.content = (*b.content)[:0]
	if response.ContentLength > limit {
		b.err = errBodyTooLarge
		return b
	}
	*b.content, b.err = readAll(*b.content, response.Body, response.ContentLength, limit)
	return b
}

// readAll is io.ReadAll into a buffer, up to a limit, for a length that is -1 where unknown.
func readAll(buf []byte, r io.Reader, length, limit int64) ([]byte, error) {
	buf = slices.Grow(buf, int(min(max(length, 0), 1<<20))+512)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, errBodyTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) == cap(buf):
			size := 2 * int64(cap(buf))
			if size >= limit {
				size = limit + 1 // there is no larger one to come
			}
			larger := make([]byte, len(buf), size)
			copy(larger, buf)
			clear(buf) // as Close does
			buf = larger
		}
	}
}

var errBodyClosed = errors.New("orgkeys: read of a closed body")

// Read implements io.Reader, for the generated client.
func (b *body) Read(p []byte) (int, error) {
	if b.content == nil {
		return 0, errBodyClosed
	}
	n := copy(p, (*b.content)[b.read:])
	b.read += n
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	if b.err != nil {
		return 0, fmt.Errorf("orgkeys: the answer's body: %w", b.err)
	}
	return 0, io.EOF
}

// Close gives the buffer back, emptied: it may have held a key.
func (b *body) Close() error {
	if b.content == nil {
		return nil
	}
	clear(*b.content)
	if cap(*b.content) <= maxPooled {
		buffers.Put(b.content)
	}
	b.content = nil
	return nil
}
