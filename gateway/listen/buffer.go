package listen

import (
	"io"
	"sync"
)

var headBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// fill reads more behind what the buffer holds.
func (c *conn) fill() error {
	if c.buf == nil {
		c.box = headBuffers.Get().(*[]byte)
		c.buf = (*c.box)[:0]
	}
	if len(c.buf) == cap(c.buf) {
		c.buf = append(make([]byte, 0, 2*cap(c.buf)), c.buf...)
	}
	n, err := c.wait(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil
	}
	if err != nil && len(c.buf) == 0 {
		c.release()
	}
	if err == io.EOF && len(c.buf) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *conn) hold(b []byte) {
	if c.buf == nil {
		c.box = headBuffers.Get().(*[]byte)
		c.buf = (*c.box)[:0]
	}
	c.buf = append(c.buf, b...)
}

// drop takes n bytes that have been handed on out of the buffer.
func (c *conn) drop(n int) {
	c.ready -= n
	rest := copy(c.buf, c.buf[n:])
	if c.buf = c.buf[:rest]; rest == 0 {
		c.release()
	}
}

func (c *conn) release() {
	if c.box != nil && cap(c.buf) <= 64<<10 {
		*c.box = c.buf
		headBuffers.Put(c.box)
	}
	c.buf, c.box = nil, nil
}
