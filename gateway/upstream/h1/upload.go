package h1

import (
	"io"
	"strconv"
	"sync"
	"time"
)

// An Aborter is a streaming body whose pending Read can be cut short, so that
// an upload no one wants any more ends at once. After Abort, Read returns an
// error and nothing touches the body again once the exchange is over.
type Aborter interface{ Abort() }

// upload sends a streaming body while the answer may come already. All its
// methods take a nil upload for none.
type upload struct {
	c       *Conn
	req     *Request
	body    io.Reader
	length  int64
	timing  Timing
	started bool
	done    chan struct{}
	err     *Error // valid once done is closed

	mu       sync.Mutex // guards all below, and deadlines against each other
	answered bool
	stopped  bool
	ended    bool
}

func newUpload(c *Conn, req *Request, t Timing) *upload {
	return &upload{c: c, req: req, body: req.Stream, length: req.Length, timing: t, done: make(chan struct{})}
}

func (u *upload) start() {
	u.started = true
	go func() {
		u.settle(u.run())
		close(u.done) // from here on the connection may serve another exchange
		if u.err != nil && u.err.Type == RequestError {
			u.c.Close() // the peer must not take a torn body for a whole one
		}
	}()
}

// settle notes how the upload ended and gives the answer its time from now on.
func (u *upload) settle(err *Error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err != nil && u.stopped {
		err = &Error{Type: ConnectionTerminated, Detail: "the rest of the body was not wanted"}
	}
	u.err, u.ended = err, true
	u.c.nc.SetWriteDeadline(time.Time{}) // the next exchange must not meet this one's
	switch {
	case u.answered:
	case err != nil:
		// The peer stopped taking; it may have answered before it did.
		u.c.nc.SetReadDeadline(time.Now().Add(time.Second))
	default:
		u.c.nc.SetReadDeadline(deadline(u.timing.Head))
	}
}

const (
	chunkFront = 10 // room for a chunk's size line before the content
	chunkBack  = 2  // and for its end behind
)

func (u *upload) run() *Error {
	large := largeBuffers.Get().(*[largeBuffer]byte)
	defer largeBuffers.Put(large)
	room := large[chunkFront : largeBuffer-chunkBack]
	for left := u.length; left != 0; {
		if left > 0 && left < int64(len(room)) {
			room = room[:left]
		}
		n, err := u.body.Read(room)
		if n > 0 {
			if werr := u.write(large, n); werr != nil {
				return writeError(werr)
			}
			if left > 0 {
				left -= int64(n)
			}
		}
		if err == io.EOF && left <= 0 {
			break
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return &Error{Type: RequestError, Detail: "reading the caller's body", Err: err}
		}
	}
	if u.length < 0 {
		if _, err := u.c.nc.Write(u.req.lastChunk(large[:0])); err != nil {
			return writeError(err)
		}
	}
	return nil
}

// write sends n bytes of content that lie behind chunkFront, in one write.
func (u *upload) write(large *[largeBuffer]byte, n int) error {
	b := large[chunkFront : chunkFront+n]
	if u.length < 0 {
		var line [chunkFront]byte
		size := append(strconv.AppendInt(line[:0], int64(n), 16), '\r', '\n')
		from := chunkFront - len(size)
		copy(large[from:], size)
		b = append(large[from:chunkFront+n], '\r', '\n')
	}
	u.mu.Lock()
	if !u.stopped {
		u.c.nc.SetWriteDeadline(deadline(u.timing.Idle))
	}
	u.mu.Unlock()
	_, err := u.c.nc.Write(b)
	return err
}

// waiting: there is a body and it waits for leave.
func (u *upload) waiting() bool { return u != nil && !u.started }

// complete: the whole body has been sent.
func (u *upload) complete() bool {
	if u == nil {
		return true
	}
	select {
	case <-u.done:
		return u.err == nil
	default:
		return false
	}
}

// result is the upload's error so far.
func (u *upload) result() *Error {
	if u == nil {
		return nil
	}
	select {
	case <-u.done:
		return u.err
	default:
		return nil
	}
}

// headDone takes the read deadline out of the upload's hands.
func (u *upload) headDone() {
	if u != nil {
		u.mu.Lock()
		u.answered = true
		u.mu.Unlock()
	}
}

// stop ends an upload whose answer is there but whose connection is still read.
// Some callers do not read an answer before their body has been taken, and some
// engines do not write one; a body that no one wants must hold neither up.
func (u *upload) stop() {
	if u == nil || !u.started {
		return
	}
	u.mu.Lock()
	ended := u.ended
	if u.stopped = true; !ended {
		u.c.nc.SetWriteDeadline(past)
	}
	u.mu.Unlock()
	if ended {
		<-u.done // at once
		return
	}
	u.abort()
}

// abort ends an upload whose connection takes no more.
func (u *upload) abort() {
	if u == nil || !u.started {
		return
	}
	if a, ok := u.body.(Aborter); ok {
		a.Abort()
		<-u.done
	}
}
