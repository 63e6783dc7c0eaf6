package bundle

import (
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/policy/all"
)

func TestPoliciesAreChecked(t *testing.T) {
	tests := []struct{ name, policy, want string }{
		{"fine", "{rate-limit: {requests: 1, per: 1s}}", ""},
		{"unknown", "{rate-limt: {requests: 1}}", `"rate-limt" is not a policy; did you mean "rate-limit"?`},
		{"unknown field", "{rate-limit: {reqests: 1, per: 1s}}", `a.yaml:6:20: PolicySet payments/base: spec.policies[0].rate-limit.reqests: rate-limit: unknown field "reqests"`},
		{"no network", "{ip-filter: {allow: [10.0.0/8]}}", `"10.0.0/8"`},
		{"no duration", "{rate-limit: {requests: 1, per: 1x}}", `a.yaml:6:33: PolicySet payments/base: spec.policies[0].rate-limit.per: rate-limit: per: "1x" is not a duration`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{"a.yaml": "apiVersion: gatehouse/v1\nkind: PolicySet\nmetadata: {team: payments, name: base}\nspec:\n  policies:\n   - " + tt.policy + rest})
			got := faults(t, dir, CheckOptions{Policies: all.Find, PolicyNames: all.Names()})
			if !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestReferencesWithAServer holds that a look-up makes every dangling
// reference a fault, and that without one only what is certain is.
func TestReferencesWithAServer(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": rest})
	if got := faults(t, dir, CheckOptions{}); got != "" {
		t.Errorf("without a server: %s", got)
	}
	none := func(gatehouse.Kind, string, string) (*gatehouse.Object, error) { return nil, nil }
	for name, o := range map[string]CheckOptions{"server": {Lookup: none}, "strict": {Strict: true}} {
		if got := faults(t, dir, o); !strings.Contains(got, `spec.environments.dev: environment "dev" `) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := faults(t, dir, CheckOptions{Lookup: none, Partial: true}); got != "" {
		t.Errorf("partial: %s", got)
	}
	held := func(string) ([]Claim, error) {
		return []Claim{{API: "other/api", Version: "v1", Path: "/orders/v1"}}, nil
	}
	dir = folder(t, map[string]string{"a.yaml": ordersAPI + rest, "orders.yaml": ordersDefinition})
	if got := faults(t, dir, CheckOptions{Claims: held}); !strings.Contains(got, `routes to "payments/orders@v1" and "other/api@v1" both claim /orders/v1`) {
		t.Errorf("stored route: %s", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(ordersAPI + rest))
	f.Add([]byte("{\"apiVersion\": \"gatehouse/v1\", \"kind\": \"Team\", \"metadata\": {\"name\": \"a\"}}"))
	f.Add([]byte("kind: Team\nmetadata: &a {name: *a}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Read([]string{"-"}, Options{Stdin: strings.NewReader(string(data))})
		if err != nil {
			if len(faultsOf(err)) == 0 || !gatehouse.Is(err, gatehouse.Invalid) {
				t.Fatalf("error without faults: %v", err)
			}
			return
		}
		if _, err := Check(b, CheckOptions{Policies: all.Find, PolicyNames: all.Names()}); err != nil {
			t.Fatal(err)
		}
		for _, d := range b.Documents {
			text, err := YAML(d.Object)
			if err != nil || !same(text, d.Object) {
				t.Fatalf("%s is written as %s (%v)", d.Object, text, err)
			}
		}
		once, err := Format(data)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := Format(once); err != nil || string(twice) != string(once) {
			t.Fatalf("formatting twice changes %q to %q, %v", once, twice, err)
		}
	})
}
