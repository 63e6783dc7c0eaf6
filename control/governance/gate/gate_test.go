package gate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/release"
	"gatehouse/store"
)

const (
	jwt      = `{id: tokens, check: {policy: {name: jwt}}}`
	limit    = `{id: limits, title: Limits, check: {policy: {name: rate-limit}}}`
	internal = `{id: audience, check: {cel: {expression: 'api.audience != "public"'}}}`
	unbroken = `{id: unbroken, check: {change: {}}}`
)

func TestRun(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+jwt+","+limit+","+internal+`,{id: hint, level: advisory, check: {policy: {name: cors}}}]`)
	r := w.run()
	w.wants(r.Result, gatehouse.GateFailed, map[string]string{"tokens": "passed", "limits": "failed", "audience": "passed", "hint": "advisory"})
	if r.Attestation != nil || w.covered() {
		t.Error("what fails has an attestation")
	}
	c := r.Result.Controls[1]
	if len(c.Findings) != 2 || c.Findings[0].Operation != "listOrders" || c.Findings[0].File != "orders.yaml" || c.Findings[0].Line != 5 || !strings.Contains(c.Findings[0].Remedy, `add "rate-limit"`) {
		t.Errorf("the failing control says %+v", c.Findings)
	}
	w.apply(api("policies: [", `policies: [{rate-limit: {requests: 10, per: 1s, by: subscription}}, `))
	r = w.run()
	w.wants(r.Result, gatehouse.GatePassed, map[string]string{"tokens": "passed kept", "limits": "passed", "audience": "passed kept"})
	s := r.Attestation.Statement
	if s.Revision != w.target().Revision || s.FrameworkVersion != "2026.1" || !s.Expires.Equal(w.clock.Add(365*day)) || s.Installation != "inst" || len(s.Controls) != 4 || s.Controls[3].Outcome != "failed" {
		t.Errorf("the statement is %+v", s)
	}
	if !w.covered() || w.events("gate.fail") != 1 || w.events("gate.pass") != 1 {
		t.Errorf("covered %t, %d failed, %d passed", w.covered(), w.events("gate.fail"), w.events("gate.pass"))
	}
	again := w.run()
	if again.Attestation.Statement.ID != s.ID {
		t.Error("running it again with nothing changed made another attestation")
	}
}

// What none of the controls looks at changes: the new revision keeps its pass.
func TestPassOnce(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+jwt+","+internal+`,{id: review, check: {question: {text: Reviewed?, dependsOn: [data]}}}]`)
	if err := w.release(); err == nil {
		t.Fatal("released while a question waits")
	}
	answerAll(t, w)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	first := w.attested().Statement
	w.apply(api("path: /orders/v1", "path: /orders/v1\n      hosts: [api.example.com]"))
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	second := w.attested().Statement
	if first.Revision == second.Revision || first.ID == second.ID {
		t.Errorf("both are of revision %s", second.Revision)
	}
	for i := range first.Controls {
		if first.Controls[i].Inputs != second.Controls[i].Inputs {
			t.Errorf("control %q looks at what changed", first.Controls[i].ID)
		}
	}
	// What it depends on changes: the question, and nothing else, asks again.
	w.apply(api("audience: partner", "audience: partner\n  data: {classification: confidential}"))
	err := w.release()
	w.refused(err, gatehouse.Conflict, "(review)", "nobody has answered")
	w.wants(w.run().Result, gatehouse.GateWaiting, map[string]string{"tokens": "passed kept", "audience": "passed kept", "review": "waiting"})
}

func TestReleaseAsksTheGate(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	if err := w.release(); err != nil {
		t.Fatalf("before any framework: %v", err)
	}
	w.enforce("2026.1", "["+limit+","+unbroken+"]")
	w.apply(api("path: /orders/v1", "path: /orders/v1\n      access: token"))
	if err := w.release(); err != nil {
		t.Fatalf("on notice, it may be released again until that ends: %v", err)
	}
	w.pass()
	w.later(31 * day)
	w.pass()
	if w.covered() {
		t.Error("covered after the notice ended")
	}
	w.apply(api())
	w.refused(w.release(), gatehouse.Conflict, "the gate does not pass (limits)", "listOrders", "rate-limit")
	limited := api("policies: [", `policies: [{rate-limit: {requests: 10, per: 1s, by: subscription}}, `)
	w.apply(limited)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	if !w.covered() || !w.live().Released || w.live().Outcome != gatehouse.GatePassed {
		t.Errorf("covered %t, live %+v", w.covered(), w.live())
	}
	if w.pass(); w.events("gate.pass") != 1 {
		t.Errorf("looking again at what was released said something new: %d", w.events("gate.pass"))
	}
	w.apply(limited, definition[:strings.Index(definition, "    post:")])
	w.refused(w.release(), gatehouse.Conflict, "(unbroken)", "createOrder")
	w.wants(w.run().Result, gatehouse.GateFailed, map[string]string{"limits": "passed", "unbroken": "failed"})
}

// The first framework: what is live is on notice, and nothing goes dark.
func TestFirstFramework(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.apply(strings.ReplaceAll(strings.ReplaceAll(api("  framework: corporate\n", ""), "name: orders}", "name: free}"), "path: /orders/v1", "path: /free"))
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	free := w.target()
	free.Name = "free"
	if _, err := w.Release(w.ctx, refOf(free), "prod", release.Terms{}); err != nil {
		t.Fatal(err)
	}
	w.enforce("2026.1", "["+limit+`,{id: long, grace: 90d, check: {policy: {name: cors}}},`+jwt+`]`)
	if !w.covered() || w.attested().Statement.Outcome != "grace" {
		t.Fatal("dark when the framework came in force")
	}
	if n := w.pass(); n != 2 {
		t.Errorf("looked at %d releases, want 2", n)
	}
	w.wants(w.live(), gatehouse.GateGrace, map[string]string{"limits": "grace", "long": "grace", "tokens": "passed"})
	until := w.clock.Add(30 * day)
	if !w.live().Notice.Equal(until) || !w.attested().Statement.Expires.Equal(until) {
		t.Errorf("on notice until %s, the attestation ends %s; want %s", w.live().Notice, w.attested().Statement.Expires, until)
	}
	all, _, err := w.gate.List(w.ctx, selection(true))
	if err != nil || len(all) != 2 || all[0].API != "payments/free" || all[0].Outcome != gatehouse.GateGrace {
		t.Errorf("on notice: %+v, %v", all, err)
	}
	if w.pass() != 0 {
		t.Error("looked again with nothing changed")
	}
	_, err = w.Release(w.ctx, refOf(free), "prod", release.Terms{})
	if err != nil {
		t.Errorf("releasing what is live already: %v", err)
	}
	w.apply(strings.ReplaceAll(strings.ReplaceAll(api("  framework: corporate\n", "", "audience: partner", "audience: internal"), "name: orders}", "name: free}"), "path: /orders/v1", "path: /free"))
	_, err = w.Release(w.ctx, refOf(free), "prod", release.Terms{})
	w.refused(err, gatehouse.Conflict, "names no framework", `environment "prod" has none`)

	w.later(30*day - time.Second)
	w.pass()
	if !w.covered() {
		t.Error("not covered a second before the notice ends")
	}
	w.later(time.Second)
	if w.covered() {
		t.Error("covered the moment the notice ends, before anybody looked")
	}
	w.pass()
	w.wants(w.live(), gatehouse.GateFailed, map[string]string{"limits": "failed", "long": "grace", "tokens": "passed kept"})
	if w.covered() {
		t.Error("covered after the notice ended")
	}
}

// Background work goes on while the first framework comes in force: what it
// writes between does not refuse it, and is looked at again.
func TestFirstFrameworkBesideBackgroundWork(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	acts, err := w.gate.Inaugurate(w.ctx, "corporate", "2026.1", "h")
	if err != nil || len(acts) != 1 {
		t.Fatalf("got %d acts, %v", len(acts), err)
	}
	between := store.Write{Key: gatehouse.GateResultKey("prod", "payments", "orders", "v1", true), Kind: string(gatehouse.KindGateResult), Value: []byte(`{}`), Expect: store.Any}
	if _, err := w.trail.Commit(w.ctx, audit.Act{Action: "gate.pass", Object: "API payments/orders", Writes: []store.Write{between}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.trail.Commit(w.ctx, acts...); err != nil {
		t.Errorf("a result came between: %v", err)
	}
}

// A new version re-evaluates what is released; each control's grace holds.
func TestNewVersion(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+jwt+"]")
	w.later(time.Hour)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.later(10 * day)
	w.enforce("2026.2", "["+jwt+`,{id: limits, grace: 10d, check: {policy: {name: rate-limit}}}]`)
	if n := w.pass(); n != 1 {
		t.Errorf("looked at %d, want 1", n)
	}
	w.wants(w.live(), gatehouse.GateGrace, map[string]string{"tokens": "passed kept", "limits": "grace"})
	if w.live().FrameworkVersion != "2026.2" || w.attested().Statement.FrameworkVersion != "2026.2" || w.events("gate.notice") != 1 {
		t.Errorf("judged by %+v", w.live())
	}
	w.later(5 * day)
	w.enforce("2026.3", "["+jwt+`,{id: limits, grace: 10d, check: {policy: {name: rate-limit, condition: "config.requests < 100"}}}]`)
	w.pass()
	if until := w.live().Notice; !until.Equal(w.clock.Add(5 * day)) {
		t.Errorf("on notice until %s: another version made it longer", until)
	}
	w.later(5 * day)
	w.pass()
	w.wants(w.live(), gatehouse.GateFailed, map[string]string{"limits": "failed"})
	if w.covered() || w.events("gate.fail") != 1 {
		t.Errorf("covered %t after its notice ended, %d events", w.covered(), w.events("gate.fail"))
	}
	w.enforce("2026.4", "["+jwt+","+limit+`]`)
	w.apply(api("policies: [", `policies: [{rate-limit: {requests: 10, per: 1s, by: subscription}}, `))
	if err := w.release(); err != nil || !w.covered() {
		t.Errorf("what obeys it by now: %v", err)
	}
	// With hardly any grace a new control takes the attestation back at once.
	w.enforce("2026.5", `[{id: cross, grace: 1m, check: {policy: {name: cors}}}]`)
	w.later(time.Minute)
	w.pass()
	if a := w.attested(); w.covered() || a.RevokedBy != "system" || !strings.Contains(a.Reason, "cross") || w.events("attestation.revoke") != 1 {
		t.Errorf("covered %t by %+v", w.covered(), a)
	}
}

// What a withdrawn framework vouched for does not come back on notice, also
// where it was live before there was any framework.
func TestWithdrawal(t *testing.T) {
	for _, before := range []bool{true, false} {
		t.Run(fmt.Sprintf("live before the framework %t", before), func(t *testing.T) {
			w := newWorld(t)
			w.apply(api())
			if !before {
				w.enforce("2026.1", "["+jwt+"]")
			}
			if err := w.release(); err != nil {
				t.Fatal(err)
			}
			if before {
				w.enforce("2026.1", "["+jwt+"]")
			}
			w.pass()
			if !w.covered() {
				t.Fatal("not covered while the version is in force")
			}
			w.withdraw()
			w.pass()
			w.later(time.Hour)
			w.pass()
			if w.live().Outcome != gatehouse.GateFailed || w.covered() {
				t.Errorf("covered %t, judged %q", w.covered(), w.live().Outcome)
			}
			w.enforce("2026.2", "["+jwt+"]")
			w.pass()
			if !w.covered() {
				t.Error("not covered by the version that came after")
			}
		})
	}
}

// Two nodes do the same work, and each thing is on record once.
func TestTwoNodes(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.enforce("2026.1", "["+jwt+"]")
	other, _ := w.node()
	done := make(chan error, 2)
	for _, g := range []interface {
		Pass(ctx2) (int, error)
	}{w.gate, other} {
		go func() { _, err := g.Pass(w.ctx); done <- err }()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := w.events("gate.pass"); n != 1 {
		t.Errorf("%d passes on record, want 1", n)
	}
	if n, err := other.Pass(w.ctx); n != 0 || err != nil {
		t.Errorf("%d looked at again, %v", n, err)
	}
	// A process that starts anew finds nothing left to do.
	third, _ := w.node()
	if n, err := third.Pass(w.ctx); n != 0 || err != nil {
		t.Errorf("after a restart: %d looked at again, %v", n, err)
	}
}

// An attestation is renewed before it ends while the API still passes.
func TestRenewal(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+jwt+"]")
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	first := w.attested().Statement
	w.later(330 * day)
	if w.pass() != 0 {
		t.Error("renewed 35 days before its end")
	}
	w.later(6 * day)
	w.pass()
	second := w.attested().Statement
	if second.ID == first.ID || !second.Expires.Equal(w.clock.Add(365*day)) {
		t.Errorf("29 days before its end it is %+v", second)
	}
	if w.pass() != 0 || !w.covered() {
		t.Error("renewed again")
	}
}

// Something around an API changes: it falls short, and is told in time.
func TestSurroundings(t *testing.T) {
	w := newWorld(t)
	w.apply(api("audience: partner", "audience: partner\n  data: {jurisdictions: [EU]}"))
	w.enforce("2026.1", `[{id: place, check: {placement: {data: true}}}]`)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.apply(`{apiVersion: gatehouse/v1, kind: Gateway, metadata: {name: prod-us}, spec: {environment: prod, location: {jurisdiction: US}}}`)
	w.pass()
	w.wants(w.live(), gatehouse.GateGrace, map[string]string{"place": "grace"})
	if !w.live().Notice.Equal(w.clock.Add(day)) || !w.covered() {
		t.Errorf("on notice until %s, covered %t", w.live().Notice, w.covered())
	}
	w.later(day)
	w.pass()
	if w.covered() {
		t.Error("covered after the notice ended")
	}
	w.wants(w.live(), gatehouse.GateFailed, nil)
	w.apply(`{apiVersion: gatehouse/v1, kind: Gateway, metadata: {name: prod-us}, spec: {environment: prod, location: {jurisdiction: EU}}}`)
	w.pass()
	w.wants(w.live(), gatehouse.GatePassed, nil)
	if !w.covered() {
		t.Error("not covered although it obeys again")
	}
}

// What cannot be asked is refused when it is applied, with its place.
func TestBadControlsAreRefusedAtApply(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ name, control, pointer, want string }{
		{"does not type-check", `{id: a, check: {cel: {expression: 'api.audeince == "x"'}}}`, "spec.versions[1].controls[0].check.cel.expression", "undefined field 'audeince'"},
		{"costs too much", `{id: a, check: {cel: {expression: 'operations.all(a, operations.all(b, operations.all(c, a.id + b.id != c.id)))'}}}`, "check.cel.expression", "may cost"},
		{"unknown function of a ruleset", `{id: a, check: {lint: {ruleset: {rules: {x: {given: $, then: {function: execute}}}}}}}`, "check.lint.ruleset", "execute"},
		{"ids twice", internal + "," + internal, "controls[1].id", "audience"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.tryApply(`{apiVersion: gatehouse/v1, kind: Framework, metadata: {name: corporate}, spec: {versions: [{name: "2026.1"}, {name: "2026.2", controls: [` + tt.control + `]}]}}`)
			w.refused(err, gatehouse.Invalid, tt.pointer, tt.want)
		})
	}
}
