package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/subscription"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// subscriptionRoom carries out the routes of subscriptions and keys.
type subscriptionRoom struct {
	catalogRoom
	desk *subscription.Desk
}

// BindSubscriptions binds subscribing, deciding, and keys.
func (s *Server) BindSubscriptions(d *subscription.Desk, g *access.Guard) {
	r := subscriptionRoom{catalogRoom{Server: s, guard: g}, d}
	bind(s, adminapi.Subscribe, r.subscribe)
	bind(s, adminapi.ApproveSubscription, r.decide(d.Approve, product))
	bind(s, adminapi.RejectSubscription, r.decide(d.Reject, product))
	bind(s, adminapi.SuspendSubscription, r.decide(d.Suspend, either))
	bind(s, adminapi.ResumeSubscription, r.decide(d.Resume, product))
	bind(s, adminapi.CancelSubscription, r.decide(d.Cancel, either))
	bind(s, adminapi.ListKeys, r.keys)
	bind(s, adminapi.CreateKey, r.createKey)
	bind(s, adminapi.RotateKey, r.rotateKey)
	bind(s, adminapi.RevokeKey, func(ctx context.Context, in *adminapi.RevokeKeyRequest) (*adminapi.Revoked, error) {
		seq, err := d.RevokeKey(ctx, in.Team+"/"+in.Name, in.Key)
		out := new(adminapi.Revoked)
		out.Body.Seq = int64(seq)
		return out, err
	})
}

func (r subscriptionRoom) subscribe(ctx context.Context, in *adminapi.SubscribeRequest) (*adminapi.SubscribeAnswer, error) {
	b := &in.Body
	team, _ := gatehouse.ParseRef(b.Application, "")
	if team == "" {
		return nil, gatehouse.E(gatehouse.Invalid, "subscribing: application %q is not team/name", b.Application)
	}
	if err := r.allow(ctx, "subscription.create", "team/"+team); err != nil {
		return nil, err
	}
	a, err := r.desk.Subscribe(ctx, subscription.Ask{
		Product: b.Product, Plan: b.Plan, Application: b.Application, Environment: b.Environment, Key: b.Key, Allow: r.allowWrites,
	})
	if err != nil {
		return nil, err
	}
	out := &adminapi.SubscribeAnswer{}
	out.Body.Subscription, out.Body.State, out.Body.Key, out.Body.Seq = a.Ref(), a.Status.State, a.Key.Text, int64(a.Seq)
	return out, nil
}

// A side says whose permission a decision takes.
type side int

const (
	product side = iota // the team's whose product it is
	either              // that, or the subscribing team's
)

// decide carries out a verb. Permission is asked on the product, because its
// side decides; for some verbs the subscription's side may too.
func (r subscriptionRoom) decide(do func(context.Context, string, string) (*subscription.Standing, store.Seq, error), by side) func(context.Context, *adminapi.DecideSubscriptionRequest) (*adminapi.SubscriptionAnswer, error) {
	return func(ctx context.Context, in *adminapi.DecideSubscriptionRequest) (*adminapi.SubscriptionAnswer, error) {
		ref, reason := in.Team+"/"+in.Name, ""
		if in.Body != nil {
			reason = in.Body.Reason
		}
		now, err := r.desk.Get(ctx, ref)
		if gatehouse.Is(err, gatehouse.NotFound) {
			// Whether there is such a one is not told to who may not decide.
			if e := r.allow(ctx, stateOf(ctx).op.Action, "Subscription/"+ref); e != nil {
				return nil, e
			}
		}
		if err != nil {
			return nil, err
		}
		if err := r.side(ctx, now, by); err != nil {
			return nil, err
		}
		s, seq, err := do(ctx, ref, reason)
		if err != nil {
			return nil, err
		}
		out := &adminapi.SubscriptionAnswer{}
		out.Body.Subscription, out.Body.SubscriptionStatus, out.Body.Seq = s.Ref(), s.Status, int64(seq)
		return out, nil
	}
}

func (r subscriptionRoom) side(ctx context.Context, s *subscription.Standing, by side) error {
	action := stateOf(ctx).op.Action
	if by == either && r.allow(ctx, action, "Subscription/"+s.Ref()) == nil {
		return nil
	}
	err := r.allow(ctx, action, "Product/"+s.Product())
	if err != nil && by == product {
		// Who asked is told why it is not for them, rather than which role
		// would do: none would.
		if own := r.desk.Theirs(ctx, audit.From(ctx).Actor, s); own != nil {
			return own
		}
	}
	return err
}

func (r subscriptionRoom) keys(ctx context.Context, in *adminapi.ListKeysRequest) (*adminapi.Keys, error) {
	all, err := r.desk.Keys(ctx, in.Team+"/"+in.Name)
	if err != nil {
		return nil, err
	}
	all, next, err := paged(all, in.Paged, func(k *subscription.Key) string { return inTime(k.Created, k.ID) })
	if err != nil {
		return nil, err
	}
	out := &adminapi.Keys{}
	out.Body.Items, out.Body.Next = []adminapi.KeyItem{}, next
	now := r.desk.Now()
	for _, k := range all {
		out.Body.Items = append(out.Body.Items, adminapi.KeyItem{
			ID: k.ID, State: k.State(now), Created: k.Created, CreatedBy: k.CreatedBy, Expires: k.Expires, Revoked: k.Revoked,
		})
	}
	return out, nil
}

func (r subscriptionRoom) createKey(ctx context.Context, in *adminapi.CreateKeyRequest) (*adminapi.NewKey, error) {
	var expires time.Time
	if in.Body != nil {
		expires = in.Body.Expires
	}
	return newKey(r.desk.CreateKey(ctx, in.Team+"/"+in.Name, expires))
}

func (r subscriptionRoom) rotateKey(ctx context.Context, in *adminapi.RotateKeyRequest) (*adminapi.NewKey, error) {
	id, overlap := "", time.Duration(0)
	if in.Body != nil {
		if id = in.Body.Key; in.Body.Overlap != "" {
			d, err := jsonx.ParseDuration(in.Body.Overlap)
			if err != nil {
				return nil, gatehouse.E(gatehouse.Invalid, "overlap: %w", err)
			}
			if overlap = d.Std(); overlap == 0 {
				return nil, gatehouse.E(gatehouse.Invalid, "overlap: %q would end the old key at once; revoke it and create one", in.Body.Overlap)
			}
		}
	}
	return newKey(r.desk.RotateKey(ctx, in.Team+"/"+in.Name, id, overlap))
}

func newKey(f subscription.Fresh, err error) (*adminapi.NewKey, error) {
	out := &adminapi.NewKey{}
	out.Body.ID, out.Body.Key, out.Body.Expires, out.Body.Seq = f.ID, f.Text, f.Expires, int64(f.Seq)
	return out, err
}
