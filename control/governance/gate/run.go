package gate

import (
	"context"

	"gatehouse"
	"gatehouse/control/audit"
)

// retries is how often an evaluation whose records moved meanwhile is made anew.
const retries = 5

// A Run is an evaluation with the attestation that covers the revision, if any.
type Run struct {
	Result      *gatehouse.GateResult
	Attestation *gatehouse.Attested
}

// Run evaluates a revision for an environment, writes what it found, and makes
// its attestation when it passes. A result that does not pass is no error.
func (g *Gate) Run(ctx context.Context, t Target) (*Run, error) {
	for try := 1; ; try++ {
		r, err := g.run(ctx, t)
		if gatehouse.Is(err, gatehouse.Conflict) && try < retries && ctx.Err() == nil && moved(err) {
			continue
		}
		if err != nil {
			return nil, gatehouse.E(gatehouse.KindOf(err), "running the gate for %q, environment %q: %w", t.ID(), t.Environment, err)
		}
		return r, nil
	}
}

// A lost race is told apart from a conflict that trying again does not mend.
type race struct{ error }

func (r race) Unwrap() error { return r.error }

func moved(err error) bool {
	for e := err; e != nil; {
		if _, ok := e.(race); ok {
			return true
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			return false
		}
		e = u.Unwrap()
	}
	return false
}

func (g *Gate) run(ctx context.Context, t Target) (*Run, error) {
	l, err := g.look(ctx, g.stored(), t)
	if err != nil {
		return nil, err
	}
	r, err := g.rule(ctx, l)
	if err != nil {
		return nil, err
	}
	if r.overtaken() {
		return nil, race{gatehouse.E(gatehouse.Conflict, "what it is judged by changed meanwhile")}
	}
	acts, err := r.acts()
	if err != nil {
		return nil, err
	}
	if err := g.commit(ctx, acts...); err != nil {
		return nil, err
	}
	return r.answer(), nil
}

// commit writes; that a record moved is a lost race.
func (g *Gate) commit(ctx context.Context, acts ...audit.Act) error {
	_, err := g.trail.Commit(ctx, acts...)
	if gatehouse.Is(err, gatehouse.Conflict) {
		return race{err}
	}
	return err
}

func (r *ruling) answer() *Run {
	out := &Run{Result: r.result, Attestation: r.past.own}
	switch {
	case r.made != nil:
		out.Attestation = r.made
	case r.taken != nil:
		out.Attestation = r.taken
	}
	return out
}
