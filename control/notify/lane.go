package notify

import (
	"context"
	"slices"
	"time"

	"gatehouse/store"
)

// A lane is what this process knows of a receiver with attempts under way or
// troubles. Other processes learn it by themselves.
type lane struct {
	running int       // attempts under way
	failing bool      // the last attempt failed: one at a time until one does not
	held    time.Time // it asked to be left alone until then
}

// room is how many attempts of a receiver may begin now. Whatever others do, one
// of each may, so that receivers that hang do not stand in the way of one that
// does not; [AtOnceOfAll] is there for memory and descriptors alone.
func (n *Notify) room(queue string, now time.Time) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	var l lane
	if known := n.lanes[queue]; known != nil {
		l = *known
	}
	switch {
	case l.held.After(now) || n.all >= AtOnceOfAll:
		return 0
	case l.running == 0 && (l.failing || n.all >= AtOnce):
		return 1
	case l.failing:
		return 0
	}
	return max(0, min(AtOnceOf-l.running, AtOnce-n.all))
}

// began and ended keep count of attempts; after one that was made there may be
// room for another.
func (n *Notify) began(queue string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lane(queue).running++
	n.all++
}

func (n *Notify) ended(queue string, stir bool) {
	n.mu.Lock()
	n.lane(queue).running--
	n.all--
	n.tidy(queue)
	n.mu.Unlock()
	if stir {
		n.stir()
	}
}

// heard takes in what an attempt told of its receiver.
func (n *Notify) heard(queue string, o outcome) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.lane(queue)
	l.failing, l.held = o.err != nil && !o.gone, time.Time{}
	if o.after > 0 {
		l.held = n.now().Add(o.after)
	}
}

// release lets a receiver be tried although it asked to be left alone: a person
// wants it.
func (n *Notify) release(queue string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.lanes[queue]; l != nil {
		l.held = time.Time{}
		n.tidy(queue)
	}
}

// heldUntil is when a receiver may be tried again, the zero time when it may now.
func (n *Notify) heldUntil(queue string) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.lanes[queue]; l != nil {
		return l.held
	}
	return time.Time{}
}

// forget drops what is known of receivers for which nothing waits.
func (n *Notify) forget(queues []store.JobQueue) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, l := range n.lanes {
		if l.running == 0 && !slices.ContainsFunc(queues, func(q store.JobQueue) bool { return q.Queue == id }) {
			delete(n.lanes, id)
		}
	}
}

// lane and tidy are for who holds mu.
func (n *Notify) lane(queue string) *lane {
	l := n.lanes[queue]
	if l == nil {
		l = new(lane)
		n.lanes[queue] = l
	}
	return l
}

func (n *Notify) tidy(queue string) {
	if l := n.lanes[queue]; l != nil && *l == (lane{}) {
		delete(n.lanes, queue)
	}
}

// takeBack makes due what a process that died had taken, where no other process
// can be at it: it is the only one with this store.
func (n *Notify) takeBack(ctx context.Context) error {
	now := n.now()
	for q := (store.JobQuery{State: Waiting, Limit: 500}); ; {
		page, err := n.DB.Jobs(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		last := page[len(page)-1]
		q.After = store.JobCursor{Created: last.Created, ID: last.ID}
		var taken []store.Job
		for i := range page {
			if d, err := deliveryOf(&page[i]); err == nil && !d.Taken.IsZero() && page[i].Due.After(now) {
				page[i].Due = now
				taken = append(taken, page[i])
			}
		}
		if _, err := n.DB.SetJobs(ctx, taken...); err != nil {
			return err
		}
	}
}
