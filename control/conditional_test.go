package control_test

import (
	"fmt"
	"sync"
	"testing"

	"gatehouse"
)

// TestEveryKindIsConditional holds that each kind of object has an entity tag,
// that a lost race is told from a won one, and that creating never replaces.
func TestEveryKindIsConditional(t *testing.T) {
	s := newSite(t)
	town(s)
	s.put(gatehouse.KindProduct, "a", "gold", `{"apis":["one"],"plans":[{"name":"one","approval":"automatic"},{"name":"two","approval":"automatic"}]}`)
	for _, k := range gatehouse.Kinds {
		t.Run(string(k.Kind), func(t *testing.T) {
			spec, ok := conditionalSpecs[k.Kind]
			if !ok {
				spec = [2]string{`{"title":"One"}`, `{"title":"Two"}`}
			}
			team := ""
			if k.Owned {
				team = "a"
			}
			path := pathOf(k.Kind, team, "x")
			put := func(spec string, header ...string) answer {
				c := call{token: s.admin, method: "PUT", path: path, body: document(k.Kind, team, "x", spec), header: map[string]string{}}
				for i := 0; i < len(header); i += 2 {
					c.header[header[i]] = header[i+1]
				}
				return s.do(c)
			}
			expect := func(a answer, status int) string {
				t.Helper()
				if a.status != status {
					t.Fatalf("got %d, want %d: %s", a.status, status, a.body)
				}
				if status >= 400 {
					a.problem(t)
				} else if a.header.Get("ETag") == "" {
					t.Fatalf("no ETag")
				}
				return a.header.Get("ETag")
			}
			expect(put(spec[0], "If-Match", `"1"`), 412)
			expect(put(spec[0], "If-Match", `*`), 412)
			first := expect(put(spec[0], "If-None-Match", "*"), 200)
			expect(put(spec[1], "If-None-Match", "*"), 412)
			expect(put(spec[1], "If-None-Match", first), 422)
			if got := expect(s.do(call{token: s.admin, method: "GET", path: path}), 200); got != first {
				t.Errorf("read with tag %s, written with %s", got, first)
			}
			if got := expect(put(spec[0], "If-Match", first), 200); got != first {
				t.Errorf("the same again made %s of %s", got, first)
			}
			second := expect(put(spec[1], "If-Match", `"0", `+first), 200)
			if second == first {
				t.Error("a change left the tag as it was")
			}
			expect(put(spec[0], "If-Match", first), 412)
			expect(put(spec[0], "If-Match", "W/"+second), 412) // weak tags never match (RFC 9110 §13.1.1)
			expect(s.do(call{token: s.admin, method: "DELETE", path: path, header: map[string]string{"If-Match": first}}), 412)
			s.want(204, call{token: s.admin, method: "DELETE", path: path, header: map[string]string{"If-Match": second}})
			expect(s.do(call{token: s.admin, method: "GET", path: path}), 404)
		})
	}
}

// conditionalSpecs are two states of the kinds that a title is not enough for.
var conditionalSpecs = map[gatehouse.Kind][2]string{
	gatehouse.KindRole:           {`{"permissions":["api.get"]}`, `{"permissions":["api.put"]}`},
	gatehouse.KindUser:           {`{"displayName":"One"}`, `{"displayName":"Two"}`},
	gatehouse.KindRoleAssignment: {`{"subject":"user:one","role":"viewer","scope":"team/a"}`, `{"subject":"user:one","role":"viewer","scope":"team/a","reason":"two"}`},
	gatehouse.KindFramework:      {`{"title":"One","versions":[{"name":"1"}]}`, `{"title":"Two","versions":[{"name":"1"}]}`},
	gatehouse.KindEnvironment:    {`{"stage":"qa","title":"One"}`, `{"stage":"qa","title":"Two"}`},
	gatehouse.KindGateway:        {`{"environment":"dev","title":"One"}`, `{"environment":"dev","title":"Two"}`},
	gatehouse.KindConnector:      {`{"platform":"local","title":"One"}`, `{"platform":"local","title":"Two"}`},
	gatehouse.KindAlarm:          {`{"condition":"event.outcome == \"refused\"","title":"One"}`, `{"condition":"event.outcome == \"failed\"","title":"One"}`},
	gatehouse.KindWebhook:        {`{"url":"https://a.example","events":["*"]}`, `{"url":"https://b.example","events":["*"]}`},
	gatehouse.KindPolicySet:      {`{"summary":"One","policies":[{"timeout":{"backend":"1s"}}]}`, `{"summary":"Two","policies":[{"timeout":{"backend":"1s"}}]}`},
	gatehouse.KindBackend:        {`{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:8"}]}}}`, `{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:9"}]}}}`},
	gatehouse.KindProduct:        {`{"title":"One","apis":["one"],"plans":[{"name":"free"}]}`, `{"title":"Two","apis":["one"],"plans":[{"name":"free"}]}`},
	gatehouse.KindAPI:            {`{"title":"One","versions":[{"name":"v1","path":"/x","backend":"one"}]}`, `{"title":"Two","versions":[{"name":"v1","path":"/x","backend":"one"}]}`},
	gatehouse.KindSubscription:   {`{"product":"a/gold","plan":"one","application":"a/one","environment":"dev"}`, `{"product":"a/gold","plan":"two","application":"a/one","environment":"dev"}`},
}

// TestLostRaces holds that of many who change what they all read, one wins.
func TestLostRaces(t *testing.T) {
	s := newSite(t)
	s.put(gatehouse.KindTeam, "", "x", `{}`)
	tag := s.want(200, call{token: s.admin, method: "GET", path: "/v1/teams/x"}).header.Get("ETag")
	var wg sync.WaitGroup
	statuses := make([]int, 16)
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = s.do(call{token: s.admin, method: "PUT", path: "/v1/teams/x", header: map[string]string{"If-Match": tag},
				body: document(gatehouse.KindTeam, "", "x", fmt.Sprintf(`{"title":"%d"}`, i))}).status
		})
	}
	wg.Wait()
	won := 0
	for _, st := range statuses {
		switch st {
		case 200:
			won++
		case 412:
		default:
			t.Errorf("got %d", st)
		}
	}
	if won != 1 {
		t.Errorf("%d won: %v", won, statuses)
	}
}
