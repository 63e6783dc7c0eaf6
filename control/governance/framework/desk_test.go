package framework_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/framework"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A site is a store with the rooms that a framework goes through.
type site struct {
	*testing.T
	db      store.DB
	trail   *audit.Trail
	guard   *access.Guard
	catalog *catalog.Catalog
	desk    *framework.Desk
	now     time.Time
}

func newSite(t *testing.T) *site {
	s := &site{T: t, db: memory.New(), now: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)}
	s.trail = &audit.Trail{DB: s.db, Now: func() time.Time { return s.now }}
	var err error
	if s.guard, err = access.Open(t.Context(), s.trail, nil); err != nil {
		t.Fatal(err)
	}
	s.catalog = catalog.New(s.trail)
	s.desk = framework.New(s.trail, s.guard)
	for _, who := range []string{"carol", "dave", "erin", "ann"} {
		s.must(s.apply("user:admin", `{"kind":"RoleAssignment","metadata":{"name":"`+who+`"},"spec":{"subject":"user:`+who+`","role":"compliance","scope":"organization"}}`))
	}
	return s
}

func (s *site) as(who string) context.Context {
	return audit.WithRequest(s.Context(), audit.Request{Actor: who, Authentication: "token:x"})
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// refused demands an error that says want.
func (s *site) refused(err error, kind gatehouse.ErrorKind, want string) {
	s.Helper()
	if err == nil || gatehouse.KindOf(err) != kind || !strings.Contains(err.Error(), want) {
		s.Fatalf("got %v (%s), want %s: %q", err, gatehouse.KindOf(err), kind, want)
	}
}

func (s *site) apply(who, doc string) error {
	o, err := gatehouse.DecodeObject([]byte(`{"apiVersion":"gatehouse/v1",` + doc[1:]))
	if err != nil {
		return err
	}
	_, err = s.catalog.Apply(s.as(who), catalog.Request{Documents: []catalog.Document{{Object: o}}})
	return err
}

// framework applies corporate with the versions, each as its JSON without braces.
func (s *site) framework(who, spec string, versions ...string) error {
	list := ""
	for i, v := range versions {
		if i > 0 {
			list += ","
		}
		list += "{" + v + "}"
	}
	return s.apply(who, `{"kind":"Framework","metadata":{"name":"corporate"},"spec":{`+spec+`"versions":[`+list+`]}}`)
}

func (s *site) move(do func(context.Context, string, string, string) (*framework.Moved, error), who, version, reason string) error {
	_, err := do(s.as(who), "corporate", version, reason)
	return err
}

func (s *site) submit(who, version string) error { return s.move(s.desk.Submit, who, version, "") }

func (s *site) approve(who, version string) error {
	_, err := s.desk.Approve(s.as(who), "corporate", version, framework.Word{Comment: "fine"})
	return err
}

func (s *site) enforce(version string) error {
	return s.move(s.desk.Enforce, "user:ann", version, "")
}

func (s *site) state(version string) string {
	s.Helper()
	v, err := s.desk.Show(s.Context(), "corporate", version)
	s.must(err)
	return v.State
}

const one = `"name":"1","controls":[{"id":"a","check":{"cel":{"expression":"true"}}}]`

// A version goes from draft to in force, and the next one supersedes it.
func TestLife(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	s.refused(s.approve("user:carol", "1"), gatehouse.Conflict, "only what is submitted is decided on; submit it with")
	s.refused(s.enforce("1"), gatehouse.Conflict, "only what is approved is put in force")
	s.must(s.submit("user:ann", "1"))
	s.refused(s.submit("user:ann", "1"), gatehouse.Conflict, "it is submitted already")
	s.must(s.approve("user:carol", "1"))
	s.refused(s.enforce("1"), gatehouse.Conflict, "it is submitted")
	s.must(s.approve("user:dave", "1"))
	if got := s.state("1"); got != gatehouse.Approved {
		t.Fatalf("got %s after two approvals", got)
	}
	s.must(s.enforce("1"))
	s.refused(s.enforce("1"), gatehouse.Conflict, "in force already")
	standing, err := s.desk.Standing(t.Context(), "corporate")
	s.must(err)
	if standing.InForce != "1" || !standing.Governed.Equal(s.now) {
		t.Errorf("in force %q, governed %v", standing.InForce, standing.Governed)
	}
	s.must(s.framework("user:ann", "", one, `"name":"2"`))
	for _, do := range []error{s.submit("user:ann", "2"), s.approve("user:carol", "2"), s.approve("user:dave", "2"), s.enforce("2")} {
		s.must(do)
	}
	if s.state("1") != gatehouse.Superseded || s.state("2") != gatehouse.InForce {
		t.Errorf("got 1 %s, 2 %s", s.state("1"), s.state("2"))
	}
	s.refused(s.move(s.desk.Withdraw, "user:carol", "2", ""), gatehouse.Invalid, "reason is missing")
	s.must(s.move(s.desk.Withdraw, "user:carol", "2", "the auditor objects"))
	standing, err = s.desk.Standing(t.Context(), "corporate")
	s.must(err)
	if standing.InForce != "" || standing.Governed.IsZero() || s.state("2") != gatehouse.Withdrawn {
		t.Errorf("after withdrawal: %+v", standing.FrameworkState)
	}
	s.refused(s.move(s.desk.Withdraw, "user:carol", "2", "again"), gatehouse.Conflict, "withdrawn already")
	s.refused(s.enforce("2"), gatehouse.Conflict, "make a new version")
	s.refused(s.submit("user:ann", "3"), gatehouse.NotFound, `no version "3"`)
	_, err = s.desk.Submit(s.as("user:ann"), "nothing", "1", "")
	s.refused(err, gatehouse.NotFound, `no framework "nothing"`)
	if broken, err := s.trail.Verify(t.Context(), 0, 0); err != nil || !broken.OK() {
		t.Errorf("trail: %+v, %v", broken, err)
	}
}

// An author who makes tokens for those who approve may use them: what is said
// with one does not count, nor with one that was made by means of one.
func TestTokenThatAnAuthorMade(t *testing.T) {
	s := newSite(t)
	for _, who := range []string{"ann", "boss", "carol", "dave"} {
		s.must(s.apply("user:admin", `{"kind":"User","metadata":{"name":"`+who+`"},"spec":{}}`))
	}
	for _, who := range []string{"ann", "boss"} {
		s.must(s.apply("user:admin", `{"kind":"RoleAssignment","metadata":{"name":"all-`+who+`"},"spec":{"subject":"user:`+who+`","role":"admin","scope":"organization"}}`))
	}
	s.must(s.guard.CatchUp(t.Context(), 0))
	with := func(by, how, subject string) context.Context {
		s.Helper()
		_, token, err := s.guard.CreateToken(audit.WithRequest(t.Context(), audit.Request{Actor: by, Authentication: how}), access.TokenRequest{Subject: subject})
		s.must(err)
		return audit.WithRequest(t.Context(), audit.Request{Actor: subject, Authentication: "token:" + token.ID})
	}
	s.must(s.framework("user:ann", `"approvals":1,`, one))
	s.must(s.submit("user:ann", "1"))
	carol := with("user:ann", "none", "user:carol")
	_, err := s.desk.Approve(carol, "corporate", "1", framework.Word{})
	s.refused(err, gatehouse.Denied, `the token of "user:carol" goes back to "user:ann", an author of this version`)
	again := with("user:carol", audit.From(carol).Authentication, "user:carol")
	_, err = s.desk.Approve(again, "corporate", "1", framework.Word{})
	s.refused(err, gatehouse.Denied, `goes back to "user:ann"`)
	code, _, err := s.guard.CreateLoginCode(carol, "user:carol")
	s.must(err)
	_, session, err := s.guard.RedeemLoginCode(t.Context(), code)
	s.must(err)
	_, err = s.desk.Approve(audit.WithRequest(t.Context(), audit.Request{Actor: "user:carol", Authentication: "session:" + session.ID}), "corporate", "1", framework.Word{})
	s.refused(err, gatehouse.Denied, `goes back to "user:ann"`)
	if _, err := s.desk.Approve(with("user:boss", "none", "user:dave"), "corporate", "1", framework.Word{}); err != nil {
		t.Errorf("with a token that no author made: %v", err)
	}
}

// Who approves: persons, once, not authors, not who submitted, and not behind a
// service account that wrote it.
func TestFourEyes(t *testing.T) {
	s := newSite(t)
	s.must(s.apply("user:admin", `{"kind":"Team","metadata":{"name":"platform"},"spec":{"members":["group:builders"]}}`))
	s.must(s.apply("user:admin", `{"kind":"Group","metadata":{"name":"builders"},"spec":{"members":["user:erin"]}}`))
	s.must(s.apply("user:admin", `{"kind":"ServiceAccount","metadata":{"name":"ci"},"spec":{"team":"platform"}}`))
	s.must(s.guard.CatchUp(t.Context(), 0))
	_, _, err := s.guard.CreateToken(s.as("user:dave"), access.TokenRequest{Subject: "service:ci"})
	s.must(err)
	hands, err := s.guard.Hands(t.Context(), "service:ci")
	s.must(err)
	if !hands["user:dave"] || hands["user:erin"] {
		t.Errorf("hands of ci: %v, want who made its token, and nobody for being of its team", hands)
	}
	s.must(s.framework("user:ann", "", `"name":"1"`))
	s.must(s.framework("service:ci", "", one))
	s.must(s.submit("user:frank", "1"))
	s.refused(s.approve("user:ann", "1"), gatehouse.Denied, "is an author of this version")
	s.refused(s.approve("user:erin", "1"), gatehouse.Denied, "service account")
	s.refused(s.approve("user:dave", "1"), gatehouse.Denied, "service account")
	s.refused(s.approve("user:frank", "1"), gatehouse.Denied, "submitted it")
	s.refused(s.approve("service:other", "1"), gatehouse.Denied, "is no person")
	s.must(s.approve("user:carol", "1"))
	s.refused(s.approve("user:carol", "1"), gatehouse.Conflict, "has approved this text already")
	_, err = s.desk.Reject(s.as("user:carol"), "corporate", "1", framework.Word{Comment: "on second thoughts"})
	s.refused(err, gatehouse.Conflict, "a decision is not changed")
	if s.state("1") != gatehouse.Submitted {
		t.Error("one approval was enough for two")
	}
}

// An approval by somebody whose role ended does not count when the version is
// to be put in force; another one makes up for it.
func TestRoleEnded(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	for _, do := range []error{s.submit("user:ann", "1"), s.approve("user:carol", "1"), s.approve("user:dave", "1")} {
		s.must(do)
	}
	s.must(s.catalog.Delete(s.as("user:admin"), gatehouse.KindRoleAssignment, "", "dave", nil, catalog.Request{}))
	s.refused(s.enforce("1"), gatehouse.Conflict, `1 of 2 approvals count: "user:dave" may not approve frameworks any more`)
	v, err := s.desk.Show(t.Context(), "corporate", "1")
	s.must(err)
	if fmt.Sprint(v.Counted, v.Uncounted) != "[user:carol] [{user:dave may not approve frameworks any more}]" {
		t.Errorf("got %v, %v", v.Counted, v.Uncounted)
	}
	s.must(s.approve("user:erin", "1"))
	s.must(s.enforce("1"))
}

// A role with an end counts until then.
func TestRoleExpires(t *testing.T) {
	s := newSite(t)
	s.must(s.apply("user:admin", `{"kind":"RoleAssignment","metadata":{"name":"gus"},"spec":{"subject":"user:gus","role":"compliance","scope":"organization","expires":"2027-03-02"}}`))
	s.must(s.framework("user:ann", "", one))
	for _, do := range []error{s.submit("user:ann", "1"), s.approve("user:carol", "1"), s.approve("user:gus", "1")} {
		s.must(do)
	}
	s.now = s.now.AddDate(0, 0, 3)
	s.refused(s.enforce("1"), gatehouse.Conflict, "1 of 2 approvals count")
}

// What was submitted is not edited, renamed away, claimed or deleted by files.
func TestFilesDoNotWalkAround(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	s.refused(s.framework("user:ann", "", one+`,"state":"in-force"`), gatehouse.Invalid, `spec.versions[0].state: "in-force": it is draft; leave state out, and use "gatehouse framework enforce corporate@1"`)
	s.must(s.framework("user:ann", "", one+`,"state":"draft"`))
	s.must(s.submit("user:ann", "1"))
	check := func(state string) {
		t.Helper()
		s.refused(s.framework("user:ann", "", strings.Replace(one, `"true"`, `"false"`, 1)), gatehouse.Invalid, `spec.versions[0].controls[0].check.cel.expression: version "1" is `+state+`, and its text is fixed since it was submitted: make a new version`)
		s.refused(s.framework("user:ann", "", `"name":"1"`), gatehouse.Invalid, "make a new version")
		s.refused(s.framework("user:ann", "", `"name":"2"`), gatehouse.Invalid, `version "1" is `+state+` and cannot be taken out: withdraw it first`)
		s.refused(s.catalog.Delete(s.as("user:ann"), gatehouse.KindFramework, "", "corporate", nil, catalog.Request{}), gatehouse.Conflict, "withdraw it first")
		s.must(s.framework("user:ann", `"title":"`+state+`",`, one+`,"state":"`+state+`"`))
		s.must(s.framework("user:ann", "", one))
	}
	check(gatehouse.Submitted)
	s.must(s.approve("user:carol", "1"))
	s.must(s.approve("user:dave", "1"))
	check(gatehouse.Approved)
	s.must(s.enforce("1"))
	check(gatehouse.InForce)
	s.must(s.move(s.desk.Withdraw, "user:carol", "1", "wrong"))
	s.refused(s.framework("user:ann", "", `"name":"1"`), gatehouse.Invalid, "make a new version")
	s.must(s.catalog.Delete(s.as("user:ann"), gatehouse.KindFramework, "", "corporate", nil, catalog.Request{}))
	s.refused(s.framework("user:ann", "", `"name":"1"`), gatehouse.Invalid, "make a new version")
	s.must(s.framework("user:ann", "", `"name":"2"`))
}

// Who wrote a draft stays its author though it was taken out in between.
func TestAuthorsAreRemembered(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:carol", "", `"name":"0"`, one))
	s.must(s.framework("user:ann", "", `"name":"0"`))
	s.must(s.framework("user:ann", "", `"name":"0"`, one))
	s.must(s.framework("user:dave", `"title":"Only the title",`, `"name":"0"`, one))
	s.must(s.submit("user:ann", "1"))
	s.refused(s.approve("user:carol", "1"), gatehouse.Denied, "author")
	s.must(s.approve("user:dave", "1"))
}

// A rejected version is a draft again; its text is not submitted twice, and
// approvals of it are not taken for ones of the next text.
func TestReject(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	s.must(s.submit("user:ann", "1"))
	s.must(s.approve("user:carol", "1"))
	_, err := s.desk.Reject(s.as("user:dave"), "corporate", "1", framework.Word{})
	s.refused(err, gatehouse.Invalid, "reason is missing")
	_, err = s.desk.Reject(s.as("user:dave"), "corporate", "1", framework.Word{Comment: "too lax"})
	s.must(err)
	if s.state("1") != gatehouse.Draft {
		t.Errorf("got %s", s.state("1"))
	}
	s.refused(s.submit("user:ann", "1"), gatehouse.Conflict, `"user:dave" rejected this text on 2027-03-01 ("too lax"): change it`)
	s.must(s.framework("user:ann", "", strings.Replace(one, `"true"`, `"1 == 1"`, 1)))
	s.must(s.submit("user:ann", "1"))
	v, err := s.desk.Show(t.Context(), "corporate", "1")
	s.must(err)
	if len(v.Counted) != 0 || len(v.Decisions) != 2 {
		t.Errorf("counted %v of %v", v.Counted, v.Decisions)
	}
	for _, do := range []error{s.approve("user:dave", "1"), s.approve("user:carol", "1"), s.enforce("1")} {
		s.must(do)
	}
}

// Fewer approvals hold from the version after the one that states them.
func TestFewerApprovals(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", `"approvals":3,`, one))
	for _, do := range []error{s.submit("user:ann", "1"), s.approve("user:carol", "1"), s.approve("user:dave", "1")} {
		s.must(do)
	}
	s.refused(s.enforce("1"), gatehouse.Conflict, "it is submitted")
	s.must(s.approve("user:erin", "1"))
	s.must(s.enforce("1"))
	s.must(s.framework("user:ann", `"approvals":1,`, one, `"name":"2"`))
	s.must(s.submit("user:ann", "2"))
	s.must(s.approve("user:carol", "2"))
	if s.state("2") != gatehouse.Submitted {
		t.Error("the author lowered the number for their own version")
	}
	for _, do := range []error{s.approve("user:dave", "2"), s.approve("user:erin", "2"), s.enforce("2")} {
		s.must(do)
	}
	s.must(s.framework("user:ann", `"approvals":1,`, one, `"name":"2"`, `"name":"3"`))
	for _, do := range []error{s.submit("user:ann", "3"), s.approve("user:carol", "3"), s.enforce("3")} {
		s.must(do)
	}
}

func TestValidity(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", `"approvals":1,`, `"name":"1","validFrom":"2027-04-01","validUntil":"2027-05-31"`, `"name":"old","validUntil":"2027-02-28"`))
	s.refused(s.submit("user:ann", "old"), gatehouse.Conflict, "its last day was 2027-02-28")
	s.must(s.submit("user:ann", "1"))
	s.must(s.approve("user:carol", "1"))
	s.refused(s.enforce("1"), gatehouse.Conflict, "its first day is 2027-04-01")
	s.now = time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)
	s.must(s.enforce("1"))
	counts := func(want string) {
		t.Helper()
		for range 2 { // the second time, and another process, find it done
			s.must(s.desk.Sweep(t.Context()))
		}
		got := ""
		for e, err := range s.db.Events(t.Context(), store.EventQuery{}) {
			s.must(err)
			if e.Action == "framework.warn" || e.Action == "framework.expire" {
				got += e.Action[len("framework."):] + " "
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", s.now.Format(time.DateTime), got, want)
		}
	}
	counts("")
	s.now = time.Date(2027, 5, 2, 1, 0, 0, 0, time.UTC)
	counts("warn ")
	s.now = time.Date(2027, 5, 31, 12, 0, 0, 0, time.UTC)
	counts("warn warn ")
	s.now = time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	counts("warn warn expire ")
	if s.state("1") != gatehouse.InForce {
		t.Error("its policies fell away because a date passed")
	}
}

// Policy sets that a version includes are as they were when it was submitted.
func TestPolicySetsArePinned(t *testing.T) {
	s := newSite(t)
	s.must(s.apply("user:ann", `{"kind":"Team","metadata":{"name":"platform"},"spec":{}}`))
	set := func(seconds int) error {
		return s.apply("user:zoe", fmt.Sprintf(`{"kind":"PolicySet","metadata":{"team":"platform","name":"edge"},"spec":{"policies":[{"timeout":{"backend":"%ds"}}]}}`, seconds))
	}
	s.must(set(5))
	with := `"name":"1","policies":[{"policies":[{"policy-set":"platform/edge"}]}]`
	s.must(s.framework("user:ann", "", with))
	s.must(s.submit("user:ann", "1"))
	s.must(set(60))
	v, err := s.desk.Show(t.Context(), "corporate", "1")
	s.must(err)
	if got := string(v.Text.PolicySets["platform/edge"][0].Config); !strings.Contains(got, "5s") {
		t.Errorf("the text says %s", got)
	}
	s.must(s.framework("user:ann", `"title":"Changed",`, with))
}

// Two who approve at once are both counted, and one who does so twice at once
// is counted once.
func TestTwoAtOnce(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	s.must(s.submit("user:ann", "1"))
	second := framework.New(s.trail, s.guard) // another control plane
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i, who := range []string{"user:carol", "user:carol", "user:dave", "user:dave"} {
		desk := s.desk
		if i%2 == 1 {
			desk = second
		}
		wg.Go(func() { _, errs[i] = desk.Approve(s.as(who), "corporate", "1", framework.Word{}) })
	}
	wg.Wait()
	refused := 0
	for _, err := range errs {
		if err != nil {
			s.refused(err, gatehouse.Conflict, "already")
			refused++
		}
	}
	if refused != 2 || s.state("1") != gatehouse.Approved {
		t.Errorf("%d refused of 4, state %s: %v", refused, s.state("1"), errs)
	}
}

// Nothing changes or removes a decision: each is written where there was none,
// and the only act that ever writes one makes it.
func TestDecisionsStay(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	for _, do := range []error{s.submit("user:ann", "1"), s.approve("user:carol", "1"), s.approve("user:dave", "1"), s.enforce("1")} {
		s.must(do)
	}
	s.must(s.move(s.desk.Withdraw, "user:carol", "1", "wrong"))
	s.must(s.catalog.Delete(s.as("user:ann"), gatehouse.KindFramework, "", "corporate", nil, catalog.Request{}))
	page, err := s.db.List(t.Context(), store.Query{Kind: string(gatehouse.KindDecision)})
	s.must(err)
	if len(page.Records) != 2 {
		t.Fatalf("%d decisions", len(page.Records))
	}
	for _, r := range page.Records {
		n := 0
		for c, err := range s.db.History(t.Context(), r.Key) {
			s.must(err)
			n++
			if c.Deleted {
				t.Errorf("%s was deleted", r.Key)
			}
		}
		if n != 1 {
			t.Errorf("%s was written %d times", r.Key, n)
		}
	}
}

// Frameworks that an earlier program stored are taken over once, and by that no
// environment begins to demand the gate.
func TestAdopt(t *testing.T) {
	s := newSite(t)
	old := `{"apiVersion":"gatehouse/v1","kind":"Framework","metadata":{"name":"corporate"},"spec":{"versions":[{"name":"0","state":"superseded"},{"name":"1","state":"in-force","service":{"team":5},"controls":[{"id":"a","check":{"cel":"as it once was"}}]},{"name":"2","state":"submitted"}]}}`
	value, err := json.Marshal(gatehouse.Stored{Object: json.RawMessage(old)})
	s.must(err)
	_, err = s.trail.Commit(s.as("user:ann"), audit.Act{Action: "framework.put", Object: "Framework corporate",
		Writes: []store.Write{{Key: "Framework/corporate", Kind: "Framework", Value: value, Expect: store.Absent}}})
	s.must(err)
	s.refused(s.framework("user:ann", "", one), gatehouse.Unavailable, "being taken over")
	for range 2 {
		s.must(s.desk.Adopt(t.Context()))
	}
	if s.state("0") != gatehouse.Superseded || s.state("1") != gatehouse.InForce || s.state("2") != gatehouse.Draft {
		t.Errorf("got %s, %s, %s", s.state("0"), s.state("1"), s.state("2"))
	}
	standing, err := s.desk.Standing(t.Context(), "corporate")
	s.must(err)
	if !standing.Governed.IsZero() || standing.InForce != "1" {
		t.Errorf("got %+v", standing.FrameworkState)
	}
	n := 0
	for e, err := range s.db.Events(t.Context(), store.EventQuery{Action: "framework.adopt"}) {
		s.must(err)
		if n++; e.Actor != "system" || e.Object != "Framework corporate" {
			t.Errorf("got %+v", e)
		}
	}
	if n != 1 {
		t.Errorf("adopted %d times", n)
	}
	s.must(s.submit("user:frank", "2"))
	s.refused(s.approve("user:ann", "2"), gatehouse.Denied, "author")
}

func TestComments(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	_, err := s.desk.Comment(s.as("user:bob"), "corporate", "1", "Why so lax?")
	s.must(err)
	for text, want := range map[string]string{" ": "empty", strings.Repeat("x", 10_001): "at most 10000"} {
		_, err = s.desk.Comment(s.as("user:bob"), "corporate", "1", text)
		s.refused(err, gatehouse.Invalid, want)
	}
	_, err = s.desk.Comment(s.as("user:bob"), "corporate", "9", "there?")
	s.refused(err, gatehouse.NotFound, `no version "9"`)
	all, _, err := s.desk.Comments(t.Context(), "corporate", "1", "", 10)
	s.must(err)
	if len(all) != 1 || all[0].By != "user:bob" || all[0].Text != "Why so lax?" {
		t.Errorf("got %+v", all)
	}
}

// Evidence that is not there any more is no evidence.
func TestEvidenceMustBeThere(t *testing.T) {
	s := newSite(t)
	s.must(s.framework("user:ann", "", one))
	s.must(s.submit("user:ann", "1"))
	hash := strings.Repeat("a", 64)
	_, err := s.desk.Approve(s.as("user:carol"), "corporate", "1", framework.Word{Evidence: []string{hash}})
	s.refused(err, gatehouse.Invalid, "is not there: upload the file first")
	_, err = s.trail.Commit(s.as("user:carol"), audit.Act{Action: "evidence.create", Writes: []store.Write{{Key: "Evidence/" + hash, Kind: "Evidence", Value: []byte(`{}`), Expect: store.Absent}}})
	s.must(err)
	_, err = s.desk.Approve(s.as("user:carol"), "corporate", "1", framework.Word{Evidence: []string{hash}})
	s.refused(err, gatehouse.Invalid, "is not there")
	_, err = s.desk.Approve(s.as("user:carol"), "corporate", "1", framework.Word{Hash: hash})
	s.refused(err, gatehouse.Lost, "read it again")
}
