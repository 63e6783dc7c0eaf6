package gate

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// waiverWarnings are how long before its end a waiver's end is announced.
var waiverWarnings = []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour}

// Gone ends the waivers of an API that is deleted: another one by its name asks
// for its own.
func (g *Gate) Gone(ctx context.Context, team, name string) (acts []audit.Act, err error) {
	now := g.now()
	for _, state := range []string{gatehouse.Approved, gatehouse.Requested} {
		q := store.Query{Kind: string(gatehouse.KindWaiver), Where: map[string]string{"of": team + "/" + name, "state": state}}
		err := each(ctx, g.db, q, func(r store.Record) error {
			w, err := read[gatehouse.Waiver](r)
			if err != nil {
				return err
			}
			before := *w
			w.State, w.Expires = gatehouse.Expired, now
			a, err := waiverAct("waiver.expire", &before, r.Rev, w, "the API was deleted")
			acts = append(acts, a)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return acts, nil
}

// SweepWaivers ends waivers whose time is over, and announces ends that are
// near, once each. Every process runs it.
func (g *Gate) SweepWaivers(ctx context.Context) error {
	now := g.now()
	for _, state := range []string{gatehouse.Approved, gatehouse.Requested} {
		q := store.Query{Kind: string(gatehouse.KindWaiver), Where: map[string]string{"state": state}, Sort: "expires", Limit: 200}
		page, err := g.db.List(ctx, q)
		if err != nil {
			return err
		}
		for {
			for _, r := range page.Records {
				w, err := read[gatehouse.Waiver](r)
				if err != nil {
					return err
				}
				if w.Expires.After(now.Add(waiverWarnings[0])) {
					page.Next = "" // those that come end later still
					break
				}
				if err := g.sweepWaiver(ctx, w, r.Rev, now); err != nil && !moved(err) {
					return err
				}
			}
			if page.Next == "" {
				break
			}
			if q.After = page.Next; q.After != "" {
				if page, err = g.db.List(ctx, q); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (g *Gate) sweepWaiver(ctx context.Context, w *gatehouse.Waiver, rev store.Seq, now time.Time) error {
	before := *w
	if !now.Before(w.Expires) {
		w.State = gatehouse.Expired
		return g.putWaiver(ctx, "waiver.expire", &before, rev, w, "its time is over")
	}
	if w.State != gatehouse.Approved {
		return nil
	}
	near := time.Time{}
	for _, d := range warnings(waiverWarnings, w.Expires.Sub(w.Decided)) {
		// The last of the warnings that is due; those before it are past.
		if at := w.Expires.Add(-d); !now.Before(at) && w.Warned.Before(at) && w.Decided.Before(at) {
			near = at
		}
	}
	if near.IsZero() {
		return nil
	}
	w.Warned = now
	return g.putWaiver(ctx, "waiver.warn", &before, rev, w, fmt.Sprintf("waiver of control %s for %s ends %s; obey the control, or ask again", w.Control, w.API, w.Expires.Format(time.RFC3339)))
}
