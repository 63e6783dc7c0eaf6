package h1

import (
	"context"
	"time"

	"gatehouse/policy"
)

// An Owner lends connections and gets each back exactly once. A connection
// that is not reusable has been closed.
type Owner interface {
	Return(c *Conn, reusable bool)
}

// RoundTrip sends req and reads the head of its answer, whose fields are
// appended to h. The connection goes back to owner when the exchange is over:
// before RoundTrip returns if it failed or the whole body is at hand, else
// when the response has been read or closed. When ctx ends before that, the
// connection is closed.
func (c *Conn) RoundTrip(ctx context.Context, req *Request, t Timing, h *policy.Header, owner Owner) (*Response, *Error) {
	r, mark := &Response{conn: c, owner: owner, timing: t}, len(*h)
	r.rd.c, r.rd.nc = c, c.nc
	if ctx.Done() != nil {
		r.unwatch = context.AfterFunc(ctx, c.cancel)
	}
	err := r.send(req)
	if err == nil {
		err = r.receive(req, h)
	}
	if err != nil {
		*h = (*h)[:mark]
		r.end(false)
		r.rd.release()
		return nil, r.blame(err)
	}
	r.begin()
	return r, nil
}

// send writes the head and a whole body, and starts the upload of a stream.
func (r *Response) send(req *Request) *Error {
	c := r.conn
	var b []byte
	if len(req.Whole) > smallBuffer/2 {
		large := largeBuffers.Get().(*[largeBuffer]byte)
		defer largeBuffers.Put(large)
		b = large[:0]
	} else {
		small := smallBuffers.Get().(*[smallBuffer]byte)
		defer smallBuffers.Put(small)
		b = small[:0]
	}
	b, bad := req.appendTo(b)
	if bad != nil {
		return bad
	}
	c.used = true
	// What fits a socket's buffer cannot block on a connection on which
	// everything before was taken; only more than that needs a deadline.
	if bound := len(b) > smallBuffer/2 && r.timing.Idle > 0; bound {
		c.nc.SetWriteDeadline(time.Now().Add(r.timing.Idle))
		defer c.nc.SetWriteDeadline(time.Time{})
	}
	if n, err := c.nc.Write(b); err != nil {
		e := writeError(err)
		e.Unsent, e.Silent = n == 0, true
		return e
	}
	if req.Stream != nil {
		r.up = newUpload(c, req, r.timing)
		if !req.Expect {
			r.up.start()
		}
	}
	return nil
}

// receive reads heads until the final one.
func (r *Response) receive(req *Request, h *policy.Header) *Error {
	c, mark := r.conn, len(*h)
	switch {
	case r.up == nil:
		c.nc.SetReadDeadline(deadline(r.timing.Head))
	case r.up.started:
		c.nc.SetReadDeadline(time.Time{}) // set when the upload ends
	default:
		c.nc.SetReadDeadline(deadline(r.timing.Continue))
	}
	for interim := 0; ; interim++ {
		text, err := r.rd.head()
		if err != nil && err.Type == ResponseTimeout && r.up.waiting() {
			r.proceed()
			continue
		}
		if err != nil {
			err.Silent = err.Silent && interim == 0
			return err
		}
		*h = (*h)[:mark]
		r.Head, err = ParseHead(text, req.Method, h)
		switch {
		case err != nil:
			return err
		case r.Status == 101:
			return r.switched(req)
		case r.Status >= 200:
			r.up.headDone()
			if r.Status >= 300 {
				r.up.stop() // the answer is a no: the rest is not wanted
			}
			return nil
		case r.Last:
			return malformed("interim answer announces the connection's end")
		case interim == MaxInterim:
			return malformed("answer has too many interim ones before it")
		case r.Status == 100: // asked for by us, or by nobody
			if r.up.waiting() {
				r.proceed()
			}
		case req.Early != nil:
			req.Early.Interim(r.Status, (*h)[mark:])
		}
	}
}

// proceed sends the body that waited for leave.
func (r *Response) proceed() {
	r.conn.nc.SetReadDeadline(time.Time{})
	r.up.start()
}

func (r *Response) switched(req *Request) *Error {
	if req.Upgrade == "" {
		return malformed("answer switches protocols unasked")
	}
	if !policy.EqualName(r.Upgrade, req.Upgrade) {
		return &Error{Type: UpgradeFailed, Detail: "answer switches to another protocol than asked"}
	}
	return nil
}

// blame names the caller when the exchange failed because its body did.
func (r *Response) blame(err *Error) *Error {
	if up := r.up.result(); up != nil && up.Type == RequestError {
		return up
	}
	return err
}

func deadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}
