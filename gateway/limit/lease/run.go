package lease

import (
	"context"
	"time"

	"gatehouse/link"
)

// Run asks for tokens and reports what was spent until ctx ends; then it reports
// once more, so that what is left goes back.
func (k *Book) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			k.ask(last, true)
			return
		case <-tick.C:
		case <-k.wake:
		}
		k.ask(ctx, false)
		pause := time.NewTimer(soonest)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

// ask puts one question about the shares in use. At the end it wants nothing.
func (k *Book) ask(ctx context.Context, end bool) {
	shares, asked := k.question(end)
	if len(asked) == 0 {
		return
	}
	sent := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	grants, err := k.o.Leaser.Leases(ctx, asked)
	cancel()
	k.mu.Lock()
	defer k.mu.Unlock()
	byKey := make(map[string]*link.Grant, len(grants))
	for i := range grants {
		byKey[grants[i].Key] = &grants[i]
	}
	for i, s := range shares {
		s.asking = false
		if g := byKey[s.key]; err == nil && g != nil {
			k.take(s, g, sent)
			continue
		}
		s.used += asked[i].Used // it was not counted, or we cannot know
		s.wanted += asked[i].Want / 2
		k.again(s)
	}
	if away := err != nil; away != k.away {
		k.away = away
		if away {
			k.o.Log("shared limits: %v; this instance keeps to its part of them", err)
		} else {
			k.o.Log("shared limits: the control plane answers again")
		}
	}
}

// question collects what to ask, and takes unreported use into it. Shares that
// were answered a moment ago and still have most of it are left for later.
func (k *Book) question(end bool) ([]*share, []link.Lease) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	k.sweep(now)
	var shares, later []*share
	var asked []link.Lease
	for _, s := range k.busy {
		if len(asked) == link.MaxLeases || !end && s.tokens*4 > s.granted && now.Sub(s.answered) < every {
			later = append(later, s)
			continue
		}
		s.queued, s.asking = false, true
		if s.wanted > 0 && now.Before(s.until) && !end {
			// It may be spent before the answer comes, when others may have
			// been granted it: it is counted now.
			s.used += s.tokens
			s.prepaid += s.tokens
			s.tokens = 0
		}
		want := min(2*s.wanted, s.budget.Limit)
		if end {
			want = 0
		}
		shares = append(shares, s)
		asked = append(asked, link.Lease{Key: s.key, Limit: s.budget.Limit, Per: s.budget.Per, Calendar: s.budget.Calendar,
			Burst: s.budget.Burst, Used: s.used, Had: s.granted, Want: want})
		s.used, s.wanted = 0, 0
	}
	k.busy = later
	return shares, asked
}

// sweep drops shares of windows that are over and that nobody uses.
func (k *Book) sweep(now time.Time) {
	if now.Sub(k.swept) < time.Minute {
		return
	}
	k.swept = now
	for key, s := range k.shares {
		if !s.queued && !s.asking && !now.Before(s.window) {
			delete(k.shares, key)
		}
	}
}

// take enters an answer. The grant takes the place of what was held when the
// question was put, but for what was counted as used in it; what was spent in advance since comes
// out of it.
func (k *Book) take(s *share, g *link.Grant, sent time.Time) {
	s.granted, s.answered = g.Tokens, sent
	s.tokens = max(0, g.Tokens-s.used)
	s.advance = max(0, s.used-g.Tokens)
	s.remaining = g.Remaining
	s.window = sent.Add(g.Reset)
	// Clocks differ: what the answer says holds if it can, and never longer
	// than tokens live.
	s.until = sent.Add(min(life, g.Reset))
	if g.Until.After(sent) && g.Until.Before(s.until) {
		s.until = g.Until
	}
	switch {
	case g.Tokens > 0 || s.used > 0 || s.wanted > 0:
		k.again(s) // to use it, or to give it back
	case s.used == 0 && s.wanted == 0 && !s.spent():
		delete(k.shares, s.key) // nothing held, nothing owed
	}
}

func (k *Book) again(s *share) {
	if !s.queued {
		s.queued = true
		k.busy = append(k.busy, s)
	}
}
