package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A Selection is what of the log is asked for; zero fields ask nothing.
type Selection struct {
	Receiver, Team, State string
	After                 string // of the page before
	Limit                 int
	// Sees narrows to what somebody may see; nil: all.
	Sees func(*Delivery) bool
}

// maxLooked bounds the deliveries that are looked through for one page of those
// that somebody may see.
const maxLooked = 5000

// Deliveries answers a page of deliveries, newest first, and where the next
// begins. With Sees it may hold fewer than are asked for though there are more.
func (n *Notify) Deliveries(ctx context.Context, s Selection) ([]*Delivery, string, error) {
	q := store.JobQuery{Queue: s.Receiver, Group: s.Team, State: s.State}
	if s.After != "" {
		at, id, ok := strings.Cut(s.After, "~")
		t, err := time.Parse(time.RFC3339Nano, at)
		if !ok || err != nil || id == "" {
			return nil, "", gatehouse.E(gatehouse.Invalid, "reading cursor %.40q: it is not one that this list gave", s.After)
		}
		q.After = store.JobCursor{Created: t, ID: id}
	}
	list := []*Delivery{}
	for looked := 0; ; {
		// One more than are wanted, to know whether there are more.
		q.Limit = s.Limit - len(list) + 1
		jobs, err := n.DB.Jobs(ctx, q)
		if err != nil {
			return nil, "", err
		}
		more := len(jobs) == q.Limit
		if more {
			jobs = jobs[:q.Limit-1]
		}
		for i := range jobs {
			d, err := deliveryOf(&jobs[i])
			if err != nil {
				return nil, "", err
			}
			q.After = store.JobCursor{Created: d.Created, ID: d.ID}
			if s.Sees == nil || s.Sees(d) {
				list = append(list, d)
			}
		}
		looked += len(jobs)
		switch {
		case !more:
			return list, "", nil
		case len(list) >= s.Limit || looked >= maxLooked:
			return list, q.After.Created.Format(time.RFC3339Nano) + "~" + q.After.ID, nil
		}
	}
}

// Get reads one delivery.
func (n *Notify) Get(ctx context.Context, id string) (*Delivery, error) {
	d, _, err := n.get(ctx, id)
	return d, err
}

func (n *Notify) get(ctx context.Context, id string) (*Delivery, int64, error) {
	jobs, err := n.DB.Jobs(ctx, store.JobQuery{ID: id, Limit: 1})
	if err != nil {
		return nil, 0, err
	}
	if len(jobs) == 0 {
		return nil, 0, gatehouse.E(gatehouse.NotFound, "there is no delivery %q; the log keeps them for %d days", id, int(Keep.Hours()/24))
	}
	d, err := deliveryOf(&jobs[0])
	return d, jobs[0].Rev, err
}

// Replay lets a delivery be tried anew at once, under its id, for as long as a
// new one would be.
func (n *Notify) Replay(ctx context.Context, id string) (*Delivery, error) {
	d, rev, err := n.get(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.State == Waiting {
		return nil, gatehouse.E(gatehouse.Conflict, "replaying delivery %q: it waits to be tried, next at %s", id, d.Due.Format(time.RFC3339))
	}
	if _, err := n.Receiver(ctx, d.Receiver); err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "replaying delivery %q: %w", id, err)
	}
	if err := n.roomFor(ctx, d.Receiver); err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "replaying delivery %q: %w", id, err)
	}
	d.State, d.Begun, d.Due, d.Tried, d.Error = Waiting, n.now(), n.now(), 0, ""
	job, err := d.job(rev)
	if err != nil {
		return nil, err
	}
	_, err = n.Trail.Commit(ctx, audit.Act{Action: "notification.replay", Object: object(d.Receiver), Team: d.Team, Reason: "delivery " + id, Jobs: []store.Job{job}})
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "replaying delivery %q: %w", id, err)
	}
	n.release(d.Receiver)
	n.stir()
	return d, nil
}

func (n *Notify) roomFor(ctx context.Context, receiver string) error {
	queues, err := n.DB.JobQueues(ctx)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if q.Queue == receiver && q.Waiting >= MaxWaiting {
			return gatehouse.E(gatehouse.Conflict, "%d deliveries wait for receiver %q already", q.Waiting, receiver)
		}
	}
	return nil
}

// Test sends a receiver a message that says only that it is one.
func (n *Notify) Test(ctx context.Context, receiver string) (*Delivery, error) {
	r, err := n.Receiver(ctx, receiver)
	if err != nil {
		return nil, err
	}
	if err := n.roomFor(ctx, receiver); err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "testing receiver %q: %w", receiver, err)
	}
	var random [8]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	now := n.now()
	id := fmt.Sprintf("msg_test_%s", hex.EncodeToString(random[:]))
	body, err := jsonx.Marshal(&Envelope{SpecVersion: "1.0", ID: id, Source: n.Source, Type: "notification.test", Subject: object(receiver), Time: now, ContentType: "application/json",
		Data: Data{Action: "notification.test", Object: object(receiver), Team: r.Team, Outcome: gatehouse.Allowed, Actor: audit.From(ctx).Actor}})
	if err != nil {
		return nil, err
	}
	d := &Delivery{ID: id, Receiver: r.ID, Channel: r.Channel, Type: "notification.test", Subject: object(receiver), Begun: now, Body: body,
		State: Waiting, Team: r.Team, Created: now, Due: now}
	job, err := d.job(0)
	if err != nil {
		return nil, err
	}
	if _, err := n.Trail.Commit(ctx, audit.Act{Action: "notification.test", Object: object(receiver), Team: r.Team, Reason: "delivery " + id, Jobs: []store.Job{job}}); err != nil {
		return nil, err
	}
	n.release(r.ID)
	n.stir()
	return d, nil
}
