package gate

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// Show is the last evaluation of what is released, or of the revision named,
// and the attestation that covers it.
func (g *Gate) Show(ctx context.Context, t Target) (*Run, error) {
	p, err := g.recall(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &Run{Result: p.live}
	if t.Revision != "" || out.Result == nil {
		if out.Result = p.next; p.live != nil && p.live.Revision == t.Revision || p.next == nil || t.Revision != "" && p.next.Revision != t.Revision {
			out.Result = p.live
		}
	}
	if out.Result != nil && t.Revision != "" && out.Result.Revision != t.Revision {
		out.Result = nil
	}
	if out.Result == nil {
		return nil, gatehouse.E(gatehouse.NotFound, "%s was not evaluated for environment %q yet; run the gate: gatehouse gate run %s --env %s", named(t), t.Environment, t.ID(), t.Environment)
	}
	t.Revision = out.Result.Revision
	rec, err := g.db.Get(ctx, t.attestationKey())
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	out.Attestation, err = read[gatehouse.Attested](rec)
	return out, err
}

func named(t Target) string {
	if t.Revision == "" {
		return t.ID()
	}
	return t.ID() + "#" + short(t.Revision)
}

// A Selection narrows the list of evaluations; zero fields ask nothing.
type Selection struct {
	Environment, Team, API, Framework string
	Failing, OnNotice                 bool
	Limit                             int
	After                             string
}

// List answers the last evaluation of what is released, by environment and API.
func (g *Gate) List(ctx context.Context, s Selection) ([]gatehouse.GateResult, string, error) {
	where := map[string]string{"slot": "live"}
	for name, v := range map[string]string{"environment": s.Environment, "team": s.Team, "api": s.API, "framework": s.Framework} {
		if v != "" {
			where[name] = v
		}
	}
	if s.Failing {
		where["failing"] = "1"
	}
	if s.OnNotice {
		where["notice"] = "1"
	}
	page, err := g.db.List(ctx, store.Query{Kind: string(gatehouse.KindGateResult), Where: where, Limit: s.Limit, After: s.After})
	if err != nil {
		return nil, "", err
	}
	all := make([]gatehouse.GateResult, 0, len(page.Records))
	for _, r := range page.Records {
		res, err := read[gatehouse.GateResult](r)
		if err != nil {
			return nil, "", err
		}
		all = append(all, *res)
	}
	return all, page.Next, nil
}

// Revoke takes an attestation back: gateways that enforce the gate refuse the
// revision from then on, and nobody releases or rolls back to it.
func (g *Gate) Revoke(ctx context.Context, t Target, reason string) (*gatehouse.Attested, error) {
	return g.attested(ctx, "revoking", "attestation.revoke", t, reason, func(a *gatehouse.Attested, now time.Time) error {
		switch {
		case !a.Revoked.IsZero() && a.RevokedBy != "system":
			return gatehouse.E(gatehouse.Conflict, "%s revoked it already", a.RevokedBy)
		case strings.TrimSpace(reason) == "":
			return gatehouse.E(gatehouse.Invalid, "say why, for the record")
		}
		a.Revoked, a.RevokedBy, a.Reason = now, actor(ctx), reason
		return nil
	})
}

// Restore lets a revision whose attestation was revoked go through the gate
// again. It is evaluated anew.
func (g *Gate) Restore(ctx context.Context, t Target, reason string) (*Run, error) {
	_, err := g.attested(ctx, "restoring", "attestation.restore", t, reason, func(a *gatehouse.Attested, _ time.Time) error {
		if a.Revoked.IsZero() {
			return gatehouse.E(gatehouse.Conflict, "nobody revoked it")
		}
		if strings.TrimSpace(reason) == "" {
			return gatehouse.E(gatehouse.Invalid, "say why, for the record")
		}
		a.RevokedBy, a.Reason = "system", "waits to be evaluated again"
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g.Run(ctx, t)
}

// attested changes the attestation of a target.
func (g *Gate) attested(ctx context.Context, doing, action string, t Target, reason string, change func(*gatehouse.Attested, time.Time) error) (*gatehouse.Attested, error) {
	for try := 1; ; try++ {
		a, err := g.tryAttested(ctx, action, t, reason, change)
		if moved(err) && try < retries {
			continue
		}
		if err != nil {
			return nil, gatehouse.E(gatehouse.KindOf(err), "%s the attestation of %q, environment %q: %w", doing, named(t), t.Environment, err)
		}
		return a, nil
	}
}

func (g *Gate) tryAttested(ctx context.Context, action string, t Target, reason string, change func(*gatehouse.Attested, time.Time) error) (*gatehouse.Attested, error) {
	if len(reason) > maxReason {
		return nil, gatehouse.E(gatehouse.Invalid, "the reason has %d bytes, the limit is %d", len(reason), maxReason)
	}
	rec, err := g.db.Get(ctx, t.attestationKey())
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.NotFound, "it has none")
	}
	if err != nil {
		return nil, err
	}
	a, err := read[gatehouse.Attested](rec)
	if err != nil {
		return nil, err
	}
	if err := change(a, g.now()); err != nil {
		return nil, err
	}
	w, err := attestedWrite(t, a, rec.Rev)
	if err != nil {
		return nil, err
	}
	due, err := g.due(ctx, t)
	if err != nil {
		return nil, err
	}
	return a, g.commit(ctx, audit.Act{
		Action: action, Object: "Attestation " + t.Environment + " " + t.ID() + "#" + short(t.Revision), Team: t.Team, Reason: reason, Writes: append(due, w),
	})
}

// due has what is live looked at again, so that lists do not go on telling of an
// attestation that was taken back.
func (g *Gate) due(ctx context.Context, t Target) ([]store.Write, error) {
	rec, err := g.db.Get(ctx, t.resultKey(true))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := read[gatehouse.GateResult](rec)
	if err != nil || r.Revision != t.Revision {
		return nil, err
	}
	r.Due = g.now()
	w, err := resultWrite(t, r, rec.Rev)
	return []store.Write{w}, err
}

// Keys are the installation's name and the public keys that prove what it
// signs, by id.
func (g *Gate) Keys() (installation string, keys map[string][]byte) {
	return g.signer.ID(), g.signer.AttestKeys()
}
