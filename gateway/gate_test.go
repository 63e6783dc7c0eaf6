package gateway

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"gatehouse/attest"
	"gatehouse/report"
	"gatehouse/snapshot"
)

var (
	gateKey  = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	otherKey = ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize)))
)

// gateKeys is the installation's key, "k1".
func gateKeys(id string) ed25519.PublicKey {
	if id != "k1" {
		return nil
	}
	return gateKey.Public().(ed25519.PublicKey)
}

// attest puts an attestation of an API version into the manifest, changed as told.
func (w *world) attest(a *snapshot.API, change func(*attest.Statement)) {
	w.t.Helper()
	s := attest.Statement{ID: "a", Environment: "dev", API: a.Team + "/" + a.Name, Version: a.Version, Revision: a.Revision, Outcome: attest.Passed,
		Issued: time.Now().Add(-time.Hour), Expires: time.Now().Add(time.Hour), Controls: []attest.Control{{ID: "https", Outcome: attest.Passed}}}
	if change != nil {
		change(&s)
	}
	signed, err := attest.Sign(s, "k1", gateKey)
	if err != nil {
		w.t.Fatal(err)
	}
	w.set(snapshot.KindAttestation, a.ID(), signed)
}

func (w *world) gate(mode string) {
	w.set(snapshot.KindEnvironment, "dev", &snapshot.Environment{Name: "dev", Stage: "dev", Gate: mode})
}

func (w *world) drop(kind, name string) { delete(w.entries, kind+" "+name) }

func gated(t *testing.T, mode string) *world {
	w := newWorld(t, Options{Key: gateKeys})
	w.gate(mode)
	w.api(orders())
	w.api(openAPI())
	w.attest(orders(), nil)
	return w
}

func TestGateRefuses(t *testing.T) {
	w := gated(t, snapshot.GateEnforce)
	sign := func(keyID string, key ed25519.PrivateKey) func() {
		return func() {
			a := openAPI()
			signed, err := attest.Sign(attest.Statement{Environment: "dev", API: "t/open", Version: "v1", Revision: a.Revision, Expires: time.Now().Add(time.Hour)}, keyID, key)
			if err != nil {
				t.Fatal(err)
			}
			w.set(snapshot.KindAttestation, a.ID(), signed)
		}
	}
	with := func(change func(*attest.Statement)) func() { return func() { w.attest(openAPI(), change) } }
	bad := []struct {
		name, want string
		put        func()
	}{
		{"none", "attestation is missing", func() { w.drop(snapshot.KindAttestation, "t/open@v1") }},
		{"ended", "attestation ended", with(func(s *attest.Statement) { s.Expires = time.Now().Add(-time.Second) })},
		{"another revision's", "for revision r0", with(func(s *attest.Statement) { s.Revision = "r0" })},
		{"another environment's", `for environment "prod"`, with(func(s *attest.Statement) { s.Environment = "prod" })},
		{"another installation's", `of installation "other"`, with(func(s *attest.Statement) { s.Installation = "other" })},
		{"another API's", "for t/other@v1", with(func(s *attest.Statement) { s.API = "t/other" })},
		{"another version's", "for t/open@v2", with(func(s *attest.Statement) { s.Version = "v2" })},
		{"signed by another", "not signed by the installation", sign("k1", otherKey)},
		{"a key that is not known", "key is not known", sign("k2", gateKey)},
		{"nonsense", "cannot be read", func() { w.set(snapshot.KindAttestation, "t/open@v1", map[string]string{"statement": "yes"}) }},
	}
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			tt.put()
			aside := w.swap()
			i := slices.IndexFunc(aside, func(r report.Refusal) bool { return r.API == "t/open@v1" })
			if i < 0 || !strings.Contains(aside[i].Reason, tt.want) || !strings.HasPrefix(aside[i].Reason, "attestation ") || aside[i].Revision != "r1" {
				t.Fatalf("aside: got %+v, want %q", aside, tt.want)
			}
			if r := w.do("GET", "/open/x"); r.StatusCode != 503 || r.problem() != "gate-refused" {
				t.Errorf("got %d %s", r.StatusCode, r.text)
			}
			if r := w.do("GET", "/orders/v1/things"); r.StatusCode != 401 {
				t.Errorf("the other API: got %d", r.StatusCode)
			}
			if got := w.g.Running(); len(got) != 1 || got["payments/orders@v1"] == "" {
				t.Errorf("running: %v", got)
			}
			// A good one comes alone: nothing else is read.
			w.attest(openAPI(), nil)
			if aside := w.swap(); len(aside) != 0 || w.reads != 1 {
				t.Errorf("a good one: aside %+v, %d chunks read", aside, w.reads)
			}
			if r := w.do("GET", "/open/x"); r.StatusCode != 200 {
				t.Errorf("a good one: got %d %s", r.StatusCode, r.text)
			}
		})
	}
}

// A key that comes later makes good what it signed.
func TestGateTriesNewKeys(t *testing.T) {
	var known bool
	w := newWorld(t, Options{Key: func(id string) ed25519.PublicKey {
		if !known {
			return nil
		}
		return gateKeys(id)
	}})
	w.gate(snapshot.GateEnforce)
	w.api(openAPI())
	w.attest(openAPI(), nil)
	if w.swap(); len(w.g.Running()) != 0 {
		t.Fatalf("running %v", w.g.Running())
	}
	known = true
	if aside := w.swap(); len(aside) != 0 || len(w.g.Running()) != 1 {
		t.Errorf("aside %+v, running %v", aside, w.g.Running())
	}
	known = false
	w.attest(openAPI(), func(s *attest.Statement) { s.ID = "b" })
	w.swap()
	w.attest(openAPI(), nil) // the one before comes back, and is to be proven again
	if w.swap(); len(w.g.Running()) != 0 {
		t.Errorf("an attestation was taken that nothing proves any more: %v", w.g.Running())
	}
}

// Where the environment reports, all is served, and told; where it asks nothing,
// nothing is told.
func TestGateReports(t *testing.T) {
	w := gated(t, snapshot.GateReport)
	check := func(mode string, served bool, aside, unattested int) {
		t.Helper()
		w.gate(mode)
		w.swap()
		if s := w.g.Standing(); len(s.Aside) != aside || len(s.Unattested) != unattested {
			t.Errorf("mode %q: standing %+v", mode, s)
		}
		if r := w.do("GET", "/open/x"); (r.StatusCode == 200) != served {
			t.Errorf("mode %q: got %d", mode, r.StatusCode)
		}
	}
	check(snapshot.GateReport, true, 0, 1)
	check(snapshot.GateEnforce, false, 1, 0)
	check("", true, 0, 0)
	check(snapshot.GateEnforce, false, 1, 0)
	check(snapshot.GateReport, true, 0, 1)
	if s := w.g.Standing(); s.Unattested[0].API != "t/open@v1" || !strings.Contains(s.Unattested[0].Reason, "attestation is missing") {
		t.Errorf("unattested: %+v", s.Unattested)
	}
}

// An API that is refused keeps its place: its calls do not fall to one with a
// shorter path.
func TestGateKeepsThePlace(t *testing.T) {
	w := gated(t, snapshot.GateEnforce)
	root := openAPI()
	root.Name, root.Path = "root", ""
	w.api(root)
	w.attest(root, nil)
	w.swap()
	if r := w.do("GET", "/open/x"); r.StatusCode != 503 {
		t.Errorf("got %d from %q", r.StatusCode, r.text)
	}
	if r := w.do("GET", "/other"); r.StatusCode != 200 {
		t.Errorf("the root: got %d", r.StatusCode)
	}
}

// What goes on because its successor does not build is covered by the attestation
// it was let in with, until that ends or none is there at all.
func TestGateCoversWhatGoesOn(t *testing.T) {
	w := gated(t, snapshot.GateEnforce)
	w.attest(openAPI(), nil)
	w.swap()
	next := openAPI()
	next.Revision, next.Access = "r2", "magic"
	w.api(next)
	w.attest(next, nil)
	for i := range 2 {
		if aside := w.swap(); len(aside) != 1 || aside[0].Revision != "r2" || w.g.Running()["t/open@v1"] != "r1" {
			t.Fatalf("swap %d: aside %+v, running %v", i, aside, w.g.Running())
		}
	}
	w.drop(snapshot.KindAttestation, "t/open@v1")
	if aside := w.swap(); len(aside) != 2 || w.g.Running()["t/open@v1"] != "" {
		t.Fatalf("taken back: aside %+v, running %v", aside, w.g.Running())
	}
	w.attest(next, nil)
	if w.swap(); w.g.Running()["t/open@v1"] != "" {
		t.Errorf("one for the successor lets the one before in again: %v", w.g.Running())
	}
}

// An attestation ends by the clock, on time, without anybody's word; and time does
// not go back.
func TestGateEndsByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var offset atomic.Int64 // how far the clock is set
		w := &world{t: t, chunks: map[snapshot.Hash][]byte{}, entries: map[string]snapshot.Entry{}}
		open := func() {
			g, err := New(Options{Key: gateKeys, Now: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }})
			if err != nil {
				t.Fatal(err)
			}
			w.g = g
			w.swap()
		}
		w.gate(snapshot.GateEnforce)
		for i, ends := range []time.Duration{time.Hour, 2 * time.Hour} {
			a := openAPI()
			a.Name, a.Path = fmt.Sprint("a", i), fmt.Sprint("/a", i)
			a.Backend.Targets = []snapshot.Target{{URL: "http://127.0.0.1:9"}}
			w.api(a)
			w.attest(a, func(s *attest.Statement) { s.Expires = time.Now().Add(ends) })
		}
		open()
		running := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := w.g.Running(); len(got) != len(want) || len(want) > 0 && got[want[0]] == "" {
				t.Errorf("running %v, want %v", got, want)
			}
		}
		time.Sleep(time.Hour - time.Nanosecond)
		running("t/a0@v1", "t/a1@v1")
		select {
		case <-w.g.Judged():
			t.Error("judged before anything ended")
		default:
		}
		time.Sleep(time.Nanosecond)
		running("t/a1@v1")
		select {
		case <-w.g.Judged():
		default:
			t.Error("nobody is told that an attestation ended")
		}
		offset.Store(int64(-90 * time.Minute)) // set back
		w.swap()
		running("t/a1@v1")
		time.Sleep(30 * time.Minute)
		running("t/a1@v1")
		offset.Store(int64(30 * time.Minute)) // and set forward, without a timer's knowing
		time.Sleep(time.Minute)
		running()
		if err := w.g.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		// What lies on disk is judged at the start, and ends as well.
		offset.Store(int64(-20 * time.Minute))
		open()
		running("t/a1@v1")
		time.Sleep(time.Hour)
		running()
		// A clock from before anything was issued is not believed.
		offset.Store(int64(-1000 * time.Hour))
		for _, name := range []string{"a0", "a1"} {
			a := openAPI()
			a.Name = name
			w.attest(a, func(s *attest.Statement) { s.Issued, s.Expires = time.Now(), time.Now().Add(-time.Second) })
		}
		if err := w.g.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		open()
		running()
		if err := w.g.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever comes in whatever order, a gateway stands where one stands that starts
// with what came last.
func TestGateOfOrders(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: t, chunks: map[snapshot.Hash][]byte{}, entries: map[string]snapshot.Entry{}}
		fresh := func() *Gateway {
			g, err := New(Options{Key: gateKeys})
			if err != nil {
				rt.Fatal(err)
			}
			return g
		}
		w.g = fresh()
		defer func() { w.g.Shutdown(context.Background()) }()
		pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, label) }
		w.gate("")
		for range rapid.IntRange(1, 12).Draw(rt, "swaps") {
			for range rapid.IntRange(1, 3).Draw(rt, "changes") {
				a := openAPI()
				a.Name, a.Revision = pick("name", "a", "b", "c"), pick("revision", "r1", "r2")
				a.Path, a.Backend.Targets = "/"+a.Name, []snapshot.Target{{URL: "http://127.0.0.1:9"}}
				switch pick("what", "api", "attest", "attest", "take back", "withdraw", "gate") {
				case "api":
					w.api(a)
				case "attest":
					w.attest(a, func(s *attest.Statement) {
						s.Issued, s.Expires = time.Unix(1e9, 0), time.Unix(1e10, 0)
						if pick("ends", "late", "late", "early") == "early" {
							s.Expires = time.Unix(1.1e9, 0)
						}
					})
				case "take back":
					w.drop(snapshot.KindAttestation, a.ID())
				case "withdraw":
					w.drop(snapshot.KindAPI, a.ID())
				case "gate":
					w.gate(pick("gate", "", snapshot.GateEnforce, snapshot.GateReport))
				}
			}
			w.swap()
		}
		got, running := w.g.Standing(), w.g.Running()
		old := w.g
		w.g = fresh()
		w.swap()
		old.Shutdown(context.Background())
		if want := w.g.Standing(); !got.Equal(&want) {
			rt.Fatalf("standing %+v, one that starts now: %+v", got, want)
		}
		if want := w.g.Running(); fmt.Sprint(running) != fmt.Sprint(want) {
			rt.Fatalf("running %v, one that starts now: %v", running, want)
		}
	})
}
