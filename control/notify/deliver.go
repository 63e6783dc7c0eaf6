package notify

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

const (
	// lookEvery is how often what other processes made is looked for.
	lookEvery = 2 * time.Second
	// grace is what attempts under way have left when the process ends.
	grace = 3 * time.Second
)

// pauses are the waits after failed attempts; the last one goes on until
// [GiveUp] is over.
var pauses = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

func pause(n int) time.Duration { return pauses[min(n, len(pauses))-1] }

// dispatch delivers what is due until ctx ends, and waits for what is under
// way then, within grace.
func (n *Notify) dispatch(ctx context.Context) {
	for n.Alone && ctx.Err() == nil {
		err := n.takeBack(ctx)
		if err == nil || !rest(ctx, time.Second) {
			break
		}
		n.Log.Error("taking back notifications that were under way", "error", err)
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	for ctx.Err() == nil {
		next, err := n.round(ctx, work, &wg)
		if err != nil && ctx.Err() == nil {
			n.Log.Error("delivering notifications", "error", err)
			next = n.now().Add(time.Second)
		}
		t := time.NewTimer(min(max(next.Sub(n.now()), 10*time.Millisecond), lookEvery))
		select {
		case <-ctx.Done():
		case <-n.wake:
		case <-t.C:
		}
		t.Stop()
	}
	late := time.AfterFunc(grace, stop)
	defer late.Stop()
	wg.Wait()
}

// round begins attempts of what is due, as many as there is room for, and
// tells when something is due next.
func (n *Notify) round(ctx, work context.Context, wg *sync.WaitGroup) (next time.Time, err error) {
	queues, err := n.DB.JobQueues(ctx)
	if err != nil {
		return next, err
	}
	n.forget(queues)
	now := n.now()
	next = now.Add(lookEvery)
	// No receiver is always first.
	rand.Shuffle(len(queues), func(i, j int) { queues[i], queues[j] = queues[j], queues[i] })
	var due []store.Job
	for _, q := range queues {
		if q.Next.After(now) {
			if q.Next.Before(next) {
				next = q.Next
			}
			continue
		}
		room := n.room(q.Queue, now)
		if room == 0 {
			if held := n.heldUntil(q.Queue); held.After(now) && held.Before(next) {
				next = held
			}
			continue // else whoever is done stirs
		}
		more, err := n.DB.Jobs(ctx, store.JobQuery{Queue: q.Queue, Due: now, Limit: room})
		if err != nil {
			return next, n.begin(ctx, work, wg, due, now, err)
		}
		for range more {
			n.began(q.Queue)
		}
		if due = append(due, more...); len(due) < claimMost {
			continue
		}
		if err := n.begin(ctx, work, wg, due, now, nil); err != nil {
			return next, err
		}
		due = nil
	}
	return next, n.begin(ctx, work, wg, due, now, nil)
}

// claimMost is about how many deliveries are taken with one write.
const claimMost = 32

// begin takes deliveries that are counted as begun and starts their attempts,
// but for those that another process took meanwhile.
func (n *Notify) begin(ctx, work context.Context, wg *sync.WaitGroup, due []store.Job, now time.Time, err error) error {
	var mine []store.Job
	if err == nil {
		mine, err = n.claim(ctx, due, now)
	}
	taken := make(map[string]bool, len(mine))
	for _, j := range mine {
		taken[j.ID] = true
		wg.Go(func() {
			defer n.ended(j.Queue, true)
			n.attempt(work, j)
		})
	}
	for i := range due {
		if !taken[due[i].ID] {
			n.ended(due[i].Queue, false)
		}
	}
	return err
}

// claim takes deliveries for as long as a lease.
func (n *Notify) claim(ctx context.Context, due []store.Job, now time.Time) ([]store.Job, error) {
	jobs := make([]store.Job, len(due))
	for i := range due {
		d, err := deliveryOf(&due[i])
		if err != nil {
			return nil, err
		}
		d.Due, d.Taken = now.Add(leaseTime), now
		if jobs[i], err = d.job(due[i].Rev); err != nil {
			return nil, err
		}
	}
	return n.DB.SetJobs(ctx, jobs...)
}

// attempt tries one delivery and keeps what became of it.
func (n *Notify) attempt(ctx context.Context, j store.Job) {
	d, err := deliveryOf(&j)
	if err != nil {
		n.Log.Error("delivering a notification", "error", err)
		return
	}
	began := n.now()
	d.Taken = time.Time{}
	tctx, cancel := context.WithTimeout(ctx, attemptTime)
	o := n.try(tctx, d)
	cancel()
	if ctx.Err() != nil && o.err != nil {
		d.Due = n.now() // the process ends; another goes on
	} else {
		n.heard(d.Receiver, o)
		n.settle(d, began, o)
	}
	job, err := d.job(j.Rev)
	if err == nil {
		err = n.keep(context.WithoutCancel(ctx), job)
	}
	if err != nil {
		// It is tried again when the lease is over, under the same id.
		n.Log.Error("keeping what became of a notification", "delivery", d.ID, "error", err)
	}
}

// try makes one attempt at the receiver as it is now.
func (n *Notify) try(ctx context.Context, d *Delivery) outcome {
	r, err := n.Receiver(ctx, d.Receiver)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return outcome{err: err, gone: true}
	}
	if err != nil {
		return outcome{err: err}
	}
	if r.Channel == Hook {
		return n.post(audit.WithRequest(ctx, audit.Request{Actor: "system", Authentication: "none"}), r, d)
	}
	if n.Mail == nil {
		return outcome{err: gatehouse.E(gatehouse.Unavailable, "the control plane has no mail server: start it with --smtp-url and --smtp-from")}
	}
	return outcome{err: n.Mail.send(ctx, r.Target, d)}
}

// settle decides what an attempt leads to.
func (n *Notify) settle(d *Delivery, began time.Time, o outcome) {
	now := n.now()
	a := Attempt{Time: began, Status: o.status, Millis: now.Sub(began).Milliseconds()}
	d.Tried++
	if o.err != nil {
		a.Error = clip(audit.Mask(o.err.Error()))
	}
	d.Attempts = append(d.Attempts, a)
	if extra := len(d.Attempts) - maxAttempts; extra > 0 {
		d.Attempts = d.Attempts[extra:]
	}
	if o.err == nil {
		d.State, d.Due, d.Error = Delivered, time.Time{}, ""
		return
	}
	wait := n.Pause(d.Tried)
	wait = max(wait*4/5+rand.N(wait*2/5+1), o.after) // a fifth more or less
	d.Due = now.Add(wait)
	switch {
	case o.gone:
		d.State, d.Due, d.Error = dying, time.Time{}, a.Error
	case d.Due.Sub(d.Begun) > GiveUp:
		d.State, d.Due, d.Error = dying, time.Time{}, "given up after "+now.Sub(d.Begun).Round(time.Minute).String()+": "+a.Error
	}
}

func clip(s string) string {
	const most = 500
	if len(s) > most {
		return s[:most]
	}
	return s
}
