package gate_test

import (
	"context"
	"fmt"
	"testing"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
	"gatehouse/control/release"
	"gatehouse/jsonx"
	"gatehouse/store"
	"gatehouse/yamlx"
)

// propose is a version of framework corporate that nobody put in force.
func (w *world) propose(version, controls string) gate.Proposal {
	w.t.Helper()
	docs, err := yamlx.Parse([]byte("{name: \"" + version + "\", controls: " + controls + "}"))
	if err != nil {
		w.t.Fatal(err)
	}
	data, _ := yamlx.JSON(docs[0])
	p := gate.Proposal{Framework: "corporate", Version: version, Text: &gatehouse.FrameworkText{Framework: "corporate"}}
	if err := jsonx.Decode(data, &p.Text.Version); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) preview(p gate.Proposal, after string, limit int) *gate.Preview {
	w.t.Helper()
	out, err := w.gate.Preview(w.ctx, p, after, limit)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) head() store.Seq {
	w.t.Helper()
	head, err := w.db.Head(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return head.Seq
}

// What a preview says is what is found once the version is in force, and it
// leaves nothing behind.
func TestPreviewIsWhatComes(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", `[{id: audience, check: {cel: {expression: 'api.audience == "partner"', message: "say partner"}}}]`)
	w.later(day)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	next := `[{id: audience, check: {cel: {expression: 'api.audience == "partner"', message: "say partner"}}}, {id: gone, grace: 3d, check: {cel: {expression: 'api.audience == "internal"', message: "say internal"}}}]`
	before := w.head()
	p := w.preview(w.propose("2026.2", next), "", 50)
	if after := w.head(); after != before {
		t.Errorf("the store is at %d, was at %d", after, before)
	}
	if p.Looked != 1 || len(p.Short) != 1 || p.Next != "" {
		t.Fatalf("looked at %d, next %q, short %+v", p.Looked, p.Next, p.Short)
	}
	short := p.Short[0]
	w.wants(short.GateResult, gatehouse.GateGrace, map[string]string{"audience": "passed kept", "gone": "grace"})
	if short.Now != gatehouse.GatePassed || !short.Notice.Equal(w.clock.Add(3*day)) {
		t.Errorf("now %q, until %s", short.Now, short.Notice)
	}
	w.wants(w.live(), gatehouse.GatePassed, map[string]string{"gone": ""})
	w.enforce("2026.2", next)
	w.pass()
	w.wants(w.live(), short.Outcome, map[string]string{"audience": "passed kept", "gone": "grace"})
	if !w.live().Notice.Equal(short.Notice) {
		t.Errorf("on notice until %s, said %s", w.live().Notice, short.Notice)
	}
}

// The first framework of all makes the gate demanded of those, too, who name none.
func TestPreviewOfTheFirstFramework(t *testing.T) {
	w := newWorld(t)
	w.apply(api("framework: corporate", "summary: none"))
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	p := w.preview(w.propose("2026.1", "["+limit+"]"), "", 50)
	if len(p.Short) != 1 {
		t.Fatalf("short: %+v", p.Short)
	}
	w.wants(p.Short[0].GateResult, gatehouse.GateGrace, map[string]string{"framework": "grace"})
	if !p.Short[0].Notice.Equal(w.clock.Add(30*day)) || p.Short[0].Mode != gatehouse.GateEnforce {
		t.Errorf("until %s, mode %q", p.Short[0].Notice, p.Short[0].Mode)
	}
	// Once one is in force, who names none is not what another one judges.
	w.weakly()
	if p := w.preview(w.propose("2026.1", "["+limit+"]"), "", 50); p.Looked != 0 {
		t.Errorf("looked at %d", p.Looked)
	}
}

// Pages cover each release once, and two who look ahead take turns.
func TestPreviewByPages(t *testing.T) {
	w := newWorld(t)
	w.enforce("2026.1", "[]")
	for i := range 5 {
		w.released(fmt.Sprint("api", i))
	}
	next := w.propose("2026.2", `[{id: gone, check: {cel: {expression: 'api.audience == "internal"', message: "say internal"}}}]`)
	seen := map[string]bool{}
	for after, n := "", 0; ; n++ {
		p := w.preview(next, after, 2)
		if p.Looked > 2 || n > 5 {
			t.Fatalf("page %d looked at %d", n, p.Looked)
		}
		for _, s := range p.Short {
			if seen[s.API] {
				t.Errorf("%s twice", s.API)
			}
			seen[s.API] = true
		}
		if after = p.Next; after == "" {
			break
		}
	}
	if len(seen) != 5 {
		t.Errorf("saw %v", seen)
	}
	done := make(chan error)
	for range 2 {
		go func() { _, err := w.gate.Preview(w.ctx, next, "", 50); done <- err }()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	gone, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := w.gate.Preview(gone, next, "", 50); err == nil {
		t.Error("looked ahead for nobody")
	}
}

// released is payments/<name>, released into prod.
func (w *world) released(name string) {
	w.t.Helper()
	w.apply(api("name: orders}", "name: "+name+"}", "path: /orders/v1", "path: /"+name))
	if _, err := w.Release(w.ctx, catalog.Ref{Team: "payments", Name: name, Version: "v1"}, "prod", release.Terms{}); err != nil {
		w.t.Fatal(err)
	}
}
