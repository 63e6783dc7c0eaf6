// Package lease counts budgets that all instances of an environment share by
// borrowing parts of them from the control plane, over the link.
//
// No request waits for the control plane. An instance spends tokens that it has
// been granted and reports what it spent each time it asks for more; tokens that
// may be spent while a question is in the air are reported as used in it, and
// claimed back in a later one if they were not. What it holds goes back when it is
// idle for a moment or ends, also to a control plane that was started again since;
// what is lost is what an instance holds that is killed, and a claim in a question
// of which nobody knows whether it was heard. While it
// holds none it may spend an advance: a tenth of its even part of the limit, or its
// even part of what was left when last heard of if that is less, but at least one.
//
// How far that may overshoot: while the control plane answers, n instances let
// at most limit + 2*n*max(1, limit/(10*n)) through in a window. A test holds
// that; in it four instances under a flood let a twentieth more through, and next to
// nothing more under ordinary load.
//
// While the control plane does not answer, each instance keeps to its even part:
// of what was left when it last heard of the budget in this window, else of the
// whole limit. The window in which it went away lets at most twice the limit
// through, and that much only if instances had not heard of the budget or were
// started again; every later window lets the limit through.
//
// Buckets (rate-limit) are counted here in windows of their period.
//
// The ledger of what was used is the control plane's; keeping it is not this
// package's.
package lease

import (
	"context"
	"sync"
	"time"

	"gatehouse/gateway/limit"
	"gatehouse/link"
	"gatehouse/policy"
)

// Times of asking.
const (
	every    = 500 * time.Millisecond // at the latest, while anything is in use
	soonest  = 20 * time.Millisecond  // between two questions
	patience = 2 * time.Second        // for an answer
	life     = 2 * time.Second        // longest that tokens are used
)

// maxShares bounds the budgets in use at once; those beyond are counted by even
// parts.
const maxShares = 200_000

// A Leaser asks the control plane; *link.Client is one.
type Leaser interface {
	Leases(ctx context.Context, asked []link.Lease) ([]link.Grant, error)
}

// Options of a Book. All but Log are needed.
type Options struct {
	Leaser Leaser
	// Local counts even parts while the control plane is away: a
	// limit.Limiter without a Shared, which is told the number of instances.
	Local policy.Limiter
	// Instances of the environment; at least 1.
	Instances func() int
	Log       func(format string, args ...any)
}

// A Book is the shares that this instance holds. It is a limit.Shared.
type Book struct {
	o    Options
	wake chan struct{}

	mu     sync.Mutex // guards what follows
	shares map[string]*share
	busy   []*share // to be asked about next
	away   bool     // the last question got no answer
	swept  time.Time
}

// New makes an empty book. Tokens come once [Book.Run] runs.
func New(o Options) *Book {
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	return &Book{o: o, wake: make(chan struct{}, 1), shares: map[string]*share{}}
}

// A share is this instance's part of one budget.
type share struct {
	key    string
	budget policy.Budget
	queued bool
	asking bool

	prepaid   int64     // reported as used before it was spent; until the window ends
	of        int64     // names the window to the control plane; zero: nothing may be claimed back
	held      int64     // tokens and prepaid after the last answer
	tokens    int64     // granted and not spent
	granted   int64     // by the last answer
	until     time.Time // tokens end
	answered  time.Time // when the last answered question was put
	advance   int64     // spent without a grant, and not made good by one
	used      int64     // spent and not reported
	wanted    int64     // asked of us since the last question, refused or not
	remaining int64     // of all instances, as the last answer said
	window    time.Time // the window ends; zero before the first answer
}

// Take spends from the share of scope and key. It is false only when there are
// more budgets than it keeps.
func (k *Book) Take(scope, key string, b policy.Budget, n int64, now time.Time) (policy.Standing, bool) {
	name := scope + "\x00" + key
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.shares[name]
	if s == nil {
		if len(k.shares) >= maxShares {
			return policy.Standing{}, false
		}
		s = &share{key: name}
		k.shares[name] = s
	}
	s.budget = b
	s.roll(now)
	s.wanted += n
	if !s.queued {
		s.queued = true
		k.busy = append(k.busy, s)
	}
	st := policy.Standing{Limit: b.Limit, Reset: s.reset(now)}
	prepaid := false
	switch {
	case s.prepaid >= n:
		s.prepaid -= n
		st.Allowed, prepaid = true, true
	case now.Before(s.until) && s.tokens >= n:
		s.tokens -= n
		st.Allowed = true
	case k.away && !s.window.IsZero():
		if st.Allowed = k.alone(s, n); st.Allowed {
			k.o.Local.Take(scope, key, b, n, now) // remembered over a restart
		}
		st.Remaining = s.tokens + max(0, s.part(k.o.Instances())-s.advance)
	case k.away:
		st = k.o.Local.Take(scope, key, b, n, now)
	case !s.spent() && s.advance+n <= k.allowance(s):
		s.advance += n
		st.Allowed = true
	}
	if st.Allowed && !prepaid {
		s.used += n
	} else if !st.Allowed && st.Retry == 0 {
		if st.Retry = every; s.spent() || k.away {
			st.Retry = st.Reset
		}
	}
	switch {
	case k.away:
	case s.window.IsZero():
		// Nobody knows what others spent: what this instance still gives by
		// itself is the most that can be promised.
		st.Remaining = max(0, k.allowance(s)-s.advance)
	default:
		st.Remaining = max(0, s.prepaid+s.tokens+s.remaining)
	}
	if !k.away && !s.asking && s.low() && !s.spent() {
		k.hurry()
	}
	return st, true
}

// alone spends while nobody answers, within a window that was heard of: what was
// granted, whose time matters no more, and then an even part of what was left.
func (k *Book) alone(s *share, n int64) bool {
	if s.tokens >= n {
		s.tokens -= n
		return true
	}
	if s.advance+n > s.part(k.o.Instances()) {
		return false
	}
	s.advance += n
	return true
}

// part is an instance's part of what was left when last heard of.
func (s *share) part(instances int) int64 { return s.remaining / int64(max(1, instances)) }

// allowance is what may be spent without a grant: once the budget has been heard
// of in this window, no more than an even part of what was left then.
func (k *Book) allowance(s *share) int64 {
	n := int64(max(1, k.o.Instances()))
	a := s.budget.Limit / (10 * n)
	if !s.window.IsZero() {
		a = min(a, s.remaining/n)
	}
	return max(1, a)
}

// low tells that most of what was in hand after the last answer is gone.
func (s *share) low() bool { return (s.tokens+s.prepaid)*4 <= s.held }

// spent tells whether the whole budget was used up when last heard of.
func (s *share) spent() bool { return !s.window.IsZero() && s.remaining <= 0 && s.granted == 0 }

// roll begins the next window when the one last heard of is over.
func (s *share) roll(now time.Time) {
	if !s.window.IsZero() && !now.Before(s.window) {
		s.prepaid, s.tokens, s.granted, s.held, s.remaining, s.advance = 0, 0, 0, 0, 0, 0
		s.of, s.window = 0, time.Time{}
	}
}

func (s *share) reset(now time.Time) time.Duration {
	switch {
	case !s.window.IsZero():
		return s.window.Sub(now)
	case s.budget.Burst > 0:
		return s.budget.Per
	}
	_, end := limit.Window(s.budget, now)
	return end.Sub(now)
}

// hurry asks before the next tick.
func (k *Book) hurry() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}
