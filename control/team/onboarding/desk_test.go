package onboarding

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
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A house is an installation in memory with a clock of its own.
type house struct {
	*Desk
	t   *testing.T
	now time.Time
	mu  sync.Mutex
}

const standing = `
{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"boss"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"chief"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"ann"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"bob"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"Group","metadata":{"name":"devs"},"spec":{"members":["user:bob"]}}
{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"boss"},"spec":{"subject":"user:boss","role":"provider","scope":"organization"}}
{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"chief"},"spec":{"subject":"user:chief","role":"approver","scope":"organization"}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod","jurisdiction":"EU"}}
{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"one"},"spec":{"environment":"prod","location":{"cloud":"aws","region":"eu-central-1","network":"public"}}}
{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"old"},"spec":{"members":["user:ann"],"environments":["dev"],"quotas":{"apis":2}}}
`

func newHouse(t *testing.T) *house { return newHouseOn(t, memory.New()) }

func newHouseOn(t *testing.T, db store.DB) *house {
	h := &house{t: t, now: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)}
	t.Cleanup(func() { db.Close() })
	trail := &audit.Trail{DB: db, Now: func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(time.Second); return h.now }}
	guard, err := access.Open(t.Context(), trail, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Desk = New(trail, catalog.New(trail), guard)
	return h
}

func (h *house) furnish() *house {
	h.t.Helper()
	var docs []catalog.Document
	for line := range strings.SplitSeq(strings.TrimSpace(standing), "\n") {
		docs = append(docs, h.doc(line))
	}
	h.apply(docs...)
	return h
}

func (h *house) doc(text string) catalog.Document {
	h.t.Helper()
	o, err := gatehouse.DecodeObject([]byte(text))
	if err != nil {
		h.t.Fatal(err)
	}
	return catalog.Document{Object: o}
}

func (h *house) apply(docs ...catalog.Document) {
	h.t.Helper()
	if _, err := h.catalog.Apply(h.t.Context(), catalog.Request{Documents: docs}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.guard.CatchUp(h.t.Context(), 0); err != nil {
		h.t.Fatal(err)
	}
}

// inForce puts a version of framework "corporate" in force.
func (h *house) inForce(version, onboarding string) {
	h.t.Helper()
	// What is on record goes first: it keeps a version in force from being taken out.
	_, err := h.trail.Commit(h.t.Context(), audit.Act{Action: "framework.withdraw", Object: "Framework corporate", Writes: []store.Write{
		{Key: "FrameworkState/corporate", Kind: string(gatehouse.KindFrameworkState), Expect: store.Any}}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.apply(h.doc(fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"Framework","metadata":{"name":"corporate"},"spec":{"versions":[{"name":%q%s,"service":{"nonFunctional":{"terms":"Be kind, says %[1]s."}}}]}}`, version, onboarding)))
	value, err := json.Marshal(gatehouse.FrameworkState{Framework: "corporate", InForce: version, Versions: map[string]gatehouse.FrameworkVersionState{version: {State: gatehouse.InForce}}})
	if err == nil {
		_, err = h.trail.Commit(h.t.Context(), audit.Act{Action: "framework.enforce", Object: "Framework corporate", Writes: []store.Write{
			{Key: "FrameworkState/corporate", Kind: string(gatehouse.KindFrameworkState), Value: value, Expect: store.Any}}})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) as(who string) context.Context {
	return audit.WithRequest(h.t.Context(), audit.Request{Actor: "user:" + who, Authentication: "token:x"})
}

// refused checks an error's kind and text.
func (h *house) refused(err error, kind gatehouse.ErrorKind, want string) {
	h.t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if e, ok := err.(*gatehouse.Error); ok {
		for _, f := range e.Faults {
			text += "\n" + f.String()
		}
	}
	if gatehouse.KindOf(err) != kind || !strings.Contains(text, want) {
		h.t.Errorf("got %q of kind %q, want %q of kind %q", text, gatehouse.KindOf(err), want, kind)
	}
}

// request is a whole one for a new team.
func request(team string) gatehouse.OnboardingRequest {
	return gatehouse.OnboardingRequest{
		Team: team, Title: "Shop", Why: "we sell things", Members: []string{"user:ann", "user:new@example.com"}, Environments: []string{"prod", "dev"},
		Clouds: []string{"aws"}, Data: []string{"internal"}, CostCentre: "4711", Contacts: &gatehouse.TeamContacts{Email: "shop@example.com"},
	}
}

func (h *house) start(who string, r gatehouse.OnboardingRequest, version string) *Standing {
	h.t.Helper()
	s, _, err := h.Start(h.as(who), r, Accept{Version: version})
	if err != nil {
		h.t.Fatalf("starting: %v", err)
	}
	return s
}

func (h *house) events(action string) (n int, last *gatehouse.Event) {
	h.t.Helper()
	for e, err := range h.db.Events(h.t.Context(), store.EventQuery{Action: action}) {
		if err != nil {
			h.t.Fatal(err)
		}
		n, last = n+1, e
	}
	return n, last
}

func TestApprovalMakesTheTeamInOneTransaction(t *testing.T) {
	h := newHouse(t).furnish()
	h.inForce("2026.1", `,"onboarding":{"quotas":{"apis":5,"requests":1000}}`)
	r := request("shop")
	r.Expires, r.Quotas = "2027-06-30", &gatehouse.TeamQuotas{Applications: 3, APIs: 7}
	s := h.start("ann", r, "2026.1")
	a := s.Acceptance
	if s.ID != "shop-1" || s.State != gatehouse.Requested || s.More || a == nil || a.By != "user:ann" || a.Version != "2026.1" || len(a.Hash) != 64 || !strings.Contains(a.Text, "Be kind, says 2026.1.") {
		t.Fatalf("started: %+v", s)
	}
	done, seq, err := h.Approve(h.as("boss"), s.ID, "welcome")
	if err != nil || done.State != gatehouse.Approved || done.DecidedBy != "user:boss" {
		t.Fatalf("approved: %+v, %v", done, err)
	}
	changes, _, err := h.db.Changes(t.Context(), seq-1, 100)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, c := range changes {
		if c.Seq == seq {
			key, _, _ := strings.Cut(c.Key, "Onboarding shop-1/")
			keys = append(keys, key)
		}
	}
	want := []string{"Decision/", "Guard/catalog", "Onboarding/shop-1", "RoleAssignment/shop-1-ann", "RoleAssignment/shop-1-new@example.com", "Team/shop", "User/new@example.com"}
	if slices.Sort(keys); !slices.Equal(keys, want) {
		t.Errorf("one transaction wrote %q, want %q", keys, want)
	}
	v, err := h.catalog.Get(t.Context(), gatehouse.KindTeam, "", "shop", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	const team = `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"contacts":{"email":"shop@example.com"},"costCentre":"4711","environments":["dev","prod"],"members":["user:ann","user:new@example.com"],"quotas":{"apis":7,"applications":3,"requests":1000},"title":"Shop"}}`
	if string(v.Text) != team {
		t.Errorf("team: %s", v.Text)
	}
	for subject, want := range map[string]bool{"user:ann": true, "user:new@example.com": true, "user:bob": false} {
		if got := h.guard.Can(subject, "api.put", access.On{Kind: gatehouse.KindAPI, Team: "shop", Name: "x"}).Allowed; got != want {
			t.Errorf("%s may put APIs: %t", subject, got)
		}
	}
	if n, e := h.events("onboarding.approve"); n != 1 || e.Actor != "user:boss" || e.Object != "Onboarding shop-1" || e.Team != "shop" || e.Reason != "welcome" {
		t.Errorf("%d events, the last %+v", n, e)
	}
	_, _, err = h.Approve(h.as("chief"), s.ID, "")
	h.refused(err, gatehouse.Conflict, "it is approved already by user:boss")
	_, _, err = h.Reject(h.as("chief"), s.ID, "no")
	h.refused(err, gatehouse.Conflict, "it is approved already")
	_, _, err = h.Withdraw(h.as("ann"), s.ID, "")
	h.refused(err, gatehouse.Conflict, "it is approved already")
}

func TestNobodyApprovesTheirOwn(t *testing.T) {
	h := newHouse(t).furnish()
	r := request("shop")
	r.Members = []string{"user:ann", "user:boss", "group:devs"}
	s := h.start("chief", r, "")
	for who, want := range map[string]string{"chief": "asked for it", "boss": "among the members", "bob": "among the members"} {
		_, _, err := h.Approve(h.as(who), s.ID, "")
		h.refused(err, gatehouse.Denied, want)
		_, _, err = h.Reject(h.as(who), s.ID, "no")
		h.refused(err, gatehouse.Denied, want)
	}
	if _, _, err := h.Approve(system(t.Context()), s.ID, ""); err != nil {
		t.Error(err)
	}
}

// Nobody decides on their own request by way of a service account, on either side.
func TestNobodyApprovesTheirOwnThroughAProgram(t *testing.T) {
	h := newHouse(t).furnish()
	h.apply(h.doc(`{"apiVersion":"gatehouse/v1","kind":"ServiceAccount","metadata":{"name":"bot"},"spec":{}}`))
	if _, _, err := h.guard.CreateToken(h.as("boss"), access.TokenRequest{Subject: "service:bot"}); err != nil {
		t.Fatal(err)
	}
	r := request("shop")
	r.Members = []string{"user:ann"}
	s, _, err := h.Start(audit.WithRequest(t.Context(), audit.Request{Actor: "service:bot"}), r, Accept{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = h.Approve(h.as("boss"), s.ID, "")
	h.refused(err, gatehouse.Denied, `"user:boss" is behind "service:bot", which asked for it`)
	_, _, err = h.Approve(audit.WithRequest(t.Context(), audit.Request{Actor: "service:other"}), s.ID, "")
	h.refused(err, gatehouse.Denied, `"service:other" is no person`)
	if _, _, err := h.Approve(h.as("chief"), s.ID, ""); err != nil {
		t.Error(err)
	}
}

func TestWhatIsAskedForIsChecked(t *testing.T) {
	h := newHouse(t).furnish()
	h.inForce("2026.1", "")
	tests := []struct {
		name   string
		who    string
		change func(*gatehouse.OnboardingRequest, *Accept)
		kind   gatehouse.ErrorKind
		want   string
	}{
		{"a team that exists", "bob", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Team = "old" }, gatehouse.Conflict, "it exists already; one of its members"},
		{"unknown environment", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Environments = []string{"dev", "prd"} }, gatehouse.Invalid, `environments[1]: environment "prd" does not exist; did you mean "prod"?`},
		{"no acceptance", "ann", func(_ *gatehouse.OnboardingRequest, a *Accept) { a.Version = "" }, gatehouse.Invalid, `accept "corporate@2026.1"`},
		{"a version not in force", "ann", func(_ *gatehouse.OnboardingRequest, a *Accept) { a.Version = "2025.4" }, gatehouse.Conflict, `version "2025.4" of framework "corporate" is not in force, "2026.1" is`},
		{"other words", "ann", func(_ *gatehouse.OnboardingRequest, a *Accept) { a.Hash = strings.Repeat("0", 64) }, gatehouse.Conflict, "read them again"},
		{"another framework", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Framework = "strict" }, gatehouse.Invalid, `framework "strict" has no version in force; in force: "corporate@2026.1"`},
		{"no name", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Team = "" }, gatehouse.Invalid, "team is missing"},
		{"a name that is none", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Team = "Shop/1" }, gatehouse.Invalid, "is not a name"},
		{"no reason", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Why = " " }, gatehouse.Invalid, "why is missing"},
		{"nobody", "", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Members = nil }, gatehouse.Invalid, "members: is empty"},
		{"a program", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Members[0] = "service:ci" }, gatehouse.Invalid, "is a program"},
		{"an unknown group", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Members[0] = "group:none" }, gatehouse.Invalid, `group "none" does not exist`},
		{"one twice", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Members[1] = "user:ann" }, gatehouse.Invalid, "stands twice"},
		{"very many", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Members = make([]string, 101) }, gatehouse.Invalid, "are 101; at most 100"},
		{"no environment", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Environments = nil }, gatehouse.Invalid, "environments: is empty"},
		{"no data", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Data = nil }, gatehouse.Invalid, "which classes of data"},
		{"unknown data", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Data = []string{"secret"} }, gatehouse.Invalid, `"secret" is not one of`},
		{"no contact", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Contacts = nil }, gatehouse.Invalid, "contacts.email: is missing"},
		{"an end that is over", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Expires = "2026-12-31" }, gatehouse.Invalid, "is over already"},
		{"a quota below zero", "ann", func(r *gatehouse.OnboardingRequest, _ *Accept) { r.Quotas = &gatehouse.TeamQuotas{APIs: -1} }, gatehouse.Invalid, "below 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			r, a := request("shop"), Accept{Version: "2026.1"}
			tt.change(&r, &a)
			before, _ := h.db.Head(t.Context())
			who := h.as(tt.who)
			if tt.who == "" {
				who = audit.WithRequest(t.Context(), audit.Request{Actor: "service:ci"})
			}
			_, _, err := h.Start(who, r, a)
			h.refused(err, tt.kind, tt.want)
			if after, _ := h.db.Head(t.Context()); after != before {
				t.Error("a refused request was written")
			}
		})
	}
}

func TestATeamAsksForMore(t *testing.T) {
	h := newHouse(t).furnish()
	more := func(envs []string, q *gatehouse.TeamQuotas) gatehouse.OnboardingRequest {
		return gatehouse.OnboardingRequest{Team: "old", Why: "we grow", Environments: envs, Quotas: q}
	}
	for _, tt := range []struct {
		r    gatehouse.OnboardingRequest
		kind gatehouse.ErrorKind
		want string
	}{
		{more(nil, nil), gatehouse.Conflict, "nothing more is asked for"},
		{more([]string{"dev"}, nil), gatehouse.Invalid, `is allowed in "dev" already`},
		{more(nil, &gatehouse.TeamQuotas{APIs: 2}), gatehouse.Invalid, "2 is not more than the 2 it has"},
		{more(nil, &gatehouse.TeamQuotas{Applications: 2}), gatehouse.Invalid, "has no bound on applications"},
		{gatehouse.OnboardingRequest{Team: "old", Why: "x", Members: []string{"user:bob"}, Environments: []string{"prod"}}, gatehouse.Invalid, "members: is for a new team"},
	} {
		_, _, err := h.Start(h.as("ann"), tt.r, Accept{})
		h.refused(err, tt.kind, tt.want)
	}
	s := h.start("ann", more([]string{"prod"}, &gatehouse.TeamQuotas{APIs: 5}), "")
	if !s.More {
		t.Fatalf("%+v", s)
	}
	_, _, err := h.Approve(h.as("ann"), s.ID, "")
	h.refused(err, gatehouse.Denied, "asked for it")
	if _, _, err := h.Approve(h.as("boss"), s.ID, ""); err != nil {
		t.Fatal(err)
	}
	v, _ := h.catalog.Get(t.Context(), gatehouse.KindTeam, "", "old", time.Time{})
	if team := v.Object.Spec.(*gatehouse.Team); !slices.Equal(team.Environments, []string{"dev", "prod"}) || team.Quotas.APIs != 5 || !slices.Equal(team.Members, []string{"user:ann"}) {
		t.Errorf("%s", v.Text)
	}
	if s := h.start("ann", more(nil, &gatehouse.TeamQuotas{APIs: 9}), ""); s.ID != "old-2" {
		t.Errorf("the second is %q", s.ID)
	}
}

func TestQuestionsAndAnswers(t *testing.T) {
	h := newHouse(t).furnish()
	h.inForce("2026.1", "")
	s := h.start("ann", request("shop"), "2026.1")
	_, _, err := h.Answer(h.as("ann"), s.ID, Answer{Text: "because"})
	h.refused(err, gatehouse.Conflict, "nothing was asked back")
	if s, _, err = h.Ask(h.as("boss"), s.ID, "why prod?"); err != nil || s.State != gatehouse.AskedBack {
		t.Fatalf("%+v, %v", s, err)
	}
	_, _, err = h.Approve(h.as("boss"), s.ID, "")
	h.refused(err, gatehouse.Conflict, "waits for an answer")
	_, _, err = h.Ask(h.as("boss"), s.ID, "and?")
	h.refused(err, gatehouse.Conflict, "waits for an answer")
	_, _, err = h.Answer(h.as("bob"), s.ID, Answer{Text: "me too"})
	h.refused(err, gatehouse.Denied, "has no part in it")
	r := request("shop")
	r.Environments = []string{"nowhere"}
	_, _, err = h.Answer(h.as("ann"), s.ID, Answer{Text: "then here", Request: &r})
	h.refused(err, gatehouse.Invalid, "does not exist")
	r = request("other")
	_, _, err = h.Answer(h.as("ann"), s.ID, Answer{Text: "x", Request: &r})
	h.refused(err, gatehouse.Invalid, "for team \"other\" ask anew")

	// The framework moves on meanwhile: what was accepted is not in force any more.
	h.inForce("2026.2", "")
	if s, _, err = h.Answer(h.as("ann"), s.ID, Answer{Text: "our customers are there"}); err != nil || s.State != gatehouse.Answered {
		t.Fatalf("%+v, %v", s, err)
	}
	_, _, err = h.Approve(h.as("boss"), s.ID, "")
	h.refused(err, gatehouse.Conflict, `version "2026.1" of framework "corporate", which was accepted, is not in force any more, "2026.2" is: ask back`)
	if notes, err := h.Notes(t.Context(), &s.Onboarding); err != nil || len(notes) != 1 {
		t.Errorf("notes: %q, %v", notes, err)
	}
	if _, _, err = h.Ask(h.as("boss"), s.ID, "please accept 2026.2, and why prod?"); err != nil {
		t.Fatal(err)
	}
	r = request("shop")
	r.Environments = []string{"dev"}
	_, _, err = h.Answer(h.as("ann"), s.ID, Answer{Text: "dev will do", Request: &r})
	h.refused(err, gatehouse.Conflict, `version "2026.1" of framework "corporate" is not in force`)
	if s, _, err = h.Answer(h.as("ann"), s.ID, Answer{Text: "dev will do", Request: &r, Accept: Accept{Version: "2026.2"}}); err != nil {
		t.Fatal(err)
	}
	if s.Acceptance.Version != "2026.2" || len(s.Comments) != 4 || s.Comments[0].Is != "question" || s.Comments[3].Text != "dev will do" {
		t.Errorf("%+v", s)
	}
	if s, _, err = h.Approve(h.as("chief"), s.ID, ""); err != nil {
		t.Fatal(err)
	}
	v, _ := h.catalog.Get(t.Context(), gatehouse.KindTeam, "", "shop", time.Time{})
	if team := v.Object.Spec.(*gatehouse.Team); !slices.Equal(team.Environments, []string{"dev"}) {
		t.Errorf("%s", v.Text)
	}
}

func TestCommentsAreBounded(t *testing.T) {
	h := newHouse(t).furnish()
	s := h.start("ann", request("shop"), "")
	_, _, err := h.Ask(h.as("boss"), s.ID, strings.Repeat("x", gatehouse.MaxComment+1))
	h.refused(err, gatehouse.Invalid, "at most 4000")
	for range gatehouse.MaxOnboardingComments / 2 {
		if _, _, err = h.Ask(h.as("boss"), s.ID, "?"); err == nil {
			_, _, err = h.Answer(h.as("ann"), s.ID, Answer{Text: "!"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = h.Ask(h.as("boss"), s.ID, "?")
	h.refused(err, gatehouse.Conflict, "decide on it")
}

func TestRulesLetThrough(t *testing.T) {
	h := newHouse(t).furnish()
	const dev = `request.environments.all(e, e.stage == "dev") && request.quotas.apis <= 5`
	h.inForce("2026.1", `,"onboarding":{"autoApprove":[`+string(must(json.Marshal(dev)))+`]}`)
	r := request("play")
	r.Environments = []string{"dev"}
	s := h.start("ann", r, "2026.1")
	if s.State != gatehouse.Approved || s.DecidedBy != "system" || s.Rule != dev {
		t.Fatalf("%+v", s)
	}
	if _, e := h.events("onboarding.approve"); e.Actor != "system" || e.Reason != "rule: "+dev {
		t.Errorf("%+v", e)
	}
	if s := h.start("ann", request("shop"), "2026.1"); s.State != gatehouse.Requested || s.Rule != "" {
		t.Errorf("prod went through: %+v", s)
	}

	// A rule decides, but the assignment's name is taken: a person has to look.
	h.apply(h.doc(`{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"taken-1-ann"},"spec":{"subject":"user:bob","role":"viewer","scope":"team/old"}}`))
	r = request("taken")
	r.Environments = []string{"dev"}
	s = h.start("ann", r, "2026.1")
	if s.State != gatehouse.Requested || s.Rule != "" || len(s.Comments) != 1 || !strings.Contains(s.Comments[0].Text, "taken-1-ann") {
		t.Errorf("%+v", s)
	}

	// A process that died between asking and letting through: another does it.
	r = request("late")
	r.Environments = []string{"dev"}
	late, _, err := h.Desk.start(h.as("ann"), r, Accept{Version: "2026.1"})
	if err != nil || late.State != gatehouse.Requested {
		t.Fatalf("%+v, %v", late, err)
	}
	for range 2 {
		if err := h.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if late, err = h.Get(t.Context(), late.ID); err != nil || late.State != gatehouse.Approved || late.DecidedBy != "system" {
		t.Errorf("%+v, %v", late, err)
	}
	// A rule does not decide what a person asked about.
	asked, _, err := h.Desk.start(h.as("ann"), func() gatehouse.OnboardingRequest { r.Team = "asked"; return r }(), Accept{Version: "2026.1"})
	if err == nil {
		_, _, err = h.Ask(h.as("boss"), asked.ID, "really?")
	}
	if err == nil {
		asked, _, err = h.Answer(h.as("ann"), asked.ID, Answer{Text: "yes"})
	}
	if err == nil {
		err = h.Settle(t.Context())
	}
	if asked, err = h.Get(t.Context(), asked.ID); err != nil || asked.State != gatehouse.Answered {
		t.Errorf("%+v, %v", asked, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOneOfATeamIsOpen(t *testing.T) {
	h := newHouse(t).furnish()
	r := request("shop")
	r.Members = nil
	s := h.start("ann", r, "")
	if !slices.Equal(s.Request.Members, []string{"user:ann"}) {
		t.Errorf("whoever asks alone is no member: %q", s.Request.Members)
	}
	_, _, err := h.Start(h.as("bob"), request("shop"), Accept{})
	h.refused(err, gatehouse.Conflict, `on-boarding "shop-1" of it is requested already`)
	_, _, err = h.Withdraw(h.as("boss"), s.ID, "")
	h.refused(err, gatehouse.Denied, "has no part in it")
	if _, _, err := h.Withdraw(h.as("ann"), s.ID, "wrong name"); err != nil {
		t.Fatal(err)
	}
	if s := h.start("bob", request("shop"), ""); s.ID != "shop-2" {
		t.Errorf("%q", s.ID)
	}
	_, _, err = h.Reject(h.as("boss"), "shop-2", "")
	h.refused(err, gatehouse.Invalid, "a reason is needed")
	if s, _, err := h.Reject(h.as("boss"), "shop-2", "we have one"); err != nil || s.State != gatehouse.Rejected || s.Reason != "we have one" {
		t.Errorf("%+v, %v", s, err)
	}
	_, _, err = h.Approve(h.as("boss"), "none-1", "")
	h.refused(err, gatehouse.NotFound, `there is no on-boarding "none-1"`)
	for i := range MaxOpen {
		h.start("ann", request(fmt.Sprintf("many-%d", i)), "")
	}
	_, _, err = h.Start(h.as("ann"), request("one-more"), Accept{})
	h.refused(err, gatehouse.Conflict, "of yours are open")
	page, next, err := h.List(t.Context(), Filter{Asker: "user:ann", State: gatehouse.Requested, Limit: 15})
	if err != nil || len(page) != 15 || next == "" {
		t.Fatalf("%d, %q, %v", len(page), next, err)
	}
	if page, next, err = h.List(t.Context(), Filter{Asker: "user:ann", State: gatehouse.Requested, Limit: 15, After: next}); err != nil || len(page) != 5 || next != "" {
		t.Errorf("%d, %q, %v", len(page), next, err)
	}
}

// The team comes into being some other way while its on-boarding waits.
func TestATeamThatIsThereMeanwhile(t *testing.T) {
	h := newHouse(t).furnish()
	s := h.start("ann", request("shop"), "")
	h.apply(h.doc(`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{}}`))
	_, _, err := h.Approve(h.as("boss"), s.ID, "")
	h.refused(err, gatehouse.Conflict, `team "shop" exists by now`)
	more := h.start("ann", gatehouse.OnboardingRequest{Team: "old", Why: "x", Environments: []string{"prod"}}, "")
	if err := h.catalog.Delete(t.Context(), gatehouse.KindTeam, "", "old", nil, catalog.Request{}); err != nil {
		t.Fatal(err)
	}
	_, _, err = h.Approve(h.as("boss"), more.ID, "")
	h.refused(err, gatehouse.Conflict, `team "old" is gone`)
}

// Two control planes on one database: whoever asks, approves, rejects and
// withdraws at once, each on-boarding is decided once and makes its team once.
func TestDecidedOnceByTwoNodes(t *testing.T) {
	db := memory.New()
	a := newHouseOn(t, db).furnish()
	b := newHouseOn(t, db)
	for round := range 15 {
		team := fmt.Sprintf("team-%d", round)
		var wg sync.WaitGroup
		started := make([]error, 4)
		for i := range started {
			wg.Go(func() {
				_, _, started[i] = []*house{a, b}[i%2].Start(a.as("ann"), request(team), Accept{})
			})
		}
		wg.Wait()
		if n := count(started); n != 1 {
			t.Fatalf("%d on-boardings of %s were started: %v", n, team, started)
		}
		if err := b.guard.CatchUp(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		id := team + "-1"
		decided := make([]error, 6)
		for i, do := range []func() error{
			func() error { _, _, err := a.Approve(a.as("boss"), id, ""); return err },
			func() error { _, _, err := b.Approve(b.as("chief"), id, ""); return err },
			func() error { _, _, err := b.Approve(b.as("boss"), id, ""); return err },
			func() error { _, _, err := a.Reject(a.as("chief"), id, "no"); return err },
			func() error { _, _, err := b.Withdraw(b.as("ann"), id, ""); return err },
			func() error { _, _, err := a.Approve(a.as("chief"), id, ""); return err },
		} {
			wg.Go(func() { decided[i] = do() })
		}
		wg.Wait()
		if n := count(decided); n != 1 {
			t.Fatalf("%s was decided %d times: %v", id, n, decided)
		}
		for _, err := range decided {
			if err != nil && !gatehouse.Is(err, gatehouse.Conflict) {
				t.Errorf("%s: %v", id, err)
			}
		}
		s, err := a.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.catalog.Get(t.Context(), gatehouse.KindTeam, "", team, time.Time{})
		if (err == nil) != (s.State == gatehouse.Approved) {
			t.Errorf("%s is %s, and of its team: %v", id, s.State, err)
		}
	}
}

func count(errs []error) (done int) {
	for _, err := range errs {
		if err == nil {
			done++
		}
	}
	return done
}
