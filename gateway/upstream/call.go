package upstream

import (
	"context"
	"io"
	"math/rand/v2"
	"time"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/policy"
)

// maxWhole is the largest request body that is taken in whole before it is
// sent, so that it can be sent again and a slow caller holds no connection.
const maxWhole = 16 << 10

// A call is one request of a caller, over all its attempts.
type call struct {
	b   *Backend
	ctx context.Context
	x   *policy.Exchange
	req h1.Request

	limit    time.Duration // of one attempt
	deadline time.Time     // of all attempts; zero when each has its own
	again    bool          // the body, if any, can be sent again
	safe     bool          // doing it twice does what doing it once does

	tried uint64 // members, as bits
}

// Do sends the exchange's request to a target and returns when the answer's
// head is there, with status and fields set in x.Response. It returns either
// an answer or a failure.
//
// The exchange's timeout, else the backend's, bounds everything up to the
// answer's head, retries included; when retries are asked for on timeout it
// bounds each attempt instead. When ctx ends the connection is closed, in the
// midst of a body too. A streaming request body is read until Do fails or the
// answer's body is closed, from another goroutine; a body with an Abort method
// (see [h1.Aborter]) is told when it is not wanted any more and not touched
// afterwards.
func (b *Backend) Do(ctx context.Context, x *policy.Exchange) (*Answer, *Failure) {
	if b.err != nil {
		return nil, fail(ConfigurationError, b.err.Error(), b.err)
	}
	c := &call{b: b, ctx: ctx, x: x, limit: b.timeout}
	if x.Timeout > 0 {
		c.limit = x.Timeout
	}
	if f := c.prepare(); f != nil {
		return nil, f
	}
	if !b.retry.timeout {
		c.deadline = time.Now().Add(c.limit)
	}
	if b.retry.attempts == 0 {
		m, _ := b.pick(0, time.Now())
		return c.attempt(m)
	}
	return c.attempts()
}

// attempts tries as often as the rules and the budget allow.
func (c *call) attempts() (*Answer, *Failure) {
	c.b.budget.request()
	for n := 0; ; n++ {
		m, i := c.b.pick(c.tried, time.Now())
		a, f := c.attempt(m)
		if n == c.b.retry.attempts || !c.retriable(a, f) || !c.b.budget.spend(time.Now()) {
			return a, f
		}
		if len(c.b.members) == 1 && !c.pause(n) {
			return a, f
		}
		c.tried |= 1 << i
		if a != nil {
			a.Body.Close()
		}
	}
}

// pause waits a moment before the same target is asked again.
func (c *call) pause(n int) bool {
	d := rand.N(25*time.Millisecond<<min(n, 4)) + time.Millisecond
	if !c.deadline.IsZero() && time.Until(c.deadline) < d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// retriable tells whether the rules have this outcome tried again.
func (c *call) retriable(a *Answer, f *Failure) bool {
	r := &c.b.retry
	if c.ctx.Err() != nil || !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return false
	}
	if a != nil {
		return c.safe && c.again && a.Upgraded == nil && r.statuses[c.x.Response.Status]
	}
	switch {
	case f.unsent():
		return r.connect
	case !c.safe || !c.again || !f.held():
		return false
	case f.Type == h1.ResponseTimeout || f.Type == h1.ConnectionWriteTimeout:
		return r.timeout
	case f.Type == h1.ConnectionTerminated || f.Type == h1.ResponseIncomplete:
		return r.reset
	}
	return false
}

// prepare makes the request and takes a small body in.
func (c *call) prepare() *Failure {
	x := c.x
	c.req = h1.Request{Method: x.Method, Path: x.Upstream, Query: x.Query, Header: x.Header, Early: x.Early}
	if c.b.spec.PassHost {
		c.req.Host = x.Host
	}
	switch x.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE": // RFC 9110 §9.2.2
		c.safe = true
	}
	c.again = true
	body := x.Body
	if body == nil || body.Reader == nil || body.Length == 0 {
		if x.Method == "GET" && policy.EqualName(x.Header.Get("Upgrade"), "websocket") {
			c.req.Upgrade, c.safe = "websocket", false
		}
		return nil
	}
	c.req.Expect = policy.EqualName(x.Header.Get("Expect"), "100-continue")
	if body.Length < 0 || body.Length > maxWhole || c.req.Expect {
		c.req.Stream, c.req.Length, c.again = body.Reader, body.Length, false
		c.req.Trailers, c.req.Announced = body.Trailers, body.Announced
		return nil
	}
	c.req.Whole = make([]byte, body.Length)
	if _, err := io.ReadFull(body.Reader, c.req.Whole); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fail(h1.RequestError, "reading the caller's body: "+err.Error(), err)
	}
	return nil
}

// left is how long the attempt that begins now may take.
func (c *call) left() time.Duration {
	if c.deadline.IsZero() {
		return c.limit
	}
	return time.Until(c.deadline)
}

// attempt asks one target once, and takes note of how it fared.
func (c *call) attempt(m *member) (*Answer, *Failure) {
	if f := ended(c.ctx); f != nil {
		return nil, f
	}
	c.x.Response.Status, c.x.Response.Header = 0, c.x.Response.Header[:0]
	var a *Answer
	var f *Failure
	if m.h2 != nil {
		a, f = c.overHTTP2(m.target)
	} else {
		a, f = c.overHTTP1(m.target)
	}
	if f != nil {
		f.Target = m.url
		if f.held() {
			m.streak.failed(f.Type, c.b.unhealthy, time.Now())
		}
		return nil, f
	}
	m.streak.succeeded()
	return a, nil
}

// unsent tells whether the target cannot have seen the request; a streaming
// body has not been touched then.
func (f *Failure) unsent() bool {
	switch f.Type {
	case DNSTimeout, DNSError, DestinationUnroutable, ConnectionRefused, ConnectionTimeout,
		TLSProtocolError, TLSCertificateError, TLSAlertReceived:
		return true
	}
	return f.dialing
}
