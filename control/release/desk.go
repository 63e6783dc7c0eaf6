// Package release decides which revision of an API version is wanted in which
// environment, and when.
//
// A release is asked for, approved by as many persons as the environment says,
// put off to its time, let in step by step as a canary, rolled back, withdrawn.
// The rules of all that are here: what must have been live before, freezes,
// teams that an environment is closed to, versions with traffic, and the
// compliance gate, which is asked by every way in. So is what a [Conductor]
// brings about by itself.
//
// What is decided becomes part of a [catalog.Plan] and is written by package
// catalog, which makes sure that no two routes collide.
package release

import (
	"context"
	"maps"
	"slices"

	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

// pageOf bounds one read of several records.
const pageOf = 500

// A Desk decides on releases. It is safe for use by several goroutines.
type Desk struct {
	// Gate is asked before a revision is released; nil: nobody is.
	Gate Gate
	// Holds tells whether a subject holds a role on an object, "API/payments/orders";
	// nil: nobody holds any.
	Holds func(subject, role, on string) bool
	// Apart refuses whoever is not a person apart from the one who did something
	// before; nil: [access.Apart].
	Apart func(ctx context.Context, before, did string) error

	catalog *catalog.Catalog
	db      store.DB
}

// New makes the desk that decides on the releases of a catalog. Its fields are
// set before either is used.
func New(c *catalog.Catalog, db store.DB) *Desk {
	d := &Desk{catalog: c, db: db}
	c.Releases = d
	return d
}

// Follow is [catalog.Releases].
func (d *Desk) Follow(ctx context.Context, cp *catalog.Plan) error {
	p := d.in(cp)
	if err := p.flow(ctx); err != nil {
		return err
	}
	if err := p.begin(ctx); err != nil {
		return err
	}
	if err := p.quiet(ctx); err != nil {
		return err
	}
	return p.end(nil)
}

// Rehearse is [catalog.Releases]: the gate judges what the plan would release.
func (d *Desk) Rehearse(ctx context.Context, cp *catalog.Plan) context.Context {
	if d.Gate == nil {
		return ctx
	}
	ahead, then, err := d.Gate.Rehearse(ctx)
	if err == nil {
		err = d.in(cp).flow(ahead)
	}
	if err != nil {
		return ctx // the plan itself says what is wrong
	}
	return then
}

// A plan is a plan of the catalog, and what is decided on beside its releases.
type plan struct {
	*catalog.Plan
	desk      *Desk
	schedules map[string]*timing
	gated     []audit.Act // what the gate writes with the releases
}

func (d *Desk) in(p *catalog.Plan) *plan {
	return &plan{Plan: p, desk: d, schedules: map[string]*timing{}}
}

// end hands the catalog what is written beside the releases.
func (p *plan) end(more []audit.Act) error {
	for _, key := range sorted(p.schedules) {
		act, err := p.schedules[key].act()
		if err != nil {
			return err
		}
		p.Also(act)
	}
	p.Also(p.gated...)
	p.Also(more...)
	return nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
