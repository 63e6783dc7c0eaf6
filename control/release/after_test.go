package release_test

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/control/release/releasetest"
	"gatehouse/report"
	"gatehouse/store"
)

// followed is a manual qa with a gateway, and prod by the rule given, which asks
// that a revision is live in qa first.
func followed(t *testing.T, rule string) *releasetest.World {
	w := releasetest.New(t)
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t,
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"title":"Shop"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"qa"},"spec":{"stage":"qa","release":{"mode":"manual"}}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"west"},"spec":{"environment":"qa"}}`,
		releasetest.Prod(rule),
		`{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"shop","name":"cart"},"spec":{"environments":{"qa":{"targets":[{"url":"http://127.0.0.1:1"}]},"prod":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}`,
		releasetest.CartDoc("/cart", "1", ""))})
	return w
}

// ack lets the one instance of gateway west say what it runs.
func ack(w *releasetest.World, a report.Ack) {
	w.T.Helper()
	head, err := w.DB.Head(w.Ctx)
	if err != nil {
		w.T.Fatal(err)
	}
	a.Serial, a.Time = int64(head.Seq), w.Now
	text, err := json.Marshal(gatehouse.Instance{Gateway: "west", Instance: "w1", Ack: a})
	if err == nil {
		_, err = w.DB.Apply(w.Ctx, store.Batch{Writes: []store.Write{{Key: "Instance/west/w1", Kind: "Instance", Value: text, Expect: store.Any}}})
	}
	if err != nil {
		w.T.Fatal(err)
	}
}

// A revision that was wanted somewhere and ran nowhere was not live there.
func TestAfterMeansLiveAndNotWanted(t *testing.T) {
	w := followed(t, `{"mode":"manual","after":["qa"]}`)
	first := w.HeadOf("shop/cart@v1")
	prod := func() (release.Released, error) { return w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{}) }
	refused := func(why string) {
		t.Helper()
		_, err := prod()
		w.Wants(err, gatehouse.Conflict, `is not, and was not, live in "qa", which the environment asks for: `+why)
	}
	refused("it was not released there")
	w.OK(w.Release(w.Ctx, releasetest.Cart, "qa", release.Terms{}))
	refused(`no instance of gateway "west" has joined`)
	ack(w, report.Ack{Standing: report.Standing{Aside: []report.Refusal{{API: "shop/cart@v1", Revision: first, Reason: "unknown policy"}}}})
	refused(`gateway "west": unknown policy`)
	w.OK(w.Withdraw(w.Ctx, releasetest.Cart, "qa", release.Terms{}))
	refused(`gateway "west": unknown policy`)
	ack(w, report.Ack{})
	w.OK(w.Release(w.Ctx, releasetest.Cart, "qa", release.Terms{}))
	refused(`gateway "west", instance "w1", took its last change`)
	ack(w, report.Ack{})
	w.OK(prod())

	// The next one ran there, and runs there no more.
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "2", ""))})
	second := w.HeadOf("shop/cart@v1")
	w.OK(w.Release(w.Ctx, releasetest.Cart, "qa", release.Terms{}))
	ack(w, report.Ack{})
	w.OK(w.Rollback(w.Ctx, releasetest.Cart, "qa", "on second thoughts"))
	ack(w, report.Ack{})
	if r := w.OK(w.Release(w.Ctx, catalog.Ref{Team: "shop", Name: "cart", Version: "v1", Revision: second}, "prod", release.Terms{})); r.Revision != second {
		t.Errorf("what was live: %+v", r.Release)
	}
}

// An automatic environment takes a revision when it is live where it has to be
// first, and not when that is merely wanted.
func TestAutomaticWaitsUntilLive(t *testing.T) {
	w := followed(t, `{"mode":"automatic","after":["qa"]}`)
	c := &release.Conductor{Desk: w.Desk, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.Now }, May: func(string, string, string) error { return nil }}
	look := func() {
		t.Helper()
		if err := c.Look(w.Ctx); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func(state string) gatehouse.ReleaseSchedule {
		t.Helper()
		all, _, err := w.Schedules(w.Ctx, release.ScheduleFilter{Environment: "prod"}, 10, "")
		if err != nil || len(all) != 1 || all[0].State != state {
			t.Fatalf("scheduled: %+v, %v, want one that is %s", all, err, state)
		}
		return all[0]
	}
	w.OK(w.Release(w.Ctx, releasetest.Cart, "qa", release.Terms{}))
	look()
	if s := waiting(gatehouse.ScheduleAwaiting); s.Note != `the newest revision, once it is live in "qa"` || w.Released("prod", "shop/cart@v1") != nil {
		t.Fatalf("before it is live: %+v", s)
	}
	ack(w, report.Ack{})
	look()
	waiting(gatehouse.ScheduleDone)
	if r := w.Released("prod", "shop/cart@v1"); r == nil || r.Revision != w.HeadOf("shop/cart@v1") || r.By != "system" {
		t.Fatalf("once it is live: %+v", r)
	}

	// One that is taken back before it was live is not awaited any more.
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.CartDoc("/cart", "2", ""))})
	w.OK(w.Release(w.Ctx, releasetest.Cart, "qa", release.Terms{}))
	look()
	waiting(gatehouse.ScheduleAwaiting)
	w.OK(w.Rollback(w.Ctx, releasetest.Cart, "qa", "not good"))
	ack(w, report.Ack{})
	look()
	if s := waiting(gatehouse.ScheduleSkipped); s.Reason == "" {
		t.Errorf("taken back: %+v", s)
	}
	if r := w.Released("prod", "shop/cart@v1"); r.Revision == w.HeadOf("shop/cart@v1") {
		t.Error("prod took what was never live in qa")
	}
}
