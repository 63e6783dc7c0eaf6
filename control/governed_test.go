package control_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// TestBadInputOfGovernance holds what no framework, approval, waiver, on-boarding
// or release may be: each is refused with what would make it right, and the attempt
// is on record under the id that was answered.
func TestBadInputOfGovernance(t *testing.T) {
	s := newSite(t)
	town(s)
	author, carol, dave, gone := s.token("ann", "provider", "organization"), s.token("carol", "compliance", "organization"), s.token("dave", "compliance", "organization"), s.token("gone", "compliance", "organization")
	s.put(gatehouse.KindRoleAssignment, "", "ann-too", `{"subject":"user:ann","role":"compliance","scope":"organization"}`)
	const path = "/v1/frameworks/corporate"
	controls := func(all string) string {
		return document(gatehouse.KindFramework, "", "corporate", `{"versions":[{"name":"1","service":{"nonFunctional":{"terms":"Be kind."}},"controls":[`+all+`]}]}`)
	}
	s.want(200, call{token: author, method: "PUT", path: path, body: controls(`{"id":"named","title":"Named","check":{"cel":{"expression":"api.title != ''","message":"give it a title"}}},{"id":"asked","title":"Asked","level":"advisory","check":{"question":{"text":"Is it so?"}}}`)})
	s.want(200, call{token: author, method: "POST", path: path + "/versions/1/submit", body: `{}`})
	s.want(200, call{token: carol, method: "POST", path: path + "/versions/1/approve", body: `{}`})
	// gone approves, and loses the role for it.
	s.want(200, call{token: gone, method: "POST", path: path + "/versions/1/approve", body: `{}`})
	s.want(204, call{token: s.admin, method: "DELETE", path: "/v1/role-assignments/gone"})
	s.put(gatehouse.KindEnvironment, "", "shut", `{"stage":"qa","release":{"mode":"manual","freezes":[{"from":"2020-01-01","until":"2120-01-01","reason":"for ever"}]}}`)
	s.put(gatehouse.KindBackend, "a", "one", `{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:9"}]},"shut":{"targets":[{"url":"http://127.0.0.1:9"}]}}}`)

	// bundle is a framework, draft, with files beside it.
	bundle := func(control string, files map[string]string) string {
		var names, contents []string
		for name, text := range files {
			sum := sha256.Sum256([]byte(text))
			names = append(names, fmt.Sprintf("%q:%q", name, hex.EncodeToString(sum[:])))
			contents = append(contents, fmt.Sprintf("%q:%q", hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString([]byte(text))))
		}
		return `{"documents":[{"object":` + strings.Replace(controls(control), "corporate", "draft", 1) + `,"files":{` + strings.Join(names, ",") + `}}],"files":{` + strings.Join(contents, ",") + `}}`
	}
	lint := func(ruleset string) string {
		return bundle(`{"id":"x","title":"X","check":{"lint":{"ruleset":`+ruleset+`}}}`, nil)
	}
	cel := func(expression string) string {
		return bundle(fmt.Sprintf(`{"id":"x","title":"X","check":{"cel":{"expression":%q,"message":"no"}}}`, expression), nil)
	}
	const nested = "operations.all(a, operations.all(b, operations.all(c, a.id + b.id != c.id)))"
	apply := func(body string) call { return call{token: author, method: "POST", path: "/v1/apply", body: body} }
	approve := func(token string) call {
		return call{token: token, method: "POST", path: path + "/versions/1/approve", body: `{}`}
	}
	waive := func(expires string) call {
		return call{token: author, method: "POST", path: "/v1/waivers", body: `{"api":"a/one","framework":"corporate","environment":"dev","control":"named","reason":"later"` + expires + `}`}
	}
	release := func(env string) call {
		return call{token: s.admin, method: "POST", path: "/v1/teams/a/apis/one/versions/v1/release", body: `{"environment":"` + env + `"}`}
	}
	tests := []struct {
		name, action string
		call         call
		status       int
		want         string
	}{
		{"ruleset with an unknown function", "apply", apply(lint(`{"rules":{"x":{"given":"$","then":{"function":"execute"}}}}`)), 422, "execute"},
		{"bad JSONPath", "apply", apply(lint(`{"rules":{"x":{"given":"$..[?(","then":{"function":"truthy"}}}}`)), 422, "given"},
		{"exploding expression", "apply", apply(lint(`{"rules":{"x":{"given":"$","then":{"function":"pattern","functionOptions":{"match":"((((a{1,100}){1,100}){1,100}){1,100})"}}}}}`)), 422, "match"},
		{"CEL that does not type-check", "apply", apply(cel("api.title + 1 > 2")), 422, "no matching overload"},
		{"CEL that costs too much", "apply", apply(cel(nested)), 422, "may cost"},
		{"control id twice", "apply", apply(bundle(`{"id":"x","title":"X","check":{"question":{"text":"?"}}},{"id":"x","title":"Y","check":{"question":{"text":"?"}}}`, nil)), 422, "x"},
		{"circular extends", "apply", apply(bundle(`{"id":"x","title":"X","check":{"lint":{"ruleset":"./one.yaml"}}}`, map[string]string{"./one.yaml": "extends: ./two.yaml\n", "two.yaml": "extends: ./one.yaml\n"})), 422, "extends itself: one.yaml → two.yaml → one.yaml"},
		{"approval by the author", "framework.approve", approve(author), 403, "someone else has to approve it"},
		{"approval by one person twice", "framework.approve", approve(carol), 409, "has approved this text already"},
		{"in force by somebody whose role ended", "framework.enforce", call{token: s.admin, method: "POST", path: path + "/versions/1/enforce", body: `{}`}, 409, "user:gone"},
		{"waiver without an end", "waiver.ask", waive(""), 422, "expires"},
		{"waiver that ended", "waiver.ask", waive(`,"expires":"2020-01-01T00:00:00Z"`), 422, "is past"},
		{"evidence that is not there", "framework.approve", call{token: dave, method: "POST", path: path + "/versions/1/approve", body: `{"evidence":["` + strings.Repeat("ab", 32) + `"]}`}, 422, strings.Repeat("ab", 32)[:12]},
		{"on-boarding of a team that exists", "onboarding.create", call{token: s.token("newt", "", ""), method: "POST", path: "/v1/onboardings", body: `{"request":{"team":"a","why":"to sell","members":["user:newt"],"environments":["dev"],"data":["internal"],"contacts":{"email":"n@example.com"}}}`}, 409, "exists"},
		{"release into a frozen environment", "release.create", release("shut"), 409, "for ever"},
		{"release into an unknown environment", "release.create", release("prd"), 404, `there is no environment "prd"; there is dev, shut`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.last()
			a := s.do(tt.call)
			p := a.problem(t)
			if a.status != tt.status || !strings.Contains(p.Detail+faults(p), tt.want) {
				t.Fatalf("got %d, want %d with %q: %s", a.status, tt.status, tt.want, a.body)
			}
			events := s.events(before)
			if !slices.ContainsFunc(events, func(e *gatehouse.Event) bool {
				return e.Outcome == gatehouse.Refused && e.Action == tt.action && e.RequestID == p.Instance && e.Reason != ""
			}) {
				t.Errorf("no refusal of %s on record: %+v", tt.action, events)
			}
		})
	}
}

func faults(p adminapi.Problem) (text string) {
	for _, f := range p.Errors {
		text += "\n" + f.Pointer + " " + f.Detail
	}
	return text
}
