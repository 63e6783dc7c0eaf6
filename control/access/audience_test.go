package access

import (
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// Who finds what, by the team they hold a role in: the whole matrix.
func TestAudiencesFindWhatIsMeantForThem(t *testing.T) {
	x := NewIndex(func() time.Time { return noon })
	people := []struct {
		subject, scope, expires string
		finds                   []string // audiences
	}{
		{"user:stranger", "", "", []string{"public"}},
		{"user:house", "team/house", "", []string{"public", "partner", "internal"}},
		{"user:below", "team/below-house", "", []string{"public", "partner", "internal"}},
		{"user:everywhere", "organization", "", []string{"public", "partner", "internal"}},
		{"user:stage", "environment/dev", "", []string{"public", "partner", "internal"}},
		{"user:object", "Application/house/till", "", []string{"public", "partner", "internal"}},
		{"user:partner", "team/partner", "", []string{"public", "partner"}},
		{"user:partner-object", "Application/partner/till", "", []string{"public", "partner"}},
		{"user:below-partner", "team/below-partner", "", []string{"public", "partner"}}, // though it calls itself internal
		{"user:customer", "team/customer", "", []string{"public"}},
		{"user:over", "team/house", "2026-11-21", []string{"public"}},
		{"user:ghost", "team/gone", "", []string{"public"}},
	}
	for name, s := range map[string]gatehouse.Team{
		"house": {Members: []string{"group:members"}}, "below-house": {Parent: "house"}, "partner": {Audience: "partner"},
		"below-partner": {Parent: "partner", Audience: "internal"}, "customer": {Audience: "public"},
	} {
		x.Take(put(gatehouse.KindTeam, name, &s))
	}
	x.Take(put(gatehouse.KindGroup, "members", &gatehouse.Group{Members: []string{"user:member"}}))
	for _, p := range people {
		if p.scope != "" {
			x.Take(put(gatehouse.KindRoleAssignment, p.subject[5:], &gatehouse.RoleAssignment{Subject: p.subject, Role: "consumer", Scope: p.scope, Expires: p.expires}))
		}
	}
	people = append(people, struct {
		subject, scope, expires string
		finds                   []string
	}{"user:member", "", "", []string{"public", "partner", "internal"}})
	for _, p := range people {
		for _, audience := range []string{"public", "partner", "internal"} {
			want := false
			for _, a := range p.finds {
				want = want || a == audience
			}
			product := Found(&gatehouse.Object{Kind: gatehouse.KindProduct, Metadata: gatehouse.Metadata{Team: "shop", Name: "p"}, Spec: &gatehouse.Product{Audience: audience}})
			for _, action := range []string{"product.get", "product.list"} {
				if got := x.Can(p.subject, action, product).Allowed; got != want {
					t.Errorf("%s, %s of a product for %s: got %v, want %v", p.subject, action, audience, got, want)
				}
			}
			if e := x.Why(p.subject, "product.get", product); e.Allowed && p.scope != "organization" && (e.Because == nil || e.Reason != "it is meant for the audience "+audience+", and "+p.subject+" is of it") {
				t.Errorf("%s: why: %q", p.subject, e.Reason)
			}
			// Nothing else comes with it.
			for _, action := range []string{"product.put", "product.delete", "api.put", "api.explain", "release.get", "revision.get", "key.get", "subscription.get", "backend.get"} {
				if x.Can(p.subject, action, product).Allowed != (p.scope == "organization" && action == "subscription.get" || p.scope == "organization" && action == "key.get") {
					t.Errorf("%s may %s on a product for %s", p.subject, action, audience)
				}
			}
		}
	}
	if d := x.Can("user:nobody", "product.get", On{Kind: gatehouse.KindProduct, Team: "shop", Name: "p"}); d.Allowed {
		t.Error("an object whose audience is not known is found")
	}
	if d := x.Can("group:members", "product.get", On{Kind: gatehouse.KindProduct, Team: "shop", Name: "p", Audience: "public"}); d.Allowed {
		t.Error("a group finds something")
	}
}

// An API is found while one of its versions is served.
func TestOnlyWhatIsServedIsFound(t *testing.T) {
	for _, tt := range []struct {
		lifecycles []string
		want       string
	}{{[]string{"design"}, ""}, {[]string{"retired"}, ""}, {[]string{"design", ""}, "internal"}, {[]string{"deprecated"}, "internal"}, {nil, ""}} {
		s := &gatehouse.API{}
		for _, l := range tt.lifecycles {
			s.Versions = append(s.Versions, gatehouse.Version{Lifecycle: l})
		}
		o := &gatehouse.Object{Kind: gatehouse.KindAPI, Metadata: gatehouse.Metadata{Team: "shop", Name: "a"}, Spec: s}
		if got := Found(o).Audience; got != tt.want {
			t.Errorf("%q: found by %q, want %q", tt.lifecycles, got, tt.want)
		}
	}
}

// Nobody brings their own team nearer: that takes the organization.
func TestATeamDoesNotMakeItselfInternal(t *testing.T) {
	x := NewIndex(func() time.Time { return noon })
	for _, c := range []store.Change{
		put(gatehouse.KindTeam, "partner", &gatehouse.Team{Audience: "partner"}),
		put(gatehouse.KindRoleAssignment, "own", &gatehouse.RoleAssignment{Subject: "user:own", Role: "admin", Scope: "team/partner"}),
		put(gatehouse.KindRoleAssignment, "root", &gatehouse.RoleAssignment{Subject: "user:root", Role: "admin", Scope: "organization"}),
	} {
		if err := x.Take(c); err != nil {
			t.Fatal(err)
		}
	}
	team := func(s gatehouse.Team) *gatehouse.Object {
		return &gatehouse.Object{Kind: gatehouse.KindTeam, Metadata: gatehouse.Metadata{Name: "partner"}, Spec: &s}
	}
	was := team(gatehouse.Team{Audience: "partner"})
	for _, near := range []string{"", "internal"} {
		w := Write{Action: "team.put", Before: was, After: team(gatehouse.Team{Audience: near})}
		if err := x.CheckWrites("user:own", w); !gatehouse.Is(err, gatehouse.Denied) {
			t.Errorf("audience %q: got %v, want it refused", near, err)
		}
		if err := x.CheckWrites("user:root", w); err != nil {
			t.Errorf("audience %q: %v", near, err)
		}
	}
	if err := x.CheckWrites("user:own", Write{Action: "team.put", Before: was, After: team(gatehouse.Team{Audience: "partner", Title: "x"})}); err != nil {
		t.Error(err)
	}
}
