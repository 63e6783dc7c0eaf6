package support

import (
	"context"
	"fmt"
	"slices"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// sweepMost bounds what one sweep looks at; the next one goes on.
const sweepMost = 200

// Sweep announces promises that run out, each level once, and closes what has
// been resolved for long. Every control plane does it; the first one counts.
func (d *Desk) Sweep(ctx context.Context) error {
	page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindSupportRequest), Where: map[string]string{"wakes": "1"}, Sort: "wake", Limit: sweepMost})
	if err != nil {
		return err
	}
	now := d.now()
	at := store.Moment(now)
	for i := range page.Records {
		r, err := requestOf(&page.Records[i])
		if err != nil {
			return err
		}
		if r.wakes() > at {
			return nil // and so do all behind it
		}
		acts, err := d.due(ctx, r)
		if err != nil {
			return err
		}
		if len(acts) == 0 {
			continue
		}
		if _, err := d.trail.Commit(ctx, acts...); err != nil && !gatehouse.Is(err, gatehouse.Conflict) {
			return err
		}
	}
	return nil
}

// due is what is to be done about a request now: its acts, the last of which
// carries the write.
func (d *Desk) due(ctx context.Context, r *Request) ([]audit.Act, error) {
	now, before, c := d.now(), r.copy(), r.Calendar()
	var reasons []string
	for _, k := range []struct {
		name  string
		clock *gatehouse.SupportClock
	}{{"first response", r.FirstResponse}, {"resolution", r.Resolution}} {
		if k.clock == nil || k.clock.Since.IsZero() {
			continue
		}
		used := k.clock.Now(c, now)
		for _, level := range Levels {
			if slices.Contains(k.clock.Escalated, level) || used < part(k.clock, level) {
				continue
			}
			k.clock.Escalated = append(slices.Clone(k.clock.Escalated), level)
			reasons = append(reasons, fmt.Sprintf("%s: %d %% of %s is used", k.name, level, k.clock.Limit))
		}
	}
	var acts []audit.Act
	for _, reason := range reasons {
		acts = append(acts, audit.Act{Action: "support.escalate", Object: r.Ref(), Team: r.To, Reason: reason})
	}
	if r.State == gatehouse.SupportResolved && now.Sub(r.Since) >= CloseAfter {
		r.enter(ctx, gatehouse.SupportClosed, now)
		a, err := r.act("support.close", &before, "", fmt.Sprintf("resolved for %d days", int(CloseAfter.Hours()/24)))
		return append(acts, a), err
	}
	if len(acts) == 0 {
		return nil, nil
	}
	w, err := r.write()
	acts[len(acts)-1].Writes = []store.Write{w}
	return acts, err
}
