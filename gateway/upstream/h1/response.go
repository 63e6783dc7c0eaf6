package h1

import (
	"bytes"
	"io"
	"math"
	"time"

	"gatehouse/policy"
)

// A Response is an answer whose head has been read. It reads its body, ending
// in io.EOF or in an [*Error]; it must be closed. One goroutine uses it.
type Response struct {
	Head
	conn    *Conn // nil once it went back
	owner   Owner
	timing  Timing
	unwatch func() bool
	rd      reader
	up      *upload // nil without a streaming body

	left     int64 // of the body, or of the chunk being read
	inChunks bool  // a chunk has begun: CRLF stands before the next
	overhead int64 // chunk extensions, against what MaxChunkOverhead allows
	content  int64 // bytes of content in chunks so far
	trailer  policy.Header
	err      error // how the body ended
}

// begin decides what the body is and gives the connection back early when all
// of it is at hand already, so that a slow caller does not hold it.
func (r *Response) begin() {
	switch {
	case r.Status == 101:
		return
	case r.UntilClose:
		r.left = math.MaxInt64
	case r.Chunked:
	default:
		r.left = r.Length
		if extra := int64(r.rd.buffered()) - r.left; extra >= 0 {
			r.rd.w -= int(extra)
			r.end(extra == 0)
			if r.left == 0 {
				r.finish(io.EOF)
			}
		}
	}
}

// end gives the connection back, or closes it.
func (r *Response) end(reusable bool) {
	c := r.conn
	if c == nil {
		return
	}
	r.conn = nil
	reusable = reusable && !r.Last && r.up.complete()
	if r.unwatch != nil && !r.unwatch() {
		reusable = false // the context ended and its close is under way
	}
	if !reusable {
		c.Close()
		r.up.abort()
	}
	r.owner.Return(c, reusable)
}

// finish notes how the body ended and lets go of everything.
func (r *Response) finish(err error) {
	if r.err == nil {
		r.err = err
	}
	r.end(err == io.EOF && r.rd.buffered() == 0)
	r.rd.release()
}

// Close ends the exchange; a body not read to its end costs the connection.
func (r *Response) Close() error {
	r.finish(errClosed)
	return nil
}

var errClosed = &Error{Type: InternalError, Detail: "body was read after it was closed"}

// Trailer returns the trailer section's fields, once the body has been read.
func (r *Response) Trailer() policy.Header { return r.trailer }

// Read reads content.
func (r *Response) Read(p []byte) (int, error) {
	if len(p) == 0 || r.err != nil {
		return 0, r.err
	}
	if err := r.advance(); err != nil {
		return 0, r.fail(err)
	}
	n := 0
	if r.rd.buffered() == 0 {
		r.conn.nc.SetReadDeadline(deadline(r.timing.Idle))
		if len(p) < smallBuffer/2 {
			if err := r.refill(); err != nil {
				return 0, r.fail(err)
			}
		} else {
			var err error
			n, err = r.conn.nc.Read(p[:min(int64(len(p)), r.left)])
			if n == 0 && err != nil {
				return 0, r.fail(err)
			}
		}
	}
	if n == 0 {
		n = copy(p, r.next())
		r.rd.r += n
	}
	r.consumed(n)
	return n, nil
}

// WriteTo writes all content to w, sparing the caller a buffer.
func (r *Response) WriteTo(w io.Writer) (total int64, err error) {
	var large *[largeBuffer]byte
	defer func() {
		if large != nil {
			largeBuffers.Put(large)
		}
	}()
	for {
		var chunk []byte
		if r.err == nil && r.rd.buffered() > 0 {
			if err := r.advance(); err != nil {
				r.fail(err)
			} else if chunk = r.next(); len(chunk) > 0 {
				n, err := w.Write(chunk)
				total += int64(n)
				if err != nil {
					return total, err
				}
				r.rd.r += n
				r.consumed(n)
				continue
			}
		}
		if r.err != nil {
			if r.err == io.EOF {
				return total, nil
			}
			return total, r.err
		}
		if large == nil {
			large = largeBuffers.Get().(*[largeBuffer]byte)
		}
		n, err := r.Read(large[:])
		if n > 0 {
			m, err := w.Write(large[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		if err != nil && err != io.EOF {
			return total, err
		}
	}
}

// next is the content that is buffered.
func (r *Response) next() []byte {
	return r.rd.buf[r.rd.r : r.rd.r+int(min(int64(r.rd.buffered()), r.left))]
}

func (r *Response) refill() error {
	r.rd.r, r.rd.w = 0, 0
	return r.rd.fill()
}

// consumed counts n bytes of content and, when they were the last, gives the
// connection back without waiting to be asked again.
func (r *Response) consumed(n int) {
	if !r.UntilClose {
		r.left -= int64(n)
	}
	if r.left > 0 {
		return
	}
	if !r.Chunked {
		r.finish(io.EOF)
	} else if bytes.Equal(r.rd.buf[r.rd.r:r.rd.w], lastChunk) {
		r.rd.r = r.rd.w
		r.finish(io.EOF)
	}
}

var lastChunk = []byte("\r\n0\r\n\r\n")

// advance moves to where content is, reading over the framing of chunks. It
// returns io.EOF behind the last.
func (r *Response) advance() error {
	if !r.Chunked || r.left > 0 {
		return nil
	}
	return r.nextChunk()
}

// fail ends the body with err and returns how it ended.
func (r *Response) fail(err error) error {
	switch e, ours := err.(*Error); {
	case err == io.EOF && (r.UntilClose || r.Chunked && r.left < 0):
	case ours:
		err = r.blame(e)
	default:
		err = r.blame(bodyError(err))
	}
	r.finish(err)
	return r.err
}

// SetIdle changes how long the body may stand still.
func (r *Response) SetIdle(d time.Duration) { r.timing.Idle = d }
