package subscription

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// A verb moves a subscription from one of some states to another.
type verb struct {
	name, doing string
	from        []string
	to          string
}

var (
	approve = verb{"approve", "approving", []string{gatehouse.Requested}, gatehouse.Approved}
	reject  = verb{"reject", "rejecting", []string{gatehouse.Requested}, gatehouse.Rejected}
	suspend = verb{"suspend", "suspending", []string{gatehouse.Approved}, gatehouse.Suspended}
	resume  = verb{"resume", "resuming", []string{gatehouse.Suspended}, gatehouse.Approved}
	cancel  = verb{"cancel", "cancelling", []string{gatehouse.Requested, gatehouse.Approved, gatehouse.Suspended}, gatehouse.Cancelled}
	expire  = verb{"expire", "expiring", []string{gatehouse.Approved, gatehouse.Suspended}, gatehouse.Expired}
)

func actor(ctx context.Context) string { return audit.From(ctx).Actor }

// Approve lets a requested subscription through. The product's side decides:
// who is of the team that asked cannot, whatever else they may do.
func (d *Desk) Approve(ctx context.Context, ref, reason string) (*Standing, store.Seq, error) {
	return d.decide(ctx, approve, ref, reason)
}

// Reject turns a requested subscription down; the asking team cannot.
func (d *Desk) Reject(ctx context.Context, ref, reason string) (*Standing, store.Seq, error) {
	return d.decide(ctx, reject, ref, reason)
}

// Suspend stops an approved subscription; its keys are refused until it is
// resumed.
func (d *Desk) Suspend(ctx context.Context, ref, reason string) (*Standing, store.Seq, error) {
	return d.move(ctx, suspend, ref, reason, nil)
}

// Resume lets a suspended subscription go on. The asking team cannot.
func (d *Desk) Resume(ctx context.Context, ref, reason string) (*Standing, store.Seq, error) {
	return d.decide(ctx, resume, ref, reason)
}

// Cancel ends a subscription for good and revokes its keys.
func (d *Desk) Cancel(ctx context.Context, ref, reason string) (*Standing, store.Seq, error) {
	return d.move(ctx, cancel, ref, reason, nil)
}

// decide moves a subscription on behalf of the product's side.
func (d *Desk) decide(ctx context.Context, v verb, ref, reason string) (*Standing, store.Seq, error) {
	return d.move(ctx, v, ref, reason, func(s *Standing) error { return d.Theirs(ctx, actor(ctx), s) })
}

// Theirs refuses a subject that is of the team that asked for the subscription:
// nobody lets their own team in.
func (d *Desk) Theirs(ctx context.Context, subject string, s *Standing) error {
	own, err := d.belongs(ctx, subject, s.Team)
	if err == nil && own {
		err = gatehouse.E(gatehouse.Denied, "team %q asked for it itself", s.Team)
	}
	return err
}

// move carries a verb out; may is asked after the state allows it.
func (d *Desk) move(ctx context.Context, v verb, ref, reason string, may func(*Standing) error) (*Standing, store.Seq, error) {
	s, err := d.Get(ctx, ref)
	if err == nil {
		err = v.allowed(s.Status)
	}
	if err == nil && may != nil {
		err = may(s)
	}
	var acts []audit.Act
	if err == nil {
		acts, err = d.acts(ctx, v, s, reason)
	}
	var seq store.Seq
	if err == nil {
		seq, err = d.trail.Commit(ctx, acts...)
	}
	if err != nil {
		return nil, 0, gatehouse.E(gatehouse.KindOf(err), "%s subscription %q: %w", v.doing, ref, err)
	}
	return s, seq, nil
}

// allowed refuses a move that the state does not have.
func (v verb) allowed(status gatehouse.SubscriptionStatus) error {
	state := status.State
	switch {
	case slices.Contains(v.from, state):
		return nil
	case state == v.to:
		return gatehouse.E(gatehouse.Conflict, "it is %s already", state)
	case status.Over():
		return gatehouse.E(gatehouse.Conflict, "it is %s, which is an end; subscribe again", state)
	}
	return gatehouse.E(gatehouse.Conflict, "it is %s, and only what is %s can be %s", state, join(v.from), v.to)
}

func join(states []string) string {
	text := states[0]
	for i, s := range states[1:] {
		if i == len(states)-2 {
			text += " or " + s
		} else {
			text += ", " + s
		}
	}
	return text
}

// acts are the move's event and, at an end, those of its keys.
func (d *Desk) acts(ctx context.Context, v verb, s *Standing, reason string) ([]audit.Act, error) {
	before, now := s.Status, d.now()
	s.Status.State, s.Status.Since, s.Status.By, s.Status.Reason = v.to, now, actor(ctx), reason
	if v.name == approve.name {
		plan, err := d.plan(ctx, s)
		if err != nil {
			return nil, err
		}
		if s.Status.Expires = (time.Time{}); plan.Expires > 0 {
			s.Status.Expires = now.Add(plan.Expires.Std())
		}
	}
	a, err := s.act("subscription."+v.name, before)
	if err != nil {
		return nil, err
	}
	acts := []audit.Act{a}
	if !s.Status.Over() {
		return acts, nil
	}
	keys, err := d.keys(ctx, s.Ref())
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.Revoked.IsZero() {
			a, err := k.revoke(now, actor(ctx), "subscription "+v.to)
			if err != nil {
				return nil, err
			}
			acts = append(acts, a)
		}
	}
	return acts, nil
}

// Expire ends the subscriptions whose time is over. Every control plane calls
// it now and then; gateways refuse them by themselves, to the second.
func (d *Desk) Expire(ctx context.Context, now time.Time) error {
	q := store.Query{Kind: string(gatehouse.KindSubscription), Sort: "ends", Below: store.Moment(now.Add(time.Microsecond)), Limit: 500}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			if err := d.expire(ctx, rec, now); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

func (d *Desk) expire(ctx context.Context, rec store.Record, now time.Time) error {
	s, err := standingOf(rec)
	if err != nil || s.Status.Over() || s.Status.Expires.IsZero() || now.Before(s.Status.Expires) {
		return err
	}
	_, _, err = d.move(ctx, expire, s.Ref(), "its time is over", nil)
	if gatehouse.Is(err, gatehouse.Conflict) || gatehouse.Is(err, gatehouse.NotFound) {
		return nil // it moved meanwhile
	}
	return err
}
