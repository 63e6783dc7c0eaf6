package control_test

import (
	"testing"

	"gatehouse"
)

// TestTakingFromOtherTeams holds that an API, a backend and a policy set of
// another team are put to use by those who may say so there, and that what was
// agreed stays while the rest is edited.
func TestTakingFromOtherTeams(t *testing.T) {
	s := newSite(t)
	town(s)
	s.put(gatehouse.KindPolicySet, "b", "house", `{"policies":[{"timeout":{"backend":"1s"}}]}`)
	dev := s.token("dev", "developer", "team/a")
	product := func(title string) string {
		return document(gatehouse.KindProduct, "a", "both", `{"title":"`+title+`","apis":["one","b/one"],"plans":[{"name":"free","approval":"automatic"}]}`)
	}
	api := document(gatehouse.KindAPI, "a", "two", `{"title":"Two","versions":[{"name":"v1","path":"/two","backend":"b/one"}]}`)
	set := document(gatehouse.KindAPI, "a", "three", `{"title":"Three","versions":[{"name":"v1","path":"/three","backend":"one","policies":[{"policy-set":"b/house"}]}]}`)
	put := func(status int, path, body string) {
		t.Helper()
		s.want(status, call{token: dev, method: "PUT", path: "/v1/teams/a/" + path, body: body})
	}
	put(403, "products/both", product("One"))
	put(403, "apis/two", api)
	put(403, "apis/three", set)

	s.want(200, call{token: s.admin, method: "PUT", path: "/v1/teams/a/products/both", body: product("One")})
	put(200, "products/both", product("Another title"))

	s.put(gatehouse.KindRoleAssignment, "", "dev-b", `{"subject":"user:dev","role":"viewer","scope":"team/b"}`)
	put(200, "apis/three", set) // reading it is enough
	put(403, "apis/two", api)
	s.put(gatehouse.KindRoleAssignment, "", "dev-b2", `{"subject":"user:dev","role":"developer","scope":"team/b"}`)
	put(200, "apis/two", api)
}
