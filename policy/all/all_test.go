package all_test

import (
	"testing"

	"go.uber.org/goleak"

	"gatehouse/policy"
	"gatehouse/policy/all"
	"gatehouse/policy/policytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// good are uses of every kind; a kind without any fails the test.
var good = map[string][]string{
	"apikey": {`{"in": "query", "name": "api_key"}`, `{"name": "Authorization", "scheme": "Bearer"}`},
	"jwt": {`{"issuer": "https://id.example.com", "audiences": ["orders"], "scopes": ["a", "b"], "requiredClaims": {"tenant": ["x", 1, true]}, "clockSkew": "10s", "algorithms": ["RS256"]}`, `{"issuer": "x", "jwks": "https://id.example.com/keys"}`,
		`{"issuer": "x", "keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}, "forward": true, "header": "X-Token"}`},
	"rate-limit": {`{"requests": 60, "per": "1m", "by": "header:X-Tenant", "burst": 5, "scope": "environment"}`, `{"requests": 1, "per": "1s"}`},
	"quota":      {`{"requests": 10000, "per": "month", "by": "claim:tenant", "scope": "gateway"}`},
	"cors":       {`{"origins": ["https://a.example"], "credentials": true, "methods": ["GET"], "headers": ["X-A"], "exposeHeaders": ["ETag"], "maxAge": "1h"}`, `{"origins": ["*"]}`},
	"ip-filter":  {`{"allow": ["10.0.0.0/8", "192.0.2.7"], "deny": ["2001:db8::/32"]}`},
	"headers":    {`{"request": {"set": {"X-A": "{application} {claim:x}", "Authorization": "Basic ${env:A}"}, "add": {"X-B": "b"}, "remove": ["X-C"]}, "response": {"remove": ["Server"]}}`},
	"rewrite":    {`{"path": "/v2/{id}", "query": {"set": {"a": "{id}"}, "remove": ["b"]}}`, `{"prefix": {"from": "/orders", "to": "/internal"}}`},
	"body-limit": {`{"bytes": "1MB"}`, `{"bytes": 4096}`},
	"timeout":    {`{"backend": "2s"}`},
	"mock":       {`{"status": 201, "body": {"a": 1}, "contentType": "application/json"}`},
}

func TestContract(t *testing.T) {
	for _, k := range all.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			if len(good[k.Name]) == 0 {
				t.Fatal("no good configuration is listed for the kind")
			}
			policytest.Contract(t, k, good[k.Name], func(e *policy.Env) {
				e.Examples = []policy.Example{{Status: 200, Body: []byte(`{}`)}, {Status: 201, Body: []byte(`{}`)}}
			})
		})
	}
}

func TestNamesAreThoseOfFiles(t *testing.T) {
	want := []string{"apikey", "jwt", "rate-limit", "quota", "cors", "ip-filter", "headers", "rewrite", "body-limit", "timeout", "mock"}
	if len(all.Kinds) != len(want) {
		t.Errorf("got %d kinds, want %d", len(all.Kinds), len(want))
	}
	for i, name := range want {
		k, ok := all.Find(name)
		if !ok || k.Name != name || all.Kinds[i].Name != name {
			t.Errorf("kind %d: got %q, want %q", i, all.Kinds[i].Name, name)
		}
	}
	if _, ok := all.Find("ratelimit"); ok {
		t.Error(`found "ratelimit", which files do not use`)
	}
}
