package fleet_test

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/link"
	"gatehouse/snapshot"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// TestPlacement follows an API whose data is bound through what may happen: a
// gateway elsewhere never has it, by no way, and is told of as such.
func TestPlacement(t *testing.T) {
	db := memory.New()
	seed(t, db)
	put(t, db,
		"Environment/dev", doc(`{"stage":"dev","jurisdiction":"EU"}`),
		"Gateway/us", doc(`{"environment":"dev","location":{"jurisdiction":"US"}}`),
		"FrameworkState/f", `{"governed":"2026-01-01T00:00:00Z"}`)
	bound(t, db, "eu", 1, `["EU"]`)
	attested(t, db, "eu", 1)
	attested(t, db, "x", 1)
	p := startPlane(t, db, t.TempDir())
	home := startGateway(t, t.TempDir(), token(t, p, "local"), "one", newTable(), p.pipe.Dial, nil)
	away := startGateway(t, t.TempDir(), token(t, p, "us"), "two", newTable(), p.pipe.Dial, nil)
	has := func(g *gateway) string {
		return fmt.Sprint(g.table.has("api", "a/x@v1"), g.table.has("attestation", "a/x@v1"), g.table.has("api", "a/eu@v1"), g.table.has("attestation", "a/eu@v1"))
	}
	until := func(what, athome, elsewhere string) {
		t.Helper()
		home.table.until(t, what+", at home", func() bool { return has(home) == athome })
		away.table.until(t, what+", elsewhere", func() bool { return has(away) == elsewhere })
	}
	until("at first", "true true true true", "true true false false")
	state := func(id string) (states []string) {
		for _, i := range p.Status(id, "dev").Instances {
			states = append(states, i.State)
		}
		return states
	}
	waitFor(t, "both acknowledge", func() bool { return fmt.Sprint(state("a/eu@v1"), state("a/x@v1")) == "[live not-placed] [live live]" })
	s := p.Status("a/eu@v1", "dev")
	const why = "not placed on gateway us: data may not leave EU (API a/eu data.jurisdictions), gateway lies in US"
	if s.Instances[1].Reason != why || !strings.HasPrefix(s.Summary, "applied on 1 of 1 gateways") || !strings.HasSuffix(s.Summary, why) {
		t.Errorf("status %+v", s)
	}
	// It gets the chunk by no other way either.
	var hash snapshot.Hash
	for _, e := range p.State().View("dev").Entries {
		if e.Name == "a/eu@v1" && e.Kind == snapshot.KindAPI {
			hash = e.Hash
		}
	}
	for name, want := range map[string]int{"local": 1, "us": 0} {
		got := 0
		if err := p.Chunks(t.Context(), link.Peer{Gateway: name}, []snapshot.Hash{hash}, func(snapshot.Hash, []byte) error { got++; return nil }); err != nil || got != want {
			t.Errorf("gateway %q was handed %d chunks (%v), want %d", name, got, err, want)
		}
	}
	// Another revision is bound no more, and then bound again.
	bound(t, db, "eu", 2, `[]`)
	until("not bound any more", "true true true false", "true true true false")
	bound(t, db, "eu", 3, `["US"]`)
	until("bound elsewhere", "true true false false", "true true true false")
	waitFor(t, "told", func() bool { return fmt.Sprint(state("a/eu@v1")) == "[not-placed live]" })
	// Gateways move without any API changing.
	put(t, db, "Environment/dev", doc(`{"stage":"dev","jurisdiction":"us"}`))
	until("the environment moved", "true true true false", "true true true false")
	put(t, db, "Gateway/us", doc(`{"environment":"dev","location":{"jurisdiction":"CH"}}`))
	until("a gateway moved", "true true true false", "true true false false")
	put(t, db, "Environment/dev", doc(`{"stage":"dev"}`))
	until("nobody knows where it lies", "true true false false", "true true false false")
	waitFor(t, "told", func() bool { return fmt.Sprint(state("a/eu@v1")) == "[not-placed not-placed]" })
	if r, err := p.Rollout(t.Context(), 0, 0); err != nil || r.Applied != 2 || len(r.Refused) != 0 {
		t.Errorf("rollout %+v, %v", r, err)
	}
}

// bound releases revision n of an API whose data is bound.
func bound(t testing.TB, db store.DB, name string, n int, jurisdictions string) {
	put(t, db,
		fmt.Sprintf("Revision/a/%s/v1/%d", name, n), fmt.Sprintf(`{"hash":"%d","form":{"team":"a","name":%q,"data":{"jurisdictions":%s},"version":{"name":"v1","path":"/%s/%d","backend":"b"}}}`, n, name, jurisdictions, name, n),
		"Release/dev/a/"+name+"/v1", fmt.Sprintf(`{"revision":"%d"}`, n))
}

func attested(t testing.TB, db store.DB, name string, n int) {
	put(t, db, fmt.Sprintf("Attestation/dev/a/%s/v1/%d", name, n),
		fmt.Sprintf(`{"statement":{"format":"gatehouse/attestation/1","environment":"dev","api":"a/%s","version":"v1","revision":"%d"},"keyId":"k"}`, name, n))
}
