package limit

import (
	"testing"
	"time"

	"gatehouse/policy"
)

// A gate answers or does not.
type gate struct {
	open  bool
	asked int
}

func (g *gate) Take(_, _ string, b policy.Budget, _ int64, _ time.Time) (policy.Standing, bool) {
	g.asked++
	return policy.Standing{Allowed: true, Limit: b.Limit}, g.open
}

func TestAloneCountsWithTheSameCounters(t *testing.T) {
	l := New(Options{Instances: func() int { return 4 }})
	g := new(gate)
	l.Share(g)
	b := policy.Budget{Limit: 20, Calendar: "month", Shared: true}
	for i := range 3 {
		if s := l.Take("s", "k", b, 1, start); !s.Allowed || g.asked != i+1 {
			t.Errorf("request %d: got %+v after asking %d times", i, s, g.asked)
		}
	}
	alone := l.Alone()
	for i, want := range []bool{true, true, false} { // a quarter of 20 is 5
		if s := alone.Take("s", "k", b, 1, start); s.Allowed != want || g.asked != 3 {
			t.Errorf("request %d alone: got %+v after asking %d times, want allowed %v", i, s, g.asked, want)
		}
	}
	if s := l.Take("s", "k", b, 1, start); s.Allowed {
		t.Error("the part is used up and the shared count does not answer: got allowed")
	}
	if g.open = true; !l.Take("s", "k", b, 1, start).Allowed {
		t.Error("the shared count answers: got denied")
	}
	b.Shared = false
	if s := alone.Take("s", "own", b, 20, start); !s.Allowed {
		t.Errorf("a budget that is not shared is whole: got %+v", s)
	}
}
