package release

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
)

// Bounds of a canary's plan.
const (
	maxCanarySteps = 20
	minCanaryStep  = time.Second
	maxCanaryStep  = 30 * 24 * time.Hour
)

// checkCanary refuses a plan that is none.
func checkCanary(p *gatehouse.CanaryPlan) error {
	switch {
	case len(p.Steps) == 0 || len(p.Steps) > maxCanarySteps:
		return gatehouse.E(gatehouse.Invalid, "a canary has 1 to %d steps, such as 5,25,50; there are %d", maxCanarySteps, len(p.Steps))
	case p.Every.Std() < minCanaryStep || p.Every.Std() > maxCanaryStep:
		return gatehouse.E(gatehouse.Invalid, "a step of a canary lasts 1s to 30d; %s does not", p.Every)
	case p.Requests < 0 || p.Requests > 1e9:
		return gatehouse.E(gatehouse.Invalid, "a step of a canary waits for 0 to 1000000000 requests, not for %d", p.Requests)
	case len(p.StopOn) > 10:
		return gatehouse.E(gatehouse.Invalid, "a canary has at most 10 bounds; there are %d", len(p.StopOn))
	}
	for i, s := range p.Steps {
		if s < 1 || s > 99 || i > 0 && s <= p.Steps[i-1] {
			return gatehouse.E(gatehouse.Invalid, "the steps of a canary grow from 1 to 99 percent; %d does not follow; the last step, all callers, goes without saying", s)
		}
	}
	for _, b := range p.StopOn {
		top := 3_600_000.0
		switch b.Measure {
		case "errors":
			top = 100
		case "p50", "p95", "p99":
		default:
			return gatehouse.E(gatehouse.Invalid, "%q is not measured: errors, p50, p95 and p99 are", b.Measure)
		}
		if !(b.Over >= 0 && b.Over <= top) {
			return gatehouse.E(gatehouse.Invalid, "%s over %g: the bound is 0 to %g", b.Measure, b.Over, top)
		}
	}
	return nil
}

// canaryFits refuses a revision that cannot stand beside the one that is live.
func (m *move) canaryFits(ctx context.Context, rev *gatehouse.Revision, plan *gatehouse.CanaryPlan) error {
	if err := checkCanary(plan); err != nil {
		return err
	}
	switch {
	case m.now == nil || m.now.Revision == "":
		return gatehouse.E(gatehouse.Conflict, "nothing is live there that a canary could stand beside; release it whole")
	case m.now.Revision == rev.Hash:
		return gatehouse.E(gatehouse.Conflict, "revision %.12s is live there already; a canary is of another one", rev.Hash)
	}
	live, err := m.d.catalog.Revision(ctx, m.at(m.now.Revision))
	if err != nil {
		return err
	}
	a, b := &live.Form.Version, &rev.Form.Version
	if strings.TrimRight(a.Path, "/") != strings.TrimRight(b.Path, "/") || !slices.Equal(a.Hosts, b.Hosts) {
		return gatehouse.E(gatehouse.Conflict, "revision %.12s answers under another path or host than %.12s, which is live; callers cannot be shared between them: release it whole", rev.Hash, live.Hash)
	}
	return nil
}

// beginCanary lets the revision take its first share.
func (m *move) beginCanary(ctx context.Context, rev *gatehouse.Revision, terms Terms) error {
	if err := m.canaryFits(ctx, rev, terms.Canary); err != nil { // again: what is live may have changed since it was asked for
		return err
	}
	if err := m.p.admit(ctx, m.env, m.at(rev.Hash), gate.Aside); err != nil {
		return err
	}
	next := *m.now
	next.State, next.Proposed, next.ProposedCanary, next.ProposedAt = gatehouse.ReleaseWanted, "", nil, time.Time{}
	c := &gatehouse.Canary{
		CanaryPlan: *terms.Canary, Revision: rev.Hash, State: gatehouse.CanaryRunning, Since: m.p.Now, Started: m.p.Now, By: m.p.Actor,
		Note: terms.Note, Override: terms.Override,
	}
	var err error
	if c.Base, err = m.d.counted(ctx, m.env, m.ref, rev.Hash, hourOf(m.p.Now)); err != nil {
		return err
	}
	next.Canary = c
	m.will("release.canary", &next, "")
	return nil
}

// will plans what the release becomes.
func (m *move) will(action string, next *gatehouse.Release, reason string) {
	if next != nil {
		next.CanaryEnded = nil
	}
	m.p.Releases[m.key] = &catalog.Wish{
		Key: m.key, Env: m.env, API: m.ref.API(), Version: m.ref.Version, Was: m.now, Rev: m.rev, Next: next, Action: action, Reason: reason,
	}
}

// endCanary sends the canary's callers back.
func (m *move) endCanary(action, reason string) error {
	next := *m.now
	k := next.Canary
	next.Canary = nil
	m.will(action, &next, reason)
	next.CanaryEnded = &gatehouse.CanaryEnd{Revision: k.Revision, Weight: k.Weight(), By: m.p.Actor, Reason: reason}
	return nil
}

// A CanaryStep is what is done to a canary on its way.
type CanaryStep struct {
	// Action: release.pause, release.resume, release.abort, release.finish,
	// release.step (the next share) or release.wait (Reason says for what).
	Action string
	Reason string
	// Of is the revision and At the step that it is meant for; "" and -1 take
	// whatever there is. Another one makes it a Conflict.
	Of string
	At int
}

// Canary does a step of the canary of a version in an environment.
func (d *Desk) Canary(ctx context.Context, ref catalog.Ref, env string, s CanaryStep) (Released, error) {
	return d.move(ctx, strings.TrimPrefix(s.Action, "release.")+" canary of", ref, env, func(m *move) error {
		if m.now == nil || m.now.Canary == nil {
			return gatehouse.E(gatehouse.Conflict, "no canary is on its way there")
		}
		k := *m.now.Canary
		if s.Of != "" && (k.Revision != s.Of || k.Step != s.At) {
			return gatehouse.E(gatehouse.Conflict, "the canary has moved on to step %d of revision %.12s", k.Step+1, k.Revision)
		}
		next := *m.now
		next.Canary = &k
		switch s.Action {
		case "release.abort":
			return m.endCanary(s.Action, s.Reason)
		case "release.finish":
			return m.finishCanary(ctx, s.Reason)
		case "release.pause":
			if k.State == gatehouse.CanaryPaused {
				return nil
			}
			k.State, k.Waits = gatehouse.CanaryPaused, ""
		case "release.resume":
			if k.State == gatehouse.CanaryRunning {
				return nil
			}
			if err := m.thawed(m.p.Now, k.Override); err != nil {
				return err
			}
			k.State, k.Since = gatehouse.CanaryRunning, m.p.Now
		case "release.wait":
			if k.Waits == s.Reason {
				return nil
			}
			k.Waits = s.Reason
		case "release.step":
			if k.Step+1 >= len(k.Steps) {
				return m.finishCanary(ctx, s.Reason)
			}
			if err := m.step(ctx, &k); err != nil {
				return err
			}
		default:
			return gatehouse.E(gatehouse.Internal, "%q is no step of a canary", s.Action)
		}
		m.will(s.Action, &next, s.Reason)
		return nil
	})
}

// step takes the next share, if its revision may still come in.
func (m *move) step(ctx context.Context, k *gatehouse.Canary) error {
	rev, err := m.d.catalog.Revision(ctx, m.at(k.Revision))
	if err == nil {
		err = m.runs(ctx, rev)
	}
	if err != nil {
		return err
	}
	k.Step, k.Since, k.Waits = k.Step+1, m.p.Now, ""
	k.Base, err = m.d.counted(ctx, m.env, m.ref, k.Revision, hourOf(m.p.Now))
	return err
}

// finishCanary gives all callers to the canary's revision.
func (m *move) finishCanary(ctx context.Context, reason string) error {
	k := m.now.Canary
	rev, err := m.d.catalog.Revision(ctx, m.at(k.Revision))
	if err != nil {
		return err
	}
	if err := m.runs(ctx, rev); err != nil {
		return err
	}
	if err := m.thawed(m.p.Now, k.Override); err != nil {
		return err
	}
	if err := m.put(ctx, "release.finish", rev.Hash, k.Note); err != nil {
		return err
	}
	w := m.p.Releases[m.key]
	w.Next.By, w.Next.Override, w.Reason = k.By, k.Override, reason
	return nil
}
