package release

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/report"
	"gatehouse/store"
	"gatehouse/store/memory"
)

var cart = catalog.Ref{Team: "shop", Name: "cart", Version: "v1"}

// pair is a catalog in which a canary of cart is on its way, and two conductors
// that share its store.
type pair struct {
	t    *testing.T
	ctx  context.Context
	db   store.DB
	now  time.Time
	c    *catalog.Catalog
	d    *Desk
	both []*Conductor
	sent int64
}

func newPair(t *testing.T) *pair {
	w := &pair{t: t, db: memory.New(), now: time.Date(2027, 1, 2, 3, 59, 30, 0, time.UTC)}
	t.Cleanup(func() { w.db.Close() })
	w.ctx = audit.WithRequest(t.Context(), audit.Request{Actor: "user:alice@example.com", Authentication: "token:x"})
	for range 2 {
		c := catalog.New(&audit.Trail{DB: w.db, Now: func() time.Time { return w.now }})
		d := New(c, w.db)
		w.both = append(w.both, &Conductor{Desk: d, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
			May: func(string, string, string) error { return nil }})
		w.c, w.d = c, d
	}
	w.apply(`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"title":"Shop"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev","release":{"mode":"manual"}}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"shop","name":"cart"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}`,
		api("1"))
	w.must(w.d.Release(w.ctx, cart, "dev", Terms{}))
	w.apply(api("2"))
	return w
}

func api(step string) string {
	return `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"shop","name":"cart"},"spec":{"versions":[{"name":"v1","path":"/cart","backend":"cart","access":"open","policies":[{"headers":{"response":{"set":{"X-Step":"` + step + `"}}}}]}]}}`
}

func (w *pair) apply(texts ...string) {
	w.t.Helper()
	var all []catalog.Document
	for _, text := range texts {
		o, err := gatehouse.DecodeObject([]byte(text))
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, catalog.Document{Object: o})
	}
	if _, err := w.c.Apply(w.ctx, catalog.Request{Documents: all}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *pair) must(r Released, err error) Released {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *pair) begin(p gatehouse.CanaryPlan) *gatehouse.Canary {
	w.t.Helper()
	p.Every = jsonx.Duration(time.Minute)
	return w.must(w.d.Release(w.ctx, cart, "dev", Terms{Canary: &p})).Canary
}

// count has a gateway report answers of a revision, all within a bucket of the
// histogram.
func (w *pair) count(revision string, class int, n int64, bucket int) {
	w.t.Helper()
	latency := make([]int64, len(report.LatencyBounds)+1)
	latency[bucket] = n
	w.sent++
	u := &store.Usage{Spool: "s", Number: w.sent, Rows: []store.UsageRow{{Hour: w.now.Truncate(time.Hour), Environment: "dev", API: "shop/cart@v1",
		Class: class, Revision: report.ShortRevision(revision), Requests: n, Latency: latency}}}
	if _, err := w.db.Apply(w.ctx, store.Batch{Usage: u}); err != nil {
		w.t.Fatal(err)
	}
}

// look lets both conductors look, some time later, and tells where the release
// stands and what was done since the town began.
func (w *pair) look(later time.Duration) (live string, share int, done string) {
	w.t.Helper()
	w.now = w.now.Add(later)
	for _, c := range w.both {
		if err := c.Look(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	r, _, err := w.d.Past(w.ctx, cart, "dev", 1, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	if r[0].Canary != nil {
		share = r[0].Canary.Weight()
	}
	var acts []string
	for e, err := range w.db.Events(w.ctx, store.EventQuery{Actor: "system"}) {
		if err != nil {
			w.t.Fatal(err)
		}
		acts = append(acts, strings.TrimPrefix(e.Action, "release."))
	}
	return r[0].Revision, share, strings.Join(acts, " ")
}

func TestCanaryGoesItsWayOnce(t *testing.T) {
	w := newPair(t)
	k := w.begin(gatehouse.CanaryPlan{Steps: []int{5, 50}, Requests: 10, StopOn: []gatehouse.CanaryBound{{Measure: "errors", Over: 10}}})
	want := func(later time.Duration, share int, done string) {
		t.Helper()
		live, got, acts := w.look(later)
		if got != share || acts != done || (live == k.Revision) != (share == 0) {
			t.Errorf("got share %d, did %q, live %.6s; want share %d, %q", got, acts, live, share, done)
		}
	}
	w.count(k.Revision, 5, 9, 3) // all errors, but too few to judge by
	want(time.Second, 5, "")
	want(time.Minute, 5, "wait") // over, and it has not seen enough; the hour has passed meanwhile
	want(time.Minute, 5, "wait")
	w.count(k.Revision, 2, 91, 3) // 9 of 100
	want(time.Second, 50, "wait step")
	w.count(k.Revision, 2, 9, 3)
	w.count(k.Revision, 5, 1, 3) // 1 of 10: at the bound, not past it; what was before does not count
	want(2*time.Second, 50, "wait step")
	want(time.Minute, 0, "wait step finish")
}

func TestCanaryStops(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bound  gatehouse.CanaryBound
		class  int
		bucket int
		stops  bool
	}{
		{"errors", gatehouse.CanaryBound{Measure: "errors", Over: 2}, 5, 0, true},
		{"those of the caller are none", gatehouse.CanaryBound{Measure: "errors", Over: 2}, 4, 0, false},
		{"slow", gatehouse.CanaryBound{Measure: "p95", Over: 500}, 2, 14, true},
		{"quick", gatehouse.CanaryBound{Measure: "p95", Over: 500}, 2, 8, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newPair(t)
			k := w.begin(gatehouse.CanaryPlan{Steps: []int{50}, Requests: 5, StopOn: []gatehouse.CanaryBound{tt.bound}})
			w.count(k.Revision, tt.class, 20, tt.bucket)
			live, share, done := w.look(time.Second)
			if stopped := done == "abort" && share == 0 && live != k.Revision; stopped != tt.stops {
				t.Errorf("did %q, share %d; want it stopped: %v", done, share, tt.stops)
			}
		})
	}
}

// Paused, a canary is neither judged nor goes on; where the rules do not let it
// on, it waits and says why.
func TestCanaryWaits(t *testing.T) {
	w := newPair(t)
	k := w.begin(gatehouse.CanaryPlan{Steps: []int{5, 50}})
	w.must(w.d.Canary(w.ctx, cart, "dev", CanaryStep{Action: "release.pause"}))
	if _, share, done := w.look(time.Hour); share != 5 || done != "" {
		t.Errorf("paused: share %d, did %q", share, done)
	}
	w.must(w.d.Canary(w.ctx, cart, "dev", CanaryStep{Action: "release.resume"}))
	if _, share, done := w.look(time.Second); share != 5 || done != "" {
		t.Errorf("resumed, its step begins anew: share %d, did %q", share, done)
	}
	w.apply(`{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev","release":{"mode":"manual","freezes":[{"from":"2027-01-01","until":"2027-02-01"}]}}}`)
	if _, share, done := w.look(time.Minute); share != 50 || done != "step" {
		t.Errorf("share %d, did %q", share, done)
	}
	live, share, done := w.look(time.Minute)
	if live == k.Revision || share != 50 || done != "step wait" {
		t.Errorf("frozen: share %d, did %q; want it to wait before the last step", share, done)
	}
}

func TestQuantile(t *testing.T) {
	h := make([]int64, len(report.LatencyBounds)+1)
	coarse := gatehouse.CanaryCount{Latency: h}
	if got := quantile(coarse, 0.95); got != 0 {
		t.Errorf("of nothing: %g", got)
	}
	h[11] = 100 // 128 to 256 ms
	if got := quantile(coarse, 0.5); got < 191 || got > 193 {
		t.Errorf("half of what lies evenly between 128 and 256 ms: %g", got)
	}
	h[len(h)-1] = 100
	if got := quantile(coarse, 0.99); got < 16384 || got > 32768 {
		t.Errorf("above all bounds of before: %g", got)
	}
	fine := gatehouse.CanaryCount{Latency: []int64{11: 100}, Bins: report.Bins{{Bin: report.Bin(130 * time.Millisecond), N: 100}}}
	if got := quantile(fine, 0.95); got < 128 || got > 130 {
		t.Errorf("all of them at 130 ms: %g", got)
	}
}

// A canary is stopped by what its callers wait, not by where a step that doubles
// happens to end: p95 of 135 ms is within 150 ms, of 160 ms it is not.
func TestBrokenByLatencyIsFine(t *testing.T) {
	k := &gatehouse.Canary{CanaryPlan: gatehouse.CanaryPlan{StopOn: []gatehouse.CanaryBound{{Measure: "p95", Over: 150}}, Steps: []int{5}}}
	for took, want := range map[time.Duration]bool{135 * time.Millisecond: false, 149 * time.Millisecond: false, 160 * time.Millisecond: true} {
		bins := report.Bins{{Bin: report.Bin(took), N: 500}}
		why := Broken(k, gatehouse.CanaryCount{Requests: 500, Latency: bins.Steps(), Bins: bins})
		if (why != "") != want {
			t.Errorf("p95 of %s against 150 ms: %q", took, why)
		}
	}
}

// A schedule that was replaced by another of the same time and revision, in the
// same instant, after it was read as due, is not carried out on its old terms.
func TestReplacedScheduleIsNotCarriedOut(t *testing.T) {
	w := newPair(t)
	at := w.now.Add(time.Minute)
	w.must(w.d.Release(w.ctx, cart, "dev", Terms{At: at, Note: "whole"}))
	now := w.now
	w.now = at
	due, err := w.d.Due(w.ctx, w.now)
	if err != nil || len(due) != 1 {
		t.Fatalf("due %v, %v", due, err)
	}
	w.now = now
	w.must(w.d.Cancel(w.ctx, cart, "dev", "other terms"))
	w.must(w.d.Release(w.ctx, cart, "dev", Terms{At: at, Note: "in steps", Canary: &gatehouse.CanaryPlan{Steps: []int{10}, Every: jsonx.Duration(time.Minute)}}))
	w.now = at
	if out, err := w.d.CarryOut(w.ctx, due[0], func() error { return nil }); err != nil || out.Seq != 0 {
		t.Fatalf("the old terms are carried out: %+v, %v", out, err)
	}
	if due, err = w.d.Due(w.ctx, w.now); err != nil || len(due) != 1 || due[0].Note != "in steps" {
		t.Fatalf("due %v, %v", due, err)
	}
	out := w.must(w.d.CarryOut(w.ctx, due[0], func() error { return nil }))
	if out.Schedule == nil || out.Schedule.State != gatehouse.ScheduleDone {
		t.Errorf("got %+v", out)
	}
	all, _, err := w.d.Past(w.ctx, cart, "dev", 10, 0)
	if err != nil || all[0].Canary == nil || all[0].Canary.Note != "in steps" {
		t.Errorf("got %+v, %v", all[0], err)
	}
}
