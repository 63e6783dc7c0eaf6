package gate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/governance/gate"
	"gatehouse/store"
)

// now is the view of what the store has.
type now struct{ store.DB }

func (n now) Record(ctx context.Context, key string) ([]byte, error) {
	r, err := n.Get(ctx, key)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, nil
	}
	return r.Value, err
}

func (n now) Object(ctx context.Context, key string) (*gatehouse.Object, error) {
	value, err := n.Record(ctx, key)
	if value == nil {
		return nil, err
	}
	_, o, err := gatehouse.ReadStored(key, value)
	return o, err
}

func (n now) Gateways(ctx context.Context, env string) (all []*gatehouse.Object, err error) {
	page, err := n.List(ctx, store.Query{Kind: string(gatehouse.KindGateway), Where: map[string]string{"environment": env}, Limit: 100})
	for _, r := range page.Records {
		o, _ := n.Object(ctx, r.Key)
		all = append(all, o)
	}
	return all, err
}

// attestedBy is the attestation that is written with a release.
func attestedBy(t *testing.T, acts []audit.Act) string {
	t.Helper()
	for _, a := range acts {
		for _, w := range a.Writes {
			if w.Kind == string(gatehouse.KindAttestation) {
				var v gatehouse.Attested
				if err := json.Unmarshal(w.Value, &v); err != nil {
					t.Fatal(err)
				}
				return v.Statement.ID
			}
		}
	}
	return ""
}

// A rehearsed decision counts while nothing it rests on has changed, and is made
// anew otherwise.
func TestRehearsedDecisionsAreOverWhenSomethingChanges(t *testing.T) {
	const stricter = `[{id: gone, check: {cel: {expression: 'api.audience == "internal"', message: "say internal"}}}]`
	tests := []struct {
		name   string
		change func(w *world)
		used   bool
		err    string
	}{
		{"nothing", func(*world) {}, true, ""},
		{"another API", func(w *world) { w.apply(api("name: orders}", "name: others}", "/orders/v1", "/others")) }, true, ""},
		{"another backend", func(w *world) {
			w.apply("{apiVersion: gatehouse/v1, kind: Backend, metadata: {team: payments, name: other}, spec: {environments: {prod: {targets: [{url: \"https://x.internal\"}]}}}}")
		}, true, ""},
		{"its backend", func(w *world) {
			w.apply("{apiVersion: gatehouse/v1, kind: Backend, metadata: {team: payments, name: orders}, spec: {environments: {dev: {targets: [{url: \"http://127.0.0.1:1\"}]}, prod: {targets: [{url: \"https://x.internal\"}]}}}}")
		}, false, ""},
		{"a gateway", func(w *world) { w.apply(european) }, false, ""},
		{"the environment", func(w *world) { w.apply(gated("{accepts: [corporate]}")) }, false, ""},
		{"the framework", func(w *world) { w.enforce("2026.2", stricter) }, false, "(gone)"},
		{"withdrawn", func(w *world) { w.withdraw() }, false, "no version in force: 2026.1 was withdrawn on"},
		{"a person ran the gate", func(w *world) { w.run() }, false, ""},
		{"eleven minutes", func(w *world) { w.later(11 * 60e9) }, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(api())
			w.enforce("2026.1", `[{id: audience, check: {cel: {expression: 'api.audience == "partner"', message: "say partner"}}}]`)
			ahead, then, err := w.gate.Rehearse(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			acts, err := w.gate.Admit(ahead, now{w.db}, w.target(), gate.Forward)
			if err != nil {
				t.Fatal(err)
			}
			first := attestedBy(t, acts)
			tt.change(w)
			acts, err = w.gate.Admit(then, now{w.db}, w.target(), gate.Forward)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("got %v, want %q", err, tt.err)
			}
			if err == nil && (attestedBy(t, acts) == first) != tt.used {
				t.Errorf("rehearsed %q, then %q; want it used: %t", first, attestedBy(t, acts), tt.used)
			}
		})
	}
}

// What keeps a revision out is rehearsed as well, and stands in the trail once.
func TestBulkIsHeldByTheGate(t *testing.T) {
	w := newWorld(t)
	w.apply(automatic)
	w.enforce("2026.1", `[{id: gone, check: {cel: {expression: 'api.audience == "internal"', message: "say internal"}}}]`)
	r := w.apply(bulk(5, 1))
	if len(r.Held) != 5 || w.events("gate.fail") != 5 || w.events("release.create") != 5 { // those are dev's
		t.Errorf("held %d, %d failures, %d releases", len(r.Held), w.events("gate.fail"), w.events("release.create"))
	}
	w.apply(strings.ReplaceAll(bulk(5, 2), "audience: partner", "audience: internal"))
	if w.events("gate.pass") != 5 || w.events("release.create") != 15 {
		t.Errorf("%d passes, %d releases", w.events("gate.pass"), w.events("release.create"))
	}
}

// A meddler changes something whenever the gate is asked about prod.
type meddler struct {
	*gate.Gate
	meddle func()
}

func (m meddler) Admit(ctx context.Context, v gate.View, t gate.Target, way gate.Going) ([]audit.Act, error) {
	acts, err := m.Gate.Admit(ctx, v, t, way)
	if t.Environment == "prod" {
		m.meddle()
	}
	return acts, err
}

// Somebody else gets through between the evaluation of a bundle and its writing:
// judging it holds nobody up.
func TestBulkIsJudgedWithoutHoldingOthersUp(t *testing.T) {
	w := newWorld(t)
	w.apply(automatic)
	w.enforce("2026.1", "["+limit+"]")
	meddled := 0
	w.Desk.Gate = meddler{w.gate, func() {
		if meddled++; meddled <= 5 { // what comes after is asked under the lock
			w.apply(fmt.Sprintf(`{apiVersion: gatehouse/v1, kind: Team, metadata: {name: other}, spec: {title: "%d"}}`, meddled))
		}
	}}
	w.apply(bulk(5, 1))
	if meddled != 10 {
		t.Errorf("the gate was asked %d times", meddled)
	}
	rec, err := w.db.Get(w.ctx, "Team/other")
	if err != nil || !strings.Contains(string(rec.Value), `"title":"5"`) {
		t.Errorf("%v: %s", err, rec.Value)
	}
}
