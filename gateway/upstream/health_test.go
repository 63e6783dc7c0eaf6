package upstream

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/jsonx"
	"gatehouse/report"
	"gatehouse/snapshot"
)

func TestStreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s streak
		out := func() bool { o, _ := s.out(time.Now()); return o }
		for range 2 {
			s.failed("reset", 3, time.Now())
		}
		if out() {
			t.Fatal("left out after two failures of three")
		}
		// One success forgives all.
		s.succeeded()
		s.failed("reset", 3, time.Now())
		s.failed("reset", 3, time.Now())
		if out() {
			t.Fatal("failures before a success were counted")
		}
		s.failed("reset", 3, time.Now())
		for _, d := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			d *= time.Second
			time.Sleep(d - time.Millisecond)
			if !out() {
				t.Fatalf("back before %v", d)
			}
			time.Sleep(d/5 + 2*time.Millisecond)
			if out() {
				t.Fatalf("still out after %v and a fifth", d)
			}
			s.failed("reset", 3, time.Now()) // the first failure suffices now
		}
		time.Sleep(time.Minute)
		s.succeeded()
		s.failed("reset", 3, time.Now())
		if out() {
			t.Error("a success did not end the suspicion")
		}
	})
}

// Weights are kept smoothly and a target that fails is passed over, until it
// comes back.
func TestPick(t *testing.T) {
	b := &Backend{unhealthy: 1}
	for i, w := range []int{5, 1, 1} {
		tg := &target{url: fmt.Sprint(i)}
		tg.pool.max = 9
		b.members = append(b.members, &member{target: tg, weight: w})
	}
	now := time.Unix(1000, 0)
	picks := func(n int) (s string) {
		for range n {
			m, _ := b.pick(0, now)
			s += m.url
		}
		return s
	}
	if got := picks(7); got != "0010200" {
		t.Errorf("weights 5, 1, 1 give %s, want 0010200", got)
	}
	b.members[0].streak.failed("reset", 1, now)
	if got := picks(4); got != "1212" && got != "2121" {
		t.Errorf("without the first: %s", got)
	}
	now = now.Add(2 * time.Second)
	if got := picks(70); !containsAll(got, "0") {
		t.Errorf("the first did not come back: %s", got)
	}
	for _, m := range b.members {
		m.streak.failed("reset", 1, now)
	}
	if got := picks(7); !containsAll(got, "012") {
		t.Errorf("with all left out, tried: %s, want all", got)
	}
	now = now.Add(time.Hour)
	b.members[0].pool.inUse = 9
	if got := picks(4); got != "1212" && got != "2121" {
		t.Errorf("with the first full: %s", got)
	}
}

func containsAll(s, chars string) bool {
	for _, c := range chars {
		found := false
		for _, d := range s {
			found = found || c == d
		}
		if !found {
			return false
		}
	}
	return true
}

func TestLeastLoadedOfEquals(t *testing.T) {
	b := &Backend{}
	for i := range 3 {
		tg := &target{url: fmt.Sprint(i)}
		tg.pool.max, tg.pool.inUse = 9, 3-i
		b.members = append(b.members, &member{target: tg, weight: 1})
	}
	if m, _ := b.pick(0, time.Now()); m.url != "2" {
		t.Errorf("got target %s, want the one with the least load", m.url)
	}
}

// A flapping target: requests go on while it is down, to the others, and it
// gets its share again when it is back.
func TestFlapping(t *testing.T) {
	var down atomic.Bool
	var hits atomic.Int32
	flapping := raw(t, func(p *peer) {
		for p.request() != nil {
			if down.Load() {
				p.reset()
				return
			}
			hits.Add(1)
			p.say(ok)
		}
	})
	b := acquire(t, Options{}, snapshot.Backend{Retries: snapshot.Retries{Attempts: 2, On: []string{"reset"}}}, flapping, answering(t, ok))
	for round := range 4 {
		down.Store(round%2 == 1)
		hits.Store(0)
		for range 30 {
			if got := do(b, exchange("GET", "/")); got.Body != "ok" {
				t.Fatalf("round %d: got %+v", round, got)
			}
		}
		if down.Load() {
			s := &b.members[0].streak // its time goes by
			s.mu.Lock()
			if s.until.IsZero() {
				t.Error("the failing target was not left out")
			}
			s.until = time.Time{}
			s.mu.Unlock()
		} else if n := hits.Load(); n != 15 {
			t.Errorf("round %d: the flapping target got %d of 30 requests, want 15", round, n)
		}
	}
}

func TestActiveChecks(t *testing.T) {
	var sick atomic.Bool
	asked := make(chan *http.Request, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		if sick.Load() {
			w.WriteHeader(500)
		}
	}))
	defer s.Close()
	set := NewSet(Options{})
	spec := snapshot.Backend{Name: "payments/orders", Targets: []snapshot.Target{{URL: s.URL + "/base"}},
		Health: snapshot.Health{Path: "/healthz?deep=1", Interval: jsonx.Duration(5 * time.Millisecond)}}
	b := set.Acquire(spec)
	become := func(want bool) {
		t.Helper()
		for b.members[0].check.up() != want {
			<-asked
		}
	}
	become(true)
	if got := set.States(); len(got) != 0 {
		t.Errorf("all is well: got %v", got)
	}
	sick.Store(true)
	become(false)
	want := []report.BackendState{{Backend: "payments/orders", Target: s.URL + "/base", Reason: "health path answers 500"}}
	if diff := cmp.Diff(want, set.States()); diff != "" {
		t.Error(diff)
	}
	if got := do(b, exchange("GET", "/")); got.Status != 500 {
		t.Errorf("with all targets down: got %+v, want it tried all the same", got)
	}
	sick.Store(false)
	become(true)
	if r := <-asked; r.URL.String() != "/base/healthz?deep=1" && r.URL.String() != "/base/" || r.Header.Get("User-Agent") != "gatehouse-health" && r.URL.Path != "/base/" {
		t.Errorf("asked for %s by %q", r.URL, r.Header)
	}
	done := b.members[0].check.done
	b.Release()
	<-done
	if len(set.checks)+len(set.targets)+len(set.backends) != 0 {
		t.Error("something is kept after the last release")
	}
}

func TestCheckCounts(t *testing.T) {
	c := newCheck("", &target{}, snapshot.Health{Healthy: 2, Unhealthy: 3}, func(string, ...any) {})
	steps := []struct {
		reason string
		up     bool
	}{{"x", true}, {"x", true}, {"", true}, {"x", true}, {"x", true}, {"x", false}, {"", false}, {"x", false}, {"", false}, {"", true}}
	for i, s := range steps {
		if c.note(s.reason); c.up() != s.up {
			t.Fatalf("step %d: up is %v, want %v", i, c.up(), s.up)
		}
	}
}
