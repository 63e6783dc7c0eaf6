package notify

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

const (
	cursorKey  = "Cursor/notify"
	cursorKind = "Cursor"
	// chunk is about how many changes and events go at once.
	chunk = 250
	// stride is how many events that concern nobody are passed before the
	// cursor is written for their sake.
	stride = 5000
)

// A cursor is up to where deliveries were made. Receivers are those of batch
// Seq, and events up to number Event have had theirs.
type cursor struct {
	Seq   store.Seq `json:"seq"`
	Event int64     `json:"event"`
}

// A follower reads the trail. What it makes of it is determined by the records
// alone, so that it does not matter which process's follower is ahead.
type follower struct {
	n       *Notify
	done    cursor    // as the store has it
	rev     store.Seq // of the cursor's record
	seq     store.Seq // receivers stand as of this batch
	event   int64     // events up to here were looked at
	by      map[string][]Receiver
	pending []store.Job
}

// follow works until ctx ends. What it cannot do now it does later.
func (n *Notify) follow(ctx context.Context) {
	for ctx.Err() == nil {
		f, err := n.newFollower(ctx)
		for err == nil {
			var moved bool
			if moved, err = f.step(ctx); err == nil && !moved {
				err = n.DB.Wait(ctx, f.seq)
			}
		}
		if ctx.Err() != nil {
			return
		}
		n.Log.Error("following the trail for notifications", "error", err)
		rest(ctx, time.Second)
	}
}

// newFollower goes on where the last one stopped; the first of all begins with
// what happens next.
func (n *Notify) newFollower(ctx context.Context) (*follower, error) {
	f := &follower{n: n, by: map[string][]Receiver{}}
	err := f.read(ctx)
	if gatehouse.Is(err, gatehouse.NotFound) {
		var head store.Head
		if head, err = n.DB.Head(ctx); err != nil {
			return nil, err
		}
		f.done = cursor{head.Seq, head.Event}
		if err = f.write(ctx, f.done, nil); gatehouse.Is(err, gatehouse.Conflict) {
			err = f.read(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	if f.seq, f.event = f.done.Seq, f.done.Event; f.seq == 0 {
		return f, nil // it began with an empty store
	}
	for _, kind := range []gatehouse.Kind{gatehouse.KindWebhook, gatehouse.KindTeam} {
		err := n.each(ctx, store.Query{Kind: string(kind), AsOf: f.seq, Limit: 500}, func(rec *store.Record) { f.take(rec) })
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// take keeps the receivers that a record names.
func (f *follower) take(rec *store.Record) {
	if rec.Kind != string(gatehouse.KindWebhook) && rec.Kind != string(gatehouse.KindTeam) {
		return
	}
	delete(f.by, rec.Key)
	if rec.Value == nil {
		return
	}
	if list := receivers(rec); len(list) > 0 {
		f.by[rec.Key] = list
	}
}

func (f *follower) read(ctx context.Context) error {
	rec, err := f.n.DB.Get(ctx, cursorKey)
	if err == nil {
		err = json.Unmarshal(rec.Value, &f.done)
	}
	if err == nil {
		f.rev = rec.Rev
	}
	return err
}

// write moves the cursor and makes deliveries, both or neither.
func (f *follower) write(ctx context.Context, to cursor, jobs []store.Job) error {
	value, err := jsonx.Marshal(&to)
	if err != nil {
		return err
	}
	seq, err := f.n.DB.Apply(ctx, store.Batch{Jobs: jobs, Writes: []store.Write{{Key: cursorKey, Kind: cursorKind, Value: value, Expect: f.rev}}})
	if err == nil {
		f.done, f.rev = to, seq
	}
	return err
}

// step takes some changes and events; moved is false when there were none.
func (f *follower) step(ctx context.Context) (moved bool, err error) {
	changes, last, err := f.n.DB.Changes(ctx, f.seq, chunk)
	if err != nil || last == f.seq {
		return false, err
	}
	var events []*gatehouse.Event
	for e, err := range f.n.DB.Events(ctx, store.EventQuery{After: f.event, Limit: chunk}) {
		if err != nil {
			return false, err
		}
		if e.Seq > int64(last) {
			break
		}
		events = append(events, e)
	}
	for _, e := range events {
		for len(changes) > 0 && int64(changes[0].Seq) <= e.Seq {
			f.take(&changes[0].Record)
			changes = changes[1:]
		}
		if err := f.heard(ctx, e); err != nil {
			return false, err
		}
	}
	if len(events) == chunk {
		// There may be more of the last event's batch: its changes are taken
		// again with them.
		f.seq = max(f.seq, store.Seq(events[chunk-1].Seq)-1)
	} else {
		for i := range changes {
			f.take(&changes[i].Record)
		}
		f.seq = last
	}
	if len(f.pending) > 0 || f.event-f.done.Event >= stride {
		return true, f.flush(ctx, cursor{f.seq, f.event})
	}
	return true, nil
}

// heard makes the deliveries of one event.
func (f *follower) heard(ctx context.Context, e *gatehouse.Event) error {
	f.event = e.Number
	if e.Number <= f.done.Event {
		return nil // another process was faster
	}
	var whom audience
	asked := false
	for _, list := range f.by {
		for i := range list {
			r := &list[i]
			if !r.wants(e) {
				continue
			}
			if !asked {
				var err error
				if whom, err = f.n.concerns(ctx, e); err != nil {
					return err
				}
				asked = true
			}
			hears, whole := whom.hears(r)
			if !hears {
				continue
			}
			body, err := f.n.envelope(e, whole)
			if err != nil {
				return err
			}
			d := &Delivery{ID: deliveryID(e.Number, r.ID), Receiver: r.ID, Channel: r.Channel, Event: e.Number, Type: e.Action, Subject: e.Object, Body: body,
				Begun: f.n.now(), State: Waiting, Team: r.Team, Created: f.n.now()}
			d.Due = d.Begun
			job, err := d.job(0)
			if err != nil {
				return err
			}
			f.pending = append(f.pending, job)
		}
	}
	return nil
}

// flush makes what is pending. Where another process wrote the cursor
// meanwhile, what it has made is left out.
func (f *follower) flush(ctx context.Context, to cursor) error {
	for {
		if err := f.crowded(ctx); err != nil {
			return err
		}
		err := f.write(ctx, to, f.pending)
		if err == nil {
			if len(f.pending) > 0 {
				f.n.stir()
			}
			f.pending = nil
			return nil
		}
		if !gatehouse.Is(err, gatehouse.Conflict) {
			return err
		}
		if err := f.read(ctx); err != nil {
			return err
		}
		var left []store.Job
		for _, j := range f.pending {
			if d, err := deliveryOf(&j); err == nil && d.Event > f.done.Event {
				left = append(left, j)
			}
		}
		if f.pending = left; len(left) == 0 {
			return nil
		}
	}
}

// crowded gives up at once what finds its receiver's line full.
func (f *follower) crowded(ctx context.Context) error {
	if len(f.pending) == 0 {
		return nil
	}
	queues, err := f.n.DB.JobQueues(ctx)
	if err != nil {
		return err
	}
	waiting := map[string]int64{}
	for _, q := range queues {
		waiting[q.Queue] = q.Waiting
	}
	for i, j := range f.pending {
		if j.Due.IsZero() {
			continue
		}
		if waiting[j.Queue]++; waiting[j.Queue] <= MaxWaiting {
			continue
		}
		d, err := deliveryOf(&j)
		if err != nil {
			return err
		}
		d.State, d.Due, d.Error = dying, time.Time{}, "its line is full: too many deliveries wait for the receiver"
		if f.pending[i], err = d.job(0); err != nil {
			return err
		}
	}
	return nil
}

// job is the delivery as the store keeps it, replacing the one at rev.
func (d *Delivery) job(rev int64) (store.Job, error) {
	value, err := jsonx.Marshal(d)
	return store.Job{
		ID: d.ID, Queue: d.Receiver, Group: d.Team, State: d.State, Due: d.Due, Created: d.Created, Value: value, Rev: rev,
	}, err
}

func deliveryOf(j *store.Job) (*Delivery, error) {
	d := &Delivery{State: j.State, Team: j.Group, Created: j.Created, Due: j.Due}
	if err := json.Unmarshal(j.Value, d); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading delivery %q: %w", j.ID, err)
	}
	return d, nil
}
