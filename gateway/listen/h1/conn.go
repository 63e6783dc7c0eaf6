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

	work   *work // nil while parked
	served bool
	idle   time.Time // when the deadline for being parked was set; zero when another may be
	wrote  time.Time // when the write deadline was set
	one    [1]byte   // the first byte of a request over TLS

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

// work is what a connection needs while a request is in work.
type work struct {
	in     [MaxHead]byte
	r, w   int // what has been read and not used is in[r:w]
	out    [outRoom]byte
	writer writer
}

var works = sync.Pool{New: func() any { return new(work) }}

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
		if c.work == nil {
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
		if c.work.r == c.work.w && !c.park() {
			return nil
		}
	}
}

// giveUp leaves the connection to another lane.
func (c *conn) giveUp() *Rest {
	w := c.work
	rest := &Rest{Bytes: append([]byte(nil), w.in[w.r:w.w]...), Began: c.served}
	c.release()
	c.nc.SetDeadline(time.Time{})
	return rest
}

// park lets go of the buffers. It returns false when the connection has ended.
func (c *conn) park() bool {
	c.release()
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
	if w := c.work; w != nil {
		c.work = nil
		w.r, w.w = 0, 0
		w.writer = writer{}
		works.Put(w)
	}
}

// await waits for a request's first bytes, and takes buffers when they are there.
func (c *conn) await() error {
	o := &c.lane.o
	switch now := time.Now(); {
	case !c.served:
		c.nc.SetReadDeadline(now.Add(o.HeadTimeout))
	case now.Sub(c.idle) >= slackOf(o.IdleTimeout):
		c.idle = now
		c.nc.SetReadDeadline(now.Add(o.IdleTimeout + slackOf(o.IdleTimeout)))
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
	c.work = works.Get().(*work)
	c.work.in[0], c.work.w = c.one[0], 1
	return nil
}

// readSocket is what await has the poller do: true ends the wait.
func (c *conn) readSocket(fd uintptr) bool {
	w := works.Get().(*work)
	for {
		n, err := syscall.Read(int(fd), w.in[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			works.Put(w)
			return false
		case err != nil:
			works.Put(w)
			c.arrived = err
		case n == 0:
			works.Put(w)
			c.arrived = io.EOF
		default:
			w.r, w.w = 0, n
			c.work, c.arrived = w, nil
		}
		return true
	}
}

// write sends b. A caller that takes nothing for WriteTimeout is cut.
func (c *conn) write(b []byte) error {
	c.writable()
	_, err := c.nc.Write(b)
	return err
}

func (c *conn) writable() {
	limit := c.lane.o.WriteTimeout
	if now := time.Now(); now.Sub(c.wrote) > slack {
		c.wrote = now
		c.nc.SetWriteDeadline(now.Add(limit + slack))
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
