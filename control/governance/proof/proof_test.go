package proof_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/compile"
	"gatehouse/control/governance/evidence"
	"gatehouse/control/governance/framework"
	"gatehouse/control/governance/proof"
	"gatehouse/pack"
	"gatehouse/store"
	"gatehouse/store/memory"
)

type signer struct{ key ed25519.PrivateKey }

func (s signer) ID() string { return "inst" }
func (s signer) AttestKeys() map[string][]byte {
	return map[string][]byte{"k": s.key.Public().(ed25519.PublicKey)}
}
func (s signer) SigningKey() string              { return "k" }
func (s signer) SignManifest(text []byte) []byte { return ed25519.Sign(s.key, text) }

type explainer struct{}

func (explainer) Explain(id, env, operation, plan string) (*compile.Explanation, error) {
	if env != "prod" {
		return nil, gatehouse.E(gatehouse.NotFound, "it is not released in %q", env)
	}
	return &compile.Explanation{API: id, Revision: "aa", Operation: operation}, nil
}

// A world is an installation with a framework in force and one attestation.
type world struct {
	*testing.T
	trail  *audit.Trail
	prover *proof.Prover
	hash   string // of the evidence
}

func (w *world) as(who string) context.Context {
	return audit.WithRequest(w.Context(), audit.Request{Actor: who, Authentication: "token:x"})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	w := &world{T: t, trail: &audit.Trail{DB: memory.New(), Now: func() time.Time { return now }}}
	sign := signer{key}
	w.prover = &proof.Prover{Trail: w.trail, Signer: sign, Explain: explainer{}, Now: w.trail.Now}
	guard, err := access.Open(t.Context(), w.trail, nil)
	w.must(err)
	cat, desk, shelf := catalog.New(w.trail), framework.New(w.trail, guard), evidence.New(w.trail)
	desk.Document = func(context.Context, *framework.View) ([]byte, []byte, error) {
		return []byte("# doc"), []byte("<p>doc"), nil
	}
	apply := func(who string, files map[string][]byte, docs ...string) {
		t.Helper()
		req := catalog.Request{Files: files}
		for _, d := range docs {
			o, err := gatehouse.DecodeObject([]byte(`{"apiVersion":"gatehouse/v1",` + d[1:]))
			w.must(err)
			doc := catalog.Document{Object: o}
			if o.Kind == gatehouse.KindFramework {
				for h := range files {
					doc.Files = map[string]string{"rules.yaml": h}
				}
			}
			req.Documents = append(req.Documents, doc)
		}
		_, err := cat.Apply(w.as(who), req)
		w.must(err)
	}
	for _, who := range []string{"carol", "dave"} {
		apply("user:admin", nil, `{"kind":"RoleAssignment","metadata":{"name":"`+who+`"},"spec":{"subject":"user:`+who+`","role":"compliance","scope":"organization"}}`)
	}
	apply("user:admin", nil, `{"kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod"}}`, `{"kind":"Environment","metadata":{"name":"qa"},"spec":{"stage":"qa"}}`)
	rules := []byte("rules: {}\n")
	_, rulesHash, err := framework.Blob(rules)
	w.must(err)
	apply("user:ann", map[string][]byte{rulesHash: rules}, `{"kind":"Framework","metadata":{"name":"corporate"},"spec":{"versions":[{"name":"1","controls":[{"id":"a","check":{"lint":{"ruleset":"./rules.yaml"}}}]},{"name":"2"}]}}`)
	e, err := shelf.Add(w.as("user:carol"), evidence.File{Name: "minutes.txt", Data: []byte("agreed")})
	w.must(err)
	w.hash = e.Hash
	_, err = desk.Submit(w.as("user:ann"), "corporate", "1", "")
	w.must(err)
	_, err = desk.Comment(w.as("user:bob"), "corporate", "1", "fine by me")
	w.must(err)
	for _, who := range []string{"user:carol", "user:dave"} {
		_, err = desk.Approve(w.as(who), "corporate", "1", framework.Word{Evidence: []string{e.Hash}})
		w.must(err)
	}
	_, err = desk.Enforce(w.as("user:ann"), "corporate", "1", "")
	w.must(err)
	on, err := desk.Standing(t.Context(), "corporate")
	w.must(err)
	for _, env := range []string{"prod", "qa"} {
		a, err := attest.Sign(attest.Statement{
			ID: "a-" + env, Installation: "inst", Environment: env, API: "payments/orders", Version: "v1", Revision: "aa", Framework: "corporate", FrameworkVersion: "1",
			FrameworkHash: on.Versions["1"].Hash, Outcome: attest.Passed, Controls: []attest.Control{{ID: "a", Outcome: attest.Passed}}, Issued: now, Expires: now.AddDate(1, 0, 0),
		}, "k", key)
		w.must(err)
		w.put(gatehouse.AttestationKey(env, "payments", "orders", "v1", "aa"), gatehouse.Attested{Attestation: *a, By: "system"}, "gate.run", "Gate "+env+" payments/orders@v1")
	}
	w.put("Waiver/w1", gatehouse.Waiver{ID: "w1", Framework: "corporate", Control: "a", API: "payments/orders", Environment: "qa", State: gatehouse.Requested, AskedBy: "user:bob", Expires: now.AddDate(0, 1, 0)}, "waiver.ask", "Waiver w1")
	w.put("Waiver/w2", gatehouse.Waiver{ID: "w2", Framework: "other", Control: "a", API: "payments/orders", State: gatehouse.Requested, AskedBy: "user:bob", Expires: now.AddDate(0, 1, 0)}, "waiver.ask", "Waiver w2")
	return w
}

func (w *world) put(key string, v any, action, object string) {
	w.Helper()
	value, err := json.Marshal(v)
	w.must(err)
	kind, _, _ := strings.Cut(key, "/")
	of := "corporate"
	if strings.Contains(string(value), `"framework":"other"`) {
		of = "other"
	}
	_, err = w.trail.Commit(w.as("user:bob"), audit.Act{Action: action, Object: object, Writes: []store.Write{
		{Key: key, Kind: kind, Value: value, Expect: store.Absent, Index: map[string]string{"framework": of}},
	}})
	w.must(err)
}

func (w *world) pack(environment string) ([]byte, *pack.Report) {
	w.Helper()
	k, err := w.prover.Open(w.as("user:auditor"), "corporate", environment)
	w.must(err)
	var b bytes.Buffer
	w.must(k.Write(w.as("user:auditor"), &b))
	r, err := pack.Verify(bytes.NewReader(b.Bytes()), int64(b.Len()), pack.KeysOf("inst", w.prover.Signer.AttestKeys()), w.trail.Now())
	w.must(err)
	return b.Bytes(), r
}

func TestPackVerifies(t *testing.T) {
	w := newWorld(t)
	_, r := w.pack("")
	if !r.OK() {
		t.Fatalf("faults: %q", r.Faults)
	}
	if fmt.Sprint(r.Versions) != "[1 in-force, approved by 2 of 2 needed]" || r.Manifest.By != "user:auditor" {
		t.Errorf("got %v by %s", r.Versions, r.Manifest.By)
	}
	c := r.Counts
	if c.Decisions != 2 || c.Attestations != 2 || c.Valid != 2 || c.Waivers != 1 || c.Evidence != 1 {
		t.Errorf("got %+v", c)
	}
	// put, submit, comment, two approvals with their decisions, enforce, evidence, two
	// runs of the gate, one waiver, and that the pack was asked for.
	if c.Events != 13 || c.Links == 0 {
		t.Errorf("got %d events, %d links", c.Events, c.Links)
	}
	_, r = w.pack("prod")
	if c := r.Counts; !r.OK() || c.Attestations != 1 || c.Waivers != 0 || r.Manifest.Environment != "prod" {
		t.Errorf("of prod alone: %+v, %q", c, r.Faults)
	}
	n := 0
	for e, err := range w.trail.DB.Events(t.Context(), store.EventQuery{Action: "gate.evidence"}) {
		w.must(err)
		if n++; e.Actor != "user:auditor" || e.Object != "Framework corporate" {
			t.Errorf("on record: %+v", e)
		}
	}
	if n != 2 {
		t.Errorf("on record %d times", n)
	}
}

// Evidence that went away is said to have, and the pack does not hold.
func TestEvidenceThatIsGone(t *testing.T) {
	w := newWorld(t)
	_, err := w.trail.Commit(w.as("user:zoe"), audit.Act{Action: "test", Writes: []store.Write{{Key: "Blob/" + w.hash, Kind: "Blob", Expect: store.Any}}})
	w.must(err)
	_, r := w.pack("")
	if r.OK() || !slices.Equal(r.Manifest.Missing, []string{w.hash}) || !strings.Contains(strings.Join(r.Faults, "\n"), "is not there") {
		t.Errorf("missing %q, faults %q", r.Manifest.Missing, r.Faults)
	}
}

func TestNothingToProve(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ framework, environment, want string }{
		{"nothing", "", "nothing is on record of it"}, {"corporate", "nowhere", `no environment "nowhere"`},
	} {
		if _, err := w.prover.Open(w.as("user:auditor"), tt.framework, tt.environment); !gatehouse.Is(err, gatehouse.NotFound) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %v", tt, err)
		}
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("no room")
	}
	return len(p), nil
}

// A reader that goes away ends the work with an error, wherever that is.
func TestReaderGone(t *testing.T) {
	w := newWorld(t)
	data, _ := w.pack("")
	for room := 0; room < len(data); room += len(data)/20 + 1 {
		k, err := w.prover.Open(w.as("user:auditor"), "corporate", "")
		w.must(err)
		if err := k.Write(w.as("user:auditor"), &full{room}); err == nil {
			t.Errorf("room for %d of %d bytes was enough", room, len(data))
		}
	}
}
