package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
	"gatehouse/jsonx"
	"gatehouse/store/postgres/pgtest"
)

// governed is the installation of the story: two who judge, a provider team, a
// team with APIs whose support answers within seconds, one that uses them, and a
// framework whose second version asks for more than the first.
const governed = `
apiVersion: gatehouse/v1
kind: Environment
metadata: {name: prod}
spec: {stage: prod, release: {mode: manual}, gate: {mode: enforce}}
---
apiVersion: gatehouse/v1
kind: Team
metadata: {name: shop}
spec: {support: {hours: 24x7, firstResponse: 8s}, members: ["user:ann@example.com"]}
---
apiVersion: gatehouse/v1
kind: Team
metadata: {name: billing}
spec: {members: ["user:bob@example.com"]}
---
apiVersion: gatehouse/v1
kind: Webhook
metadata: {name: all}
spec: {url: %q, events: ["release.*", "gate.*", "waiver.*", "onboarding.*", "support.*"]}
`

// corporate is the framework, which the provider team writes.
const corporate = `
apiVersion: gatehouse/v1
kind: Framework
metadata: {name: corporate}
spec:
  versions:
    - name: "1"
      onboarding: {autoApprove: ["request.data.all(d, d == 'public')"]}
      controls:
        - {id: titled, title: It has a title, severity: low, check: {cel: {expression: "api.title != ''", message: "give it a title"}}}
    - name: "2"
      controls:
        - {id: titled, title: It has a title, severity: low, check: {cel: {expression: "api.title != ''", message: "give it a title"}}}
        - {id: summed, title: It says what it is for, severity: low, grace: 30d, check: {cel: {expression: "api.summary != ''", message: "give it a summary"}}}
`

// person is a user with a role somewhere.
func person(name, role, scope string) string {
	text := fmt.Sprintf("---\napiVersion: gatehouse/v1\nkind: User\nmetadata: {name: %s@example.com}\nspec: {}\n", name)
	if role != "" {
		text += fmt.Sprintf("---\napiVersion: gatehouse/v1\nkind: RoleAssignment\nmetadata: {name: %[1]s}\nspec: {subject: \"user:%[1]s@example.com\", role: %[2]s, scope: %[3]s}\n", name, role, scope)
	}
	return text
}

// wares are the APIs of the team shop with a title.
func wares(n int, title string) string {
	var b strings.Builder
	b.WriteString("apiVersion: gatehouse/v1\nkind: Backend\nmetadata: {team: shop, name: all}\nspec: {environments: {prod: {targets: [{url: \"http://127.0.0.1:9\"}]}}}\n")
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: gatehouse/v1\nkind: API\nmetadata: {team: shop, name: ware-%[1]d}\nspec: {title: %[2]s, framework: corporate, versions: [{name: v1, path: /ware-%[1]d, backend: all, access: open, policies: [{headers: {response: {set: {X-Title: %[2]s}}}}]}]}\n", i, title)
	}
	return b.String()
}

// user is a client of a control plane as somebody else than the administrator.
func (s *site) user(name, address string) *client.Client {
	s.t.Helper()
	in := adminapi.CreateTokenRequest{}
	in.Body.Subject, in.Body.Name = "user:"+name+"@example.com", fmt.Sprintf("t%d", rand.Uint32())
	out, err := s.api.CreateToken(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := client.New(address, out.Body.Token, &http.Client{Timeout: 20 * time.Second})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// done ends the test when a step of the story fails.
func (s *site) done(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// inForce takes a version of the framework, which its author submits, through
// its own gate.
func (s *site) inForce(version string, author *client.Client, judges ...*client.Client) {
	s.t.Helper()
	of := adminapi.FrameworkRef{Name: "corporate", Version: version}
	_, err := author.SubmitFramework(s.t.Context(), adminapi.MoveFrameworkRequest{FrameworkRef: of})
	s.done(err)
	for _, j := range judges {
		_, err = j.ApproveFramework(s.t.Context(), adminapi.DecideFrameworkRequest{FrameworkRef: of})
		s.done(err)
	}
	_, err = s.api.EnforceFramework(s.t.Context(), adminapi.MoveFrameworkRequest{FrameworkRef: of})
	s.done(err)
}

// TestTwoNodesOnce lets two control planes on one PostgreSQL do at the same time
// all that time alone brings about, and two people decide the same at both, while
// one of the two is killed and started again, and then the other. Each thing
// happens once: none twice, none is lost, and the receiver hears of each.
func TestTwoNodesOnce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 9))
	hook := &hook{status: http.StatusNoContent}
	hook.Server = httptest.NewServer(hook)
	t.Cleanup(hook.Close)
	database := pgtest.New(t).Database(t)
	s := newSite(t)
	s.pair(database, "--notify-allow", "127.0.0.0/8")
	nodes := map[string]string{}
	for _, name := range []string{"one", "two"} {
		nodes[name] = s.address(name)
	}

	// A house with its rules in force, and everything live that obeys them.
	const count = 10
	api := func(i int) string { return fmt.Sprintf("ware-%d", i) }
	s.apply(fmt.Sprintf(governed, hook.URL) + person("carol", "compliance", "organization") + person("dan", "compliance", "organization") +
		person("pat", "provider", "organization") + person("quinn", "provider", "organization") +
		person("ann", "developer", "team/shop") + person("bob", "consumer", "team/billing") + person("nina", "", ""))
	carol, dan := s.user("carol", s.admin), s.user("dan", s.admin)
	admin, pat := s.api, s.user("pat", s.admin)
	s.api = pat
	s.apply(corporate)
	s.api = admin
	s.apply(wares(count, "First"))
	s.inForce("1", pat, carol, dan)
	ann := s.user("ann", nodes["two"])
	version := func(i int) adminapi.VersionPath {
		return adminapi.VersionPath{Team: "shop", Name: api(i), Version: "v1"}
	}
	for i := range count {
		in := adminapi.ReleaseRequest{VersionPath: version(i)}
		in.Body.Environment = "prod"
		_, err := ann.Release(t.Context(), in)
		s.done(err)
	}
	settled := s.head()

	// Within seconds, all of this comes due: canaries step by step, releases at
	// their time, waivers that end, promises of support that run out; and a new
	// version of the framework puts every API on notice.
	s.apply(wares(count, "Second"))
	due := time.Now().Add(5 * time.Second)
	for i := range count {
		in := adminapi.ReleaseRequest{VersionPath: version(i)}
		in.Body.Environment = "prod"
		if i < 4 {
			in.Body.Canary = &gatehouse.CanaryPlan{Steps: []int{10, 50}, Every: jsonx.Duration(2 * time.Second)}
		} else {
			in.Body.At = due
		}
		_, err := ann.Release(t.Context(), in)
		s.done(err)
	}
	for i := range count {
		in := adminapi.AskWaiverRequest{}
		in.Body.API, in.Body.Control, in.Body.Reason, in.Body.Expires = "shop/"+api(i), "titled", "for the story", due
		asked, err := ann.AskWaiver(t.Context(), in)
		s.done(err)
		_, err = carol.ApproveWaiver(t.Context(), adminapi.DecideWaiverRequest{WaiverRef: adminapi.WaiverRef{Waiver: asked.Body.ID}})
		s.done(err)
	}
	bob, nina := s.user("bob", s.admin), s.user("nina", s.admin)
	var asked []string
	for i := range count {
		in := adminapi.OpenSupportRequest{}
		in.Body.Team, in.Body.API, in.Body.Category, in.Body.Title, in.Body.Text = "billing", "shop/"+api(i), "question", "How?", "How does it go?"
		_, err := bob.OpenSupport(t.Context(), in)
		s.done(err)
		on := adminapi.StartOnboardingRequest{}
		on.Body.Request = gatehouse.OnboardingRequest{Team: fmt.Sprintf("new-%d", i), Why: "we begin", Environments: []string{"prod"},
			Data: []string{"internal"}, Contacts: &gatehouse.TeamContacts{Email: "new@example.com"}}
		on.Body.Accept.Version = "1"
		out, err := nina.StartOnboarding(t.Context(), on)
		s.done(err)
		asked = append(asked, out.Body.ID)
	}

	// Two of the provider team approve the same on-boardings, each at a node of
	// their own, while the nodes are killed in turn.
	var wg sync.WaitGroup
	for name, who := range map[string]string{"one": "pat", "two": "quinn"} {
		c := s.user(who, nodes[name])
		wg.Go(func() {
			for _, id := range asked {
				s.approves(c, id)
				_ = wait(t.Context(), 200*time.Millisecond)
			}
		})
	}
	newcomers := s.newcomers(nodes["one"], nodes["two"])
	for _, name := range []string{"one", "two"} {
		_ = wait(t.Context(), time.Duration(random.IntN(2000))*time.Millisecond)
		s.kill(name)
		_ = wait(t.Context(), time.Duration(random.IntN(1500))*time.Millisecond)
		s.again(name)
	}
	wg.Wait()
	teams := newcomers()
	s.eventually("the rule let all of them through", func() error { // while what they accepted is in force
		n, now := 0, s.happened(settled)["onboarding.approve"]
		for _, id := range teams {
			n += now["Onboarding "+id]
		}
		if n < len(teams) {
			return fmt.Errorf("%d of %d", n, len(teams))
		}
		return nil
	})
	s.inForce("2", pat, carol, dan)
	_ = wait(t.Context(), time.Duration(random.IntN(1000))*time.Millisecond)
	s.kill("one") // in the middle of looking again
	s.again("one")

	want := map[string]int{
		"release.canary": 4, "release.step": 4, "release.finish": 4, "release.schedule": 6, "release.create": 6, "release.due": 6,
		"waiver.expire": count, "support.escalate": 2 * count, "onboarding.approve": count + len(teams), "gate.notice": count,
	}
	s.eventually("all that is due has happened", func() error {
		now := s.happened(settled)
		for action, n := range want {
			if sum(now[action]) < n {
				return fmt.Errorf("%s happened %d times, want %d", action, sum(now[action]), n)
			}
		}
		return nil
	})
	_ = wait(t.Context(), 3*time.Second) // for whatever should not come any more
	now := s.happened(settled)
	for action, n := range want {
		for what, times := range now[action] {
			most := 1
			if action == "support.escalate" {
				most = 2 // of a promise
			}
			if times > most {
				t.Errorf("%s of %s happened %d times:\n%s", action, what, times, s.told(settled, action, what))
			}
		}
		if got := sum(now[action]); got != n && action != "gate.notice" { // one for each revision that was live meanwhile
			t.Errorf("%s happened %d times, want %d: %v", action, got, n, now[action])
		}
	}
	s.joined(teams, now)
	for _, id := range append(asked, teams...) {
		if n := now["onboarding.approve"]["Onboarding "+id]; n != 1 {
			t.Errorf("on-boarding %s was approved %d times", id, n)
		}
	}
	for i := range count {
		out, err := s.api.GetGate(t.Context(), adminapi.GetGateRequest{VersionPath: version(i), Environment: "prod"})
		s.done(err)
		if r := out.Body.Result; r.FrameworkVersion != "2" || r.Outcome != gatehouse.GateGrace {
			t.Errorf("%s stands %s by version %s, want on notice by version 2", api(i), r.Outcome, r.FrameworkVersion)
		}
	}
	s.overdue(database)
	s.hears(hook, settled)
	s.verify()
	if t.Failed() {
		t.Logf("-fault.seed=%d", *seed)
	}
}

// approves approves an on-boarding, again when the node is not there: one of
// those who do is told that it is done already.
func (s *site) approves(c *client.Client, id string) {
	for end := time.Now().Add(patience); time.Now().Before(end) && s.t.Context().Err() == nil; _ = wait(s.t.Context(), 50*time.Millisecond) {
		_, err := c.ApproveOnboarding(s.t.Context(), adminapi.DecideOnboardingRequest{OnboardingRef: adminapi.OnboardingRef{ID: id}})
		if err == nil || gatehouse.Is(err, gatehouse.Conflict) && strings.Contains(err.Error(), "approved already") {
			return
		}
		if !gatehouse.Is(err, gatehouse.Unavailable) && !gatehouse.Is(err, gatehouse.Conflict) {
			s.t.Errorf("approving on-boarding %s: %v", id, err)
			return
		}
	}
	s.t.Errorf("on-boarding %s: nobody could approve it", id)
}

// head is the number of the newest event.
func (s *site) head() (last int64) {
	s.t.Helper()
	for e := range s.since(0) {
		last = max(last, e.Number)
	}
	return last
}

// since are the events after one.
func (s *site) since(after int64) iter.Seq[*gatehouse.Event] {
	s.t.Helper()
	return func(yield func(*gatehouse.Event) bool) {
		for {
			out, err := s.api.QueryAudit(s.t.Context(), adminapi.QueryAuditRequest{After: after, Limit: 1000})
			s.done(err)
			for _, e := range out.Body.Items {
				if after = e.Number; !yield(e) {
					return
				}
			}
			if out.Body.Next == 0 {
				return
			}
		}
	}
}

// happened counts what was done since an event, by action and object; what the
// gate says, by revision too.
func (s *site) happened(after int64) map[string]map[string]int {
	s.t.Helper()
	all := map[string]map[string]int{}
	for e := range s.since(after) {
		if e.Outcome != gatehouse.Allowed {
			continue
		}
		if all[e.Action] == nil {
			all[e.Action] = map[string]int{}
		}
		all[e.Action][e.Object+revisionIn(e)]++
	}
	return all
}

// told are the events of one action on one object, as the trail has them.
func (s *site) told(after int64, action, what string) string {
	s.t.Helper()
	var b strings.Builder
	for e := range s.since(after) {
		if e.Action == action && e.Object+revisionIn(e) == what {
			fmt.Fprintf(&b, "%d %s %s %s %s:", e.Number, e.Time.Format(time.RFC3339Nano), e.Actor, e.Outcome, e.Reason)
			for _, d := range e.Change {
				fmt.Fprintf(&b, " %s %s -> %s", d.Path, d.Before, d.After)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// revisionIn is the revision that an event of the gate is about.
func revisionIn(e *gatehouse.Event) string {
	if strings.HasPrefix(e.Action, "gate.") {
		for _, d := range e.Change {
			var whole struct{ Revision string }
			if json.Unmarshal(d.After, &whole) == nil && whole.Revision != "" {
				return "#" + whole.Revision
			}
		}
	}
	return ""
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// hears waits until the receiver has heard of every event that it asked for, and
// of none under two ids.
func (s *site) hears(h *hook, after int64) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	var missing []string
	for ctx.Err() == nil {
		missing = nil
		ids := h.numbers(s.t)
		for e := range s.since(after) {
			noun, _, _ := strings.Cut(e.Action, ".")
			if e.Outcome != gatehouse.Allowed || !slices.Contains([]string{"release", "gate", "waiver", "onboarding", "support"}, noun) {
				continue
			}
			switch n := len(ids[fmt.Sprint(e.Number)]); {
			case n == 0:
				missing = append(missing, fmt.Sprintf("%s of %s", e.Action, e.Object))
			case n > 1:
				s.t.Errorf("the receiver heard of %s of %s under %d ids", e.Action, e.Object, n)
			}
		}
		if len(missing) == 0 {
			return
		}
		_ = wait(ctx, 200*time.Millisecond)
	}
	s.t.Errorf("the receiver never heard of %d events: %v", len(missing), missing)
}

// numbers are the ids of messages by the number of the event that they tell of.
func (h *hook) numbers(t *testing.T) map[string]map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string]map[string]bool{}
	for _, m := range h.mails {
		if m.fault != "" {
			t.Errorf("a message is at fault: %s", m.fault)
		}
		_, rest, _ := strings.Cut(m.id, "msg_")
		number, _, _ := strings.Cut(rest, "_")
		if all[number] == nil {
			all[number] = map[string]bool{}
		}
		all[number][m.id] = true
	}
	return all
}
