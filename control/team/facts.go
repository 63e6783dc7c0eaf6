package team

import (
	"context"
	"encoding/json"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

// maxFacts bounds how many records of one kind a page looks at; maxShown how
// many of them it lists.
const (
	maxFacts = 5000
	maxShown = 200
)

// facts are what a team has, read once for one answer.
type facts struct {
	name     string
	team     *gatehouse.Team
	envs     []environment
	apis     []*catalog.View
	products []*catalog.View
	apps     int
	releases []gatehouse.Release
	gate     map[string]gatehouse.GateResult // of what is released, by release
	waivers  []gatehouse.Waiver              // open
	asked    []subscribed                    // to the team's products
	own      []subscribed                    // of its applications
	served   int64                           // requests this month
	governed bool                            // a framework is in force
	support  []gatehouse.SupportRequest
}

// A subscribed is a subscription with its state.
type subscribed struct {
	ref    string
	spec   *gatehouse.Subscription
	status gatehouse.SubscriptionStatus
}

// read gathers the facts of a team.
func (d *Desk) read(ctx context.Context, name string) (*facts, error) {
	t, err := d.get(ctx, name)
	if err != nil {
		return nil, err
	}
	f := &facts{name: name, team: t, gate: map[string]gatehouse.GateResult{}}
	if f.envs, err = d.environments(ctx, t); err != nil {
		return nil, err
	}
	if f.apis, err = d.owned(ctx, gatehouse.KindAPI, name); err != nil {
		return nil, err
	}
	if f.products, err = d.owned(ctx, gatehouse.KindProduct, name); err != nil {
		return nil, err
	}
	apps, err := d.owned(ctx, gatehouse.KindApplication, name)
	if err != nil {
		return nil, err
	}
	f.apps = len(apps)
	inForce, err := d.Onboarding.InForce(ctx)
	if f.governed = len(inForce) > 0; err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, *facts) error{d.readReleases, d.readGate, d.readWaivers, d.readSubscriptions, d.readServed, d.readSupport} {
		if err := step(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// owned are the team's objects of a kind.
func (d *Desk) owned(ctx context.Context, kind gatehouse.Kind, team string) (all []*catalog.View, err error) {
	f := catalog.Filter{Kind: kind, Team: team, Limit: 500}
	for len(all) < maxFacts {
		page, err := d.Catalog.List(ctx, f)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); page.Next == "" {
			break
		}
		f.After = page.Next
	}
	return all, nil
}

// records are those of a kind whose index says where.
func records[T any](ctx context.Context, db store.DB, kind gatehouse.Kind, where map[string]string, keep func(*T)) error {
	q := store.Query{Kind: string(kind), Where: where, Limit: 500}
	for n := 0; n < maxFacts; {
		page, err := db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			v := new(T)
			if err := json.Unmarshal(rec.Value, v); err != nil {
				return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
			}
			keep(v)
		}
		if n += len(page.Records); page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
	return nil
}

func (d *Desk) readReleases(ctx context.Context, f *facts) error {
	return records(ctx, d.db(), gatehouse.KindRelease, map[string]string{"team": f.name}, func(r *gatehouse.Release) {
		f.releases = append(f.releases, *r)
	})
}

// releaseID names a release: "prod payments/orders@v1".
func releaseID(env, api, version string) string { return env + " " + api + "@" + version }

func (d *Desk) readGate(ctx context.Context, f *facts) error {
	return records(ctx, d.db(), gatehouse.KindGateResult, map[string]string{"team": f.name, "slot": "live"}, func(r *gatehouse.GateResult) {
		f.gate[releaseID(r.Environment, r.API, r.Version)] = *r
	})
}

func (d *Desk) readWaivers(ctx context.Context, f *facts) error {
	now := d.now()
	for _, state := range []string{gatehouse.Requested, gatehouse.Approved} {
		err := records(ctx, d.db(), gatehouse.KindWaiver, map[string]string{"team": f.name, "state": state}, func(w *gatehouse.Waiver) {
			if w.Expires.After(now) {
				f.waivers = append(f.waivers, *w)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) readSubscriptions(ctx context.Context, f *facts) error {
	read := func(where map[string]string, to *[]subscribed) error {
		var fault error
		err := records(ctx, d.db(), gatehouse.KindSubscription, where, func(s *gatehouse.Stored) {
			o, status := new(gatehouse.Object), gatehouse.SubscriptionStatus{}
			err := json.Unmarshal(s.Object, o)
			if err == nil {
				err = json.Unmarshal(s.Status, &status)
			}
			spec, ok := o.Spec.(*gatehouse.Subscription)
			if err != nil || !ok {
				fault = gatehouse.E(gatehouse.Internal, "reading a subscription of team %q: %v", f.name, err)
				return
			}
			*to = append(*to, subscribed{o.Metadata.Ref(), spec, status})
		})
		if err == nil {
			err = fault
		}
		return err
	}
	for _, p := range f.products {
		if err := read(map[string]string{"product": p.Object.Metadata.Ref()}, &f.asked); err != nil {
			return err
		}
	}
	return read(map[string]string{"team": f.name}, &f.own)
}

func (d *Desk) readSupport(ctx context.Context, f *facts) error {
	if d.Support == nil {
		return nil
	}
	var err error
	f.support, err = d.Support(ctx, f.name)
	return err
}

// readServed sums what the team's APIs served this month.
func (d *Desk) readServed(ctx context.Context, f *facts) error {
	now := d.now()
	sums, err := d.served(ctx, monthOf(now), now, versions(f.apis))
	for _, n := range sums {
		f.served += n
	}
	return err
}
