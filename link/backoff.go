package link

import (
	"context"
	"math/rand/v2"
	"time"
)

// A backoff waits longer after each failure, with jitter, so that a thousand
// gateways do not come back in step. It stays short: a gateway is to catch up
// within seconds once the control plane is back.
type backoff struct{ next time.Duration }

const (
	backoffFirst = 100 * time.Millisecond
	backoffMost  = 3 * time.Second
)

// wait sleeps for half to all of the next step; false when ctx ended.
func (b *backoff) wait(ctx context.Context) bool {
	if b.next == 0 {
		b.next = backoffFirst
	}
	d := b.next/2 + rand.N(b.next/2+1)
	b.next = min(2*b.next, backoffMost)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (b *backoff) reset() { b.next = 0 }
