package gateway

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/attest"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// with adds a policy that shows in the answer which side answered.
func side(a *snapshot.API, revision string) *snapshot.API {
	a.Revision = revision
	a.Policies = []policy.Use{use("headers", fmt.Sprintf(`{"response":{"set":{"X-Side":%q}}}`, revision))}
	return a
}

func (w *world) canary(a *snapshot.API, weight int) {
	if a.Backend.Targets == nil {
		a.Backend = snapshot.Backend{Name: "t/b", Targets: []snapshot.Target{{URL: w.backend.URL}}}
	}
	w.set(snapshot.KindCanary, a.ID(), &snapshot.Canary{Weight: weight, API: *a})
}

func beside(t *testing.T, weight int) *world {
	w := newWorld(t, Options{})
	w.api(side(openAPI(), "r1"))
	w.canary(side(openAPI(), "r2"), weight)
	if aside := w.swap(); len(aside) > 0 {
		t.Fatalf("aside: %+v", aside)
	}
	return w
}

// sides asks as some callers and tells which side answered each.
func (w *world) sides(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = w.do("GET", "/open/x", fmt.Sprintf("X-API-Key: key-%d", i)).Header.Get("X-Side")
	}
	return out
}

func TestCanaryShare(t *testing.T) {
	const callers = 400
	var before []string
	for _, weight := range []int{0, 5, 25, 60, 100} {
		w := beside(t, weight)
		now := w.sides(callers)
		on := 0
		for i, s := range now {
			if s == "r2" {
				on++
			}
			if before != nil && before[i] == "r2" && s != "r2" {
				t.Fatalf("caller %d left the canary when its share grew to %d %%", i, weight)
			}
		}
		if low, high := callers*weight/100-callers/14, callers*weight/100+callers/14; on < low || on > high || weight == 0 && on > 0 || weight == 100 && on < callers {
			t.Errorf("weight %d: %d of %d callers are on its side", weight, on, callers)
		}
		for i, s := range w.sides(callers / 10) {
			if s != now[i] {
				t.Errorf("caller %d was on side %s, and is on %s", i, now[i], s)
			}
		}
		before = now
		counts := map[string]int64{}
		for _, c := range w.g.Rollup() {
			counts[c.Revision] += c.Requests
		}
		again := 0
		for _, s := range now[:callers/10] {
			if s == "r2" {
				again++
			}
		}
		if counts["r2"] != int64(on+again) || counts["r1"]+counts["r2"] != callers+callers/10 {
			t.Errorf("weight %d: counted %v, want %d of r2 and %d in all", weight, counts, on+again, callers+callers/10)
		}
	}
}

// All keys and tokens of an application are on one side, and so is an address
// that says nothing of itself.
func TestCanaryCallers(t *testing.T) {
	w := beside(t, 50)
	token := func(client string, n int) string {
		payload := fmt.Sprintf(`{"iss":"https://id.example.com","azp":%q,"iat":%d}`, client, n)
		return "Authorization: Bearer e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
	}
	for _, ask := range []func(i int) []string{
		func(int) []string { return nil },
		func(i int) []string { return []string{token("one", i)} },
		func(i int) []string { return []string{token("two", i)} },
		func(int) []string { return []string{"Authorization: Basic YTpi"} },
	} {
		first := ""
		for i := range 6 {
			if s := w.do("GET", "/open/x", ask(i)...).Header.Get("X-Side"); first == "" {
				first = s
			} else if s != first {
				t.Errorf("%q is on both sides", ask(i))
			}
		}
	}
	apps := map[string]bool{}
	for i := range 40 {
		app := fmt.Sprintf("billing/app-%d", i)
		var shards []*snapshot.Credentials
		for _, key := range []string{fmt.Sprintf("first-%d", i), fmt.Sprintf("second-%d", i)} {
			c := snapshot.KeyCredential(key)
			shards = append(shards, &snapshot.Credentials{Subscriptions: []snapshot.Subscription{{Name: app + "-s", Application: app, Product: "p/p", Plan: "gold"}}, Keys: []snapshot.Key{{Hash: c}}})
			w.set(snapshot.KindCredentials, c.Shard(), shards[len(shards)-1])
		}
		w.swap()
		a := w.do("GET", "/open/x", fmt.Sprintf("X-API-Key: first-%d", i)).Header.Get("X-Side")
		b := w.do("GET", "/open/x", fmt.Sprintf("X-API-Key: second-%d", i)).Header.Get("X-Side")
		if a != b {
			t.Errorf("the two keys of %s are on sides %s and %s", app, a, b)
		}
		apps[a] = true
	}
	if !apps["r1"] || !apps["r2"] {
		t.Errorf("of 40 applications all are on one side: %v", apps)
	}
}

func TestCanaryComesAndGoes(t *testing.T) {
	w := beside(t, 100)
	if got := w.sides(1)[0]; got != "r2" {
		t.Fatalf("side %s answered, want the canary", got)
	}
	w.drop(snapshot.KindCanary, "t/open@v1")
	w.swap()
	if got := w.sides(1)[0]; got != "r1" || w.g.flow.Table().Canaries != nil {
		t.Errorf("side %s answered after the canary went", got)
	}
	// What takes its place with another path cannot share callers.
	moved := side(openAPI(), "r3")
	moved.Path = "/elsewhere"
	w.canary(moved, 100)
	aside := w.swap()
	if len(aside) != 1 || aside[0].API != "canary t/open@v1" || aside[0].Revision != "r3" || !strings.Contains(aside[0].Reason, "path and hosts") {
		t.Errorf("aside: %+v", aside)
	}
	if got := w.sides(1)[0]; got != "r1" {
		t.Errorf("side %s answered beside a misfit", got)
	}
	// One that does not build leaves the callers where they are.
	w.drop(snapshot.KindCanary, "t/open@v1")
	w.swap()
	broken := side(openAPI(), "r4")
	broken.Policies = []policy.Use{use("nonsense", `{}`)}
	w.canary(broken, 100)
	if aside := w.swap(); len(aside) != 1 || !strings.Contains(aside[0].Reason, "nonsense") {
		t.Errorf("aside: %+v", aside)
	}
	if got := w.sides(1)[0]; got != "r1" {
		t.Errorf("side %s answered beside one that does not build", got)
	}
	// The API itself goes, and with it whoever stood beside it.
	w.canary(side(openAPI(), "r2"), 100)
	w.drop(snapshot.KindAPI, "t/open@v1")
	w.swap()
	if r := w.do("GET", "/open/x"); r.StatusCode != 404 {
		t.Errorf("got %d from a canary without its API", r.StatusCode)
	}
}

// Where the gate is enforced a canary needs an attestation of its own; without
// one its callers stay with the other revision.
func TestCanaryAndGate(t *testing.T) {
	w := newWorld(t, Options{Key: gateKeys})
	w.gate(snapshot.GateEnforce)
	stable, next := side(openAPI(), "r1"), side(openAPI(), "r2")
	w.api(stable)
	w.attest(stable, nil)
	w.canary(next, 100)
	if aside := w.swap(); len(aside) != 1 || aside[0].API != "canary t/open@v1" || !strings.Contains(aside[0].Reason, "attestation is missing") {
		t.Errorf("aside: %+v", aside)
	}
	if got := w.sides(1)[0]; got != "r1" {
		t.Errorf("side %s answered, and only r1 has passed the gate", got)
	}
	signed, err := attest.Sign(attest.Statement{ID: "b", Environment: "dev", API: "t/open", Version: "v1", Revision: "r2", Outcome: attest.Passed,
		Issued: time.Now().Add(-time.Hour), Expires: time.Now().Add(time.Hour)}, "k1", gateKey)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := snapshot.Encode(signed)
	if err != nil {
		t.Fatal(err)
	}
	w.set(snapshot.KindCanary, next.ID(), &snapshot.Canary{Weight: 100, API: *next, Attestation: data})
	if aside := w.swap(); len(aside) > 0 {
		t.Errorf("aside: %+v", aside)
	}
	if got := w.sides(1)[0]; got != "r2" {
		t.Errorf("side %s answered, want the canary, which has passed the gate", got)
	}
}
