package catalog

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// subscriptions gives new ones their state, and refuses changes that would be
// another subscription.
func (p *Plan) subscriptions(ctx context.Context) error {
	for _, it := range p.order {
		s, ok := specOf[*gatehouse.Subscription](it)
		if !ok || !it.changed {
			continue
		}
		product, err := p.After(ctx, "Product/"+qualify(s.Product, it.object.Metadata.Team))
		if err != nil {
			return err
		}
		if product == nil {
			continue
		}
		plan := FindPlan(product.Spec.(*gatehouse.Product), s.Plan)
		if plan == nil {
			continue
		}
		var status gatehouse.SubscriptionStatus
		if it.was == nil {
			status = BeginSubscription(plan, p.Actor, p.Now)
		} else if status, err = p.resubscribe(it, s, plan); err != nil {
			return err
		}
		if it.status, err = json.Marshal(status); err != nil {
			return err
		}
	}
	return nil
}

// FindPlan is the product's plan of that name, nil if there is none.
func FindPlan(p *gatehouse.Product, name string) *gatehouse.Plan {
	for i := range p.Plans {
		if p.Plans[i].Name == name {
			return &p.Plans[i]
		}
	}
	return nil
}

// BeginSubscription is the state in which a subscription to a plan begins:
// approved by an automatic plan, else requested by actor.
func BeginSubscription(plan *gatehouse.Plan, actor string, now time.Time) gatehouse.SubscriptionStatus {
	s := gatehouse.SubscriptionStatus{State: gatehouse.Requested, Since: now, AskedBy: actor}
	if plan.Approval == "automatic" {
		s.State, s.By = gatehouse.Approved, "plan"
		if plan.Expires > 0 {
			s.Expires = now.Add(plan.Expires.Std())
		}
	}
	return s
}

// resubscribe is the state of a subscription whose document changes.
func (p *Plan) resubscribe(it *item, s *gatehouse.Subscription, plan *gatehouse.Plan) (gatehouse.SubscriptionStatus, error) {
	var status gatehouse.SubscriptionStatus
	if err := json.Unmarshal(it.was.stored.Status, &status); err != nil {
		return status, gatehouse.E(gatehouse.Internal, "reading %s: %w", it.object.Ref(), err)
	}
	was, team := it.was.object.Spec.(*gatehouse.Subscription), it.object.Metadata.Team
	switch {
	case qualify(was.Application, team) != qualify(s.Application, team) || qualify(was.Product, team) != qualify(s.Product, team) || was.Environment != s.Environment:
		return status, gatehouse.E(gatehouse.Conflict,
			"changing %s: application, product and environment are what a subscription is; cancel it and subscribe again", it.object.Ref())
	case was.Plan == s.Plan:
		return status, nil
	case plan.Approval != "automatic":
		return status, gatehouse.E(gatehouse.Conflict,
			"changing %s from plan %q to %q: plan %q needs approval; cancel it and subscribe again", it.object.Ref(), was.Plan, s.Plan, s.Plan)
	case status.State == gatehouse.Requested || status.State == gatehouse.Approved:
		return BeginSubscription(plan, p.Actor, p.Now), nil
	}
	return status, nil
}

// dropKeys deletes the keys of subscriptions that are deleted.
func (p *Plan) dropKeys(ctx context.Context) error {
	for _, it := range p.order {
		if !it.deleted() || it.kind != gatehouse.KindSubscription {
			continue
		}
		found, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindKey), Where: map[string]string{"subscription": it.ref}})
		if err != nil {
			return err
		}
		for _, rec := range found {
			it.writes = append(it.writes, store.Write{Key: rec.Key, Kind: rec.Kind, Expect: rec.Rev})
		}
	}
	return nil
}
