package gate

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A ruling is what an evaluation leads to: the result, and the attestation that
// is made or taken back.
type ruling struct {
	*looking
	past   *past
	result *gatehouse.GateResult
	made   *gatehouse.Attested // new or renewed; nil: none
	taken  *gatehouse.Attested // revoked because of the result; nil: none
	warns  string              // what is about to end; "" for nothing to announce now
}

// rule evaluates what was gathered and decides on the attestation.
func (g *Gate) rule(ctx context.Context, l *looking) (*ruling, error) {
	p, err := g.recall(ctx, l.Target)
	if err != nil {
		return nil, err
	}
	if err := g.current(ctx, l, p); err != nil {
		return nil, err
	}
	r := &ruling{looking: l, past: p}
	if r.result, err = g.evaluate(ctx, l, p); err != nil {
		return nil, err
	}
	r.result.Seq = l.seq
	if err := g.attest(ctx, r); err != nil {
		return nil, err
	}
	r.warn(g.now())
	return r, nil
}

// overtaken tells whether another evaluation looked at the store when it had come
// further, so that this one is by what may not hold any more.
func (r *ruling) overtaken() bool {
	for _, other := range []*gatehouse.GateResult{r.past.live, r.past.next} {
		if other != nil && other.Seq > r.result.Seq {
			return true
		}
	}
	return false
}

// acts are what is written: the event of a pass or a failure with the
// attestation and the result.
func (r *ruling) acts() ([]audit.Act, error) {
	a := audit.Act{Action: "gate.pass", Object: r.Object(), Team: r.Team}
	switch {
	case r.warns != "":
		a.Action, a.Reason = "gate.warn", r.warns
	case !passes(r.result.Outcome):
		a.Action, a.Reason = "gate.fail", because(r.result)
	case r.result.Outcome == gatehouse.GateGrace:
		a.Reason = "on notice until " + r.result.Notice.Format(time.RFC3339) + ": " + because(r.result)
		if r.notifies() { // each notice is given once, however often its attestation is renewed
			a.Action = "gate.notice"
		}
	}
	var err error
	if a.After, err = jsonx.Marshal(summary(r.result)); err != nil {
		return nil, err
	}
	if a.Writes, err = r.writes(); err != nil {
		return nil, err
	}
	if r.taken == nil {
		return []audit.Act{a}, nil
	}
	return []audit.Act{a, {Action: "attestation.revoke", Object: "Attestation " + r.Environment + " " + r.ID() + "#" + short(r.Revision), Team: r.Team, Reason: r.taken.Reason}}, nil
}

// notifies tells whether the revision is on notice of a control until a moment
// that it was not told of before.
func (r *ruling) notifies() bool {
	was := r.past.next
	if r.result.Released {
		was = r.past.live
	}
	for _, c := range r.result.Controls {
		if c.Outcome != gatehouse.GateGrace {
			continue
		}
		if own := r.past.own; own != nil && own.Notices[noticeKey(r.result.FrameworkHash, c.ID)].Equal(c.Until) {
			continue
		}
		if was != nil && was.Revision == r.Revision && was.FrameworkHash == r.result.FrameworkHash {
			if b := controlOf(was, c.ID); b != nil && b.Outcome == gatehouse.GateGrace && b.Until.Equal(c.Until) {
				continue
			}
		}
		return true
	}
	return false
}

// summary is what the trail keeps of a result.
func summary(r *gatehouse.GateResult) map[string]any {
	controls := map[string]string{}
	for _, c := range r.Controls {
		controls[c.ID] = c.Outcome
	}
	s := map[string]any{"revision": r.Revision, "outcome": r.Outcome, "controls": controls, "framework": r.Framework, "frameworkVersion": r.FrameworkVersion}
	if r.Attestation != "" {
		s["attestation"], s["expires"] = r.Attestation, r.Expires
	}
	return s
}

// writes are the records: the result where its kind of evaluation lies, and the
// attestation that is new or taken back.
func (r *ruling) writes() ([]store.Write, error) {
	expect := r.past.nextRev
	if r.result.Released {
		expect = r.past.liveRev
	}
	result, err := resultWrite(r.Target, r.result, expect)
	if err != nil {
		return nil, err
	}
	writes := []store.Write{result}
	kept := r.made
	if kept == nil {
		kept = r.taken
	}
	if kept == nil {
		return writes, nil
	}
	w, err := attestedWrite(r.Target, kept, r.past.ownRev)
	return append(writes, w), err
}

// resultWrite writes a result where its kind of evaluation lies.
func resultWrite(t Target, r *gatehouse.GateResult, expect store.Seq) (store.Write, error) {
	value, err := jsonx.Marshal(r)
	if err != nil {
		return store.Write{}, fmt.Errorf("writing the result of %q: %w", t.ID(), err)
	}
	return store.Write{Key: t.resultKey(r.Released), Kind: string(gatehouse.KindGateResult), Value: value, Expect: expect, Index: indexOf(r, t.Team)}, nil
}

func indexOf(r *gatehouse.GateResult, team string) map[string]string {
	slot := "next"
	if r.Released {
		slot = "live"
	}
	ix := map[string]string{
		"environment": r.Environment, "team": team, "api": r.API, "outcome": r.Outcome, "framework": r.Framework, "mode": r.Mode, "slot": slot, "due": stamped(r.Due),
	}
	if !r.Notice.IsZero() {
		ix["notice"] = "1"
	}
	if !passes(r.Outcome) {
		ix["failing"] = "1"
	}
	return ix
}

// attestedWrite writes an attestation in the one form that is signed.
func attestedWrite(t Target, a *gatehouse.Attested, expect store.Seq) (store.Write, error) {
	value, err := jsonx.Canonical(a)
	if err != nil {
		return store.Write{}, fmt.Errorf("writing attestation %q: %w", a.Statement.ID, err)
	}
	return store.Write{
		Key: t.attestationKey(), Kind: string(gatehouse.KindAttestation), Value: value, Expect: expect,
		Index: map[string]string{
			"environment": t.Environment, "team": t.Team, "api": t.API(), "version": t.Version, "revision": t.Revision,
			"framework": a.Statement.Framework, "outcome": a.Statement.Outcome,
		},
	}, nil
}
