package h1

import (
	"io"
	"strings"
	"time"

	"gatehouse/gateway/listen/strict"
	"gatehouse/gateway/pipeline"
)

// What became of a request.
const (
	answered = iota // and the connection goes on
	over            // the connection has ended and is closed
	unusual         // the request is for another lane; nothing of it is used
)

// request serves the request that the buffer begins with.
func (c *conn) request() int {
	call := pipeline.NewCall()
	m, outcome := c.accept(call)
	if outcome != answered {
		call.Free()
		return outcome
	}
	out := &c.out
	*out = writer{c: c, head: m.Method == "HEAD", close: m.Close}
	var content *body
	if m.Chunked || m.Length > 0 {
		content = newBody(c, &m)
		out.body, call.Source, call.Length = content, content, content.length
	}
	call.Context, call.Peer, call.Writer = c.ctx, c.peer, out
	c.now = time.Now()
	call.Now = c.now
	call.Fault = c.lane.o.Overload()
	if content == nil {
		if c.spent(); c.in == nil {
			c.watch.wait()
		}
	}
	c.lane.to.Serve(call)
	keep := out.finish()
	if content != nil {
		keep = content.finish(keep && !out.close) && keep
	}
	c.watch.done() // not earlier: the end of the content begins the wait
	call.Free()
	if keep && !out.close {
		return answered
	}
	c.spent()
	c.close(!out.aborted && (c.in != nil || content != nil && content.err != io.EOF))
	return over
}

// accept reads a head, if it is an ordinary one, into the call.
func (c *conn) accept(call *pipeline.Call) (m strict.Message, outcome int) {
	end, outcome := c.head()
	if outcome != answered {
		return m, outcome
	}
	b := c.in.buf[c.in.r : c.in.r+end]
	m, d := strict.Fields(b, string(b), c.lane.o.MaxFields, &call.Header)
	if d != nil || !m.Plain {
		return m, unusual
	}
	c.in.r += end
	call.Method, call.Proto, call.Authority = m.Method, "HTTP/1.1", m.Host
	call.Target, call.Query, _ = strings.Cut(m.Target, "?")
	return m, answered
}

// head reads until the buffer holds a whole head and returns its length.
func (c *conn) head() (end, outcome int) {
	in, timed := c.in, false
	for line := 0; ; {
		if in.buf[in.r] == '\r' {
			return 0, unusual
		}
		end, next, d := strict.HeadEnd(in.buf[in.r:in.w], line)
		switch {
		case d != nil, end > c.lane.o.MaxHead, end < 0 && in.w-in.r > c.lane.o.MaxHead:
			return 0, unusual
		case end > 0:
			if timed {
				c.idle = time.Time{} // its deadline was overwritten
			}
			return end, answered
		}
		line = next
		if in.w == len(in.buf) && in.r > 0 {
			in.w = copy(in.buf[:], in.buf[in.r:in.w])
			in.r = 0
		}
		if in.w == len(in.buf) {
			return 0, unusual
		}
		if !timed && c.served { // else the time runs since the connection came
			timed = true
			c.nc.SetReadDeadline(time.Now().Add(c.lane.o.HeadTimeout))
		}
		n, err := c.nc.Read(in.buf[in.w:])
		in.w += n
		if n > 0 {
			continue
		}
		if err == io.EOF {
			return 0, unusual // what is there to say to half a head is not said here
		}
		c.close(false)
		return 0, over
	}
}
