package ratelimit

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

func TestDenialAndFields(t *testing.T) {
	u := policytest.New(t, policytest.Decode(t, Kind, `{"requests": 60, "per": "1m", "burst": 1}`))
	x := policytest.Request("GET", "/orders/7")
	if d := u.Run(x); d != nil {
		t.Fatalf("first: got %+v", d)
	}
	if got, want := x.Response.Header.Get("RateLimit"), `"api-rate-limit";r=0;t=30`; got != want {
		t.Errorf("passed: got RateLimit %s, want %s", got, want)
	}
	if got, want := x.Response.Header.Get("RateLimit-Policy"), `"api-rate-limit";q=60;w=60`; got != want {
		t.Errorf("passed: got RateLimit-Policy %s, want %s", got, want)
	}
	d := u.Run(x)
	if d.Code() != 429 || d.Type != "rate-limit-exceeded" || d.Header.Get("Retry-After") != "30" ||
		d.Header.Count("RateLimit") != 1 || d.Header.Get("RateLimit-Policy") == "" {
		t.Errorf("second: got %+v, want 429 with Retry-After and RateLimit once", d)
	}
}

func TestTwoBudgetsTellBoth(t *testing.T) {
	x := policytest.Request("GET", "/")
	var steps []policy.ResponseStep
	for _, scope := range []string{"plan:a/b/c", "payments/orders@v1#getOrder", "payments/orders@v1/2"} {
		u := policytest.New(t, policytest.Decode(t, Kind, `{"requests": 2, "per": "1s"}`), func(e *policy.Env) { e.Scope = scope })
		u.Step(x)
		steps = append(steps, u.Responses...)
	}
	for _, s := range steps {
		s(x)
	}
	got := strings.Join(x.Response.Header.Values("RateLimit"), ", ")
	if want := `"plan-rate-limit";r=1;t=30, "operation-rate-limit";r=1;t=30, "api-2-rate-limit";r=1;t=30`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if len(x.Reply) != 0 {
		t.Errorf("left in Reply: %v", x.Reply)
	}
}

func TestWhoIsCounted(t *testing.T) {
	tests := []struct{ name, by, want string }{
		{"subscription", "subscription", "billing/invoices-commerce"},
		{"application", "application", "billing/invoices"},
		{"everybody", "api", "*"},
		{"address", "address", "192.0.2.7"},
		{"header", "header:x-tenant", "acme"},
		{"header that is missing, by address", "header:X-Other", "192.0.2.7"},
		{"claim", "claim:org", "o-1"},
		{"claim that is missing, by address", "claim:x", "192.0.2.7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := policytest.NewLimiter()
			step := policytest.Build(t, policytest.Decode(t, Kind, `{"requests": 1, "per": "1s", "by": "`+tt.by+`"}`), func(e *policy.Env) { e.Limits = l })
			x := policytest.Request("GET", "/", "X-Tenant: acme")
			x.Claims = map[string]any{"org": "o-1"}
			step(x)
			for name := range l.Counters() {
				if _, key, _ := strings.Cut(name, "\x00"); key != tt.want {
					t.Errorf("counted %q, want %q", key, tt.want)
				}
			}
		})
	}
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	for addr, want := range map[string]string{"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::"} {
		if got := network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: counted by %s, want %s", addr, got, want)
		}
	}
}

func TestLongValuesAreBoundedAndTheirAddressIsNotSpoofed(t *testing.T) {
	l := policytest.NewLimiter()
	step := policytest.Build(t, policytest.Decode(t, Kind, `{"requests": 1, "per": "1s", "by": "header:X-T"}`), func(e *policy.Env) { e.Limits = l })
	step(policytest.Request("GET", "/", "X-T: "+strings.Repeat("a", 10_000)))
	step(policytest.Request("GET", "/", "X-T: 192.0.2.7"))
	if d := step(policytest.Request("GET", "/")); d != nil {
		t.Error("a header that names an address used up that address's budget")
	}
	for name := range l.Counters() {
		if len(name) > 200 {
			t.Errorf("a counter's name has %d bytes", len(name))
		}
	}
}

func TestValidate(t *testing.T) {
	for config, want := range map[string]string{
		`{"per": "1s"}`:                                    "requests: 0 is not between",
		`{"requests": 1}`:                                  "per: is missing",
		`{"requests": 1, "per": "1ms"}`:                    `per: "1ms" is not between`,
		`{"requests": 1, "per": "30d"}`:                    `per: "30d" is not between`,
		`{"requests": 1, "per": "1s", "by": "ip"}`:         `by: "ip" is not`,
		`{"requests": 1, "per": "1s", "by": "header:a b"}`: `by: "header:a b" is not`,
		`{"requests": 1, "per": "1s", "scope": "global"}`:  `scope: "global" is not`,
		`{"requests": 1, "per": "1s", "burst": -1}`:        "burst: -1 is not",
		`{"requests": 1000000000000, "per": "1s"}`:         "more than one each nanosecond",
	} {
		if _, err := Kind.Decode([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}

// free lets everything through.
type free struct{}

func (free) Take(_, _ string, b policy.Budget, _ int64, _ time.Time) policy.Standing {
	return policy.Standing{Allowed: true, Limit: b.Limit, Remaining: b.Limit, Reset: time.Second}
}

func BenchmarkStep(b *testing.B) {
	u := policytest.New(b, policytest.Decode(b, Kind, `{"requests": 1000000000, "per": "1s"}`), func(e *policy.Env) { e.Limits = free{} })
	x := policytest.Request("GET", "/")
	x.Response.Header = make(policy.Header, 0, 8)
	b.ReportAllocs()
	for b.Loop() {
		u.Step(x)
		x.Response.Header = x.Response.Header[:0]
		u.Responses[0](x)
	}
}
