package orgkeystest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// memoryAddr is a loopback address, so that clients send keys to it without TLS. No program can
// listen on port 0, so that a client with another dialer cannot connect.
var memoryAddr = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0"))

// memoryListener accepts the server side of pipes.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr }

// dial returns the client side of a new pipe. It fails for other addresses, so that a request to
// another host fails as it would without the server.
func (l *memoryListener) dial(_ context.Context, network, addr string) (net.Conn, error) {
	refused := func(err error) error {
		return &net.OpError{Op: "dial", Net: network, Addr: memoryAddr, Err: err}
	}
	if addr != memoryAddr.String() {
		return nil, refused(fmt.Errorf("the in-memory server is not at %s", addr))
	}
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, refused(net.ErrClosed)
	}
}
