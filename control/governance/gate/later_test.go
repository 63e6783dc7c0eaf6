package gate_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/governance/gate"
	"gatehouse/store"
)

const threat = `{id: threats, grace: 720h, check: {question: {text: "What may go wrong?", evidence: true, dependsOn: [version.path]}}}`

// Grace belongs to what is exposed: a revision that comes later may go on with
// what is found of the one that is live, and brings nothing of its own, whether
// or not the background has looked at the new version yet.
func TestLaterRevisionObeysAtOnce(t *testing.T) {
	for _, looked := range []bool{true, false} {
		w := newWorld(t)
		w.apply(api())
		w.enforce("2026.1", "["+limit+"]")
		w.pass()
		w.later(firstGraceAndMore)
		w.apply(api("policies: [", `policies: [{rate-limit: {requests: 5, per: 1s, by: address}}, `))
		if err := w.release(); err != nil {
			t.Fatalf("looked %t: %v", looked, err)
		}
		w.pass()
		w.enforce("2026.2", "["+limit+", "+threat+"]")
		if looked {
			w.pass()
			w.wants(w.live(), gatehouse.GateGrace, map[string]string{"threats": "grace"})
		}
		until := w.clock.Add(30 * day)

		// Nothing that the question depends on changes: the notice is that of what is live.
		w.later(day)
		w.apply(api("policies: [", `policies: [{rate-limit: {requests: 6, per: 1s, by: address}}, `))
		if err := w.release(); err != nil {
			t.Fatalf("looked %t, with what is live falling short in the same: %v", looked, err)
		}
		w.pass()
		if w.wants(w.live(), gatehouse.GateGrace, map[string]string{"threats": "grace"}); !w.live().Notice.Equal(until) {
			t.Errorf("looked %t: on notice until %s, want %s", looked, w.live().Notice, until)
		}

		// A control that is new, and that what is live obeys: a revision that does not
		// is none of what the notice is for.
		w.enforce("2026.3", `[{id: token, grace: 720h, check: {cel: {expression: "version.access != 'token'"}}}]`)
		if looked {
			w.pass()
			w.wants(w.live(), gatehouse.GatePassed, nil)
		}
		w.apply(api("path: /orders/v1", "path: /orders/v1\n      access: token"))
		w.refused(w.release(), gatehouse.Conflict, "(token)")
	}
}

// A lint control looks at the whole definition: a revision may go on with the
// findings there are, and with no more.
func TestLaterRevisionBringsNoFindingOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+limit+"]")
	w.later(firstGraceAndMore)
	w.apply(api("policies: [", `policies: [{rate-limit: {requests: 5, per: 1s, by: address}}, `))
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.enforce("2026.2", `[{id: summaries, grace: 720h, check: {cel: {each: operation, expression: "operation.summary != ''"}}}]`)
	w.pass()
	w.wants(w.live(), gatehouse.GateGrace, map[string]string{"summaries": "grace"})
	limited := api("policies: [", `policies: [{rate-limit: {requests: 5, per: 1s, by: address}}, `)
	more := definition + "    put:\n      operationId: putOrders\n      responses: {\"200\": {description: ok}}\n"
	w.apply(limited, more)
	w.refused(w.release(), gatehouse.Conflict, "(summaries)")
	fewer := strings.Replace(definition, "operationId: listOrders", "operationId: listOrders\n      summary: lists", 1)
	w.apply(limited, fewer)
	if err := w.release(); err != nil {
		t.Errorf("with less to find than what is live: %v", err)
	}
}

const firstGraceAndMore = 31 * day

// A notice is told once, however often the attestation that carries it is renewed.
func TestNoticeIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.enforce("2026.1", "["+limit+"], attestationsLast: 24h")
	w.pass()
	w.wants(w.live(), gatehouse.GateGrace, nil)
	told := w.events("gate.notice")
	for range 5 {
		w.later(23 * time.Hour)
		w.pass()
	}
	if !w.covered() {
		t.Error("the attestation was not renewed")
	}
	if n := w.events("gate.notice"); n != told {
		t.Errorf("%d more events of the same notice", n-told)
	}
}

// What lasts less than a day is announced half-way, once, by whichever process.
func TestShortTermsAreAnnounced(t *testing.T) {
	for _, term := range []time.Duration{75 * time.Second, 20 * time.Hour} {
		w := newWorld(t)
		w.apply(api())
		w.enforce("2026.1", "["+limit+"]")
		asked, err := w.gate.AskWaiver(w.ctx, gatehouse.Waiver{API: "payments/orders", Control: "limits", Reason: "x", Expires: w.clock.Add(term)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.gate.ApproveWaiver(w.as("user:boss@example.com"), asked.ID, gate.Word{}); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			other, _ := w.node() // as after a restart
			for _, g := range []*gate.Gate{w.gate, other} {
				if err := g.SweepWaivers(w.ctx); err != nil {
					t.Fatal(err)
				}
			}
			w.later(term / 10)
		}
		if n := w.events("waiver.warn"); n != 1 {
			t.Errorf("a waiver of %s is announced %d times, want once", term, n)
		}
	}
}

func TestShortNoticeIsAnnounced(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+limit+"]")
	w.later(firstGraceAndMore)
	w.apply(api("policies: [", `policies: [{rate-limit: {requests: 5, per: 1s, by: address}}, `))
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	before := w.events("gate.warn")
	w.enforce("2026.2", "["+strings.Replace(threat, "720h", "20h", 1)+"]")
	for range 20 {
		w.pass()
		again, _ := w.node() // a second process, or one after a restart
		if _, err := again.Pass(w.ctx); err != nil {
			t.Fatal(err)
		}
		w.later(time.Hour)
	}
	if n := w.events("gate.warn") - before; n != 1 {
		t.Errorf("a notice of 20 h is announced %d times, want once", n)
	}
	w.pass()
	if w.covered() {
		t.Error("covered after its notice")
	}
}

func TestUnknownEnvironmentNamesThoseThereAre(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+limit+"]")
	at := w.target()
	at.Environment = "acceptance"
	_, err := w.gate.Run(w.ctx, at)
	w.refused(err, gatehouse.NotFound, `there is no environment "acceptance"; there is dev, prod`)
	_, err = w.gate.AskWaiver(w.ctx, gatehouse.Waiver{API: "payments/orders", Control: "limits", Environment: "prd", Reason: "x", Expires: w.clock.Add(day)})
	w.refused(err, gatehouse.NotFound, `there is no environment "prd"; did you mean "prod"?`)
}

// hooked is a store that something happens to before the results of the gate are
// read from it, once.
type hooked struct {
	store.DB
	before func()
}

func (h *hooked) GetMany(ctx context.Context, keys []string) (map[string]store.Record, error) {
	if slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, string(gatehouse.KindGateResult)+"/") }) && h.before != nil {
		before := h.before
		h.before = nil
		before()
	}
	return h.DB.GetMany(ctx, keys)
}

// What a process finds by a framework it read a while ago does not take the place
// of what another found by the one that came in force meanwhile; else the notice
// that one gave would be forgotten, and given again.
func TestOlderEvaluationGivesWay(t *testing.T) {
	for name, evaluate := range map[string]func(*gate.Gate, *world) error{
		"background": func(g *gate.Gate, w *world) error { _, err := g.Pass(w.ctx); return err },
		"gate run":   func(g *gate.Gate, w *world) error { _, err := g.Run(w.ctx, w.target()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(api())
			w.enforce("2026.1", "["+jwt+"]")
			w.later(time.Hour)
			if err := w.release(); err != nil {
				t.Fatal(err)
			}
			w.pass()
			slow := &hooked{DB: w.db}
			g := gate.New(&audit.Trail{DB: slow, Now: w.trail.Now}, w.signer, slog.New(slog.DiscardHandler))
			w.apply(strings.Replace(base, "orders.internal", "elsewhere.internal", 1)) // so that both look again
			slow.before = func() {
				w.enforce("2026.2", "["+jwt+`,{id: limits, grace: 10d, check: {policy: {name: rate-limit}}}]`)
				w.pass()
			}
			if err := evaluate(g, w); err != nil {
				t.Fatal(err)
			}
			if slow.before != nil {
				t.Fatal("nothing was looked at")
			}
			if got := w.live().FrameworkVersion; got != "2026.2" {
				t.Errorf("the last result is by version %s, want 2026.2", got)
			}
			w.pass()
			w.wants(w.live(), gatehouse.GateGrace, nil)
			if n := w.events("gate.notice"); n != 1 {
				t.Errorf("the notice was given %d times", n)
			}
		})
	}
}
