package access

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
	"gatehouse/store"
)

func TestParseScope(t *testing.T) {
	tests := []struct {
		scope string
		want  On
	}{
		{"organization", On{}},
		{"team/payments", On{Team: "payments"}},
		{"environment/prod", On{Environment: "prod"}},
		{"API/payments/orders", On{Kind: "API", Team: "payments", Name: "orders"}},
		{"Framework/corporate", On{Kind: "Framework", Name: "corporate"}},
		{"Team/payments", On{Kind: "Team", Name: "payments"}},
	}
	for _, tt := range tests {
		got, err := ParseScope(tt.scope)
		if d := cmp.Diff(tt.want, got); err != nil || d != "" {
			t.Errorf("%q: %v (-want +got)\n%s", tt.scope, err, d)
		}
	}
	for _, bad := range []string{"", "organisation", "team", "team/", "team/a/b", "environment/", "API/orders", "API/a/b/c", "API//b", "Framework/a/b", "api/a/b", "Key/a", "/a", "organization/x"} {
		if on, err := ParseScope(bad); !gatehouse.Is(err, gatehouse.Invalid) || !strings.Contains(err.Error(), `is not a scope: "organization"`) {
			t.Errorf("%q: got %+v, %v", bad, on, err)
		}
	}
}

func TestParseExpiry(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""}, {"2027-06-30", "2027-07-01T00:00:00Z"}, {"2027-06-30T18:00:00+02:00", "2027-06-30T16:00:00Z"}, {"2028-02-29", "2028-03-01T00:00:00Z"},
	}
	for _, tt := range tests {
		got, err := ParseExpiry(tt.text)
		if tt.want == "" {
			if err != nil || !got.IsZero() {
				t.Errorf("%q: %v, %v", tt.text, got, err)
			}
		} else if err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%q: got %v, %v; want %s", tt.text, got, err, tt.want)
		}
	}
	for _, bad := range []string{"2027-02-30", "tomorrow", "30d", "2027-06-30T18:00:00", "0"} {
		if _, err := ParseExpiry(bad); !gatehouse.Is(err, gatehouse.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A ring of groups or of parents, which no check lets in, ends nothing.
func TestRingsEnd(t *testing.T) {
	x := NewIndex(func() time.Time { return noon })
	for _, c := range []store.Change{group("a", "group:b", "user:u"), group("b", "group:a"), inTeam("s", "t"), inTeam("t", "s"), assign("x", "group:b", "viewer", "team/t")} {
		if err := x.Take(c); err != nil {
			t.Fatal(err)
		}
	}
	if !x.Can("user:u", "api.get", On{Kind: gatehouse.KindAPI, Team: "s", Name: "n"}).Allowed {
		t.Error("refused")
	}
	if got := x.Who("api.put", On{Team: "s"}, "", 0); len(got.Holders) != 0 {
		t.Errorf("got %+v", got)
	}
}

// What one is in very many groups for is found, and each group once.
func TestManyGroups(t *testing.T) {
	x := NewIndex(func() time.Time { return noon })
	for i, g := range numbered("", 500) {
		members := []string{"user:u"}
		if i > 0 {
			members = append(members, "group:g"+numbered("", i)[i-1])
		}
		if err := x.Take(group("g"+g, members...)); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Take(assign("x", "group:g499", "viewer", "team/t")); err != nil {
		t.Fatal(err)
	}
	if !x.Can("user:u", "api.get", On{Team: "t"}).Allowed || x.Can("user:u", "api.put", On{Team: "t"}).Allowed {
		t.Error("wrong with 500 groups")
	}
	p := x.principals("user:u", nil)
	slices.Sort(p)
	if len(p) != 501 || len(slices.Compact(p)) != 501 {
		t.Errorf("%d principals", len(p))
	}
}

func FuzzParseScope(f *testing.F) {
	for _, s := range []string{"organization", "team/payments", "environment/prod", "API/payments/orders", "Framework/corporate", "Team//", "API/a/b/c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, scope string) {
		on, err := ParseScope(scope)
		if err != nil {
			return
		}
		// What encloses the object of a scope begins with the scope itself.
		x := NewIndex(time.Now)
		if got := x.enclosing(on, nil); got[0] != scope {
			t.Errorf("%q is enclosed by %q", scope, got)
		}
	})
}
