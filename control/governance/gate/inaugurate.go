package gate

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Inaugurate gives everything that is live, where the gate is demanded once the
// first framework is in force, an attestation that it is on notice: nothing goes
// dark at once. It is written in the transaction that puts the version in force;
// background work then looks at each.
func (g *Gate) Inaugurate(ctx context.Context, framework, version, hash string) ([]audit.Act, error) {
	governed, err := g.governed(ctx)
	if err != nil || !governed.IsZero() {
		return nil, err
	}
	v := g.stored()
	a := audit.Act{Action: "gate.inaugurate", Object: "Framework " + framework + "@" + version, Reason: "what was live before is on notice"}
	n := 0
	err = each(ctx, g.db, store.Query{Kind: string(gatehouse.KindRelease)}, func(rec store.Record) error {
		rel, err := read[gatehouse.Release](rec)
		if err != nil || rel.Revision == "" {
			return err
		}
		env, err := spec[*gatehouse.Environment](ctx, v, gatehouse.Key(gatehouse.KindEnvironment, "", rel.Environment))
		if err != nil || env == nil || env.GateMode(true) != gatehouse.GateEnforce {
			return err
		}
		writes, err := g.onNotice(ctx, v, rel, env, &attest.Statement{Framework: framework, FrameworkVersion: version, FrameworkHash: hash})
		a.Writes = append(a.Writes, writes...)
		n++
		return err
	})
	if err != nil || n == 0 {
		return nil, err
	}
	a.After, err = jsonx.Marshal(map[string]any{"releases": n, "until": g.now().Add(FirstGrace)})
	return []audit.Act{a}, err
}

// onNotice is the attestation of one release, with a result that is to be
// looked at again at once. One that has an attestation keeps it.
func (g *Gate) onNotice(ctx context.Context, v View, rel *gatehouse.Release, env *gatehouse.Environment, by *attest.Statement) ([]store.Write, error) {
	t := targetOf(rel.Environment, rel.API, rel.Version, rel.Revision)
	p, err := g.recall(ctx, t)
	if err != nil || p.own != nil && p.own.Revoked.IsZero() && g.now().Before(p.own.Statement.Expires) {
		return nil, err
	}
	value, err := v.Record(ctx, t.revisionKey(t.Revision))
	if err != nil || value == nil {
		return nil, err
	}
	var rev gatehouse.Revision
	if err := json.Unmarshal(value, &rev); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", t.revisionKey(t.Revision), err)
	}
	named := rev.Form.Framework
	if named == "" && env.Gate != nil {
		named = env.Gate.Framework
	}
	if named != by.Framework {
		by = &attest.Statement{Framework: named}
	}
	now := g.now()
	until := now.Add(FirstGrace)
	c := gatehouse.GateControl{
		ID: noFramework, Title: "A framework judges the API", Kind: noFramework, Level: gatehouse.ControlRequired, Severity: "critical",
		Outcome: gatehouse.GateGrace, Until: until,
		Findings: []gatehouse.GateFinding{{
			Object: "API " + t.API(), Detail: "it was live before the first framework came in force, and is yet to be evaluated",
			Remedy: "nothing yet: the gate looks at it by itself",
		}},
	}
	r := &ruling{looking: &looking{Target: t, env: env, rev: &rev}, past: p, result: &gatehouse.GateResult{
		Environment: t.Environment, Mode: gatehouse.GateEnforce, API: t.API(), Version: t.Version, Revision: t.Revision, Released: true,
		Framework: by.Framework, FrameworkVersion: by.FrameworkVersion, FrameworkHash: by.FrameworkHash,
		Outcome: gatehouse.GateGrace, Controls: []gatehouse.GateControl{c}, Time: now, By: actor(ctx), Notice: until, Expires: until, Due: now,
	}}
	s := r.statement(now)
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	s.ID, s.Installation = id.String(), g.signer.ID()
	signed, err := g.signer.Attest(*s)
	if err != nil {
		return nil, err
	}
	r.made, r.result.Attestation = &gatehouse.Attested{Attestation: *signed, By: actor(ctx)}, s.ID
	writes, err := r.writes()
	if err == nil {
		// Background work may write its result between; this one asks for another
		// look, so it loses nothing, and a race over thousands would never be won.
		writes[0].Expect = store.Any
	}
	return writes, err
}
