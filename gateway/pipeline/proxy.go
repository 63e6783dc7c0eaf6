package pipeline

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/upstream"
	"gatehouse/policy"
)

// proxy sends the request to the backend and its answer to the caller.
func (s *Server) proxy(c *Call) *policy.Denial {
	if c.Body != nil {
		c.body.limit = c.Body.Limit
		if c.Body.Limit > 0 && c.Body.Length > c.Body.Limit {
			return tooLarge()
		}
	}
	head.Identify(&c.Exchange)
	c.Peer.Forward(&c.Header, head.WithPort(c.Host, c.Authority))
	c.Header.Set(head.RequestID, c.id)
	c.Header.Add("Via", head.Via(c.Proto))

	c.Early = c
	start := time.Now()
	answer, failure := c.api.backend.Do(c.Context, &c.Exchange)
	c.backend = time.Since(start)
	if failure != nil {
		return c.failure(failure)
	}
	c.Response.Header.Add("Via", "1.1 "+head.Pseudonym)
	c.back()
	if answer.Upgraded != nil {
		return c.tunnel(answer)
	}
	defer answer.Body.Close()
	c.begin(answer.Length)
	c.stream(answer)
	return nil
}

// Interim passes on what the backend says before its answer, to callers whose
// protocol has such (RFC 9110 §15.2). Of its fields only Link goes along, what
// Early Hints are for (RFC 8297): what a policy takes out of answers, or the gateway
// keeps to itself, must not slip past in front of them.
func (c *Call) Interim(status int, h policy.Header) {
	if c.Proto == "HTTP/1.0" {
		return
	}
	links := make(policy.Header, 0, 4)
	for _, f := range h {
		if policy.EqualName(f.Name, "Link") {
			links = append(links, f)
		}
	}
	c.Writer.Interim(status, links)
}

func tooLarge() *policy.Denial {
	return policy.Deny(http.StatusRequestEntityTooLarge, "body-too-large", "the request's body is larger than is allowed")
}

// failure says what came instead of the backend's answer. What the failure
// itself says may name addresses; it goes to the access log.
func (c *Call) failure(f *upstream.Failure) *policy.Denial {
	c.target, c.reason = f.Target, f.Type+": "+f.Detail
	if c.body.over.Load() {
		return tooLarge()
	}
	if b, ok := c.Source.(interface{ Fault() *policy.Denial }); ok && b.Fault() != nil {
		return b.Fault()
	}
	if errors.Is(f.Cause, context.Canceled) && c.Context.Err() != nil {
		c.status = statusClosed
		c.denied = "caller-left"
		c.abort()
		return nil
	}
	var d *policy.Denial
	switch {
	case f.Status == http.StatusBadRequest:
		d = policy.Deny(f.Status, "body-malformed", "the request's body could not be read to its end")
	case f.Status == http.StatusGatewayTimeout:
		d = policy.Deny(f.Status, "backend-timeout", "the backend did not answer in time")
	case f.Status == http.StatusServiceUnavailable:
		d = policy.Deny(f.Status, "backend-unavailable", "no target of the backend can take the request now")
		d.Header.Add("Retry-After", "1")
	default:
		d = policy.Deny(f.Status, "backend-failed", "the backend could not be reached or did not answer as it should")
	}
	d.Header.Add("Proxy-Status", head.Pseudonym+"; error="+f.Type)
	return d
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// stream copies the answer's content. What comes without a stated length is sent
// on as it comes; nobody may wait in it for more.
func (c *Call) stream(a *upstream.Answer) {
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	prompt := a.Length < 0 || stream(c.Response.Header)
	// Where caller and backend talk in turns the caller may wait for the head
	// before it says more, and the backend for more before it says anything.
	if a.Length < 0 && (stream(c.Response.Header) || c.body.open()) && c.Writer.Flush() != nil {
		c.abort()
		return
	}
	for {
		n, err := a.Body.Read(buf[:])
		if c.write(buf[:n]) != nil {
			return
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			c.abort()
			return
		}
		if prompt && n > 0 && c.Writer.Flush() != nil {
			c.abort()
			return
		}
	}
	if t := a.Trailer(); len(t) > 0 {
		c.Writer.Trailer(t)
	}
}

// stream tells whether the content is of a kind that comes bit by bit.
func stream(h policy.Header) bool {
	kind := h.Get("Content-Type")
	return strings.HasPrefix(kind, "text/event-stream") || strings.HasPrefix(kind, "application/grpc")
}

// tunnel joins caller and backend once both have agreed to switch. The answer
// 101 was the backend's; nothing has been passed on before.
func (c *Call) tunnel(a *upstream.Answer) *policy.Denial {
	defer a.Upgraded.Close()
	c.own(&c.Response.Header)
	near, err := c.Writer.Switch(c.Response.Header)
	if err != nil {
		return policy.Deny(http.StatusBadGateway, "upgrade-failed", "this connection cannot switch protocols")
	}
	defer near.Close()
	c.status, c.started = http.StatusSwitchingProtocols, true
	var in int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		in = pump(a.Upgraded, near)
		a.Upgraded.Close()
	}()
	stop := context.AfterFunc(c.Context, func() { near.Close(); a.Upgraded.Close() })
	defer stop()
	c.out = pump(near, a.Upgraded)
	near.Close()
	<-done
	c.body.n.Add(in)
	return nil
}

func pump(to io.Writer, from io.Reader) int64 {
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	var total int64
	for {
		n, err := from.Read(buf[:])
		if n > 0 {
			m, werr := to.Write(buf[:n])
			total += int64(m)
			if werr != nil {
				return total
			}
		}
		if err != nil {
			return total
		}
	}
}
