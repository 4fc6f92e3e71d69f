package orgkeystest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
)

// listener closes accepted connections for faults with DropOnAccept.
type listener struct {
	net.Listener
	server *Server
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		f := l.server.faultOnAccept()
		if f == nil {
			return c, nil
		}
		closeConn(c, f.Reset)
	}
}

// closeConn closes a connection. If reset is set and the connection is TCP, it sends a TCP reset.
func closeConn(c net.Conn, reset bool) {
	under := c
	if t, ok := c.(*tls.Conn); ok {
		under = t.NetConn()
	}
	tcp, ok := under.(*net.TCPConn)
	if ok && reset {
		_ = tcp.SetLinger(0)
	}
	if !ok || reset {
		// Closing the lower connection first omits TLS's close_notify: a reset has none, and over
		// a pipe, which has no buffer, both sides would wait for the other to read theirs.
		_ = under.Close()
	}
	_ = c.Close()
}

// send sends a response, changed as the fault specifies.
func (s *Server) send(w http.ResponseWriter, r *http.Request, entry *Request, f *Fault, resp response) {
	if r.Method == http.MethodHead {
		resp = withoutBody(resp)
	}
	connectionOf(r).flushLate()
	switch {
	case f.Drop:
		abort(r, f.Reset)
	case f.Raw != "":
		s.sendRaw(w, []byte(f.Raw), f)
	case f.DropMidHeaders:
		head, _, _ := bytes.Cut(resp.wire(), []byte("\r\n\r\n"))
		s.sendRaw(w, head[:len(head)/2], f)
	case f.DropAfter:
		s.setStatus(entry, resp.status)
		s.sendRaw(w, resp.wire(), f)
	default:
		s.setStatus(entry, resp.status)
		s.sendHTTP(w, r, f, resp)
	}
}

// withoutBody returns the response to a HEAD request, given that to a GET.
func withoutBody(resp response) response {
	resp.header.Set("Content-Length", strconv.Itoa(len(resp.body)))
	resp.body = nil
	return resp
}

// wire returns the response as the bytes of HTTP/1.1.
func (resp response) wire() []byte {
	var b bytes.Buffer
	r := http.Response{
		StatusCode: resp.status, ProtoMajor: 1, ProtoMinor: 1, Header: resp.header,
		ContentLength: int64(len(resp.body)), Body: io.NopCloser(bytes.NewReader(resp.body)),
	}
	_ = r.Write(&b)
	return b.Bytes()
}

// sendRaw writes b to the connection and closes it. With KeepOpen, it waits until the client
// closes the connection first.
func (s *Server) sendRaw(w http.ResponseWriter, b []byte, f *Fault) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer context.AfterFunc(s.closing, func() { _ = c.Close() })()
	_, err = c.Write(b)
	if f.KeepOpen && err == nil {
		_, _ = io.Copy(io.Discard, c)
	}
	closeConn(c, f.Reset)
}

// sendHTTP sends the response by net/http, with its body changed as the fault specifies.
func (s *Server) sendHTTP(w http.ResponseWriter, r *http.Request, f *Fault, resp response) {
	var appended []byte
	switch {
	case f.ContentLength != nil:
		n := min(*f.ContentLength, len(resp.body))
		resp.body, appended = resp.body[:n], resp.body[n:]
	case f.Unsolicited != "":
		appended = []byte(f.Unsolicited)
	case f.Duplicate:
		appended = resp.wire()
	}

	cut := cmp.Or(f.TruncateAt, f.StallAt)
	for name, values := range resp.header {
		w.Header()[name] = values
	}
	switch {
	case r.Method == http.MethodHead:
	case f.Gzip:
		w.Header().Set("Content-Encoding", "gzip")
	case f.PadTo > 0 || bodiless(resp.status):
	case cut != nil:
		w.Header().Set("Content-Length", strconv.Itoa(max(len(resp.body), *cut+1)))
	default:
		w.Header().Set("Content-Length", strconv.Itoa(len(resp.body)))
	}
	w.WriteHeader(resp.status)
	if r.Method == http.MethodHead && cut == nil {
		return
	}

	out := &bodyWriter{ResponseWriter: w, left: cut}
	if f.Trickle > 0 {
		out.beforeByte = func() { s.wait(r, f.Trickle) }
	}
	err := writeBody(out, f, resp.body)
	switch {
	case len(appended) > 0 && err == nil:
		out.flush()
		c := connectionOf(r)
		c.late = appended
		if !f.Late {
			c.flushLate()
		}
		return
	case cut == nil && err == nil:
		return
	case f.StallAt != nil:
		out.flush()
		select {
		case <-r.Context().Done():
		case <-s.closing.Done():
		}
	default:
		out.flush()
	}
	abort(r, f.Reset)
}

// bodiless reports whether HTTP forbids a body in a response with the status.
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

func writeBody(w io.Writer, f *Fault, body []byte) error {
	if f.Gzip {
		z := gzip.NewWriter(w)
		if err := writePadded(z, body, f.PadTo); err != nil {
			return err
		}
		return z.Close()
	}
	return writePadded(w, body, f.PadTo)
}

func writePadded(w io.Writer, body []byte, padTo int64) error {
	if _, err := w.Write(body); err != nil {
		return err
	}
	blanks := bytes.Repeat([]byte(" "), 32<<10)
	for left := padTo - int64(len(body)); left > 0; left -= int64(len(blanks)) {
		if _, err := w.Write(blanks[:min(left, int64(len(blanks)))]); err != nil {
			return err
		}
	}
	return nil
}

// bodyWriter writes at most left bytes, if left is set. If beforeByte is set, it writes byte by
// byte and calls beforeByte before each.
type bodyWriter struct {
	http.ResponseWriter
	left       *int
	beforeByte func()
}

func (w *bodyWriter) flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *bodyWriter) Write(b []byte) (int, error) {
	whole := len(b)
	if w.left != nil {
		b = b[:min(len(b), *w.left)]
		w.left = new(*w.left - len(b))
	}
	n, err := w.write(b)
	if err == nil && n < whole {
		err = io.ErrShortWrite
	}
	return n, err
}

func (w *bodyWriter) write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil // net/http refuses even an empty write for a status without a body
	}
	if w.beforeByte == nil {
		return w.ResponseWriter.Write(b)
	}
	for i := range b {
		w.beforeByte()
		if _, err := w.ResponseWriter.Write(b[i : i+1]); err != nil {
			return i, err
		}
		w.flush()
	}
	return len(b), nil
}
