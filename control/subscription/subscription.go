// Package subscription lets an application use a product through a plan.
//
// A subscription ties one application of one team to one product under one
// plan in one environment, and owns the keys that prove it. It begins
// requested, or approved where the plan says so, and moves only as the table in
// state.go says; a team that wants in again after the end asks again, so the
// trail stays a line.
//
// This package decides and records. It sends no mail and knows no gateway:
// package compile turns approved subscriptions and live keys into what
// gateways need. Documents are package catalog's, which also lets subscriptions
// in that come as files.
package subscription

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A Desk takes what people ask about subscriptions and keys. It is safe for
// use by several goroutines and processes.
type Desk struct {
	catalog *catalog.Catalog
	trail   *audit.Trail
	db      store.DB
}

// New makes the desk of what trail writes.
func New(trail *audit.Trail, c *catalog.Catalog) *Desk {
	return &Desk{catalog: c, trail: trail, db: trail.DB}
}

// Now is the desk's clock.
func (d *Desk) Now() time.Time { return d.now() }

func (d *Desk) now() time.Time {
	if d.trail.Now != nil {
		return d.trail.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

// A Standing is a subscription with its state.
type Standing struct {
	Team, Name string
	Spec       gatehouse.Subscription
	Status     gatehouse.SubscriptionStatus
	Rev        store.Seq

	object *gatehouse.Object
	stored gatehouse.Stored
}

// Ref is "billing/invoices-commerce".
func (s *Standing) Ref() string { return s.Team + "/" + s.Name }

// Product is "payments/commerce".
func (s *Standing) Product() string { return qualify(s.Spec.Product, s.Team) }

// ProductTeam is the team whose side decides about the subscription.
func (s *Standing) ProductTeam() string {
	team, _ := gatehouse.ParseRef(s.Product(), "")
	return team
}

func qualify(ref, team string) string {
	t, n := gatehouse.ParseRef(ref, team)
	return t + "/" + n
}

// Get reads a subscription by "team/name".
func (d *Desk) Get(ctx context.Context, ref string) (*Standing, error) {
	team, name := gatehouse.ParseRef(ref, "")
	rec, err := d.db.Get(ctx, gatehouse.Key(gatehouse.KindSubscription, team, name))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.NotFound, "there is no subscription %q", ref)
	}
	if err != nil {
		return nil, err
	}
	return standingOf(rec)
}

func standingOf(rec store.Record) (*Standing, error) {
	s := &Standing{Rev: rec.Rev, object: new(gatehouse.Object)}
	err := json.Unmarshal(rec.Value, &s.stored)
	if err == nil {
		err = json.Unmarshal(s.stored.Object, s.object)
	}
	if err == nil {
		err = json.Unmarshal(s.stored.Status, &s.Status)
	}
	spec, ok := s.object.Spec.(*gatehouse.Subscription)
	if err != nil || !ok {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %v", rec.Key, err)
	}
	s.Team, s.Name, s.Spec = s.object.Metadata.Team, s.object.Metadata.Name, *spec
	return s, nil
}

// plan is the plan as the product has it now.
func (d *Desk) plan(ctx context.Context, s *Standing) (*gatehouse.Plan, error) {
	team, name := gatehouse.ParseRef(s.Product(), "")
	v, err := d.catalog.Get(ctx, gatehouse.KindProduct, team, name, time.Time{})
	if err != nil {
		return nil, err
	}
	p := catalog.FindPlan(v.Object.Spec.(*gatehouse.Product), s.Spec.Plan)
	if p == nil {
		return nil, gatehouse.E(gatehouse.Conflict, "product %q has no plan %q any more", s.Product(), s.Spec.Plan)
	}
	return p, nil
}

// write is the record with its state as it is now.
func (s *Standing) write() (store.Write, error) {
	var err error
	stored := s.stored
	if stored.Status, err = jsonx.Marshal(&s.Status); err != nil {
		return store.Write{}, err
	}
	value, err := jsonx.Marshal(&stored)
	if err != nil {
		return store.Write{}, err
	}
	return store.Write{
		Key: s.object.Key(), Kind: string(gatehouse.KindSubscription), Value: value, Expect: s.Rev,
		Index: catalog.Indexes(s.object, stored.Set, &s.Status),
	}, nil
}

// act is an event on the subscription that changes its state from before.
func (s *Standing) act(action string, before gatehouse.SubscriptionStatus) (audit.Act, error) {
	w, err := s.write()
	if err != nil {
		return audit.Act{}, err
	}
	was, err := jsonx.Marshal(map[string]any{"status": before})
	if err != nil {
		return audit.Act{}, err
	}
	is, err := jsonx.Marshal(map[string]any{"status": s.Status})
	if err != nil {
		return audit.Act{}, err
	}
	return audit.Act{
		Action: action, Object: "Subscription " + s.Ref(), Team: s.Team, Before: was, After: is, Reason: s.Status.Reason, Writes: []store.Write{w},
	}, nil
}

// belongs reports whether a subject is of a team: a member by the team's
// document, or someone with a role on it, directly or through groups.
func (d *Desk) belongs(ctx context.Context, subject, team string) (bool, error) {
	seen := map[string]bool{}
	v, err := d.catalog.Get(ctx, gatehouse.KindTeam, "", team, time.Time{})
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return false, err
	}
	var subjects []string
	if err == nil {
		subjects = v.Object.Spec.(*gatehouse.Team).Members
	}
	roles, err := d.catalog.List(ctx, catalog.Filter{Kind: gatehouse.KindRoleAssignment, Where: map[string]string{"scope": "team/" + team}})
	if err != nil {
		return false, err
	}
	now := d.now()
	for _, r := range roles.Items {
		if a := r.Object.Spec.(*gatehouse.RoleAssignment); !ended(a.Expires, now) {
			subjects = append(subjects, a.Subject)
		}
	}
	for len(subjects) > 0 {
		s := subjects[0]
		if subjects = subjects[1:]; s == subject {
			return true, nil
		}
		group, ok := strings.CutPrefix(s, "group:")
		if !ok || seen[s] {
			continue
		}
		seen[s] = true
		g, err := d.catalog.Get(ctx, gatehouse.KindGroup, "", group, time.Time{})
		if gatehouse.Is(err, gatehouse.NotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		subjects = append(subjects, g.Object.Spec.(*gatehouse.Group).Members...)
	}
	return false, nil
}

// ended reports whether a day, UTC, or an RFC 3339 time is over.
func ended(expires string, now time.Time) bool {
	if expires == "" {
		return false
	}
	if t, err := time.Parse(time.DateOnly, expires); err == nil {
		return !now.Before(t.AddDate(0, 0, 1))
	}
	t, err := time.Parse(time.RFC3339, expires)
	return err != nil || !now.Before(t)
}
