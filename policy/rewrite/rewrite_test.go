package rewrite

import (
	"strings"
	"testing"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

func TestRewrite(t *testing.T) {
	tests := []struct {
		name, config, target string
		params               map[string]string
		path, query          string
		want                 int
	}{
		{"path", `{"path": "/v2/orders/{id}/lines"}`, "/orders/7?a=1", map[string]string{"id": "7"}, "/v2/orders/7/lines", "a=1", 0},
		{"escapes stay", `{"path": "/v2/{id}"}`, "/orders/a%20b", map[string]string{"id": "a%20b"}, "/v2/a%20b", "", 0},
		{"the rest of a path", `{"path": "/v2/{rest}"}`, "/files/a/b", map[string]string{"rest": "a/b"}, "/v2/a/b", "", 0},
		{"empty parameter", `{"path": "/v2/{id}/x"}`, "/orders/", map[string]string{"id": ""}, "/orders/", "", 400},
		{"dot segment from a parameter", `{"path": "/v2/{id}/x"}`, "/orders/..", map[string]string{"id": ".."}, "/orders/..", "", 400},
		{"encoded slash from a parameter", `{"path": "/v2/{id}"}`, "/orders/x", map[string]string{"id": "..%2fadmin"}, "/orders/x", "", 400},
		{"parameter that completes a segment", `{"path": "/v2/.{id}"}`, "/orders/x", map[string]string{"id": "."}, "/orders/x", "", 400},
		{"prefix", `{"prefix": {"from": "/public", "to": "/internal/v3"}}`, "/public/a", nil, "/internal/v3/a", "", 0},
		{"prefix is the whole path", `{"prefix": {"from": "/public", "to": "/internal"}}`, "/public", nil, "/internal", "", 0},
		{"prefix with a slash behind", `{"prefix": {"from": "/public", "to": "/internal"}}`, "/public/", nil, "/internal/", "", 0},
		{"prefix ends inside a segment", `{"prefix": {"from": "/pub", "to": "/x"}}`, "/public/a", nil, "/public/a", "", 0},
		{"prefix dropped", `{"prefix": {"from": "/public"}}`, "/public/a", nil, "/a", "", 0},
		{"prefix dropped whole", `{"prefix": {"from": "/public"}}`, "/public", nil, "/", "", 0},
		{"prefix added", `{"prefix": {"to": "/x"}}`, "/a", nil, "/x/a", "", 0},
		{"prefix added to the root", `{"prefix": {"to": "/x"}}`, "/", nil, "/x/", "", 0},
		{"query", `{"query": {"set": {"b": "{id} &", "c": "x"}, "remove": ["a"]}}`, "/o?a=1&b=2&d=%zz&a=3", map[string]string{"id": "a%2Bb"}, "/o", "d=%zz&b=a%2Bb+%26&c=x", 0},
		{"query name in another spelling", `{"query": {"remove": ["api_key"]}}`, "/o?api%5Fkey=1&x=2", nil, "/o", "x=2", 0},
		{"parameter that the operation lacks", `{"path": "/v2/orders{id}"}`, "/orders", nil, "/orders", "", 500},
		{"query parameter that the operation lacks", `{"query": {"set": {"a": "{id}"}}}`, "/o", map[string]string{"ID": "1"}, "/o", "", 500},
		{"query set where there is none", `{"query": {"set": {"a": "1"}}}`, "/o", nil, "/o", "a=1", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := policytest.Request("GET", tt.target)
			for k, v := range tt.params {
				x.Params = append(x.Params, policy.Param{Name: k, Value: v})
			}
			d := policytest.Build(t, policytest.Decode(t, Kind, tt.config))(x)
			if d.Code() != tt.want || x.Upstream != tt.path || d == nil && x.Query != tt.query {
				t.Errorf("got %d, %q?%q; want %d, %q?%q", d.Code(), x.Upstream, x.Query, tt.want, tt.path, tt.query)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                                     "neither path, prefix nor query",
		`{"path": "v2"}`:                         "does not make a normalized path",
		`{"path": "/a//b"}`:                      "does not make a normalized path",
		`{"path": "/a/../b"}`:                    "does not make a normalized path",
		`{"path": "/a/%2e%2e/b"}`:                "does not make a normalized path",
		`{"path": "/a b"}`:                       "does not make a normalized path",
		`{"path": "/a?b=c"}`:                     "does not make a normalized path",
		`{"path": "/${env:A}"}`:                  "a reference to a secret",
		`{"path": "/a", "prefix": {"to": "/b"}}`: "prefix: stands beside path",
		`{"prefix": {"from": "/a/"}}`:            `prefix.from: "/a/" ends with "/"; "/a" would do`,
		`{"prefix": {"from": "/a", "to": "b"}}`:  "prefix.to",
		`{"prefix": {}}`:                         "prefix: changes nothing",
		`{"query": {"set": {"a": "${env:A}"}}}`:  "query.set.a",
		`{"query": {"remove": [""]}}`:            "query.remove[0]",
	} {
		if _, err := Kind.Decode([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
	c := policytest.Decode(t, Kind, `{"path": "/v2/{order}"}`)
	if _, err := policytest.Try(t, c, func(e *policy.Env) { e.Params = []string{"id"} }); err == nil || !strings.Contains(err.Error(), `"{order}" is no path parameter`) {
		t.Errorf("a parameter that the operation does not have: got %v", err)
	}
}

func FuzzPath(f *testing.F) {
	f.Add("7")
	f.Add("../../admin")
	f.Add("%2e%2e")
	step := policytest.Build(f, policytest.Decode(f, Kind, `{"path": "/v2/{id}/x"}`))
	f.Fuzz(func(t *testing.T, param string) {
		x := policytest.Request("GET", "/orders/7")
		x.Params = []policy.Param{{Name: "id", Value: param}}
		if d := step(x); d != nil {
			return
		}
		if !strings.HasPrefix(x.Upstream, "/v2/") || strings.Contains(x.Upstream, "/../") || strings.Contains(x.Upstream, "//") ||
			strings.ContainsAny(x.Upstream, "\r\n\x00\\?# ") {
			t.Errorf("%q makes %q", param, x.Upstream)
		}
	})
}
