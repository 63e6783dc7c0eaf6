// Package proof gathers what proves that a framework was approved and is obeyed
// into a pack for an auditor: texts and approvals, attestations, waivers and
// answers, the policies that run, the events that tell of all that, and the
// files that were brought as evidence.
//
// It streams: nothing is held but what one record needs. Everything but the
// policies that run is of one state of the store. What a pack looks like, and
// how it is verified with no server, is package pack's.
package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/compile"
	"gatehouse/control/governance/gate"
	"gatehouse/pack"
	"gatehouse/store"
)

// A Signer is the installation, as far as it signs packs.
type Signer interface {
	ID() string
	AttestKeys() map[string][]byte
	SigningKey() string
	SignManifest(text []byte) []byte
}

// An Explainer tells what gateways do with an operation; compile.State is one.
type Explainer interface {
	Explain(id, env, operation, plan string) (*compile.Explanation, error)
}

// A Prover makes packs. It is safe for use by several goroutines.
type Prover struct {
	Trail   *audit.Trail
	Signer  Signer
	Explain Explainer
	Now     func() time.Time // nil: time.Now
}

// maxTracked bounds how many hashes and objects a pack keeps in mind while it
// is made.
const maxTracked = 1_000_000

// A Pack is one pack that can be made.
type Pack struct {
	*Prover
	framework, environment string
	manifest               pack.Manifest
	state                  gatehouse.FrameworkState
	stateText              []byte
	at                     store.Seq

	w        *pack.Writer
	evidence map[string]bool // hashes that are named
	objects  map[string]bool // that events are looked for of
	versions map[string]bool // "prod payments/orders@v1", that were judged
}

// Open finds out whether there is something to prove, and puts on record that
// it was asked for. environment is "" for all.
func (p *Prover) Open(ctx context.Context, name, environment string) (*Pack, error) {
	k := &Pack{Prover: p, framework: name, environment: environment, evidence: map[string]bool{}, objects: map[string]bool{}, versions: map[string]bool{}}
	if err := k.open(ctx); err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "proving framework %q: %w", name, err)
	}
	return k, nil
}

func (k *Pack) open(ctx context.Context) error {
	db := k.Trail.DB
	if k.environment != "" {
		if _, err := db.Get(ctx, gatehouse.Key(gatehouse.KindEnvironment, "", k.environment)); gatehouse.Is(err, gatehouse.NotFound) {
			return gate.NoEnvironment(ctx, db, k.environment)
		} else if err != nil {
			return err
		}
	}
	why := "all environments"
	if k.environment != "" {
		why = "environment " + k.environment
	}
	if _, err := db.Get(ctx, gatehouse.FrameworkStateKey(k.framework)); gatehouse.Is(err, gatehouse.NotFound) {
		return gatehouse.E(gatehouse.NotFound, "nothing is on record of it")
	} else if err != nil {
		return err
	}
	if _, err := k.Trail.Commit(ctx, audit.Act{Action: "gate.evidence", Object: "Framework " + k.framework, Reason: why}); err != nil {
		return err
	}
	head, err := db.Head(ctx)
	if err != nil {
		return err
	}
	rec, err := db.GetAsOf(ctx, gatehouse.FrameworkStateKey(k.framework), head.Seq)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(rec.Value, &k.state); err != nil {
		return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	now := time.Now
	if k.Now != nil {
		now = k.Now
	}
	k.stateText, k.at = rec.Value, head.Seq
	k.manifest = pack.Manifest{
		Installation: k.Signer.ID(), Framework: k.framework, Environment: k.environment, Created: now(), By: audit.From(ctx).Actor,
		Seq: int64(head.Seq), Trail: pack.Mark{Number: head.Event, Hash: head.Hash},
	}
	return nil
}

// Write streams the pack. An error leaves an archive without an end, which
// nobody takes for a whole one.
func (k *Pack) Write(ctx context.Context, to io.Writer) error {
	k.w = pack.NewWriter(to, k.manifest)
	for _, part := range []func(context.Context) error{k.begin, k.texts, k.gate, k.policies, k.files, k.events} {
		if err := part(ctx); err != nil {
			return fmt.Errorf("proving framework %q: %w", k.framework, err)
		}
	}
	return k.w.Close(k.Signer.SigningKey(), k.Signer.SignManifest)
}

func (k *Pack) begin(context.Context) error {
	keys, err := json.MarshalIndent(pack.KeysOf(k.Signer.ID(), k.Signer.AttestKeys()), "", "  ")
	if err != nil {
		return err
	}
	if err := k.w.Put(pack.ReadmeFile, []byte(k.readme())); err != nil {
		return err
	}
	if err := k.w.Put(pack.KeysFile, append(keys, '\n')); err != nil {
		return err
	}
	return k.w.Put(pack.StateFile, k.stateText)
}

func (k *Pack) track(set map[string]bool, keys ...string) {
	for _, key := range keys {
		if len(set) < maxTracked {
			set[key] = true
		}
	}
}

// records adds a file with those records of a query that keep takes, one a
// line, as the store has them.
func records[T any](k *Pack, ctx context.Context, name string, q store.Query, keep func(*T) bool) error {
	if _, err := k.w.Create(name); err != nil {
		return err
	}
	q.AsOf, q.Limit = k.at, 500
	for {
		page, err := k.Trail.DB.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			v := new(T)
			if err := json.Unmarshal(r.Value, v); err != nil {
				return gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
			}
			if keep(v) {
				if err := k.w.Line(json.RawMessage(r.Value)); err != nil {
					return err
				}
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// in reports whether an environment is one that the pack is about.
func (k *Pack) in(environment string) bool {
	return k.environment == "" || environment == "" || environment == k.environment
}

// gate are the results of the gate and what they lean on.
func (k *Pack) gate(ctx context.Context) error {
	of := func(kind gatehouse.Kind) store.Query {
		return store.Query{Kind: string(kind), Where: map[string]string{"framework": k.framework}}
	}
	err := records(k, ctx, pack.AttestationsFile, of(gatehouse.KindAttestation), func(a *gatehouse.Attested) bool {
		s := &a.Statement
		if !k.in(s.Environment) {
			return false
		}
		for _, c := range s.Controls {
			k.track(k.evidence, c.Evidence...)
		}
		k.judged(s.Environment, s.API, s.Version)
		k.track(k.objects, "Attestation "+s.Environment+" "+s.API+"@"+s.Version)
		return true
	})
	if err != nil {
		return err
	}
	err = records(k, ctx, pack.ResultsFile, of(gatehouse.KindGateResult), func(r *gatehouse.GateResult) bool {
		if k.in(r.Environment) {
			k.judged(r.Environment, r.API, r.Version)
		}
		return k.in(r.Environment)
	})
	if err != nil {
		return err
	}
	err = records(k, ctx, pack.WaiversFile, of(gatehouse.KindWaiver), func(w *gatehouse.Waiver) bool {
		if k.in(w.Environment) {
			k.track(k.objects, "Waiver "+w.ID)
		}
		return k.in(w.Environment)
	})
	if err != nil {
		return err
	}
	return records(k, ctx, pack.AnswersFile, of(gatehouse.KindAnswer), func(a *gatehouse.Answer) bool {
		k.track(k.evidence, a.Evidence...)
		k.track(k.objects, "Answer "+a.API+"@"+a.Version+" "+a.Control)
		return true
	})
}

func (k *Pack) judged(environment, api, version string) {
	k.track(k.versions, environment+" "+api+"@"+version)
	k.track(k.objects, "Gate "+environment+" "+api+"@"+version)
}
