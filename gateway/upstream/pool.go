package upstream

import (
	"container/list"
	"context"
	"sync"
	"time"

	"gatehouse/gateway/upstream/h1"
)

// A pool holds one target's connections. At most max exchanges run at once; as
// many more may wait, the longest waiting goes first. An idle connection is
// taken before one is made, so no more than max are ever open.
type pool struct {
	idleFor time.Duration
	age     time.Duration

	mu      sync.Mutex // guards all below
	max     int
	inUse   int
	idle    []*h1.Conn // the last returned is the first taken
	waiting list.List  // of chan struct{}, closed when a place is handed over
	closed  bool
	reaper  *time.Timer
	armed   bool
}

// enter takes a place, waiting for one until ctx ends or wait is over.
func (p *pool) enter(ctx context.Context, wait time.Duration) *Failure {
	p.mu.Lock()
	if p.inUse < p.max {
		p.inUse++
		p.mu.Unlock()
		return nil
	}
	if p.waiting.Len() >= p.max {
		p.mu.Unlock()
		return fail(ConnectionLimit, "as many requests as may be are waiting for a connection", nil)
	}
	place := make(chan struct{})
	self := p.waiting.PushBack(place)
	p.mu.Unlock()

	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-place:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-place: // handed over in the meantime
		p.leaveLocked()
	default:
		p.waiting.Remove(self)
	}
	if f := ended(ctx); f != nil {
		return f
	}
	return fail(ConnectionLimit, "no connection came free in time", nil)
}

// leave gives a place back or hands it to who waits longest.
func (p *pool) leave() {
	p.mu.Lock()
	p.leaveLocked()
	p.mu.Unlock()
}

func (p *pool) leaveLocked() {
	if first := p.waiting.Front(); first != nil && p.inUse <= p.max {
		p.waiting.Remove(first)
		close(first.Value.(chan struct{}))
		return
	}
	p.inUse--
}

// take returns an idle connection that is open and quiet, or nil.
func (p *pool) take() *h1.Conn {
	for {
		p.mu.Lock()
		n := len(p.idle) - 1
		if n < 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n]
		p.idle[n] = nil
		p.idle = p.idle[:n]
		p.mu.Unlock()
		if c.Quiet() {
			return c
		}
		c.Close()
	}
}

// Return implements [h1.Owner].
func (p *pool) Return(c *h1.Conn, reusable bool) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaveLocked()
	if !reusable {
		return
	}
	if p.closed || p.age > 0 && now.Sub(c.Born) > p.age {
		c.Close()
		return
	}
	c.Idle = now
	p.idle = append(p.idle, c)
	if !p.armed {
		p.armed = true
		if p.reaper == nil {
			p.reaper = time.AfterFunc(p.idleFor, p.reap)
		} else {
			p.reaper.Reset(p.idleFor)
		}
	}
}

// reap closes what has been idle too long. The longest idle lie lowest.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, old := time.Now(), 0
	for old < len(p.idle) && now.Sub(p.idle[old].Idle) >= p.idleFor {
		p.idle[old].Close()
		old++
	}
	kept := copy(p.idle, p.idle[old:])
	clear(p.idle[kept:])
	p.idle = p.idle[:kept]
	if p.armed = kept > 0 && !p.closed; p.armed {
		p.reaper.Reset(p.idleFor - now.Sub(p.idle[0].Idle))
	}
}

// resize changes how many exchanges may run at once; those that run go on.
func (p *pool) resize(max int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.max = max
	for p.inUse < p.max && p.waiting.Len() > 0 {
		p.inUse++
		p.leaveLocked()
	}
}

// full tells whether a request would have to wait.
func (p *pool) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inUse >= p.max
}

func (p *pool) load() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inUse
}

// close lets go of idle connections; those in use are closed when they return.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for _, c := range p.idle {
		c.Close()
	}
	p.idle = nil
}
