package quota

import (
	"testing"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

func TestQuota(t *testing.T) {
	l := policytest.NewLimiter()
	share := func(e *policy.Env) { e.Limits, e.Scope = l, "plan:payments/commerce/free" }
	u := policytest.New(t, policytest.Decode(t, Kind, `{"requests": 1, "per": "month"}`), share)
	x := policytest.Request("GET", "/")
	if d := u.Run(x); d != nil || x.Response.Header.Get("RateLimit-Policy") != `"plan-quota";q=1;w=2592000` {
		t.Errorf("first: got %+v, %v", d, x.Response.Header)
	}
	if d := u.Run(x); d.Code() != 429 || d.Type != "quota-exceeded" || d.Header.Get("Retry-After") == "" {
		t.Errorf("second: got %+v, want 429 with Retry-After", d)
	}
	if b := l.Asked[0]; b.Calendar != "month" || !b.Shared || b.Burst != 0 {
		t.Errorf("asked for %+v, want a shared month", b)
	}
	more := policytest.New(t, policytest.Decode(t, Kind, `{"requests": 2, "per": "month"}`), share)
	if d := more.Run(x); d != nil {
		t.Errorf("with a quota raised to 2: got %+v", d)
	}
	if d := more.Run(x); d.Code() != 429 {
		t.Error("a raised quota forgot what was counted")
	}
}

func TestScopeAndPeriods(t *testing.T) {
	for per, want := range map[string]bool{"hour": true, "day": true, "week": true, "month": true, "": false, "1m": false, "Month": false, "year": false} {
		_, err := Kind.Decode([]byte(`{"requests": 1, "scope": "gateway", "per": "` + per + `"}`))
		if (err == nil) != want {
			t.Errorf("per %q: got %v", per, err)
		}
	}
}
