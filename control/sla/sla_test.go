package sla

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/support"
	"gatehouse/jsonx"
	"gatehouse/report"
	"gatehouse/store"
	"gatehouse/store/memory"
)

var ctx = context.Background()

// now is in the middle of an hour.
var now = time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC)

func ms(n int) jsonx.Duration { return jsonx.Duration(time.Duration(n) * time.Millisecond) }

var (
	apiSLA  = gatehouse.SLA{Availability: 99, Latency: &gatehouse.SLALatency{P50: ms(64), P95: ms(200)}}
	planSLA = gatehouse.SLA{Availability: 99.9, Latency: &gatehouse.SLALatency{P99: ms(512)}}
)

type fataler interface {
	Helper()
	Fatal(...any)
}

func put(t fataler, db store.DB, kind gatehouse.Kind, team, name string, spec gatehouse.Spec) {
	t.Helper()
	o := &gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Team: team, Name: name}, Spec: spec}
	doc, err := jsonx.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonx.Marshal(&gatehouse.Stored{Object: doc})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Apply(ctx, store.Batch{Writes: []store.Write{{Key: o.Key(), Kind: string(kind), Value: value, Expect: store.Any,
		Index: catalog.Indexes(o, "", &gatehouse.SubscriptionStatus{State: gatehouse.Approved})}}})
	if err != nil {
		t.Fatal(err)
	}
}

func site(t fataler) *Promises {
	db := memory.New()
	trail := &audit.Trail{DB: db, Now: func() time.Time { return now }}
	c := catalog.New(trail)
	put(t, db, gatehouse.KindTeam, "", "payments", &gatehouse.Team{})
	put(t, db, gatehouse.KindTeam, "", "billing", &gatehouse.Team{})
	put(t, db, gatehouse.KindAPI, "payments", "orders", &gatehouse.API{SLA: &apiSLA, Versions: []gatehouse.Version{{Name: "v1", Path: "/o/v1"}}})
	put(t, db, gatehouse.KindAPI, "payments", "free", &gatehouse.API{Versions: []gatehouse.Version{{Name: "v1", Path: "/f/v1"}}})
	put(t, db, gatehouse.KindProduct, "payments", "commerce", &gatehouse.Product{APIs: []string{"orders"}, Plans: []gatehouse.Plan{{Name: "gold", SLA: &planSLA}, {Name: "free"}}})
	put(t, db, gatehouse.KindApplication, "billing", "invoices", &gatehouse.Application{})
	put(t, db, gatehouse.KindSubscription, "billing", "inv", &gatehouse.Subscription{Application: "invoices", Product: "payments/commerce", Plan: "gold", Environment: "prod"})
	return &Promises{Catalog: c, DB: db, Support: support.New(trail, c), Now: func() time.Time { return now }}
}

// A call is one request, as the naive model sees it.
type call struct {
	at                          time.Time
	env, api, app, plan, denied string
	class                       int
	took                        time.Duration
	coarse                      bool // counted by a gateway of before
}

// row counts a call as a gateway would.
func (c *call) row() store.UsageRow {
	latency := make([]int64, len(report.LatencyBounds)+1)
	i, _ := slices.BinarySearch(report.LatencyBounds, c.took)
	latency[i] = 1
	var bins report.Bins
	if !c.coarse {
		bin, _ := slices.BinarySearch(report.BinBounds, c.took)
		bins = report.Bins{{Bin: bin, N: 1}}
	}
	product := ""
	if c.plan != "" {
		product = "payments/commerce"
	}
	return store.UsageRow{Hour: c.at.Truncate(time.Hour), Environment: c.env, Gateway: "g", API: c.api, Application: c.app, Product: product, Plan: c.plan,
		Class: c.class, Denied: c.denied, Requests: 1, Latency: latency, Bins: bins}
}

// naive judges one by one what the report must say.
func naive(calls []call, from, to time.Time, mine func(*call) bool) (counted, failed, left int64, took []time.Duration) {
	for i := range calls {
		c := &calls[i]
		if h := c.at.Truncate(time.Hour); h.Before(from) || !h.Before(to) || !mine(c) || c.class == 0 {
			continue
		}
		if c.denied == "caller-left" {
			left++
			continue
		}
		if counted++; c.class == 5 {
			failed++
		}
		if c.denied == "" {
			took = append(took, c.took)
		}
	}
	slices.Sort(took)
	return counted, failed, left, took
}

// TestReportIsExact compares reports of random calls with a model that counts
// them one by one, in the month and in each rolling window.
func TestReportIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := site(t)
		n := rapid.IntRange(0, 80).Draw(t, "calls")
		calls := make([]call, n)
		upgraded := rapid.SampledFrom([]string{"long ago", "meanwhile"}).Draw(t, "upgraded")
		u := &store.Usage{Spool: "s", Number: 1}
		for i := range calls {
			calls[i] = call{
				at:     now.Add(-time.Duration(rapid.SampledFrom([]int{0, 20, 40, 90, 150, 330, 400, 1400, 1500, 10_000, 11_000, 30_000, 32_000, 44_000}).Draw(t, "ago")) * time.Minute),
				env:    rapid.SampledFrom([]string{"dev", "prod"}).Draw(t, "env"),
				api:    rapid.SampledFrom([]string{"payments/orders@v1", "payments/orders@v2", "payments/free@v1", ""}).Draw(t, "api"),
				app:    rapid.SampledFrom([]string{"billing/invoices", "billing/other", ""}).Draw(t, "app"),
				plan:   rapid.SampledFrom([]string{"gold", "free", ""}).Draw(t, "plan"),
				denied: rapid.SampledFrom([]string{"", "", "", "rate-limit", "caller-left", "backend-timeout"}).Draw(t, "denied"),
				class:  rapid.SampledFrom([]int{0, 1, 2, 2, 2, 3, 4, 5}).Draw(t, "class"),
				took:   time.Duration(rapid.SampledFrom([]int{50, 125, 126, 60_000, 64_000, 64_001, 128_001, 199_999, 200_000, 200_001, 256_000, 300_000, 512_000, 600_000, 20_000_000}).Draw(t, "took")) * time.Microsecond,
			}
			calls[i].coarse = upgraded == "meanwhile" && rapid.Bool().Draw(t, "coarse")
			u.Rows = append(u.Rows, calls[i].row())
		}
		if _, err := p.DB.Apply(ctx, store.Batch{Usage: u}); err != nil {
			t.Fatal(err)
		}
		from, to, err := Month("2026-11", now)
		if err != nil {
			t.Fatal(err)
		}
		window := rapid.SampledFrom(append([]string{"month"}, "1h", "6h", "24h", "7d", "30d")).Draw(t, "window")
		for _, w := range Windows {
			if w.Name == window {
				from, to = Rolling(w.Time, now)
			}
		}
		app := rapid.SampledFrom([]string{"", "billing/invoices"}).Draw(t, "for")
		got, err := p.Report(ctx, Question{From: from, To: to, Application: app})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i := range got.Items {
			item := &got.Items[i]
			mine := func(c *call) bool {
				if c.env != item.Environment || app != "" && c.app != app {
					return false
				}
				if item.Kind == "api" {
					return strings.HasPrefix(c.api, item.API+"@")
				}
				return c.plan == item.Plan
			}
			name := item.Kind + " " + item.API + item.Product + item.Plan + " " + item.Environment
			if seen[name] {
				t.Fatalf("%s stands twice", name)
			}
			seen[name] = true
			counted, failed, left, took := naive(calls, from, to, mine)
			m := item.Measured
			if m.Counted != counted || m.Failed != failed || m.Left != left {
				t.Fatalf("%s in %s: got %d counted, %d failed, %d left; the model %d, %d, %d", name, window, m.Counted, m.Failed, m.Left, counted, failed, left)
			}
			verdict := NoData
			if counted > 0 {
				// In whole numbers: failed/counted against what may fail, in thousandths of a percent.
				may := int64(math.Round((100 - item.Objective.Availability) * 1000))
				if verdict = Kept; failed*100_000 > may*counted {
					verdict = Broken
				}
			}
			if m.Available != verdict {
				t.Fatalf("%s: availability %v of %d/%d is %s, the model says %s", name, m.Availability, failed, counted, m.Available, verdict)
			}
			for _, q := range m.Latency {
				if len(took) == 0 {
					if q.Verdict != NoData {
						t.Fatalf("%s: p%d is %s without data", name, q.Percent, q.Verdict)
					}
					continue
				}
				exact := took[(len(took)*q.Percent+99)/100-1]
				if exact <= q.Over && q.Over > 0 || q.UpTo > 0 && exact > q.UpTo {
					t.Fatalf("%s: p%d is %s, and said to be in (%s, %s]", name, q.Percent, exact, q.Over, q.UpTo)
				}
				if kept := exact <= q.Limit; q.Verdict == Kept && !kept || q.Verdict == Broken && kept {
					t.Fatalf("%s: p%d is %s of %s, and said to be %s", name, q.Percent, exact, q.Limit, q.Verdict)
				}
				if q.Verdict == Undecided && (upgraded == "long ago" || slices.Contains(report.LatencyBounds, q.Limit)) {
					t.Fatalf("%s: p%d of %s, which is a bound, is undecided", name, q.Percent, q.Limit)
				}
			}
			for _, w := range Windows {
				wf, wt := Rolling(w.Time, got.To)
				counted, failed, _, _ := naive(calls, wf, wt, mine)
				burn, ok := item.Burn[w.Name]
				if ok != (counted > 0) || ok && math.Abs(burn-float64(failed)/float64(counted)/((100-item.Objective.Availability)/100)) > 1e-9 {
					t.Fatalf("%s: burn in %s is %v, %t; the model has %d of %d", name, w.Name, burn, ok, failed, counted)
				}
			}
		}
		// Nothing that was counted and promised is missing.
		for i := range calls {
			c := &calls[i]
			h := c.at.Truncate(time.Hour)
			if h.Before(from) || !h.Before(to) || app != "" && c.app != app {
				continue
			}
			kind := "plan"
			if app != "" {
				kind = "application"
			}
			if c.plan == "gold" && !seen[kind+" payments/commercegold "+c.env] {
				t.Fatalf("plan gold in %s is missing: %v", c.env, seen)
			}
			if app == "" && strings.HasPrefix(c.api, "payments/orders@") && !seen["api payments/orders "+c.env] {
				t.Fatalf("the API in %s is missing: %v", c.env, seen)
			}
		}
	})
}

func TestVerdicts(t *testing.T) {
	at := func(bucket int, n int64) []int64 {
		l := make([]int64, len(report.LatencyBounds)+1)
		l[bucket] = n
		return l
	}
	for _, tt := range []struct {
		name    string
		bucket  int
		limit   time.Duration
		verdict string
	}{
		{"within", 10, 128 * time.Millisecond, Kept},
		{"between two bounds", 11, 200 * time.Millisecond, Undecided},
		{"over", 11, 100 * time.Millisecond, Broken},
		{"above all bounds", 18, 10 * time.Second, Broken},
		{"above all bounds, promised higher", 18, 20 * time.Second, Undecided},
	} {
		tl := &tally{took: report.Distribution{Latency: at(tt.bucket, 10)}}
		if q := tl.quantile(95, tt.limit); q.Verdict != tt.verdict {
			t.Errorf("%s: got %+v, want %s", tt.name, q, tt.verdict)
		}
	}
	full := gatehouse.SLA{Availability: 100}
	if m := (&tally{counted: 10}).judge(full); m.Available != Kept || m.Burn != nil {
		t.Errorf("100 %% kept: %+v", m)
	}
	if m := (&tally{counted: 10, failed: 1}).judge(full); m.Available != Broken {
		t.Errorf("100 %% missed: %+v", m)
	}
	if m := (&tally{counted: 1000, failed: 2}).judge(planSLA); *m.Burn < 1.99 || *m.Burn > 2.01 || *m.Budget > -99 {
		t.Errorf("twice what may fail: burn %v, budget %v", *m.Burn, *m.Budget)
	}
}

func TestMonth(t *testing.T) {
	for text, want := range map[string]string{"2026-10": "2026-10-01 2026-11-01", "2026-11": "2026-11-01 2026-11-22", "2026-12": "yet to come", "november": "not a month"} {
		from, to, err := Month(text, now)
		got := fmt.Sprint(from.Format(time.DateOnly), " ", to.Format(time.DateOnly))
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("month %q: got %s, want %s", text, got, want)
		}
	}
}

func TestUnknown(t *testing.T) {
	p := site(t)
	for _, q := range []Question{{API: "payments/nothing"}, {Plan: "payments/commerce/silver"}, {Plan: "payments/commerce/free"}, {Plan: "payments/nothing/gold"}, {Application: "billing/nothing"}} {
		q.From, q.To = Rolling(time.Hour, now)
		if _, err := p.Report(ctx, q); !gatehouse.Is(err, gatehouse.NotFound) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// TestOfTeam holds what a team's page shows of its promises.
func TestOfTeam(t *testing.T) {
	p := site(t)
	calls := []call{
		{at: now, env: "prod", api: "payments/orders@v1", plan: "gold", class: 2, took: 100 * time.Millisecond},
		{at: now, env: "prod", api: "payments/orders@v1", plan: "gold", class: 5, took: 150 * time.Millisecond},
	}
	u := &store.Usage{Spool: "s", Number: 1}
	for i := range calls {
		u.Rows = append(u.Rows, calls[i].row())
	}
	if _, err := p.DB.Apply(ctx, store.Batch{Usage: u}); err != nil {
		t.Fatal(err)
	}
	list, err := p.OfTeam(ctx, "payments")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range list {
		got = append(got, fmt.Sprintf("%s%s %s %s of %s %t", l.API, l.Plan, l.Objective, l.Attained, l.Promised, l.Met))
	}
	want := []string{
		"payments/orders availability 50 % of 99 % false",
		"payments/orders p50 97.5ms to 100ms of 64ms false",
		"payments/orders p95 145ms to 150ms of 200ms true",
		"payments/commerce/gold availability 50 % of 99.9 % false",
		"payments/commerce/gold p99 145ms to 150ms of 512ms true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if list, err := p.OfTeam(ctx, "billing"); err != nil || len(list) != 0 {
		t.Errorf("a team that promises nothing: %v, %v", list, err)
	}
}

// TestSupportCounts holds what of support requests counts: one that its own side
// closed before anybody answered is neither met nor missed, nor does it run on.
func TestSupportCounts(t *testing.T) {
	p := site(t)
	put(t, p.DB, gatehouse.KindAPI, "payments", "helped", &gatehouse.API{Versions: []gatehouse.Version{{Name: "v1", Path: "/h/v1"}},
		SLA: &gatehouse.SLA{Support: &gatehouse.SLASupport{FirstResponse: ms(3_600_000), Resolution: ms(7_200_000)}}})
	var ids []string
	for range 3 {
		r, err := p.Support.Open(ctx, support.Ask{From: "billing", API: "payments/helped", Category: "question", Title: "x", Text: "y"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	if _, err := p.Support.Close(ctx, ids[0], "never mind"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Support.Reply(ctx, ids[1], support.Helping, support.Reply{Text: "so"}); err != nil {
		t.Fatal(err)
	}
	from, to := Rolling(time.Hour, now.Add(time.Minute))
	r, err := p.Report(ctx, Question{API: "payments/helped", From: from, To: to})
	if err != nil || len(r.Items) != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	want := SupportMeasure{Requests: 3, FirstResponse: Tally{Met: 1, Running: 1}, Resolution: Tally{Met: 1, Running: 2}}
	if got := r.Items[0].Support; got == nil || *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestMonthBorder holds to which month the hours about midnight belong, through
// the months in which clocks are changed: a month is of UTC days, whatever the
// zone of who asks.
func TestMonthBorder(t *testing.T) {
	for _, tt := range []struct {
		month string
		hours int // of the month
		begin time.Time
	}{
		{"2026-03", 31 * 24, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}, // clocks go forward in it
		{"2026-10", 31 * 24, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)},
		{"2026-02", 28 * 24, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{"2025-12", 31 * 24, time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)},
	} {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		from, to, err := Month(tt.month, now.In(berlin))
		if err != nil || !from.Equal(tt.begin) || to.Sub(from) != time.Duration(tt.hours)*time.Hour {
			t.Fatalf("%s: from %s to %s, %v", tt.month, from, to, err)
		}
		p := site(t)
		var calls []call
		for hour := -3; hour < tt.hours+3; hour++ {
			calls = append(calls, call{at: tt.begin.Add(time.Duration(hour)*time.Hour + 59*time.Minute), env: "prod", api: "payments/orders@v1", plan: "gold", class: 2})
		}
		// One failure in the last minute of the month, one in the first of the next.
		end := tt.begin.Add(time.Duration(tt.hours) * time.Hour)
		calls = append(calls, call{at: end.Add(-time.Minute), env: "prod", api: "payments/orders@v1", class: 5}, call{at: end, env: "prod", api: "payments/orders@v1", class: 5})
		u := &store.Usage{Spool: "s", Number: 1}
		for i := range calls {
			u.Rows = append(u.Rows, calls[i].row())
		}
		if _, err := p.DB.Apply(ctx, store.Batch{Usage: u}); err != nil {
			t.Fatal(err)
		}
		r, err := p.Report(ctx, Question{API: "payments/orders", From: from, To: to})
		if err != nil || len(r.Items) != 1 {
			t.Fatalf("%s: %+v, %v", tt.month, r, err)
		}
		m := r.Items[0].Measured
		// By hand: one request an hour, one of them more, one failed of what 1 % may.
		if m.Counted != int64(tt.hours)+1 || m.Failed != 1 {
			t.Errorf("%s: counted %d, failed %d; want %d and 1", tt.month, m.Counted, m.Failed, tt.hours+1)
		}
		if want := 100 / float64(tt.hours+1); math.Abs(*m.Burn-want) > 1e-9 || math.Abs(*m.Budget-100*(1-want)) > 1e-9 {
			t.Errorf("%s: burn %v, budget %v; want %v", tt.month, *m.Burn, *m.Budget, want)
		}
		// The day that ends the month: 24 hours and the failure.
		if got, want := r.Items[0].Burn["24h"], 1/25.0/0.01; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: burn in 24h %v, want %v", tt.month, got, want)
		}
	}
}

// TestNothingSaysWhy holds that a report without figures tells what is missing.
func TestNothingSaysWhy(t *testing.T) {
	p := site(t)
	put(t, p.DB, gatehouse.KindEnvironment, "", "prod", &gatehouse.Environment{Stage: "prod"})
	put(t, p.DB, gatehouse.KindProduct, "payments", "extra", &gatehouse.Product{APIs: []string{"orders"}, Plans: []gatehouse.Plan{{Name: "silver", SLA: &planSLA}}})
	put(t, p.DB, gatehouse.KindApplication, "billing", "idle", &gatehouse.Application{})
	put(t, p.DB, gatehouse.KindApplication, "billing", "cheap", &gatehouse.Application{})
	put(t, p.DB, gatehouse.KindSubscription, "billing", "cheap", &gatehouse.Subscription{Application: "cheap", Product: "payments/commerce", Plan: "free", Environment: "prod"})
	for _, tt := range []struct {
		name string
		q    Question
		want string // of the note, or of the only item
	}{
		{"an API without promises", Question{API: "payments/free"}, "API \"payments/free\" promises nothing"},
		{"a team without", Question{Team: "billing"}, "team \"billing\" promises nothing"},
		{"an application without subscriptions", Question{Application: "billing/idle"}, "has no subscription"},
		{"an application with plans that promise nothing", Question{Application: "billing/cheap"}, "no plan that application \"billing/cheap\" has subscribed to"},
		{"an application under a plan that it does not have", Question{Application: "billing/cheap", Plan: "payments/commerce/gold"}, "no plan that application"},
		{"an application that sent nothing", Question{Application: "billing/invoices"}, "sent no request under this plan"},
		{"a plan that nobody has", Question{Plan: "payments/extra/silver"}, "no application is subscribed"},
		{"a plan without requests", Question{Plan: "payments/commerce/gold", Environment: "prod"}, "under this plan in this time in environment \"prod\""},
		{"an API without requests", Question{API: "payments/orders"}, "no request was counted in this time"},
	} {
		tt.q.From, tt.q.To = Rolling(time.Hour, now)
		r, err := p.Report(ctx, tt.q)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		got := r.Note
		if len(r.Items) == 1 {
			got = r.Items[0].Why
		}
		if !strings.Contains(got, tt.want) || len(r.Items) > 1 {
			t.Errorf("%s: %d items, %q; want %q", tt.name, len(r.Items), got, tt.want)
		}
	}
	for _, q := range []Question{{Team: "nobody"}, {Environment: "nowhere"}} {
		if _, err := p.Report(ctx, q); !gatehouse.Is(err, gatehouse.NotFound) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := p.Report(ctx, Question{API: "payments/orders", Plan: "payments/commerce/gold"}); !gatehouse.Is(err, gatehouse.Invalid) {
		t.Errorf("API and plan: %v", err)
	}
	u := &store.Usage{Spool: "s", Number: 1, Rows: []store.UsageRow{(&call{at: now, env: "prod", api: "payments/orders@v1", class: 4, denied: "apikey"}).row()}}
	if _, err := p.DB.Apply(ctx, store.Batch{Usage: u}); err != nil {
		t.Fatal(err)
	}
	from, to := Rolling(time.Hour, now)
	if r, err := p.Report(ctx, Question{API: "payments/orders", From: from, To: to}); err != nil || !strings.Contains(r.Items[0].Why, "turned down") {
		t.Errorf("all turned down: %+v, %v", r, err)
	}
}
