package control_test

import (
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// TestUnknownEnvironment asks every route that takes an environment in its query
// about one that there is not: none may answer that nothing was found. Of one
// that is gone what it had may be asked.
func TestUnknownEnvironment(t *testing.T) {
	s := newSite(t)
	town(s)
	s.put(gatehouse.KindEnvironment, "", "old", `{"stage":"qa"}`)
	s.want(204, call{token: s.admin, method: "DELETE", path: "/v1/environments/old"})
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
		}
	}
	s.read(s.want(200, call{method: "GET", path: "/openapi.json"}), &doc)
	asks := map[string]bool{}
	for _, methods := range doc.Paths {
		for _, o := range methods {
			for _, p := range o.Parameters {
				if p.Name == "environment" && p.In == "query" {
					asks[o.OperationID] = true
				}
			}
		}
	}
	if len(asks) < 10 {
		t.Fatalf("only %d routes have an environment in their query", len(asks))
	}
	for _, r := range adminapi.Routes {
		o := r.Describe()
		if !asks[o.ID] {
			continue
		}
		c := request(o, "a")
		c.token = s.admin
		c.path, _, _ = strings.Cut(c.path, "?")
		c.path += "?environment=mars"
		if got := string(s.want(404, c).body); !strings.Contains(got, `there is no environment \"mars\"; there is dev`) {
			t.Errorf("%s: %s", o.ID, got)
		}
	}
	for _, path := range []string{"/v1/catalog", "/v1/gate", "/v1/teams/a/apis/one/versions/v1/status"} {
		s.want(200, call{token: s.admin, method: "GET", path: path + "?environment=old"})
	}
}
