package control_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// byID are the routes whose object says only when it was read whose it is:
// waivers, support requests and on-boardings. Each asks of one that is there.
var byID = map[string]string{
	"getWaiver": "waiver", "approveWaiver": "waiver", "rejectWaiver": "waiver", "revokeWaiver": "waiver",
	"getSupport": "support", "replySupport": "support", "assignSupport": "support", "closeSupport": "support", "reopenSupport": "support", "getSupportAttachment": "support",
	"getOnboarding": "onboarding", "askOnboarding": "onboarding", "answerOnboarding": "onboarding", "approveOnboarding": "onboarding",
	"rejectOnboarding": "onboarding", "withdrawOnboarding": "onboarding",
}

// object makes one of a team, in which no caller of the matrix has a part, and
// returns its id.
func (s *site) object(noun, team, mark string) string {
	s.t.Helper()
	switch noun {
	case "waiver":
		w := gatehouse.Waiver{ID: "wvr_" + team + mark, Framework: "corporate", Control: "c", API: team + "/one", Reason: "soon", State: gatehouse.Requested,
			AskedBy: "user:one", Asked: time.Now(), Expires: time.Now().Add(time.Hour)}
		value, err := jsonx.Marshal(&w)
		if err == nil {
			_, err = s.c.DB.Apply(s.t.Context(), store.Batch{Writes: []store.Write{{Key: "Waiver/" + w.ID, Kind: string(gatehouse.KindWaiver), Value: value, Expect: store.Absent,
				Index: map[string]string{"of": w.API, "team": team, "state": w.State}}}})
		}
		if err != nil {
			s.t.Fatal(err)
		}
		return w.ID
	case "support":
		var out struct{ ID string }
		s.read(s.want(201, call{token: s.admin, method: "POST", path: "/v1/support",
			body: `{"team":"asking","api":"` + team + `/one","category":"question","title":"t","text":"x"}`}), &out)
		return out.ID
	}
	var out gatehouse.Onboarding
	s.read(s.want(201, call{token: s.token("asks"+mark, "", ""), method: "POST", path: "/v1/onboardings", body: fmt.Sprintf(
		`{"request":{"team":"new-%s%s","why":"w","members":["user:one"],"environments":["dev"],"data":["internal"],"contacts":{"email":"new@example.com"}}}`, team, mark)}), &out)
	return out.ID
}

// TestRoleByObject asks every route that names its object by an id alone, as
// every built-in role given for the organization, for the owning team and for
// another one, of an object that is there: nothing unexpected is let through,
// whoever may not is not told what there is, and each refusal is on record.
func TestRoleByObject(t *testing.T) {
	s := newSite(t)
	town(s)
	s.put(gatehouse.KindTeam, "", "asking", `{}`)
	routes := map[string]adminapi.Operation{}
	for _, r := range adminapi.Routes {
		o := r.Describe()
		if p := o.Path(); (strings.Contains(p, "/waivers/{") || strings.Contains(p, "/support/{") || strings.Contains(p, "/onboardings/{")) && byID[o.ID] == "" {
			t.Errorf("%s is not in the matrix", o.ID)
		}
		routes[o.ID] = o
	}
	tried, allowed := 0, 0
	for _, role := range append([]access.BuiltInRole{{}}, access.BuiltInRoles...) {
		for _, scope := range []string{"organization", "team/a"} {
			if role.Name == "" && scope != "organization" {
				continue
			}
			who := "m-" + role.Name + "-" + strings.ReplaceAll(scope, "/", "-")
			token := s.token(who, role.Name, scope)
			for _, team := range []string{"a", "b"} {
				for id, noun := range byID {
					o := routes[id]
					c := request(o, team)
					key := s.object(noun, team, fmt.Sprintf("-%d", tried))
					c.path = strings.NewReplacer("{waiver}", key, "{id}", key).Replace(c.path)
					c.token = token
					before := s.last()
					a := s.do(c)
					covered := scope == "organization" || noun != "onboarding" && scope == "team/"+team
					want := covered && may(role.Permissions, o.Action)
					if noun == "onboarding" && (id == "answerOnboarding" || id == "withdrawOnboarding") {
						want = false // only who has a part in it
					}
					got := a.status != http.StatusUnauthorized && a.status != http.StatusForbidden && a.status != http.StatusNotFound
					if id == "answerOnboarding" { // nothing was asked back; who has no part in it need not be told so
						got = a.status < 300
					}
					if id == "getSupportAttachment" && want {
						got = a.status == http.StatusNotFound // may look, and there is none
					}
					if got != want || a.status >= 500 {
						t.Errorf("%s (%s) by %q in %s on one of team %s: got %d, the model says %v: %s", id, o.Action, role.Name, scope, team, a.status, want, a.body)
					}
					if !want && !s.refusal(before, who) {
						t.Errorf("%s by %q in %s on one of team %s: the refusal is not on record", id, role.Name, scope, team)
					}
					if tried++; want {
						allowed++
					}
				}
			}
		}
	}
	t.Logf("%d tried, %d allowed", tried, allowed)
}

// refusal tells whether the trail has a refusal of a user's after an event.
func (s *site) refusal(after int64, who string) bool {
	for _, e := range s.events(after) {
		if e.Actor == "user:"+who && e.Outcome != gatehouse.Allowed {
			return true
		}
	}
	return false
}
