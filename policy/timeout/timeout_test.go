package timeout

import (
	"testing"
	"time"

	"gatehouse/policy/policytest"
)

func TestTheShortestHolds(t *testing.T) {
	step := policytest.Build(t, policytest.Decode(t, Kind, `{"backend": "2s"}`))
	for before, want := range map[time.Duration]time.Duration{0: 2 * time.Second, time.Second: time.Second, time.Minute: 2 * time.Second} {
		x := policytest.Request("GET", "/")
		x.Timeout = before
		if d := step(x); d != nil || x.Timeout != want {
			t.Errorf("with %s before: got %s, want %s", before, x.Timeout, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, config := range []string{`{}`, `{"backend": "0s"}`, `{"backend": "1us"}`, `{"backend": "2h"}`, `{"backend": "-1s"}`} {
		if _, err := Kind.Decode([]byte(config)); err == nil {
			t.Errorf("%s: let through", config)
		}
	}
}
