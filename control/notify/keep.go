package notify

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A keeper writes what became of deliveries. Those that come while a write is
// under way go together with the next one: a write costs about the same for one
// as for many, and a thousand events must not stand in line behind each other's.
type keeper struct {
	writing bool
	waiting []*kept
}

// A kept is a delivery on its way into the store.
type kept struct {
	job  store.Job
	lead chan bool // true: it is your turn to write all that waits; false: it is written
	err  error
}

// keepMost bounds what goes with one write.
const keepMost = 64

// keep writes a job, with others or alone.
func (n *Notify) keep(ctx context.Context, job store.Job) error {
	k := &kept{job: job, lead: make(chan bool, 1)}
	n.mu.Lock()
	n.keeper.waiting = append(n.keeper.waiting, k)
	if first := !n.keeper.writing; first {
		n.keeper.writing = true
		k.lead <- true
	}
	n.mu.Unlock()
	if !<-k.lead {
		return k.err
	}
	n.mu.Lock()
	some := n.keeper.waiting[:min(len(n.keeper.waiting), keepMost)]
	n.keeper.waiting = n.keeper.waiting[len(some):]
	n.mu.Unlock()
	n.write(ctx, some)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.keeper.writing = len(n.keeper.waiting) > 0; n.keeper.writing {
		n.keeper.waiting[0].lead <- true
	}
	for _, other := range some {
		if other != k {
			other.lead <- false
		}
	}
	return k.err
}

// write writes some together; one that the store will not have is told apart.
func (n *Notify) write(ctx context.Context, some []*kept) {
	jobs := make([]store.Job, len(some))
	for i, k := range some {
		jobs[i] = k.job
	}
	err := n.set(ctx, jobs...)
	for _, k := range some {
		if k.err = err; err != nil && len(some) > 1 && !gatehouse.Is(err, gatehouse.Unavailable) {
			k.err = n.set(ctx, k.job)
		}
	}
}

// set writes jobs, trying for a while when the store is away.
func (n *Notify) set(ctx context.Context, jobs ...store.Job) (err error) {
	for range 3 {
		tctx, cancel := context.WithTimeout(ctx, attemptTime)
		_, err = n.DB.SetJobs(tctx, jobs...)
		cancel()
		if err == nil || !gatehouse.Is(err, gatehouse.Unavailable) {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
	return err
}
