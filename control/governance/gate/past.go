package gate

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/rule"
	"gatehouse/store"
)

// A past is what is on record of an API version in an environment: earlier
// evaluations, the revision's attestation, and waivers.
type past struct {
	live, next       *gatehouse.GateResult // of what is released, and of what is not
	liveRev, nextRev store.Seq
	own              *gatehouse.Attested // of the revision; nil: none
	ownRev           store.Seq
	waivers          []gatehouse.Waiver // approved, of the API
}

// recall reads the past of a target.
func (g *Gate) recall(ctx context.Context, t Target) (*past, error) {
	keys := []string{t.resultKey(true), t.resultKey(false), t.attestationKey()}
	found, err := g.db.GetMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	p := &past{liveRev: found[keys[0]].Rev, nextRev: found[keys[1]].Rev, ownRev: found[keys[2]].Rev}
	if p.live, err = read[gatehouse.GateResult](found[keys[0]]); err != nil {
		return nil, err
	}
	if p.next, err = read[gatehouse.GateResult](found[keys[1]]); err != nil {
		return nil, err
	}
	if p.own, err = read[gatehouse.Attested](found[keys[2]]); err != nil {
		return nil, err
	}
	p.waivers, err = g.waiversOf(ctx, t)
	return p, err
}

// read decodes a record; nil when there is none.
func read[T any](r store.Record) (*T, error) {
	if r.Value == nil {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(r.Value, v); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return v, nil
}

// waiversOf are the waivers in force for an API version, those that last
// longest first.
func (g *Gate) waiversOf(ctx context.Context, t Target) (all []gatehouse.Waiver, err error) {
	q := store.Query{Kind: string(gatehouse.KindWaiver), Where: map[string]string{"of": t.API(), "state": gatehouse.Approved}}
	err = each(ctx, g.db, q, func(r store.Record) error {
		w, err := read[gatehouse.Waiver](r)
		if err == nil && (w.API == t.API() || w.API == t.ID()) && (w.Environment == "" || w.Environment == t.Environment) {
			all = append(all, *w)
		}
		return err
	})
	slices.SortStableFunc(all, func(a, b gatehouse.Waiver) int { return b.Expires.Compare(a.Expires) })
	return all, err
}

// waiver is the one that excepts the target from a control now, nil for none.
func (p *past) waiver(framework, control string, now time.Time) *gatehouse.Waiver {
	for i := range p.waivers {
		if w := &p.waivers[i]; w.Framework == framework && w.Control == control && now.Before(w.Expires) {
			return w
		}
	}
	return nil
}

// passed tells whether a control passed before with the same inputs. What a
// change does is looked at each time.
func (p *past) passed(r *rule.Rule, inputs string) bool {
	if r.Kind == "change" {
		return false
	}
	for _, res := range []*gatehouse.GateResult{p.live, p.next} {
		if c := controlOf(res, r.ID); c != nil && c.Inputs == inputs && c.Outcome == gatehouse.GatePassed {
			return true
		}
	}
	if p.own == nil {
		return false
	}
	return slices.ContainsFunc(p.own.Statement.Controls, func(c attest.Control) bool {
		return c.ID == r.ID && c.Inputs == inputs && c.Outcome == attest.Passed
	})
}

func controlOf(r *gatehouse.GateResult, id string) *gatehouse.GateControl {
	if r == nil {
		return nil
	}
	for i := range r.Controls {
		if r.Controls[i].ID == id {
			return &r.Controls[i]
		}
	}
	return nil
}

// let is what the revision's attestation says of a control, nil for nothing.
func (p *past) let(id string) *attest.Control {
	if p.own == nil || !p.own.Revoked.IsZero() && p.own.RevokedBy != "system" {
		return nil
	}
	for i := range p.own.Statement.Controls {
		if c := &p.own.Statement.Controls[i]; c.ID == id {
			return c
		}
	}
	return nil
}

// found are the findings that the last evaluation had of a control.
func (p *past) found(id, api string) []gatehouse.GateFinding {
	if c := controlOf(p.live, id); c != nil && len(c.Findings) > 0 {
		return c.Findings
	}
	return []gatehouse.GateFinding{{Object: "API " + api, Detail: "the change was let through by way of exception", Remedy: "publish a new version of the API for what changed"}}
}
