package catalog

import (
	"cmp"
	"context"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/governance/gate"
	"gatehouse/store"
)

// A Released is a release as an action leaves it.
type Released struct {
	gatehouse.Release
	// Seq is the batch that wrote it: a gateway that acknowledges a serial of
	// at least this runs it. Zero when nothing changed.
	Seq store.Seq
	// Schedule is set when it is to happen later.
	Schedule *gatehouse.ReleaseSchedule
	// Approvals are those given so far, of those Needed, while it waits.
	Approvals []gatehouse.Decision
	Needed    int
	// NotPlaced are gateways that do not get it because of where they lie.
	NotPlaced []string
}

// Release wants a revision, the newest when ref names none, in an environment.
// Where the environment's mode is approved it is requested instead, and what
// was live stays so. It is refused, with what is missing, when the version's
// backend has no targets there, when the revision was not live where the
// environment's rule says it must have been, or when its routes collide.
func (c *Catalog) Release(ctx context.Context, ref Ref, env string, terms Terms) (Released, error) {
	c.prepare(ctx, ref, env)
	return c.move(ctx, "releasing", ref, env, func(m *move) error {
		return m.want(ctx, "release.create", ref, terms)
	})
}

// Promote releases into environment to the revision that is live in from.
func (c *Catalog) Promote(ctx context.Context, ref Ref, from, to string, terms Terms) (Released, error) {
	return c.move(ctx, "promoting", ref, to, func(m *move) error {
		if m.p.envs[from] == nil {
			return gatehouse.E(gatehouse.NotFound, "there is no environment %q", from)
		}
		live, _, err := m.p.release(ctx, ReleaseKey(from, ref.Team, ref.Name, ref.Version))
		if err != nil {
			return err
		}
		if live == nil || live.Revision == "" {
			return gatehouse.E(gatehouse.Conflict, "it is not released in %q", from)
		}
		ref.Revision = live.Revision
		return m.want(ctx, "release.promote", ref, terms)
	})
}

// Rollback releases the revision that was live before, at once: it was let
// into the environment once. Doing it again goes back again. While a canary is
// on its way, it is the canary that goes.
func (c *Catalog) Rollback(ctx context.Context, ref Ref, env, note string) (Released, error) {
	return c.move(ctx, "rolling back", ref, env, func(m *move) error {
		switch {
		case m.now != nil && m.now.Canary != nil:
			return m.endCanary("release.rollback", note)
		case m.now == nil:
			return gatehouse.E(gatehouse.Conflict, "it is not released there")
		case m.now.Previous == "":
			return gatehouse.E(gatehouse.Conflict, "no revision was live there before")
		}
		ref.Revision = m.now.Previous
		rev, err := c.Revision(ctx, ref)
		if err != nil {
			return err
		}
		if err := m.runs(ctx, rev); err != nil {
			return err
		}
		return m.put(ctx, "release.rollback", rev.Hash, note)
	})
}

// Withdraw takes a version out of an environment. While it has traffic there it
// stays, unless terms.Force says why not.
func (c *Catalog) Withdraw(ctx context.Context, ref Ref, env string, terms Terms) (Released, error) {
	return c.move(ctx, "withdrawing", ref, env, func(m *move) error {
		if m.now == nil {
			return gatehouse.E(gatehouse.Conflict, "it is not released there")
		}
		m.p.req.Force = terms.Force
		m.p.releases[m.key] = &wish{
			key: m.key, env: env, api: ref.API(), version: ref.Version, was: m.now, rev: m.rev, action: "release.withdraw", reason: cmp.Or(terms.Force, terms.Note),
		}
		return nil
	})
}

// A move is one action on the release of a version into an environment.
type move struct {
	c    *Catalog
	p    *plan
	ref  Ref
	env  string
	rule *gatehouse.Environment
	key  string
	now  *gatehouse.Release // nil: none
	rev  store.Seq
	more []audit.Act
	out  *Released
}

// move decides one action on the state there is and writes it.
func (c *Catalog) move(ctx context.Context, doing string, ref Ref, env string, decide func(*move) error) (Released, error) {
	var out Released
	err := c.change(ctx, func(guard store.Seq) ([]audit.Act, func(store.Seq), error) {
		out = Released{}
		if err := c.sync(ctx, guard); err != nil {
			return nil, nil, err
		}
		p := c.newPlan(ctx, &Request{}, &readings{done: map[string]*reading{}})
		if err := p.environments(ctx); err != nil {
			return nil, nil, err
		}
		m := &move{c: c, p: p, ref: ref, env: env, rule: p.envs[env], key: ReleaseKey(env, ref.Team, ref.Name, ref.Version), out: &out}
		if m.rule == nil {
			return nil, nil, gatehouse.E(gatehouse.NotFound, "%s %q: there is no environment %q", doing, ref, env)
		}
		var err error
		if m.now, m.rev, err = p.release(ctx, m.key); err == nil {
			err = decide(m)
		}
		if err == nil {
			err = p.permitted(ctx)
		}
		if err == nil {
			err = p.quiet(ctx)
		}
		if err == nil {
			err = p.route(ctx)
		}
		if err == nil && len(p.faults) > 0 {
			err = gatehouse.E(gatehouse.Conflict, "%s", p.faults[0].Detail)
		}
		if err != nil {
			return nil, nil, gatehouse.E(gatehouse.KindOf(err), "%s %q, environment %q: %w", doing, ref, env, err)
		}
		acts, err := p.acts()
		if w := p.releases[m.key]; w != nil && w.next != nil {
			out.Release = *w.next
		} else if m.now != nil {
			out.Release = *m.now
		}
		return append(acts, m.more...), func(seq store.Seq) { out.Seq = seq; p.claims.keep(seq) }, err
	})
	return out, err
}

// want releases the revision, or asks for it, at once or at its time.
func (m *move) want(ctx context.Context, action string, ref Ref, terms Terms) error {
	if err := m.p.allowed(ctx, ref.Team, m.env); err != nil {
		return err
	}
	rev, err := m.c.Revision(ctx, ref)
	if err != nil {
		return err
	}
	if err := m.runs(ctx, rev); err != nil {
		return err
	}
	if err := m.allowed(ctx, rev, &terms); err != nil {
		return err
	}
	if mode(m.rule) == "approved" && !terms.approved {
		return m.request(ctx, rev, terms)
	}
	return m.bring(ctx, action, rev, terms)
}

// bring releases the revision in the way that the terms say.
func (m *move) bring(ctx context.Context, action string, rev *gatehouse.Revision, terms Terms) error {
	switch {
	case terms.At.After(m.p.now):
		return m.schedule(ctx, rev, terms)
	case terms.Canary != nil:
		return m.beginCanary(ctx, rev, terms)
	}
	if err := m.put(ctx, action, rev.Hash, terms.Note); err != nil {
		return err
	}
	if w := m.p.releases[m.key]; w != nil && w.next != nil {
		w.next.Override = terms.Override
	}
	return nil
}

// runs refuses a revision that cannot run in the environment.
func (m *move) runs(ctx context.Context, rev *gatehouse.Revision) error {
	v := &rev.Form.Version
	if !serves(v) {
		return gatehouse.E(gatehouse.Conflict, "lifecycle of revision %.12s is %s: only what is published or deprecated is released", rev.Hash, v.Lifecycle)
	}
	o, err := m.p.after(ctx, gatehouse.Key(gatehouse.KindAPI, m.ref.Team, m.ref.Name))
	if err != nil {
		return err
	}
	if o == nil {
		return gatehouse.E(gatehouse.NotFound, "there is no API %q", m.ref.API())
	}
	for _, now := range o.Spec.(*gatehouse.API).Versions {
		if now.Name == m.ref.Version && !serves(&now) {
			return gatehouse.E(gatehouse.Conflict, "lifecycle of the version is %s by now", now.Lifecycle)
		}
	}
	missing, err := m.p.missing(ctx, &rev.Form, m.env)
	if err != nil {
		return err
	}
	if missing != "" {
		return gatehouse.E(gatehouse.Conflict, "%s", missing)
	}
	return m.placed(ctx, rev)
}

// put wants the revision now, and lets environments that follow this one by
// themselves have it too.
func (m *move) put(ctx context.Context, action, revision, note string) error {
	if m.now != nil && m.now.Revision == revision && m.now.State == Wanted && m.now.Canary == nil {
		return nil
	}
	way := gate.Forward
	if action == "release.rollback" {
		way = gate.Back
	}
	if err := m.p.admit(ctx, m.env, m.ref.API(), m.ref.Version, revision, way); err != nil {
		return err
	}
	if err := m.p.wish(ctx, m.key, m.env, m.ref.API(), m.ref.Version, revision, note); err != nil {
		return err
	}
	m.p.releases[m.key].action = action
	rev, err := m.c.Revision(ctx, Ref{m.ref.Team, m.ref.Name, m.ref.Version, revision})
	if err != nil || action == "release.rollback" {
		return err
	}
	for range m.p.envs {
		for _, env := range sorted(m.p.envs) {
			if err := m.follow(ctx, env, rev); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow releases the revision into an automatic environment that waited for it.
func (m *move) follow(ctx context.Context, env string, rev *gatehouse.Revision) error {
	rule, key := m.p.envs[env], ReleaseKey(env, m.ref.Team, m.ref.Name, m.ref.Version)
	if mode(rule) != "automatic" || rule.Release == nil || len(rule.Release.After) == 0 || m.p.releases[key] != nil {
		return nil
	}
	now, err := m.p.wished(ctx, key)
	if err != nil || now != nil && now.Revision == rev.Hash {
		return err
	}
	if missing, err := m.p.missing(ctx, &rev.Form, env); err != nil || missing != "" {
		return err
	}
	if waits, err := m.p.before(ctx, rule, m.ref.Team, m.ref.Name, m.ref.Version, rev.Hash); err != nil || waits != "" {
		return err
	}
	if barred, err := m.p.barred(ctx, m.ref.Team, env); err != nil || barred != "" {
		return err
	}
	if f, _ := rule.Frozen(m.p.now); f != nil {
		return m.p.afterFreeze(ctx, rule, env, m.ref.API(), m.ref.Version, rev.Hash)
	}
	if in, err := m.p.flows(ctx, env, m.ref.API(), m.ref.Version, rev.Hash); err != nil || !in {
		return err
	}
	return m.p.wish(ctx, key, env, m.ref.API(), m.ref.Version, rev.Hash, "")
}
