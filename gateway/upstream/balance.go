package upstream

import (
	"sync"
	"time"
)

// balance spreads requests smoothly by weight: with weights 5 and 1 the second
// target gets every sixth request, not a burst after thirty. Between equals
// the one with fewer requests in work goes first.
type balance struct{ mu sync.Mutex }

// pick chooses a target that is not in tried, a set of bits by index, as long
// as there is one. Healthy ones that can take a request at once come first,
// then healthy ones, then any.
func (b *Backend) pick(tried uint64, now time.Time) (*member, int) {
	if len(b.members) == 1 {
		return b.members[0], 0
	}
	for level := range 4 {
		if m, i := b.pickAt(level, tried, now); m != nil {
			return m, i
		}
	}
	return b.members[0], 0
}

// pickAt looks at: 0 healthy and with room, 1 healthy, 2 not tried, 3 all.
func (b *Backend) pickAt(level int, tried uint64, now time.Time) (*member, int) {
	b.balance.mu.Lock()
	defer b.balance.mu.Unlock()
	var best *member
	at, total, bestLoad := 0, 0, 0
	for i, m := range b.members {
		if level < 3 && i < 64 && tried&(1<<i) != 0 ||
			level < 2 && !m.healthy(now) || level < 1 && m.pool.full() {
			continue
		}
		total += m.weight
		m.current += m.weight
		switch {
		case best == nil || m.current > best.current:
			best, at, bestLoad = m, i, -1
		case m.current == best.current:
			if bestLoad < 0 {
				bestLoad = best.pool.load()
			}
			if load := m.pool.load(); load < bestLoad {
				best, at, bestLoad = m, i, load
			}
		}
	}
	if best != nil {
		best.current -= total
	}
	return best, at
}
