package control_test

import (
	"slices"
	"strings"
	"testing"

	"gatehouse"
)

// TestEvidenceOneMaySee holds that a list of evidence without a team has what its
// reader may see, in pages that are full, and that what is named is refused.
func TestEvidenceOneMaySee(t *testing.T) {
	s := newSite(t)
	for _, team := range []string{"a", "b"} {
		s.put(gatehouse.KindTeam, "", team, `{}`)
	}
	for _, e := range []struct{ name, team string }{{"one", "a"}, {"two", "b"}, {"three", ""}, {"four", "a"}, {"five", "b"}, {"six", "a"}, {"seven", ""}} {
		s.want(201, call{token: s.admin, method: "POST", path: "/v1/evidence", body: `{"name":"` + e.name + `","team":"` + e.team + `","content":"` + "b2ZmaWNl" + map[string]string{"one": "AAAA", "two": "AAAB", "three": "AAAC", "four": "AAAD", "five": "AAAE", "six": "AAAF", "seven": "AAAG"}[e.name] + `"}`})
	}
	list := func(token, query string) (names []string) {
		t.Helper()
		for after := ""; ; {
			var page struct {
				Items []struct{ Name string }
				Next  string
			}
			s.read(s.want(200, call{token: token, method: "GET", path: "/v1/evidence?limit=2" + query + "&after=" + after}), &page)
			for _, i := range page.Items {
				names = append(names, i.Name)
			}
			if after = page.Next; after == "" {
				return names
			}
			if len(page.Items) != 2 {
				t.Errorf("a page before the last has %d of 2", len(page.Items))
			}
		}
	}
	dev := s.token("dev", "developer", "team/a")
	if got := list(dev, ""); !slices.Equal(got, []string{"six", "four", "one"}) {
		t.Errorf("a developer of a sees %v", got)
	}
	if got := list(dev, "&team=a"); len(got) != 3 {
		t.Errorf("and of the team %v", got)
	}
	for _, team := range []string{"b", "-"} {
		s.want(403, call{token: dev, method: "GET", path: "/v1/evidence?team=" + team})
	}
	s.want(403, call{token: dev, method: "GET", path: "/v1/evidence?organization=true"})
	if got := list(s.admin, "&organization=true"); !slices.Equal(got, []string{"seven", "three"}) {
		t.Errorf("of the organization alone there are %v", got)
	}
	both := s.want(422, call{token: s.admin, method: "GET", path: "/v1/evidence?organization=true&team=a"})
	if !strings.Contains(string(both.body), `team \"a\"`) {
		t.Errorf("of both: %s", both.body)
	}
	for _, query := range []string{"", "&team=-"} {
		if got := list(s.admin, query); len(got) != 7 {
			t.Errorf("the administrator sees %v", got)
		}
	}
}
