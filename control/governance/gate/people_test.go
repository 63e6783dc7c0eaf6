package gate_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
	"gatehouse/control/release"
	"gatehouse/jsonx"
	"gatehouse/store"
)

type ctx2 = context.Context

func refOf(t gate.Target) catalog.Ref {
	return catalog.Ref{Team: t.Team, Name: t.Name, Version: t.Version}
}

func selection(notice bool) gate.Selection {
	return gate.Selection{Environment: "prod", OnNotice: notice, Limit: 100}
}

// answerAll answers what waits, and has somebody else confirm it.
func answerAll(t *testing.T, w *world) {
	t.Helper()
	if _, err := w.gate.Answer(w.ctx, w.target(), gate.Reply{Control: "review", Text: "yes"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.gate.Confirm(w.as("user:eve@example.com"), w.target(), gate.Reply{Control: "review"}); err != nil {
		t.Fatal(err)
	}
}

func TestQuestion(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", `[{id: review, check: {question: {text: Was it reviewed?, evidence: true, confirm: security, dependsOn: [data, operations], lasts: 30d}}},`+jwt+`]`)
	target := w.target()
	ask := func(ctx context.Context, r gate.Reply) error { _, err := w.gate.Answer(ctx, target, r); return err }
	confirm := func(ctx context.Context, r gate.Reply) error { _, err := w.gate.Confirm(ctx, target, r); return err }
	w.refused(confirm(w.as("user:sec@example.com"), gate.Reply{Control: "review"}), gatehouse.Conflict, "nobody has answered")
	w.refused(ask(w.ctx, gate.Reply{Control: "tokens", Text: "x"}), gatehouse.Conflict, "of kind policy")
	w.refused(ask(w.ctx, gate.Reply{Control: "reviw", Text: "x"}), gatehouse.NotFound, `did you mean "review"?`)
	w.refused(ask(w.ctx, gate.Reply{Control: "review", Text: " "}), gatehouse.Invalid, "the answer is empty")
	w.refused(ask(w.ctx, gate.Reply{Control: "review", Text: "yes"}), gatehouse.Invalid, "asks for evidence")
	w.refused(ask(w.ctx, gate.Reply{Control: "review", Text: "yes", Evidence: []string{"abc"}}), gatehouse.Invalid, `evidence "abc" is not there`)
	sum := w.evidence("report")
	if err := ask(w.ctx, gate.Reply{Control: "review", Text: "yes, see the report", Evidence: []string{sum, sum}}); err != nil {
		t.Fatal(err)
	}
	w.wants(w.run().Result, gatehouse.GateWaiting, map[string]string{"review": "waiting"})
	w.refused(confirm(w.ctx, gate.Reply{Control: "review"}), gatehouse.Denied, `"user:dev@example.com" answered it`)
	w.refused(confirm(w.as("user:other@example.com"), gate.Reply{Control: "review"}), gatehouse.Denied, `does not hold role "security"`)
	w.refused(confirm(w.as("service:ci"), gate.Reply{Control: "review"}), gatehouse.Denied, "is no person")
	w.refused(confirm(w.as("user:sec@example.com"), gate.Reply{Control: "review", Reject: true}), gatehouse.Invalid, "say why")
	if err := confirm(w.as("user:sec@example.com"), gate.Reply{Control: "review", Reject: true, Text: "of last year"}); err != nil {
		t.Fatal(err)
	}
	if f := w.run().Result.Controls[0].Findings[0]; !strings.Contains(f.Detail, "rejected by user:sec@example.com (of last year)") {
		t.Errorf("it says %q", f.Detail)
	}
	if err := ask(w.ctx, gate.Reply{Control: "review", Text: "this year's", Evidence: []string{sum}}); err != nil {
		t.Fatal(err)
	}
	if err := confirm(w.as("user:sec@example.com"), gate.Reply{Control: "review"}); err != nil {
		t.Fatal(err)
	}
	w.refused(confirm(w.as("user:sec@example.com"), gate.Reply{Control: "review"}), gatehouse.Conflict, "approved already")
	r := w.run()
	w.wants(r.Result, gatehouse.GatePassed, map[string]string{"review": "passed"})
	if c := r.Attestation.Statement.Controls[0]; len(c.Evidence) != 1 || c.Evidence[0] != sum || !r.Attestation.Statement.Expires.Equal(w.clock.Add(30*day)) {
		t.Errorf("the statement says %+v until %s", c, r.Attestation.Statement.Expires)
	}
	if w.events("gate.answer") != 2 || w.events("gate.confirm") != 1 || w.events("gate.reject") != 1 {
		t.Error("not every word is on record")
	}
	// The file goes: the answer proves nothing any more.
	if _, err := w.db.Apply(w.ctx, store.Batch{Writes: []store.Write{{Key: "Blob/" + sum, Kind: "Blob", Expect: store.Any}}}); err != nil {
		t.Fatal(err)
	}
	w.wants(w.run().Result, gatehouse.GateWaiting, nil)
	w.evidence("report")
	w.wants(w.run().Result, gatehouse.GatePassed, nil)
	w.later(30 * day)
	if r := w.run(); r.Result.Outcome != gatehouse.GateWaiting || !strings.Contains(r.Result.Controls[0].Findings[0].Detail, "held until") {
		t.Errorf("after its time: %+v", r.Result)
	}
}

func TestWaiver(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+limit+","+jwt+`,{id: hint, level: advisory, check: {policy: {name: cors}}}]`)
	ask := func(change func(*gatehouse.Waiver)) (*gatehouse.Waiver, error) {
		a := gatehouse.Waiver{Control: "limits", API: "payments/orders", Environment: "prod", Reason: "the limiter comes in May", Expires: w.clock.Add(60 * day)}
		if change != nil {
			change(&a)
		}
		return w.gate.AskWaiver(w.ctx, a)
	}
	bad := []struct {
		name, want string
		kind       gatehouse.ErrorKind
		change     func(*gatehouse.Waiver)
	}{
		{"without end", "it has no end", gatehouse.Invalid, func(a *gatehouse.Waiver) { a.Expires = time.Time{} }},
		{"already over", "is past", gatehouse.Invalid, func(a *gatehouse.Waiver) { a.Expires = *w.clock }},
		{"too long", "too late", gatehouse.Invalid, func(a *gatehouse.Waiver) { a.Expires = w.clock.Add(366 * day) }},
		{"without reason", "no reason", gatehouse.Invalid, func(a *gatehouse.Waiver) { a.Reason = "" }},
		{"of no API", "no API", gatehouse.NotFound, func(a *gatehouse.Waiver) { a.API = "payments/nothing" }},
		{"of no version", `no version "v9"`, gatehouse.NotFound, func(a *gatehouse.Waiver) { a.API = "payments/orders@v9" }},
		{"of a revision", "neither an API nor a version", gatehouse.Invalid, func(a *gatehouse.Waiver) { a.API = "payments/orders@v1#abcd" }},
		{"of no control", `did you mean "limits"?`, gatehouse.NotFound, func(a *gatehouse.Waiver) { a.Control = "limit" }},
		{"of an advisory control", "advisory", gatehouse.Conflict, func(a *gatehouse.Waiver) { a.Control = "hint" }},
		{"in no environment", "no environment", gatehouse.NotFound, func(a *gatehouse.Waiver) { a.Environment = "nowhere" }},
	}
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ask(tt.change)
			w.refused(err, tt.kind, tt.want)
		})
	}
	wv, err := ask(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ask(nil)
	w.refused(err, gatehouse.Conflict, "asks for the same")
	w.refused(w.release(), gatehouse.Conflict, "(limits)")
	approve := func(ctx context.Context) error {
		_, err := w.gate.ApproveWaiver(ctx, wv.ID, gate.Word{Comment: "fine"})
		return err
	}
	w.refused(approve(w.ctx), gatehouse.Denied, "asked for it; someone else has to decide")
	w.refused(approve(w.as("service:ci")), gatehouse.Denied, "no person")
	if err := approve(w.as("user:sec@example.com")); err != nil {
		t.Fatal(err)
	}
	w.refused(approve(w.as("user:sec@example.com")), gatehouse.Conflict, "it is approved")
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.wants(w.live(), gatehouse.GateWaived, map[string]string{"limits": "waived", "tokens": "passed kept"})
	if s := w.attested().Statement; !s.Expires.Equal(wv.Expires) || s.Controls[0].Waiver != wv.ID {
		t.Errorf("the statement outlasts its waiver: %+v", s)
	}
	warned := 0
	for d := range 60 {
		before := w.events("waiver.warn")
		for range 3 {
			if err := w.gate.SweepWaivers(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if w.events("waiver.warn") != before {
			warned++
			if left := 60 - d; left != 30 && left != 7 && left != 1 {
				t.Errorf("warned %d days before its end", left)
			}
		}
		w.pass()
		w.later(day)
	}
	if warned != 3 || w.events("waiver.warn") != 3 {
		t.Errorf("warned on %d days, %d times; want 3", warned, w.events("waiver.warn"))
	}
	if w.covered() {
		t.Error("covered the moment the waiver ends")
	}
	if err := w.gate.SweepWaivers(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.gate.Waiver(w.ctx, wv.ID); err != nil || got.State != gatehouse.Expired || w.events("waiver.expire") != 1 {
		t.Errorf("after its time it is %+v, %v", got, err)
	}
	w.pass()
	w.wants(w.live(), gatehouse.GateFailed, map[string]string{"limits": "failed"})
}

// A waiver that is taken back early takes the attestation with it.
func TestWaiverRevoked(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+limit+"]")
	wv, err := w.gate.AskWaiver(w.ctx, gatehouse.Waiver{Control: "limits", API: "payments/orders@v1", Reason: "soon", Expires: w.clock.Add(60 * day)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.gate.ApproveWaiver(w.as("user:sec@example.com"), wv.ID, gate.Word{Comment: ""}); err != nil {
		t.Fatal(err)
	}
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	_, err = w.gate.RevokeWaiver(w.as("user:sec@example.com"), wv.ID, gate.Word{Comment: ""})
	w.refused(err, gatehouse.Invalid, "say why")
	if _, err = w.gate.RevokeWaiver(w.as("user:sec@example.com"), wv.ID, gate.Word{Comment: "it leaks"}); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if w.covered() || w.attested().RevokedBy != "system" {
		t.Errorf("covered %t after the waiver was taken back", w.covered())
	}
}

// A canary is looked at again as what is live is: else a waiver that is taken
// back would let it serve on for as long as it stands still.
func TestWaiverOfCanaryRevoked(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+limit+"]")
	wv, err := w.gate.AskWaiver(w.ctx, gatehouse.Waiver{Control: "limits", API: "payments/orders@v1", Reason: "soon", Expires: w.clock.Add(60 * day)})
	if err == nil {
		_, err = w.gate.ApproveWaiver(w.as("user:sec@example.com"), wv.ID, gate.Word{Comment: ""})
	}
	if err == nil {
		err = w.release()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.apply(api("audiences: [orders]", "audiences: [orders, more]"))
	plan := &gatehouse.CanaryPlan{Steps: []int{50}, Every: jsonx.Duration(time.Hour)}
	if _, err := w.Release(w.ctx, refOf(w.target()), "prod", release.Terms{Canary: plan}); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if !w.covered() {
		t.Fatal("the canary has no attestation")
	}
	if _, err = w.gate.RevokeWaiver(w.as("user:sec@example.com"), wv.ID, gate.Word{Comment: "it leaks"}); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if w.covered() {
		t.Error("the canary is covered after the waiver was taken back")
	}
	if n, err := w.gate.Pass(w.ctx); n != 0 || err != nil {
		t.Errorf("%d looked at again, %v; nothing changed", n, err)
	}
}

// A revoked attestation keeps the revision out, forward and back, until it is
// restored.
func TestRevoke(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+jwt+"]")
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	first := w.target()
	w.apply(api("path: /orders/v1", "path: /orders/v1\n      access: token"))
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	_, err := w.gate.Revoke(w.as("user:sec@example.com"), first, " ")
	w.refused(err, gatehouse.Invalid, "say why")
	if _, err := w.gate.Revoke(w.as("user:sec@example.com"), first, "it leaks"); err != nil {
		t.Fatal(err)
	}
	_, err = w.Rollback(w.ctx, refOf(first), "prod", "")
	w.refused(err, gatehouse.Conflict, "was revoked by user:sec@example.com: it leaks")
	ref := refOf(first)
	ref.Revision = first.Revision
	_, err = w.Release(w.ctx, ref, "prod", release.Terms{})
	w.refused(err, gatehouse.Conflict, "(attestation)", "it leaks")
	r, err := w.gate.Run(w.ctx, first)
	if err != nil || r.Result.Outcome != gatehouse.GateFailed {
		t.Errorf("running the gate for it: %+v, %v", r, err)
	}
	if _, err := w.gate.Restore(w.as("user:sec@example.com"), first, "it does not leak"); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Rollback(w.ctx, refOf(first), "prod", ""); err != nil {
		t.Errorf("rolling back to what was restored: %v", err)
	}
	if _, err := w.Rollback(w.ctx, refOf(first), "prod", ""); err != nil {
		t.Errorf("rolling back again: %v", err)
	}
}

// What is live and was revoked is listed as failed as soon as it was looked at,
// which the revocation makes due, and as passed once it is restored.
func TestRevokedIsListed(t *testing.T) {
	w := newWorld(t)
	w.apply(api())
	w.enforce("2026.1", "["+jwt+"]")
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	w.pass()
	outcome := func() string {
		t.Helper()
		w.pass()
		all, _, err := w.gate.List(w.ctx, gate.Selection{Environment: "prod"})
		if err != nil || len(all) != 1 {
			t.Fatalf("%d results, %v", len(all), err)
		}
		return all[0].Outcome
	}
	if got := outcome(); got != gatehouse.GatePassed {
		t.Fatalf("at first %s", got)
	}
	if _, err := w.gate.Revoke(w.as("user:sec@example.com"), w.target(), "it leaks"); err != nil {
		t.Fatal(err)
	}
	if got := outcome(); got != gatehouse.GateFailed {
		t.Errorf("revoked, and listed as %s", got)
	}
	if n, err := w.gate.Pass(w.ctx); n != 0 || err != nil {
		t.Errorf("%d looked at again, %v; nothing changed", n, err)
	}
	if _, err := w.gate.Restore(w.as("user:sec@example.com"), w.target(), "it does not"); err != nil {
		t.Fatal(err)
	}
	if got := outcome(); got != gatehouse.GatePassed {
		t.Errorf("restored, and listed as %s", got)
	}
}

// evidence keeps a file as uploading does.
func (w *world) evidence(text string) string {
	w.t.Helper()
	sum := hashOf(text)
	if _, err := w.db.Apply(w.ctx, store.Batch{Writes: []store.Write{
		{Key: "Evidence/" + sum, Kind: "Evidence", Value: []byte(`{"hash":"` + sum + `"}`), Expect: store.Any},
		{Key: "Blob/" + sum, Kind: "Blob", Value: []byte(`"cmVwb3J0"`), Expect: store.Any},
	}}); err != nil {
		w.t.Fatal(err)
	}
	return sum
}

// Who asks for a waiver where nothing says which framework judges is told how to
// say it.
func TestWaiverWhereNoFrameworkIsNamed(t *testing.T) {
	w := newWorld(t)
	w.apply(api("framework: corporate", "summary: none"))
	w.enforce("2026.1", "["+limit+"]")
	w.apply(gated("{framework: corporate}"))
	ask := gatehouse.Waiver{Control: "limits", API: "payments/orders", Reason: "later", Expires: w.clock.Add(day)}
	_, err := w.gate.AskWaiver(w.ctx, ask)
	w.refused(err, gatehouse.Conflict, `API "payments/orders" names no framework; name the environment whose framework judges it (--env), or the framework (--framework)`)
	ask.Environment = "prod"
	if _, err := w.gate.AskWaiver(w.ctx, ask); err != nil {
		t.Errorf("with the environment: %v", err)
	}
}
