package h1

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/listen/strict"
	"gatehouse/policy"
)

// A body is a request's content as it comes. It may be read by another goroutine
// than the connection's while the request is in work, and by none afterwards.
type body struct {
	length int64 // as announced, -1 when chunked
	fault  atomic.Pointer[policy.Denial]
	used   atomic.Bool // reading has begun
	whole  atomic.Bool // the end has been read

	mu     sync.Mutex // held while reading; guards all below
	c      *conn
	left   int64 // when not chunked
	chunks strict.Chunks
	err    error         // what every further Read returns
	slow   time.Duration // spent waiting since much came
	much   int           // bytes since then

	dmu sync.Mutex // guards cut, and the read deadline while the request is in work
	cut bool
}

func newBody(c *conn, m *strict.Message) *body {
	b := &body{c: c, length: m.Length, left: m.Length}
	if m.Chunked {
		b.length, b.chunks.Keep = -1, true
	}
	return b
}

// Trailer is what stood behind the content; nil unless it has been read to its end.
func (b *body) Trailer() policy.Header {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.chunks.Trailer()
}

// Fault is what is wrong with the body as far as it came, or nil.
func (b *body) Fault() *policy.Denial { return b.fault.Load() }

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used.Store(true)
	return b.read(p)
}

func (b *body) read(p []byte) (int, error) {
	for {
		if b.err != nil {
			return 0, b.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		in := b.c.in
		if in.r < in.w {
			n, err := b.take(p)
			if err != nil || n > 0 {
				return n, err
			}
			continue
		}
		if b.length >= 0 && len(p) >= 1024 {
			n, err := b.wait(p[:min(b.left, int64(len(p)))])
			b.count(n)
			if n > 0 {
				return n, b.err
			}
			b.err = err
			continue
		}
		in.r = 0
		n, err := b.wait(in.buf[:])
		if in.w = n; n == 0 {
			b.err = err
		}
	}
}

// take gives what the buffer holds of the content.
func (b *body) take(p []byte) (n int, err error) {
	in := b.c.in
	if b.length >= 0 {
		n = copy(p[:min(b.left, int64(len(p)))], in.buf[in.r:in.w])
		in.r += n
		b.count(n)
		return n, b.err
	}
	n, taken, done, err := b.chunks.Content(p, in.buf[in.r:in.w])
	in.r += taken
	switch {
	case err != nil:
		b.err = err
		b.fault.Store(policy.Deny(http.StatusBadRequest, "body-malformed", err.Error()))
	case done:
		b.end()
	}
	return n, b.err
}

func (b *body) count(n int) {
	if b.left -= int64(n); b.left == 0 {
		b.end()
	}
}

// end notes that the body has been read to its end.
func (b *body) end() {
	b.err = io.EOF
	b.whole.Store(true)
	if in := b.c.in; in.r == in.w {
		b.c.watch.wait()
	}
}

// wait reads from the connection. A body must come at a pace: so many bytes in so
// much waiting. Time in which nobody reads does not count against the caller.
func (b *body) wait(p []byte) (int, error) {
	o := &b.c.lane.o
	start := time.Now()
	b.dmu.Lock()
	if !b.cut {
		b.c.nc.SetReadDeadline(start.Add(max(o.BodyTimeout-b.slow, time.Millisecond)))
	}
	b.dmu.Unlock()
	b.c.idle = time.Time{}
	n, err := b.c.nc.Read(p)
	b.slow += time.Since(start)
	if b.much += n; b.much >= o.BodyPace {
		b.slow, b.much = 0, 0
	} else if b.slow >= o.BodyTimeout {
		b.fault.Store(policy.Deny(http.StatusRequestTimeout, "body-too-slow", errSlow.Error()))
		return 0, errSlow
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

var errSlow error = slow{}

type slow struct{}

func (slow) Error() string   { return "the body comes too slowly" }
func (slow) Timeout() bool   { return true }
func (slow) Temporary() bool { return false }

var past = time.Unix(1, 0)

// Abort makes a pending Read, and all that follow, return an error.
func (b *body) Abort() {
	if b.whole.Load() {
		return
	}
	b.dmu.Lock()
	defer b.dmu.Unlock()
	b.cut = true
	b.c.nc.SetReadDeadline(past)
}

// settled tells, when an answer begins, whether the connection can be kept as far
// as the body goes: it has come to its end, or nobody wants it and what is left is
// worth reading over.
func (b *body) settled() bool {
	return b.whole.Load() || !b.used.Load() && b.length < MaxRest
}

// finish ends the use of the body, and a Read that still goes on. With keep, it
// reads over what is left; it tells whether the connection is at the body's end.
func (b *body) finish(keep bool) bool {
	if !b.whole.Load() && b.used.Load() {
		b.Abort()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() {
		if b.err == nil {
			b.err = io.ErrClosedPipe
		}
	}()
	if !keep || b.used.Load() {
		return b.err == io.EOF
	}
	var trash [2048]byte
	for total := 0; b.err == nil && total < MaxRest; {
		n, err := b.read(trash[:])
		if total += n; err != nil {
			break
		}
	}
	return b.err == io.EOF
}
