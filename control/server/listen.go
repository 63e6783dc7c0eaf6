package server

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// helloTime is how long a new connection has to say its first byte.
	helloTime = 10 * time.Second
	// maxUnheard bounds the connections that have not said it yet.
	maxUnheard = 1024
	// recordHandshake is the first byte of a TLS connection (RFC 8446 §5.1).
	recordHandshake = 22
)

// An Either is a listener that takes TLS and, where Plain allows it, plain
// HTTP on one port, told apart by the first byte. Gateways always come by TLS;
// people on the same machine need none.
type Either struct {
	net.Listener
	TLS   *tls.Config
	Plain bool

	once sync.Once
	conn chan net.Conn
	done chan struct{}
	err  error
	slot chan struct{}
}

// Accept returns the next connection whose first byte is there: a *tls.Conn,
// or a plain one.
func (l *Either) Accept() (net.Conn, error) {
	l.once.Do(func() {
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
	for {
		c, err := l.Listener.Accept()
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
			continue
		}
		if err != nil {
			l.err = err
			return
		}
		select {
		case l.slot <- struct{}{}:
			go l.sort(c)
		default:
			c.Close() // too many that say nothing
		}
	}
}

// sort hears the first byte and hands the connection over.
func (l *Either) sort(c net.Conn) {
	defer func() { <-l.slot }()
	p := &peeked{Conn: c, r: bufio.NewReaderSize(c, 512)}
	_ = c.SetReadDeadline(time.Now().Add(helloTime))
	first, err := p.r.Peek(1)
	_ = c.SetReadDeadline(time.Time{})
	var out net.Conn = p
	switch {
	case err != nil:
		c.Close()
		return
	case first[0] == recordHandshake && l.TLS != nil:
		out = tls.Server(p, l.TLS)
	case !l.Plain:
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nthis port speaks HTTPS\n")
		c.Close()
		return
	}
	select {
	case l.conn <- out:
	case <-l.done:
		c.Close()
	}
}

// peeked gives the bytes heard back before those to come.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.r.Read(b) }
