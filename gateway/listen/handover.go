package listen

import (
	"context"
	"net"
	"strings"
	"sync"

	"gatehouse/gateway/head"
)

// A handover is the listener that net/http accepts from: connections come to it
// after they have been let in.
type handover struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandover() *handover {
	return &handover{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (h *handover) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		c.Close()
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return &net.TCPAddr{} }

type peerKey struct{}

// withPeer lets requests find the connection they came on.
func withPeer(ctx context.Context, nc net.Conn) context.Context {
	switch c := nc.(type) {
	case *conn:
		return context.WithValue(ctx, peerKey{}, c)
	case interface{ NetConn() net.Conn }:
		if s, ok := c.NetConn().(*sealed); ok {
			return context.WithValue(ctx, peerKey{}, s.of)
		}
	}
	return context.WithValue(ctx, peerKey{}, &conn{peer: head.NewPeer(addrOf(nc), false, nil)})
}

func contains(text, part string) bool { return strings.Contains(text, part) }
