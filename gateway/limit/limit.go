// Package limit counts requests against budgets: buckets that refill evenly and
// calendar windows, for a million callers in bounded memory.
//
// A count takes no lock and, once its key is known, no memory. Keys that stand
// as if never used are forgotten when room is needed. At the hard cap the keys
// that have used least are forgotten first, so that a flood of keys used once
// pushes out its own and not the counter of a caller at its limit.
//
// Counters live in this process; [Limiter.Save] and [Limiter.Load] carry them
// over a restart. Budgets that all instances of an environment share go to the
// Shared of the options (packages valkey and lease beneath this one); while that
// cannot answer, each instance keeps to its even part. Which requests count, and
// what a denied one is told, is for the policies.
package limit

import (
	"math"
	"time"

	"gatehouse/policy"
)

// MaxKeys is the default cap on counters: about 150 MB when all are in use.
const MaxKeys = 1 << 20

// A Shared counts over all instances of an environment. It is safe for use by
// several goroutines.
type Shared interface {
	// Take is policy.Limiter's, and false when it cannot be answered now.
	Take(scope, key string, b policy.Budget, n int64, now time.Time) (policy.Standing, bool)
}

// Options of a limiter.
type Options struct {
	// MaxKeys caps the counters held; zero is [MaxKeys].
	MaxKeys int
	// Shared counts budgets of the whole environment; without it each
	// instance keeps to its even part of them.
	Shared Shared
	// Instances is how many instances the environment has; nil is one.
	Instances func() int
}

// A Limiter counts. It is a policy.Limiter, safe for use by several goroutines.
type Limiter struct {
	table     table
	calendars calendars
	shared    Shared
	instances func() int
}

// New makes an empty limiter. It starts nothing.
func New(o Options) *Limiter {
	if o.MaxKeys <= 0 {
		o.MaxKeys = MaxKeys
	}
	if o.Instances == nil {
		o.Instances = func() int { return 1 }
	}
	l := &Limiter{shared: o.Shared, instances: o.Instances}
	l.table.init(o.MaxKeys)
	return l
}

var _ policy.Limiter = (*Limiter)(nil)

// Share makes s count budgets of the whole environment from now on. It is for
// before the first Take, for an s that itself needs the limiter ([Limiter.Alone]).
func (l *Limiter) Share(s Shared) { l.shared = s }

// Alone counts with the same counters as l but never asks its Shared: a budget of
// the whole environment is kept to by this instance's even part.
func (l *Limiter) Alone() policy.Limiter { return alone{l} }

type alone struct{ l *Limiter }

// Take implements policy.Limiter.
func (a alone) Take(scope, key string, b policy.Budget, n int64, now time.Time) policy.Standing {
	if b.Shared {
		return a.l.part(scope, key, b, n, now)
	}
	return a.l.take(scope, key, b, n, now)
}

// Take counts n against the budget b of scope and key.
func (l *Limiter) Take(scope, key string, b policy.Budget, n int64, now time.Time) policy.Standing {
	if b.Shared {
		if l.shared != nil {
			if s, ok := l.shared.Take(scope, key, b, n, now); ok {
				return s
			}
		}
		return l.part(scope, key, b, n, now)
	}
	return l.take(scope, key, b, n, now)
}

// part counts against this instance's even part of a shared budget, rounded up,
// so that n instances together overshoot by less than n.
func (l *Limiter) part(scope, key string, b policy.Budget, n int64, now time.Time) policy.Standing {
	if parts := int64(l.instances()); parts > 1 {
		b.Limit = (b.Limit + parts - 1) / parts
		b.Burst = (b.Burst + parts - 1) / parts
	}
	return l.take(scope, key, b, n, now)
}

func (l *Limiter) take(scope, key string, b policy.Budget, n int64, now time.Time) policy.Standing {
	if b.Limit <= 0 || n < 0 {
		return policy.Standing{Limit: b.Limit, Retry: math.MaxInt64}
	}
	if b.Burst > 0 && b.Calendar == "" {
		r := rate(b)
		c := l.table.cell(scope, key, bucket, r.interval, now.UnixNano())
		return c.takeBucket(r, b.Limit, n, now.UnixNano())
	}
	w, k := l.calendars.window(b, now)
	c := l.table.cell(scope, key, k, int64(b.Per), now.UnixNano())
	return c.takeWindow(w, b.Limit, n, now.UnixNano())
}

// Len is the number of counters held.
func (l *Limiter) Len() int { return l.table.len() }
