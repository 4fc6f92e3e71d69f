package orgkeystest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// memoryAddr is loopback, so that clients send keys to it without TLS, and port 0, so that a
// client with another dialer reaches nobody.
var memoryAddr = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0"))

// memoryListener hands out the far ends of pipes.
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

// dial refuses other addresses than its own, as a client that strays to another host has to
// find out.
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
