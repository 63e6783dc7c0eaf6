package control_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
)

// busy is a town in which something of each kind waits for somebody.
func busy(s *site) (tokens map[string]string) {
	town(s)
	tokens = map[string]string{
		"boss": s.token("boss", "provider", "organization"), "judge": s.token("judge", "compliance", "organization"), "ann": s.token("ann", "developer", "team/a"),
		"ivy": s.token("ivy", "approver", "team/a"), "ben": s.token("ben", "developer", "team/b"), "newt": s.token("newt", "", ""),
	}
	s.put(gatehouse.KindEnvironment, "", "pre", `{"stage":"qa","release":{"mode":"approved"}}`)
	target := `{"targets":[{"url":"http://127.0.0.1:9"}]}`
	s.put(gatehouse.KindBackend, "a", "one", `{"environments":{"dev":`+target+`,"pre":`+target+`}}`)
	s.put(gatehouse.KindProduct, "a", "asked", `{"apis":["one"],"plans":[{"name":"gold","approval":"manual"}]}`)
	post := func(who, path, body string) {
		s.t.Helper()
		if a := s.do(call{token: tokens[who], method: "POST", path: path, body: body}); a.status > 299 {
			s.t.Fatalf("%s by %s: %d %s", path, who, a.status, a.body)
		}
	}
	framework := func(spec string) string { return document(gatehouse.KindFramework, "", "corporate", spec) }
	if a := s.do(call{token: tokens["boss"], method: "PUT", path: "/v1/frameworks/corporate", body: framework(`{"versions":[{"name":"1","controls":[
		{"id":"q","check":{"question":{"text":"Why?"}}},{"id":"c","check":{"cel":{"expression":"api.summary != \"\""}}}]}]}`)}); a.status > 299 {
		s.t.Fatalf("writing a framework: %d %s", a.status, a.body)
	}
	post("boss", "/v1/frameworks/corporate/versions/1/submit", `{}`)
	second := s.token("second", "compliance", "organization")
	tokens["second"] = second
	for _, token := range []string{tokens["judge"], second} {
		s.want(200, call{token: token, method: "POST", path: "/v1/frameworks/corporate/versions/1/approve", body: `{}`})
	}
	post("boss", "/v1/frameworks/corporate/versions/1/enforce", `{}`)
	if a := s.do(call{token: tokens["boss"], method: "PUT", path: "/v1/frameworks/corporate", body: framework(`{"versions":[{"name":"1","controls":[
		{"id":"q","check":{"question":{"text":"Why?"}}},{"id":"c","check":{"cel":{"expression":"api.summary != \"\""}}}]},{"name":"2"}]}`)}); a.status > 299 {
		s.t.Fatalf("writing a version more: %d %s", a.status, a.body)
	}
	post("boss", "/v1/frameworks/corporate/versions/2/submit", `{}`)
	s.want(200, call{token: second, method: "POST", path: "/v1/frameworks/corporate/versions/2/approve", body: `{}`})
	s.put(gatehouse.KindAPI, "a", "one", `{"framework":"corporate","versions":[{"name":"v1","path":"/a","backend":"one"}]}`)
	post("ann", "/v1/waivers", `{"api":"a/one","control":"c","reason":"r","expires":"`+time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	post("ann", "/v1/teams/a/apis/one/versions/v1/gate/answer", `{"environment":"dev","control":"q","text":"so"}`)
	post("ann", "/v1/teams/a/apis/one/versions/v1/release", `{"environment":"pre"}`)
	post("ben", "/v1/subscribe", `{"product":"a/asked","plan":"gold","application":"b/one","environment":"dev"}`)
	post("ben", "/v1/support", `{"team":"b","api":"a/one","category":"question","title":"How?","text":"x"}`)
	var terms struct{ Hash string }
	s.read(s.want(200, call{token: tokens["newt"], method: "GET", path: "/v1/onboarding-terms"}), &terms)
	post("newt", "/v1/onboardings", `{"request":{"team":"museum","why":"w","environments":["dev"],"data":["internal"],"contacts":{"email":"m@example.com"}},"accept":{"version":"1","hash":"`+terms.Hash+`"}}`)
	return tokens
}

// Everybody is told what waits for them, and what they asked for themselves as
// somebody else's; nobody is told of what they may not decide on.
func TestWhatWaits(t *testing.T) {
	s := newSite(t)
	tokens := busy(s)
	waits := func(token string) (all []string) {
		t.Helper()
		var out struct {
			Items []adminapi.WaitingItem
			More  bool
		}
		s.read(s.want(200, call{token: token, method: "GET", path: "/v1/waiting"}), &out)
		for _, i := range out.Items {
			who := ""
			if i.Yours {
				who = " yours"
			}
			if i.Decided {
				who += " decided"
			}
			id := i.ID
			if i.Kind == "waiver" {
				id = "of " + i.Control
			}
			if i.Since.IsZero() || i.Title == "" {
				t.Errorf("%+v does not say since when, or what it is", i)
			}
			all = append(all, strings.TrimSpace(i.Kind+" "+id+" "+i.Environment+who))
		}
		slices.Sort(all)
		return all
	}
	tests := []struct {
		who  string
		want []string
	}{
		{"second", []string{"answer a/one@v1", "framework corporate@2  decided", "waiver of c"}},
		{"judge", []string{"answer a/one@v1", "framework corporate@2", "waiver of c"}},
		{"boss", []string{"onboarding museum-1", "support sup-1"}},
		{"ann", []string{"support sup-1"}},
		{"ivy", []string{"release a/one@v1 pre", "subscription b/one-asked dev"}},
		{"ben", nil},
		{"newt", nil},
	}
	for _, tt := range tests {
		if got := waits(tokens[tt.who]); !slices.Equal(got, tt.want) {
			t.Errorf("for %s waits %q, want %q", tt.who, got, tt.want)
		}
	}
	// What was asked back waits for the asker.
	s.want(200, call{token: tokens["boss"], method: "POST", path: "/v1/onboardings/museum-1/ask", body: `{"question":"Which?"}`})
	s.want(200, call{token: tokens["ann"], method: "POST", path: "/v1/support/sup-1/reply", body: `{"text":"Which one?","wait":true}`})
	if got := waits(tokens["boss"]); len(got) != 0 {
		t.Errorf("for boss still waits %q", got)
	}
	if got, want := waits(tokens["newt"]), []string{"onboarding museum-1"}; !slices.Equal(got, want) {
		t.Errorf("for newt waits %q, want %q", got, want)
	}
	if got, want := waits(tokens["ben"]), []string{"support sup-1"}; !slices.Equal(got, want) {
		t.Errorf("for ben waits %q, want %q", got, want)
	}
	admin := waits(s.admin)
	for _, want := range []string{"answer a/one@v1", "framework corporate@2", "onboarding museum-1", "release a/one@v1 pre", "subscription b/one-asked dev", "waiver of c"} {
		if want != "onboarding museum-1" && !slices.Contains(admin, want) {
			t.Errorf("for the administrator waits %q, without %q", admin, want)
		}
	}
	// Nothing of it is a refusal.
	a := s.want(200, call{token: s.admin, method: "GET", path: "/v1/audit/events?outcome=refused&action=waiting.list"})
	if strings.Contains(string(a.body), "waiting.list") {
		t.Errorf("asking what waits was refused: %s", a.body)
	}
}

// Who may read an API reads what it offers, as it is live or was applied last,
// with its definition only when that is asked for.
func TestOperationsOfAVersion(t *testing.T) {
	s := newSite(t)
	town(s)
	definition := "openapi: 3.0.3\ninfo: {title: One, version: \"1\"}\npaths:\n  /things:\n    get:\n      operationId: listThings\n      summary: List them\n      responses: {\"200\": {description: ok}}\n"
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(definition)))
	s.want(200, call{token: s.admin, method: "POST", path: "/v1/apply", body: fmt.Sprintf(`{"documents":[{"object":%s,"files":{"./one.yaml":%q}}],"files":{%q:%q}}`,
		document(gatehouse.KindAPI, "a", "one", `{"versions":[{"name":"v1","path":"/a","backend":"one","definition":"./one.yaml"}]}`), sum, sum, base64.StdEncoding.EncodeToString([]byte(definition)))})
	ask := func(token, query string, status int) (out struct {
		Revision, Path, Access, File, Definition string
		Operations                               []gatehouse.Operation
	}) {
		t.Helper()
		a := s.want(status, call{token: token, method: "GET", path: "/v1/teams/a/apis/one/versions/v1/operations" + query})
		if status == 200 {
			s.read(a, &out)
		}
		return out
	}
	eve := s.token("eve", "consumer", "team/a")
	if got := ask(eve, "", 200); got.Path != "/a" || got.Access != "subscription" || len(got.Operations) != 1 || got.Operations[0].ID != "listThings" || got.Definition != "" || len(got.Revision) != 64 {
		t.Errorf("got %+v", got)
	}
	if got := ask(eve, "?definition=true&environment=dev", 200); got.Definition != definition {
		t.Errorf("the definition is %q, want %q", got.Definition, definition)
	}
	ask(eve, "?environment=nowhere", 404)
	ask(s.token("vic", "consumer", "team/b"), "", 200) // it is meant for the house
	s.want(200, call{token: s.admin, method: "PUT", path: "/v1/teams/b", body: document(gatehouse.KindTeam, "", "b", `{"audience":"partner"}`)})
	ask(s.token("vera", "consumer", "team/b"), "", 403)
}
