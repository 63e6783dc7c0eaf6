package release

import (
	"context"
	"errors"
	"slices"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
)

// A Gate decides whether a revision may come into an environment; package
// governance/gate is it.
type Gate interface {
	// Admit returns what is written with the release, its attestation above all.
	// An error that is a *[gate.Refusal] refuses, and brings what to write about it.
	Admit(ctx context.Context, v gate.View, t gate.Target, way gate.Going) ([]audit.Act, error)
	// Begin returns what is written with a change of an environment, so that what
	// is live there goes on when it begins to demand the gate.
	Begin(ctx context.Context, v gate.View, name string, was, will *gatehouse.Environment, except func(key string) bool) ([]audit.Act, error)
	// Gone returns what is written with the deletion of an API: its waivers end.
	Gone(ctx context.Context, team, name string) ([]audit.Act, error)
	// Rehearse has what is asked with the first context decided before anything is
	// locked, and used when it is asked with the second.
	Rehearse(ctx context.Context) (ahead, then context.Context, err error)
	// Prepare looks ahead, before anything is locked.
	Prepare(ctx context.Context, t gate.Target)
}

// admit asks the gate to let a revision into an environment. What is to be
// written with the release is added to the plan.
func (p *plan) admit(ctx context.Context, env string, ref catalog.Ref, way gate.Going) error {
	if p.desk.Gate == nil {
		return nil
	}
	acts, err := p.desk.Gate.Admit(ctx, view{p.Plan}, targetOf(env, ref), way)
	p.gated = append(p.gated, acts...)
	return err
}

func targetOf(env string, ref catalog.Ref) gate.Target {
	return gate.Target{Environment: env, Team: ref.Team, Name: ref.Name, Version: ref.Version, Revision: ref.Revision}
}

// flows asks the gate about a revision that comes by itself. One that is
// refused stays out, with that on record; nothing else is held up.
func (p *plan) flows(ctx context.Context, env string, ref catalog.Ref) (bool, error) {
	id := env + " " + ref.String()
	if slices.ContainsFunc(p.Held, func(h catalog.Held) bool { return h.Release == id && h.Revision == ref.Revision }) {
		return false, nil // asked already
	}
	err := p.admit(ctx, env, ref, gate.Forward)
	if refused, ok := errors.AsType[*gate.Refusal](err); ok {
		p.gated = append(p.gated, refused.Acts...)
		p.Held = append(p.Held, catalog.Held{Release: id, Revision: ref.Revision, Reason: err.Error()})
		return false, nil
	}
	return err == nil, err
}

// prepare looks ahead for a release that a person asks for.
func (d *Desk) prepare(ctx context.Context, ref catalog.Ref, env string) {
	if d.Gate == nil {
		return
	}
	if rev, err := d.catalog.Revision(ctx, ref); err == nil {
		ref.Revision = rev.Hash
		d.Gate.Prepare(ctx, targetOf(env, ref))
	}
}

// begin tells the gate of environments that change, so that what is live there
// and not released anew is on notice where the gate begins to be demanded, and
// of APIs that go.
func (p *plan) begin(ctx context.Context) error {
	if p.desk.Gate == nil {
		return nil
	}
	for _, e := range p.Redefined() {
		acts, err := p.desk.Gate.Begin(ctx, view{p.Plan}, e.Name, e.Was, e.Will, func(key string) bool { return p.Releases[key] != nil })
		if err != nil {
			return err
		}
		p.gated = append(p.gated, acts...)
	}
	for _, o := range p.Deleted() {
		if o.Kind != gatehouse.KindAPI {
			continue
		}
		acts, err := p.desk.Gate.Gone(ctx, o.Metadata.Team, o.Metadata.Name)
		if err != nil {
			return err
		}
		p.gated = append(p.gated, acts...)
	}
	return nil
}

// A view is a plan as the gate looks at it: what will be there.
type view struct{ *catalog.Plan }

func (v view) Object(ctx context.Context, key string) (*gatehouse.Object, error) {
	return v.After(ctx, key)
}

func (v view) Record(ctx context.Context, key string) ([]byte, error) {
	rec, _, err := v.Plan.Record(ctx, key)
	return rec.Value, err
}
