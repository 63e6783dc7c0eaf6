package control_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
)

// town fills a site with two teams that own the same things.
func town(s *site) {
	s.put(gatehouse.KindEnvironment, "", "dev", `{"stage":"dev"}`)
	s.put(gatehouse.KindGateway, "", "one", `{"environment":"dev"}`)
	s.put(gatehouse.KindUser, "", "one", `{}`)
	for _, team := range []string{"a", "b"} {
		s.put(gatehouse.KindTeam, "", team, `{}`)
		s.put(gatehouse.KindRoleAssignment, "", team, `{"subject":"user:one","role":"viewer","scope":"team/`+team+`"}`)
		s.put(gatehouse.KindBackend, team, "one", `{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:9"}]}}}`)
		s.put(gatehouse.KindAPI, team, "one", `{"title":"One","versions":[{"name":"v1","path":"/`+team+`","backend":"one"}]}`)
		s.put(gatehouse.KindProduct, team, "one", `{"apis":["one"],"plans":[{"name":"free","approval":"automatic"}]}`)
		s.put(gatehouse.KindApplication, team, "one", `{}`)
		s.want(200, call{token: s.admin, method: "POST", path: "/v1/subscribe",
			body: `{"product":"` + team + `/one","plan":"free","application":"` + team + `/one","environment":"dev"}`})
	}
}

// specs are documents that the checks take, for each kind.
var specs = map[gatehouse.Kind]string{
	gatehouse.KindAPI: `{"title":"One","versions":[{"name":"v1","path":"/{team}","backend":"one"}]}`, gatehouse.KindBackend: `{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:9"}]}}}`,
	gatehouse.KindProduct: `{"apis":["one"],"plans":[{"name":"free","approval":"automatic"}]}`, gatehouse.KindEnvironment: `{"stage":"dev"}`, gatehouse.KindGateway: `{"environment":"dev"}`,
	gatehouse.KindRoleAssignment: `{"subject":"user:one","role":"viewer","scope":"team/{team}"}`, gatehouse.KindRole: `{"permissions":["api.get"]}`,
	gatehouse.KindSubscription: `{"product":"{team}/one","plan":"free","application":"{team}/one","environment":"dev"}`,
}

// bodies are what the routes ask whose handlers ask for permission.
var bodies = map[string]string{
	"subscribe":        `{"product":"{team}/one","plan":"free","application":"{team}/one","environment":"dev"}`,
	"apply":            `{"documents":[{"object":{"apiVersion":"gatehouse/v1","kind":"PolicySet","metadata":{"team":"{team}","name":"new"},"spec":{"policies":[{"timeout":{"backend":"1s"}}]}}}]}`,
	"createToken":      `{"subject":"user:one"}`,
	"createLoginCode":  `{"subject":"user:one"}`,
	"addEvidence":      `{"name":"one.txt","team":"{team}","content":"b25l"}`,
	"askWaiver":        `{"api":"{team}/one","control":"c","reason":"r","expires":"2099-01-01T00:00:00Z"}`,
	"answerOnboarding": `{"answer":"yes"}`,
	"openSupport":      `{"team":"{team}","api":"{team}/one","category":"question","title":"t","text":"x"}`,
	"replySupport":     `{"text":"x"}`,
	"assignSupport":    `{"assignee":"user:one"}`,
	"testReceiver":     `{"receiver":"team/{team}/none"}`, "rotateReceiverSecret": `{"receiver":"team/{team}/none"}`,
}

var queries = map[string]string{
	"accessCan": "?subject=user:one&action=api.put&on=API/{team}/one", "accessWhy": "?subject=user:one&action=api.put&on=API/{team}/one",
	"accessWho": "?action=api.put&on=API/{team}/one", "listTokens": "?subject=user:one", "listSessions": "?subject=user:one",
	"queryUsage": "?api={team}/one@v1", "explain": "?environment=dev", "getDelivery": "?environment=dev", "tailAudit": "?wait=0",
	"listEvidence": "?team={team}",
}

// request is the call of a route on the objects of a team.
func request(o adminapi.Operation, team string) call {
	fill := strings.NewReplacer("{team}", team, "{version}", "v1", "{revision}", "abcdef", "{token}", "tok_none", "{session}", "ses_none",
		"{key}", "key_none", "{instance}", "none", "{hash}", strings.Repeat("0", 64), "{name}", nameOf(o, team))
	c := call{method: o.Method(), path: fill.Replace(o.Path() + queries[o.ID]), body: fill.Replace(bodies[o.ID])}
	switch {
	case o.Kind != "" && o.Method() == "PUT":
		owner := ""
		if k, _ := gatehouse.Info(string(o.Kind)); k.Owned {
			owner = team
		}
		spec := specs[o.Kind]
		if spec == "" {
			spec = `{}`
		}
		c.body = fill.Replace(document(o.Kind, owner, nameOf(o, team), spec))
	case o.Changes() && c.body == "" && o.Method() == "POST":
		c.body = `{}`
	}
	return c
}

func nameOf(o adminapi.Operation, team string) string {
	if o.Kind == gatehouse.KindSubscription || strings.Contains(o.Path(), "/subscriptions/") {
		return "one-one"
	}
	if o.Kind == gatehouse.KindTeam || o.Kind == gatehouse.KindRoleAssignment {
		return team
	}
	return "one"
}

// may is the naive model: some pattern of the list permits the action.
func may(patterns []string, action string) bool {
	noun, verb, two := strings.Cut(action, ".")
	return slices.ContainsFunc(patterns, func(p string) bool {
		pn, pv, star := strings.Cut(p, ".")
		return p == "*" || p == action || two && star && (pn == "*" || pn == noun) && (pv == "*" || pv == verb)
	})
}

// where says on what a route asks: the team that owns it, or "" where it is
// the organization's.
func where(o adminapi.Operation, team string) string {
	switch {
	case strings.Contains(o.Path(), "{team}"), o.Kind == gatehouse.KindTeam, strings.Contains(bodies[o.ID]+queries[o.ID], "{team}"), o.Kind == gatehouse.KindRoleAssignment:
		return team
	}
	return ""
}

// actionOf is the permission that the route's call needs.
func actionOf(o adminapi.Operation) string {
	if o.ID == "apply" {
		return "policy-set.put" // what the bundle holds
	}
	return o.Action
}

// open are routes that anyone who is signed in may call: lists, which hold only
// what the caller may read, and what is one's own.
func open(o adminapi.Operation) bool {
	lists := o.Kind != "" && strings.HasSuffix(o.Action, ".list")
	return o.Public || lists || o.ID == "logout" || o.ID == "getCatalog" || o.ID == "listOnboardings" || o.ID == "listSchedules" || o.ID == "getOverview" || o.ID == "listGate" || o.ID == "listSupport" || o.ID == "listWaivers" ||
		o.ID == "listReceivers" || o.ID == "listNotifications" || o.ID == "listEventTypes"
}

// stricter are refused to some who have the permission: nobody gives, or ends,
// more than they hold, and whoever asked cannot decide.
var stricter = []string{"putRole", "putRoleAssignment", "deleteRoleAssignment", "deleteRole", "putGroup", "deleteGroup", "createToken", "createLoginCode",
	"approveSubscription", "rejectSubscription", "resumeSubscription", "putUser", "putServiceAccount", "approveRelease", "putTeam"}

// found are the routes by which somebody of the house finds what is meant for it,
// whichever role makes them so. The team p is one of partners.
func found(o adminapi.Operation, role, scope string) bool {
	return role != "" && scope != "team/p" && (o.ID == "getAPI" || o.ID == "getProduct" || o.ID == "listOperations")
}

// TestRoleByRoute asks every route of the table as every built-in role, given
// for the organization, for one team and for one of partners, on that team's
// objects and another's.
func TestRoleByRoute(t *testing.T) {
	roles := append(slices.Clone(access.BuiltInRoles), access.BuiltInRole{Name: ""})
	for _, role := range roles {
		for _, scope := range []string{"organization", "team/a", "team/p"} {
			if role.Name == "" && scope != "organization" {
				continue
			}
			t.Run(role.Name+" in "+scope, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				town(s)
				s.put(gatehouse.KindTeam, "", "p", `{"audience":"partner"}`)
				token := s.token("who", role.Name, scope)
				teams := []string{"b", "a"}
				if scope != "team/a" {
					teams = teams[:1] // one is as the other
				}
				for _, team := range teams {
					for _, r := range ordered() {
						o := r.Describe()
						c := request(o, team)
						c.token = token
						a := s.do(c)
						holds := role.Permissions
						if on := where(o, team); scope != "organization" && scope != "team/"+on {
							holds = nil
						}
						want := open(o) || may(access.Everyone, actionOf(o)) || may(holds, actionOf(o)) || found(o, role.Name, scope)
						got := a.status != http.StatusUnauthorized && a.status != http.StatusForbidden
						if a.status >= 500 {
							t.Errorf("%s on team %s: %d %s", o.ID, team, a.status, a.body)
						}
						if o.ID != "login" && (got && !want || !got && want && !slices.Contains(stricter, o.ID)) {
							t.Errorf("%s (%s) on team %s: got %d, the model says %v: %s", o.ID, actionOf(o), team, a.status, want, a.body)
						}
					}
				}
			})
		}
	}
}

// ordered are the routes with what deletes last, so that there is something to
// refuse until then.
func ordered() []adminapi.Described {
	all := slices.Clone(adminapi.Routes)
	slices.SortStableFunc(all, func(a, b adminapi.Described) int { return rank(a) - rank(b) })
	return all
}

func rank(r adminapi.Described) int {
	switch o := r.Describe(); {
	case o.ID == "deleteUser" || o.ID == "deleteTeam" || o.ID == "deleteEnvironment" || o.ID == "deleteGateway":
		return 2
	case o.Method() == "DELETE" || o.ID == "withdraw" || o.ID == "cancelSubscription":
		return 1
	}
	return 0
}

// TestAnonymous holds that nobody does anything without proof of who they are.
func TestAnonymous(t *testing.T) {
	s := newSite(t)
	town(s)
	for _, r := range adminapi.Routes {
		o := r.Describe()
		for _, token := range []string{"", "ght_wrong", s.admin + "x", s.admin[:len(s.admin)-1]} {
			c := request(o, "a")
			c.token = token
			a := s.do(c)
			if o.Public {
				if o.ID != "login" && o.ID != "getGateKeys" { // public keys are for whoever verifies
					t.Errorf("%s is public", o.ID)
				}
				continue
			}
			if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with token %q: got %d %s", o.ID, token, a.status, a.body)
			}
			a.problem(t)
		}
	}
}
