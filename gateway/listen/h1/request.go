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
	w := c.work
	out := &w.writer
	*out = writer{c: c, head: m.Method == "HEAD", out: w.out[:0], close: m.Close}
	var content *body
	if m.Chunked || m.Length > 0 {
		content = newBody(c, &m)
		out.body, call.Source, call.Length = content, content, content.length
	}
	call.Context, call.Peer, call.Writer = c.ctx, c.peer, out
	call.Now = time.Now()
	call.Fault = c.lane.o.Overload()
	if content == nil && w.r == w.w {
		c.watch.wait()
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
	c.close(!out.aborted && (w.r < w.w || content != nil && content.err != io.EOF))
	return over
}

// accept reads a head, if it is an ordinary one, into the call.
func (c *conn) accept(call *pipeline.Call) (m strict.Message, outcome int) {
	end, outcome := c.head()
	if outcome != answered {
		return m, outcome
	}
	w := c.work
	b := w.in[w.r : w.r+end]
	m, d := strict.Fields(b, string(b), c.lane.o.MaxFields, &call.Header)
	if d != nil || !m.Plain {
		return m, unusual
	}
	w.r += end
	call.Method, call.Proto, call.Authority = m.Method, "HTTP/1.1", m.Host
	call.Target, call.Query, _ = strings.Cut(m.Target, "?")
	return m, answered
}

// head reads until the buffer holds a whole head and returns its length.
func (c *conn) head() (end, outcome int) {
	w, timed := c.work, false
	for line := 0; ; {
		if w.in[w.r] == '\r' {
			return 0, unusual
		}
		end, next, d := strict.HeadEnd(w.in[w.r:w.w], line)
		switch {
		case d != nil:
			return 0, unusual
		case end > 0:
			if timed {
				c.idle = time.Time{} // its deadline was overwritten
			}
			return end, answered
		}
		line = next
		if w.w == len(w.in) && w.r > 0 {
			w.w = copy(w.in[:], w.in[w.r:w.w])
			w.r = 0
		}
		if w.w == len(w.in) {
			return 0, unusual
		}
		if !timed {
			timed = true
			c.nc.SetReadDeadline(time.Now().Add(c.lane.o.HeadTimeout))
		}
		n, err := c.nc.Read(w.in[w.w:])
		w.w += n
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
