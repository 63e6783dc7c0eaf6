package control_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// Pages are of what the caller may read: full, whatever lies between, in the order
// asked for, and none follows that is empty.
func TestPagesOfWhatOneMayRead(t *testing.T) {
	s := newSite(t)
	for _, team := range []string{"a", "b"} {
		s.put(gatehouse.KindTeam, "", team, `{}`)
	}
	var want []string
	for i := range 300 {
		team := "b"
		if i%23 == 7 {
			team = "a"
			want = append(want, fmt.Sprintf("s%03d", i))
		}
		s.put(gatehouse.KindPolicySet, team, fmt.Sprintf("s%03d", i), `{"policies":[{"timeout":{"backend":"1s"}}]}`)
	}
	dev := s.token("dev", "developer", "team/a")
	for _, query := range []string{"", "&sort=name", "&sort=-name"} {
		var got []string
		for after, pages := "", 0; ; pages++ {
			var list struct {
				Items []adminapi.ObjectBody
				Next  string
			}
			s.read(s.want(200, call{token: dev, method: "GET", path: "/v1/teams/-/policy-sets?limit=5" + query + after}), &list)
			for _, o := range list.Items {
				got = append(got, o.Metadata.Name)
			}
			if list.Next == "" {
				break
			}
			if len(list.Items) != 5 {
				t.Errorf("%q: page %d has %d", query, pages, len(list.Items))
			}
			after = "&after=" + list.Next
		}
		order := slices.Clone(want)
		if query == "&sort=-name" {
			slices.Reverse(order)
		}
		if !slices.Equal(got, order) {
			t.Errorf("%q: got %v, want %v", query, got, order)
		}
	}
}

// A team's people take out what they may read of it, and those who hold its trail
// read that; neither reaches another team's, or everybody's.
func TestATeamsOwn(t *testing.T) {
	s := newSite(t)
	town(s)
	dev, auditor := s.token("dev", "developer", "team/a"), s.token("eve", "auditor", "team/a")
	tests := []struct {
		token, path string
		want        int
		has, lacks  string
	}{
		{dev, "/v1/export?team=a", 200, `"team":"a"`, `"team":"b"`},
		{dev, "/v1/export?team=a&kind=API", 200, `"kind":"API"`, `"kind":"Backend"`},
		{dev, "/v1/export?team=b", 403, "", `"name":"one"`},
		{dev, "/v1/export?team=nowhere", 403, "", ""},
		{dev, "/v1/export", 403, "with a team, what you may read of it can be had", `"name":"one"`},
		{s.admin, "/v1/export?team=nowhere", 200, `"documents":[]`, ""},
		{auditor, "/v1/audit/events?team=a", 200, `"team":"a"`, `"team":"b"`},
		{auditor, "/v1/audit/tail?team=a&wait=1", 200, `"team":"a"`, `"team":"b"`},
		{auditor, "/v1/audit/export?team=a", 200, `"team":"a"`, `"team":"b"`},
		{auditor, "/v1/audit/events?team=b", 403, "", ""},
		{auditor, "/v1/audit/events", 403, "", ""},
		{auditor, "/v1/audit/tail?wait=0", 403, "", ""},
		{auditor, "/v1/audit/export", 403, "", ""},
		{dev, "/v1/audit/events?team=a", 403, "", ""},
	}
	for _, tt := range tests {
		a := s.want(tt.want, call{token: tt.token, method: "GET", path: tt.path})
		if !strings.Contains(string(a.body), tt.has) || tt.lacks != "" && strings.Contains(string(a.body), tt.lacks) {
			t.Errorf("%s: want %q and not %q in %s", tt.path, tt.has, tt.lacks, a.body)
		}
	}
	refused := s.events(0)
	last := refused[len(refused)-1]
	if last.Action != "audit.query" || last.Outcome != gatehouse.Refused || last.Object != "Team a" || last.Team != "a" {
		t.Errorf("the last refusal is on record as %+v", last)
	}
}

// Whoever has an object's state is told so without its body.
func TestUnchanged(t *testing.T) {
	s := newSite(t)
	town(s)
	get := func(tag string) answer {
		return s.do(call{token: s.admin, method: "GET", path: "/v1/teams/a/apis/one", header: map[string]string{"If-None-Match": tag}})
	}
	tag := get("").header.Get("ETag")
	for _, tt := range []struct {
		name, tag string
		want      int
	}{
		{"the same", tag, 304}, {"weak", "W/" + tag, 304}, {"among others", `"1", ` + tag, 304}, {"any", "*", 304}, {"another", `"1"`, 200},
	} {
		a := get(tt.tag)
		if a.status != tt.want || a.header.Get("ETag") != tag || (a.status == 304) != (len(a.body) == 0) {
			t.Errorf("%s: got %d with tag %s and %d bytes", tt.name, a.status, a.header.Get("ETag"), len(a.body))
		}
	}
	if a := s.do(call{token: "ght_none", method: "GET", path: "/v1/teams/a/apis/one", header: map[string]string{"If-None-Match": "*"}}); a.status != 401 {
		t.Errorf("without proof: got %d", a.status)
	}
	if a := s.do(call{token: s.admin, method: "GET", path: "/v1/teams/a/apis/none", header: map[string]string{"If-None-Match": "*"}}); a.status != 404 {
		t.Errorf("nothing there: got %d", a.status)
	}
}
