package listen

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/listen/strict"
	"gatehouse/policy"
)

// A conn stands between a connection and net/http and lets through only bytes
// that belong to well-formed messages. Heads are handed on whole. In place of a
// malformed head it hands on a request of its own, marked so that the handler
// answers with the fault, in its turn behind earlier answers; nothing of the
// connection is read after that.
//
// While nothing is read a conn holds no buffer.
type conn struct {
	net.Conn
	server *Server
	peer   head.Peer
	fault  atomic.Pointer[policy.Denial] // of a head
	inside atomic.Pointer[policy.Denial] // of a body
	early  atomic.Bool                   // an answer overtook its request's body

	// Only who reads touches these; net/http reads from one goroutine at a time.
	state   uint8
	began   bool          // the first message has begun
	skipped bool          // an empty line before the head has been
	fresh   bool          // buf holds what advance has not seen
	ready   int           // bytes at the start of buf that may be handed on
	buf     []byte        // read, not yet handed on
	box     *[]byte       // where buf goes back to
	line    int           // where in the unfinished head its last line begins
	left    int64         // of the body
	last    bool          // nothing follows the body as HTTP
	chunks  strict.Chunks //
	err     error         // what every further Read returns
	slow    time.Duration // spent waiting for the body since much came
	much    int           // bytes of the body since then

	wrote   time.Time  // when the write deadline was set last; net/http writes from one goroutine at a time
	dmu     sync.Mutex // guards given, and deadlines being set
	given   time.Time  // the read deadline that net/http asked for
	counted sync.Once
}

const (
	atHead = iota
	inBody
	inChunks
	raw    // bytes pass as they are
	spoilt // a fault has been handed on
)

var errEnded = errors.New("the connection was ended after a malformed message")

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	for {
		switch {
		case c.ready > 0:
			n := copy(p, c.buf[:c.ready])
			c.drop(n)
			return n, nil
		case c.err == errEnded:
			return 0, c.discard()
		case c.err != nil:
			return 0, c.err
		case len(c.buf) == 0 && c.state == raw:
			return c.Conn.Read(p)
		case len(c.buf) == 0 && len(p) >= 1024:
			if n, err := c.direct(p); n > 0 || err != nil {
				return n, err
			}
			continue
		}
		if !c.fresh {
			if err := c.fill(); err != nil {
				return 0, err
			}
		}
		c.fresh = false
		if c.blank(c.buf) && len(c.buf) > 1 {
			c.skipped = true
			c.drop(2)
			c.ready, c.fresh = 0, len(c.buf) > 0
			continue
		}
		k := c.advance(c.buf)
		if c.state == spoilt {
			c.buf = append(c.buf[:k], c.marked()...)
			k = len(c.buf)
		}
		c.ready, c.fresh = k, len(c.buf)-k > 1 && c.blank(c.buf[k:])
	}
}

// discard reads what comes after a malformed head and forgets it, until the
// connection ends or it is too much. An error at once would make net/http think
// that the caller has left, and drop the answers that are due before the fault's.
func (c *conn) discard() error {
	var trash [512]byte
	for n := 0; n < lingerBytes; {
		m, err := c.Conn.Read(trash[:])
		if err != nil {
			return err
		}
		n += m
	}
	return errEnded
}

// direct reads into p itself and keeps back only what cannot be handed on yet.
func (c *conn) direct(p []byte) (int, error) {
	n, err := c.wait(p)
	if n == 0 {
		return 0, err
	}
	k := c.advance(p[:n])
	if c.state == spoilt {
		if m := c.marked(); len(m) > 0 {
			c.hold(m)
			c.ready = len(c.buf)
		}
	} else if k < n {
		c.hold(p[k:n])
		c.fresh = len(c.buf) > 1 && c.blank(c.buf)
	}
	return k, nil
}

// blank tells whether b begins with an empty line that may be skipped before a
// request line (RFC 9112 §2.2), or with the start of one.
func (c *conn) blank(b []byte) bool {
	return c.state == atHead && !c.skipped && len(b) > 0 && b[0] == '\r' && (len(b) == 1 || b[1] == '\n')
}

// wait reads from the connection within the bounds of time for heads and bodies.
func (c *conn) wait(p []byte) (int, error) {
	switch c.state {
	case atHead:
		if len(c.buf) > 0 {
			c.limit(c.server.o.HeadTimeout)
			defer c.unlimit()
		}
		return c.Conn.Read(p)
	case raw, spoilt:
		return c.Conn.Read(p)
	}
	// A body must come at a pace: so many bytes in so much waiting. Time in
	// which nobody reads does not count against the caller.
	c.limit(c.server.o.BodyTimeout - c.slow)
	start := time.Now()
	n, err := c.Conn.Read(p)
	c.unlimit()
	c.slow += time.Since(start)
	if c.much += n; c.much >= c.server.o.BodyPace {
		c.slow, c.much = 0, 0
	} else if c.slow >= c.server.o.BodyTimeout {
		c.inside.Store(tooSlow())
		err = errSlow
	}
	return n, err
}

// advance goes over b, which begins where the last call left off, and returns how
// much of it may be handed on.
func (c *conn) advance(b []byte) (k int) {
	for k < len(b) {
		switch c.state {
		case raw:
			return len(b)
		case spoilt:
			return k
		case inBody:
			n := min(c.left, int64(len(b)-k))
			k += int(n)
			if c.left -= n; c.left == 0 {
				c.next()
			}
		case inChunks:
			n, done, err := c.chunks.Scan(b[k:])
			k += n
			if err != nil {
				c.err, c.state = err, spoilt
				c.inside.Store(policy.Deny(http.StatusBadRequest, "body-malformed", err.Error()))
				return k
			}
			if done {
				c.next()
			}
		default:
			if c.blank(b[k:]) {
				return k
			}
			n := c.head(b[k:])
			if n == 0 {
				return k
			}
			k += n
		}
	}
	return k
}

// head reads the head that b begins with and returns its length: 0 when it is not
// whole yet, or at fault.
func (c *conn) head(b []byte) int {
	end, line, d := strict.HeadEnd(b, c.line)
	c.line = line
	switch {
	case d != nil:
	case end > c.server.o.MaxHead, end < 0 && len(b) > c.server.o.MaxHead:
		d = tooLong(b, c.server.o.MaxHead)
	case end < 0:
		return 0
	}
	var m strict.Message
	if d == nil {
		m, d = strict.Head(b[:end], c.server.o.MaxFields)
	}
	if d == nil && m.Preface && (c.began || c.skipped || !c.server.o.HTTP2) {
		d = policy.Deny(http.StatusHTTPVersionNotSupported, "version-unsupported", "HTTP/2 is not spoken here")
	}
	if d != nil {
		c.fault.Store(d)
		c.state, c.err = spoilt, errEnded
		return 0
	}
	c.began, c.skipped, c.line = true, false, 0
	c.slow, c.much = 0, 0
	c.last = m.Last
	switch {
	case m.Preface:
		c.state = raw
	case m.Chunked:
		c.state, c.chunks = inChunks, strict.Chunks{}
	case m.Length > 0:
		c.state, c.left = inBody, m.Length
	default:
		c.next()
	}
	return end
}

// next is what follows when a message is at its end.
func (c *conn) next() {
	c.state = atHead
	if c.last {
		c.state = raw
	}
}

// tooLong says which part of the head passes the bound.
func tooLong(b []byte, max int) *policy.Denial {
	if i := bytes.IndexByte(b, '\n'); i < 0 || i > max {
		return policy.Deny(http.StatusRequestURITooLong, "target-too-long", "the request line is longer than is allowed")
	}
	return policy.Deny(http.StatusRequestHeaderFieldsTooLarge, "head-too-large", "the request's head is larger than is allowed")
}

// mark is the name of the field in the request that stands for a fault. No caller
// can know it.
var mark = http.CanonicalHeaderKey("Gatehouse-Fault-" + rand.Text())

var markedRequest = []byte("GET / HTTP/1.1\r\nHost: fault\r\nConnection: close\r\n" + mark + ": 1\r\n\r\n")

// marked is the request to hand on in place of a malformed head, nothing after a
// malformed body.
func (c *conn) marked() []byte {
	if c.err != errEnded {
		return nil
	}
	return markedRequest
}

// How long, and over how many bytes, a connection lingers that is closed on a
// caller who may still be sending: closed at once, the caller's system would drop
// the answer (RFC 9112 §9.6).
const (
	lingerTime  = 200 * time.Millisecond
	lingerBytes = 256 << 10
)

// Close implements net.Conn.
func (c *conn) Close() error {
	c.leave()
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.lingers() && half.CloseWrite() == nil {
		c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}

// lingers tells whether the caller may still be sending what nobody will read.
func (c *conn) lingers() bool {
	return c.fault.Load() != nil || c.inside.Load() != nil || c.early.Load()
}

// leave counts the connection out, once.
func (c *conn) leave() {
	c.counted.Do(func() { c.server.connections.Add(-1) })
}
