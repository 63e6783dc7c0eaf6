package upstream

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A streak watches one target passively. Failures in a row leave it out for a
// while, longer each time; one answer brings it back for good.
type streak struct {
	fails atomic.Int32 // in a row; read without the lock on the way of success

	mu     sync.Mutex // guards all below
	until  time.Time
	times  int // left out how often since the last success
	reason string
}

const (
	ejectFirst = time.Second
	ejectMost  = 30 * time.Second
)

func (s *streak) succeeded() {
	if s.fails.Load() == 0 {
		return
	}
	s.mu.Lock()
	s.fails.Store(0)
	s.until, s.times, s.reason = time.Time{}, 0, ""
	s.mu.Unlock()
}

// failed notes a failure; limit of them in a row leave the target out. After
// it came back the first failure suffices.
func (s *streak) failed(reason string, limit int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.fails.Add(1)
	s.reason = reason
	if int(n) < limit || now.Before(s.until) {
		return
	}
	d := min(ejectFirst<<min(s.times, 5), ejectMost)
	s.times++
	// Up to a fifth more, so that instances do not come back in step.
	s.until = now.Add(d + time.Duration(rand.Int64N(int64(d)/5+1)))
}

// out tells whether the target is left out now, and why.
func (s *streak) out(now time.Time) (bool, string) {
	if s.fails.Load() == 0 {
		return false, ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until), s.reason
}
