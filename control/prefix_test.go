package control_test

import (
	"net/url"
	"slices"
	"testing"

	"gatehouse"
)

// TestListByPrefix lists what begins as was asked for, by names as people write
// them, together with what else a list is asked.
func TestListByPrefix(t *testing.T) {
	s := newSite(t)
	for _, team := range []string{"pets", "pet"} {
		s.put(gatehouse.KindTeam, "", team, `{}`)
		for _, name := range []string{"orders", "order-lines", "invoices"} {
			s.put(gatehouse.KindApplication, team, name, `{}`)
		}
	}
	dev := s.token("dev", "developer", "team/pet")
	for _, tt := range []struct {
		name, token, path, prefix, more string
		want                            []string
	}{
		{"of a team", s.admin, "/v1/teams/-/applications", "pets/", "", []string{"pets/invoices", "pets/order-lines", "pets/orders"}},
		{"of several teams", s.admin, "/v1/teams/-/applications", "pet", "&limit=2&sort=-name", []string{"pets/orders", "pet/orders"}},
		{"a name", s.admin, "/v1/teams/-/applications", "pet/order", "", []string{"pet/order-lines", "pet/orders"}},
		{"within a team", s.admin, "/v1/teams/pets/applications", "pets/order", "&filter=name=orders", []string{"pets/orders"}},
		{"of another team", s.admin, "/v1/teams/pets/applications", "pet/", "", nil},
		{"what one may see", dev, "/v1/teams/-/applications", "pet", "&limit=2", []string{"pet/invoices", "pet/order-lines"}},
		{"without a team", s.admin, "/v1/teams", "pets", "", []string{"pets"}},
		{"nothing of a pattern", s.admin, "/v1/teams", "p%", "", nil},
	} {
		var page struct {
			Items []struct{ Metadata gatehouse.Metadata }
		}
		s.read(s.want(200, call{token: tt.token, method: "GET", path: tt.path + "?prefix=" + url.QueryEscape(tt.prefix) + tt.more}), &page)
		var got []string
		for _, i := range page.Items {
			got = append(got, i.Metadata.Ref())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
