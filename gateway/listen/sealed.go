package listen

import (
	"net"
	"runtime"
	"sync"
	"time"
)

// A sealed conn lies under TLS. Its bytes are left alone; it knows the connection
// it belongs to, and counts it out when it is closed.
//
// Under HTTP/2 it gathers what is written. net/http writes an answer's head and its
// content one after the other and flushes both, each a record; gathered, they leave
// in one system call. What is written waits until whoever else could run at once has
// run, and no longer.
type sealed struct {
	net.Conn
	of      *conn
	gathers bool // set before net/http has the connection

	mu    sync.Mutex // guards what follows, and held while sending
	out   []byte
	box   *[gatherRoom]byte // what out lies in
	due   bool              // someone is about to send
	err   error             // what every further Write returns
	wrote time.Time         // when the write deadline was set last
}

// gatherRoom is how much is gathered at most.
const gatherRoom = 16 << 10

var gathered = sync.Pool{New: func() any { return new([gatherRoom]byte) }}

// Write implements net.Conn.
func (s *sealed) Write(p []byte) (int, error) {
	if !s.gathers {
		return s.Conn.Write(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out)+len(p) > gatherRoom {
		s.send()
	}
	if s.err != nil {
		return 0, s.err
	}
	if len(p) > gatherRoom {
		return s.write(p)
	}
	if s.box == nil {
		s.box = gathered.Get().(*[gatherRoom]byte)
		s.out = s.box[:0]
	}
	s.out = append(s.out, p...)
	if !s.due {
		s.due = true
		go s.later()
	}
	return len(p), nil
}

// later sends once others have had their turn.
func (s *sealed) later() {
	runtime.Gosched()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = false
	s.send()
}

// send writes what was gathered.
func (s *sealed) send() {
	if len(s.out) > 0 && s.err == nil {
		_, _ = s.write(s.out) // the next Write tells
	}
	if s.box != nil {
		gathered.Put(s.box)
		s.out, s.box = nil, nil
	}
}

// write cuts a caller that takes nothing for WriteTimeout: there may be no further
// Write to tell net/http.
func (s *sealed) write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(s.wrote) > writeSlack {
		s.wrote = now
		s.Conn.SetWriteDeadline(now.Add(s.of.server.o.WriteTimeout + writeSlack))
	}
	n, err := s.Conn.Write(p)
	if err != nil {
		s.err = err
		s.Conn.Close()
	}
	return n, err
}

// SetWriteDeadline implements net.Conn. net/http asks for one before each write and
// takes it back behind it; where writes are gathered they have their own.
func (s *sealed) SetWriteDeadline(t time.Time) error {
	if s.gathers {
		return nil
	}
	return s.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (s *sealed) SetDeadline(t time.Time) error {
	if s.gathers {
		return s.Conn.SetReadDeadline(t)
	}
	return s.Conn.SetDeadline(t)
}

// Close implements net.Conn. What waits to be sent is; what is being sent to a
// caller who does not take it is cut.
func (s *sealed) Close() error {
	s.of.leave()
	if s.mu.TryLock() {
		s.send()
		s.mu.Unlock()
	}
	return s.Conn.Close()
}

// NetConn is the connection beneath.
func (s *sealed) NetConn() net.Conn { return s.Conn }
