package control_test

import (
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// TestBadInput holds that what cannot be read is refused with the right status,
// as a problem that names the place, and changes nothing.
func TestBadInput(t *testing.T) {
	s := newSite(t)
	s.put(gatehouse.KindTeam, "", "x", `{"title":"One"}`)
	team := document(gatehouse.KindTeam, "", "x", `{"title":"Two"}`)
	before := s.want(200, call{token: s.admin, method: "GET", path: "/v1/teams/x"})
	deep := strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000)
	json := func(more ...string) map[string]string {
		h := map[string]string{}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	tests := []struct {
		name, method, path, body string
		header                   map[string]string
		status                   int
		pointer, detail          string // in errors[], where there is a place
	}{
		{"malformed document", "PUT", "/v1/teams/x", `{"apiVersion":`, nil, 400, "", "unexpected end"},
		{"malformed request", "POST", "/v1/tokens", `{]`, nil, 400, "", "invalid character"},
		{"malformed bundle", "POST", "/v1/apply", `[`, nil, 400, "", "unexpected end"},
		{"empty document", "PUT", "/v1/teams/x", "", nil, 400, "", ""},
		{"document that is not UTF-8", "PUT", "/v1/teams/x", strings.Replace(team, `"spec":{`, "\"spec\":{\"title\":\"\xff\"", 1), nil, 400, "", "not UTF-8"},
		{"request with half a character", "POST", "/v1/tokens", `{"name":"\ud800"}`, nil, 400, "", "half a character"},
		{"two documents", "PUT", "/v1/teams/x", team + team, nil, 400, "", "after top-level value"},
		{"not an object", "PUT", "/v1/teams/x", `[]`, nil, 422, "", "not a document"},
		{"null", "PUT", "/v1/teams/x", `null`, nil, 422, "", ""},
		{"text", "PUT", "/v1/teams/x", team, json("Content-Type", "text/plain"), 415, "", "text/plain"},
		{"a form", "PUT", "/v1/teams/x", team, json("Content-Type", "application/x-www-form-urlencoded"), 415, "", "form"},
		{"a form to a verb", "POST", "/v1/tokens", `{}`, json("Content-Type", "multipart/form-data"), 415, "", "form"},
		{"YAML", "POST", "/v1/apply", `documents: []`, json("Content-Type", "application/yaml"), 415, "", "yaml"},
		{"unknown field", "PUT", "/v1/teams/x", document(gatehouse.KindTeam, "", "x", `{"colour":"red"}`), nil, 422, "/spec/colour", "colour"},
		{"unknown field beside spec", "PUT", "/v1/teams/x", strings.Replace(team, `"kind"`, `"more":1,"kind"`, 1), nil, 422, "/more", "more"},
		{"field in other letters", "PUT", "/v1/teams/x", document(gatehouse.KindTeam, "", "x", `{"Title":"Two"}`), nil, 422, "/spec/Title", "Title"},
		{"field given twice", "PUT", "/v1/teams/x", document(gatehouse.KindTeam, "", "x", `{"title":"Two","title":"Three"}`), nil, 422, "/spec/title", "twice"},
		{"unknown field of a verb", "POST", "/v1/tokens", `{"colour":"red"}`, nil, 422, "/colour", "there is no such field"},
		{"wrong type", "PUT", "/v1/teams/x", document(gatehouse.KindTeam, "", "x", `{"title":7}`), nil, 422, "/spec/title", "7"},
		{"wrong type in a verb", "POST", "/v1/tokens", `{"subject":7}`, nil, 422, "/subject", "string"},
		{"wrong kind", "PUT", "/v1/teams/x", document(gatehouse.KindUser, "", "x", `{}`), nil, 422, "/kind", "User"},
		{"wrong name", "PUT", "/v1/teams/x", document(gatehouse.KindTeam, "", "y", `{}`), nil, 422, "/metadata/name", "y"},
		{"bad name", "PUT", "/v1/teams/X%20Y", document(gatehouse.KindTeam, "", "X Y", `{}`), nil, 422, "/metadata/name", "X Y"},
		{"unknown parameter", "GET", "/v1/teams?colour=red", "", nil, 422, "", "unknown query parameter"},
		{"parameter twice", "GET", "/v1/teams?limit=1&limit=2", "", nil, 422, "", "more than once"},
		{"limit of words", "GET", "/v1/teams?limit=many", "", nil, 422, "", "integer"},
		{"limit below", "GET", "/v1/teams?limit=0", "", nil, 422, "", ">= 1"},
		{"limit above", "GET", "/v1/teams?limit=1001", "", nil, 422, "", "<= 1000"},
		{"cursor of another's making", "GET", "/v1/teams?after=%00%ff", "", nil, 422, "", ""},
		{"filter by nothing", "GET", "/v1/teams?filter=colour=red", "", nil, 422, "", ""},
		{"sort by nothing", "GET", "/v1/teams?sort=colour", "", nil, 422, "", ""},
		{"moment", "GET", "/v1/teams/x?asOf=yesterday", "", nil, 422, "", ""},
		{"deep document", "PUT", "/v1/teams/x", deep, nil, 400, "", "depth"},
		{"deep request", "POST", "/v1/tokens", deep, nil, 400, "", "depth"},
		{"deep bundle", "POST", "/v1/apply", deep, nil, 400, "", "depth"},
		{"deep in a spec", "PUT", "/v1/teams/x", document(gatehouse.KindTeam, "", "x", strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5000)), nil, 422, "", ""},
		{"11 MB document", "PUT", "/v1/teams/x", strings.Repeat(" ", 11<<20) + team, nil, 413, "", ""},
		{"10 MB request", "POST", "/v1/tokens", strings.Repeat(" ", 10<<20) + `{}`, nil, 413, "", ""},
		{"10 MB request to repeat", "POST", "/v1/tokens", strings.Repeat(" ", 10<<20) + `{}`, json("Idempotency-Key", "big"), 413, "", ""},
		{"no such operation", "GET", "/v1/nothing", "", nil, 404, "", ""},
		{"nothing there", "GET", "/nothing", "", nil, 404, "", ""},
		{"other method", "PATCH", "/v1/teams/x", "{}", nil, 405, "", ""},
		{"no such object", "GET", "/v1/teams/none", "", nil, 404, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.do(call{token: s.admin, method: tt.method, path: tt.path, body: tt.body, header: tt.header})
			p := a.problem(t)
			if a.status != tt.status {
				t.Fatalf("got %d, want %d: %.300s", a.status, tt.status, a.body)
			}
			if tt.status == 405 && a.header.Get("Allow") != "GET, PUT, DELETE" {
				t.Errorf("Allow: %q", a.header.Get("Allow"))
			}
			if tt.pointer == "" && tt.detail == "" {
				return
			}
			if !named(p, tt.pointer, tt.detail) {
				t.Errorf("no error at %q with %q: %s", tt.pointer, tt.detail, a.body)
			}
		})
	}
	after := s.want(200, call{token: s.admin, method: "GET", path: "/v1/teams/x"})
	if string(after.body) != string(before.body) || after.header.Get("ETag") != before.header.Get("ETag") {
		t.Errorf("the team changed from %s to %s", before.body, after.body)
	}
}

func named(p adminapi.Problem, pointer, detail string) bool {
	for _, f := range p.Errors {
		if f.Pointer == pointer && strings.Contains(f.Detail, detail) {
			return true
		}
	}
	return false
}
