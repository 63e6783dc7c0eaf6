package h1

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"
)

// Tunnel turns an answer 101 into the stream it switched to. Any byte, in
// either direction, gives the connection idle more time; zero is no bound.
// Reading, writing and closing may happen at the same time.
func (r *Response) Tunnel(idle time.Duration) io.ReadWriteCloser {
	t := &tunnel{r: r, nc: r.conn.nc, idle: idle}
	t.first = bytes.Clone(r.rd.buf[r.rd.r:r.rd.w])
	r.rd.release()
	return t
}

type tunnel struct {
	r     *Response
	nc    net.Conn
	idle  time.Duration
	first []byte // came with the head; only Read touches it
	once  sync.Once
}

func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.first) > 0 {
		n := copy(p, t.first)
		t.first = t.first[n:]
		return n, nil
	}
	t.nc.SetReadDeadline(deadline(t.idle))
	return t.nc.Read(p)
}

func (t *tunnel) Write(p []byte) (int, error) {
	t.nc.SetDeadline(deadline(t.idle))
	return t.nc.Write(p)
}

// Close ends the connection.
func (t *tunnel) Close() error {
	t.once.Do(func() { t.r.end(false) })
	return nil
}
