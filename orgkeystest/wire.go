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

// listener ends connections for the faults that want it.
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

// closeConn closes a connection, by a reset where that is wanted and there is TCP to do it.
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
		// Without the goodbye of TLS: a reset has none, and a pipe holds no bytes, so that those
		// of both sides would wait for each other.
		_ = under.Close()
	}
	_ = c.Close()
}

// send puts an answer on the wire, with what the fault does to it there.
func (s *Server) send(w http.ResponseWriter, r *http.Request, entry *Request, f *Fault, a answer) {
	switch {
	case f.Drop:
		hangUp(r, f.Reset)
	case f.Raw != "":
		s.sendRaw(w, []byte(f.Raw), f.Reset)
	case f.DropMidHeaders:
		head, _, _ := bytes.Cut(a.wire(), []byte("\r\n\r\n"))
		s.sendRaw(w, head[:len(head)/2], f.Reset)
	case f.DropAfter:
		s.answered(entry, a.status)
		s.sendRaw(w, a.wire(), f.Reset)
	default:
		s.answered(entry, a.status)
		s.sendBody(w, r, f, a)
	}
}

// wire is the answer as HTTP/1.1 writes it.
func (a answer) wire() []byte {
	var b bytes.Buffer
	resp := http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body)),
	}
	_ = resp.Write(&b)
	return b.Bytes()
}

// sendRaw writes past HTTP and ends the connection.
func (s *Server) sendRaw(w http.ResponseWriter, b []byte, reset bool) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer context.AfterFunc(s.closing, func() { _ = c.Close() })()
	_, _ = c.Write(b)
	closeConn(c, reset)
}

// sendBody answers by HTTP, with the body padded, compressed, slowed down or cut off.
func (s *Server) sendBody(w http.ResponseWriter, r *http.Request, f *Fault, a answer) {
	cut := cmp.Or(f.TruncateAt, f.StallAt)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	switch {
	case f.Gzip:
		w.Header().Set("Content-Encoding", "gzip")
	case f.PadTo > 0 || bodiless(a.status):
	case cut != nil:
		w.Header().Set("Content-Length", strconv.Itoa(max(len(a.body), *cut+1)))
	default:
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)

	out := &bodyWriter{ResponseWriter: w, left: cut}
	if f.Trickle > 0 {
		out.beforeByte = func() { s.wait(r, f.Trickle) }
	}
	err := writeBody(out, f, a.body)
	switch {
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
	hangUp(r, f.Reset)
}

// bodiless reports whether HTTP has no body for a status.
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

// bodyWriter writes no more than is left, if that is set, and byte by byte, if something is
// to happen before each.
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
		return 0, nil // which not every status allows to be written
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
