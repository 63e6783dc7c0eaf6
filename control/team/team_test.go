package team

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/control/team/onboarding"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A house is an installation in memory with a clock of its own.
type house struct {
	*Desk
	releases *release.Desk
	t        *testing.T
	mu       sync.Mutex
	now      time.Time
}

func newHouse(t *testing.T, db store.DB) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2027, 1, 20, 12, 0, 0, 0, time.UTC)}
	trail := &audit.Trail{DB: db, Now: func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(time.Millisecond); return h.now }}
	guard, err := access.Open(t.Context(), trail, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New(trail)
	h.releases = release.New(c, db)
	h.Desk = &Desk{Catalog: c, Guard: guard, Trail: trail, Onboarding: onboarding.New(trail, c, guard)}
	return h
}

func (h *house) at(t time.Time) { h.mu.Lock(); defer h.mu.Unlock(); h.now = t }

func (h *house) as(who string) context.Context {
	return audit.WithRequest(h.t.Context(), audit.Request{Actor: who, Authentication: "token:x"})
}

// put applies documents, one a line.
func (h *house) put(lines string) {
	h.t.Helper()
	var docs []catalog.Document
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		o, err := gatehouse.DecodeObject([]byte(line))
		if err != nil {
			h.t.Fatalf("%s: %v", line, err)
		}
		docs = append(docs, catalog.Document{Object: o})
	}
	if _, err := h.Catalog.Apply(h.t.Context(), catalog.Request{Documents: docs}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.Guard.CatchUp(h.t.Context(), 0); err != nil {
		h.t.Fatal(err)
	}
}

// record writes one that no room here makes.
func (h *house) record(kind gatehouse.Kind, key string, value any, index map[string]string) {
	h.t.Helper()
	text, err := json.Marshal(value)
	if err == nil {
		_, err = h.Trail.Commit(h.t.Context(), audit.Act{Action: "test.put", Object: key, Writes: []store.Write{{Key: key, Kind: string(kind), Value: text, Expect: store.Any, Index: index}}})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

var spool int64

// count adds requests to a version's roll-up.
func (h *house) count(api, denied string, at time.Time, n int64) {
	h.t.Helper()
	spool++
	_, err := h.db().Apply(h.t.Context(), store.Batch{Usage: &store.Usage{Spool: "test", Number: spool, Rows: []store.UsageRow{
		{Hour: at.Truncate(time.Hour), Environment: "dev", Gateway: "one", API: api, Denied: denied, Class: 2, Requests: n, Latency: make([]int64, 19)}}}})
	if err != nil {
		h.t.Fatal(err)
	}
}

const (
	platform = `
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"live"},"spec":{"stage":"prod","release":{"mode":"manual","after":["dev"]}}}
{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"ann"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"bob"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"Group","metadata":{"name":"devs"},"spec":{"members":["user:bob"]}}
{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"other"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"title":"Shop","members":["user:ann"]}}`
	shop = `
{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"shop","name":"cart"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:8081"}]},"live":{"targets":[{"url":"http://127.0.0.1:8081"}]}}}}
{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"shop","name":"cart"},"spec":{"title":"Cart","versions":[{"name":"v1","path":"/cart","backend":"cart"}]}}`
	product = `{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"shop","name":"cart"},"spec":{"apis":["cart"],"plans":[{"name":"free","approval":"automatic"},{"name":"gold"}]}}`
	asked   = `
{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"other","name":"web"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"other","name":"web-free"},"spec":{"application":"web","product":"shop/cart","plan":"free","environment":"dev"}}
{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"other","name":"web-gold"},"spec":{"application":"web","product":"shop/cart","plan":"gold","environment":"live"}}`
)

// TestChecklistTicksItself goes the way of a team; after each step the list has
// what the step did, and nothing of it was stored.
func TestChecklistTicksItself(t *testing.T) {
	h := newHouse(t, memory.New())
	h.put(platform)
	steps := []struct {
		ticks string
		do    func()
	}{
		{"", func() {}},
		{"contact", func() {
			h.put(`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"title":"Shop","members":["user:ann"],"contacts":{"email":"shop@example.com"}}}`)
		}},
		{"people", func() {
			h.put(`{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"d"},"spec":{"subject":"group:devs","role":"developer","scope":"team/shop"}}`)
		}},
		{"", func() { // an account without a token is no pipeline
			if _, err := h.Kit(h.as("user:bob"), "shop", KitOptions{Address: "http://127.0.0.1:9080"}); err != nil {
				t.Fatal(err)
			}
		}},
		{"pipeline", func() {
			if _, _, err := h.Guard.CreateToken(h.as("user:bob"), access.TokenRequest{Subject: "service:shop-ci", Life: time.Hour}); err != nil {
				t.Fatal(err)
			}
		}},
		{"first-api first-release", func() { h.put(shop) }},
		{"", func() { h.count("shop/cart@v1", "rate-limit", h.Desk.now(), 5) }},
		{"first-call", func() { h.count("shop/cart@v1", "mock", h.Desk.now().Add(-80*24*time.Hour), 1) }},
		{"product", func() { h.put(product) }},
		{"first-subscription", func() { h.put(asked) }},
		{"production", func() {
			if _, err := h.releases.Release(h.t.Context(), catalog.Ref{Team: "shop", Name: "cart", Version: "v1"}, "live", release.Terms{}); err != nil {
				t.Fatal(err)
			}
		}},
		{"alarm", func() {
			h.put(`{"apiVersion":"gatehouse/v1","kind":"Alarm","metadata":{"name":"any"},"spec":{"condition":"true","notify":["shop@example.com"]}}`)
		}},
	}
	var want []string
	for _, s := range steps {
		s.do()
		want = append(want, strings.Fields(s.ticks)...)
		before, _ := h.db().Head(t.Context())
		list, err := h.Checklist(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range list {
			if i.Done {
				got = append(got, i.ID)
			}
			if i.Done != (i.Detail != "") || i.Done == (i.How != "") {
				t.Errorf("%+v says both or nothing", i)
			}
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("after %q: done %q, want %q", s.ticks, got, want)
		}
		if after, _ := h.db().Head(t.Context()); after != before {
			t.Error("a checklist was stored")
		}
	}
	if list, _ := h.Checklist(t.Context(), "shop"); len(list) != len(want) {
		t.Errorf("%d items, all of %d done", len(list), len(want))
	}
	// What goes is left again.
	h.put(`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"title":"Shop"}}`)
	list, err := h.Checklist(t.Context(), "shop")
	if err != nil || left(list) != 2 { // contact, and with it the alarm
		t.Errorf("%d left, %v", left(list), err)
	}
	if _, err := h.Checklist(t.Context(), "none"); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("a team that is not there: %v", err)
	}
}

func TestGateAndAcceptanceConcernWhoIsGoverned(t *testing.T) {
	h := newHouse(t, memory.New())
	h.put(platform + shop)
	h.put(`{"apiVersion":"gatehouse/v1","kind":"Framework","metadata":{"name":"corporate"},"spec":{"versions":[{"name":"2"}]}}`)
	h.record(gatehouse.KindFrameworkState, "FrameworkState/corporate", gatehouse.FrameworkState{Framework: "corporate", InForce: "2"}, nil)
	done := func(id string) bool {
		list, err := h.Checklist(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(i gatehouse.ChecklistItem) bool { return i.ID == id })
		if i < 0 {
			t.Fatalf("no item %q", id)
		}
		return list[i].Done
	}
	release, err := h.db().Get(t.Context(), catalog.ReleaseKey("dev", "shop", "cart", "v1"))
	if err != nil {
		t.Fatal(err)
	}
	var rel gatehouse.Release
	if err := json.Unmarshal(release.Value, &rel); err != nil {
		t.Fatal(err)
	}
	result := gatehouse.GateResult{Environment: "dev", API: "shop/cart", Version: "v1", Revision: rel.Revision, Released: true, Outcome: gatehouse.GateFailed}
	for outcome, want := range map[string]bool{gatehouse.GateFailed: false, gatehouse.GateWaiting: false, gatehouse.GateGrace: true, gatehouse.GatePassed: true} {
		result.Outcome = outcome
		h.record(gatehouse.KindGateResult, gatehouse.GateResultKey("dev", "shop", "cart", "v1", true), result, map[string]string{"team": "shop", "slot": "live"})
		if done("gate") != want {
			t.Errorf("%s: the gate is passed: %t", outcome, !want)
		}
		p, err := h.Page(t.Context(), "shop", Show{})
		if err != nil || p.Counts.Gate[outcome] != 1 || p.APIs[0].Versions[0].Releases[0].Gate != outcome {
			t.Errorf("%s: %+v, %v", outcome, p.Counts, err)
		}
	}
	result.Revision = strings.Repeat("0", 64)
	h.record(gatehouse.KindGateResult, gatehouse.GateResultKey("dev", "shop", "cart", "v1", true), result, map[string]string{"team": "shop", "slot": "live"})
	if p, err := h.Page(t.Context(), "shop", Show{}); err != nil || p.Counts.Gate["none"] != 1 {
		t.Errorf("a result for another revision counts: %+v, %v", p.Counts, err)
	}
	for version, want := range map[string]bool{"1": false, "2": true} {
		o := gatehouse.Onboarding{ID: "shop-1", State: gatehouse.Approved, Request: gatehouse.OnboardingRequest{Team: "shop"}, Acceptance: &gatehouse.Acceptance{Framework: "corporate", Version: version, By: "user:ann"}}
		h.record(gatehouse.KindOnboarding, "Onboarding/shop-1", o, map[string]string{"team": "shop", "state": gatehouse.Approved})
		if done("responsibilities") != want {
			t.Errorf("version %s accepted: %t", version, !want)
		}
	}
}

func TestPage(t *testing.T) {
	h := newHouse(t, memory.New())
	h.put(platform + shop)
	h.put(product + asked)
	h.put(`
{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"d"},"spec":{"subject":"group:devs","role":"developer","scope":"team/shop","expires":"2027-06-30"}}
{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"far"},"spec":{"subject":"user:ann","role":"auditor","scope":"organization"}}
{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"members":["user:ann"],"environments":["live","dev"],"quotas":{"apis":1,"requests":100}}}`)
	h.count("shop/cart@v1", "", h.Desk.now(), 81)
	h.count("shop/cart@v1", "", h.Desk.now().AddDate(0, -1, 0), 1000) // last month's
	h.count("other/x@v1", "", h.Desk.now(), 1000)
	end := h.Desk.now().Add(24 * time.Hour)
	for i, w := range []gatehouse.Waiver{{ID: "w2", State: gatehouse.Approved, Expires: end.Add(time.Hour)}, {ID: "w1", State: gatehouse.Requested, Expires: end}, {ID: "w0", State: gatehouse.Approved, Expires: end.Add(-48 * time.Hour)}} {
		h.record(gatehouse.KindWaiver, fmt.Sprint("Waiver/", i), w, map[string]string{"team": "shop", "state": w.State})
	}
	h.Support = func(_ context.Context, team string) ([]gatehouse.SupportRequest, error) {
		return []gatehouse.SupportRequest{{ID: "sup-1", From: team}}, nil
	}
	p, err := h.Page(t.Context(), "shop", Show{Members: true, Activity: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Environments, []string{"dev", "live"}) {
		t.Errorf("environments %q", p.Environments)
	}
	want := []gatehouse.TeamMember{
		{Subject: "user:ann", Roles: []gatehouse.TeamRole{{Role: "viewer"}}},
		{Subject: "user:bob", Roles: []gatehouse.TeamRole{{Role: "developer", Assignment: "d", Via: []string{"group:devs"}, Expires: time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC)}}},
	}
	if fmt.Sprint(p.Members) != fmt.Sprint(want) {
		t.Errorf("members %+v, want %+v", p.Members, want)
	}
	if fmt.Sprint(p.Quotas) != "[{apis 1 1 100 reached} {requests 81 100 81 near}]" {
		t.Errorf("quotas %v", p.Quotas)
	}
	if len(p.Waivers) != 2 || p.Waivers[0].ID != "w1" {
		t.Errorf("waivers %+v", p.Waivers)
	}
	if len(p.Subscriptions) != 2 || p.Subscriptions[0].Subscription != "other/web-gold" || p.Subscriptions[0].State != gatehouse.Requested || p.Subscriptions[0].Own {
		t.Errorf("subscriptions %+v", p.Subscriptions)
	}
	if p.Products[0].Subscriptions[gatehouse.Approved] != 1 || p.Counts.Asked != 1 || p.Counts.Members != 2 || p.Counts.Support != 1 || p.Counts.Requests != 81 {
		t.Errorf("products %+v, counts %+v", p.Products, p.Counts)
	}
	if len(p.Activity) == 0 || p.Activity[0].Team != "shop" || len(p.Withheld) != 0 {
		t.Errorf("activity %v, withheld %q", p.Activity, p.Withheld)
	}
	bare, err := h.Page(t.Context(), "shop", Show{})
	if err != nil || len(bare.Activity) != 0 || bare.Members[1].Roles != nil || !slices.Equal(bare.Withheld, []string{"roles", "activity"}) {
		t.Errorf("without permission: %+v, %v", bare, err)
	}
	other, err := h.Page(t.Context(), "other", Show{})
	if err != nil || len(other.Subscriptions) != 2 || !other.Subscriptions[0].Own || other.Quotas != nil {
		t.Errorf("the asking team: %+v, %v", other, err)
	}

	// The provider's page is the same in figures, and shows each what they may see.
	rows, sum, next, err := h.Rows(t.Context(), "", 10, func(string) bool { return true })
	if err != nil || len(rows) != 2 || next != "" || sum.APIs != 1 || sum.Applications != 1 || sum.Requests != 81 || rows[1].WaiverEnds != end.Add(time.Hour).UTC() {
		t.Errorf("rows %+v, sum %+v, %q, %v", rows, sum, next, err)
	}
	rows, sum, next, err = h.Rows(t.Context(), "", 1, func(team string) bool { return team == "shop" })
	if err != nil || len(rows) != 0 || sum.APIs != 0 || next == "" {
		t.Errorf("the first page of one: %+v, %q, %v", rows, next, err)
	}
	if rows, _, _, err = h.Rows(t.Context(), next, 1, func(team string) bool { return team == "shop" }); err != nil || len(rows) != 1 || rows[0].Team != "shop" {
		t.Errorf("the second page of one: %+v, %v", rows, err)
	}
}

func TestQuotaUse(t *testing.T) {
	for _, tt := range []struct {
		used, most, percent int64
		warning             string
	}{{0, 100, 0, ""}, {79, 100, 79, ""}, {80, 100, 80, "near"}, {99, 100, 99, "near"}, {100, 100, 100, "reached"}, {250, 100, 250, "reached"},
		{7, 9, 77, ""}, {1 << 62, 1<<63 - 1, 50, ""}, {1<<63 - 1, 1<<63 - 1, 100, "reached"}} {
		if u := gatehouse.QuotaUse("requests", tt.used, tt.most); u.Percent != tt.percent || u.Warning != tt.warning {
			t.Errorf("%d of %d: %+v", tt.used, tt.most, u)
		}
	}
}

// Each team is told once for a month and warning, whichever of two nodes looks.
func TestQuotasAreWarnedOfOnce(t *testing.T) {
	db := memory.New()
	a, b := newHouse(t, db), newHouse(t, db)
	a.put(platform + shop)
	team := func(most int) {
		a.put(fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"quotas":{"requests":%d}}}`, most))
	}
	team(100)
	warned := func(month time.Time) (all []string) {
		t.Helper()
		var wg sync.WaitGroup
		for _, h := range []*house{a, b, a, b} {
			wg.Go(func() {
				if err := h.warnQuotas(t.Context(), month); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for e, err := range db.Events(t.Context(), store.EventQuery{Action: "team.quota-*"}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Actor != "system" || e.Object != "Team shop" || e.Team != "shop" {
				t.Errorf("%+v", e)
			}
			all = append(all, strings.TrimPrefix(e.Action, "team.quota-"))
		}
		return all
	}
	now := a.Desk.now()
	next := now.AddDate(0, 1, 0)
	for _, step := range []struct {
		do   func()
		at   time.Time
		want string
	}{
		{func() { a.count("shop/cart@v1", "", now, 79) }, now, ""},
		{func() { a.count("shop/cart@v1", "rate-limit", now, 1000) }, now, ""},
		{func() { a.count("shop/cart@v1", "", now, 1) }, now, "near"},
		{func() { a.count("shop/cart@v1", "", now, 5) }, now, "near"},
		{func() { a.count("shop/cart@v1", "mock", now, 20) }, now, "near reached"},
		{func() { team(125) }, now, "near reached near"},
		{func() { team(100) }, now, "near reached near reached"},
		{func() { a.count("shop/cart@v1", "", next, 85) }, next, "near reached near reached near"},
	} {
		step.do()
		if got := strings.Join(warned(step.at), " "); got != step.want {
			t.Errorf("told %q, want %q", got, step.want)
		}
	}
	// Looking is paced.
	a.at(next.Add(time.Hour))
	a.count("shop/cart@v1", "", next, 100)
	for range 3 {
		if err := a.WarnQuotas(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(warned(next)); got != 6 {
		t.Errorf("told %d times", got)
	}
}

func TestKitGivesAnAccountThatHoldsNoMore(t *testing.T) {
	h := newHouse(t, memory.New())
	h.put(platform)
	h.put(`
{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"bob"},"spec":{"subject":"user:bob","role":"developer","scope":"team/shop","expires":"2027-02-28"}}
{"apiVersion":"gatehouse/v1","kind":"ServiceAccount","metadata":{"name":"shop-ci"},"spec":{"team":"other"}}`)
	here := KitOptions{Address: "https://gatehouse.example.com", Backends: map[string]string{"dev": "http://127.0.0.1:8081"}}
	for name, tt := range map[string]struct {
		who  string
		team string
		o    KitOptions
		kind gatehouse.ErrorKind
	}{
		"a viewer":               {"user:ann", "shop", here, gatehouse.Denied},
		"no such team":           {"user:bob", "none", here, gatehouse.NotFound},
		"no address":             {"user:bob", "shop", KitOptions{}, gatehouse.Invalid},
		"an address that quotes": {"user:bob", "shop", KitOptions{Address: "http://a/'; id"}, gatehouse.Invalid},
		"an unknown environment": {"user:bob", "shop", KitOptions{Address: here.Address, Backends: map[string]string{"qa": "http://a"}}, gatehouse.Invalid},
		"a backend that is none": {"user:bob", "shop", KitOptions{Address: here.Address, Backends: map[string]string{"dev": "x"}}, gatehouse.Invalid},
	} {
		if _, err := h.Kit(h.as(tt.who), tt.team, tt.o); gatehouse.KindOf(err) != tt.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Two at once make one account; its name is free, and it ends with who made it.
	var wg sync.WaitGroup
	kits := make([]*Kit, 4)
	for i := range kits {
		wg.Go(func() {
			var err error
			if kits[i], err = h.Kit(h.as("user:bob"), "shop", here); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	made := 0
	for _, k := range kits {
		if k != nil && k.Made {
			made++
		}
		if k == nil || k.ServiceAccount != "shop-pipeline" || len(k.Files) != 10 {
			t.Fatalf("%+v", k)
		}
	}
	if made != 1 {
		t.Errorf("%d accounts were made", made)
	}
	people, _ := h.Guard.Index().People("shop", "", 10)
	i := slices.IndexFunc(people, func(p access.Person) bool { return p.Subject == "service:shop-pipeline" })
	if i < 0 || len(people[i].Holds) != 1 || people[i].Holds[0].Role != "developer" || !people[i].Holds[0].Expires.Equal(time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", people)
	}
	h.put(`{"apiVersion":"gatehouse/v1","kind":"ServiceAccount","metadata":{"name":"shop-pipeline"},"spec":{"team":"shop","disabled":true}}`)
	if _, err := h.Kit(h.as("user:bob"), "shop", here); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("an account that was disabled came back: %v", err)
	}
}

func TestEnvironmentsStandBehindThoseTheyWaitFor(t *testing.T) {
	h := newHouse(t, memory.New())
	h.put(`
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"a-canary"},"spec":{"stage":"prod","release":{"after":["b-live"]}}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"b-live"},"spec":{"stage":"prod","release":{"after":["qa"]}}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"qa"},"spec":{"stage":"qa","release":{"after":["dev"]}}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"x"},"spec":{"stage":"dev","release":{"after":["y"]}}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"y"},"spec":{"stage":"dev","release":{"after":["x"]}}}`)
	all, err := h.environments(t.Context(), &gatehouse.Team{})
	var names []string
	for _, e := range all {
		names = append(names, e.name)
	}
	if got := strings.Join(names, " "); err != nil || got != "dev qa b-live a-canary x y" {
		t.Errorf("%s, %v", got, err)
	}
}
