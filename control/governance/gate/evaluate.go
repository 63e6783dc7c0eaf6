package gate

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/rule"
)

// Ids of controls that no framework names: that there is a framework, and that
// nobody took the attestation back.
const (
	noFramework = "framework"
	takenBack   = "attestation"
)

// evaluate asks every control about what was gathered.
func (g *Gate) evaluate(ctx context.Context, l *looking, p *past) (*gatehouse.GateResult, error) {
	now := g.now()
	r := &gatehouse.GateResult{
		Environment: l.Environment, Mode: l.bench.mode, API: l.API(), Version: l.Version, Revision: l.Revision, Released: l.released,
		Framework: l.bench.framework, Time: now, By: actor(ctx), Controls: []gatehouse.GateControl{}, Demanded: l.demanded(p, now),
	}
	if own := p.own; own != nil && !own.Revoked.IsZero() && own.RevokedBy != "system" {
		r.Controls = append(r.Controls, revoked(l, own))
	}
	if l.subject == nil {
		c, err := g.ungoverned(ctx, l, p, now)
		if err != nil {
			return nil, err
		}
		r.Controls = append(r.Controls, c)
	} else {
		r.FrameworkVersion, r.FrameworkHash, r.Backend = l.bench.text.Version.Name, l.bench.hash, l.subject.BackendName
		for _, one := range l.bench.rules {
			c, err := g.control(ctx, l, p, one, now)
			if err != nil {
				return nil, gatehouse.E(gatehouse.KindOf(err), "evaluating control %q: %w", one.ID, err)
			}
			r.Controls = append(r.Controls, c)
		}
	}
	conclude(r, l.bench, now)
	return r, nil
}

// control is what becomes of one control.
func (g *Gate) control(ctx context.Context, l *looking, p *past, r *rule.Rule, now time.Time) (gatehouse.GateControl, error) {
	c := gatehouse.GateControl{
		ID: r.ID, Title: r.Title, Kind: r.Kind, Level: cmp.Or(r.Level, gatehouse.ControlRequired), Severity: cmp.Or(r.Severity, "medium"),
		Outcome: gatehouse.GatePassed,
	}
	var err error
	if c.Inputs, err = r.Inputs(l.subject); err != nil {
		return c, err
	}
	short := gatehouse.GateFailed
	switch {
	case !r.Applies(l.subject):
		return c, nil
	case r.Kind == "question":
		short = gatehouse.GateWaiting
		if err := g.question(ctx, l, r, &c, now); err != nil || len(c.Findings) == 0 {
			return c, err
		}
	case r.Kind == "change" && l.released && p.let(r.ID) != nil:
		// The change was looked at when it was released; it does not happen again.
		before := p.let(r.ID)
		if c.Inputs = before.Inputs; before.Outcome == attest.Passed {
			c.Kept = true
			return c, nil
		}
		c.Findings = p.found(r.ID, l.API())
	case p.passed(r, c.Inputs):
		c.Kept = true
		return c, nil
	default:
		v, err := g.judge(r, c.Inputs, l.subject)
		if err != nil || v.Passed {
			return c, err
		}
		c.Findings, c.More = v.Findings, v.More
	}
	c.Outcome = short
	return c, g.except(ctx, l, p, r, &c, now)
}

// judge asks a rule, or remembers what it said: what costs much is a pure
// function of the inputs.
func (g *Gate) judge(r *rule.Rule, inputs string, s *rule.Subject) (rule.Verdict, error) {
	if r.Kind != "lint" && r.Kind != "change" {
		return r.Judge(s)
	}
	g.mu.Lock()
	v, ok := g.verdicts[inputs]
	g.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := r.Judge(s)
	if err != nil {
		return v, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.verdicts) >= maxVerdicts {
		clear(g.verdicts)
	}
	g.verdicts[inputs] = v
	return v, nil
}

// ungoverned is the control that there is a framework to be judged by. What was
// live before the first one is on notice; nothing new comes in without. Nobody is
// on notice of a withdrawal: it holds at once, or it would be none.
func (g *Gate) ungoverned(ctx context.Context, l *looking, p *past, now time.Time) (gatehouse.GateControl, error) {
	detail, remedy := l.bench.reason(l.API(), l.Environment)
	c := gatehouse.GateControl{
		ID: noFramework, Title: "A framework judges the API", Kind: noFramework, Level: gatehouse.ControlRequired, Severity: "critical",
		Outcome:  gatehouse.GateFailed,
		Findings: []gatehouse.GateFinding{{Object: "API " + l.API(), Field: "spec.framework", Detail: detail, Remedy: remedy}},
	}
	if !l.released || l.bench.withdrawn {
		return c, nil
	}
	until, err := g.grace(ctx, l, p, &c, 0, now)
	if !until.IsZero() {
		c.Outcome, c.Until = gatehouse.GateGrace, until
	}
	return c, err
}

// revoked is the control that nobody took the revision's attestation back.
func revoked(l *looking, a *gatehouse.Attested) gatehouse.GateControl {
	return gatehouse.GateControl{
		ID: takenBack, Title: "Nobody took the attestation back", Kind: takenBack, Level: gatehouse.ControlRequired, Severity: "critical",
		Outcome: gatehouse.GateFailed,
		Findings: []gatehouse.GateFinding{{
			Object: "API " + l.API(), Detail: fmt.Sprintf("the attestation of revision %s was revoked by %s: %s", short(l.Revision), a.RevokedBy, a.Reason),
			Remedy: fmt.Sprintf("release another revision, or have it restored: gatehouse gate restore %s#%s --env %s", l.ID(), short(l.Revision), l.Environment),
		}},
	}
}

// rank orders outcomes, the worst last.
var rank = map[string]int{
	gatehouse.GateAdvisory: 0, gatehouse.GatePassed: 0, gatehouse.GateWaived: 1, gatehouse.GateGrace: 2, gatehouse.GateWaiting: 3, gatehouse.GateFailed: 4,
}

// passes tells whether an outcome makes an attestation.
func passes(outcome string) bool { return rank[outcome] < rank[gatehouse.GateWaiting] }

// conclude is the whole outcome, and how long it holds.
func conclude(r *gatehouse.GateResult, b *bench, now time.Time) {
	r.Outcome = gatehouse.GatePassed
	for _, c := range r.Controls {
		if rank[c.Outcome] > rank[r.Outcome] {
			r.Outcome = c.Outcome
		}
		if c.Outcome == gatehouse.GateGrace && (r.Notice.IsZero() || c.Until.Before(r.Notice)) {
			r.Notice = c.Until
		}
	}
	if b.judging != nil && !b.ended.IsZero() && !now.Before(b.ended) {
		r.Outcome = gatehouse.GateFailed
		r.Reason = fmt.Sprintf("the last day of framework %q %s was %s; put a version in force that is valid longer", b.framework, b.text.Version.Name, b.text.Version.ValidUntil)
	}
	if !passes(r.Outcome) {
		return
	}
	life := DefaultLast
	if b.judging != nil {
		life = b.last()
	}
	full := now.Add(life)
	r.Expires = full
	for _, c := range r.Controls {
		if !c.Until.IsZero() && c.Until.Before(r.Expires) {
			r.Expires = c.Until
		}
	}
	if !b.ended.IsZero() && b.ended.Before(r.Expires) {
		r.Expires = b.ended
	}
	// What nothing ends is renewed before it ends; else looking earlier would
	// find the same end.
	if r.Due = r.Expires; r.Expires.Equal(full) {
		r.Due = r.Expires.Add(-min(renewal, life/10))
	}
}

// failing names the required controls that keep a result from passing.
func failing(r *gatehouse.GateResult) (ids []string) {
	for _, c := range r.Controls {
		if !passes(c.Outcome) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
