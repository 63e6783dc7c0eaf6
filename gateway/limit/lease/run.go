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
	questions, asked := k.question(end)
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
	for i := range questions {
		q := &questions[i]
		q.share.asking = false
		if g := byKey[q.share.key]; err == nil && g != nil {
			k.take(q.share, g, sent)
			continue
		}
		q.unanswered(link.Unheard(err))
		k.again(q.share)
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

// A question is what an asked share may have to take back.
type question struct {
	share                     *share
	used, wanted, loose, back int64
	window                    time.Time
}

// question collects what to ask, and takes unreported use into it. Shares that
// were answered a moment ago and still have most of it are left for later.
func (k *Book) question(end bool) ([]question, []link.Lease) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	k.sweep(now)
	var later []*share
	var questions []question
	var asked []link.Lease
	for _, s := range k.busy {
		if len(asked) == link.MaxLeases || !end && !s.low() && now.Sub(s.answered) < every {
			later = append(later, s)
			continue
		}
		s.queued, s.asking = false, true
		q, a := s.ask(now, end)
		questions, asked = append(questions, q), append(asked, a)
	}
	k.busy = later
	return questions, asked
}

// ask makes the share's question. What may be spent before the answer comes, when
// others may have been granted it, is counted now; all else that is in hand goes
// back with the question.
func (s *share) ask(now time.Time, end bool) (question, link.Lease) {
	want := min(2*s.wanted, s.budget.Limit)
	if end {
		want = 0
	}
	q := question{share: s, wanted: s.wanted, loose: s.tokens, window: s.window}
	s.tokens = 0
	if s.of != 0 {
		q.back = max(0, s.prepaid-want)
		s.prepaid -= q.back
	}
	if now.Before(s.until) {
		ahead := min(q.loose, max(0, want-s.prepaid))
		s.prepaid += ahead
		s.used += ahead
		q.loose -= ahead
	}
	q.used = s.used
	s.used, s.wanted = 0, 0
	return q, link.Lease{Key: s.key, Limit: s.budget.Limit, Per: s.budget.Per, Calendar: s.budget.Calendar, Burst: s.budget.Burst,
		Used: q.used, Had: s.granted, Of: s.of, Back: q.back, Want: max(0, want-s.prepaid)}
}

// unanswered takes back what will be asked again. What was to go back stays here
// only if nobody can have heard that it does.
func (q *question) unanswered(unheard bool) {
	s := q.share
	s.used += q.used
	s.wanted += q.wanted
	switch {
	case !s.window.Equal(q.window): // the next one has begun
	case unheard:
		s.tokens += q.loose
		s.prepaid += q.back
	default:
		s.of = 0
	}
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
	s.held, s.of = s.tokens+s.prepaid, g.Of
	s.remaining = g.Remaining
	s.window = sent.Add(g.Reset)
	// Clocks differ: what the answer says holds if it can, and never longer
	// than tokens live.
	s.until = sent.Add(min(life, g.Reset))
	if g.Until.After(sent) && g.Until.Before(s.until) {
		s.until = g.Until
	}
	switch {
	case g.Tokens > 0 || s.used > 0 || s.wanted > 0 || s.prepaid > 0 && s.of != 0:
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
