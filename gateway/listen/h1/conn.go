package h1

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/gateway/head"
)

// A conn is one connection and its loop.
type conn struct {
	lane   *Lane
	nc     net.Conn
	socket syscall.RawConn // beneath; nil when there is none
	direct bool            // what is read is the socket's
	peer   *head.Peer
	ctx    context.Context
	cancel context.CancelFunc
	state  atomic.Int32

	in     *input // nil when all that has been read is used
	served bool
	now    time.Time // lately
	idle   time.Time // when the deadline for being parked was set; zero when another may be
	wrote  time.Time // when the write deadline was set
	one    [1]byte   // the first byte of a request over TLS
	out    writer

	arrive  func(fd uintptr) bool
	arrived error // how the arrival went

	watch watch
}

// A connection is parked until bytes come, and then in work; a parked one may be
// closed at any time.
const (
	parked = iota
	inWork
	ended
)

// input is what has been read and not used, buf[r:w]. Buffers are taken when bytes
// come and given back when they are used: a thousand requests that wait for their
// backends hold none, and the few in use stay in the processor's cache.
type input struct {
	buf  [MaxHead]byte
	r, w int
}

var (
	inputs  = sync.Pool{New: func() any { return new(input) }}
	outputs = sync.Pool{New: func() any { return new([outRoom]byte) }}
)

func newConn(l *Lane, nc net.Conn, peer *head.Peer) *conn {
	c := &conn{lane: l, nc: nc, peer: peer}
	beneath := nc
	t, over := nc.(*tls.Conn)
	if over {
		beneath = t.NetConn()
	}
	for {
		wrapped, ok := beneath.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		beneath = wrapped.NetConn()
	}
	if s, ok := beneath.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.socket, c.direct = raw, beneath == nc
			c.arrive = c.readSocket
		}
	}
	c.watch.begin(c, over)
	return c
}

// run is the connection's loop.
func (c *conn) run() (rest *Rest) {
	defer c.watch.stop()
	defer func() {
		if r := recover(); r != nil {
			c.lane.o.Log("serving a connection: panic: %v\n%s", r, debug.Stack())
			c.nc.Close()
			rest = nil
		}
	}()
	for {
		if c.in == nil {
			if c.await() != nil {
				c.close(false)
				return nil
			}
			if !c.state.CompareAndSwap(parked, inWork) {
				return nil // closed in the meantime
			}
		}
		switch c.request() {
		case unusual:
			return c.giveUp()
		case over:
			return nil
		}
		c.served = true
		if c.spent(); c.in == nil && !c.park() {
			return nil
		}
	}
}

// giveUp leaves the connection to another lane.
func (c *conn) giveUp() *Rest {
	rest := &Rest{Bytes: append([]byte(nil), c.in.buf[c.in.r:c.in.w]...), Began: c.served}
	c.release()
	c.nc.SetDeadline(time.Time{})
	return rest
}

// park returns false when the connection has ended.
func (c *conn) park() bool {
	c.state.Store(parked)
	if c.lane.shut.Load() {
		c.closeIdle()
		return false
	}
	return true
}

// closeIdle closes the connection if nothing is in work on it.
func (c *conn) closeIdle() {
	if c.state.CompareAndSwap(parked, ended) {
		c.nc.Close()
	}
}

func (c *conn) release() {
	if in := c.in; in != nil {
		c.in = nil
		in.r, in.w = 0, 0
		inputs.Put(in)
	}
}

// spent gives the buffer back if nothing is left in it.
func (c *conn) spent() {
	if c.in != nil && c.in.r == c.in.w {
		c.release()
	}
}

// await waits for a request's first bytes, and takes buffers when they are there.
func (c *conn) await() error {
	o := &c.lane.o
	switch {
	case !c.served:
		c.nc.SetReadDeadline(time.Now().Add(o.HeadTimeout))
	case c.now.Sub(c.idle) >= slackOf(o.IdleTimeout):
		c.idle = time.Now()
		c.nc.SetReadDeadline(c.idle.Add(o.IdleTimeout + slackOf(o.IdleTimeout)))
	}
	if c.direct {
		err := c.socket.Read(c.arrive)
		if err == nil {
			err = c.arrived
		}
		return err
	}
	n, err := c.nc.Read(c.one[:])
	if n == 0 {
		return err
	}
	c.in = inputs.Get().(*input)
	c.in.buf[0], c.in.w = c.one[0], 1
	return nil
}

// readSocket is what await has the poller do: true ends the wait.
func (c *conn) readSocket(fd uintptr) bool {
	in := inputs.Get().(*input)
	for {
		n, err := syscall.Read(int(fd), in.buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			inputs.Put(in)
			return false
		case err != nil:
			inputs.Put(in)
			c.arrived = err
		case n == 0:
			inputs.Put(in)
			c.arrived = io.EOF
		default:
			in.r, in.w = 0, n
			c.in, c.arrived = in, nil
		}
		return true
	}
}

// writable moves the write deadline on. A caller that takes nothing for
// WriteTimeout is cut.
func (c *conn) writable() {
	if c.now.Sub(c.wrote) > slack {
		c.wrote = time.Now()
		c.nc.SetWriteDeadline(c.wrote.Add(c.lane.o.WriteTimeout + slack))
	}
}

// How long, and over how many bytes, a connection lingers that is closed on a
// caller who may still be sending: closed at once, the caller's system would drop
// the answer (RFC 9112 §9.6).
const (
	lingerTime  = 200 * time.Millisecond
	lingerBytes = 256 << 10
)

// close ends the connection.
func (c *conn) close(linger bool) {
	c.release()
	if half, ok := c.nc.(interface{ CloseWrite() error }); linger && ok && half.CloseWrite() == nil {
		c.nc.SetReadDeadline(time.Now().Add(lingerTime))
		io.CopyN(io.Discard, c.nc, lingerBytes)
	}
	c.nc.Close()
}
