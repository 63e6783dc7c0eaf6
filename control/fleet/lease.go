package fleet

import (
	"context"
	"sync"
	"time"

	"gatehouse/link"
)

const (
	// leaseLife is how long granted tokens may be used.
	leaseLife = 2 * time.Second
	// maxBudgets bounds what is kept; when it is reached, new budgets grant
	// nothing until old windows end.
	maxBudgets = 500_000
	// sweepEvery is how often ended windows are dropped.
	sweepEvery = 10 * time.Second
)

// leases hands out shares of budgets that all instances of an environment have
// in common.
//
// What is granted counts as used until its holder says what it used, and for
// good if the holder never does: instances can never be granted more than the
// budget together.
//
// Budgets of an hour and longer are kept in the store (ledger.go). Shorter ones
// are in memory alone: after a restart their window begins anew, so at most one
// more budget may pass in that window for each restart, and of several processes
// each hands out its even part (Options.Nodes).
type leases struct {
	now    func() time.Time
	ledger ledger
	mu     sync.Mutex // guards what follows
	all    map[leaseKey]*budget
	stored map[string]*budget // those with an account, by its name
	swept  time.Time
}

type leaseKey struct{ env, key string }

type budget struct {
	from, to time.Time // the window
	used     int64
	held     map[string]grant // by "gateway/instance"
	account  *account         // in the store; nil for short windows
	touched  time.Time        // when it was last asked for
}

type grant struct {
	tokens int64
	until  time.Time
}

func (l *leases) init(now func() time.Time) {
	l.now, l.all, l.stored = now, map[leaseKey]*budget{}, map[string]*budget{}
}

func (f *Fleet) nodes() int64 {
	if f.Nodes == nil {
		return 1
	}
	return max(1, int64(f.Nodes()))
}

// Leases counts what was used and grants what is asked for, as far as it goes
// and never all that is left to one.
func (f *Fleet) Leases(ctx context.Context, p link.Peer, asked []link.Lease) ([]link.Grant, error) {
	spec, err := f.gateway(ctx, p.Gateway)
	if err != nil {
		return nil, err
	}
	for i := range asked {
		a := &asked[i]
		if a.Limit < 0 || a.Used < 0 || a.Had < 0 || a.Want < 0 || a.Per < 0 || a.Per == 0 && a.Calendar == "" {
			return nil, link.Errorf(400, "lease %.80q: limit, used and want are not below zero, and it names a period", a.Key)
		}
	}
	return f.lease(ctx, spec.Environment, p.Gateway+"/"+p.Instance, asked)
}

func (f *Fleet) lease(ctx context.Context, env, holder string, asked []link.Lease) ([]link.Grant, error) {
	l, now := &f.leases, f.leases.now().UTC()
	budgets, err := f.open(ctx, env, asked, now)
	if err != nil {
		return nil, unavailable(err) // nothing is counted: the instance says it again
	}
	l.mu.Lock()
	for i, b := range budgets {
		if b != nil {
			b.count(&asked[i], holder, now)
		}
	}
	l.mu.Unlock()
	f.reserve(ctx, asked, budgets)
	l.mu.Lock()
	defer l.mu.Unlock()
	grants := make([]link.Grant, len(asked))
	for i, b := range budgets {
		if grants[i] = (link.Grant{Key: asked[i].Key, Until: now.Add(leaseLife)}); b != nil {
			grants[i] = b.grant(&asked[i], holder, f.nodes(), now.Before(l.ledger.closed), now)
		}
	}
	return grants, nil
}

// budget finds the budget in its current window.
func (l *leases) budget(k leaseKey, a *link.Lease, now time.Time) *budget {
	b := l.all[k]
	if b == nil {
		if len(l.all) >= maxBudgets {
			return nil
		}
		b = new(budget)
	}
	if from, to := window(a, now); !b.from.Equal(from) || !b.to.Equal(to) {
		b = &budget{from: from, to: to, held: map[string]grant{}}
		if durable(a) {
			b.account = newAccount(k)
			l.stored[b.account.name] = b
		}
		l.all[k] = b
	}
	if b.account != nil {
		b.account.limit = a.Limit
	}
	b.touched = now
	return b
}

// count takes what the holder used, and what it did not use back.
func (b *budget) count(a *link.Lease, holder string, now time.Time) {
	used := a.Used
	before, ok := b.held[holder]
	if ok && before.tokens != a.Had {
		// Another process of that name had them, or the answer was lost, or is
		// yet to come: they may have been used.
		used += before.tokens
	}
	ours, current := ok && before.tokens == a.Had, a.Of == b.to.Unix()
	if !ours && b.account != nil && (!ok || current) {
		// Another node granted them, or this one before it was started again:
		// they are in the store as taken, and what was not used is now this
		// node's to give.
		if current {
			b.account.inherit(a.Had - a.Used)
		}
		used -= min(a.Used, a.Had)
	}
	b.used += used
	if current {
		b.back(a.Back)
	}
	delete(b.held, holder)
	for name, g := range b.held {
		if now.After(g.until.Add(leaseLife)) { // it never said: taken as used
			b.used += g.tokens
			delete(b.held, name)
		}
	}
}

// back takes what was counted as used and was not, here or by a process before.
func (b *budget) back(n int64) {
	here := min(n, b.used)
	b.used -= here
	if b.account != nil {
		b.account.inherit(n - here)
	}
}

// out is what was used or is held.
func (b *budget) out() int64 {
	n := b.used
	for _, g := range b.held {
		n += g.tokens
	}
	return n
}

// grant gives what is asked for, of what is left at most its part. Closed tells
// that the store takes no reservations now.
func (b *budget) grant(a *link.Lease, holder string, nodes int64, closed bool, now time.Time) link.Grant {
	here := a.Limit/nodes - b.out()
	all := here
	if b.account != nil {
		here, all = b.account.left(b.out(), nodes, closed)
	}
	here, all = max(here, 0), max(all, 0)
	until := now.Add(leaseLife)
	if b.to.Before(until) {
		until = b.to
	}
	tokens := min(a.Want, b.most(all), here)
	if tokens > 0 {
		b.held[holder] = grant{tokens, until}
	}
	return link.Grant{Key: a.Key, Tokens: tokens, Remaining: all - tokens, Until: until, Reset: b.to.Sub(now), Of: b.to.Unix()}
}

// most is what one grant may take of what is left: half, so that others find
// something too. Of a budget that is kept in the store, where a grant that is lost
// by a kill is lost for an hour and more, it is an eighth.
func (b *budget) most(left int64) int64 {
	if b.account != nil {
		return eighth(left)
	}
	return (left + 1) / 2
}

// window is the period that now falls into, in UTC. Weeks begin on Monday.
func window(a *link.Lease, now time.Time) (from, to time.Time) {
	y, m, d := now.Date()
	switch a.Calendar {
	case "hour":
		from = now.Truncate(time.Hour)
		return from, from.Add(time.Hour)
	case "day":
		from = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 0, 1)
	case "week":
		from = time.Date(y, m, d-(int(now.Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 0, 7)
	case "month":
		from = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	}
	per := max(a.Per, time.Millisecond)
	from = now.Truncate(per)
	return from, from.Add(per)
}

func (l *leases) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepEvery {
		return
	}
	l.swept = now
	for k, b := range l.all {
		if now.After(b.to) {
			delete(l.all, k)
			if b.account != nil {
				delete(l.stored, b.account.name)
			}
		}
	}
}
