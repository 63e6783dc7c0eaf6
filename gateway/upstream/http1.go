package upstream

import (
	"net/http"
	"strings"
	"time"

	"gatehouse/gateway/upstream/h1"
)

// overHTTP1 makes one attempt on a connection of the target's pool. A
// connection that was kept may have been closed by the target in the same
// moment; when nothing came back on it and sending again is safe, a fresh one
// gets the request, once.
func (c *call) overHTTP1(t *target) (*Answer, *Failure) {
	if f := t.pool.enter(c.ctx, min(c.left(), c.b.connect)); f != nil {
		return nil, f
	}
	if conn := c.kept(t); conn != nil {
		resp, err := c.roundTrip(t, conn)
		if err == nil {
			return c.answer(t, resp), nil
		}
		if !c.stale(err) {
			return nil, exchangeFailure(c.ctx, err)
		}
		if f := t.pool.enter(c.ctx, min(c.left(), c.b.connect)); f != nil {
			return nil, f
		}
	}
	conn, f := t.dial(c.ctx, min(c.left(), c.b.connect))
	if f != nil {
		t.pool.leave()
		f.dialing = true
		return nil, f
	}
	resp, err := c.roundTrip(t, conn)
	if err != nil {
		return nil, exchangeFailure(c.ctx, err)
	}
	return c.answer(t, resp), nil
}

// kept takes a connection of the pool. One that is to become a tunnel never
// comes back, so it is made for the purpose.
func (c *call) kept(t *target) *h1.Conn {
	if c.req.Upgrade != "" {
		return nil
	}
	return t.pool.take()
}

func (c *call) roundTrip(t *target, conn *h1.Conn) (*h1.Response, *h1.Error) {
	c.req.Base = t.base
	if !c.b.spec.PassHost {
		c.req.Host = t.host
	}
	o := &c.b.set.options
	timing := h1.Timing{Head: max(c.left(), time.Millisecond), Idle: o.BodyIdle, Continue: o.Continue}
	return conn.RoundTrip(c.ctx, &c.req, timing, &c.x.Response.Header, &t.pool)
}

// stale tells whether a failed exchange on a kept connection may be made again
// on a fresh one.
func (c *call) stale(err *h1.Error) bool {
	return err.Silent && (err.Unsent || c.again && c.safe) && err.Type == h1.ConnectionTerminated && c.ctx.Err() == nil
}

// answer dresses a response whose head has arrived.
func (c *call) answer(t *target, resp *h1.Response) *Answer {
	r := &c.x.Response
	r.Status = resp.Status
	a := &Answer{Length: resp.Length, Trailer: noTrailer, Target: t.url}
	a.body = body{ctx: c.ctx, resp: resp, target: t.url}
	a.Body = &a.body
	switch {
	case resp.Status == http.StatusSwitchingProtocols:
		r.Header.Set("Upgrade", resp.Upgrade)
		a.Upgraded, a.Body = resp.Tunnel(c.b.set.options.TunnelIdle), http.NoBody
	case resp.Status == http.StatusNotModified || c.req.Method == http.MethodHead:
		a.Length = resp.Stated
	case resp.Chunked:
		a.Trailer = resp.Trailer
		fallthrough
	case resp.UntilClose:
		if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
			resp.SetIdle(c.b.set.options.TunnelIdle)
		}
	}
	return a
}
