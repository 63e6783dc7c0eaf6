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
// good if the holder never does: instances can never use more than the budget
// together while one process hands it out. What is lost is what this process
// forgets: after a restart a window begins anew, so at most one more budget may
// pass in that window for each restart. When several processes hand out, each
// has its part (Options.Nodes).
type leases struct {
	now   func() time.Time
	mu    sync.Mutex // guards what follows
	all   map[leaseKey]*budget
	swept time.Time
}

type leaseKey struct{ env, key string }

type budget struct {
	from, to time.Time // the window
	used     int64
	held     map[string]grant // by "gateway/instance"
}

type grant struct {
	tokens int64
	until  time.Time
}

func (l *leases) init(now func() time.Time) { l.now, l.all = now, map[leaseKey]*budget{} }

// Leases counts what was used and grants what is asked for, as far as it goes:
// at most half of what is left, so that others find something too.
func (f *Fleet) Leases(ctx context.Context, p link.Peer, asked []link.Lease) ([]link.Grant, error) {
	spec, err := f.gateway(ctx, p.Gateway)
	if err != nil {
		return nil, err
	}
	nodes := int64(1)
	if f.Nodes != nil {
		nodes = max(1, int64(f.Nodes()))
	}
	l := &f.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UTC()
	l.sweep(now)
	grants := make([]link.Grant, 0, len(asked))
	for i := range asked {
		a := &asked[i]
		if a.Limit < 0 || a.Used < 0 || a.Had < 0 || a.Want < 0 || a.Per < 0 || a.Per == 0 && a.Calendar == "" {
			return nil, link.Errorf(400, "lease %.80q: limit, used and want are not below zero, and it names a period", a.Key)
		}
		b := l.budget(leaseKey{spec.Environment, a.Key}, a, now)
		if b == nil {
			grants = append(grants, link.Grant{Key: a.Key, Until: now.Add(leaseLife)})
			continue
		}
		grants = append(grants, b.grant(a, p.Gateway+"/"+p.Instance, a.Limit/nodes, now))
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
		b = &budget{held: map[string]grant{}}
		l.all[k] = b
	}
	if from, to := window(a, now); !b.from.Equal(from) || !b.to.Equal(to) {
		*b = budget{from: from, to: to, held: map[string]grant{}}
	}
	return b
}

func (b *budget) grant(a *link.Lease, holder string, limit int64, now time.Time) link.Grant {
	b.used += a.Used
	if before, ok := b.held[holder]; ok && before.tokens != a.Had {
		b.used += before.tokens // another process of that name had them, and may have used them
	}
	delete(b.held, holder) // what it did not use is back
	left := limit - b.used
	for name, g := range b.held {
		if now.After(g.until.Add(leaseLife)) { // it never said: taken as used
			b.used += g.tokens
			delete(b.held, name)
		}
		left -= g.tokens
	}
	left = max(left, 0)
	until := now.Add(leaseLife)
	if b.to.Before(until) {
		until = b.to
	}
	tokens := min(a.Want, (left+1)/2)
	if tokens > 0 {
		b.held[holder] = grant{tokens, until}
	}
	return link.Grant{Key: a.Key, Tokens: tokens, Remaining: left - tokens, Until: until, Reset: b.to.Sub(now)}
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
		}
	}
}
