package access

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
)

func doc(c store.Change) *gatehouse.Object {
	kind := gatehouse.Kind(c.Kind)
	info, _ := gatehouse.Info(c.Kind)
	o := &gatehouse.Object{Kind: kind, Spec: info.New()}
	_, o.Metadata.Name, _ = strings.Cut(c.Key, "/")
	if err := decode(c.Value, o.Spec); err != nil {
		panic(err)
	}
	return o
}

func until(c store.Change, end string) store.Change {
	o := doc(c)
	o.Spec.(*gatehouse.RoleAssignment).Expires = end
	return put(gatehouse.KindRoleAssignment, o.Metadata.Name, o.Spec)
}

func group(name string, members ...string) store.Change {
	return put(gatehouse.KindGroup, name, &gatehouse.Group{Members: members})
}

func inTeam(name, parent string, members ...string) store.Change {
	return put(gatehouse.KindTeam, name, &gatehouse.Team{Parent: parent, Members: members})
}

func role(name string, permissions ...string) store.Change {
	return put(gatehouse.KindRole, name, &gatehouse.Role{Permissions: permissions})
}

// Every way by which one could come to more than one holds.
func TestNobodyHandsOnMoreThanTheyHold(t *testing.T) {
	x := NewIndex(func() time.Time { return noon })
	standing := []store.Change{
		user("root"), user("lead"), user("temp"), user("dev"), user("joe"),
		inTeam("payments", ""), inTeam("cards", "payments"), inTeam("hr", ""),
		role("grants", "role-assignment.*", "group.*", "team.*", "role.*"),
		group("admins", "user:root"), group("inner"), group("readers"),
		assign("root", "user:root", "admin", Organization),
		assign("admins", "group:admins", "admin", Organization),
		assign("lead", "user:lead", "admin", "team/payments"),
		assign("lead-grants", "user:lead", "grants", Organization),
		until(assign("temp", "user:temp", "admin", Organization), "2026-12-31"),
		assign("dev", "user:dev", "developer", "team/payments"),
		assign("dev-grants", "user:dev", "grants", Organization),
		assign("readers", "group:readers", "viewer", "team/payments"),
		assign("hr-boss", "user:joe", "admin", "team/hr"),
		group("outer", "group:inner"), assign("outer", "group:outer", "admin", Organization),
	}
	before := map[string]*gatehouse.Object{}
	for _, c := range standing {
		if err := x.Take(c); err != nil {
			t.Fatal(err)
		}
		before[c.Key] = doc(c)
	}
	tests := []struct {
		name   string
		actor  string
		writes []store.Change
		want   gatehouse.ErrorKind
	}{
		{"an administrator gives all", "user:root", []store.Change{assign("n", "user:joe", "admin", Organization)}, ""},
		{"the control plane itself", System, []store.Change{assign("n", "user:joe", "admin", Organization)}, ""},
		{"a lead within the team", "user:lead", []store.Change{assign("n", "user:joe", "admin", "team/payments")}, ""},
		{"a lead below the team", "user:lead", []store.Change{assign("n", "user:joe", "developer", "team/cards")}, ""},
		{"a lead on one object of it", "user:lead", []store.Change{assign("n", "user:joe", "viewer", "API/cards/x")}, ""},
		{"a lead on another team", "user:lead", []store.Change{assign("n", "user:joe", "viewer", "team/hr")}, gatehouse.Denied},
		{"a lead on the organization", "user:lead", []store.Change{assign("n", "user:joe", "admin", Organization)}, gatehouse.Denied},
		{"a lead to themselves, wider", "user:lead", []store.Change{assign("lead", "user:lead", "admin", Organization)}, gatehouse.Denied},
		{"a role beyond one's own", "user:dev", []store.Change{assign("n", "user:dev", "approver", "team/payments")}, gatehouse.Denied},
		{"one's own role", "user:dev", []store.Change{assign("n", "user:joe", "developer", "team/payments")}, ""},
		{"a role nobody knows", "user:root", []store.Change{assign("n", "user:joe", "nosuch", Organization)}, gatehouse.Invalid},
		{"a scope that is none", "user:root", []store.Change{assign("n", "user:joe", "viewer", "everywhere")}, gatehouse.Invalid},
		{"for longer than one's own", "user:temp", []store.Change{assign("n", "user:temp", "admin", Organization)}, gatehouse.Denied},
		{"for as long as one's own", "user:temp", []store.Change{until(assign("n", "user:joe", "admin", Organization), "2026-12-31")}, ""},
		{"one's own made longer", "user:temp", []store.Change{until(assign("temp", "user:temp", "admin", Organization), "2027-12-31")}, gatehouse.Denied},
		{"as it was", "user:dev", []store.Change{assign("root", "user:root", "admin", Organization)}, ""},
		{"someone unknown", "user:stranger", []store.Change{assign("n", "user:stranger", "viewer", "team/hr")}, gatehouse.Denied},
		{"a group as the granter", "group:admins", []store.Change{assign("n", "user:joe", "admin", Organization)}, gatehouse.Denied},

		{"joining a group that holds more", "user:dev", []store.Change{group("admins", "user:root", "user:dev")}, gatehouse.Denied},
		{"joining a group in such a group", "user:dev", []store.Change{group("inner", "user:dev")}, gatehouse.Denied},
		{"joining a group that holds as much", "user:lead", []store.Change{group("readers", "user:joe")}, ""},
		{"leaving a group", "user:dev", []store.Change{group("admins")}, ""},
		{"a new group", "user:dev", []store.Change{group("new", "user:dev")}, ""},
		{"a new group with a role", "user:dev", []store.Change{group("new", "user:dev"), assign("n", "group:new", "admin", Organization)}, gatehouse.Denied},

		{"a role with more than one's own", "user:dev", []store.Change{role("mine", "*")}, gatehouse.Denied},
		{"a role widened", "user:dev", []store.Change{role("grants", "role-assignment.*", "group.*", "team.*", "role.*", "api.put")}, gatehouse.Denied},
		{"a role narrowed", "user:dev", []store.Change{role("grants", "role-assignment.*")}, ""},
		{"a role of what one holds everywhere", "user:dev", []store.Change{role("part", "group.put")}, ""},
		{"a role and its assignment", "user:dev", []store.Change{role("part", "group.put"), assign("n", "user:joe", "part", Organization)}, ""},
		{"a role widened in the same breath", "user:root", []store.Change{role("wide", "*"), assign("n", "user:joe", "wide", Organization)}, ""},
		{"a built-in role's name", "user:root", []store.Change{role("viewer", "*")}, gatehouse.Invalid},
		{"a permission that is none", "user:root", []store.Change{role("odd", "API.PUT")}, gatehouse.Invalid},

		{"members of one's team", "user:lead", []store.Change{inTeam("payments", "", "user:joe")}, ""},
		{"members of another team", "user:lead", []store.Change{inTeam("hr", "", "user:lead")}, gatehouse.Denied},
		{"another team moved below one's own", "user:lead", []store.Change{inTeam("hr", "payments")}, gatehouse.Denied},
		{"a new team below one's own, with members", "user:lead", []store.Change{inTeam("new", "payments", "user:joe"), assign("n", "user:joe", "developer", "team/new")}, ""},
		{"a new team beside, with members", "user:lead", []store.Change{inTeam("new", "", "user:joe")}, gatehouse.Denied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var writes []Write
			for _, c := range tt.writes {
				writes = append(writes, Write{Before: before[c.Key], After: doc(c)})
			}
			err := x.CheckWrites(tt.actor, writes...)
			if got := gatehouse.KindOf(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// The last administrator stays, whoever asks.
func TestLastAdministratorStays(t *testing.T) {
	x := NewIndex(func() time.Time { return noon })
	root, other := assign("root", "user:root", "admin", Organization), assign("other", "group:admins", "admin", Organization)
	for _, c := range []store.Change{user("root"), root, other, group("admins")} {
		if err := x.Take(c); err != nil {
			t.Fatal(err)
		}
	}
	gone := Write{Before: doc(root)}
	if err := x.CheckWrites(System, gone); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("the other is an empty group: %v", err)
	}
	if err := x.CheckWrites("user:root", Write{Before: doc(root), After: doc(assign("root", "user:root", "viewer", Organization))}); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("made a viewer: %v", err)
	}
	deleted, disabled := Write{Before: doc(user("root"))}, Write{Before: doc(user("root")), After: doc(put(gatehouse.KindUser, "root", &gatehouse.User{Disabled: true}))}
	for _, w := range []Write{deleted, disabled} {
		if err := x.CheckWrites("user:root", w); !gatehouse.Is(err, gatehouse.Conflict) {
			t.Errorf("may sign in no longer: %v", err)
		}
	}
	if err := x.CheckWrites("user:root", deleted, Write{After: doc(assign("new", "user:joe", "admin", Organization))}); err != nil {
		t.Errorf("removed, with another in place: %v", err)
	}
	if err := x.CheckWrites("user:root", Write{Before: doc(user("eve"))}); err != nil {
		t.Errorf("somebody else is removed: %v", err)
	}
	if err := x.CheckWrites("user:root", Write{Before: doc(root), After: doc(assign("root", "user:root", "admin", Organization))}, disabled); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("disabled behind a role that is written again: %v", err)
	}
	if err := x.CheckWrites("user:root", Write{After: doc(assign("new", "user:joe", "admin", Organization))}, Write{Before: doc(user("joe"))}, deleted); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("removed together with who was to follow: %v", err)
	}
	if err := x.CheckWrites("user:root", gone, Write{After: doc(assign("new", "user:joe", "admin", Organization))}); err != nil {
		t.Errorf("replaced by another: %v", err)
	}
	if err := x.Take(group("admins", "user:joe")); err != nil {
		t.Fatal(err)
	}
	for _, w := range []Write{gone, deleted, disabled} {
		if err := x.CheckWrites("user:root", w); err != nil {
			t.Errorf("another is left: %v", err)
		}
	}
}

// An administrator for a time is none who stays, and one who leaves the group that
// holds the role is none at all.
func TestLastAdministratorStaysBehindGroupsAndTimes(t *testing.T) {
	x := NewIndex(func() time.Time { return noon })
	until := put(gatehouse.KindRoleAssignment, "temp", &gatehouse.RoleAssignment{Subject: "user:eve", Role: "admin", Scope: Organization, Expires: "2099-01-01T00:00:00Z"})
	for _, c := range []store.Change{user("root"), user("eve"), until, assign("held", "group:admins", "admin", Organization), group("admins", "group:few"), group("few", "user:root")} {
		if err := x.Take(c); err != nil {
			t.Fatal(err)
		}
	}
	few := func(members ...string) Write {
		return Write{Before: doc(group("few", "user:root")), After: doc(group("few", members...))}
	}
	refused := map[string]Write{
		"removed, and who is left is so for a time": {Before: doc(user("root"))},
		"the group is empty":                        few(),
		"the group has itself":                      few("group:admins"),
		"the group is gone":                         {Before: doc(group("few", "user:root"))},
	}
	for name, w := range refused {
		if err := x.CheckWrites("user:root", w); !gatehouse.Is(err, gatehouse.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, w := range []Write{few("user:root", "user:eve"), few("user:new"), {Before: doc(user("eve"))}} {
		if err := x.CheckWrites("user:root", w); err != nil {
			t.Errorf("one is left: %v", err)
		}
	}
}

func TestPermissionPatterns(t *testing.T) {
	tests := []struct {
		pattern, action string
		want            bool
	}{
		{"*", "api.put", true}, {"*.*", "api.put", true}, {"api.*", "api.put", true}, {"api.*", "apis.put", false}, {"*.get", "api.get", true},
		{"*.get", "api.put", false}, {"api.put", "api.put", true}, {"api.put", "api.putt", false}, {"export", "export", true}, {"*.get", "get", false},
		{"api.*", "api", false}, {"api.*", "api.", false}, {"*.get", ".get", false}, {"api.*", "api.a.b", true},
	}
	for _, tt := range tests {
		p, err := CompilePermissions([]string{tt.pattern})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Allow(tt.action); got != tt.want {
			t.Errorf("%q over %q: got %v, want %v", tt.pattern, tt.action, got, tt.want)
		}
	}
	for _, bad := range []string{"", ".", "api.", ".get", "a.b.c", "API.get", "api.g*", "api put", "*.", "**"} {
		if _, err := CompilePermissions([]string{"*", bad}); !gatehouse.Is(err, gatehouse.Invalid) || !strings.Contains(err.Error(), "permissions[1]") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// What the built-in roles must never permit.
func TestBuiltInRolesKeepApart(t *testing.T) {
	never := map[string][]string{
		"provider":   {"role.put", "framework.approve", "release.approve", "subscription.approve", "trail.put", "audit.export", "token.create"},
		"compliance": {"api.put", "release.create", "role.put", "role-assignment.put", "framework.put"},
		"developer":  {"release.approve", "subscription.approve", "role-assignment.put", "framework.put", "team.put", "audit.query"},
		"approver":   {"api.put", "release.create", "subscription.create", "key.create"},
		"consumer":   {"api.put", "subscription.approve", "product.put"},
		"viewer":     {"key.list", "api.put", "user.list", "token.list", "audit.query", "subscription.create"},
		"auditor":    {"api.put", "subscription.approve", "key.create", "trail.put", "framework.approve"},
	}
	for name, actions := range never {
		for _, a := range actions {
			if compiled[name].Allow(a) {
				t.Errorf("role %q permits %q", name, a)
			}
		}
	}
	for _, a := range []string{"audit.query", "audit.verify", "audit.export", "api.get", "user.list", "access.who"} {
		if !compiled["auditor"].Allow(a) {
			t.Errorf("an auditor may not %q", a)
		}
	}
	for _, r := range BuiltInRoles {
		if r.Doc == "" || r.Title == "" {
			t.Errorf("role %q has no page", r.Name)
		}
	}
}

// Whoever may write assignments within a team cannot move one out of another
// scope, nor into one.
func TestDocumentsAreNotMovedFromWhereOneHasNoSay(t *testing.T) {
	h := newHouse(t, user("lead"), role("grants", "role-assignment.*", "gateway.*"), assign("lead", "user:lead", "admin", "team/payments"),
		assign("env", "user:lead", "grants", "environment/dev"), assign("far", "user:joe", "viewer", "team/hr"))
	gateway := func(env string) *gatehouse.Object {
		return doc(put(gatehouse.KindGateway, "w", &gatehouse.Gateway{Environment: env}))
	}
	near, far := doc(assign("x", "user:joe", "viewer", "team/payments")), doc(assign("far", "user:joe", "viewer", "team/hr"))
	tests := []struct {
		name string
		w    Write
		want gatehouse.ErrorKind
	}{
		{"made within", Write{"role-assignment.put", nil, near}, ""},
		{"deleted within", Write{"role-assignment.delete", near, nil}, ""},
		{"made outside", Write{"role-assignment.put", nil, far}, gatehouse.Denied},
		{"deleted outside", Write{"role-assignment.delete", far, nil}, gatehouse.Denied},
		{"moved in", Write{"role-assignment.put", far, near}, gatehouse.Denied},
		{"moved out", Write{"role-assignment.put", near, far}, gatehouse.Denied},
		{"a gateway in the environment", Write{"gateway.put", gateway("dev"), gateway("dev")}, ""},
		{"a gateway taken from another", Write{"gateway.put", gateway("prod"), gateway("dev")}, gatehouse.Denied},
		{"a gateway given to another", Write{"gateway.put", gateway("dev"), gateway("prod")}, gatehouse.Denied},
	}
	for _, tt := range tests {
		err := h.Allow(as(t.Context(), "user:lead"), []Write{tt.w})
		if got := gatehouse.KindOf(err); got != tt.want {
			t.Errorf("%s: got %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
	// The server asks by text; a subscription's or a gateway's environment is read.
	h.write(put(gatehouse.KindGateway, "w", &gatehouse.Gateway{Environment: "dev"}))
	a := Authority{h.Guard}
	if err := a.Authorize(t.Context(), "user:lead", "gateway.put", "Gateway/w"); err != nil {
		t.Errorf("a gateway of the environment: %v", err)
	}
	for _, on := range []string{"Gateway/none", "environment/prod", "organization", "API/hr/x", "Token/tok_1"} {
		if err := a.Authorize(t.Context(), "user:lead", "gateway.put", on); !gatehouse.Is(err, gatehouse.Denied) {
			t.Errorf("%s: %v", on, err)
		}
	}
}

// A record read before a change is not remembered after it.
func TestProofsDoNotOutliveAChange(t *testing.T) {
	var p proofs
	change := store.Change{Record: store.Record{Key: "Token/a", Kind: "Token"}}
	_, step, _ := p.get("Token/a", noon)
	p.put("Token/a", gatehouse.Token{ID: "a"}, noon, step)
	if _, _, ok := p.get("Token/a", noon.Add(proofLife-1)); !ok {
		t.Error("not remembered")
	}
	for _, late := range []time.Duration{proofLife, -time.Second} { // the clock may step back
		if _, _, ok := p.get("Token/a", noon.Add(late)); ok {
			t.Errorf("remembered at %s", late)
		}
	}
	_, step, _ = p.get("Token/a", noon)
	p.forget(change)
	p.put("Token/a", gatehouse.Token{ID: "a"}, noon, step)
	if _, _, ok := p.get("Token/a", noon); ok {
		t.Error("a record read before the change is remembered after it")
	}
}

// A team's own administrator changes all of it but what it is allowed.
func TestATeamIsAllowedMoreByTheOrganizationAlone(t *testing.T) {
	h := newHouse(t, user("lead"), user("boss"), inTeam("payments", ""), assign("lead", "user:lead", "admin", "team/payments"), assign("boss", "user:boss", "provider", Organization))
	team := func(apis int, envs ...string) *gatehouse.Object {
		return doc(put(gatehouse.KindTeam, "payments", &gatehouse.Team{Title: envs[0], Environments: envs[1:], Quotas: &gatehouse.TeamQuotas{APIs: apis}}))
	}
	tests := []struct {
		name, actor   string
		before, after *gatehouse.Object
		want          gatehouse.ErrorKind
	}{
		{"the lead names it anew", "user:lead", team(1, "a", "dev"), team(1, "b", "dev"), ""},
		{"the lead allows more APIs", "user:lead", team(1, "a", "dev"), team(2, "a", "dev"), gatehouse.Denied},
		{"the lead takes the bound away", "user:lead", team(1, "a", "dev"), team(0, "a", "dev"), gatehouse.Denied},
		{"the lead allows prod", "user:lead", team(1, "a", "dev"), team(1, "a", "dev", "prod"), gatehouse.Denied},
		{"the lead allows every environment", "user:lead", team(1, "a", "dev"), team(1, "a"), gatehouse.Denied},
		{"the provider allows more", "user:boss", team(1, "a", "dev"), team(9, "a", "dev", "prod"), ""},
	}
	for _, tt := range tests {
		err := h.Allow(as(t.Context(), tt.actor), []Write{{"team.put", tt.before, tt.after}})
		if got := gatehouse.KindOf(err); got != tt.want {
			t.Errorf("%s: got %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}
