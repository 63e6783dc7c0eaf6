package catalog

import (
	"context"
	"errors"
	"slices"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/governance/gate"
	"gatehouse/store"
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
	// Prepare looks ahead, before anything is locked.
	Prepare(ctx context.Context, t gate.Target)
}

// admit asks the gate to let a revision into an environment. What is to be
// written with the release is added to the plan.
func (p *plan) admit(ctx context.Context, env, api, version, revision string, way gate.Going) error {
	if p.c.Gate == nil {
		return nil
	}
	team, name := gatehouse.ParseRef(api, "")
	acts, err := p.c.Gate.Admit(ctx, planned{p}, gate.Target{Environment: env, Team: team, Name: name, Version: version, Revision: revision}, way)
	p.gated = append(p.gated, acts...)
	return err
}

// flows asks the gate about a revision that comes by itself. One that is
// refused stays out, with that on record; nothing else is held up.
func (p *plan) flows(ctx context.Context, env, api, version, revision string) (bool, error) {
	id := env + " " + api + "@" + version
	if slices.ContainsFunc(p.held, func(h Held) bool { return h.Release == id && h.Revision == revision }) {
		return false, nil // asked already
	}
	err := p.admit(ctx, env, api, version, revision, gate.Forward)
	if refused, ok := errors.AsType[*gate.Refusal](err); ok {
		p.gated = append(p.gated, refused.Acts...)
		p.held = append(p.held, Held{id, revision, err.Error()})
		return false, nil
	}
	return err == nil, err
}

// prepare looks ahead for a release that a person asks for.
func (c *Catalog) prepare(ctx context.Context, ref Ref, env string) {
	if c.Gate == nil {
		return
	}
	if rev, err := c.Revision(ctx, ref); err == nil {
		c.Gate.Prepare(ctx, gate.Target{Environment: env, Team: ref.Team, Name: ref.Name, Version: ref.Version, Revision: rev.Hash})
	}
}

// begin tells the gate of environments that change, so that what is live there
// and not released anew is on notice where the gate begins to be demanded.
func (p *plan) begin(ctx context.Context) error {
	if p.c.Gate == nil {
		return nil
	}
	for _, it := range p.order {
		will, ok := specOf[*gatehouse.Environment](it)
		if !ok || it.was == nil || !it.changed {
			continue
		}
		acts, err := p.c.Gate.Begin(ctx, planned{p}, it.ref, it.was.object.Spec.(*gatehouse.Environment), will, func(key string) bool { return p.releases[key] != nil })
		if err != nil {
			return err
		}
		p.gated = append(p.gated, acts...)
	}
	return nil
}

// planned is a plan as the gate looks at it: what will be there.
type planned struct{ *plan }

func (p planned) Object(ctx context.Context, key string) (*gatehouse.Object, error) {
	return p.after(ctx, key)
}

func (p planned) Record(ctx context.Context, key string) ([]byte, error) {
	rec, _, err := p.record(ctx, key)
	return rec.Value, err
}

func (p planned) Gateways(ctx context.Context, environment string) ([]*gatehouse.Object, error) {
	found, err := p.list(ctx, store.Query{Kind: string(gatehouse.KindGateway), Where: map[string]string{"environment": environment}})
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for _, rec := range found {
		keys[rec.Key] = true
	}
	for key, it := range p.items {
		if it.kind == gatehouse.KindGateway && !it.deleted() {
			keys[key] = true
		}
	}
	var all []*gatehouse.Object
	for _, key := range sorted(keys) {
		o, err := p.after(ctx, key)
		if err != nil {
			return nil, err
		}
		if o == nil {
			continue
		}
		if g, ok := o.Spec.(*gatehouse.Gateway); ok && g.Environment == environment {
			all = append(all, o)
		}
	}
	return all, nil
}
