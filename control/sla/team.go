package sla

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
)

// OfTeam are the promises of a team's APIs and plans in the month that runs, one
// line for each objective. What is undecided counts as met no more than what is
// missed: it says so in what was attained.
func (p *Promises) OfTeam(ctx context.Context, team string) ([]gatehouse.TeamServiceLevel, error) {
	now := p.Now().UTC()
	from, to, err := Month(now.Format("2006-01"), now)
	if err != nil {
		return nil, err
	}
	r, err := p.Report(ctx, Question{Team: team, From: from, To: to})
	if err != nil {
		return nil, err
	}
	var list []gatehouse.TeamServiceLevel
	for i := range r.Items {
		list = append(list, r.Items[i].lines()...)
	}
	return list, nil
}

// lines are the item's objectives, one by one.
func (i *Item) lines() (list []gatehouse.TeamServiceLevel) {
	line := gatehouse.TeamServiceLevel{API: i.API, Environment: i.Environment, Requests: i.Measured.Counted}
	if i.Plan != "" {
		line.Plan = i.Product + "/" + i.Plan
	}
	add := func(objective, promised, attained, verdict string) {
		l := line
		l.Objective, l.Promised, l.Attained, l.Met = objective, promised, attained, verdict == Kept
		if verdict == NoData || verdict == Undecided {
			l.Attained = verdict
			if attained != "" && verdict == Undecided {
				l.Attained += ": " + attained
			}
		}
		list = append(list, l)
	}
	if m := &i.Measured; m.Available != "" {
		add("availability", fmt.Sprintf("%.5g %%", i.Objective.Availability), fmt.Sprintf("%.5g %%", m.Availability), m.Available)
	}
	for _, q := range i.Measured.Latency {
		add(fmt.Sprintf("p%d", q.Percent), text(q.Limit), q.between(), q.Verdict)
	}
	if i.Objective.Support != nil && i.Support != nil {
		for _, s := range []struct {
			name  string
			limit jsonx.Duration
			t     Tally
		}{{"firstResponse", i.Objective.Support.FirstResponse, i.Support.FirstResponse}, {"resolution", i.Objective.Support.Resolution, i.Support.Resolution}} {
			if s.limit <= 0 || s.t == (Tally{}) {
				continue
			}
			verdict := Kept
			if s.t.Missed > 0 {
				verdict = Broken
			}
			add(s.name, s.limit.String(), fmt.Sprintf("%d met, %d missed, %d running", s.t.Met, s.t.Missed, s.t.Running), verdict)
		}
	}
	return list
}

// between says where the measured quantile lies.
func (q *Quantile) between() string {
	if q.UpTo == 0 {
		return "over " + text(q.Over)
	}
	return text(q.Over) + " to " + text(q.UpTo)
}

func text(d time.Duration) string { return jsonx.Duration(d).String() }
