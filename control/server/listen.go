package server

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// helloTime is how long a new connection has to say its first byte.
	helloTime = 10 * time.Second
	// maxUnheard bounds the connections that have not said it yet.
	maxUnheard = 1024
	// maxConnections bounds all of them, unless another number is given.
	maxConnections = 20_000
	// writeTime is how long a caller may take nothing of an answer, unless
	// another time is given.
	writeTime = time.Minute
	// recordHandshake is the first byte of a TLS connection (RFC 8446 §5.1).
	recordHandshake = 22
)

// An Either is a listener that takes TLS and, where Plain allows it, plain
// HTTP on one port, told apart by the first byte. Gateways always come by TLS;
// people on the same machine need none.
//
// It goes on where the system has no descriptors left for a while, and ends
// connections of callers who say nothing, or take nothing of what is said.
type Either struct {
	net.Listener
	TLS   *tls.Config
	Plain bool
	// MaxConnections at once; more are closed. Zero: 20,000.
	MaxConnections int64
	// WriteTime is how long a caller may take nothing of an answer. Zero: a minute.
	WriteTime time.Duration
	Log       *slog.Logger // nil: nobody is told

	once sync.Once
	conn chan net.Conn
	done chan struct{}
	err  error
	slot chan struct{}
	open atomic.Int64
}

// Accept returns the next connection whose first byte is there: a *tls.Conn,
// or a plain one.
func (l *Either) Accept() (net.Conn, error) {
	l.once.Do(func() {
		l.MaxConnections, l.WriteTime = cmp.Or(l.MaxConnections, maxConnections), cmp.Or(l.WriteTime, writeTime)
		l.conn, l.done, l.slot = make(chan net.Conn), make(chan struct{}), make(chan struct{}, maxUnheard)
		go l.run()
	})
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, l.err
	}
}

func (l *Either) run() {
	defer close(l.done)
	for pause := time.Duration(0); ; {
		c, err := l.Listener.Accept()
		if err != nil && !passes(err) {
			l.err = err
			return
		}
		if err != nil {
			// Out of descriptors, most likely: those who are in go first.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			if l.Log != nil {
				l.Log.Warn("taking connections for the management API", "error", err, "again", pause)
			}
			time.Sleep(pause)
			continue
		}
		pause = 0
		if l.open.Add(1) > l.MaxConnections {
			l.open.Add(-1)
			c.Close()
			continue
		}
		p := &peeked{Conn: c, r: bufio.NewReaderSize(c, 512), of: l}
		select {
		case l.slot <- struct{}{}:
			go l.sort(p)
		default:
			p.Close() // too many that say nothing
		}
	}
}

// passes tells whether an error of accepting is one that goes away by itself. net
// says so of what the system was short of, and of callers who left too soon.
func passes(err error) bool {
	temporary, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && temporary.Temporary() && !errors.Is(err, net.ErrClosed)
}

// sort hears the first byte and hands the connection over.
func (l *Either) sort(p *peeked) {
	defer func() { <-l.slot }()
	_ = p.SetReadDeadline(time.Now().Add(helloTime))
	first, err := p.r.Peek(1)
	_ = p.SetReadDeadline(time.Time{})
	var out net.Conn = p
	switch {
	case err != nil:
		p.Close()
		return
	case first[0] == recordHandshake && l.TLS != nil:
		out = tls.Server(p, l.TLS)
	case !l.Plain:
		_, _ = io.WriteString(p, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nthis port speaks HTTPS\n")
		p.Close()
		return
	}
	select {
	case l.conn <- out:
	case <-l.done:
		p.Close()
	}
}

// peeked gives the bytes heard back before those to come, and gives up on a
// caller who takes nothing.
type peeked struct {
	net.Conn
	r    *bufio.Reader
	of   *Either
	left atomic.Bool
}

func (p *peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

// piece is how much is written in one time, so that a large answer may take long
// where some of it is taken all the time.
const piece = 64 << 10

func (p *peeked) Write(b []byte) (n int, err error) {
	for first := true; first || len(b) > n && err == nil; first = false {
		var m int
		_ = p.SetWriteDeadline(time.Now().Add(p.of.WriteTime))
		m, err = p.Conn.Write(b[n:min(n+piece, len(b))])
		n += m
	}
	return n, err
}

func (p *peeked) Close() error {
	if !p.left.Swap(true) {
		p.of.open.Add(-1)
	}
	return p.Conn.Close()
}
