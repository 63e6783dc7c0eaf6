package catalog

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/report"
	"gatehouse/store"
)

// town is a world with one API in a manual dev and a prod of the given rule.
func town(t *testing.T, prodRule string) *world {
	w := newWorld(t)
	w.apply(Request{Documents: docs(t,
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"title":"Shop"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev","release":{"mode":"manual"}}}`,
		prod(prodRule),
		`{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"shop","name":"cart"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:1"}]},"prod":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}`,
		cartDoc("/cart", "1", ""))})
	return w
}

func prod(rule string) string {
	return `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod","release":` + rule + `}}`
}

func cartDoc(path, step, more string) string {
	return fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"shop","name":"cart"},"spec":{"title":"Cart"%s,"versions":[{"name":"v1","path":%q,"backend":"cart","access":"open","policies":[{"headers":{"response":{"set":{"X-Step":%q}}}}]}]}}`, more, path, step)
}

var cart = Ref{Team: "shop", Name: "cart", Version: "v1"}

func (w *world) wants(err error, kind gatehouse.ErrorKind, text string) {
	w.t.Helper()
	if !gatehouse.Is(err, kind) || !strings.Contains(err.Error(), text) {
		w.t.Errorf("got %v of kind %q, want %q of kind %q", err, gatehouse.KindOf(err), text, kind)
	}
}

func (w *world) ok(r Released, err error) Released {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// count has a gateway report requests of a revision.
func (w *world) count(env, revision, app string, class int, n int64) {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	u := &store.Usage{Spool: "s", Number: w.now.UnixNano(), Rows: []store.UsageRow{{Hour: w.now.Truncate(time.Hour), Environment: env, API: "shop/cart@v1",
		Application: app, Class: class, Revision: report.ShortRevision(revision), Requests: n}}}
	if _, err := w.db.Apply(w.ctx, store.Batch{Usage: u}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) events(action string) (reasons []string) {
	w.t.Helper()
	for e, err := range w.db.Events(w.ctx, store.EventQuery{Action: action}) {
		if err != nil {
			w.t.Fatal(err)
		}
		reasons = append(reasons, e.Object+": "+e.Reason)
	}
	return reasons
}

func inSteps(steps ...int) *gatehouse.CanaryPlan {
	return &gatehouse.CanaryPlan{Steps: steps, Every: jsonx.Duration(time.Minute)}
}

func TestCanaryIsRefused(t *testing.T) {
	w := town(t, `{"mode":"manual"}`)
	_, err := w.Release(w.ctx, cart, "dev", Terms{Canary: inSteps(50)})
	w.wants(err, gatehouse.Conflict, "nothing is live there")
	w.ok(w.Release(w.ctx, cart, "dev", Terms{}))
	_, err = w.Release(w.ctx, cart, "dev", Terms{Canary: inSteps(50)})
	w.wants(err, gatehouse.Conflict, "is live there already")
	w.apply(Request{Documents: docs(t, cartDoc("/cart", "2", ""))})
	for want, p := range map[string]*gatehouse.CanaryPlan{
		"1 to 20 steps":    inSteps(),
		"100 does not":     inSteps(50, 100),
		"0 does not":       inSteps(0),
		"50 does not":      inSteps(50, 50),
		"lasts 1s to 30d":  {Steps: []int{5}},
		"is not measured":  {Steps: []int{5}, Every: jsonx.Duration(time.Minute), StopOn: []gatehouse.CanaryBound{{Measure: "tears"}}},
		"bound is 0 to 10": {Steps: []int{5}, Every: jsonx.Duration(time.Minute), StopOn: []gatehouse.CanaryBound{{Measure: "errors", Over: 101}}},
	} {
		_, err := w.Release(w.ctx, cart, "dev", Terms{Canary: p})
		w.wants(err, gatehouse.Invalid, want)
	}
	k := w.ok(w.Release(w.ctx, cart, "dev", Terms{Canary: inSteps(5, 50)})).Canary
	_, err = w.Release(w.ctx, cart, "dev", Terms{Canary: inSteps(50)})
	w.wants(err, gatehouse.Conflict, "on its way there as a canary")
	_, err = w.Canary(w.ctx, cart, "dev", CanaryStep{Action: "release.step", Of: k.Revision, At: 1})
	w.wants(err, gatehouse.Conflict, "moved on")
	_, err = w.Canary(w.ctx, cart, "prod", CanaryStep{Action: "release.abort"})
	w.wants(err, gatehouse.Conflict, "no canary is on its way")
	// Two that took the same step at once: the second is told.
	w.ok(w.Canary(w.ctx, cart, "dev", CanaryStep{Action: "release.step", Of: k.Revision, At: 0}))
	_, err = w.Canary(w.ctx, cart, "dev", CanaryStep{Action: "release.step", Of: k.Revision, At: 0})
	w.wants(err, gatehouse.Conflict, "moved on")
	if r := w.ok(w.Canary(w.ctx, cart, "dev", CanaryStep{Action: "release.step", Of: k.Revision, At: 1})); r.Revision != k.Revision || r.Canary != nil || r.Previous == "" {
		t.Errorf("after the last step: %+v", r.Release)
	}
	if r := w.ok(w.Rollback(w.ctx, cart, "dev", "")); r.Revision == k.Revision {
		t.Error("rolling back after a canary went nowhere")
	}
	w.apply(Request{Documents: docs(t, cartDoc("/elsewhere", "2", ""))})
	_, err = w.Release(w.ctx, cart, "dev", Terms{Canary: inSteps(50)})
	w.wants(err, gatehouse.Conflict, "under another path or host")
}

// An automatic environment that is frozen takes nothing, and what it missed
// once it thaws.
func TestFrozenEnvironmentCatchesUp(t *testing.T) {
	w := town(t, `{"mode":"automatic","freezes":[{"from":"2027-01-01","until":"2027-01-05","reason":"new year"}]}`)
	if w.released("prod", "shop/cart@v1") != nil {
		t.Fatal("it was released into a frozen environment")
	}
	_, err := w.Release(w.ctx, cart, "prod", Terms{})
	w.wants(err, gatehouse.Conflict, "frozen until 2027-01-05T00:00:00Z: new year")
	w.apply(Request{Documents: docs(t, cartDoc("/cart", "2", ""))})
	waiting, _, err := w.Schedules(w.ctx, ScheduleFilter{Environment: "prod"}, 10, "")
	if err != nil || len(waiting) != 1 || waiting[0].State != gatehouse.ScheduleWaiting || waiting[0].Revision != w.head("shop/cart@v1") || waiting[0].By != "system" {
		t.Fatalf("scheduled: %+v, %v", waiting, err)
	}
	if due, _ := w.Due(w.ctx); len(due) != 0 {
		t.Error("it is due before the freeze is over")
	}
	w.now = time.Date(2027, 1, 5, 0, 0, 1, 0, time.UTC)
	due, err := w.Due(w.ctx)
	if err != nil || len(due) != 1 {
		t.Fatalf("due: %v, %v", due, err)
	}
	system := t.Context()
	for range 2 { // two control planes
		if _, err := w.CarryOut(system, due[0], func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.released("prod", "shop/cart@v1"); r == nil || r.Revision != waiting[0].Revision {
		t.Errorf("after the freeze: %+v", r)
	}
	if n := len(w.events("release.due")); n != 1 {
		t.Errorf("%d events, want the release once", n)
	}
}

func TestScheduleIsSkippedWithAReason(t *testing.T) {
	w := town(t, `{"mode":"manual","notes":"required"}`)
	at := w.now.Add(time.Hour)
	_, err := w.Release(w.ctx, cart, "prod", Terms{At: at})
	w.wants(err, gatehouse.Invalid, "--note")
	_, err = w.Release(w.ctx, cart, "prod", Terms{Note: "x", At: w.now.AddDate(2, 0, 0)})
	w.wants(err, gatehouse.Invalid, "days ahead")
	_, err = w.Release(w.ctx, cart, "prod", Terms{Note: "x", At: w.now.Add(-time.Hour)})
	w.wants(err, gatehouse.Invalid, "is past")
	for _, tt := range []struct {
		name, want string
		spoil      func()
		may        error
	}{
		{"who scheduled it may no longer", "may not", func() {}, gatehouse.E(gatehouse.Denied, "alice may not")},
		{"frozen since", "frozen until", func() {
			w.apply(Request{Documents: docs(t, prod(`{"freezes":[{"from":"2020-01-01","until":"2099-01-01"}]}`))})
		}, nil},
		{"retired since", "lifecycle", func() {
			w.apply(Request{Documents: docs(t, prod(`{}`), strings.Replace(cartDoc("/cart", "1", ""), `"access"`, `"lifecycle":"retired","access"`, 1))})
		}, nil},
	} {
		s := w.ok(w.Release(w.ctx, cart, "prod", Terms{Note: "x", At: w.now.Add(time.Hour)})).Schedule
		tt.spoil()
		w.now = s.At
		r, err := w.CarryOut(t.Context(), *s, func() error { return tt.may })
		if err != nil || r.Schedule == nil || r.Schedule.State != gatehouse.ScheduleSkipped || !strings.Contains(r.Schedule.Reason, tt.want) {
			t.Errorf("%s: %+v, %v, want it skipped because %q", tt.name, r.Schedule, err, tt.want)
		}
		if tt.name == "frozen since" {
			w.apply(Request{Documents: docs(t, prod(`{"mode":"manual","notes":"required"}`))})
		}
	}
	if n := len(w.events("release.skip")); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

func TestApprovalsArePersons(t *testing.T) {
	w := town(t, `{"mode":"approved","approvals":{"count":2,"role":"approver"}}`)
	w.Holds = func(subject, role, on string) bool {
		return role == "approver" && on == "API/shop/cart" && subject != "user:dave@example.com"
	}
	say := func(who string) (Released, error) { return w.ApproveRelease(w.as(who), cart, "prod", "") }
	w.ok(w.Release(w.ctx, cart, "prod", Terms{Note: "one"}))
	for who, want := range map[string]string{"user:alice@example.com": "asked for it", "service:ci": "is no person", "user:dave@example.com": `does not hold role "approver"`} {
		_, err := say(who)
		w.wants(err, gatehouse.Denied, want)
	}
	if r := w.ok(say("user:bob@example.com")); r.State != Requested || len(r.Approvals) != 1 || r.Needed != 2 {
		t.Errorf("after one: %+v", r)
	}
	_, err := say("user:bob@example.com")
	w.wants(err, gatehouse.Conflict, "has approved it already")
	// Another request begins anew: a word on the one does not count for the other.
	w.apply(Request{Documents: docs(t, cartDoc("/cart", "2", ""))})
	w.ok(w.Release(w.ctx, cart, "prod", Terms{Note: "two"}))
	if r := w.ok(say("user:carol@example.com")); r.State != Requested {
		t.Errorf("bob's word on the first request counted for the second: %+v", r)
	}
	if r := w.ok(say("user:bob@example.com")); r.State != Wanted || r.Revision != w.head("shop/cart@v1") || r.By != "user:alice@example.com" {
		t.Errorf("after two: %+v", r.Release)
	}
	// Approved for a later time it waits until then.
	w.apply(Request{Documents: docs(t, cartDoc("/cart", "3", ""))})
	at := w.now.Add(time.Hour)
	w.ok(w.Release(w.ctx, cart, "prod", Terms{Note: "three", At: at}))
	w.ok(say("user:bob@example.com"))
	r := w.ok(say("user:carol@example.com"))
	if r.Schedule == nil || !r.Schedule.Approved || r.State != Wanted || r.Revision == w.head("shop/cart@v1") {
		t.Fatalf("approved for later: %+v %+v", r.Schedule, r.Release)
	}
	w.now = at
	if r := w.ok(w.CarryOut(t.Context(), *r.Schedule, func() error { return nil })); r.Revision != w.head("shop/cart@v1") || r.By != "user:alice@example.com" {
		t.Errorf("at its time: %+v", r.Release)
	}
}

// Who has a token of the service account that asks has two hands, not four eyes.
func TestWhoseTokenAskedDoesNotApprove(t *testing.T) {
	w := town(t, `{"mode":"approved"}`)
	w.Hands = func(_ context.Context, subject string) (map[string]bool, error) {
		return map[string]bool{subject: true, "user:bob@example.com": subject == "service:ci"}, nil
	}
	w.ok(w.Release(w.as("service:ci"), cart, "prod", Terms{Note: "one"}))
	_, err := w.ApproveRelease(w.as("user:bob@example.com"), cart, "prod", "")
	w.wants(err, gatehouse.Denied, `"user:bob@example.com" made a token for "service:ci"`)
	if r := w.ok(w.ApproveRelease(w.as("user:carol@example.com"), cart, "prod", "")); r.State != Wanted {
		t.Errorf("after carol: %+v", r.Release)
	}
}

func TestWhatHasTrafficStays(t *testing.T) {
	w := town(t, `{"mode":"manual"}`)
	rev := w.ok(w.Release(w.ctx, cart, "prod", Terms{})).Revision
	w.ok(w.Release(w.ctx, cart, "dev", Terms{}))
	w.count("prod", rev, "billing/invoices", 2, 5)
	w.count("dev", rev, "", 2, 5)
	retired := strings.Replace(cartDoc("/cart", "1", ""), `"access"`, `"lifecycle":"retired","access"`, 1)
	const want = `version "v1" is in use in environment "prod": 5 requests in the last 7d, of billing/invoices (5)`
	w.refuses(Request{Documents: docs(t, retired)}, gatehouse.Invalid, want)
	_, err := w.Withdraw(w.ctx, cart, "prod", Terms{})
	w.wants(err, gatehouse.Conflict, want)
	w.wants(w.Delete(w.ctx, gatehouse.KindAPI, "shop", "cart", nil, Request{}), gatehouse.Invalid, want)
	w.ok(w.Withdraw(w.ctx, cart, "dev", Terms{})) // not asked for there
	w.apply(Request{Documents: docs(t, retired), Force: "the law"})
	if got := w.events("release.withdraw"); !strings.Contains(strings.Join(got, "\n"), "forced: the law (5 requests") {
		t.Errorf("on record: %q", got)
	}
	// Long after, nobody minds.
	w.apply(Request{Documents: docs(t, cartDoc("/cart", "1", ""))})
	w.ok(w.Release(w.ctx, cart, "prod", Terms{}))
	w.now = w.now.AddDate(0, 0, 9)
	w.ok(w.Withdraw(w.ctx, cart, "prod", Terms{}))
}

func TestDeprecationTellsSubscribers(t *testing.T) {
	w := town(t, `{"mode":"manual"}`)
	w.apply(Request{Documents: docs(t,
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"billing"},"spec":{"title":"Billing"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"shop","name":"all"},"spec":{"title":"All","apis":["cart"],"plans":[{"name":"free","approval":"automatic"}]}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"billing","name":"invoices"},"spec":{"title":"Invoices"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"billing","name":"invoices-all"},"spec":{"application":"invoices","product":"shop/all","plan":"free","environment":"prod"}}`)})
	deprecated := func(sunset string) string {
		return strings.Replace(cartDoc("/cart", "1", ""), `"access"`, `"lifecycle":"deprecated","deprecation":{"sunset":"`+sunset+`"},"access"`, 1)
	}
	w.apply(Request{Documents: docs(t, deprecated("2027-06-30"))})
	w.apply(Request{Documents: docs(t, strings.Replace(deprecated("2027-06-30"), "Cart", "Trolley", 1))}) // nothing of the deprecation changes
	w.apply(Request{Documents: docs(t, deprecated("2027-09-30"))})
	got := strings.Join(w.events("api.deprecate"), "\n")
	if strings.Count(got, "Application billing/invoices: shop/cart@v1 is deprecated") != 2 || !strings.Contains(got, "goes on 2027-09-30") {
		t.Errorf("on record:\n%s\nwant a notice for each of two dates", got)
	}
}

func TestPersonalDataStays(t *testing.T) {
	const data = `,"data":{"personal":true,"jurisdictions":["EU"]}`
	backend := func(location string) string {
		return `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"shop","name":"cart"},"spec":{"environments":{"prod":{"targets":[{"url":"https://cart.example.com"` + location + `}]}}}}`
	}
	w := town(t, `{"mode":"manual"}`)
	w.apply(Request{Documents: docs(t, cartDoc("/cart", "1", data), backend(""))})
	_, err := w.Release(w.ctx, cart, "prod", Terms{})
	w.wants(err, gatehouse.Conflict, `set location.jurisdiction of Backend shop/cart environments.prod.targets[0], or jurisdiction of Environment prod`)
	outside := Request{Documents: docs(t, backend(`,"location":{"cloud":"aws","jurisdiction":"US"}`))}
	w.refuses(outside, gatehouse.Invalid, `personal data may not leave EU (API shop/cart data.jurisdictions), and target "https://cart.example.com" lies in US`)
	w.refuses(outside, gatehouse.Invalid, "/spec/environments/prod/targets/0")
	w.apply(Request{Documents: docs(t, backend(`,"location":{"cloud":"aws","jurisdiction":"eu"}`),
		`{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"us"},"spec":{"environment":"prod","location":{"jurisdiction":"US"}}}`)})
	_, err = w.Release(w.ctx, cart, "prod", Terms{})
	w.wants(err, gatehouse.Conflict, "no gateway of the environment may have it: not placed on gateway us")
	w.apply(Request{Documents: docs(t, `{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"eu"},"spec":{"environment":"prod","location":{"jurisdiction":"EU"}}}`)})
	if r := w.ok(w.Release(w.ctx, cart, "prod", Terms{})); len(r.NotPlaced) != 1 || !strings.Contains(r.NotPlaced[0], "gateway us") {
		t.Errorf("not placed: %q", r.NotPlaced)
	}
}

func TestVariables(t *testing.T) {
	w := town(t, `{"mode":"manual"}`)
	uses := func(config string) string {
		return strings.Replace(cartDoc("/cart", "${var:STEP}", ""), `"policies":[`, `"policies":[`+config, 1)
	}
	w.apply(Request{Documents: docs(t, uses(`{"headers":{"request":{"set":{"X-Region":"at-${var:REGION}"}}}},`))})
	_, err := w.Release(w.ctx, cart, "prod", Terms{})
	w.wants(err, gatehouse.Conflict, `variable "REGION", which policy headers uses, is not set in environment "prod"; variable "STEP"`)
	environment := func(variables string) string {
		return strings.Replace(prod(`{"mode":"manual"}`), `"stage"`, `"variables":`+variables+`,"stage"`, 1)
	}
	for bad, want := range map[string]string{`{"a b":"x"}`: "is not the name of a variable", `{"A":"${env:X}"}`: "holds a reference", `{"A":"x\ny"}`: "line break"} {
		if _, err := gatehouse.DecodeObject([]byte(environment(bad))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", bad, err, want)
		}
	}
	w.apply(Request{Documents: docs(t, environment(`{"REGION":"eu","STEP":"two"}`))})
	w.ok(w.Release(w.ctx, cart, "prod", Terms{}))
	w.refuses(Request{Documents: docs(t, environment(`{"REGION":"eu"}`))}, gatehouse.Invalid, `shop/cart@v1 is live here: variable "STEP"`)
	w.refuses(Request{Documents: docs(t, uses(`{"timeout":{"backend":"${var:REGION}"}},`))}, gatehouse.Invalid, `with the variables of environment "prod"`)
	w.refuses(Request{Documents: docs(t, uses(`{"timeout":{"backend":"${var:a-b}"}},`))}, gatehouse.Invalid, `"a-b" is not the name of a variable`)
}
