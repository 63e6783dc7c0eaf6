package upstream

import (
	"sync"
	"time"
)

// A budget keeps retries a small part of the load, so that a backend in
// trouble does not get more requests than one in health: each request earns a
// fifth of a retry, and a few a second are free for backends with little load.
type budget struct {
	mu     sync.Mutex
	earned float64
	last   time.Time
}

const (
	earnPerRequest = 0.2
	earnPerSecond  = 3.0
	mostEarned     = 100.0
)

func (b *budget) request() {
	b.mu.Lock()
	b.earned = min(b.earned+earnPerRequest, mostEarned)
	b.mu.Unlock()
}

// spend takes one retry out of the budget, if there is one.
func (b *budget) spend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last.IsZero() {
		b.earned += earnPerSecond
	} else if d := now.Sub(b.last); d > 0 {
		b.earned += earnPerSecond * d.Seconds()
	}
	b.last = now
	b.earned = min(b.earned, mostEarned)
	if b.earned < 1 {
		return false
	}
	b.earned--
	return true
}
