package limit

import (
	"math"
	"sync/atomic"
	"time"

	"gatehouse/policy"
)

// A kind says how a cell counts.
type kind uint8

const (
	bucket kind = iota // state is GCRA's theoretical arrival time, Unix nanoseconds
	window             // state is count<<windowBits | window's number
	hour
	day
	week
	month
)

// A window's state has its number in the low bits and the count above. Windows
// of a second wrap after half a year, longer than any idle cell lives.
const (
	windowBits = 23
	windowMask = 1<<windowBits - 1
	maxCount   = 1<<(63-windowBits) - 1 // 1.09e12, above policies' 1e12
)

// A cell is one counter. Only state changes.
type cell struct {
	hash       uint64
	scope, key string
	kind       kind
	per        int64 // nanoseconds: a bucket's interval between requests, a window's length
	state      atomic.Int64
}

// bucketRate is a bucket's budget in GCRA's terms, in nanoseconds.
type bucketRate struct{ interval, depth int64 }

func rate(b policy.Budget) bucketRate {
	r := bucketRate{interval: max(1, int64(b.Per)/b.Limit)}
	if b.Burst > (math.MaxInt64/4)/r.interval {
		r.depth = math.MaxInt64 / 4
	} else {
		r.depth = b.Burst * r.interval
	}
	return r
}

// takeBucket is the generic cell rate algorithm (ITU-T I.371, virtual
// scheduling), at most n retries under contention.
func (c *cell) takeBucket(r bucketRate, limit, n, now int64) policy.Standing {
	for {
		old := c.state.Load()
		at := max(old, now)
		if at > now+r.depth {
			// The clock was set back, or the budget became smaller: the
			// bucket is empty and refills from here, whatever stood there.
			at = now + r.depth
		}
		next, ok := at, n <= r.depth/r.interval
		if ok {
			next = at + n*r.interval
			ok = next <= now+r.depth
		}
		if !ok {
			if at != old && old > now && !c.state.CompareAndSwap(old, at) {
				continue
			}
			wait := at - now
			if n <= r.depth/r.interval {
				wait = at + n*r.interval - (now + r.depth)
			}
			return policy.Standing{Limit: limit, Remaining: (now + r.depth - at) / r.interval,
				Reset: time.Duration(at - now), Retry: time.Duration(wait)}
		}
		if n == 0 || c.state.CompareAndSwap(old, next) {
			return policy.Standing{Allowed: true, Limit: limit, Remaining: (now + r.depth - next) / r.interval,
				Reset: time.Duration(next - now)}
		}
	}
}

// takeWindow counts within the window w. A count of another window is dropped
// when that window is past; when it is ahead, the clock was set back, and what
// was counted then counts in this one, so that the step neither frees nor binds
// for longer.
func (c *cell) takeWindow(w windowSpan, limit, n, now int64) policy.Standing {
	reset := time.Duration(w.end - now)
	for {
		old := c.state.Load()
		count, other := old>>windowBits, (w.number-old)&windowMask != 0
		if d := (w.number - old) & windowMask; d != 0 && d <= windowMask/2 {
			count = 0
		}
		if n > limit-count {
			if other && !c.state.CompareAndSwap(old, count<<windowBits|w.number&windowMask) {
				continue
			}
			count = min(count, limit)
			return policy.Standing{Limit: limit, Remaining: limit - count, Reset: reset, Retry: reset}
		}
		next := min(count+n, maxCount)<<windowBits | w.number&windowMask
		if n == 0 || c.state.CompareAndSwap(old, next) {
			return policy.Standing{Allowed: true, Limit: limit, Remaining: limit - count - n, Reset: reset}
		}
	}
}

// used is how many requests the cell holds against its caller at now; zero means
// that forgetting it changes nothing.
func (c *cell) used(now int64) int64 {
	s := c.state.Load()
	if c.kind == bucket {
		if s <= now {
			return 0
		}
		return (s-now)/c.per + 1
	}
	if d := (number(c.kind, c.per, now) - s) & windowMask; d != 0 && d <= windowMask/2 {
		return 0
	}
	return s >> windowBits
}
