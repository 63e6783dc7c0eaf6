package subscription

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

// An Ask is a wish to use a product.
type Ask struct {
	Product     string // "payments/commerce"
	Plan        string
	Application string // "billing/invoices"; created when it is new
	Environment string
	// Key asks for the first key, if the subscription is approved and has none.
	Key bool
	// Allow is asked before an application or subscription is written, as in
	// [catalog.Request]; nil allows.
	Allow func(ctx context.Context, writes []catalog.Write) error
}

// An Answer is what became of it.
type Answer struct {
	*Standing
	Key Fresh     // Key.Text is "" when none was made
	Seq store.Seq // of the last change; zero when nothing changed
}

// Subscribe asks for a subscription, or finds the one there is: asking twice
// for the same changes nothing. Its first key comes in the same transaction, so
// that a kill leaves no subscription whose key was lost on the way. After the end (rejected, expired, cancelled) it
// begins anew. One under another plan is a conflict that names it.
func (d *Desk) Subscribe(ctx context.Context, ask Ask) (*Answer, error) {
	for field, ref := range map[string]string{"product": ask.Product, "application": ask.Application} {
		if team, name := gatehouse.ParseRef(ref, ""); team == "" || name == "" {
			return nil, gatehouse.E(gatehouse.Invalid, "subscribing: %s %q is not team/name", field, ref)
		}
	}
	s, err := d.find(ctx, ask)
	if err != nil {
		return nil, err
	}
	a := &Answer{Standing: s}
	switch {
	case s == nil:
		return d.begin(ctx, ask)
	case s.Spec.Plan != ask.Plan && !s.Status.Over():
		return nil, gatehouse.E(gatehouse.Conflict, "subscribing %q to %q under plan %q: subscription %q is %s there under plan %q; cancel it first",
			ask.Application, ask.Product, ask.Plan, s.Ref(), s.Status.State, s.Spec.Plan)
	case s.Status.Over():
		return d.again(ctx, s, ask)
	}
	if wanting, err := d.wantsKey(ctx, s, ask); err != nil || !wanting {
		return a, err
	}
	if a.Key, err = d.CreateKey(ctx, a.Ref(), time.Time{}); err != nil {
		return nil, err
	}
	a.Seq = a.Key.Seq
	return a, nil
}

// wantsKey reports whether a first key is asked for and there is none.
func (d *Desk) wantsKey(ctx context.Context, s *Standing, ask Ask) (bool, error) {
	if !ask.Key || s.Status.State != gatehouse.Approved {
		return false, nil
	}
	live, err := d.live(ctx, s.Ref())
	return err == nil && len(live) == 0, err
}

// find is the subscription of the application to the product in the
// environment; nil when there is none.
func (d *Desk) find(ctx context.Context, ask Ask) (*Standing, error) {
	page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindSubscription), Where: map[string]string{
		"application": ask.Application, "product": ask.Product, "environment": ask.Environment,
	}})
	if err != nil || len(page.Records) == 0 {
		return nil, err
	}
	var last *Standing
	for _, rec := range page.Records {
		s, err := standingOf(rec)
		if err != nil {
			return nil, err
		}
		if !s.Status.Over() {
			return s, nil
		}
		last = s
	}
	return last, nil
}

// begin writes a new subscription with its first key, and its application when
// that is new, in one transaction.
func (d *Desk) begin(ctx context.Context, ask Ask) (*Answer, error) {
	team, app := gatehouse.ParseRef(ask.Application, "")
	name, err := d.name(ctx, team, app, ask)
	if err != nil {
		return nil, err
	}
	req := catalog.Request{Allow: ask.Allow}
	_, err = d.catalog.Get(ctx, gatehouse.KindApplication, team, app, time.Time{})
	switch {
	case gatehouse.Is(err, gatehouse.NotFound):
		absent := store.Absent
		req.Documents = append(req.Documents, catalog.Document{
			Object: document(gatehouse.KindApplication, team, app, &gatehouse.Application{}), Expect: &absent,
		})
	case err != nil:
		return nil, err
	}
	absent := store.Absent
	req.Documents = append(req.Documents, catalog.Document{Action: "subscription.create", Expect: &absent, Object: document(gatehouse.KindSubscription, team, name, &gatehouse.Subscription{
		Application: app, Product: ask.Product, Plan: ask.Plan, Environment: ask.Environment,
	})})
	answer := &Answer{}
	key := gatehouse.Key(gatehouse.KindSubscription, team, name)
	req.Then = func(planned []audit.Act) ([]audit.Act, error) {
		s, err := planOf(planned, key)
		if answer.Standing = s; err != nil || !ask.Key || s.Status.State != gatehouse.Approved {
			return nil, err
		}
		fresh, a, err := answer.fresh("key.create", d.now(), actor(ctx), time.Time{})
		answer.Key = fresh
		return []audit.Act{a}, err
	}
	done, err := d.catalog.Apply(ctx, req)
	if gatehouse.Is(err, gatehouse.Lost) {
		return nil, gatehouse.E(gatehouse.Conflict, "subscribing %q to %q: someone else did so at the same moment; ask again", ask.Application, ask.Product)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "subscribing %q to %q: %w", ask.Application, ask.Product, err)
	}
	answer.Seq, answer.Rev = done.Seq, done.Seq
	if answer.Key.Text != "" {
		answer.Key.Seq = done.Seq
	}
	return answer, nil
}

// planOf is the subscription as it is about to be written.
func planOf(planned []audit.Act, key string) (*Standing, error) {
	for _, a := range planned {
		for _, w := range a.Writes {
			if w.Key == key {
				return standingOf(store.Record{Key: w.Key, Kind: w.Kind, Value: w.Value})
			}
		}
	}
	return nil, gatehouse.E(gatehouse.Internal, "planning %q: nothing is written there", key)
}

func document(kind gatehouse.Kind, team, name string, spec gatehouse.Spec) *gatehouse.Object {
	return &gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Team: team, Name: name}, Spec: spec}
}

// name finds a free one: "<app>-<product>", then with the environment, then
// with the product's team too.
func (d *Desk) name(ctx context.Context, team, app string, ask Ask) (string, error) {
	owner, product := gatehouse.ParseRef(ask.Product, "")
	for _, name := range []string{
		app + "-" + product, app + "-" + product + "-" + ask.Environment, app + "-" + owner + "-" + product + "-" + ask.Environment,
	} {
		name = fit(name)
		_, err := d.db.Get(ctx, gatehouse.Key(gatehouse.KindSubscription, team, name))
		if gatehouse.Is(err, gatehouse.NotFound) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", gatehouse.E(gatehouse.Conflict, "subscribing %q to %q in %q: every name for the subscription is taken; apply a Subscription document with a name of your own",
		ask.Application, ask.Product, ask.Environment)
}

// fit cuts a name to the 63 characters that a name has at most; what is cut is
// kept apart by the beginning of its hash.
func fit(name string) string {
	if len(name) <= 63 {
		return name
	}
	return strings.TrimRight(name[:54], "-") + "-" + sum([]byte(name))[:8]
}

// again begins a subscription anew that had ended.
func (d *Desk) again(ctx context.Context, s *Standing, ask Ask) (*Answer, error) {
	if ask.Allow != nil {
		spec := s.Spec
		spec.Plan = ask.Plan
		after := *s.object
		after.Spec = &spec
		// As one that is new: what was agreed before has ended.
		if err := ask.Allow(ctx, []catalog.Write{{Action: "subscription.put", After: &after}}); err != nil {
			return nil, err
		}
	}
	before := s.Status
	s.Spec.Plan = ask.Plan
	plan, err := d.plan(ctx, s)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "subscribing %q to %q: %w", ask.Application, ask.Product, err)
	}
	s.object.Spec.(*gatehouse.Subscription).Plan = ask.Plan
	if s.stored.Object, err = s.object.Canonical(); err != nil {
		return nil, err
	}
	s.Status = catalog.BeginSubscription(plan, actor(ctx), d.now())
	answer := &Answer{Standing: s}
	a, err := s.act("subscription.create", before)
	if err != nil {
		return nil, err
	}
	acts := []audit.Act{a}
	wanting, err := d.wantsKey(ctx, s, ask)
	if err != nil {
		return nil, err
	}
	if wanting {
		fresh, a, err := s.fresh("key.create", d.now(), actor(ctx), time.Time{})
		if err != nil {
			return nil, err
		}
		answer.Key, acts = fresh, append(acts, a)
	}
	if answer.Seq, err = d.trail.Commit(ctx, acts...); err != nil {
		return nil, err
	}
	if answer.Rev = answer.Seq; wanting {
		answer.Key.Seq = answer.Seq
	}
	return answer, nil
}
