package h1

import (
	"crypto/tls"
	"net"
	"sync"
	"syscall"
	"time"
)

// A Conn is one connection to a peer. One exchange uses it at a time; between
// two of them it holds no buffer.
type Conn struct {
	// Born is when the connection was made. Idle is when its last exchange
	// ended; the pool sets it.
	Born, Idle time.Time

	nc     net.Conn
	raw    syscall.RawConn // of the socket beneath; nil when there is none
	tls    bool
	used   bool // carried an exchange before
	cancel func()

	waits bool // result of the last peek: something is there
	peek  func(fd uintptr)

	into    *reader // where arrive reads to
	arrive  func(fd uintptr) bool
	arrived error // how it went
}

// NewConn takes over nc, whose TLS handshake, if any, is done.
func NewConn(nc net.Conn) *Conn {
	c := &Conn{nc: nc, Born: time.Now()}
	c.cancel = func() { nc.Close() }
	beneath := nc
	if t, ok := nc.(*tls.Conn); ok {
		c.tls, beneath = true, t.NetConn()
	}
	if s, ok := beneath.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw = raw
			c.peek, c.arrive = c.peekSocket, c.readSocket
		}
	}
	return c
}

// Used tells whether the connection has carried an exchange.
func (c *Conn) Used() bool { return c.used }

// Close ends the connection.
func (c *Conn) Close() error { return c.nc.Close() }

// Quiet tells whether an idle connection is open and nothing waits on it.
// Bytes that no request asked for would be read as the answer to the next
// one, so a connection that has any, or its end, is of no further use.
func (c *Conn) Quiet() bool {
	if c.raw != nil {
		c.waits = true
		if err := c.raw.Control(c.peek); err != nil || c.waits {
			return false
		}
	}
	return !c.tls || c.quietTLS()
}

// peekSocket looks at the socket without waiting and without taking a byte.
func (c *Conn) peekSocket(fd uintptr) {
	var one [1]byte
	for {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if err != syscall.EINTR {
			c.waits = err != syscall.EAGAIN
			return
		}
	}
}

// quietTLS asks the TLS layer for a byte it may hold already. The deadline in
// the past keeps it from the socket, and a timeout leaves its state whole.
func (c *Conn) quietTLS() bool {
	var one [1]byte
	c.nc.SetReadDeadline(past)
	n, err := c.nc.Read(one[:])
	c.nc.SetReadDeadline(time.Time{})
	return n == 0 && timedOut(err)
}

var past = time.Unix(1, 0)

// Buffers live only while an exchange is in work.
var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)
