package control_test

import (
	"fmt"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// events are those of the trail from a number on.
func (s *site) events(after int64) (all []*gatehouse.Event) {
	s.t.Helper()
	for e, err := range s.c.DB.Events(s.t.Context(), store.EventQuery{After: after}) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (s *site) last() int64 {
	s.t.Helper()
	head, err := s.c.DB.Head(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return head.Event
}

// TestRefusalsAreOnRecord holds that each refused change leaves one event that
// says who, from where, what, and under which id it was answered.
func TestRefusalsAreOnRecord(t *testing.T) {
	s := newSite(t)
	town(s)
	viewer := s.token("eve", "viewer", "team/a")
	api := document(gatehouse.KindAPI, "a", "one", `{"title":"Mine","versions":[{"name":"v1","path":"/a","backend":"one"}]}`)
	tests := []struct {
		name           string
		call           call
		status         int
		actor, action  string
		object, reason string
	}{
		{"no token", call{method: "PUT", path: "/v1/teams/a/apis/one", body: api}, 401, "anonymous", "api.put", "API a/one", ""},
		{"no token to read", call{method: "GET", path: "/v1/teams/a/apis/one"}, 401, "anonymous", "api.get", "API a/one", ""},
		{"no permission", call{token: viewer, method: "PUT", path: "/v1/teams/a/apis/one", body: api}, 403, "user:eve", "api.put", "API a/one", ""},
		{"no permission to read", call{token: viewer, method: "GET", path: "/v1/teams/b/backends/one"}, 403, "user:eve", "backend.get", "Backend b/one", ""},
		{"no permission for what a bundle holds", call{token: viewer, method: "POST", path: "/v1/apply", body: `{"documents":[{"object":` + api + `}]}`}, 403, "user:eve", "apply", "", ""},
		{"in use", call{token: s.admin, method: "DELETE", path: "/v1/teams/a/backends/one"}, 409, "user:admin", "backend.delete", "Backend a/one", ""},
		{"lost race", call{token: s.admin, method: "PUT", path: "/v1/teams/a/apis/one", body: api, header: map[string]string{"If-Match": `"1"`}}, 412, "user:admin", "api.put", "API a/one", ""},
		{"not valid", call{token: s.admin, method: "PUT", path: "/v1/teams/a/apis/one", body: `{}`}, 422, "user:admin", "api.put", "API a/one", ""},
		{"not readable", call{token: s.admin, method: "PUT", path: "/v1/teams/a/apis/one", body: `{`}, 400, "user:admin", "api.put", "API a/one", ""},
		{"not the right type", call{token: s.admin, method: "POST", path: "/v1/tokens", body: `{"subject":1}`}, 422, "user:admin", "token.create", "", ""},
		{"a wrong code", call{method: "POST", path: "/v1/login", body: `{"code":"ghl_wrong"}`}, 401, "anonymous", "session.create", "", ""},
		{"another origin", call{token: s.admin, method: "POST", path: "/v1/tokens", body: `{}`, header: map[string]string{"Sec-Fetch-Site": "cross-site"}}, 403, "anonymous", "access.cross-origin", "organization", ""},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.last()
			tt.call.address = fmt.Sprintf("192.0.2.%d:1234", i+1)
			a := s.do(tt.call)
			p := a.problem(t)
			if a.status != tt.status {
				t.Fatalf("got %d, want %d: %s", a.status, tt.status, a.body)
			}
			events := s.events(before)
			if len(events) != 1 {
				t.Fatalf("%d events, want 1: %+v", len(events), events)
			}
			e := events[0]
			if e.Outcome != gatehouse.Refused || e.Actor != tt.actor || e.Action != tt.action || e.Object != tt.object || e.Address != fmt.Sprintf("192.0.2.%d", i+1) || e.Reason == "" {
				t.Errorf("got %+v", e)
			}
			if e.RequestID == "" || e.RequestID != p.Instance {
				t.Errorf("the event has the id %q, the answer %q", e.RequestID, p.Instance)
			}
		})
	}
}

// TestFloodOverTheAPI holds that a flood of requests without credentials is
// counted whole and recorded in part, while others are recorded as ever.
func TestFloodOverTheAPI(t *testing.T) {
	s := newSite(t)
	before := s.last()
	for range 200 {
		s.want(401, call{method: "GET", path: "/v1/whoami", address: "198.51.100.7:1"})
	}
	s.want(401, call{method: "GET", path: "/v1/whoami", address: "203.0.113.9:1"})
	if n := len(s.events(before)); n != audit.StrangersPerAddress+1 {
		t.Errorf("201 requests left %d events, want %d", n, audit.StrangersPerAddress+1)
	}
	if err := s.c.Server.Strangers.Flush(t.Context(), time.Now(), true); err != nil {
		t.Fatal(err)
	}
	events := s.events(before)
	last := events[len(events)-1]
	if last.Action != audit.ActionStrangers || last.Address != "198.51.100.7" || last.Actor != "anonymous" {
		t.Errorf("got %+v", last)
	}
	v, err := s.c.Trail.Verify(t.Context(), 0, 0)
	if err != nil || !v.OK() {
		t.Errorf("the chain: %+v %v", v, err)
	}
}
