package catalog

import (
	"context"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// Releases decides which revisions are wanted where; package release does.
type Releases interface {
	// Follow adds to a plan what its objects lead to: new revisions go into
	// environments that take them by themselves, and what is taken away is
	// withdrawn.
	Follow(ctx context.Context, p *Plan) error
	// Rehearse does ahead what of Follow takes long, before anything is locked, on
	// a plan that is not carried out. What it found goes along with the context.
	Rehearse(ctx context.Context, p *Plan) context.Context
}

func (p *Plan) follow(ctx context.Context) error {
	if p.c.Releases == nil {
		return nil
	}
	return p.c.Releases.Follow(ctx, p)
}

// Decide has a plan without documents decided on, carries it out whole or not
// at all, and returns the number of the batch, zero when nothing is different.
// A race that is lost is decided anew, so decide may be asked again.
func (c *Catalog) Decide(ctx context.Context, decide func(*Plan) error) (done store.Seq, err error) {
	err = c.change(ctx, func(guard store.Seq) ([]audit.Act, func(store.Seq), error) {
		if err := c.sync(ctx, guard); err != nil {
			return nil, nil, err
		}
		p := c.newPlan(ctx, &Request{}, &readings{done: map[string]*reading{}})
		if err := p.environments(ctx); err != nil {
			return nil, nil, err
		}
		if err := decide(p); err != nil {
			return nil, nil, err
		}
		acts, err := p.acts()
		return acts, func(seq store.Seq) {
			done = seq
			p.settle(seq)
		}, err
	})
	return done, err
}

// settle makes the routes that the plan claims those of the catalog.
func (p *Plan) settle(seq store.Seq) {
	if p.claims == nil {
		p.c.routes.follow(seq)
		return
	}
	p.claims.keep(seq)
}

// Check refuses a plan with a fault, or with routes that collide.
func (p *Plan) Check(ctx context.Context) error {
	if err := p.route(ctx); err != nil {
		return err
	}
	if len(p.faults) > 0 {
		return gatehouse.E(gatehouse.Conflict, "%s", p.faults[0].Detail)
	}
	return nil
}

// Also adds what is written and put on record with the plan.
func (p *Plan) Also(acts ...audit.Act) { p.also = append(p.also, acts...) }

// Gateways are those of an environment, as they will be.
func (p *Plan) Gateways(ctx context.Context, environment string) ([]*gatehouse.Object, error) {
	found, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindGateway), Where: map[string]string{"environment": environment}})
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
		o, err := p.After(ctx, key)
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

// A Head is the newest revision of a version.
type Head struct {
	Ref
	Version *gatehouse.Version
	Form    *gatehouse.RevisionForm
	Fresh   bool // the plan makes it
}

// A Revised is an API that a plan puts or looks at again.
type Revised struct {
	API   gatehouse.Metadata
	Heads []Head   // in order of the versions' names
	Lost  []string // versions it had and has no longer
}

// Revised are the APIs that the plan has worked out the revisions of.
func (p *Plan) Revised() (all []Revised) {
	for _, it := range p.apis() {
		m := it.object.Metadata
		r := Revised{API: m, Lost: it.lost}
		for _, name := range sorted(it.heads) {
			h := it.heads[name]
			r.Heads = append(r.Heads, Head{Ref{m.Team, m.Name, name, h.Revision}, h.version, h.formOf(it), h.fresh})
		}
		all = append(all, r)
	}
	return all
}

// Deleted are the objects that go, as they were.
func (p *Plan) Deleted() (all []*gatehouse.Object) {
	for _, it := range p.order {
		if it.deleted() {
			all = append(all, it.was.object)
		}
	}
	return all
}

// A Redefined is an environment whose document changes.
type Redefined struct {
	Name      string
	Was, Will *gatehouse.Environment
}

// Redefined are the environments that change and stay.
func (p *Plan) Redefined() (all []Redefined) {
	for _, it := range p.order {
		will, ok := specOf[*gatehouse.Environment](it)
		if ok && it.was != nil && it.changed {
			all = append(all, Redefined{it.ref, it.was.object.Spec.(*gatehouse.Environment), will})
		}
	}
	return all
}
