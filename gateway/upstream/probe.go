package upstream

import (
	"context"
	"time"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/policy"
)

// probe asks the target on a connection of its own, so that neither a full
// pool nor a kept connection hides how it is, and returns the status.
func (t *target) probe(ctx context.Context, x *policy.Exchange, wait time.Duration) (int, *Failure) {
	c := &call{b: &Backend{set: &Set{}, connect: wait}, ctx: ctx, x: x, limit: wait}
	c.req = h1.Request{Method: x.Method, Host: t.host, Base: t.base, Path: x.Upstream, Query: x.Query, Header: x.Header, Close: true}
	if t.h2 != nil {
		c.b.set.options.defaults()
		a, f := c.overHTTP2(t)
		if f != nil {
			return 0, f
		}
		a.Body.Close()
		return x.Response.Status, nil
	}
	conn, f := t.dial(ctx, wait)
	if f != nil {
		return 0, f
	}
	resp, err := conn.RoundTrip(ctx, &c.req, h1.Timing{Head: wait}, &x.Response.Header, unpooled{})
	if err != nil {
		return 0, exchangeFailure(ctx, err)
	}
	defer resp.Close()
	return resp.Status, nil
}

// unpooled owns connections that serve one exchange.
type unpooled struct{}

func (unpooled) Return(c *h1.Conn, reusable bool) {
	if reusable {
		c.Close()
	}
}
