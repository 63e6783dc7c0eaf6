package control_test

import (
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// TestDevelopersKeepTheirPipelinesTokens holds that a developer looks after the
// tokens of the own team's service accounts, and of nobody else.
func TestDevelopersKeepTheirPipelinesTokens(t *testing.T) {
	s := newSite(t)
	town(s)
	for _, team := range []string{"a", "b"} {
		s.put(gatehouse.KindServiceAccount, "", team+"-ci", `{"team":"`+team+`"}`)
		s.put(gatehouse.KindRoleAssignment, "", team+"-ci", `{"subject":"service:`+team+`-ci","role":"developer","scope":"team/`+team+`"}`)
	}
	s.put(gatehouse.KindServiceAccount, "", "strong", `{"team":"a"}`)
	s.put(gatehouse.KindRoleAssignment, "", "strong", `{"subject":"service:strong","role":"provider","scope":"organization"}`)
	dev, viewer, org := s.token("dev", "developer", "team/a"), s.token("look", "viewer", "team/a"), s.token("wide", "developer", "organization")
	create := func(status int, who, subject string) answer {
		return s.want(status, call{token: who, method: "POST", path: "/v1/tokens", body: `{"subject":"` + subject + `","name":"t"}`})
	}
	var made, other adminapi.NewToken
	s.read(create(201, dev, "service:a-ci"), &made.Body)
	s.read(create(201, org, "service:b-ci"), &other.Body)
	create(403, dev, "service:b-ci")
	create(403, dev, "service:strong") // it holds more than its team's developer
	create(403, dev, "user:one")
	create(403, org, "user:one") // a person is no pipeline, whatever a developer holds
	create(403, viewer, "service:a-ci")
	create(403, dev, "service:none")

	list := func(status int, who, subject string) answer {
		return s.want(status, call{token: who, method: "GET", path: "/v1/tokens?subject=" + subject})
	}
	if a := list(200, dev, "service:a-ci"); !strings.Contains(string(a.body), made.Body.ID) {
		t.Errorf("listed %s", a.body)
	}
	list(403, dev, "service:b-ci")
	list(403, dev, "-")
	list(403, viewer, "service:a-ci")
	revoke := func(status int, who, id string) {
		s.want(status, call{token: who, method: "DELETE", path: "/v1/tokens/" + id})
	}
	revoke(403, viewer, made.Body.ID)
	revoke(403, dev, other.Body.ID)
	revoke(403, dev, "tok_none")
	revoke(204, dev, made.Body.ID)
	s.want(401, call{token: made.Body.Token, method: "GET", path: "/v1/whoami"})
}

// TestPagesShowWhatMayBeSeen holds that the page of a team, its checklist and
// the figures of all show a caller their own teams, and people and events only
// to who may see those.
func TestPagesShowWhatMayBeSeen(t *testing.T) {
	s := newSite(t)
	town(s)
	tests := []struct {
		role, scope string
		teams       string // on the provider's page
		roles       bool
	}{
		{"viewer", "team/a", "a", false}, {"developer", "team/a", "a", true}, {"approver", "team/a", "a", true}, {"consumer", "team/a", "", false},
		{"", "", "", false}, {"provider", "organization", "a b", true}, {"auditor", "organization", "a b", true}, {"compliance", "organization", "a b", true},
		{"viewer", "organization", "a b", false}, {"admin", "team/a", "a", true},
	}
	for _, tt := range tests {
		who := s.token("who-"+tt.role+"-"+strings.ReplaceAll(tt.scope, "/", "-")+"-x", tt.role, tt.scope)
		var all struct {
			Items []gatehouse.TeamRow
			Sum   gatehouse.TeamCounts
		}
		s.read(s.want(200, call{token: who, method: "GET", path: "/v1/overview"}), &all)
		var names []string
		for _, r := range all.Items {
			names = append(names, r.Team)
		}
		if got := strings.Join(names, " "); got != tt.teams || all.Sum.APIs != len(names) {
			t.Errorf("%s on %s sees %q and %d APIs, want %q", tt.role, tt.scope, got, all.Sum.APIs, tt.teams)
		}
		for _, team := range []string{"a", "b"} {
			status := 403
			if strings.Contains(tt.teams, team) {
				status = 200
			}
			s.want(status, call{token: who, method: "GET", path: "/v1/teams/" + team + "/checklist"})
			page := s.want(status, call{token: who, method: "GET", path: "/v1/teams/" + team + "/overview"})
			if status != 200 {
				continue
			}
			var p gatehouse.TeamPage
			s.read(page, &p)
			seen := len(p.Members) > 0 && len(p.Members[0].Roles) > 0 && len(p.Activity) > 0 && len(p.Withheld) == 0
			hidden := len(p.Members) > 0 && len(p.Members[0].Roles) == 0 && len(p.Activity) == 0 && len(p.Withheld) == 2
			if tt.roles && !seen || !tt.roles && !hidden {
				t.Errorf("%s on %s, team %s: members %+v, %d events, withheld %q", tt.role, tt.scope, team, p.Members, len(p.Activity), p.Withheld)
			}
		}
	}
}
