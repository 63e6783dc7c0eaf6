package valkey

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"

	"gatehouse/gateway/limit"
	"gatehouse/policy"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The client spaces its look-ups of the topology with a sleep of a
		// second that closing it does not cut short.
		goleak.IgnoreAnyFunction("github.com/valkey-io/valkey-go.(*call).DelayDo.func1"))
}

var start = time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC)

func connect(t *testing.T, m *miniredis.Miniredis) *Server {
	t.Helper()
	s, err := Connect(Options{URL: "redis://" + m.Addr(), Timeout: 5 * time.Second, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func take(t *testing.T, s *Server, b policy.Budget, n int64, now time.Time) policy.Standing {
	t.Helper()
	st, ok := s.Take("s", "k", b, n, now)
	if !ok {
		t.Fatal("the server was not asked")
	}
	return st
}

func TestBucket(t *testing.T) {
	m := miniredis.RunT(t)
	m.SetTime(start)
	s := connect(t, m)
	b := policy.Budget{Limit: 60, Per: time.Minute, Burst: 3, Shared: true}
	for i, want := range []int64{2, 1, 0} {
		if st := take(t, s, b, 1, start); !st.Allowed || st.Remaining != want {
			t.Errorf("request %d: got %+v, want allowed with %d remaining", i, st, want)
		}
	}
	if st := take(t, s, b, 1, start); st.Allowed || st.Retry != time.Second || st.Reset != 3*time.Second {
		t.Errorf("beyond the burst: got %+v, want denied, retry in 1s", st)
	}
	m.SetTime(start.Add(time.Second))
	if st := take(t, s, b, 1, start); !st.Allowed {
		t.Errorf("a second later, by the server's clock: got %+v", st)
	}
}

func TestWindow(t *testing.T) {
	m := miniredis.RunT(t)
	s := connect(t, m)
	b := policy.Budget{Limit: 5, Calendar: "hour", Shared: true}
	if st := take(t, s, b, 5, start); !st.Allowed || st.Remaining != 0 || st.Reset != 30*time.Minute {
		t.Errorf("got %+v", st)
	}
	if st := take(t, s, b, 1, start); st.Allowed || st.Retry != 30*time.Minute {
		t.Errorf("beyond the limit: got %+v", st)
	}
	if st := take(t, s, b, 1, start.Add(30*time.Minute)); !st.Allowed || st.Remaining != 4 {
		t.Errorf("in the next hour: got %+v", st)
	}
	for _, k := range m.Keys() {
		if m.TTL(k) <= 0 {
			t.Errorf("key %q stays for ever", k)
		}
	}
}

func TestInstancesShareExactly(t *testing.T) {
	m := miniredis.RunT(t)
	var wg sync.WaitGroup
	var passed atomic.Int64
	for range 4 {
		l := limit.New(limit.Options{Shared: connect(t, m), Instances: func() int { return 4 }})
		wg.Go(func() {
			for range 100 {
				if l.Take("s", "k", policy.Budget{Limit: 150, Calendar: "day", Shared: true}, 1, start).Allowed {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := passed.Load(); n != 150 {
		t.Errorf("400 requests through 4 instances: %d passed, want exactly 150", n)
	}
}

func TestServerAway(t *testing.T) {
	m := miniredis.RunT(t)
	var log []string
	s, err := Connect(Options{URL: "redis://" + m.Addr(), Log: func(f string, a ...any) { log = append(log, fmt.Sprintf(f, a...)) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l := limit.New(limit.Options{Shared: s, Instances: func() int { return 4 }})
	b := policy.Budget{Limit: 100, Calendar: "day", Shared: true}
	l.Take("s", "k", b, 1, start)
	m.SetError("LOADING the server is not ready")
	passed := 0
	for range 100 {
		if l.Take("s", "k", b, 1, start).Allowed {
			passed++
		}
	}
	if passed != 25 {
		t.Errorf("away: %d of 100 passed, want this instance's part, 25", passed)
	}
	if len(log) != 1 {
		t.Errorf("logged %q, want one line", log)
	}
	m.SetError("")
	s.retry.Store(1) // as if the pause were over
	if st, ok := s.Take("s", "k", b, 1, start); !ok || st.Remaining != 98 {
		t.Errorf("back again: got %+v, %t; want the count from before", st, ok)
	}
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	for _, url := range []string{"", "http://127.0.0.1", "redis://127.0.0.1:1"} {
		if s, err := Connect(Options{URL: url}); err == nil {
			s.Close()
			t.Errorf("%q: connected", url)
		}
	}
}
