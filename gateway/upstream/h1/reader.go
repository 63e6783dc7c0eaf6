package h1

import (
	"bytes"
	"io"
	"net"
	"os"
	"syscall"
)

// A reader reads from a connection through a pooled buffer.
type reader struct {
	c     *Conn
	nc    net.Conn
	buf   []byte
	r, w  int
	small *[smallBuffer]byte // what goes back to the pool
}

// open takes a buffer.
func (rd *reader) open() {
	rd.small = smallBuffers.Get().(*[smallBuffer]byte)
	rd.buf = rd.small[:]
	rd.r, rd.w = 0, 0
}

func (rd *reader) release() {
	if rd.small != nil {
		smallBuffers.Put(rd.small)
	}
	rd.small, rd.buf, rd.r, rd.w = nil, nil, 0, 0
}

func (rd *reader) buffered() int { return rd.w - rd.r }

// fill reads more behind what is buffered; there must be room.
func (rd *reader) fill() error {
	n, err := rd.nc.Read(rd.buf[rd.w:])
	rd.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// await reads the first bytes of an answer. The buffer is taken when they are
// there, so that a thousand requests that wait for a backend hold none, and
// the few buffers in use stay in the processor's cache.
func (rd *reader) await() error {
	if rd.c.raw == nil || rd.c.tls {
		rd.open()
		return rd.fill()
	}
	rd.c.into = rd
	err := rd.c.raw.Read(rd.c.arrive)
	rd.c.into = nil
	if err == nil {
		err = rd.c.arrived
	}
	return err
}

// readSocket is what await has the poller do: true ends the wait.
func (c *Conn) readSocket(fd uintptr) bool {
	rd := c.into
	rd.open()
	for {
		n, err := syscall.Read(int(fd), rd.buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			rd.release()
			return false
		case err != nil:
			c.arrived = os.NewSyscallError("read", err)
		case n == 0:
			c.arrived = io.EOF
		default:
			rd.w, c.arrived = n, nil
		}
		return true
	}
}

// makeRoom moves what is buffered to the front, or grows the buffer up to max.
func (rd *reader) makeRoom(max int) bool {
	if rd.w < len(rd.buf) {
		return true
	}
	if rd.r > 0 {
		rd.w = copy(rd.buf, rd.buf[rd.r:rd.w])
		rd.r = 0
		return true
	}
	if len(rd.buf) >= max {
		return false
	}
	rd.buf = append(make([]byte, 0, min(2*len(rd.buf), max)), rd.buf[:rd.w]...)
	rd.buf = rd.buf[:cap(rd.buf)]
	return true
}

// head returns the next head, up to and with the empty line that ends it. Bare
// LF is seen as soon as it comes, so that no one waits for a CR that the peer
// never sends.
func (rd *reader) head() (string, *Error) {
	if rd.buf == nil {
		if err := rd.await(); err != nil {
			return "", headError(err, true)
		}
	}
	line, seen := rd.r, rd.r // start of the current line; looked at so far
	for {
		for {
			i := bytes.IndexByte(rd.buf[seen:rd.w], '\n')
			if i < 0 {
				seen = rd.w
				break
			}
			end := seen + i
			if end == line || rd.buf[end-1] != '\r' {
				return "", malformed("answer has a bare line feed")
			}
			if end == line+1 { // the empty line
				if line == rd.r {
					return "", malformed("answer begins with an empty line")
				}
				head := string(rd.buf[rd.r : end+1])
				rd.r = end + 1
				return head, nil
			}
			line, seen = end+1, end+1
		}
		if !promising(rd.buf[rd.r:rd.w]) {
			return "", malformed("answer is not HTTP/1")
		}
		from := rd.r
		if !rd.makeRoom(MaxHeadBytes) {
			return "", &Error{Type: ResponseHeadTooLarge, Detail: "answer's head is too large"}
		}
		line, seen = line-from+rd.r, seen-from+rd.r
		if err := rd.fill(); err != nil {
			return "", headError(err, rd.buffered() == 0)
		}
	}
}

// promising tells whether b may become a status line.
func promising(b []byte) bool {
	const proto = "HTTP/1."
	n := min(len(b), len(proto))
	return string(b[:n]) == proto[:n]
}

// line returns the next CRLF line without its end, at most max bytes long.
func (rd *reader) line(max int) ([]byte, error) {
	seen := rd.r
	for {
		if i := bytes.IndexByte(rd.buf[seen:rd.w], '\n'); i >= 0 {
			end := seen + i
			if end == rd.r || rd.buf[end-1] != '\r' {
				return nil, malformed("body has a bare line feed in its framing")
			}
			l := rd.buf[rd.r : end-1]
			rd.r = end + 1
			if len(l) > max {
				return nil, malformed("body has too long a line in its framing")
			}
			return l, nil
		}
		if rd.buffered() > max+1 {
			return nil, malformed("body has too long a line in its framing")
		}
		seen = rd.w
		from := rd.r
		if !rd.makeRoom(MaxTrailerBytes) {
			return nil, malformed("body has too long a line in its framing")
		}
		seen -= from - rd.r
		if err := rd.fill(); err != nil {
			return nil, err
		}
	}
}
