package gate

import (
	"context"
	"encoding/json"
	"time"

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
	return g.putOnNotice(ctx, a, store.Query{}, func(rel *gatehouse.Release) ([]store.Write, error) {
		env, err := spec[*gatehouse.Environment](ctx, v, gatehouse.Key(gatehouse.KindEnvironment, "", rel.Environment))
		if err != nil || env == nil || env.GateMode(true) != gatehouse.GateEnforce {
			return nil, err
		}
		return g.onNotice(ctx, v, rel, env, func(named string) (*attest.Statement, error) {
			if named != framework {
				return &attest.Statement{Framework: named}, nil
			}
			return &attest.Statement{Framework: framework, FrameworkVersion: version, FrameworkHash: hash}, nil
		})
	})
}

// Begin gives everything that is live in an environment that begins to enforce
// the gate, and does not pass, an attestation that it is on notice. It is written
// in the transaction that changes the environment; v says how that will be.
// Except tells of releases that the transaction itself changes.
func (g *Gate) Begin(ctx context.Context, v View, name string, was, will *gatehouse.Environment, except func(key string) bool) ([]audit.Act, error) {
	governed, err := g.governed(ctx)
	enforces := func(e *gatehouse.Environment) bool { return e.GateMode(!governed.IsZero()) == gatehouse.GateEnforce }
	if err != nil || enforces(was) || !enforces(will) {
		return nil, err
	}
	a := audit.Act{Action: "gate.inaugurate", Object: "Environment " + name, Reason: "what was live before is on notice"}
	return g.putOnNotice(ctx, a, store.Query{Where: map[string]string{"environment": name}}, func(rel *gatehouse.Release) ([]store.Write, error) {
		if except("Release/" + name + "/" + rel.API + "/" + rel.Version) {
			return nil, nil
		}
		return g.onNotice(ctx, v, rel, will, func(named string) (*attest.Statement, error) {
			b, err := g.bench(ctx, v, will, named, governed)
			if err != nil || b.judging == nil {
				return &attest.Statement{Framework: named}, err
			}
			return &attest.Statement{Framework: named, FrameworkVersion: b.text.Version.Name, FrameworkHash: b.hash}, nil
		})
	})
}

// putOnNotice adds to an act what gives each of many releases an attestation
// that it is on notice; no act when there is none.
func (g *Gate) putOnNotice(ctx context.Context, a audit.Act, q store.Query, one func(*gatehouse.Release) ([]store.Write, error)) ([]audit.Act, error) {
	q.Kind = string(gatehouse.KindRelease)
	n := 0
	err := each(ctx, g.db, q, func(rec store.Record) error {
		rel, err := read[gatehouse.Release](rec)
		if err != nil || rel.Revision == "" {
			return err
		}
		writes, err := one(rel)
		if len(writes) > 0 {
			a.Writes = append(a.Writes, writes...)
			n++
		}
		return err
	})
	if err != nil || n == 0 {
		return nil, err
	}
	a.After, err = jsonx.Marshal(map[string]any{"releases": n, "until": g.now().Add(FirstGrace)})
	return []audit.Act{a}, err
}

// onNotice are the attestations of one release, of what is live and of its
// canary.
func (g *Gate) onNotice(ctx context.Context, v View, rel *gatehouse.Release, env *gatehouse.Environment, judged func(named string) (*attest.Statement, error)) ([]store.Write, error) {
	writes, err := g.noticeOf(ctx, v, targetOf(rel.Environment, rel.API, rel.Version, rel.Revision), true, env, judged)
	if err != nil || rel.Canary == nil {
		return writes, err
	}
	beside, err := g.noticeOf(ctx, v, targetOf(rel.Environment, rel.API, rel.Version, rel.Canary.Revision), false, env, judged)
	return append(writes, beside...), err
}

// noticeOf is the attestation of one revision, with a result that is to be
// looked at again at once. One that passed keeps its own, one that a person
// took back stays so, and nobody is on notice twice.
func (g *Gate) noticeOf(ctx context.Context, v View, t Target, live bool, env *gatehouse.Environment, judged func(named string) (*attest.Statement, error)) ([]store.Write, error) {
	p, err := g.recall(ctx, t)
	if err != nil || p.own != nil && (stands(p.own, g.now()) || !p.own.Revoked.IsZero() && p.own.RevokedBy != "system") {
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
	by, err := judged(named)
	if err != nil {
		return nil, err
	}
	now := g.now()
	until := now.Add(FirstGrace)
	if p.own != nil {
		if ends, ok := p.own.Notices[noticeKey(by.FrameworkHash, noFramework)]; ok {
			until = ends
		}
	}
	if !now.Before(until) {
		return nil, nil
	}
	c := gatehouse.GateControl{
		ID: noFramework, Title: "A framework judges the API", Kind: noFramework, Level: gatehouse.ControlRequired, Severity: "critical",
		Outcome: gatehouse.GateGrace, Until: until,
		Findings: []gatehouse.GateFinding{{
			Object: "API " + t.API(), Detail: "it was live before the gate was demanded here, and is yet to be evaluated",
			Remedy: "nothing yet: the gate looks at it by itself",
		}},
	}
	r := &ruling{looking: &looking{Target: t, env: env, rev: &rev}, past: p, result: &gatehouse.GateResult{
		Environment: t.Environment, Mode: gatehouse.GateEnforce, API: t.API(), Version: t.Version, Revision: t.Revision, Released: live,
		Framework: by.Framework, FrameworkVersion: by.FrameworkVersion, FrameworkHash: by.FrameworkHash,
		Outcome: gatehouse.GateGrace, Controls: []gatehouse.GateControl{c}, Time: now, By: actor(ctx), Notice: until, Expires: until, Due: now, Demanded: now, Warned: now, Told: now,
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
	r.made, r.result.Attestation = &gatehouse.Attested{Attestation: *signed, By: actor(ctx), Notices: r.notices()}, s.ID
	writes, err := r.writes()
	if err == nil {
		// Background work may write its result between; this one asks for another
		// look, so it loses nothing, and a race over thousands would never be won.
		writes[0].Expect = store.Any
	}
	return writes, err
}

// stands tells whether an attestation holds for longer than a notice: it was not
// taken back, has not ended, and says that the revision passed.
func stands(a *gatehouse.Attested, now time.Time) bool {
	return a.Revoked.IsZero() && now.Before(a.Statement.Expires) && a.Statement.Outcome != gatehouse.GateGrace
}
