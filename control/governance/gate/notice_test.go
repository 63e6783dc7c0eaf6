package gate_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/exposure"
	"gatehouse/control/governance/gate"
	"gatehouse/control/release"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// weakly puts a framework in force that asks for nothing.
func (w *world) weakly() {
	w.t.Helper()
	w.apply(`{apiVersion: gatehouse/v1, kind: Framework, metadata: {name: weak}, spec: {versions: [{name: "1"}]}}`)
	text := gatehouse.FrameworkText{Framework: "weak", Version: gatehouse.FrameworkVersion{Name: "1"}}
	value, hash, err := text.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	state, err := jsonx.Canonical(&gatehouse.FrameworkState{Framework: "weak", InForce: "1", Governed: *w.clock, Versions: map[string]gatehouse.FrameworkVersionState{
		"1": {State: gatehouse.InForce, Hash: hash, Since: *w.clock}}})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.trail.Commit(w.ctx, audit.Act{Action: "framework.enforce", Object: "Framework weak@1", Writes: []store.Write{
		{Key: "FrameworkText/" + hash, Kind: "FrameworkText", Value: value, Expect: store.Any},
		{Key: gatehouse.FrameworkStateKey("weak"), Kind: "FrameworkState", Value: state, Expect: store.Any},
	}}); err != nil {
		w.t.Fatal(err)
	}
}

const prod = `{apiVersion: gatehouse/v1, kind: Environment, metadata: {name: prod}, spec: {stage: prod, jurisdiction: EU, gate: GATE}}`

func gated(rule string) string { return strings.Replace(prod, "GATE", rule, 1) }

// An API does not choose a weaker framework where the environment says which
// count, and what passed by one is on notice when the list changes.
func TestEnvironmentSaysWhichFrameworksCount(t *testing.T) {
	w := newWorld(t)
	w.weakly()
	w.apply(api("framework: corporate", "framework: weak"))
	w.enforce("2026.1", "["+limit+"]")
	if err := w.release(); err != nil {
		t.Fatalf("where every framework counts: %v", err)
	}
	w.apply(gated("{accepts: [corporate]}"))
	w.pass()
	w.wants(w.live(), gatehouse.GateGrace, map[string]string{"framework": "grace"})
	if until := w.clock.Add(30 * day); !w.live().Notice.Equal(until) || !w.covered() {
		t.Errorf("on notice until %s, covered %t", w.live().Notice, w.covered())
	}
	f := w.live().Controls[0].Findings[0]
	if !strings.Contains(f.Detail, `names framework "weak", and environment "prod" accepts "corporate" only`) || !strings.Contains(f.Remedy, `name "corporate" in the API's document`) {
		t.Errorf("it says %+v", f)
	}
	w.apply(api("framework: corporate", "framework: weak", "path: /orders/v1", "path: /orders/v1\n      access: token"))
	w.refused(w.release(), gatehouse.Conflict, "(framework)", `environment "prod" accepts "corporate" only`)
	_, err := w.gate.AskWaiver(w.ctx, gatehouse.Waiver{API: "payments/orders", Control: "limits", Environment: "prod", Reason: "x", Expires: w.clock.Add(day)})
	w.refused(err, gatehouse.Conflict, "accepts")
	w.apply(api("framework: corporate", "framework: weak"))
	// The list opens and closes again: the notice is the one there was.
	until := w.live().Notice
	w.later(20 * day)
	w.apply(gated("{accepts: [corporate, weak]}"))
	w.pass()
	w.wants(w.live(), gatehouse.GatePassed, nil)
	w.apply(gated("{accepts: [corporate]}"))
	w.pass()
	if w.live().Outcome != gatehouse.GateGrace || !w.live().Notice.Equal(until) {
		t.Errorf("judged %s until %s, want grace until %s", w.live().Outcome, w.live().Notice, until)
	}
	w.later(10 * day)
	w.pass()
	if w.covered() {
		t.Error("covered after the notice ended")
	}
	_, err = w.tryApply(gated("{accepts: [corporate], framework: weak}"))
	w.refused(err, gatehouse.Invalid, "spec.gate.framework", "is not among accepts")
	_, err = w.tryApply(gated("{accepts: [corporat]}"))
	w.refused(err, gatehouse.Invalid, "spec.gate.accepts[0]", `framework "corporat" does not exist`)
}

const (
	european = `{apiVersion: gatehouse/v1, kind: Gateway, metadata: {name: prod-us}, spec: {environment: prod, location: {jurisdiction: EU}}}`
	overseas = `{apiVersion: gatehouse/v1, kind: Gateway, metadata: {name: prod-us}, spec: {environment: prod, location: {jurisdiction: US}}}`
)

// A notice is given once: what others change to and fro does not renew it.
func TestOneNotice(t *testing.T) {
	w := newWorld(t)
	w.apply(api("audience: partner", "audience: partner\n  data: {jurisdictions: [EU]}"))
	w.enforce("2026.1", `[{id: place, check: {placement: {data: true}}}]`)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.apply(overseas)
	w.pass()
	until := w.live().Notice
	if !until.Equal(w.clock.Add(day)) {
		t.Fatalf("on notice until %s", until)
	}
	for range 3 {
		w.later(4 * time.Hour)
		w.apply(european)
		w.pass()
		w.wants(w.live(), gatehouse.GatePassed, nil)
		w.apply(overseas)
		w.pass()
		if !w.live().Notice.Equal(until) {
			t.Errorf("on notice until %s, want %s", w.live().Notice, until)
		}
	}
	w.later(12 * time.Hour)
	w.apply(european)
	w.pass()
	w.apply(overseas)
	w.pass()
	w.wants(w.live(), gatehouse.GateFailed, map[string]string{"place": "failed"})
	if w.covered() {
		t.Error("covered by a second notice")
	}
	// A new version of the framework may give another.
	w.apply(european)
	w.pass()
	w.enforce("2026.2", `[{id: place, check: {placement: {data: true}}}]`)
	w.pass()
	w.apply(overseas)
	w.pass()
	w.wants(w.live(), gatehouse.GateGrace, nil)
}

// What the API's own team changes is no surprise to it.
func TestOwnChangeGivesNoNotice(t *testing.T) {
	secure := `[{id: tls, check: {cel: {expression: 'backend.targets.all(t, t.scheme == "https")'}}}, {id: place, check: {placement: {data: true}}}]`
	plain := `{apiVersion: gatehouse/v1, kind: Backend, metadata: {team: payments, name: orders}, spec: {environments: {dev: {targets: [{url: "https://127.0.0.1:1"}]}, prod: {targets: [{url: "http://orders.internal", location: {jurisdiction: EU}}]}}}}`
	for _, tt := range []struct {
		name, change, want string
	}{
		{"its backend", plain, gatehouse.GateFailed},
		{"its backend, while somebody else's gateway moved", plain + "\n---\n" + overseas, gatehouse.GateGrace},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(api("audience: partner", "audience: partner\n  data: {jurisdictions: [EU]}"))
			w.apply(strings.Replace(plain, "http://o", "https://o", 1))
			w.enforce("2026.1", secure)
			if err := w.release(); err != nil {
				t.Fatal(err)
			}
			w.pass()
			w.apply(tt.change)
			w.pass()
			w.wants(w.live(), tt.want, nil)
		})
	}
}

// Switching an environment to enforce puts what does not pass on notice, in the
// same transaction; what passes goes on, and switching to and fro gives no more.
func TestSwitchToEnforce(t *testing.T) {
	w := newWorld(t)
	w.apply(gated("{mode: report}"))
	w.apply(api())
	w.enforce("2026.1", "["+limit+","+jwt+"]")
	w.later(40 * day)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.wants(w.live(), gatehouse.GateFailed, map[string]string{"limits": "failed"})
	w.apply(gated("{mode: enforce}"))
	until := w.clock.Add(30 * day)
	if !w.covered() || !w.attested().Statement.Expires.Equal(until) {
		t.Fatal("dark when the environment began to enforce")
	}
	w.pass()
	w.wants(w.live(), gatehouse.GateGrace, map[string]string{"limits": "grace", "tokens": "passed"})
	if !w.live().Notice.Equal(until) || !w.covered() {
		t.Errorf("on notice until %s", w.live().Notice)
	}
	w.later(20 * day)
	w.apply(gated("{mode: report}"))
	w.pass()
	w.apply(gated("{mode: enforce}"))
	w.pass()
	if !w.live().Notice.Equal(until) {
		t.Errorf("on notice until %s, want %s", w.live().Notice, until)
	}
	w.later(10 * day)
	w.apply(gated("{mode: report}"))
	w.pass()
	w.apply(gated("{mode: enforce}"))
	w.pass()
	if w.covered() {
		t.Error("covered by a second notice")
	}
	if n := w.events("gate.inaugurate"); n != 2 {
		t.Errorf("%d inaugurations on record, want 2", n)
	}
}

// What was taken back by a person does not come back with the environment's mode.
func TestSwitchToEnforceKeepsRevocations(t *testing.T) {
	w := newWorld(t)
	w.apply(gated("{mode: report}"))
	w.apply(api())
	w.enforce("2026.1", "["+jwt+"]")
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if _, err := w.gate.Revoke(w.as("user:sec@example.com"), w.target(), "wrong evidence"); err != nil {
		t.Fatal(err)
	}
	w.apply(gated("{mode: enforce}"))
	w.pass()
	if w.covered() {
		t.Error("covered although a person took it back")
	}
}

// The end of a notice is announced before it comes.
func TestEndOfNoticeIsAnnounced(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.enforce("2026.1", "["+limit+"]")
	w.pass()
	var days []int
	for d := range 31 {
		before := w.events("gate.warn")
		for range 3 { // two nodes, and one that starts again, say it once
			other, _ := w.node()
			if _, err := other.Pass(w.ctx); err != nil {
				t.Fatal(err)
			}
			w.pass()
		}
		if n := w.events("gate.warn") - before; n > 0 {
			days = append(days, d)
			if n != 1 {
				t.Errorf("announced %d times on day %d", n, d)
			}
		}
		w.later(day)
	}
	if len(days) != 2 || days[0] != 23 || days[1] != 29 {
		t.Errorf("announced on days %v, want 23 and 29", days)
	}
	for e, err := range w.db.Events(w.ctx, store.EventQuery{Action: "gate.warn"}) {
		if err != nil || e.Team != "payments" || !strings.Contains(e.Reason, "control limits: its notice ends") {
			t.Errorf("it says %+v, %v", e, err)
		}
	}
}

// Controls see what the environment's variables stand for.
func TestControlsSeeBoundVariables(t *testing.T) {
	w := newWorld(t)
	w.apply(`{apiVersion: gatehouse/v1, kind: Environment, metadata: {name: prod}, spec: {stage: prod, variables: {ISSUER: "https://id.example.com"}, policies: [{headers: {request: {set: {X-From: "${var:ISSUER}"}}}}]}}`)
	w.apply(api(`issuer: "https://id.example.com"`, `issuer: "${var:ISSUER}"`))
	w.enforce("2026.1", `[{id: chain, check: {policy: {name: jwt, condition: 'config.issuer == "https://id.example.com"'}}},
		{id: written, check: {cel: {expression: 'version.policies.exists(p, p.name == "jwt" && p.config.issuer == "https://id.example.com")'}}},
		{id: around, check: {cel: {expression: 'environment.policies.exists(p, p.config.request.set["X-From"] == "https://id.example.com")'}}},
		{id: each, check: {cel: {each: operation, expression: 'operation.policies.exists(p, p.name == "jwt" && p.config.issuer == "https://id.example.com")'}}}]`)
	w.wants(w.run().Result, gatehouse.GatePassed, map[string]string{"chain": "passed", "written": "passed", "around": "passed", "each": "passed"})
	if _, err := w.Release(w.ctx, catalog.Ref{Team: "payments", Name: "orders", Version: "v1"}, "prod", release.Terms{}); err != nil {
		t.Error(err)
	}
}

// A canary on its way under a notice is told of it once, not at each of its steps
// and once more when it is live; nor is what is live.
func TestNoticeOfCanaryGivenOnce(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+jwt+"]")
	w.later(time.Hour)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.apply(api("audiences: [orders]", "audiences: [orders, more]"))
	plan := &gatehouse.CanaryPlan{Steps: []int{10, 50}, Every: jsonx.Duration(time.Hour)}
	of := refOf(w.target())
	if _, err := w.Release(w.ctx, of, "prod", release.Terms{Canary: plan}); err != nil {
		t.Fatal(err)
	}
	w.enforce("2026.2", "["+jwt+`,{id: limits, grace: 10d, check: {policy: {name: rate-limit}}}]`)
	w.pass()
	if n := w.events("gate.notice"); n != 2 {
		t.Fatalf("the live revision and the canary were given %d notices, want one each", n)
	}
	of.Revision = ""
	for _, step := range []string{"release.step", "release.step"} { // the second is the last: all callers
		if _, err := w.Canary(w.ctx, of, "prod", release.CanaryStep{Action: step, At: -1}); err != nil {
			t.Fatal(err)
		}
		w.pass()
	}
	if n := w.events("gate.notice"); n != 2 {
		t.Errorf("%d notices after the canary went its way, want none more than 2", n)
	}
	w.wants(w.live(), gatehouse.GateGrace, nil)
}

// A word on what was read does not count for something that came in its place.
func TestDecisionsAreOnWhatWasRead(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", `[{id: review, check: {question: {text: Reviewed?, dependsOn: [data]}}},`+limit+`]`)
	answer := func(text string) string {
		t.Helper()
		a, err := w.gate.Answer(w.ctx, w.target(), gate.Reply{Control: "review", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		hash, err := a.Given()
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	first := answer("yes, by two of us")
	second := answer("no, but it will be fine")
	sec := w.as("user:sec@example.com")
	_, err := w.gate.Confirm(sec, w.target(), gate.Reply{Control: "review", Hash: first})
	w.refused(err, gatehouse.Lost, first[:12], second[:12], "read it again")
	if _, err := w.gate.Confirm(sec, w.target(), gate.Reply{Control: "review", Hash: second}); err != nil {
		t.Error(err)
	}
	v, err := w.gate.AskWaiver(w.ctx, gatehouse.Waiver{API: "payments/orders", Control: "limits", Reason: "x", Expires: w.clock.Add(day)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.gate.ApproveWaiver(sec, v.ID, gate.Word{Hash: second})
	w.refused(err, gatehouse.Lost, "the waiver that waits is")
	hash, err := v.Requested()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.gate.ApproveWaiver(sec, v.ID, gate.Word{Hash: hash}); err != nil {
		t.Error(err)
	}
}

// A waiver ends with its API: another one by that name is not excepted.
func TestWaiverEndsWithItsAPI(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+limit+"]")
	ask := func() string {
		t.Helper()
		v, err := w.gate.AskWaiver(w.ctx, gatehouse.Waiver{API: "payments/orders", Control: "limits", Reason: "x", Expires: w.clock.Add(30 * day)})
		if err != nil {
			t.Fatal(err)
		}
		return v.ID
	}
	id := ask()
	if _, err := w.gate.ApproveWaiver(w.as("user:sec@example.com"), id, gate.Word{}); err != nil {
		t.Fatal(err)
	}
	w.wants(w.run().Result, gatehouse.GateWaived, nil)
	open := ask()
	w.later(time.Hour)
	if err := w.Delete(w.ctx, gatehouse.KindAPI, "payments", "orders", nil, catalog.Request{}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{id, open} {
		if v, err := w.gate.Waiver(w.ctx, id); err != nil || v.State != gatehouse.Expired {
			t.Errorf("after the API was deleted: %+v, %v", v, err)
		}
	}
	if n := w.events("waiver.expire"); n != 2 {
		t.Errorf("%d waivers ended on record, want 2", n)
	}
	w.apply(api())
	w.wants(w.run().Result, gatehouse.GateFailed, map[string]string{"limits": "failed"})
}

// The catalog says of each release what the gate found.
func TestCatalogTellsOfTheGate(t *testing.T) {
	w := newWorld(t)
	tells := func(want string, until time.Time) {
		t.Helper()
		all, err := exposure.Entries(w.ctx, w.db, exposure.Selection{Environment: "prod"})
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		if all[0].Gate != want || !all[0].GateUntil.Equal(until) {
			t.Errorf("the catalog says %q until %s, want %q until %s", all[0].Gate, all[0].GateUntil, want, until)
		}
	}
	w.apply(api())
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	tells("not-asked", time.Time{})
	w.enforce("2026.1", "["+limit+"]")
	w.pass()
	until := w.clock.Add(30 * day)
	tells("notice", until)
	w.later(31 * day)
	w.pass()
	tells("refused", time.Time{})
	w.apply(gated("{mode: report}"))
	w.pass()
	tells("falls-short", time.Time{})
	v, err := w.gate.AskWaiver(w.ctx, gatehouse.Waiver{API: "payments/orders", Control: "limits", Reason: "x", Expires: w.clock.Add(day)})
	if err == nil {
		_, err = w.gate.ApproveWaiver(w.as("user:sec@example.com"), v.ID, gate.Word{})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.pass()
	tells("waived", w.clock.Add(day))
	w.enforce("2026.2", "["+jwt+"]")
	w.pass()
	tells("passed", time.Time{})
}

// A canary on its way is on notice, as what is live is, when its environment
// begins to enforce, though only the canary falls short.
func TestSwitchToEnforceBesideACanary(t *testing.T) {
	w := newWorld(t)
	w.apply(gated("{mode: report}"))
	w.apply(api())
	w.enforce("2026.1", `[{id: one, check: {policy: {name: jwt, condition: "size(config.audiences) == 1"}}}]`)
	w.later(40 * day)
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	live := w.target()
	w.apply(api("audiences: [orders]", "audiences: [orders, more]"))
	of := refOf(w.target())
	if _, err := w.Release(w.ctx, of, "prod", release.Terms{Canary: &gatehouse.CanaryPlan{Steps: []int{10}, Every: jsonx.Duration(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if w.covered() {
		t.Fatal("the canary passes")
	}
	w.later(day)
	w.apply(gated("{mode: enforce}"))
	until := w.clock.Add(30 * day)
	for _, when := range []string{"at once", "after a look", "after another"} {
		if !w.covered() || !w.attested().Statement.Expires.Equal(until) {
			t.Fatalf("%s: the canary is dark", when)
		}
		w.pass()
	}
	r, err := w.gate.Show(w.ctx, live)
	if err != nil || r.Result.Outcome != gatehouse.GatePassed {
		t.Errorf("what is live: %v, %+v", err, r)
	}
	w.later(30 * day)
	w.pass()
	if w.covered() {
		t.Error("the canary outlasts its notice")
	}
}

// A notice that a program of before recorded, which announced nothing, is
// announced in time.
func TestNoticeOfAnEarlierVersionIsAnnounced(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.enforce("2026.1", "["+limit+"]")
	w.pass()
	res := w.live()
	res.Warned, res.Due = time.Time{}, res.Expires
	value, err := jsonx.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	key := gatehouse.GateResultKey("prod", "payments", "orders", "v1", true)
	if _, err := w.db.Apply(w.ctx, store.Batch{Writes: []store.Write{{Key: key, Kind: string(gatehouse.KindGateResult), Value: value, Expect: store.Any, Index: map[string]string{"slot": "live"}}}}); err != nil {
		t.Fatal(err)
	}
	w.later(24 * day)
	if w.pass(); w.events("gate.warn") != 1 {
		t.Errorf("%d warnings six days before the end, want 1", w.events("gate.warn"))
	}
	if n := w.pass(); n != 0 {
		t.Errorf("looked at %d again", n)
	}
}
