package listen

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"gatehouse/policy"
)

// A body is a request's body whose pending Read can be cut short.
type body struct {
	r    io.Reader
	of   *http.Request
	w    http.ResponseWriter
	conn *conn
	pace *pace       // of a stream of HTTP/2; nil where conn sees to it
	used atomic.Bool // reading has begun
	done atomic.Bool // and come to an end
}

// Fault is what is wrong with the body as far as it came, or nil.
func (b *body) Fault() *policy.Denial {
	if b.pace != nil && b.pace.missed.Load() {
		return tooSlow()
	}
	return b.conn.inside.Load()
}

func tooSlow() *policy.Denial {
	return policy.Deny(http.StatusRequestTimeout, "body-too-slow", errSlow.Error())
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.used.Store(true)
	if b.pace != nil {
		b.pace.begin(b)
	}
	n, err := b.r.Read(p)
	if b.pace != nil && b.pace.end(n) {
		n, err = 0, errSlow
	}
	if err != nil {
		b.done.Store(true)
	}
	return n, err
}

// Trailer is what stood behind the content; nil unless it has been read to its end.
func (b *body) Trailer() policy.Header {
	if !b.done.Load() || len(b.of.Trailer) == 0 {
		return nil
	}
	var h policy.Header
	for _, name := range slices.Sorted(maps.Keys(b.of.Trailer)) {
		for _, v := range b.of.Trailer[name] {
			h.Add(name, v)
		}
	}
	return h
}

// Abort makes a pending Read, and all that follow, return an error.
func (b *body) Abort() {
	if !b.done.Load() {
		b.cut()
	}
}

func (b *body) cut() { http.NewResponseController(b.w).SetReadDeadline(time.Unix(1, 0)) }

// A pace is how fast the body of one stream of HTTP/2 must come: so many bytes in
// so much waiting, as bodies of HTTP/1.1 must. Time in which nobody reads, because
// the backend is slow, does not count against the caller.
type pace struct {
	timeout time.Duration
	enough  int // bytes
	missed  atomic.Bool

	// Only who reads touches these.
	timer *time.Timer
	start time.Time     // of the Read under way
	slow  time.Duration // waited since much came
	much  int
}

// begin bounds the Read that follows.
func (p *pace) begin(b *body) {
	p.start = time.Now()
	if p.timer == nil {
		p.timer = time.AfterFunc(p.timeout-p.slow, func() {
			p.missed.Store(true)
			b.cut()
		})
		return
	}
	p.timer.Reset(p.timeout - p.slow)
}

// end takes account of n bytes and tells whether they came too late.
func (p *pace) end(n int) (late bool) {
	p.timer.Stop()
	p.slow += time.Since(p.start)
	if p.much += n; p.much >= p.enough {
		p.slow, p.much = 0, 0
	}
	return p.missed.Load()
}
