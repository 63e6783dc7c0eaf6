package policytest

import (
	"sync"
	"time"

	"gatehouse/policy"
)

// A Limiter is a policy.Limiter that counts in a map and never forgets: each
// counter has its budget once. What was asked is kept for tests to look at.
type Limiter struct {
	mu     sync.Mutex // guards all
	counts map[string]int64
	Asked  []policy.Budget
}

// NewLimiter makes an empty limiter.
func NewLimiter() *Limiter { return &Limiter{counts: map[string]int64{}} }

// Take counts; Reset and Retry are half a minute, whatever the budget.
func (l *Limiter) Take(scope, key string, b policy.Budget, n int64, _ time.Time) policy.Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Asked = append(l.Asked, b)
	s := policy.Standing{Limit: b.Limit, Reset: 30 * time.Second}
	name := scope + "\x00" + key
	limit := b.Limit
	if b.Burst > 0 {
		limit = b.Burst
	}
	if s.Allowed = l.counts[name]+n <= limit; s.Allowed {
		l.counts[name] += n
	} else {
		s.Retry = s.Reset
	}
	s.Remaining = limit - l.counts[name]
	return s
}

// Counters are the names that were counted, scope and key.
func (l *Limiter) Counters() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]int64, len(l.counts))
	for k, n := range l.counts {
		out[k] = n
	}
	return out
}
