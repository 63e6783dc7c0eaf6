package limit

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/policy"
)

var start = time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC)

func perMinute(n int64) policy.Budget {
	return policy.Budget{Limit: n, Per: time.Minute, Burst: n}
}

func TestBucketRefillsEvenly(t *testing.T) {
	l, now := New(Options{}), start
	b := policy.Budget{Limit: 60, Per: time.Minute, Burst: 3}
	for i, want := range []int64{2, 1, 0} {
		if s := l.Take("s", "k", b, 1, now); !s.Allowed || s.Remaining != want || s.Limit != 60 {
			t.Errorf("request %d: got %+v, want allowed with %d remaining", i, s, want)
		}
	}
	s := l.Take("s", "k", b, 1, now)
	if s.Allowed || s.Retry != time.Second || s.Reset != 3*time.Second {
		t.Errorf("request beyond the burst: got %+v, want denied, retry in 1s, full in 3s", s)
	}
	if s := l.Take("s", "k", b, 1, now.Add(s.Retry-1)); s.Allowed {
		t.Errorf("a nanosecond before Retry: got allowed")
	}
	if s := l.Take("s", "k", b, 1, now.Add(s.Retry)); !s.Allowed {
		t.Errorf("after Retry: got denied, %+v", s)
	}
	if s := l.Take("s", "k", b, 0, now.Add(time.Hour)); s.Remaining != 3 {
		t.Errorf("after an hour: got %d remaining, want the burst of 3 and no more", s.Remaining)
	}
	if s := l.Take("s", "k", b, 4, now.Add(2*time.Hour)); s.Allowed {
		t.Errorf("more at once than the burst: got allowed")
	}
}

func TestWindowsFollowTheCalendar(t *testing.T) {
	tests := []struct{ calendar, now, reset string }{
		{"hour", "2026-11-22T12:59:59Z", "2026-11-22T13:00:00Z"},
		{"day", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"week", "2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z"}, // a Sunday
		{"week", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		{"month", "2024-02-29T10:00:00Z", "2024-03-01T00:00:00Z"},
		{"month", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.calendar+" "+tt.now, func(t *testing.T) {
			l := New(Options{})
			now, _ := time.Parse(time.RFC3339, tt.now)
			reset, _ := time.Parse(time.RFC3339, tt.reset)
			b := policy.Budget{Limit: 2, Calendar: tt.calendar}
			l.Take("s", "k", b, 2, now)
			s := l.Take("s", "k", b, 1, now)
			if s.Allowed || s.Retry != reset.Sub(now) || s.Reset != s.Retry {
				t.Errorf("third of two: got %+v, want denied until %s", s, reset)
			}
			if s := l.Take("s", "k", b, 1, reset.Add(-1)); s.Allowed {
				t.Errorf("at the window's last nanosecond: got allowed")
			}
			if s := l.Take("s", "k", b, 1, reset); !s.Allowed || s.Remaining != 1 {
				t.Errorf("in the next window: got %+v, want allowed with 1 remaining", s)
			}
		})
	}
}

// F8: a clock that is set neither sticks a budget nor gives one without end.
func TestClockSteps(t *testing.T) {
	budgets := map[string]policy.Budget{
		"bucket": perMinute(10),
		"window": {Limit: 10, Per: time.Minute},
		"hour":   {Limit: 10, Calendar: "hour"},
	}
	for name, b := range budgets {
		for _, step := range []time.Duration{time.Hour, -time.Hour, 90 * 24 * time.Hour, -24 * time.Hour} {
			t.Run(fmt.Sprint(name, " ", step), func(t *testing.T) {
				l, now := New(Options{}), start
				l.Take("s", "k", b, 10, now)
				for i := range 10 { // there and back again, asking each time
					for _, d := range []time.Duration{step, -step} {
						now = now.Add(d)
						if s := l.Take("s", "k", b, 10, now); s.Allowed && d < 0 {
							t.Errorf("round %d: setting the clock back gave a whole budget", i)
						}
					}
				}
				s := l.Take("s", "k", b, 1, now)
				for range 3 {
					if !s.Allowed {
						now = now.Add(s.Retry)
						s = l.Take("s", "k", b, 1, now)
					}
				}
				if !s.Allowed || now.Sub(start) > 2*time.Hour {
					t.Errorf("still %+v at %s after start", s, now.Sub(start))
				}
			})
		}
	}
}

func TestKeysAreBoundedAndTheBusiestStay(t *testing.T) {
	l := New(Options{MaxKeys: 1024})
	b := perMinute(1000)
	for i := range 20 {
		l.Take("s", fmt.Sprintf("busy-%d", i), b, 900, start)
	}
	for i := range 30_000 {
		l.Take("s", fmt.Sprintf("flood-%d", i), b, 1, start)
	}
	if n := l.Len(); n > 1024 {
		t.Errorf("got %d counters, want at most 1024", n)
	}
	for i := range 20 {
		if s := l.Take("s", fmt.Sprintf("busy-%d", i), b, 200, start); s.Allowed {
			t.Errorf("caller %d was forgotten in a flood of others", i)
		}
	}
}

func TestIdleKeysMakeRoom(t *testing.T) {
	l, now := New(Options{}), start
	for i := range 30_000 {
		l.Take("s", fmt.Sprint(i), perMinute(60), 1, now)
		now = now.Add(time.Millisecond)
	}
	if n := l.Len(); n > 5_000 {
		t.Errorf("30,000 callers, of whom 1,000 are not as if new: got %d counters held", n)
	}
}

func TestNamesDoNotRunTogether(t *testing.T) {
	l := New(Options{})
	b := perMinute(1)
	for _, n := range [][2]string{{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}} {
		if !l.Take(n[0], n[1], b, 1, start).Allowed {
			t.Errorf("scope %q key %q: counted as another", n[0], n[1])
		}
	}
}

func TestKeyMayChangeAfterTake(t *testing.T) {
	l := New(Options{})
	key := []byte("caller-1")
	l.Take("s", string(key), perMinute(1), 1, start)
	copy(key, "caller-2")
	if l.Take("s", "caller-1", perMinute(1), 1, start).Allowed {
		t.Error("the counter went with the buffer its key was in")
	}
}

func TestTakeAllocatesNothingForAKnownKey(t *testing.T) {
	l := New(Options{})
	for _, b := range []policy.Budget{perMinute(1 << 30), {Limit: 1 << 30, Calendar: "month"}} {
		l.Take("scope", "key", b, 1, start)
		if n := testing.AllocsPerRun(100, func() { l.Take("scope", "key", b, 1, start) }); n != 0 {
			t.Errorf("%+v: got %v allocations", b, n)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	for _, keys := range []int{1, 1000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			l := New(Options{MaxKeys: 2 << 20})
			names := make([]string, keys)
			for i := range names {
				names[i] = fmt.Sprintf("team-%d/app", i)
				l.Take("scope", names[i], policy.Budget{Limit: 1 << 40, Calendar: "month"}, 1, start)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				l.Take("scope", names[i%keys], policy.Budget{Limit: 1 << 40, Calendar: "month"}, 1, start)
			}
		})
	}
}
