package release_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/control/release/releasetest"
	"gatehouse/jsonx"
)

func TestCanaryIsRefused(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"manual"}`)
	_, err := w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{Canary: releasetest.InSteps(50)})
	w.Wants(err, gatehouse.Conflict, "nothing is live there")
	w.OK(w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{}))
	_, err = w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{Canary: releasetest.InSteps(50)})
	w.Wants(err, gatehouse.Conflict, "is live there already")
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "2", ""))})
	for want, p := range map[string]*gatehouse.CanaryPlan{
		"1 to 20 steps":    releasetest.InSteps(),
		"100 does not":     releasetest.InSteps(50, 100),
		"0 does not":       releasetest.InSteps(0),
		"50 does not":      releasetest.InSteps(50, 50),
		"lasts 1s to 30d":  {Steps: []int{5}},
		"is not measured":  {Steps: []int{5}, Every: jsonx.Duration(time.Minute), StopOn: []gatehouse.CanaryBound{{Measure: "tears"}}},
		"bound is 0 to 10": {Steps: []int{5}, Every: jsonx.Duration(time.Minute), StopOn: []gatehouse.CanaryBound{{Measure: "errors", Over: 101}}},
	} {
		_, err := w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{Canary: p})
		w.Wants(err, gatehouse.Invalid, want)
	}
	k := w.OK(w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{Canary: releasetest.InSteps(5, 50)})).Canary
	_, err = w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{Canary: releasetest.InSteps(50)})
	w.Wants(err, gatehouse.Conflict, "on its way there as a canary")
	_, err = w.Canary(w.Ctx, releasetest.Cart, "dev", release.CanaryStep{Action: "release.step", Of: k.Revision, At: 1})
	w.Wants(err, gatehouse.Conflict, "moved on")
	_, err = w.Canary(w.Ctx, releasetest.Cart, "prod", release.CanaryStep{Action: "release.abort"})
	w.Wants(err, gatehouse.Conflict, "no canary is on its way")
	// Two that took the same step at once: the second is told.
	w.OK(w.Canary(w.Ctx, releasetest.Cart, "dev", release.CanaryStep{Action: "release.step", Of: k.Revision, At: 0}))
	_, err = w.Canary(w.Ctx, releasetest.Cart, "dev", release.CanaryStep{Action: "release.step", Of: k.Revision, At: 0})
	w.Wants(err, gatehouse.Conflict, "moved on")
	if r := w.OK(w.Canary(w.Ctx, releasetest.Cart, "dev", release.CanaryStep{Action: "release.step", Of: k.Revision, At: 1})); r.Revision != k.Revision || r.Canary != nil || r.Previous == "" {
		t.Errorf("after the last step: %+v", r.Release)
	}
	if r := w.OK(w.Rollback(w.Ctx, releasetest.Cart, "dev", "")); r.Revision == k.Revision {
		t.Error("rolling back after a canary went nowhere")
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/elsewhere", "2", ""))})
	_, err = w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{Canary: releasetest.InSteps(50)})
	w.Wants(err, gatehouse.Conflict, "under another path or host")
}

// An automatic environment that is frozen takes nothing, and what it missed
// once it thaws.
func TestFrozenEnvironmentCatchesUp(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"automatic","freezes":[{"from":"2027-01-01","until":"2027-01-05","reason":"new year"}]}`)
	if w.Released("prod", "shop/cart@v1") != nil {
		t.Fatal("it was released into a frozen environment")
	}
	_, err := w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{})
	w.Wants(err, gatehouse.Conflict, "frozen until 2027-01-05T00:00:00Z: new year")
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "2", ""))})
	waiting, _, err := w.Schedules(w.Ctx, release.ScheduleFilter{Environment: "prod"}, 10, "")
	if err != nil || len(waiting) != 1 || waiting[0].State != gatehouse.ScheduleWaiting || waiting[0].Revision != w.HeadOf("shop/cart@v1") || waiting[0].By != "system" {
		t.Fatalf("scheduled: %+v, %v", waiting, err)
	}
	if due, _ := w.Due(w.Ctx, w.Now); len(due) != 0 {
		t.Error("it is due before the freeze is over")
	}
	w.Now = time.Date(2027, 1, 5, 0, 0, 1, 0, time.UTC)
	due, err := w.Due(w.Ctx, w.Now)
	if err != nil || len(due) != 1 {
		t.Fatalf("due: %v, %v", due, err)
	}
	system := t.Context()
	for range 2 { // two control planes
		if _, err := w.CarryOut(system, due[0], func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.Released("prod", "shop/cart@v1"); r == nil || r.Revision != waiting[0].Revision {
		t.Errorf("after the freeze: %+v", r)
	}
	if n := len(w.RecordOf("release.due")); n != 1 {
		t.Errorf("%d events, want the release once", n)
	}
}

func TestScheduleIsSkippedWithAReason(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"manual","notes":"required"}`)
	at := w.Now.Add(time.Hour)
	_, err := w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{At: at})
	w.Wants(err, gatehouse.Invalid, "--note")
	_, err = w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "x", At: w.Now.AddDate(2, 0, 0)})
	w.Wants(err, gatehouse.Invalid, "days ahead")
	_, err = w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "x", At: w.Now.Add(-time.Hour)})
	w.Wants(err, gatehouse.Invalid, "is past")
	for _, tt := range []struct {
		name, want string
		spoil      func()
		may        error
	}{
		{"who scheduled it may no longer", "may not", func() {}, gatehouse.E(gatehouse.Denied, "alice may not")},
		{"frozen since", "frozen until", func() {
			w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.Prod(`{"freezes":[{"from":"2020-01-01","until":"2099-01-01"}]}`))})
		}, nil},
		{"retired since", "lifecycle", func() {
			w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.Prod(`{}`), strings.Replace(releasetest.CartDoc("/cart", "1", ""), `"access"`, `"lifecycle":"retired","access"`, 1))})
		}, nil},
	} {
		s := w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "x", At: w.Now.Add(time.Hour)})).Schedule
		tt.spoil()
		w.Now = s.At
		r, err := w.CarryOut(t.Context(), *s, func() error { return tt.may })
		if err != nil || r.Schedule == nil || r.Schedule.State != gatehouse.ScheduleSkipped || !strings.Contains(r.Schedule.Reason, tt.want) {
			t.Errorf("%s: %+v, %v, want it skipped because %q", tt.name, r.Schedule, err, tt.want)
		}
		if tt.name == "frozen since" {
			w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.Prod(`{"mode":"manual","notes":"required"}`))})
		}
	}
	if n := len(w.RecordOf("release.skip")); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

func TestApprovalsArePersons(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"approved","approvals":{"count":2,"role":"approver"}}`)
	w.Holds = func(subject, role, on string) bool {
		return role == "approver" && on == "API/shop/cart" && subject != "user:dave@example.com"
	}
	say := func(who string) (release.Released, error) {
		return w.Approve(w.As(who), releasetest.Cart, "prod", release.Word{})
	}
	w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "one"}))
	for who, want := range map[string]string{"user:alice@example.com": "asked for it", "service:ci": "is no person", "user:dave@example.com": `does not hold role "approver"`} {
		_, err := say(who)
		w.Wants(err, gatehouse.Denied, want)
	}
	if r := w.OK(say("user:bob@example.com")); r.State != gatehouse.ReleaseRequested || len(r.Approvals) != 1 || r.Needed != 2 {
		t.Errorf("after one: %+v", r)
	}
	_, err := say("user:bob@example.com")
	w.Wants(err, gatehouse.Conflict, "has approved it already")
	// Another request begins anew: a word on the one does not count for the other.
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "2", ""))})
	w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "two"}))
	if r := w.OK(say("user:carol@example.com")); r.State != gatehouse.ReleaseRequested {
		t.Errorf("bob's word on the first request counted for the second: %+v", r)
	}
	if r := w.OK(say("user:bob@example.com")); r.State != gatehouse.ReleaseWanted || r.Revision != w.HeadOf("shop/cart@v1") || r.By != "user:alice@example.com" {
		t.Errorf("after two: %+v", r.Release)
	}
	// Approved for a later time it waits until then.
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "3", ""))})
	at := w.Now.Add(time.Hour)
	w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{Note: "three", At: at}))
	w.OK(say("user:bob@example.com"))
	r := w.OK(say("user:carol@example.com"))
	if r.Schedule == nil || !r.Schedule.Approved || r.State != gatehouse.ReleaseWanted || r.Revision == w.HeadOf("shop/cart@v1") {
		t.Fatalf("approved for later: %+v %+v", r.Schedule, r.Release)
	}
	w.Now = at
	if r := w.OK(w.CarryOut(t.Context(), *r.Schedule, func() error { return nil })); r.Revision != w.HeadOf("shop/cart@v1") || r.By != "user:alice@example.com" {
		t.Errorf("at its time: %+v", r.Release)
	}
}

// Whoever is not apart from the one who asks does not approve, and what they said
// does not count.
func TestWhoIsNotApartDoesNotApprove(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"approved"}`)
	w.Apart = func(ctx context.Context, before, did string) error {
		if who := audit.From(ctx).Actor; who == "user:bob@example.com" && before == "service:ci" {
			return gatehouse.E(gatehouse.Denied, "%q is behind %q, which %s", who, before, did)
		}
		return nil
	}
	w.OK(w.Release(w.As("service:ci"), releasetest.Cart, "prod", release.Terms{Note: "one"}))
	_, err := w.Approve(w.As("user:bob@example.com"), releasetest.Cart, "prod", release.Word{})
	w.Wants(err, gatehouse.Denied, `"user:bob@example.com" is behind "service:ci", which asked for it`)
	if r := w.OK(w.Approve(w.As("user:carol@example.com"), releasetest.Cart, "prod", release.Word{})); r.State != gatehouse.ReleaseWanted {
		t.Errorf("after carol: %+v", r.Release)
	}
}

func TestWhatHasTrafficStays(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"manual"}`)
	rev := w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{})).Revision
	w.OK(w.Release(w.Ctx, releasetest.Cart, "dev", release.Terms{}))
	w.Count("prod", rev, "billing/invoices", 2, 5)
	w.Count("dev", rev, "", 2, 5)
	retired := strings.Replace(releasetest.CartDoc("/cart", "1", ""), `"access"`, `"lifecycle":"retired","access"`, 1)
	const want = `version "v1" is in use in environment "prod": 5 requests in the last 7d, of billing/invoices (5)`
	w.Refuses(catalog.Request{Documents: releasetest.Docs(t, retired)}, gatehouse.Invalid, want)
	_, err := w.Withdraw(w.Ctx, releasetest.Cart, "prod", release.Terms{})
	w.Wants(err, gatehouse.Conflict, want)
	w.Wants(w.Delete(w.Ctx, gatehouse.KindAPI, "shop", "cart", nil, catalog.Request{}), gatehouse.Invalid, want)
	w.OK(w.Withdraw(w.Ctx, releasetest.Cart, "dev", release.Terms{})) // not asked for there
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, retired), Force: "the law"})
	if got := w.RecordOf("release.withdraw"); !strings.Contains(strings.Join(got, "\n"), "forced: the law (5 requests") {
		t.Errorf("on record: %q", got)
	}
	// Long after, nobody minds.
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "1", ""))})
	w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{}))
	w.Now = w.Now.AddDate(0, 0, 9)
	w.OK(w.Withdraw(w.Ctx, releasetest.Cart, "prod", release.Terms{}))
}

func TestPersonalDataStays(t *testing.T) {
	const data = `,"data":{"personal":true,"jurisdictions":["EU"]}`
	backend := func(location string) string {
		return `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"shop","name":"cart"},"spec":{"environments":{"prod":{"targets":[{"url":"https://cart.example.com"` + location + `}]}}}}`
	}
	w := releasetest.Town(t, `{"mode":"manual"}`)
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "1", data), backend(""))})
	_, err := w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{})
	w.Wants(err, gatehouse.Conflict, `set location.jurisdiction of Backend shop/cart environments.prod.targets[0], or jurisdiction of Environment prod`)
	outside := catalog.Request{Documents: releasetest.Docs(t, backend(`,"location":{"cloud":"aws","jurisdiction":"US"}`))}
	w.Refuses(outside, gatehouse.Invalid, `personal data may not leave EU (API shop/cart data.jurisdictions), and target "https://cart.example.com" lies in US`)
	w.Refuses(outside, gatehouse.Invalid, "/spec/environments/prod/targets/0")
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, backend(`,"location":{"cloud":"aws","jurisdiction":"eu"}`),
		`{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"us"},"spec":{"environment":"prod","location":{"jurisdiction":"US"}}}`)})
	_, err = w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{})
	w.Wants(err, gatehouse.Conflict, "no gateway of the environment may have it: not placed on gateway us")
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"eu"},"spec":{"environment":"prod","location":{"jurisdiction":"EU"}}}`)})
	if r := w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{})); len(r.NotPlaced) != 1 || !strings.Contains(r.NotPlaced[0], "gateway us") {
		t.Errorf("not placed: %q", r.NotPlaced)
	}
}
