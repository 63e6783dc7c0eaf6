package support

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A site is a store with a clock that the test moves.
type site struct {
	*Desk
	t   *testing.T
	mu  sync.Mutex
	at  time.Time
	ctx context.Context
}

func newSite(t *testing.T) *site {
	// A Friday at noon, UTC; in Berlin 13:00.
	s := &site{t: t, at: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	trail := &audit.Trail{DB: memory.New(), Now: func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.at
	}}
	s.Desk = New(trail, catalog.New(trail))
	s.ctx = s.as("user:bob@example.com")
	return s
}

func (s *site) as(actor string) context.Context {
	return audit.WithRequest(s.t.Context(), audit.Request{Actor: actor})
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func (s *site) put(kind gatehouse.Kind, team, name string, spec gatehouse.Spec) {
	s.t.Helper()
	if _, err := s.db.Apply(s.t.Context(), store.Batch{Writes: []store.Write{stored(s.t, kind, team, name, spec)}}); err != nil {
		s.t.Fatal(err)
	}
}

// stored is an object as the catalog keeps it; subscriptions are approved.
func stored(t interface{ Fatal(...any) }, kind gatehouse.Kind, team, name string, spec gatehouse.Spec) store.Write {
	o := &gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Team: team, Name: name}, Spec: spec}
	doc, err := jsonx.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonx.Marshal(&gatehouse.Stored{Object: doc})
	if err != nil {
		t.Fatal(err)
	}
	return store.Write{Key: o.Key(), Kind: string(kind), Value: value, Expect: store.Any, Index: catalog.Indexes(o, "", &gatehouse.SubscriptionStatus{State: gatehouse.Approved})}
}

func hour(n int) jsonx.Duration { return jsonx.Duration(time.Duration(n) * time.Hour) }

// world is a team that owns an API with a product, one that uses it, and one
// that does neither.
func (s *site) world() *site {
	s.put(gatehouse.KindTeam, "", "payments", &gatehouse.Team{Support: &gatehouse.TeamSupport{Hours: "Mon-Fri 9-17 Europe/Berlin", Holidays: []string{"2026-11-23"}, FirstResponse: hour(8)}})
	s.put(gatehouse.KindTeam, "", "billing", &gatehouse.Team{})
	s.put(gatehouse.KindTeam, "", "other", &gatehouse.Team{})
	s.put(gatehouse.KindAPI, "payments", "orders", &gatehouse.API{Versions: []gatehouse.Version{{Name: "v1", Path: "/orders/v1"}}})
	s.put(gatehouse.KindProduct, "payments", "commerce", &gatehouse.Product{APIs: []string{"orders"}, Plans: []gatehouse.Plan{
		{Name: "free"}, {Name: "gold", SLA: &gatehouse.SLA{Support: &gatehouse.SLASupport{FirstResponse: hour(2), Resolution: hour(16)}}}}})
	s.put(gatehouse.KindApplication, "billing", "invoices", &gatehouse.Application{})
	s.put(gatehouse.KindSubscription, "billing", "invoices-commerce", &gatehouse.Subscription{Application: "invoices", Product: "payments/commerce", Plan: "gold", Environment: "prod"})
	return s
}

func (s *site) ask() Ask {
	return Ask{From: "billing", Application: "billing/invoices", API: "payments/orders", Category: "incident", Title: "502 since noon", Text: "Every call fails."}
}

func (s *site) opened(a Ask) *Request {
	s.t.Helper()
	r, err := s.Open(s.ctx, a)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// acts are the events of an action, "object: reason".
func (s *site) acts(action string) (list []string) {
	s.t.Helper()
	for e, err := range s.db.Events(s.t.Context(), store.EventQuery{Action: action}) {
		if err != nil {
			s.t.Fatal(err)
		}
		list = append(list, e.Object+": "+e.Reason)
	}
	return list
}

// TestClocks lives through a request: hours, a weekend, a holiday, waiting,
// solving and reopening.
func TestClocks(t *testing.T) {
	s := newSite(t).world()
	r := s.opened(s.ask())
	if r.To != "payments" || r.Promise != "plan payments/commerce gold" || r.Hours != "Mon-Fri 9-17 Europe/Berlin" {
		t.Fatalf("opened: %+v", r.SupportRequest)
	}
	helper := s.as("user:alice@example.com")
	used := func(what string, first, solved time.Duration) {
		t.Helper()
		r, err := s.Get(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		c := r.Calendar()
		if got := r.FirstResponse.Now(c, s.now()); got != first {
			t.Errorf("%s: first response used %s, want %s", what, got, first)
		}
		if got := r.Resolution.Now(c, s.now()); got != solved {
			t.Errorf("%s: resolution used %s, want %s", what, got, solved)
		}
	}
	must := func(r *Request, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.pass(time.Hour)
	used("an hour later", time.Hour, time.Hour)
	must(s.Assign(helper, r.ID, "user:alice@example.com"))
	used("taken up", time.Hour, time.Hour) // nobody has answered yet
	s.pass(30 * time.Minute)
	must(s.Reply(helper, r.ID, Helping, Reply{Text: "We look into it."}))
	s.pass(68 * time.Hour) // to Monday, a holiday, 09:30 UTC
	used("over the weekend", 90*time.Minute, 4*time.Hour)
	s.pass(22 * time.Hour) // Tuesday, 08:30 in Berlin
	must(s.Reply(helper, r.ID, Helping, Reply{Text: "Which ids?", Wait: true}))
	s.pass(3 * time.Hour)
	used("waiting", 90*time.Minute, 4*time.Hour)
	must(s.Reply(s.ctx, r.ID, Asking, Reply{Text: "These."}))
	s.pass(time.Hour)
	used("going on", 90*time.Minute, 5*time.Hour)
	must(s.Reply(helper, r.ID, Helping, Reply{Text: "Fixed.", Resolve: true}))
	s.pass(24 * time.Hour)
	used("resolved", 90*time.Minute, 5*time.Hour)
	must(s.Reopen(s.ctx, r.ID, "it is back"))
	s.pass(time.Hour)
	used("reopened", 90*time.Minute, 6*time.Hour)
	must(s.Close(s.ctx, r.ID, "thanks"))
	got, err := s.Get(t.Context(), r.ID)
	if err != nil || got.State != gatehouse.SupportClosed || got.Reopened != 1 || got.Comments != 5 || got.Assignee != "user:alice@example.com" {
		t.Errorf("closed: %+v, %v", got, err)
	}
	if read := Read(got.FirstResponse, got.Calendar(), s.now()); read.State != "met" {
		t.Errorf("first response: %+v", read)
	}
	comments, err := s.Comments(t.Context(), r.ID)
	var said []string
	for _, c := range comments {
		said = append(said, c.Team+" "+c.State)
	}
	if err != nil || !slices.Equal(said, []string{"billing open", "payments answered", "payments waiting", "billing acknowledged", "payments resolved"}) {
		t.Errorf("said: %q, %v", said, err)
	}
}

func TestPromises(t *testing.T) {
	s := newSite(t).world()
	for _, tt := range []struct {
		name string
		ask  func(*Ask)
		want string
		got  time.Duration
	}{
		{"by plan", func(*Ask) {}, "plan payments/commerce gold", 2 * time.Hour},
		{"by the helping team", func(a *Ask) { a.From, a.Application = "other", "" }, "team payments", 8 * time.Hour},
		{"to the provider, where there is none", func(a *Ask) { a.API, a.Provider = "", true }, "", 0},
	} {
		a := s.ask()
		tt.ask(&a)
		r := s.opened(a)
		limit := time.Duration(0)
		if r.FirstResponse != nil {
			limit = r.FirstResponse.Limit.Std()
		}
		if r.Promise != tt.want || limit != tt.got {
			t.Errorf("%s: promise %q of %s, want %q of %s", tt.name, r.Promise, limit, tt.want, tt.got)
		}
	}
	s.put(gatehouse.KindTeam, "", "platform", &gatehouse.Team{Provider: true})
	if r := s.opened(Ask{From: "other", Provider: true, Category: "question", Title: "x", Text: "y"}); r.To != "platform" {
		t.Errorf("to the provider: %q", r.To)
	}
}

// TestEscalation holds that each level is announced once, whichever of several
// control planes looks, and none before its time.
func TestEscalation(t *testing.T) {
	s := newSite(t).world()
	r := s.opened(s.ask())
	others := []*Desk{New(s.trail, s.catalog), New(s.trail, s.catalog), s.Desk}
	sweep := func() {
		var wg sync.WaitGroup
		for _, d := range others {
			wg.Go(func() {
				if err := d.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	want := func(what string, list ...string) {
		t.Helper()
		sweep()
		if got := s.acts("support.escalate"); !slices.Equal(got, list) {
			t.Errorf("%s: got %q, want %q", what, got, list)
		}
	}
	at := r.Ref() + ": first response: "
	s.pass(89 * time.Minute)
	want("at 89 minutes of 2h")
	s.pass(time.Minute)
	want("at 90 minutes", at+"75 % of 2h is used")
	s.pass(31 * time.Minute)
	want("at 121 minutes", at+"75 % of 2h is used", at+"100 % of 2h is used")
	if read := Read(mustGet(s, r.ID).FirstResponse, r.Calendar(), s.now()); read.State != "missed" {
		t.Errorf("first response: %+v", read)
	}
	if _, err := s.Reply(s.as("user:alice@example.com"), r.ID, Helping, Reply{Text: "Sorry.", Wait: true}); err != nil {
		t.Fatal(err)
	}
	s.pass(90 * 24 * time.Hour)
	want("while the asking side is waited for", at+"75 % of 2h is used", at+"100 % of 2h is used")
	if _, err := s.Reply(s.as("user:alice@example.com"), r.ID, Helping, Reply{Text: "Solved?", Resolve: true}); err != nil {
		t.Fatal(err)
	}
	s.pass(CloseAfter)
	sweep()
	if got := s.acts("support.close"); len(got) != 1 || mustGet(s, r.ID).State != gatehouse.SupportClosed {
		t.Errorf("resolved for long: %q, %s", got, mustGet(s, r.ID).State)
	}
	s.pass(ReopenWithin + time.Hour)
	if _, err := s.Reopen(s.ctx, r.ID, ""); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("reopened late: %v", err)
	}
}

func mustGet(s *site, id string) *Request {
	s.t.Helper()
	r, err := s.Get(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestRefused(t *testing.T) {
	s := newSite(t).world()
	big := File{Name: "core", Content: make([]byte, MaxAttachment+1)}
	for name, tt := range map[string]struct {
		change func(*Ask)
		want   string
		kind   gatehouse.ErrorKind
	}{
		"unknown API":      {func(a *Ask) { a.API = "payments/ordres" }, `did you mean "payments/orders"`, gatehouse.NotFound},
		"unknown version":  {func(a *Ask) { a.API = "payments/orders@v9" }, `no version "v9"`, gatehouse.NotFound},
		"unknown team":     {func(a *Ask) { a.From, a.Application = "nobody", "" }, "nobody", gatehouse.NotFound},
		"category":         {func(a *Ask) { a.Category = "incidnt" }, `did you mean "incident"`, gatehouse.Invalid},
		"severity":         {func(a *Ask) { a.Severity = "disaster" }, `is not one of`, gatehouse.Invalid},
		"nobody asked":     {func(a *Ask) { a.API = "" }, "nobody is asked", gatehouse.Invalid},
		"two asked":        {func(a *Ask) { a.Provider = true }, "one of them", gatehouse.Invalid},
		"no title":         {func(a *Ask) { a.Title = " " }, "title", gatehouse.Invalid},
		"a title of lines": {func(a *Ask) { a.Title = "a\nb" }, "title", gatehouse.Invalid},
		"no text":          {func(a *Ask) { a.Text = "\n" }, "text is missing", gatehouse.Invalid},
		"long text":        {func(a *Ask) { a.Text = strings.Repeat("x", MaxText+1) }, "attach what is longer", gatehouse.Invalid},
		"another's app":    {func(a *Ask) { a.Application = "payments/x" }, "not of team", gatehouse.Invalid},
		"no such app":      {func(a *Ask) { a.Application = "billing/x" }, "billing/x", gatehouse.NotFound},
		"large file":       {func(a *Ask) { a.Files = []File{big} }, "more than", gatehouse.Invalid},
		"empty file":       {func(a *Ask) { a.Files = []File{{Name: "x"}} }, "empty", gatehouse.Invalid},
		"a path":           {func(a *Ask) { a.Files = []File{{"../x", []byte("x")}} }, "without slashes", gatehouse.Invalid},
		"many files":       {func(a *Ask) { a.Files = slices.Repeat([]File{{"x", []byte("x")}}, MaxTogether+1) }, "at most 5", gatehouse.Invalid},
	} {
		a := s.ask()
		tt.change(&a)
		if _, err := s.Open(s.ctx, a); !gatehouse.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v (%s), want %s with %q", name, err, gatehouse.KindOf(err), tt.kind, tt.want)
		}
	}
	r := s.opened(s.ask())
	if _, err := s.Reply(s.ctx, r.ID, Asking, Reply{Text: "solved", Resolve: true}); !gatehouse.Is(err, gatehouse.Denied) {
		t.Errorf("resolved by who asked: %v", err)
	}
	if _, err := s.Reopen(s.ctx, r.ID, ""); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("reopened while open: %v", err)
	}
	if _, err := s.Assign(s.ctx, r.ID, "alice"); !gatehouse.Is(err, gatehouse.Invalid) {
		t.Errorf("assigned to no subject: %v", err)
	}
	for i := range 3 {
		files := make([]File, MaxTogether)
		for k := range files {
			files[k] = File{fmt.Sprintf("%d-%d", i, k), fmt.Appendf(nil, "%d %d", i, k)}
		}
		if _, err := s.Reply(s.ctx, r.ID, Asking, Reply{Text: "files", Files: files}); err != nil {
			t.Fatal(err)
		}
	}
	files := slices.Repeat([]File{{"same", []byte("same")}}, MaxTogether)
	if got, err := s.Reply(s.ctx, r.ID, Asking, Reply{Text: "the same file five times", Files: files}); err != nil || got.Attachments != MaxAttachments {
		t.Errorf("the same file five times: %v", err)
	}
	if _, err := s.Reply(s.ctx, r.ID, Asking, Reply{Text: "one more", Files: files[:1]}); !gatehouse.Is(err, gatehouse.Invalid) {
		t.Errorf("one file more: %v", err)
	}
	if _, err := s.Close(s.ctx, r.ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reply(s.ctx, r.ID, Asking, Reply{Text: "and?"}); !gatehouse.Is(err, gatehouse.Conflict) || !strings.Contains(err.Error(), "reopen it first") {
		t.Errorf("reply to a closed one: %v", err)
	}
	if _, err := s.Close(s.ctx, r.ID, ""); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := s.Get(t.Context(), "sup-99"); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("no such: %v", err)
	}
}

func TestAttachmentsStayWithTheirRequest(t *testing.T) {
	s := newSite(t).world()
	a := s.ask()
	a.Files = []File{{"trace.txt", []byte("a trace")}}
	r, other := s.opened(a), s.opened(s.ask())
	comments, err := s.Comments(t.Context(), r.ID)
	if err != nil || len(comments) != 1 || len(comments[0].Attachments) != 1 {
		t.Fatalf("comments: %+v, %v", comments, err)
	}
	hash := comments[0].Attachments[0].Hash
	if got, content, err := s.Attachment(t.Context(), r.ID, hash); err != nil || !bytes.Equal(content, []byte("a trace")) || !strings.HasPrefix(got.MediaType, "text/plain") {
		t.Errorf("reading: %+v %q %v", got, content, err)
	}
	if _, _, err := s.Attachment(t.Context(), other.ID, hash); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("read through another request: %v", err)
	}
}

// TestNumbersAtOnce opens and answers from several control planes at once.
func TestNumbersAtOnce(t *testing.T) {
	s := newSite(t).world()
	const n = 6
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]bool{}
	for range n {
		d := New(s.trail, s.catalog)
		wg.Go(func() {
			r, err := d.Open(s.ctx, s.ask())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[r.ID] = true
		})
	}
	wg.Wait()
	if len(ids) != n || !ids["sup-1"] || !ids["sup-6"] {
		t.Errorf("ids: %v", ids)
	}
	for range n {
		d := New(s.trail, s.catalog)
		wg.Go(func() {
			if _, err := d.Reply(s.ctx, "sup-1", Asking, Reply{Text: "me too"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if c, err := s.Comments(t.Context(), "sup-1"); err != nil || len(c) != n+1 || c[n].Number != n+1 {
		t.Errorf("comments: %d, %v", len(c), err)
	}
}

func TestListAndCount(t *testing.T) {
	s := newSite(t).world()
	for i := range 5 {
		a := s.ask()
		a.Title = fmt.Sprint("request ", i)
		s.opened(a)
		s.pass(time.Minute)
	}
	if _, err := s.Close(s.ctx, "sup-2", ""); err != nil {
		t.Fatal(err)
	}
	all := func(*Request) bool { return true }
	var titles []string
	sel := Selection{Team: "payments", Open: true, Limit: 2}
	for {
		page, next, err := s.List(t.Context(), sel, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			titles = append(titles, r.ID)
		}
		if sel.After = next; next == "" {
			break
		}
	}
	if !slices.Equal(titles, []string{"sup-5", "sup-4", "sup-3", "sup-1"}) {
		t.Errorf("open ones: %q", titles)
	}
	if page, _, err := s.List(t.Context(), Selection{Team: "other", Limit: 10}, all); err != nil || len(page) != 0 {
		t.Errorf("of a team on neither side: %v, %v", page, err)
	}
	if page, _, err := s.List(t.Context(), Selection{Limit: 1}, func(r *Request) bool { return r.ID == "sup-1" }); err != nil || len(page) != 1 {
		t.Errorf("the one that may be seen: %v, %v", page, err)
	}
	s.pass(3 * time.Hour)
	if n, err := s.Count(t.Context(), "payments"); err != nil || n != (OpenCount{Helping: 4, Missed: 4}) {
		t.Errorf("count: %+v, %v", n, err)
	}
	if n, err := s.Count(t.Context(), "billing"); err != nil || n != (OpenCount{Asked: 4}) {
		t.Errorf("count: %+v, %v", n, err)
	}
}
