package lease

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"gatehouse/gateway/limit"
	"gatehouse/link"
	"gatehouse/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A ledger stands for the control plane: one window of a minute, grants of at
// most half of what is left, answers after some time.
type ledger struct {
	mu    sync.Mutex
	delay time.Duration
	down  bool
	from  time.Time
	used  int64
	held  map[int]int64
	asked int
}

type peer struct {
	*ledger
	id int
}

func (p peer) Leases(ctx context.Context, asked []link.Lease) ([]link.Grant, error) {
	time.Sleep(p.delay / 2)
	defer time.Sleep(p.delay / 2)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return nil, errors.New("no route to host")
	}
	p.asked++
	now := time.Now()
	if from := now.Truncate(time.Minute); !from.Equal(p.from) {
		p.from, p.used, p.held = from, 0, map[int]int64{}
	}
	var grants []link.Grant
	for _, a := range asked {
		p.used += a.Used
		if a.Of == p.from.Unix() {
			p.used -= a.Back
		}
		delete(p.held, p.id)
		left := a.Limit - p.used
		for _, n := range p.held {
			left -= n
		}
		left = max(0, left)
		tokens := min(a.Want, (left+1)/2)
		p.held[p.id] = tokens
		grants = append(grants, link.Grant{Key: a.Key, Tokens: tokens, Remaining: left - tokens,
			Until: now.Add(life), Reset: p.from.Add(time.Minute).Sub(now), Of: p.from.Unix()})
	}
	return grants, nil
}

const instances = 4

// cluster runs n instances on one ledger for as long as the test's bubble.
func cluster(t *testing.T, l *ledger) ([]*limit.Limiter, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var out []*limit.Limiter
	n := func() int { return instances }
	for i := range instances {
		b := New(Options{Leaser: peer{l, i}, Local: limit.New(limit.Options{Instances: n}), Instances: n, Log: t.Logf})
		wg.Go(func() { b.Run(ctx) })
		out = append(out, limit.New(limit.Options{Shared: b, Instances: n}))
	}
	return out, func() { cancel(); wg.Wait() }
}

// drive sends requests to each instance every 10 ms until the time is over, and
// returns how many passed in each minute.
func drive(all []*limit.Limiter, rates []int, b policy.Budget, until time.Time) map[time.Time]int64 {
	passed := map[time.Time]int64{}
	for time.Now().Before(until) {
		now := time.Now()
		for i, l := range all {
			for range rates[i] {
				if l.Take("s", "k", b, 1, now).Allowed {
					passed[now.Truncate(time.Minute)]++
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return passed
}

var minute = policy.Budget{Limit: 10_000, Per: time.Minute, Shared: true}

// bound is what the package's comment promises for a window.
const bound = 10_000 + 2*instances*(10_000/(10*instances))

func TestManyInstancesKeepToOneBudget(t *testing.T) {
	tests := []struct {
		name  string
		rates []int // requests in 10 ms, by instance
		delay time.Duration
	}{
		{"even", []int{5, 5, 5, 5}, 20 * time.Millisecond},
		{"all through one", []int{20, 0, 0, 0}, 20 * time.Millisecond},
		{"uneven and slow", []int{15, 1, 0, 3}, 400 * time.Millisecond},
		{"flood", []int{100, 100, 100, 100}, 20 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
				all, stop := cluster(t, &ledger{delay: tt.delay})
				defer stop()
				for at, n := range drive(all, tt.rates, minute, time.Now().Add(2*time.Minute)) {
					t.Logf("minute %s: %d passed", at.Format("15:04"), n)
					if n > bound {
						t.Errorf("minute %s: %d passed, want at most %d", at.Format("15:04"), n, bound)
					}
					if n < 9_000 {
						t.Errorf("minute %s: only %d passed of a budget of 10000", at.Format("15:04"), n)
					}
				}
			})
		})
	}
}

func TestControlPlaneAway(t *testing.T) {
	for name, rate := range map[string]int{"all used before": 10, "some left": 1} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { away(t, rate) }) })
	}
}

func away(t *testing.T, rate int) {
	time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
	l := &ledger{delay: 20 * time.Millisecond}
	all, stop := cluster(t, l)
	defer stop()
	first := time.Now()
	rates := []int{rate, rate, rate, rate}
	before := drive(all, rates, minute, first.Add(10*time.Second))
	l.set(true)
	passed := drive(all, rates, minute, first.Add(3*time.Minute))
	passed[first] += before[first]
	for i := range 3 {
		if n := passed[first.Add(time.Duration(i)*time.Minute)]; n > bound || n < 9_000 {
			t.Errorf("minute %d of the outage: %d passed, want at most %d and at least 9000", i, n, bound)
		}
	}
	l.set(false)
	passed = drive(all, rates, minute, first.Add(5*time.Minute))
	if n := passed[first.Add(4*time.Minute)]; n > bound || n < 9_000 {
		t.Errorf("after it came back: %d passed", n)
	}
}

// Instances that start while nobody answers keep to their part of the whole.
func TestStartWithoutControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
		all, stop := cluster(t, &ledger{down: true})
		defer stop()
		first := time.Now()
		n := drive(all, []int{10, 10, 10, 10}, minute, first.Add(30*time.Second))[first]
		if n > bound || n < 9_000 {
			t.Errorf("%d passed, want about 10000", n)
		}
	})
}

func (l *ledger) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func TestUnusedTokensGoBackAndNothingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		b := New(Options{Leaser: peer{l, 0}, Local: limit.New(limit.Options{}), Instances: func() int { return 1 }})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { b.Run(ctx) })
		b.Take("s", "k", minute, 10, time.Now())
		time.Sleep(5 * time.Second)
		l.mu.Lock()
		if l.used != 10 || l.held[0] != 0 {
			t.Errorf("after a while: %d used, %d held; want 10 and none", l.used, l.held[0])
		}
		asked := l.asked
		l.mu.Unlock()
		time.Sleep(time.Minute)
		l.mu.Lock()
		if l.asked != asked {
			t.Errorf("idle for a minute: %d more questions", l.asked-asked)
		}
		l.mu.Unlock()
		b.mu.Lock()
		if len(b.shares) != 0 {
			t.Errorf("%d shares are kept of what nobody uses", len(b.shares))
		}
		b.mu.Unlock()
		cancel()
		wg.Wait()
	})
}

// A caller that is told nothing is left, or that now is when to come back,
// stops for nothing.
func TestStandingBeforeTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now() // nobody runs the book: the first question is never answered
		b := New(Options{Leaser: peer{&ledger{}, 0}, Local: limit.New(limit.Options{}), Instances: func() int { return 2 }})
		month := policy.Budget{Limit: 10_000, Calendar: "month", Shared: true}
		_, end := limit.Window(month, now)
		for want := int64(499); want >= 497; want-- { // a tenth of an even part is 500
			st, _ := b.Take("s", "k", month, 1, now)
			if !st.Allowed || st.Remaining != want || st.Reset != end.Sub(now) {
				t.Errorf("got %+v, want allowed, %d remaining and a reset in %s", st, want, end.Sub(now))
			}
		}
		bucket := policy.Budget{Limit: 10, Per: time.Minute, Burst: 5, Shared: true}
		if st, _ := b.Take("s", "b", bucket, 1, now); st.Reset != time.Minute {
			t.Errorf("bucket: got a reset in %s, want its period", st.Reset)
		}
	})
}
