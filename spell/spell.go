// Package spell tells a fault that lasts, such as a full disk, when it begins and
// when it is over. What comes between is counted: a log that grows with every
// attempt makes a full disk no better.
package spell

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A Spell is one kind of fault. The zero value is one that was not met. It is
// safe for several goroutines.
type Spell struct {
	times atomic.Int64 // that it was met, since the start

	mu    sync.Mutex // guards what follows
	since time.Time  // zero: it is over
	first int64      // of times
	class int
}

// Met counts a fault, and tells it if it is the first, or of another class than
// the one before, such as another status.
func (s *Spell) Met(now time.Time, class int, tell func(what string, args ...any), what string, args ...any) {
	s.mu.Lock()
	n := s.times.Add(1)
	known := !s.since.IsZero() && s.class == class
	if s.class = class; s.since.IsZero() {
		s.since, s.first = now, n
	}
	s.mu.Unlock()
	if !known {
		tell(what, args...)
	}
}

// Over tells that the fault has passed, and how often it was met, if it was.
func (s *Spell) Over(now time.Time, log *slog.Logger, what string, args ...any) {
	s.mu.Lock()
	since, times := s.since, s.times.Load()-s.first+1
	s.since = time.Time{}
	s.mu.Unlock()
	if !since.IsZero() {
		log.Info(what, append(args, "lasted", now.Sub(since).Round(time.Millisecond), "times", times)...)
	}
}

// Times is how often the fault was met since the start.
func (s *Spell) Times() int64 { return s.times.Load() }
