package exposure_test

import (
	"encoding/json"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/exposure"
	"gatehouse/control/release/releasetest"
	"gatehouse/report"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// TestEntriesTellWhatInstancesRun has three instances: one up to date, one
// behind, one that set the API aside; and asks about the past.
func TestEntriesTellWhatInstancesRun(t *testing.T) {
	w := releasetest.NewOn(t, memory.New())
	w.MustApply(releasetest.Base(t))
	first := w.HeadOf("payments/orders@v1")
	dev, err := w.Get(w.Ctx, gatehouse.KindEnvironment, "", "dev", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	then := dev.Time
	all, err := exposure.Entries(w.Ctx, w.DB, exposure.Selection{})
	if err != nil || len(all) != 1 || all[0].State != exposure.StateNoGateway || all[0].Environment != "dev" || all[0].Path != "/orders/v1" {
		t.Fatalf("without a gateway: %+v, %v", all, err)
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"dev-1"},"spec":{"environment":"dev","location":{"cloud":"aws","region":"eu-central-1"}}}`)})
	behind, _ := w.DB.Head(w.Ctx)
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"access":"open"`)}})
	second := w.HeadOf("payments/orders@v1")
	now, _ := w.DB.Head(w.Ctx)
	ack := func(instance string, a report.Ack) {
		t.Helper()
		text, err := json.Marshal(gatehouse.Instance{Gateway: "dev-1", Instance: instance, Ack: a})
		if err == nil {
			_, err = w.DB.Apply(w.Ctx, store.Batch{Writes: []store.Write{{Key: "Instance/dev-1/" + instance, Kind: "Instance", Value: text, Expect: store.Any}}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ack("a", report.Ack{Serial: int64(now.Seq)})
	state := func() exposure.Entry {
		t.Helper()
		all, err := exposure.Entries(w.Ctx, w.DB, exposure.Selection{Environment: "dev", Team: "payments", API: "orders"})
		if err != nil || len(all) != 1 {
			t.Fatalf("entries: %+v, %v", all, err)
		}
		return all[0]
	}
	if e := state(); e.State != exposure.StateLive || e.Instances[0].Revision != second || e.Location.Region != "eu-central-1" || e.Access != "open" {
		t.Errorf("one up to date: %+v", e)
	}
	ack("b", report.Ack{Serial: int64(behind.Seq)})
	if e := state(); e.State != exposure.StatePending || e.Instances[1].Revision != first {
		t.Errorf("one behind: %+v", e)
	}
	ack("c", report.Ack{Serial: int64(now.Seq), Standing: report.Standing{Aside: []report.Refusal{{API: "payments/orders@v1", Revision: second, Reason: "unknown policy"}}}})
	if e := state(); e.State != exposure.StateRefused || e.Instances[2].Reason != "unknown policy" || e.Instances[2].Revision != "" {
		t.Errorf("one set aside: %+v", e)
	}
	past, err := exposure.Entries(w.Ctx, w.DB, exposure.Selection{AsOf: then})
	if err != nil || len(past) != 1 || past[0].Revision != first || past[0].State != exposure.StateNoGateway {
		t.Errorf("in the past: %+v, %v", past, err)
	}
	if past, err = exposure.Entries(w.Ctx, w.DB, exposure.Selection{AsOf: then.Add(-time.Hour)}); err != nil || len(past) != 0 {
		t.Errorf("before everything: %+v, %v", past, err)
	}
}
