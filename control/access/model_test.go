package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// naive is the rule of the package comment, said as plainly as it goes: maps
// of documents, looked through from end to end for each question.
type naive struct {
	roles       map[string][]string
	groups      map[string][]string
	teams       map[string]gatehouse.Team
	users       map[string]bool // disabled?
	assignments map[string]gatehouse.RoleAssignment
}

func (n *naive) can(subject, action string, on On, now time.Time) bool {
	if n.users[subject] || strings.HasPrefix(subject, "group:") {
		return false
	}
	for _, a := range n.assignments {
		end, _ := ParseExpiry(a.Expires)
		if (end.IsZero() || now.Before(end)) && n.is(subject, a.Subject) && n.permits(a.Role, action) && n.covers(a.Scope, on) {
			return true
		}
	}
	for name, t := range n.teams {
		for _, m := range t.Members {
			if n.is(subject, m) && n.permits("viewer", action) && n.covers("team/"+name, on) {
				return true
			}
		}
	}
	if slices.ContainsFunc(Everyone, func(p string) bool { return patternMatches(p, action) }) {
		return true
	}
	switch action {
	case "product.get", "product.list", "api.get", "api.list", "catalog.get":
		return n.finds(subject, on.Audience, now)
	}
	return false
}

// finds reports whether the subject is of the audience: whoever is signed in of
// the public; of partners who holds any role, but on nothing of a team for the
// public only; of the house who holds one on nothing of such a team or of partners.
func (n *naive) finds(subject, audience string, now time.Time) bool {
	of := func(scope string) bool {
		on, err := ParseScope(scope)
		if err != nil {
			return false
		}
		team := on.Team
		if on.Kind == gatehouse.KindTeam {
			team = on.Name
		}
		for range MaxTeamDepth + 1 {
			t, ok := n.teams[team]
			switch {
			case team == "":
				return true
			case !ok || t.Audience == "public" || audience == "internal" && t.Audience == "partner":
				return false
			}
			team = t.Parent
		}
		return true
	}
	switch audience {
	case "public":
		return true
	case "internal", "partner":
	default:
		return false
	}
	for _, a := range n.assignments {
		if end, _ := ParseExpiry(a.Expires); (end.IsZero() || now.Before(end)) && n.is(subject, a.Subject) && of(a.Scope) {
			return true
		}
	}
	for name, t := range n.teams {
		for _, m := range t.Members {
			if n.is(subject, m) && of("team/"+name) {
				return true
			}
		}
	}
	return false
}

// is reports whether the subject is who, or in the group who.
func (n *naive) is(subject, who string) bool {
	seen := map[string]bool{}
	var in func(group string) bool
	in = func(group string) bool {
		if seen[group] {
			return false
		}
		seen[group] = true
		for _, m := range n.groups[group] {
			if m == subject || in(m) {
				return true
			}
		}
		return false
	}
	return subject == who || in(who)
}

func (n *naive) permits(role, action string) bool {
	patterns := n.roles[role]
	if r, ok := BuiltIn(role); ok {
		patterns = r.Permissions
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return patternMatches(p, action) })
}

func patternMatches(p, action string) bool {
	pn, pv, two := strings.Cut(p, ".")
	an, av, _ := strings.Cut(action, ".")
	if !two {
		return p == "*"
	}
	return (pn == "*" || pn == an) && (pv == "*" || pv == av)
}

func (n *naive) covers(scope string, on On) bool {
	for _, w := range on.Within {
		if in, err := ParseScope(w); err == nil && n.covers(scope, in) {
			return true
		}
	}
	if scope == "organization" {
		return true
	}
	if on.Kind != "" && on.Name != "" && scope == gatehouse.Key(on.Kind, on.Team, on.Name) {
		return true
	}
	if team, ok := strings.CutPrefix(scope, "team/"); ok {
		at := on.Team
		if on.Kind == gatehouse.KindTeam {
			at = on.Name
		}
		for range MaxTeamDepth + 1 {
			if at == "" {
				return false
			}
			if at == team {
				return true
			}
			at = n.teams[at].Parent
		}
		return false
	}
	if e, ok := strings.CutPrefix(scope, "environment/"); ok {
		return e == on.Environment || on.Kind == gatehouse.KindEnvironment && on.Name == e
	}
	return false
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// put makes the change that stores a document.
func put(kind gatehouse.Kind, name string, spec gatehouse.Spec) store.Change {
	o := gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Name: name}, Spec: spec}
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	value, _ := jsonx.Marshal(gatehouse.Stored{Object: text})
	return store.Change{Record: store.Record{Key: o.Key(), Kind: string(kind), Value: value}}
}

func drop(kind gatehouse.Kind, name string) store.Change {
	return store.Change{Record: store.Record{Key: string(kind) + "/" + name, Kind: string(kind)}, Deleted: true}
}

func pick[T any](t *rapid.T, label string, of ...T) T {
	return of[rapid.IntRange(0, len(of)-1).Draw(t, label)]
}

func numbered(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(prefix, i))
	}
	return all
}

var (
	someUsers   = append(numbered("user:u", 5), "service:s0", "service:s1")
	someGroups  = numbered("group:g", 4)
	someTeams   = numbered("t", 5)
	someRoles   = []string{"admin", "provider", "compliance", "developer", "approver", "consumer", "viewer", "auditor", "r0", "r1", "r2", "nosuch"}
	someActions = []string{"api.put", "api.get", "api.list", "release.create", "release.approve", "framework.get", "audit.query", "role.put", "key.create", "product.get", "catalog.get",
		"subscription.approve", "gateway-token.create", "nosuch.thing"}
	somePatterns = []string{"*", "*.*", "api.*", "*.get", "*.list", "api.put", "release.approve", "role.put", "key.*", "gateway-token.create"}
	someEnds     = []string{"", "", "", "2026-11-21", "2026-11-22", "2026-11-22T11:59:59Z", "2026-11-22T12:00:00Z", "2026-11-22T12:00:01Z", "1969-01-01"}
	someScopes   = []string{"organization", "team/t0", "team/t1", "team/t2", "team/t3", "team/t4", "environment/e0", "environment/e1", "API/t0/a0", "API/t1/a0",
		"API/t1/a1", "Gateway/w0", "Team/t1", "Environment/e0"}
)

func drawOn(t *rapid.T) On {
	switch rapid.IntRange(0, 6).Draw(t, "on") {
	case 0:
		return On{}
	case 1:
		return On{Team: pick(t, "team", someTeams...)}
	case 2:
		return On{Kind: gatehouse.KindTeam, Name: pick(t, "team", someTeams...)}
	case 3:
		return On{Kind: gatehouse.KindEnvironment, Name: pick(t, "environment", "e0", "e1", "e2")}
	case 4:
		return On{Kind: gatehouse.KindGateway, Name: "w0", Environment: pick(t, "environment", "", "e0", "e1")}
	case 5:
		return On{Kind: gatehouse.KindRoleAssignment, Name: "x", Within: []string{pick(t, "within", someScopes...)}}
	}
	return On{Kind: gatehouse.KindAPI, Team: pick(t, "team", someTeams...), Name: pick(t, "name", "a0", "a1"), Environment: pick(t, "environment", "", "e0", "e1"),
		Audience: pick(t, "audience", "", "internal", "partner", "public", "nonsense")}
}

// change draws one document written or deleted, in both.
func (n *naive) change(t *rapid.T, x *Index) {
	gone := rapid.IntRange(0, 3).Draw(t, "gone") == 0
	var c store.Change
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		name := pick(t, "role", "r0", "r1", "r2")
		s := gatehouse.Role{Permissions: rapid.SliceOfN(rapid.SampledFrom(somePatterns), 0, 4).Draw(t, "patterns")}
		n.roles[name], c = s.Permissions, put(gatehouse.KindRole, name, &s)
		if gone {
			delete(n.roles, name)
			c = drop(gatehouse.KindRole, name)
		}
	case 1, 2:
		name := pick(t, "group", someGroups...)
		s := gatehouse.Group{Members: rapid.SliceOfN(rapid.SampledFrom(append(someGroups, someUsers...)), 0, 4).Draw(t, "members")}
		n.groups[name], c = s.Members, put(gatehouse.KindGroup, name[6:], &s)
		if gone {
			delete(n.groups, name)
			c = drop(gatehouse.KindGroup, name[6:])
		}
	case 3:
		name := pick(t, "team", someTeams...)
		s := gatehouse.Team{Audience: pick(t, "of", "", "internal", "partner", "public"), Parent: pick(t, "parent", append(someTeams, "", "")...),
			Members: rapid.SliceOfN(rapid.SampledFrom(append(someGroups, someUsers...)), 0, 3).Draw(t, "members")}
		n.teams[name], c = s, put(gatehouse.KindTeam, name, &s)
		if gone {
			delete(n.teams, name)
			c = drop(gatehouse.KindTeam, name)
		}
	case 4:
		subject := pick(t, "user", someUsers...)
		disabled := rapid.IntRange(0, 2).Draw(t, "disabled") == 0
		kind, name, _ := ParseSubject(subject)
		n.users[subject] = disabled
		if kind == gatehouse.KindUser {
			c = put(kind, name, &gatehouse.User{Disabled: disabled})
		} else {
			c = put(kind, name, &gatehouse.ServiceAccount{Disabled: disabled})
		}
		if gone {
			delete(n.users, subject)
			c = drop(kind, name)
		}
	default:
		name := fmt.Sprint("a", rapid.IntRange(0, 40).Draw(t, "assignment"))
		s := gatehouse.RoleAssignment{Subject: pick(t, "subject", append(someGroups, someUsers...)...), Role: pick(t, "role", someRoles...),
			Scope: pick(t, "scope", someScopes...), Expires: pick(t, "expires", someEnds...)}
		n.assignments[name], c = s, put(gatehouse.KindRoleAssignment, name, &s)
		if gone {
			delete(n.assignments, name)
			c = drop(gatehouse.KindRoleAssignment, name)
		}
	}
	if err := x.Take(c); err != nil {
		t.Fatal(err)
	}
}

// SAFETY B6: for 100,000 random questions over random documents, changed again
// and again, the index decides as the naive model does; Why, Who and Reach
// agree with it.
func TestIndexDecidesAsTheModel(t *testing.T) {
	asked, allowed := 0, 0
	for asked < 100_000 {
		rapid.Check(t, func(t *rapid.T) {
			n := &naive{map[string][]string{}, map[string][]string{}, map[string]gatehouse.Team{}, map[string]bool{}, map[string]gatehouse.RoleAssignment{}}
			x := NewIndex(func() time.Time { return noon })
			for range 30 {
				for range rapid.IntRange(1, 12).Draw(t, "changes") {
					n.change(t, x)
				}
				for range 40 {
					subject := pick(t, "subject", append(someUsers, "group:g0", "user:stranger", "anonymous")...)
					action, on := pick(t, "action", someActions...), drawOn(t)
					want := n.can(subject, action, on, noon) && signedIn(subject)
					d := x.Can(subject, action, on)
					if d.Allowed != want {
						t.Fatalf("%s, %s, %+v: got %v, want %v; %+v", subject, action, on, d.Allowed, want, n)
					}
					if d.Allowed && d.Because.Role == "" {
						t.Fatalf("%s, %s, %+v: allowed without a reason", subject, action, on)
					}
					asked++
					if want {
						allowed++
					}
				}
				n.compare(t, x)
			}
			if err := empty(x, n); err != nil {
				t.Fatal(err)
			}
		})
	}
	if allowed < asked/20 || allowed > asked*19/20 {
		t.Errorf("%d of %d were allowed: the questions are not of both sorts", allowed, asked)
	}
	t.Logf("%d questions, %d allowed", asked, allowed)
}

// compare asks the slower questions once.
func (n *naive) compare(t *rapid.T, x *Index) {
	action, on := pick(t, "action", someActions...), drawOn(t)
	who := map[string]bool{}
	after, told := "", ""
	for {
		page := x.Who(action, on, after, 3)
		told = page.Audience
		for _, h := range page.Holders {
			who[h.Subject] = true
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for _, subject := range someUsers {
		want := n.can(subject, action, on, noon)
		e := x.Why(subject, action, on)
		allows := len(e.Considered) > 0 && e.Considered[0].Verdict == Allows
		byEveryone := slices.ContainsFunc(Everyone, func(p string) bool { return patternMatches(p, action) })
		byAudience := e.Allowed && e.Because.Role == Audience && e.Because.Name == ""
		if e.Allowed != want || !n.users[subject] && !byEveryone && !byAudience && allows != want {
			t.Fatalf("why %s, %s, %+v: %+v, want %v", subject, action, on, e, want)
		}
		if !e.Allowed && len(e.Remedies) == 0 {
			t.Fatalf("why %s, %s: refused without a remedy", subject, action)
		}
		if who[subject] != want && !byEveryone && !(byAudience && told == on.Audience) {
			t.Fatalf("who %s, %+v: %v has %s, want %v", action, on, who, subject, want)
		}
		if got := x.Reach(subject, action).Covers(on); got != want {
			t.Fatalf("reach of %s, %s, over %+v: got %v, want %v", subject, action, on, got, want)
		}
	}
}

// empty deletes everything and looks whether anything stays.
func empty(x *Index, n *naive) error {
	for name := range n.assignments {
		x.Take(drop(gatehouse.KindRoleAssignment, name))
	}
	for name := range n.teams {
		x.Take(drop(gatehouse.KindTeam, name))
	}
	for name := range n.groups {
		x.Take(drop(gatehouse.KindGroup, name[6:]))
	}
	for name := range n.roles {
		x.Take(drop(gatehouse.KindRole, name))
	}
	for subject := range n.users {
		kind, name, _ := ParseSubject(subject)
		x.Take(drop(kind, name))
	}
	if s, c, r := len(x.names.subjects.ids), len(x.names.scopes.ids), len(x.names.roles.ids); s+c != 0 || r != len(BuiltInRoles) {
		return fmt.Errorf("all is deleted, and %d subjects, %d scopes and %d roles stay: %v", s, c, r, x.names.subjects.ids)
	}
	for id, list := range x.grants {
		if len(list)+len(x.groups[id]) != 0 {
			return fmt.Errorf("subject %d still has %v and %v", id, list, x.groups[id])
		}
	}
	return nil
}
