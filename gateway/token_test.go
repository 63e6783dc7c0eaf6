package gateway

import (
	"net/http"
	"testing"

	"gatehouse/policy"
	"gatehouse/policy/all"
	"gatehouse/snapshot"
)

// saysWho stands for a policy that verifies tokens: it takes the client from a
// field, so that this test needs no keys. What jwt itself verifies is tested there.
type saysWho struct{}

func (saysWho) Validate() error { return nil }

func (saysWho) Build(policy.Env) (policy.Step, error) {
	return func(x *policy.Exchange) *policy.Denial {
		client := x.Header.Get("Authorization")
		if client == "" {
			return policy.Deny(http.StatusUnauthorized, "token-missing", "no token")
		}
		if !x.PassToken {
			x.Header.Del("Authorization")
		}
		x.Subject, x.Claims = "alice", map[string]any{"iss": "https://id.example.com", "azp": client}
		return nil
	}, nil
}

func TestAccessByToken(t *testing.T) {
	w := newWorld(t, Options{Find: func(name string) (policy.Kind, bool) {
		if name == "says-who" {
			return policy.Kind{Name: name, Identifies: true, New: func() policy.Config { return new(saysWho) }}, true
		}
		return all.Find(name)
	}})
	a := orders()
	a.Access = "token"
	a.Mandatory = []policy.Use{use("rate-limit", `{"requests":2,"per":"1h","by":"subscription"}`)}
	a.Policies = []policy.Use{use("says-who", `{}`)}
	w.api(a)
	w.set(snapshot.KindProduct, "payments/commerce", &snapshot.Product{Name: "payments/commerce", APIs: []string{a.ID()}, Plans: []snapshot.Plan{{Name: "gold"}}})
	c := snapshot.ClientCredential("https://id.example.com", "invoices")
	w.set(snapshot.KindCredentials, c.Shard(), &snapshot.Credentials{
		Subscriptions: []snapshot.Subscription{
			{Name: "b/i-other", Application: "b/i", Product: "payments/other", Plan: "free"},
			{Name: "b/i-commerce", Application: "b/i", Product: "payments/commerce", Plan: "gold"}},
		Keys: []snapshot.Key{{Hash: c, Subscription: 0}, {Hash: c, Subscription: 1}}})
	if aside := w.swap(); len(aside) > 0 {
		t.Fatal(aside)
	}
	for _, tt := range []struct {
		name, token string
		status      int
		problem     string
	}{
		{"no token", "", 401, "token-missing"},
		{"unknown client", "stranger", 403, "application-unknown"},
		{"client with two subscriptions", "invoices", 200, ""},
		{"again", "invoices", 200, ""},
		{"the mandatory limit knows the subscription", "invoices", 429, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h []string
			if tt.token != "" {
				h = append(h, "Authorization: "+tt.token)
			}
			r := w.do("GET", "/orders/v1/things", h...)
			if r.StatusCode != tt.status || tt.problem != "" && r.problem() != tt.problem {
				t.Errorf("got %d %s", r.StatusCode, r.text)
			}
			if tt.status != 200 {
				return
			}
			got := w.last().Header
			if got.Get("X-Gatehouse-Subscription") != "b/i-commerce" || got.Get("X-Gatehouse-Subject") != "alice" || got.Get("Authorization") != "" {
				t.Errorf("the backend got %v", got)
			}
		})
	}
}
