package compile

import (
	"strings"
	"testing"

	"gatehouse/policy"
)

// TestOrder holds that the chain is told as gateways run it.
func TestOrder(t *testing.T) {
	uses := func(names string) (all []policy.Use) {
		for _, n := range strings.Fields(names) {
			all = append(all, policy.Use{Name: n})
		}
		return all
	}
	tests := []struct {
		name, access, mandatory, plan, api, want string
	}{
		{"a key", "subscription", "body-limit ip-filter", "rate-limit", "cors headers", "ip-filter cors access body-limit rate-limit headers"},
		{"a token", "token", "body-limit", "", "jwt headers", "access jwt body-limit headers"},
		{"a token beside a key", "subscription", "", "rate-limit", "jwt", "access rate-limit jwt"},
		{"a plan's filter needs the caller", "subscription", "", "rate-limit ip-filter", "cors", "cors access ip-filter rate-limit"},
		{"nobody is asked", "open", "", "", "", "access"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := order{access: tt.access}
			o.add(uses(tt.mandatory))
			o.plan(uses(tt.plan))
			o.add(uses(tt.api))
			var got []string
			for _, u := range o.steps("X-API-Key") {
				got = append(got, u.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}
