package orgkeystest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// listener drops connections for the faults that ask for it.
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
		l.server.mu.Lock()
		f := l.server.due(func(f Fault) bool { return f.DropOnAccept })
		l.server.mu.Unlock()
		if f == nil {
			return c, nil
		}
		hangUp(c, f.Reset)
	}
}

// hangUp closes the connection, by a TCP reset where asked to and where there is TCP.
func hangUp(c net.Conn, reset bool) {
	if reset {
		under := c
		if t, ok := c.(*tls.Conn); ok {
			under = t.NetConn()
		}
		if tcp, ok := under.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
			_ = tcp.Close() // before TLS says goodbye
		}
	}
	_ = c.Close()
}

// drop ends the handler and closes the request's connection, with no more said on it.
func (s *Server) drop(r *http.Request, reset bool) {
	if c := r.Context().Value(connKey{}).(net.Conn); reset || r.ProtoMajor > 1 {
		hangUp(c, reset)
	}
	panic(http.ErrAbortHandler)
}

// send puts the answer on the wire, with what the fault does to it there.
func (s *Server) send(w http.ResponseWriter, r *http.Request, entry *Request, f *Fault, a answer) {
	if f.Drop {
		s.drop(r, f.Reset)
	}
	if f.Raw == "" {
		s.mu.Lock()
		entry.Status = a.status
		s.mu.Unlock()
	}
	switch {
	case f.Raw != "":
		s.sendRaw(w, []byte(f.Raw), f.Reset)
	case f.DropMidHeaders:
		whole := a.wire()
		head, _, _ := bytes.Cut(whole, []byte("\r\n\r\n"))
		s.sendRaw(w, head[:len(head)*2/3], f.Reset)
	case f.DropAfter:
		s.sendRaw(w, a.wire(), f.Reset)
	default:
		s.sendBody(w, r, f, a)
	}
}

// wire is the answer as bytes.
func (a answer) wire() []byte {
	var b bytes.Buffer
	resp := http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body)),
	}
	_ = resp.Write(&b)
	return b.Bytes()
}

// sendRaw writes past HTTP and hangs up.
func (s *Server) sendRaw(w http.ResponseWriter, b []byte, reset bool) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = c.SetDeadline(time.Time{})
	_, _ = c.Write(b)
	hangUp(c, reset)
}

// sendBody answers by HTTP, the body being padded, compressed, slowed down or cut on the way.
func (s *Server) sendBody(w http.ResponseWriter, r *http.Request, f *Fault, a answer) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if f.Gzip {
		w.Header().Set("Content-Encoding", "gzip")
	}
	cut := f.TruncateAt
	if f.StallAt != nil {
		cut = f.StallAt
	}
	if !f.Gzip && f.PadTo == 0 && bodyAllowed(a.status) {
		length := len(a.body)
		if cut != nil {
			length = max(length, *cut+1)
		}
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	w.WriteHeader(a.status)
	out := &wire{ResponseWriter: w, pause: func() bool { return s.wait(r, f.Trickle) }, trickle: f.Trickle > 0, left: -1}
	if cut != nil {
		out.left = *cut
	}
	err := a.writeBody(out, f)
	if cut == nil && err == nil {
		return
	}
	_ = http.NewResponseController(w).Flush()
	if f.StallAt != nil {
		select {
		case <-r.Context().Done():
		case <-s.closing.Done():
		}
	}
	s.drop(r, f.Reset)
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

func (a answer) writeBody(w io.Writer, f *Fault) error {
	out := w
	if f.Gzip {
		z := gzip.NewWriter(w)
		defer func() { _ = z.Close() }()
		out = z
	}
	if _, err := out.Write(a.body); err != nil {
		return err
	}
	blanks := bytes.Repeat([]byte(" "), 32<<10)
	for left := f.PadTo - int64(len(a.body)); left > 0; {
		n, err := out.Write(blanks[:min(left, int64(len(blanks)))])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

// wire writes a body, up to a cut if left is not negative, and byte by byte if it trickles.
type wire struct {
	http.ResponseWriter
	left    int
	trickle bool
	pause   func() bool
}

func (w *wire) Write(b []byte) (int, error) {
	short := false
	if w.left >= 0 && len(b) > w.left {
		b, short = b[:w.left], true
	}
	n, err := w.put(b)
	if w.left >= 0 {
		w.left -= n
	}
	if err == nil && short {
		err = io.ErrShortWrite
	}
	return n, err
}

func (w *wire) put(b []byte) (int, error) {
	if !w.trickle {
		return w.ResponseWriter.Write(b)
	}
	for i := range b {
		if !w.pause() {
			return i, io.ErrClosedPipe
		}
		if _, err := w.ResponseWriter.Write(b[i : i+1]); err != nil {
			return i, err
		}
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
	return len(b), nil
}
