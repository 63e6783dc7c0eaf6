package gate

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A Proposal is a framework version that might come in force.
type Proposal struct {
	Framework, Version string
	Text               *gatehouse.FrameworkText
}

// A Shortfall is a released revision that would fall short of a proposal.
type Shortfall struct {
	*gatehouse.GateResult
	Now string // what was found of it last; "" when it was not looked at yet
}

// A Preview is what a proposal would find of some releases.
type Preview struct {
	Short  []Shortfall
	Looked int    // releases that it would judge
	Next   string // where to go on; "" at the end
}

// Preview judges what is released as if the proposal came in force now, and
// writes nothing. It looks at limit releases at most, those after the one named.
// One preview is made at a time, and rests as long as it works.
func (g *Gate) Preview(ctx context.Context, p Proposal, after string, limit int) (*Preview, error) {
	select {
	case g.previewing <- struct{}{}:
		defer func() { <-g.previewing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	v, err := g.proposed(ctx, p)
	if err != nil {
		return nil, err
	}
	page, err := g.db.List(ctx, store.Query{Kind: string(gatehouse.KindRelease), Limit: limit, After: after})
	if err != nil {
		return nil, err
	}
	out := &Preview{Next: page.Next}
	for _, rec := range page.Records {
		rel, err := read[gatehouse.Release](rec)
		if err != nil {
			return nil, err
		}
		revisions := []string{rel.Revision}
		if rel.Canary != nil {
			revisions = append(revisions, rel.Canary.Revision)
		}
		for _, revision := range revisions {
			if revision == "" {
				continue
			}
			began := time.Now()
			if err := g.previewed(ctx, v, targetOf(rel.Environment, rel.API, rel.Version, revision), out); err != nil {
				return nil, err
			}
			pause(ctx, time.Since(began))
		}
	}
	return out, ctx.Err()
}

// previewed adds what the proposal would find of one revision.
func (g *Gate) previewed(ctx context.Context, v *proposal, t Target, out *Preview) error {
	if judges, err := v.judges(ctx, t); err != nil || !judges {
		return err
	}
	l, err := g.lookBy(ctx, v, t, v.since)
	if err != nil || l.bench.mode == gatehouse.GateOff {
		return err
	}
	p, err := g.recall(ctx, t)
	if err != nil {
		return err
	}
	r, err := g.evaluate(ctx, l, p)
	if err != nil {
		return gatehouse.E(gatehouse.KindOf(err), "looking at %q, environment %q: %w", t.ID(), t.Environment, err)
	}
	out.Looked++
	if r.Outcome != gatehouse.GatePassed && r.Outcome != gatehouse.GateWaived {
		short := Shortfall{GateResult: r}
		for _, last := range []*gatehouse.GateResult{p.live, p.next} {
			if last != nil && last.Revision == t.Revision {
				short.Now = last.Outcome
				break
			}
		}
		out.Short = append(out.Short, short)
	}
	return nil
}

// A proposal is the view of what the store will have with a proposal in force.
type proposal struct {
	*stored
	Proposal
	hash        string
	text, state []byte
	governed    time.Time
	first       bool // nothing was ever in force
}

func (v *proposal) since(context.Context) (time.Time, error) { return v.governed, nil }

func (g *Gate) proposed(ctx context.Context, p Proposal) (v *proposal, err error) {
	now := g.now()
	v = &proposal{stored: g.stored(), Proposal: p}
	if v.governed, err = g.governed(ctx); err != nil {
		return nil, err
	}
	if v.governed.IsZero() {
		v.first, v.governed = true, now
	}
	if v.text, v.hash, err = p.Text.Encode(); err != nil {
		return nil, err
	}
	s := gatehouse.FrameworkState{Framework: p.Framework, InForce: p.Version, Governed: v.governed, Versions: map[string]gatehouse.FrameworkVersionState{
		p.Version: {State: gatehouse.InForce, Hash: v.hash, Since: now},
	}}
	v.state, err = jsonx.Canonical(&s)
	return v, err
}

// Record answers with the proposal in force.
func (v *proposal) Record(ctx context.Context, key string) ([]byte, error) {
	switch key {
	case gatehouse.FrameworkStateKey(v.Framework):
		return v.state, nil
	case string(gatehouse.KindFrameworkText) + "/" + v.hash:
		return v.text, nil
	}
	return v.stored.Record(ctx, key)
}

// judges tells whether the proposal would judge a revision, or would be the
// first of all frameworks, from which on the gate is demanded of everybody.
func (v *proposal) judges(ctx context.Context, t Target) (bool, error) {
	env, err := spec[*gatehouse.Environment](ctx, v, gatehouse.Key(gatehouse.KindEnvironment, "", t.Environment))
	if err != nil || env == nil {
		return false, err
	}
	value, err := v.Record(ctx, t.revisionKey(t.Revision))
	if err != nil || value == nil {
		return false, err
	}
	var rev gatehouse.Revision
	if err := json.Unmarshal(value, &rev); err != nil {
		return false, gatehouse.E(gatehouse.Internal, "reading %q: %w", t.revisionKey(t.Revision), err)
	}
	named := rev.Form.Framework
	if named == "" && env.Gate != nil {
		named = env.Gate.Framework
	}
	return named == v.Framework || v.first && env.GateMode(true) == gatehouse.GateEnforce, nil
}
