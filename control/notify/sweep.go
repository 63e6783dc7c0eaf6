package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/control/audit"
	"gatehouse/store"
)

// sweepMost bounds what one sweep looks at; the next one goes on.
const sweepMost = 1000

// dropEvery is how often the log is shortened.
const dropEvery = 10 * time.Minute

// Sweep puts on record what was given up, once for each receiver and sweep, and
// drops what the log need not keep.
func (n *Notify) Sweep(ctx context.Context) error {
	lost, err := n.DB.Jobs(ctx, store.JobQuery{State: dying, Limit: sweepMost})
	if err != nil {
		return err
	}
	by := map[string][]*Delivery{}
	jobs := map[string][]store.Job{}
	for i := range lost {
		d, err := deliveryOf(&lost[i])
		if err != nil {
			return err
		}
		d.State = Dead
		job, err := d.job(lost[i].Rev)
		if err != nil {
			return err
		}
		by[d.Receiver], jobs[d.Receiver] = append(by[d.Receiver], d), append(jobs[d.Receiver], job)
	}
	var acts []audit.Act
	for _, id := range slices.Sorted(maps.Keys(by)) {
		reason := "1 delivery was given up"
		if k := len(by[id]); k > 1 {
			reason = fmt.Sprintf("%d deliveries were given up", k)
		}
		acts = append(acts, audit.Act{
			Action: "notification.dead", Object: object(id), Team: by[id][0].Team, Jobs: jobs[id],
			Reason: fmt.Sprintf("%s; the last, %s: %s", reason, by[id][0].ID, by[id][0].Error),
		})
	}
	if len(acts) > 0 {
		if _, err := n.Trail.Commit(ctx, acts...); err != nil {
			return err
		}
	}
	return n.drop(ctx)
}

// drop shortens the log, now and then.
func (n *Notify) drop(ctx context.Context) error {
	now := n.now()
	n.mu.Lock()
	due := now.Sub(n.dropped) >= dropEvery || now.Before(n.dropped)
	if due {
		n.dropped = now
	}
	n.mu.Unlock()
	if !due {
		return nil
	}
	for {
		gone, err := n.DB.DropJobs(ctx, store.JobDrop{Before: now.Add(-Keep), Keep: KeepOf, Limit: sweepMost})
		if err != nil || gone < sweepMost {
			return err
		}
	}
}
