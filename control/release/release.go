package release

import (
	"cmp"
	"context"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
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
func (d *Desk) Release(ctx context.Context, ref catalog.Ref, env string, terms Terms) (Released, error) {
	d.prepare(ctx, ref, env)
	return d.move(ctx, "releasing", ref, env, func(m *move) error {
		return m.want(ctx, "release.create", ref, terms)
	})
}

// Promote releases into environment to the revision that is live in from.
func (d *Desk) Promote(ctx context.Context, ref catalog.Ref, from, to string, terms Terms) (Released, error) {
	return d.move(ctx, "promoting", ref, to, func(m *move) error {
		if m.p.Environments[from] == nil {
			return gatehouse.E(gatehouse.NotFound, "there is no environment %q%s", from, m.p.near(from))
		}
		live, _, err := m.p.Release(ctx, keyOf(from, ref))
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
func (d *Desk) Rollback(ctx context.Context, ref catalog.Ref, env, note string) (Released, error) {
	return d.move(ctx, "rolling back", ref, env, func(m *move) error {
		switch {
		case m.now != nil && m.now.Canary != nil:
			return m.endCanary("release.rollback", note)
		case m.now == nil:
			return gatehouse.E(gatehouse.Conflict, "it is not released there")
		case m.now.Previous == "":
			return gatehouse.E(gatehouse.Conflict, "no revision was live there before")
		}
		ref.Revision = m.now.Previous
		rev, err := d.catalog.Revision(ctx, ref)
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
func (d *Desk) Withdraw(ctx context.Context, ref catalog.Ref, env string, terms Terms) (Released, error) {
	return d.move(ctx, "withdrawing", ref, env, func(m *move) error {
		if m.now == nil {
			return gatehouse.E(gatehouse.Conflict, "it is not released there")
		}
		m.p.Force = terms.Force
		m.will("release.withdraw", nil, cmp.Or(terms.Force, terms.Note))
		return nil
	})
}

// A move is one action on the release of a version into an environment.
type move struct {
	d    *Desk
	p    *plan
	ref  catalog.Ref
	env  string
	rule *gatehouse.Environment
	key  string
	now  *gatehouse.Release // nil: none
	rev  store.Seq
	more []audit.Act
	out  *Released
}

// move decides one action on the state there is and writes it.
func (d *Desk) move(ctx context.Context, doing string, ref catalog.Ref, env string, decide func(*move) error) (Released, error) {
	var out Released
	seq, err := d.catalog.Decide(ctx, func(cp *catalog.Plan) error {
		out = Released{}
		p := d.in(cp)
		m := &move{d: d, p: p, ref: ref, env: env, rule: p.Environments[env], key: keyOf(env, ref), out: &out}
		if m.rule == nil {
			return gatehouse.E(gatehouse.NotFound, "%s %q: there is no environment %q%s", doing, ref, env, p.near(env))
		}
		if err := m.work(ctx, decide); err != nil {
			return gatehouse.E(gatehouse.KindOf(err), "%s %q, environment %q: %w", doing, ref, env, err)
		}
		if w := p.Releases[m.key]; w != nil && w.Next != nil {
			out.Release = *w.Next
		} else if m.now != nil {
			out.Release = *m.now
		}
		return p.end(m.more)
	})
	out.Seq = seq
	return out, err
}

// near says which environment was perhaps meant, or which there are.
func (p *plan) near(name string) string { return gatehouse.OrThere(name, sorted(p.Environments)) }

// work decides, and holds what was decided to the rules that hold for all.
func (m *move) work(ctx context.Context, decide func(*move) error) (err error) {
	if m.now, m.rev, err = m.p.Release(ctx, m.key); err != nil {
		return err
	}
	if err := decide(m); err != nil {
		return err
	}
	if err := m.p.permitted(ctx); err != nil {
		return err
	}
	if err := m.p.quiet(ctx); err != nil {
		return err
	}
	return m.p.Check(ctx)
}

// want releases the revision, or asks for it, at once or at its time.
func (m *move) want(ctx context.Context, action string, ref catalog.Ref, terms Terms) error {
	if err := m.p.allowed(ctx, ref.Team, m.env); err != nil {
		return err
	}
	rev, err := m.d.catalog.Revision(ctx, ref)
	if err != nil {
		return err
	}
	if err := m.runs(ctx, rev); err != nil {
		return err
	}
	if err := m.allowed(ctx, rev, &terms); err != nil {
		return err
	}
	if m.rule.ReleaseMode() == "approved" && !terms.approved {
		return m.request(ctx, rev, terms)
	}
	return m.bring(ctx, action, rev, terms)
}

// bring releases the revision in the way that the terms say.
func (m *move) bring(ctx context.Context, action string, rev *gatehouse.Revision, terms Terms) error {
	switch {
	case terms.At.After(m.p.Now):
		return m.schedule(ctx, rev, terms)
	case terms.Canary != nil:
		return m.beginCanary(ctx, rev, terms)
	}
	if err := m.put(ctx, action, rev.Hash, terms.Note); err != nil {
		return err
	}
	if w := m.p.Releases[m.key]; w != nil && w.Next != nil {
		w.Next.Override = terms.Override
	}
	return nil
}

// runs refuses a revision that cannot run in the environment.
func (m *move) runs(ctx context.Context, rev *gatehouse.Revision) error {
	v := &rev.Form.Version
	if !v.Served() {
		return gatehouse.E(gatehouse.Conflict, "lifecycle of revision %.12s is %s: only what is published or deprecated is released", rev.Hash, v.Lifecycle)
	}
	o, err := m.p.After(ctx, gatehouse.Key(gatehouse.KindAPI, m.ref.Team, m.ref.Name))
	if err != nil {
		return err
	}
	if o == nil {
		return gatehouse.E(gatehouse.NotFound, "there is no API %q", m.ref.API())
	}
	for _, now := range o.Spec.(*gatehouse.API).Versions {
		if now.Name == m.ref.Version && !now.Served() {
			return gatehouse.E(gatehouse.Conflict, "lifecycle of the version is %s by now", now.Lifecycle)
		}
	}
	missing, err := m.p.Missing(ctx, &rev.Form, m.env)
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
	if m.now != nil && m.now.Revision == revision && m.now.State == gatehouse.ReleaseWanted && m.now.Canary == nil {
		return nil
	}
	way := gate.Forward
	if action == "release.rollback" {
		way = gate.Back
	}
	ref := m.at(revision)
	if err := m.p.admit(ctx, m.env, ref, way); err != nil {
		return err
	}
	if err := m.p.wish(ctx, m.env, ref, note); err != nil {
		return err
	}
	m.p.Releases[m.key].Action = action
	rev, err := m.d.catalog.Revision(ctx, ref)
	if err != nil || action == "release.rollback" {
		return err
	}
	for range m.p.Environments {
		for _, env := range sorted(m.p.Environments) {
			if err := m.follow(ctx, env, ref, rev); err != nil {
				return err
			}
		}
	}
	return nil
}

// at is the version at a revision.
func (m *move) at(revision string) catalog.Ref {
	ref := m.ref
	ref.Revision = revision
	return ref
}

// follow releases the revision into an automatic environment that waited for it.
func (m *move) follow(ctx context.Context, env string, ref catalog.Ref, rev *gatehouse.Revision) error {
	rule := m.p.Environments[env]
	if rule.Release == nil || len(rule.Release.After) == 0 || m.p.Releases[keyOf(env, ref)] != nil {
		return nil
	}
	_, err := m.p.take(ctx, ref, &rev.Form, env)
	return err
}
