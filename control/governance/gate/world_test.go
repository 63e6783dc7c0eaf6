package gate_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
	"gatehouse/control/release"
	"gatehouse/jsonx"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/yamlx"
)

// A world is a control plane's memory with a gate, and a clock that is set.
type world struct {
	t    testing.TB
	ctx  context.Context
	db   store.DB
	gate *gate.Gate
	*catalog.Catalog
	*release.Desk
	clock  *time.Time
	trail  *audit.Trail
	public ed25519.PublicKey
	signer gate.Signer
}

type signer struct{ key ed25519.PrivateKey }

func (s signer) ID() string { return "inst" }
func (s signer) Attest(st attest.Statement) (*attest.Attestation, error) {
	return attest.Sign(st, "k1", s.key)
}
func (s signer) AttestKeys() map[string][]byte {
	return map[string][]byte{"k1": s.key.Public().(ed25519.PublicKey)}
}

const day = 24 * time.Hour

func newWorld(t testing.TB) *world {
	t.Helper()
	at := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	db := memory.New()
	w := &world{t: t, db: db, clock: &at, trail: &audit.Trail{DB: db, Now: func() time.Time { return at }}}
	var private ed25519.PrivateKey
	var err error
	if w.public, private, err = ed25519.GenerateKey(nil); err != nil {
		t.Fatal(err)
	}
	w.signer = signer{private}
	w.ctx = audit.WithRequest(context.Background(), audit.Request{Actor: "user:dev@example.com", Authentication: "token:x"})
	w.gate, w.Catalog = w.node()
	w.Desk = w.Catalog.Releases.(*release.Desk)
	t.Cleanup(func() { _ = db.Close() })
	w.apply(base)
	return w
}

// node is another control plane on the same store.
func (w *world) node() (*gate.Gate, *catalog.Catalog) {
	g := gate.New(w.trail, w.signer, slog.New(slog.DiscardHandler))
	g.Holds = func(subject, role, _ string) bool {
		return role == "security" && strings.HasPrefix(subject, "user:sec")
	}
	c := catalog.New(w.trail)
	d := release.New(c, w.db)
	d.Gate = g
	return g, c
}

func (w *world) as(actor string) context.Context {
	return audit.WithRequest(w.ctx, audit.Request{Actor: actor, Authentication: "token:y"})
}

func (w *world) later(d time.Duration) { *w.clock = w.clock.Add(d) }

const base = `
{apiVersion: gatehouse/v1, kind: Framework, metadata: {name: corporate}, spec: {versions: [{name: "2026.1"}]}}
---
{apiVersion: gatehouse/v1, kind: Team, metadata: {name: payments}, spec: {}}
---
{apiVersion: gatehouse/v1, kind: Environment, metadata: {name: dev}, spec: {stage: dev, gate: {mode: "off"}}}
---
{apiVersion: gatehouse/v1, kind: Environment, metadata: {name: prod}, spec: {stage: prod, jurisdiction: EU}}
---
{apiVersion: gatehouse/v1, kind: Gateway, metadata: {name: prod-eu}, spec: {environment: prod, location: {cloud: aws, network: public}}}
---
apiVersion: gatehouse/v1
kind: Backend
metadata: {team: payments, name: orders}
spec:
  environments:
    dev: {targets: [{url: "http://127.0.0.1:1"}]}
    prod: {targets: [{url: "https://orders.internal"}]}
`

const definition = `openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      operationId: listOrders
      responses: {"200": {description: ok}}
    post:
      operationId: createOrder
      responses: {"201": {description: ok}}
`

// api is the document of payments/orders with some of it replaced.
func api(changes ...string) string {
	return strings.NewReplacer(changes...).Replace(`
apiVersion: gatehouse/v1
kind: API
metadata: {team: payments, name: orders}
spec:
  framework: corporate
  audience: partner
  versions:
    - name: v1
      definition: ./orders.yaml
      path: /orders/v1
      backend: orders
      policies: [{jwt: {issuer: "https://id.example.com", audiences: [orders]}}]
`)
}

// apply applies documents; a definition they name is the one above, unless
// files say otherwise.
func (w *world) apply(text string, files ...string) catalog.Result {
	w.t.Helper()
	r, err := w.tryApply(text, files...)
	if err != nil {
		w.t.Fatalf("applying: %v\n%s", err, text)
	}
	return r
}

func (w *world) tryApply(text string, files ...string) (catalog.Result, error) {
	w.t.Helper()
	docs, err := yamlx.Parse([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	content := definition
	if len(files) > 0 {
		content = files[0]
	}
	hash := hashOf(content)
	req := catalog.Request{Files: map[string][]byte{hash: []byte(content)}}
	for _, d := range docs {
		data, faults := yamlx.JSON(d)
		if len(faults) > 0 {
			w.t.Fatal(faults[0])
		}
		o := new(gatehouse.Object)
		if err := o.UnmarshalJSON(data); err != nil {
			w.t.Fatal(err)
		}
		doc := catalog.Document{Object: o}
		if s, ok := o.Spec.(*gatehouse.API); ok && s.Versions[0].Definition != "" {
			doc.Files = map[string]string{s.Versions[0].Definition: hash}
		}
		req.Documents = append(req.Documents, doc)
	}
	return w.Apply(w.ctx, req)
}

// enforce puts a version of framework corporate in force.
func (w *world) enforce(version, controls string) {
	w.t.Helper()
	docs, err := yamlx.Parse([]byte("{name: \"" + version + "\", controls: " + controls + "}"))
	if err != nil {
		w.t.Fatal(err)
	}
	data, faults := yamlx.JSON(docs[0])
	if len(faults) > 0 {
		w.t.Fatal(faults[0])
	}
	text := gatehouse.FrameworkText{Framework: "corporate"}
	if err := jsonx.Decode(data, &text.Version); err != nil {
		w.t.Fatal(err)
	}
	value, hash, err := text.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	s := gatehouse.FrameworkState{Framework: "corporate", Versions: map[string]gatehouse.FrameworkVersionState{}}
	rec, err := w.db.Get(w.ctx, gatehouse.FrameworkStateKey("corporate"))
	if err == nil {
		if err := json.Unmarshal(rec.Value, &s); err != nil {
			w.t.Fatal(err)
		}
	}
	var acts []audit.Act
	if s.Governed.IsZero() {
		if acts, err = w.gate.Inaugurate(w.ctx, "corporate", version, hash); err != nil {
			w.t.Fatal(err)
		}
		s.Governed = *w.clock
	}
	s.InForce = version
	s.Versions[version] = gatehouse.FrameworkVersionState{State: gatehouse.InForce, Hash: hash, Since: *w.clock}
	state, err := jsonx.Canonical(&s)
	if err != nil {
		w.t.Fatal(err)
	}
	acts = append(acts, audit.Act{Action: "framework.enforce", Object: "Framework corporate@" + version, Writes: []store.Write{
		{Key: "FrameworkText/" + hash, Kind: "FrameworkText", Value: value, Expect: store.Any},
		{Key: gatehouse.FrameworkStateKey("corporate"), Kind: "FrameworkState", Value: state, Expect: store.Any},
	}})
	if _, err := w.trail.Commit(w.ctx, acts...); err != nil {
		w.t.Fatal(err)
	}
}

// withdraw leaves framework corporate without a version in force.
func (w *world) withdraw() {
	w.t.Helper()
	rec, err := w.db.Get(w.ctx, gatehouse.FrameworkStateKey("corporate"))
	if err != nil {
		w.t.Fatal(err)
	}
	var s gatehouse.FrameworkState
	if err := json.Unmarshal(rec.Value, &s); err != nil {
		w.t.Fatal(err)
	}
	v := s.Versions[s.InForce]
	v.State = gatehouse.Withdrawn
	s.Versions[s.InForce], s.InForce = v, ""
	state, err := jsonx.Canonical(&s)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.trail.Commit(w.ctx, audit.Act{Action: "framework.withdraw", Object: "Framework corporate", Writes: []store.Write{
		{Key: rec.Key, Kind: rec.Kind, Value: state, Expect: rec.Rev},
	}}); err != nil {
		w.t.Fatal(err)
	}
}

// target is payments/orders@v1 at its newest revision in prod.
func (w *world) target() gate.Target {
	w.t.Helper()
	rev, err := w.Revision(w.ctx, catalog.Ref{Team: "payments", Name: "orders", Version: "v1"})
	if err != nil {
		w.t.Fatal(err)
	}
	return gate.Target{Environment: "prod", Team: "payments", Name: "orders", Version: "v1", Revision: rev.Hash}
}

func (w *world) run() *gate.Run {
	w.t.Helper()
	r, err := w.gate.Run(w.ctx, w.target())
	if err != nil {
		w.t.Fatal(err)
	}
	if r.Attestation != nil && r.Attestation.Revoked.IsZero() {
		if err := r.Attestation.Verify(w.public); err != nil {
			w.t.Error(err)
		}
	}
	return r
}

func (w *world) release() error {
	_, err := w.Release(w.ctx, catalog.Ref{Team: "payments", Name: "orders", Version: "v1"}, "prod", release.Terms{})
	return err
}

// pass does the background work that is due.
func (w *world) pass() int {
	w.t.Helper()
	n, err := w.gate.Pass(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// live is the last evaluation of what is released.
func (w *world) live() *gatehouse.GateResult {
	w.t.Helper()
	rec, err := w.db.Get(w.ctx, gatehouse.GateResultKey("prod", "payments", "orders", "v1", true))
	if err != nil {
		w.t.Fatal(err)
	}
	r := new(gatehouse.GateResult)
	if err := json.Unmarshal(rec.Value, r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// attested is the attestation of the newest revision in prod; nil for none.
func (w *world) attested() *gatehouse.Attested {
	w.t.Helper()
	t := w.target()
	rec, err := w.db.Get(w.ctx, gatehouse.AttestationKey("prod", t.Team, t.Name, t.Version, t.Revision))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	a := new(gatehouse.Attested)
	if err := json.Unmarshal(rec.Value, a); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// covered tells whether a gateway would let the newest revision run now.
func (w *world) covered() bool {
	w.t.Helper()
	a := w.attested()
	return a != nil && a.Revoked.IsZero() && a.Verify(w.public) == nil && a.Statement.Covers("inst", "prod", "payments/orders", "v1", w.target().Revision, *w.clock) == nil
}

func (w *world) events(action string) (n int) {
	w.t.Helper()
	for _, err := range w.db.Events(w.ctx, store.EventQuery{Action: action, Outcome: gatehouse.Allowed}) {
		if err != nil {
			w.t.Fatal(err)
		}
		n++
	}
	return n
}

// outcomes are the controls' by id.
func outcomes(r *gatehouse.GateResult) map[string]string {
	m := map[string]string{}
	for _, c := range r.Controls {
		m[c.ID] = c.Outcome
		if c.Kept {
			m[c.ID] += " kept"
		}
	}
	return m
}

func (w *world) wants(r *gatehouse.GateResult, outcome string, controls map[string]string) {
	w.t.Helper()
	got := outcomes(r)
	if r.Outcome != outcome {
		w.t.Errorf("the outcome is %q, want %q: %v %s", r.Outcome, outcome, got, r.Reason)
	}
	for id, want := range controls {
		if got[id] != want {
			w.t.Errorf("control %q is %q, want %q", id, got[id], want)
		}
	}
}

func (w *world) refused(err error, kind gatehouse.ErrorKind, want ...string) {
	w.t.Helper()
	if !gatehouse.Is(err, kind) {
		w.t.Errorf("got %v of kind %q, want kind %q", err, gatehouse.KindOf(err), kind)
		return
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			w.t.Errorf("got %v, want %q in it", err, text)
		}
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
