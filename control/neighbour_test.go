package control_test

import (
	"bytes"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// TestNeighboursStayApart holds that a developer of one team reaches nothing of
// another by any route, and is not told what is there, where nothing of it is meant
// for the audience that the developer's team is of.
func TestNeighboursStayApart(t *testing.T) {
	s := newSite(t)
	town(s)
	s.want(200, call{token: s.admin, method: "PUT", path: "/v1/teams/a", body: document(gatehouse.KindTeam, "", "a", `{"audience":"partner"}`)})
	dev := s.token("dev", "developer", "team/a")
	before := s.want(200, call{token: s.admin, method: "GET", path: "/v1/export?team=b"}).body

	for _, r := range ordered() {
		o := r.Describe()
		if !strings.Contains(o.Path(), "{team}") || open(o) {
			continue
		}
		there, missing := request(o, "b"), request(o, "b")
		missing.path = strings.NewReplacer("/one-one", "/none", "/one", "/none").Replace(missing.path)
		missing.body = strings.NewReplacer(`"name":"one-one"`, `"name":"none"`, `"name":"one"`, `"name":"none"`).Replace(missing.body)
		for _, c := range []call{there, missing} {
			c.token = dev
			if a := s.do(c); a.status != 403 {
				t.Errorf("%s %s: got %d, want 403: %s", c.method, c.path, a.status, a.body)
			}
		}
	}

	set := `{"apiVersion":"gatehouse/v1","kind":"PolicySet","metadata":{"team":"%","name":"new"},"spec":{"policies":[{"timeout":{"backend":"1s"}}]}}`
	of := func(team string) string { return `{"object":` + strings.Replace(set, "%", team, 1) + `}` }
	s.want(200, call{token: s.admin, method: "POST", path: "/v1/apply", body: `{"set":"theirs","documents":[{"object":` +
		document(gatehouse.KindPolicySet, "b", "kept", `{"policies":[{"timeout":{"backend":"1s"}}]}`) + `}]}`})
	before = s.want(200, call{token: s.admin, method: "GET", path: "/v1/export?team=b"}).body
	tests := []struct {
		name, method, path, body string
		want                     int
	}{
		{"theirs among one's own", "POST", "/v1/apply", `{"documents":[` + of("a") + `,` + of("b") + `]}`, 403},
		{"a plan shows what is there", "POST", "/v1/apply", `{"dryRun":true,"documents":[{"object":` + document(gatehouse.KindBackend, "b", "one", `{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:1"}]}}}`) + `}]}`, 403},
		{"pruning their set", "POST", "/v1/apply", `{"set":"theirs","prune":true,"documents":[` + of("a") + `]}`, 403},
		{"their application subscribes", "POST", "/v1/subscribe", `{"product":"a/one","plan":"free","application":"b/one","environment":"dev"}`, 403},
		{"their new application", "POST", "/v1/subscribe", `{"product":"a/one","plan":"free","application":"b/new","environment":"dev"}`, 403},
		{"their team's document", "PUT", "/v1/teams/b", document(gatehouse.KindTeam, "", "b", `{"members":["user:dev"]}`), 403},
		{"a role there", "PUT", "/v1/role-assignments/me", document(gatehouse.KindRoleAssignment, "", "me", `{"subject":"user:dev","role":"developer","scope":"team/b"}`), 403},
		{"one's own place, their document", "PUT", "/v1/teams/a/policy-sets/new", strings.Replace(set, "%", "b", 1), 422},
		{"their subscription under one's own name", "PUT", "/v1/teams/a/subscriptions/x", document(gatehouse.KindSubscription, "a", "x", `{"product":"a/one","plan":"free","application":"b/one","environment":"dev"}`), 422},
		{"their backend", "PUT", "/v1/teams/a/apis/two", document(gatehouse.KindAPI, "a", "two", `{"title":"Two","versions":[{"name":"v1","path":"/two","backend":"b/one"}]}`), 403},
		{"their API in one's own product", "PUT", "/v1/teams/a/products/two", document(gatehouse.KindProduct, "a", "two", `{"apis":["b/one"],"plans":[{"name":"free","approval":"automatic"}]}`), 403},
		{"a path with dots", "GET", "/v1/teams/a/apis/..%2f..%2fb%2fapis%2fone", "", 404},
		{"a team with a slash", "GET", "/v1/teams/b%2Fapis/apis/one", "", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.do(call{token: dev, method: tt.method, path: tt.path, body: tt.body})
			if a.status != tt.want {
				t.Errorf("got %d, want %d: %s", a.status, tt.want, a.body)
			}
		})
	}
	for _, kind := range gatehouse.Kinds {
		if !kind.Owned {
			continue
		}
		for _, team := range []string{"-", "b"} {
			var list struct{ Items []adminapi.ObjectBody }
			s.read(s.want(200, call{token: dev, method: "GET", path: "/v1/teams/" + team + "/" + kind.Plural}), &list)
			for _, o := range list.Items {
				if o.Metadata.Team != "a" {
					t.Errorf("the list of %s has %s", kind.Plural, o.Metadata.Ref())
				}
			}
		}
	}
	if a := s.want(200, call{token: dev, method: "GET", path: "/v1/catalog"}); bytes.Contains(a.body, []byte(`"b/one"`)) {
		t.Errorf("the catalog tells of b: %s", a.body)
	}
	after := s.want(200, call{token: s.admin, method: "GET", path: "/v1/export?team=b"}).body
	if !bytes.Equal(before, after) {
		t.Errorf("team b changed from\n%s\nto\n%s", before, after)
	}
}
