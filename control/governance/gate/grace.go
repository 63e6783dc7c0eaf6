package gate

import (
	"cmp"
	"context"
	"time"

	"gatehouse"
)

// grace is until when what is live may fall short of a control, zero for not at
// all. It never grows, and a revision is given one notice of a control of a
// framework version, so that nothing is put off by changing it to and fro. What
// the API's own team changed is no surprise to it, and gives none. Nor has a
// revision that comes later any of its own: it may go on with exactly what is
// found of the one that is live, for as long as that one may.
func (g *Gate) grace(ctx context.Context, l *looking, p *past, c *gatehouse.GateControl, grace time.Duration, now time.Time) (time.Time, error) {
	until, err := g.until(ctx, l, p, c, grace, now)
	if err != nil || !now.Before(until) {
		return time.Time{}, err
	}
	return until, nil
}

func (g *Gate) until(ctx context.Context, l *looking, p *past, c *gatehouse.GateControl, grace time.Duration, now time.Time) (none time.Time, err error) {
	if l.live == nil {
		return none, nil
	}
	before := controlOf(p.live, c.ID)
	if !l.exposed(p, now) {
		if before == nil || before.Outcome != gatehouse.GateGrace || !carried(before, c) {
			return none, nil
		}
		return before.Until, nil
	}
	if until, ok := p.noticed(l, c.ID); ok {
		return until, nil
	}
	same := p.live != nil && p.live.Framework == l.bench.framework && (l.bench.judging == nil || p.live.FrameworkHash == l.bench.hash)
	switch {
	case l.begins(p):
		return now.Add(max(grace, FirstGrace)), nil
	case l.beside() && !l.live.Canary.Started.After(l.demanded(p, now)):
		return l.fromBeginning(p, grace, now), nil
	case before != nil && before.Outcome == gatehouse.GateGrace:
		return before.Until, nil
	case l.bench.accepts != nil && l.released && before == nil && p.live != nil && passes(p.live.Outcome):
		return now.Add(FirstGrace), nil // the environment accepted its framework until now
	case before != nil && before.Outcome == gatehouse.GatePassed && l.released && (same || p.live.Framework != l.bench.framework):
		itself, err := g.itself(ctx, l, p)
		if err != nil || itself {
			return none, err
		}
		return now.Add(max(grace, Notice)), nil // not it changed, but something around it
	case before != nil && (same || before.Outcome == gatehouse.GateFailed || before.Outcome == gatehouse.GateWaiting || before.Outcome == gatehouse.GateWaived):
		return none, nil // it fell short before, or a new revision brought it
	}
	return l.fromBeginning(p, grace, now), nil
}

// exposed tells whether callers reached the revision before the framework version
// in force judged it, or before the gate was demanded: what comes later knew.
func (l *looking) exposed(p *past, now time.Time) bool {
	return l.released || l.beside() && (!l.came().After(l.bench.since) || !l.came().After(l.demanded(p, now)))
}

// carried tells whether all that is found of a control was found of what is live
// as well: where the check looked at the same, or found nothing else.
func carried(before, now *gatehouse.GateControl) bool {
	if before.Inputs == now.Inputs {
		return true
	}
	type place struct{ operation, object, field, rule, detail string }
	had := map[place]int{}
	for _, f := range before.Findings {
		had[place{f.Operation, f.Object, f.Field, f.Rule, f.Detail}]++
	}
	for _, f := range now.Findings {
		at := place{f.Operation, f.Object, f.Field, f.Rule, f.Detail}
		if had[at]--; had[at] < 0 {
			return false
		}
	}
	return now.More == 0 // else not all of it is known
}

// fromBeginning is until when a control that was not asked before may be fallen
// short of: its grace counts from when the version came in force, and longer
// from when the gate began to be demanded of what was live by then.
func (l *looking) fromBeginning(p *past, grace time.Duration, now time.Time) time.Time {
	var until time.Time
	if l.bench.judging != nil {
		until = l.bench.since.Add(cmp.Or(grace, DefaultGrace))
	}
	for _, began := range []time.Time{l.bench.governed, l.demanded(p, now)} {
		if at := began.Add(max(grace, FirstGrace)); !began.IsZero() && !l.came().After(began) && at.After(until) {
			until = at
		}
	}
	return until
}

// begins tells whether the environment demands the gate of what is live, and did
// not when that was last looked at.
func (l *looking) begins(p *past) bool {
	return l.released && l.bench.mode == gatehouse.GateEnforce && p.live != nil && p.live.Mode != "" && p.live.Mode != gatehouse.GateEnforce
}

// beside tells whether the revision is the canary of what is live, and came when
// the revision came to be called.
func (l *looking) beside() bool {
	return l.live != nil && !l.released && l.live.Canary != nil && l.live.Canary.Revision == l.Revision
}

func (l *looking) came() time.Time {
	if l.beside() {
		return l.live.Canary.Started
	}
	return l.live.Time
}

// demanded is since when the environment demands the gate of what was live
// before it did; zero where it always has.
func (l *looking) demanded(p *past, now time.Time) time.Time {
	switch {
	case l.bench.mode != gatehouse.GateEnforce || p.live == nil:
		return time.Time{}
	case l.begins(p):
		return now
	case l.beside() && p.next != nil && p.next.Revision == l.Revision && !p.next.Demanded.IsZero():
		return p.next.Demanded
	}
	return p.live.Demanded
}
