package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/control/audit"
)

// Going says how a revision comes into an environment.
type Going int

// Ways in.
const (
	Forward Going = iota // released or promoted
	Aside                // asked for, put off to a time, or beside what is live
	Back                 // rolled back to
)

// Admit decides whether a revision may be released into an environment, on what
// v says there is or will be. It returns what is to be written with the release:
// the attestation it needs there. Where the environment does not enforce the
// gate nothing is refused, and nothing is looked at now: background work does.
//
// The error of a refusal is a *[Refusal]: of kind Conflict, it names the controls.
func (g *Gate) Admit(ctx context.Context, v View, t Target, way Going) ([]audit.Act, error) {
	env, err := spec[*gatehouse.Environment](ctx, v, gatehouse.Key(gatehouse.KindEnvironment, "", t.Environment))
	if err != nil || env == nil {
		return nil, err
	}
	governed, err := g.governed(ctx)
	if err != nil || env.GateMode(!governed.IsZero()) != gatehouse.GateEnforce {
		return nil, err
	}
	if d, ok := g.rehearsed(ctx, t, way); ok {
		return d.acts, d.err
	}
	if way == Back {
		if ok, err := g.covered(ctx, t); ok || err != nil {
			return nil, err
		}
	}
	l, err := g.look(ctx, v, t)
	if err != nil {
		return nil, err
	}
	if way == Back && l.subject != nil {
		l.subject.Published = nil // callers knew it before
	}
	r, err := g.rule(ctx, l)
	if err != nil {
		return nil, err
	}
	acts, err := r.admitted(way)
	if _, refused := errors.AsType[*Refusal](err); err == nil || refused {
		rehearse(ctx, t, way, decided{r.result.Backend, acts, err})
	}
	return acts, err
}

// admitted is what is written with a release that passes, or the refusal.
func (r *ruling) admitted(way Going) (acts []audit.Act, err error) {
	if !passes(r.result.Outcome) {
		refused := &Refusal{error: refusal(r.result)}
		if !r.known() {
			refused.Acts, err = r.acts()
		}
		if err != nil {
			return nil, err
		}
		return nil, refused
	}
	if way != Aside {
		r.result.Released = true // by what is written with it
	} else if r.known() {
		return nil, nil // a step of a canary finds nothing new
	}
	return r.acts()
}

// known tells whether the last evaluation of the revision found the same, so
// that nothing is to be written.
func (r *ruling) known() bool {
	last := r.past.next
	if r.result.Released {
		last = r.past.live
	}
	return r.made == nil && r.taken == nil && r.warns == "" && last != nil && last.Revision == r.Revision && alike(last, r.result)
}

// alike tells whether two results say the same.
func alike(a, b *gatehouse.GateResult) bool {
	return a.Outcome == b.Outcome && a.FrameworkHash == b.FrameworkHash && a.Framework == b.Framework && a.Reason == b.Reason && a.Mode == b.Mode &&
		slices.EqualFunc(a.Controls, b.Controls, func(x, y gatehouse.GateControl) bool {
			return x.ID == y.ID && x.Outcome == y.Outcome && x.Inputs == y.Inputs && x.Until.Equal(y.Until) && x.Waiver == y.Waiver && slices.Equal(x.Findings, y.Findings)
		})
}

// A Refusal keeps a revision out. Acts put on record what was found, for whoever
// goes on without the release.
type Refusal struct {
	error
	Acts []audit.Act
}

func (r *Refusal) Unwrap() error { return r.error }

// covered tells whether the revision has an attestation that holds: it is not
// looked at again, so that going back takes no time. One that was revoked by a
// person refuses.
func (g *Gate) covered(ctx context.Context, t Target) (bool, error) {
	p, err := g.recall(ctx, t)
	if err != nil || p.own == nil {
		return false, err
	}
	if !p.own.Revoked.IsZero() {
		if p.own.RevokedBy == "system" {
			return false, nil
		}
		return false, gatehouse.E(gatehouse.Conflict, "the attestation of revision %s was revoked by %s: %s; release another revision", short(t.Revision), p.own.RevokedBy, p.own.Reason)
	}
	return g.now().Before(p.own.Statement.Expires), nil
}

// refusal names the controls that keep a revision out.
func refusal(r *gatehouse.GateResult) error {
	ids := failing(r)
	what := fmt.Sprintf("the gate does not pass (%s)", strings.Join(ids, ", "))
	if r.Reason != "" {
		return gatehouse.E(gatehouse.Conflict, "%s: %s", what, r.Reason)
	}
	e := gatehouse.E(gatehouse.Conflict, "%s: %s; see gatehouse gate run %s@%s --env %s", what, clip(because(r)), r.API, r.Version, r.Environment)
	for _, c := range r.Controls {
		if passes(c.Outcome) {
			continue
		}
		for _, f := range c.Findings {
			e.Faults = append(e.Faults, fault(c.ID, f))
		}
	}
	return e
}

// fault is a finding as errors carry them.
func fault(control string, f gatehouse.GateFinding) gatehouse.Fault {
	detail := "control " + control + ": "
	if f.Operation != "" {
		detail += f.Operation + ": "
	}
	return gatehouse.Fault{File: f.File, Line: f.Line, Column: f.Column, Object: f.Object, Detail: detail + f.Detail + "; " + f.Remedy}
}

// Prepare evaluates ahead, so that what costs much is remembered when the
// catalog, which lets nobody else decide meanwhile, asks.
func (g *Gate) Prepare(ctx context.Context, t Target) {
	env, err := spec[*gatehouse.Environment](ctx, g.stored(), gatehouse.Key(gatehouse.KindEnvironment, "", t.Environment))
	if err != nil || env == nil {
		return
	}
	governed, err := g.governed(ctx)
	if err != nil || env.GateMode(!governed.IsZero()) != gatehouse.GateEnforce {
		return
	}
	if l, err := g.look(ctx, g.stored(), t); err == nil {
		if p, err := g.recall(ctx, t); err == nil {
			_, _ = g.evaluate(ctx, l, p)
		}
	}
}
